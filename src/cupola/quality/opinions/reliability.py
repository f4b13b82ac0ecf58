"""How far a model's opinions are heard: one more column beside the crowd's, fitted by golds and by agreement.

People are fitted without the models, so that no model can change what is believed of a person, nor two copies of one
model outvote a crowd. A version of a model is then compared with golds, with what experts decided and with what people
make of a task, each by how sure that is. It is heard once it is surely better than chance, and the best of those that
spoke of a task speaks alone: models learn from the same data, so that a second one says little that is new. What it
says moves the crowd's posterior by its own likelihoods under a power below one, which golds choose: a model finds hard
what people find hard.

Classes have a table P(said | truth). Labels that are no class (and classes beyond tables) have two numbers, how often
the model agrees with what people settle on where that is right and where it is wrong: there an opinion can make a label
surer or more doubtful, and never be the label. Pure numbers: no database, no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.kernel.lazy import Lazy
from cupola.labels import Label, Ontology, decode_label, kind_of, label_of, same
from cupola.quality.online import FLOOR, Plan
from cupola.quality.standing import MOST_SURE, placed
from cupola.quality.strategies.base import Part, Ruling, unsure
from cupola.quality.strategies.confidence import logit

special = Lazy("scipy.special")

LEAST_COMPARED = 20  # golds that a model is compared with, or as much of what people settled
NEAR = 4.0  # what people make of a task counts a quarter of a gold
LEAST_BEYOND_CHANCE = 0.2  # of the way from chance to always right, at the lower bound
LOW = 0.05  # the bound: one time in twenty it is worse
UNKNOWN = 5.0  # judgements' worth of the model's own habits, whatever the truth: so it begins as one that tells nothing
POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)
USUAL_POWER, POWER_SPREAD = 0.5, 0.25
SHIFT = 7  # chance: a model's label beside what people said of the seventh task after


class Rater(msgspec.Struct, frozen=True):
    """What is known of one version of a model.

    compared: tasks; golds: those of them whose truth is known; accuracy with its lower bound, and what chance would
    give; power: how far its likelihoods count; table: (K, K) P(said | truth) in single precision, empty where labels
    have no table; agrees: P(it agrees with what people say | that is right), and | wrong.
    """

    id: UUID
    compared: int
    golds: int
    accuracy: float
    low: float
    chance: float
    heard: bool
    power: float
    table: bytes
    agrees: tuple[float, float]

    def likelihoods(self, classes: int) -> NDArray[np.float64] | None:
        """(K, K) P(said | truth), or None where there is no such table."""
        if not self.table:
            return None
        return np.frombuffer(self.table, "<f4").astype(np.float64).reshape(classes, classes)


@dataclass(frozen=True, slots=True)
class Said:
    """One opinion. label: its JSON, "" where it is known by its code."""

    id: UUID
    task: UUID
    rater: UUID
    code: int | None
    label: str


@dataclass(frozen=True, slots=True)
class Looked:
    """An opinion beside what people make of the task, and what is true of it where that is known (code or label)."""

    said: Said
    ruling: Ruling
    truth_code: int | None = None
    truth: str | None = None

    @property
    def known(self) -> bool:
        return self.truth_code is not None or self.truth is not None


def freeze(raters: Sequence[Rater]) -> bytes:
    """The raters as bytes, kept with the version of the model that they were fitted beside."""
    return msgspec.msgpack.encode(list(raters))


def thaw(state: bytes | None) -> list[Rater]:
    """What `freeze` wrote; none where there was nothing."""
    return [] if state is None else msgspec.msgpack.decode(state, type=list[Rater])


def trusted(raters: Sequence[Rater]) -> list[Rater]:
    """Those that are heard, the best first."""
    return sorted((one for one in raters if one.heard), key=lambda one: (-one.low, one.id))


def fitted(rows: Sequence[Looked], ontology: Ontology) -> list[Rater]:
    """What comparisons say of each rater in them. Tasks that nobody judged say nothing."""
    mine: dict[UUID, list[Looked]] = {}
    for row in rows:
        if row.ruling.label is not None and row.ruling.votes:
            mine.setdefault(row.said.rater, []).append(row)
    return [_fitted(rater, some, ontology) for rater, some in sorted(mine.items())]


def _fitted(rater: UUID, rows: Sequence[Looked], ontology: Ontology) -> Rater:
    known = np.array([row.known for row in rows])
    sure = np.array([row.ruling.confidence for row in rows])
    agree = np.array([_agree(row.said, row.ruling, ontology) for row in rows])
    right = np.array([_is_right(row, ontology) for row in rows])  # (n,) probability that the opinion is right
    weight = np.where(known, 1.0, 1.0 / NEAR)
    if known.sum() >= LEAST_COMPARED:  # what is known to be true stands alone: people may be wrong with the model
        weight = known.astype(np.float64)
    seen, good = float(weight.sum()), float((weight * right).sum())
    shift = SHIFT % len(rows)
    others = [_agree(row.said, rows[(n + shift) % len(rows)].ruling, ontology) for n, row in enumerate(rows)]
    chance = float(np.mean(others)) if shift else 1.0
    low = float(special.betaincinv(good + 0.5, seen - good + 0.5, LOW))
    beyond = (low - chance) / max(1.0 - chance, FLOOR)
    table, power, agrees = b"", USUAL_POWER, (0.5, 0.5)
    if rows[0].ruling.posterior is not None:
        found, power = _table(rows, len(ontology.classes))
        table = found.astype("<f4").tobytes()
    else:
        agrees, power = _agreement(rows, agree, sure, ontology)
    heard = seen >= LEAST_COMPARED and beyond >= LEAST_BEYOND_CHANCE and power > 0.0
    if not table:
        heard = heard and agrees[0] > agrees[1]
    return Rater(
        rater, len(rows), int(known.sum()), good / max(seen, FLOOR), low, chance, heard, power, table, agrees
    )  # fmt: skip


def _is_right(row: Looked, ontology: Ontology) -> float:
    said, ruling = row.said, row.ruling
    if row.truth_code is not None and said.code is not None:
        return float(said.code == row.truth_code)
    if row.truth is not None:
        return float(same(decode_label(said.label), decode_label(row.truth), ontology))
    if ruling.posterior is not None and said.code is not None:
        return float(ruling.posterior[said.code])
    return ruling.confidence if _agree(said, ruling, ontology) else 0.0


def _agree(said: Said, ruling: Ruling, ontology: Ontology) -> bool:
    """Whether an opinion is what people would settle on."""
    if ruling.code is not None:
        return said.code == ruling.code
    return near(decode_label(said.label), ruling.label, ontology)


def near(label: Label, other: Label | None, ontology: Ontology) -> bool:
    """Whether two labels are within what the kind takes for the same."""
    kind = kind_of(ontology)
    return other is not None and bool(kind.distance(label, other, ontology) <= kind.tolerance)


def _table(rows: Sequence[Looked], classes: int) -> tuple[NDArray[np.float64], float]:
    """(K, K) P(said | truth), and the power that the truths choose for it."""
    said = np.array([row.said.code for row in rows], dtype=np.int64)
    truth = np.array([-1 if row.truth_code is None else row.truth_code for row in rows], dtype=np.int64)
    crowd = np.stack([row.ruling.posterior for row in rows if row.ruling.posterior is not None])
    believed = crowd.copy()
    known = np.flatnonzero(truth >= 0)
    believed[known] = 0.0
    believed[known, truth[known]] = 1.0
    counts = np.zeros((classes, classes))
    np.add.at(counts.T, said, believed)
    habit = (np.bincount(said, minlength=classes) + 1.0) / (len(said) + classes)
    table = (counts + UNKNOWN * habit) / (counts.sum(axis=1, keepdims=True) + UNKNOWN)
    # each truth under the table of all the others
    own = np.log(np.maximum(table[:, said[known]].T, FLOOR))  # (known, K)
    made = counts.sum(axis=1)[truth[known]]
    without = (counts[truth[known], said[known]] - 1.0 + UNKNOWN * habit[said[known]]) / (made - 1.0 + UNKNOWN)
    own[np.arange(len(known)), truth[known]] = np.log(np.maximum(without, FLOOR))
    before = np.log(np.maximum(crowd[known], FLOOR))
    return table, _power(before, own, truth[known])


def _agreement(
    rows: Sequence[Looked], agree: NDArray[np.bool_], sure: NDArray[np.float64], ontology: Ontology
) -> tuple[tuple[float, float], float]:
    """P(agrees | what people say is right), P(agrees | it is wrong), and the power that the truths choose."""
    right = np.array([_crowd_is_right(row, ontology) for row in rows])
    known = np.flatnonzero([row.known for row in rows])
    usual = (float(agree.sum()) + 1.0) / (len(agree) + 2.0)
    when_right = (float((agree * right).sum()) + UNKNOWN * usual) / (float(right.sum()) + UNKNOWN)
    when_wrong = (float((agree * (1.0 - right)).sum()) + UNKNOWN * usual) / (float((1.0 - right).sum()) + UNKNOWN)
    pair = np.array([when_right, when_wrong])
    own = np.log(np.where(agree[known, None], pair, 1.0 - pair))
    before = np.log(np.clip(np.stack([sure[known], 1.0 - sure[known]], axis=1), FLOOR, 1.0))
    return (when_right, when_wrong), _power(before, own, (right[known] < 0.5).astype(np.int64))


def _crowd_is_right(row: Looked, ontology: Ontology) -> float:
    if row.truth_code is not None:
        return float(row.ruling.code == row.truth_code)
    if row.truth is not None:
        return float(near(decode_label(row.truth), row.ruling.label, ontology))
    return row.ruling.confidence


def _power(before: NDArray[np.float64], own: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Of POWERS, the one that makes what is true likeliest, from USUAL_POWER beforehand. before, own: (n, K) logs."""
    best, most = USUAL_POWER, -np.inf
    for power in POWERS:
        logits = before + power * own
        said = logits[np.arange(len(truth)), truth] - special.logsumexp(logits, axis=1) if len(truth) else np.zeros(0)
        score = float(said.sum()) - 0.5 * ((power - USUAL_POWER) / POWER_SPREAD) ** 2
        if score > most:
            best, most = power, score
    return best


