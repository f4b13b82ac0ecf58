"""Certificates: the figures of the plan, exact bounds, and coverage by simulation at the worst place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, hypergeom

from cupola.kernel.errors import Problem
from cupola.quality.certify.fixed import (
    allowed_errors,
    clopper_pearson_lower,
    clopper_pearson_upper,
    error_upper,
    hypergeometric_upper,
    power,
    sample_size,
    sample_size_for_power,
)
from cupola.quality.certify.sequential import Sequential, best_log_evidence, items_needed, upper_bound
from cupola.quality.certify.strata import (
    Stratum,
    auditor_corrected_upper,
    pac_threshold,
    release_end,
    stratified_upper,
    threshold_sample_size,
)


@pytest.mark.parametrize(
    ("limit", "sizes"),
    [(0.003, (998, 1580, 2097, 2583)), (0.01, (299, 473, 628, 773)), (0.05, (59, 93, 124, 153))],
)
def test_sample_sizes_are_those_of_the_tables(limit: float, sizes: tuple[int, ...]) -> None:
    assert tuple(sample_size(limit, errors) for errors in range(4)) == sizes


def test_a_finite_batch_needs_fewer_and_a_census_proves_itself() -> None:
    assert sample_size(0.003, 0, population=1000) == 527
    assert hypergeometric_upper(2, 50, 50) == 2
    assert error_upper(0, 1000, 1000) == 0.0


@pytest.mark.parametrize(("true_error", "n"), [(0.0003, 1580), (0.0006, 2583), (0.0015, 8496)])
def test_ninety_percent_power_needs_the_planned_sample(true_error: float, n: int) -> None:
    size, allowed = sample_size_for_power(0.003, true_error)
    assert size == n
    assert power(true_error, size, 0.003) >= 0.9
    assert allowed_errors(size, 0.003) == allowed


@given(errors=st.integers(0, 30), more=st.integers(0, 500), confidence=st.floats(0.5, 0.999))
def test_clopper_pearson_bounds_are_monotone_and_hold_the_observed_rate(
    errors: int, more: int, confidence: float
) -> None:
    n = errors + more + 1
    upper = clopper_pearson_upper(errors, n, confidence)
    assert clopper_pearson_lower(errors, n, confidence) <= errors / n <= upper
    assert clopper_pearson_upper(errors + 1, n, confidence) >= upper
    assert clopper_pearson_upper(errors, n + 1, confidence) <= upper
    assert clopper_pearson_upper(errors, n, min(confidence + 0.0005, 0.9999)) >= upper - 1e-12
    # the definition: at the bound, so few errors have a chance of exactly 1 - confidence
    if upper < 1:
        assert np.isclose(binom.cdf(errors, n, upper), 1 - confidence, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(population=st.integers(1, 400), data=st.data())
def test_the_hypergeometric_bound_is_the_last_count_not_refuted(population: int, data: st.DataObject) -> None:
    n = data.draw(st.integers(0, population))
    errors = data.draw(st.integers(0, n))
    bound = hypergeometric_upper(errors, n, population)
    assert errors <= bound <= errors + population - n
    assert hypergeom.cdf(errors, population, bound, n) > 0.05 or bound == errors
    if bound < errors + population - n:
        assert hypergeom.cdf(errors, population, bound + 1, n) <= 0.05
    assert bound / population <= clopper_pearson_upper(errors, n) + 1e-9 + 1.0 / population


@pytest.mark.parametrize("rate", [0.002, 0.01, 0.2])
def test_a_fixed_certificate_is_wrong_in_at_most_five_percent_at_its_worst_rate(rate: float) -> None:
    # exact, not by chance: P(the bound lies below the true rate) over every possible number of errors
    for n in (50, 299, 1000):
        counts = np.arange(0, min(n, 120) + 1)
        below = np.array([clopper_pearson_upper(int(c), n) < rate for c in counts])
        assert (binom.pmf(counts, n, rate) * below).sum() <= 0.05


def test_a_finite_certificate_is_wrong_in_at_most_five_percent_for_every_number_of_errors() -> None:
    population, n = 200, 60
    bounds = np.array([hypergeometric_upper(c, n, population) for c in range(n + 1)])
    for true in range(population + 1):
        chance = hypergeom.pmf(np.arange(n + 1), population, true, n)
        assert chance[bounds < true].sum() <= 0.05 + 1e-12


@pytest.mark.parametrize("call", [lambda: clopper_pearson_upper(3, 2), lambda: clopper_pearson_upper(-1, 2)])
def test_impossible_counts_are_refused(call: object) -> None:
    with pytest.raises(Problem, match="cannot be"):
        call()  # type: ignore[operator]


def test_a_limit_that_is_already_broken_is_refused() -> None:
    with pytest.raises(Problem, match="already more"):
        sample_size(0.003, 4, population=1000)
    with pytest.raises(Problem, match="is not below"):
        sample_size_for_power(0.01, 0.02)


def test_a_flawless_stream_is_certified_within_the_planned_items() -> None:
    assert items_needed(0.003) <= 1100
    assert items_needed(0.003) == best_n_by_search(0.003)


def best_n_by_search(limit: float) -> int:
    low, high = 1, 5000
    while low < high:
        middle = (low + high) // 2
        if best_log_evidence(np.zeros(middle, bool), limit) >= np.log(20):
            high = middle
        else:
            low = middle + 1
    return low


def test_looking_after_every_item_is_wrong_in_at_most_five_percent_of_streams() -> None:
    # at the limit itself: the worst case; 400 streams of 6,000 looks each, fixed seed
    rng = np.random.default_rng(20260101)
    wrong = sum(best_log_evidence(rng.random(6000) < 0.01, 0.01) >= np.log(20) for _ in range(400))
    assert wrong <= binom.ppf(0.999, 400, 0.05)


def test_a_gambler_gains_nothing_on_average_at_the_limit() -> None:
    limit = 0.02
    state = Sequential(limit)
    after_right, after_wrong = state.seen(False), state.seen(True)
    mean = (1 - limit) * np.exp(after_right.log_evidence) + limit * np.exp(after_wrong.log_evidence)
    assert np.isclose(mean, 1.0)


def test_without_replacement_no_order_of_a_release_at_the_limit_can_be_bet_on() -> None:
    # every order of 2 errors among 8 items: the mean capital at the end is at most 1, exactly
    population, errors = 8, 2
    total, orders = 0.0, 0
    for first in range(population):
        for second in range(first + 1, population):
            state = Sequential(errors / population, population=population)
            for place in range(5):
                state = state.seen(place in (first, second))
            total += np.exp(state.log_evidence)
            orders += 1
    assert total / orders <= 1.0 + 1e-9


def test_a_finite_release_is_refuted_for_certain_when_too_few_items_are_left_to_be_wrong() -> None:
    state = Sequential(0.5, population=4)
    for _ in range(3):
        state = state.seen(False)
    assert state.reached
    with pytest.raises(Problem, match="All 4 items"):
        state.seen(False).seen(False)


@settings(max_examples=30, deadline=None)
@given(outcomes=st.lists(st.booleans(), min_size=1, max_size=300))
def test_one_more_right_item_never_weakens_the_sequential_bound(outcomes: list[bool]) -> None:
    assert upper_bound([*outcomes, False], grid=200) <= upper_bound(outcomes, grid=200) + 1e-12


def test_a_census_counts_as_it_is_and_one_sampled_stratum_is_exact() -> None:
    alone = stratified_upper([Stratum("all", 1000, 300, 1)])
    assert alone == hypergeometric_upper(1, 300, 1000) / 1000
    both = stratified_upper([Stratum("doubtful", 200, 200, 0), Stratum("rest", 800, 300, 1)])
    assert both == hypergeometric_upper(1, 300, 800) / 1000
    assert both < alone


def test_several_sampled_strata_are_covered_together() -> None:
    rng = np.random.default_rng(1)
    sizes, errors, drawn = (300, 700), (30, 14), (80, 120)
    missed = 0
    for _ in range(600):
        found = [int(rng.hypergeometric(e, s - e, d)) for e, s, d in zip(errors, sizes, drawn, strict=True)]
        strata = [Stratum(str(h), sizes[h], drawn[h], found[h]) for h in range(2)]
        missed += stratified_upper(strata) < sum(errors) / sum(sizes)
    assert missed <= binom.ppf(0.999, 600, 0.05)


def test_auditors_who_overlook_errors_cost_confidence_and_unknown_auditors_all_of_it() -> None:
    careful = auditor_corrected_upper(0, 1000, 0, 100)
    careless = auditor_corrected_upper(0, 1000, 20, 100)
    assert clopper_pearson_upper(0, 1000) < careful < careless
    assert auditor_corrected_upper(0, 1000, 0, 0) == 1.0


def test_the_release_threshold_keeps_its_promise_over_many_draws() -> None:
    rng = np.random.default_rng(7)
    broken, released = 0, []
    for _ in range(300):
        confidence = rng.beta(6, 1, 4000)
        wrong = rng.random(4000) > confidence * 0.97  # somewhat overconfident
        sample = rng.choice(4000, 400, replace=False)
        found = pac_threshold(confidence, confidence[sample], wrong[sample], 0.05)
        if found.value is not None:
            released.append(found.released)
            left = wrong & (confidence >= found.value)
            left[sample] = False  # the experts' labels stand there
            broken += left.mean() > 0.05
    assert broken <= binom.ppf(0.999, 300, 0.05)
    assert np.mean(released) > 0.2


def test_when_even_the_surest_items_are_wrong_nothing_is_released() -> None:
    sure = np.linspace(0.5, 1, 100)
    found = pac_threshold(sure, np.full(50, 1.0), np.ones(50, bool), 0.01)
    assert found.value is None
    assert found.released == 0.0


def test_the_sample_that_finds_a_threshold_is_larger_where_its_chance_costs_more_experts() -> None:
    rng = np.random.default_rng(0)
    surer = 1.0 - 0.4 * rng.random(8_000) ** 4
    few, many = threshold_sample_size(surer[:1_000], 0.05), threshold_sample_size(surer, 0.05)
    assert 200 <= few < many <= 800
    assert threshold_sample_size(surer[:150], 0.05) == 150  # never more than there are
    assert threshold_sample_size(rng.permutation(surer), 0.05) == many
    with pytest.raises(Problem, match="nothing to release"):
        threshold_sample_size(np.zeros(0), 0.05)


def test_a_release_that_believes_its_confidences_ends_where_half_the_limit_is_spent() -> None:
    confidence = np.concatenate([np.full(900, 0.99), np.full(100, 0.6)])
    ends, released = release_end(confidence, 0.02)
    assert ends == pytest.approx(0.6)
    assert (1.0 - confidence[np.argsort(-confidence)][: int(released * 1000) - 1]).sum() < 0.5 * 0.02 * 1000 + 1e-9


def test_a_threshold_found_with_a_sample_of_planned_size_keeps_its_promise() -> None:
    """Confidences that promise too much, and a plan made of them: at most one release in twenty is beyond the limit."""
    rng = np.random.default_rng(11)
    broken, draws = 0, 300
    for _ in range(draws):
        confidence = np.round(rng.beta(5, 1, 3_000), 2)  # many are equal
        wrong = rng.random(3_000) > confidence * 0.96
        sample = rng.choice(3_000, threshold_sample_size(confidence, 0.05), replace=False)
        found = pac_threshold(confidence, confidence[sample], wrong[sample], 0.05)
        left = wrong.copy()
        left[sample] = False
        broken += found.value is not None and (left & (confidence >= found.value)).mean() > 0.05
    assert broken / draws <= 0.05 + 1.64 * np.sqrt(0.05 * 0.95 / draws)
