"""A later page of somebody fences off their earlier ones: what comes late never touches what is worked on now."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from cupola.kernel.errors import Kind, Problem
from cupola.tasks import drafting, work
from cupola.tasks.model import Assignment
from tests.foundry import Foundry, answers, choice, moved_clock

TEXT = {"is": "text", "from": 0, "drop": 0, "put": "x"}
LATER = 5_000  # seconds: every lease of these tests has ended


def keep(foundry: Foundry, person: UUID, page: Assignment, task: UUID, value: str, rev: int, **more: Any) -> int:
    body: dict[str, Any] = {"fence": page.fence, "label": choice(value), "rev": rev, **more}
    return foundry.call(lambda run: drafting.keep(run, person, page.id, task, json.dumps(body).encode())).rev


def held(foundry: Foundry, person: UUID, page: Assignment) -> dict[UUID, Any]:
    shown = foundry.call(lambda run: work.one_page(run, person, page.id))
    return {one.task: json.loads(bytes(one.draft)) for one in shown.tasks if one.draft is not None}


def refused(foundry: Foundry, person: UUID, page: Assignment, body: bytes) -> Problem:
    with pytest.raises(Problem) as problem:
        foundry.call(lambda run: work.submit(run, person, page.id, body))
    assert problem.value.kind is Kind.CONFLICT
    return problem.value


def test_each_page_of_a_person_has_a_higher_fence_than_those_before_it(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 30, page_size=3)
    one, two = foundry.people(2)
    fences = [foundry.claim(one, project, tasks).fence for tasks in (1, 3, 2)]
    with moved_clock(LATER):
        foundry.expire()
        fences.append(foundry.claim(one, project).fence)
    assert fences == sorted(set(fences))
    assert foundry.claim(two, project, 1).fence <= fences[0]  # nobody's tells of the others


def test_what_comes_late_from_a_page_never_overwrites_what_a_newer_one_holds(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 1)
    person = foundry.person()
    old = foundry.claim(person, project)
    (task,) = [one.task for one in old.tasks]
    keep(foundry, person, old, task, "a", 1, writer="old")
    with moved_clock(LATER):
        foundry.expire()
        assert keep(foundry, person, old, task, "b", 2, writer="old") == 2  # nobody took it over: it is still kept
        new = foundry.claim(person, project)
        assert [one.task for one in new.tasks] == [task]
        assert new.fence > old.fence
        assert keep(foundry, person, new, task, "c", 3, writer="new") == 3

        difference = {"fence": old.fence, "writer": "old", "base": 2, "rev": 9, "change": TEXT}
        late: list[Any] = [
            lambda: keep(foundry, person, old, task, "a", 99),
            lambda: foundry.call(
                lambda run: drafting.change(run, person, old.id, task, json.dumps(difference).encode())
            ),
        ]
        for write in late:
            with pytest.raises(Problem) as problem:
                write()
            assert (problem.value.kind, problem.value.code) == (Kind.CONFLICT, "stale-fence")
            assert problem.value.remedy
        problem_of_submit = refused(foundry, person, old, answers(old, "a"))
        assert problem_of_submit.code == "stale-fence"
        assert problem_of_submit.extra["tasks"] == [str(task)]
        assert held(foundry, person, new) == {task: choice("c")}
        assert foundry.sql("SELECT count(*) FROM judgement WHERE task = %s", task) == [(0,)]

        assert foundry.submit(person, new, "c").paid_minor == 10
        with pytest.raises(Problem, match="submitted already"):
            keep(foundry, person, old, task, "a", 100)
        assert foundry.sql("SELECT count(*) FROM draft WHERE task = %s", task) == [(0,)]
    foundry.sound()


def test_of_a_late_submit_only_what_a_newer_page_holds_is_refused(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 2)
    person = foundry.person()
    old = foundry.claim(person, project)
    with moved_clock(LATER):
        foundry.expire()
        new = foundry.claim(person, project, 1)
        (taken,) = [one.task for one in new.tasks]
        (free,) = {one.task for one in old.tasks} - {taken}
        keep(foundry, person, new, taken, "c", 1)
        problem = refused(foundry, person, old, answers(old, "b"))
        assert (problem.code, problem.extra["tasks"], problem.extra["parked"]) == (
            "stale-fence",
            [str(taken)],
            [str(free)],
        )
        assert held(foundry, person, new) == {taken: choice("c")}
        last = foundry.claim(person, project, 1)
        assert held(foundry, person, last) == {free: choice("b")}
    foundry.sound()
