"""Comparisons of two candidates are settled by what people's habits left of the gap between them."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from cupola.kernel.errors import Problem
from cupola.labels import Ontology, decode_ontology
from cupola.quality.online import Plan
from cupola.quality.strategies import STRATEGIES, strategy_for
from cupola.quality.strategies.base import Aims, Evidence, Ruling
from cupola.quality.strategies.pairs import PairsStrategy
from tests.quality_service.pairs_crowd import PairsCrowd, Said, pairs_crowd

SPEC: dict[str, Any] = {"kind": "choice", "compare": True, "classes": [{"name": n} for n in ("A", "B", "equal")]}
COMPARED = decode_ontology(SPEC)
PLAIN = decode_ontology({**SPEC, "compare": False})
PLAN = Plan(0.9, 1, 9)


def fitted(ontology: Ontology, crowd: PairsCrowd, golds: int = 0) -> tuple[Any, list[Ruling]]:
    strategy = strategy_for(ontology)
    evidence = Evidence(
        Counter(vote.worker for vote in crowd.votes),
        crowd.votes,
        {crowd.tasks[n]: int(crowd.truth[n]) for n in range(golds)},
    )
    model, _ = strategy.fit(strategy.cold(ontology, 0.9), ontology, evidence, Aims(0.9, 1.0, 0.9, PLAN))
    return model, strategy.decide(model, ontology, crowd.tasks, crowd.votes, PLAN)


def right(rulings: list[Ruling], crowd: PairsCrowd) -> float:
    return float(np.mean([one.code == truth for one, truth in zip(rulings, crowd.truth, strict=True)]))


def test_more_is_settled_right_than_by_a_majority_or_by_classes_that_mean_nothing_and_as_surely_as_is_said() -> None:
    """Six crowds, three votes a task, a third of the people careless, a taste for the first."""
    pairs, coded, majority, claimed = [], [], [], []
    for seed in range(6):
        crowd = pairs_crowd(seed)
        _, rulings = fitted(COMPARED, crowd)
        pairs.append(right(rulings, crowd))
        claimed.append(float(np.mean([one.confidence for one in rulings])))
        coded.append(right(fitted(PLAIN, crowd)[1], crowd))
        said: dict[UUID, Counter[int]] = {}
        for vote in crowd.votes:
            said.setdefault(vote.task, Counter())[vote.code] += 1
        majority.append(
            float(np.mean([said[t].most_common(1)[0][0] == k for t, k in zip(crowd.tasks, crowd.truth, strict=True)]))
        )
    assert np.mean(pairs) > np.mean(majority) + 0.05
    assert np.mean(pairs) > np.mean(coded) + 0.02
    assert abs(np.mean(pairs) - np.mean(claimed)) < 0.03


def test_who_is_careless_and_the_taste_for_the_first_are_found() -> None:
    crowd = pairs_crowd(3, tasks=1_500, votes=4)
    model, _ = fitted(COMPARED, crowd)
    care = PairsStrategy().worths(model.crowd, model.numbers(crowd.workers))
    assert care[crowd.care < 0.5].max() < care[crowd.care > 0.5].min()
    assert model.crowd.bias == pytest.approx(0.8, abs=0.3)
    assert model.crowd.tie == pytest.approx(1.0, abs=0.3)
    assert fitted(COMPARED, pairs_crowd(3, tasks=1_500, votes=4, bias=0.0))[0].crowd.bias == pytest.approx(0, abs=0.3)


def test_what_is_known_is_learned_from_and_says_how_far_to_believe() -> None:
    crowd = pairs_crowd(5, tasks=600)
    model, rulings = fitted(COMPARED, crowd, golds=150)
    assert model.reliability
    later = slice(150, None)
    claimed = float(np.mean([one.confidence for one in rulings[later]]))
    assert (
        abs(claimed - np.mean([one.code == k for one, k in zip(rulings[later], crowd.truth[later], strict=True)])) < 0.1
    )


def test_a_model_is_kept_and_decides_the_same() -> None:
    crowd = pairs_crowd(1, tasks=60)
    model, rulings = fitted(COMPARED, crowd)
    strategy = STRATEGIES["pairs"]
    kept = strategy.thaw(strategy.freeze(model))
    again = strategy.decide(kept, COMPARED, crowd.tasks, crowd.votes, PLAN)
    assert [(one.verdict, one.code, one.confidence) for one in again] == [
        (one.verdict, one.code, one.confidence) for one in rulings
    ]
    first = [vote for vote in crowd.votes if vote.task == crowd.tasks[0]]
    account = strategy.account(kept, COMPARED, first, PLAN)
    assert account.confidence == pytest.approx(rulings[0].confidence)
    assert sum(account.posterior.values()) == pytest.approx(1.0)
    pool = strategy.pool(kept, COMPARED)
    assert pool.confusions.sum(axis=2) == pytest.approx(1.0)


@pytest.mark.parametrize("codes", [(0, 0, 0), (1, 1, 1), (2, 2, 2), (0, 1), (0, 1, 2), ()])
def test_before_anything_is_learned_agreement_leads_and_what_is_split_is_not_sure(codes: tuple[int, ...]) -> None:
    strategy = STRATEGIES["pairs"]
    task = UUID(int=1)
    votes = [Said(UUID(int=50 + n), task, UUID(int=100 + n), code) for n, code in enumerate(codes)]
    (ruling,) = strategy.decide(strategy.cold(COMPARED, 0.9), COMPARED, [task], votes, PLAN)
    if len(set(codes)) == 1:
        assert ruling.code == codes[0]
        assert ruling.confidence > 0.5
    else:
        assert ruling.verdict == "more"
        assert ruling.confidence < 0.7


def test_where_no_tie_can_be_said_none_is_settled() -> None:
    two = decode_ontology({**SPEC, "classes": SPEC["classes"][:2]})
    crowd = pairs_crowd(2, tasks=100, tie=1e-9)
    assert {vote.code for vote in crowd.votes} == {0, 1}
    model, rulings = fitted(two, crowd)
    assert {one.code for one in rulings} == {0, 1}
    assert all(one.posterior is not None and len(one.posterior) == 2 for one in rulings)
    assert STRATEGIES["pairs"].fits(model, two)
    assert not STRATEGIES["pairs"].fits(model, COMPARED)


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"classes": [{"name": "A"}]}, "/classes"),
        ({"classes": [{"name": n} for n in "ABCD"]}, "/classes"),
        ({"multiple": True}, "/multiple"),
        ({"kind": "text", "classes": [], "text": {}}, "/compare"),
    ],
)
def test_what_is_no_comparison_is_refused_with_its_place(more: dict[str, Any], place: str) -> None:
    with pytest.raises(Problem) as refused:
        decode_ontology({**SPEC, **more})
    assert refused.value.place == place
    assert refused.value.remedy
