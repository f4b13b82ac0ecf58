"""The way out for messages that were written down first: tried when they are due, noted, tried again, pruned.

Whoever has messages (webhooks, callbacks of orders) keeps its own table, headers and schedule, and says here how to
look them up. A message is delivered at least once: a crash between the receiver's answer and its record sends it again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol, TypeVar
from uuid import UUID

from cupola.kernel import clock, dice, limits
from cupola.kernel.errors import Problem
from cupola.platform.net import Fetcher, Guard
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime

State = Literal["waiting", "delivered", "failed"]
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 9_500.0  # doubling from 5 s to this, 19 pauses make 24 h
JITTER = 0.2  # either way, so that what failed together does not come back together
CLAIM_S = 60.0  # longer than any one try: then another process may take it up
AT_ONCE = 16  # tries under way in one process
EACH = 50  # messages of one tenant in one pass
PASS_S = 5.0  # after which a pass begins no more tries
MAX_ERROR_CHARS = 300
KEPT = timedelta(days=30)  # how long a log tells of what was delivered or given up
C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Due:
    """A message that is due, as the role OPS sees it: when and for whom, not what."""

    tenant: UUID
    id: UUID


@dataclass(frozen=True, slots=True)
class TenantOf:
    """A tenant with messages older than they are kept."""

    tenant: UUID


@dataclass(frozen=True, slots=True)
class Attempt:
    """How a try went. status: of the answer, if there was one; next_at: when it is tried again."""

    state: State
    status: int | None
    error: str | None
    next_at: datetime | None
    delivered_at: datetime | None


class Outbox(Protocol[C]):
    """Where some kind of message is kept. `C` is a message that one process has taken for a try."""

    async def due(self, conn: Conn, now: datetime, each: int, limit: int) -> list[Due]:
        """What is due (role OPS): so many of each tenant, so that nobody's flood holds up the others."""
        ...

    async def claim(self, conn: Conn, due: Due, now: datetime, until: datetime) -> C | None:
        """Take a message for one try, until then; None where another process has it."""
        ...

    async def send(self, run: Runtime, fetcher: Fetcher, tenant: UUID, message: C) -> tuple[int | None, str | None]:
        """One try: (status of the answer, what went wrong)."""
        ...

    def again(self, message: C, unit: float) -> timedelta | None:
        """How long to wait after a failed try; None: it is given up. unit: chance in [0, 1)."""
        ...

    async def note(self, conn: Conn, tenant: UUID, message: C, attempt: Attempt) -> None:
        """Write down how a try went."""
        ...

    async def outdated(self, conn: Conn, before: datetime) -> list[UUID]:
        """Tenants with messages that are done and older than that (role OPS)."""
        ...

    async def forget(self, conn: Conn, tenant: UUID, before: datetime) -> int:
        """Delete what is done and older than that."""
        ...


def pause(tries: int, unit: float) -> timedelta | None:
    """How long to wait after so many failed tries, or None when there is none left.

    tries: >= 1. unit: chance in [0, 1).
    """
    if tries >= limits.WEBHOOK_TRIES:
        return None
    plain_s = min(FIRST_PAUSE_S * 2.0 ** (tries - 1), LONGEST_PAUSE_S)
    return timedelta(seconds=plain_s * (1 - JITTER + 2 * JITTER * unit))


async def deliver_due(run: Runtime, outbox: Outbox[C]) -> int:
    """Try what is due; returns how many tries were made. Any number of processes may do this at a time.

    A pass begins tries for PASS_S at most; what it did not come to stays due.
    Raises Problem (UNAVAILABLE) when the database is away.
    """
    async with run.db.tx(Role.OPS) as conn:
        due = deque(await outbox.due(conn, clock.now(), EACH, 1_000))
    if not due:
        return 0
    end_s = clock.monotonic_s() + PASS_S
    tried = 0

    async def some(fetcher: Fetcher) -> None:
        nonlocal tried
        while due and clock.monotonic_s() < end_s:
            made = await _try(run, fetcher, outbox, due.popleft())  # not `tried += await`: that reads before it waits
            tried += made

    async with Fetcher(Guard.of(run.settings.allowed_hosts), timeout_s=limits.WEBHOOK_TIMEOUT_S) as fetcher:
        hands = [some(fetcher) for _ in range(min(AT_ONCE, len(due)))]
        outcomes = await asyncio.gather(*hands, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return tried


async def _try(run: Runtime, fetcher: Fetcher, outbox: Outbox[C], due: Due) -> bool:
    now = clock.now()
    async with run.db.tx(Role.APP, tenant=due.tenant) as conn:
        message = await outbox.claim(conn, due, now, now + timedelta(seconds=CLAIM_S))
    if message is None:
        return False  # another process has it
    status, error = await outbox.send(run, fetcher, due.tenant, message)
    done = clock.now()
    wait = None if error is None else outbox.again(message, dice.unit())
    state: State = "delivered" if error is None else "waiting" if wait is not None else "failed"
    attempt = Attempt(
        state,
        status,
        None if error is None else error[:MAX_ERROR_CHARS],
        None if wait is None else done + wait,
        done if state == "delivered" else None,
    )
    async with run.db.tx(Role.APP, tenant=due.tenant) as conn:
        await outbox.note(conn, due.tenant, message, attempt)
    return True


async def post(fetcher: Fetcher, url: str, body: bytes, headers: dict[str, str]) -> tuple[int | None, str | None]:
    """One POST of JSON: (status of the answer, what went wrong). Any 2xx is success."""
    try:
        # The answer's body is not read: only its status counts.
        async with fetcher.stream(
            url,
            max_bytes=1 << 40,
            method="POST",
            headers={"Content-Type": "application/json", **headers},
            content=body,
        ) as (response, _):
            status = response.status_code
    except Problem as problem:
        return None, problem.detail
    return status, None if 200 <= status < 300 else f"The receiver answered {status}."


async def prune(run: Runtime, outbox: Outbox[C]) -> int:
    """Take what was delivered or given up more than KEPT ago out of the log; returns how many messages."""
    before = clock.now() - KEPT
    async with run.db.tx(Role.OPS) as conn:
        tenants = await outbox.outdated(conn, before)
    gone = 0
    for tenant in tenants:
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            gone += await outbox.forget(conn, tenant, before)
    return gone


__all__ = ["Attempt", "Due", "Outbox", "State", "TenantOf", "deliver_due", "pause", "post", "prune"]
