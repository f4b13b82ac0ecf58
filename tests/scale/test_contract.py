"""What the contract tolerates, holds and orders: each kind as a table, through the real client where it can say it."""

from __future__ import annotations

import io
import itertools
from typing import Any

import httpx
import pytest
from PIL import Image
from scaleapi.api_client.v2.models.batch_operation_request import BatchOperationRequest
from scaleapi.exceptions import ScaleInvalidRequest, ScaleResourceNotFound
from scaleapi.tasks import TaskReviewStatus, TaskType

from cupola.client import ApiError
from cupola.client.scale import scale_client
from tests.scale.bodies import VALID
from tests.scale.conftest import World, new_world, until
from tests.scale.labelling import crowd, work, work_until
from tests.serving import Serving

KIND = TaskType.Categorization
WORDS: dict[str, Any] = {"attachment": "words", "attachment_type": "text", "categories": ["a", "b"]}
PICTURE = "https://example.com/a.png"


@pytest.fixture(scope="module")
def shared(served: Serving) -> World:
    return new_world(served)


@pytest.fixture(scope="module")
def http(shared: World) -> httpx.Client:
    return httpx.Client(base_url=shared.served.url, auth=(shared.test_key, ""), timeout=60)


def test_keys_begin_as_the_clients_own_checks_demand(shared: World) -> None:
    assert (shared.live_key[:5], shared.test_key[:5]) == ("live_", "test_")


# ---------------------------------------------------------------- numbers and flags as strings
STRINGS: dict[str, dict[str, Any]] = {
    "annotation": {"min_width": "30", "min_height": "30", "with_labels": "true", "priority": "30"},
    "imageannotation": {
        "geometries": {"box": {"objects_to_annotate": ["car"], "min_width": "10", "can_rotate": "true"}},
    },
    "categorization": {"allow_multiple": "true", "min_choices": "1", "max_choices": "2", "priority": "7.0"},
    "textcollection": {
        "fields": [
            {"type": "category", "field_id": "f", "choices": ["a", "b"], "max_choices": "2", "required": "false"}
        ],
        "responses_required": "1",
    },
    "videoannotation": {"frame_rate": "2.5", "start_time": "1"},
    "lidarannotation": {"max_distance_meters": "80", "pitch_and_roll_enabled": "False"},
}


@pytest.mark.parametrize("name", STRINGS)
def test_numbers_and_flags_may_be_strings(http: httpx.Client, name: str) -> None:
    answer = http.post(f"/v1/task/{name}", json={**VALID[name], **STRINGS[name]})
    assert answer.status_code == 200, answer.text
    for wrong in ("thirty", "", "0x1e", "1e9999", "٣"):
        for parameter, value in STRINGS[name].items():
            if isinstance(value, str):
                body = {**VALID[name], **STRINGS[name], parameter: wrong}
                assert http.post(f"/v1/task/{name}", json=body).status_code == 400, (parameter, wrong)


def test_a_form_is_read_as_the_json_that_it_means(http: httpx.Client) -> None:
    form = (
        "attachment=words&attachment_type=text&categories[]=a&categories[]=b&allow_multiple=true&priority=3"
        "&metadata[a][b]=c&tags=one"
    )
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    task = http.post("/v1/task/categorization", content=form, headers=headers)
    assert task.status_code == 200, task.text
    shown = task.json()
    assert (shown["params"]["categories"], shown["metadata"], shown["tags"], shown["priority"]) == (
        ["a", "b"],
        {"a": {"b": "c"}},
        ["one"],
        3,
    )
    assert shown["response"] == {"category": ["a"]}
    for body in ('{"attachment": "x", "attachment_type": "text", "categories": ["a"]}',
                 "attachment=x&attachment_type=text&categories=a",
                 "attachment=x&attachment_type=text&categories[0]=a&categories[1]=b"):  # fmt: skip
        assert http.post("/v1/task/categorization", content=body, headers=headers).status_code == 200, body
    for body in ("a=1&a[b]=2", "=1", "a[]b=1", "attachment=%ff"):
        assert http.post("/v1/task/categorization", content=body, headers=headers).status_code == 400, body


