"""Every method on small crowds whose answer is known, and on the inputs that break others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cupola.quality.inference.base import Crowd, Fit
from cupola.quality.inference.coin_ds import coin_ds
from cupola.quality.inference.dawid_skene import dawid_skene
from cupola.quality.inference.glad import glad
from cupola.quality.inference.mace import mace
from cupola.quality.inference.majority import majority
from cupola.quality.inference.one_coin import one_coin

METHODS: list[Callable[..., Fit]] = [majority, one_coin, dawid_skene, coin_ds, mace, glad]


def simulated(
    seed: int, n_tasks: int = 200, n_workers: int = 12, classes: int = 3, votes: int = 5
) -> tuple[Crowd, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n_tasks)
    skill = rng.uniform(0.55, 0.95, n_workers)
    task = np.repeat(np.arange(n_tasks), votes)
    worker = np.concatenate([rng.permutation(n_workers)[:votes] for _ in range(n_tasks)])
    right = rng.random(len(task)) < skill[worker]
    label = np.where(right, truth[task], (truth[task] + rng.integers(1, classes, len(task))) % classes)
    crowd = Crowd.from_codes(task, worker, label, n_tasks=n_tasks, n_workers=n_workers, n_classes=classes)
    return crowd, truth


@pytest.mark.parametrize("method", METHODS)
def test_a_method_recovers_most_labels_of_an_honest_crowd(method: Callable[..., Fit]) -> None:
    crowd, truth = simulated(1)
    fit = method(crowd)
    assert (fit.label == truth).mean() > 0.9
    assert np.allclose(fit.posterior.sum(axis=1), 1.0)
    assert np.allclose(fit.confusion.sum(axis=2), 1.0)
    assert np.isclose(fit.prior.sum(), 1.0)


@pytest.mark.parametrize("method", METHODS)
def test_gold_is_respected_even_against_every_vote(method: Callable[..., Fit]) -> None:
    crowd, truth = simulated(2)
    gold = np.full(crowd.n_tasks, -1, np.int16)
    gold[:10] = (truth[:10] + 1) % 3
    fit = method(crowd.with_gold(gold))
    assert (fit.label[:10] == gold[:10]).all()
    assert (fit.posterior[np.arange(10), gold[:10]] == 1.0).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", ["no votes", "one vote", "one worker", "all ties", "one class", "many votes"])
def test_no_input_brings_forth_a_nan(method: Callable[..., Fit], case: str) -> None:
    crowd = {
        "no votes": lambda: Crowd.from_codes([], [], [], n_tasks=3, n_workers=2, n_classes=2),
        "one vote": lambda: Crowd.from_codes([1], [0], [1], n_tasks=3, n_workers=2, n_classes=4),
        "one worker": lambda: Crowd.from_codes(range(9), [0] * 9, [0, 1, 2] * 3),
        "all ties": lambda: Crowd.from_codes([0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0]),
        "one class": lambda: Crowd.from_codes([0, 0, 1], [0, 1, 0], [0, 0, 0]),
        "many votes": lambda: Crowd.from_codes([0] * 3000, range(3000), [0, 1, 1] * 1000, n_classes=3),
    }[case]()
    fit = method(crowd)
    for array in (fit.posterior, fit.confusion, fit.prior):
        assert np.isfinite(array).all()
    assert np.allclose(fit.posterior.sum(axis=1), 1.0)
