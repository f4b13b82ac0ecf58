"""Events to browsers and programs as they happen: server-sent events at /events.

One tail of the event table for each process, only while somebody listens; what it reads is handed to the listeners of
each tenant in memory. A listener that comes back names the last event it saw (Last-Event-ID, its id) and is served
from the table until it has caught up, so nothing is lost; one that is too slow is dropped and comes back the same way.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, TypeAlias
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from cupola.kernel import clock
from cupola.kernel.errors import Kind, Problem, invalid
from cupola.platform import store, web
from cupola.platform.event_view import view
from cupola.platform.events import Event
from cupola.platform.pg.tx import Database, Role
from cupola.platform.store import Place
from cupola.platform.web import Principal, Reviewer

log = logging.getLogger("cupola.stream")
router = APIRouter()

POLL_S = 0.3
RETRY_S = 2.0  # while the database is away
HEARTBEAT_S = 15.0
RECONNECT_MS = 1_000
PAGE = 500
QUEUE_EVENTS = 2_000  # what a slow listener may fall behind before it is dropped
MAX_LISTENERS = 2_000

Position: TypeAlias = tuple[int, int, int]
_id = re.compile(r"(?:(\d{1,9})\.)?(\d{1,20})\.(\d{1,19})\Z")  # before there were epochs, an id had two parts


def parse_id(text: str) -> Position:
    """The place an event id stands for. Raises Problem (INVALID)."""
    found = _id.match(text)
    if found is None or int(found[2]) >= 1 << 64 or int(found[3]) >= 1 << 63:
        raise invalid(
            "event-id-unknown",
            f"{text[:60]!r} is no event's id.",
            place="header Last-Event-ID",
            remedy="Leave it out to begin with what happens from now on.",
        )
    return int(found[1] or 0), int(found[2]), int(found[3])


def _position(event: Event) -> Position:
    return event.epoch, int(event.xid), event.seq


class _Listener:
    """One connection: what the tail has for it. `dropped` says that it fell too far behind."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Event] = asyncio.Queue(QUEUE_EVENTS)
        self.dropped = False

    def offer(self, event: Event) -> None:
        if self.dropped:
            return
        try:
            self.queue.put_nowait(event)
        except asyncio.QueueFull:
            self.dropped = True


class Stream:
    """The fan-out of one process. Belongs to one event loop; `close` ends the tail and every listener."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._listeners: dict[UUID, set[_Listener]] = {}
        self._count = 0
        self._tail: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()

    @property
    def listeners(self) -> int:
        return self._count

    @property
    def tailing(self) -> bool:
        """Is the event table being read? Only while somebody listens."""
        return self._tail is not None

    async def close(self) -> None:
        self._closed.set()
        if self._tail is not None:
            await self._tail

    async def listen(self, tenant: UUID, after: Position | None) -> AsyncGenerator[Event | Position | None]:
        """The tenant's events behind `after` (None: from now on), in order, none left out.

        Begins with the position it starts from; yields None when nothing came for HEARTBEAT_S. Ends when the listener
        is too slow or the stream closes. Raises Problem: TOO_MANY, UNAVAILABLE.
        """
        if after is None:
            newest = await asyncio.shield(asyncio.ensure_future(self._newest()))
            after = newest.key
        yield after
        # First the table, so that a listener who was away for long does not fill its queue meanwhile ...
        async for event in self._stored(tenant, after):
            after = _position(event)
            yield event
        async with self._listening(tenant) as listener:
            # ... then once more what came between the last read and the tail's first, of which the tail repeats some.
            async for event in self._stored(tenant, after):
                after = _position(event)
                yield event
            while not listener.dropped and not self._closed.is_set():
                try:
                    event = await asyncio.wait_for(listener.queue.get(), HEARTBEAT_S)
                except TimeoutError:
                    yield None
                    continue
                if _position(event) > after:
                    after = _position(event)
                    yield event

    async def _stored(self, tenant: UUID, after: Position) -> AsyncIterator[Event]:
        while True:
            # Shielded: a listener that leaves in the middle of a query would cost the pool a connection.
            rows = await asyncio.shield(asyncio.ensure_future(self._page(tenant, after)))
            for row in rows:
                yield row
            if len(rows) < PAGE:
                return
            after = _position(rows[-1])

    async def _page(self, tenant: UUID, after: Position) -> list[Event]:
        async with self._db.tx(Role.APP, tenant=tenant) as conn:
            return await store.EVENTS_OF_TENANT.all(
                conn, tenant=tenant, epoch=after[0], xid=str(after[1]), seq=after[2], limit=PAGE
            )

    async def _newest(self) -> Place:
        async with self._db.tx(Role.OPS) as conn:
            return await store.EVENTS_NEWEST.one(conn)

    @contextlib.asynccontextmanager
    async def _listening(self, tenant: UUID) -> AsyncIterator[_Listener]:
        listener = _Listener()
        self._listeners.setdefault(tenant, set()).add(listener)
        self._count += 1
        try:
            await self._start_tail()
            yield listener
        finally:
            self._count -= 1
            present = self._listeners[tenant]
            present.discard(listener)
            if not present:
                del self._listeners[tenant]

    async def _start_tail(self) -> None:
        """Returns once the tail has its first place: what a listener reads from the table after that meets it."""
        if self.tailing:
            return
        place = await asyncio.shield(asyncio.ensure_future(self._newest()))
        if not self.tailing and not self._closed.is_set():  # another listener may have started it meanwhile
            self._tail = asyncio.create_task(self._run(place))

    async def _run(self, place: Place) -> None:
        # Not cancelled but left to end by itself: a query that is cut off costs its connection.
        while self._count and not self._closed.is_set():
            pause_s = POLL_S
            try:
                async with self._db.tx(Role.OPS) as conn:
                    rows = await store.EVENTS_TAIL.all(
                        conn, epoch=place.epoch, xid=place.xid, seq=place.seq, limit=PAGE
                    )
            except Problem as problem:
                log.warning("the stream of events waits: %s", problem.detail)
                rows, pause_s = [], RETRY_S
            except Exception:
                log.exception("the stream of events failed; trying again")
                rows, pause_s = [], RETRY_S
            for row in rows:
                for listener in self._listeners.get(row.tenant, ()):
                    listener.offer(row)
            if rows:
                place = Place(rows[-1].epoch, rows[-1].xid, rows[-1].seq)
            if len(rows) < PAGE:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closed.wait(), pause_s)
        self._tail = None


def stream_of(request: Request) -> Stream:
    """The process's stream; made with the first listener, closed by `close_stream`."""
    found: Stream | None = getattr(request.app.state, "stream", None)
    if found is None:
        found = request.app.state.stream = Stream(web.runtime(request).db)
    return found


