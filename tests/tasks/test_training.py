"""Paid training: newcomers meet it first, learn what was right, are paid either way, pass by their last answers."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import msgspec
import pytest

from cupola.kernel.errors import Kind, Problem
from cupola.ledger import service as ledger
from cupola.routing import service as routing
from cupola.tasks import service as tasks
from cupola.tasks import work
from cupola.tasks.model import Assignment, Offered, Submitted
from cupola.tasks.stages import StagePrice
from cupola.tasks.training import service as training
from tests.foundry import Foundry, Project, choice

LESSONS = 12


def taught(foundry: Foundry, *, items: int = 20, lessons: int = LESSONS, budget_minor: int = 10_000) -> Project:
    """A live project whose last items are training (class a is right), open; returns the project itself."""
    project = foundry.project(foundry.tenant(), items, page_size=5)
    foundry.fund(project.tenant, budget_minor)

    async def make(conn: Any) -> None:
        labels = [(f"t{n}", choice("a")) for n in range(items - lessons, items)]
        view = await training.teach(conn, foundry.runtime, project.tenant, project.id, labels)
        await ledger.allot(conn, project.tenant, view.training, budget_minor, "EUR")
        await training.open_up(conn, project.tenant, project.id)

    foundry.app(project.tenant, make)
    return project


def school_of(foundry: Foundry, project: Project) -> Project:
    [(found,)] = foundry.sql("SELECT training FROM project WHERE id = %s", project.id)
    return Project(project.tenant, found, [])


def offered(foundry: Foundry, person: UUID) -> dict[UUID, Offered]:
    return {one.project: one for one in foundry.call(lambda run: routing.board(run, person))}


def answer(foundry: Foundry, person: UUID, page: Assignment, values: str) -> Submitted:
    """Answer the tasks of a page with these letters, one each."""
    judgements = [
        {"task": str(task.task), "label": choice(value), "seconds": 3.0}
        for task, value in zip(page.tasks, values, strict=True)
    ]
    body = json.dumps({"fence": page.fence, "judgements": judgements}).encode()
    return foundry.call(lambda run: work.submit(run, person, page.id, body))


def test_a_newcomer_is_trained_first_told_what_was_right_and_paid_the_same(foundry: Foundry) -> None:
    project = taught(foundry)
    school = school_of(foundry, project)
    [person] = foundry.people(1)
    board = offered(foundry, person)
    assert project.id not in board
    shown = board[school.id]
    assert shown.training is not None
    assert (shown.available, shown.training.answered, shown.training.counted, shown.training.needed) == (12, 0, 10, 8)
    assert shown.price_minor == 10
    with pytest.raises(Problem) as refused:
        foundry.call(lambda run: work.claim(run, person, project.id, 1, None))
    assert (refused.value.kind, refused.value.code) == (Kind.CONFLICT, "training-first")
    assert refused.value.extra["training"] == str(school.id)
    page = foundry.claim(person, school)
    assert page.training
    assert "expected" not in msgspec.json.encode(page).decode()
    done = answer(foundry, person, page, "aabaa")
    assert done.paid_minor == 50, "wrong answers are paid too"
    assert [one.feedback.right for one in done.judgements if one.feedback] == [True, True, False, True, True]
    wrong = done.judgements[2].feedback
    assert wrong is not None
    assert json.loads(bytes(wrong.expected)) == choice("a")
    assert done.training is not None
    assert (done.training.answered, done.training.right, done.training.passed) == (5, 4, False)
    again = answer(foundry, person, page, "bbbbb")
    assert [one.feedback for one in again.judgements] == [one.feedback for one in done.judgements], "the first stands"
    assert again.training == done.training


def test_passing_opens_the_project_for_good(foundry: Foundry) -> None:
    project = taught(foundry)
    school = school_of(foundry, project)
    [person] = foundry.people(1)
    answer(foundry, person, foundry.claim(person, school), "aaaba")
    done = answer(foundry, person, foundry.claim(person, school), "aabaa")
    assert done.training is not None
    assert (done.training.right, done.training.passed) == (8, True)
    assert set(offered(foundry, person)) >= {project.id}
    assert school.id not in offered(foundry, person)
    assert foundry.call(lambda run: work.claim(run, person, school.id, 1, None)) is None, "nothing more to learn"
    page = foundry.claim(person, project)
    assert not page.training
    assert all(one.feedback is None for one in foundry.submit(person, page).judgements)
    foundry.sound()


def test_who_fails_goes_on_with_other_tasks_until_the_last_answers_are_right(foundry: Foundry) -> None:
    project = taught(foundry)
    school = school_of(foundry, project)
    [person] = foundry.people(1)
    answer(foundry, person, foundry.claim(person, school), "bbbaa")  # three wrong: not 8 of 10
    done = answer(foundry, person, foundry.claim(person, school), "aaaaa")
    assert done.training is not None
    assert (done.training.answered, done.training.right, done.training.passed) == (10, 7, False)
    assert project.id not in offered(foundry, person)
    done = answer(foundry, person, foundry.claim(person, school), "aa")
    assert done.training is not None
    assert (done.training.answered, done.training.right, done.training.passed) == (12, 9, True)


def test_who_used_up_all_training_is_told_so_and_goes_on_with_new_tasks(foundry: Foundry) -> None:
    project = taught(foundry, items=6, lessons=2)
    school = school_of(foundry, project)
    [person] = foundry.people(1)
    done = answer(foundry, person, foundry.claim(person, school), "ab")
    assert done.training is not None
    assert (done.training.counted, done.training.needed, done.training.passed) == (2, 2, False)
    left = offered(foundry, person)[school.id]
    assert left.training is not None
    assert (left.available, left.training.answered, left.training.tasks) == (0, 2, 2)

    async def more(conn: Any) -> None:
        labels = [(f"t{n}", choice("a")) for n in range(2)]
        await training.teach(conn, foundry.runtime, project.tenant, project.id, labels)

    foundry.app(project.tenant, more)
    done = answer(foundry, person, foundry.claim(person, school), "aa")
    assert done.training is not None
    assert (done.training.right, done.training.needed, done.training.passed) == (3, 4, False)


def test_training_reaches_neither_the_projects_tasks_nor_its_skills_nor_its_counts(foundry: Foundry) -> None:
    project = taught(foundry)
    school = school_of(foundry, project)
    people = foundry.people(3)
    for person in people:
        answer(foundry, person, foundry.claim(person, school), "bbbbb")
    foundry.hear()
    for table in ("judgement", "settlement", "skill", "lease"):
        assert foundry.sql(f"SELECT count(*) FROM {table} WHERE project = %s", project.id) == [(0,)]
    assert foundry.sql("SELECT count(*) FROM settlement WHERE project = %s", school.id) == [(0,)]
    view = foundry.app(project.tenant, lambda conn: tasks.project_view(conn, project.tenant, project.id))
    assert (view.counts.open, view.counts.cancelled, view.judgements) == (8, 12, 0)
    seen = foundry.app(project.tenant, lambda conn: training.of_project(conn, project.tenant, project.id))
    assert seen is not None
    assert (seen.tasks, seen.trained, seen.under_way, seen.answers, seen.right) == (12, 0, 3, 15, 0)
    foundry.sound()


def test_who_worked_in_the_project_before_it_had_training_is_no_newcomer(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 20, page_size=5)
    [person] = foundry.people(1)
    page = foundry.claim(person, project)
    foundry.fund(project.tenant, 1_000)

    async def make(conn: Any) -> None:
        begun = {one.item.ref for one in page.tasks}
        labels = [(f"t{n}", choice("a")) for n in range(20) if f"t{n}" not in begun][:3]
        view = await training.teach(conn, foundry.runtime, project.tenant, project.id, labels)
        await ledger.allot(conn, project.tenant, view.training, 1_000, "EUR")
        await training.open_up(conn, project.tenant, project.id)

    foundry.app(project.tenant, make)
    school = school_of(foundry, project)
    assert school.id not in offered(foundry, person)
    foundry.submit(person, page)
    assert len(foundry.claim(person, project).tasks) == 5


def test_nobody_is_trained_without_money_and_nothing_opens_without_tasks(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 5)

    async def empty(conn: Any) -> None:
        await training.beside(conn, foundry.runtime, project.tenant, project.id)
        await training.open_up(conn, project.tenant, project.id)

    async def poor(conn: Any) -> None:
        await training.teach(conn, foundry.runtime, project.tenant, project.id, [("t0", choice("a"))])
        await training.open_up(conn, project.tenant, project.id)

    for make, code in ((empty, "no-tasks"), (poor, "no-budget")):
        with pytest.raises(Problem) as refused:
            foundry.app(project.tenant, make)
        assert refused.value.code == code


def test_an_item_that_people_work_on_teaches_nobody(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 3)
    page = foundry.claim(foundry.people(1)[0], project, 1)
    labels = [(page.tasks[0].item.ref, choice("a"))]
    with pytest.raises(Problem) as refused:
        foundry.app(
            project.tenant,
            lambda conn: training.teach(conn, foundry.runtime, project.tenant, project.id, labels),
        )
    assert (refused.value.code, refused.value.place) == ("item-in-work", "/labels/0/ref")
    with pytest.raises(Problem) as refused:
        foundry.app(
            project.tenant,
            lambda conn: training.teach(conn, foundry.runtime, project.tenant, project.id, [("nothing", choice("a"))]),
        )
    assert refused.value.code == "item-unknown"


def test_a_raise_of_the_price_is_one_of_the_training_too_and_stopping_stops_it(foundry: Foundry) -> None:
    project = taught(foundry)
    school = school_of(foundry, project)

    async def change(conn: Any) -> None:
        await tasks.change_offer(conn, foundry.runtime, project.tenant, project.id, StagePrice(25, None, None))

    foundry.app(project.tenant, change)
    [person] = foundry.people(1)
    assert answer(foundry, person, foundry.claim(person, school, 1), "a").paid_minor == 25
    foundry.move(project, "stop")
    assert foundry.sql("SELECT state FROM project WHERE id = %s", school.id) == [("stopped",)]
