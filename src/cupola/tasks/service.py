"""The requester's verbs: projects, offers, tasks, gold. One transaction each, opened by the caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from cupola.kernel import clock, ids
from cupola.kernel.errors import Problem, conflict, invalid, not_found
from cupola.labels import Label, Ontology, code_of, decode_label, encode, label_from, validate
from cupola.ontology import service as ontologies
from cupola.platform import events
from cupola.platform.pg.tx import Conn
from cupola.platform.runtime import Runtime, short_name
from cupola.tasks import model, store
from cupola.tasks.model import (
    Counts,
    ItemView,
    JudgementView,
    Offer,
    Plan,
    Project,
    SettlementView,
    TaskDetail,
    TaskView,
)

URL_LIFE_S = 3600


@dataclass(frozen=True, slots=True)
class NewProject:
    name: str
    dataset: UUID
    ontology_version: UUID
    plan: Plan
    price_minor: int
    currency: str
    median_s: float | None
    p75_s: float | None
    page_size: int
    lease_s: int
    routing: str


async def create_project(conn: Conn, run: Runtime, tenant: UUID, new: NewProject) -> Project:
    """A project in the state draft: nothing is offered before `launch`."""
    model.check_plan(new.plan)
    if not 0 < new.price_minor <= 10**9:
        raise invalid("price-range", "The price is a positive number of minor units.", place="/offer/price_minor")
    ontology = await ontologies.decoded(conn, tenant, new.ontology_version)
    project = ids.uuid7()
    now = clock.now()
    try:
        await store.PROJECT_ADD.run(
            conn,
            tenant=tenant,
            id=project,
            name=new.name,
            dataset=new.dataset,
            ontology_version=new.ontology_version,
            kind=ontology.ontology.kind,
            target_accuracy=new.plan.target_accuracy,
            confidence=new.plan.confidence,
            min_judgements=new.plan.min_judgements,
            max_judgements=new.plan.max_judgements,
            gold_rate=new.plan.gold_rate,
            audit_items=new.plan.audit_items,
            currency=new.currency,
            page_size=new.page_size,
            lease_s=new.lease_s,
            routing=new.routing,
            now=now,
        )
    except psycopg.errors.UniqueViolation as error:
        raise conflict(
            "name-taken", f"There is a project named {new.name!r}.", remedy="Choose another name."
        ) from error
    except psycopg.errors.ForeignKeyViolation as error:
        raise not_found("dataset") from error
    await _add_offer(conn, run, tenant, project, 1, new.price_minor, new.currency, new.median_s, new.p75_s)
    await events.emit(conn, tenant, "project.created", project, project)
    return await project_view(conn, tenant, project)


async def _add_offer(
    conn: Conn,
    run: Runtime,
    tenant: UUID,
    project: UUID,
    version: int,
    price_minor: int,
    currency: str,
    median_s: float | None,
    p75_s: float | None,
) -> None:
    now = clock.now()
    await store.OFFER_ADD.run(
        conn,
        tenant=tenant,
        project=project,
        version=version,
        price_minor=price_minor,
        fee_bp=run.settings.fee_bp,
        insurance_bp=run.settings.insurance_bp,
        currency=currency,
        median_s=median_s,
        p75_s=p75_s,
        effective_at=now,
        now=now,
    )
    await store.OFFER_VERSION.run(conn, tenant=tenant, project=project, version=version)


async def change_offer(
    conn: Conn, run: Runtime, tenant: UUID, project: UUID, price_minor: int, median_s: float | None, p75_s: float | None
) -> Offer:
    """A new version of the offer, for pages claimed from now on; who holds a page keeps its price.

    A price is only ever raised at once: a cut needs 72 h of notice and is the workforce rules' own verb.
    """
    row = await store.PROJECT_LOCK.maybe(conn, tenant=tenant, id=project)
    if row is None:
        raise not_found("project")
    now = clock.now()
    present = await store.OFFER.maybe(conn, tenant=tenant, project=project, now=now)
    assert present is not None
    if price_minor < present.price_minor and row.state != "draft":
        raise conflict(
            "price-cut",
            f"The price of a launched project is not cut below {present.price_minor}.",
            remedy="Stop this project and make a new one with the lower price, so that nobody is surprised.",
        )
    await _add_offer(conn, run, tenant, project, row.offer_version + 1, price_minor, row.currency, median_s, p75_s)
    await events.emit(conn, tenant, "offer.changed", project, project, version=row.offer_version + 1)
    training = await store.TRAINING_OF.maybe(conn, tenant=tenant, project=project)
    if training is not None:  # learning is paid like the work
        await change_offer(conn, run, tenant, training, price_minor, median_s, p75_s)
    offer = await store.OFFER.maybe(conn, tenant=tenant, project=project, now=clock.now())
    assert offer is not None
    return offer


async def move_project(conn: Conn, tenant: UUID, project: UUID, verb: str) -> Project:
    """launch, pause, resume or stop. What is claimed is always paid for; stopping only ends new claims."""
    row = await store.PROJECT_LOCK.maybe(conn, tenant=tenant, id=project)
    if row is None:
        raise not_found("project")
    state = model.moved(row.state, verb)
    if verb == "launch":
        view = await project_view(conn, tenant, project)
        if view.counts.total == 0:
            raise conflict(
                "no-tasks", "The project has no tasks yet.", remedy="Add tasks from its dataset, then launch."
            )
        if view.budget_minor <= 0:
            raise conflict(
                "no-budget",
                "No money is allotted to the project, and nothing is offered without it.",
                remedy="Fund the budget and allot some of it to the project.",
            )
    now = clock.now()
    await store.PROJECT_STATE.run(
        conn, tenant=tenant, id=project, state=state, launched_at=now if verb == "launch" else None
    )
    await events.emit(conn, tenant, f"project.{'launched' if verb == 'launch' else state}", project, project)
    training = await store.TRAINING_OF.maybe(conn, tenant=tenant, project=project) if state == "stopped" else None
    if training is not None:  # nobody learns for what is over
        await move_project(conn, tenant, training, "stop")
    return await project_view(conn, tenant, project)


async def take_guidelines(conn: Conn, tenant: UUID, project: UUID, version_id: UUID) -> Project:
    """Let the project go on with a further version of its ontology that says the same in better words.

    Pages claimed from now on show it. Raises Problem: NOT_FOUND; CONFLICT when the version belongs to another ontology
    or asks for other labels.
    """
    row = await store.PROJECT_LOCK.maybe(conn, tenant=tenant, id=project)
    if row is None:
        raise not_found("project")
    now = await ontologies.version(conn, tenant, row.ontology_version)
    then = await ontologies.version(conn, tenant, version_id)
    if then.id != now.id or then.spec != now.spec:
        raise conflict(
            "other-labels",
            "That version asks for other labels than the project's, so what was judged would mean something else.",
            remedy="Begin a new project with it; one with the same classes and other guidelines can be taken here.",
        )
    if version_id != row.ontology_version:
        await store.PROJECT_VERSION.run(conn, tenant=tenant, id=project, version_id=version_id)
        await events.emit(conn, tenant, "project.guidelines", project, project, version=then.version)
    return await project_view(conn, tenant, project)


async def add_tasks(conn: Conn, tenant: UUID, project: UUID, dataset: UUID | None, gold_share: float) -> int:
    """One task for each item of the dataset that has none yet; returns how many were made.

    gold_share in [0, 1]: of the items whose true label the manifest gave, this share (the first by identifier, which
    is the order of import) becomes gold; the others are ordinary tasks and nobody is told their label.
    Raises Problem for a gold label that does not fit the ontology, naming the item.
    """
    row = await store.PROJECT_LOCK.maybe(conn, tenant=tenant, id=project)
    if row is None:
        raise not_found("project")
    if row.state == "stopped":
        raise conflict("project-state", "A stopped project takes no tasks.", remedy="Make a new project.")
    source = dataset or row.dataset
    ontology = (await ontologies.decoded(conn, tenant, row.ontology_version)).ontology
    known = await store.GOLD_ITEMS.all(conn, tenant=tenant, dataset=source, project=project)
    golds = known[: round(len(known) * gold_share)]
    labels = [_gold_label(item.gold_label, ontology, item.ref) for item in golds]
    made = await store.TASKS_ADD.one(
        conn,
        tenant=tenant,
        project=project,
        dataset=source,
        gold=[item.item for item in golds],
        slots=row.min_judgements,
        now=clock.now(),
    )
    if golds:
        await store.GOLD_ADD.run(
            conn,
            tenant=tenant,
            project=project,
            items=[item.item for item in golds],
            labels=[encode(label).decode() for label in labels],
            codes=[code_of(label, ontology) for label in labels],
            now=clock.now(),
        )
    if row.routing == "directed":
        await store.INVITES_ADD.run(conn, tenant=tenant, project=project)
    await store.PROJECT_TOTAL.run(conn, tenant=tenant, project=project, id=project)
    await events.emit(conn, tenant, "tasks.created", project, project, tasks=made)
    return made


async def add_gold(conn: Conn, tenant: UUID, project: UUID, labels: Sequence[tuple[str, Any]]) -> int:
    """Turn tasks that nobody has judged into gold, by the reference of their item; returns how many.

    Raises Problem naming the first label that does not fit and references that are no free task.
    """
    row = await store.PROJECT.maybe(conn, tenant=tenant, id=project)
    if row is None:
        raise not_found("project")
    ontology = (await ontologies.decoded(conn, tenant, row.ontology_version)).ontology
    given: dict[str, Label] = {}
    for n, (ref, value) in enumerate(labels):
        try:
            label = label_from(value)
            validate(label, ontology)
        except Problem as problem:
            raise invalid(
                problem.code, problem.detail, remedy=problem.remedy, place=f"/labels/{n}/label{problem.place}"
            ) from problem
        given[ref] = label
    tasks = await store.GOLD_TASKS.all(conn, tenant=tenant, project=project, refs=list(given))
    missing = sorted(set(given) - {task.ref for task in tasks})
    if missing:
        raise invalid(
            "gold-unknown",
            f"{len(missing)} references are no task that is still free, e.g. {missing[0]!r}.",
            remedy="Gold is chosen before anybody judges it. Leave these out.",
            refs=missing[:20],
        )
    await store.GOLD_MARK.run(conn, tenant=tenant, tasks=[task.task for task in tasks])
    await store.GOLD_ADD_TASKS.run(
        conn,
        tenant=tenant,
        tasks=[task.task for task in tasks],
        labels=[encode(given[task.ref]).decode() for task in tasks],
        codes=[code_of(given[task.ref], ontology) for task in tasks],
        now=clock.now(),
    )
    await store.PROJECT_TOTAL.run(conn, tenant=tenant, project=project, id=project)
    return len(tasks)


def _gold_label(text: str, ontology: Ontology, ref: str) -> Label:
    try:
        label = decode_label(text)
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


# ---------------------------------------------------------------- views
async def project_view(conn: Conn, tenant: UUID, project: UUID) -> Project:
    """A project with its counts and its money. Raises Problem(NOT_FOUND)."""
    row = await store.PROJECT.maybe(conn, tenant=tenant, id=project)
    if row is None:
        raise not_found("project")
    return await _view(conn, tenant, row)


async def _view(conn: Conn, tenant: UUID, row: store.ProjectRow) -> Project:
    offer = await store.OFFER.one(conn, tenant=tenant, project=row.id, now=clock.now())
    by_state = [0] * len(model.TASK_STATES)
    gold = 0
    for count in await store.COUNTS.all(conn, tenant=tenant, project=row.id):
        if count.gold:
            gold += count.tasks
        else:
            by_state[count.state] += count.tasks
    sums = await store.MONEY.one(conn, tenant=tenant, project=row.id)
    return Project(
        id=row.id,
        name=row.name,
        kind=row.kind,
        state=row.state,  # type: ignore[arg-type]  # the table's check keeps it to the four words
        dataset=row.dataset,
        ontology_version=row.ontology_version,
        plan=Plan(
            row.target_accuracy, row.confidence, row.min_judgements, row.max_judgements, row.gold_rate, row.audit_items
        ),
        offer=offer,
        page_size=row.page_size,
        lease_s=row.lease_s,
        routing=row.routing,  # type: ignore[arg-type]
        counts=Counts(by_state[0], by_state[1], by_state[2], by_state[3], by_state[4], sum(by_state), gold),
        judgements=sums.judgements,
        spent_minor=sums.spent_minor,
        reserved_minor=sums.reserved_minor,
        budget_minor=sums.budget_minor,
        currency=row.currency,
        created_at=row.created_at,
        launched_at=row.launched_at,
    )


async def projects(conn: Conn, tenant: UUID, before: UUID | None, limit: int) -> list[Project]:
    rows = await store.PROJECTS.all(conn, tenant=tenant, before=before, limit=limit)
    return [await _view(conn, tenant, row) for row in rows]


def task_view(row: store.TaskRow) -> TaskView:
    return TaskView(
        row.id,
        row.project,
        row.item,
        row.ref,
        "gold" if row.gold else model.TASK_STATES[row.state],
        row.judgements,
        row.confidence,
        msgspec.json.decode(row.settled_label) if row.settled_label else None,
        row.gold,
        row.created_at,
        row.settled_at,
    )


async def task_detail(conn: Conn, run: Runtime, tenant: UUID, task: UUID, bound_to: str) -> TaskDetail:
    """A task with everything said about it. Raises Problem(NOT_FOUND)."""
    row = await store.TASK.maybe(conn, tenant=tenant, id=task)
    if row is None:
        raise not_found("task")
    version = await ontologies.decoded(conn, tenant, row.ontology_version)
    judgements = await store.JUDGEMENTS_OF.all(conn, tenant=tenant, tasks=[task])
    settlements = await store.SETTLEMENTS_OF.all(conn, tenant=tenant, task=task)
    return TaskDetail(
        row.id,
        row.project,
        "gold" if row.gold else model.TASK_STATES[row.state],
        row.gold,
        row.confidence,
        row.kind,
        msgspec.to_builtins(version.ontology),
        version.guidelines,
        await item_view(run, tenant, row, row.metadata, bound_to, URL_LIFE_S),
        [JudgementView(j.id, short_name(j.worker), msgspec.json.decode(j.label), j.seconds, j.at) for j in judgements],
        [
            SettlementView(
                s.version, msgspec.json.decode(s.label) if s.label else None, s.confidence, s.how, s.method, s.at
            )
            for s in settlements
        ],
    )


async def item_view(
    run: Runtime,
    tenant: UUID,
    row: store.TaskItemRow | store.PageRow,
    metadata: dict[str, Any] | msgspec.Raw,
    bound_to: str,
    life_s: int,
) -> ItemView:
    """The item of a row, with signed URLs that only `bound_to` may use."""
    url = row.url
    if row.asset is not None:
        url = await run.blobs.sign(
            tenant, row.asset.hex(), expires_s=life_s, bound_to=bound_to, media_type=row.media_type
        )
    thumb = None
    if row.thumb is not None:
        thumb = await run.blobs.sign(
            tenant, row.thumb.hex(), expires_s=life_s, bound_to=bound_to, media_type="image/webp"
        )
    return ItemView(row.item, row.ref, row.media_type, url, thumb, row.body, row.width_px, row.height_px, metadata)


async def project_and_ontology(conn: Conn, tenant: UUID, project: UUID) -> tuple[store.ProjectRow, Ontology]:
    """What decisions about a project's tasks depend on. Raises Problem(NOT_FOUND)."""
    row = await store.PROJECT.maybe(conn, tenant=tenant, id=project)
    if row is None:
        raise not_found("project")
    return row, (await ontologies.decoded(conn, tenant, row.ontology_version)).ontology


async def task_item(conn: Conn, run: Runtime, tenant: UUID, task: UUID, bound_to: str) -> ItemView:
    """The item of a task and nothing else of it: for whoever must judge it blind."""
    row = await store.TASK.maybe(conn, tenant=tenant, id=task)
    if row is None:
        raise not_found("task")
    return await item_view(run, tenant, row, row.metadata, bound_to, URL_LIFE_S)


async def guidelines(conn: Conn, tenant: UUID, project: UUID) -> dict[str, str]:
    """The guidelines of the project's ontology version, Markdown by language. Raises Problem(NOT_FOUND)."""
    row = await store.PROJECT.maybe(conn, tenant=tenant, id=project)
    if row is None:
        raise not_found("project")
    return (await ontologies.decoded(conn, tenant, row.ontology_version)).guidelines
