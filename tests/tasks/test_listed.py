"""A list of tasks is written by the database, as the documents that the API describes."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import UUID

import msgspec

from cupola.kernel import states
from cupola.platform.pg.tx import Role
from cupola.tasks import service, store, work
from cupola.tasks.model import Assignment, Plan, TaskView
from tests.foundry import Foundry, Project


def told(foundry: Foundry, project: Project) -> list[bytes]:
    async def read(run: Any) -> list[bytes]:
        async with run.db.tx(Role.APP, tenant=project.tenant) as conn:
            rows = await store.TASKS.all(
                conn, tenant=project.tenant, project=project.id, after=-1, gold=None, ref=None, limit=100,
                words=list(states.TASK),
            )  # fmt: skip
        return [msgspec.json.encode(service.task_document(row)) for row in rows]

    return foundry.call(read)


def claimed(foundry: Foundry, person: UUID, project: Project) -> Assignment | None:
    return foundry.call(lambda run: work.claim(run, person, project.id, 2, None))


def test_a_task_of_a_list_is_what_the_api_describes_whatever_has_become_of_it(foundry: Foundry) -> None:
    project = foundry.project(
        foundry.tenant(), 12, gold={0: "a"}, plan=Plan(target_accuracy=0.55, max_judgements=6, gold_rate=0.0)
    )
    for person in foundry.people(4):
        page = claimed(foundry, person, project)
        if page is not None:
            foundry.submit(person, page, "b")
        foundry.hear()
    foundry.sql("UPDATE item SET ref = %s WHERE id = (SELECT item FROM task WHERE id = %s)", '}"ü\\', project.tasks[-1])
    documents = told(foundry, project)
    names = {field.name for field in dataclasses.fields(TaskView)}
    assert {frozenset(msgspec.json.decode(one)) for one in documents} == {frozenset(names)}
    views = {one.id: one for one in (msgspec.json.decode(one, type=TaskView) for one in documents)}
    assert len(views) == 12
    rows = foundry.sql(
        "SELECT t.id, t.item, i.ref, t.state, t.judged, t.confidence, t.gold, t.created_at, t.settled_at, s.label "
        "FROM task t JOIN item i ON i.id = t.item LEFT JOIN settlement s ON s.task = t.id AND s.version = "
        "t.settled_version WHERE t.project = %s",
        project.id,
    )
    for task, item, ref, state, judged, confidence, gold, created_at, settled_at, label in rows:
        assert views[UUID(str(task))] == TaskView(
            task, project.id, item, ref, "gold" if gold else states.TASK[state], judged, confidence,
            msgspec.json.decode(label) if label else None, gold, created_at, settled_at,
        )  # fmt: skip
    assert {one.state for one in views.values()} >= {"gold", "settled"}
    assert any(one.settled_label is None for one in views.values() if not one.gold)
