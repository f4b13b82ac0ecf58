"""Paging, filters, counts and lost replies, through the real client, against independent SQL."""

from __future__ import annotations

import io
import os
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from scaleapi.api import Api
from scaleapi.exceptions import ScaleDuplicateResource
from scaleapi.tasks import Task, TaskReviewStatus, TaskStatus, TaskType

from cupola.client.scale import scale_client
from cupola.kernel import clock
from tests.scale.conftest import World
from tests.scale.tls import Lossy

WORDS: dict[str, Any] = {"attachment": "words", "attachment_type": "text", "categories": ["a", "b"]}
KIND = TaskType.Categorization
CLIENTS = 8


def make(world: World, count: int, **more: Any) -> list[Task]:
    return [world.test.create_task(KIND, project="P", **WORDS, **more) for _ in range(count)]


def in_threads(count: int, work: Any) -> None:
    failed: list[BaseException] = []

    def one(n: int) -> None:
        try:
            work(n)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def test_pages_of_any_size_hold_every_task_once_also_while_eight_others_write(world: World) -> None:
    client = world.test
    client.create_project("P", KIND)
    before = {task.id for task in make(world, 40)}
    stop = threading.Event()
    found: dict[int, list[str]] = {}

    def write(n: int) -> None:
        mine = scale_client(world.served.url, world.test_key)
        while not stop.is_set():
            mine.create_task(KIND, project="P", **WORDS)

    writers = [threading.Thread(target=write, args=(n,)) for n in range(CLIENTS)]
    for writer in writers:
        writer.start()
    try:
        for limit in (1, 7, 100):
            found[limit] = [task.id for task in client.get_tasks("P", limit=limit, include_attachment_url=False)]
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    for limit, ids in found.items():
        assert len(ids) == len(set(ids)), f"pages of {limit} hold a task twice"
        assert before <= set(ids), f"pages of {limit} miss tasks"
    everything = {task.id for task in client.get_tasks("P")}
    for limit in (7, 100):
        assert {task.id for task in client.get_tasks("P", limit=limit)} == everything
    assert len(everything) > 40
    [(counted,)] = world.sql(
        "SELECT count(*) FROM order_task o JOIN order_project p ON p.id = o.project AND p.tenant = o.tenant "
        "WHERE p.name = 'P' AND o.tenant = %s", world.owner.test_tenant)  # fmt: skip
    assert counted == len(everything) == client.get_tasks_count("P")


def test_each_filter_gives_exactly_its_tasks_and_the_others_are_its_complement(world: World) -> None:
    client = world.test
    for project in ("P", "Q"):
        client.create_project(project, KIND)
    client.create_batch("P", "one")
    began = clock.now()
    early = [client.create_task(KIND, project="P", batch="one", tags=["x", "y"], unique_id=f"u{n}", **WORDS)
             for n in range(3)]  # fmt: skip
    clock.advance(timedelta(seconds=10))
    middle = clock.now()
    clock.advance(timedelta(seconds=10))
    late = [client.create_task(KIND, project="P", tags=["y"], **WORDS) for _ in range(2)]
    other = client.create_task(KIND, project="Q", **WORDS)
    early[0].audit(True)
    early[1].audit(False)
    every = {task.id for task in (*early, *late)}
    first, second = {task.id for task in early}, {task.id for task in late}
    text = middle.isoformat()

    def ids(**wanted: Any) -> set[str]:
        return {task.id for task in client.get_tasks("P", **wanted)}

    assert ids() == every
    assert other.id not in every
    assert {task.id for task in client.get_tasks(batch_name="one")} == first
    assert (ids(created_before=text), ids(created_after=text)) == (first, second)
    assert (ids(completed_before=text), ids(completed_after=text)) == (first, second)
    assert ids(updated_before=text) | ids(updated_after=text) == every
    assert ids(updated_before=text) == {early[2].id}, "an audit is a change"
    assert (ids(tags="x"), ids(tags=["x", "y"]), ids(tags=["y"])) == (first, first, every)
    assert ids(unique_id="u1") == {early[1].id}
    assert ids(unique_id=["u0", "u2", "nobody"]) == {early[0].id, early[2].id}
    assert ids(status=TaskStatus.Completed) == every
    assert ids(status=TaskStatus.Pending) == ids(status=TaskStatus.Canceled) == set()
    assert ids(review_status=TaskReviewStatus.Accepted) == {early[0].id}
    assert ids(review_status=[TaskReviewStatus.Accepted, TaskReviewStatus.Rejected]) == {early[0].id, early[1].id}
    assert ids(review_status=TaskReviewStatus.Pending) == {early[2].id, *second}
    assert ids(task_type=KIND) == every
    assert ids(task_type=TaskType.Chat) == set()
    for form in (began.strftime("%Y-%m-%d"), began.strftime("%Y-%m-%d %H:%M:%S.%f"), began.isoformat()):
        assert ids(created_after=form) == every
    assert [task.as_dict().keys() for task in client.get_tasks("Q", limited_response=True)] == [
        {"task_id", "status", "metadata", "project", "otherVersion"}
    ]


