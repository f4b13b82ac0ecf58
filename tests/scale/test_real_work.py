"""A live task of a type that an editor exists for is worked on by people: queued, judged, paid, answered, redone."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image
from scaleapi.exceptions import ScaleInvalidRequest
from scaleapi.tasks import TaskReviewStatus, TaskType

from cupola.kernel import clock
from cupola.ledger import service as ledger
from tests.scale.conftest import World, until
from tests.scale.labelling import crowd, work, work_until
from tests.scale.receiver import Receiver

WORDS = {"attachment_type": "text", "categories": ["cat", "dog"]}


def choice(value: str) -> Any:
    return lambda task: {"kind": "choice", "values": [value]}


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (200, 100), "white").save(out, "PNG")
    return out.getvalue()


def box(task: dict[str, Any]) -> dict[str, Any]:
    assert (task["item"]["width"], task["item"]["height"]) == (200, 100)
    shape = {"type": "box", "x": 10, "y": 20, "w": 30, "h": 40}
    return {"kind": "objects", "objects": [{"id": "o1", "cls": "car", "shape": shape, "attributes": {"doors": "4"}}]}


def test_a_task_waits_for_money_and_says_so_and_goes_on_when_it_comes(world: World) -> None:
    client = world.live
    task = client.create_task(TaskType.Categorization, attachment="It barks.", **WORDS)
    until(lambda: client.get_task(task.id).as_dict()["waiting_for"] == "budget", "waiting for money")
    assert "fund" in client.get_task(task.id).waiting_because
    world.fund()
    until(lambda: client.get_task(task.id).as_dict()["waiting_for"] == "work", "in the queue")


def test_people_answer_a_task_and_it_is_paid_for(world: World) -> None:
    world.fund()
    client = world.live
    client.create_project("Barks", TaskType.Categorization, {"instruction": "Listen."})
    tasks = [client.create_task(TaskType.Categorization, project="Barks", attachment=f"It barks {n}.", **WORDS)
             for n in range(7)]  # fmt: skip
    until(lambda: all(client.get_task(one.id).waiting_for == "work" for one in tasks), "in the queue")

    def answered() -> Any:
        found = list(client.get_tasks("Barks"))
        return found if all(one.status == "completed" for one in found) else None

    done = work_until(world, crowd(world, 3), choice("dog"), answered, "answered")
    assert len(done) == 7
    assert {one.response["category"] for one in done} == {"dog"}
    assert all(one.as_dict()["completed_at"] for one in done)
    with pytest.raises(ScaleInvalidRequest):
        done[0].cancel()
    tenant = world.sql("SELECT tenant FROM order_task WHERE id = %s", tasks[0].id)[0][0]
    checked = world.served.call(lambda run: ledger.check(run.db, [tenant]))
    assert checked.violations == []
    assert world.sql("SELECT count(*) >= 7 FROM judgement WHERE tenant = %s", tenant) == [(True,)]


def test_a_task_somebody_has_begun_cannot_be_canceled(world: World) -> None:
    world.fund()
    client = world.live
    task = client.create_task(TaskType.Categorization, attachment="It purrs.", **WORDS)
    until(lambda: client.get_task(task.id).waiting_for == "work", "in the queue")
    worker = crowd(world, 1)[0]
    [(project,)] = world.sql("SELECT id FROM project WHERE tenant = %s", world.owner.tenant)
    assert worker.post(f"/api/work/projects/{project}/claim") is not None
    with pytest.raises(ScaleInvalidRequest, match="begun"):
        task.cancel()
    assert client.get_task(task.id).status == "pending"


def test_boxes_are_drawn_on_an_upload_and_come_back_in_pixels_with_attributes(world: World) -> None:
    world.fund()
    client = world.live
    file = client.upload_file(io.BytesIO(picture()))
    task = client.create_task(
        TaskType.ImageAnnotation,
        attachment=file.attachment_url,
        geometries={"box": {"objects_to_annotate": ["car"]}},
        annotation_attributes={"doors": {"choices": ["2", "4"], "conditions": {"label_condition": {"label": ["car"]}}}},
    )
    until(lambda: client.get_task(task.id).waiting_for == "work", "in the queue")
    work_until(world, crowd(world, 3), box, lambda: client.get_task(task.id).status == "completed", "answered")
    [one] = client.get_task(task.id).response["annotations"]
    assert {name: one[name] for name in ("type", "label", "left", "top", "width", "height", "attributes")} == {
        "type": "box",
        "label": "car",
        "left": 10.0,
        "top": 20.0,
        "width": 30.0,
        "height": 40.0,
        "attributes": {"doors": "4"},
    }
    assert one["uuid"] == client.get_task(task.id).response["annotations"][0]["uuid"]


def test_an_attachment_that_is_not_there_ends_the_task_and_frees_its_unique_id(world: World) -> None:
    world.fund()
    with Receiver() as receiver:
        body: dict[str, Any] = {"geometries": {"box": {"objects_to_annotate": ["car"]}}, "unique_id": "once"}
        client = world.live
        gone = client.create_task(
            TaskType.ImageAnnotation,
            attachment=receiver.url.replace("/callback", "/picture.png"),
            callback_url=receiver.url,
            clear_unique_id_on_error=True,
            **body,
        )
        until(lambda: client.get_task(gone.id).status == "error", "failed")
        assert "attachment" in client.get_task(gone.id).error
        assert "unique_id" not in client.get_task(gone.id).as_dict()
        told = until(lambda: receiver.got, "told")
        assert (told[0].body["status"], told[0].headers["cupola-event"]) == ("error", "order.error")


def test_a_rejected_task_is_done_again_by_others_and_only_they_count(world: World) -> None:
    world.fund()
    client = world.live
    client.create_project("Again", TaskType.Categorization)
    client.create_batch("Again", "Again 1")
    task = client.create_task(TaskType.Categorization, batch="Again 1", attachment="It meows.", **WORDS)
    until(lambda: client.get_task(task.id).waiting_for == "work", "in the queue")
    first, second = crowd(world, 3), crowd(world, 3)
    work_until(world, first, choice("dog"), lambda: client.get_task(task.id).status == "completed", "answered")
    until(lambda: client.batch_status("Again 1")["status"] == "completed", "the batch is done")
    client.audit_task(task.id, False, "It meows!")
    assert (client.get_task(task.id).status, client.get_task(task.id).waiting_for) == ("pending", "redo")
    assert client.batch_status("Again 1") == {"status": "in_progress", "pending": 1}
    work_until(world, second, choice("cat"), lambda: client.get_task(task.id).status == "completed", "answered again")
    assert client.get_task(task.id).response == {"category": "cat"}
    client.audit_task(task.id, True)
    found = client.get_tasks("Again", review_status=[TaskReviewStatus.Accepted, TaskReviewStatus.Fixed])
    assert [one.id for one in found] == [task.id]


def test_callbacks_tell_everything_and_are_tried_again_until_they_arrive(world: World) -> None:
    world.fund()
    client = world.live
    key = world.served.client(Authorization=f"Bearer {world.live_key}")
    expected = key.get("/api/orders/callback-auth").json()["value"]
    with Receiver([500, 0]) as receiver:
        task = client.create_task(TaskType.Categorization, attachment="It howls.", callback_url=receiver.url, **WORDS)
        until(lambda: client.get_task(task.id).waiting_for == "work", "in the queue")
        workers = crowd(world, 3)
        work_until(world, workers, choice("dog"), lambda: client.get_task(task.id).status == "completed", "answered")
        for n in (1, 2):
            until(lambda n=n: len(receiver.got) >= n, f"try {n}")
            until(lambda n=n: world.sql("SELECT tries FROM order_callback WHERE state = 'waiting' AND task = %s "
                                        "AND last_error IS NOT NULL", task.id) == [(n,)], f"try {n} noted")  # fmt: skip
            clock.advance(timedelta(seconds=60))
        until(lambda: client.get_task(task.id).as_dict().get("callback_succeeded") is True, "arrived")
        assert len(receiver.got) == 3
        last = receiver.got[-1]
        assert last.headers["scale-callback-auth"] == expected
        assert "cupola-signature" in last.headers
        assert set(last.body) == {"task", "response", "task_id", "status"}
        assert (last.body["task_id"], last.body["status"]) == (task.id, "completed")
        assert last.body["response"] == {"category": "dog"} == last.body["task"]["response"]
        client.audit_task(task.id, True)
        until(lambda: "order.audit" in {one.headers["cupola-event"] for one in receiver.got}, "the audit was told")
        log = key.get("/api/orders/callbacks", params={"task": task.id}).json()["items"]
        assert {one["kind"] for one in log} == {"completed", "audit"}
        told = next(one for one in log if one["kind"] == "completed")
        assert json.loads(key.get(f"/api/orders/callbacks/{told['id']}").json()["body"]) == last.body
        failed = key.get("/api/orders/callbacks", params={"task": task.id, "state": "failed"}).json()["items"]
        assert failed == []
        other = world.served.client(Authorization=f"Bearer {world.test_key}")
        assert other.get(f"/api/orders/callbacks/{told['id']}").status_code == 404


def test_a_dead_receiver_is_given_up_after_twenty_tries_and_can_be_asked_again(world: World) -> None:
    with Receiver([500] * 25) as receiver:
        task = world.test.create_task(TaskType.Categorization, attachment="x", callback_url=receiver.url, **WORDS)
        began = clock.now()

        def goes_on() -> bool:
            """Go to the moment of the next try; true when there is none."""
            row = world.sql("SELECT next_at FROM order_callback WHERE task = %s", task.id)
            if row and row[0][0] is not None and row[0][0] > clock.now():
                clock.advance(row[0][0] - clock.now() + timedelta(seconds=0.1))
            return bool(row) and row[0][0] is None

        until(goes_on, "given up", 90)
        assert timedelta(hours=18) < clock.now() - began < timedelta(hours=30)
        until(lambda: world.test.get_task(task.id).as_dict().get("callback_succeeded") is False, "given up")
        assert len(receiver.got) == 20
        key = world.served.client(Authorization=f"Bearer {world.test_key}")
        [row] = key.get("/api/orders/callbacks", params={"task": task.id}).json()["items"]
        assert (row["state"], row["tries"]) == ("failed", 20)
        receiver.answers.clear()
        assert key.post(f"/api/orders/callbacks/{row['id']}/resend").status_code == 200
        until(lambda: world.test.get_task(task.id).as_dict().get("callback_succeeded") is True, "arrived after all")


def test_a_callback_to_a_private_address_is_refused(world: World) -> None:
    body = {"attachment": "x", **WORDS}
    for url in ("http://10.0.0.1/x", "http://[::1]/", "http://169.254.169.254/latest", "ftp://example.com", "nowhere"):
        with pytest.raises(ScaleInvalidRequest, match="callback_url"):
            world.live.create_task(TaskType.Categorization, callback_url=url, **body)


def test_an_evaluation_task_becomes_gold_and_no_worker_sees_its_answer(world: World) -> None:
    world.fund()
    client = world.live
    client.create_project("Gold", TaskType.Categorization)
    made = client.create_evaluation_task(
        TaskType.Categorization,
        project="Gold",
        attachment="It is gold.",
        expected_response={"category": "dog"},
        **WORDS,
    )
    task = client.create_task(TaskType.Categorization, project="Gold", attachment="It is not.", **WORDS)
    until(lambda: client.get_task(task.id).waiting_for == "work", "in the queue")
    until(lambda: world.sql("SELECT count(*) FROM gold g JOIN order_task o ON o.tenant = g.tenant "
                            "AND o.foundry_task = g.task WHERE o.id = %s", made.id) == [(1,)], "gold")  # fmt: skip
    seen: list[dict[str, Any]] = []
    for worker in crowd(world, 2):
        work(world, worker, lambda one: seen.append(one) or {"kind": "choice", "values": ["dog"]})
    assert "expected" not in str(seen)
    assert "gold" not in {key for one in seen for key in one}
    assert [one.id for one in client.get_tasks("Gold")] == [task.id]


def test_training_tasks_come_before_a_projects_own_are_paid_and_tell_what_was_right(world: World) -> None:
    world.fund()
    client = world.live
    client.create_project("School", TaskType.Categorization, {"training_pass_share": 0.5})
    lessons = [
        client.create_training_task(
            TaskType.Categorization,
            project="School",
            attachment=f"It teaches {n}.",
            expected_response={"category": "dog"},
            **WORDS,
        )
        for n in range(2)
    ]
    task = client.create_task(TaskType.Categorization, project="School", attachment="It is real.", **WORDS)
    until(lambda: client.get_task(task.id).waiting_for == "work", "in the queue")
    school = until(
        lambda: world.sql("SELECT id FROM project WHERE tenant = %s AND trains IS NOT NULL AND state = 'live'",
                          world.owner.tenant), "the training is open")[0][0]  # fmt: skip
    [worker] = crowd(world, 1)
    ours = {str(row[0]) for row in world.sql("SELECT id FROM project WHERE tenant = %s", world.owner.tenant)}
    [offer] = [one for one in worker.get("/api/work/offers") if one["project"] in ours]
    assert offer["project"] == str(school)
    assert offer["training"] == {"tasks": 2, "answered": 0, "right": 0, "counted": 2, "needed": 1, "passed": False}
    page = worker.post(f"/api/work/projects/{school}/claim")
    assert page["training"] is True
    assert sorted(one["item"]["text"] for one in page["tasks"]) == ["It teaches 0.", "It teaches 1."]
    said = [{"kind": "choice", "values": [value]} for value in ("cat", "dog")]
    judgements = [{"task": one["task"], "label": label, "seconds": 3.0} for one, label in zip(page["tasks"], said,
                                                                                             strict=True)]  # fmt: skip
    done = worker.post(f"/api/work/assignments/{page['id']}/submit", {"fence": page["fence"], "judgements": judgements})
    assert done["paid_minor"] == 20
    assert [one["feedback"] for one in done["judgements"]] == [
        {"right": False, "expected": {"kind": "choice", "values": ["dog"]}},
        {"right": True, "expected": {"kind": "choice", "values": ["dog"]}},
    ]
    assert done["training"]["passed"] is True
    board = [one for one in worker.get("/api/work/offers") if one["project"] in ours]
    assert [(one["training"], one["available"]) for one in board] == [(None, 1)]
    assert [one.id for one in client.get_tasks("School")] == [task.id], "training is no task of the project's"
    assert lessons[0].as_dict()["expected_response"] == {"category": "dog"}
    key = world.served.client(Authorization=f"Bearer {world.live_key}")
    assert key.get(f"/v1/task/{lessons[0].id}").status_code == 404
    # what was learned was paid from what was set aside for it, and set aside again for the next newcomer
    until(
        lambda: world.sql("SELECT sum(balance_minor) >= 3 * 2 * 10 FROM account WHERE tenant = %s AND project = %s",
                          world.owner.tenant, school) == [(True,)], "money for the next")  # fmt: skip
