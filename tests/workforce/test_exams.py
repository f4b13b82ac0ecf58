"""R16: exam → skill → a project opens. Paid right or wrong, decided by an interval, retaken with other items."""

from __future__ import annotations

import dataclasses
import json
from typing import Any
from uuid import UUID

import pytest

from cupola.ledger import service as ledger
from cupola.routing import service as routing
from cupola.tasks import service as tasks
from cupola.tasks import work
from cupola.tasks.exams import model, service
from cupola.tasks.exams.model import Exam, Rule
from cupola.tasks.model import Assignment, Plan
from cupola.workforce.eligibility import service as eligibility
from tests.foundry import Foundry, Project, answers, choice, moved_clock
from tests.rules.reviewing import later, refused

RULE = Rule(items=5, at_least=0.6, confidence=0.8)  # five of five pass


@dataclasses.dataclass
class School:
    """A project with gold that asks for the skill which its exam shows."""

    foundry: Foundry
    tenant: UUID
    project: Project
    exam: Exam

    @property
    def taken(self) -> Project:
        return Project(self.tenant, self.exam.project, [])

    def take(self, person: UUID, right: int = 5) -> Any:
        """Take the exam, with so many right answers; returns what the last submit said of the attempt."""
        page = self.foundry.claim(person, self.taken)
        return self.answer(person, page, right).exam

    def answer(self, person: UUID, page: Assignment, right: int) -> Any:
        said = [choice("a" if n < right else "b") for n in range(len(page.tasks))]
        sent = json.loads(answers(page))
        for one, label in zip(sent["judgements"], said, strict=True):
            one["label"] = label
        return self.foundry.call(lambda run: work.submit(run, person, page.id, json.dumps(sent).encode()))


def school(
    foundry: Foundry, skill: str = "reading", gold: int = 12, rule: Rule = RULE, allotted_minor: int = 5_000
) -> School:
    tenant = foundry.tenant()
    project = foundry.project(tenant, gold + 10, gold=dict.fromkeys(range(gold), "a"), price_minor=20)
    foundry.fund(tenant, 10_000)

    async def make(conn: Any) -> Exam:
        made = await service.make(conn, foundry.runtime, tenant, project.id, skill, rule, None)
        await ledger.allot(conn, tenant, made.project, allotted_minor, "EUR")
        await eligibility.ask(conn, tenant, project.id, f'exam("{skill}") >= {rule.at_least}')
        return await service.open_up(conn, tenant, made.project)

    return School(foundry, tenant, project, foundry.app(tenant, make))


def board(foundry: Foundry, person: UUID, *of: UUID) -> list[Any]:
    return [one for one in foundry.call(lambda run: routing.board(run, person)) if one.project in of]


def test_R16_a_passed_exam_opens_the_project_and_the_offers_say_why(foundry: Foundry) -> None:
    made, person = school(foundry), foundry.person()
    assert (
        refused("not-eligible", lambda: foundry.claim(person, made.project)).extra["asks"] == 'exam("reading") >= 0.6'
    )
    offers = board(foundry, person, made.project.id, made.exam.project)
    assert [(one.project, one.exam, one.available) for one in offers] == [(made.exam.project, True, 5)]
    (opening,) = [
        one for one in foundry.call(lambda run: routing.openings(run, person)) if one.project == made.project.id
    ]
    assert (opening.reason.holds, opening.exams) == (False, {"reading": made.exam.project})
    attempt = made.take(person)
    assert (attempt.state, attempt.rights, attempt.needed) == ("passed", 5, 5)
    assert attempt.low == pytest.approx(0.2 ** (1 / 5), abs=1e-6)
    assert foundry.balances(made.tenant)["worker"] == 5 * 20
    (offer,) = board(foundry, person, made.project.id)
    assert (offer.because.holds, offer.because.yours) == (True, ("0.72",))
    met = {row[0] for row in foundry.sql("SELECT item FROM exam_met WHERE tenant = %s", made.tenant)}
    page = foundry.claim(person, made.project)
    served = foundry.sql("SELECT item FROM task WHERE id = ANY (%s)", [one.task for one in page.tasks])
    assert len(met) == 5
    assert met.isdisjoint(row[0] for row in served), "what was met in an exam is gold nowhere else"
    foundry.sound()


