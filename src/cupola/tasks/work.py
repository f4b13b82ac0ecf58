"""The worker's verbs: claim a page, keep it, submit and be paid, give it back. (Drafts: see `drafting`.)

Money is reserved at the claim and paid at the submit, inside one function of the database (schema/functions): there is
no moment at which a judgement stands without its payment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from cupola.catalog.showing import ItemView, Show, read
from cupola.kernel import clock, ids, limits, states
from cupola.kernel.errors import Problem, conflict, invalid, not_found, unavailable
from cupola.labels import Ontology
from cupola.ontology import service as ontologies
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.tasks import drafts, pre_labels
from cupola.tasks.exams import service as exams
from cupola.tasks.exams.model import Attempt
from cupola.tasks.model import Assignment, Judged, PageTask, Rejected, Rejection, Submitted
from cupola.tasks.training import service as training
from cupola.tasks.training.model import Feedback, Progress
from cupola.tasks.working import homes, saying, store
from cupola.tasks.working.store import Home

IMAGE_URL_LIFE_S = 300

_admitted: set[UUID] = set()  # known to have been let in, so that a claim need not ask
_KEEP = 50_000
# to its holder a lease that came to nothing says only that
_SHOWN = {n: "released" if word in ("returned", "expired") else word for n, word in enumerate(states.SHOWN)}


async def claim(
    run: Runtime, person: UUID, project: UUID, tasks: int | None, idem: str | None, *, stage: int = 0
) -> Assignment | None:
    """Lease a page of tasks of a stage and reserve its money. None: nothing to do for this worker at the moment.

    Raises Problem: NOT_FOUND; CONFLICT "project-not-live", "budget-exhausted", or "training-first" with the training.
    """
    home = await homes.of_project(run, person, project)
    tenant = home.tenant
    worker = run.worker_of(tenant, person)
    wanted = tasks if tasks is not None else limits.MAX_PAGE_TASKS
    if not 1 <= wanted <= limits.MAX_PAGE_TASKS:
        raise invalid("page-size", f"A page has 1 to {limits.MAX_PAGE_TASKS} tasks.", place="/tasks")
    # the statement is the transaction: money, lease and page are one round trip
    async with run.db.verb(Role.GATEWAY) as conn:
        rows = await _claim(conn, tenant, worker, person, project, stage, wanted, idem)
        if not rows:
            return None
        version = await ontologies.known(run.db, tenant, worker, rows[0].ontology_version)
    if len(_admitted) >= _KEEP:
        _admitted.clear()
    _admitted.add(worker)
    first = rows[0]
    homes.remember(
        person,
        first.assignment,
        Home(
            tenant,
            worker,
            project,
            first.ontology_version,
            first.currency,
            home.trains,
            home.is_exam,
            first.stage,
            first.stages[first.stage],
        ),
    )
    return Assignment(
        first.assignment,
        project,
        first.project_name,
        first.fence,
        states.PAGE[first.page_state],
        first.offer_version,
        first.price_minor,
        first.currency,
        first.claimed_at,
        first.expires_at,
        first.stage,
        first.stages[first.stage],
        first.kind,
        version.ontology,
        version.guidelines,
        _tasks(run, tenant, person, version.ontology, rows),
        home.trains is not None,
        first.review_first_s,
        home.is_exam,
    )


def _not_eligible(asked: str) -> Problem:
    return conflict(
        "not-eligible",
        f"This project asks for {asked}, and that is not known of you.",
        remedy="Look under offers at what is missing, and where it is to be had.",
        asks=asked,
    )


def _exam_wait(until: str) -> Problem:
    return conflict(
        "exam-wait",
        "You took this exam a short while ago; another attempt has to wait.",
        remedy="Take it again then, with other items.",
        until=until,
    )


def _exam_passed(until: str) -> Problem:
    return conflict(
        "exam-passed",
        "You have passed this exam, and it still holds.",
        remedy="Take it again in its last 30 days.",
        until=until,
    )


# what the database refuses of a claim, by its word; told with its detail
_REFUSED: dict[str, Callable[[str], Problem]] = {
    "not-eligible": _not_eligible,
    "exam-wait": _exam_wait,
    "exam-passed": _exam_passed,
}


async def _claim(
    conn: Conn,
    tenant: UUID,
    worker: UUID,
    person: UUID,
    project: UUID,
    stage: int,
    tasks: int,
    idem: str | None,
    tries: int = 8,
) -> list[store.ClaimedRow]:
    try:
        return await store.CLAIM.all(
            conn,
            tenant=tenant,
            project=project,
            stage=stage,
            worker=worker,
            person=person,
            admit=worker not in _admitted,
            tasks=tasks,
            max_bytes=limits.MAX_PAGE_BYTES,
            assignment=ids.uuid7(),
            hold=ids.uuid7(),
            idem=idem,
            now=clock.now(),
        )
    except psycopg.errors.NoDataFound as error:
        raise not_found("project, or no such stage of it," if stage else "project") from error
    except psycopg.errors.UniqueViolation as error:
        if error.diag.constraint_name:
            raise  # two met on a row: what the functions raise themselves names no constraint
        raise conflict(
            "idempotency-key-reused",
            "This Idempotency-Key was used for a page of another project.",
            remedy="Use a new key for a new claim; the same key only repeats the same one.",
        ) from error
    except psycopg.errors.ObjectNotInPrerequisiteState as error:
        if error.diag.message_primary == "training-first":
            raise conflict(
                "training-first",
                "Whoever is new to this project is trained for it first; training is paid like the project.",
                remedy="Claim a page of the training.",
                training=error.diag.message_detail,
            ) from error
        if error.diag.message_primary == "holds-enough":
            raise conflict(
                "holds-enough",
                "You hold as many tasks of this project as one person may at a time.",
                remedy="Submit or return some of them, then claim again.",
            ) from error
        for code, say in _REFUSED.items():
            if error.diag.message_primary == code:
                raise say(error.diag.message_detail or "") from error
        raise conflict(
            "project-not-live", "This project takes no new work at the moment.", remedy="Look at the other offers."
        ) from error
    except psycopg.errors.CheckViolation as error:
        # others took of the budget between the look and the hold: what is left may still carry a smaller page
        if tries > 1:
            return await _claim(conn, tenant, worker, person, project, stage, tasks, idem, tries - 1)
        raise unavailable("busy", "Too many claimed from the last of this project's money at once.") from error
    except psycopg.errors.InsufficientResources as error:
        raise conflict(
            "budget-exhausted",
            "The project's money is all reserved or paid, and nothing is offered without it.",
            remedy="Look at the other offers; the requester has been told.",
        ) from error


def _tasks(
    run: Runtime, tenant: UUID, person: UUID, ontology: Ontology, rows: Sequence[store.PageRow]
) -> list[PageTask]:
    show = Show(run, tenant, f"person:{person}", IMAGE_URL_LIFE_S)
    return [_task(show, ontology, row) for row in rows]


def _task(show: Show, ontology: Ontology, row: store.PageRow) -> PageTask:
    told = read(row.item)
    # what of it fits: one class that this project lacks must not cost the other forty boxes
    fits = pre_labels.shown(row.pre_label, told.known, ontology)
    pre_label = msgspec.Raw(fits) if fits is not None else None
    draft = msgspec.Raw(drafts.whole(row.draft)) if row.draft else None
    rejected = msgspec.json.decode(row.rejected, type=Rejected) if row.rejected else None
    state = _SHOWN[row.state]
    return PageTask(row.task, row.position, state, show.item(told), pre_label, draft, row.draft_rev or 0, rejected)


async def page(conn: Conn, run: Runtime, tenant: UUID, worker: UUID, person: UUID, assignment: UUID) -> Assignment:
    """A page as its holder sees it. Raises Problem(NOT_FOUND)."""
    row = await store.ASSIGNMENT.maybe(conn, tenant=tenant, worker=worker, id=assignment)
    if row is None:
        raise not_found("assignment")
    version = await ontologies.decoded(conn, tenant, row.ontology_version)
    does = row.stages[row.stage]
    home = Home(
        tenant, worker, row.project, row.ontology_version, row.currency, row.trains, row.is_exam, row.stage, does
    )
    homes.remember(person, assignment, home)
    items = await store.PAGE.all(conn, tenant=tenant, worker=worker, assignment=assignment)
    return Assignment(
        row.id,
        row.project,
        row.project_name,
        row.fence,
        states.PAGE[row.state],
        row.offer_version,
        row.price_minor,
        row.currency,
        row.claimed_at,
        row.expires_at,
        row.stage,
        row.stages[row.stage],
        row.kind,
        version.ontology,
        version.guidelines,
        _tasks(run, tenant, person, version.ontology, items),
        row.trains is not None,
        row.review_first_s,
        row.is_exam,
    )


async def submit(run: Runtime, person: UUID, assignment: UUID, body: bytes) -> Submitted:
    """Judgements of a page: each is checked, stored and paid in one transaction, or none is.

    The first answer stands: a judgement that was made before is answered as it was then. Raises Problem: INVALID with
    the place of a label that does not fit; CONFLICT "assignment-expired" (the labels are parked as drafts and offered
    back first) or "stale-fence" (a newer page of the same person holds some of the tasks: nothing is written over
    what is open there).
    """
    asked = saying.decoded(body)
    home = await homes.of_page(run, person, assignment)
    version = await ontologies.known(run.db, home.tenant, home.worker, home.ontology_version)
    # training and exams are marked in the transaction that pays them; all else is one statement, and that one the
    # transaction
    learning = home.trains is not None
    scope = (
        run.db.tx(Role.GATEWAY, tenant=home.tenant, worker=home.worker, person=person)
        if learning or home.is_exam
        else run.db.verb(Role.GATEWAY)
    )
    told: dict[UUID, Feedback] = {}
    progress: Progress | None = None
    attempt: Attempt | None = None
    async with scope as conn:
        said = await saying.checked(conn, home, version.ontology, assignment, asked.judgements)
        try:
            rows = await store.SUBMIT.all(
                conn,
                tenant=home.tenant,
                assignment=assignment,
                worker=home.worker,
                fence=asked.fence,
                tasks=[j.task for j in asked.judgements],
                ids=[ids.uuid7() for _ in asked.judgements],
                labels=said.labels,
                codes=said.codes,
                seconds=said.seconds,
                reasons=said.reasons,
                notes=said.notes,
                transfers=[ids.uuid7() for _ in range(4)],
                now=clock.now(),
            )
        except psycopg.errors.NoDataFound as error:
            raise not_found("assignment") from error
        except psycopg.errors.ObjectNotInPrerequisiteState as error:
            raise stale_fence() from error
        except psycopg.errors.InvalidParameterValue as error:
            raise invalid(
                "task-not-on-page",
                "This task is not on this page; nothing of the submit was kept.",
                place=f"/judgements/{error.diag.message_detail}/task",
                remedy="Send the tasks that the claim answered with.",
            ) from error
        made = [row.judgement for row in rows if row.judgement is not None]
        if learning and made:
            told, progress = await training.mark(conn, home.tenant, home.project, home.worker, version.ontology, made)
        elif home.is_exam and made:
            attempt = await exams.mark(conn, home.tenant, home.project, home.worker, version.ontology, made)
    paid = [
        Judged(row.task, row.judgement, row.paid_minor, told.get(row.judgement), row.outcome == "held")
        for row in rows
        if row.judgement is not None
    ]
    parked = [row.task for row in rows if row.outcome == "parked"]
    stale = [row.task for row in rows if row.outcome == "stale"]
    if stale:
        raise stale_fence(tasks=[str(task) for task in stale], parked=[str(task) for task in parked])
    if parked:
        raise conflict(
            "assignment-expired",
            f"The lease of this page had ended; {len(parked)} labels are kept as drafts and offered back to you first.",
            remedy="Claim a page again: your drafts come with it, ready to submit.",
            kept=True,
            tasks=[str(task) for task in parked],
            paid=[str(one.task) for one in paid],
        )
    return Submitted(
        sum(one.paid_minor for one in paid),
        home.currency,
        paid,
        states.PAGE[rows[0].state],
        rows[0].remaining,
        progress,
        attempt,
    )


async def give_back(run: Runtime, person: UUID, assignment: UUID, fence: int, reason: str, note: str) -> Assignment:
    """Return what is open of a page. Never held against anybody; the money goes back to the project."""
    home = await homes.of_page(run, person, assignment)
    async with run.db.tx(Role.GATEWAY, tenant=home.tenant, worker=home.worker, person=person) as conn:
        row = await store.ASSIGNMENT.maybe(conn, tenant=home.tenant, worker=home.worker, id=assignment)
        if row is None:
            raise not_found("assignment")
        if row.fence != fence:
            raise stale_fence()
        await store.END.one(
            conn,
            tenant=home.tenant,
            assignment=assignment,
            worker=home.worker,
            state=states.PAGE.index("returned"),
            reason=reason,
            note=note[:2_000],
            transfer=ids.uuid7(),
            now=clock.now(),
        )
        return await page(conn, run, home.tenant, home.worker, person, assignment)


async def heartbeat(run: Runtime, person: UUID, assignment: UUID, fence: int) -> datetime:
    """Keep a page for longer; returns when its lease ends now. Raises Problem(CONFLICT) when it has ended."""
    home = await homes.of_page(run, person, assignment)
    async with run.db.tx(Role.GATEWAY, tenant=home.tenant, worker=home.worker, person=person) as conn:
        until = await store.HEARTBEAT.maybe(
            conn, tenant=home.tenant, assignment=assignment, worker=home.worker, fence=fence, now=clock.now()
        )
    if until is None:
        raise conflict(
            "assignment-ended",
            "This page is not yours any more: it was submitted, returned, or its time ran out.",
            remedy="Claim a page again; drafts of an expired page come back with it.",
        )
    return until


async def open_pages(run: Runtime, person: UUID) -> list[Assignment]:
    """The pages a person holds, over all tenants."""
    pages: list[Assignment] = []
    shown_bytes = 0
    async with run.db.tx(Role.GATEWAY, person=person) as conn:
        homes = await store.TENANTS_OF.all(conn, person=person)
    for home in homes:
        async with run.db.tx(Role.GATEWAY, tenant=home.tenant, worker=home.worker, person=person) as conn:
            rows = await store.ASSIGNMENTS_OPEN.all(conn, tenant=home.tenant, worker=home.worker, now=clock.now())
            for row in rows:
                one = await page(conn, run, home.tenant, home.worker, person, row.id)
                shown_bytes += _weight(one)
                if pages and shown_bytes > limits.MAX_PAGE_BYTES + limits.MAX_DRAFTS_BYTES:
                    return pages
                pages.append(one)
    return pages


def _weight(page: Assignment) -> int:
    """About how many bytes a page has in an answer: what people and models wrote."""
    return sum(len(one.pre_label or b"") + len(one.draft or b"") + _words(one.item) for one in page.tasks)


def _words(item: ItemView) -> int:
    return len((item.text or "").encode()) + sum(len((part.text or "").encode()) for part in item.parts)


async def one_page(run: Runtime, person: UUID, assignment: UUID) -> Assignment:
    home = await homes.of_page(run, person, assignment)
    async with run.db.tx(Role.GATEWAY, tenant=home.tenant, worker=home.worker, person=person) as conn:
        return await page(conn, run, home.tenant, home.worker, person, assignment)


async def expire_due(run: Runtime, limit: int = 500) -> int:
    """End the pages whose time ran out; returns how many. Safe to run in several processes at once."""
    async with run.db.tx(Role.OPS) as conn:
        due = await store.DUE.all(conn, now=clock.now(), limit=limit)
    for row in due:
        async with run.db.tx(Role.APP, tenant=row.tenant) as conn:
            await store.EXPIRE.one(conn, tenant=row.tenant, assignment=row.id, transfer=ids.uuid7(), now=clock.now())
    return len(due)


def stale_fence(**more: Any) -> Problem:
    """What comes from a page whose task is held by a newer one of the same person, or with another page's fence."""
    return conflict(
        "stale-fence",
        "A newer page of yours holds this now; what is open there was not touched.",
        remedy="Go on with your newest page, and load this one again. What was refused stays where you wrote it.",
        **more,
    )


async def rejections(run: Runtime, person: UUID, before: UUID | None, limit: int) -> list[Rejection]:
    """What reviewers rejected of a person's work, over all tenants, the newest first."""
    found: list[Rejection] = []
    async with run.db.tx(Role.GATEWAY, person=person) as conn:
        homes = await store.TENANTS_OF.all(conn, person=person)
    for home in homes:
        async with run.db.tx(Role.GATEWAY, tenant=home.tenant, worker=home.worker, person=person) as conn:
            found += await store.REJECTIONS.all(
                conn, tenant=home.tenant, worker=home.worker, before=before or ids.LAST, limit=limit
            )
    return sorted(found, key=lambda one: one.id, reverse=True)[:limit]
