"""From assignments and groups to crews: who is offered the tasks of a project or a batch.

A batch that was given to groups is for their members. Any other task of a project is for the people assigned to it and
the members of its groups; where there are none of either, for everybody. A crew bears the identifier of the batch or
project that it works on.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from cupola.orders.studio import store
from cupola.platform.pg.tx import Conn
from cupola.tasks.crews import service as crews


async def changed(conn: Conn, tenant: UUID, project: UUID) -> None:
    """Assignments, groups, or whose batch is whose changed: let it hold for what is in the queue, and what comes."""
    await store.CREWS_LOCK.run(conn, tenant=str(tenant))
    found = await store.CREWS.all(conn, tenant=tenant, project=project)
    await crews.keep(conn, tenant, {row.crew: row.emails for row in found})
    rows = await store.CREWS_OF_PROJECT.all(conn, tenant=tenant, project=project)
    await crews.give(conn, tenant, [(row.foundry_task, row.crew) for row in rows])


async def placed(conn: Conn, tenant: UUID, orders: Sequence[UUID]) -> None:
    """These orders came into the queue, or came back: whom are they for?"""
    await store.CREWS_SHARE.run(conn, tenant=str(tenant))
    rows = await store.CREWS_OF_ORDERS.all(conn, tenant=tenant, orders=list(orders))
    await crews.give(conn, tenant, [(row.foundry_task, row.crew) for row in rows])
