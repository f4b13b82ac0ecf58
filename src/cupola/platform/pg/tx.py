"""The one transaction helper. Nothing else in Cupola commits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from enum import Enum
from typing import TypeAlias
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from cupola.kernel.errors import Problem, unavailable
from cupola.platform.pg.long import LongTexts

log = logging.getLogger("cupola.database")


class Conn(psycopg.AsyncConnection[TupleRow]):
    """A connection that knows where long texts are kept (see `long`)."""

    long_texts: LongTexts | None = None


Pool: TypeAlias = AsyncConnectionPool[Conn]

# One round trip opens the transaction and puts it under the tenant, the worker and the person that row level security
# asks for. The values are UUIDs of ours, so they stand in the text safely; that lets it go as one simple query.
_BEGIN = (
    "BEGIN{isolation}; SELECT {role}set_config('app.tenant', '{tenant}', true), "
    "set_config('app.worker', '{worker}', true), set_config('app.person', '{person}', true){deadline}"
)
_WITHIN = ", set_config('statement_timeout', '{ms}', true)"
# Behind a pool that works by transaction a connection is another one each time: the role is taken each time, in the
# same round trip. The search path and the time zone are the login's own, set where it was made.
_AS_ROLE = "set_config('role', '{role}', true), "
SCHEMA = "cupola"
_WHOSE = "SELECT pg_backend_pid(), current_setting('search_path')"
# A page is found by its index in the order of its index, and what belongs to a row is looked up: whatever the planner
# believes of the tables (before they were analysed since they grew, everything it looks for is one row), it may not
# read one whole to sort it or to make a hash of it.
BY_INDEX = "; " + "; ".join(
    f"SET LOCAL enable_{way} = off" for way in ("sort", "seqscan", "bitmapscan", "hashjoin", "mergejoin")
)

# A transaction's number means something only inside one cluster, and the order of events is made of such numbers. In
# another cluster than before (a restore, a logical copy), or where an event has a number that this one has not given
# yet (a copy of a copy), the next epoch begins; whoever asks for connections sees to it before anything is written.
_EPOCH_OVER = (
    "SELECT e.epoch FROM event_epoch e, pg_control_system() c WHERE e.system <> c.system_identifier "
    "OR (SELECT xid FROM event WHERE epoch = e.epoch ORDER BY epoch DESC, xid DESC, seq DESC LIMIT 1) "
    ">= pg_snapshot_xmax(pg_current_snapshot())"
)
_EPOCH_BEGIN = "SELECT event_epoch_begin(%s)"
_EPOCH_TRIES, _EPOCH_PAUSE_S = 120, 0.5  # a backup of all events may be reading them for a minute


# Whose request only reads, a person's or a key's: row level security keeps from them what they are to judge blind. A
# request that changes something is made for the tenant, whose rows must be whole.
reading: ContextVar[UUID | None] = ContextVar("reading", default=None)

# How long a statement may take for whoever waits for an answer. A plan gone wrong would keep a connection for hours,
# and a page would go on loading; the slow work that nobody waits for has no such bound.
waited_for_s: ContextVar[float | None] = ContextVar("waited_for_s", default=None)


class Role(str, Enum):
    """As whom the server speaks to Postgres. None of them owns a table, is superuser or bypasses row level security."""

    APP = "cupola_app"  # one tenant's side: requesters, reviewers, keys
    GATEWAY = "cupola_gateway"  # contributors: own rows, and the verbs of work
    OPS = "cupola_ops"  # people, sessions, events; no payload of any tenant


class Database:
    """Pools of connections, one per role, and transactions on them."""

    def __init__(self, url: str, *, max_size: int = 10) -> None:
        """max_size: connections as APP and as GATEWAY each; OPS, which only looks things up, gets half."""
        self.url = url
        self.long_texts: LongTexts | None = None  # set by whoever has both: `Runtime`
        sizes = {Role.APP: max_size, Role.GATEWAY: max_size, Role.OPS: max(2, max_size // 2)}
        self.most_connections = sum(sizes.values())
        self._pools: dict[Role, Pool] = {role: self._pool(role, size) for role, size in sizes.items()}
        # Whether somebody between us and Postgres gives each transaction another connection. Nobody tells; but the
        # number that such a go-between gives a connection is not the one of the process that serves it.
        self.pooled = False
        self._path = SCHEMA

    def _pool(self, role: Role, max_size: int) -> Pool:
        async def configure(conn: Conn) -> None:
            row = await (await conn.execute(_WHOSE)).fetchone()
            assert row is not None
            pid, path = row
            if pid != conn.info.backend_pid:
                self.pooled = True
                self._path = path
                conn.prepare_threshold = None  # what is prepared on one connection is not there on the next
            else:
                # constants of this file
                await conn.execute(f"SET search_path = {SCHEMA}; SET timezone = 'UTC'; SET ROLE {role.value}".encode())
            if role is Role.OPS and self._path == SCHEMA:
                await self._see_to_epoch(conn)

        return AsyncConnectionPool(
            self.url,
            connection_class=Conn,
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
            },
        )

    async def _see_to_epoch(self, conn: Conn) -> None:
        """Begin the next epoch where that is due: between those who read events, to whom it gives way."""
        begin = _BEGIN.format(
            isolation="", role=self._as(Role.OPS), tenant="", worker="", person="", deadline=""
        ).encode()
        for left in reversed(range(_EPOCH_TRIES)):
            await conn.execute(begin)
            try:
                over = await (await conn.execute(_EPOCH_OVER)).fetchone()
                if over is not None:
                    await conn.execute(_EPOCH_BEGIN, over)
                await conn.execute("COMMIT")
                return
            except psycopg.errors.LockNotAvailable:
                await conn.execute("ROLLBACK")
                if not left:
                    raise
                await asyncio.sleep(_EPOCH_PAUSE_S)

    def _as(self, role: Role) -> str:
        return _AS_ROLE.format(role=role.value) if self.pooled else ""

    async def open(self) -> None:
        """Open the pools; refuses to start under a role that could read across tenants.

        Raises Problem("database-unreachable") when Postgres does not answer, RuntimeError for a role with such power
        and for one that a go-between cannot be used with.
        """
        for pool in self._pools.values():
            await pool.open()
        async with self.tx(Role.OPS) as conn:
            row = await (
                await conn.execute(
                    "SELECT session_user, rolsuper OR rolbypassrls, "
                    "current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int, "
                    "EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                    "WHERE n.nspname = 'cupola' AND pg_has_role(session_user, c.relowner, 'MEMBER')) "
                    "FROM pg_roles WHERE rolname = session_user"
                )
            ).fetchone()
        if self._path != SCHEMA:
            await self.close()
            raise RuntimeError(
                f"A pool stands between the server and Postgres, and its role's search path is {self._path!r}. Run "
                "`cupola migrate` once, with an administrator's URL past the pool, and let the pool connect anew."
            )
        if row is None or row[1] or row[3]:
            await self.close()
            who = row[0] if row else "?"
            raise RuntimeError(
                f"The server refuses to run as the database role {who!r}: it is superuser, bypasses row level security "
                "or owns tables, so tenants would not be separated. Connect as the role that `cupola migrate` created."
            )
        if row[2] < self.most_connections and not self.pooled:
            log.warning(
                "Postgres takes %d connections, this process alone may want %d. Raise max_connections to %d for each "
                "server and worker, and some for yourself.",
                row[2],
                self.most_connections,
                self.most_connections,
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
        by_index: bool = False,
    ) -> AsyncIterator[Conn]:
        """One transaction as `role`, seeing only `tenant`, `worker` and `person`.

        snapshot: every statement sees the same moment. by_index: statements read pages by an index, nothing else.
        Commits when the block ends, rolls back when it raises.
        Raises Problem("database-unreachable", UNAVAILABLE) when Postgres is away: nothing was acknowledged;
        Problem("busy", UNAVAILABLE) when a statement took longer than whoever waits may be kept (`waited_for_s`).
        """
        if role is Role.APP and person is None:
            person = reading.get()
        within_s = waited_for_s.get()
        with _told():
            async with self._connection(role) as conn:
                begin = _BEGIN.format(
                    isolation=" ISOLATION LEVEL REPEATABLE READ" if snapshot else "",
                    role=self._as(role),
                    tenant=tenant or "",
                    worker=worker or "",
                    person=person or "",
                    deadline=_WITHIN.format(ms=round(within_s * 1000)) if within_s else "",
                ) + (BY_INDEX if by_index else "")
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

        One round trip instead of three, for the verbs of work. They run as their owner, so the login itself may call
        them, which it does where no role outlives a statement.

        A statement by itself cannot be told its deadline in the same round trip, so the deadline is ours: what is not
        done by then is cancelled. Whether it was done all the same is for a repeat to find, which these verbs answer
        as they did the first time. Raises Problem("busy", UNAVAILABLE) then.
        """
        with _told():
            async with self._connection(role) as conn:
                deadline = asyncio.timeout(waited_for_s.get())
                try:
                    async with deadline:
                        yield conn
                except TimeoutError as error:
                    if not deadline.expired():
                        raise
                    raise unavailable("busy", "The database was too busy for this request.") from error

    @asynccontextmanager
    async def _connection(self, role: Role) -> AsyncIterator[Conn]:
        pool = self._pools[role]
        try:
            conn = await pool.getconn()
        except PoolTimeout as error:
            raise await self._why() from error
        conn.long_texts = self.long_texts
        try:
            yield conn
        finally:
            await pool.putconn(conn)

    async def _why(self) -> Problem:
        """A pool gave no connection in time: because all are at work, or because the database is away?"""
        try:
            async with await psycopg.AsyncConnection.connect(self.url, connect_timeout=2):
                return unavailable("busy", "All connections to the database are at work.")
        except psycopg.Error as cause:
            return trouble(cause) or unavailable("database-unreachable", "The database is not reachable at the moment.")

    def use(self) -> dict[str, dict[str, int]]:
        """For each role: how many connections there are, how many are free, how many requests wait for one."""
        told: dict[str, dict[str, int]] = {}
        for role, pool in self._pools.items():
            stats = pool.get_stats()
            told[role.name.lower()] = {
                "size": stats.get("pool_size", 0),
                "free": stats.get("pool_available", 0),
                "waiting": stats.get("requests_waiting", 0),
            }
        return told


