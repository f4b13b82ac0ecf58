"""The requester's verbs: projects, offers, tasks, gold. One transaction each, opened by the caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from cupola.catalog.showing import ItemView, Show, read
from cupola.kernel import clock, ids, states
from cupola.kernel.errors import Problem, conflict, invalid, not_found
from cupola.labels import ItemFacts, Label, Ontology, code_of, encode, label_from, validate
from cupola.labels.facts import from_json, with_columns
from cupola.ontology import service as ontologies
from cupola.platform import events
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime, short_name
from cupola.tasks import model, store
from cupola.tasks.model import (
    Adding,
    Counts,
    JudgementView,
    Offer,
    Plan,
    Project,
    SettlementView,
    TaskDetail,
)
from cupola.tasks.parts import parts_of
from cupola.tasks.stages import NewProject, StagePrice

URL_LIFE_S = 3600


async def create_project(conn: Conn, run: Runtime, tenant: UUID, new: NewProject) -> Project:
    """A project in the state draft: nothing is offered before `launch`."""
    model.check_plan(new.plan)
    if not 0 < new.price_minor <= 10**9:
        raise invalid("price-range", "The price is a positive number of minor units.", place="/offer/price_minor")
    if new.reviews and new.routing == "directed":
        raise invalid(
            "stages-open",
            "A project with reviews offers its work to everybody; this one names who is asked for each task.",
            place="/reviews",
            remedy="Leave the reviews out, or take the routing open.",
        )
    line = new.line()
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
            opinions=new.plan.opinions,
            stages=[does for does, _ in line],
            expert_cost=new.plan.expert_cost,
            review_first_s=new.review_first_s,
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
    for stage, (_, price) in enumerate(line):
        await _add_offer(conn, run, tenant, project, stage + 1, stage, price, new.currency)
    await events.emit(conn, tenant, "project.created", project, project)
    return await project_view(conn, tenant, project)


async def _add_offer(
    conn: Conn,
    run: Runtime,
    tenant: UUID,
    project: UUID,
    version: int,
    stage: int,
    price: StagePrice,
    currency: str,
) -> None:
    now = clock.now()
    await store.OFFER_ADD.run(
        conn,
        tenant=tenant,
        project=project,
        version=version,
        stage=stage,
        price_minor=price.price_minor,
        fee_bp=run.settings.fee_bp,
        insurance_bp=run.settings.insurance_bp,
        currency=currency,
        median_s=price.median_s,
        p75_s=price.p75_s,
        effective_at=now,
        now=now,
    )
    await store.OFFER_VERSION.run(conn, tenant=tenant, project=project, version=version)


async def change_offer(
    conn: Conn, run: Runtime, tenant: UUID, project: UUID, price: StagePrice, stage: int = 0
) -> Offer:
    """A new version of the offer of a stage, for pages claimed from now on; who holds a page keeps its price.

    A price is only ever raised at once: a cut needs 72 h of notice and is the workforce rules' own verb.
    """
    row = await store.PROJECT_LOCK.maybe(conn, tenant=tenant, id=project)
    if row is None:
        raise not_found("project")
    if stage >= len(row.stages):
        raise invalid("stage-unknown", f"This project has {len(row.stages)} stages, counted from 0.", place="/stage")
    now = clock.now()
    present = await store.OFFER.maybe(conn, tenant=tenant, project=project, stage=stage, now=now)
    assert present is not None
    if price.price_minor < present.price_minor and row.state != "draft":
        raise conflict(
            "price-cut",
            f"The price of a launched project is not cut below {present.price_minor}.",
            remedy="Stop this project and make a new one with the lower price, so that nobody is surprised.",
        )
    await _add_offer(conn, run, tenant, project, row.offer_version + 1, stage, price, row.currency)
    await events.emit(conn, tenant, "offer.changed", project, project, version=row.offer_version + 1)
    training = await store.TRAINING_OF.maybe(conn, tenant=tenant, project=project) if stage == 0 else None
    if training is not None:  # learning is paid like the work
        await change_offer(conn, run, tenant, training, price)
    offer = await store.OFFER.maybe(conn, tenant=tenant, project=project, stage=stage, now=clock.now())
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


# ---------------------------------------------------------------- views
async def project_view(conn: Conn, tenant: UUID, project: UUID) -> Project:
    """A project with its counts and its money. Raises Problem(NOT_FOUND)."""
    row = await store.PROJECT.maybe(conn, tenant=tenant, id=project)
    if row is None:
        raise not_found("project")
    return (await _views(conn, tenant, [row]))[0]


async def _views(conn: Conn, tenant: UUID, rows: Sequence[store.ProjectRow]) -> list[Project]:
    """Three statements, however many projects."""
    asked = [row.id for row in rows]
    offers: dict[UUID, list[Offer]] = {}
    for offer in await store.OFFERS_NOW.all(conn, tenant=tenant, projects=asked, now=clock.now()):
        offers.setdefault(offer.project, []).append(offer)
    counts = {c.project: c for c in await store.COUNTS.all(conn, tenant=tenant, projects=asked)}
    money = {m.project: m for m in await store.MONEY.all(conn, tenant=tenant, projects=asked)}
    return [_view(row, offers[row.id], counts[row.id], money[row.id]) for row in rows]


def plan_of(row: store.ProjectRow) -> Plan:
    return Plan(
        row.target_accuracy,
        row.confidence,
        row.min_judgements,
        row.max_judgements,
        row.gold_rate,
        row.audit_items,
        row.opinions,
        round(row.expert_cost, 6),
    )


def _view(row: store.ProjectRow, offers: list[Offer], n: store.CountRow, money: store.MoneyRow) -> Project:
    total = n.open + n.collecting + n.escalated + n.settled + n.cancelled
    return Project(
        id=row.id,
        name=row.name,
        kind=row.kind,
        state=row.state,
        dataset=row.dataset,
        ontology_version=row.ontology_version,
        plan=plan_of(row),
        stages=row.stages,
        offer=offers[0],
        offers=offers,
        page_size=row.page_size,
        lease_s=row.lease_s,
        routing=row.routing,
        counts=Counts(n.open, n.collecting, n.escalated, n.settled, n.cancelled, total, n.gold),
        judgements=n.judgements,
        spent_minor=n.spent_minor,
        reserved_minor=money.reserved_minor,
        budget_minor=money.budget_minor,
        currency=row.currency,
        created_at=row.created_at,
        launched_at=row.launched_at,
        adding=None
        if row.adding_items is None
        else Adding(row.adding_made or 0, row.adding_looked_at or 0, row.adding_items, row.adding_trouble or ""),
        review_first_s=row.review_first_s,
    )


async def projects(conn: Conn, tenant: UUID, before: UUID | None, limit: int) -> list[Project]:
    return await _views(
        conn, tenant, await store.PROJECTS.all(conn, tenant=tenant, before=before or ids.LAST, limit=limit)
    )


async def fold_tallies(run: Runtime, rows: int = 100, limit: int = 200) -> int:
    """Fold the counts of subjects that came to many rows into one row each; returns how many subjects."""
    async with run.db.tx(Role.OPS) as conn:
        due = await store.TO_FOLD.all(conn, rows=rows, limit=limit)
    for one in due:
        async with run.db.tx(Role.APP, tenant=one.tenant) as conn:
            await store.FOLD.run(conn, tenant=one.tenant, subject=one.subject)
    return len(due)


def task_document(row: store.ListedTask) -> msgspec.Raw:
    """A task in a list, a TaskView as bytes; its label is JSON as it is stored."""
    return msgspec.Raw(f'{row.document}, "settled_label": {row.settled_label or "null"}}}'.encode())


async def task_detail(conn: Conn, run: Runtime, tenant: UUID, task: UUID, bound_to: str) -> TaskDetail:
    """A task with everything said about it. Raises Problem(NOT_FOUND)."""
    row = await store.TASK.maybe(conn, tenant=tenant, id=task)
    if row is None:
        raise not_found("task")
    version = await ontologies.decoded(conn, tenant, row.ontology_version)
    judgements = await store.JUDGEMENTS_OF.all(conn, tenant=tenant, tasks=[task])
    settlements = await store.SETTLEMENTS_OF.all(conn, tenant=tenant, task=task)
    parts = await parts_of(conn, tenant, settlements, version.ontology)
    return TaskDetail(
        row.id,
        row.project,
        "gold" if row.gold else states.TASK[row.state],
        row.gold,
        row.confidence,
        row.kind,
        msgspec.to_builtins(version.ontology),
        version.guidelines,
        Show(run, tenant, bound_to, URL_LIFE_S).item(read(row.item)),
        [
            JudgementView(
                j.id, short_name(j.worker), msgspec.json.decode(j.label), j.seconds, j.stage, j.about, j.rejected, j.at
            )
            for j in judgements
        ],
        [
            SettlementView(
                s.id,
                s.version,
                msgspec.json.decode(s.label) if s.label else None,
                s.confidence,
                s.how,
                s.method,
                s.judgements,
                parts[s.id],
                s.at,
            )
            for s in settlements
        ],
    )


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
    return Show(run, tenant, bound_to, URL_LIFE_S).item(read(row.item))


async def facts_of(conn: Conn, tenant: UUID, task: UUID) -> ItemFacts:
    """What labels of a task are checked against. Raises Problem(NOT_FOUND)."""
    row = await store.TASK_FACTS.maybe(conn, tenant=tenant, id=task)
    if row is None:
        raise not_found("task")
    return facts_from(row)


def facts_from(row: store.FactsRow | store.GivenPreLabel) -> ItemFacts:
    """The facts of an item as a row tells them."""
    return with_columns(from_json(row.facts), row.media_type, row.width_px, row.height_px, row.body)


async def guidelines(conn: Conn, tenant: UUID, project: UUID) -> dict[str, str]:
    """The guidelines of the project's ontology version, Markdown by language. Raises Problem(NOT_FOUND)."""
    version = await store.ONTOLOGY_VERSION.maybe(conn, tenant=tenant, id=project)
    if version is None:
        raise not_found("project")
    return (await ontologies.decoded(conn, tenant, version)).guidelines
