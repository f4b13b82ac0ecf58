"""Every SQL statement of every store, prepared on a freshly migrated database, against the dataclass of its rows.

The names of its columns, their types, and whether they may be null are those of the dataclass; and one of the roles
that a running server speaks as may execute it.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
import sys
import types
import typing
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.pq import ExecStatus

import cupola
from cupola.kernel import ids
from cupola.platform.pg.cluster import Cluster
from cupola.platform.pg.long import long_fields
from cupola.platform.pg.migrate import migrate
from cupola.platform.pg.statement import Command, Scalar, Statement
from cupola.platform.pg.tx import Role

_parameter = re.compile(r"%\((\w+)\)[sb]")
# what psycopg makes of a column of a type
PYTHON: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("int2", "int4", "int8", "oid"), (int,)),
    **dict.fromkeys(("float4", "float8"), (float,)),
    **dict.fromkeys(("text", "varchar", "bpchar", "name", "unknown"), (str,)),
    **dict.fromkeys(("json", "jsonb"), (dict, list)),
    "bool": (bool,),
    "uuid": (UUID,),
    "bytea": (bytes,),
    "numeric": (Decimal,),
    "timestamptz": (datetime,),
    "date": (date,),
    "xid8": (int,),
}


# Columns that may hold null in their table and never do in this answer, each with the reason.
_FROZEN = "a release freezes only settlements that have a label"
_OF_ROWS = ("ROWS", "ROWS_AFTER", "NEXT", "ITEM", "SAID_OF")
NEVER_NULL = {
    ("cupola.orders.callbacks.store.CLAIM", "until"): "was just written",
    ("cupola.platform.webhooks.store.CLAIM", "until"): "was just written",
    ("cupola.quality.figures.store.SETTLED_CODES", "said"): "asks for those that have one",
    ("cupola.quality.figures.store.SETTLED_CODES", "settled"): "asks for those that have one",
    ("cupola.quality.store.SETTLED_VOTES", "truth"): "asks for those that have one",
    **{(f"cupola.releases.store.{one}", "label"): _FROZEN for one in _OF_ROWS},
    **{
        (f"cupola.releases.store.{one}", column): "a view forgets that its columns are never null"
        for one in ("NEXT", "ITEM")
        for column in ("id", "draw", "judged", "people", "settled")
    },
}


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of an answer. nullable: it is a table's own column, and that may hold null; None where nobody knows."""

    name: str
    type: str
    nullable: bool | None


def statements() -> Iterator[tuple[str, Any]]:
    for found in pkgutil.walk_packages(cupola.__path__, "cupola."):
        if found.name.rsplit(".", 1)[-1] == "store":
            for name, value in sorted(vars(importlib.import_module(found.name)).items()):
                if isinstance(value, Statement | Command | Scalar):
                    yield f"{found.name}.{name}", value


ALL = [pytest.param(name, statement, id=name) for name, statement in statements()]


@pytest.fixture(scope="module")
def migrated(cluster: Cluster) -> Iterator[psycopg.Connection]:
    url = cluster.create_database(f"statements_{ids.token(6).lower().replace('-', '_')}")
    migrate(url, "a password for tests")
    with psycopg.connect(url, autocommit=True, options="-c search_path=cupola") as conn:
        yield conn


def numbered(text: str) -> str:
    """The statement as Postgres itself writes it, with $1, $2, …"""
    numbers: dict[str, int] = {}
    return _parameter.sub(lambda m: f"${numbers.setdefault(m.group(1), len(numbers) + 1)}", text).replace("%%", "%")


def columns(conn: psycopg.Connection, text: str) -> list[Column]:
    """The columns that a statement would return; AssertionError with Postgres's words otherwise."""
    made = conn.pgconn.prepare(b"", numbered(text).encode())
    assert made.status == ExecStatus.COMMAND_OK, f"{made.error_message.decode()}\n{text}"
    told = conn.pgconn.describe_prepared(b"")
    raw = [(told.fname(n) or b"", told.ftype(n), told.ftable(n), told.ftablecol(n)) for n in range(told.nfields)]
    found = []
    for name, oid, table, column in raw:
        (kind,) = conn.execute("SELECT typname FROM pg_type WHERE oid = %s", (oid,)).fetchone() or ("?",)
        row = conn.execute(
            "SELECT NOT attnotnull FROM pg_attribute WHERE attrelid = %s AND attnum = %s", (table, column)
        ).fetchone()
        found.append(Column(name.decode(), kind, row[0] if row else None))
    return found


