"""Verbs for single tasks: make them for given items, cancel, hold back, do again. In the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cupola.kernel import clock
from cupola.kernel.errors import conflict, not_found
from cupola.labels import code_of, encode, label_from, validate
from cupola.ontology import service as ontologies
from cupola.platform import events
from cupola.platform.pg.tx import Conn
from cupola.tasks import store as every
from cupola.tasks.adding import store as adding
from cupola.tasks.single import store

DEFAULT_BAND = 1_000


@dataclass(frozen=True, slots=True)
class ForItem:
    """A task to be made. band: lower ones are worked on first; gold: the right label, which makes it a gold task."""

    item: UUID
    band: int = DEFAULT_BAND
    gold: Any | None = None


async def add_tasks_of(conn: Conn, tenant: UUID, project: UUID, wanted: Sequence[ForItem]) -> dict[UUID, UUID]:
    """A task for each item that has none in the project; returns {item: task}, also for those that had one.

    Raises Problem: NOT_FOUND; CONFLICT for a stopped project; INVALID for a gold label that does not fit.
    """
    row = await every.PROJECT_LOCK.maybe(conn, tenant=tenant, id=project)
    if row is None:
        raise not_found("project")
    if row.state == "stopped":
        raise conflict("project-state", "A stopped project takes no tasks.", remedy="Make a new project.")
    ontology = (await ontologies.decoded(conn, tenant, row.ontology_version)).ontology
    golds = {}
    for one in wanted:
        if one.gold is not None:
            label = label_from(one.gold)
            validate(label, ontology)
            golds[one.item] = label
    made = await store.TASKS_OF_ITEMS.all(
        conn,
        tenant=tenant,
        project=project,
        items=[one.item for one in wanted],
        bands=[one.band for one in wanted],
        golds=[one.item in golds for one in wanted],
        slots=row.min_judgements,
        total=row.tasks_total,
        now=clock.now(),
    )
    if golds:
        items = list(golds)
        await adding.GOLD_ADD.run(
            conn,
            tenant=tenant,
            project=project,
            items=items,
            labels=[encode(golds[item]).decode() for item in items],
            codes=[code_of(golds[item], ontology) for item in items],
            now=clock.now(),
        )
    more = sum(one.made and one.item not in golds for one in made)
    await store.MORE_TASKS.run(conn, tenant=tenant, project=project, more=more, items=[one.item for one in wanted])
    await events.emit(conn, tenant, "tasks.created", project, project, tasks=len(made))
    return {one.item: one.id for one in made}


async def state_of(conn: Conn, tenant: UUID, project: UUID) -> str:
    """A project's state. Raises Problem (NOT_FOUND)."""
    state = await store.STATE.maybe(conn, tenant=tenant, project=project)
    if state is None:
        raise not_found("project")
    return state


async def cancel_tasks(conn: Conn, tenant: UUID, tasks: Sequence[UUID]) -> list[UUID]:
    """Cancel those that nobody has begun; returns them."""
    rows = await store.TASKS_CANCEL.all(conn, tenant=tenant, tasks=list(tasks)) if tasks else []
    for row in rows:
        await events.emit(conn, tenant, "task.cancelled", row.id)
    return [row.id for row in rows]


async def hold_tasks(conn: Conn, tenant: UUID, tasks: Sequence[UUID], *, held: bool) -> None:
    """Take those that nobody has begun out of the queue, or put them back."""
    await (store.TASKS_HOLD if held else store.TASKS_FREE).run(conn, tenant=tenant, tasks=list(tasks))


async def reopen_task(conn: Conn, tenant: UUID, task: UUID) -> None:
    """Have a settled task done again by others. Earlier judgements and settlements stay; they count no more."""
    project = await store.TASK_REOPEN.maybe(conn, tenant=tenant, task=task, now=clock.now())
    if project is not None:
        await store.EPOCH.run(conn, tenant=tenant, project=project)
        await events.emit(conn, tenant, "task.reopened", task, project)


async def put_in_band(conn: Conn, tenant: UUID, wanted: Sequence[tuple[UUID, int]]) -> None:
    """Move tasks within their queues: (task, band); lower bands are worked on first."""
    if not wanted:
        return
    tasks = [task for task, _ in wanted]
    await store.TASKS_BAND.run(conn, tenant=tenant, tasks=tasks, bands=[band for _, band in wanted])
    await store.EPOCHS.run(conn, tenant=tenant, tasks=tasks)


async def newest_settlement(conn: Conn, tenant: UUID, task: UUID) -> every.SettlementRow | None:
    """The settlement that counts: of a task that is done again, none from before."""
    return await store.SETTLED.maybe(conn, tenant=tenant, task=task)
