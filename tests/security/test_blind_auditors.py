"""While an audit is open, its auditors read no label that they are to judge, by whatever route, and learn no count.

The routes are all that read: every GET of the OpenAPI document, every operation of Scale's that answers with a task,
the stream of events. One label is told everywhere that a label can be told; an auditor finds it nowhere, whatever else
they are. Whoever has read it is no auditor of it any more.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from scaleapi.tasks import TaskType

from cupola.app import worker
from cupola.compat.scale.routes import OPERATIONS
from cupola.platform.pg.cluster import Cluster
from tests.foundry import Foundry, fresh_foundry
from tests.scale.conftest import World, until
from tests.scale.labelling import crowd, work_until
from tests.serving import Serving

SECRET = "the words under audit"
ORDERS = 8
FIELDS = [{"type": "text", "field_id": "words", "title": "What is written here?"}]
LABEL = {"kind": "text", "text": SECRET}
ANOTHER = {"kind": "text", "text": "something else"}
# Addresses that no identifier of ours leads to, and what stands in their place.
APART = {
    "/blobs/{tenant}/{sha256}": "opened by a signature that only an answer of another route holds",
    "/frames/{tenant}/{sha256}": "opened by a signature that only an answer of another route holds",
    "/references": "the same",
    "/events": "a stream without an end, read by itself below",
    "/api/audits/{release}/next": "what an auditor is given, asked by the audit itself",
    "/api/audits/{release}/items": "the same",
}
FILES = {"/api/exports/{export}/file", "/api/releases/{release}/evidence"}


@dataclass
class Scene:
    foundry: Foundry
    serving: Serving
    world: World
    known: dict[str, str]
    order: str
    first: str  # a release that nobody audits, and its export
    first_export: str

    @property
    def release(self) -> str:
        return self.known["release"]


def made(answer: httpx.Response) -> Any:
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
    return answer.json()


def member(scene: Scene, role: str) -> httpx.Client:
    """Somebody new in the organisation."""
    link = made(scene.world.owner.client.post("/api/invitations", json={"role": role}))["link"]
    client = scene.serving.client()
    body = {"token": link.split("token=")[1], "name": role, "email": f"{uuid.uuid4()}@example.org"}
    scene.serving.person(
        client.post("/api/invitations/accept", json={**body, "password": "correct horse battery"}), client
    )
    client.headers["Cupola-Tenant"] = scene.world.owner.tenant
    return client


@pytest.fixture(scope="module")
def client_with_answers(
    cluster: Cluster, foundry_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("blind")
    with (
        fresh_foundry(cluster, foundry_template, folder, allowed_hosts=("127.0.0.1",)) as foundry,
        foundry.http() as url,
    ):
        stop = foundry.call(worker.start)
        try:
            serving = Serving(url, foundry.admin_url, foundry.runtime, foundry.loop, None)  # type: ignore[arg-type]
            yield laid(foundry, serving)
        finally:
            foundry.call(lambda _: stop())


@pytest.fixture
def scene(client_with_answers: Scene) -> Iterator[Scene]:
    """A release of the same labels anew, under an audit that ends with the test."""
    scene = client_with_answers
    release, export = frozen(scene.foundry, scene.world.owner.client, scene.known["project"], ORDERS)
    yield replace(scene, known=scene.known | {"release": release, "export": export})
    scene.foundry.sql(
        "INSERT INTO audit_judgement (tenant, id, audit_item, round, label, undecidable, correct, seconds, at) "
        "SELECT tenant, uuidv7(), id, 1, NULL, true, NULL, 1, now() FROM audit_verdict WHERE release = %s "
        "AND NOT settled",
        release,
    )


def frozen(foundry: Foundry, client: httpx.Client, project: str, items: int) -> tuple[str, str]:
    """A new release of a project, `items` of it under audit, and an export of it."""
    plan = {"items": items, "confidence": 0.95, "target_accuracy": 0.6}
    body = {"name": f"release {uuid.uuid4()}", "plan": plan}
    release = made(client.post(f"/api/projects/{project}/releases", json=body))["id"]
    made(client.post(f"/api/releases/{release}/freeze"))
    export = made(client.post(f"/api/releases/{release}/exports", json={"format": "jsonl"}))["id"]
    until(lambda: foundry.sql("SELECT state FROM export WHERE id = %s", export) == [("done",)], "exported")
    return release, export


def laid(foundry: Foundry, serving: Serving) -> Scene:
    """Orders of a client, answered by a crowd, and all that is told of them."""
    owner = serving.owner("Blind")
    owner.client.headers["Cupola-Tenant"] = owner.tenant
    key = made(owner.client.post("/api/keys", json={"name": "of the client"}))["key"]
    world = World(serving, owner, key, key)
    world.fund()
    client, scale = owner.client, world.live
    scale.create_project("papers", TaskType.TextCollection, rapid=True)
    scale.create_batch("papers", "first", callback="http://127.0.0.1:9/batch")
    orders = [
        scale.create_task(
            TaskType.TextCollection, project="papers", batch="first", fields=FIELDS, callback_url="http://127.0.0.1:9/done",
            attachments=[{"type": "text", "content": f"paper {n}"}], unique_id=f"paper-{n}",
        ).id
        for n in range(ORDERS)
    ]  # fmt: skip
    scale.finalize_batch("first")
    work_until(
        world, crowd(world, 4), lambda _: LABEL,
        lambda: all(scale.get_task(one).status == "completed" for one in orders), "answered",
    )  # fmt: skip
    [[project, dataset, task, judged]] = foundry.sql(
        "SELECT p.id::text, p.dataset::text, t.id::text, j.assignment::text FROM order_task o "
        "JOIN task t ON t.id = o.foundry_task JOIN project p ON p.id = t.project JOIN judgement j ON j.task = t.id "
        "WHERE o.id = %s LIMIT 1",
        orders[0],
    )
    said = [{"task": task, "label": LABEL}]
    model = {"model": "net", "model_version": "1", "opinions": said}
    made(client.post(f"/api/projects/{project}/opinions", json=model))
    made(client.post(f"/api/adjudication/{task}", json={"label": LABEL, "note": SECRET}))
    made(client.post("/api/orders/deliveries", json={"project": "papers", "name": "by hand"}))
    first, file = frozen(foundry, client, project, 0)
    upload = made(client.put(f"/api/datasets/{dataset}/uploads?name=a.txt", content=b"words"))["upload"]
    run = made(client.post(f"/api/datasets/{dataset}/imports", json={"source": {"type": "upload", "upload": upload}}))
    # written straight in: no test may reach out to somebody's server
    webhook = str(uuid.UUID(int=1))
    foundry.sql(
        "INSERT INTO webhook (tenant, id, url, secret, events, created_at, state) "
        "VALUES (%s, %s, 'https://example.org/hook', 's', '{*}', now(), 'off')",
        owner.tenant,
        webhook,
    )
    foundry.sql(
        "INSERT INTO webhook_delivery (tenant, id, webhook, event, kind, body, state, created_at) "
        "SELECT tenant, uuidv7(), %s, seq, kind, data::text, 'failed', now() FROM event WHERE tenant = %s",
        webhook,
        owner.tenant,
    )
    [[version, ontology]] = foundry.sql(
        "SELECT v.id::text, v.ontology::text FROM ontology_version v JOIN project p ON p.ontology_version = v.id "
        "WHERE p.id = %s",
        project,
    )
    [[item]] = foundry.sql("SELECT item::text FROM task WHERE id = %s", task)
    answer = made(client.put(f"/api/datasets/{dataset}/uploads?name=a.txt", content=SECRET.encode()))["upload"]
    sha256 = answer.split("/")[0]
    foundry.sql(
        "INSERT INTO handed_in (tenant, item, giver, sha256, name, media_type, bytes, at) "
        "VALUES (%s, %s, uuidv7(), decode(%s, 'hex'), %s, 'text/plain', %s, now())",
        owner.tenant,
        item,
        sha256,
        f"{SECRET}.txt",
        len(SECRET.encode()),
    )
    [[submission]] = foundry.sql(
        "INSERT INTO submission (tenant, id, assignment, task, worker, project, label, seconds, gold, at, due_at) "
        "SELECT tenant, uuidv7(), assignment, task, worker, project, label, seconds, gold, at, "
        "at + interval '72 hours' FROM judgement WHERE assignment = %s AND task = %s LIMIT 1 RETURNING id::text",
        judged,
        task,
    )
    [[callback]] = foundry.sql("SELECT id::text FROM order_callback WHERE task = %s AND kind = 'completed'", orders[0])
    known = {
        "project": project, "dataset": dataset, "task": task, "release": first, "export": file,
        "import_id": run["id"], "webhook": webhook, "version": version, "ontology": ontology, "callback": callback,
        "assignment": judged, "item": item, "sha256": sha256, "submission": submission, "hearing": submission,
        "batch": submission, "exam": project, "attempt": submission, "credential": submission,
        # what these tell has no task and no label in it; runs and certificates hold counts
        "model": submission, "number": "1", "learning_run": submission, "auto_accept": submission,
    }  # fmt: skip
    return Scene(foundry, serving, world, known, orders[0], first, file)


def native(scene: Scene, client: httpx.Client, *, files: bool = True) -> dict[str, httpx.Response]:
    """What every GET answers, whole lists of it. files: those that hold a whole release too."""
    paths = httpx.get(f"{scene.serving.url}/openapi.json").json()["paths"]
    told = {}
    for path, methods in paths.items():
        names = {one.split("}")[0] for one in path.split("{")[1:]}
        if "get" not in methods or path in APART or (path in FILES and not files):
            continue
        assert names <= set(scene.known), f"{path}: no object for {names - set(scene.known)}"
        asked = {one["name"] for one in methods["get"].get("parameters", []) if one["in"] == "query"}
        query = {
            name: value
            for name, value in {"project": scene.known["project"], "limit": "100", "target": "0.95"}.items()
            if name in asked
        }
        told[path] = client.get(path.format(**scene.known), params=query)
        if names == {"release"} or names == {"export"}:  # the release before holds the same labels
            told[f"{path} of the release before"] = client.get(
                path.format(release=scene.first, export=scene.first_export), params=query
            )
    return told


def scales(scene: Scene, key: httpx.Client) -> dict[str, httpx.Response]:
    """What every operation of Scale's answers that reads, or changes something small and answers with all of it."""
    [[delivery]] = scene.foundry.sql("SELECT id::text FROM order_delivery ORDER BY id DESC LIMIT 1")
    names = {
        "task": scene.order, "name": "papers", "project": "papers", "tenant": scene.world.owner.tenant,
        "sha256": scene.known["sha256"], "attachment": "none",
    }  # fmt: skip
    query = {
        "/v2/project": {"project_name": "papers"}, "/v2/batch": {"batch_name": "first"},
        "/v2/tasks": {"batch_name": "first", "expand": "project,batch"}, "/v2/task": {"task_id": scene.order},
        "/v2/annotation": {"annotation_id": "none"}, "/v2/delivery": {"delivery_id": delivery},
        "/v2/delivery/tasks": {"delivery_id": delivery}, "/v2/datasets/deliveries": {"dataset_id": "papers"},
        "/v2/datasets/delivery": {"delivery_id": delivery}, "/v2/datasets/tasks": {"delivery_id": delivery},
        "/v2/datasets/task": {"task_id": scene.order}, "/v1/batches/{name}": {}, "/v1/tasks": {"limit": "100"},
    }  # fmt: skip
    small: dict[str, Any] = {
        "/v1/task/{task}/unique_id": {"unique_id": "another"}, "/v1/task/{task}/setMetadata": {"a": 1},
        "/v1/task/{task}/tags": ["x"], "/v1/task/{task}/priority": {"priority": 10},
        "/v2/task/metadata": {"task_id": scene.order, "metadata": {"a": 2}},
    }  # fmt: skip
    told = {}
    for one in OPERATIONS:
        if one.method != "GET" and one.pattern not in small:
            continue
        path = one.pattern.format(**(names | {"name": "first"} if "/batches/" in one.pattern else names))
        sent = {} if one.method == "GET" else {"json": small[one.pattern]}
        told[f"{one.method} {one.pattern}"] = key.request(one.method, path, params=query.get(one.pattern), **sent)
    return told


def stream(client: httpx.Client) -> httpx.Response:
    """The events from the first one on, as far as they come within a moment."""
    with client.stream("GET", "/events", headers={"Last-Event-ID": "0.0.0"}, timeout=1.0) as answer:
        text = ""
        try:
            for part in answer.iter_text():
                text += part
        except httpx.ReadTimeout:
            pass
    assert "order.completed" in text, "it holds what happened"
    return httpx.Response(answer.status_code, text=text, request=answer.request)


def shown(told: dict[str, httpx.Response]) -> set[str]:
    """Where the label stands, in whatever escapes. No answer may be a fault of ours."""
    for route, answer in told.items():
        assert answer.status_code < 500, (route, answer.text)
    return {route for route, answer in told.items() if SECRET in answer.text or SECRET.encode() in answer.content}


def with_key(scene: Scene, key: str) -> httpx.Client:
    return scene.serving.client(Authorization=f"Bearer {key}")


def judge(scene: Scene, client: httpx.Client) -> httpx.Response:
    """Judge the next item that waits for this auditor."""
    item = made(client.get(f"/api/audits/{scene.release}/items?limit=1"))["items"][0]
    path = f"/api/audits/{scene.release}/items/{item['audit_item']}"
    return client.post(path, json={"label": ANOTHER, "seconds": 1})


def test_a_file_that_was_handed_in_is_part_of_the_label(client_with_answers: Scene) -> None:
    """While no audit is open whoever reviews reads it; under one, nobody who may audit does, by whatever route."""
    scene = client_with_answers
    path = f"/api/items/{scene.known['item']}/files/{scene.known['sha256']}"
    reviewer = member(scene, "reviewer")
    assert reviewer.get(made(reviewer.get(path))["url"]).text == SECRET
    release, _ = frozen(scene.foundry, scene.world.owner.client, scene.known["project"], ORDERS)
    for who in (reviewer, member(scene, "manager")):
        assert who.get(path).status_code == 404
    scene.foundry.sql(
        "INSERT INTO audit_judgement (tenant, id, audit_item, round, label, undecidable, correct, seconds, at) "
        "SELECT tenant, uuidv7(), id, 1, NULL, true, NULL, 1, now() FROM audit_verdict WHERE release = %s",
        release,
    )
    assert reviewer.get(path).status_code == 200


def test_an_auditor_finds_the_label_nowhere_whatever_else_they_are(scene: Scene) -> None:
    reviewer, manager, another = member(scene, "reviewer"), member(scene, "manager"), member(scene, "owner")
    key = with_key(scene, made(another.post("/api/keys", json={"name": "of an auditor"}))["key"])
    made(judge(scene, reviewer))
    made(judge(scene, manager))
    told = made(judge(scene, another))
    assert (told["audit"]["judged"], told["audit"]["errors"], told["audit"]["undecidable"]) == (3, None, None)
    found = {who: shown(native(scene, client)) for who, client in {
        "a reviewer": reviewer, "a manager who audits": manager, "an owner who audits": another,
        "a key of an owner who audits": key,
    }.items()}  # fmt: skip
    found["a key of an owner who audits, at Scale's addresses"] = shown(scales(scene, key))
    found["the stream"] = shown({"/events": stream(another)})
    assert found == {who: set() for who in found}
    pending = scene.serving.client(Authorization=key.headers["authorization"]).get(f"/v1/task/{scene.order}").json()
    assert (pending["status"], pending.get("completed_at")) == ("pending", None), "told as work that goes on"


def test_a_key_that_judges_is_an_auditor_too(scene: Scene) -> None:
    text = made(scene.world.owner.client.post("/api/keys", json={"name": "nobody's"}))["key"]
    scene.foundry.sql("UPDATE api_key SET made_by = NULL WHERE name = 'nobody''s'")
    key = with_key(scene, text)
    before = shown(native(scene, key))
    assert before, "nobody's key reads"
    made(judge(scene, key))
    assert shown(native(scene, key)) == set()
    assert shown(scales(scene, key)) == set()


def test_whoever_may_still_audit_in_person_is_blind_from_the_draw_on_but_for_what_they_open(scene: Scene) -> None:
    manager = member(scene, "manager")
    assert shown(native(scene, manager, files=False)) == set()
    assert manager.get(f"/api/audits/{scene.release}/items").status_code == 200, "the manager may audit it"
    opened = manager.get(f"/api/exports/{scene.known['export']}/file")
    assert SECRET in opened.text, "a file is theirs to open"
    refused = manager.get(f"/api/audits/{scene.release}/items")
    assert (refused.status_code, refused.json()["code"]) == (409, "audit-read")


def test_whoever_has_read_the_label_judges_nothing_of_that_audit(scene: Scene) -> None:
    manager = member(scene, "manager")
    [item, *_] = made(manager.get(f"/api/audits/{scene.release}/items"))["items"]
    made(manager.post(f"/api/releases/{scene.release}/read"))
    everywhere = shown(native(scene, manager))
    assert {
        "/api/tasks/{task}", "/api/projects/{project}/tasks", "/api/projects/{project}/judgements",
        "/api/projects/{project}/opinions", "/api/orders/callbacks/{callback}", "/api/exports/{export}/file",
        "/api/exports/{export}/file of the release before",
    } <= everywhere  # fmt: skip
    queue = {one["release"]: one["for_you"] for one in made(manager.get("/api/audits"))}
    assert queue[scene.release] == 0
    path = f"/api/audits/{scene.release}/items/{item['audit_item']}"
    refused = manager.post(path, json={"label": ANOTHER, "seconds": 1})
    assert (refused.status_code, refused.json()["code"]) == (409, "audit-read")
    judged = "SELECT count(*) FROM audit_verdict WHERE release = %s AND judged > 0"
    assert scene.foundry.sql(judged, scene.release) == [(0,)]