def test_an_address_may_end_with_a_slash(shared: World) -> None:
    client = scale_client(shared.served.url + "/", shared.test_key)
    client.api.base_api_url += "/"
    client.v2.api_client.configuration.host += "/"
    client.create_project("Slash", TaskType.Chat)
    assert client.v2.get_project(project_name="Slash").name == "Slash"
    assert client.get_project("Slash").name == "Slash"


# ---------------------------------------------------------------- choices
def test_choices_may_be_numbers_and_are_told_as_they_came(http: httpx.Client) -> None:
    field = {
        "type": "category",
        "field_id": "good",
        "choices": [{"label": "Yes", "value": 1}, {"label": "No", "value": 0}],
    }
    task = http.post("/v1/task/textcollection", json={**VALID["textcollection"], "fields": [field]}).json()
    assert task["response"] == {
        "annotations": {"good": {"type": "category", "field_id": "good", "response": [[1]]}},
    }
    inner = {"type": "form", "field_id": "who", "fields": [{"type": "text", "field_id": "name"}]}
    task = http.post("/v1/task/textcollection", json={**VALID["textcollection"], "fields": [inner]})
    assert task.status_code == 200, task.text
    assert task.json()["response"]["annotations"]["who"]["response"][0][0]["name"]["field_id"] == "name"
    body = {**VALID["categorization"], "categories": [1, 2, {"choice": 3, "display": "three"}]}
    assert http.post("/v1/task/categorization", json=body).json()["response"] == {"category": 1}


CANNED: dict[str, dict[str, Any]] = {
    "imageannotation": {
        "attachment": PICTURE,
        "geometries": {
            "box": {"objects_to_annotate": ["car"], "min_width": 120, "min_height": 90},
            "polygon": {"objects_to_annotate": ["road"], "min_vertices": 7},
        },
        "annotation_attributes": {
            "colour": {"choices": [{"choice": "r", "display": "Red"}], "required": True},
            "doors": {"type": "number", "min": 2, "max": 5, "required": True},
        },
    },
    "textcollection": {
        "attachments": [{"type": "text", "content": "x"}],
        "fields": [
            {"type": "text", "field_id": "t", "max_characters": 3},
            {"type": "number", "field_id": "n", "min": 3, "max": 5},
            {"type": "category", "field_id": "c", "choices": ["a", "b", "c"], "min_choices": 2, "max_choices": 3},
        ],
    },
}


def test_made_up_answers_are_valid_for_their_parameters(http: httpx.Client) -> None:
    made = http.post("/v1/task/imageannotation", json=CANNED["imageannotation"]).json()["response"]["annotations"]
    box, polygon = made
    assert (box["width"] >= 120, box["height"] >= 90, len(polygon["vertices"]) >= 7) == (True, True, True)
    assert box["attributes"] == {"colour": "r", "doors": 2.0}
    told = http.post("/v1/task/textcollection", json=CANNED["textcollection"]).json()["response"]["annotations"]
    assert {key: one["response"] for key, one in told.items()} == {"t": [["exa"]], "n": [[3]], "c": [["a", "b"]]}


def test_the_test_world_refuses_what_the_live_one_refuses(shared: World) -> None:
    for address in ("s3://bucket/a.png", "http://127.0.0.2/a.png", "ftp://example.com/a"):
        for client in (shared.live, shared.test):
            with pytest.raises((ScaleInvalidRequest, ScaleResourceNotFound)):
                client.create_task(TaskType.Annotation, attachment=address, objects_to_annotate=["car"])


def test_a_long_text_may_be_categorized(http: httpx.Client) -> None:
    body = {**VALID["categorization"], "attachment": "word " * 5_000}
    assert http.post("/v1/task/categorization", json=body).status_code == 200


