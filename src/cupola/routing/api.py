"""Routes of what is on offer."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from cupola.platform.web import Contributor, reply, runtime
from cupola.routing import service
from cupola.tasks.model import Offered

router = APIRouter(tags=["work"])


@router.get("/api/work/offers", response_model=list[Offered])
async def get_offers(request: Request, person: Contributor) -> Response:
    """What you may work on now, with price, time and the hourly equivalent (at most 100)."""
    return reply(await service.board(runtime(request), person))
