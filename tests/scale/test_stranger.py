"""What somebody who used the client before would try: nested labels, conditions, pre-labels, redoing, odd bodies."""

from __future__ import annotations

import io
import json
import math
from typing import Any

import httpx
import pytest
from PIL import Image
from scaleapi.exceptions import ScaleInvalidRequest
from scaleapi.tasks import TaskType

from cupola.client import Client
from cupola.orders import service as orders
from cupola.platform.pg.tx import Role
from tests.scale.conftest import World, until
from tests.scale.labelling import crowd, work_until
from tests.scale.receiver import Receiver

NESTED = {"box": {"objects_to_annotate": ["Person", {"choice": "Vehicle", "subchoices": ["Car", {"choice": "Truck"}]}],
                  "min_height": 2, "can_rotate": True, "integer_pixels": True}}  # fmt: skip
ASKED = {
    "colour": {"type": "category", "choices": ["red", "blue"],
               "conditions": {"label_condition": {"label": ["Car", "Truck"]}}},
    "shade": {"type": "category", "choices": ["dark", "light"],
              "conditions": {"label_condition": {"label": ["Car"]}, "attribute_conditions": {"colour": "red"}}},
    "doors": {"type": "number", "conditions": {"label_condition": {"label": "Car"}}},
}  # fmt: skip
HYPOTHESIS = {"annotations": [{"type": "box", "label": "Car", "left": 10, "top": 20, "width": 30, "height": 40,
                               "attributes": {"colour": "blue"}}]}  # fmt: skip


def picture(colour: str = "white") -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", (200, 100), colour).save(out, "PNG")
    out.seek(0)
    return out


def queued(world: World, task: Any) -> None:
    until(lambda: world.live.get_task(task.id).as_dict().get("waiting_for") == "work", "in the queue")


def first_page(world: World, worker: Client) -> dict[str, Any]:
    [(line,)] = world.sql("SELECT id FROM project WHERE tenant = %s", world.owner.tenant)
    page: dict[str, Any] = worker.post(f"/api/work/projects/{line}/claim")
    return page


def box(cls: str, x: float, attributes: dict[str, Any] | None = None, turn: float = 0.0) -> dict[str, Any]:
    shape: dict[str, Any] = {"type": "box", "x": x, "y": 20.4, "w": 30.2, "h": 40}
    if turn:
        shape["rotation_rad"] = turn
    return {"id": f"o{x}", "cls": cls, "shape": shape, "attributes": attributes or {}}


def test_nested_labels_conditions_and_a_hypothesis_reach_the_editor_and_come_back_as_documented(world: World) -> None:
    world.fund()
    client = world.live
    task = client.create_task(
        TaskType.ImageAnnotation,
        attachment=client.upload_file(picture()).attachment_url,
        geometries=NESTED,
        annotation_attributes=ASKED,
        hypothesis=HYPOTHESIS,
        instruction="# Draw\n\nEvery vehicle.",
    )
    queued(world, task)
    workers = crowd(world, 3)
    page = first_page(world, workers[0])
    assert [one["name"] for one in page["ontology"]["classes"]] == ["Person", "Car", "Truck"]
    asked = {one["name"]: one for one in page["ontology"]["attributes"]}
    assert asked["colour"]["classes"] == ["Car", "Truck"]
    assert (asked["shade"]["classes"], asked["shade"]["when"]) == (["Car"], {"attribute": "colour", "equals": "red"})
    assert asked["doors"]["type"] == "number"
    assert "Every vehicle." in page["tasks"][0]["item"]["metadata"]["instruction"]
    [shown] = page["tasks"][0]["pre_label"]["objects"]
    assert (shown["cls"], shown["attributes"]) == ("Car", {"colour": "blue"})
    assert shown["source"] == "model"
    assert (shown["shape"]["x"], shown["shape"]["w"]) == (10, 30)
    drawn = {"kind": "objects", "objects": [box("Car", 10.4, {"colour": "red", "shade": "dark", "doors": 4}),
                                            box("Person", 100.0, turn=0.5)]}  # fmt: skip
    workers[0].post(f"/api/work/assignments/{page['id']}/submit", {
        "fence": page["fence"],
        "judgements": [{"task": page["tasks"][0]["task"], "label": drawn, "seconds": 9.0}],
    })  # fmt: skip
    work_until(world, workers[1:], lambda _: drawn, lambda: client.get_task(task.id).status == "completed", "answered")
    car, person = sorted(client.get_task(task.id).response["annotations"], key=lambda one: str(one["label"]))
    assert (car["left"], car["top"], car["width"], car["height"]) == (10, 20, 30, 40), "whole pixels were asked for"
    assert all(isinstance(car[name], int) for name in ("left", "top", "width", "height"))
    assert car["attributes"] == {"colour": "red", "shade": "dark", "doors": 4}
    assert (person["label"], person["attributes"]) == ("Person", {})
    assert person["rotation"] == pytest.approx(0.5)
    assert len(person["vertices"]) == 4
    middle = sum(one["x"] for one in person["vertices"]) / 4
    assert middle == pytest.approx(person["left"] + person["width"] / 2)


