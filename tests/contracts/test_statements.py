"""Every SQL statement of every store, prepared on a freshly migrated database, against the dataclass of its rows."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.pq import ExecStatus

import cupola
from cupola.kernel import ids
from cupola.platform.pg.cluster import Cluster
from cupola.platform.pg.migrate import migrate
from cupola.platform.pg.statement import Command, Scalar, Statement

_parameter = re.compile(r"%\((\w+)\)s")


def statements() -> Iterator[tuple[str, Any]]:
    for found in pkgutil.walk_packages(cupola.__path__, "cupola."):
        if found.name.rsplit(".", 1)[-1] == "store":
            for name, value in sorted(vars(importlib.import_module(found.name)).items()):
                if isinstance(value, Statement | Command | Scalar):
                    yield f"{found.name}.{name}", value


@pytest.fixture(scope="module")
def migrated(cluster: Cluster) -> Iterator[psycopg.Connection]:
    url = cluster.create_database(f"statements_{ids.token(6).lower().replace('-', '_')}")
    migrate(url, "a password for tests")
    with psycopg.connect(url, autocommit=True, options="-c search_path=cupola") as conn:
        yield conn


def columns(conn: psycopg.Connection, sql: str) -> list[str]:
    """The names of the columns that a statement would return; AssertionError with Postgres's words otherwise."""
    numbers: dict[str, int] = {}
    text = _parameter.sub(lambda m: f"${numbers.setdefault(m.group(1), len(numbers) + 1)}", sql).replace("%%", "%")
    made = conn.pgconn.prepare(b"", text.encode())
    assert made.status == ExecStatus.COMMAND_OK, f"{made.error_message.decode()}\n{text}"
    told = conn.pgconn.describe_prepared(b"")
    return [(told.fname(n) or b"").decode() for n in range(told.nfields)]


@pytest.mark.parametrize(("name", "statement"), [pytest.param(n, s, id=n) for n, s in statements()])
def test_a_statement_fits_the_schema_and_its_rows(migrated: psycopg.Connection, name: str, statement: Any) -> None:
    found = columns(migrated, statement.sql)
    if isinstance(statement, Statement):
        assert sorted(found) == sorted(field.name for field in dataclasses.fields(statement.row))
    elif isinstance(statement, Scalar):
        assert len(found) == 1
    # a Command may call a function whose answer nobody reads


def test_a_statement_that_does_not_fit_is_found(migrated: psycopg.Connection) -> None:
    with pytest.raises(AssertionError, match="no_such_column"):
        columns(migrated, "SELECT no_such_column FROM item WHERE tenant = %(tenant)s")
