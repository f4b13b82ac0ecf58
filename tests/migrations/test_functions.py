"""The functions of the database have one home, and a database has exactly those."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import cupola.schema
from cupola.app import serve
from cupola.kernel import ids
from cupola.kernel.errors import Problem
from cupola.platform.pg import migrate
from cupola.platform.pg.cluster import Cluster
from cupola.platform.settings import Settings

SCHEMA = Path(cupola.schema.__file__).parent
OURS = (
    "SELECT p.proname, p.oid::regprocedure::text, p.prosrc, p.proacl::text FROM pg_proc p "
    "WHERE p.pronamespace = 'cupola'::regnamespace ORDER BY 2"
)


@pytest.fixture
def url(cluster: Cluster, foundry_template: str) -> Iterator[str]:
    name = f"functions_{ids.uuid7().hex}"
    yield cluster.create_database(name, template=foundry_template)
    cluster.drop_database(name)


def ours(url: str) -> list[tuple[str, ...]]:
    with psycopg.connect(url, autocommit=True) as conn:
        return conn.execute(OURS).fetchall()


def test_each_function_is_written_once_and_the_database_has_no_other(url: str) -> None:
    made = re.compile(r"CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE) (\w+)")
    written = [name for file in sorted(SCHEMA.rglob("*.sql")) for name in made.findall(file.read_text())]
    assert sorted(written) == sorted(row[0] for row in ours(url))
    assert len(written) == len(set(written))


def test_nobody_may_call_a_function_that_was_not_granted(url: str) -> None:
    assert [row[1] for row in ours(url) if row[3] is None or "{=X" in row[3] or ",=X" in row[3]] == []


def test_functions_of_another_version_are_replaced_and_a_database_that_has_them_is_left_alone(url: str) -> None:
    before = ours(url)
    with psycopg.connect(url, autocommit=True, options="-c search_path=cupola") as conn:
        conn.execute("ALTER FUNCTION work_guest RENAME TO work_visitor")
        conn.execute("DROP FUNCTION event_append")
        conn.execute("CREATE FUNCTION event_append(text) RETURNS int LANGUAGE sql AS 'SELECT 1'")  # another signature
        conn.execute("ALTER FUNCTION event_append(text) OWNER TO cupola_owner")
    # what is written beside the schema says which set a database has: nothing is compared at a start
    assert migrate.behind(url) is None
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("COMMENT ON SCHEMA cupola IS 'functions of another version'")
    assert migrate.behind(url) is not None
    migrate.migrate(url, "a password for tests")
    assert migrate.behind(url) is None
    assert ours(url) == before
    with psycopg.connect(url, autocommit=True) as conn:
        # a row's xmin tells whether it was written again
        stamp = "SELECT max(xmin::text::bigint) FROM pg_proc WHERE proname LIKE 'work%'"
        at = conn.execute(stamp).fetchone()
        migrate.migrate(url, "a password for tests")
        assert conn.execute(stamp).fetchone() == at


def test_a_change_gives_way_to_work_and_is_tried_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody holds a table that the change wants: it waits briefly, lets others by, and comes through later."""
    with psycopg.connect(url) as holder:
        holder.execute("SELECT count(*) FROM cupola.task")  # its lock is kept until the end of the transaction
        waited: list[float] = []

        def pause(seconds: float) -> None:
            waited.append(seconds)
            holder.rollback()

        monkeypatch.setattr(migrate.time, "sleep", pause)
        monkeypatch.setattr(migrate, "_BRIEFLY", "SET LOCAL lock_timeout = '50ms'; LOCK TABLE cupola.task")
        holder_of_all = psycopg.connect(url, autocommit=True)
        holder_of_all.execute("COMMENT ON SCHEMA cupola IS 'functions of another version'")
        migrate.migrate(url, "a password for tests")
        holder_of_all.close()
    assert waited == [1]
    assert migrate.behind(url) is None


def test_a_server_and_a_worker_beside_others_change_no_schema(url: str, tmp_path: Path) -> None:
    """An external database is brought along on purpose; whoever starts before that is refused with the remedy."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("COMMENT ON SCHEMA cupola IS 'functions of another version'")
    settings = Settings(tmp_path, url, None, b"a secret of a test", port=0)
    for start in (lambda: serve.run_worker(settings), lambda: serve.run_server(settings, with_worker=False)):
        with pytest.raises(Problem) as refused:
            start()
        assert refused.value.code == "schema-behind"
        assert refused.value.remedy == "Run: cupola migrate"
    assert migrate.behind(url) is not None
