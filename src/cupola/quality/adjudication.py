"""The adjudicator's verbs: settle what the crowd could not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from cupola.kernel import clock, ids, states
from cupola.kernel.errors import conflict, invalid, not_found
from cupola.labels import code_of, encode, label_from, validate
from cupola.platform import events
from cupola.platform.pg.tx import Conn
from cupola.platform.runtime import Runtime
from cupola.quality import store
from cupola.quality.model import Doubtful, Settled, Unclear
from cupola.tasks import service as tasks_service
from cupola.tasks.handing_in import service as handing_in

ESCALATED, SETTLED = map(states.TASK.index, ("escalated", "settled"))


async def doubtful(
    conn: Conn, run: Runtime, tenant: UUID, project: UUID | None, after: UUID | None, limit: int, bound_to: str
) -> list[Doubtful]:
    """The tasks that wait for an adjudicator, oldest first."""
    rows = await store.DOUBTFUL.all(conn, tenant=tenant, project=project, after=after or ids.FIRST, limit=limit)
    found: list[Doubtful] = []
    for row in rows:
        thumb = None
        if row.thumb is not None:
            thumb = await run.blobs.sign(tenant, row.thumb.hex(), bound_to=bound_to, media_type="image/webp")
        reason = "the judgements disagree" if row.judgements else "nobody judged it"
        if row.rejected:
            reason = "a review rejected it"
        found.append(
            Doubtful(
                row.task,
                row.project,
                row.project_name,
                row.ref,
                reason,
                row.confidence,
                row.judgements,
                thumb,
                row.created_at,
            )
        )
    return found


async def unclear(conn: Conn, tenant: UUID, project: UUID, after: UUID | None, limit: int) -> list[Unclear]:
    """The guideline queue: where experts disagree or give up. Raises Problem(NOT_FOUND)."""
    await tasks_service.project_and_ontology(conn, tenant, project)
    rows = await store.GUIDELINE_QUEUE.all(conn, tenant=tenant, project=project, after=after or ids.FIRST, limit=limit)
    return [
        Unclear(
            row.task,
            row.ref,
            row.verdicts,
            row.undecided,
            [msgspec.json.decode(label) for label in row.labels or ()],
            row.notes,
            row.at,
        )
        for row in rows
    ]


async def adjudicate(
    conn: Conn, tenant: UUID, task: UUID, person: UUID | None, label: Any | None, undecidable: bool, note: str
) -> Settled:
    """Settle a doubtful task by an expert's label, or declare it undecidable.

    A task that is settled already can be settled anew: a further version, nothing is overwritten.
    Raises Problem: NOT_FOUND; CONFLICT for gold, for a task still with the crowd, and for one cancelled; INVALID for a
    label that does not fit.
    """
    state = await store.TASK_STATE.maybe(conn, tenant=tenant, task=task)
    if state is None:
        raise not_found("task")
    if state.gold or state.state not in (ESCALATED, SETTLED):
        raise conflict(
            "not-doubtful",
            "This task is not waiting for an adjudicator.",
            remedy="Only doubtful and settled tasks are decided by hand.",
        )
    if undecidable == (label is not None):
        raise invalid("verdict-missing", "Give either a label or undecidable: true.", place="/label")
    row, ontology = await tasks_service.project_and_ontology(conn, tenant, state.project)
    text: str | None = None
    code: int | None = None
    if label is not None:
        decoded = label_from(label)
        validate(decoded, ontology, await tasks_service.facts_of(conn, tenant, task))
        await handing_in.check_for_task(conn, tenant, task, decoded)
        text, code = encode(decoded).decode(), code_of(decoded, ontology)
    now = clock.now()
    settlement = ids.uuid7()
    await store.ADJUDICATE.run(
        conn,
        tenant=tenant,
        id=ids.uuid7(),
        task=task,
        person=person,
        label=text,
        undecidable=undecidable,
        note=note,
        now=now,
    )
    votes = await store.JUDGEMENT_IDS.one(conn, tenant=tenant, task=task)
    how = "undecidable" if undecidable else "adjudicated"
    await store.SETTLE.run(
        conn,
        tenant=tenant,
        ids=[settlement],
        tasks=[task],
        labels=[text],
        codes=[code],
        confidences=[0.0 if undecidable else 1.0],
        votes=["{" + ",".join(votes) + "}"],
        opinions=[None],
        how=how,
        method="adjudicator",
        model_version=None,
        person=person,
        now=now,
    )
    await events.emit(conn, tenant, "task.settled", task, row.id, how=how)
    return Settled(settlement, task, msgspec.json.decode(text) if text else None, how)
