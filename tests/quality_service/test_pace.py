"""However quick or slow the crowd is beside the fits: it is asked for no more, and no more goes to experts."""

from __future__ import annotations

import json
import random
from uuid import UUID

import pytest

from cupola.platform.dispatch import Consumer
from cupola.platform.dispatch.service import Dispatcher
from cupola.platform.jobs.service import Queue
from cupola.platform.runtime import Runtime
from cupola.quality import adjudication, refits
from cupola.quality.strategies import STRATEGIES
from cupola.tasks import work
from cupola.tasks.model import Plan
from tests.foundry import Foundry, Project, choice, moved_clock

CLASSES = "abcdefgh"
SPEC = {"kind": "choice", "classes": [{"name": name} for name in CLASSES]}
PEOPLE = 12


def listen(foundry: Foundry) -> None:
    """The dispatcher and the queue of a process, which `decide` and `fit` give turns by themselves."""

    async def make(run: Runtime) -> None:
        foundry.dispatcher, foundry.queue = Dispatcher(run, foundry.consumers(run)), Queue(run, foundry.jobs(run))

    foundry.call(make)


def decide(foundry: Foundry) -> None:
    async def run(_: Runtime) -> None:
        assert foundry.dispatcher is not None
        await foundry.dispatcher.drain()

    foundry.call(run)


def fit(foundry: Foundry) -> int:
    """Everything that slow work is due for; returns how many jobs that were."""

    async def run(_: Runtime) -> int:
        assert foundry.queue is not None
        return await foundry.queue.drain()

    return foundry.call(run)


class Crowd:
    """People who are right nine times in ten, and an expert who takes what was escalated."""

    def __init__(self, foundry: Foundry, tasks: int, golds: int = 40) -> None:
        self.foundry, self.tenant = foundry, foundry.tenant()
        rng = random.Random(7)
        truth = [rng.choice(CLASSES) for _ in range(tasks + golds)]
        self.hard = [rng.betavariate(1.2, 4.0) for _ in truth]
        gold = {n: truth[n] for n in range(golds)}
        # experts so dear that the crowd is asked on: who goes to them when is the pace's doing alone
        plan = Plan(0.97, 0.95, 1, 5, 0.1, 0, expert_cost=1_000.0)
        self.project: Project = foundry.project(
            self.tenant, len(truth), plan=plan, gold=gold, spec=SPEC, page_size=20, budget_minor=10_000_000
        )
        self.people = foundry.people(PEOPLE)
        named = (
            "SELECT t.id, i.ref FROM task t JOIN item i ON i.tenant = t.tenant AND i.id = t.item WHERE t.tenant = %s"
        )
        self.number = {task: int(ref[1:]) for task, ref in foundry.sql(named, self.tenant)}
        self.truth = truth
        self.judgements = self.experts = 0
        self.rng = random.Random(11)

    def page(self, person: UUID) -> int:
        """One page, judged; returns how many tasks it had."""
        claimed = self.foundry.call(lambda run: work.claim(run, person, self.project.id, None, None))
        if claimed is None:
            return 0
        said = []
        for one in claimed.tasks:
            n = self.number[one.task]
            wrong = self.rng.random() < 0.1 * (0.25 + 3.2 * self.hard[n])
            value = self.rng.choice(CLASSES) if wrong else self.truth[n]
            said.append({"task": str(one.task), "label": choice(value), "seconds": 3.0})
        body = json.dumps({"fence": claimed.fence, "judgements": said}).encode()
        self.foundry.call(lambda run: work.submit(run, person, claimed.id, body))
        self.judgements += len(said)
        return len(said)

    def adjudicate(self) -> None:
        for (task,) in self.foundry.sql("SELECT id FROM task WHERE tenant = %s AND state = 2", self.tenant):
            true = choice(self.truth[self.number[task]])
            self.foundry.app(
                self.tenant,
                lambda conn, t=task, label=true: adjudication.adjudicate(conn, self.tenant, t, None, label, False, ""),
            )
            self.experts += 1

    def left(self) -> int:
        (row,) = self.foundry.sql(
            "SELECT count(*) FROM task WHERE tenant = %s AND NOT gold AND state IN (0, 1, 2)", self.tenant
        )
        return int(row[0])

    def play(self, *, patience: bool) -> None:
        """To the end. patience: each page is heard, and fits made, before the next; else nobody waits for a fit while
        there is anything to do."""
        for _ in range(200):
            done = 0
            for person in self.people:
                done += self.page(person)
                decide(self.foundry)
                self.adjudicate()
                if patience and fit(self.foundry):
                    decide(self.foundry)
            if done == 0:
                while fit(self.foundry):
                    decide(self.foundry)
                self.adjudicate()
                if not self.left():
                    return
        pytest.fail("the work never came to an end")

    def waiting(self) -> int:
        """Tasks that somebody judged and that nobody is asked for: a fit has to say what becomes of them."""
        (row,) = self.foundry.sql(
            "SELECT count(*) FROM task WHERE tenant = %s AND NOT gold AND state = 1 AND open_slots = 0 AND leased = 0",
            self.tenant,
        )
        return int(row[0])

    def asked_again(self) -> int:
        (row,) = self.foundry.sql(
            "SELECT count(*) FROM task WHERE tenant = %s AND NOT gold AND state = 1 AND open_slots > 0", self.tenant
        )
        return int(row[0])

    def escalated(self) -> int:
        (row,) = self.foundry.sql("SELECT count(*) FROM task WHERE tenant = %s AND state = 2", self.tenant)
        return int(row[0])


