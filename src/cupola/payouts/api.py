"""Routes of payouts: for the person who is paid, and for the operators who pay."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cupola.payouts import service
from cupola.payouts.model import Batch, Details, Operations, Payout, Reconciled, Standing
from cupola.platform.web import (
    Contributor,
    Operator,
    attachment,
    read_body,
    reply,
    runtime,
    sends,
)

router = APIRouter(tags=["payouts"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DetailsIn(_Body):
    rail: str = Field(max_length=60)
    details: dict[str, str] = Field(description="What the rail asks for, by the names of its fields.", max_length=20)


class AskIn(_Body):
    currency: str = Field(pattern="^[A-Z]{3}$")


class BatchIn(_Body):
    rail: str = Field(max_length=60)
    currency: str = Field(pattern="^[A-Z]{3}$")


@router.get("/api/work/payouts", response_model=Standing)
async def get_payouts(request: Request, person: Contributor) -> Response:
    """Where your money goes, what you may ask for now, and your last hundred payouts."""
    return reply(await service.standing(runtime(request), person))


@router.put("/api/work/payouts/details", response_model=Details)
async def put_details(request: Request, person: Contributor, body: DetailsIn) -> Response:
    """Say where your money goes. A change holds payouts for 72 hours."""
    return reply(await service.set_details(runtime(request), person, body.rail, body.details))


@router.post("/api/work/payouts", response_model=Payout, status_code=201)
async def post_payout(request: Request, person: Contributor, body: AskIn) -> Response:
    """Ask to be paid out all that you have in a currency, from 5 units on; less is paid out once a week."""
    return reply(await service.ask(runtime(request), person, body.currency), 201)


@router.get("/api/operator/payouts", response_model=Operations, tags=["operator"])
async def get_operations(request: Request, who: Operator) -> Response:
    """What waits to be paid out, and the last hundred batches."""
    return reply(await service.operations(runtime(request)))


@router.post("/api/operator/payouts/batches", response_model=Batch, status_code=201, tags=["operator"])
async def post_batch(request: Request, who: Operator, body: BatchIn) -> Response:
    """Put what waits into a batch, for another operator to approve."""
    assert who.person is not None
    return reply(await service.prepare(runtime(request), who.person, body.rail, body.currency), 201)


@router.post("/api/operator/payouts/batches/{batch}/approve", response_model=Batch, tags=["operator"])
async def post_approve(request: Request, who: Operator, batch: UUID) -> Response:
    """Approve a batch that another operator prepared. From here on its payouts count as sent."""
    assert who.person is not None
    return reply(await service.approve(runtime(request), who.person, batch))


@router.get(
    "/api/operator/payouts/batches/{batch}/file", tags=["operator"], response_class=Response, responses=sends("*/*")
)
async def get_file(request: Request, who: Operator, batch: UUID) -> Response:
    """The file of an approved batch, to be carried to the bank."""
    file = await service.file(runtime(request), batch)
    return Response(file.content, media_type=file.media_type, headers={"Content-Disposition": attachment(file.name)})


@router.post(
    "/api/operator/payouts/batches/{batch}/outcomes",
    response_model=Reconciled,
    tags=["operator"],
    openapi_extra={
        "requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}}}
    },
)
async def post_outcomes(request: Request, who: Operator, batch: UUID) -> Response:
    """What the bank says of a batch: lines of payout, outcome (paid, returned, pending) and a reason."""
    return reply(await service.reconcile(runtime(request), batch, await read_body(request)))