@pytest.mark.parametrize("way", ["/v1/task/{order}", "/v1/tasks", "/v2/task?task_id={order}", "export", "evidence"])
def test_each_way_to_the_label_ends_ones_part_in_the_audit(scene: Scene, way: str) -> None:
    """Somebody's key reads it, the person would judge it."""
    owner = member(scene, "owner")
    key = with_key(scene, made(owner.post("/api/keys", json={"name": "reads"}))["key"])
    made(owner.get(f"/api/audits/{scene.release}/items"))
    if way == "export":
        path = f"/api/exports/{scene.known['export']}/file"
    elif way == "evidence":
        path = f"/api/releases/{scene.release}/evidence"
    else:
        path = way.format(order=scene.order)
    assert key.get(path).status_code == 200
    refused = owner.get(f"/api/audits/{scene.release}/items")
    assert (refused.status_code, refused.json()["code"]) == (409, "audit-read"), refused.text


def test_an_auditor_does_not_become_a_reader_and_all_is_told_in_the_end(scene: Scene) -> None:
    manager, reviewer = member(scene, "manager"), member(scene, "reviewer")
    made(judge(scene, manager))
    for answer in (
        manager.post(f"/api/releases/{scene.release}/read"),
        manager.get(f"/api/releases/{scene.release}/evidence"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "audit-open")
    assert manager.get(f"/api/exports/{scene.known['export']}/file").status_code == 404
    for _ in range(ORDERS - 1):
        told = made(judge(scene, reviewer))
    assert told["audit"]["errors"] == ORDERS, "all is told once all is settled"
    for client in (manager, reviewer):
        assert SECRET in client.get(f"/api/tasks/{scene.known['task']}").text
        assert client.get(f"/api/exports/{scene.known['export']}/file").status_code == 200


def test_the_database_itself_refuses_the_judgement_of_a_reader(scene: Scene) -> None:
    person = scene.foundry.person()
    scene.foundry.sql(
        "INSERT INTO audit_reader (tenant, release, person) VALUES (%s, %s, %s)",
        scene.world.owner.tenant,
        scene.release,
        person,
    )
    with pytest.raises(Exception, match="judges none of them"):
        scene.foundry.sql(
            "INSERT INTO audit_judgement (tenant, id, audit_item, round, person, label, undecidable, correct, seconds, "
            "at) SELECT tenant, uuidv7(), id, 1, %s, %s, false, true, 1, now() FROM audit_item "
            "WHERE release = %s LIMIT 1",
            person,
            json.dumps(LABEL),
            scene.release,
        )
