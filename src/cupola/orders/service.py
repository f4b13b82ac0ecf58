"""The verbs of orders. Each runs in the caller's transaction and emits what happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from cupola.kernel import clock, ids, states
from cupola.kernel.errors import conflict, invalid, not_found
from cupola.orders import model, store
from cupola.orders.model import Audit, Filter, Found, NewOrder, Order, Settled, Terms
from cupola.orders.projects import service as projects
from cupola.orders.projects.model import IN_PROGRESS, Batch, joined_metadata
from cupola.orders.studio import crews
from cupola.platform import events
from cupola.platform.pg.tx import Conn
from cupola.tasks.single import service as tasks


async def create(conn: Conn, tenant: UUID, new: NewOrder) -> UUID:
    """Keep an order; what can be worked on is placed by whoever hears `order.created`.

    Raises Problem (CONFLICT) "unique-id-taken". The unique id is committed with the order: who lost the reply and
    asks again finds it.
    """
    order = ids.uuid7()
    kept = await store.ADD.run(
        conn,
        tenant=tenant,
        id=order,
        type=new.type,
        role=new.role,
        project=new.project,
        project_version=new.project_version,
        batch=new.batch,
        unique_id=new.unique_id,
        free_unique_id_on_error=new.free_unique_id_on_error,
        instruction=new.instruction,
        params=new.params,
        metadata=new.metadata,
        tags=new.tags,
        priority=new.priority,
        callback=new.callback,
        work=None if new.work is None else msgspec.json.encode(new.work).decode(),
        waits="editor" if new.work is None and new.waits != "frames" else new.waits,
        expected=new.expected,
        initial=new.initial,
        now=clock.now(),
    )
    if not kept:
        raise model.duplicate(new.unique_id or "")
    await events.emit(conn, tenant, "order.created", order, role=states.ROLE[new.role])
    return order


async def order(conn: Conn, tenant: UUID, order_id: UUID) -> Order:
    """Raises Problem (NOT_FOUND)."""
    row = await store.ORDER.maybe(conn, tenant=tenant, id=order_id)
    if row is None:
        raise not_found("task")
    return row


async def _locked(conn: Conn, tenant: UUID, order_id: UUID) -> Order:
    if await store.LOCK.maybe(conn, tenant=tenant, id=order_id) is None:
        raise not_found("task")
    return await store.ORDER.one(conn, tenant=tenant, id=order_id)


async def listed(
    conn: Conn, tenant: UUID, wanted: Filter, *, before: UUID | None, limit: int, total: int | None = None
) -> Found:
    """A page of orders, newest first. total: known from the page before; None counts."""
    given: dict[str, Any] = {
        "tenant": tenant,
        "project": wanted.project,
        "batch": wanted.batch,
        "in_project": wanted.in_project,
        "type": wanted.type,
        "states": wanted.states,
        "reviews": wanted.reviews,
        "unique_ids": wanted.unique_ids,
        "tags": wanted.tags,
        "created_from": wanted.created[0],
        "created_to": wanted.created[1],
        "completed_from": wanted.completed[0],
        "completed_to": wanted.completed[1],
        "updated_from": wanted.updated[0],
        "updated_to": wanted.updated[1],
    }
    rows = await store.LIST.all(conn, **given, before=before or ids.LAST, limit=limit + 1)
    counted = await store.COUNT.one(conn, **given) if total is None else total
    return Found(rows[:limit], counted, len(rows) > limit)


async def cancel(conn: Conn, tenant: UUID, order_id: UUID, *, clear_unique_id: bool) -> Order:
    """Cancel an order that nobody has begun to work on.

    Raises Problem: NOT_FOUND; INVALID "task-not-pending" or "task-begun".
    """
    row = await _locked(conn, tenant, order_id)
    if row.state != model.PENDING:
        raise invalid(
            "task-not-pending",
            f"The task is {states.ORDER[row.state]}; only a pending one can be canceled.",
            remedy="Read it with GET /v1/task/{id}.",
        )
    if row.foundry_task is not None and not await tasks.cancel_tasks(conn, tenant, [row.foundry_task]):
        raise invalid(
            "task-begun", "Somebody has begun to work on this task, and their work is paid for.", remedy="Let it end."
        )
    await store.CANCEL.run(conn, tenant=tenant, id=order_id, clear=clear_unique_id, now=clock.now())
    await events.emit(conn, tenant, "order.canceled", order_id)
    return await store.ORDER.one(conn, tenant=tenant, id=order_id)


async def set_unique_id(conn: Conn, tenant: UUID, order_id: UUID, unique_id: str | None) -> Order:
    """Set or clear the unique id. Raises Problem: NOT_FOUND, CONFLICT "unique-id-taken"."""
    await _locked(conn, tenant, order_id)
    try:
        async with conn.transaction():
            await store.SET_UNIQUE_ID.run(conn, tenant=tenant, id=order_id, unique_id=unique_id, now=clock.now())
    except psycopg.errors.UniqueViolation as error:
        raise model.duplicate(unique_id or "") from error
    return await store.ORDER.one(conn, tenant=tenant, id=order_id)


async def set_metadata(conn: Conn, tenant: UUID, order_id: UUID, metadata: str, *, merge: bool = False) -> Order:
    """Replace an order's metadata (JSON text of an object), or merge into it. Raises Problem (NOT_FOUND)."""
    row = await _locked(conn, tenant, order_id)
    if merge:
        metadata = joined_metadata(row.metadata, metadata)
    await store.SET_METADATA.run(conn, tenant=tenant, id=order_id, metadata=metadata, now=clock.now())
    return await store.ORDER.one(conn, tenant=tenant, id=order_id)


