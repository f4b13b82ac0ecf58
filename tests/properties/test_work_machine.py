"""Any order of claims, submits, expiries, returns, price changes and decisions keeps the books and the queue right.

Services are called directly on a real database: two tenants, one project each, four people. After every step the
ledger's invariants, the counts of slots and leases, and everything that was acknowledged are compared with the tables.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from cupola.kernel import clock
from cupola.kernel.errors import Kind, Problem
from cupola.quality import adjudication
from cupola.tasks import drafting, work
from cupola.tasks import service as tasks
from cupola.tasks.model import Assignment, Plan
from cupola.tasks.stages import StagePrice
from tests.foundry import Foundry, Project, answers, choice

# Each row is an offence.
COUNTS = """
SELECT 'leased is not the open leases of task ' || t.id FROM task t WHERE t.tenant = %(t)s AND NOT t.gold
  AND t.leased <> (SELECT count(*) FROM lease l WHERE l.tenant = t.tenant AND l.task = t.id AND l.state = 0)
UNION ALL
SELECT 'judged is not the judgements of task ' || t.id FROM task t WHERE t.tenant = %(t)s AND t.judged <>
  (SELECT count(*) FROM judgement j WHERE j.tenant = t.tenant AND j.task = t.id)
UNION ALL
SELECT 'gold task ' || t.id || ' is queued or leased' FROM task t WHERE t.tenant = %(t)s AND t.gold
  AND (t.open_slots <> 0 OR t.leased <> 0)
UNION ALL
SELECT 'project ' || p.id || ' is counted otherwise than it is' FROM project p WHERE p.tenant = %(t)s AND
  (SELECT row(sum(tasks_open), sum(tasks_collecting), sum(tasks_escalated), sum(tasks_settled), sum(tasks_cancelled),
    sum(tasks_gold), sum(judgements), sum(spent_minor))::text
    FROM tally c WHERE c.tenant = p.tenant AND c.subject = p.id)
  IS DISTINCT FROM (SELECT row(count(*) FILTER (WHERE state = 0 AND NOT gold), count(*) FILTER (WHERE state = 1
    AND NOT gold), count(*) FILTER (WHERE state = 2 AND NOT gold), count(*) FILTER (WHERE state = 3 AND NOT gold),
    count(*) FILTER (WHERE state = 4 AND NOT gold), count(*) FILTER (WHERE gold),
    (SELECT count(*) FROM judgement j WHERE j.tenant = p.tenant AND j.project = p.id),
    (SELECT coalesce(sum(j.price_minor + a.fee_minor + a.insurance_minor), 0) FROM judgement j JOIN assignment a
      ON a.tenant = j.tenant AND a.id = j.assignment WHERE j.tenant = p.tenant AND j.project = p.id))::text
    FROM task t WHERE t.tenant = p.tenant AND t.project = p.id)
UNION ALL
SELECT 'decided task ' || t.id || ' still asks' FROM task t WHERE t.tenant = %(t)s AND t.state >= 2
  AND t.open_slots <> 0
UNION ALL
SELECT 'task ' || t.id || ' wants more than its plan' FROM task t
  JOIN project p ON p.tenant = t.tenant AND p.id = t.project
  WHERE t.tenant = %(t)s AND NOT t.gold AND t.open_slots + t.leased + t.judged > p.max_judgements
UNION ALL
SELECT 'page ' || a.id || ' miscounts its open leases' FROM assignment a WHERE a.tenant = %(t)s AND a.open <>
  (SELECT count(*) FROM lease l WHERE l.tenant = a.tenant AND l.assignment = a.id AND l.state = 0)
UNION ALL
SELECT 'page ' || a.id || ' is open without leases, or ended with some' FROM assignment a WHERE a.tenant = %(t)s
  AND (a.state = 0) <> (a.open > 0)
UNION ALL
SELECT 'two people''s leases on one slot of ' || l.task FROM lease l WHERE l.tenant = %(t)s AND l.state IN (0, 1)
  GROUP BY l.task, l.worker HAVING count(*) > 1
