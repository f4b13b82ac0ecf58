"""Without gold, labels are never worse than the majority's by more than a point."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv as pa_csv
import pytest
from numpy.typing import NDArray

from cupola.quality.inference.base import Crowd
from cupola.quality.inference.blend import blend
from cupola.quality.inference.coin_ds import coin_ds
from cupola.quality.inference.walks import tally, walked_away
from cupola.quality.simulate import Kind, World, simulate
from tests.quality.crowds import honest_crowd, skewed_crowd

WORLDS: list[dict[str, Any]] = [
    {"votes": 7, "difficulty": 2.0},
    {"votes": 5, "difficulty": 2.0},
    {"votes": 10, "difficulty": 2.0},
    {"votes": 20},
    {"rare": 0.05},
    {"rare": 0.3},
    {"difficulty": 2.0, "false_rare": 0.2, "missed": 0.2},
    {"false_rare": 0.03, "missed": 0.5},
    {"votes": 10, "people_differ": 1.2},
    {"votes": 3, "difficulty": 2.0},
    {"votes": 5, "difficulty": 0.5, "false_rare": 0.03, "missed": 0.55, "rare": 0.25},
    {"classes": 4, "difficulty": 2.0},
    {"classes": 4, "votes": 10, "difficulty": 2.0},
    {"classes": 4, "votes": 20},
    {"classes": 4, "rare": 0.05},
]


def majority_right(crowd: Crowd, truth: NDArray[np.int64], tasks: NDArray[np.int64]) -> float:
    """Share right of a majority that breaks ties by chance, in expectation."""
    votes = tally(crowd)
    leads = votes == votes.max(axis=1, keepdims=True)
    return float((leads / leads.sum(axis=1, keepdims=True))[tasks, truth[tasks]].mean())


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: ",".join(f"{k}={v}" for k, v in world.items()))
def test_skewed_crowds_are_labelled_no_worse_than_by_majority(world: dict[str, Any]) -> None:
    leads = []
    for seed in range(3):
        crowd, truth = skewed_crowd(seed, **world)
        every = np.arange(crowd.n_tasks)
        leads.append((blend(crowd).label == truth).mean() - majority_right(crowd, truth, every))
    assert np.mean(leads) > -0.01


def test_honest_crowds_are_labelled_better_than_by_majority() -> None:
    leads = []
    for seed in range(6):
        crowd, truth = honest_crowd(seed, classes=2 + seed % 4, low=0.35)
        leads.append((blend(crowd).label == truth).mean() - majority_right(crowd, truth, np.arange(crowd.n_tasks)))
    assert np.mean(leads) > 0.01


def test_what_people_share_in_missing_the_rare_is_still_learned() -> None:
    """Half of the rare are missed by each, independently: EM is right against the majority, and is left to be."""
    crowd, truth = skewed_crowd(0, votes=7, difficulty=0.0, false_rare=0.03, missed=0.5)
    fit = blend(crowd)
    assert fit.method == "blend"
    assert (fit.label == truth).mean() > majority_right(crowd, truth, np.arange(crowd.n_tasks)) + 0.03


def test_much_that_is_moved_to_rarer_classes_by_those_who_know_is_left_there() -> None:
    """More than half of the rare are missed by each, so a tenth of all tasks and more is moved, and rightly."""
    for seed in (200, 201, 202):
        crowd, truth = skewed_crowd(seed, votes=12, difficulty=0.5, false_rare=0.03, missed=0.6, rare=0.3)
        fit = blend(crowd)
        assert fit.method == "blend"
        assert (fit.label == truth).mean() > majority_right(crowd, truth, np.arange(crowd.n_tasks)) + 0.1


@pytest.mark.parametrize(("classes", "seed"), [(4, 104), (4, 107), (4, 111), (4, 309), (5, 314), (5, 317)])
def test_no_single_crowd_of_many_votes_loses_to_the_majority(classes: int, seed: int) -> None:
    """What they are split about is moved to rare classes, a seventh of all tasks, and fits what is foretold but for
    little: it was 14 to 25 points that single crowds lost."""
    mix: dict[Kind, int] = {"expert": 3, "ordinary": 30, "biased": 5, "spammer": 2}
    drawn = simulate(
        World(tasks=1_000, classes=classes, class_skew=1.6, difficulty_sd=2.0, votes=(10, 20), mix=mix), seed
    )
    lead = (blend(drawn.crowd).label == drawn.truth).mean() - majority_right(
        drawn.crowd, drawn.truth.astype(np.int64), np.arange(drawn.crowd.n_tasks)
    )
    assert lead > -0.01


def test_a_class_made_of_disagreement_is_seen_for_what_it_is() -> None:
    crowd, truth = skewed_crowd(0, votes=10, difficulty=2.0)
    astray = coin_ds(crowd)
    assert (astray.label == truth).mean() < majority_right(crowd, truth, np.arange(crowd.n_tasks)) - 0.02
    assert walked_away(astray, crowd)
    assert blend(crowd).method == "one_coin"


@pytest.mark.parametrize("name", ["rte", "dog", "sp", "sp_amt", "cf", "cf_amt", "face", "product", "adult", "labelme"])
def test_real_sets_are_labelled_no_worse_than_by_majority(name: str, data_dir: Path) -> None:
    crowd, _ = Crowd.from_frame(
        pa_csv.read_csv(data_dir / name / "labels.csv"),
        gold=pa_csv.read_csv(data_dir / name / "truth.csv"),
        duplicates="keep",
    )
    assert crowd.gold is not None
    truth, blind = crowd.gold.astype(np.int64), crowd.with_gold(None)
    known = np.flatnonzero(truth >= 0)
    ours = (blend(blind).label[known] == truth[known]).mean()
    assert ours > majority_right(blind, truth, known) - 0.01
