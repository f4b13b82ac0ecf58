"""Items that are kept as references: shown to whoever works on them through us, never by their browser going there.

The page loads nothing from elsewhere, so a host learns neither who looks nor when; what it sends is fetched by the
guarded way out, bounded, and served like our own files.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from cupola.catalog import media
from cupola.catalog.contents import Gathering
from cupola.catalog.media.base import Content
from cupola.kernel.errors import Kind, Problem
from cupola.platform import hooks
from cupola.platform.net import Fetcher, Guard
from cupola.platform.references import verify_reference
from cupola.platform.web import principal, runtime

router = APIRouter(tags=["blobs"])

MAX_REFERENCE_BYTES = 128 * 1024 * 1024
FETCHES = 16  # at once in one process, so that slow hosts hold a bounded part of it
FETCHES_OF_ONE = 4  # of these, of items of one tenant, whoever looks at them
PART_BYTES = 256 * 1024


@router.get("/references", response_class=Response)
async def get_reference(request: Request) -> Response:
    """What a reference leads to, for whom its URL was signed, until it expires. Takes Range where the host does."""
    run = runtime(request)
    who = await principal(request)
    found = verify_reference(run.settings.derive("references"), request.url.query, bound_to=who.name)
    asked = {"Range": request.headers["range"]} if "range" in request.headers else {}
    gathering = Gathering(run.blobs, MAX_REFERENCE_BYTES)
    try:
        guard = Guard.of(run.settings.allowed_hosts)
        async with (
            _shares_of(request).one(found.owner),
            Fetcher(guard) as fetcher,
            fetcher.stream(found.url, max_bytes=MAX_REFERENCE_BYTES, headers=asked) as (answer, chunks),
        ):
            if answer.status_code not in (200, 206):
                raise _unreachable(f"answers {answer.status_code}")
            async for chunk in chunks:
                gathering.add(chunk)
            status, headers = answer.status_code, dict(answer.headers)
        content = gathering.done()
    except BaseException as error:
        gathering.__exit__(None, None, None)
        if isinstance(error, Problem) and error.code not in ("reference-unreachable", "url-too-large"):
            raise _unreachable("cannot be asked") from None  # its name is not for whoever looks
        raise
    told = headers.get("content-type", "").partition(";")[0].strip().lower()
    media_type = _shown(content, status, told, found.media_type)
    sent = {
        "Cache-Control": "private, max-age=3600",
        "Content-Length": str(content.size_bytes),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Accept-Ranges": headers.get("accept-ranges", "none"),
    }
    if status == 206 and "content-range" in headers:
        sent["Content-Range"] = headers["content-range"]
    if media_type not in hooks.shown():
        sent["Content-Disposition"] = "attachment"
    return StreamingResponse(_parts(content, gathering), status, sent, media_type)


class Shares:
    """So many fetches at once, of which each owner of items has a part: hosts that hang hold up their own owner's."""

    def __init__(self, all_: int, each: int) -> None:
        self._all = asyncio.Semaphore(all_)
        self._each = each
        self._owners: dict[str, tuple[asyncio.Semaphore, int]] = {}  # and how many hold or wait

    @asynccontextmanager
    async def one(self, owner: str) -> AsyncIterator[None]:
        """A fetch for this owner; waits until there is a place. An owner that nobody asks for is forgotten."""
        gate, asking = self._owners.get(owner, (asyncio.Semaphore(self._each), 0))
        self._owners[owner] = gate, asking + 1
        try:
            async with gate, self._all:  # one's own place first: whoever waits for that keeps nobody else waiting
                yield
        finally:
            asking = self._owners[owner][1] - 1
            if asking:
                self._owners[owner] = gate, asking
            else:
                del self._owners[owner]


def _shares_of(request: Request) -> Shares:
    state = request.app.state
    if not hasattr(state, "reference_shares"):
        state.reference_shares = Shares(FETCHES, FETCHES_OF_ONE)
    shares: Shares = state.reference_shares
    return shares


def _shown(content: Content, status: int, told: str, promised: str) -> str:
    """What to serve it as: what its bytes say, where there is a beginning; else what was told or promised."""
    if status == 200:
        for medium in media.media():
            if medium.caged and (found := medium.sniff(content.head(), "", told)):
                return found
        return "application/octet-stream"  # whatever it says: a page is no picture
    return next((one for one in (told, promised) if one in hooks.shown()), "application/octet-stream")


async def _parts(content: Content, gathering: Gathering) -> AsyncIterator[bytes]:
    with gathering:
        if content.data is not None:
            yield content.data
            return
        assert content.path is not None
        with content.path.open("rb") as file:
            while part := await asyncio.to_thread(file.read, PART_BYTES):
                yield part


def _unreachable(what: str) -> Problem:
    return Problem(
        Kind.UNAVAILABLE,
        "reference-unreachable",
        f"The host that keeps this item {what}.",
        remedy="Try again; if it stays so, tell whoever made the project: the item is kept elsewhere.",
    )
