"""A model that settles alone: asked for, drawn, calibrated by people, certified, watched, switched off.

Everything but the asking is one job that looks at where it stands and goes on; every step is a transaction under the
row's lock. What it settles nobody has begun: a task that somebody holds, has judged or is asked for stays with people,
so that no model takes work out of anybody's hands, nor changes what is paid for it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Sequence
from uuid import UUID

import msgspec
import numpy as np

from cupola.kernel import clock, ids, states
from cupola.kernel.errors import Kind, Problem, conflict, invalid, not_found, unforeseen
from cupola.models import caged, service
from cupola.models import store as models
from cupola.models.accepting import rules, store
from cupola.models.accepting.rules import SliceCertificate, Watch
from cupola.models.card import read_card
from cupola.models.model import AutoAccept, JudgedBy, OfSlice
from cupola.platform import events, jobs
from cupola.platform.events import Event
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.quality import service as quality
from cupola.quality.opinions import service as opinions
from cupola.tasks import service as tasks_service

log = logging.getLogger("cupola.models")

JOB = "auto-accept"
KINDS = ("task.settled", "tasks.cancelled", "learning.done")  # after which there may be something to do
MAX_BATCH = 200_000
PAGE = 2_000
MAX_RANKED = 100_000  # tasks whose order is dealt out anew
BATCH, SAMPLE, SETTLED, WATCHED, LEFT = range(len(states.ACCEPTING))
LEAST_LIMIT, MOST_LIMIT = 0.001, 0.2


def seed_of(run: Runtime, tenant: UUID, subject: UUID) -> bytes:
    """The seed of a draw: this instance alone can know it before it is told, and it need not be kept."""
    key = run.settings.derive("auto-accept seed")
    return hmac.new(key, f"{tenant}/{subject}".encode(), hashlib.sha256).digest()


async def ask(
    conn: Conn,
    run: Runtime,
    tenant: UUID,
    project: UUID,
    *,
    model: str,
    version: int | None,
    limit: float,
    confidence: float,
    sample: int,
    judged_by: JudgedBy,
    slice_by: str | None,
    later: bool,
) -> AutoAccept:
    """Ask that a version of a model may settle alone what a certificate will cover.

    Raises Problem: NOT_FOUND; INVALID; CONFLICT "auto-accept-active" while another one of the project is at work, and
    "auto-accept-stages" where reviews follow.
    """
    row, ontology = await tasks_service.project_and_ontology(conn, tenant, project)
    names = service.able(ontology)
    if len(row.stages) > 1:
        raise conflict(
            "auto-accept-stages",
            "This project's labels are reviewed, each of them.",
            remedy="A model settles alone in projects without reviews.",
        )
    if not LEAST_LIMIT <= limit <= MOST_LIMIT:
        raise invalid("auto-accept-limit", f"The limit lies between {LEAST_LIMIT} and {MOST_LIMIT}.", place="/limit")
    if sample < rules.LEAST_SAMPLE:
        raise invalid("sample-small", f"A sample has at least {rules.LEAST_SAMPLE} tasks.", place="/sample")
    found = await models.MODEL_NAMED.maybe(conn, tenant=tenant, name=model)
    if found is None:
        raise not_found("model")
    if version is None:
        known = await models.NEWEST.maybe(conn, tenant=tenant, model=found.id)
    else:
        known = await models.VERSION.maybe(conn, tenant=tenant, model=found.id, version=version)
    if known is None:
        raise not_found("version of a model")
    caged.classes_in(read_card(known.card), names)
    if await store.ACTIVE.all(conn, tenant=tenant, projects=[project]):
        raise conflict(
            "auto-accept-active",
            "A model is at this project's tasks already.",
            remedy="Switch that off first: a new version begins without a certificate.",
        )
    subject = ids.uuid7()
    await store.ADD.run(
        conn,
        tenant=tenant,
        id=subject,
        project=project,
        model=found.id,
        version=known.version,
        error_limit=limit,
        confidence=confidence,
        sample=sample,
        judged_by=judged_by,
        slice_by=slice_by,
        later=later,
        audit_share=rules.AUDIT_SHARE,
        commitment=hashlib.sha256(seed_of(run, tenant, subject)).digest(),
        now=clock.now(),
    )
    await jobs.add(conn, tenant, JOB, subject)
    return await one(conn, tenant, subject)


async def one(conn: Conn, tenant: UUID, subject: UUID) -> AutoAccept:
    """One of them. Raises Problem (NOT_FOUND)."""
    row = await store.ACCEPT.maybe(conn, tenant=tenant, id=subject)
    if row is None:
        raise not_found("auto-accept")
    return await _shown(conn, tenant, row)


async def every(conn: Conn, tenant: UUID, project: UUID, before: UUID | None, limit: int) -> list[AutoAccept]:
    """Those of a project, newest first. Raises Problem (NOT_FOUND)."""
    await tasks_service.project_and_ontology(conn, tenant, project)
    rows = await store.ACCEPTS.all(conn, tenant=tenant, project=project, before=before or ids.LAST, limit=limit)
    return [await _shown(conn, tenant, row) for row in rows]


async def switch_off(conn: Conn, tenant: UUID, subject: UUID, why: str) -> AutoAccept:
    """It settles no more; what it settled stays. Raises Problem: NOT_FOUND; CONFLICT where it has ended."""
    row = await store.LOCK.maybe(conn, tenant=tenant, id=subject)
    if row is None:
        raise not_found("auto-accept")
    if not await store.OFF.run(conn, tenant=tenant, id=subject, why=why, now=clock.now()):
        raise conflict("auto-accept-ended", "It has ended already.", remedy="Ask for another one.")
    await events.emit(conn, tenant, "auto-rules.off", subject, row.project)
    return await one(conn, tenant, subject)


async def reopen(conn: Conn, tenant: UUID, subject: UUID) -> int:
    """Give what it settled back to people, once it is off; how many tasks. Releases that were frozen stay as they are.

    Raises Problem: NOT_FOUND; CONFLICT while it is on.
    """
    row = await store.LOCK.maybe(conn, tenant=tenant, id=subject)
    if row is None:
        raise not_found("auto-accept")
    if row.state != "off":
        raise conflict("auto-accept-on", "It is not switched off.", remedy="Switch it off first.")
    back = 0
    while tasks := [one.task for one in await store.SETTLED_BY.all(conn, tenant=tenant, id=subject, limit=PAGE)]:
        back += await store.REOPEN.run(conn, tenant=tenant, tasks=tasks, now=clock.now())
    await store.EPOCH.run(conn, tenant=tenant, project=row.project)
    return back


async def _shown(conn: Conn, tenant: UUID, row: store.AcceptRow) -> AutoAccept:
    by_use = {one.use: one for one in await store.COUNTS.all(conn, tenant=tenant, id=row.id)}
    slices = msgspec.json.decode(row.certificate, type=list[SliceCertificate]) if row.certificate else []
    sampled, watched = by_use.get(SAMPLE), by_use.get(WATCHED)
    return AutoAccept(
        row.id,
        row.project,
        row.model,
        row.model_name,
        row.version,
        row.state,
        row.error_limit,
        row.confidence,
        row.judged_by,
        row.slice_by,
        row.later,
        row.audit_share,
        row.commitment.hex(),
        row.seed.hex() if row.seed else None,
        row.tasks,
        sampled.tasks if sampled else 0,
        sampled.known if sampled else 0,
        by_use[SETTLED].tasks if SETTLED in by_use else 0,
        watched.tasks if watched else 0,
        watched.known if watched else 0,
        watched.wrong if watched else 0,
        max((rules.promised(round(s.watch_limit, 4)) for s in slices if s.threshold is not None), default=0),
        [OfSlice(**msgspec.structs.asdict(one)) for one in slices],
        row.why,
        row.created_at,
        row.drawn_at,
        row.certified_at,
        row.ended_at,
    )


# ---------------------------------------------------------------- the job
async def heard(conn: Conn, tenant: UUID, told: Sequence[Event]) -> None:
    """Something was settled, or said, in projects of a tenant: whoever is at work there looks again."""
    projects = sorted({event.project for event in told if event.project is not None})
    if projects:
        active = await store.ACTIVE.all(conn, tenant=tenant, projects=projects)
        await jobs.add(conn, tenant, JOB, *[row.task for row in active])


async def go_on(run: Runtime, tenant: UUID, subject: UUID) -> None:
    """Do what there is to do. Raises Problem (UNAVAILABLE) when something of ours is away."""
    try:
        while await _step(run, tenant, subject):
            pass
    except Problem as problem:
        if problem.kind is Kind.UNAVAILABLE:
            raise
        await give_up(run, tenant, subject, problem.detail)
    except Exception as trouble:
        log.exception("the auto-accept %s failed", subject)
        await give_up(run, tenant, subject, unforeseen(trouble))


async def give_up(run: Runtime, tenant: UUID, subject: UUID, said: str) -> None:
    """Switch it off, with the reason: what fails settles nothing."""
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        row = await store.LOCK.maybe(conn, tenant=tenant, id=subject)
        if row is not None and await store.OFF.run(conn, tenant=tenant, id=subject, why=said, now=clock.now()):
            await events.emit(conn, tenant, "auto-rules.off", subject, row.project)


async def _step(run: Runtime, tenant: UUID, subject: UUID) -> bool:
    """One step; whether there may be another."""
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        row = await store.LOCK.maybe(conn, tenant=tenant, id=subject)
        if row is None:
            return False
        seed = seed_of(run, tenant, subject)
        if row.state == "drawing":
            await _draw(conn, tenant, row, seed)
            return True
        if row.state == "calibrating":
            return await _calibrate(conn, tenant, row, seed)
        if row.state == "on":
            return await _settle(conn, tenant, row, seed)
        return False


async def _untouched(conn: Conn, tenant: UUID, row: store.AcceptRow, most: int) -> list[store.AskedRow]:
    found: list[store.AskedRow] = []
    after = -1
    rater = opinions.rater_of(tenant, row.model_name, str(row.version))
    while len(found) < most:
        rows = await store.UNTOUCHED.all(
            conn, tenant=tenant, project=row.project, rater=rater, slice_by=row.slice_by or "", after=after, limit=PAGE
        )
        found += rows
        if not rows:
            break
        after = rows[-1].rank
    return found


async def _draw(conn: Conn, tenant: UUID, row: store.AcceptRow, seed: bytes) -> None:
    """Take the batch, and draw the sample from it: tasks of people alone, which come first."""
    found = await _untouched(conn, tenant, row, MAX_BATCH)
    slices = [(one.slice or rules.ALL)[:200] if row.slice_by else rules.ALL for one in found]
    if len(found) <= row.sample:
        raise invalid(
            "batch-small",
            f"{len(found)} tasks that nobody has begun have an opinion of this version; a sample of {row.sample} would "
            "be all of them.",
            remedy="Ask the model of the project's tasks, or draw a smaller sample.",
        )
    sample = rules.drawn([one.task for one in found], slices, row.sample, seed)
    for since in range(0, len(found), PAGE):
        part = list(zip(found[since : since + PAGE], slices[since : since + PAGE], strict=True))
        await _add(conn, tenant, row, part, sample, later=False)
    drawn = sorted(sample)
    free = [one.task for one in await store.FREE.all(conn, tenant=tenant, tasks=drawn)]
    await store.ALONE.run(conn, tenant=tenant, tasks=drawn)
    if row.judged_by == "experts":  # what somebody has begun in this moment the crowd finishes
        await quality.escalate(conn, tenant, row.project, free, "sampled")
    else:
        await first(conn, tenant, row.project, drawn)
    await store.DRAWN.run(conn, tenant=tenant, id=row.id, tasks=len(found), now=clock.now())
    await events.emit(conn, tenant, "auto-rules.drawn", row.id, row.project, tasks=len(found), sample=len(drawn))


async def _add(
    conn: Conn,
    tenant: UUID,
    row: store.AcceptRow,
    part: Sequence[tuple[store.AskedRow, str]],
    sample: set[UUID],
    *,
    later: bool,
) -> int:
    return await store.BATCH_ADD.run(
        conn,
        tenant=tenant,
        id=row.id,
        tasks=[one.task for one, _ in part],
        opinions=[one.opinion for one, _ in part],
        slices=[name for _, name in part],
        scores=[one.score for one, _ in part],
        codes=[one.code for one, _ in part],
        uses=[SAMPLE if one.task in sample else BATCH for one, _ in part],
        later=later,
    )


async def first(conn: Conn, tenant: UUID, project: UUID, tasks: Sequence[UUID]) -> None:
    """Let these come first in the queue, in their order, as far as nobody has begun them."""
    rows = await store.RANKS.all(conn, tenant=tenant, project=project, limit=MAX_RANKED)
    free = {one.task: one.rank for one in rows}
    ahead = [task for task in tasks if task in free]
    ahead_too = set(ahead)
    behind = [one.task for one in rows if one.task not in ahead_too]
    await reordered(conn, tenant, project, rows, ahead + behind)


async def reordered(
    conn: Conn, tenant: UUID, project: UUID, rows: Sequence[store.RankRow], order: Sequence[UUID]
) -> None:
    """Deal out the same ranks in another order; bands stay above each other."""
    rank_of = {one.task: one.rank for one in rows}
    bands: dict[int, list[UUID]] = {}
    for task in order:
        bands.setdefault(rank_of[task] >> 40, []).append(task)
    tasks = [task for band in sorted(bands) for task in bands[band]]
    ranks = sorted(rank_of.values())
    await store.RANK.run(conn, tenant=tenant, tasks=tasks, ranks=ranks)
    await store.EPOCH.run(conn, tenant=tenant, project=project)


async def _outcomes(conn: Conn, tenant: UUID, row: store.AcceptRow) -> int:
    """Note what people made of the sample and of what is watched. Undecidable and cancelled count as wrong."""
    rows = await store.OUTCOMES.all(conn, tenant=tenant, id=row.id)
    if rows:
        await store.OUTCOME.run(
            conn,
            tenant=tenant,
            id=row.id,
            tasks=[one.task for one in rows],
            settlements=[one.settlement for one in rows],
            codes=[one.code for one in rows],
        )
    return len(rows)


async def _calibrate(conn: Conn, tenant: UUID, row: store.AcceptRow, seed: bytes) -> bool:
    """Certify once people have settled the whole sample."""
    await _outcomes(conn, tenant, row)
    batch: list[store.BatchRow] = []
    after = ids.FIRST
    while rows := await store.BATCH.all(conn, tenant=tenant, id=row.id, after=after, limit=PAGE):
        batch += rows
        after = rows[-1].task
    if any(one.use == SAMPLE and one.wrong is None for one in batch):
        return False
    found = await asyncio.to_thread(_certified, batch, row.error_limit, row.confidence)
    on = any(one.threshold is not None for one in found)
    why = None
    if not on:
        wrong, drawn = sum(one.wrong for one in found), sum(one.sample for one in found)
        why = (
            f"People said something else on {wrong} of {drawn} drawn tasks: at a limit of {row.error_limit:.1%} "
            "nothing is proved."
        )
    now = clock.now()
    await store.CERTIFIED.run(
        conn,
        tenant=tenant,
        id=row.id,
        state="on" if on else "refused",
        certificate=msgspec.json.encode(found).decode(),
        seed=seed,
        why=why,
        now=now,
        ended_at=None if on else now,
    )
    await events.emit(
        conn, tenant, "auto-rules.certified" if on else "auto-rules.refused", row.id, row.project, slices=len(found)
    )
    return on


def _certified(batch: Sequence[store.BatchRow], limit: float, confidence: float) -> list[SliceCertificate]:
    by_slice: dict[str, list[store.BatchRow]] = {}
    for one in batch:
        by_slice.setdefault(one.slice, []).append(one)
    return [
        rules.certified(
            name,
            np.array([one.score for one in mine], np.float64),
            np.array([one.use == SAMPLE for one in mine]),
            np.array([bool(one.wrong) for one in mine]),
            limit,
            confidence,
        )
        for name, mine in sorted(by_slice.items())
    ]


async def _settle(conn: Conn, tenant: UUID, row: store.AcceptRow, seed: bytes) -> bool:
    """Look at what is watched; settle a page of what the certificate covers."""
    await _outcomes(conn, tenant, row)
    slices = {one.name: one for one in msgspec.json.decode(row.certificate or "[]", type=list[SliceCertificate])}
    if (why := await _why_off(conn, tenant, row, slices)) is not None:
        await store.OFF.run(conn, tenant=tenant, id=row.id, why=why, now=clock.now())
        await events.emit(conn, tenant, "auto-rules.off", row.id, row.project)
        return False
    rows = await store.WAITING.all(conn, tenant=tenant, id=row.id, after=ids.FIRST, limit=PAGE)
    if not rows:
        return row.later and await _later(conn, tenant, row, slices)
    uses = {one.task: _use(one, slices, seed, row.audit_share) for one in rows}
    watched = [task for task, use in uses.items() if use == WATCHED]
    wanted = sorted(task for task, use in uses.items() if use in (SETTLED, WATCHED))
    free = {one.task for one in await store.FREE.all(conn, tenant=tenant, tasks=wanted)}
    await store.ALONE.run(conn, tenant=tenant, tasks=[task for task in watched if task in free])
    ready = [one for one in rows if uses[one.task] == SETTLED and one.task in free]
    await quality.settle_by_model(
        conn,
        tenant,
        row.project,
        f"{row.model_name} {row.version}"[:200],
        [(one.task, one.code, one.score, one.opinion) for one in ready],
    )
    for task in wanted:  # begun by somebody meanwhile: theirs
        if task not in free:
            uses[task] = LEFT
    await store.USE.run(conn, tenant=tenant, id=row.id, tasks=list(uses), uses=list(uses.values()))
    return True


def _use(one: store.BatchRow, slices: dict[str, SliceCertificate], seed: bytes, share: float) -> int:
    known = slices.get(one.slice)
    # scores are kept in single precision, as the thresholds that were chosen among them
    if known is None or known.threshold is None or one.score < known.threshold:
        return LEFT
    return WATCHED if rules.audited(one.task, seed, share) else SETTLED


async def _later(conn: Conn, tenant: UUID, row: store.AcceptRow, slices: dict[str, SliceCertificate]) -> bool:
    """Tasks that came after the draw, of slices that are certified: no certificate covers them, the watch does."""
    found = await _untouched(conn, tenant, row, PAGE)
    part = [(one, (one.slice or rules.ALL)[:200] if row.slice_by else rules.ALL) for one in found]
    known = [(one, name) for one, name in part if name in slices and slices[name].threshold is not None]
    return bool(known) and await _add(conn, tenant, row, known, set(), later=True) > 0


async def _why_off(conn: Conn, tenant: UUID, row: store.AcceptRow, slices: dict[str, SliceCertificate]) -> str | None:
    seen: dict[str, Watch] = {}
    for one in await store.WATCHED.all(conn, tenant=tenant, id=row.id):
        limit = slices[one.slice].watch_limit
        if limit >= 1.0:
            continue
        state = seen.get(one.slice) or Watch(limit)
        seen[one.slice] = state = state.seen(bool(one.wrong))
        if state.off:
            where = f" in the slice {one.slice!r}" if one.slice else ""
            return (
                f"Of {state.n} tasks that it would have settled and people looked at{where}, {state.errors} were "
                f"wrong: surely more than the {limit:.2%} that may be."
            )
    return None