def test_counts_of_a_batch_equal_what_the_database_says(world: World) -> None:
    client = world.live
    client.create_project("P", KIND)
    client.create_batch("P", "b")
    tasks = [client.create_task(KIND, batch="b", **WORDS) for _ in range(5)]
    tasks[0].cancel()
    rows = world.sql("SELECT state, count(*) FROM order_task WHERE tenant = %s GROUP BY state", world.owner.tenant)
    words = {0: "pending", 1: "completed", 2: "canceled", 3: "error"}
    told = client.batch_status("b")
    assert {name: count for name, count in told.items() if name != "status"} == {words[s]: n for s, n in rows}


def test_a_lost_reply_over_https_leaves_one_row_and_the_client_finds_it(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.test.create_project("P", KIND)
    monkeypatch.setattr("scaleapi.api.HTTP_RETRY_BACKOFF_FACTOR", 0)
    with Lossy(world.served.url, tmp_path, 1.0) as proxy:
        client = scale_client(proxy.url, world.test_key, verify=str(proxy.cert))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(proxy.cert))
        task = client.create_task(KIND, project="P", unique_id="once", **WORDS)
        assert proxy.lost == 1
        assert task.unique_id == "once"
        with pytest.raises(ScaleDuplicateResource):
            world.test.create_task(KIND, project="P", unique_id="once", **WORDS)
    assert [one.id for one in world.test.get_tasks("P")] == [task.id]


@pytest.mark.slow
def test_tasks_of_eight_clients_whose_replies_are_lost_are_as_many_rows(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    total = int(os.environ.get("CUPOLA_SCALE_TASKS", "1000"))  # a night has time for 10,000
    world.test.create_project("P", KIND)
    monkeypatch.setattr("scaleapi.api.HTTP_RETRY_BACKOFF_FACTOR", 0)
    seen: list[set[str]] = [set() for _ in range(CLIENTS)]
    with Lossy(world.served.url, tmp_path, 0.05) as proxy:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(proxy.cert))

        def create(n: int) -> None:
            client = scale_client(proxy.url, world.test_key, verify=str(proxy.cert))
            for k in range(n, total, CLIENTS):
                seen[n].add(client.create_task(KIND, project="P", unique_id=f"u{k}", **WORDS).id)

        in_threads(CLIENTS, create)
        assert proxy.lost > total * 0.02
    assert len(set().union(*seen)) == total
    assert world.sql("SELECT count(*), count(DISTINCT unique_id) FROM order_task WHERE tenant = %s",
                     world.owner.test_tenant) == [(total, total)]  # fmt: skip


def test_parameters_of_a_project_have_a_history_that_a_task_can_pin(world: World) -> None:
    client = world.test
    client.create_project("P", KIND, {"categories": ["old"], "instruction": "First."})
    one = client.create_task(KIND, project="P", attachment="x", attachment_type="text", instruction="Mine.")
    client.update_project("P", categories=["new"], instruction="Second.")
    two = client.create_task(KIND, project="P", attachment="x", attachment_type="text")
    pinned = client.create_task(KIND, project="P", attachment="x", attachment_type="text", project_param_version=0)
    assert (one.response, two.response, pinned.response) == (
        {"category": "old"},
        {"category": "new"},
        {"category": "old"},
    )
    assert (one.instruction, two.instruction) == ("Mine.\n\nFirst.", "Second.")
    assert [task.project_param_version for task in (one, two, pinned)] == [0, 1, 0]
    assert client.get_task(one.id).params["categories"] == ["old"]
    assert [version["version"] for version in client.get_project("P").as_dict()["param_history"]] == [0, 1]


