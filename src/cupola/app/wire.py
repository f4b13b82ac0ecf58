"""The wire: what a connection may cost before anybody is known to be at its other end.

uvicorn's protocol with four limits: the size of a request's head, the time it may take, how many connections may sit
in the middle of one (the oldest makes room, so that whoever comes next is let in), and how long a reader may leave an
answer lying.
"""

from __future__ import annotations

import asyncio
import resource
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cupola.kernel import limits

_TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/problem+json\r\nconnection: close\r\n"
)
_BODY = (
    b'{"type":"urn:cupola:problem:head-too-large","title":"Too large","status":431,"code":"head-too-large",'
    b'"detail":"The address and headers of this request are larger than %d kB.",'
    b'"remedy":"Send less in headers and cookies; data belongs into the body."}' % (limits.MAX_HEAD_BYTES // 1024)
)

# Connections in the middle of a head, oldest first: a dict keeps the order in which they began.
_half_open: dict[GuardedProtocol, None] = {}


class GuardedProtocol(HttpToolsProtocol):
    """One connection. `in_head`: between its first byte (or its opening) and the end of a request's headers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._reader_timer: asyncio.TimerHandle | None = None

    # ------------------------------------------------------------ the head
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._head_begins()

    def data_received(self, data: bytes) -> None:
        if self._head_timer is None and (self.cycle is None or self.cycle.response_complete):
            self._head_begins()  # another request on a connection that was kept
        if self._head_timer is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._head_timer is not None and self._head_bytes > limits.MAX_HEAD_BYTES:
            self._refuse_head()

    def on_headers_complete(self) -> None:
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > limits.MAX_HEAD_BYTES:
            self._refuse_head()
            return
        self._head_ends()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self.cycle is not None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self.cycle is not None:
            super().on_message_complete()

    def _head_begins(self) -> None:
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(limits.HEAD_TIMEOUT_S, self._drop)
        _half_open[self] = None
        while len(_half_open) > limits.MAX_HALF_OPEN:
            next(iter(_half_open))._drop()

    def _head_ends(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        _half_open.pop(self, None)

    def _drop(self) -> None:
        self._head_ends()
        self.transport.abort()

    def _refuse_head(self) -> None:
        self._head_ends()
        if not self.transport.is_closing():
            self.transport.write(_TOO_LONG + b"content-length: %d\r\n\r\n" % len(_BODY) + _BODY)
            self.transport.close()

    # ------------------------------------------------------------ the answer
    def pause_writing(self) -> None:
        super().pause_writing()
        if self._reader_timer is None:
            self._reader_timer = self.loop.call_later(limits.READER_TIMEOUT_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._reader_moved()

    def _reader_moved(self) -> None:
        if self._reader_timer is not None:
            self._reader_timer.cancel()
            self._reader_timer = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_ends()
        self._reader_moved()
        super().connection_lost(exc)


def half_open() -> int:
    """Connections of this process in the middle of a head."""
    return len(_half_open)


def raise_file_limit() -> int:
    """Let this process hold as many connections and files as the machine allows; returns how many that is.

    Many systems give a program 1,024 at first and more when it asks.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, limits.MAX_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft
