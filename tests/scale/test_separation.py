"""Another tenant's key, and the key of the other world, find nothing of a tenant: every route, from the route table."""

from __future__ import annotations

import io
import json
import urllib.parse
from typing import Any

import httpx
import pytest
from scaleapi.tasks import TaskType

from cupola.compat.scale.routes import OPERATIONS, Operation
from tests.scale.conftest import World, new_world
from tests.serving import Serving

BOXES = {"geometries": {"box": {"objects_to_annotate": ["car"]}}}
# These name nothing of anybody's: they answer, and nothing of A's may be in what they say.
GENERAL = {
    *("POST /v1/projects", "GET /v1/projects", "POST /v1/files/upload", "POST /v1/files/import", "GET /v1/teams"),
    *("POST /v1/teams/invite", "POST /v1/teams/set_role", "POST /v1/teams/remove", "GET /v1/studio/assignments"),
    "GET /v1/studio/batches",
    *("POST /v1/studio/batches/reset_priorities", "GET /v2/projects", "GET /v2/datasets", "GET /v2/schema"),
    "GET /v1/attachments/{tenant}/{sha256}",
}


def things(world: World) -> dict[str, str]:
    """One of each thing of a tenant's test world, by the name under which the interface asks for it."""
    client = world.test
    client.create_project("A's project", TaskType.ImageAnnotation, BOXES)
    client.create_project("A's chats", TaskType.Chat)
    client.create_batch("A's project", "A's batch")
    file = client.upload_file(io.BytesIO(b"secret"), reference_id="A's reference")
    task = client.create_task(
        TaskType.ImageAnnotation,
        batch="A's batch",
        attachment=file.attachment_url,
        unique_id="A's id",
        tags=["A's tag"],
    )
    client.create_project_group("A's project", ["a@example.org"], "A's group")
    chats = client.v2.get_project(project_name="A's chats").id
    chat = client.create_task(TaskType.Chat, project="A's chats")
    read = client.v2.get_task(task_id=chat.id)
    operator = world.served.operator().client
    headers = {"Cupola-Tenant": world.owner.test_tenant}
    made = operator.post(
        "/api/orders/deliveries", json={"project": "A's chats", "name": "A's delivery"}, headers=headers
    )
    assert made.status_code == 201
    dataset = operator.post("/api/datasets", json={"name": "A's"}, headers=headers).json()["id"]
    address = f"/api/datasets/{dataset}/uploads?name=a.txt"
    sha256 = operator.put(address, content=b"A's file", headers=headers).json()["upload"].split("/")[0]
    world.sql(
        "WITH i AS (INSERT INTO item (tenant, id, dataset, ref, media_type, body, fingerprint, created_at) "
        "VALUES (%s, uuidv7(), %s, 'one', 'text/plain', 'words', '\\x00', now()) RETURNING tenant, id) "
        "INSERT INTO handed_in (tenant, item, giver, sha256, name, media_type, bytes, at) "
        "SELECT tenant, id, uuidv7(), decode(%s, 'hex'), 'a.txt', 'text/plain', 8, now() FROM i RETURNING item",
        world.owner.test_tenant,
        dataset,
        sha256,
    )
    return {
        "task": task.id,
        "task_id": chat.id,
        "project": "A's project",
        "project_name": "A's project",
        "project_id": client.v2.get_project(project_name="A's project").id,
        "batch": "A's batch",
        "batch_name": "A's batch",
        "batch_id": client.v2.get_batch(batch_name="A's batch").id,
        "group": "A's group",
        "dataset_id": chats,
        "delivery_id": client.v2.get_deliveries(project_id=chats).deliveries[0].id,
        "delivery_name": "A's delivery",
        "annotation_id": read.threads[0].turns[0].annotations[0].actual_instance.id,
        "attachment": file.id,
        "attachment_url": file.attachment_url,
        "type": "imageannotation",
        "tenant": world.owner.test_tenant,
        "sha256": sha256,
    }


@pytest.fixture(scope="module")
def worlds(served: Serving) -> tuple[World, dict[str, str], World]:
    a = new_world(served)
    return a, things(a), new_world(served)


def sent(operation: Operation, known: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """The address and the body of a request that names A's things wherever anything can be named."""
    path = operation.pattern
    named = {**known, "name": known["project" if "/projects/" in path else "batch"]}
    for name in [part[1:-1] for part in operation.segments if part.startswith("{")]:
        path = path.replace("{" + name + "}", urllib.parse.quote(named[name], safe=""))
    body: dict[str, Any] = {
        **{name: known[name] for name in ("project", "batch", "project_id", "batch_id", "task_id")},
        "name": "B's own",
        "attachment": known["attachment_url"],
        **BOXES,
        "expected_response": {"annotations": []},
        "unique_id": "B's",
        "metadata": {},
        "emails": ["b@example.org"],
        "projects": [known["project"]],
        "groups": [known["group"]],
        "batches": [{"name": known["batch"]}],
        "team_role": "member",
        "type": "imageannotation",
        "file_url": "https://example.com/b.png",
        "accepted": True,
        "priority": 3,
    }
    if operation.pattern.endswith("/tags"):
        return path, {"list": ["B's"]}
    if operation.pattern == "/v1/projects":
        body = {"name": "B's own", "type": "imageannotation"}
    return path, body


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.pattern}")
@pytest.mark.parametrize("who", ["another tenant", "another tenant's live world", "the other world"])
def test_nobody_else_finds_anything(
    worlds: tuple[World, dict[str, str], World], operation: Operation, who: str
) -> None:
    a, known, b = worlds
    key = {"another tenant": b.test_key, "another tenant's live world": b.live_key, "the other world": a.live_key}[who]
    path, body = sent(operation, known)
    query = {name: known[name] for name in ("project", "batch", "project_id", "batch_id", "task_id", "dataset_id",
                                            "delivery_id", "annotation_id")
             if operation.asks is None or name in operation.asks}  # fmt: skip
    auth = httpx.BasicAuth(key, "") if path.startswith("/v1") else None
    headers = None if auth else {"Authorization": f"Bearer {key}"}
    content = None if operation.method == "GET" else json.dumps(body.get("list", body)).encode()
    url = a.served.url + path
    answer = httpx.request(operation.method, url, params=query, content=content, auth=auth, headers=headers)
    if f"{operation.method} {operation.pattern}" in GENERAL:
        assert answer.status_code < 500
        secrets = {value for name, value in known.items() if name not in ("type", "sha256")}
        assert not [one for one in secrets if one in answer.text], answer.text[:300]
    else:
        assert answer.status_code == 404, answer.text[:300]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.pattern}")
def test_nobody_without_a_key_is_answered(worlds: tuple[World, dict[str, str], World], operation: Operation) -> None:
    a, known, _ = worlds
    path, _ = sent(operation, known)
    for auth in (None, ("live_nobody", ""), ("", "")):
        assert httpx.request(operation.method, a.served.url + path, auth=auth).status_code in (401, 404)
        if not operation.open:
            assert httpx.request(operation.method, a.served.url + path, auth=auth).status_code == 401


def test_its_owner_finds_them_all(worlds: tuple[World, dict[str, str], World]) -> None:
    """The requests of the test above are real ones: for their owner the reading ones are answered."""
    a, known, _ = worlds
    headers = {"Authorization": f"Bearer {a.test_key}"}
    for operation in OPERATIONS:
        if operation.method != "GET" or operation.open or "{group}" in operation.pattern:
            continue
        path, _ = sent(operation, {**known, "task": known["task"]})
        name = operation.pattern.rsplit("/", 1)[-1]
        wanted = {
            "tasks": {"project": known["project"], "project_id": known["project_id"]},
            "batches": {"project": known["project"]},
            "batch": {"batch_id": known["batch_id"]},
            "project": {"project_id": known["project_id"]},
            "task": {"task_id": known["task_id"]},
            "annotation": {"annotation_id": known["annotation_id"]},
            "delivery": {"delivery_id": known["delivery_id"]},
        }.get(name, {})
        if operation.pattern == "/v2/schema" or "response_url" in path or "taskTemplates" in path:
            continue
        if operation.pattern == "/v2/datasets/tasks":
            wanted = {"dataset_id": known["dataset_id"]}
        wanted = {one: value for one, value in wanted.items() if operation.asks is None or one in operation.asks}
        answer = httpx.get(a.served.url + path, params=wanted, headers=headers)
        assert answer.status_code == 200, f"{operation.pattern}: {answer.text[:200]}"