def test_R16_whoever_fails_is_paid_told_why_and_may_come_again_with_other_items(foundry: Foundry) -> None:
    made, person = school(foundry), foundry.person()
    attempt = made.take(person, right=4)
    assert (attempt.state, attempt.rights) == ("failed", 4)
    assert foundry.balances(made.tenant)["worker"] == 5 * 20
    result = foundry.call(lambda run: service.result(run, person, attempt.id))
    assert sorted(one.right for one in result.answers) == [False, True, True, True, True]
    assert all(b'"a"' in bytes(one.expected) for one in result.answers)
    refused("not-found", lambda: foundry.call(lambda run: service.result(run, foundry.person(), attempt.id)))
    refused("exam-wait", lambda: foundry.claim(person, made.taken))
    assert board(foundry, person, made.exam.project) == []
    refused("not-eligible", lambda: foundry.claim(person, made.project))
    with moved_clock(later(days=8)):
        again = made.take(person)
        assert again.state == "passed"
        assert len(foundry.sql("SELECT item FROM exam_met WHERE tenant = %s", made.tenant)) == 10
        refused("exam-passed", lambda: foundry.claim(person, made.taken))
    with moved_clock(later(days=8 + 366)):
        refused("not-eligible", lambda: foundry.claim(person, made.project))
        assert foundry.call(lambda run: work.claim(run, person, made.exam.project, None, None)) is None, "all was met"


def test_an_attempt_that_ran_out_goes_on_with_the_same_items_and_one_given_back_is_left(foundry: Foundry) -> None:
    made, person = school(foundry), foundry.person()
    page = foundry.claim(person, made.taken)
    with moved_clock(later(days=2)):
        foundry.expire()
        again = foundry.claim(person, made.taken)
        assert {one.task for one in again.tasks} == {one.task for one in page.tasks}
        foundry.call(lambda run: work.give_back(run, person, again.id, again.fence, "no-time", ""))
        refused("exam-wait", lambda: foundry.claim(person, made.taken))
    (attempt,) = foundry.call(lambda run: service.attempts(run, person))
    assert (attempt.state, attempt.rights) == ("left", None)
    foundry.sound()


def test_an_exam_is_claimed_whole_or_not_at_all(foundry: Foundry) -> None:
    made = school(foundry)
    people = foundry.people(2)
    poor = school(foundry, skill="poor", allotted_minor=5 * 23 + 4 * 23)
    poor.take(foundry.person())
    refused("budget-exhausted", lambda: foundry.claim(people[0], poor.taken))
    assert board(foundry, people[0], poor.exam.project) == [], "what its money does not carry is not offered"
    page = foundry.claim(people[1], made.taken, 2)
    assert len(page.tasks) == 5
    assert page.exam
    assert all(one.pre_label is None and not one.item.ref.startswith("t") for one in page.tasks)


def test_an_exam_cannot_ask_what_nobody_can_show_nor_be_made_of_too_little_gold(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 8, gold=dict.fromkeys(range(6), "a"))

    def make(rule: Rule, skill: str = "x") -> Any:
        return foundry.app(tenant, lambda conn: service.make(conn, foundry.runtime, tenant, project.id, skill, rule, 5))

    refused("exam-out-of-reach", lambda: make(Rule(items=5, at_least=0.95)))
    refused("exam-gold", lambda: make(Rule(items=20)))
    refused("exam-skill", lambda: make(RULE, 'say "x"'))
    made = make(RULE)
    refused("exam-taken", lambda: make(RULE, "  X "))
    refused("no-budget", lambda: foundry.app(tenant, lambda conn: service.open_up(conn, tenant, made.project)))
    refused(
        "no-tasks", lambda: foundry.app(tenant, lambda conn: tasks.move_project(conn, tenant, made.project, "launch"))
    )
    refused(
        "eligibility-fixed",
        lambda: foundry.app(tenant, lambda c: eligibility.ask(c, tenant, made.project, 'degree("a")')),
    )


def test_the_interval_is_the_exact_one() -> None:
    assert model.bounds(19, 20, 0.8)[0] == pytest.approx(0.85757, abs=1e-4)
    assert model.bounds(0, 20, 0.8) == (0.0, pytest.approx(1 - 0.2 ** (1 / 20)))
    assert model.bounds(20, 20, 0.8) == (pytest.approx(0.2 ** (1 / 20)), 1.0)
    assert [model.needed(Rule(items)) for items in (10, 20, 50)] == [10, 19, 43]


def test_people_who_fit_are_counted_and_never_pointed_at(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    people = foundry.people(7)
    foundry.sql(
        "INSERT INTO profile (person, languages, updated_at) SELECT unnest(%s::uuid[]), '{sw-KE}', now()", people[:6]
    )

    def look(text: str | None) -> Any:
        return foundry.app(tenant, lambda conn: eligibility.look(conn, tenant, text))

    assert (look('language = "sw"').fitting, look('language = "sw-ke"').fitting) == (6, 6)
    assert look('language = "sw"').people == look(None).fitting
    foundry.sql("UPDATE profile SET languages = '{xh}' WHERE person = %s", people[0])
    assert look('language = "xh"').fitting is None
    assert look('language = "zu"').fitting == 0
    assert Plan().gold_rate == 0.05