# ---------------------------------------------------------------- names
@pytest.mark.parametrize("name", [".", "..", "a\nb", "a\tb", "\x7f", "a\x00b"])
def test_a_name_that_no_address_could_name_is_refused(http: httpx.Client, name: str) -> None:
    assert http.post("/v1/projects", json={"name": name, "type": "chat"}).status_code == 400
    http.post("/v1/projects", json={"name": "Taken", "type": "chat"})
    assert http.post("/v1/batches", json={"name": name, "project": "Taken"}).status_code == 400
    body = {"name": name, "emails": ["a@example.org"]}
    assert http.post("/v1/studio/projects/Taken/groups", json=body).status_code == 400


@pytest.mark.parametrize("name", ["...", "a/../b", "%2e%2e", "/", "a\u2028b", " ", "ß?#%&=+", "猫/箱"])
def test_every_name_that_is_taken_can_be_reached(shared: World, name: str) -> None:
    client = shared.test
    client.create_project(name, TaskType.Chat)
    client.create_batch(name, name)
    assert (client.get_project(name).name, client.get_batch(name).project) == (name, name)
    assert client.finalize_batch(name).name == name
    client.create_project_group(name, ["a@example.org"], name)
    assert client.update_project_group(name, name, ["b@example.org"], []).numWorkers == 2


# ---------------------------------------------------------------- lists
def test_every_list_is_newest_first_and_a_filter_that_there_is_not_is_refused(world: World) -> None:
    client = world.test
    for n in range(3):
        client.create_project(f"p{n}", TaskType.Chat)
        client.create_batch("p0", f"b{n}")
    names = ["b2", "b1", "b0"]
    assert [one.name for one in client.get_batches("p0")] == names
    assert [one.name for one in client.batches(limit=2, offset=1)] == names[1:]
    assert [one.name for one in client.v2.get_batches().batches] == names
    paged, token = [], None
    for _ in names:
        page = client.v2.get_batches(limit=1, next_token=token)
        paged += [one.name for one in page.batches]
        token = page.next_token
    assert (paged, token) == (names, None)
    assert [one.name for one in client.v2.get_projects().projects] == ["p2", "p1", "p0"]
    for path in ("/v1/tasks?bogus=1", "/v1/tasks?offset=5", "/v1/batches?name=b1", "/v2/tasks?project=p0",
                 "/v2/batches?offset=1", "/v2/deliveries?limit=3", "/v2/projects?name=p0"):  # fmt: skip
        headers = {"Authorization": f"Bearer {world.test_key}"}
        answer = httpx.get(world.served.url + path, headers=headers)
        assert (answer.status_code, "filter" in answer.json()["error"]) == (400, True), path
    one = client.create_task(KIND, tags=["x"], unique_id="u", **WORDS)
    by_lists = client.api.get_request("tasks", params={"tags[]": ["x"], "unique_id[]": ["u"]})
    assert [task["task_id"] for task in by_lists["docs"]] == [one.id]


# ---------------------------------------------------------------- batches: every state by every verb
STATES = ("staging", "in_progress", "paused staging", "paused in_progress", "completed", "cancelled")
# what v1 finalize answers, and what v2's verbs lead to; None: refused
AFTER: dict[str, dict[str, str | None]] = {
    "staging": {"finalize": "in_progress", "pause": "paused", "resume": None, "cancel": "cancelled"},
    "in_progress": {"finalize": "in_progress", "pause": "paused", "resume": None, "cancel": "cancelled"},
    "paused staging": {"finalize": "in_progress", "pause": None, "resume": "staging", "cancel": "cancelled"},
    "paused in_progress": {"finalize": "in_progress", "pause": None, "resume": "in_progress", "cancel": "cancelled"},
    "completed": {"finalize": "completed", "pause": None, "resume": None, "cancel": None},
    "cancelled": {"finalize": None, "pause": None, "resume": None, "cancel": None},
}
SHOWN = {"staging": "staging", "in_progress": "in_progress", "paused staging": "staging",
         "paused in_progress": "in_progress", "completed": "completed", "cancelled": "completed"}  # fmt: skip


