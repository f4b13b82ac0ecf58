"""Batches: filled and finalized, paused and resumed, cancelled, and worked on in their order."""

from __future__ import annotations

from typing import Any

import pytest
from scaleapi.api_client.v2.models.batch_operation_request import BatchOperationRequest
from scaleapi.exceptions import ScaleInvalidRequest
from scaleapi.tasks import TaskType

from tests.scale.conftest import World, until
from tests.scale.labelling import crowd, work
from tests.scale.receiver import Receiver

KIND = TaskType.Categorization
WORDS: dict[str, Any] = {"attachment_type": "text", "categories": ["a", "b"]}


def first(task: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "choice", "values": ["a"]}


def test_a_batch_is_filled_then_finalized_and_takes_no_more(world: World) -> None:
    world.fund()
    client = world.live
    client.create_project("P", KIND, rapid=True)
    batch = client.create_batch("P", "b", calibration_batch=True)
    assert (batch.status, batch.as_dict()["calibration_batch"]) == ("staging", True)
    task = client.create_task(KIND, batch="b", attachment="x", **WORDS)
    assert task.waiting_for == "batch"
    assert client.finalize_batch("b").status == "in_progress"
    until(lambda: client.get_task(task.id).waiting_for == "work", "in the queue")
    with pytest.raises(ScaleInvalidRequest, match="batch"):
        client.create_task(KIND, batch="b", attachment="y", **WORDS)


def test_a_paused_batch_is_offered_to_nobody_until_it_is_resumed(world: World) -> None:
    world.fund()
    client = world.live
    client.create_project("P", KIND)
    client.create_batch("P", "b")
    one = client.create_task(KIND, batch="b", attachment="x", **WORDS)
    until(lambda: client.get_task(one.id).waiting_for == "work", "in the queue")
    by_name = BatchOperationRequest(batch_name="b")
    client.v2.pause_batch(by_name)
    two = client.create_task(KIND, batch="b", attachment="y", **WORDS)
    assert two.waiting_for == "batch"
    [worker] = crowd(world, 1)
    assert work(world, worker, first) == 0
    client.v2.resume_batch(by_name)
    until(lambda: client.get_task(two.id).waiting_for == "work", "in the queue")
    assert work(world, worker, first) == 2


def test_a_cancelled_batch_cancels_what_nobody_has_begun(world: World) -> None:
    world.fund()
    client = world.live
    client.create_project("P", KIND)
    client.create_batch("P", "b")
    tasks = [client.create_task(KIND, batch="b", attachment=f"x{n}", **WORDS) for n in range(3)]
    until(lambda: client.get_task(tasks[-1].id).waiting_for == "work", "in the queue")
    [(project,)] = world.sql("SELECT id FROM project WHERE tenant = %s", world.owner.tenant)
    [worker] = crowd(world, 1)
    world.sql("UPDATE project SET page_size = 1 WHERE tenant = %s RETURNING id", world.owner.tenant)
    page = worker.post(f"/api/work/projects/{project}/claim")
    assert len(page["tasks"]) == 1
    assert client.v2.cancel_batch(BatchOperationRequest(batch_name="b")).batch.status.value == "cancelled"
    assert client.batch_status("b") == {"status": "completed", "pending": 1, "canceled": 2}


def test_batches_are_worked_on_in_the_order_of_their_priorities(world: World) -> None:
    world.fund()
    client = world.live
    client.create_project("P", KIND)
    for name in ("one", "two", "three"):
        client.create_batch("P", name)
    for name in ("one", "two", "three"):
        for n in range(2):
            client.create_task(KIND, batch=name, attachment=f"{name} {n}", **WORDS)
    urgent = client.create_task(KIND, project="P", attachment="urgent", priority=30, **WORDS)
    until(lambda: all(task.waiting_for == "work" for task in client.get_tasks("P")), "in the queue")

    def order() -> list[str]:
        rows = world.sql("SELECT i.body FROM task t JOIN item i ON i.tenant = t.tenant AND i.id = t.item "
                         "WHERE t.tenant = %s ORDER BY t.rank", world.owner.tenant)  # fmt: skip
        return [row[0] for row in rows]

    by_age = ["urgent", "one 0", "one 1", "two 0", "two 1", "three 0", "three 1"]
    assert order() == by_age
    client.set_studio_batches_priorities(["three", "one"])
    assert order() == ["three 0", "three 1", "one 0", "one 1", "urgent", "two 0", "two 1"]
    seen: list[str] = []
    [worker] = crowd(world, 1)
    work(world, worker, lambda task: seen.append(task["item"]["text"]) or first(task))
    assert set(seen[:5]) == {"three 0", "three 1", "one 0", "one 1", "urgent"}, "the first page of five"
    client.reset_studio_batches_priorities()
    assert order() == by_age
    api = world.live.api
    assert api.post_request(f"task/{urgent.id}/priority", {"priority": 0})["priority"] == 0
    assert order()[-1] == "urgent"


def test_the_receiver_of_a_batch_is_told_once_when_its_last_task_is_done(world: World) -> None:
    with Receiver() as receiver:
        client = world.test
        client.create_project("P", KIND, rapid=True)
        client.create_batch("P", "b", callback=receiver.url)
        for n in range(3):
            client.create_task(KIND, batch="b", attachment=f"x{n}", **WORDS)
        assert client.get_batch("b").status == "staging"
        assert client.finalize_batch("b").status == "completed"
        told = until(lambda: receiver.got, "told")
        assert (told[0].body["name"], told[0].body["status"], told[0].body["tasks"]) == (
            "b",
            "completed",
            {"completed": 3},
        )