async def change_tags(conn: Conn, tenant: UUID, order_id: UUID, how: str, tags: list[str]) -> Order:
    """set, add or remove tags; each stands once, in the order it came. Raises Problem: NOT_FOUND, INVALID."""
    row = await _locked(conn, tenant, order_id)
    have = row.tags or []
    match how:
        case "set":
            wanted = list(dict.fromkeys(tags))
        case "add":
            wanted = list(dict.fromkeys([*have, *tags]))
        case _:
            wanted = [tag for tag in have if tag not in set(tags)]
    if len(wanted) > model.MAX_TAGS:
        raise invalid("too-many-tags", f"A task has at most {model.MAX_TAGS} tags.", place="tags")
    await store.SET_TAGS.run(conn, tenant=tenant, id=order_id, tags=wanted, now=clock.now())
    return await store.ORDER.one(conn, tenant=tenant, id=order_id)


async def complete(conn: Conn, tenant: UUID, order_id: UUID, response: str) -> Order:
    """The response (JSON text) of an order; a second one takes the first one's place."""
    await _locked(conn, tenant, order_id)
    if not await store.COMPLETE.run(conn, tenant=tenant, id=order_id, response=response, now=clock.now()):
        raise conflict("task-not-pending", "The task is neither pending nor completed.", remedy="Nothing to do.")
    await events.emit(conn, tenant, "order.completed", order_id)
    return await store.ORDER.one(conn, tenant=tenant, id=order_id)


async def fail(conn: Conn, tenant: UUID, order_id: UUID, error: str) -> Order | None:
    """An order that cannot be made; None where it is not pending any more."""
    if not await store.FAIL.run(conn, tenant=tenant, id=order_id, error=error[:2_000], now=clock.now()):
        return None
    await events.emit(conn, tenant, "order.failed", order_id)
    return await store.ORDER.one(conn, tenant=tenant, id=order_id)


async def audit(
    conn: Conn,
    tenant: UUID,
    order_id: UUID,
    review: int,
    comments: str | None,
    principal: str,
    response: str | None = None,
) -> Order:
    """Write down a client's verdict about a completed order. A rejected one goes back to be done again.

    review: a code of states.REVIEW but 0. response: what the client made of it, for "fixed".
    Raises Problem: NOT_FOUND; INVALID for an order that is not completed.
    """
    row = await _locked(conn, tenant, order_id)
    if row.state != model.COMPLETED:
        raise invalid(
            "task-not-completed",
            f"The task is {states.ORDER[row.state]}; only a completed one can be audited.",
            remedy="Wait for its response.",
        )
    now = clock.now()
    await store.AUDIT_ADD.run(
        conn,
        tenant=tenant,
        id=ids.uuid7(),
        task=order_id,
        review=review,
        comments=comments,
        response=row.response,
        principal=principal,
        now=now,
    )
    await store.REVIEW.run(conn, tenant=tenant, id=order_id, review=review, response=response, now=now)
    if review == model.REJECTED and row.foundry_task is not None:
        # what was judged so far counts no more; it stays, and stays paid
        await tasks.reopen_task(conn, tenant, row.foundry_task)
        await store.REOPEN.run(conn, tenant=tenant, id=order_id, now=now)
        await crews.placed(conn, tenant, [order_id])
        if row.batch is not None:
            await projects.reopen(conn, tenant, row.batch)
        await events.emit(conn, tenant, "order.recalled", order_id)
    await events.emit(conn, tenant, "order.audited", order_id, review=states.REVIEW[review])
    return await store.ORDER.one(conn, tenant=tenant, id=order_id)


async def audits(conn: Conn, tenant: UUID, order_id: UUID) -> list[Audit]:
    return await store.AUDITS.all(conn, tenant=tenant, task=order_id)


async def settled(conn: Conn, tenant: UUID, found: list[UUID]) -> list[Settled]:
    """The orders behind foundry tasks that were settled, with their newest settlement; locked."""
    made: list[Settled] = []
    for row in await store.BY_FOUNDRY.all(conn, tenant=tenant, tasks=found):
        assert row.foundry_task is not None
        last = await tasks.newest_settlement(conn, tenant, row.foundry_task)
        if last is not None and row.state == model.PENDING:
            made.append(Settled(row, last.label, last.id, last.how))
    return made