def _batch_in(world: World, state: str, name: str) -> None:
    client = world.test
    staged = "staging" in state
    project = "Rapid" if staged else "Plain"
    client.create_batch(project, name)
    by_name = BatchOperationRequest(batch_name=name)
    if state.startswith("paused"):
        client.v2.pause_batch(by_name)
    elif state == "cancelled":
        client.v2.cancel_batch(by_name)
    elif state == "completed":
        client.create_task(KIND, batch=name, **WORDS)
        until(lambda: client.get_batch(name).status == "completed", "completed")


@pytest.fixture(scope="module")
def batches(served: Serving) -> World:
    world = new_world(served)
    world.test.create_project("Rapid", KIND, rapid=True)
    world.test.create_project("Plain", KIND)
    return world


@pytest.mark.parametrize(("state", "verb"), list(itertools.product(STATES, ("finalize", "pause", "resume", "cancel"))))
def test_every_verb_in_every_state_of_a_batch(batches: World, state: str, verb: str) -> None:
    client, name = batches.test, f"{state} / {verb}"
    _batch_in(batches, state, name)
    assert client.get_batch(name).status == client.batch_status(name)["status"] == SHOWN[state]
    for asked in ("staging", "in_progress", "completed"):
        page = client.batches(status=asked, limit=100)
        assert (name in {one.name for one in page}) == (SHOWN[state] == asked), "the filter says what is shown"
    expected = AFTER[state][verb]
    if verb == "finalize":
        if expected is None:
            with pytest.raises(ScaleInvalidRequest):
                client.finalize_batch(name)
        else:
            assert client.finalize_batch(name).status == expected
        return
    move = getattr(client.v2, f"{verb}_batch")
    if expected is None:
        with pytest.raises(Exception, match="cannot be changed"):
            move(BatchOperationRequest(batch_name=name))
    else:
        assert move(BatchOperationRequest(batch_name=name)).batch.status.value == expected


def test_a_pause_does_not_stand_for_a_finalize(batches: World) -> None:
    client = batches.test
    client.create_batch("Rapid", "kept")
    by_name = BatchOperationRequest(batch_name="kept")
    client.v2.pause_batch(by_name)
    assert client.finalize_batch("kept").status == "in_progress"
    assert client.v2.get_batch(batch_name="kept").status.value == "paused", "finalized, and still paused"
    assert client.v2.resume_batch(by_name).batch.status.value == "in_progress"


# ---------------------------------------------------------------- tasks: every state by every verb
VERBS: dict[str, tuple[str, str, Any]] = {
    "cancel": ("POST", "/cancel", None),
    "cancel and free": ("POST", "/cancel?clear_unique_id=true", None),
    "accept": ("POST", "/audit", {"accepted": True}),
    "reject": ("POST", "/audit", {"accepted": False, "comments": "no"}),
    "comment": ("POST", "/audit", {"accepted": None, "comments": "hm"}),
    "fix": ("POST", "/audit", {"fixed_response": {"category": "b"}}),
    "name": ("POST", "/unique_id", {"unique_id": "named"}),
    "unname": ("DELETE", "/unique_id", None),
    "metadata": ("POST", "/setMetadata", {"a": 1}),
    "tags": ("POST", "/tags", ["a"]),
    "more tags": ("PUT", "/tags", ["b"]),
    "fewer tags": ("DELETE", "/tags", ["a"]),
    "priority": ("POST", "/priority", {"priority": "3"}),
}
ENDS = frozenset(("cancel", "cancel and free"))
AUDITS = frozenset(("accept", "reject", "comment", "fix"))
TASK_STATES = {"pending": 0, "completed": 1, "canceled": 2, "error": 3}


