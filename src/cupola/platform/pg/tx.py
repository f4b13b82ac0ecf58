"""The one transaction helper. Nothing else in Cupola commits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from enum import Enum
from typing import TypeAlias
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from cupola.kernel.errors import unavailable

Conn: TypeAlias = psycopg.AsyncConnection[TupleRow]
Pool: TypeAlias = AsyncConnectionPool[Conn]

# One round trip opens the transaction and puts it under the tenant, the worker and the person that row level security
# asks for. The values are UUIDs of ours, so they stand in the text safely; that lets it go as one simple query.
_BEGIN = (
    "BEGIN{isolation}; SELECT set_config('app.tenant', '{tenant}', true), set_config('app.worker', '{worker}', true), "
    "set_config('app.person', '{person}', true)"
)


class Role(str, Enum):
    """As whom the server speaks to Postgres. None of them owns a table, is superuser or bypasses row level security."""

    APP = "cupola_app"  # one tenant's side: requesters, reviewers, keys
    GATEWAY = "cupola_gateway"  # contributors: own rows, and the verbs of work
    OPS = "cupola_ops"  # people, sessions, events; no payload of any tenant


class Database:
    """Pools of connections, one per role, and transactions on them."""

    def __init__(self, url: str, *, max_size: int = 10) -> None:
        self.url = url
        self._pools: dict[Role, Pool] = {role: self._pool(role, max_size) for role in Role}

    def _pool(self, role: Role, max_size: int) -> Pool:
        async def configure(conn: Conn) -> None:
            await conn.execute(f"SET ROLE {role.value}".encode())  # a constant of the enum above

        return AsyncConnectionPool(
            self.url,
            min_size=0,
            max_size=max_size,
            open=False,
            timeout=10,
            max_idle=300,
            reconnect_timeout=5,
            configure=configure,
            kwargs={
                "autocommit": True,
                "application_name": f"cupola {role.name.lower()}",
                "options": "-c search_path=cupola -c timezone=UTC",
            },
        )

    async def open(self) -> None:
        """Open the pools; refuses to start under a role that could read across tenants.

        Raises Problem("database-unreachable") when Postgres does not answer, RuntimeError for a role with such power.
        """
        for pool in self._pools.values():
            await pool.open()
        async with self.tx(Role.OPS) as conn:
            row = await (
                await conn.execute(
                    "SELECT session_user, rolsuper OR rolbypassrls, "
                    "EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                    "WHERE n.nspname = 'cupola' AND pg_has_role(session_user, c.relowner, 'MEMBER')) "
                    "FROM pg_roles WHERE rolname = session_user"
                )
            ).fetchone()
        if row is None or row[1] or row[2]:
            await self.close()
            who = row[0] if row else "?"
            raise RuntimeError(
                f"The server refuses to run as the database role {who!r}: it is superuser, bypasses row level security "
                "or owns tables, so tenants would not be separated. Connect as the role that `cupola migrate` created."
            )

    async def close(self) -> None:
        for pool in self._pools.values():
            await pool.close(timeout=2)

    @asynccontextmanager
    async def tx(
        self,
        role: Role,
        *,
        tenant: UUID | None = None,
        worker: UUID | None = None,
        person: UUID | None = None,
        snapshot: bool = False,
    ) -> AsyncIterator[Conn]:
        """One transaction as `role`, seeing only `tenant`, `worker` and `person`.

        snapshot: every statement sees the same moment. Commits when the block ends, rolls back when it raises.
        Raises Problem("database-unreachable", UNAVAILABLE) when Postgres is away: nothing was acknowledged.
        """
        begin = _BEGIN.format(
            isolation=" ISOLATION LEVEL REPEATABLE READ" if snapshot else "",
            tenant=tenant or "",
            worker=worker or "",
            person=person or "",
        )
        with _told():
            async with self._pools[role].connection() as conn:
                await conn.execute(begin.encode())
                try:
                    yield conn
                    if conn.info.transaction_status is TransactionStatus.INERROR:
                        raise AssertionError("an error of the database was swallowed; committing would lose the work")
                except BaseException:
                    with suppress(psycopg.Error):  # a broken connection has rolled back by itself
                        await conn.execute("ROLLBACK")
                    raise
                await conn.execute("COMMIT")

    @asynccontextmanager
    async def verb(self, role: Role) -> AsyncIterator[Conn]:
        """A connection for one call of a function that scopes itself: the statement is the transaction.

        One round trip instead of three, for the verbs of work.
        """
        with _told():
            async with self._pools[role].connection() as conn:
                yield conn

    @asynccontextmanager
    async def session(self, role: Role) -> AsyncIterator[Conn]:
        """A connection of its own, for what outlives one transaction: advisory locks and the job queue."""
        async with self._pools[role].connection() as conn:
            yield conn


@contextmanager
def _told() -> Iterator[None]:
    """Turn the loss of the database into the problem that says so."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
        if isinstance(error, psycopg.errors.QueryCanceled | psycopg.errors.DeadlockDetected):
            raise unavailable("busy", "The database was too busy for this request.") from error
        if isinstance(error, psycopg.errors.InsufficientResources) and error.diag.sqlstate == "53000":
            raise  # raised by our own functions; the caller translates it
        raise unavailable("database-unreachable", "The database is not reachable at the moment.") from error