async def close_stream(state: Any) -> None:
    """End the stream of an app's `state`, if there is one: for the app's shutdown."""
    found: Stream | None = getattr(state, "stream", None)
    if found is not None:
        await found.close()


@router.get(
    "/events",
    tags=["events"],
    summary="What happens, as it happens",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Server-sent events; data is an EventView."}},
)
async def events(request: Request, who: Reviewer) -> StreamingResponse:
    """Server-sent events of the tenant: {id, kind, at, subject, project, data}.

    A browser's EventSource sends the cookie and names the tenant as `?tenant=`. Reconnect with `Last-Event-ID` and
    nothing is lost. A comment comes every 15 s; the stream ends when the session or the key does.
    """
    stream = stream_of(request)
    if stream.listeners >= MAX_LISTENERS:
        raise Problem(
            Kind.TOO_MANY,
            "too-many-listeners",
            f"This process has {MAX_LISTENERS} listeners.",
            remedy="Try again a little later.",
            retry_after_s=30,
        )
    last = request.headers.get("last-event-id") or request.query_params.get("last_event_id")
    after = parse_id(last) if last else None
    return StreamingResponse(
        _frames(request, who.tenant, stream.listen(who.tenant, after)),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _frames(
    request: Request, tenant: UUID, listening: AsyncGenerator[Event | Position | None]
) -> AsyncIterator[bytes]:
    checked = clock.monotonic_s()
    yield f"retry: {RECONNECT_MS}\n\n".encode()
    try:
        async with contextlib.aclosing(listening):
            async for event in listening:
                if clock.monotonic_s() - checked >= HEARTBEAT_S:
                    checked = clock.monotonic_s()
                    if not await _still_welcome(request, tenant):
                        return
                yield _frame(event)
    except Problem as problem:  # the head of the answer is sent: the client comes back and asks again
        log.warning("a stream of events ended: %s", problem.detail)


def _frame(event: Event | Position | None) -> bytes:
    if event is None:
        return b": still here\n\n"
    if isinstance(event, tuple):
        # An id without data moves a browser's Last-Event-ID on: a line that breaks before the first event resumes.
        return f"id: {'.'.join(map(str, event))}\n\n".encode()
    shown = view(event)
    return b"id: " + shown.id.encode() + b"\ndata: " + msgspec.json.encode(shown) + b"\n\n"


async def _still_welcome(request: Request, tenant: UUID) -> bool:
    """A stream may outlive the session, the key or the membership it was opened with; then it ends."""
    try:
        who: Principal = await request.app.state.authenticate(request)
    except Problem as problem:
        return problem.kind is Kind.UNAVAILABLE
    return who.tenant == tenant
