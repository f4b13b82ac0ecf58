"""The verbs of files: keep an upload, note an import, and fetch it when it is first needed."""

from __future__ import annotations

import asyncio
import mimetypes
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from cupola.catalog.addresses import encoded, file_name
from cupola.catalog.contents import Gathering
from cupola.catalog.media.base import Content
from cupola.catalog.rows import kept
from cupola.kernel import clock, ids
from cupola.kernel.errors import Problem, invalid, not_found, unavailable
from cupola.orders.files import model, store
from cupola.orders.files.model import File
from cupola.platform.blobs import Stored
from cupola.platform.net import Fetcher, Guard, check_literal
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,64}/[A-Za-z0-9!#$&^_.+-]{1,64}\Z")


# codes of what is away at somebody else's: not ours, and it may come back
AWAY = frozenset(("attachment-away", "url-unresolved", "url-unreachable", "url-timeout"))
_LATER = frozenset((408, 421, 423, 425, 429))
_NEVER = frozenset((501, 505, 511))  # of 5xx, those that a later try does not change


def media_type_of(name: str, told: str | None = None) -> str:
    """By the name, else what the sender said, if that can stand in a header."""
    guessed = mimetypes.guess_type(name)[0]
    said = (told or "").partition(";")[0].strip()
    return guessed or (said if _MEDIA_TYPE.match(said) else "application/octet-stream")


async def receive(run: Runtime, tenant: UUID, chunks: AsyncIterator[bytes]) -> Stored:
    """Store the bytes of an upload at constant memory. Raises Problem: TOO_LARGE, UNAVAILABLE."""
    stored = await run.blobs.put_stream(tenant, chunks, max_bytes=model.MAX_FILE_BYTES)
    if not stored.size_bytes:
        raise invalid("file-empty", "The file holds no bytes.", place="file", remedy="Send its content.")
    return stored


async def add(
    conn: Conn,
    tenant: UUID,
    name: str,
    media_type: str,
    *,
    stored: Stored | None = None,
    url: str | None = None,
    reference: str | None = None,
    projects: list[str] | None = None,
    metadata: str = "{}",
) -> File:
    """Write a file down: uploaded bytes, or a URL that is fetched when it is needed."""
    new = ids.uuid7()
    await store.ADD.run(
        conn,
        tenant=tenant,
        id=new,
        asset=bytes.fromhex(stored.sha256) if stored else None,
        url=url,
        name=name[:300],
        reference=reference,
        projects=projects or [],
        media_type=media_type,
        bytes=stored.size_bytes if stored else 0,
        metadata=metadata,
        now=clock.now(),
    )
    return await store.FILE.one(conn, tenant=tenant, id=new)


async def file(conn: Conn, tenant: UUID, file_id: UUID) -> File:
    """Raises Problem (NOT_FOUND)."""
    row = await store.FILE.maybe(conn, tenant=tenant, id=file_id)
    if row is None:
        raise not_found("file")
    return row


async def several(conn: Conn, tenant: UUID, wanted: list[UUID]) -> dict[UUID, File]:
    return {row.id: row for row in await store.FILES.all(conn, tenant=tenant, ids=wanted)} if wanted else {}


async def check_address(conn: Conn, run: Runtime, tenant: UUID, address: str, place: str) -> None:
    """An attachment must be a file of this world or a http(s) URL that may be fetched; it is not fetched here.

    Raises Problem: INVALID with the place; NOT_FOUND for a file of somebody else's.
    """
    if address.strip().lower().startswith(model.SCHEME):
        found = model.file_of(address)
        if found is None or await store.EXISTS.maybe(conn, tenant=tenant, id=found) is None:
            raise not_found(f"file {address[:200]!r}")
        return
    if len(address) > 8_000 or "\0" in address:
        raise invalid("url-invalid", "This is no URL that can be kept.", place=place, remedy="Send a shorter one.")
    url = encoded(address)
    if not url.lower().startswith(("http://", "https://")):
        raise invalid(
            "url-invalid",
            f"{place}: {address[:100]!r} is no address that can be fetched.",
            place=place,
            remedy="Send a http(s) URL, or upload the file and send its attachment_url.",
        )
    try:
        check_literal(url, Guard.of(run.settings.allowed_hosts))
    except Problem as problem:
        raise invalid(problem.code, f"{place}: {problem.detail}", place=place, remedy=problem.remedy) from problem


@asynccontextmanager
async def content(
    run: Runtime, tenant: UUID, fetcher: Fetcher, address: str, *, max_bytes: int = model.MAX_FILE_BYTES
) -> AsyncIterator[tuple[Content, str]]:
    """The file behind an attachment and its name, on disk when it is large; an import is fetched now and kept.

    Raises Problem: INVALID, NOT_FOUND, TOO_LARGE, UNAVAILABLE.
    """
    of = model.file_of(address)
    with Gathering(run.blobs, max_bytes) as gathering:
        if of is None:
            await _fetched(fetcher, address, gathering, max_bytes)
            yield gathering.done(), file_name(address.strip())
            return
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            row = await file(conn, tenant, of)
        if row.asset is None:
            row = await arrive(run, tenant, fetcher, row)
        assert row.asset is not None
        async for chunk in run.blobs.stream(tenant, row.asset.hex()):
            gathering.add(chunk)
        yield gathering.done(), row.name


async def arrive(run: Runtime, tenant: UUID, fetcher: Fetcher, row: File) -> File:
    """Fetch an import and keep its bytes. Raises Problem: INVALID, UNAVAILABLE."""
    assert row.url is not None
    with Gathering(run.blobs, model.MAX_FILE_BYTES) as gathering:
        await _fetched(fetcher, row.url, gathering, model.MAX_FILE_BYTES)
        came = gathering.done()
        asset = await asyncio.to_thread(kept, run.blobs, tenant, came)
        await asyncio.to_thread(run.blobs.settle_now)
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        await store.FETCHED.run(
            conn,
            tenant=tenant,
            id=row.id,
            asset=asset,
            bytes=came.size_bytes,
            media_type=media_type_of(row.url.partition("?")[0], row.media_type),
            now=clock.now(),
        )
        return await file(conn, tenant, row.id)


async def _fetched(fetcher: Fetcher, url: str, into: Gathering, max_bytes: int) -> None:
    async with fetcher.stream(encoded(url), max_bytes=max_bytes) as (answer, chunks):
        status = answer.status_code
        if (status >= 500 and status not in _NEVER) or status in _LATER:
            raise unavailable("attachment-away", f"The server of the attachment answered {status}.")
        if status != 200:
            raise invalid(
                "attachment-status",
                f"The server of the attachment answered {status}.",
                place="attachment",
                remedy="Check the URL and who may read it.",
            )
        async for chunk in chunks:
            into.add(chunk)
