"""The verbs of exams.

An exam stands beside the projects it opens, with the gold of one of them. An attempt is a page that is claimed whole:
its money is reserved, each answer is paid, right or wrong, and nobody meets an item twice. What it shows is the lower
end of an interval, so that twenty lucky answers are worth less than two hundred good ones
(schema/functions/exams.sql).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec
import psycopg

from cupola.catalog.showing import Show, read
from cupola.kernel import clock, states
from cupola.kernel.errors import Problem, conflict, invalid, not_found
from cupola.labels import Ontology, decode_label, same
from cupola.ontology import service as ontologies
from cupola.platform import events
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.tasks import service as tasks
from cupola.tasks import store as every
from cupola.tasks.exams import model, store
from cupola.tasks.exams.model import Answered, Attempt, Exam, Result, Rule
from cupola.tasks.model import Plan
from cupola.tasks.single import service as single
from cupola.tasks.single.service import ForItem
from cupola.tasks.stages import NewProject

MAX_POOL = 2_000
PICTURE_LIFE_S = 600


# ---------------------------------------------------------------- workers
async def mark(
    conn: Conn, tenant: UUID, exam: UUID, worker: UUID, ontology: Ontology, judgements: Sequence[UUID]
) -> Attempt | None:
    """Compare judgements just made in an exam with what is right, and end the attempt with the last of them.

    In the transaction of the submit. None where there is no attempt, for it was given back.
    """
    right = {
        row.judgement: same(decode_label(row.label), decode_label(row.expected), ontology)
        for row in await store.EXPECTED.all(conn, tenant=tenant, worker=worker, judgements=list(judgements))
    }
    found = await store.MARK.maybe(
        conn,
        tenant=tenant,
        project=exam,
        worker=worker,
        judgements=list(right),
        right=list(right.values()),
        now=clock.now(),
    )
    if found is None:
        return None
    if states.ATTEMPT[found.state] == "open" and found.answered == len(found.tasks):
        low, high = model.bounds(found.rights, found.answered, found.confidence)
        await store.END.run(conn, tenant=tenant, attempt=found.id, low=low, high=high, now=clock.now())
    row = await store.ATTEMPT.one(conn, tenant=tenant, worker=worker, attempt=found.id)
    return _attempt(row)


def _attempt(row: store.AttemptRow) -> Attempt:
    state = states.ATTEMPT[row.state]
    rule = Rule(row.items, round(row.at_least, 4), round(row.confidence, 4))
    retake = None if row.ended_at is None else row.ended_at + timedelta(days=row.retake_days)
    if state == "passed" and row.expires_at is not None:
        retake = row.expires_at - timedelta(days=30)
    return Attempt(
        row.id,
        row.project,
        row.skill,
        row.title,
        state,
        row.items,
        model.needed(rule),
        row.answered,
        row.rights if state in ("passed", "failed") else None,
        row.low,
        row.high,
        rule.at_least,
        rule.confidence,
        row.at,
        row.ended_at,
        row.expires_at,
        retake,
    )


async def attempts(run: Runtime, person: UUID) -> list[Attempt]:
    """One's own exams, over all tenants, the newest first."""
    found: list[Attempt] = []
    async with run.db.tx(Role.GATEWAY, person=person) as conn:
        homes = await store.HOMES.all(conn, person=person)
    for home in homes:
        async with run.db.tx(Role.GATEWAY, tenant=home.tenant, worker=home.worker, person=person) as conn:
            rows = await store.ATTEMPTS.all(conn, tenant=home.tenant, worker=home.worker)
        found += [_attempt(row) for row in rows]
    return sorted(found, key=lambda one: one.id, reverse=True)


async def result(run: Runtime, person: UUID, attempt: UUID) -> Result:
    """An attempt with what was said of each item, once it has ended. Raises Problem(NOT_FOUND)."""
    async with run.db.tx(Role.GATEWAY, person=person) as conn:
        homes = await store.HOMES.all(conn, person=person)
    for home in homes:
        async with run.db.tx(Role.GATEWAY, tenant=home.tenant, worker=home.worker, person=person) as conn:
            row = await store.ATTEMPT.maybe(conn, tenant=home.tenant, worker=home.worker, attempt=attempt)
            if row is None:
                continue
            version = await store.VERSION.one(conn, tenant=home.tenant, project=row.project)
            ontology = (await ontologies.decoded(conn, home.tenant, version)).ontology
            answers = await store.ANSWERS.all(conn, tenant=home.tenant, worker=home.worker, attempt=attempt)
        show = Show(run, home.tenant, f"person:{person}", PICTURE_LIFE_S)
        told = [
            Answered(
                one.task,
                show.item(read(one.item)),
                msgspec.Raw(one.label.encode()),
                None if one.expected is None else msgspec.Raw(one.expected.encode()),
                one.is_right,
            )
            for one in answers
        ]
        return Result(_attempt(row), ontology.kind, msgspec.to_builtins(ontology), told)
    raise not_found("attempt")


