"""Each operation with each object of somebody else: always "there is no such thing", and nothing changes.

The sweep is generated from the OpenAPI document. A new route with an identifier in its address fails it until the
object it names, its body and its rightful user are told here; the rightful user's own request shows that they fit.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
from PIL import Image

from cupola.catalog import jobs
from cupola.platform.pg.cluster import Cluster
from tests.foundry import CHOICE, Foundry, choice, fresh_foundry
from tests.models.files import EMBEDDING_CARD, embedding_model
from tests.serving import Serving

LABEL = choice("a")
# (method, path) -> body. Every operation that takes one and has an identifier in its address stands here.
HANDED_IN = b"what somebody says in a file"
BODIES: dict[tuple[str, str], Any] = {
    ("patch", "/api/members/{person}"): {"role": "reviewer"},
    ("post", "/api/projects/{project}/allot"): {"amount_minor": 1},
    ("post", "/api/tenants/{tenant}/fund"): {"amount_minor": 1},
    ("post", "/api/datasets/{dataset}/imports"): {"source": {"type": "urls", "urls": ["https://example.org/a.png"]}},
    ("put", "/api/datasets/{dataset}/uploads"): b"bytes",
    ("post", "/api/ontologies/{ontology}/versions"): {"spec": CHOICE},
    ("post", "/api/adjudication/{task}"): {"label": LABEL},
    ("post", "/api/projects/{project}/tasks"): {},
    ("post", "/api/projects/{project}/gold"): {"labels": [{"ref": "free", "label": LABEL}]},
    ("post", "/api/projects/{project}/guidelines"): {"ontology_version": "{version}"},
    ("post", "/api/projects/{project}/offers"): {"price_minor": 11},
    ("post", "/api/projects/{project}/training"): {"labels": [{"ref": "text 3", "label": LABEL}]},
    ("post", "/api/work/projects/{project}/claim"): {},
    ("post", "/api/work/assignments/{assignment}/heartbeat"): {"fence": 1},
    ("post", "/api/work/assignments/{assignment}/submit"): {
        "fence": 1,
        "judgements": [{"task": "{leased}", "label": LABEL, "seconds": 1}],
    },
    ("post", "/api/work/assignments/{assignment}/return"): {"fence": 1, "reason": "unclear"},
    ("put", "/api/work/assignments/{assignment}/drafts/{task}"): {"fence": 1, "label": LABEL, "rev": 1},
    ("patch", "/api/work/assignments/{assignment}/drafts/{task}"): {
        "fence": 1,
        "writer": "somebody",
        "base": 1,
        "rev": 2,
        "change": {"is": "objects", "put": [], "gone": []},
    },
    ("post", "/api/projects/{project}/opinions"): {
        "model": "m",
        "model_version": "1",
        "opinions": [{"task": "{task}", "label": LABEL}],
    },
    ("post", "/api/projects/{project}/learning-runs"): {},
    ("post", "/api/projects/{project}/selection"): {"model": "brought"},
    ("post", "/api/projects/{project}/auto-accepts"): {"model": "brought", "limit": 0.05, "sample": 30},
    ("post", "/api/models/{model}/versions"): embedding_model(),
    ("post", "/api/models/{model}/versions/{number}/predict"): {"items": [{"metadata": {"embedding": [1, 0]}}]},
    ("post", "/api/projects/{project}/releases"): {"name": "another", "plan": {"items": 1}},
    ("post", "/api/audits/{release}/items/{audit_item}"): {"label": LABEL},
    ("post", "/api/releases/{release}/exports"): {"format": "jsonl"},
    ("patch", "/api/webhooks/{webhook}"): {"state": "off"},
    ("post", "/api/items/{item}/files"): HANDED_IN,
    ("post", "/api/submissions/{submission}/reject"): {
        "reason": "wrong-class",
        "place": "all of it",
        "evidence": "corrected",
        "corrected": choice("b"),
    },
    ("post", "/api/appeals/{appeal}/answer"): {"stands": False},
    ("post", "/api/work/submissions/{submission}/appeal"): {"words": "It is right."},
    ("post", "/api/work/panel/{hearing}/vote"): {"upheld": True},
    ("post", "/api/tenants/{tenant}/freezes/{freeze}"): {"lifted": False, "note": "They were right."},
    ("put", "/api/contributors/{person}/judge"): {"judge": False},
    ("post", "/api/operator/payouts/batches/{batch}/outcomes"): b"payout,outcome\n",
    ("post", "/api/work/assignments/{assignment}/tasks/{task}/files"): HANDED_IN,
    ("put", "/api/projects/{project}/eligibility"): {"expression": None},
    ("post", "/api/projects/{project}/exam"): {"skill": "reading"},
    ("put", "/api/work/credentials/{credential}/document"): b"%PDF-1.7 a scan",
    ("post", "/api/operator/credentials/{credential}"): {"state": "verified", "verifier": "Dr. Who"},
}
ANNOTATED = b'{"text": "a car", "label": ["car"]}\n'  # annotations of another tool, uploaded by the scene
QUERIES: dict[tuple[str, str], dict[str, Any]] = {
    ("put", "/api/datasets/{dataset}/uploads"): {"name": "a.bin"},
    ("get", "/api/datasets/{dataset}/survey"): {"upload": f"{hashlib.sha256(ANNOTATED).hexdigest()}/a.jsonl"},
    ("get", "/api/projects/{project}/what-if"): {"target": 0.95},
    ("post", "/api/items/{item}/files"): {"name": "a.txt"},
    ("post", "/api/models/{model}/versions"): {"card": EMBEDDING_CARD},
    ("post", "/api/work/assignments/{assignment}/tasks/{task}/files"): {"name": "a.txt"},
    ("put", "/api/work/credentials/{credential}/document"): {"name": "a.pdf"},
}
# What the rightful user is told where the state of the object forbids the verb just now; the object was found.
CONFLICTS = {409}
# Only an owner's, and a key is a manager: refused before the object is looked for.
OWNERS = {
    ("delete", "/api/keys/{key}"),
    ("patch", "/api/members/{person}"),
    ("delete", "/api/members/{person}"),
}
# Whoever contributes may claim what is on offer.
ON_OFFER = {("post", "/api/work/projects/{project}/claim")}


@dataclass
class Scene:
    foundry: Foundry
    serving: Serving
    url: str
    objects: dict[str, str]
    rightful: dict[str, httpx.Client]
    intruders: dict[str, httpx.Client] = field(default_factory=dict)
    blob_url: str = ""
    tenant: str = ""


@pytest.fixture(scope="module")
def scene(cluster: Cluster, foundry_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A tenant with one of everything, and those who must not see it."""
    with (
        fresh_foundry(cluster, foundry_template, tmp_path_factory.mktemp("idor")) as foundry,
        foundry.http() as url,
    ):
        serving = Serving(url, foundry.admin_url, foundry.runtime, foundry.loop, None)  # type: ignore[arg-type]
        yield build(foundry, serving, url)


