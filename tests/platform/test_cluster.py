"""The embedded Postgres: made, shared, stopped, and found again after every kind of crash. All processes are real."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from cupola.platform.pg import conf, pidfile, places
from cupola.platform.pg.cluster import Cluster

SHARER = """
import sys
from pathlib import Path
from cupola.platform.pg.cluster import Cluster
with Cluster.open(Path(sys.argv[1])) as c:
    print(c.url, flush=True)
    sys.stdin.readline()
"""


@contextlib.contextmanager
def another_process(data_dir: Path):
    """A second real process that opens the cluster, says so, and holds its share until told to end."""
    child = subprocess.Popen(
        [sys.executable, "-c", SHARER, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()


def value(url: str, statement: str) -> object:
    with psycopg.connect(url) as conn:
        return conn.execute(statement).fetchone()[0]


def wait_until(holds, seconds: float = 15.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


def test_a_new_cluster_speaks_utf8_with_the_builtin_locale_and_keeps_what_it_acknowledges(data_dir: Path) -> None:
    with Cluster.open(data_dir) as c, psycopg.connect(c.url) as conn:
        provider, locale, encoding = conn.execute(
            "select datlocprovider::text, datlocale, pg_encoding_to_char(encoding) from pg_database"
            " where datname = current_database()"
        ).fetchone()
        assert (provider, locale, encoding) == ("b", "C.UTF-8", "UTF8")
        for name, expected in {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "data_checksums": "on",
            "listen_addresses": "",
            "jit": "off",
            "shared_buffers": "64MB",
            "max_connections": "100",
        }.items():
            assert conn.execute(f"show {name}").fetchone()[0] == expected, name
        assert conn.execute("show server_version").fetchone()[0].startswith("18")


def test_the_server_listens_on_no_network_address_and_its_folder_is_closed_to_others(data_dir: Path) -> None:
    with Cluster.open(data_dir) as c:
        state = Cluster.inspect(data_dir)
        inodes = {
            os.readlink(link)
            for link in Path(f"/proc/{state.pid}/fd").iterdir()
            if os.readlink(link).startswith("socket:")
        }
        for table in ("tcp", "tcp6"):
            for line in Path("/proc/net", table).read_text().splitlines()[1:]:
                assert f"socket:[{line.split()[9]}]" not in inodes
        assert c.home.stat().st_mode & 0o077 == 0
        assert state.places.socket_folder.stat().st_mode & 0o077 == 0


def test_data_is_there_again_after_the_last_share_closed_and_the_server_stopped(data_dir: Path) -> None:
    with Cluster.open(data_dir) as c, psycopg.connect(c.url) as conn:
        conn.execute("create table kept as select 7 as n")
    assert not Cluster.inspect(data_dir).running
    assert pidfile.claimed_pid(c.home / "18") is None
    with Cluster.open(data_dir) as c:
        assert value(c.url, "select n from kept") == 7


def test_two_shares_in_one_process_and_only_the_last_one_out_stops_the_server(data_dir: Path) -> None:
    first, second = Cluster.open(data_dir), Cluster.open(data_dir)
    first.close()
    first.close()  # harmless
    assert value(second.url, "select 1") == 1
    second.close()
    assert not Cluster.inspect(data_dir).running


def test_two_processes_share_one_server_and_the_one_that_started_it_may_leave_first(data_dir: Path) -> None:
    with another_process(data_dir) as child:
        url = child.stdout.readline().strip()
        with Cluster.open(data_dir) as c:
            assert c.url == url
            pid = Cluster.inspect(data_dir).pid
            child.stdin.write("\n")
            child.stdin.flush()
            assert child.wait(30) == 0
            assert Cluster.inspect(data_dir).pid == pid
            assert value(c.url, "select 1") == 1
        assert not Cluster.inspect(data_dir).running


def test_processes_that_open_a_new_data_folder_at_once_make_one_cluster(data_dir: Path) -> None:
    with contextlib.ExitStack() as stack:
        children = [stack.enter_context(another_process(data_dir)) for _ in range(4)]
        assert len({child.stdout.readline().strip() for child in children}) == 1
        with Cluster.attach(data_dir) as c:
            assert value(c.url, "select 1") == 1
            assert sorted(entry.name for entry in c.home.iterdir()) == ["18", "run"]


def test_a_killed_user_leaves_a_server_that_the_next_one_finds_uses_and_stops(data_dir: Path) -> None:
    with another_process(data_dir) as child:
        child.stdout.readline()
        pid = Cluster.inspect(data_dir).pid
        child.kill()
        child.wait()
    orphan = Cluster.inspect(data_dir)
    assert (orphan.running, orphan.in_use, orphan.pid) == (True, False, pid)
    with Cluster.open(data_dir) as c:
        assert Cluster.inspect(data_dir).pid == pid
        assert value(c.url, "select 1") == 1
    assert not Cluster.inspect(data_dir).running


def test_a_server_that_nobody_uses_can_be_stopped_and_a_used_one_cannot(data_dir: Path) -> None:
    from cupola.kernel.errors import Problem

    with another_process(data_dir) as child:
        child.stdout.readline()
        with pytest.raises(Problem, match="Other processes use"):
            Cluster.stop(data_dir)
        assert Cluster.inspect(data_dir).running
    assert Cluster.stop(data_dir) is True
    assert Cluster.stop(data_dir) is False


def test_after_kill_9_of_the_postmaster_under_load_the_next_start_has_every_committed_row(data_dir: Path) -> None:
    with Cluster.open(data_dir) as c:
        acknowledged = 0
        with psycopg.connect(c.url, autocommit=True) as conn:
            conn.execute("create table row (n int primary key)")
            for n in range(200):
                conn.execute("insert into row values (%s)", (n,))
                acknowledged += 1
            os.kill(Cluster.inspect(data_dir).pid, signal.SIGKILL)
        assert c.ensure_running() is True
        assert c.ensure_running() is False
        assert value(c.url, "select count(*) from row") == acknowledged


def test_a_start_waits_for_the_orphans_of_a_killed_postmaster_instead_of_failing(data_dir: Path) -> None:
    with Cluster.open(data_dir) as c, psycopg.connect(c.url) as conn:
        backend = conn.info.backend_pid
        master = Cluster.inspect(data_dir).pid
        os.kill(backend, signal.SIGSTOP)  # an orphan that cannot notice: it keeps the shared memory attached
        os.kill(master, signal.SIGKILL)
        waker = subprocess.Popen(["/bin/sh", "-c", f"sleep 2; kill -CONT {backend}"])
        began = time.monotonic()
        assert c.ensure_running() is True
        assert time.monotonic() - began > 1.5
        assert value(c.url, "select 1") == 1
        waker.wait()


def test_a_postmaster_pid_that_names_a_strangers_process_is_stale_and_the_stranger_lives_on(data_dir: Path) -> None:
    with Cluster.open(data_dir) as c:
        home, folder = c.home, Cluster.inspect(data_dir).places.socket_folder
        os.kill(Cluster.inspect(data_dir).pid, signal.SIGKILL)
        assert wait_until(lambda: not Cluster.inspect(data_dir).running)
        stranger = subprocess.Popen(["sleep", "600"])
        try:
            for path in (home / "18" / "postmaster.pid", folder / f".s.PGSQL.{conf.PORT}.lock"):
                lines = path.read_text().split("\n")
                path.write_text("\n".join([str(stranger.pid), *lines[1:]]))
            assert Cluster.inspect(data_dir).stale_pid == stranger.pid
            assert Cluster.stop(data_dir, force=True) is False
            c.ensure_running()
            assert value(c.url, "select 1") == 1
            assert stranger.poll() is None
        finally:
            stranger.kill()
            stranger.wait()


def test_a_strangers_number_does_not_hide_orphans_that_still_hold_the_shared_memory(data_dir: Path) -> None:
    with Cluster.open(data_dir) as c, psycopg.connect(c.url) as conn:
        backend = conn.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        os.kill(Cluster.inspect(data_dir).pid, signal.SIGKILL)
        time.sleep(0.5)
        path = c.home / "18" / "postmaster.pid"
        path.write_text("\n".join([str(os.getpid()), *path.read_text().split("\n")[1:]]))
        waker = subprocess.Popen(["/bin/sh", "-c", f"sleep 2; kill -CONT {backend}"])
        began = time.monotonic()
        c.ensure_running()
        assert time.monotonic() - began > 1.5
        waker.wait()


def test_a_torn_or_empty_postmaster_pid_names_nobody(tmp_path: Path) -> None:
    for text in ("", "\n", "not a number\n", "-5\n"):
        (tmp_path / "postmaster.pid").write_text(text)
        assert pidfile.claimed_pid(tmp_path) is None
        assert pidfile.living(tmp_path) is None


def test_a_half_made_cluster_is_made_anew(data_dir: Path) -> None:
    with Cluster.open(data_dir) as c:
        home = c.home
    leftover = home / "new.abandoned"
    os.rename(home / "18", leftover)
    with Cluster.open(data_dir) as c:
        assert value(c.url, "select 1") == 1
        assert not leftover.exists()


def test_a_socket_path_too_long_for_the_kernel_goes_to_a_hashed_folder_that_is_ours(data_dir: Path) -> None:
    deep = data_dir / ("a folder, with a comma" * 3) / ("x" * 60)
    with Cluster.open(deep) as c:
        folder = Cluster.inspect(deep).places.socket_folder
        assert not folder.is_relative_to(deep)
        assert len(os.fsencode(folder / f".s.PGSQL.{conf.PORT}")) <= places.MAX_SOCKET_PATH_BYTES
        assert folder.stat().st_mode & 0o077 == 0
        assert value(c.url, "select 1") == 1
    Cluster.destroy(deep)
    assert not folder.exists()


def test_a_folder_somebody_else_prepared_for_our_socket_is_refused(data_dir: Path) -> None:
    from cupola.kernel.errors import Problem

    deep = data_dir / ("y" * 90)
    with Cluster.open(deep):
        folder = Cluster.inspect(deep).places.socket_folder
    folder.chmod(0o777)
    with pytest.raises(Problem, match="lets others in"):
        Cluster.open(deep)
    folder.chmod(0o700)
    Cluster.destroy(deep)


def test_environment_variables_of_the_caller_cannot_redirect_the_server(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, setting in {"PGPORT": "1", "PGHOST": "/nowhere", "PGDATA": "/nowhere", "PGUSER": "x"}.items():
        monkeypatch.setenv(name, setting)
    with Cluster.open(data_dir) as c:
        assert value(c.url, "select current_user::text") == "postgres"


def test_a_data_folder_of_another_major_version_is_refused_with_the_way_to_upgrade(data_dir: Path) -> None:
    from cupola.kernel.errors import Problem

    with Cluster.open(data_dir) as c:
        home = c.home
    os.rename(home / "18", home / "17")
    with pytest.raises(Problem) as caught:
        Cluster.open(data_dir)
    assert "cupola backup" in caught.value.remedy
    assert (home / "17" / "PG_VERSION").exists()


def test_settings_that_postgres_refuses_are_reported_in_its_own_words(data_dir: Path) -> None:
    from cupola.kernel.errors import Problem

    with Cluster.open(data_dir) as c:
        local = c.home / "18" / conf.LOCAL_FILE
    local.write_text("shared_buffers = 'plenty'\n")
    with pytest.raises(Problem, match="shared_buffers"):
        Cluster.open(data_dir)
    local.write_text("work_mem = '5MB'\n")
    with Cluster.open(data_dir) as c:
        assert value(c.url, "show work_mem") == "5MB"


def test_attaching_starts_nothing_and_says_how_to_start(data_dir: Path) -> None:
    from cupola.kernel.errors import Problem

    with pytest.raises(Problem) as caught:
        Cluster.attach(data_dir)
    assert "cupola up" in caught.value.remedy
    assert not data_dir.exists()


def test_databases_can_be_made_copied_and_dropped_under_their_users(cluster: Cluster) -> None:
    url = cluster.create_database("original")
    with psycopg.connect(url) as conn:
        conn.execute("create table t as select 3 as n")
    copy = cluster.create_database("copied", template="original")
    assert value(copy, "select n from t") == 3
    with psycopg.connect(copy):
        cluster.drop_database("copied")
    cluster.drop_database("copied")
    cluster.drop_database("original")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(copy)
