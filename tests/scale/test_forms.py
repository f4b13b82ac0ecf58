"""Forms of several fields: what people are asked, and the documented shape of what comes back."""

from __future__ import annotations

from typing import Any

import pytest
from scaleapi.exceptions import ScaleInvalidRequest
from scaleapi.tasks import TaskType

from cupola.client import ApiError
from tests.scale.conftest import World, until
from tests.scale.labelling import crowd, work_until
from tests.scale.test_stranger import first_page, picture, queued

FIELDS: list[dict[str, Any]] = [
    {"type": "category", "field_id": "tone", "title": "Which tone?", "choices": [
        {"label": "Kind", "value": 1}, {"label": "Rude", "value": 2, "description": "Insults count."}]},
    {"type": "category", "field_id": "faults", "title": "Which faults?", "choices": ["spelling", "grammar", "facts"],
     "min_choices": 0, "max_choices": 2},
    {"type": "number", "field_id": "stars", "title": "Stars", "min": "0", "max": 5, "description": "Half ones too."},
    {"type": "boolean", "field_id": "safe", "title": "Is it safe?"},
    {"type": "text", "field_id": "why", "title": "Why?", "min_characters": 3, "max_characters": "20"},
    {"type": "form", "field_id": "where", "title": "Where", "fields": [
        {"type": "date", "field_id": "day", "title": "Day"},
        {"type": "long_text", "field_id": "notes", "title": "Notes", "required": False}]},
]  # fmt: skip
ANSWERS = {"tone": "Rude", "faults": ["spelling", "facts"], "stars": 3.5, "safe": False, "why": "it shouts",
           "where / day": "2026-01-31"}  # fmt: skip
TOLD = {
    "tone": {"type": "category", "field_id": "tone", "response": [[2]]},
    "faults": {"type": "category", "field_id": "faults", "response": [["spelling", "facts"]]},
    "stars": {"type": "number", "field_id": "stars", "response": [[3.5]]},
    "safe": {"type": "boolean", "field_id": "safe", "response": [[False]]},
    "why": {"type": "text", "field_id": "why", "response": [["it shouts"]]},
    "where": {"type": "form", "field_id": "where", "response": [[{
        "day": {"type": "date", "field_id": "day", "response": [["2026-01-31"]]},
        "notes": {"type": "long_text", "field_id": "notes", "response": [[]]},
    }]]},
}  # fmt: skip
BODY: dict[str, Any] = {"fields": FIELDS, "attachments": [{"type": "text", "content": "HEY YOU!"}], "title": "A review"}


def filled(**more: Any) -> dict[str, Any]:
    answers = {**ANSWERS, **more}
    return {"kind": "form", "answers": {name: value for name, value in answers.items() if value is not None}}


def test_a_form_of_several_fields_is_asked_and_answered_in_the_documented_shape(world: World) -> None:
    world.fund()
    client = world.live
    task = client.create_task(TaskType.TextCollection, instruction="Judge the tone.", **BODY)
    queued(world, task)
    workers = crowd(world, 3)
    page = first_page(world, workers[0])
    asked = {one["name"]: one for one in page["ontology"]["attributes"]}
    assert list(asked) == ["tone", "faults", "stars", "safe", "why", "where / day", "where / notes"]
    assert asked["tone"]["options"] == ["Kind", "Rude"], "people read labels, not values"
    assert asked["tone"]["title"] == {"en": "Which tone?"}
    assert (asked["faults"]["type"], asked["faults"]["most"]) == ("multi", 2)
    assert (asked["stars"]["least"], asked["stars"]["most"]) == (0, 5)
    assert {name for name, one in asked.items() if one.get("required")} == set(asked) - {"faults", "where / notes"}
    told = page["tasks"][0]["item"]["metadata"]["instruction"]
    assert all(words in told for words in ("Judge the tone.", "Insults count.", "Half ones too."))
    assert page["tasks"][0]["item"]["text"] == "HEY YOU!"

    def submit(label: dict[str, Any]) -> None:
        judgements = [{"task": page["tasks"][0]["task"], "label": label, "seconds": 9.0}]
        path = f"/api/work/assignments/{page['id']}/submit"
        workers[0].post(path, {"fence": page["fence"], "judgements": judgements})

    for wrong in (
        {"tone": None},
        {"tone": "2"},
        {"stars": 6},
        {"faults": ["spelling", "facts", "grammar"]},
        {"why": "no"},
        {"why": "x" * 21},
        {"where / day": "31.1.2026"},
        {"colour": "red"},
    ):
        with pytest.raises(ApiError) as refused:
            submit(filled(**wrong))
        assert refused.value.status == 400, wrong
    submit(filled())
    work_until(
        world, workers[1:], lambda _: filled(), lambda: client.get_task(task.id).status == "completed", "answered"
    )
    assert client.get_task(task.id).response == {"annotations": TOLD}