def build(foundry: Foundry, serving: Serving, url: str) -> Scene:
    owner, stranger = serving.owner("Ours"), serving.owner("Theirs")
    client = owner.client
    client.headers["Cupola-Tenant"] = owner.tenant
    stranger.client.headers["Cupola-Tenant"] = stranger.tenant
    tenant = UUID(owner.tenant)

    def made(answer: httpx.Response) -> Any:
        assert answer.is_success, f"{answer.request.url}: {answer.text}"
        return answer.json()

    def member(role: str) -> httpx.Client:
        link = made(client.post("/api/invitations", json={"role": role}))["link"]
        fresh = serving.client()
        body = {"token": link.split("token=")[1], "name": role, "email": f"{role}@example.org"}
        serving.person(fresh.post("/api/invitations/accept", json={**body, "password": "correct horse battery"}), fresh)
        fresh.headers["Cupola-Tenant"] = owner.tenant
        return fresh

    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(picture, "PNG")
    dataset = made(client.post("/api/datasets", json={"name": "ours"}))["id"]
    upload = made(client.put(f"/api/datasets/{dataset}/uploads?name=a.png", content=picture.getvalue()))["upload"]
    made(client.put(f"/api/datasets/{dataset}/uploads?name=a.jsonl", content=ANNOTATED))
    source = {"source": {"type": "upload", "upload": upload}}
    run = made(client.post(f"/api/datasets/{dataset}/imports", json=source))["id"]
    foundry.call(lambda runtime: jobs.run_import(runtime, tenant, UUID(run)))
    item = made(client.get(f"/api/datasets/{dataset}/items"))["items"][0]
    for n in range(5):
        foundry.sql(
            "INSERT INTO item (tenant, id, dataset, ref, media_type, body, fingerprint, created_at) "
            "VALUES (%s, uuidv7(), %s, %s, 'text/plain', 'words', '\\x00', now())",
            tenant,
            dataset,
            "free" if n == 4 else f"text {n}",
        )
    version = made(client.post("/api/ontologies", json={"name": "ours", "spec": CHOICE}))
    body = {"name": "ours", "dataset": dataset, "ontology_version": version["version_id"], "page_size": 2}
    plan = {"gold_rate": 0.0}
    project = made(client.post("/api/projects", json={**body, "offer": {"price_minor": 10}, "plan": plan}))["id"]
    foundry.fund(tenant, 10_000)
    made(client.post(f"/api/projects/{project}/tasks", json={}))
    made(client.post(f"/api/projects/{project}/allot", json={"amount_minor": 1_000}))
    made(client.post(f"/api/projects/{project}/launch"))
    made(client.post(f"/api/projects/{project}/training", json={"labels": [{"ref": "text 3", "label": LABEL}]}))
    people = [{"name": "one"}, {"name": "two"}, {"name": "three"}]
    crowd = made(serving.operator().client.post("/api/contributors", json={"people": people, "tokens": True}))["items"]
    workers = [serving.client(Authorization=f"Bearer {one['token']}") for one in crowd]
    page = made(workers[0].post(f"/api/work/projects/{project}/claim", json={}))
    judged = {"task": page["tasks"][0]["task"], "label": LABEL, "seconds": 1}
    made(
        workers[0].post(
            f"/api/work/assignments/{page['id']}/submit", json={"fence": page["fence"], "judgements": [judged]}
        )
    )
    task = judged["task"]
    foundry.sql("UPDATE task SET state = 2, open_slots = 0 WHERE id = %s", task)
    made(client.post(f"/api/adjudication/{task}", json={"label": LABEL}))
    leased = page["tasks"][1]["task"]
    file = {"params": {"name": "a.txt"}, "content": HANDED_IN}
    made(workers[0].post(f"/api/work/assignments/{page['id']}/tasks/{leased}/files", **file))
    sha256 = made(client.post(f"/api/items/{item['id']}/files", **file))["sha256"]
    release = made(client.post(f"/api/projects/{project}/releases", json={"name": "r", "plan": {"items": 1}}))["id"]
    made(client.post(f"/api/releases/{release}/freeze"))
    audit = made(client.get(f"/api/audits/{release}/items"))["items"][0]["audit_item"]
    export = made(client.post(f"/api/releases/{release}/exports", json={"format": "jsonl"}))["id"]
    # written straight in: no test may reach out to somebody's server
    webhook, delivery = str(UUID(int=1)), str(UUID(int=2))
    foundry.sql(
        "INSERT INTO webhook (tenant, id, url, secret, events, created_at) "
        "VALUES (%s, %s, 'https://example.org/hook', 's', '{*}', now())",
        tenant,
        webhook,
    )
    foundry.sql(
        "INSERT INTO webhook_delivery (tenant, id, webhook, event, kind, body, state, created_at) "
        "SELECT tenant, %s, %s, seq, kind, '{}', 'failed', now() FROM event WHERE tenant = %s ORDER BY seq LIMIT 1",
        delivery,
        webhook,
        tenant,
    )
    callback = str(UUID(int=3))
    foundry.sql(
        "INSERT INTO order_callback (tenant, id, kind, url, body, state, created_at) "
        "VALUES (%s, %s, 'task', 'https://example.org/callback', '{}', 'failed', now())",
        tenant,
        callback,
    )
    reviewed = under_review(
        made, client, workers, {**body, "name": "looked at", "offer": {"price_minor": 10}, "plan": plan}
    )
    freeze = str(UUID(int=4))
    foundry.sql(
        "INSERT INTO review_freeze (tenant, id, project, rejected, submitted, at, decide_by) "
        "VALUES (%s, %s, %s, 3, 4, now(), now() + interval '14 days')",
        tenant,
        freeze,
        project,
    )
    batch = str(UUID(int=5))
    foundry.sql(
        "INSERT INTO payout_batch (id, rail, currency, prepared_by, prepared_at, approved_by, approved_at) "
        "SELECT %s, 'csv', 'EUR', a.id, now(), b.id, now() FROM person a, person b WHERE a.id <> b.id LIMIT 1",
        batch,
    )
    model = made(client.post("/api/models", json={"name": "brought"}))["id"]
    brought = {"params": {"card": EMBEDDING_CARD}, "content": embedding_model()}
    number = made(client.post(f"/api/models/{model}/versions", **brought))["version"]
    run_of_model = made(client.post(f"/api/projects/{project}/learning-runs", json={}))["id"]
    accepts = BODIES[("post", "/api/projects/{project}/auto-accepts")]
    auto_accept = made(client.post(f"/api/projects/{project}/auto-accepts", json=accepts))["id"]
    key = made(client.post("/api/keys", json={"name": "to lose"}))["id"]
    other_world = {"Cupola-Tenant": owner.test_tenant}
    test_key = made(serving.operator().client.post("/api/keys", json={"name": "test"}, headers=other_world))["key"]
    assert test_key.startswith("test_")
    reviewer = member("reviewer")
    objects = {
        "person": reviewer.get("/api/session").json()["person"]["id"],
        "key": key,
        "tenant": owner.tenant,
        "project": project,
        "dataset": dataset,
        "import_id": run,
        "ontology": version["id"],
        "version": version["version_id"],
        "task": task,
        "leased": leased,
        "item": item["id"],
        "sha256": sha256,
        "assignment": page["id"],
        "release": release,
        "audit_item": audit,
        "export": export,
        "webhook": webhook,
        "delivery": delivery,
        "callback": callback,
        "freeze": freeze,
        "batch": batch,
        "model": model,
        "number": str(number),
        "learning_run": run_of_model,
        **examined(foundry, made, client, workers[0], body, tenant),
        "auto_accept": auto_accept,
        **reviewed,
    }
    found = Scene(
        foundry,
        serving,
        url,
        objects,
        {"tenant": client, "work": workers[0], "operator": serving.operator().client},
        blob_url=item["url"],
        tenant=owner.tenant,
    )
    serving.operator().client.headers["Cupola-Tenant"] = stranger.tenant
    found.intruders = {
        "a key of another tenant": serving.key(stranger),
        "the owner of another tenant": stranger.client,
        "a key of the same organisation's other world": serving.client(Authorization=f"Bearer {test_key}"),
        "another contributor": workers[1],
        "the contributor who worked on it": workers[0],
        "a member of a lower role": reviewer,
        "nobody": serving.client(),
    }
    return found


