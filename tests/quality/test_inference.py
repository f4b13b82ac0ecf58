"""Every method on small crowds whose answer is known, and on the inputs that break others."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cupola.kernel.errors import Problem
from cupola.quality.inference.base import Crowd, evidence_of
from cupola.quality.inference.coin_ds import coin_ds
from cupola.quality.inference.dawid_skene import dawid_skene
from cupola.quality.inference.methods import METHODS, Method, method_named
from cupola.quality.inference.one_coin import one_coin
from cupola.quality.inference.sparse_coin import sparse_coin
from cupola.quality.simulate import World, simulate
from tests.quality.crowds import honest_crowd

every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())


@every_method
def test_a_method_recovers_most_labels_of_an_honest_crowd(method: Method) -> None:
    crowd, truth = honest_crowd(1)
    fit = method(crowd)
    assert (fit.label == truth).mean() > 0.9
    assert np.allclose(fit.posterior.sum(axis=1), 1.0)
    assert np.allclose(fit.confusion.sum(axis=2), 1.0)
    assert np.isclose(fit.prior.sum(), 1.0)


@every_method
def test_gold_is_respected_even_against_every_vote(method: Method) -> None:
    crowd, truth = honest_crowd(2)
    gold = np.full(crowd.n_tasks, -1, np.int16)
    gold[:10] = (truth[:10] + 1) % 3
    fit = method(crowd.with_gold(gold))
    assert (fit.label[:10] == gold[:10]).all()
    assert (fit.posterior[np.arange(10), gold[:10]] == 1.0).all()


@every_method
@pytest.mark.parametrize(
    "case", ["no votes", "one vote", "one worker", "all ties", "one class", "many votes", "nothing"]
)
def test_no_input_brings_forth_a_nan(method: Method, case: str) -> None:
    crowd = {
        "no votes": lambda: Crowd.from_codes([], [], [], n_tasks=3, n_workers=2, n_classes=2),
        "one vote": lambda: Crowd.from_codes([1], [0], [1], n_tasks=3, n_workers=2, n_classes=4),
        "one worker": lambda: Crowd.from_codes(range(9), [0] * 9, [0, 1, 2] * 3),
        "all ties": lambda: Crowd.from_codes([0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0]),
        "one class": lambda: Crowd.from_codes([0, 0, 1], [0, 1, 0], [0, 0, 0]),
        "many votes": lambda: Crowd.from_codes([0] * 3000, range(3000), [0, 1, 1] * 1000, n_classes=3),
        "nothing": lambda: Crowd.from_codes([], [], [], n_tasks=0, n_workers=0, n_classes=2),
    }[case]()
    with np.errstate(divide="raise", invalid="raise"):
        fit = method(crowd)
    for array in (fit.posterior, fit.confusion, fit.prior, evidence_of(fit, crowd)):
        assert np.isfinite(array).all()
    assert np.allclose(fit.posterior.sum(axis=1), 1.0)


@every_method
def test_the_same_input_gives_the_same_bits(method: Method) -> None:
    crowd, _ = honest_crowd(3)
    assert (method(crowd).posterior == method(crowd).posterior).all()


def plain_dawid_skene(crowd: Crowd, rounds: int) -> NDArray[np.float64]:
    """Dawid & Skene's equations written out loop by loop, to hold the fast one against."""
    classes = crowd.n_classes
    posterior = np.zeros((crowd.n_tasks, classes))
    for task, label in zip(crowd.task, crowd.label, strict=True):
        posterior[task, label] += 1
    posterior /= posterior.sum(axis=1, keepdims=True)
    for _ in range(rounds):
        prior = posterior.mean(axis=0)
        confusion = np.zeros((crowd.n_workers, classes, classes))
        for task, worker, label in zip(crowd.task, crowd.worker, crowd.label, strict=True):
            confusion[worker, :, label] += posterior[task]
        confusion /= np.maximum(confusion.sum(axis=2, keepdims=True), 1e-300)
        log_posterior = np.tile(np.log(np.maximum(prior, 1e-300)), (crowd.n_tasks, 1))
        for task, worker, label in zip(crowd.task, crowd.worker, crowd.label, strict=True):
            log_posterior[task] += np.log(np.maximum(confusion[worker, :, label], 1e-12))
        posterior = np.exp(log_posterior - log_posterior.max(axis=1, keepdims=True))
        posterior /= posterior.sum(axis=1, keepdims=True)
    return posterior


