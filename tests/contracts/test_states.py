"""The words of kernel.states against the numbers that the tables take."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from cupola.kernel import ids, states
from cupola.platform.pg import migrate
from cupola.platform.pg.cluster import Cluster
from cupola.platform.pg.statement import Command, Scalar, Statement

COLUMNS = {
    "task": ["task.state"],
    "page": ["assignment.state"],
    "lease": ["lease.state"],
    "shown": [],  # by a page, of its leases
    "submission": ["submission.state"],
    "accepting": ["auto_accept_task.use"],
    "appeal": ["appeal.state"],
    "payout": ["payout.state"],
    "credential": ["credential.state"],
    "attempt": ["exam_attempt.state"],
    "invite": ["invite.state"],
    "order": ["order_task.state"],
    "review": ["order_task.review", "order_audit.review"],
    "role": ["order_task.role"],
    "batch": ["order_batch.state"],
}


@pytest.fixture(scope="module")
def migrated(cluster: Cluster) -> Iterator[psycopg.Connection]:
    url = cluster.create_database(f"states_{ids.uuid7().hex}")
    migrate.migrate(url, "a password for tests")
    with psycopg.connect(url, autocommit=True, options="-c search_path=cupola") as conn:
        yield conn


@pytest.mark.parametrize("thing", states.THINGS)
def test_a_column_takes_the_codes_of_its_words_and_no_other(migrated: psycopg.Connection, thing: str) -> None:
    for column in COLUMNS[thing]:
        table, name = column.split(".")
        checks = migrated.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'",
            (table,),
        ).fetchall()
        (top,) = [found[1] for (check,) in checks if (found := re.search(rf"\({name} <= (\d)\)", check))]
        assert int(top) == len(states.THINGS[thing]) - 1, column


def test_a_page_and_its_leases_end_by_the_same_code() -> None:
    assert [states.PAGE.index(word) for word in ("returned", "expired")] == [
        states.LEASE.index(word) for word in ("returned", "expired")
    ]


def test_every_word_becomes_its_code_in_sql() -> None:
    for thing, words in states.THINGS.items():
        assert [states.filled(f"{{{thing}.{word}}}") for word in words] == [str(n) for n in range(len(words))]
    assert states.filled("SELECT '{}', '{1,2}', E'\\x1e'") == "SELECT '{}', '{1,2}', E'\\x1e'"


@pytest.mark.parametrize("wrong", ["{task.setled}", "{tusk.settled}", "{task.settled} AND {lease.collecting}"])
def test_a_word_that_is_not_in_the_table_is_an_error_before_anything_runs(
    wrong: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for made in (lambda: Command(wrong), lambda: Scalar(int, wrong), lambda: Statement(type, wrong)):  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=r"no word of kernel\.states"):
            made()
    folder = tmp_path_factory.mktemp("schema")
    (folder / "functions").mkdir()
    (folder / "functions" / "wrong.sql").write_text(f"SELECT 1 WHERE state = {wrong}")
    monkeypatch.setattr(migrate, "_schema_dir", lambda: folder)
    with pytest.raises(ValueError, match=r"no word of kernel\.states"):
        migrate.functions_digest()