def examined(
    foundry: Foundry, made: Any, client: httpx.Client, worker: httpx.Client, project: dict[str, Any], tenant: UUID
) -> dict[str, str]:
    """An exam, the first worker's attempt at it, and what they say they have."""
    exam = made(client.post("/api/projects", json={**project, "name": "exam", "offer": {"price_minor": 10}}))["id"]
    attempt = str(UUID(int=6))
    foundry.sql("UPDATE project SET is_exam = true WHERE id = %s", exam)
    foundry.sql(
        "INSERT INTO exam (tenant, project, skill, items, at_least, confidence, retake_days, valid_days, tells, "
        "created_at) VALUES (%s, %s, 'reading', 5, 0.6, 0.8, 7, 365, true, now())",
        tenant,
        exam,
    )
    foundry.sql(
        "INSERT INTO exam_attempt (tenant, id, project, worker, tasks, at_least, confidence, at) "
        "SELECT tenant, %s, %s, worker, ARRAY(SELECT uuidv7() FROM generate_series(1, 5)), 0.6, 0.8, now() "
        "FROM assignment WHERE tenant = %s ORDER BY claimed_at LIMIT 1",
        attempt,
        exam,
        tenant,
    )
    credential = made(worker.post("/api/work/credentials", json={"kind": "degree", "subject": "medicine"}))["id"]
    scan = {"params": {"name": "a.pdf"}, "content": b"%PDF-1.7 a scan"}
    made(worker.put(f"/api/work/credentials/{credential}/document", **scan))
    return {"exam": exam, "attempt": attempt, "credential": credential}