def test_a_crowd_quicker_than_every_fit_is_asked_for_no_more_and_sends_no_more_to_experts(foundry: Foundry) -> None:
    """Who gets which task and gold is drawn by the server, so each crowd is one draw, and its judgements vary by a
    twelfth from run to run: three of each are summed. Where no fit was waited for, a third to a half more was asked,
    and every task went to experts."""
    listen(foundry)
    wrong = "SELECT t.id, s.label::jsonb -> 'values' ->> 0 FROM task t JOIN settlement s ON s.tenant = t.tenant AND "
    wrong += "s.task = t.id AND s.version = t.settled_version WHERE t.tenant = %s"
    judgements, experts = {True: 0, False: 0}, {True: 0, False: 0}
    for _ in range(3):
        for patience in (True, False):
            crowd = Crowd(foundry, 160)
            crowd.play(patience=patience)
            judgements[patience] += crowd.judgements
            experts[patience] += crowd.experts
            rows = foundry.sql(wrong, crowd.tenant)
            assert sum(crowd.truth[crowd.number[task]] != said for task, said in rows) <= 0.03 * len(rows) + 6
    assert judgements[False] <= 1.25 * judgements[True], judgements
    assert experts[False] <= 1.5 * experts[True] + 60, experts
    foundry.sound()


def test_while_a_fit_is_due_nothing_is_given_out_again_and_nothing_escalated(foundry: Foundry) -> None:
    crowd = Crowd(foundry, 60, golds=0)
    listen(foundry)
    for person in crowd.people[:3]:
        crowd.page(person)
    assert crowd.judgements == refits.FIRST_REFIT
    decide(foundry)
    assert (crowd.asked_again(), crowd.escalated(), crowd.waiting()) == (0, 0, 60)
    assert fit(foundry) == 1
    assert crowd.waiting() == 0
    assert crowd.asked_again() > 0
    assert foundry.sql("SELECT version, judgements FROM model_version WHERE tenant = %s", crowd.tenant) == [(1, 60)]


def test_what_was_left_by_a_model_that_is_no_longer_the_last_waits_for_no_further_fit(foundry: Foundry) -> None:
    """A page is decided by a process that has not heard of the fit that was made meanwhile."""
    crowd = Crowd(foundry, 80, golds=0)

    async def deaf(run: Runtime) -> None:
        (one,) = [one for one in foundry.consumers(run) if one.name == "aggregate"]
        kinds = tuple(kind for kind in one.kinds if kind != refits.FITTED)
        foundry.dispatcher = Dispatcher(run, [Consumer(one.name, kinds, one.handle, one.forget)])
        foundry.queue = Queue(run, foundry.jobs(run))

    foundry.call(deaf)
    for person in crowd.people[:3]:
        crowd.page(person)
    decide(foundry)
    fit(foundry)
    assert crowd.waiting() == 0
    crowd.page(crowd.people[3])
    decide(foundry)
    assert crowd.waiting() > 0
    fit(foundry)
    assert crowd.waiting() == 0
    assert foundry.sql("SELECT version, judgements FROM model_version WHERE tenant = %s", crowd.tenant) == [(1, 60)]


def test_where_no_fit_can_be_made_the_work_goes_on_by_the_model_that_there_is(
    foundry: Foundry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(*_: object) -> None:
        raise MemoryError

    crowd = Crowd(foundry, 60, golds=0)
    listen(foundry)
    monkeypatch.setattr(type(STRATEGIES["coded"]), "fit", too_large)
    for person in crowd.people[:3]:
        crowd.page(person)
    decide(foundry)
    tries = "SELECT tries, failed_at IS NOT NULL FROM job WHERE tenant = %s"
    for n, ahead_s in enumerate((0, 60, 120)):
        assert crowd.waiting() == 60
        with moved_clock(ahead_s):
            fit(foundry)
        assert foundry.sql(tries, crowd.tenant) == [(n + 1, n == 2)]
    assert crowd.waiting() == 0
    decide(foundry)
    crowd.page(crowd.people[3])
    decide(foundry)
    # nobody waits for a fit, and none is tried, until much more has been judged
    assert crowd.waiting() == 0
    assert foundry.sql(tries, crowd.tenant) == [(3, True)]