UNION ALL
SELECT 'worker ' || w.worker || ' holds other money than the judgements earned' FROM account w
  WHERE w.tenant = %(t)s AND w.type = 'worker' AND w.balance_minor <>
  (SELECT coalesce(sum(price_minor), 0) FROM judgement j WHERE j.tenant = w.tenant AND j.worker = w.worker)
"""
STUCK = """
SELECT t.id FROM task t WHERE t.tenant = %s AND NOT t.gold AND t.state IN (0, 1) AND t.open_slots + t.leased = 0
"""


class Work(RuleBasedStateMachine):
    foundry: Foundry

    @initialize()
    def scene(self) -> None:
        self.moved_s = 0.0
        self.people = self.foundry.people(4)
        self.projects: list[Project] = []
        for gold in ({0: "a", 1: "b"}, None):
            plan = Plan(0.9, 0.9, 1, 3, 0.3 if gold else 0.0)
            tenant = self.foundry.tenant()
            project = self.foundry.project(
                tenant, 9, plan=plan, gold=gold, page_size=4, budget_minor=12 * 45, lease_s=60
            )
            self.projects.append(project)
        self.pages: list[tuple[UUID, Project, Assignment]] = []
        # what was acknowledged: (task, person) -> (judgement, label, price)
        self.paid: dict[tuple[UUID, UUID], tuple[UUID, str, int]] = {}
        self.states: dict[UUID, str] = {project.id: "live" for project in self.projects}

    def teardown(self) -> None:
        if hasattr(self, "moved_s"):
            clock.advance(timedelta(seconds=-self.moved_s))

    def page(self, back: int) -> tuple[UUID, Project, Assignment] | None:
        """One of the pages that were claimed, the newest first."""
        return self.pages[-1 - back % len(self.pages)] if self.pages else None

    def refused(self, verb: Callable[[], Any]) -> tuple[Any, Problem | None]:
        """What a verb answers, or the problem it is refused with."""
        try:
            return verb(), None
        except Problem as problem:
            return None, problem

    @rule(who=st.integers(0, 3), where=st.integers(0, 1), value=st.sampled_from("aaab"))
    def work_a_page(self, who: int, where: int, value: str) -> None:
        before = len(self.pages)
        self.claim(who, where, 4)
        if len(self.pages) > before:
            self.submit(0, 4, value)

    @rule(value=st.sampled_from("aab"))
    def everybody_works(self, value: str) -> None:
        for who in range(4):
            self.work_a_page(who, who % 2, value)
        self.decide()

    @rule(who=st.integers(0, 3), where=st.integers(0, 1), tasks=st.integers(1, 4))
    def claim(self, who: int, where: int, tasks: int) -> None:
        person, project = self.people[who], self.projects[where]
        page, problem = self.refused(
            lambda: self.foundry.call(lambda run: work.claim(run, person, project.id, tasks, None))
        )
        if problem is not None:
            assert problem.kind in (Kind.CONFLICT, Kind.NOT_FOUND), problem
            assert problem.code == "budget-exhausted" or self.states[project.id] != "live"
            return
        assert self.states[project.id] == "live"
        if page is not None:
            assert not [one for one in page.tasks if (one.task, person) in self.paid], "a task came twice to one person"
            self.pages.append((person, project, page))

    @rule(back=st.integers(0, 5), part=st.integers(1, 4), value=st.sampled_from("abc"))
    def submit(self, back: int, part: int, value: str) -> None:
        found = self.page(back)
        if found is None:
            return
        person, _, page = found
        body = answers(page, value, only=part)
        asked = {one.task for one in page.tasks[:part]}
        done, problem = self.refused(lambda: self.foundry.call(lambda run: work.submit(run, person, page.id, body)))
        if problem is not None:
            assert problem.code == "assignment-expired", problem
            assert problem.extra["kept"] is True
            paid = {UUID(task) for task in problem.extra["paid"]}
            assert {UUID(task) for task in problem.extra["tasks"]} == asked - paid
            assert all((task, person) in self.paid for task in paid)
            return
        assert {one.task for one in done.judgements} == asked
        for one in done.judgements:
            said = (one.judgement, value, one.paid_minor)
            first = self.paid.setdefault((one.task, person), said)
            assert (first[0], first[2]) == (one.judgement, one.paid_minor), "another answer to the same judgement"

    @rule(back=st.integers(0, 5))
    def give_back(self, back: int) -> None:
        found = self.page(back)
        if found is not None:
            person, _, page = found
            ended = self.foundry.call(lambda run: work.give_back(run, person, page.id, page.fence, "unclear", ""))
            assert ended.state != "claimed"

    @rule(back=st.integers(0, 5), rev=st.integers(1, 5))
    def draft(self, back: int, rev: int) -> None:
        found = self.page(back)
        if found is None:
            return
        person, _, page = found
        task = page.tasks[0].task
        body = b'{"fence":%d,"rev":%d,"label":{"kind":"choice","values":["b"]}}' % (page.fence, rev)
        kept, problem = self.refused(
            lambda: self.foundry.call(lambda run: drafting.keep(run, person, page.id, task, body))
        )
        if problem is None:
            assert kept.rev >= rev
        else:
            assert problem.code == "draft-of-nothing"
            assert (task, person) in self.paid

    @rule(seconds=st.sampled_from([5, 40, 61]), sweep=st.booleans())
    def time_passes(self, seconds: int, sweep: bool) -> None:
        clock.advance(timedelta(seconds=seconds))
        self.moved_s += seconds
        if sweep:
            self.foundry.expire()

    @rule()
    def decide(self) -> None:
        self.foundry.hear()
        self.foundry.call(lambda run: tasks.fold_tallies(run, rows=1))
        for project in self.projects:
            stuck = self.foundry.sql(STUCK, project.tenant)
            assert stuck == [], "a task waits for nobody"

    @rule(where=st.integers(0, 1), value=st.sampled_from("abc"))
    def adjudicate(self, where: int, value: str) -> None:
        tenant = self.projects[where].tenant
        for (task,) in self.foundry.sql("SELECT id FROM task WHERE tenant = %s AND state = 2 LIMIT 1", tenant):

            async def verdict(conn: Any, task: UUID = task) -> Any:
                return await adjudication.adjudicate(conn, tenant, task, None, choice(value), False, "")

            self.foundry.app(tenant, verdict)

    @rule(where=st.integers(0, 1), more=st.integers(0, 5))
    def change_offer(self, where: int, more: int) -> None:
        project = self.projects[where]
        (row,) = self.foundry.sql("SELECT max(price_minor) FROM offer WHERE project = %s", project.id)
        price = row[0] + more
        self.foundry.app(
            project.tenant,
            lambda conn: tasks.change_offer(
                conn, self.foundry.runtime, project.tenant, project.id, StagePrice(price, None, None)
            ),
        )

    @rule(where=st.integers(0, 1), verb=st.sampled_from(["pause", "resume", "resume", "stop"]))
    def move(self, where: int, verb: str) -> None:
        project = self.projects[where]
        if verb != "resume" and len(self.paid) < 8:
            return  # a machine that stands still at once shows little
        _, problem = self.refused(lambda: self.foundry.move(project, verb))
        if problem is not None:
            assert problem.code == "project-state"
            return
        self.states[project.id] = {"pause": "paused", "resume": "live", "stop": "stopped"}[verb]

    @invariant()
    def the_books_and_the_queue_are_right(self) -> None:
        if not hasattr(self, "projects"):
            return
        for project in self.projects:
            assert self.foundry.offences([project.tenant]) == []
            with_name = self.foundry.sql(COUNTS, {"t": project.tenant})
            assert with_name == []
        stored = {
            row[0]: (row[1], row[2])
            for row in self.foundry.sql(
                "SELECT id, label::jsonb -> 'values' ->> 0, price_minor FROM judgement WHERE tenant = ANY (%s)",
                [project.tenant for project in self.projects],
            )
        }
        acknowledged = {judgement: (value, price) for judgement, value, price in self.paid.values()}
        assert stored == acknowledged


@pytest.mark.slow
def test_any_order_of_work_keeps_the_books_and_the_queue_right(foundry: Foundry) -> None:
    Work.foundry = foundry
    run_state_machine_as_test(
        Work,
        settings=settings(
            max_examples=12,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
