"""A project that is a line of stages: what was drawn is handed to somebody else, who accepts, mends or rejects it.

The first stage takes as many judgements as the plan asks for at least; the one nearest to what they say together goes
to review. What the last reviewer leaves is the label. What is rejected goes to the fix that follows the review, and
from there to the review of that; where no fix follows, to an expert. Pure: no database, no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from cupola.labels import Label, Ontology, decode_label, distance
from cupola.quality.online import Plan
from cupola.quality.store import OpenTask, StageVote
from cupola.quality.strategies.base import AnyStrategy, Model, Part


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A task whose last review came. confidence: what the votes are worth that stand behind the label."""

    task: UUID
    label: str
    code: int | None
    confidence: float
    votes: list[UUID]
    parts: list[Part]


@dataclass(slots=True)
class Onward:
    """on: tasks for a later stage, with the judgement that it is about, and the stage; settled: those whose last stage
    is over; more: those that wait for a judgement that nobody is asked for; rejected: those for an expert."""

    on: list[tuple[UUID, UUID, int]] = field(default_factory=list)
    settled: list[Reviewed] = field(default_factory=list)
    more: list[UUID] = field(default_factory=list)
    rejected: list[UUID] = field(default_factory=list)


def onward(
    tasks: Sequence[OpenTask],
    votes: Sequence[StageVote],
    stages: Sequence[str],
    strategy: AnyStrategy,
    model: Model,
    ontology: Ontology,
    plan: Plan,
) -> Onward:
    """What becomes of tasks that nobody holds. votes: of these tasks, at every stage, the oldest first."""
    found = Onward()
    mine: dict[UUID, list[StageVote]] = {}
    for vote in votes:
        mine.setdefault(vote.task, []).append(vote)
    for task in tasks:
        said = mine.get(task.id, [])
        here = [one for one in said if one.stage == task.stage and one.about == task.about]
        if not here:
            if task.open_slots == 0:
                found.more.append(task.id)
        elif task.stage == 0 and task.open_slots > 0:
            continue  # the plan wants another one, and somebody is asked for it
        elif here[-1].rejects and not _is(stages, task.stage + 1, "fix"):
            found.rejected.append(task.id)
        elif (onto := _next(stages, task.stage, rejected=here[-1].rejects)) < len(stages):
            about = here[-1].id if task.stage else _central(here, strategy, model, ontology, plan)
            found.on.append((task.id, about, onto))
        else:
            found.settled.append(_reviewed(task.id, said, here[-1], strategy, model, ontology, plan))
    return found


def _is(stages: Sequence[str], stage: int, does: str) -> bool:
    return stage < len(stages) and stages[stage] == does


def _next(stages: Sequence[str], stage: int, *, rejected: bool) -> int:
    """The stage after this one; len(stages) where none follows. What was not rejected passes by the fix, and by the
    review of what was fixed."""
    after = stage + 1
    if not rejected and stages[stage] == "review" and _is(stages, after, "fix"):
        after += 1
        if _is(stages, after, "review"):
            after += 1
    return after


def _central(votes: Sequence[StageVote], strategy: AnyStrategy, model: Model, ontology: Ontology, plan: Plan) -> UUID:
    """The judgement that is nearest to what all of them say together."""
    if len(votes) == 1:
        return votes[0].id
    (ruling,) = strategy.decide(model, ontology, [votes[0].task], votes, plan)
    if ruling.label is None:
        return votes[0].id
    label: Label = ruling.label
    return min(votes, key=lambda vote: distance(decode_label(vote.label), label, ontology)).id


def _reviewed(
    task: UUID,
    said: Sequence[StageVote],
    last: StageVote,
    strategy: AnyStrategy,
    model: Model,
    ontology: Ontology,
    plan: Plan,
) -> Reviewed:
    """The label as the last reviewer left it. What stands behind it is whoever said the same: those who drew it and
    those who accepted it; of what was mended, its reviewer alone."""
    behind = [one for one in said if one.label == last.label and not one.rejects]
    (ruling,) = strategy.decide(model, ontology, [task], behind, plan)
    return Reviewed(
        task, last.label, last.code, ruling.confidence, [one.id for one in said], ruling.parts
    )  # fmt: skip