def under_review(
    made: Any, client: httpx.Client, workers: list[httpx.Client], project: dict[str, Any]
) -> dict[str, str]:
    """Work of a project that is reviewed first: one that waits, an appeal, and a case that the first worker sits on."""
    id_ = made(client.post("/api/projects", json={**project, "page_size": 3, "review_first_s": 86_400}))["id"]
    made(client.post(f"/api/projects/{id_}/tasks", json={}))
    made(client.post(f"/api/projects/{id_}/allot", json={"amount_minor": 3_000}))
    made(client.post(f"/api/projects/{id_}/launch"))
    held = []
    for worker, count in ((workers[0], 2), (workers[2], 1)):
        page = made(worker.post(f"/api/work/projects/{id_}/claim", json={"tasks": count}))
        judged = [{"task": one["task"], "label": LABEL, "seconds": 1} for one in page["tasks"]]
        sent = {"fence": page["fence"], "judgements": judged}
        told = made(worker.post(f"/api/work/assignments/{page['id']}/submit", json=sent))
        held += [one["judgement"] for one in told["judgements"]]
    waits, mine, theirs = held
    why = BODIES[("post", "/api/submissions/{submission}/reject")]
    appeals = []
    for worker, submission in ((workers[0], mine), (workers[2], theirs)):
        made(client.post(f"/api/submissions/{submission}/reject", json=why))
        told = made(worker.post(f"/api/work/submissions/{submission}/appeal", json={"words": "It is right."}))
        appeals.append(told["submission"]["appeal"]["id"])
    made(client.post(f"/api/appeals/{appeals[1]}/answer", json={"stands": True}))
    made(workers[0].post(f"/api/work/panel/{appeals[1]}/sit"))
    return {"submission": waits, "appeal": appeals[0], "hearing": appeals[1]}