def fits(column: Column, annotation: Any) -> bool:
    """Whether values of the column are values of the annotation."""
    if annotation is Any:
        return True
    several = typing.get_origin(annotation) in (types.UnionType, typing.Union)  # the latter: of a Literal and None
    options = typing.get_args(annotation) if several else (annotation,)
    plain = [one for one in options if one is not type(None)]
    origins = tuple(typing.get_origin(one) or one for one in plain)
    if any(origin is typing.Literal for origin in origins):
        origins = (str,)
    if column.type.startswith("_"):  # an array
        return list in origins or any(getattr(one, "__name__", "") == "Sequence" for one in origins)
    return any(
        issubclass(made, origin) for made in PYTHON[column.type] for origin in origins if isinstance(origin, type)
    )


@pytest.mark.parametrize(("name", "statement"), ALL)
def test_a_statement_fits_the_schema_and_its_rows(migrated: psycopg.Connection, name: str, statement: Any) -> None:
    found = columns(migrated, statement.sql)
    if isinstance(statement, Statement):
        assert sorted(one.name for one in found) == sorted(field.name for field in dataclasses.fields(statement.row))
        # not in the class's own names: a field called `bytes` is not the type
        hints = typing.get_type_hints(statement.row, vars(sys.modules[statement.row.__module__]), {})
        wrong = [f"{one.name} is {one.type}, not {hints[one.name]}" for one in found if not fits(one, hints[one.name])]
        wrong += [
            f"{one.name} may be null, {hints[one.name]} may not"
            for one in found
            if one.nullable
            and not optional(hints[one.name])
            and not re.search(rf"\b{one.name} IS NOT NULL", statement.sql)
            and (name, one.name) not in NEVER_NULL
        ]
        assert wrong == []
    elif isinstance(statement, Scalar):
        assert len(found) == 1
        assert fits(found[0], statement.type), found[0]
    # a Command may call a function whose answer nobody reads


# The columns that hold labels: each may lie in a blob, which is named here instead (platform/pg/long).
LABELS = {"label", "pre_label", "gold_label", "truth", "said", "draft", "expected", "settled_label", "labels"}
NO_LABEL = {
    ("cupola.quality.figures.store.SETTLED_CODES", "said"): "a code",
    **{
        (f"cupola.orders.store.{one}", "expected"): "an answer in a client's words"
        for one in ("BY_FOUNDRY", "LIST", "ORDER")
    },
}
WRITERS = re.compile(
    r"INSERT INTO (judgement|settlement|settlement_part|gold|adjudication|audit_judgement|opinion|draft|item) "
    r"|work_submit\(|work_draft\(|work_draft_gather\("
)


@pytest.mark.parametrize(("name", "statement"), ALL)
def test_whoever_reads_or_writes_a_label_knows_that_it_may_lie_in_a_blob(name: str, statement: Any) -> None:
    if isinstance(statement, Statement):
        texts = {
            field.name
            for field in dataclasses.fields(statement.row)
            if field.name in LABELS and (name, field.name) not in NO_LABEL
        }
        assert texts <= set(long_fields(statement.row))
    else:
        assert not (LABELS & set(re.findall(r"^SELECT (\w+) FROM", statement.sql)))
    if WRITERS.search(statement.sql) and name != "cupola.catalog.store.ITEMS_ADD":  # rows, which `insert` makes short
        assert set(statement.keeps) == set(_parameter.findall(statement.sql)) & {"label", "labels"} != set()


def optional(annotation: Any) -> bool:
    return annotation is Any or type(None) in typing.get_args(annotation)


@pytest.mark.parametrize(("name", "statement"), ALL)
def test_a_role_of_the_running_server_may_execute_it(migrated: psycopg.Connection, name: str, statement: Any) -> None:
    refused = []
    for role in Role:
        with migrated.transaction(force_rollback=True):
            migrated.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role.value)))
            try:
                with migrated.transaction():  # planning checks the rights; nothing is executed
                    # as a simple query, for the parameters are to stay parameters
                    told = migrated.pgconn.exec_(f"EXPLAIN (GENERIC_PLAN) {numbered(statement.sql)}".encode())
                    if told.status == ExecStatus.TUPLES_OK:
                        return
                    code = told.error_field(psycopg.pq.DiagnosticField.SQLSTATE)
                    if code != b"42501":
                        pytest.fail(told.error_message.decode())
                    refused.append(told.error_message.decode().splitlines()[0])
                    raise errors.InsufficientPrivilege
            except errors.InsufficientPrivilege:
                continue
    pytest.fail("; ".join(refused))


def test_a_statement_that_does_not_fit_is_found(migrated: psycopg.Connection) -> None:
    with pytest.raises(AssertionError, match="no_such_column"):
        columns(migrated, "SELECT no_such_column FROM item WHERE tenant = %(tenant)s")
    (count,) = columns(migrated, "SELECT sum(bytes) AS bytes FROM item")
    assert not fits(count, int)
    assert fits(count, Decimal)
    (nullable,) = columns(migrated, "SELECT url FROM item")
    assert nullable.nullable is True
    assert not optional(str)
    assert optional(str | None)
