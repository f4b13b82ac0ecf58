"""Signals about workers, the policy, the planner and the simulator they are tried on."""

from __future__ import annotations

import numpy as np
import pytest

from cupola.kernel.errors import Problem
from cupola.quality.calibrate import DEFAULT_RHO
from cupola.quality.collusion import collusion, pair_signals
from cupola.quality.inference.base import Crowd
from cupola.quality.inference.blend import blend
from cupola.quality.inference.coin_ds import coin_ds
from cupola.quality.online import begin, cold_start, update
from cupola.quality.plan import forecast, worth_asking
from cupola.quality.policy import gold_rate, price_of_error, rank_workers, saving_of_vote, spend, value_of_vote
from cupola.quality.pool import pool_from_pilot, pool_from_skill
from cupola.quality.simulate import Kind, Simulated, World, simulate
from cupola.quality.workers_flags import all_flags, copied_answers, drift, gold_skill, spammers

MIX: dict[Kind, int] = {"expert": 3, "ordinary": 40, "biased": 6, "ring": 6, "spammer": 3, "drifting": 4, "copier": 3}


@pytest.fixture(scope="module", params=[0, 1, 2])
def crowd_of_all_kinds(request: pytest.FixtureRequest) -> Simulated:
    return simulate(World(tasks=3000, mix=MIX, zipf=0.5, ring_tasks=80), seed=request.param)


def named(drawn: Simulated, kind: Kind) -> set[int]:
    return {worker for worker, own in enumerate(drawn.kind) if own == kind}


def test_the_simulator_is_the_same_for_the_same_seed_and_keeps_its_word() -> None:
    world = World(tasks=4000, classes=4, votes=(2, 5), base_error=0.1, difficulty_sd=0.0, mix={"ordinary": 50})
    one, two = simulate(world, 5), simulate(world, 5)
    assert (one.crowd.label == two.crowd.label).all()
    assert (one.truth != simulate(world, 6).truth).any()
    votes = one.crowd.votes
    assert votes.min() == 2
    assert votes.max() == 5
    error = (one.crowd.label != one.truth[one.crowd.task]).mean()
    assert error == pytest.approx(0.11, abs=0.03)


def test_a_world_that_cannot_be_is_refused() -> None:
    with pytest.raises(Problem, match="votes"):
        World(votes=(3, 50), mix={"ordinary": 10})
    with pytest.raises(Problem, match="base_error"):
        World(base_error=0.0)


def test_spammers_are_found_and_honest_workers_left_alone(crowd_of_all_kinds: Simulated) -> None:
    drawn = crowd_of_all_kinds
    flagged = {flag.worker for flag in spammers(blend(drawn.crowd), drawn.crowd)}
    assert named(drawn, "spammer") <= flagged
    honest = named(drawn, "ordinary") | named(drawn, "expert")
    assert not flagged & honest


def test_a_ring_is_found_whole_and_nobody_honest_with_it(crowd_of_all_kinds: Simulated) -> None:
    drawn = crowd_of_all_kinds
    flags = collusion(drawn.crowd)
    assert {flag.worker for flag in flags} == named(drawn, "ring")
    for flag in flags:
        assert set(flag.others) <= named(drawn, "ring")
        assert "would be expected" in flag.evidence


def test_a_ring_hides_in_a_crowd_that_agrees_anyway_but_not_as_a_group() -> None:
    """Of two classes one is rare and most people are good: no pair of the six stands out, the fifteen pairs do."""
    rng = np.random.default_rng(3)
    tasks, people, ring = 2_000, 40, 6
    truth = (rng.random(tasks) < 0.15).astype(int)
    voters = np.argsort(rng.random((tasks, people)), axis=1)[:, :3]
    rows = [
        (task, int(who), int(truth[task]) ^ int(rng.random() < 0.1)) for task in range(tasks) for who in voters[task]
    ]
    block = rng.choice(tasks, 60, replace=False)
    leader = np.where(rng.random(60) < 0.25, rng.integers(0, 2, 60), truth[block])
    for member in range(people, people + ring):
        slip = rng.random(60) < 0.02
        rows += [(int(t), member, int(a) ^ int(s)) for t, a, s in zip(block, leader, slip, strict=True)]
    table = np.array(rows)
    crowd = Crowd.from_codes(table[:, 0], table[:, 1], table[:, 2], n_classes=2)
    strongest = max(s.z for s in pair_signals(crowd) if s.first >= people and s.second >= people)
    flagged = {flag.worker for flag in collusion(crowd)}
    assert strongest < 4.0
    assert flagged == set(range(people, people + ring))


def test_copiers_of_a_model_are_found_where_the_model_errs(crowd_of_all_kinds: Simulated) -> None:
    drawn = crowd_of_all_kinds
    flagged = {flag.worker for flag in copied_answers(blend(drawn.crowd), drawn.crowd, drawn.model, DEFAULT_RHO)}
    assert len(flagged & named(drawn, "copier")) >= 2
    assert not flagged - named(drawn, "copier")


