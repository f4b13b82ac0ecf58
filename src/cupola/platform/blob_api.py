"""The route that serves blobs of a local store by signed URL, with Range."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from cupola.kernel.errors import not_found
from cupola.platform import hooks
from cupola.platform.blobs import parse_range
from cupola.platform.web import principal, runtime

router = APIRouter(tags=["blobs"])


@router.get("/blobs/{tenant}/{sha256}", response_class=Response)
async def get_blob(request: Request, tenant: str, sha256: str) -> Response:
    """A blob, for whom its URL was signed, until it expires. Takes Range."""
    run = runtime(request)
    who = await principal(request)
    grant = run.blobs.verify(f"{request.url.path}?{request.url.query}", bound_to=who.name)
    size = await run.blobs.head(grant.tenant, grant.sha256)
    if size is None:
        raise not_found("blob")
    media_type = grant.media_type if grant.media_type in hooks.shown() else "application/octet-stream"
    headers = {
        "Cache-Control": "private, max-age=3600, immutable",
        "ETag": f'"{grant.sha256}"',
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if media_type == "application/octet-stream":
        headers["Content-Disposition"] = "attachment"
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    span = parse_range(request.headers.get("range"), size.size_bytes)
    start, end = span if span else (0, size.size_bytes)
    headers["Content-Length"] = str(end - start)
    if span:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size.size_bytes}"
    if end - start <= 1 << 20:
        return Response(
            await run.blobs.get(grant.tenant, grant.sha256, start, end),
            206 if span else 200,
            headers,
            media_type,
        )
    return StreamingResponse(
        run.blobs.stream(grant.tenant, grant.sha256, start, end), 206 if span else 200, headers, media_type
    )
