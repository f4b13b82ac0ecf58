"""What became of tasks, told to clients: responses written when tasks settle, and callbacks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from cupola.compat.scale import attachments, shapes
from cupola.compat.scale.types import TYPES
from cupola.orders import model, placing, service
from cupola.orders.callbacks import service as callbacks
from cupola.orders.deliveries import service as deliveries
from cupola.orders.model import Order, Settled
from cupola.orders.projects import service as projects
from cupola.orders.projects.model import Batch
from cupola.platform import jobs
from cupola.platform.events import Event
from cupola.platform.pg.tx import Conn
from cupola.platform.runtime import Runtime

log = logging.getLogger("cupola.scale")
# An order may lose its batch's last place, fail, or be recalled; what is told of it is told by its event only where
# nothing can change it any more. Completions and audits are told in their own transaction (`tell`).
KINDS = (
    "order.completed",
    "order.failed",
    "order.recalled",
    "order.created",
    "order.canceled",
    "order.batch.*",
    "task.settled",
    "task.escalated",
    "money.moved",
    "training.judged",
    "release.frozen",
    "project.stopped",
)
# after these a line may hold more than its open orders need, which another may be waiting for
_FREES = frozenset(("order.canceled", "order.failed", "order.completed", "order.batch.cancel", "project.stopped"))


# slow work that orders ask for, by the kind of job; its subject is the tenant, or the order for frames
PLACE, PLACE_FUNDED, TOP_UP, FRAMES = "place", "place-funded", "top-up", "frames"


async def handle(conn: Conn, run: Runtime, tenant: UUID, events: Sequence[Event]) -> None:
    """React to some events of a tenant in the caller's transaction; what takes long is asked for."""
    settled = [event.subject for event in events if event.kind == "task.settled" and event.subject is not None]
    doubtful = [event.subject for event in events if event.kind == "task.escalated" and event.subject is not None]
    if doubtful:
        await service.doubtful(conn, tenant, doubtful)
    if settled:
        await _respond(conn, run, tenant, settled)
    for event in events:
        if event.subject is None:
            continue
        if event.kind in ("order.completed", "order.failed"):
            await _ended(conn, run, tenant, event)
        elif event.kind == "release.frozen" and event.project is not None:
            await deliveries.deliver_release(conn, tenant, event.subject, event.project)
        elif event.kind == "order.canceled":
            order = await service.order(conn, tenant, event.subject)
            if order.batch is not None:
                await batch_done(conn, run, tenant, order.batch)
        elif event.kind == "project.stopped":
            await placing.close_line(conn, tenant, event.subject)
    created = [event.subject for event in events if event.kind == "order.created" and event.subject is not None]
    await jobs.add(conn, tenant, FRAMES, *await service.with_frames(conn, tenant, created))
    moved = {event.data.get("kind") for event in events if event.kind == "money.moved"}
    funded = bool(moved & {"fund", "unallot"})
    if not funded and any(event.kind in _FREES for event in events):
        funded = await service.waits_for_budget(conn, tenant)
    if funded or any(event.kind in ("order.recalled", "training.judged") for event in events):
        await jobs.add(conn, tenant, TOP_UP, tenant)
    if any(event.kind in ("order.created", "order.batch.finalize", "order.batch.resume") for event in events):
        await jobs.add(conn, tenant, PLACE, tenant)
    if funded:
        await jobs.add(conn, tenant, PLACE_FUNDED, tenant)


async def _respond(conn: Conn, run: Runtime, tenant: UUID, tasks: list[UUID]) -> None:
    for one in await service.settled(conn, tenant, tasks):
        try:
            response = response_of(one, run.settings.public_url)
        except Exception:
            # a label that cannot be told in this form: one task's trouble, not everybody's
            log.exception("the response of task %s could not be written", one.order.id)
            await service.fail(conn, tenant, one.order.id, "Its label could not be told in this form.")
            continue
        if response is None:
            await service.fail(conn, tenant, one.order.id, "The people who looked at it could not decide it.")
        else:
            done = await service.complete(conn, tenant, one.order.id, response)
            await tell(conn, tenant, done, "completed")


def response_of(one: Settled, base: str) -> str | None:
    """The response of a settled order as JSON text; None where it was declared undecidable.

    base: our own address, below which files that people handed in are read.
    """
    if one.label is None:
        return None
    params = msgspec.json.decode(one.order.params)
    making = TYPES[one.order.type].making(params, one.order.instruction or "")
    assert making is not None, "only what can be made is placed"
    response = making.response(params, msgspec.json.decode(one.label), one.settlement)
    return msgspec.json.encode(_addressed(response, base)).decode()


def _addressed(value: Any, base: str) -> Any:
    """A response with an address in the place of each file."""
    if isinstance(value, list):
        return [_addressed(one, base) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "file" and "sha256" in value:
        return f"{base}{attachments.HANDED_IN}{value['sha256']}"
    return {name: _addressed(one, base) for name, one in value.items()}


async def tell(conn: Conn, tenant: UUID, order: Order, kind: str) -> None:
    """Put a callback on its way, in the transaction of what it tells: later the order may be another already.

    kind: completed, error, audit, recall.
    """
    if order.role != model.PRODUCTION:
        return
    receiver = order.callback or (await service.terms(conn, tenant)).callback
    if receiver:
        world = await service.world(conn, tenant)
        await callbacks.enqueue(conn, tenant, kind, receiver, body_of(order, world), task=order.id)


async def _ended(conn: Conn, run: Runtime, tenant: UUID, event: Event) -> None:
    assert event.subject is not None
    order = await service.order(conn, tenant, event.subject)
    if event.kind == "order.failed":
        await tell(conn, tenant, order, "error")
    if order.batch is not None and order.role == model.PRODUCTION:
        await batch_done(conn, run, tenant, order.batch)


def body_of(order: Order, world: str) -> bytes:
    """The exact body of a callback."""
    shown = shapes.task(order, world)
    return msgspec.json.encode(
        {
            "task": shown,
            "response": shown.get("response", {}),
            "task_id": shown["task_id"],
            "status": shown["status"],
            **({"error": order.error} if order.error else {}),
        }
    )


async def batch_done(conn: Conn, run: Runtime, tenant: UUID, batch: UUID) -> Batch | None:
    """Complete a batch whose last task is done, and tell its receiver."""
    done = await projects.complete_if_done(conn, tenant, batch)
    if done is not None and done.callback:
        counts = await service.batch_counts(conn, tenant, batch)
        body = msgspec.json.encode({**shapes.batch(done), "batch": done.name, "tasks": counts})
        await callbacks.enqueue(conn, tenant, "batch", done.callback, body, batch=batch)
    return done
