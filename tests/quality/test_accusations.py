"""Nobody honest is accused: not the few who see through what misleads the crowd, nor people in a crowd that knows
little; and those who do agree upon answers, or answer the opposite, are found."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cupola.quality.collusion import collusion
from cupola.quality.inference.base import Crowd
from cupola.quality.inference.blend import blend
from cupola.quality.workers_flags import spammers

EXPERTS = set(range(6))


def experts_among_others(
    seed: int, classes: int, *, tasks: int = 1_500, people: int = 40, ring: int = 0
) -> tuple[Crowd, NDArray[np.int64]]:
    """Six right in 95 of 100, three times as busy as 34 others who are right in 80, and in 30 on a hard fifth, where
    one answer tempts everybody. All judge by themselves; but for a ring, when there is one, that shares its leader's
    answers, half of them invented, on 60 tasks."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, tasks)
    hard = rng.random(tasks) < 0.2
    tempting = (truth + rng.integers(1, classes, tasks)) % classes
    busy = np.where(np.arange(people) < len(EXPERTS), 3.0, 1.0)
    worker = np.argsort(-(np.log(busy) + rng.gumbel(size=(tasks, people))), axis=1)[:, :5].ravel()
    task = np.repeat(np.arange(tasks), 5)
    chance = np.where(worker < len(EXPERTS), 0.95, np.where(hard[task], 0.3, 0.8))
    label = np.where(rng.random(len(task)) < chance, truth[task], tempting[task])
    block = rng.choice(tasks, 60, replace=False)
    shared = np.where(rng.random(60) < 0.5, rng.integers(0, classes, 60), truth[block])
    for member in range(people, people + ring):
        task, worker = np.concatenate([task, block]), np.concatenate([worker, np.full(60, member)])
        label = np.concatenate([label, shared])
    crowd = Crowd.from_codes(task, worker, label, n_tasks=tasks, n_workers=people + ring, n_classes=classes)
    return crowd, truth


@pytest.mark.parametrize("classes", [2, 4, 200])
def test_experts_who_agree_against_a_misled_crowd_are_not_accused(classes: int) -> None:
    accused = [flag.worker for seed in range(4) for flag in collusion(experts_among_others(seed, classes)[0])]
    assert len(accused) <= 0.01 * 4 * 40


@pytest.mark.parametrize("classes", [2, 4])
def test_a_ring_among_experts_is_found_whole_and_alone(classes: int) -> None:
    for seed in range(3):
        crowd, _ = experts_among_others(seed, classes, ring=6)
        assert {flag.worker for flag in collusion(crowd)} == set(range(40, 46))


def test_golds_decide_whether_common_answers_are_wrong() -> None:
    """On so few tasks the votes alone cannot clear them (see the first assertion); their right answers on golds can,
    and what a ring shares is wrong on golds too."""
    crowd, truth = experts_among_others(3, 2, tasks=800)
    assert {flag.worker for flag in collusion(crowd)} == EXPERTS
    gold = np.full(crowd.n_tasks, -1, np.int16)
    gold[::8] = truth[::8]
    assert collusion(crowd.with_gold(gold)) == []
    with_ring, truth = experts_among_others(0, 4, ring=6)
    gold = np.full(with_ring.n_tasks, -1, np.int16)
    gold[::2] = truth[::2]
    assert {flag.worker for flag in collusion(with_ring.with_gold(gold))} == set(range(40, 46))


def binary(
    seed: int, accuracy: float, *, share: float = 0.5, inverted: int = 0, people: int = 60, tasks: int = 1_200
) -> Crowd:
    """Honest people of about that accuracy in two classes, and some who are right in 30 of 100."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(tasks) < share).astype(int)
    worker = np.concatenate([rng.permutation(people)[:5] for _ in range(tasks)])
    task = np.repeat(np.arange(tasks), 5)
    skill = rng.normal(accuracy, 0.05, people).clip(0.52, 0.98)
    skill[:inverted] = 0.3
    label = np.where(rng.random(len(task)) < skill[worker], truth[task], 1 - truth[task])
    return Crowd.from_codes(task, worker, label, n_tasks=tasks, n_workers=people, n_classes=2)


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_in_a_crowd_that_knows_little_nobody_is_called_a_spammer(share: float) -> None:
    flagged = 0
    for accuracy in (0.55, 0.6, 0.7, 0.85):
        for seed in range(2):
            crowd = binary(seed, accuracy, share=share)
            flagged += len(spammers(blend(crowd), crowd)) + len(collusion(crowd))
    assert flagged <= 0.01 * 8 * 60


@pytest.mark.parametrize("accuracy", [0.8, 0.9])
def test_people_who_answer_the_opposite_are_found(accuracy: float) -> None:
    crowd = binary(1, accuracy, inverted=4)
    found = spammers(blend(crowd), crowd)
    assert {flag.worker for flag in found} == {0, 1, 2, 3}
    opposite = [flag for flag in found if flag.kind == "inverted"]
    assert len(opposite) >= 3
    assert all("against" in flag.evidence for flag in opposite)


def test_who_met_one_class_only_and_was_always_right_is_no_spammer() -> None:
    rng = np.random.default_rng(0)
    truth = (rng.random(1_500) < 0.3).astype(int)
    rows = [
        (task, int(who), int(truth[task]) ^ int(rng.random() < 0.15))
        for task in range(1_500)
        for who in rng.permutation(30)[:4]
    ]
    rows += [(int(task), 30, 0) for task in np.flatnonzero(truth == 0)[:260]]  # right on 260 of 260
    rows += [(int(task), 31, 0) for task in rng.permutation(1_500)[:260]]  # and who says the same of anything
    table = np.array(rows)
    crowd = Crowd.from_codes(table[:, 0], table[:, 1], table[:, 2], n_classes=2)
    assert {flag.worker for flag in spammers(blend(crowd), crowd)} == {31}
