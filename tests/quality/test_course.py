"""Whether a further judgement is worth its price, said beforehand and borne out by what a replay then costs."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import numpy as np
import pytest

from cupola.kernel.errors import Problem
from cupola.labels import Ontology
from cupola.labels.ontology import ClassSpec
from cupola.quality import fitting, keeping, live
from cupola.quality.course import Course, Prices, course, courses, knows_enough
from cupola.quality.inference.coin_ds import coin_ds
from cupola.quality.online import Plan
from cupola.quality.plan import forecast, worth_asking
from cupola.quality.pool import paths, pool_from_pilot, pool_from_skill
from cupola.quality.simulate import Simulated, World, simulate
from cupola.quality.strategies import strategy_for
from cupola.quality.strategies.base import Aims, Evidence
from cupola.quality.strategies.coded import CodedStrategy

EXPERT, CAP, LIMIT, SHARE = 10.0, 5, 0.05, 0.5
PRICES = Prices(1.0, EXPERT)


@dataclass(frozen=True, slots=True)
class Judged:
    id: UUID
    task: UUID
    worker: UUID
    code: int
    label: str = ""


def crowd_of(error: float, tasks: int = 900) -> Simulated:
    return simulate(
        World(
            tasks=tasks, votes=(CAP, CAP), classes=5, base_error=error, repeat=0.5, mix={"expert": 2, "ordinary": 30}
        ),
        4,
    )


def votes_of(drawn: Simulated, task: int, upto: int) -> list[Judged]:
    crowd = drawn.crowd
    rows = np.arange(crowd.starts[task], crowd.starts[task + 1])
    rows = np.random.default_rng(task).permutation(rows)[:upto]
    return [Judged(UUID(int=int(r)), UUID(int=task), UUID(int=int(crowd.worker[r])), int(crowd.label[r])) for r in rows]


def played(drawn: Simulated, golds: int = 60) -> tuple[float, float, float]:
    """What an item costs and how much is left wrong, as the server goes about it; and what it costs by the best number
    of votes for everybody in hindsight, told by the same model. An expert says the truth."""
    ontology = Ontology("choice", [ClassSpec(str(n)) for n in range(drawn.crowd.n_classes)])
    strategy = strategy_for(ontology)
    work = list(range(golds, drawn.crowd.n_tasks))
    threshold = 1.0 - SHARE * LIMIT
    aims = Aims(1.0 - LIMIT, SHARE, threshold, Plan(threshold, 1, CAP), PRICES, len(work))
    known = {UUID(int=task): int(drawn.truth[task]) for task in range(golds)}
    gold_votes = [vote for task in range(golds) for vote in votes_of(drawn, task, CAP)]
    model = strategy.cold(ontology, threshold)
    given = dict.fromkeys(work, 0)
    open_tasks, experts, settled = set(work), set[int](), dict[int, int]()
    next_fit = 100
    while open_tasks:
        for task in sorted(open_tasks, key=lambda task: (-given[task], task))[:20]:
            given[task] += 1
            votes = votes_of(drawn, task, given[task])
            ruling = strategy.decide(model, ontology, [UUID(int=task)], votes, Plan(model.threshold, 1, CAP))[0]
            if ruling.verdict == "settle" and ruling.code is not None:
                settled[task] = ruling.code
            elif ruling.verdict == "escalate":
                experts.add(task)
            open_tasks -= settled.keys() | experts
        if sum(given.values()) >= next_fit:
            next_fit = int(next_fit * 1.5)
            heard = gold_votes + [vote for task in work for vote in votes_of(drawn, task, given[task])]
            told = {UUID(int=task): int(drawn.truth[task]) for task in experts}
            model, _ = strategy.fit(model, ontology, Evidence({}, codes=heard, golds=known, experts=told), aims)
            if strategy.experts_alone(model):
                experts |= {task for task in open_tasks if given[task] == 0}
                open_tasks -= experts
    cost = (sum(given.values()) + EXPERT * len(experts)) / len(work)
    wrong = sum(code != drawn.truth[task] for task, code in settled.items()) / len(work)
    fixed = [EXPERT]
    for votes in range(1, CAP + 1):
        heard = gold_votes + [vote for task in work for vote in votes_of(drawn, task, votes)]
        fit, _ = strategy.fit(model, ontology, Evidence({}, codes=heard, golds=known), aims)
        mine = [vote for vote in heard if vote.task not in known]
        rulings = strategy.decide(fit, ontology, [UUID(int=task) for task in work], mine, Plan())
        doubt = np.array([1.0 - ruling.confidence for ruling in rulings])
        order = np.argsort(doubt, kind="stable")
        released = int((np.cumsum(doubt[order]) <= SHARE * LIMIT * len(work)).sum())
        left = sum(rulings[n].code != drawn.truth[work[n]] for n in order[:released])
        if left > LIMIT * len(work):
            continue  # no plan at all: it does not keep what is asked
        fixed.append(votes + EXPERT * (1.0 - released / len(work)))
    return cost, wrong, min(fixed)


@pytest.mark.parametrize("error", [0.05, 0.15, 0.3, 0.5])
def test_the_servers_rules_cost_little_more_than_the_best_fixed_plan_in_hindsight(error: float) -> None:
    """A tenth more at most."""
    cost, wrong, hindsight = played(crowd_of(error))
    assert cost <= 1.1 * hindsight
    assert cost <= EXPERT * 1.1
    assert wrong <= LIMIT


def test_a_crowd_that_guesses_is_not_asked_and_a_good_one_is() -> None:
    asked = {
        skill: worth_asking(pool_from_skill(5, skill), 0.97, vote_cost=1.0, expert_cost=10.0) for skill in (0.3, 0.97)
    }
    assert not asked[0.3].ask_crowd
    assert asked[0.3].cost == 10.0
    assert "experts alone" in asked[0.3].why
    assert asked[0.97].ask_crowd
    assert asked[0.97].cost < 6.0
    dear = worth_asking(pool_from_skill(5, 0.97), 0.97, vote_cost=9.9, expert_cost=10.0)
    assert not dear.ask_crowd
    with pytest.raises(Problem, match="more than nothing"):
        worth_asking(pool_from_skill(5), 0.97, vote_cost=0.0, expert_cost=10.0)


def of_skill(skill: float, *, expert: float = EXPERT, gives_up: bool = True, min_votes: int = 1) -> Course:
    tops = paths(pool_from_skill(4, skill), CAP, np.random.default_rng(1))
    return course(tops, 1.0 - LIMIT, Prices(1.0, expert), min_votes=min_votes, gives_up=gives_up)


def test_more_is_asked_where_an_expert_is_dearer_and_nothing_once_votes_are_used_up() -> None:
    cheap, dear = of_skill(0.8, expert=2.0), of_skill(0.8, expert=100.0)
    assert cheap.judgements < dear.judgements
    assert cheap.experts > dear.experts
    assert dear.verdict(1, 0.8) == "more"
    assert {dear.verdict(CAP, sure) for sure in (0.3, 0.6, 0.999)} == {"escalate", "settle"}
    assert dear.verdict(CAP, 0.999) == "settle"


def test_a_young_model_settles_but_gives_nothing_up() -> None:
    old, young = of_skill(0.4), of_skill(0.4, gives_up=False)
    assert old.experts_alone
    assert old.verdict(1, 0.4) == "escalate"
    assert not young.experts_alone
    assert young.verdict(1, 0.4) == "more"
    assert not knows_enough(100, 300, PRICES)
    assert knows_enough(150, 300, PRICES)
    assert knows_enough(600, 10**6, PRICES)


def test_nothing_settles_before_the_fewest_judgements_that_are_asked_for() -> None:
    found = of_skill(0.97, min_votes=3)
    assert [found.verdict(votes, 0.9999) for votes in (1, 2, 3)] == ["more", "more", "settle"]


def test_the_course_of_a_pilot_foretells_what_the_rest_costs() -> None:
    drawn = crowd_of(0.15)
    pilot = drawn.crowd.keep(drawn.crowd.task < 250)
    pool = pool_from_pilot(coin_ds(pilot), pilot)
    told = worth_asking(pool, 1.0 - LIMIT, vote_cost=1.0, expert_cost=EXPERT, max_votes=CAP)
    cost, _, _ = played(drawn)
    assert told.cost == pytest.approx(cost, rel=0.3)


TARGETS = (0.5, 0.7, 0.8, 0.805, 0.9, 0.91, 0.93, 0.95, 0.98, 0.99, 0.995, 0.9999)


def test_a_stricter_target_is_never_said_to_cost_less() -> None:
    """Also of crowds that hardly differ from one target to the next, where the courses by themselves lie either way."""
    by_themselves = 0
    for seed in range(3):
        drawn = simulate(World(tasks=60, votes=(2, 4), classes=2 + seed % 3, mix={"ordinary": 5, "spammer": 1}), seed)
        pool = pool_from_pilot(coin_ds(drawn.crowd), drawn.crowd)
        tops = paths(pool, CAP, np.random.default_rng(seed))
        costs = [one.cost for one in courses(tops, np.linspace(0.6, 0.99, 60).tolist(), PRICES)]
        by_themselves += int((np.diff(costs) < 0).sum())
        told = [forecast(60, pool, target, prices=PRICES, seed=seed) for target in TARGETS]
        answers = [one.judgements.likely + EXPERT * one.experts.likely for one in told]
        assert np.diff(answers).min() > -1e-9
        assert np.diff([one.cost.likely for one in told]).min() > -1e-9
        for one in told:
            for span in (one.judgements, one.experts, one.cost, one.settled_error):
                assert span.low <= span.likely <= span.high
    assert by_themselves > 0


def test_several_targets_are_looked_at_as_each_by_itself() -> None:
    tops = paths(pool_from_skill(4, 0.85), CAP, np.random.default_rng(2))
    assert courses(tops, [0.9, 0.97], PRICES) == [course(tops, target, PRICES) for target in (0.9, 0.97)]


def test_nobody_settles_a_task_alone_whose_answers_were_never_looked_at() -> None:
    """Two people with the same table: one answered beside others and golds, the other only where nobody else did."""
    ontology = Ontology("choice", [ClassSpec("a"), ClassSpec("b")])
    strategy, seen, unseen = strategy_for(ontology), UUID(int=1), UUID(int=2)
    assert isinstance(strategy, CodedStrategy)
    sharp = np.array([[0.995, 0.005], [0.005, 0.995]])
    model = live.Parameters(
        3,
        "coin_ds",
        0.5,
        np.full(2, 0.5),
        {seen: 0, unseen: 1},
        np.stack([sharp, sharp]),
        sharp,
        100,
        0.95,
        compared=np.array([live.PROVEN_FROM, live.PROVEN_FROM - 1.0]),
    )
    task = UUID(int=9)

    def verdicts(*people: UUID, most: int = CAP) -> str:
        said = [Judged(UUID(int=20 + n), task, person, 1) for n, person in enumerate(people)]
        return strategy.decide(model, ontology, [task], said, Plan(0.95, 1, most))[0].verdict

    assert verdicts(seen) == "settle"
    assert verdicts(unseen) == "more"
    assert verdicts(UUID(int=7)) == "more"  # whom no fit has seen
    assert verdicts(unseen, unseen) == "settle"
    assert verdicts(unseen, most=1) == "settle"  # nobody else is to be asked
    again = keeping.thaw(keeping.freeze(model))
    assert [again.proven(person) for person in (seen, unseen, UUID(int=7))] == [True, False, False]


def test_an_answer_is_compared_where_gold_an_expert_or_somebody_else_speaks_of_the_task_too() -> None:
    people = [UUID(int=n) for n in range(3)]
    # person 0 alone on tasks 0 and 1, of which 1 is an expert's; 1 and 2 together on task 2; 2 on a gold, task 3
    columns = np.array([[0, 0, 0], [1, 0, 1], [2, 1, 0], [2, 2, 0], [3, 2, 1]])
    known, golds = np.array([-1, 1, -1, 1], np.int16), np.array([-1, -1, -1, 1], np.int16)
    made = fitting.refit(
        live.cold(2),
        *columns.T.astype(np.int64),
        people,
        known,
        golds,
        target_accuracy=0.95,
        share=SHARE,
        plan=Plan(max_votes=CAP),
        prices=PRICES,
        items=4,
    )
    assert made.compared is not None
    assert made.compared.tolist() == [1.0, 1.0, 2.0]
