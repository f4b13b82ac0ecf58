"""Any order of claims, submits, looks, rejections, appeals, votes, payouts and days keeps the books and the rules.

Real services on a real database. CUPOLA_PEOPLE_EXAMPLES says how many runs (few by default, 10,000 by night).
"""

from __future__ import annotations

import os
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
from cupola.payouts import service as payouts
from cupola.workforce.rules import service as rules
from tests.foundry import Foundry
from tests.rules.reviewing import Reviewed

EXAMPLES = int(os.environ.get("CUPOLA_PEOPLE_EXAMPLES", "4"))
PEOPLE = st.integers(0, 2)
ANY = st.integers(0, 1_000)


def machine_of(foundry: Foundry) -> type[RuleBasedStateMachine]:
    class People(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.moved_s = 0.0

        @initialize()
        def begin(self) -> None:
            self.scene = Reviewed(foundry, items=12)
            self.people = [foundry.person() for _ in range(3)]
            self.panel = [foundry.person(), self.scene.judge(), self.scene.judge()]
            self.made: list[tuple[UUID, UUID]] = []
            self.appeals: list[UUID] = []
            self.earned: dict[UUID, int] = dict.fromkeys([*self.people, *self.panel], 0)

        def try_to(self, verb: Callable[[], Any]) -> Any:
            """Whatever is refused is refused with a reason, and is no fault of ours."""
            try:
                return verb()
            except (Problem, AssertionError) as told:
                refused = isinstance(told, Problem) and told.kind in (Kind.CONFLICT, Kind.NOT_FOUND, Kind.INVALID)
                if not refused and "nothing to claim" not in str(told):
                    raise
                return None

        @rule(who=PEOPLE, tasks=st.integers(1, 3))
        def work(self, who: int, tasks: int) -> None:
            person = self.people[who]
            made = self.try_to(lambda: self.scene.work(tasks, worker=person))
            self.made += [(one, person) for one in made or []]

        @rule(which=ANY)
        def accept(self, which: int) -> None:
            if self.made:
                self.scene.accept(self.made[which % len(self.made)][0])

        @rule(which=ANY)
        def reject(self, which: int) -> None:
            if self.made:
                self.try_to(lambda: self.scene.reject(self.made[which % len(self.made)][0]))

        @rule(which=ANY)
        def appeal(self, which: int) -> None:
            if self.made:
                submission, person = self.made[which % len(self.made)]
                filed = self.try_to(lambda: self.scene.appeal(submission, person))
                if filed is not None and filed not in self.appeals:
                    self.appeals.append(filed)

        @rule(which=ANY, stands=st.booleans())
        def answer(self, which: int, stands: bool) -> None:
            if self.appeals:
                self.try_to(lambda: self.scene.answer(self.appeals[which % len(self.appeals)], stands=stands))

        @rule(which=ANY, who=PEOPLE, upheld=st.booleans())
        def vote(self, which: int, who: int, upheld: bool) -> None:
            if self.appeals:
                appeal = self.appeals[which % len(self.appeals)]
                self.try_to(lambda: self.scene.vote(self.panel[who], appeal, upheld=upheld))

        @rule(who=PEOPLE)
        def pay_out(self, who: int) -> None:
            person = self.people[who]
            where = {"holder": "A", "account": "1"}
            if foundry.call(lambda run: payouts.standing(run, person)).details is None:
                foundry.call(lambda run: payouts.set_details(run, person, "csv", where))
            self.try_to(lambda: foundry.call(lambda run: payouts.ask(run, person, "EUR")))

        @rule(hours=st.sampled_from([1, 25, 49, 73, 24 * 15]))
        def time_goes_by(self, hours: int) -> None:
            self.moved_s += hours * 3600
            clock.advance(timedelta(hours=hours))

        @invariant()
        def the_books_hold(self) -> None:
            if not hasattr(self, "scene"):
                return
            assert foundry.offences([self.scene.tenant]) == []

        @invariant()
        def nobody_has_less_than_before(self) -> None:
            if not hasattr(self, "scene"):
                return
            for person, before in self.earned.items():
                in_all = self.total(person)
                assert in_all >= before, "what was earned was taken back"
                self.earned[person] = in_all

        def total(self, person: UUID) -> int:
            rows = foundry.sql(
                "SELECT coalesce(sum(t.amount_minor), 0)::bigint FROM transfer t JOIN account a ON a.tenant = t.tenant "
                "AND a.id = t.credit JOIN contributor c ON c.tenant = a.tenant AND c.worker = a.worker "
                "WHERE c.person = %s AND t.kind IN ('pay', 'hearing')",
                person,
            )
            total: int = rows[0][0]
            return total

        def teardown(self) -> None:
            try:
                if hasattr(self, "scene"):
                    clock.advance(timedelta(days=60))
                    self.moved_s += 60 * 86_400
                    for submission, _ in self.made:  # whoever reads last decides all that ran out
                        assert self.scene.look(submission).state in ("accepted", "refused")
                    told = foundry.call(lambda run: rules.report(run.db))
                    mine = [x for one in told.rules for x in one.offences if x.tenant == self.scene.tenant]
                    # nobody reconciles here: what is in clearing for weeks is what R14 is an alarm for
                    assert [one for one in mine if "in clearing" not in one.detail] == []
            finally:
                clock.advance(timedelta(seconds=-self.moved_s))

    return People


@pytest.mark.usefixtures("foundry")
def test_R1_R24_any_order_of_what_people_do_keeps_the_books_and_the_rules(foundry: Foundry) -> None:
    run_state_machine_as_test(
        machine_of(foundry),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=EXAMPLES < 10,
        ),
    )