def test_unsmoothed_dawid_skene_is_the_textbook_algorithm() -> None:
    crowd, _ = honest_crowd(4, n_tasks=150)
    fast = dawid_skene(crowd, smoothing=0.0, iterations=20, tolerance=0.0).posterior
    assert np.allclose(fast, plain_dawid_skene(crowd, 20), atol=1e-6)


def test_em_never_lowers_the_likelihood_of_unsmoothed_dawid_skene() -> None:
    crowd, _ = honest_crowd(5)
    steps = [dawid_skene(crowd, smoothing=0.0, iterations=n, tolerance=0.0).log_likelihood for n in range(1, 12)]
    assert (np.diff(steps) >= -1e-6).all()


def test_coin_ds_becomes_one_coin_when_held_hard_and_dawid_skene_when_let_go() -> None:
    crowd, _ = honest_crowd(6, n_tasks=400)
    held = coin_ds(crowd, strength=1e7)
    assert (held.label == one_coin(crowd).label).mean() > 0.97
    loose = coin_ds(crowd, strength=1e-6)
    assert (loose.label == dawid_skene(crowd, smoothing=1e-6).label).mean() > 0.97


@pytest.mark.parametrize("name", ["one_coin", "dawid_skene", "coin_ds", "pool_ds", "blend"])
def test_a_warm_start_from_its_own_fit_ends_at_once_and_at_the_same_place(name: str) -> None:
    crowd, _ = honest_crowd(7)
    cold = METHODS[name](crowd)
    warm = METHODS[name](crowd, start=cold)
    assert warm.iterations <= cold.iterations
    assert (warm.label == cold.label).mean() > 0.99


def test_a_warm_start_knows_what_to_do_with_new_workers() -> None:
    crowd, truth = honest_crowd(8)
    early = coin_ds(crowd)
    more = Crowd.from_codes(
        np.append(crowd.task, np.arange(50)),
        np.append(crowd.worker, np.full(50, 12)),
        np.append(crowd.label, truth[:50]),
    )
    fit = coin_ds(more, start=early)
    assert fit.confusion.shape[0] == 13
    assert np.isfinite(fit.posterior).all()


def test_a_perfect_worker_never_makes_the_truth_less_certain() -> None:
    before, after = [], []
    for seed in range(8):
        crowd, truth = honest_crowd(seed, n_tasks=300)
        added = Crowd.from_codes(
            np.append(crowd.task, np.arange(300)),
            np.append(crowd.worker, np.full(300, crowd.n_workers)),
            np.append(crowd.label, truth),
        )
        rows = np.arange(300)
        before.append(coin_ds(crowd).posterior[rows, truth].mean())
        after.append(coin_ds(added).posterior[rows, truth].mean())
    assert (np.array(after) >= np.array(before)).all()


def test_confusion_matrices_learn_who_confuses_what() -> None:
    drawn = simulate(World(tasks=3000, classes=3, votes=(5, 5), mix={"ordinary": 8, "spammer": 2}), seed=1)
    skill = coin_ds(drawn.crowd).skill
    spam = np.array([kind == "spammer" for kind in drawn.kind])
    assert skill[spam].max() < skill[~spam].min()


def test_a_likelihood_of_many_thousand_votes_does_not_underflow() -> None:
    rng = np.random.default_rng(0)
    workers = 5000
    label = np.where(rng.random(workers) < 0.6, 1, rng.integers(0, 3, workers))
    crowd = Crowd.from_codes(np.zeros(workers, int), np.arange(workers), label, n_classes=3)
    for name in ("one_coin", "dawid_skene", "coin_ds", "pool_ds", "mace", "blend"):
        assert METHODS[name](crowd).label[0] == 1


def test_a_confusion_matrix_each_for_ten_thousand_classes_is_refused() -> None:
    crowd = Crowd.from_codes([0, 0], [0, 299], [0, 9_999], n_classes=10_000)
    with pytest.raises(Problem, match="would hold"):
        coin_ds(crowd)


def test_the_sparse_method_is_one_coin_with_equal_classes() -> None:
    crowd, truth = honest_crowd(9)
    sparse = sparse_coin(crowd)
    assert (sparse.label == one_coin(crowd).label).mean() > 0.97
    assert (sparse.label == truth).mean() > 0.9


def test_an_unknown_method_is_refused_with_the_list() -> None:
    with pytest.raises(Problem) as refusal:
        method_named("magic")
    assert "blend" in refusal.value.remedy
