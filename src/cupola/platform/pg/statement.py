"""SQL as constants that know the shape of their rows.

A `store.py` holds nothing but these and thin functions; tests prepare each one on a fresh database and compare its
columns with the fields of its row.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, LiteralString, TypeVar

from psycopg.rows import class_row

from cupola.platform.pg.tx import Conn

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Statement(Generic[R]):
    """A statement that returns rows of dataclass `row`; parameters are written %(name)s."""

    row: type[R]
    sql: LiteralString

    async def all(self, conn: Conn, **params: Any) -> list[R]:
        async with conn.cursor(row_factory=class_row(self.row)) as cursor:
            await cursor.execute(self.sql, params)
            return await cursor.fetchall()

    async def maybe(self, conn: Conn, **params: Any) -> R | None:
        async with conn.cursor(row_factory=class_row(self.row)) as cursor:
            await cursor.execute(self.sql, params)
            return await cursor.fetchone()

    async def one(self, conn: Conn, **params: Any) -> R:
        row = await self.maybe(conn, **params)
        assert row is not None, "a statement that always returns a row returned none"
        return row

    async def stream(self, conn: Conn, *, batch: int = 2_000, **params: Any) -> AsyncIterator[list[R]]:
        """Batches of rows through a server-side cursor: the memory does not grow with the result."""
        async with conn.cursor(name="stream", row_factory=class_row(self.row)) as cursor:
            cursor.itersize = batch
            await cursor.execute(self.sql, params)
            while rows := await cursor.fetchmany(batch):
                yield rows


@dataclass(frozen=True, slots=True)
class Command:
    """A statement without rows; `run` returns how many rows it touched."""

    sql: LiteralString

    async def run(self, conn: Conn, **params: Any) -> int:
        return (await conn.execute(self.sql, params)).rowcount

    async def many(self, conn: Conn, rows: Sequence[dict[str, Any]]) -> None:
        async with conn.cursor() as cursor:
            await cursor.executemany(self.sql, rows)


@dataclass(frozen=True, slots=True)
class Scalar(Generic[R]):
    """A statement that returns one value, or nothing."""

    type: type[R]
    sql: LiteralString

    async def maybe(self, conn: Conn, **params: Any) -> R | None:
        row = await (await conn.execute(self.sql, params)).fetchone()
        return None if row is None else row[0]

    async def one(self, conn: Conn, **params: Any) -> R:
        value = await self.maybe(conn, **params)
        assert value is not None, "a statement that always returns a value returned none"
        return value