def operations(scene: Scene) -> list[tuple[str, str, dict[str, Any]]]:
    document = httpx.get(f"{scene.url}/openapi.json").json()
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if "{" in path and path.startswith("/api/")
    ]


def side(path: str) -> str:
    """Whose operation it is."""
    if path.startswith("/api/work/"):
        return "work"
    return "operator" if path.startswith(("/api/contributors/", "/api/tenants/", "/api/operator/")) else "tenant"


def named(scene: Scene, path: str) -> dict[str, str]:
    """The objects by the names of an address: what is done on a page is done to the task that is still held."""
    on_page = path.startswith("/api/work/assignments/")
    return scene.objects | ({"task": scene.objects["leased"]} if on_page else {})


def request(scene: Scene, client: httpx.Client, method: str, path: str) -> httpx.Response:
    names = named(scene, path)
    body = BODIES.get((method, path))
    sent: dict[str, Any] = {"params": QUERIES.get((method, path))}
    if isinstance(body, bytes):
        sent["content"] = body
    elif body is not None:
        sent["json"] = filled(body, names)
    return client.request(method, path.format(**names), **sent)


def filled(body: Any, names: dict[str, str]) -> Any:
    if isinstance(body, dict):
        return {name: filled(value, names) for name, value in body.items()}
    if isinstance(body, list):
        return [filled(value, names) for value in body]
    return body.format(**names) if isinstance(body, str) and body.startswith("{") else body