def test_names_with_slashes_blanks_and_other_letters_survive_addresses(world: World) -> None:
    client = world.test
    for name in ("a b/c", "100%/ü?#&=", "面/箱 + 1", "..x", "a//b/"):
        client.create_project(name, KIND)
        client.create_batch(name, f"batch of {name}")
        assert client.get_project(name).name == name
        assert client.get_batch(f"batch of {name}").project == name
        assert client.batch_status(f"batch of {name}")["status"] == "in_progress"


def test_empty_bodies_and_capitalised_booleans_are_understood(world: World) -> None:
    api = world.test.api
    world.test.create_project("P", KIND)
    task = world.test.create_task(KIND, project="P", tags=["a"], metadata={"a": 1}, **WORDS)
    assert task.set_tags([]) is None
    assert task.set_metadata({}) is None
    task.refresh()
    assert (task.tags, task.metadata) == ([], {})
    page = api.get_request("tasks", params={"project": "P", "include_attachment_url": True, "limited_response": False})
    assert page["docs"][0]["attachmentS3Downloads"] == []


def test_an_upload_is_read_back_without_a_key_by_its_signed_address(world: World) -> None:
    client = world.test
    file = client.upload_file(io.BytesIO(b"some bytes"), display_name="a.txt")
    boxes = {"box": {"objects_to_annotate": ["car"]}}
    client.create_project("I", TaskType.ImageAnnotation)
    client.create_task(TaskType.ImageAnnotation, project="I", attachment=file.attachment_url, geometries=boxes)
    [task] = client.get_tasks("I")
    address = task.as_dict()["attachmentS3Downloads"][0]["s3URL"]
    path = address[address.index("/v1/") :]
    assert httpx.get(world.served.url + path).content == b"some bytes"
    assert httpx.get(world.served.url + path[:-2] + "00").status_code == 401


def test_errors_have_the_shape_that_the_client_shows(world: World) -> None:
    api: Api = world.test.api
    with pytest.raises(Exception, match="no type of task") as caught:
        api.post_request("task/nonsense", {"a": 1})
    assert caught.value.code == 400
    nobody = "task/00000000-0000-0000-0000-000000000000"
    refused = {nobody: 404, "task/x": 404, "nothing": 404, "tasks?limit=0": 400, "tasks?limit=101": 400,
               "tasks?next_token=!!": 400, "tasks?start_time=x": 400, "tasks?status=odd": 400}  # fmt: skip
    for path, status in refused.items():
        with pytest.raises(Exception, match="<Response") as caught:
            api.get_request(path)
        assert caught.value.code == status, path


def test_a_create_with_an_idempotency_key_happens_once_and_is_answered_the_same(world: World) -> None:
    key = world.served.client(Authorization=f"Bearer {world.live_key}")
    headers = {"Idempotency-Key": "once"}
    for path, body, changed in (
        ("/v1/projects", {"name": "Once", "type": "categorization"}, {"name": "Twice", "type": "categorization"}),
        ("/v1/task/categorization", {"project": "Once", "metadata": {"a": 1}, **WORDS}, {"project": "Once", **WORDS}),
        ("/v1/batches", {"project": "Once", "name": "B"}, {"project": "Once", "name": "C"}),
    ):
        headers = {"Idempotency-Key": f"once for {path}"}
        first = key.post(path, json=body, headers=headers)
        again = key.post(path, json=body, headers=headers)
        assert first.status_code == again.status_code == 200, first.text
        assert first.content == again.content
        other = key.post(path, json=changed, headers=headers)
        assert (other.status_code, "Idempotency-Key" in other.json()["error"]) == (400, True)
    assert world.sql("SELECT count(*) FROM order_task WHERE tenant = %s", world.owner.tenant) == [(1,)]
    assert key.post("/v1/projects", json={"name": "x"}, headers={"Idempotency-Key": "x" * 201}).status_code == 400
    refused = key.post("/v1/projects", json={"name": "y", "type": "odd"}, headers={"Idempotency-Key": "kept?"})
    assert refused.status_code == 400
    right = key.post("/v1/projects", json={"name": "y", "type": "chat"}, headers={"Idempotency-Key": "kept?"})
    assert right.status_code == 200, "what was refused was not kept"
