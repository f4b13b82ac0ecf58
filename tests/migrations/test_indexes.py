"""Indexes of large tables: made while others write, taken up where a killed run left them, whole in the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cupola.kernel import ids
from cupola.kernel.errors import Problem
from cupola.platform.pg import indexes, migrate, partitions
from cupola.platform.pg.cluster import Cluster
from cupola.platform.pg.indexes import Index

ROWS = 100_000
PASSWORD = "a password for tests"
SLOW = Index("big_slow", "big", "(slow(n))")  # two seconds of sleep, so that there is a middle to be killed in
PATIENCE_S = 120  # for what must happen, however slow the machine


@pytest.fixture
def url(cluster: Cluster, foundry_template: str) -> Iterator[str]:
    name = f"indexes_{ids.uuid7().hex}"
    yield cluster.create_database(name, template=foundry_template)
    cluster.drop_database(name)


@pytest.fixture
def big(url: str) -> str:
    with psycopg.connect(url, autocommit=True, options="-c search_path=cupola") as conn:
        conn.execute("SET ROLE cupola_owner")
        conn.execute("CREATE TABLE big AS SELECT n, n AS other FROM generate_series(1, %s) n" % ROWS)  # noqa: UP031
        conn.execute(
            "CREATE FUNCTION slow(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS "
            "$$ BEGIN IF n % 1000 = 0 THEN PERFORM pg_sleep(0.02); END IF; RETURN n; END $$"
        )
    return url


def one(url: str, text: str, *params: Any) -> Any:
    with psycopg.connect(url, autocommit=True, options="-c search_path=cupola") as conn:
        row = conn.execute(text.encode(), params).fetchone()
        return row[0] if row else None


def valid(url: str, name: str = SLOW.name) -> bool | None:
    return one(url, "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", name)


def oid(url: str, name: str = SLOW.name) -> int:
    return one(url, "SELECT %s::regclass::oid::int8", name)


@contextmanager
def wanting(monkeypatch: pytest.MonkeyPatch, *wanted: Index) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "_wanted_indexes", lambda: wanted)
        yield


@contextmanager
def writer(url: str) -> Iterator[list[int]]:
    """Somebody who inserts and updates without a pause, and waits a moment for a lock at most."""
    done = threading.Event()
    wrote: list[int] = []
    failed: list[BaseException] = []

    def write() -> None:
        try:
            with psycopg.connect(url, autocommit=True, options="-c search_path=cupola -c lock_timeout=300ms") as conn:
                for n in range(ROWS * 1_000 + 1, ROWS * 2_000):
                    if done.is_set():
                        return
                    if n % 1000:
                        conn.execute("INSERT INTO big VALUES (%s, 0)", (n,))
                        conn.execute("UPDATE big SET other = other + 1 WHERE ctid = (SELECT max(ctid) FROM big)")
                        wrote.append(n)
        except BaseException as error:  # told to the test below, which runs in another thread
            failed.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield wrote
    finally:
        done.set()
        thread.join()
    assert failed == []


def child(url: str) -> subprocess.Popen[bytes]:
    """`cupola migrate` in a process of its own, found in the middle of the index."""
    code = (
        "import sys; from cupola.platform.pg import migrate; from cupola.platform.pg.indexes import Index; "
        f"migrate._wanted_indexes = lambda: ({SLOW!r},); migrate.migrate(sys.argv[1], {PASSWORD!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", code, url], cwd=Path(__file__).parents[2])
    until = time.monotonic() + PATIENCE_S
    while valid(url) is not False:
        assert process.poll() is None, "it ended before anybody looked"
        assert time.monotonic() < until, "it never began"
        time.sleep(0.01)
    return process


def whole(url: str, *, rows: int | None = None) -> None:
    """The index says what the table says."""
    with psycopg.connect(url, options="-c search_path=cupola") as conn:
        conn.execute("SET LOCAL enable_seqscan = off")
        plan = str(conn.execute("EXPLAIN SELECT count(*) FROM big WHERE slow(n) > 0").fetchall())
        assert SLOW.name in plan
        by_index = conn.execute("SELECT count(*), count(DISTINCT n) FROM big WHERE slow(n) > 0").fetchone()
        conn.execute(
            "SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off"
        )
        assert by_index == conn.execute("SELECT count(*), count(DISTINCT n) FROM big").fetchone()
        assert rows is None or by_index == (rows, rows)


def test_an_index_is_made_beside_a_writer_and_a_run_that_was_killed_is_taken_up(
    big: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writer(big) as wrote:
        process = child(big)
        process.send_signal(signal.SIGKILL)  # and Postgres with it, as when a machine goes down
        one(big, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%%big_slow%%'")
        process.wait()
        until = time.monotonic() + PATIENCE_S
        while one(big, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%%big_slow%%'"):
            assert time.monotonic() < until
            time.sleep(0.01)
        assert valid(big) is False
        half = oid(big)
        with wanting(monkeypatch, SLOW):
            assert "without the index big_slow, or with half of it" in str(migrate.behind(big))
            before = len(wrote)
            migrate.migrate(big, PASSWORD)
            assert migrate.behind(big) is None
        assert len(wrote) > before
    assert valid(big) is True
    assert oid(big) != half
    whole(big, rows=ROWS + len(wrote))
    made = oid(big)
    with wanting(monkeypatch, SLOW):
        migrate.migrate(big, PASSWORD)
    assert oid(big) == made


def test_what_postgres_goes_on_with_behind_a_killed_client_is_awaited_and_not_made_twice(
    big: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = child(big)
    made = oid(big)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with wanting(monkeypatch, SLOW):
        migrate.migrate(big, PASSWORD)
    assert (valid(big), oid(big)) == (True, made)
    whole(big, rows=ROWS)


def test_two_who_migrate_at_once_do_not_wait_for_each_other_in_a_ring(
    big: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[BaseException] = []

    def bring() -> None:
        try:
            migrate.migrate(big, PASSWORD)
        except BaseException as error:  # told to the test below, which runs in another thread
            failed.append(error)

    with wanting(monkeypatch, SLOW):
        both = [threading.Thread(target=bring) for _ in range(3)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
    assert failed == []
    whole(big, rows=ROWS)


def test_an_old_snapshot_is_waited_for_briefly_and_then_the_index_is_tried_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = Index("task_of_a_test", "task", "(tenant, created_at) WHERE state = 0")
    with psycopg.connect(url) as reader:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT count(*) FROM cupola.task")
        waited: list[float] = []

        def pause(seconds: float) -> None:
            waited.append(seconds)
            assert valid(url, wanted.name) is False
            reader.rollback()

        monkeypatch.setattr(migrate.time, "sleep", pause)
        monkeypatch.setattr(indexes, "LOCK_TIMEOUT_S", 0.05)
        with wanting(monkeypatch, wanted):
            migrate.migrate(url, PASSWORD)
    assert waited == [1]
    assert valid(url, wanted.name) is True


def test_a_unique_index_of_rows_that_are_not_is_told_and_made_once_they_are(
    big: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one(big, "INSERT INTO big VALUES (1, 0) RETURNING n")
    with wanting(monkeypatch, Index("big_once", "big", "(n)", unique=True)):
        for _ in range(2):
            with pytest.raises(Problem, match="big_once") as told:
                migrate.migrate(big, PASSWORD)
            assert told.value.code == "migration-failed"
        one(big, "DELETE FROM big WHERE other = 0 RETURNING n")
        migrate.migrate(big, PASSWORD)
    assert valid(big, "big_once") is True
    with pytest.raises(psycopg.errors.UniqueViolation):
        one(big, "INSERT INTO big VALUES (1, 0)")


def test_a_partitioned_table_gets_its_index_partition_by_partition(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    partitions.spread(url, 3)
    wanted = Index("task_of_a_test", "task", "(tenant, created_at) WHERE state = 0")
    # as a run leaves it that was killed behind the first partition
    with psycopg.connect(url, autocommit=True, options="-c search_path=cupola") as conn:
        conn.execute("SET ROLE cupola_owner")
        conn.execute("CREATE INDEX task_of_a_test ON ONLY task (tenant, created_at) WHERE state = 0")
        conn.execute("CREATE INDEX task_of_a_test_p0 ON task_p0 (tenant, created_at) WHERE state = 0")
    with wanting(monkeypatch, wanted):
        assert migrate.behind(url) is not None
        migrate.migrate(url, PASSWORD)
        assert migrate.behind(url) is None
    assert valid(url, wanted.name) is True
    attached = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'task_of_a_test'::regclass"
    assert one(url, attached) == 3


def test_what_the_file_lists_is_read_and_anything_else_in_it_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "indexes.sql"
    file.write_text(
        "-- why\nCREATE INDEX CONCURRENTLY a ON task (tenant,\n  id) WHERE state = 0;\n\n"
        "CREATE UNIQUE INDEX CONCURRENTLY b ON item (tenant);"
    )
    assert indexes.read(file) == (
        Index("a", "task", "(tenant, id) WHERE state = 0"),
        Index("b", "item", "(tenant)", unique=True),
    )
    for wrong in (
        "CREATE INDEX a ON task (tenant);",
        "DROP INDEX CONCURRENTLY a;",
        "CREATE INDEX CONCURRENTLY a ON task (tenant)",
        "CREATE INDEX CONCURRENTLY a ON task (x); CREATE INDEX CONCURRENTLY a ON task (y);",
        f"CREATE INDEX CONCURRENTLY {'a' * 56} ON task (x);",
    ):
        file.write_text(wrong)
        with pytest.raises(ValueError, match=r"indexes\.sql lists CREATE INDEX CONCURRENTLY"):
            indexes.read(file)


def test_the_indexes_of_this_version_are_all_there(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        assert indexes.lacking(conn, migrate._wanted_indexes()) == []