def test_evaluation_and_training_tasks_of_a_form_take_the_shape_that_answers_have(world: World) -> None:
    world.fund()
    client = world.live
    client.create_project("Tones", TaskType.TextCollection, rapid=True)
    client.create_batch("Tones", "first")
    made = client.create_evaluation_task(
        TaskType.TextCollection, batch="first", expected_response={"annotations": TOLD}, **BODY
    )
    assert made.as_dict()["expected_response"] == {"annotations": TOLD}
    bare = {**{name: [[1]] if name == "tone" else value for name, value in TOLD.items()}}
    client.create_training_task(TaskType.TextCollection, project="Tones", expected_response={"annotations": bare},
                                **BODY)  # fmt: skip
    query = "SELECT work::json->'gold' FROM order_task WHERE tenant = %s AND work IS NOT NULL ORDER BY id"
    gold = until(lambda: world.sql(query, world.owner.tenant), "kept")
    assert gold[0][0] == {"kind": "form", "answers": ANSWERS}
    for name, wrong in (
        ("tone", [[3]]),
        ("stars", [["many"]]),
        ("where", [["a street"]]),
        ("why", None),
        ("moon", [["x"]]),
    ):
        expected = {**TOLD, name: wrong}
        with pytest.raises(ScaleInvalidRequest, match="expected_response"):
            client.create_evaluation_task(
                TaskType.TextCollection, batch="first", expected_response={"annotations": expected}, **BODY
            )


def test_a_transcription_of_several_fields_is_told_without_types(world: World) -> None:
    world.fund()
    client = world.live
    fields = [{"type": "text", "field_id": "plate"}, {"type": "number", "field_id": "axles"}]
    upload = client.upload_file(picture("red"))
    task = client.create_task(TaskType.TextCollection, fields=fields, attachments=[
        {"type": "image", "content": upload.attachment_url}])  # fmt: skip
    other = client.create_task(TaskType.Transcription, fields=fields, attachment=upload.attachment_url)
    for one in (task, other):
        queued(world, one)
    label = {"kind": "form", "answers": {"plate": "B AB 1", "axles": 2}}
    work_until(
        world, crowd(world, 3), lambda _: label,
        lambda: all(client.get_task(one.id).status == "completed" for one in (task, other)), "answered",
    )  # fmt: skip
    assert client.get_task(other.id).response == {"annotations": {"plate": [["B AB 1"]], "axles": [[2]]}}
    assert client.get_task(task.id).response["annotations"]["axles"]["response"] == [[2]]


def test_a_ranking_of_what_nobody_named_waits_and_says_so(world: World) -> None:
    field = {"type": "ranking_order", "field_id": "a"}
    task = world.live.create_task(TaskType.TextCollection, **{**BODY, "fields": [*FIELDS, field]})
    assert world.live.get_task(task.id).as_dict()["waiting_for"] == "editor"


def test_the_test_world_answers_a_form_in_the_shape_that_people_do(world: World) -> None:
    told = world.test.create_task(TaskType.TextCollection, **BODY).response["annotations"]
    assert {name: (one["type"], one["field_id"]) for name, one in told.items()} == {
        name: (one["type"], one["field_id"]) for name, one in TOLD.items()
    }
    [[where]] = told["where"]["response"]
    assert set(where) == {"day", "notes"}