def test_links_layers_and_other_geometries_are_kept_and_wait_for_their_editor(world: World) -> None:
    client = world.live
    common: dict[str, Any] = {"attachment": "https://example.com/a.png"}
    for more in (
        {"geometries": NESTED, "layers": {"mask": "https://example.com/mask.png"}},
        {"geometries": NESTED, "links": {"pulls": {"from": ["Truck"], "to": ["Car"]}}},
        {"geometries": {"polygon": {"objects_to_annotate": ["Car"], "min_vertices": 3_000}}},
        {"geometries": {**NESTED, "cuboid": {"objects_to_annotate": ["lorry"]}}},
        {"geometries": {"box": {"objects_to_annotate": ["Car"]}, "polygon": {"objects_to_annotate": ["Car"]}}},
    ):
        task = client.create_task(TaskType.ImageAnnotation, **common, **more)
        shown = client.get_task(task.id).as_dict()
        assert (shown["status"], shown["waiting_for"]) == ("pending", "editor")
        assert {name: shown["params"][name] for name in more} == more
        assert client.cancel_task(task.id).status == "canceled"


def test_outlines_lines_points_and_ellipses_are_drawn_and_come_back_as_the_client_writes_them(world: World) -> None:
    world.fund()
    client = world.live
    task = client.create_task(
        TaskType.ImageAnnotation,
        attachment=client.upload_file(picture("teal")).attachment_url,
        geometries={
            "polygon": {"objects_to_annotate": ["lake"], "min_vertices": 3, "max_vertices": 8},
            "line": {"objects_to_annotate": ["lane"], "integer_pixels": True},
            "point": {"objects_to_annotate": ["tip"]},
            "ellipse": {"objects_to_annotate": ["wheel"]},
        },
    )
    queued(world, task)
    shapes = {
        "lake": {"type": "polygon", "points": [[5, 5], [60, 5], [60, 50], [5, 50]],
                 "holes": [[[20, 20], [30, 20], [30, 30]]]},
        "lane": {"type": "polyline", "points": [[1.2, 1.4], [50.6, 40]]},
        "tip": {"type": "point", "x": 7.5, "y": 8},
        "wheel": {"type": "ellipse", "x": 40, "y": 30, "rx": 10, "ry": 5, "rotation_rad": 0.5},
    }  # fmt: skip
    drawn = {"kind": "objects", "objects": [{"id": cls, "cls": cls, "shape": shape} for cls, shape in shapes.items()]}
    work_until(
        world, crowd(world, 3), lambda _: drawn, lambda: client.get_task(task.id).status == "completed", "answered"
    )
    made = {one["label"]: one for one in client.get_task(task.id).response["annotations"]}
    assert {label: one["type"] for label, one in made.items()} == {
        "lake": "polygon", "lane": "line", "tip": "point", "wheel": "ellipse",
    }  # fmt: skip
    assert made["lake"]["vertices"][1] == {"x": 60, "y": 5}
    assert made["lake"]["holes"] == [[{"x": 20, "y": 20}, {"x": 30, "y": 20}, {"x": 30, "y": 30}]]
    assert made["lane"]["vertices"] == [{"x": 1, "y": 1}, {"x": 51, "y": 40}], "whole pixels were asked for"
    assert (made["tip"]["x"], made["tip"]["y"]) == (7.5, 8)
    wheel = made["wheel"]["vertices"]
    assert sum(one["x"] for one in wheel) / 4 == pytest.approx(40)
    assert math.dist((wheel[0]["x"], wheel[0]["y"]), (wheel[2]["x"], wheel[2]["y"])) == pytest.approx(10)