async def set_priority(conn: Conn, tenant: UUID, order_id: UUID, priority: int) -> Order:
    """Move an order within its queue: a higher priority is worked on first. Raises Problem (NOT_FOUND)."""
    await _locked(conn, tenant, order_id)
    await store.PRIORITY.run(conn, tenant=tenant, id=order_id, priority=priority, now=clock.now())
    for queued in await store.QUEUED_ONE.all(conn, tenant=tenant, id=order_id):
        await tasks.put_in_band(conn, tenant, [(queued.foundry_task, model.band(queued.position, priority))])
    return await store.ORDER.one(conn, tenant=tenant, id=order_id)


async def reorder_batches(conn: Conn, tenant: UUID) -> None:
    """Put what waits in the queue into the order of its batches."""
    rows = await store.QUEUED.all(conn, tenant=tenant)
    await tasks.put_in_band(conn, tenant, [(row.foundry_task, model.band(row.position, row.priority)) for row in rows])


async def world(conn: Conn, tenant: UUID) -> str:
    """ "live" or "test"."""
    return await store.WORLD.one(conn, tenant=tenant)


async def doubtful(conn: Conn, tenant: UUID, found: list[UUID]) -> None:
    """Say of the orders behind these foundry tasks that they wait for an expert."""
    await store.DOUBTFUL.run(conn, tenant=tenant, tasks=found)


async def waiting_for_frames(conn: Conn, tenant: UUID, order_id: UUID) -> Order | None:
    """The order, if its frames are still to be fetched and checked."""
    row = await store.ORDER.maybe(conn, tenant=tenant, id=order_id)
    return row if row is not None and row.state == model.PENDING and row.waits == "frames" else None


async def with_frames(conn: Conn, tenant: UUID, orders: Sequence[UUID]) -> list[UUID]:
    """Those of some orders whose frames are still to be fetched and checked."""
    return [row.id for row in await store.WITH_FRAMES.all(conn, tenant=tenant, ids=list(orders))] if orders else []


async def waits_for_budget(conn: Conn, tenant: UUID) -> bool:
    """Whether an order waits for money."""
    return await store.WAITS_FOR_BUDGET.one(conn, tenant=tenant)


async def wait_for_editor(conn: Conn, tenant: UUID, order_id: UUID) -> None:
    """Its frames are right: now it waits for an editor."""
    await store.WAITS.run(conn, tenant=tenant, ids=[order_id], waits="editor")


async def batch_counts(conn: Conn, tenant: UUID, batch: UUID) -> dict[str, int]:
    """Orders of a batch by the word of their state."""
    rows = await store.BATCH_STATES.all(conn, tenant=tenant, batch=batch)
    return {states.ORDER[row.state]: row.orders for row in rows}


async def move_batch(conn: Conn, tenant: UUID, batch: UUID, verb: str) -> Batch:
    """finalize, pause, resume or cancel a batch, and what of its orders nobody has begun.

    What is under way is finished and paid. Raises Problem: NOT_FOUND, CONFLICT.
    """
    moved = await projects.move_batch(conn, tenant, batch, verb)
    held = [row.foundry_task for row in await store.HELD.all(conn, tenant=tenant, batch=batch)]
    if verb == "cancel":
        cancelled = await tasks.cancel_tasks(conn, tenant, held)
        await store.CANCEL_UNPLACED.run(conn, tenant=tenant, batch=batch, cancelled=cancelled, now=clock.now())
    elif moved.state == IN_PROGRESS:
        await store.BATCH_WAITS.run(conn, tenant=tenant, batch=batch, waits="placing")
    else:
        await store.BATCH_WAITS.run(conn, tenant=tenant, batch=batch, waits="batch")
    if held and verb != "cancel":
        await tasks.hold_tasks(conn, tenant, held, held=moved.state != IN_PROGRESS)
    return moved


async def terms(conn: Conn, tenant: UUID) -> Terms:
    return await store.TERMS.maybe(conn, tenant=tenant) or Terms()


async def set_terms(conn: Conn, tenant: UUID, wanted: Terms) -> Terms:
    """Raises Problem (INVALID) with the place."""
    model.check_terms(wanted)
    await store.TERMS_SET.run(
        conn,
        tenant=tenant,
        price_minor=wanted.price_minor,
        currency=wanted.currency,
        min_judgements=wanted.min_judgements,
        max_judgements=wanted.max_judgements,
        target_accuracy=wanted.target_accuracy,
        page_size=wanted.page_size,
        callback=wanted.callback,
    )
    await events.emit(conn, tenant, "order.terms", None)
    return await terms(conn, tenant)
