"""How much a leading label is worth, and that agreement says more than the sum of evidence."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cupola.quality import plan, standing


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
    pool = plan.Pool(tables, np.ones(1), prior, 0.6, "test", standing.USUAL)
    tops = plan._paths(pool, 0.6, 3, np.random.default_rng(0))
    first = standing.features(np.log(tables[0][:, :1].T), np.array([1]), prior, np.ones(1))
    assert np.allclose(tops[:, 0], standing.worth(standing.USUAL, first, 4))
    unanimous = standing.features(3 * np.log(tables[0][:, :1].T), np.array([3]), prior, np.ones(1))
    assert np.isclose(tops[:, 2].max(), standing.worth(standing.USUAL, unanimous, 4)[0])