def fingerprint(foundry: Foundry, tenant: str) -> dict[str, str]:
    """A hash of every row of a tenant in every table."""
    tables = foundry.sql(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' "
        "WHERE c.relnamespace = 'cupola'::regnamespace AND c.relkind = 'r' ORDER BY 1"
    )
    found = {}
    for (table,) in tables:
        rows = foundry.sql(f'SELECT t::text FROM "{table}" t WHERE tenant = %s ORDER BY 1', tenant)
        found[table] = hashlib.sha256(repr(rows).encode()).hexdigest()
    return found


def test_every_operation_with_an_identifier_is_covered(scene: Scene) -> None:
    missing = []
    for method, path, operation in operations(scene):
        known = set(scene.objects)
        unknown = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"} - known
        if unknown:
            missing.append(f"{method} {path}: no object for {sorted(unknown)}")
        if operation.get("requestBody") and (method, path) not in BODIES:
            missing.append(f"{method} {path}: no body")
    assert missing == []
    have = {(method, path) for method, path, _ in operations(scene)}
    assert set(BODIES) - have == set(), "bodies of routes that are gone"
    assert len(have) > 50


def test_nobody_meets_an_object_of_somebody_else_and_nothing_changes(scene: Scene) -> None:
    before = fingerprint(scene.foundry, scene.tenant)
    wrong = []
    for method, path, _ in operations(scene):
        for who, client in scene.intruders.items():
            if refused_by_role := role_refuses(path, who):
                allowed = refused_by_role
            elif who.startswith("a key") and (method, path) in OWNERS:
                allowed = {403}
            elif who == "the contributor who worked on it" and side(path) == "work":
                continue  # the rightful one
            elif who == "another contributor" and (method, path) in ON_OFFER:
                continue
            elif who == "a member of a lower role":
                continue  # may do much of it by right; what it may not is tested by itself
            else:
                allowed = {404}
            answer = request(scene, client, method, path)
            if answer.status_code not in allowed:
                wrong.append(f"{method} {path} as {who}: {answer.status_code} {answer.text[:120]}")
            elif answer.status_code in (403, 404) and scene.objects["project"] in answer.text:
                wrong.append(f"{method} {path} as {who}: the refusal tells of the object")
    assert wrong == [], "\n".join(wrong)
    assert fingerprint(scene.foundry, scene.tenant) == before


def role_refuses(path: str, who: str) -> set[int]:
    """The statuses of a refusal that never looks at the object; empty where the object decides."""
    if who == "nobody":
        return {401}
    contributors = who in ("another contributor", "the contributor who worked on it")
    if side(path) == "operator":
        return {403}
    if (side(path) == "work") != contributors:
        return {403}
    return set()


def test_a_member_of_a_lower_role_changes_nothing_that_needs_a_higher_one(scene: Scene) -> None:
    reviewer = scene.intruders["a member of a lower role"]
    allowed = {  # a reviewer's own verbs
        ("post", "/api/adjudication/{task}"),
        ("post", "/api/audits/{release}/items/{audit_item}"),
        ("post", "/api/releases/{release}/exports"),
        ("post", "/api/items/{item}/files"),
        ("post", "/api/submissions/{submission}/reject"),
    }
    wrong = []
    before = fingerprint(scene.foundry, scene.tenant)
    for method, path, _ in operations(scene):
        if method == "get" or side(path) != "tenant" or (method, path) in allowed:
            continue
        answer = request(scene, reviewer, method, path)
        if answer.status_code != 403:
            wrong.append(f"{method} {path}: {answer.status_code}")
    assert wrong == [], "\n".join(wrong)
    assert fingerprint(scene.foundry, scene.tenant) == before


