"""The verbs of deliveries. Each runs in the caller's transaction."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import psycopg

from cupola.kernel import clock, ids
from cupola.kernel.errors import conflict, not_found
from cupola.kernel.words import breaks_a_line
from cupola.orders import store as orders
from cupola.orders.deliveries import store
from cupola.orders.deliveries.model import Delivery, Row, RowFilter
from cupola.orders.deliveries.store import Dataset
from cupola.orders.projects.service import check_name
from cupola.platform import events
from cupola.platform.pg.tx import Conn

Span = tuple[datetime | None, datetime | None]


async def deliver(
    conn: Conn,
    tenant: UUID,
    project: UUID,
    name: str,
    *,
    release: UUID | None = None,
    tasks: list[UUID] | None = None,
) -> Delivery:
    """Deliver the responses of a project as they are now; tasks: only the orders of these foundry tasks.

    Raises Problem (CONFLICT) for a name that is taken in the project.
    """
    new = ids.uuid7()
    try:
        async with conn.transaction():
            await store.ADD.run(
                conn,
                tenant=tenant,
                id=new,
                project=project,
                name=check_name(name, "name"),
                release=release,
                tasks=tasks,
                now=clock.now(),
            )
    except psycopg.errors.UniqueViolation as error:
        raise conflict("name-taken", f"There is a delivery named {name!r}.", remedy="Choose another name.") from error
    await store.ROWS_ADD.run(conn, tenant=tenant, id=new, project=project, tasks=tasks)
    await events.emit(conn, tenant, "order.delivered", new)
    return await store.DELIVERY.one(conn, tenant=tenant, id=new)


async def deliver_release(conn: Conn, tenant: UUID, release: UUID, foundry: UUID) -> Delivery | None:
    """A release of a line becomes a delivery of its client's project, once; None where it is no line's."""
    project = await orders.LINE_PROJECTS.maybe(conn, tenant=tenant, foundry=foundry)
    if project is None or await store.RELEASED.maybe(conn, tenant=tenant, release=release) is not None:
        return None
    rows = await store.RELEASE_TASKS.all(conn, tenant=tenant, release=release)
    if not rows:
        return None
    shown = "".join(" " if breaks_a_line(one) else one for one in rows[0].name[:200])
    name = f"{shown} ({release.hex[-8:]})"
    return await deliver(conn, tenant, project, name, release=release, tasks=[row.id for row in rows])


async def delivery(conn: Conn, tenant: UUID, delivery_id: UUID) -> Delivery:
    """Raises Problem (NOT_FOUND)."""
    row = await store.DELIVERY.maybe(conn, tenant=tenant, id=delivery_id)
    if row is None:
        raise not_found("delivery")
    return row


async def delivery_named(conn: Conn, tenant: UUID, name: str, project: UUID | None) -> Delivery:
    """Raises Problem (NOT_FOUND)."""
    row = await store.NAMED.maybe(conn, tenant=tenant, name=name, project=project)
    if row is None:
        raise not_found(f"delivery {name[:200]!r}")
    return row


async def deliveries(conn: Conn, tenant: UUID, project: UUID | None, delivered: Span) -> list[Delivery]:
    return await store.LIST.all(
        conn, tenant=tenant, project=project, delivered_from=delivered[0], delivered_to=delivered[1]
    )


async def rows(
    conn: Conn, tenant: UUID, wanted: RowFilter, after: tuple[UUID, UUID] | None, limit: int
) -> tuple[list[Row], bool]:
    """A page of delivered orders by (delivery, task), and whether more follow."""
    found = await store.ROWS.all(
        conn,
        tenant=tenant,
        delivery=wanted.delivery,
        project=wanted.project,
        task=wanted.task,
        delivered_from=wanted.delivered[0],
        delivered_to=wanted.delivered[1],
        after_delivery=after[0] if after else ids.FIRST,
        after_task=after[1] if after else ids.FIRST,
        limit=limit + 1,
    )
    return found[:limit], len(found) > limit


async def datasets(conn: Conn, tenant: UUID) -> list[Dataset]:
    """The projects that something was delivered of."""
    return await store.DATASETS.all(conn, tenant=tenant)
