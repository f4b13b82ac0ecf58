"""How labels that are not one class are settled, on a real database."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cupola.kernel import limits
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from cupola.quality import reviewing
from cupola.quality.decisions import replay
from cupola.quality.service import Aggregator
from cupola.tasks import work
from cupola.tasks.model import Plan
from cupola.tasks.single.service import reopen_task
from tests.foundry import Foundry, Project, answers
from tests.tasks.test_stages import page as stage_page
from tests.tasks.test_stages import reviewed

TEXT = {"kind": "text"}
NAMES = [{"name": f"c{n}"} for n in range(30)]
MADE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "coded": ({"kind": "choice", "classes": NAMES[:3]}, {"kind": "choice", "values": ["c1"]}),
    "wide": ({"kind": "choice", "classes": NAMES}, {"kind": "choice", "values": ["c1"]}),
    "multilabel": (
        {"kind": "choice", "multiple": True, "classes": NAMES[:3]}, {"kind": "choice", "values": ["c0", "c2"]}
    ),
    "pairs": ({"kind": "choice", "compare": True, "classes": NAMES[:3]}, {"kind": "choice", "values": ["c1"]}),
    "rover": (TEXT, {"kind": "text", "text": "the words of all"}),
    "shapes": (
        {"kind": "objects", "classes": [{"name": "a", "geometry": "point"}]},
        {"kind": "objects", "objects": [{"id": "1", "cls": "a", "shape": {"type": "point", "x": 3, "y": 4}}]},
    ),
}  # fmt: skip


def text(words: str) -> dict[str, Any]:
    return {"kind": "text", "text": words}


async def ask_nobody(*_: Any) -> list[Any]:
    return []


def test_a_task_whose_answer_was_rejected_stops_no_decision_of_its_project(foundry: Foundry) -> None:
    """Nothing that was said of it counts any more, and a refit comes by before anybody has said anything anew."""
    tenant = foundry.tenant()
    project = foundry.project(tenant, 6, plan=Plan(0.8, 0.9, 1, 4, 0.0), spec=TEXT)
    for person in foundry.people(2):
        page = foundry.claim(person, project)
        foundry.call(lambda run, p=person, at=page: work.submit(run, p, at.id, answers(at, label=text("a word"))))
        foundry.hear()
    assert foundry.sql("SELECT DISTINCT state FROM task WHERE tenant = %s", tenant) == [(3,)]
    rejected = project.tasks[0]
    foundry.app(tenant, lambda conn: reopen_task(conn, tenant, rejected))
    foundry.call(lambda run: Aggregator(run, ask_nobody).refit(run, tenant, project.id))
    assert foundry.sql("SELECT state, open_slots FROM task WHERE id = %s", rejected) == [(1, 1)]
    for person in foundry.people(2):
        page = foundry.claim(person, project)
        assert [one.task for one in page.tasks] == [rejected]
        foundry.call(lambda run, p=person, at=page: work.submit(run, p, at.id, answers(at, label=text("another"))))
        foundry.hear()
    newest = "SELECT label::jsonb ->> 'text' FROM settlement WHERE task = %s ORDER BY version DESC LIMIT 1"
    assert foundry.sql(newest, rejected) == [("another",)]


def say(foundry: Foundry, project: Project, label: dict[str, Any], people: int) -> None:
    """So many people, one after the other, say the same of all that is offered to them."""
    for person in foundry.people(people):
        page = foundry.claim(person, project)
        foundry.call(lambda run, p=person, at=page: work.submit(run, p, at.id, answers(at, label=label)))


def test_a_label_that_is_no_longer_read_sets_its_own_project_aside_and_no_other(foundry: Foundry) -> None:
    plan = Plan(0.8, 0.9, 4, 4, 0.0)
    tenant = foundry.tenant()
    poisoned = foundry.project(tenant, 5, plan=plan, spec=TEXT)
    beside = foundry.project(tenant, 5, plan=plan, spec=TEXT)
    elsewhere = foundry.project(foundry.tenant(), 5, plan=plan, spec=TEXT)
    for project in (poisoned, beside, elsewhere):
        say(foundry, project, text("a word"), 4)
    foundry.sql("ALTER TABLE judgement DISABLE TRIGGER ALL")
    foundry.sql('UPDATE judgement SET label = \'{"kind":"gone"}\' WHERE project = %s', poisoned.id)
    foundry.sql("ALTER TABLE judgement ENABLE TRIGGER ALL")
    foundry.hear(set_aside=1)
    states = "SELECT DISTINCT state FROM task WHERE project = %s"
    assert foundry.sql(states, beside.id) == [(3,)]
    assert foundry.sql(states, elsewhere.id) == [(3,)]
    assert foundry.sql(states, poisoned.id) == [(1,)]
    assert foundry.sql("SELECT project FROM event_aside WHERE consumer = 'aggregate'") == [(poisoned.id,)]
    # mended, it goes on where it stood
    foundry.sql("ALTER TABLE judgement DISABLE TRIGGER ALL")
    foundry.sql("UPDATE judgement SET label = %s WHERE project = %s", json.dumps(text("a word")), poisoned.id)
    foundry.sql("ALTER TABLE judgement ENABLE TRIGGER ALL")
    foundry.sql("UPDATE event_aside SET next_at = now() - interval '1 second'")
    foundry.hear()
    assert foundry.sql(states, poisoned.id) == [(3,)]


@pytest.mark.parametrize("name", MADE)
def test_after_a_restart_the_same_is_decided_by_the_version_that_was_kept(foundry: Foundry, name: str) -> None:
    spec, label = MADE[name]
    tenant = foundry.tenant()
    project = foundry.project(tenant, 8, plan=Plan(0.8, 0.9, 1, 4, 0.0), spec=spec)
    people = foundry.people(4)
    for person in people[:3]:
        page = foundry.call(lambda run, p=person: work.claim(run, p, project.id, None, None))
        if page is not None:
            foundry.call(lambda run, p=person, at=page: work.submit(run, p, at.id, answers(at, label=label)))
            foundry.hear()
    foundry.call(lambda run: Aggregator(run, ask_nobody).refit(run, tenant, project.id))
    (kept,) = foundry.sql("SELECT version, strategy FROM model_version WHERE project = %s", project.id)
    assert kept == (1, name)

    async def both(run: Runtime) -> list[Any]:
        out = []
        for _ in range(2):  # what a process remembers, and what another one reads
            async with run.db.tx(Role.APP, tenant=tenant) as conn:
                known = await Aggregator(run, ask_nobody)._of(conn, tenant, project.id)
                votes = await Aggregator._votes(conn, tenant, known, project.tasks)
                rulings = await Aggregator._rulings(conn, tenant, known, project.tasks, votes)
            out.append([(one.verdict, one.confidence, one.label, known.version) for one in rulings])
        return out

    first, second = foundry.call(both)
    assert first == second
    assert {version for *_, version in first} == {1}
    foundry.restart()
    replayed = foundry.app(tenant, lambda conn: replay(conn, tenant, project.tasks[0]))
    assert replayed
    assert all(one.same for one in replayed if one.how == "crowd")


def test_labels_that_are_decided_on_are_in_memory_a_few_at_a_time(
    foundry: Foundry, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 6, plan=Plan(0.8, 0.9, 4, 4, 0.0), spec=TEXT)
    said = text("x " * 500)
    say(foundry, project, said, 4)
    each = 4 * len(json.dumps(said))
    monkeypatch.setattr(limits, "MAX_DECIDED_BYTES", 2 * each + 200)
    read: list[int] = []
    votes = Aggregator._votes

    async def watched(conn: Any, tenant: Any, known: Any, tasks: list[Any]) -> Any:
        found = await votes(conn, tenant, known, tasks)
        read.append(sum(len(one.label) for one in found))
        return found

    monkeypatch.setattr(Aggregator, "_votes", staticmethod(watched))
    foundry.hear()
    assert foundry.sql("SELECT DISTINCT state FROM task WHERE project = %s", project.id) == [(3,)]
    assert read
    assert max(read) <= limits.MAX_DECIDED_BYTES


def test_labels_under_review_are_in_memory_a_few_at_a_time(foundry: Foundry, monkeypatch: pytest.MonkeyPatch) -> None:
    project = reviewed(foundry, 6, spec=TEXT)
    said = text("x " * 500)
    monkeypatch.setattr(limits, "MAX_DECIDED_BYTES", 2 * len(json.dumps(said)) + 200)
    read: list[int] = []
    onward = reviewing.onward

    def watched(tasks: Any, votes: Any, *rest: Any) -> Any:
        read.append(sum(len(one.label) for one in votes))
        return onward(tasks, votes, *rest)

    monkeypatch.setattr(reviewing, "onward", watched)
    drawer = foundry.person()
    drawn = stage_page(foundry, drawer, project, 0)
    foundry.call(lambda run: work.submit(run, drawer, drawn.id, answers(drawn, label=said)))
    foundry.hear()
    assert foundry.sql("SELECT DISTINCT stage FROM task WHERE project = %s", project.id) == [(1,)]
    assert len(read) >= 3
    assert max(read) <= limits.MAX_DECIDED_BYTES
