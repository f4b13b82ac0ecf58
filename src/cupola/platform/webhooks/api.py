"""Routes of webhooks and their delivery log."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cupola.platform import net, web
from cupola.platform.once import Once
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.web import Cursor, Limit, Listed, Manager, decode_cursor, listed, nothing, post, reply
from cupola.platform.web_once import post_secret
from cupola.platform.webhooks import model, service

router = APIRouter(prefix="/api", tags=["webhooks"])

Url = Annotated[str, Field(min_length=8, max_length=net.MAX_URL_CHARS, examples=["https://example.org/cupola"])]
Kinds = Annotated[list[str], Field(min_length=1, max_length=model.MAX_KINDS, examples=[["task.settled", "release.*"]])]


class NewWebhook(BaseModel):
    model_config = ConfigDict(extra="forbid")
    url: Url
    events: Kinds


class WebhookChange(BaseModel):
    model_config = ConfigDict(extra="forbid")
    url: Url | None = None
    events: Kinds | None = None
    state: model.State | None = None


@router.post("/webhooks", summary="Make a webhook", status_code=201, response_model=model.MadeWebhook)
async def create(request: Request, who: Manager, body: NewWebhook) -> Response:
    """Events go to `url` as POST with a JSON body {id, kind, at, subject, project, data} and the header
    `Cupola-Signature: t=<Unix seconds>,v1=<hex>`, where v1 is the HMAC-SHA256 of "t.body" under `secret`, which is
    shown this once. Any 2xx within 10 s is success; else it is tried 20 times over 24 h. An event may come twice."""
    settings = web.runtime(request).settings
    await service.check_receiver(settings, body.url)

    async def work(conn: Conn, made: Once) -> Any:
        return await service.create(conn, made, settings, who.tenant, body.url, body.events)

    return await post_secret(request, who, work)


@router.get("/webhooks", summary="Webhooks", response_model=Listed[model.Webhook])
async def webhooks(request: Request, who: Manager, limit: Limit = 100, cursor: Cursor = None) -> Response:
    after = decode_cursor(cursor, UUID)
    async with web.runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await service.webhooks(conn, who.tenant, after, limit + 1)
    return listed(rows, limit, lambda row: row.id)


@router.get("/webhooks/{webhook}", summary="One webhook", response_model=model.Webhook)
async def one(request: Request, who: Manager, webhook: UUID) -> Response:
    async with web.runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await service.webhook(conn, who.tenant, webhook))


@router.patch("/webhooks/{webhook}", summary="Change a webhook", response_model=model.Webhook)
async def change(request: Request, who: Manager, webhook: UUID, body: WebhookChange) -> Response:
    """Change the address, the kinds of events, or switch it on and off. Off: nothing new is kept for it, and what
    still waits fails at its next try."""
    if body.url is not None:
        await service.check_receiver(web.runtime(request).settings, body.url)
    async with web.runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        row = await service.change(conn, who.tenant, webhook, url=body.url, kinds=body.events, state=body.state)
    return reply(row)


@router.delete("/webhooks/{webhook}", summary="Delete a webhook and its log", status_code=204)
async def delete(request: Request, who: Manager, webhook: UUID) -> Response:
    async with web.runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        await service.delete(conn, who.tenant, webhook)
    return nothing()


@router.get("/webhooks/{webhook}/deliveries", summary="A webhook's log", response_model=Listed[model.Delivery])
async def deliveries(
    request: Request, who: Manager, webhook: UUID, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Its deliveries, newest first."""
    before = decode_cursor(cursor, UUID)
    async with web.runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await service.deliveries(conn, who.tenant, webhook, before, limit + 1)
    return listed(rows, limit, lambda row: row.id)


@router.post("/deliveries/{delivery}/resend", summary="Send again", response_model=model.Delivery)
async def resend(request: Request, who: Manager, delivery: UUID) -> Response:
    """Send a delivery again, whatever became of it, with all its tries before it."""

    async def work(conn: Conn) -> Any:
        return await service.resend(conn, who.tenant, delivery)

    return await post(request, who, work, status=200)