def test_a_rejected_picture_is_drawn_anew_and_both_responses_were_told(world: World) -> None:
    world.fund()
    client = world.live
    first, second = crowd(world, 3), crowd(world, 3)
    with Receiver() as receiver:
        task = client.create_task(
            TaskType.ImageAnnotation,
            attachment=client.upload_file(picture("grey")).attachment_url,
            geometries={"box": {"objects_to_annotate": ["Car"]}},
            callback_url=receiver.url,
        )
        queued(world, task)

        def drawing(x: float) -> Any:
            return lambda _: {"kind": "objects", "objects": [box("Car", x)]}

        def done() -> bool:
            return bool(client.get_task(task.id).status == "completed")

        work_until(world, first, drawing(10.0), done, "answered")
        before = client.get_task(task.id).response["annotations"][0]
        client.audit_task(task.id, False, "It stands further right.")
        shown = client.get_task(task.id).as_dict()
        assert (shown["status"], shown["customer_review_status"], "response" in shown) == ("pending", "rejected", False)
        paid = world.sql("SELECT sum(price_minor) FROM judgement WHERE tenant = %s", world.owner.tenant)
        work_until(world, second, drawing(120.0), done, "answered again")
        after = client.get_task(task.id).as_dict()
        assert after["response"]["annotations"][0]["left"] == pytest.approx(120.0)
        assert after["response"]["annotations"][0]["uuid"] != before["uuid"]
        assert after["customer_review_status"] == "pending", "the new response was not reviewed yet"
        assert world.sql("SELECT sum(price_minor) > %s FROM judgement WHERE tenant = %s", paid[0][0],
                         world.owner.tenant) == [(True,)]  # fmt: skip
        client.audit_task(task.id, True)
        kinds = ["order.completed", "order.audit", "order.recall", "order.completed", "order.audit"]
        until(lambda: len(receiver.got) >= len(kinds), "all was told")
    assert sorted(one.headers["cupola-event"] for one in receiver.got) == sorted(kinds)
    left = [one.body["response"]["annotations"][0]["left"] for one in receiver.got
            if one.headers["cupola-event"] == "order.completed"]  # fmt: skip
    assert sorted(left) == [pytest.approx(10.0), pytest.approx(120.0)]


def test_pictures_in_categories_are_settled_by_three_people_without_an_expert(world: World) -> None:
    world.fund()
    client = world.live
    client.create_project("Pictures", TaskType.Categorization, {"categories": ["cat", "dog", "none"]})
    tasks = [
        client.create_task(
            TaskType.Categorization,
            project="Pictures",
            attachment=client.upload_file(picture(colour)).attachment_url,
            attachment_type="image",
        )
        for colour in ("red", "green", "blue", "black")
    ]
    for task in tasks:
        queued(world, task)

    def all_done() -> bool:
        return all(one.status == "completed" for one in client.get_tasks("Pictures"))

    work_until(
        world, crowd(world, 3), lambda _: {"kind": "choice", "values": ["none"]}, all_done, "answered without an expert"
    )
    assert [one.response for one in client.get_tasks("Pictures")] == [{"category": "none"}] * 4
    assert world.sql("SELECT count(*) FROM task WHERE tenant = %s AND state = 2", world.owner.tenant) == [(0,)]


