"""What tables, forms and scripts write otherwise than the documents do, and means the same: taken, as what it means."""

from __future__ import annotations

from typing import Any

import pytest
import scaleapi
from scaleapi.exceptions import ScaleInvalidRequest
from scaleapi.tasks import TaskType

from cupola.compat.scale.types import image
from cupola.kernel import ids
from tests.scale.conftest import World, new_world, until
from tests.scale.labelling import crowd, work_until
from tests.scale.receiver import Receiver
from tests.scale.test_stranger import first_page, picture, queued
from tests.serving import Serving

TEXT: dict[str, Any] = {
    "attachments": [{"type": "text", "content": "x"}],
    "fields": [{"type": "text", "field_id": "a"}],
}
PICTURE = "https://example.com/a.png"


@pytest.fixture(scope="module")
def client(served: Serving) -> scaleapi.ScaleClient:
    live = new_world(served).live
    live.create_project("2024", TaskType.TextCollection, params={})
    return live


def made(live: scaleapi.ScaleClient, kind: TaskType = TaskType.TextCollection, **more: Any) -> dict[str, Any]:
    shown: dict[str, Any] = live.create_task(
        kind, **{**(TEXT if kind is TaskType.TextCollection else {}), **more}
    ).as_dict()
    return shown


def test_whole_numbers_where_names_and_identifiers_belong(client: scaleapi.ScaleClient) -> None:
    """What a table's key or a year is, when a script does not think of its type."""
    client.create_batch(2024, 7)
    told = made(client, unique_id=12345, project=2024, batch=7, tags=[1, "b"], instruction=5)
    assert [told[name] for name in ("unique_id", "project", "batch", "tags", "instruction")] == [
        "12345", "2024", "7", ["1", "b"], "5",
    ]  # fmt: skip
    assert [one.id for one in client.get_tasks("2024", unique_id=[12345])] == [told["task_id"]]
    assert client.update_task_unique_id(told["task_id"], 6).unique_id == "6"
    asked = {"type": "category", "field_id": 7, "title": 8, "choices": [1, 2]}
    assert made(client, fields=[asked])["params"]["fields"] == [asked]


def test_flags_as_numbers_and_choices_that_are_flags(client: scaleapi.ScaleClient) -> None:
    told = made(client, unique_id="freed", clear_unique_id_on_error=1)
    assert told["unique_id"] == "freed"
    boxes = {"box": {"objects_to_annotate": ["car"], "can_rotate": 0, "integer_pixels": 1.0}}
    assert made(client, TaskType.ImageAnnotation, attachment=PICTURE, geometries=boxes)["status"] == "pending"
    assert made(client, fields=[{"type": "text", "field_id": "a", "required": 0}])["status"] == "pending"
    for choices in ([True, False], [{"value": True, "label": "Yes"}, {"value": False, "label": "No"}]):
        assert made(client, TaskType.Categorization, attachment=PICTURE, categories=choices)["status"] == "pending"


@pytest.mark.parametrize("after", ["2020-01-01t00:00:00z", " 2020-01-01 ", "2020-01-01 00:00:00+05:30"])
def test_times_as_others_print_them(client: scaleapi.ScaleClient, after: str) -> None:
    there = {one.id for one in client.get_tasks("2024")}
    assert {one.id for one in client.get_tasks("2024", created_after=after)} == there
    assert not list(client.get_tasks("2024", created_before=after))


def test_addresses_with_what_tables_leave_around_them(world: World) -> None:
    """Blanks, a scheme in capitals, letters of any script: told as they were sent, fetched as what they mean."""
    world.fund()
    client = world.live
    upload = client.upload_file(picture()).attachment_url
    task = client.create_task(TaskType.Categorization, attachment=f" {upload}\n", categories=["a", "b"])
    queued(world, task)
    with Receiver() as receiver:
        odd = receiver.url.replace("http", "HTTP") + "/Grüße 猫.png"
        task = client.create_task(
            TaskType.Categorization, attachment=odd, categories=["a", "b"], callback_url=f" {receiver.url}?für=uns \n"
        )
        [shown] = client.get_task(task.id).as_dict()["attachmentS3Downloads"]
        assert (shown["attachment"], shown["s3URL"]) == (
            odd,
            odd.partition("/Gr")[0] + "/Gr%C3%BC%C3%9Fe%20%E7%8C%AB.png",
        )
        # the receiver answers no picture: it was asked, and the client is told
        until(lambda: client.get_task(task.id).status == "error", "fetched")
        until(lambda: receiver.got, "told")
        assert receiver.got[0].body["status"] == "error"


