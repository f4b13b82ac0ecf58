"""Clients' requests that meet: every two writing operations of the other API, several at once, on the same things.

Made from the table of operations, so that a new one is in it by itself or fails the first test. Nobody is told of a
fault of ours, with the clock as it is, set back and set forward; the books hold.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from cupola.compat.scale.routes import OPERATIONS
from cupola.kernel import ids
from cupola.platform.pg.cluster import Cluster
from tests.foundry import Foundry, fresh_foundry, moved_clock
from tests.serving import Serving

# Not raced, and why.
APART = {
    "POST /v1/files/import": "fetches from elsewhere; placing what it fetched is a job of its own",
    "POST /v1/teams/remove": "ends the only teammate of the scene",
}
_FIELDS = {
    "fields": [{"type": "text", "field_id": "words"}],
    "attachments": [{"type": "text", "content": "words"}],
    "project": "papers",
    "batch": "first",
}
# {n} is the same within a meeting and another in the next.
BODIES: dict[str, Any] = {
    "POST /v1/task/{type}": {**_FIELDS, "unique_id": "u{n}", "clear_unique_id_on_error": True},
    "POST /v1/task/{task}/cancel": {},
    "POST /v1/task/{task}/audit": {"accepted": True, "comments": "good {n}"},
    "POST /v1/task/{task}/unique_id": {"unique_id": "mine{n}"},
    "DELETE /v1/task/{task}/unique_id": {},
    "POST /v1/task/{task}/setMetadata": {"n": "{n}"},
    "POST /v1/task/{task}/tags": ["a{n}", "b"],
    "PUT /v1/task/{task}/tags": ["c{n}"],
    "DELETE /v1/task/{task}/tags": ["b"],
    "POST /v1/task/{task}/priority": {"priority": 20},
    "POST /v1/evaluation_tasks/{type}": {**_FIELDS, "expected_response": {"annotations": {"words": [["right"]]}}},
    "POST /v1/training_tasks/{type}": {**_FIELDS, "expected_response": {"annotations": {"words": [["right"]]}}},
    "POST /v1/batches": {"project": "papers", "name": "batch {n}"},
    "POST /v1/batches/{name}/finalize": {},
    "POST /v1/batches/{name}/setMetadata": {"n": "{n}"},
    "POST /v1/projects": {"name": "project {n}", "type": "textcollection", "params": {}},
    "POST /v1/projects/{name}/setParams": {"instruction": "look well {n}"},
    "POST /v1/files/upload": {"project_name": "papers"},
    "POST /v1/teams/invite": {"emails": ["mate{n}@example.org"], "team_role": "member"},
    "POST /v1/teams/set_role": {"emails": ["mate@example.org"], "team_role": "manager"},
    "POST /v1/studio/assignments/add": {"emails": ["mate@example.org"], "projects": ["papers"]},
    "POST /v1/studio/assignments/remove": {"emails": ["mate@example.org"], "projects": ["papers"]},
    "POST /v1/studio/projects/{project}/groups": {"name": "group {n}", "emails": ["mate@example.org"]},
    "PUT /v1/studio/projects/{project}/groups/{group}": {"add_emails": ["mate@example.org"], "remove_emails": []},
    "PUT /v1/studio/batches/{batch}": {"groups": ["group"]},
    "POST /v1/studio/batches/set_priorities": {"batch_names": ["first"]},
    "POST /v1/studio/batches/reset_priorities": {},
    "POST /v2/batch": {"project_name": "papers", "name": "second {n}"},
    "POST /v2/batch/finalize": {"batch_name": "third"},
    "POST /v2/batch/pause": {"batch_name": "first"},
    "POST /v2/batch/resume": {"batch_name": "first"},
    "POST /v2/batch/cancel": {"batch_name": "other"},
    "POST /v2/batch/metadata": {"batch_name": "first", "metadata": {"n": "{n}"}},
    "POST /v2/task/metadata": {"task_id": "{task}", "metadata": {"n": "{n}"}},
    "POST /v2/task/chat": {"project_name": "talks", "batch_name": "talk", "metadata": {"n": "{n}"}},
    # ours, on the same things
    "POST /api/orders/deliveries": {"project": "papers", "name": "delivery {n}"},
    "POST /api/orders/callbacks/{callback}/resend": {},
}
OURS = [one for one in BODIES if "/api/" in one]
PAIRS = 150  # of all, drawn by the seed in the test's name


@dataclass
class Scene:
    foundry: Foundry
    client: httpx.Client
    names: dict[str, str]
    answers: dict[str, Counter[int]] = field(default_factory=dict)

    def send(self, operation: str, n: int) -> str | None:
        """What the client was told, where that is a fault of ours."""
        method, pattern = operation.split()
        other = {"name": "first"} if "/batches/" in pattern else {}
        if pattern.endswith("/audit"):
            other = {"task": self.names["done"]}
        body = numbered(BODIES[operation], n, self.names)
        sent: dict[str, Any] = {"json": body}
        if operation == "POST /v1/files/upload":
            sent = {"data": body, "files": {"file": ("a.txt", b"words %d" % n, "text/plain")}}
        answer = self.client.request(method, pattern.format(**self.names | other), **sent)
        self.answers.setdefault(operation, Counter())[answer.status_code] += 1
        return f"{operation}: {answer.status_code} {answer.text[:200]}" if answer.status_code >= 500 else None


def numbered(body: Any, n: int, names: dict[str, str]) -> Any:
    if isinstance(body, dict):
        return {name: numbered(value, n, names) for name, value in body.items()}
    if isinstance(body, list):
        return [numbered(value, n, names) for value in body]
    return body.replace("{n}", str(n)).replace("{task}", names["task"]) if isinstance(body, str) else body


def writing() -> list[str]:
    found = [f"{one.method} {one.pattern}" for one in OPERATIONS if one.method != "GET"]
    return [one for one in [*found, *OURS] if one not in APART]


@pytest.fixture(scope="module")
def scene(cluster: Cluster, foundry_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("orders")
    with fresh_foundry(cluster, foundry_template, folder) as foundry, foundry.http() as url:
        serving = Serving(url, foundry.admin_url, foundry.runtime, foundry.loop, None)  # type: ignore[arg-type]
        owner = serving.owner("Racing")
        owner.client.headers["Cupola-Tenant"] = owner.tenant
        with serving.key(owner) as client:

            def made(path: str, body: Any) -> Any:
                answer = client.post(path, json=body)
                assert answer.is_success, f"{path}: {answer.text}"
                return answer.json()

            for name, kind in (("papers", "textcollection"), ("talks", "chat")):
                made("/v1/projects", {"name": name, "type": kind, "params": {}, "studio": True})
            for batch in ("first", "other", "third"):
                made("/v1/batches", {"project": "papers", "name": batch})
            made("/v1/batches", {"project": "talks", "name": "talk"})
            task = made("/v1/task/textcollection", {**_FIELDS, "unique_id": "the one"})["task_id"]
            done = made("/v1/task/textcollection", {**_FIELDS, "unique_id": "answered"})["task_id"]
            foundry.sql("UPDATE order_task SET state = 1, response = '{}', completed_at = now() WHERE id = %s", done)
            callback = str(ids.uuid7())
            foundry.sql(
                "INSERT INTO order_callback (tenant, id, task, kind, url, body, state, created_at) "
                "VALUES (%s, %s, %s, 'completed', 'http://127.0.0.1:9/', '{}', 'failed', now())",
                *(owner.tenant, callback, done),
            )
            made("/v1/teams/invite", {"emails": ["mate@example.org"], "team_role": "member"})
            made("/v1/studio/projects/papers/groups", {"name": "group", "emails": ["mate@example.org"]})
            there = {"name": "papers", "project": "papers", "group": "group", "batch": "first"}
            names = {"task": task, "done": done, "type": "textcollection", "callback": callback, **there}
            yield Scene(foundry, client, names)


def clash(scene: Scene, threads: ThreadPoolExecutor, operations: list[str], n: int) -> list[str]:
    return [told for told in threads.map(lambda one: scene.send(one, n), operations) if told is not None]


def test_every_writing_operation_is_raced_or_says_why_not() -> None:
    assert set(BODIES) == set(writing())
    assert set(APART) <= {f"{one.method} {one.pattern}" for one in OPERATIONS}
    assert len(writing()) > 30


def test_the_same_request_many_times_at_once(scene: Scene) -> None:
    with ThreadPoolExecutor(6) as threads:
        wrong = [fault for n, one in enumerate(writing()) for fault in clash(scene, threads, [one] * 6, n)]
    assert wrong == [], "\n".join(wrong)
    # a request that is always refused as it stands races with nothing
    vain = {one: dict(told) for one, told in scene.answers.items() if set(told) <= {400, 401, 403, 404}}
    assert vain == {}
    scene.foundry.sound()


@pytest.mark.parametrize("clock_s", [0, -7_200, 7_200])
def test_every_two_requests_at_once(scene: Scene, clock_s: float) -> None:
    pairs = list(itertools.combinations(writing(), 2))
    drawn = random.Random(clock_s).sample(pairs, PAIRS)
    with ThreadPoolExecutor(4) as threads, moved_clock(clock_s):
        wrong = [
            fault
            for n, (a, b) in enumerate(drawn)
            for fault in clash(scene, threads, [a, b, a, b], 1_000 + n + int(clock_s))
        ]
    assert wrong == [], "\n".join(wrong)
    scene.foundry.sound()