def test_drift_is_mostly_found_with_enough_judgements_and_rarely_in_the_steady() -> None:
    found, innocent, steady = 0, 0, 0
    for seed in range(4):
        drawn = simulate(
            World(tasks=3000, votes=(5, 5), mix={"ordinary": 20, "drifting": 4}, zipf=0.0, drift_to=0.6), seed
        )
        flagged = {flag.worker for flag in drift(blend(drawn.crowd), drawn.crowd, drawn.position, DEFAULT_RHO)}
        found += len(flagged & named(drawn, "drifting"))
        innocent += len(flagged - named(drawn, "drifting"))
        steady += 20
    assert found >= 14  # of 16
    assert innocent <= 0.05 * steady


def test_a_crowd_that_errs_alike_accuses_nobody() -> None:
    drawn = simulate(World(tasks=3000, votes=(8, 8), repeat=0.9, difficulty_sd=1.5, mix={"ordinary": 40}), 4)
    assert collusion(drawn.crowd, least_shared=30) == []


def test_too_little_to_see_raises_no_flag() -> None:
    drawn = simulate(World(tasks=20, mix={"ordinary": 10, "spammer": 2}), 0)
    assert pair_signals(drawn.crowd) == []
    assert all_flags(blend(drawn.crowd), drawn.crowd, DEFAULT_RHO, position=drawn.position.astype(np.int64)) == []


def test_skill_on_golds_has_intervals_that_narrow_and_hold() -> None:
    drawn = simulate(World(tasks=3000, mix={"ordinary": 30}, zipf=0.0), 1)
    gold = drawn.truth.copy()
    gold[600:] = -1
    skills = gold_skill(drawn.crowd, gold)
    crowd = drawn.crowd
    right = np.bincount(crowd.worker, weights=crowd.label == drawn.truth[crowd.task]) / np.bincount(crowd.worker)
    held = [skill.low <= right[w] <= skill.high for w, skill in enumerate(skills)]
    assert np.mean(held) >= 0.85
    few = gold_skill(crowd, np.where(np.arange(3000) < 30, drawn.truth, -1).astype(np.int16))
    assert np.mean([s.high - s.low for s in few]) > np.mean([s.high - s.low for s in skills])


# --- policy


def test_a_vote_is_worth_more_from_the_skilled_on_the_doubtful_and_less_as_errors_repeat() -> None:
    prior = np.full(3, 1 / 3)
    expert, ordinary, coin = cold_start(3, 0.95), cold_start(3, 0.75), cold_start(3, 1 / 3)
    doubtful = update(update(begin(3), ordinary, 0), ordinary, 1)
    settled = update(update(begin(3), expert, 0), expert, 0)
    assert value_of_vote(doubtful, 2, prior, expert) > value_of_vote(doubtful, 2, prior, ordinary) > 0
    assert value_of_vote(doubtful, 2, prior, coin) == pytest.approx(0.0, abs=1e-9)
    assert value_of_vote(doubtful, 2, prior, expert) > value_of_vote(settled, 2, prior, expert)
    values = [value_of_vote(begin(3), 0, prior, expert, rho) for rho in (0.0, 0.6)]
    assert values[0] == pytest.approx(values[1])  # of the first vote nothing can be repeated


def test_a_vote_is_asked_where_it_saves_more_than_it_costs_and_never_where_nothing_can_change() -> None:
    prior = np.full(2, 0.5)
    good = cold_start(2, 0.9)
    once = update(begin(2), cold_start(2, 0.75), 0)
    evidence = np.stack([once, once, update(update(once, good, 0), good, 0)])
    tables = np.stack([good, cold_start(2, 0.5), good])
    votes = np.array([1, 1, 3])
    saving = saving_of_vote(evidence, votes, prior, tables, error_cost=40.0, expert_cost=10.0)
    assert saving[0] > 0  # a good worker on a doubtful task
    assert saving[1] == pytest.approx(-1.0)  # a coin tells nothing and costs a vote
    assert saving[0] > saving[2]
    cheap = saving_of_vote(evidence, votes, prior, tables, error_cost=40.0, expert_cost=0.5)
    assert (cheap < 0).all()  # an expert for less than a vote is always better
    with pytest.raises(Problem, match="cost more than nothing"):
        saving_of_vote(evidence, votes, prior, tables, error_cost=40.0, expert_cost=0.0)


def test_two_votes_together_are_worth_asking_where_one_alone_cannot_overturn_the_leader() -> None:
    prior = np.full(2, 0.5)
    lead = update(begin(2), cold_start(2, 0.8), 0)[None]
    table = cold_start(2, 0.75)[None]
    one = saving_of_vote(
        lead, np.array([1]), prior, table, error_cost=60.0, expert_cost=20.0, vote_cost=0.1, rho=0.0, ahead=1
    )
    two = saving_of_vote(
        lead, np.array([1]), prior, table, error_cost=60.0, expert_cost=20.0, vote_cost=0.1, rho=0.0, ahead=2
    )
    assert two[0] >= one[0]