def test_a_signed_address_of_a_blob_serves_only_whom_it_was_signed_for(scene: Scene) -> None:
    assert scene.rightful["tenant"].get(scene.blob_url).status_code == 200
    for who, client in scene.intruders.items():
        answer = client.get(scene.blob_url)
        assert answer.status_code in ((401,) if who == "nobody" else (403, 404)), who
        assert not answer.content.startswith(b"\x89PNG")
    bare = scene.blob_url.split("?")[0]
    assert scene.rightful["tenant"].get(bare).status_code in (400, 403, 404)


@pytest.mark.parametrize("who", ["a key of another tenant", "a key of the same organisation's other world"])
def test_an_identifier_inside_a_request_is_no_way_to_an_object_of_somebody_else(scene: Scene, who: str) -> None:
    client, ours = scene.intruders[who], scene.objects
    before = fingerprint(scene.foundry, scene.tenant)
    mine = client.post("/api/datasets", json={"name": "mine"}).json()["id"]
    version = client.post("/api/ontologies", json={"name": "mine", "spec": CHOICE}).json()["version_id"]
    offer = {"offer": {"price_minor": 5}}
    for body in (
        {"name": "p", "dataset": ours["dataset"], "ontology_version": version, **offer},
        {"name": "p", "dataset": mine, "ontology_version": ours["version"], **offer},
    ):
        assert client.post("/api/projects", json=body).status_code == 404
    own = {"name": "p", "dataset": mine, "ontology_version": version, **offer}
    project = client.post("/api/projects", json=own).json()["id"]
    answer = client.post(f"/api/projects/{project}/tasks", json={"dataset": ours["dataset"]})
    assert answer.status_code == 404 or answer.json() == {"created": 0, "pre_labels": None, "adding": None}
    assert client.get("/api/adjudication", params={"project": ours["project"]}).json()["items"] == []
    assert client.get("/api/transfers", params={"project": ours["project"]}).json()["items"] == []
    ours_blob = scene.blob_url.split("?")[0].rsplit("/", 1)[1]
    source = {"source": {"type": "upload", "upload": f"{ours_blob}/a.png"}}
    begun = client.post(f"/api/datasets/{mine}/imports", json=source)
    if begun.status_code == 201:  # the upload is looked for when the import runs
        tenant = scene.foundry.sql("SELECT tenant FROM import_run WHERE id = %s", begun.json()["id"])[0][0]
        scene.foundry.call(lambda run: jobs.run_import(run, tenant, UUID(begun.json()["id"])))
        assert client.get(f"/api/imports/{begun.json()['id']}").json()["accepted"] == 0
    assert fingerprint(scene.foundry, scene.tenant) == before


def test_the_stream_of_events_is_one_tenants(scene: Scene) -> None:
    client = scene.intruders["the owner of another tenant"]
    answer = client.get("/events", params={"tenant": scene.tenant}, headers={"Cupola-Tenant": scene.tenant})
    assert answer.status_code == 404


def test_the_rightful_user_meets_each_object_so_the_sweep_asked_for_something_that_is_there(scene: Scene) -> None:
    wrong = []
    last = ("delete", "stop", "return")  # what ends an object comes at the end
    ordered = sorted(operations(scene), key=lambda one: (one[0] == "delete", one[1].endswith(last), one[0] != "get"))
    for method, path, _ in ordered:
        answer = request(scene, scene.rightful[side(path)], method, path)
        if not (answer.is_success or answer.status_code in CONFLICTS):
            known = method == "get" and "/certificate" in path and answer.status_code == 404
            if not known:  # the release is not certified: the one thing here that is rightly absent
                wrong.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
    assert wrong == [], "\n".join(wrong)
