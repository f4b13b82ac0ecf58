"""The verbs of training.

A training project stands beside the project that it trains for, with the same ontology, guidelines and price, and is
all gold. So a training answer is claimed, leased, judged and paid like any other, and can reach neither the other
project's labels nor its releases. Whoever is new to the project is offered its training first, and the project once
they passed (schema/functions/training.sql). Hidden gold stays hidden: nothing here tells of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from cupola.kernel import clock
from cupola.kernel.errors import conflict, invalid, not_found
from cupola.labels import Ontology, decode_label, same
from cupola.platform import events
from cupola.platform.pg.tx import Conn
from cupola.platform.runtime import Runtime
from cupola.tasks import service as tasks
from cupola.tasks import store as every
from cupola.tasks.model import Plan
from cupola.tasks.single import service as single
from cupola.tasks.single.service import ForItem
from cupola.tasks.stages import NewProject
from cupola.tasks.training import model, store
from cupola.tasks.training.model import Feedback, Progress, Training


# ---------------------------------------------------------------- workers
async def progress(conn: Conn, tenant: UUID, training: UUID, worker: UUID) -> Progress:
    return await store.PROGRESS.one(conn, tenant=tenant, project=training, worker=worker)


async def mark(
    conn: Conn, tenant: UUID, training: UUID, worker: UUID, ontology: Ontology, judgements: Sequence[UUID]
) -> tuple[dict[UUID, Feedback], Progress]:
    """Compare judgements just made in training with what is right, and write down who passed by it.

    In the transaction of the submit. A judgement that was marked before is answered with the same feedback.
    """
    told: dict[UUID, Feedback] = {}
    for row in await store.EXPECTED.all(conn, tenant=tenant, worker=worker, judgements=list(judgements)):
        right = same(decode_label(row.label), decode_label(row.expected), ontology)
        told[row.judgement] = Feedback(right, msgspec.Raw(row.expected.encode()))
    found = await store.MARK.one(
        conn,
        tenant=tenant,
        project=training,
        worker=worker,
        judgements=list(told),
        right=[one.right for one in told.values()],
        now=clock.now(),
    )
    return told, found


# ---------------------------------------------------------------- requesters
async def of_project(conn: Conn, tenant: UUID, project: UUID) -> Training | None:
    """A project's training, or None where it has none."""
    return await store.VIEW.maybe(conn, tenant=tenant, project=project)


async def beside(conn: Conn, run: Runtime, tenant: UUID, project: UUID, share: float | None = None) -> UUID:
    """The training project of a project; made, as a draft, where there is none. share: what it takes to pass.

    Raises Problem: NOT_FOUND; CONFLICT for a project that is training itself; INVALID for a share.
    """
    if share is not None:
        model.check_share(share)
    pair = await store.PAIR.maybe(conn, tenant=tenant, project=project)
    if pair is None:
        raise not_found("project")
    if pair.trains is not None:
        raise conflict("training-of-training", "This project is training itself.", remedy="Name the one it trains for.")
    if pair.training is not None:
        if share is not None:
            await store.SHARE.run(conn, tenant=tenant, training=pair.training, share=share)
        return pair.training
    of = await tasks.project_view(conn, tenant, project)
    made = await tasks.create_project(
        conn,
        run,
        tenant,
        NewProject(
            name=f"{of.name[:180]} / training",
            dataset=of.dataset,
            ontology_version=of.ontology_version,
            plan=Plan(min_judgements=1, max_judgements=1, gold_rate=0.0, audit_items=0),
            price_minor=of.offer.price_minor,
            currency=of.currency,
            median_s=of.offer.median_s,
            p75_s=of.offer.p75_s,
            page_size=of.page_size,
            lease_s=of.lease_s,
            routing="open",
        ),
    )
    named = {"tenant": tenant, "project": project, "training": made.id}
    await store.PAIR_UP.run(conn, **named, share=model.PASS_SHARE if share is None else share)
    await store.PAIRED.run(conn, tenant=tenant, project=project, training=made.id)
    return made.id


async def teach(conn: Conn, run: Runtime, tenant: UUID, project: UUID, labels: Sequence[tuple[str, Any]]) -> Training:
    """Make training tasks of items of the project's dataset: (reference, the label that is right).

    What people learn from is no work any more: the project's own task about such an item is cancelled.
    Raises Problem: NOT_FOUND; INVALID naming the label; CONFLICT for an item that somebody works on already.
    """
    training = await beside(conn, run, tenant, project)
    wanted = []
    for index, (ref, label) in enumerate(labels):
        found = await store.ITEM.maybe(conn, tenant=tenant, project=project, ref=ref)
        if found is None:
            raise invalid(
                "item-unknown", f"There is no item {ref[:200]!r} in the project's dataset.",
                place=f"/labels/{index}/ref", remedy="Import it first.",
            )  # fmt: skip
        if found.task is not None and not await single.cancel_tasks(conn, tenant, [found.task]):
            raise conflict(
                "item-in-work",
                f"The item {ref[:200]!r} is gold, or somebody has begun to work on it.",
                remedy="Teach with another item.",
                place=f"/labels/{index}/ref",
            )
        wanted.append(ForItem(found.item, gold=label))
    await single.add_tasks_of(conn, tenant, training, wanted)
    view = await of_project(conn, tenant, project)
    assert view is not None
    return view


async def open_up(conn: Conn, tenant: UUID, project: UUID) -> Training:
    """Offer the training, to newcomers before the project itself. Like every offer it needs tasks and money.

    project: the one that is trained for, or its training. One that is open already stays so.
    Raises Problem: NOT_FOUND for a project without training; CONFLICT "no-tasks", "no-budget".
    """
    pair = await store.PAIR.maybe(conn, tenant=tenant, project=project)
    project = pair.trains if pair is not None and pair.trains is not None else project
    view = await of_project(conn, tenant, project)
    if view is None:
        raise not_found("training")
    if view.tasks == 0:
        raise conflict("no-tasks", "The training has no tasks yet.", remedy="Add labels to learn from.")
    if view.state == "live":
        return view
    if (await every.MONEY.one(conn, tenant=tenant, projects=[view.training])).budget_minor <= 0:
        raise conflict(
            "no-budget",
            "No money is allotted to the training, and nobody is trained without pay.",
            remedy="Allot some to the training project.",
        )
    if await store.OPEN.maybe(conn, tenant=tenant, training=view.training, now=clock.now()) is not None:
        await events.emit(conn, tenant, "project.launched", view.training, view.training)
    opened = await of_project(conn, tenant, project)
    assert opened is not None
    return opened
