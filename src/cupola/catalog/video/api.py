"""The route that shows a video's frames by signed URL: its frame table, and its pictures in chunks."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from cupola.catalog.video.chunks import CHUNK_FRAMES, Chunks
from cupola.catalog.video.table import decoded
from cupola.kernel import limits
from cupola.platform.web import principal, reply, runtime

router = APIRouter(tags=["blobs"])
FOLDER = "frames"  # beside the blobs of a local store, under the data folder


@router.get("/frames/{tenant}/{sha256}", response_class=Response)
async def get_frames(
    request: Request,
    tenant: str,
    sha256: str,
    n: Annotated[
        int | None, Query(ge=0, le=limits.MAX_FRAMES, description="Of a chunk; without it, the frame table.")
    ] = None,
) -> Response:
    """A video's frame table (JSON), or one chunk of its pictures, for whom the URL was signed, until it expires.

    The table: {"frames", "chunk_frames", "time_base", "first", "steps", "keys", "width_px", "height_px", "sha256"};
    frame 0 is shown at `first`, and steps are (difference, how often). A chunk: how many pictures it has and the length
    of each (uint32, little endian), then JPEG pictures of frames n * chunk_frames and those after it.
    """
    run = runtime(request)
    who = await principal(request)
    grant = run.blobs.verify_frames(request.url.path, request.url.query, bound_to=who.name)
    chunks = chunks_of(request)
    headers = {"Cache-Control": "private, max-age=86400, immutable", "X-Content-Type-Options": "nosniff"}
    if n is None:
        told = decoded(
            await asyncio.to_thread(chunks.table_bytes, grant.tenant, grant.sha256, grant.media_type)
        )  # fmt: skip
        answer = reply(
            {
                "frames": told.frames,
                "chunk_frames": CHUNK_FRAMES,
                "time_base": told.time_base,
                "first": told.first,
                "steps": told.steps,
                "keys": told.keys,
                "width_px": told.width_px,
                "height_px": told.height_px,
                "sha256": told.sha256,
            }
        )
        answer.headers.update(headers)
        return answer
    data = await asyncio.to_thread(chunks.chunk, grant.tenant, grant.sha256, grant.media_type, n)
    return Response(data, headers=headers, media_type="application/octet-stream")


def chunks_of(request: Request) -> Chunks:
    """Those of this process."""
    state = request.app.state
    if not hasattr(state, "chunks"):
        run = runtime(request)
        state.chunks = Chunks(run.blobs, run.settings.data_dir / FOLDER)
    found: Chunks = state.chunks
    return found
