"""A model that settles alone: drawn, calibrated, certified, watched, switched off; nobody's pay depends on it."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from cupola.app import slow, wiring
from cupola.kernel.errors import Problem
from cupola.models import ordering, service
from cupola.models.accepting import rules
from cupola.models.accepting import service as accepting
from cupola.models.accepting.rules import Watch
from cupola.models.card import Card, Features
from cupola.platform.dispatch.service import Dispatcher
from cupola.platform.jobs.service import Queue
from cupola.quality import adjudication
from cupola.quality.opinions import service as opinions
from cupola.quality.opinions.model import Given
from cupola.tasks.model import Plan
from tests.foundry import Foundry, Project, choice
from tests.models.test_runs import refs, true

OTHER = {"a": "b", "b": "c", "c": "a"}


def project_with_opinions(foundry: Foundry, items: int = 400, wrong_below: float = 0.6) -> Project:
    """A model that is sure of four tasks in five, and right there; of the others it is unsure, and wrong."""
    tenant = foundry.tenant()
    project = foundry.project(tenant, items, plan=Plan(max_judgements=1), page_size=50)

    async def brought(conn: Any) -> None:
        model = await service.register(conn, tenant, "net", "onnx")
        card = Card(["a", "b", "c"], Features("embedding", dims=2))
        await service.add_version(conn, tenant, model.id, card, hashlib.sha256(b"net").hexdigest(), 3)

    foundry.app(tenant, brought)
    say(foundry, project, wrong_below)
    return project


def say(foundry: Foundry, project: Project, wrong_below: float = 0.6, sure_of: int = 5) -> None:
    given = []
    for task, n in refs(foundry, project).items():
        score = 0.5 if n % sure_of == 0 else 0.8 + (n % 97) / 1_000
        label = OTHER[true(n)] if score < wrong_below else true(n)
        given.append(Given(task, None, choice(label), None, score))
    for since in range(0, len(given), 1_000):
        part = given[since : since + 1_000]
        foundry.app(project.tenant, lambda conn, p=part: opinions.give(conn, project.tenant, project.id, "net", "1", p))


def ask(foundry: Foundry, project: Project, **more: Any) -> Any:
    asked: dict[str, Any] = {
        "model": "net", "version": None, "limit": 0.05, "confidence": 0.95, "sample": 80, "judged_by": "experts",
        "slice_by": None, "later": False,
    }  # fmt: skip
    return foundry.app(
        project.tenant,
        lambda conn: accepting.ask(conn, foundry.runtime, project.tenant, project.id, **{**asked, **more}),
    )


def hear(foundry: Foundry) -> None:
    """Events and the work that they ask for, until there is none."""

    async def run(runtime: Any) -> None:
        dispatcher = Dispatcher(runtime, [one for one in wiring.consumers(runtime) if one.name == "models"])
        queue = Queue(runtime, [one for one in slow.work(runtime) if one.kind == accepting.JOB])
        await dispatcher.drain(100)
        while await queue.drain():
            await dispatcher.drain(100)
        await dispatcher.close()

    foundry.call(run)


def look(foundry: Foundry, project: Project, subject: UUID) -> Any:
    return foundry.app(project.tenant, lambda conn: accepting.one(conn, project.tenant, subject))


def experts(foundry: Foundry, project: Project, *, wrong: bool = False) -> int:
    """Experts settle what waits for them, by the truth (or otherwise than a model that is right)."""
    number = refs(foundry, project)
    waiting = [row[0] for row in foundry.sql("SELECT id FROM task WHERE project = %s AND state = 2", project.id)]

    async def decide(conn: Any) -> None:
        for task in waiting:
            label = OTHER[true(number[task])] if wrong else true(number[task])
            await adjudication.adjudicate(conn, project.tenant, task, None, choice(label), False, "")

    foundry.app(project.tenant, decide)
    return len(waiting)


def settled_by_model(foundry: Foundry, project: Project) -> dict[UUID, str]:
    return dict(
        foundry.sql(
            "SELECT s.task, s.label::jsonb -> 'values' ->> 0 FROM settlement s JOIN task t ON t.id = s.task "
            "AND t.settled_version = s.version AND t.state = 3 WHERE s.project = %s AND s.how = 'model'",
            project.id,
        )
    )


def test_a_model_settles_alone_what_its_certificate_covers_and_nothing_that_somebody_has_begun(
    foundry: Foundry,
) -> None:
    project = project_with_opinions(foundry)
    person = foundry.person()
    page = foundry.claim(person, project, 10)  # held while all of it happens
    subject = ask(foundry, project).id
    with pytest.raises(Problem) as refused:
        ask(foundry, project)
    assert refused.value.code == "auto-accept-active"
    hear(foundry)
    drawn = look(foundry, project, subject)
    assert (drawn.state, drawn.tasks, drawn.sample, drawn.sample_settled, drawn.seed) == (
        "calibrating",
        390,
        80,
        0,
        None,
    )
    assert settled_by_model(foundry, project) == {}
    assert experts(foundry, project) == 80
    hear(foundry)
    on = look(foundry, project, subject)
    (whole,) = on.slices
    assert (on.state, whole.sample, whole.tasks) == ("on", 80, 390)
    assert whole.threshold is not None
    assert whole.threshold > 0.5
    assert whole.error_upper <= 0.05
    # the seed that is told is the one that was committed to, and draws the sample again
    assert hashlib.sha256(bytes.fromhex(on.seed)).hexdigest() == on.commitment == drawn.commitment
    batch = foundry.sql("SELECT task, use FROM auto_accept_task WHERE auto_accept = %s", subject)
    again = rules.drawn([task for task, _ in batch], [""] * len(batch), 80, bytes.fromhex(on.seed))
    assert again == {task for task, use in batch if use == 1}
    said, number = settled_by_model(foundry, project), refs(foundry, project)
    assert len(said) == on.settled > 200
    assert all(label == true(number[task]) for task, label in said.items())
    held = {one.task for one in page.tasks}
    assert not held & set(said)
    alone = {row[0] for row in foundry.sql("SELECT id FROM task WHERE project = %s AND alone", project.id)}
    assert len(alone) == 80 + on.watched
    assert not alone & set(said)
    foundry.submit(person, page, "a")  # what was begun is paid, whatever a model has done meanwhile
    assert foundry.sql("SELECT count(*) FROM judgement WHERE project = %s", project.id) == [(10,)]
    foundry.sound()


def test_a_sample_of_which_too_much_is_wrong_proves_nothing_and_nothing_is_settled(foundry: Foundry) -> None:
    project = project_with_opinions(foundry, 200)
    subject = ask(foundry, project).id
    hear(foundry)
    experts(foundry, project, wrong=True)
    hear(foundry)
    ended = look(foundry, project, subject)
    assert (ended.state, ended.settled) == ("refused", 0)
    assert "nothing is proved" in ended.why
    assert settled_by_model(foundry, project) == {}


def test_people_who_find_it_wrong_switch_it_off_and_what_it_settled_goes_back_to_them(foundry: Foundry) -> None:
    project = project_with_opinions(foundry, 400)
    # every second task is watched, so that the test need not be long
    subject = ask(foundry, project, limit=0.1).id
    foundry.sql("UPDATE auto_accept SET audit_share = 0.5 WHERE id = %s", subject)
    hear(foundry)
    experts(foundry, project)
    hear(foundry)
    on = look(foundry, project, subject)
    assert on.watched > 60
    # what is watched waits for people, alone; here experts find that half of it is wrong
    foundry.sql("UPDATE task SET state = 2, open_slots = 0 WHERE project = %s AND alone AND state = 0", project.id)
    number = refs(foundry, project)
    waiting = [row[0] for row in foundry.sql("SELECT id FROM task WHERE project = %s AND state = 2", project.id)]

    async def decide(conn: Any) -> None:
        for place, task in enumerate(waiting[: on.promised]):
            label = OTHER[true(number[task])] if place % 2 else true(number[task])
            await adjudication.adjudicate(conn, project.tenant, task, None, choice(label), False, "")

    foundry.app(project.tenant, decide)
    hear(foundry)
    off = look(foundry, project, subject)
    assert off.state == "off"
    assert "surely more than" in off.why
    before = len(settled_by_model(foundry, project))
    assert before == off.settled > 0
    back = foundry.app(project.tenant, lambda conn: accepting.reopen(conn, project.tenant, subject))
    assert back == before
    assert settled_by_model(foundry, project) == {}
    assert foundry.claim(foundry.person(), project, 10).tasks
    foundry.sound()


def test_a_watch_at_its_limit_is_rarely_wrong_and_beyond_it_notices_as_soon_as_it_promises() -> None:
    rng = np.random.default_rng(7)
    limit = 0.05
    at_limit = [Watch(limit).seen_all(rng.random(600) < limit).off for _ in range(300)]
    assert np.mean(at_limit) <= 0.08  # 5 % promised, and the chance of 300 draws
    promised = rules.promised(limit)
    beyond = [Watch(limit).seen_all(rng.random(promised) < 3 * limit).off for _ in range(300)]
    assert np.mean(beyond) >= 0.83  # 90 % promised, less four times what 300 draws vary by


def test_a_queue_follows_the_margins_with_a_random_floor_between_and_takes_nothing_from_anybody(
    foundry: Foundry,
) -> None:
    project = project_with_opinions(foundry, 60)
    number = refs(foundry, project)
    foundry.claim(foundry.person(), project, 10)

    async def told(conn: Any) -> Any:
        unsure = {"a": 0.4, "b": 0.35, "c": 0.25}
        given = [Given(task, None, None, {"a": 0.9, "b": 0.1} if n % 3 else unsure, None) for task, n in number.items()]
        card = Card(["a", "b", "c"], Features("embedding", dims=2))
        model = await service.register(conn, project.tenant, "shares", "onnx")
        await service.add_version(conn, project.tenant, model.id, card, hashlib.sha256(b"s").hexdigest(), 1)
        await opinions.give(conn, project.tenant, project.id, "shares", "1", given)
        return await ordering.order(conn, project.tenant, project.id, model="shares", version=None, floor=0.2, seed=1)

    before = sorted(foundry.sql("SELECT rank FROM task WHERE project = %s", project.id))
    done = foundry.app(project.tenant, told)
    assert (done.tasks, done.floor) == (50, 10)
    assert before == sorted(foundry.sql("SELECT rank FROM task WHERE project = %s", project.id))
    page = foundry.claim(foundry.person(), project, 10)
    assert sum(number[one.task] % 3 == 0 for one in page.tasks) >= 6
    foundry.sound()