def test_an_error_is_worth_more_the_fewer_are_allowed() -> None:
    confidence = np.linspace(0.5, 1.0, 1_000)
    strict, strict_end = price_of_error(confidence, 0.01, 10.0)
    loose, loose_end = price_of_error(confidence, 0.05, 10.0)
    assert strict > loose > 10.0
    assert strict_end > loose_end


def test_the_next_worker_is_the_best_for_the_money() -> None:
    tables = np.stack([cold_start(3, 0.95), cold_start(3, 0.8), cold_start(3, 0.4)])
    evidence = update(begin(3), tables[1], 0)
    prior = np.full(3, 1 / 3)
    assert rank_workers(evidence, 1, prior, tables, np.ones(3))[0] == 0
    assert rank_workers(evidence, 1, prior, tables, np.array([100.0, 1.0, 1.0]))[0] == 1
    with pytest.raises(Problem):
        rank_workers(evidence, 1, prior, tables, np.zeros(3))


def test_golds_come_at_entry_then_seldom_then_more_after_an_alarm() -> None:
    assert gold_rate(3, 0.9, 0.8) == 1.0
    assert gold_rate(15, 0.9, 0.8) == 0.04
    assert gold_rate(40, 0.9, 0.8) == 0.02
    assert gold_rate(40, 0.7, 0.8) == 0.04
    assert gold_rate(40, 0.9, 0.8, alarm=True) == 0.10


def test_a_budget_goes_where_it_removes_most_doubt() -> None:
    confidence = np.array([0.99, 0.5, 0.7, 0.95])
    split = spend(confidence, budget=20, vote_cost=1, expert_cost=10, vote_gain=0.05)
    assert split.experts.tolist() == [1, 2]
    assert split.expected_errors == pytest.approx(0.06)
    votes = spend(confidence, budget=2, vote_cost=1, expert_cost=10, vote_gain=0.3)
    assert votes.votes.tolist() == [1, 2]
    assert votes.spent == 2
    assert spend(confidence, budget=0, vote_cost=1, expert_cost=10, vote_gain=0.3).expected_errors == pytest.approx(
        0.86
    )


# --- planner


def test_an_item_costs_less_with_better_people_and_more_for_a_higher_target() -> None:
    plans = {
        (skill, target): forecast(1000, pool_from_skill(4, skill), target, max_votes=6)
        for skill in (0.8, 0.95)
        for target in (0.9, 0.97)
    }
    for target in (0.9, 0.97):
        assert plans[0.95, target].cost.likely < plans[0.8, target].cost.likely
    for skill in (0.8, 0.95):
        easy, hard = plans[skill, 0.9], plans[skill, 0.97]
        assert hard.cost.likely >= easy.cost.likely  # the same where nothing but experts would do
    assert plans[0.95, 0.97].cost.likely > plans[0.95, 0.9].cost.likely
    for plan in plans.values():
        for figure in (plan.judgements, plan.experts):
            assert figure.low <= figure.likely <= figure.high
        # 500 is what it takes to see that experts alone are cheaper
        assert 500 <= plan.judgements.likely <= 6000


def test_the_forecast_of_a_pilot_holds_what_then_happens() -> None:
    world = World(tasks=1500, votes=(6, 6), classes=3, base_error=0.1, repeat=0.3, mix={"expert": 5, "ordinary": 25})
    drawn = simulate(world, 2)
    crowd = drawn.crowd
    pilot = crowd.keep(crowd.task < 300)
    fit = coin_ds(pilot)
    plan = forecast(1500, pool_from_pilot(fit, pilot), 0.97, max_votes=6, pilot=pilot)
    course = worth_asking(pool_from_pilot(fit, pilot), 0.97, vote_cost=1.0, expert_cost=10.0, max_votes=6).course
    rng = np.random.default_rng(0)
    used, asked, wrong = 0, 0, 0
    log_table = np.log(np.maximum(fit.confusion, 1e-12))
    for task in range(1500):
        rows = rng.permutation(np.arange(crowd.starts[task], crowd.starts[task + 1]))
        evidence = np.log(fit.prior)
        for n, row in enumerate(rows, start=1):
            evidence = evidence + log_table[crowd.worker[row], :, crowd.label[row]]
            scaled = evidence / (1 + (n - 1) * DEFAULT_RHO)
            top = np.exp(scaled - scaled.max())
            verdict = course.verdict(n, float(1.0 / top.sum()))
            if verdict != "more":
                wrong += verdict == "settle" and int(evidence.argmax()) != drawn.truth[task]
                asked += verdict == "escalate"
                break
        used += n
    assert 0.7 * plan.judgements.low <= used <= 1.3 * plan.judgements.high
    assert 0.6 * plan.experts.low <= asked <= 1.5 * plan.experts.high
    assert wrong / 1500 <= 0.03  # the target, experts being right


def test_a_plan_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(Problem, match="chance or worse"):
        pool_from_skill(4, 0.2)
    with pytest.raises(Problem, match="not between"):
        forecast(10, pool_from_skill(4), 1.0)
    with pytest.raises(Problem, match="cannot be planned"):
        forecast(0, pool_from_skill(4), 0.9)
