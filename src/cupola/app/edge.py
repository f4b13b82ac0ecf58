"""The edge: what the body of a request may cost, decided before anything is done with it.

A body is counted as it comes in. Up to 64 kB it is read from anybody; a larger one only from a sender who has been
recognised, so that nobody unknown fills the memory. All bodies together have a limit, each has its time. Uploads are
streamed to where they are kept: they have a size of their own and no share in the memory.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cupola.kernel import clock, limits
from cupola.kernel.errors import Kind, Problem, unavailable
from cupola.platform.telemetry import metrics

# (method, path) of what is written to a disk as it comes in
STREAMED = re.compile(r"PUT /api/datasets/[^/]+/uploads\Z|POST /v1/files/upload/?\Z")
Recognise = Callable[[Request], Awaitable[object]]


class Refused(HTTPException):
    """A problem found while a body was read: of a type that whoever reads the body lets through unchanged."""

    def __init__(self, problem: Problem, status: int) -> None:
        super().__init__(status, problem.detail)
        self.problem = problem


class Bodies:
    """How many bytes of bodies this process holds at the moment."""

    def __init__(self, most_bytes: int = limits.MAX_BODIES_BYTES) -> None:
        self._most_bytes = most_bytes
        self.held_bytes = 0

    def take(self, count: int) -> None:
        if self.held_bytes + count > self._most_bytes:
            raise Refused(
                unavailable("bodies-full", "Too many large requests are being read at the moment.", retry_after_s=2),
                503,
            )
        self.held_bytes += count
        metrics.BODIES_HELD_BYTES.set(self.held_bytes)

    def give_back(self, count: int) -> None:
        self.held_bytes -= count
        metrics.BODIES_HELD_BYTES.set(self.held_bytes)


class Edge:
    """ASGI middleware. recognise: raises Problem for a sender who is nobody; what it finds is kept on the request."""

    def __init__(self, app: ASGIApp, recognise: Recognise) -> None:
        self._app = app
        self._recognise = recognise
        self._bodies = Bodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive, self._recognise, self._bodies)
        try:
            await self._app(scope, body.receive, body.closing(send))
        finally:
            body.end()


def _has_body(scope: Scope) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


class _Body:
    def __init__(self, scope: Scope, receive: Receive, recognise: Recognise, bodies: Bodies) -> None:
        self._scope = scope
        self._receive = receive
        self._recognise = recognise
        self._bodies = bodies
        self._streamed = STREAMED.match(f"{scope['method']} {scope['path']}") is not None
        self._most_bytes = limits.MAX_UPLOAD_BYTES if self._streamed else limits.MAX_BODY_BYTES
        self._announced = _announced(scope)
        self._packed = any(
            name == b"content-encoding" and value.strip().lower() not in (b"", b"identity")
            for name, value in scope["headers"]
        )
        self._bytes = 0
        self._held = 0
        self._began = clock.monotonic_s()
        self._known = False
        self._more = True
        self._refused = False

    async def receive(self) -> Message:
        if not self._more:
            return await self._receive()  # waits for the end of the connection, as long as it likes
        try:
            return await self._next()
        except Refused:
            self._refused = True
            raise

    async def _next(self) -> Message:
        if self._packed:
            raise _packed()
        await self._check(max(self._announced, self._bytes))
        try:
            async with asyncio.timeout(limits.BODY_TIMEOUT_S):
                message = await self._receive()
        except TimeoutError:
            raise _slow() from None
        if message["type"] != "http.request":
            self._more = False
            return message
        size = len(message.get("body", b""))
        self._bytes += size
        self._more = bool(message.get("more_body", False))
        await self._check(self._bytes)
        if not self._streamed:
            self._bodies.take(size)
            self._held += size
            if self._more and clock.monotonic_s() - self._began > limits.BODY_GRACE_S + (
                self._bytes / limits.BODY_RATE_BYTES_PER_S
            ):
                raise _slow()
        return message

    async def _check(self, size: int) -> None:
        if size > self._most_bytes:
            megabytes = self._most_bytes // 1024**2
            raise Refused(
                Problem(
                    Kind.TOO_LARGE,
                    "body-too-large",
                    f"The body is larger than {megabytes} MB.",
                    remedy="Send it in parts, or upload it as a file.",
                ),
                413,
            )
        if not self._known and (self._streamed or size > limits.MAX_STRANGER_BODY_BYTES):
            try:
                self._scope.setdefault("state", {})["principal"] = await self._recognise(Request(self._scope))
            except Problem as problem:
                raise Refused(problem, 401) from None
            self._known = True

    def closing(self, send: Send) -> Send:
        """A body that was refused is not read to its end: the connection ends with the answer."""

        async def sending(message: Message) -> None:
            if self._refused and message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        return sending

    def end(self) -> None:
        self._bodies.give_back(self._held)
        self._held = 0


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


def _packed() -> Refused:
    return Refused(
        Problem(
            Kind.INVALID,
            "body-packed",
            "The body is packed, as its Content-Encoding says; none is unpacked here.",
            remedy="Send the bytes as they are, without Content-Encoding.",
        ),
        415,
    )


def _slow() -> Refused:
    return Refused(
        Problem(
            Kind.INVALID,
            "body-too-slow",
            "The body came too slowly, or not to its end.",
            remedy="Send it again; upload large data as a file.",
        ),
        408,
    )
