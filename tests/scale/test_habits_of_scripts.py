"""What customers' scripts do with the unmodified client: further members of kinds that once failed, all taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import pytest
import scaleapi
from scaleapi.batches import BatchStatus
from scaleapi.exceptions import ScaleDuplicateResource, ScaleInvalidRequest
from scaleapi.tasks import TaskReviewStatus, TaskStatus, TaskType

from tests.scale.conftest import World, new_world
from tests.serving import Serving

PROJECT, BATCH = "p one/two", "b #1?"


@pytest.fixture(scope="module")
def client(served: Serving) -> tuple[scaleapi.ScaleClient, World]:
    world = new_world(served)
    world.fund()
    live = world.live
    live.create_project(PROJECT, TaskType.TextCollection, params={})
    live.create_batch(PROJECT, BATCH)
    return live, world


def made(live: scaleapi.ScaleClient, **more: Any) -> Any:
    body = {"attachments": [{"type": "text", "content": "x"}], "fields": [{"type": "text", "field_id": "a"}]}
    return live.create_task(TaskType.TextCollection, **{**body, **more})


@pytest.mark.parametrize(
    "field",
    [
        {"type": "text", "required": "false"},
        {"type": "text", "max_characters": "30", "min_characters": "0"},
        {"type": "text", "description": None, "title": None, "hint": None},
        {"type": "number", "min": "0.5", "max": "1e3"},
        {"type": "category", "choices": [{"label": "A", "value": "a"}], "min_choices": "0", "max_choices": "1"},
        {"type": "category", "choices": [{"label": "Y", "value": True}, {"label": "N", "value": False}]},
        {"type": "category", "choices": [{"label": "half", "value": 0.5}, {"label": "more", "value": 1.5}]},
        {"type": "text", "max_responses_required": "3", "min_responses_required": 1},
    ],
)
def test_fields_as_scripts_write_them(client: tuple[scaleapi.ScaleClient, World], field: dict[str, Any]) -> None:
    task = made(client[0], fields=[{**field, "field_id": "a"}])
    assert (task.status, task.as_dict().get("waiting_for")) in [("pending", w) for w in ("placing", "work", "budget")]


@pytest.mark.parametrize("name", ["📦 один", "a%2Fb", "a+b c", "100%", "x?y=1&z#w"])
def test_names_as_people_give_them(client: tuple[scaleapi.ScaleClient, World], name: str) -> None:
    live = client[0]
    assert live.create_batch(PROJECT, name).name == name
    assert live.get_batch(name).name == name
    assert made(live, batch=name).as_dict()["batch"] == name
    live.finalize_batch(name)
    live.finalize_batch(name)
    assert live.batch_status(name)["status"] == BatchStatus.InProgress.value


FILTERS: dict[str, Callable[[scaleapi.ScaleClient], list[Any]]] = {
    "everything": lambda c: list(
        c.get_tasks(
            project_name=PROJECT,
            batch_name=BATCH,
            task_type=TaskType.TextCollection,
            status=TaskStatus.Pending,
            created_after="2020-01-01",
            created_before=datetime(2099, 1, 1),
            limited_response=True,
            include_attachment_url=False,
        )
    ),
    "identifiers": lambda c: list(c.get_tasks(project_name=PROJECT, unique_id=["in the batch", "another"])),
    "tags": lambda c: list(c.get_tasks(project_name=PROJECT, tags=["filtered"])),
}


def test_lists_by_every_filter(client: tuple[scaleapi.ScaleClient, World]) -> None:
    live = client[0]
    task = made(
        live, batch=BATCH, unique_id="in the batch", tags=["filtered"], priority="20", metadata={"a": [1, None]}
    )
    assert (task.as_dict()["priority"], task.metadata) == (20, {"a": [1, None]})
    assert {name: [one.id for one in asked(live)] for name, asked in FILTERS.items()} == {
        name: [task.id] for name in FILTERS
    }
    assert list(live.get_tasks(project_name=PROJECT, review_status=[TaskReviewStatus.Accepted])) == []
    assert BATCH in [one.name for one in live.get_batches(created_after="2020-01-01")]
    first = live.tasks(limit=1)
    assert first.next_token
    assert live.tasks(limit=1, next_token=first.next_token).docs[0].id != first.docs[0].id
    with pytest.raises(ScaleInvalidRequest, match="next_token"):
        live.tasks(limit=2, next_token="garbage")


def test_a_cancelled_task_is_still_its_owners(client: tuple[scaleapi.ScaleClient, World]) -> None:
    live = client[0]
    task = made(live, unique_id="k")
    assert live.cancel_task(task.id).status == "canceled"
    with pytest.raises(ScaleInvalidRequest, match="only a pending one"):
        live.cancel_task(task.id)
    with pytest.raises(ScaleDuplicateResource):
        made(live, unique_id="k")
    assert live.set_task_metadata(task.id, {"a": "b"}).metadata == {"a": "b"}
    assert live.set_task_tags(task.id, ["a"]).tags == ["a"]
    assert live.update_task_unique_id(task.id, "new").unique_id == "new"
    assert live.clear_task_unique_id(task.id).as_dict().get("unique_id") is None
    assert made(live, unique_id="k").status == "pending"
    again = made(live, unique_id="kk")
    assert live.cancel_task(again.id, True).as_dict().get("unique_id") is None
    assert made(live, unique_id="kk").status == "pending"


def test_bodies_written_as_forms_with_places_in_brackets(client: tuple[scaleapi.ScaleClient, World]) -> None:
    world = client[1]
    http = httpx.Client(base_url=world.served.url + "/", auth=(world.live_key, ""))
    form = {
        "fields[0][type]": "text",
        "fields[0][field_id]": "a",
        "attachments[0][type]": "text",
        "attachments[0][content]": "x",
        "priority": "10",
    }
    told = http.post("/v1/task/textcollection", data=form).json()
    assert (told["priority"], told["params"]["fields"][0]["field_id"]) == (10, "a")
    assert http.get("/v1/tasks", params={"limit": "5"}).status_code == 200
    for limit in ("0", "1000", "x"):
        assert http.get("/v1/tasks", params={"limit": limit}).status_code == 400