SEVERAL: list[dict[str, Any]] = [
    {"type": "text", "field_id": "name", "title": "A name", "min_responses_required": 2, "max_responses_required": "3"},
    {"type": "number", "field_id": "age", "title": "Age", "required": False},
]


def test_a_field_that_takes_several_answers_asks_for_each_and_tells_them_together(world: World) -> None:
    world.fund()
    client = world.live
    task = client.create_task(TaskType.TextCollection, fields=SEVERAL, attachments=TEXT["attachments"])
    queued(world, task)
    workers = crowd(world, 3)
    page = first_page(world, workers[0])
    asked = {one["name"]: (one.get("title"), one.get("required", False)) for one in page["ontology"]["attributes"]}
    assert asked == {
        "name": ({"en": "A name"}, True),
        "name (2)": ({"en": "A name (2)"}, True),
        "name (3)": ({"en": "A name (3)"}, False),
        "age": ({"en": "Age"}, False),
    }
    workers[0].post(f"/api/work/assignments/{page['id']}/return", {"fence": page["fence"], "reason": "other"})
    label = {"kind": "form", "answers": {"name": "Ada", "name (2)": "Grace"}}
    work_until(world, workers, lambda _: label, lambda: client.get_task(task.id).status == "completed", "answered")
    told = client.get_task(task.id).response["annotations"]
    assert told["name"] == {"type": "text", "field_id": "name", "response": [["Ada", "Grace"]]}
    assert told["age"]["response"] == [[]]
    client.create_project("Names", TaskType.TextCollection, rapid=True)
    client.create_batch("Names", "first")
    made_of = {"batch": "first", "fields": SEVERAL, "attachments": TEXT["attachments"]}
    client.create_evaluation_task(TaskType.TextCollection, expected_response={"annotations": told}, **made_of)
    gold = "SELECT work::json->'gold'->'answers' FROM order_task WHERE tenant = %s AND role = 1"
    assert until(lambda: world.sql(gold, world.owner.tenant), "kept") == [({"name": "Ada", "name (2)": "Grace"},)]
    for wrong in (["Ada"], ["Ada", "Grace", "Hedy", "Katherine"]):
        expected = {"annotations": {**told, "name": {**told["name"], "response": [wrong]}}}
        with pytest.raises(ScaleInvalidRequest, match="expected_response"):
            client.create_evaluation_task(TaskType.TextCollection, expected_response=expected, **made_of)


def test_more_answers_than_anybody_can_be_asked_for_here_wait_and_say_so(client: scaleapi.ScaleClient) -> None:
    many = {"type": "text", "field_id": "a", "min_responses_required": 11, "max_responses_required": 20}
    assert made(client, fields=[many])["waiting_for"] == "editor"
    several = {"type": "category", "field_id": "a", "choices": ["x", "y"], "min_responses_required": 2}
    assert made(client, fields=[several])["waiting_for"] == "editor"
    with pytest.raises(ScaleInvalidRequest, match="min_responses_required"):
        made(client, fields=[{**many, "max_responses_required": 3}])


def test_labels_that_are_numbers_come_back_as_numbers() -> None:
    made_of = image.making({"attachment": PICTURE, "geometries": {"box": {"objects_to_annotate": [1, 2]}}}, "")
    assert made_of is not None
    drawn = {"id": "o0", "cls": "2", "shape": {"type": "box", "x": 1, "y": 1, "w": 5, "h": 5}}
    told = made_of.response({}, {"kind": "objects", "objects": [drawn]}, ids.uuid7())
    assert told["annotations"][0]["label"] == 2
    assert made_of.label({}, told)["objects"][0]["cls"] == "2"