@pytest.mark.parametrize(("state", "verb"), list(itertools.product(TASK_STATES, VERBS)))
def test_every_verb_in_every_state_of_a_task(world_of_tasks: World, state: str, verb: str) -> None:
    world = world_of_tasks
    task = world.live.create_task(TaskType.Comparison, attachments=[PICTURE, PICTURE], choices=["a", "b"])
    world.sql(
        "UPDATE order_task SET state = %s, response = '{\"choice\": \"a\"}', completed_at = created_at WHERE id = %s "
        "RETURNING id", TASK_STATES[state], task.id)  # fmt: skip
    method, path, body = VERBS[verb]
    url = f"{world.served.url}/v1/task/{task.id}{path}"
    answer = httpx.request(method, url, json=body, auth=(world.live_key, ""))
    refused = (verb in ENDS and state != "pending") or (verb in AUDITS and state != "completed")
    assert answer.status_code == (400 if refused else 200), answer.text
    shown = world.live.get_task(task.id)
    assert shown.status == ("canceled" if verb in ENDS and not refused else state)
    if verb == "name":
        world.live.clear_task_unique_id(task.id)


@pytest.fixture(scope="module")
def world_of_tasks(served: Serving) -> World:
    return new_world(served)


# ---------------------------------------------------------------- what is shown
def test_what_was_delivered_shows_what_was_told_then(world: World) -> None:
    client = world.test
    client.create_project("P", TaskType.Chat)
    task = client.create_task(TaskType.Chat, project="P", metadata={"then": 1})
    operator = world.served.operator().client
    headers = {"Cupola-Tenant": world.owner.test_tenant}
    assert operator.post("/api/orders/deliveries", json={"project": "P", "name": "D"}, headers=headers).is_success
    client.set_task_metadata(task.id, {"now": 2})
    [shown] = client.v2.get_delivery(delivery_name="D").tasks
    assert (shown.metadata, shown.status.value, bool(shown.threads)) == ({"then": 1}, "completed", True)


def test_attachments_people_and_threads_are_told_whole(world: World) -> None:
    client = world.test
    client.create_project("I", TaskType.ImageAnnotation)
    boxes = {"box": {"objects_to_annotate": ["car"]}}
    task = client.create_task(TaskType.ImageAnnotation, project="I", attachment=PICTURE, geometries=boxes)
    [listed] = client.get_tasks("I")
    for one in (client.get_task(task.id), listed):
        [download] = one.attachmentS3Downloads
        assert (download["attachmentURL"], download["s3URL"]) == (PICTURE, PICTURE)
    assert client.v2.get_task(task_id=task.id).threads == []
    client.add_studio_assignments(["Ada.L@Example.org"], ["I"])
    everybody = client.add_studio_assignments(["b@example.org"], ["I"])
    assert set(everybody) == {"Ada.L@Example.org", "b@example.org"}
    assert client.list_studio_assignments()["Ada.L@Example.org"].assigned_projects == ["I"]
    assert client.remove_studio_assignments(["ada.l@example.org"], ["I"])["b@example.org"].assigned_projects == ["I"]
    group = client.create_project_group("I", ["Ada.L@Example.org"], "G")
    assert [one.email for one in group.workers[0]] == ["Ada.L@Example.org"]


def test_an_audit_is_found_by_its_verdict_in_the_live_world(world: World) -> None:
    world.fund()
    client = world.live
    client.create_project("P", KIND)
    tasks = [client.create_task(KIND, project="P", **{**WORDS, "attachment": f"x{n}"}) for n in range(2)]
    workers = crowd(world, 8)
    say = lambda task: {"kind": "choice", "values": ["a"]}  # noqa: E731
    work_until(world, workers, say, lambda: all(one.status == "completed" for one in client.get_tasks("P")), "answered")
    tasks[0].audit(True)
    tasks[1].audit(False)

    def found(status: TaskReviewStatus) -> list[str]:
        return [one.id for one in client.get_tasks("P", review_status=status)]

    assert (found(TaskReviewStatus.Accepted), found(TaskReviewStatus.Rejected)) == ([tasks[0].id], [tasks[1].id])
    assert found(TaskReviewStatus.Pending) == []


