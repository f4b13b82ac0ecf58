"""How far a model is heard: by golds and agreement, and never because it says so."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np
import pytest

from cupola.labels import Ontology, decode_label, decode_ontology, same
from cupola.quality.course import Prices
from cupola.quality.online import Plan
from cupola.quality.opinions import reliability, service
from cupola.quality.opinions.reliability import Rater, Said
from cupola.quality.opinions.store import TruthRow
from cupola.quality.strategies import strategy_for
from cupola.quality.strategies.base import Aims, Evidence, Ruling

CLASSES = ("a", "b", "c")
ONTOLOGY = decode_ontology({"kind": "choice", "classes": [{"name": name} for name in CLASSES]})
PLAN = Plan(0.97, 1, 5)
DEAR = Prices(expert=1_000.0)  # experts: so the crowd is asked on, and judgements are what is counted here
PEOPLE = 12


@dataclass(frozen=True)
class Vote:
    id: UUID
    task: UUID
    worker: UUID
    code: int | None
    label: str = ""


def uuid(group: int, n: int) -> UUID:
    return UUID(int=(group << 64) + n + 1)


class Crowd:
    """Single choices: people right `skill` of the time; three votes on each of the first tasks, five ready for others.

    Of the hard tasks (a fifth) people name the same confuser, so that their errors agree.
    """

    def __init__(
        self, learned: int = 500, fresh: int = 400, golds: int = 80, skill: float = 0.8, seed: int = 1
    ) -> None:
        rng = np.random.default_rng(seed)
        self.truth = rng.integers(len(CLASSES), size=learned + fresh)
        self.hard = rng.random(len(self.truth)) < 0.2
        self.confuser = (self.truth + 1) % len(CLASSES)
        self.learned, self.golds = learned, golds
        own = np.clip(rng.normal(skill, 0.05, PEOPLE), 0.5, 0.97)
        self.votes: dict[int, list[Vote]] = {}
        for n, true in enumerate(self.truth):
            mine = []
            for m, who in enumerate(rng.permutation(PEOPLE)[: 3 if n < learned else PLAN.max_votes]):
                right = rng.random() < own[who] - (0.3 if self.hard[n] else 0.0)
                other = self.confuser[n] if rng.random() < 0.7 else (true + 2) % len(CLASSES)
                mine.append(Vote(uuid(3, 10 * n + m), uuid(1, n), uuid(2, int(who)), int(true if right else other)))
            self.votes[n] = mine
        self.rng = rng
        self.strategy = strategy_for(ONTOLOGY)
        before = self.strategy.cold(ONTOLOGY, PLAN.threshold)
        made: dict[UUID, int] = {}
        rows = [vote for n in range(learned) for vote in self.votes[n]]
        for vote in rows:
            made[vote.worker] = made.get(vote.worker, 0) + 1
        evidence = Evidence(made, codes=rows, golds={uuid(1, n): int(self.truth[n]) for n in range(golds)})  # type: ignore[arg-type]
        self.model, _ = self.strategy.fit(before, ONTOLOGY, evidence, Aims(0.95, 0.5, PLAN.threshold, PLAN, DEAR))

    def said(self, rater: int, codes: Sequence[int]) -> list[Said]:
        return [Said(uuid(5 + rater, n), uuid(1, n), uuid(4, rater), int(c), "") for n, c in enumerate(codes)]

    def fitted(self, said: Sequence[Said], golds: int | None = None) -> list[Rater]:
        truths = [TruthRow(uuid(1, n), int(self.truth[n]), "") for n in range(self.golds if golds is None else golds)]
        rows = [vote for n in range(self.learned) for vote in self.votes[n]]
        compared = [one for one in said if int(one.task) - 1 - (1 << 64) < self.learned]
        return service.fitted(compared, truths, rows, self.strategy, self.model, ONTOLOGY, PLAN)

    def settle(
        self, said: Sequence[Said], raters: Sequence[Rater], use: str = "heard"
    ) -> tuple[int, int, list[Ruling]]:
        """(judgements, right, rulings) of the fresh tasks, each asked for one more judgement until it is decided."""
        trusted = reliability.trusted(raters)
        best: dict[UUID, Said] = {}
        for rater in reversed(trusted):
            best |= {one.task: one for one in said if one.rater == rater.id}
        judged = right = 0
        rulings = []
        plan = replace(PLAN, course=self.strategy.course(self.model))
        for n in range(self.learned, len(self.truth)):
            for count in range(1, PLAN.max_votes + 1):
                found = self.strategy.decide(self.model, ONTOLOGY, [uuid(1, n)], self.votes[n][:count], plan)
                (ruling,) = service.with_opinions(found, list(best.values()), trusted, ONTOLOGY, plan, use)
                if ruling.verdict != "more":
                    break
            judged += len(ruling.votes)
            right += ruling.verdict == "settle" and ruling.code == int(self.truth[n])
            rulings.append(ruling)
        return judged, right, rulings


def good(crowd: Crowd, accuracy: float = 0.93) -> list[int]:
    wrong = (crowd.truth + crowd.rng.integers(1, len(CLASSES), len(crowd.truth))) % len(CLASSES)
    return list(np.where(crowd.rng.random(len(crowd.truth)) < accuracy, crowd.truth, wrong))


def random(crowd: Crowd) -> list[int]:
    return list(crowd.rng.integers(len(CLASSES), size=len(crowd.truth)))


def contrary(crowd: Crowd) -> list[int]:
    return list((crowd.truth + 1) % len(CLASSES))


def constant(crowd: Crowd) -> list[int]:
    return [0] * len(crowd.truth)


def confused(crowd: Crowd) -> list[int]:
    """Wrong where people are wrong, and as they are: what agreement alone would take for an expert."""
    return list(np.where(crowd.hard, crowd.confuser, crowd.truth))


def test_a_good_model_saves_judgements_and_costs_no_accuracy() -> None:
    crowd = Crowd()
    said = crowd.said(0, good(crowd))
    (rater,) = crowd.fitted(said)
    assert rater.heard
    assert rater.golds == crowd.golds
    assert rater.low <= 0.93 <= rater.accuracy + 0.06
    alone, alone_right, _ = crowd.settle([], [])
    judged, right, rulings = crowd.settle(said, [rater])
    assert judged < 0.8 * alone, (judged, alone)
    assert right >= alone_right, (right, alone_right)
    settled = [ruling for ruling in rulings if ruling.verdict == "settle"]
    assert all(len(ruling.opinions) == 1 for ruling in rulings)
    claimed = float(np.mean([ruling.confidence for ruling in settled]))
    assert right / len(settled) >= claimed - 0.03


@pytest.mark.parametrize("poor", [random, contrary, constant])
def test_a_model_without_knowledge_moves_nothing(poor: Callable[[Crowd], list[int]]) -> None:
    crowd = Crowd()
    said = crowd.said(0, poor(crowd))
    (rater,) = crowd.fitted(said)
    assert not rater.heard
    assert crowd.settle(said, [rater])[2] != []
    without, with_it = crowd.settle([], [])[2], crowd.settle(said, [rater])[2]
    assert [(r.verdict, r.code, r.confidence, r.votes) for r in without] == [
        (r.verdict, r.code, r.confidence, r.votes) for r in with_it
    ]
    # nor does it where there is no gold to tell
    (blind,) = crowd.fitted(said, golds=0)
    assert not blind.heard


def test_a_model_that_repeats_what_people_confuse_is_not_believed_where_golds_know_better() -> None:
    crowd = Crowd()
    said = crowd.said(0, confused(crowd))
    (rater,) = crowd.fitted(said)
    alone, alone_right, before = crowd.settle([], [])
    _, right, rulings = crowd.settle(said, [rater])
    settled = [ruling for ruling in rulings if ruling.verdict == "settle"]
    claimed = float(np.mean([ruling.confidence for ruling in settled]))
    share, alone_share = right / len(settled), alone_right / sum(r.verdict == "settle" for r in before)
    assert share >= min(alone_share, claimed) - 0.04, (share, alone_share, claimed)
    assert alone > 0


def test_of_several_models_the_best_speaks_and_copies_add_nothing() -> None:
    crowd = Crowd()
    clever, poor = good(crowd), random(crowd)
    said = [*crowd.said(0, clever), *crowd.said(1, poor), *crowd.said(2, clever)]
    raters = crowd.fitted(said)
    assert [rater.heard for rater in raters] == [True, False, True]
    alone = crowd.settle(said[: len(clever)], raters[:1])
    together = crowd.settle(said, raters)
    assert alone[:2] == together[:2]


def test_too_few_comparisons_are_no_ground_for_hearing_anybody() -> None:
    crowd = Crowd(learned=40, golds=0)
    said = crowd.said(0, good(crowd, 1.0))
    (rater,) = crowd.fitted(said)
    assert rater.compared == 40
    assert not rater.heard


def test_an_opinion_stands_for_a_judgement_only_where_the_project_says_so_and_never_for_the_only_one() -> None:
    crowd = Crowd()
    said = crowd.said(0, good(crowd, 0.99))
    (rater,) = crowd.fitted(said)
    plan = Plan(0.9, 2, 5)
    for n in range(crowd.learned, len(crowd.truth)):
        one = next(o for o in said if o.task == uuid(1, n))
        (ruling,) = crowd.strategy.decide(crowd.model, ONTOLOGY, [uuid(1, n)], crowd.votes[n][:1], plan)
        assert ruling.verdict == "more"
        sure = reliability.heard(rater, ruling, one, ONTOLOGY, plan)
        assert sure.verdict != "settle"
        counted = reliability.heard(rater, ruling, one, ONTOLOGY, plan, counted=True)
        assert (counted.verdict == "settle") == (counted.confidence >= plan.threshold)
        (nobody,) = crowd.strategy.decide(crowd.model, ONTOLOGY, [uuid(1, n)], [], plan)
        assert reliability.heard(rater, nobody, one, ONTOLOGY, plan, counted=True) == nobody


def test_what_was_fitted_is_kept_and_read_again() -> None:
    crowd = Crowd()
    raters = crowd.fitted([*crowd.said(0, good(crowd)), *crowd.said(1, random(crowd))])
    assert reliability.thaw(reliability.freeze(raters)) == raters
    assert reliability.thaw(None) == []
    assert [one.id for one in reliability.trusted(raters)] == [uuid(4, 0)]


# ---------------------------------------------------------------- labels that are no classes
TEXT: Ontology = decode_ontology({"kind": "text"})


def texts(model_right: float, seed: int = 2) -> tuple[list[Rater], float, float]:
    """A crowd of transcribers and a model: the raters, and how one person is believed whom it joins or contradicts."""
    rng = np.random.default_rng(seed)
    strategy = strategy_for(TEXT)

    def body(n: int, wrong: int | None) -> str:
        return json.dumps({"kind": "text", "text": f"line number {n}" + ("" if wrong is None else f" or {wrong}")})

    votes, said, truths = [], [], []
    for n in range(300):
        for m in range(2):
            wrong = None if rng.random() < 0.8 else int(rng.integers(1000))
            votes.append(
                Vote(uuid(3, 10 * n + m), uuid(1, n), uuid(2, int(rng.integers(6)) * 2 + m), None, body(n, wrong))
            )
        wrong = None if rng.random() < model_right else int(rng.integers(1000))
        said.append(Said(uuid(5, n), uuid(1, n), uuid(4, 0), None, body(n, wrong)))
        if n < 60:
            truths.append(TruthRow(uuid(1, n), None, body(n, None)))
    model = strategy.cold(TEXT, 0.95)
    raters = service.fitted(said, truths, votes, strategy, model, TEXT, PLAN)
    (ruling,) = strategy.decide(
        model, TEXT, [uuid(1, 1)], [Vote(uuid(3, 9), uuid(1, 1), uuid(2, 0), None, body(1, None))], PLAN
    )
    joined = reliability.heard(
        raters[0], ruling, Said(uuid(5, 1), uuid(1, 1), uuid(4, 0), None, body(1, None)), TEXT, PLAN
    )
    against = reliability.heard(
        raters[0], ruling, Said(uuid(5, 1), uuid(1, 1), uuid(4, 0), None, body(1, 3)), TEXT, PLAN
    )
    assert joined.label is not None
    assert same(joined.label, decode_label(body(1, None)), TEXT)
    assert against.label == ruling.label
    return raters, joined.confidence - ruling.confidence, against.confidence - ruling.confidence


def test_a_model_of_texts_confirms_or_raises_doubt_and_never_is_the_label() -> None:
    (rater,), joined, against = texts(0.95)
    assert rater.heard
    assert joined > 0.05
    assert against < -0.05
    (poor,), joined, against = texts(0.0)
    assert not poor.heard
    assert (joined, against) == (0.0, 0.0)
