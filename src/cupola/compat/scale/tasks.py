"""v1: tasks, and evaluation and training tasks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from cupola.compat.scale import attachments, intake, outcome, shapes
from cupola.compat.scale.types import TYPES
from cupola.compat.scale.types.check import Fields, wrong
from cupola.compat.scale.wire import Call, Conn, metadata_text, shown_token
from cupola.kernel import states
from cupola.kernel.errors import invalid, not_found
from cupola.orders import model, service
from cupola.orders.model import Filter
from cupola.orders.projects import service as projects

Json = dict[str, Any]


class Next(msgspec.Struct, array_like=True):
    """A token: the last task seen, how many there are in all, how many were shown."""

    before: UUID
    total: int
    offset: int


async def create(conn: Conn, call: Call) -> Json:
    order = await intake.create(conn, call, call.path["type"], call.object(), model.PRODUCTION)
    return shapes.task(await service.order(conn, call.tenant, order), call.world)


async def read(conn: Conn, call: Call) -> Json:
    order = await service.order(conn, call.tenant, call.id("task", "task"))
    if order.role != model.PRODUCTION:
        raise not_found("task")
    urls = await attachments.of_orders(conn, call, [order])
    return shapes.task(order, call.world, urls=urls[order.id])


async def cancel(conn: Conn, call: Call) -> Json:
    clear = call.flag("clear_unique_id") or False
    return shapes.task(
        await service.cancel(conn, call.tenant, call.id("task", "task"), clear_unique_id=clear), call.world
    )


async def audit(conn: Conn, call: Call) -> Json:
    """accepted true or false; null with comments is a comment. fixed_response (ours) is what it should have been."""
    body = Fields(call.object())
    task = call.id("task", "task")
    comments = body.text("comments", most=20_000)
    fixed = body.within("fixed_response")
    if fixed is not None:
        review = model.FIXED
    elif ("accepted" in body.values and body.values["accepted"] is None) or "accepted" not in body.values:
        if not comments:
            raise wrong("accepted", "is missing")
        review = model.COMMENTED
    else:
        review = model.ACCEPTED if body.flag("accepted") else model.REJECTED
    response = None if fixed is None else msgspec.json.encode(fixed.values).decode()
    order = await service.audit(conn, call.tenant, task, review, comments, call.principal, response)
    await outcome.tell(conn, call.tenant, order, "audit")
    if order.state == model.PENDING:
        await outcome.tell(conn, call.tenant, order, "recall")
    return {**shapes.task(order, call.world), "customer_review_status": states.REVIEW[review]}


async def set_unique_id(conn: Conn, call: Call) -> Json:
    wanted = intake.unique_id_of(Fields(call.object()), required=True)
    return shapes.task(await service.set_unique_id(conn, call.tenant, call.id("task", "task"), wanted), call.world)


async def clear_unique_id(conn: Conn, call: Call) -> Json:
    return shapes.task(await service.set_unique_id(conn, call.tenant, call.id("task", "task"), None), call.world)


async def set_metadata(conn: Conn, call: Call) -> Json:
    text = metadata_text(call.object())
    return shapes.task(await service.set_metadata(conn, call.tenant, call.id("task", "task"), text), call.world)


async def set_priority(conn: Conn, call: Call) -> Json:
    """Ours: the place in the queue, also after creation."""
    wanted = Fields(call.object()).whole("priority", 0, 1_000)
    if wanted is None:
        raise wrong("priority", "is missing")
    return shapes.task(await service.set_priority(conn, call.tenant, call.id("task", "task"), wanted), call.world)


def _tags(how: str) -> Any:
    async def change(conn: Conn, call: Call) -> Json:
        tags = intake.tags_of(call.value([]))
        return shapes.task(await service.change_tags(conn, call.tenant, call.id("task", "task"), how, tags), call.world)

    return change


set_tags, add_tags, delete_tags = _tags("set"), _tags("add"), _tags("remove")


async def filter_of(conn: Conn, call: Call) -> Filter:
    """What GET /v1/tasks asks for. Raises Problem: INVALID naming the parameter, NOT_FOUND for a project or batch."""
    project, batch = call.one("project"), call.one("batch")
    status, kind = call.one("status"), call.one("type")
    if status is not None and status not in states.ORDER:
        raise invalid("query-invalid", f"status: must be one of {', '.join(states.ORDER)}", place="status")
    if kind is not None and kind not in TYPES:
        raise invalid("query-invalid", f"type: {kind[:100]!r} is no type of task", place="type")
    reviews = [word for value in call.several("customer_review_status") for word in value.split(",") if word]
    for word in reviews:
        if word not in states.REVIEW:
            raise invalid(
                "query-invalid",
                f"customer_review_status: must be of {', '.join(states.REVIEW)}",
                place="customer_review_status",
            )
    unique_ids = [value for value in call.several("unique_id") if value]
    if len(unique_ids) > 10 * model.MAX_UNIQUE_IDS:
        raise invalid("query-invalid", "unique_id: names too many at once", place="unique_id")
    created_after, created_before = call.span("start_time", "end_time")
    return Filter(
        project=(await projects.project_named(conn, call.tenant, project)).id if project else None,
        batch=(await projects.batch_named(conn, call.tenant, batch)).id if batch else None,
        type=kind,
        states=[states.ORDER.index(status)] if status else None,
        reviews=[states.REVIEW.index(word) for word in reviews] or None,
        unique_ids=unique_ids or None,
        tags=[value for value in call.several("tags") if value] or None,
        created=(created_after, created_before),
        completed=call.span("completed_after", "completed_before"),
        updated=call.span("updated_after", "updated_before"),
    )


async def listed(conn: Conn, call: Call) -> Json:
    limit = call.limit()
    last: Next | None = call.token(Next)
    wanted = await filter_of(conn, call)
    found = await service.listed(
        conn,
        call.tenant,
        wanted,
        before=last.before if last else None,
        limit=limit,
        total=last.total if last else None,
    )
    if call.flag("limited_response"):
        docs = [shapes.limited(order) for order in found.orders]
    elif call.flag("include_attachment_url"):
        urls = await attachments.of_orders(conn, call, found.orders)
        docs = [shapes.task(order, call.world, urls=urls[order.id]) for order in found.orders]
    else:
        docs = [shapes.task(order, call.world) for order in found.orders]
    offset = last.offset if last else 0
    page: Json = {
        "docs": docs,
        "total": found.total,
        "limit": limit,
        "offset": offset,
        "has_more": found.more,
    }
    if found.more:
        page["next_token"] = shown_token(Next(found.orders[-1].id, found.total, offset + len(docs)))
    return page


def _quality(role: int) -> Any:
    async def make(conn: Conn, call: Call) -> Json:
        order = await service.order(
            conn, call.tenant, await intake.create(conn, call, call.path["type"], call.object(), role)
        )
        shown = shapes.task(order, call.world)
        return {
            **shown,
            "id": str(order.id),
            "expected_response": msgspec.Raw((order.expected or "{}").encode()),
            **({"initial_response": msgspec.Raw(order.initial.encode())} if order.initial else {}),
        }

    return make


create_evaluation, create_training = _quality(model.EVALUATION), _quality(model.TRAINING)
