"""Rankings, files and fields that repeat: asked of people, and told in the shapes that clients read."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from scaleapi.exceptions import ScaleInvalidRequest
from scaleapi.tasks import TaskType

from cupola.client import Client
from tests.scale.conftest import World, new_world, until
from tests.scale.labelling import crowd, work_until
from tests.scale.test_stranger import first_page, picture, queued

PNG = b"\x89PNG\r\n\x1a\n" + b"made up, and never decoded " * 20
RANKED = {"type": "ranking_order", "field_id": "best", "title": "Best first", "choices": [
    {"label": "Reply A", "value": 1}, {"label": "Reply B", "value": 2}, {"label": "Reply C", "value": 3}]}  # fmt: skip
COUNTED = {"type": "ranking_order", "field_id": "again", "num_options": "2", "option_label": "Draft"}
LINES: list[dict[str, Any]] = [
    {"type": "text", "field_id": "what", "title": "What"},
    {"type": "number", "field_id": "price", "title": "Price", "min": 0, "required": False},
]
FORM = {"type": "form", "field_id": "people", "title": "People", "min_responses_required": 1,
        "max_responses_required": 3, "fields": [{"type": "text", "field_id": "name"}]}  # fmt: skip
TEXT = {"attachments": [{"type": "text", "content": "Two teas at 1.20 and milk, for Ada and Ben."}]}
ANSWERS: dict[str, Any] = {
    "best": ["Reply C", "Reply A", "Reply B"],
    "again": ["Draft 2", "Draft 1"],
    "people": {"type": "rows", "rows": [{"name": "Ada"}, {"name": "Ben"}]},
    "entries": {"type": "rows", "rows": [{"what": "tea", "price": 1.2}, {"what": "milk"}]},
}
TOLD: dict[str, Any] = {
    "best": {"type": "ranking_order", "field_id": "best", "response": [[3, 1, 2]]},
    "again": {"type": "ranking_order", "field_id": "again", "response": [[2, 1]]},
    "people": {"type": "form", "field_id": "people", "response": [[
        {"name": {"type": "text", "field_id": "name", "response": [["Ada"]]}},
        {"name": {"type": "text", "field_id": "name", "response": [["Ben"]]}}]]},
    "what": {"type": "text", "field_id": "what", "response": [["tea"], ["milk"]]},
    "price": {"type": "number", "field_id": "price", "response": [[1.2], []]},
}  # fmt: skip
BODY: dict[str, Any] = {"fields": [RANKED, COUNTED, FORM], "repeatable_fields": LINES, **TEXT}


def test_rankings_and_what_repeats_are_asked_and_told_row_by_row(world: World) -> None:
    world.fund()
    client = world.live
    task = client.create_task(TaskType.TextCollection, **BODY)
    queued(world, task)
    workers = crowd(world, 3)
    page = first_page(world, workers[0])
    asked = {one["name"]: one for one in page["ontology"]["attributes"]}
    judged = [{"task": page["tasks"][0]["task"], "label": {"kind": "form", "answers": ANSWERS}, "seconds": 9.0}]
    workers[0].post(f"/api/work/assignments/{page['id']}/submit", {"fence": page["fence"], "judgements": judged})
    assert {name: one["type"] for name, one in asked.items()} == {
        "best": "ranking", "again": "ranking", "people": "rows", "entries": "rows",
    }  # fmt: skip
    assert asked["best"]["options"] == ["Reply A", "Reply B", "Reply C"], "people read labels, not values"
    assert (asked["people"]["least"], asked["people"]["most"]) == (1, 3)
    assert [one["name"] for one in asked["entries"]["columns"]] == ["what", "price"]
    work_until(
        world, workers, lambda _: {"kind": "form", "answers": ANSWERS},
        lambda: client.get_task(task.id).status == "completed", "answered",
    )  # fmt: skip
    assert client.get_task(task.id).response == {"annotations": TOLD}


def test_what_is_expected_of_people_is_read_from_the_shape_that_answers_have(world: World) -> None:
    world.fund()
    client = world.live
    client.create_project("Menus", TaskType.TextCollection, rapid=True)
    client.create_batch("Menus", "first")
    client.create_evaluation_task(
        TaskType.TextCollection, batch="first", expected_response={"annotations": TOLD}, **BODY
    )
    query = "SELECT work::json->'gold' FROM order_task WHERE tenant = %s AND work IS NOT NULL"
    gold = until(lambda: world.sql(query, world.owner.tenant), "kept")
    assert gold[0][0] == {"kind": "form", "answers": ANSWERS}
    for name, wrong in (("best", [[3, 1]]), ("best", [[3, 3, 1]]), ("what", [["tea"], []]), ("people", [[]])):
        with pytest.raises(ScaleInvalidRequest, match="expected_response"):
            client.create_evaluation_task(
                TaskType.TextCollection, batch="first", expected_response={"annotations": {**TOLD, name: wrong}},
                **BODY,
            )  # fmt: skip


def test_a_transcription_tells_what_repeats_with_an_inner_list_for_each_entry(world: World) -> None:
    world.fund()
    client = world.live
    upload = client.upload_file(picture("red"))
    task = client.create_task(TaskType.Transcription, repeatable_fields=LINES, attachment=upload.attachment_url)
    queued(world, task)
    label = {"kind": "form", "answers": {"entries": ANSWERS["entries"]}}
    work_until(world, crowd(world, 3), lambda _: label, lambda: client.get_task(task.id).status == "completed", "done")
    assert client.get_task(task.id).response == {"annotations": {"what": [["tea"], ["milk"]], "price": [[1.2], []]}}


def test_a_field_that_stands_once_and_repeats_is_refused_by_its_name(world: World) -> None:
    with pytest.raises(ScaleInvalidRequest, match=r"repeatable_fields\[0\]"):
        world.live.create_task(TaskType.TextCollection, **{**BODY, "fields": [LINES[0]]})
    one = {**RANKED, "choices": ["alone"]}
    with pytest.raises(ScaleInvalidRequest, match="choices"):
        world.live.create_task(TaskType.TextCollection, **{**BODY, "fields": [one]})


def test_a_file_that_somebody_hands_in_is_told_by_an_address_for_the_keys_of_its_organisation(world: World) -> None:
    world.fund()
    client = world.live
    fields = [{"type": "file", "field_id": "photo", "title": "A photo"}, {"type": "boolean", "field_id": "sharp"}]
    task = client.create_task(TaskType.TextCollection, fields=fields, attachments=[{"type": "text", "content": "x"}])
    queued(world, task)
    workers = crowd(world, 3)
    given: list[dict[str, Any]] = []

    def hand_in(worker: Client, page: dict[str, Any]) -> dict[str, Any]:
        path = f"/api/work/assignments/{page['id']}/tasks/{page['tasks'][0]['task']}/files"
        made = worker._http.post(path, params={"name": "a b.png"}, content=PNG)
        assert made.status_code == 201, made.text
        given.append(made.json())
        return {"kind": "form", "answers": {"photo": made.json(), "sharp": True}}

    [(line,)] = world.sql(
        "SELECT t.project FROM order_task o JOIN task t ON t.id = o.foundry_task WHERE o.id = %s", task.id
    )

    def everybody() -> Any:
        for worker in workers:
            if any(offer["project"] == str(line) for offer in worker.get("/api/work/offers")):
                page = worker.post(f"/api/work/projects/{line}/claim")
                if page is not None:
                    judged = [{"task": page["tasks"][0]["task"], "label": hand_in(worker, page), "seconds": 5.0}]
                    path = f"/api/work/assignments/{page['id']}/submit"
                    worker.post(path, {"fence": page["fence"], "judgements": judged})
        return client.get_task(task.id).status == "completed"

    until(everybody, "answered")
    annotations = client.get_task(task.id).response["annotations"]
    [[url]] = annotations["photo"]["response"]
    assert url == f"{world.served.runtime.settings.public_url}/v1/files/answers/{given[0]['sha256']}"
    path = url.removeprefix(world.served.runtime.settings.public_url)
    read = httpx.get(world.served.url + path, auth=(world.live_key, ""))
    assert (read.status_code, read.content, read.headers["content-type"]) == (200, PNG, "image/png")
    assert "sandbox" in read.headers["content-security-policy"]
    for key in (new_world(world.served).live_key, world.test_key):
        assert httpx.get(world.served.url + path, auth=(key, "")).status_code == 404
    assert httpx.get(world.served.url + path).status_code == 401


def test_the_test_world_answers_all_of_it_in_the_same_shape(world: World) -> None:
    told = world.test.create_task(
        TaskType.TextCollection, **{**BODY, "fields": [*BODY["fields"], {"type": "file", "field_id": "f"}]}
    ).response["annotations"]
    assert {name: (one["type"], one["field_id"]) for name, one in told.items() if name != "f"} == {
        name: (one["type"], one["field_id"]) for name, one in TOLD.items()
    }
    assert sorted(told["best"]["response"][0]) == [1, 2, 3]
