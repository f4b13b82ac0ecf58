"""Agreement figures against published examples, other implementations and their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from cupola.kernel.errors import Problem
from cupola.quality.agreement import ac1, alpha, by_class, fleiss_kappa, ordered, pairs, repeat_rate, values_of
from cupola.quality.inference.base import Crowd
from cupola.quality.simulate import World, simulate
from tests.quality.crowds import honest_crowd

# the worked example of Krippendorff (2011), four observers, twelve units; Gwet's handbook uses it too
EXAMPLE = ("1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 .")


def example() -> Crowd:
    cells = [
        (unit, observer, int(value) - 1)
        for observer, row in enumerate(EXAMPLE)
        for unit, value in enumerate(row.split())
        if value != "."
    ]
    task, worker, label = zip(*cells, strict=True)
    return Crowd.from_codes(task, worker, label)


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_alpha_is_the_published_value_at_every_level(level: str, published: float) -> None:
    found = alpha(example(), level, values=np.arange(1.0, 6.0), draws=0)  # type: ignore[arg-type]
    assert found.value == pytest.approx(published, abs=0.0005)


def test_ac1_and_kappa_are_the_published_values() -> None:
    assert ac1(example(), draws=0).value == pytest.approx(0.77544, abs=1e-5)
    assert fleiss_kappa(example(), draws=0).value == pytest.approx(0.76117, abs=1e-5)


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
def test_alpha_agrees_with_the_krippendorff_package(level: str) -> None:
    package = pytest.importorskip("krippendorff")
    for seed in range(5):
        crowd, _ = honest_crowd(seed, n_tasks=60, classes=4, votes=3, low=0.3)
        table = np.full((crowd.n_workers, crowd.n_tasks), np.nan)
        table[crowd.worker, crowd.task] = crowd.label + 1.0
        expected = package.alpha(reliability_data=table, level_of_measurement=level)
        found = alpha(crowd, level, values=np.arange(1.0, 5.0), draws=0)  # type: ignore[arg-type]
        assert found.value == pytest.approx(expected, abs=1e-9)


def test_perfect_agreement_is_one_and_random_answers_are_nothing() -> None:
    perfect = Crowd.from_codes([0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 1, 1])
    assert alpha(perfect, draws=0).value == 1.0
    assert ac1(perfect, draws=0).value == 1.0
    rng = np.random.default_rng(0)
    random = Crowd.from_codes(np.repeat(np.arange(2000), 3), np.tile([0, 1, 2], 2000), rng.integers(0, 3, 6000))
    found = alpha(random)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.0 < found.high or abs(found.value) < 0.02


def test_what_the_data_do_not_define_is_none_and_never_nan() -> None:
    one_vote = Crowd.from_codes([0, 1, 2], [0, 0, 0], [0, 1, 0])
    all_same = Crowd.from_codes([0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0], n_classes=2)
    assert alpha(one_vote).value is None
    assert ac1(one_vote).value is None
    assert fleiss_kappa(one_vote).value is None
    assert alpha(all_same).value is None
    assert repeat_rate(all_same, np.array([0, 0], np.int16)).value is None
    assert ac1(all_same, draws=0).value == 1.0


def test_a_bootstrap_interval_holds_the_value_of_a_larger_crowd() -> None:
    large, _ = honest_crowd(1, n_tasks=4000, n_workers=40)
    truth = alpha(large, draws=0).value
    assert truth is not None
    held = 0
    for seed in range(20):
        found = alpha(honest_crowd(seed + 50, n_tasks=200, n_workers=40)[0], draws=100, seed=seed)
        assert found.low is not None
        assert found.high is not None
        held += found.low - 0.02 <= truth <= found.high + 0.02
    assert held >= 17


def test_the_repeat_rate_finds_the_confuser_of_the_simulator() -> None:
    rates = []
    for repeat in (0.0, 0.3, 0.6):
        world = World(tasks=4000, classes=5, repeat=repeat, mix={"ordinary": 30}, difficulty_sd=0.0, base_error=0.2)
        drawn = simulate(world, seed=2)
        found = repeat_rate(drawn.crowd, drawn.truth, draws=0).value
        assert found is not None
        rates.append(found)
    # another is wrong with 0.2, and says the same with about repeat^2 + (1 - repeat^2) / 4
    assert rates == sorted(rates)
    assert rates[0] == pytest.approx(0.2 * 0.25, abs=0.015)


def test_classes_that_people_confuse_agree_less() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 1500)
    task, worker = np.repeat(np.arange(1500), 3), np.tile([0, 1, 2], 1500)
    mixed = np.where(rng.random(4500) < 0.3, 3 - truth[task], truth[task])  # 1 and 2 are confused, 0 is not
    label = np.where(truth[task] == 0, 0, mixed)
    found = by_class(Crowd.from_codes(task, worker, label))
    assert found[0] > 0.99
    assert found[1] < 0.6
    assert found[2] < 0.6


def test_pairs_name_who_disagrees_first() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 200)
    rows = [(t, w, truth[t] if w < 3 else rng.integers(0, 2)) for t in range(200) for w in range(4)]
    task, worker, label = zip(*rows, strict=True)
    found = pairs(Crowd.from_codes(task, worker, label))
    assert len(found) == 6
    assert 3 in (found[0].first, found[0].second)
    assert found[-1].kappa == 1.0
    assert all(pair.shared == 200 for pair in found)


def test_numbers_are_taken_as_the_numbers_they_are() -> None:
    for level, expected in (("interval", 0.849), ("ratio", 0.797)):
        found = alpha(example(), level, values=values_of(("1", "2", "3", "4", "5"), level), draws=0)  # type: ignore[arg-type]
        assert found.value == pytest.approx(expected, abs=0.0005)
        with pytest.raises(Problem, match="codes are none"):
            alpha(example(), level)  # type: ignore[arg-type]
    assert values_of((1, 2, 5, 10, 100), "interval").tolist() == [1, 2, 5, 10, 100]  # type: ignore[union-attr]
    uneven = alpha(example(), "interval", values=values_of(("1", "2", "5", "10", "100"), "interval"), draws=0)
    even = alpha(example(), "interval", values=np.arange(5.0), draws=0)
    assert uneven.value != pytest.approx(even.value, abs=0.01)
    with pytest.raises(Problem, match="'high' is none"):
        values_of(("high", "low"), "interval")
    assert values_of(("high", "low"), "ordinal") is None


def test_words_have_no_order_but_the_one_they_are_given() -> None:
    with pytest.raises(Problem, match="alphabet"):
        ordered(("high", "low", "middle"), None, "ordinal")
    assert ordered(("high", "low", "middle"), ["low", "middle", "high"], "ordinal") == ["low", "middle", "high"]
    assert ordered((1, 2, 10), None, "ordinal") is None
    assert ordered((1, 2, 10), ["1", "2", "3", "10"], "ordinal") == [1, 2, 3, 10]
    with pytest.raises(Problem, match="leaves out middle"):
        ordered(("high", "low", "middle"), ["low", "high"], "ordinal")
