"""Routes of our own about orders: what they pay, their callbacks, and deliveries made by hand."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cupola.kernel import limits
from cupola.orders import service
from cupola.orders.callbacks import model as callback_model
from cupola.orders.callbacks import service as callbacks
from cupola.orders.deliveries import model as delivery_model
from cupola.orders.deliveries import service as deliveries
from cupola.orders.model import Terms
from cupola.orders.projects import service as projects
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.web import Cursor, Limit, Listed, Manager, decode_cursor, listed, post, reply, runtime

router = APIRouter(prefix="/api/orders", tags=["orders"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class TermsIn(_Body):
    price_minor: int = Field(gt=0, le=10**9, description="What a worker gets for one judgement, whole.")
    currency: str = Field(default="EUR", pattern="^[A-Z]{3}$")
    min_judgements: int = Field(default=1, ge=1, le=limits.MAX_JUDGEMENTS_PER_TASK)
    max_judgements: int = Field(default=5, ge=1, le=limits.MAX_JUDGEMENTS_PER_TASK)
    target_accuracy: float = Field(default=0.72, ge=0.5, le=0.9999)
    page_size: int = Field(default=5, ge=1, le=limits.MAX_PAGE_TASKS)
    callback: str | None = Field(default=None, max_length=8_000, description="Where callbacks go without a URL.")


class NewDelivery(_Body):
    project: str = Field(min_length=1, max_length=300, description="The client's name of its project.")
    name: str = Field(min_length=1, max_length=300)


class Secret(_Body):
    """What the header scale-callback-auth of every callback of this world says."""

    header: str
    value: str


@router.get("/terms", summary="What orders pay", response_model=Terms)
async def read_terms(request: Request, who: Manager) -> Response:
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await service.terms(conn, who.tenant))


@router.put("/terms", summary="Set what orders pay", response_model=Terms)
async def set_terms(request: Request, who: Manager, body: TermsIn) -> Response:
    """For lines that are built from now on; what is in the queue keeps its price."""
    run = runtime(request)
    told = body.model_dump()
    if body.callback:
        told["callback"] = callbacks.check_receiver(run, body.callback, "callback")
    async with run.db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await service.set_terms(conn, who.tenant, Terms(**told)))


@router.get("/callback-auth", summary="How to recognise our callbacks", response_model=Secret)
async def callback_auth(request: Request, who: Manager) -> Response:
    return reply({"header": callback_model.AUTH_HEADER, "value": callbacks.auth(runtime(request), who.tenant)})


@router.get("/callbacks", summary="The log of callbacks", response_model=Listed[callback_model.Delivery])
async def list_callbacks(
    request: Request,
    who: Manager,
    task: UUID | None = None,
    state: callback_model.State | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    before = decode_cursor(cursor, UUID)
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await callbacks.deliveries(conn, who.tenant, task=task, state=state, before=before, limit=limit + 1)
    return listed(rows, limit, lambda row: row.id)


@router.get("/callbacks/{callback}", summary="A callback with its body", response_model=callback_model.Message)
async def read_callback(request: Request, who: Manager, callback: UUID) -> Response:
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await callbacks.message(conn, who.tenant, callback))


@router.post("/callbacks/{callback}/resend", summary="Send a callback again", response_model=callback_model.Delivery)
async def resend(request: Request, who: Manager, callback: UUID) -> Response:
    async def work(conn: Conn) -> callback_model.Delivery:
        return await callbacks.resend(conn, who.tenant, callback)

    return await post(request, who, work, status=200)


@router.post("/deliveries", summary="Deliver", status_code=201, response_model=delivery_model.Delivery)
async def deliver(request: Request, who: Manager, body: NewDelivery) -> Response:
    """Freeze the responses of a client's project as they are now. Releases of its lines are delivered by themselves."""

    async def work(conn: Conn) -> delivery_model.Delivery:
        project = await projects.project_named(conn, who.tenant, body.project)
        return await deliveries.deliver(conn, who.tenant, project.id, body.name)

    return await post(request, who, work)
