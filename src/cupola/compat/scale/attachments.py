"""Addresses under which the attachments of tasks can be read for a while, without a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from fastapi import Response
from fastapi.responses import StreamingResponse

from cupola.catalog.addresses import encoded
from cupola.compat.scale.types.check import is_address
from cupola.compat.scale.wire import Call, Conn
from cupola.kernel.errors import not_found
from cupola.orders.files import model, service
from cupola.orders.files.model import File
from cupola.orders.model import Order
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from cupola.tasks.handing_in import service as answers

URL_LIFE_S = 3600
# the local store signs addresses below /blobs, which want a signed-in reader; below this one the signature suffices
OURS = "/v1/attachments/"
_STORES = "/blobs/"
HANDED_IN = "/v1/files/answers/"


def addresses(params: dict[str, Any]) -> list[str]:
    """What a task refers to."""
    found = []
    if isinstance(params.get("attachment"), str):
        found.append(params["attachment"])
    for entry in params.get("attachments") or []:
        if isinstance(entry, str):
            found.append(entry)
        elif isinstance(entry, dict) and isinstance(entry.get("content"), str):
            found.append(entry["content"])
    return [one for one in dict.fromkeys(found) if is_address(one)]


async def url_of(run: Runtime, tenant: UUID, base: str, file: File) -> str | None:
    """A signed address of a file, or None while it is not here."""
    if file.asset is None:
        return file.url
    signed = await run.blobs.sign(
        tenant, file.asset.hex(), expires_s=URL_LIFE_S, bound_to="", media_type=file.media_type
    )
    if signed.startswith(_STORES):
        return base + OURS + signed.removeprefix(_STORES)
    return signed


async def of_orders(conn: Conn, call: Call, orders: Sequence[Order]) -> dict[UUID, dict[str, str]]:
    """{task: {address: where it can be read}}; an address that anybody may read stands for itself."""
    wanted = {order.id: addresses(msgspec.json.decode(order.params)) for order in orders}
    names = {address for several in wanted.values() for address in several}
    ours = {address: found for address in names if (found := model.file_of(address)) is not None}
    known = await service.several(conn, call.tenant, list(set(ours.values())))
    readable = {address: encoded(address) for address in names if not address.strip().lower().startswith(model.SCHEME)}
    for address, file_id in ours.items():
        if file_id in known:
            url = await url_of(call.run, call.tenant, call.run.settings.public_url, known[file_id])
            if url is not None:
                readable[address] = url
    return {task: {one: readable[one] for one in several if one in readable} for task, several in wanted.items()}


async def serve(call: Call) -> Response:
    """The bytes behind a signed address."""
    path = call.request.scope["path"].removeprefix(OURS)
    grant = call.run.blobs.verify(f"{_STORES}{path}?{call.request.url.query}", bound_to="")
    return await _sent(call, grant.tenant, grant.sha256, grant.media_type)


async def handed_in(call: Call) -> Response:
    """A file that somebody handed in as an answer, for the keys of the organisation that asked for it."""
    sha256 = call.path["sha256"]
    async with call.run.db.tx(Role.APP, tenant=call.tenant) as conn:
        media_type = await answers.media_type_of(conn, call.tenant, sha256)
    return await _sent(call, call.tenant, sha256, media_type)


async def _sent(call: Call, tenant: UUID, sha256: str, media_type: str) -> Response:
    size = await call.run.blobs.head(tenant, sha256)
    if size is None:
        raise not_found("file")
    headers = {
        "Content-Length": str(size.size_bytes),
        "Cache-Control": "private, max-age=3600, immutable",
        "Content-Disposition": "attachment",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return StreamingResponse(
        call.run.blobs.stream(tenant, sha256), 200, headers, media_type or "application/octet-stream"
    )
