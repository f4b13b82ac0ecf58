"""The way out for messages that were written down first: tried when they are due, noted, tried again.

Whoever has messages (webhooks, callbacks of orders) keeps its own table, headers and schedule, and says here how to
look them up. A message is delivered at least once: a crash between the receiver's answer and its record sends it again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, Protocol, TypeVar
from uuid import UUID

from cupola.kernel import clock, dice, limits
from cupola.kernel.errors import Problem
from cupola.platform.dispatch.turns import Turns
from cupola.platform.net import Fetcher, Guard
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime

log = logging.getLogger("cupola.outbox")

State = Literal["waiting", "delivered", "failed"]
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 9_500.0  # doubling from 5 s to this, 19 pauses make 24 h
JITTER = 0.2  # either way, so that what failed together does not come back together
CLAIM_S = 60.0  # longer than any one turn: then another process may take it up
HANDS = 64  # receivers that one process speaks to at a time
HANDS_OF_ONE = 16  # of these, for one tenant
AT_ONCE = 8  # messages on their way to one receiver
EACH = 64  # messages of one receiver in a turn, while it answers
LOOK_S = 0.5
AWAY_S = 2.0
FIRST_REST_S, LONGEST_REST_S = 5.0, 60.0  # of a receiver that does not answer at all, beside its messages' own pauses
MAX_ERROR_CHARS = 300
READ_OF_ANSWER_BYTES, READ_ANSWER_S = 64 * 1024, 1.0
C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Lane:
    """A receiver for which messages are due, as the role OPS sees it: for whom, not what."""

    tenant: UUID
    lane: UUID


@dataclass(frozen=True, slots=True)
class Wrong:
    """What went wrong: a code that a browser has words for, and the sentence."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """How a try went. status: of the answer, if there was one; next_at: when it is tried again."""

    state: State
    status: int | None
    error: Wrong | None
    next_at: datetime | None
    delivered_at: datetime | None
    untried: bool = False  # taken, but not sent: it counts as no try


class Outbox(Protocol[C]):
    """Where some kind of message is kept. `C` is a message that one process has taken for a try."""

    async def lanes(self, conn: Conn, now: datetime) -> list[Lane]:
        """Every receiver with something due (role OPS), however much others have."""
        ...

    async def claim(self, conn: Conn, lane: Lane, now: datetime, until: datetime, limit: int) -> list[C]:
        """Take what is due for a receiver for one try each, until then; without what another process has."""
        ...

    async def send(self, run: Runtime, fetcher: Fetcher, tenant: UUID, message: C) -> tuple[int | None, Wrong | None]:
        """One try: (status of the answer, what went wrong)."""
        ...

    def again(self, message: C, unit: float) -> timedelta | None:
        """How long to wait after a failed try; None: it is given up. unit: chance in [0, 1)."""
        ...

    async def note(self, conn: Conn, tenant: UUID, tried: Sequence[tuple[C, Attempt]]) -> None:
        """Write down how tries went."""
        ...


def pause(tries: int, unit: float) -> timedelta | None:
    """How long to wait after so many failed tries, or None when there is none left.

    tries: >= 1. unit: chance in [0, 1).
    """
    if tries >= limits.WEBHOOK_TRIES:
        return None
    plain_s = min(FIRST_PAUSE_S * 2.0 ** (tries - 1), LONGEST_PAUSE_S)
    return timedelta(seconds=plain_s * (1 - JITTER + 2 * JITTER * unit))


class Courier(Generic[C]):
    """Takes messages to their receivers: `run` until told to stop, or `once`. Any number of processes may do this.

    A receiver has one turn at a time, in which up to AT_ONCE messages are on their way; turns go round among tenants
    and among a tenant's receivers. So one that hangs holds up nobody but itself, and rests before its next turn.
    """

    def __init__(self, run: Runtime, outbox: Outbox[C]) -> None:
        self._run = run
        self._outbox = outbox
        self._turns: Turns[UUID, UUID] = Turns(HANDS_OF_ONE)
        self._resting: dict[UUID, tuple[int, float]] = {}  # times in a row without an answer; until when
        self._some = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop`; survives the loss of the database."""
        async with self._fetcher() as fetcher:
            hands = [asyncio.create_task(self._hand(fetcher, stop)) for _ in range(HANDS)]
            away = False
            while not stop.is_set():
                pause_s = LOOK_S
                try:
                    await self._look()
                    away = False
                except Problem as problem:
                    if not away:
                        log.warning("messages wait: %s", problem.detail)
                    away, pause_s = True, AWAY_S
                except Exception:
                    log.exception("looking for messages failed; trying again")
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), pause_s)
            self._some.set()
            _, late = await asyncio.wait(hands, timeout=5)
            for hand in late:  # what was under way is tried again when its claim has run out
                hand.cancel()
            await asyncio.gather(*hands, return_exceptions=True)

    async def once(self) -> int:
        """One turn for every receiver with something due; returns how many tries were made.

        Raises Problem (UNAVAILABLE) when the database is away.
        """
        await self._look()
        tried = 0

        async def some(fetcher: Fetcher) -> None:
            nonlocal tried
            while (turn := self._turns.take()) is not None:
                try:
                    made = await self._turn(fetcher, Lane(*turn))  # not `tried += await`: that reads before it waits
                    tried += made
                finally:
                    self._turns.done(*turn)

        async with self._fetcher() as fetcher:
            outcomes = await asyncio.gather(*(some(fetcher) for _ in range(HANDS)), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return tried

    def _fetcher(self) -> Fetcher:
        return Fetcher(Guard.of(self._run.settings.allowed_hosts), timeout_s=limits.WEBHOOK_TIMEOUT_S)

    async def _look(self) -> None:
        async with self._run.db.tx(Role.OPS) as conn:
            lanes = await self._outbox.lanes(conn, clock.now())
        now_s = clock.monotonic_s()
        for one in lanes:
            if self._resting.get(one.lane, (0, 0.0))[1] <= now_s:
                self._turns.add(one.tenant, one.lane)
        self._some.set()

    async def _hand(self, fetcher: Fetcher, stop: asyncio.Event) -> None:
        while not stop.is_set():
            turn = self._turns.take()
            if turn is None:
                self._some.clear()
                await self._some.wait()
                continue
            try:
                made = await self._turn(fetcher, Lane(*turn))
                more = made == EACH
            except Problem as problem:
                log.warning("messages of tenant %s wait: %s", turn[0], problem.detail)
                more = False
            except Exception:
                log.exception("a turn of messages failed; they are tried again")
                more = False
            self._turns.done(*turn)
            if more:
                self._turns.add(*turn)
            self._some.set()

    async def _turn(self, fetcher: Fetcher, lane: Lane) -> int:
        """Try what is due for one receiver; returns how many tries were made."""
        silent = self._resting.get(lane.lane, (0, 0.0))[0]
        now = clock.now()
        async with self._run.db.tx(Role.APP, tenant=lane.tenant) as conn:
            limit = AT_ONCE if silent else EACH
            taken = deque(await self._outbox.claim(conn, lane, now, now + timedelta(seconds=CLAIM_S), limit))
        made = len(taken)
        tried: list[tuple[C, Attempt]] = []

        async def some() -> None:
            while taken:
                message = taken.popleft()
                tried.append((message, await self._try(fetcher, lane.tenant, message)))
                if tried[-1][1].status is None and tried[-1][1].error is not None:
                    left.extend(taken)  # it does not answer: what it was not asked yet waits for its next turn
                    taken.clear()

        left: list[C] = []
        await asyncio.gather(*(some() for _ in range(min(AT_ONCE, made))))
        again = clock.now() + timedelta(seconds=FIRST_PAUSE_S)
        late = Attempt(
            "waiting",
            None,
            Wrong("receiver-rests", "Others to the same receiver had no answer."),
            again,
            None,
            untried=True,
        )
        tried += [(one, late) for one in left]
        if tried:
            async with self._run.db.tx(Role.APP, tenant=lane.tenant) as conn:
                await self._outbox.note(conn, lane.tenant, tried)
        if tried and all(attempt.error is not None and attempt.status is None for _, attempt in tried):
            rest_s = min(FIRST_REST_S * 2.0**silent, LONGEST_REST_S)
            self._resting[lane.lane] = (silent + 1, clock.monotonic_s() + rest_s)
        else:
            self._resting.pop(lane.lane, None)
        return made

    async def _try(self, fetcher: Fetcher, tenant: UUID, message: C) -> Attempt:
        status, error = await self._outbox.send(self._run, fetcher, tenant, message)
        done = clock.now()
        wait = None if error is None else self._outbox.again(message, dice.unit())
        state: State = "delivered" if error is None else "waiting" if wait is not None else "failed"
        return Attempt(
            state,
            status,
            error,
            None if wait is None else done + wait,
            done if state == "delivered" else None,
        )


async def deliver_due(run: Runtime, outbox: Outbox[C]) -> int:
    """One turn for every receiver with something due; returns how many tries were made."""
    return await Courier(run, outbox).once()


def columns(attempts: Sequence[Attempt]) -> dict[str, list[Any]]:
    """Attempts as arrays for one statement."""
    return {
        "states": [one.state for one in attempts],
        "statuses": [one.status for one in attempts],
        "errors": [None if one.error is None else one.error.detail[:MAX_ERROR_CHARS] for one in attempts],
        "codes": [None if one.error is None else one.error.code for one in attempts],
        "next_ats": [one.next_at for one in attempts],
        "delivered_ats": [one.delivered_at for one in attempts],
        "untried": [int(one.untried) for one in attempts],
    }


async def post(fetcher: Fetcher, url: str, body: bytes, headers: dict[str, str]) -> tuple[int | None, Wrong | None]:
    """One POST of JSON: (status of the answer, what went wrong). Any 2xx is success."""
    status: int | None = None
    try:
        async with fetcher.stream(
            url,
            max_bytes=1 << 40,
            method="POST",
            headers={"Content-Type": "application/json", **headers},
            content=body,
        ) as (response, answer):
            status = response.status_code
            await _drain(answer)
    except Problem as problem:
        if status is None:
            return None, Wrong(problem.code, problem.detail)
    if status is not None and 200 <= status < 300:
        return status, None
    return status, Wrong("receiver-refused", f"The receiver answered {status}.")


async def _drain(answer: AsyncIterator[bytes]) -> None:
    """Only the status counts; but a connection whose answer was read to its end carries the next message."""
    left = READ_OF_ANSWER_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(READ_ANSWER_S):
            async for part in answer:
                left -= len(part)
                if left < 0:
                    return
