"""Confidence that means what it says: rho, the choice of method, the online step, the classifier."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cupola.kernel.errors import Problem
from cupola.quality import aggregate
from cupola.quality.aggregation import best_label, doubtful
from cupola.quality.calibrate import calibrated, discount, fit_rho
from cupola.quality.choose import choose, held_out
from cupola.quality.classifier import join, learn_and_join, out_of_fold
from cupola.quality.inference.base import Crowd
from cupola.quality.inference.blend import blend
from cupola.quality.inference.codes import Codes
from cupola.quality.inference.coin_ds import coin_ds
from cupola.quality.online import Plan, begin, cold_start, decide, newcomer, posterior, update, withdraw
from cupola.quality.simulate import Simulated, World, simulate
from tests.quality.crowds import honest_crowd

CORRELATED = World(tasks=2500, classes=4, votes=(4, 6), base_error=0.25, repeat=0.7, difficulty_sd=1.5)


@pytest.fixture(scope="module")
def correlated() -> Simulated:
    return simulate(CORRELATED, seed=3)


def test_votes_are_worth_less_the_more_there_are_and_the_more_errors_repeat() -> None:
    votes = np.arange(1, 50)
    for rho in (0.0, 0.2, 1.0):
        worth = votes * discount(votes, rho)
        assert (np.diff(worth) >= -1e-12).all()
        assert worth[0] == 1.0
    assert (discount(votes, 0.5) <= discount(votes, 0.2)).all()
    assert (votes * discount(votes, 0.5)).max() <= 2.0  # at rho = 0.5 endless votes are worth two


def test_calibration_changes_confidence_and_never_the_answer(correlated: Simulated) -> None:
    fit = coin_ds(correlated.crowd)
    for rho in (0.1, 0.6, 2.0):
        assert (calibrated(fit, correlated.crowd, rho).argmax(axis=1) == fit.label).all()


def test_correlated_errors_make_raw_posteriors_overconfident_and_rho_mends_it(correlated: Simulated) -> None:
    crowd, truth = correlated.crowd, correlated.truth
    fit = coin_ds(crowd)
    gold = np.full(crowd.n_tasks, -1, np.int16)
    gold[:200] = truth[:200]
    rest = np.arange(200, crowd.n_tasks)
    rho = fit_rho(fit, crowd, gold)
    right = (fit.label == truth)[rest].mean()
    raw = fit.posterior.max(axis=1)[rest].mean()
    mended = calibrated(fit, crowd, rho).max(axis=1)[rest].mean()
    assert raw - right > 0.05
    assert abs(mended - right) < 0.4 * (raw - right)
    assert rho > 0.3


def test_independent_errors_need_hardly_any_discount() -> None:
    crowd, truth = honest_crowd(11, n_tasks=3000, n_workers=30)
    fit = coin_ds(crowd)
    rho = fit_rho(fit, crowd, truth.astype(np.int16))
    assert rho < 0.15


def test_without_golds_rho_is_the_default_and_a_negative_one_is_refused() -> None:
    crowd, _ = honest_crowd(12)
    fit = coin_ds(crowd)
    assert fit_rho(fit, crowd, np.full(crowd.n_tasks, -1, np.int16)) == 0.6
    with pytest.raises(Problem, match="rho is -1"):
        calibrated(fit, crowd, -1.0)


def test_held_out_posteriors_do_not_depend_on_the_fold_they_are_scored_on(correlated: Simulated) -> None:
    crowd = correlated.crowd
    fit = coin_ds(crowd)
    gold = np.full(crowd.n_tasks, -1, np.int16)
    gold[:60] = correlated.truth[:60]
    before, known = held_out(fit, crowd, gold, folds=5, seed=1)
    fold = np.random.default_rng(1).permutation(60) % 5
    changed = gold.copy()
    first = known[fold == 0]
    changed[first] = (gold[first] + 1) % 4  # other answers in fold 0 only
    after, _ = held_out(fit, crowd, changed, folds=5, seed=1)
    assert (before[fold == 0] == after[fold == 0]).all()
    assert (before[fold != 0] != after[fold != 0]).any()


def test_few_golds_keep_the_default_method() -> None:
    crowd, truth = honest_crowd(13)
    gold = np.full(crowd.n_tasks, -1, np.int16)
    gold[:49] = truth[:49]
    choice = choose(crowd, gold)
    assert choice.method == "blend"
    assert "49 golds" in choice.why


def test_golds_show_that_unbalanced_and_biased_workers_need_confusion_matrices() -> None:
    rng = np.random.default_rng(5)
    truth = (rng.random(1500) < 0.15).astype(np.int64)
    task = np.repeat(np.arange(1500), 4)
    worker = np.concatenate([rng.permutation(12)[:4] for _ in range(1500)])
    yes = np.where(truth[task] == 1, 0.95, 0.35)  # everyone says "yes" far too readily
    label = (rng.random(len(task)) < yes).astype(np.int64)
    crowd = Crowd.from_codes(task, worker, label)
    gold = np.full(1500, -1, np.int16)
    gold[:300] = truth[:300]
    choice = choose(crowd, gold, default="majority")
    assert choice.method in ("dawid_skene", "coin_ds", "pool_ds", "blend", "mace")
    assert (choice.fit.label == truth).mean() > (choose(crowd, None, default="majority").fit.label == truth).mean()


def test_an_answer_nobody_gave_does_not_win_by_a_hair() -> None:
    crowd, _ = honest_crowd(14, n_tasks=400, classes=4, votes=3, low=0.3)
    fit = blend(crowd)
    said = np.zeros((crowd.n_tasks, 4), bool)
    said[crowd.task, crowd.label] = True
    invented = ~said[np.arange(crowd.n_tasks), fit.label]
    assert invented.mean() < 0.02


@settings(max_examples=50, deadline=None)
@given(
    evidence=arrays(np.float64, 5, elements=st.floats(-200, 0)),
    n_votes=st.integers(0, 30),
    rho=st.floats(0, 5),
)
def test_the_online_posterior_is_a_probability_for_any_evidence(evidence: np.ndarray, n_votes: int, rho: float) -> None:
    found = posterior(evidence, n_votes, np.full(5, 0.2), rho)
    assert np.isfinite(found).all()
    assert np.isclose(found.sum(), 1.0)


def test_the_online_step_arrives_at_the_batch_posterior_in_any_order(correlated: Simulated) -> None:
    crowd = correlated.crowd
    fit = coin_ds(crowd)
    batch = calibrated(fit, crowd, 0.6)
    rng = np.random.default_rng(0)
    for task in range(40):
        rows = np.arange(crowd.starts[task], crowd.starts[task + 1])
        evidence = begin(4)
        for row in rng.permutation(rows):
            evidence = update(evidence, fit.confusion[crowd.worker[row]], int(crowd.label[row]))
        assert np.allclose(posterior(evidence, len(rows), fit.prior, 0.6), batch[task], atol=1e-9)
        for row in rng.permutation(rows):
            evidence = withdraw(evidence, fit.confusion[crowd.worker[row]], int(crowd.label[row]))
        assert np.allclose(evidence, 0.0, atol=1e-9)


def test_a_decision_settles_when_sure_escalates_at_the_cap_and_asks_on_in_between() -> None:
    plan = Plan(threshold=0.95, min_votes=2, max_votes=4)
    sure, unsure = np.array([0.97, 0.03]), np.array([0.6, 0.4])
    assert decide(sure, 1, plan) == "more"  # not before min_votes
    assert decide(sure, 2, plan) == "settle"
    assert decide(unsure, 3, plan) == "more"
    assert decide(unsure, 4, plan) == "escalate"
    assert decide(sure, 4, plan) == "settle"


@pytest.mark.parametrize(
    "bad", [{"threshold": 0.0}, {"threshold": 1.5}, {"min_votes": 3, "max_votes": 2}, {"min_votes": 0}]
)
def test_a_plan_that_cannot_be_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(Problem):
        Plan(**bad)  # type: ignore[arg-type]


def test_newcomers_get_the_average_table_weighted_by_work() -> None:
    tables = np.stack([cold_start(3, 0.9), cold_start(3, 0.5)])
    assert np.allclose(newcomer(tables, np.array([3.0, 1.0])), cold_start(3, 0.8))
    with pytest.raises(Problem):
        newcomer(tables[:0])


def test_ordinal_loss_prefers_the_middle_of_a_split_opinion() -> None:
    split = np.array([[0.4, 0.25, 0.35]])
    assert best_label(split).tolist() == [0]
    assert best_label(split, "absolute").tolist() == [1]
    assert best_label(split, "squared").tolist() == [1]


def test_a_classifier_is_believed_for_what_it_knows_and_no_more() -> None:
    crowd, truth = honest_crowd(15, n_tasks=1500, n_workers=25, classes=3, votes=2, low=0.4)
    rng = np.random.default_rng(0)
    fit = blend(crowd)
    good = np.full((1500, 3), 0.05)
    good[np.arange(1500), np.where(rng.random(1500) < 0.9, truth, rng.integers(0, 3, 1500))] = 0.9
    noise = rng.dirichlet(np.ones(3), 1500)
    alone = (fit.label == truth).mean()
    with_good, joined = join(crowd, good)
    assert (with_good.label == truth).mean() > alone + 0.05
    assert joined.n_workers == crowd.n_workers + 1
    assert with_good.skill[-1] > np.median(with_good.skill[:-1])
    assert abs((join(crowd, noise)[0].label == truth).mean() - alone) < 0.02
    silent = np.full((1500, 3), np.nan)
    assert (join(crowd, silent)[0].label == fit.label).all()
    with pytest.raises(Problem, match="shape"):
        join(crowd, good[:, :2])


def test_features_help_through_out_of_fold_predictions_only() -> None:
    crowd, truth = honest_crowd(16, n_tasks=900, n_workers=25, classes=3, votes=2, low=0.4)
    rng = np.random.default_rng(1)
    centres = rng.normal(0, 1.6, (3, 6))
    features = centres[truth] + rng.normal(0, 1, (900, 6))
    fit = blend(crowd)
    joined, _, probabilities = learn_and_join(crowd, features)
    assert (joined.label == truth).mean() > (fit.label == truth).mean() + 0.03
    assert np.allclose(probabilities.sum(axis=1), 1.0)
    # noise as features: memorising would make a task's own label certain, out of fold it cannot
    target = np.eye(3)[truth]
    blind = out_of_fold(rng.normal(0, 1, (900, 60)), target)
    assert blind[np.arange(900), truth].mean() < 0.45


def test_features_that_are_not_finite_are_refused_by_row() -> None:
    features = np.zeros((10, 2))
    features[4, 1] = np.nan
    with pytest.raises(Problem, match="row 4"):
        out_of_fold(features, np.full((10, 2), 0.5))


def test_the_doubtful_tasks_hold_most_errors(correlated: Simulated) -> None:
    crowd = correlated.crowd
    codes = Codes(tuple(range(crowd.n_tasks)), tuple(range(crowd.n_workers)), (0, 1, 2, 3))
    result = aggregate((crowd, codes))
    wrong = result.label != correlated.truth
    least_sure = doubtful(result, crowd.n_tasks // 5)
    assert wrong[least_sure].sum() > 0.33 * wrong.sum()