WRONG: dict[str, Any] = {
    "geometries.box.objects_to_annotate[1].subchoices[0]": {"objects_to_annotate": ["a", {"choice": "b",
                                                                                        "subchoices": [[7]]}]},
    "geometries.box.objects_to_annotate[0].choice": {"objects_to_annotate": [{"subchoices": ["x"]}]},
    "geometries.box.objects_to_annotate": {"objects_to_annotate": ["a", "a"]},
    "geometries.box.min_height": {"objects_to_annotate": ["a"], "min_height": "tall"},
    "geometries.box.can_rotate": {"objects_to_annotate": ["a"], "can_rotate": "yes"},
}  # fmt: skip


@pytest.mark.parametrize("named", WRONG)
def test_a_wrong_label_or_option_is_named_to_its_very_place(world: World, named: str) -> None:
    with pytest.raises(ScaleInvalidRequest) as refused:
        world.live.create_task(TaskType.ImageAnnotation, attachment="https://example.com/a.png",
                               geometries={"box": WRONG[named]})  # fmt: skip
    assert named in str(refused.value)


ODD: list[tuple[str, dict[str, Any]]] = [
    ("annotation_attributes.a.conditions", {"annotation_attributes": {"a": {"choices": ["x"], "conditions": 7}}}),
    (
        "annotation_attributes.a.conditions.label_condition.label",
        {"annotation_attributes": {"a": {"choices": ["x"], "conditions": {"label_condition": {"label": ["moon"]}}}}},
    ),
    ("annotation_attributes.a.type", {"annotation_attributes": {"a": {"type": "colour"}}}),
    ("annotation_attributes.a.choices", {"annotation_attributes": {"a": {"type": "category"}}}),
    ("hypothesis.annotations[0].label", {"hypothesis": {"annotations": [{"type": "box", "label": "moon", "left": 1,
                                                                       "top": 1, "width": 1, "height": 1}]}}),
    ("hypothesis.annotations[0].width", {"hypothesis": {"annotations": [{"type": "box", "label": "car", "left": 1,
                                                                       "top": 1, "width": -1, "height": 1}]}}),
    ("hypothesis.annotations[0].left", {"hypothesis": {"annotations": [{"type": "box", "label": "car"}]}}),
    ("hypothesis", {"hypothesis": []}),
    ("hypothesis", {"hypothesis": {"annotations": [{"type": "box", "label": "car", "left": 1, "top": 1, "width": 1,
                                                    "height": 1, "attributes": {"nobody": "knows"}}]}}),
    ("layers", {"layers": 7}),
    ("links", {"links": "all"}),
    ("context_attachments[0]", {"context_attachments": [7]}),
]  # fmt: skip


@pytest.mark.parametrize(("named", "more"), ODD)
def test_what_is_odd_about_a_picture_task_is_named(world: World, named: str, more: dict[str, Any]) -> None:
    body = {"attachment": "https://example.com/a.png", "geometries": {"box": {"objects_to_annotate": ["car"]}}, **more}
    for key in (world.live_key, world.test_key):
        answer = httpx.post(f"{world.served.url}/v1/task/imageannotation", json=body, auth=(key, ""))
        assert answer.status_code == 400, f"{json.dumps(more)[:100]}: {answer.status_code} {answer.text[:200]}"
        assert named in answer.json()["error"]


def test_news_of_a_settlement_from_before_a_rejection_that_comes_late_answers_nothing(world: World) -> None:
    world.fund()
    client = world.live
    task = client.create_task(TaskType.Categorization, attachment="It barks.", attachment_type="text",
                              categories=["cat", "dog"])  # fmt: skip
    queued(world, task)

    def dog(_: dict[str, Any]) -> dict[str, Any]:
        return {"kind": "choice", "values": ["dog"]}

    work_until(world, crowd(world, 3), dog, lambda: client.get_task(task.id).status == "completed", "answered")
    client.audit_task(task.id, False, "No.")
    [(tenant, foundry)] = world.sql("SELECT tenant, foundry_task FROM order_task WHERE id = %s", task.id)

    async def late(run: Any) -> None:
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            assert await orders.settled(conn, tenant, [foundry]) == []

    world.served.call(late)
    assert client.get_task(task.id).as_dict()["waiting_for"] == "redo"
