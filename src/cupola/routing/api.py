"""Routes of what is on offer."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from cupola.platform.web import Contributor, reply, runtime
from cupola.routing import service
from cupola.routing.service import OfferedTo
from cupola.workforce.eligibility.service import Opening

router = APIRouter(tags=["work"])


@router.get("/api/work/offers", response_model=list[OfferedTo])
async def get_offers(request: Request, person: Contributor) -> Response:
    """What you may work on now, with price, time and the hourly equivalent (at most 100)."""
    return reply(await service.board(runtime(request), person))


@router.get("/api/work/openings", response_model=list[Opening])
async def get_openings(request: Request, person: Contributor) -> Response:
    """Projects that ask for what is not known of you: what each asks, what is missing, and where it is to be had."""
    return reply(await service.openings(runtime(request), person))
