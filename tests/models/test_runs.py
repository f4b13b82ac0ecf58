"""Runs on a real database: a fit on what people settled, opinions out of fold, the same bytes again, killed and begun
again."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from cupola.app import slow
from cupola.kernel.errors import Kind, Problem
from cupola.models import caged, runs, service
from cupola.models.card import read_card
from cupola.models.features import Raw, features_of
from cupola.platform.jobs.service import Queue
from cupola.quality import adjudication
from cupola.tasks import work
from cupola.tasks.model import Plan
from tests.foundry import Foundry, Project, choice

WORDS = {"a": "river boat water", "b": "engine wheel motor", "c": "bread butter oven"}


def true(n: int) -> str:
    return "abc"[n % 3]


def told(foundry: Foundry, items: int = 90) -> Project:
    """A project of short texts, the first of them settled by people. Words tell their class, but of every tenth, whose
    words nothing else has."""
    tenant = foundry.tenant()
    dataset = foundry.dataset(tenant, items)
    foundry.sql(
        "UPDATE item SET body = CASE WHEN substr(ref, 2)::int %% 10 = 9 THEN md5(ref) "
        "ELSE (%s::text[])[1 + substr(ref, 2)::int %% 3] || ' ' || ref END WHERE dataset = %s",
        list(WORDS.values()),
        dataset,
    )
    project = foundry.project(tenant, items, plan=Plan(max_judgements=1), dataset=dataset, page_size=50)
    person = foundry.person()
    page = foundry.call(lambda run: work.claim(run, person, project.id, None, None))
    assert page is not None
    number = refs(foundry, project)
    judgements = [
        {"task": str(one.task), "label": choice(true(number[one.task])), "seconds": 2.0} for one in page.tasks
    ]
    body = json.dumps({"fence": page.fence, "judgements": judgements}).encode()
    foundry.call(lambda run: work.submit(run, person, page.id, body))
    foundry.hear()
    left = foundry.sql("SELECT id FROM task WHERE project = %s AND state = 2", project.id)

    async def decide(conn: Any) -> None:  # what one judgement leaves open, an expert settles
        for (task,) in left:
            await adjudication.adjudicate(conn, tenant, task, None, choice(true(number[task])), False, "")

    foundry.app(tenant, decide)
    return project


def refs(foundry: Foundry, project: Project) -> dict[UUID, int]:
    rows = foundry.sql(
        "SELECT t.id, i.ref FROM task t JOIN item i ON i.tenant = t.tenant AND i.id = t.item WHERE t.project = %s",
        project.id,
    )
    return {task: int(ref[1:]) for task, ref in rows}


def ask(foundry: Foundry, project: Project, **more: Any) -> Any:
    return foundry.app(project.tenant, lambda conn: service.ask_run(conn, project.tenant, project.id, "fit", **more))


def look(foundry: Foundry, project: Project, run: UUID) -> Any:
    return foundry.app(project.tenant, lambda conn: service.run_of(conn, project.tenant, run))


def done(foundry: Foundry, project: Project, run: UUID) -> Any:
    foundry.call(lambda runtime: runs.run_learning(runtime, project.tenant, run))
    return look(foundry, project, run)


def opinions(foundry: Foundry, project: Project, version: int) -> dict[UUID, tuple[str, list[float]]]:
    rows = foundry.sql(
        "SELECT task, label::jsonb -> 'values' ->> 0, probabilities FROM opinion WHERE project = %s "
        "AND model_version = %s",
        project.id,
        str(version),
    )
    return {task: (label, shares) for task, label, shares in rows}


def test_a_fit_says_something_of_every_task_and_of_those_it_learned_from_without_them(foundry: Foundry) -> None:
    project = told(foundry)
    settled = {row[0] for row in foundry.sql("SELECT task FROM settlement WHERE project = %s", project.id)}
    assert len(settled) == 50
    ended = done(foundry, project, ask(foundry, project, seed=3).id)
    assert (ended.state, ended.error, ended.version, ended.labels) == ("done", None, 1, 50)
    assert (ended.tasks_done, ended.tasks_total, ended.opinions, ended.left_out) == (90, 90, 90, 0)
    said, number = opinions(foundry, project, 1), refs(foundry, project)
    assert np.mean([said[task][0] == true(n) for task, n in number.items() if n % 10 != 9]) > 0.9
    accuracy = ended.metrics.accuracy
    assert accuracy.low < accuracy.value <= accuracy.high
    assert accuracy.n == 50
    # of what it was fitted on it says what models said that had not seen it, not what the file says
    row = foundry.app(project.tenant, lambda conn: service.version(conn, project.tenant, ended.model, 1))
    card = read_card(row.card)
    file = foundry.call(lambda run: run.blobs.get(project.tenant, row.sha256.hex()))
    model = caged.Running(file, card)
    texts = dict(
        foundry.sql("SELECT t.id, i.body FROM task t JOIN item i ON i.id = t.item WHERE t.project = %s", project.id)
    )
    tasks = list(number)
    got = model.predict(features_of(card.features, [Raw("", texts[task]) for task in tasks]))
    model.close()
    apart = {task: float(np.abs(got[n] - np.array(said[task][1])).max()) for n, task in enumerate(tasks)}
    assert max(apart[task] for task in tasks if task not in settled) < 0.01
    assert max(apart[task] for task in settled if number[task] % 10 == 9) > 0.2
    # nobody was paid for it, and it is no judgement
    assert foundry.sql("SELECT count(*) FROM judgement WHERE project = %s", project.id) == [(50,)]
    foundry.sound()
    # the same again: the same labels and seed give the same file, to the byte
    again = done(foundry, project, ask(foundry, project, like=ended.id).id)
    assert (again.state, again.version, again.labels_sha256) == ("done", 2, ended.labels_sha256)
    files = foundry.sql("SELECT DISTINCT sha256 FROM learned_version WHERE model = %s", ended.model)
    assert len(files) == 1


def test_a_run_killed_after_any_of_its_steps_is_neither_lost_nor_done_twice(
    foundry: Foundry, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = told(foundry)
    monkeypatch.setattr(runs, "PAGE", 20)

    class Killed(BaseException):
        pass

    real, left = runs._Work._hold, [0]

    async def dies(self: Any, work: Any) -> None:
        await real(self, work)
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    run = ask(foundry, project).id
    killed = 0
    monkeypatch.setattr(runs._Work, "_hold", dies)
    for _ in range(40):
        left[0] = 2  # it comes one step further each time before it is killed
        try:
            foundry.call(lambda runtime: runs.run_learning(runtime, project.tenant, run))
            break
        except Killed:
            killed += 1
    ended = look(foundry, project, run)
    if ended.state != "done":  # reading and fitting need more steps than two at once
        monkeypatch.setattr(runs._Work, "_hold", real)
        ended = done(foundry, project, run)
    assert killed > 3
    assert (ended.state, ended.version, ended.tasks_done, ended.opinions) == ("done", 1, 90, 90)
    assert foundry.sql("SELECT count(*) FROM learned_version WHERE model = %s", ended.model) == [(1,)]
    assert foundry.sql("SELECT count(*), count(DISTINCT task) FROM opinion WHERE project = %s", project.id) == [
        (90, 90)
    ]


def test_two_workers_at_one_run_make_one_version_and_what_is_cancelled_says_no_more(foundry: Foundry) -> None:
    project = told(foundry)
    run = ask(foundry, project).id
    with pytest.raises(Problem) as refused:
        ask(foundry, project)
    assert (refused.value.kind, refused.value.code) == (Kind.CONFLICT, "run-active")
    both = foundry.together([lambda runtime: runs.run_learning(runtime, project.tenant, run)] * 2)
    assert both == [None, None]
    ended = look(foundry, project, run)
    assert (ended.state, ended.version, ended.opinions) == ("done", 1, 90)
    second = ask(foundry, project).id
    foundry.app(project.tenant, lambda conn: service.cancel(conn, project.tenant, second))
    assert done(foundry, project, second).state == "cancelled"
    assert opinions(foundry, project, 2) == {}


def test_the_queue_of_work_does_it_and_a_project_without_labels_is_told_so(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 12)
    run = ask(foundry, project).id

    async def drain(runtime: Any) -> None:
        queue = Queue(runtime, [one for one in slow.work(runtime) if one.kind == service.JOB])
        while await queue.drain():
            pass

    foundry.call(drain)
    ended = look(foundry, project, run)
    assert ended.state == "failed"
    assert "settled" in ended.error
    assert foundry.sql("SELECT count(*) FROM job WHERE kind = %s", service.JOB) == [(0,)]
    boxes = foundry.project(tenant, 3, spec={"kind": "objects", "classes": [{"name": "car", "geometry": "box"}]})
    with pytest.raises(Problem) as refused:
        ask(foundry, boxes)
    assert refused.value.code == "model-kind"