# ---------------------------------------------------------------- requesters
async def make(
    conn: Conn, run: Runtime, tenant: UUID, source: UUID, skill: str, rule: Rule, price_minor: int | None
) -> Exam:
    """An exam of a project's gold, as a draft: allot it money, then open it. The project's gold stays gold; who met an
    item in the exam does not meet it as gold again. price_minor: None pays what the project pays.

    Raises Problem: NOT_FOUND; INVALID; CONFLICT where there is too little gold, or the skill has its exam.
    """
    named = " ".join(skill.split()).casefold()
    if not 1 <= len(named) <= 100 or '"' in named or "\\" in named:
        raise invalid(
            "exam-skill",
            "The name of a skill has 1 to 100 characters, none of them a quotation mark or a backslash.",
            place="/skill",
        )
    model.needed(rule)
    if await store.TAKEN.one(conn, tenant=tenant, skill=named):
        raise _taken(named)
    of = await tasks.project_view(conn, tenant, source)
    gold = await store.GOLD.all(conn, tenant=tenant, project=source, limit=MAX_POOL)
    if len(gold) < rule.items:
        raise conflict(
            "exam-gold",
            f"The project has {len(gold)} gold tasks, and an attempt asks {rule.items}.",
            remedy="Add gold to the project, or ask fewer items. Twice as many allow a retake.",
        )
    made = await tasks.create_project(
        conn,
        run,
        tenant,
        NewProject(
            name=f"{of.name[:120]} / exam: {named[:70]}",
            dataset=of.dataset,
            ontology_version=of.ontology_version,
            plan=Plan(min_judgements=1, max_judgements=1, gold_rate=0.0, audit_items=0),
            price_minor=of.offer.price_minor if price_minor is None else price_minor,
            currency=of.currency,
            median_s=of.offer.median_s,
            p75_s=of.offer.p75_s,
            page_size=rule.items,
            lease_s=min(86_400, max(3_600, of.lease_s)),
            routing="open",
        ),
    )
    await store.MARK_EXAM.run(conn, tenant=tenant, project=made.id)
    try:
        await store.MAKE.run(
            conn,
            tenant=tenant,
            project=made.id,
            skill=named,
            source=source,
            items=rule.items,
            at_least=rule.at_least,
            confidence=rule.confidence,
            retake_days=rule.retake_days,
            valid_days=rule.valid_days,
            tells=rule.tells,
            now=clock.now(),
        )
    except psycopg.errors.UniqueViolation as error:
        raise _taken(named) from error
    await single.add_tasks_of(
        conn, tenant, made.id, [ForItem(row.item, gold=msgspec.json.decode(row.label)) for row in gold]
    )
    return await one(conn, tenant, made.id)


def _taken(skill: str) -> Problem:
    return conflict(
        "exam-taken",
        f"There is an exam of {skill!r} already.",
        remedy="Take another name for the skill.",
        place="/skill",
    )


async def one(conn: Conn, tenant: UUID, exam: UUID) -> Exam:
    """Raises Problem(NOT_FOUND)."""
    row = await store.EXAM.maybe(conn, tenant=tenant, project=exam)
    if row is None:
        raise not_found("exam")
    return await _view(conn, tenant, row)


async def exams(conn: Conn, tenant: UUID) -> list[Exam]:
    return [await _view(conn, tenant, row) for row in await store.EXAMS.all(conn, tenant=tenant)]


async def _view(conn: Conn, tenant: UUID, row: store.ExamRow) -> Exam:
    project = await tasks.project_view(conn, tenant, row.project)
    rule = Rule(row.items, round(row.at_least, 4), round(row.confidence, 4), row.retake_days, row.valid_days, row.tells)
    return Exam(
        row.project,
        row.name,
        row.skill,
        row.source,
        row.state,
        rule,
        model.needed(rule),
        row.pool,
        project.offer.price_minor,
        project.currency,
        project.budget_minor,
        row.passed,
        row.failed,
        row.under_way,
    )


async def open_up(conn: Conn, tenant: UUID, exam: UUID) -> Exam:
    """Offer an exam to everybody. Raises Problem: NOT_FOUND; CONFLICT "no-budget" without money for one attempt."""
    view = await one(conn, tenant, exam)
    if view.state == "live":
        return view
    money = await every.MONEY.one(conn, tenant=tenant, projects=[exam])
    if money.budget_minor < view.rule.items * view.price_minor:
        raise conflict(
            "no-budget",
            "No money for one whole attempt is allotted to the exam, and nobody is examined without pay.",
            remedy="Allot some to it.",
        )
    if await store.OPEN.maybe(conn, tenant=tenant, project=exam, now=clock.now()) is not None:
        await events.emit(conn, tenant, "project.launched", exam, exam)
    return await one(conn, tenant, exam)
