"""Who runs Postgres, and what happens where that account cannot go."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import psycopg
import pytest

from cupola.kernel.errors import Problem
from cupola.platform.pg import account, binaries
from cupola.platform.pg.account import Account
from cupola.platform.pg.cluster import Cluster

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to step down from")


@as_root
def test_root_steps_down_and_only_our_own_folders_change_hands(data_dir: Path) -> None:
    data_dir.mkdir()
    data_dir.chmod(0o755)
    (data_dir / "blobs").mkdir()
    before = {path: path.stat() for path in (data_dir.parent, data_dir, data_dir / "blobs")}
    with Cluster.open(data_dir) as c:
        pid = Cluster.inspect(data_dir).pid
        uid = int(
            next(x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("Uid")).split()[1]
        )
        assert uid != 0
        assert c.home.stat().st_uid == uid
    for path, found in before.items():
        assert (path.stat().st_uid, path.stat().st_mode) == (found.st_uid, found.st_mode), path


@as_root
def test_a_parent_that_the_account_cannot_pass_is_not_opened_and_the_database_says_where_it_went(
    data_dir: Path,
) -> None:
    closed = data_dir.parent / "closed"
    closed.mkdir(mode=0o700)
    folder = closed / "data"
    try:
        with Cluster.open(folder) as c, psycopg.connect(c.url) as conn:
            conn.execute("create table t as select 5 as n")
            home = c.home
            assert home.is_relative_to(binaries.DURABLE_BASE)
            assert str(home) in c.notice
            assert str(home) in (folder / "postgres-is-elsewhere.txt").read_text()
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        with Cluster.open(folder) as c, psycopg.connect(c.url) as conn:
            assert conn.execute("select n from t").fetchone() == (5,)
        shutil.rmtree(folder)  # a person starts over: the old database must not come back
        with Cluster.open(folder) as c, psycopg.connect(c.url) as conn:
            assert conn.execute("select to_regclass('t')").fetchone() == (None,)
            assert c.home != home
    finally:
        Cluster.destroy(folder)
        shutil.rmtree(home, ignore_errors=True)
        home.with_name(home.name + ".txt").unlink(missing_ok=True)
    assert not (folder / "postgres-is-elsewhere.txt").exists()


@as_root
def test_a_database_whose_parent_was_closed_later_is_refused_with_the_folder_named(data_dir: Path) -> None:
    with Cluster.open(data_dir):
        pass
    data_dir.chmod(0o700)
    with pytest.raises(Problem) as caught:
        Cluster.open(data_dir)
    assert str(data_dir) in caught.value.remedy
    assert "chmod o+x" in caught.value.remedy
    data_dir.chmod(0o711)


@as_root
def test_programs_that_the_account_cannot_reach_are_copied_once_and_run_from_there(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = data_dir.parent / "closed"
    source = binaries.bundled_folder()
    wheel = source.parent.parent
    shutil.copytree(source.parent, closed / wheel.name / source.parent.name, symlinks=True)
    shutil.copytree(wheel.parent / f"{wheel.name}.libs", closed / f"{wheel.name}.libs")
    closed.chmod(0o700)
    monkeypatch.setattr(binaries, "bundled_folder", lambda: closed / wheel.name / source.parent.name / "bin")
    monkeypatch.setattr(binaries, "DURABLE_BASE", data_dir.parent / "durable")
    who = account.choose(data_dir)
    found = binaries.Binaries.for_account(who)
    assert found.folder.is_relative_to(data_dir.parent / "durable")
    assert found.run("postgres", ["--version"]).startswith("postgres (PostgreSQL) 18")
    assert binaries.Binaries.for_account(who) == found
    with Cluster.open(data_dir) as c, psycopg.connect(c.url) as conn:
        assert conn.execute("select 1").fetchone() == (1,)


@as_root
def test_an_ordinary_user_runs_the_database_as_itself(data_dir: Path) -> None:
    who = account.choose(data_dir)
    place = data_dir.parent / "ordinary"
    place.mkdir()
    who.own(place)
    source = Path(account.__file__).parents[3]
    site = binaries.bundled_folder().parents[2]
    script = textwrap.dedent(
        f"""
        import sys; sys.path[:0] = [{str(source)!r}, {str(site)!r}]
        from pathlib import Path
        from cupola.platform.pg.cluster import Cluster
        with Cluster.open(Path({str(place / "data")!r})) as c:
            s = Cluster.inspect(Path({str(place / "data")!r}))
            print(s.running, s.places.account.switches, s.places.home.stat().st_uid)
        """
    )
    system_python = shutil.which("python3.11", path="/usr/bin") or sys.executable
    done = subprocess.run(
        [system_python, "-I", "-c", script],
        capture_output=True, text=True, user=who.uid, group=who.gid, extra_groups=[], cwd="/", check=False,
    )  # fmt: skip
    if "Permission denied" in done.stderr and system_python == sys.executable:
        pytest.skip("no Python that an ordinary user can run")
    assert done.stdout.split() == ["True", "False", str(who.uid)], done.stderr


def test_a_user_named_by_the_environment_must_exist_and_not_be_root(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root chooses")
    for name in ("root", "no-such-user-here"):
        monkeypatch.setenv(account.USER_VARIABLE, name)
        with pytest.raises(Problem, match=name):
            account.choose(data_dir)
    monkeypatch.setenv(account.USER_VARIABLE, "nobody")
    assert account.choose(data_dir).name == "nobody"


def test_reach_is_judged_by_owner_then_group_then_others(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    stranger = Account("stranger", 54_321, 54_321, switches=True)
    (tmp_path / "a").chmod(0o700)
    for parent in (tmp_path, *tmp_path.parents):
        if not parent.stat().st_mode & stat.S_IXOTH:
            assert stranger.blocked_at(folder) is not None
            break
    else:
        assert stranger.blocked_at(folder) == tmp_path / "a"
    owner = Account("owner", folder.stat().st_uid, folder.stat().st_gid, switches=True)
    assert owner.blocked_at(folder) is None
    assert owner.blocked_at(folder / "not" / "there") is None


@as_root
def test_a_umask_that_closes_everything_does_not_close_the_database_to_its_account(data_dir: Path) -> None:
    before = os.umask(0o077)
    try:
        with Cluster.open(data_dir) as c, psycopg.connect(c.url) as conn:
            assert conn.execute("select 1").fetchone() == (1,)
            assert c.notice == ""
        deep = data_dir / ("z" * 90)
        with Cluster.open(deep) as c, psycopg.connect(c.url) as conn:
            assert conn.execute("select 1").fetchone() == (1,)
        Cluster.destroy(deep)
    finally:
        os.umask(before)