# ---------------------------------------------------------------- held at submit
def _png(side: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), "white").save(out, "PNG")
    return out.getvalue()


def _claimed(world: World, worker: Any) -> dict[str, Any]:
    [(project,)] = world.sql("SELECT id FROM project WHERE tenant = %s", world.owner.tenant)
    return until(lambda: worker.post(f"/api/work/projects/{project}/claim"), "a page")  # type: ignore[no-any-return]


def _refusal(worker: Any, page: dict[str, Any], label: Any) -> str | None:
    body = {"fence": page["fence"], "judgements": [{"task": page["tasks"][0]["task"], "label": label, "seconds": 2}]}
    try:
        worker.post(f"/api/work/assignments/{page['id']}/submit", body)
    except ApiError as refusal:
        return refusal.code
    return None


def test_constraints_on_boxes_are_held_at_submit_and_values_told_as_the_client_wrote_them(world: World) -> None:
    world.fund()
    client = world.live
    file = client.upload_file(io.BytesIO(_png(200)), display_name="a.png")
    task = client.create_task(
        TaskType.ImageAnnotation,
        attachment=file.attachment_url,
        instruction="Only whole cars.",
        geometries={"box": {"objects_to_annotate": [{"choice": "c", "display": "Car"}], "min_width": "30"}},
        annotation_attributes={
            "colour": {"choices": [{"choice": 1, "display": "Red", "description": "like a rose"}], "required": True}
        },
    )
    until(lambda: client.get_task(task.id).waiting_for == "work", "in the queue")
    [worker] = crowd(world, 1)
    page = _claimed(world, worker)
    [spec] = page["ontology"]["classes"]
    assert (spec["name"], spec["title"], spec["min_width_px"], spec["can_turn"]) == ("c", {"en": "Car"}, 30.0, False)
    said = page["tasks"][0]["item"]["metadata"]["instruction"]
    assert "Only whole cars." in said
    assert "like a rose" in said, "what options mean is told to people"

    def drawn(w: float, attributes: Any, turn: float = 0.0) -> Any:
        shape = {"type": "box", "x": 10, "y": 10, "w": w, "h": 40, **({"rotation_rad": turn} if turn else {})}
        return {"kind": "objects", "objects": [{"id": "o", "cls": "c", "shape": shape, "attributes": attributes}]}

    assert _refusal(worker, page, drawn(29, {"colour": "Red"})) == "label-too-small"
    assert _refusal(worker, page, drawn(40, {"colour": "Red"}, 0.3)) == "label-turned"
    assert _refusal(worker, page, drawn(40, {})) == "label-attribute-missing"
    assert _refusal(worker, page, drawn(40, {"colour": "Red"})) is None
    others = crowd(world, 8)
    done = work_until(
        world,
        others,
        lambda _: drawn(40, {"colour": "Red"}),
        lambda: (one := client.get_task(task.id)).status == "completed" and one,
        "answered",
    )
    [box] = done.response["annotations"]
    assert (box["label"], box["attributes"]) == ("c", {"colour": 1})


def test_characters_and_counts_are_held_at_submit(world: World) -> None:
    world.fund()
    client = world.live
    fields = [{"type": "text", "field_id": "t", "title": "Say it", "hint": "briefly", "max_characters": 5}]
    task = client.create_task(TaskType.TextCollection, fields=fields, attachments=[{"type": "text", "content": "x"}])
    [worker] = crowd(world, 1)
    until(lambda: client.get_task(task.id).as_dict().get("waiting_for") == "work", "in the queue")
    page = _claimed(world, worker)
    assert "briefly" in page["tasks"][0]["item"]["metadata"]["instruction"]
    assert _refusal(worker, page, {"kind": "text", "text": "too long"}) == "label-text-length"
    assert _refusal(worker, page, {"kind": "text", "text": "short"}) is None