def trouble(error: BaseException) -> Problem | None:
    """What a failure of the database means for whoever waits; None for one that is no fault of the machine's.

    A full disk, a server without connections left and a server that is away have different remedies.
    """
    if isinstance(error, psycopg.errors.DiskFull):
        return unavailable(
            "disk-full", "The disk of the database is full; the operator must make room.", retry_after_s=30
        )
    if isinstance(error, psycopg.errors.TooManyConnections):
        return unavailable(
            "database-connections", "The database has no connection left; the operator must raise max_connections."
        )
    if isinstance(error, psycopg.errors.QueryCanceled | psycopg.errors.DeadlockDetected):
        return unavailable("busy", "The database was too busy for this request.")
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return unavailable("database-unreachable", "The database is not reachable at the moment.")
    return None


def met_another(error: BaseException) -> bool:
    """Whether a transaction was rolled back because another one changed the same rows: run again, it may well pass."""
    cause = error.__cause__ if isinstance(error, Problem) else error
    return isinstance(
        cause,
        psycopg.errors.UniqueViolation | psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure,
    )


@contextmanager
def _told() -> Iterator[None]:
    """Turn the loss of the database into the problem that says so."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        if isinstance(error, psycopg.errors.InsufficientResources) and error.diag.sqlstate == "53000":
            raise  # raised by our own functions; the caller translates it
        told = trouble(error)
        assert told is not None
        raise told from error
