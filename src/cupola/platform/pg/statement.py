"""SQL as constants that know the shape of their rows.

A `store.py` holds nothing but these and thin functions; tests prepare each one on a fresh database and compare its
columns with the fields of its row. States are written as words, `{task.settled}` (kernel.states). Texts that are too
long for a row are put and read here (see `long`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, LiteralString, TypeVar
from uuid import UUID

from psycopg.rows import class_row

from cupola.kernel import states
from cupola.platform.pg.long import LongTexts, batches, kept, long_fields, whole
from cupola.platform.pg.tx import Conn, Database, Role

PAGE = 2_000  # rows that `pages` reads at once

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Statement(Generic[R]):
    """A statement that returns rows of dataclass `row`; parameters are written %(name)s.

    keeps: those of them that may be too long for a row.
    """

    row: type[R]
    sql: LiteralString
    keeps: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sql", states.filled(self.sql))

    async def all(self, conn: Conn, **params: Any) -> list[R]:
        told = await _kept(conn, self.keeps, params)
        async with conn.cursor(row_factory=class_row(self.row)) as cursor:
            await cursor.execute(self.sql, told)
            return await self._whole(conn.long_texts, params.get("tenant"), await cursor.fetchall())

    async def maybe(self, conn: Conn, **params: Any) -> R | None:
        told = await _kept(conn, self.keeps, params)
        async with conn.cursor(row_factory=class_row(self.row)) as cursor:
            await cursor.execute(self.sql, told)
            row = await cursor.fetchone()
        return None if row is None else (await self._whole(conn.long_texts, params.get("tenant"), [row]))[0]

    async def one(self, conn: Conn, **params: Any) -> R:
        row = await self.maybe(conn, **params)
        assert row is not None, "a statement that always returns a row returned none"
        return row

    async def _whole(self, store: LongTexts | None, tenant: UUID | None, rows: list[R]) -> list[R]:
        names = long_fields(self.row)
        return await whole(store, tenant, rows, names) if names else rows


@dataclass(frozen=True, slots=True)
class Pages(Statement[R]):
    """A statement that is read to its end page by page, at constant memory, while nobody's connection is held."""

    async def pages(
        self, db: Database, role: Role, tenant: UUID, place: Callable[[R], dict[str, Any]], **params: Any
    ) -> AsyncIterator[list[R]]:
        """Batches of rows, each read in a short transaction of its own: what a client is sent as fast as it reads.

        No connection is held while it reads. The statement orders by what `place` gives of its last row, takes it as
        parameters and a `limit`; `params` say where to begin. Rows that come or go meanwhile are met or not. Long texts
        are read when the connection is back, and a page comes in parts where it has many of them.
        """
        after: dict[str, Any] = {}
        while True:
            async with db.tx(role, tenant=tenant, by_index=True) as conn:
                rows = await self._page(conn, {**params, **after, "tenant": tenant, "limit": PAGE})
            async for part in self._parts(db.long_texts, tenant, rows):
                yield part
            if len(rows) < PAGE:
                return
            after = place(rows[-1])

    async def within(
        self, conn: Conn, tenant: UUID, place: Callable[[R], dict[str, Any]], **params: Any
    ) -> AsyncIterator[list[R]]:
        """The same in the caller's transaction, which sees to it that there is not much to read."""
        after: dict[str, Any] = {}
        while True:
            rows = await self._page(conn, {**params, **after, "tenant": tenant, "limit": PAGE})
            async for part in self._parts(conn.long_texts, tenant, rows):
                yield part
            if len(rows) < PAGE:
                return
            after = place(rows[-1])

    async def spans(
        self, db: Database, role: Role, tenant: UUID, count: int, *, each: int, **params: Any
    ) -> AsyncIterator[list[R]]:
        """The rows that belong to the numbers 0 … count - 1, those of `each` numbers at once, as `pages` reads them.

        For what has any number of rows a number, so that how many came says nothing of whether more will. The
        statement takes `since` and `until` (the numbers, half open) and `limit`.
        """
        for since in range(0, count, each):
            span = {"since": since, "until": min(count, since + each), "limit": each}
            async with db.tx(role, tenant=tenant, by_index=True) as conn:
                rows = await self._page(conn, {**params, **span, "tenant": tenant})
            async for part in self._parts(db.long_texts, tenant, rows):
                yield part

    async def _parts(self, store: LongTexts | None, tenant: UUID, rows: list[R]) -> AsyncIterator[list[R]]:
        for part in batches(rows, long_fields(self.row)):
            if part:
                yield await self._whole(store, tenant, part)

    async def _page(self, conn: Conn, params: dict[str, Any]) -> list[R]:
        """Planned each time: a plan kept from when the tables were small would read them whole for each page."""
        assert None not in params.values(), "nothing is greater than NULL: the page would be empty"
        async with conn.cursor(row_factory=class_row(self.row)) as cursor:
            await cursor.execute(self.sql, params, prepare=False)
            return await cursor.fetchall()


@dataclass(frozen=True, slots=True)
class Command:
    """A statement without rows; `run` returns how many rows it touched.

    keeps: parameters that may be too long for a row.
    """

    sql: LiteralString
    keeps: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sql", states.filled(self.sql))

    async def run(self, conn: Conn, **params: Any) -> int:
        return (await conn.execute(self.sql, await _kept(conn, self.keeps, params))).rowcount

    async def many(self, conn: Conn, rows: Sequence[dict[str, Any]]) -> None:
        assert not self.keeps, "long texts are put by `run`"
        async with conn.cursor() as cursor:
            await cursor.executemany(self.sql, rows)


@dataclass(frozen=True, slots=True)
class Scalar(Generic[R]):
    """A statement that returns one value, or nothing."""

    type: type[R]
    sql: LiteralString
    keeps: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sql", states.filled(self.sql))

    async def maybe(self, conn: Conn, **params: Any) -> R | None:
        row = await (await conn.execute(self.sql, await _kept(conn, self.keeps, params))).fetchone()
        return None if row is None else row[0]

    async def one(self, conn: Conn, **params: Any) -> R:
        value = await self.maybe(conn, **params)
        assert value is not None, "a statement that always returns a value returned none"
        return value


async def _kept(conn: Conn, keeps: tuple[str, ...], params: Mapping[str, Any]) -> Mapping[str, Any]:
    return await kept(conn.long_texts, params["tenant"], params, keeps) if keeps else params