def test_an_answer_of_several_is_counted_and_people_see_labels(world: World) -> None:
    world.fund()
    client = world.live
    field = {
        "type": "category",
        "field_id": "f",
        "choices": [{"label": label, "value": n} for n, label in enumerate(("One", "Two", "Three"))],
        "min_choices": 1,
        "max_choices": 2,
    }
    task = client.create_task(TaskType.TextCollection, fields=[field], attachments=[{"type": "text", "content": "x"}])
    [worker] = crowd(world, 1)
    until(lambda: client.get_task(task.id).as_dict().get("waiting_for") == "work", "in the queue")
    page = _claimed(world, worker)
    assert [one["title"]["en"] for one in page["ontology"]["classes"]] == ["One", "Two", "Three"]
    for values in ([], ["0", "1", "2"]):
        assert _refusal(worker, page, {"kind": "choice", "values": values}) == "label-value-count"
    assert _refusal(worker, page, {"kind": "choice", "values": ["1", "2"]}) is None
    done = work_until(
        world,
        crowd(world, 8),
        lambda _: {"kind": "choice", "values": ["1", "2"]},
        lambda: (one := client.get_task(task.id)).status == "completed" and one,
        "answered",
    )
    assert done.response["annotations"]["f"] == {"type": "category", "field_id": "f", "response": [[1, 2]]}


def test_known_answers_are_taken_in_the_documented_shape(world: World) -> None:
    world.fund()
    client = world.live
    client.create_project("Q", TaskType.TextCollection, rapid=True)
    client.create_batch("Q", "b")
    field = {"type": "category", "field_id": "ok", "choices": [{"label": "Yes", "value": "yes"}, "no"]}
    body = {"fields": [field], "attachments": [{"type": "text", "content": "x"}]}
    expected = {"annotations": {"ok": {"type": "category", "field_id": "ok", "response": [["no"]]}}}
    client.create_evaluation_task(TaskType.TextCollection, batch="b", expected_response=expected, **body)
    client.create_training_task(TaskType.TextCollection, project="Q", expected_response=expected, **body)
    wrong = {"annotations": {"ok": {"type": "category", "field_id": "ok", "response": [["maybe"]]}}}
    with pytest.raises(ScaleInvalidRequest, match="expected_response"):
        client.create_evaluation_task(TaskType.TextCollection, batch="b", expected_response=wrong, **body)


def test_a_batch_with_an_evaluation_task_completes(world: World) -> None:
    client = world.test
    client.create_project("P", KIND, rapid=True)
    client.create_batch("P", "b")
    client.create_evaluation_task(KIND, batch="b", expected_response={"category": "a"}, **WORDS)
    client.create_task(KIND, batch="b", **WORDS)
    assert client.finalize_batch("b").status == "completed"


def test_one_line_for_a_project_and_its_labels_whatever_each_task_instructs(world: World) -> None:
    world.fund()
    client = world.live
    client.create_project("P", KIND, {"instruction": "Of the project."})
    tasks = [
        client.create_task(KIND, project="P", instruction=f"Number {n}.", **{**WORDS, "attachment": f"x{n}"})
        for n in range(12)
    ]
    until(lambda: all(client.get_task(one.id).waiting_for == "work" for one in tasks), "in the queue")
    assert len(world.sql("SELECT id FROM project WHERE tenant = %s", world.owner.tenant)) == 1
    [worker] = crowd(world, 1)
    seen: dict[str, str] = {}

    def judge(task: dict[str, Any]) -> dict[str, Any]:
        seen[task["item"]["text"]] = task["item"]["metadata"]["instruction"]
        return {"kind": "choice", "values": ["a"]}

    work(world, worker, judge)
    assert seen == {f"x{n}": f"Number {n}.\n\nOf the project." for n in range(12)}
