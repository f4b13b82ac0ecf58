"""How much a leading label is worth, and that agreement says more than the sum of evidence."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cupola.kernel import ids
from cupola.quality import live, standing
from cupola.quality.course import Prices
from cupola.quality.online import Plan
from cupola.quality.pool import Pool, paths


def claimed(votes: int, against: int, classes: int = 3) -> float:
    """Confidence in a task of even classes that fairly good people judged, `against` of them for another class."""
    table = np.log(np.array([0.8, *[0.2 / (classes - 1)] * (classes - 1)]))
    evidence = (votes - against) * table + against * np.roll(table, 1)
    made_of = standing.features(
        evidence[None], np.array([votes]), np.full(classes, 1.0 / classes), np.array([(votes - against) / votes])
    )
    return float(standing.worth(standing.USUAL, made_of, classes)[0])


def test_more_votes_that_agree_are_worth_more_and_a_vote_against_costs() -> None:
    agreed = [claimed(votes, 0) for votes in range(1, 7)]
    assert agreed == sorted(agreed)
    assert len(set(agreed)) == 6
    for votes in range(3, 7):
        assert claimed(votes, 1) < claimed(votes - 1, 0), "an added vote against lowers the confidence"


@given(
    st.integers(2, 12),
    st.lists(st.floats(0.001, 1.0), min_size=12, max_size=12),
    st.floats(0.0, 1.0),
)
def test_the_leader_stays_the_leader_and_the_whole_stays_one(classes: int, weights: list[float], top: float) -> None:
    posterior = np.array([weights[:classes]])
    posterior /= posterior.sum()
    best = int(posterior.argmax())
    out = standing.placed(posterior, np.array([max(top, 1.0 / classes)]))
    assert abs(out.sum() - 1.0) < 1e-9
    assert out[0, best] >= out.max() - 1e-12


def test_golds_move_the_coefficients_and_no_gold_leaves_them() -> None:
    rng = np.random.default_rng(1)
    made_of = np.column_stack([np.ones(300), rng.normal(1, 1, 300), np.zeros(300), np.zeros(300), np.zeros(300)])
    none = standing.fitted(made_of[:0], np.zeros(0, bool), np.zeros(0))
    assert np.array_equal(none, standing.USUAL)
    right = rng.random(300) < 0.3  # a crowd that is right far less often than usual
    low = standing.fitted(made_of, right, np.ones(300))
    assert low[0] < standing.USUAL[0]
    said = standing.worth(low, made_of, 10)
    assert abs(said.mean() - 0.3) < 0.12


def test_the_planner_draws_with_the_same_confidence_as_decisions_are_made_with() -> None:
    prior = np.full(4, 0.25)
    tables = np.full((1, 4, 4), 0.05) + np.eye(4) * 0.8
    pool = Pool(tables, np.ones(1), prior, 0.6, "test", standing.USUAL)
    tops = paths(pool, 3, np.random.default_rng(0))
    first = standing.features(np.log(tables[0][:, :1].T), np.array([1]), prior, np.ones(1))
    assert np.allclose(tops[:, 0], standing.worth(standing.USUAL, first, 4))
    unanimous = standing.features(3 * np.log(tables[0][:, :1].T), np.array([3]), prior, np.ones(1))
    assert np.isclose(tops[:, 2].max(), standing.worth(standing.USUAL, unanimous, 4)[0])


def off_by(seed: int) -> float:
    """ECE of a project's confidence in the tasks that no expert has seen: three votes on each of 1,500 tasks, one in
    eight of a class that people miss often; experts have said what is true wherever the three were not of one mind."""
    rng = np.random.default_rng(seed)
    tasks, people = 1_500, 40
    truth = (rng.random(tasks) < 0.12).astype(np.int64)
    finds, passes = rng.beta(4, 3, people), rng.beta(18, 2, people)
    task = np.repeat(np.arange(tasks), 3)
    worker = np.concatenate([rng.permutation(people)[:3] for _ in range(tasks)])
    right = rng.random(len(task)) < np.where(truth[task] == 1, finds[worker], passes[worker])
    code = np.where(right, truth[task], 1 - truth[task])
    positive = np.bincount(task, weights=code, minlength=tasks)
    known = np.where((positive == 1) | (positive == 2), truth, -1).astype(np.int16)
    names = [ids.uuid7() for _ in range(people)]
    none = np.full(tasks, -1, np.int16)
    model = live.refit(
        live.cold(2),
        task,
        worker,
        code,
        names,
        known,
        none,
        target_accuracy=0.95,
        share=0.5,
        plan=Plan(max_votes=3),
        prices=Prices(),
        items=tasks,
    )
    posterior, _ = live.posteriors(model, task, tasks, [names[w] for w in worker], code)
    top, correct = posterior.max(axis=1)[known < 0], (posterior.argmax(axis=1) == truth)[known < 0]
    box = np.minimum((top * 10).astype(int), 9)
    return float(sum(abs(top[box == b].mean() - correct[box == b].mean()) * (box == b).mean() for b in np.unique(box)))


def test_what_experts_say_of_doubtful_tasks_makes_the_others_no_less_sure_than_they_are() -> None:
    """A fit that is told the experts' answers knows people better than one that is not, and its confidence is worth
    more: put right through the other, sure tasks looked doubtful (.067 here, and most of them went to experts)."""
    assert np.mean([off_by(seed) for seed in range(4)]) < 0.045
