"""v1: files, uploaded or noted for later."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from starlette.datastructures import UploadFile

from cupola.catalog.addresses import encoded, file_name
from cupola.compat.scale import shapes
from cupola.compat.scale.types.check import MAX_URL_CHARS, Fields, wrong
from cupola.compat.scale.wire import Call, Conn, metadata_text, read_json
from cupola.kernel.errors import invalid
from cupola.orders.files import service as files
from cupola.platform.net import Guard, check_literal
from cupola.platform.pg.tx import Role

Json = dict[str, Any]
_CHUNK_BYTES = 1 << 20


async def upload(call: Call) -> Json:
    """multipart/form-data with `file`, and reference_id, project_name, display_name, metadata beside it."""
    kind = call.request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        raise invalid("body-invalid", "The body must be multipart/form-data with the part `file`.", place="body")
    async with call.request.form(max_files=1, max_fields=50) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise wrong("file", "is missing")
        told = {name: value for name, value in form.items() if isinstance(value, str)}
        names = [value for name, value in form.multi_items() if name == "project_name" and isinstance(value, str)]

        async def chunks() -> AsyncIterator[bytes]:
            while part := await file.read(_CHUNK_BYTES):
                yield part

        fields = Fields(told)
        _storable(told)
        stored = await files.receive(call.run, call.tenant, chunks())
        name = fields.text("display_name", most=300) or file.filename or "file"
        media_type = files.media_type_of(file.filename or "", file.content_type)
    metadata = metadata_text(read_json(told["metadata"].encode())) if told.get("metadata") else "{}"
    async with call.run.db.tx(Role.APP, tenant=call.tenant) as conn:
        made = await files.add(
            conn,
            call.tenant,
            name.replace("\0", "")[-300:],
            media_type,
            stored=stored,
            reference=fields.text("reference_id", most=1_000),
            projects=names,
            metadata=metadata,
        )
    return shapes.file(made)


def _storable(told: dict[str, str]) -> None:
    for name, value in told.items():
        if "\0" in value or len(value) > 20_000:
            raise wrong(name[:100], "is no text that can be kept")


async def fetch_later(conn: Conn, call: Call) -> Json:
    """A file behind a URL: fetched when a task needs it, never in the request."""
    body = Fields(call.object())
    url = encoded(body.text("file_url", required=True, most=MAX_URL_CHARS) or "")
    check_literal(url, Guard.of(call.run.settings.allowed_hosts))
    project = body.text("project_name", most=300)
    name = body.text("display_name", most=300) or file_name(url) or "file"
    made = await files.add(
        conn,
        call.tenant,
        name,
        files.media_type_of(url.partition("?")[0]),
        url=url,
        reference=body.text("reference_id", most=1_000),
        projects=[project] if project else [],
        metadata=metadata_text(body.values.get("metadata")),
    )
    return shapes.file(made)
