"""Many classes: confidence that is borne out on simulated crowds, in memory that grows with judgements only."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from cupola.quality import aggregate
from cupola.quality.aggregation import Aggregate
from cupola.quality.inference.base import Crowd
from cupola.quality.inference.blend import blend
from cupola.quality.inference.codes import Codes
from cupola.quality.inference.coin_ds import STRENGTH, coin_ds
from cupola.quality.inference.coin_model import CoinModel, cold_model
from cupola.quality.inference.one_coin import FEW_CLASSES
from cupola.quality.inference.sparse_coin import WIDE_CLASSES, sparse_coin
from cupola.quality.simulate import Kind, Simulated, World, simulate
from tests.quality.crowds import calibration_error

MIX: dict[Kind, int] = {"expert": 3, "ordinary": 30, "biased": 5, "spammer": 2}
HARD = {"base_error": 0.3, "votes": (3, 3)}
USUAL = {"base_error": 0.15, "votes": (3, 5)}
BAD = {"base_error": 0.4, "votes": (5, 5)}
THIN = {"base_error": 0.1, "votes": (2, 2)}


def drawn(classes: int, kind: dict[str, object], seed: int = 1) -> Simulated:
    return simulate(World(tasks=1000, classes=classes, mix=MIX, **kind), seed)  # type: ignore[arg-type]


def settled(crowd: Crowd, gold: NDArray[np.int16] | None = None) -> Aggregate:
    codes = Codes(tuple(range(crowd.n_tasks)), tuple(range(crowd.n_workers)), tuple(range(crowd.n_classes)))
    return aggregate((crowd if gold is None else crowd.with_gold(gold), codes))


def all_different(crowd: Crowd) -> NDArray[np.bool_]:
    said = np.unique(np.column_stack([crowd.task, crowd.label]), axis=0)[:, 0]
    return np.asarray((np.bincount(said, minlength=crowd.n_tasks) == crowd.votes) & (crowd.votes > 2))


@pytest.mark.parametrize("classes", [20, 30, 100, 300, 1000])
def test_what_is_claimed_of_simulated_crowds_is_borne_out(classes: int) -> None:
    errors = []
    for kind in (HARD, USUAL, BAD, THIN):
        one = drawn(classes, kind)
        found = settled(one.crowd)
        right = found.label == one.truth
        assert abs(found.confidence.mean() - right.mean()) < 0.08
        errors.append(calibration_error(found.confidence, right))
    assert np.mean(errors) <= 0.05


def test_three_different_answers_are_not_believed() -> None:
    one = drawn(100, HARD)
    found = settled(one.crowd)
    apart = all_different(one.crowd)
    assert apart.sum() > 300
    right = (found.label == one.truth)[apart].mean()
    assert found.confidence[apart].mean() == pytest.approx(right, abs=0.12)


@pytest.mark.parametrize("classes", [30, 300])
def test_noise_is_nothing_that_anybody_knows(classes: int) -> None:
    rng = np.random.default_rng(0)
    worker = np.concatenate([rng.permutation(20)[:3] for _ in range(1000)])
    crowd = Crowd.from_codes(np.repeat(np.arange(1000), 3), worker, rng.integers(0, classes, 3000), n_classes=classes)
    assert settled(crowd).confidence.mean() < 0.15


def test_many_classes_are_labelled_better_than_by_majority_or_by_a_confusion_matrix_each() -> None:
    one = drawn(100, HARD)
    ours = (settled(one.crowd).label == one.truth).mean()
    assert ours > (blend(one.crowd).label == one.truth).mean() + 0.01


def test_a_confusion_matrix_of_many_classes_does_not_explain_each_vote_by_itself() -> None:
    """Held by a prior made for few classes, a vote fills its own cell, and three answers that differ explain each
    other."""
    one = drawn(100, HARD)
    loose = coin_ds(one.crowd, strength=STRENGTH * FEW_CLASSES / 100)
    assert (coin_ds(one.crowd).label == one.truth).mean() > (loose.label == one.truth).mean() + 0.02


def test_golds_put_the_confidence_right_where_a_crowd_is_like_no_other() -> None:
    rng = np.random.default_rng(3)
    tasks, classes = 1500, 300
    truth = rng.integers(0, classes, tasks)
    hard = rng.random(tasks) < 0.2
    tempting = (truth + rng.integers(1, classes, tasks)) % classes
    task = np.repeat(np.arange(tasks), 5)
    worker = np.concatenate([rng.permutation(40)[:5] for _ in range(tasks)])
    right = rng.random(len(task)) < np.where(hard[task], 0.3, 0.85)
    crowd = Crowd.from_codes(task, worker, np.where(right, truth[task], tempting[task]), n_classes=classes)
    gold = np.full(tasks, -1, np.int16)
    gold[:300] = truth[:300]
    rest = np.arange(300, tasks)

    def error(found: Aggregate) -> float:
        return calibration_error(found.confidence[rest], (found.label == truth)[rest])

    assert error(settled(crowd, gold)) < 0.6 * error(settled(crowd))


def test_ten_thousand_classes_need_memory_for_judgements_only() -> None:
    rng = np.random.default_rng(0)
    tasks, classes, people = 10_000, 10_000, 500
    truth = rng.integers(0, classes, tasks)
    task = np.repeat(np.arange(tasks), 3)
    worker = ((rng.integers(0, people, tasks)[:, None] + np.array([0, 1, 7])) % people).ravel()
    label = np.where(rng.random(len(task)) < 0.7, truth[task], rng.integers(0, classes, len(task)))
    crowd = Crowd.from_codes(task, worker, label, n_classes=classes)
    sparse_coin(crowd.keep(crowd.task < 10), iterations=1)  # compiled
    tracemalloc.start()
    fit = sparse_coin(crowd, iterations=8)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 60 * 1024**2
    assert (fit.label == truth).mean() > 0.8
    assert len(fit.model.freeze()) < 3 * 1024**2


def test_frozen_parameters_decide_as_the_fit_did_in_any_order_of_votes() -> None:
    one = drawn(100, USUAL)
    crowd = one.crowd
    model = CoinModel.thaw(sparse_coin(crowd).model.freeze())
    rows = np.random.default_rng(0).permutation(len(crowd))
    task, worker, label = (column.astype(np.int64) for column in (crowd.task, crowd.worker, crowd.label))
    found = model.leading(task[rows], crowd.n_tasks, worker[rows], label[rows])
    again = model.leading(task, crowd.n_tasks, worker, label)
    assert np.allclose(found.confidence, again.confidence)
    assert (found.label == again.label).all()
    right = found.label == one.truth
    assert calibration_error(found.confidence, right) < 0.06
    dense = model.posterior(task, crowd.n_tasks, worker, label)
    assert np.allclose(dense.sum(axis=1), 1.0)
    assert np.allclose(dense.max(axis=1), np.maximum(found.confidence, dense.max(axis=1)))
    assert (dense.argmax(axis=1) == found.label)[found.confidence > 0.5].all()


def test_one_more_vote_for_the_leader_makes_it_surer_and_strangers_are_heard() -> None:
    model = cold_model(1000)
    task = np.array([0, 1, 1, 2, 2, 2])
    found = model.leading(task, 4, np.full(6, -1), np.array([5, 5, 5, 5, 5, 6]))
    assert found.label.tolist() == [5, 5, 5, -1]
    assert found.confidence[1] > found.confidence[0] > found.confidence[3]
    assert found.confidence[1] > found.confidence[2]


def test_what_a_vote_would_tell_is_the_mutual_information() -> None:
    model = sparse_coin(drawn(30, USUAL).crowd).model
    posterior = np.random.default_rng(0).dirichlet(np.full(30, 0.2))
    who = np.array([0, 5, -1])
    found = model.information(who, posterior)
    for n, worker in enumerate(who):
        skill = model.newcomer if worker < 0 else model.skill[worker]
        knows = float(
            model.knows(np.array([skill]))[0] @ (np.polynomial.hermite_e.hermegauss(7)[1] / np.sqrt(2 * np.pi))
        )
        table = knows * np.eye(30) + (1 - knows) * model.habit[None, :]
        joint = posterior[:, None] * table
        said = joint.sum(axis=0)
        expected = float((joint * np.log(table / said)).sum())
        assert found[n] == pytest.approx(expected, rel=1e-6)


def test_from_so_many_classes_on_the_sparse_method_is_taken() -> None:
    assert settled(drawn(WIDE_CLASSES, USUAL).crowd).method == "sparse_coin"
    assert settled(drawn(WIDE_CLASSES - 1, USUAL).crowd).method == "blend"
