"""How much a leading label is worth, and that agreement says more than the sum of evidence."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cupola.kernel import ids
from cupola.quality import fitting, live, online, standing
from cupola.quality.aggregation import aggregate
from cupola.quality.course import Prices
from cupola.quality.inference.base import Crowd
from cupola.quality.inference.blend import SUPPORT, doubted
from cupola.quality.inference.codes import Codes
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
    model = fitting.refit(
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


def test_whose_answers_say_nothing_is_no_evidence_for_what_they_say() -> None:
    """Five of forty say one of the classes whatever is true, and golds and others' votes have shown it. What such a one
    alone has said of a task is worth no more than chance, in a file, in a project and in a decision (.9 was claimed,
    because the classes that nobody gave were taken to be ruled out)."""
    for classes in (2, 4):
        rng = np.random.default_rng(classes)
        tasks, alone, people, spammers = 1_000, 200, 40, 5
        truth = rng.integers(0, classes, tasks + alone)
        # the first thousand have three votes each, every other has one: a spammer's
        task = np.concatenate([np.repeat(np.arange(tasks), 3), np.arange(tasks, tasks + alone)])
        worker = np.concatenate(
            [*(rng.permutation(people)[:3] for _ in range(tasks)), rng.integers(0, spammers, alone)]
        )
        right = rng.random(len(task)) < 0.85
        code = np.where(right, truth[task], (truth[task] + rng.integers(1, classes, len(task))) % classes)
        always = rng.random(len(task)) < 0.8
        code = np.where(worker < spammers, np.where(always, 1, rng.integers(0, classes, len(task))), code)
        gold = np.where(np.arange(tasks + alone) < 100, truth, -1).astype(np.int16)
        lone = np.arange(tasks, tasks + alone)
        crowd = Crowd.from_codes(
            task, worker, code, n_tasks=tasks + alone, n_workers=people, n_classes=classes, duplicates="last"
        )
        codes = Codes(tuple(range(tasks + alone)), tuple(range(people)), tuple(range(classes)))
        by_file = aggregate((crowd.with_gold(gold), codes)).confidence[lone]
        names = [ids.uuid7() for _ in range(people)]
        model = fitting.refit(
            live.cold(classes),
            task,
            worker,
            code,
            names,
            gold,
            gold,
            target_accuracy=0.95,
            share=0.5,
            plan=Plan(max_votes=3),
            prices=Prices(),
            items=tasks,
        )
        by_project = live.posteriors(model, task, tasks + alone, [names[w] for w in worker], code)[0].max(axis=1)[lone]
        by_decision = [
            online.posterior(
                np.log(model.confusion[worker[row], :, code[row]]),
                1,
                model.prior,
                voted=np.eye(classes, dtype=bool)[code[row]],
            ).max()
            for row in range(tasks * 3, len(task))
        ]
        truly = (code[tasks * 3 :] == truth[lone]).mean()
        for claimed in (by_file, by_project, by_decision):
            assert np.mean(claimed) < truly + 0.15, (classes, float(np.mean(claimed)), truly)


def test_what_nobody_gave_is_doubted_but_a_vote_gains_nothing_by_it() -> None:
    logits = np.log([[0.6, 0.4, 1e-6], [0.999, 1e-4, 1e-4], [0.2, 0.7, 0.1], [0.3, 0.3, 0.4]])
    voted = np.array([[0, 1, 0], [0, 1, 0], [0, 1, 0], [0, 0, 0]], dtype=bool)
    lost = doubted(logits, voted)
    assert np.allclose(lost, [np.log(1.5), SUPPORT, 0.0, 0.0], atol=1e-5)
    after = np.where(voted, logits, logits - lost[:, None])
    assert after.argmax(axis=1).tolist() == [1, 0, 1, 2]  # level, and the vote's; still the other's; as it was
