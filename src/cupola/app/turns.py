"""Turns: who is served next when more is asked than can be worked on at once.

Requests wait in groups: one of each tenant's keys, one of each signed-in person, one of all contributors together.
Next is the group that has cost the server least (start-time fair queueing: Goyal, Vin and Cheng 1996), and within one
its members take turns, so that a flood from one side makes its own senders wait and nobody else. What a request costs
is known when it was answered: the time that it kept the event loop, which nobody else can use meanwhile, and its part
of the hands for as long as it held one. A turn ends with the first byte of the answer: whoever is sent a stream holds
none, and what sending it costs is put to their account all the same.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cupola.identity import credentials
from cupola.kernel import clock, limits
from cupola.kernel.errors import Problem, unavailable
from cupola.platform.pg import tx
from cupola.platform.telemetry import metrics

Place = tuple[str, str]  # group, member
ACTIVE_S = 1.0  # whoever asked so lately counts among those who share the hands
CREDIT_S = 0.05  # how far somebody who was silent may come before those who were not
NEWEST = 0.1  # how much the newest request changes what one of its group is expected to cost
FIRST_S = 0.005  # what the first request of a group is expected to cost


@dataclass(slots=True)
class _Group:
    """held: turns it has; spent_s: what it has cost; usual_s: what its requests cost; asked_s: when it last asked."""

    spent_s: float
    usual_s: float = FIRST_S
    held: int = 0
    asked_s: float = 0.0
    lines: dict[str, deque[asyncio.Future[float]]] = field(default_factory=dict)


class Turns:
    """At most `at_once` hold a turn; belongs to one event loop.

    One group alone has three quarters of them; several that ask at the same time share, and a quarter is the least of a
    share: so whoever asks for what takes long leaves hands to the others, and what they ask for meets few on the loop.
    """

    def __init__(
        self,
        at_once: int = limits.MAX_REQUESTS_AT_ONCE,
        waiting: int = limits.MAX_REQUESTS_WAITING,
        now_s: Callable[[], float] = clock.monotonic_s,
    ) -> None:
        self.at_once = at_once
        self._free = at_once
        self._most = waiting
        self._now_s = now_s
        self.waiting = 0
        self._reached_s = 0.0  # what the group that was served last had cost by then
        self._groups: dict[str, _Group] = {}  # by when they last asked

    async def take(self, place: Place) -> float:
        """Wait for a turn; returns what it is expected to cost, for `end`.

        Raises Problem (UNAVAILABLE) when too many wait already.
        """
        name, member = place
        group = self._asks(name)
        if self._free > 0 and not group.lines and group.held < self._share():
            return self._begin(group)
        if self.waiting >= self._most:
            raise unavailable("busy", "Too much is asked of this server at the moment.")
        turn: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        group.lines.setdefault(member, deque()).append(turn)
        self._count(1)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.end(place, turn.result(), 0.0)  # it had been given just before
            raise

    def end(self, place: Place, expected_s: float, cost_s: float) -> None:
        """Give a turn back; the next in line gets it. cost_s: what it has cost in truth."""
        group = self._groups[place[0]]
        self._free += 1
        group.held -= 1
        group.spent_s += cost_s - expected_s
        group.usual_s += NEWEST * (cost_s - group.usual_s)
        self._forget()
        while self._free > 0 and (found := self._next()) is not None:
            chosen, turn = found
            if not turn.done():
                turn.set_result(self._begin(chosen))

    def charge(self, place: Place, cost_s: float) -> None:
        """Put to a group's account what it cost after its turn."""
        if (group := self._groups.get(place[0])) is not None:
            group.spent_s += cost_s

    def _asks(self, name: str) -> _Group:
        group = self._groups.pop(name, None)
        if group is None:
            group = _Group(self._reached_s - CREDIT_S)
        elif not group.held and not group.lines:
            group.spent_s = max(group.spent_s, self._reached_s - CREDIT_S)
        group.asked_s = self._now_s()
        self._groups[name] = group
        return group

    def _share(self) -> int:
        """How many turns one group may hold at present."""
        self._forget()
        alone = max(1, self.at_once * 3 // 4)
        return min(alone, max(1, self.at_once // 4, -(-self.at_once // len(self._groups))))

    def _forget(self) -> None:
        """Whoever has been silent for a while shares nothing, and what they cost is past."""
        before_s = self._now_s() - ACTIVE_S
        silent = [
            name
            for name, group in itertools.takewhile(lambda one: one[1].asked_s <= before_s, self._groups.items())
            if not group.held and not group.lines
        ]
        for name in silent:
            del self._groups[name]

    def _begin(self, group: _Group) -> float:
        self._free -= 1
        group.held += 1
        self._reached_s = max(self._reached_s, group.spent_s)
        group.spent_s += group.usual_s
        return group.usual_s

    def _next(self) -> tuple[_Group, asyncio.Future[float]] | None:
        share = self._share() if self._groups else 0
        ready = [one for one in self._groups.values() if one.lines and one.held < share]
        if not ready:
            return None
        group = min(ready, key=lambda one: one.spent_s)
        member = next(iter(group.lines))
        line = group.lines.pop(member)
        turn = line.popleft()
        self._count(-1)
        if line:
            group.lines[member] = line  # behind the others of the group
        return group, turn

    def _count(self, change: int) -> None:
        self.waiting += change
        metrics.REQUESTS_WAITING.set(self.waiting)


class Metered:
    """Awaits a coroutine and notes how long it kept the event loop: `loop_s`, waiting not counted."""

    def __init__(self, work: Coroutine[Any, Any, None]) -> None:
        self._work = work
        self.loop_s = 0.0

    def __await__(self) -> Generator[Any, None, None]:
        thrown: BaseException | None = None
        while True:
            began_s = clock.monotonic_s()
            try:
                waits_for = self._work.send(None) if thrown is None else self._work.throw(thrown)
            except StopIteration:
                return
            finally:
                self.loop_s += clock.monotonic_s() - began_s
            try:
                yield waits_for
                thrown = None
            except BaseException as error:
                thrown = error


def place_of(scope: Scope) -> Place:
    """Where a request waits. It is told from what the sender presents, before anybody looks whether it is true: a
    false name is refused in the turn that it waited for."""
    header = cookie = b""
    for name, value in scope["headers"]:
        if name == b"authorization":
            header = value
        elif name == b"cookie":
            cookie = value
    if scope["path"].startswith("/api/work"):
        return "work", (header or cookie).decode("latin-1")
    if header:
        claimed = credentials.read_key(header.decode("latin-1").partition(" ")[2].strip())
        return (f"tenant {claimed[1].tenant}" if claimed else "strangers"), header.decode("latin-1")
    if cookie:
        text = cookie.decode("latin-1")
        return f"person {text}", text
    client = scope.get("client")
    return "strangers", client[0] if client else "?"


class TakingTurns:
    """ASGI middleware: a turn for each request of the API, from its beginning to the first byte of its answer."""

    def __init__(self, app: ASGIApp, answer: Callable[[Problem], ASGIApp]) -> None:
        self._app = app
        self._answer = answer
        self.turns = Turns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _waits(scope["path"]):
            await self._app(scope, receive, send)
            return
        place = place_of(scope)
        try:
            expected_s = await self.turns.take(place)
        except Problem as problem:
            await self._answer(problem)(scope, receive, send)
            return
        began_s = clock.monotonic_s()
        charged_s: float | None = None

        def end() -> None:
            nonlocal charged_s
            charged_s = work.loop_s
            held_s = clock.monotonic_s() - began_s
            self.turns.end(place, expected_s, work.loop_s + held_s / self.turns.at_once)

        async def sending(message: Message) -> None:
            if charged_s is None and message["type"] == "http.response.start":
                end()
            await send(message)

        work = Metered(_coroutine(self._app(scope, receive, sending)))
        before = tx.waited_for_s.set(limits.STATEMENT_S)
        try:
            await work
        finally:
            tx.waited_for_s.reset(before)
            if charged_s is None:
                end()
            else:
                self.turns.charge(place, work.loop_s - charged_s)


async def _coroutine(work: Awaitable[None]) -> None:
    await work


def _waits(path: str) -> bool:
    if path == "/api/health" or path.endswith(("/uploads", "/v1/files/upload")):
        return False  # a sign of life waits for nobody, an upload takes as long as its sender's line
    return path.startswith(("/api/", "/v1/", "/v2/"))
