"""v2: deliveries, and the datasets they make up. What was delivered never changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from fastapi import Response

from cupola.compat.scale import attachments
from cupola.compat.scale.types.check import wrong
from cupola.compat.scale.v2 import shapes
from cupola.compat.scale.v2.work import asked as asked_for
from cupola.compat.scale.v2.work import chosen, find_project, projects_of, schema_id
from cupola.compat.scale.wire import Call, Conn, read_id, shown_time, shown_token
from cupola.kernel.errors import not_found
from cupola.orders import service as orders
from cupola.orders.deliveries import service
from cupola.orders.deliveries.model import Delivery, Row, RowFilter
from cupola.orders.files import service as files
from cupola.orders.model import COMPLETED, Order
from cupola.orders.projects import service as projects

Json = dict[str, Any]


class AfterRow(msgspec.Struct, array_like=True):
    """A token: the last row seen."""

    delivery: UUID
    task: UUID


async def listed(conn: Conn, call: Call) -> Json:
    project = await find_project(conn, call, asked_for(call, "project_id", "project_name"), required=False)
    expand = chosen(call, "expand", ("project",))
    found = await service.deliveries(
        conn, call.tenant, project.id if project else None, call.span("delivered_after", "delivered_before")
    )
    full = await projects_of(conn, call, {one.project for one in found}) if expand else {}
    return {"deliveries": [shapes.delivery(one, full.get(one.project)) for one in found]}


async def _delivery(conn: Conn, call: Call) -> Delivery:
    project = await find_project(conn, call, asked_for(call, "project_id", "project_name"), required=False)
    if (given := call.one("delivery_id")) is not None:
        return await service.delivery(conn, call.tenant, read_id(given, "delivery"))
    if (name := call.one("delivery_name")) is not None:
        return await service.delivery_named(conn, call.tenant, name, project.id if project else None)
    raise wrong("delivery_id", "is missing, and so is delivery_name")


async def _page(conn: Conn, call: Call, wanted: RowFilter) -> tuple[list[Row], str | None]:
    after: AfterRow | None = call.token(AfterRow)
    rows, more = await service.rows(
        conn, call.tenant, wanted, (after.delivery, after.task) if after else None, call.limit()
    )
    return rows, shown_token(AfterRow(rows[-1].delivery, rows[-1].task)) if more else None


async def read(conn: Conn, call: Call) -> Json:
    delivery = await _delivery(conn, call)
    expand = chosen(call, "expand", ("project", "batch", "delivery"))
    opts = chosen(call, "opts", ("annotation_details", "attachment_details", "model_parameters", "submissions"))
    rows, token = await _page(conn, call, RowFilter(delivery=delivery.id))
    tasks = []
    for row in rows:
        order = _as_delivered(await orders.order(conn, call.tenant, row.task), row)
        frozen = shapes.task(order, opts)
        if "project" in expand and order.project is not None:
            frozen["project"] = shapes.project(await projects.project(conn, call.tenant, order.project))
        tasks.append(frozen)
    page: Json = {
        "delivery": shapes.delivery(delivery) if "delivery" in expand else str(delivery.id),
        "tasks": tasks,
    }
    if token is not None:
        page["next_token"] = token
    return page


class Snapshot(msgspec.Struct):
    """What was told of a task when it was delivered."""

    metadata: str
    completed_at: datetime | None
    batch: UUID | None


def _as_delivered(order: Order, row: Row) -> Order:
    """A task as it was when it was delivered, whatever became of it since."""
    frozen = replace(order, state=COMPLETED, response=row.response, error=None)
    if row.snapshot is None:
        return frozen
    then = msgspec.json.decode(row.snapshot, type=Snapshot)
    return replace(frozen, metadata=then.metadata, completed_at=then.completed_at, batch=then.batch)


async def rows(conn: Conn, call: Call) -> Json:
    """The tasks of deliveries with their raw responses."""
    project = await find_project(conn, call, asked_for(call, "project_id", "project_name"), required=False)
    given = call.one("delivery_id")
    delivery = await service.delivery(conn, call.tenant, read_id(given, "delivery")) if given else None
    found, token = await _page(
        conn, call, RowFilter(delivery=delivery.id if delivery else None, project=project.id if project else None)
    )
    page: Json = {
        "docs": [
            {
                "task_id": str(row.task),
                "created_at": shown_time(row.created_at),
                "delivery_id": str(row.delivery),
                "delivered_at": shown_time(row.delivered_at),
                "response_schema_id": schema_id(row.type),
                "response": msgspec.Raw(row.response.encode()),
            }
            for row in found
        ],
        "total": len(found),
    }
    if token is not None:
        page["next_token"] = token
    return page


# ---------------------------------------------------------------- datasets
async def datasets(conn: Conn, call: Call) -> Json:
    return {"datasets": [shapes.dataset(one.id, one.name) for one in await service.datasets(conn, call.tenant)]}


async def _dataset(conn: Conn, call: Call) -> UUID | None:
    given = call.one("dataset_id")
    return None if given is None else (await projects.project(conn, call.tenant, read_id(given, "dataset"))).id


async def dataset_deliveries(conn: Conn, call: Call) -> Json:
    expand = chosen(call, "expand", ("dataset",))
    found = await service.deliveries(
        conn, call.tenant, await _dataset(conn, call), call.span("delivered_after", "delivered_before")
    )
    return {"deliveries": [shapes.dataset_delivery(one, expanded=bool(expand)) for one in found]}


async def _tasks(conn: Conn, call: Call, found: list[Row]) -> list[Json]:
    expand = chosen(call, "expand", ("dataset", "delivery"))
    deliveries = {one: await service.delivery(conn, call.tenant, one) for one in {row.delivery for row in found}}
    shown = []
    for row in found:
        of = deliveries[row.delivery]
        shown.append(
            {
                "task_id": str(row.task),
                "dataset": shapes.dataset(of.project, of.project_name) if "dataset" in expand else str(of.project),
                "delivery": shapes.dataset_delivery(of, expanded=False) if "delivery" in expand else str(of.id),
                "response": msgspec.Raw(row.response.encode()),
            }
        )
    return shown


async def dataset_delivery(conn: Conn, call: Call) -> Json:
    given = call.one("delivery_id")
    if given is None:
        raise wrong("delivery_id", "is missing")
    delivery = await service.delivery(conn, call.tenant, read_id(given, "delivery"))
    found, token = await _page(conn, call, RowFilter(delivery=delivery.id))
    expand = chosen(call, "expand", ("dataset", "delivery"))
    page: Json = {
        "delivery": shapes.dataset_delivery(delivery, expanded=False) if "delivery" in expand else str(delivery.id),
        "tasks": await _tasks(conn, call, found),
    }
    return {**page, "next_token": token} if token is not None else page


async def dataset_tasks(conn: Conn, call: Call) -> Json:
    given = call.one("delivery_id")
    wanted = RowFilter(
        delivery=(await service.delivery(conn, call.tenant, read_id(given, "delivery"))).id if given else None,
        project=await _dataset(conn, call),
        delivered=call.span("delivered_after", "delivered_before"),
    )
    found, token = await _page(conn, call, wanted)
    page: Json = {"tasks": await _tasks(conn, call, found)}
    return {**page, "next_token": token} if token is not None else page


async def dataset_task(conn: Conn, call: Call) -> Json:
    task = read_id(call.one("task_id"), "task")
    found, _ = await service.rows(conn, call.tenant, RowFilter(task=task), None, 100)
    if not found:
        raise not_found("task")
    return (await _tasks(conn, call, [found[-1]]))[0]


async def response_url(conn: Conn, call: Call) -> Response:
    """A redirect to a file that a delivered response, or its task, names."""
    task = call.id("task", "task")
    wanted = read_id(call.path["attachment"], "attachment")
    found, _ = await service.rows(conn, call.tenant, RowFilter(task=task), None, 1)
    order = await orders.order(conn, call.tenant, task)
    if not found or str(wanted) not in found[0].response + order.params:
        raise not_found("attachment")
    file = await files.file(conn, call.tenant, wanted)
    url = await attachments.url_of(call.run, call.tenant, "", file)
    if url is None:
        raise not_found("attachment")
    return Response(status_code=302, headers={"Location": url})