# ---------------------------------------------------------------- one task
def heard(rater: Rater, ruling: Ruling, said: Said, ontology: Ontology, plan: Plan, *, counted: bool = False) -> Ruling:
    """The ruling once an opinion is heard beside the people's votes. Nothing is settled that no person has judged.

    counted: whether it stands for one of the judgements that a task needs at least.
    """
    if not rater.heard or ruling.label is None or not ruling.votes:
        return ruling
    likely = rater.likelihoods(len(ontology.classes))
    if likely is not None and ruling.posterior is not None and said.code is not None:
        logits = np.log(np.maximum(ruling.posterior, FLOOR)) + rater.power * np.log(
            np.maximum(likely[:, said.code], FLOOR)
        )
        posterior = np.exp(logits - special.logsumexp(logits))
        posterior = placed(posterior[None], np.minimum(posterior.max(), MOST_SURE)[None])[0]
        best = int(posterior.argmax())
        sure = float(posterior[best])
        found = replace(
            ruling, confidence=sure, label=label_of(best, ontology), code=best, posterior=posterior,
            parts=[Part("choice", sure)],
        )  # fmt: skip
    else:
        agrees = _agree(said, ruling, ontology)
        pair = np.array(rater.agrees if agrees else (1.0 - rater.agrees[0], 1.0 - rater.agrees[1]))
        moved = logit(np.array([ruling.confidence]))[0] + rater.power * float(np.diff(np.log(pair[::-1]))[0])
        sure = float(np.minimum(special.expit(moved), MOST_SURE))
        found = replace(
            ruling, confidence=sure, parts=[Part("choice", sure)] if ruling.code is not None else ruling.parts
        )
    people = len(ruling.votes)
    verdict = ruling.verdict
    if plan.course is not None:
        if people + (1 if counted else 0) >= plan.min_votes:
            # what is left to learn is as after one more vote; only people's votes can say that nothing is
            told = plan.course.verdict(people + 1, found.confidence)
            given_up = ruling.verdict if ruling.verdict != "settle" else unsure(people, plan)
            verdict = given_up if told == "escalate" else told
    elif people + (1 if counted else 0) >= plan.min_votes and found.confidence >= plan.threshold:
        verdict = "settle"
    elif ruling.verdict == "settle":
        verdict = unsure(people, plan)
    return replace(found, verdict=verdict, opinions=[said.id])
