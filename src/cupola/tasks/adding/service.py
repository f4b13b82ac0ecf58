"""The tasks of a project from a dataset: one for each item, made at once or, of a large set, by a job in steps."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cupola.kernel import clock, ids, limits
from cupola.kernel.errors import Kind, Problem, conflict, invalid, not_found
from cupola.labels import Label, Ontology, code_of, decode_label, encode, label_meant, validate
from cupola.ontology import service as ontologies
from cupola.platform import events
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.tasks import service as tasks_service
from cupola.tasks import store as tasks
from cupola.tasks.adding import store, telling
from cupola.tasks.model import Adding

AT_ONCE = 20_000  # items of a dataset whose tasks are made while the requester waits
STEP = 5_000  # items of one transaction of the job
LOOKED_AT = 1_000  # items of either sort whose names are compared
NONE, ALL = "", "g"  # below the least and above the greatest key, which is written in hexadecimal


@dataclass(frozen=True, slots=True)
class Added:
    """made: tasks made already; adding: what a job still makes, None when that is all."""

    made: int
    adding: Adding | None


async def add_tasks(conn: Conn, tenant: UUID, project: UUID, dataset: UUID | None, gold_share: float) -> Added:
    """One task for each item of the dataset that has none yet.

    gold_share in [0, 1]: of the items whose true label the manifest gave, this share (drawn, so that no place in the
    manifest tells it) becomes gold; the others are ordinary tasks and nobody is told their label. Of a large dataset
    the first tasks are made here and the others by a job; asked again meanwhile, it says how far that is.
    Raises Problem: NOT_FOUND; CONFLICT for a stopped project, or while another dataset's tasks are made; INVALID for a
    gold label that does not fit the ontology, naming the item.
    """
    row = await tasks.PROJECT_LOCK.maybe(conn, tenant=tenant, id=project)
    if row is None:
        raise not_found("project")
    if row.state == "stopped":
        raise conflict("project-state", "A stopped project takes no tasks.", remedy="Make a new project.")
    source = dataset or row.dataset
    under_way = await store.ADDING.maybe(conn, tenant=tenant, project=project)
    if under_way is not None and not under_way.trouble:
        if under_way.dataset != source:
            raise conflict(
                "tasks-adding",
                "Tasks of another dataset are being made for this project.",
                remedy="Ask again when they are made.",
            )
        return Added(0, shown(under_way))
    items = await store.ITEMS.one(conn, tenant=tenant, dataset=source)
    known = await store.KNOWN.one(conn, tenant=tenant, dataset=source, project=project)
    golds = round(known * gold_share)
    below = NONE if golds == 0 else ALL
    if 0 < golds < known:
        below = await store.GOLD_BELOW.one(conn, tenant=tenant, dataset=source, project=project, golds=golds)
    left = store.AddingRow(project, source, below, ids.FIRST, items, 0, 0, "")
    if items <= AT_ONCE:
        made = (await _step(conn, tenant, row, left, limit=2 * AT_ONCE)).made
        await store.DONE.run(conn, tenant=tenant, project=project)  # what an earlier try left
        return Added(made, None)
    await store.BEGIN.run(
        conn,
        tenant=tenant,
        project=project,
        dataset=source,
        gold_below=below,
        after=ids.FIRST,
        items=items,
        now=clock.now(),
    )
    step = await _step(conn, tenant, row, left, limit=STEP)
    await _note(conn, tenant, project, step)
    await events.emit(conn, tenant, "tasks.requested", project, project)
    found = await store.ADDING.one(conn, tenant=tenant, project=project)
    return Added(step.made, shown(found))


async def run_add(run: Runtime, tenant: UUID, project: UUID) -> None:
    """Make the tasks that are left; begun again, it goes on after the last item that was looked at.

    Raises Problem (UNAVAILABLE) when the database is away. What does not fit ends it with the reason, and what was made
    stays: asked for again, it makes the others.
    """
    while True:
        try:
            async with run.db.tx(Role.APP, tenant=tenant, by_index=True) as conn:
                left = await store.ADDING_LOCK.maybe(conn, tenant=tenant, project=project)
                if left is None or left.trouble:
                    return
                row = await tasks.PROJECT.maybe(conn, tenant=tenant, id=project)
                if row is None or row.state == "stopped":
                    await store.DONE.run(conn, tenant=tenant, project=project)
                    return
                step = await _step(conn, tenant, row, left, limit=STEP)
                await _note(conn, tenant, project, step)
        except Problem as problem:
            if problem.kind is Kind.UNAVAILABLE:
                raise
            await fail_add(run, tenant, project, " ".join(p for p in (problem.detail, problem.remedy) if p))
            return


async def fail_add(run: Runtime, tenant: UUID, project: UUID, said: str) -> None:
    """Write down why the tasks that are left are not made."""
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        await store.TROUBLE.run(conn, tenant=tenant, project=project, trouble=said)
        await events.emit(conn, tenant, "tasks.failed", project, project)


def shown(row: store.AddingRow) -> Adding:
    return Adding(row.made, row.looked_at, row.items, row.trouble)


async def _step(
    conn: Conn, tenant: UUID, project: tasks.ProjectRow, left: store.AddingRow, *, limit: int
) -> store.StepRow:
    """Make the tasks of the next items."""
    place = {"tenant": tenant, "project": project.id, "dataset": left.dataset, "after": left.after}
    golds = []
    if left.gold_below != NONE:
        golds = await store.GOLD_NEXT.all(conn, **place, gold_below=left.gold_below, limit=limit)
    ontology = (await ontologies.decoded(conn, tenant, project.ontology_version)).ontology
    labels = [_gold_label(one.gold_label, ontology, one.ref) for one in golds]
    step = await store.STEP.one(
        conn,
        **place,
        gold=[one.item for one in golds],
        slots=tasks_service.plan_of(project).asked_first,
        limit=limit,
        now=clock.now(),
    )
    if golds:
        await store.GOLD_ADD.run(
            conn,
            tenant=tenant,
            project=project.id,
            items=[one.item for one in golds],
            labels=[encode(label).decode() for label in labels],
            codes=[code_of(label, ontology) for label in labels],
            now=clock.now(),
        )
    if project.routing == "directed" and step.last is not None:
        await store.INVITES_ADD.run(conn, **place, last=step.last)
    if step.made or left.after == ids.FIRST:
        span = {"dataset": left.dataset, "after": left.after, "last": step.last}
        await store.TOTAL.run(conn, tenant=tenant, project=project.id, more=step.ordinary, **span)
        await events.emit(conn, tenant, "tasks.created", project.id, project.id, tasks=step.made)
    if step.made >= limits.GROWN_FROM:
        await store.GROWN.run(conn)
    if step.made:
        await hide_what_tells(conn, tenant, project.id)
    return step


async def hide_what_tells(conn: Conn, tenant: UUID, project: UUID) -> None:
    """Where names, addresses or metadata tell a project's gold, whoever works is shown neither from now on."""
    if await store.TOLD.maybe(conn, tenant=tenant, project=project):
        return
    of = {"tenant": tenant, "project": project, "limit": LOOKED_AT}
    golds = await store.NAMED.all(conn, **of, gold=True)
    others = await store.NAMED.all(conn, **of, gold=False) if golds else []
    if telling.telling([_named(one) for one in golds], [_named(one) for one in others]) is not None:
        await store.NAMES_TELL.run(conn, tenant=tenant, project=project)
        await events.emit(conn, tenant, "project.names-hidden", project, project)


def _named(row: store.NamedRow) -> telling.Named:
    return telling.Named(row.ref, row.url, row.metadata)


async def _note(conn: Conn, tenant: UUID, project: UUID, step: store.StepRow) -> None:
    if step.last is None:
        await store.DONE.run(conn, tenant=tenant, project=project)
    else:
        await store.WENT_ON.run(conn, tenant=tenant, project=project, after=step.last, read=step.read, made=step.made)


def _gold_label(text: str, ontology: Ontology, ref: str) -> Label:
    try:
        label = label_meant(decode_label(text), ontology)
        validate(label, ontology)
    except Problem as problem:
        raise invalid(
            problem.code,
            f"The gold label of item {ref!r} does not fit the ontology: {problem.detail}",
            remedy=problem.remedy or "Mend the manifest or the ontology, or add the tasks with gold_share 0.",
            place=problem.place,
            ref=ref,
        ) from problem
    return label
