"""Indexes of large tables, made while others write: `CREATE INDEX CONCURRENTLY`, outside of every transaction.

A numbered file runs in a transaction and holds what it changes: an index it makes of 10⁸ rows stops all writers for
minutes. So `schema/indexes.sql` lists the indexes that are made beside the traffic, each once, in its present form;
after the numbered files, whatever of them is missing is made. What was made is read from the catalogue, so that a run
which was killed, or gave way, is taken up by the next: a half-made index (invalid) is dropped and made again.

Postgres makes no index of a partitioned table this way: there each partition gets its own, and the whole is put
together from them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

# It holds up no reader and no writer while it waits, only whoever changes the table too: so it waits for longer than
# what holds them up, and not for ever.
LOCK_TIMEOUT_S = 60.0
_ASK_AGAIN_S = 0.1
_SHAPE = re.compile(r"\s*CREATE\s+(UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(\w+)\s+ON\s+(\w+)\s+([^;]+);", re.IGNORECASE)
_LONGEST = 55  # characters of a name: a partition's number comes behind it, and Postgres cuts at 63


@dataclass(frozen=True, slots=True)
class Index:
    """said: what comes behind the table, `(tenant, project) WHERE …`."""

    name: str
    table: str
    said: str
    unique: bool = False

    def statement(self, name: str, on: str, *, concurrently: bool) -> bytes:
        words = f"{'UNIQUE ' if self.unique else ''}INDEX {'CONCURRENTLY ' if concurrently else ''}"
        return f"CREATE {words}{name} ON {on} {self.said}".encode()


def read(file: Path) -> tuple[Index, ...]:
    """The indexes that a file lists. Raises ValueError for anything else in it, or two of one name."""
    text = re.sub(r"--[^\n]*", "", file.read_text("utf-8"))
    found: list[Index] = []
    at = 0
    while text[at:].strip():
        one = _SHAPE.match(text, at)
        if one is None or len(one[2]) > _LONGEST or one[2] in {index.name for index in found}:
            raise ValueError(
                f"{file.name} lists CREATE INDEX CONCURRENTLY name ON table (…), each name once and of at most "
                f"{_LONGEST} characters; this is something else: {text[at:].strip()[:100]}"
            )
        found.append(Index(one[2], one[3], " ".join(one[4].split()), bool(one[1])))
        at = one.end()
    return tuple(found)


def lacking(conn: psycopg.Connection[Any], wanted: tuple[Index, ...]) -> list[Index]:
    """Those that the database does not have, or only half."""
    return [one for one in wanted if _valid(conn, one.name) is not True]


def build(conn: psycopg.Connection[Any], wanted: tuple[Index, ...]) -> None:
    """Make what is lacking. conn: in autocommit, as the owner of the tables.

    Raises psycopg.Error where Postgres refuses (two equal rows of a unique one), or LockNotAvailable where something
    has held the table, or an old snapshot, for too long; what was begun is dropped by the next call.
    """
    for index in lacking(conn, wanted):
        with _unhurried(conn):
            leaves = _leaves(conn, index.table)
            if leaves is None:
                _make(conn, index, index.name, index.table)
                continue
            if _valid(conn, index.name) is None:
                conn.execute(index.statement(index.name, f"ONLY {index.table}", concurrently=False))
            for leaf in leaves:
                name = f"{index.name}{leaf.removeprefix(index.table)}"
                _make(conn, index, name, leaf)
                if not _attached(conn, name):
                    conn.execute(f"ALTER INDEX {index.name} ATTACH PARTITION {name}".encode())


def _make(conn: psycopg.Connection[Any], index: Index, name: str, table: str) -> None:
    if _valid(conn, name) is False:
        _await_others(conn, table)
        if _valid(conn, name) is False:
            conn.execute(sql.SQL("DROP INDEX CONCURRENTLY {}").format(sql.Identifier(name)))
    if _valid(conn, name) is None:
        conn.execute(index.statement(name, table, concurrently=True))


def _await_others(conn: psycopg.Connection[Any], table: str) -> None:
    """Postgres may still be making it, behind a client that was killed: wait for whoever changes the table.

    Not by asking for their lock: they give it back a moment before what they made is seen. Raises LockNotAvailable.
    """
    seen: list[int] = []
    for _ in range(int(LOCK_TIMEOUT_S / _ASK_AGAIN_S) + 1):
        row = conn.execute(
            "SELECT coalesce(array_agg(DISTINCT pid) FILTER (WHERE relation = %(table)s::regclass "
            "AND mode = 'ShareUpdateExclusiveLock'), '{}'), "
            "coalesce(bool_or(pid = ANY (%(seen)s) AND locktype = 'virtualxid'), false) FROM pg_locks "
            "WHERE granted AND pid <> pg_backend_pid()",
            {"table": table, "seen": seen},
        ).fetchone()
        assert row is not None, "an aggregate without groups answers with a row"
        seen = [*seen, *row[0]]
        if not row[0] and not row[1]:
            return
        time.sleep(_ASK_AGAIN_S)
    raise psycopg.errors.LockNotAvailable(f"Somebody else has been making an index of {table} for long.")


def _valid(conn: psycopg.Connection[Any], name: str) -> bool | None:
    """Whether an index is whole; None where there is none of that name."""
    row = conn.execute(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", (f"cupola.{name}",)
    ).fetchone()
    return row[0] if row else None


def _attached(conn: psycopg.Connection[Any], name: str) -> bool:
    return conn.execute("SELECT FROM pg_inherits WHERE inhrelid = %s::regclass", (name,)).fetchone() is not None


def _leaves(conn: psycopg.Connection[Any], table: str) -> list[str] | None:
    """The partitions of a table; None where it is a plain one."""
    row = conn.execute(
        "SELECT CASE WHEN relkind = 'p' THEN ARRAY(SELECT inhrelid::regclass::text FROM pg_inherits "
        "WHERE inhparent = oid ORDER BY inhrelid) END FROM pg_class WHERE oid = %s::regclass",
        (table,),
    ).fetchone()
    assert row is not None, "regclass names a table or fails"
    leaves: list[str] | None = row[0]
    return leaves


@contextmanager
def _unhurried(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """A large table takes hours: a server's own limit of time is for statements that people wait for."""
    conn.execute("SET statement_timeout = 0")
    conn.execute(sql.SQL("SET lock_timeout = {}").format(sql.Literal(f"{round(LOCK_TIMEOUT_S * 1000)}ms")))
    try:
        yield
    finally:
        if not conn.broken:
            conn.execute("RESET statement_timeout")
            conn.execute("RESET lock_timeout")
