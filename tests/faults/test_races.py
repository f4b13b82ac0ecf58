"""Requests that meet: every pair of writing operations, several at once, the same names and the same objects.

Made from the OpenAPI document, so that a new operation is in it by itself. Whatever wins, nobody is told that it was
our fault, and the books hold.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from cupola.platform.pg.cluster import Cluster
from tests.foundry import CHOICE, fresh_foundry, moved_clock
from tests.security.test_other_peoples_objects import BODIES, QUERIES, Scene, build, filled, named, side
from tests.serving import Serving

# Bodies of the operations without an identifier in their address; {n} is the same within a pair, another in the next.
MORE: dict[tuple[str, str], Any] = {
    ("post", "/api/datasets"): {"name": "set {n}"},
    ("post", "/api/ontologies"): {"name": "words {n}", "spec": CHOICE},
    ("post", "/api/projects"): {
        "name": "project {n}",
        "dataset": "{dataset}",
        "ontology_version": "{version}",
        "offer": {"price_minor": 10},
        "plan": {"gold_rate": 0.0},
    },
    ("post", "/api/keys"): {"name": "key {n}"},
    ("post", "/api/models"): {"name": "model {n}"},
    ("post", "/api/invitations"): {"role": "reviewer", "email": "somebody{n}@example.org"},
    ("post", "/api/tenants"): {"name": "organisation {n}"},
    ("post", "/api/contributors"): {"people": [{"name": "p", "email": "p{n}@example.org"}]},
    ("put", "/api/orders/terms"): {"price_minor": 10, "currency": "EUR"},
    ("patch", "/api/session/person"): {"name": "Another {n}"},
    ("post", "/api/invitations/confirm"): {"email": "somebody{n}@example.org"},
    ("post", "/api/invitations/withdraw"): {"email": "somebody{n}@example.org"},
    ("post", "/api/money/fund"): {"amount_minor": 1, "currency": "EUR"},
    ("post", "/api/operator/aside/retry"): {"tenant": "{tenant}", "consumer": "aggregate", "project": "{project}"},
    ("post", "/api/orders/deliveries"): {"project": "nobody's", "name": "delivery {n}"},
    ("post", "/api/password-links"): {"email": "op@example.org"},
    ("post", "/api/projects/estimate"): {"items": 10, "offer": {"price_minor": 10}},
    ("put", "/api/work/payouts/details"): {"rail": "csv", "details": {"holder": "A. Body", "account": "1{n}"}},
    ("post", "/api/work/payouts"): {"currency": "EUR"},
    ("post", "/api/operator/payouts/batches"): {"rail": "csv", "currency": "EUR"},
    ("post", "/api/submissions/accept"): {"submissions": ["{submission}"]},
    ("put", "/api/work/profile"): {"languages": ["zh"], "fields": ["field {n}"], "country": "DE"},
    ("post", "/api/work/credentials"): {"kind": "degree", "subject": "subject {n}"},
    ("post", "/api/operator/credentials"): b"email,kind,subject,verifier\nada@example.org,degree,medicine,Dr. Who\n",
    ("post", "/api/eligibility/look"): {"expression": 'degree("medicine")'},
    ("post", "/api/webhooks"): {"url": "https://example.org/hook/{n}", "events": ["*"]},
}
OPERATORS = {
    *("/api/tenants", "/api/contributors", "/api/operator/aside/retry", "/api/password-links", "/api/money/fund"),
    "/api/operator/payouts/batches",
    "/api/operator/credentials",
}
# Not raced with all the others, and why.
_ENDS = "ends the scene for everybody else; raced by itself below"
_HASHES = "hashes a password, which is slow and touches nobody else's rows"
_ONCE = "takes a link that works once; raced where links are tested"
APART = {
    ("delete", "/api/session"): "ends the session of the scene",
    ("put", "/api/session/password"): _HASHES,
    ("post", "/api/session"): _HASHES,
    ("post", "/api/first-admin"): _ONCE,
    ("post", "/api/invitations/accept"): _ONCE,
    ("delete", "/api/members/{person}"): "ends the member of the scene",
    ("delete", "/api/contributors/{person}/tokens"): "ends the contributor of the scene",
    ("post", "/api/projects/{project}/stop"): _ENDS,
    ("delete", "/api/keys/{key}"): _ENDS,
    ("delete", "/api/webhooks/{webhook}"): _ENDS,
}
# Refused as they stand in this scene, by a rule that is looked up under the same locks.
REFUSED = {
    ("post", "/api/invitations/confirm"): "an owner invited, so nothing waits to be confirmed",
    ("post", "/api/invitations/withdraw"): "whoever was invited under this number was invited in another meeting",
    ("post", "/api/operator/aside/retry"): "nothing is set aside",
    ("post", "/api/projects/{project}/gold"): "the scene's one free item is a task's by then",
    ("post", "/api/orders/deliveries"): "there is no client's project; those are raced with clients' requests",
}
PAIRS = 500  # of all, drawn anew by the seed in the test's name
Operation = tuple[str, str]


@pytest.fixture(scope="module")
def scene(cluster: Cluster, foundry_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with (
        fresh_foundry(cluster, foundry_template, tmp_path_factory.mktemp("races")) as foundry,
        foundry.http() as url,
    ):
        serving = Serving(url, foundry.admin_url, foundry.runtime, foundry.loop, None)  # type: ignore[arg-type]
        yield build(foundry, serving, url)


def writing(scene: Scene) -> list[Operation]:
    document = httpx.get(f"{scene.url}/openapi.json").json()
    return [
        (method, path)
        for path, methods in document["paths"].items()
        for method in methods
        if method != "get" and path.startswith("/api/")
    ]


def send(scene: Scene, operation: Operation, n: int) -> httpx.Response:
    method, path = operation
    names = named(scene, path)
    body = BODIES.get(operation, MORE.get(operation, {}))
    given: dict[str, Any] = {"params": QUERIES.get(operation)}
    if isinstance(body, bytes):
        given["content"] = body
    else:
        given["json"] = numbered(filled(body, names), n)
    who = "operator" if path in OPERATORS else side(path)
    return scene.rightful[who].request(method, path.format(**names), **given)


def numbered(body: Any, n: int) -> Any:
    if isinstance(body, dict):
        return {name: numbered(value, n) for name, value in body.items()}
    if isinstance(body, list):
        return [numbered(value, n) for value in body]
    return body.replace("{n}", str(n)) if isinstance(body, str) else body


SEEN: dict[Operation, set[int]] = {}


def test_every_writing_operation_has_a_body_or_says_why_it_is_not_raced(scene: Scene) -> None:
    document = httpx.get(f"{scene.url}/openapi.json").json()["paths"]
    bare = [
        (method, path)
        for method, path in writing(scene)
        if "requestBody" in document[path][method]
        and document[path][method]["requestBody"].get("required", False)
        and (method, path) not in BODIES
        and (method, path) not in MORE
        and (method, path) not in APART
    ]
    assert bare == []
    assert set(APART) <= set(writing(scene)), "routes that are gone"


def clash(scene: Scene, threads: ThreadPoolExecutor, operations: list[Operation], n: int) -> list[str]:
    """Send all at once; returns those that were told of a fault of ours."""
    answers = list(threads.map(lambda one: (one, send(scene, one, n)), operations))
    for one, answer in answers:
        SEEN.setdefault(one, set()).add(answer.status_code)
    return [f"{one}: {answer.status_code} {answer.text[:200]}" for one, answer in answers if answer.status_code >= 500]


def test_the_same_request_many_times_at_once(scene: Scene) -> None:
    with ThreadPoolExecutor(8) as threads:
        wrong = [
            fault
            for n, operation in enumerate(writing(scene))
            if operation not in APART
            for fault in clash(scene, threads, [operation] * 8, n)
        ]
    assert wrong == [], "\n".join(wrong)
    # a request that is refused before anything is looked at races with nothing
    vain = {one: told for one, told in SEEN.items() if told <= {400, 401, 403, 404, 415} and one not in REFUSED}
    assert vain == {}


@pytest.mark.parametrize(("seed", "clock_s"), [(1, 0), (2, -7_200), (3, 7_200)])
def test_every_two_requests_at_once(scene: Scene, seed: int, clock_s: float) -> None:
    pairs = list(itertools.combinations([one for one in writing(scene) if one not in APART], 2))
    assert len(pairs) > 700
    drawn = random.Random(seed).sample(pairs, PAIRS if clock_s == 0 else PAIRS // 4)
    with ThreadPoolExecutor(6) as threads, moved_clock(clock_s):
        wrong = [
            fault
            for n, (a, b) in enumerate(drawn)
            for fault in clash(scene, threads, [a, b, a, b, a, b], 1_000 * seed + n)
        ]
    assert wrong == [], "\n".join(wrong)
    scene.foundry.sound()


def test_what_ends_a_thing_while_it_is_used(scene: Scene) -> None:
    ends = [
        ("delete", "/api/webhooks/{webhook}"),
        ("delete", "/api/keys/{key}"),
        ("post", "/api/projects/{project}/stop"),
    ]
    with ThreadPoolExecutor(8) as threads:
        for n, end in enumerate(ends):
            others = [one for one in writing(scene) if one not in APART]
            wrong = clash(
                scene, threads, [*others[: len(others) // 2], end, end, *others[len(others) // 2 :]], 5_000 + n
            )
            assert wrong == [], "\n".join(wrong)
    scene.foundry.hear()
    scene.foundry.sound()


def test_versions_made_at_once_are_all_made_and_numbered_in_a_row(scene: Scene) -> None:
    client = scene.rightful["tenant"]
    made = client.post("/api/ontologies", json={"name": "many versions", "spec": CHOICE}).json()["id"]
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda _: client.post(f"/api/ontologies/{made}/versions", json={"spec": CHOICE}), range(8))
        )
    assert [answer.status_code for answer in answers] == [201] * 8, [answer.text for answer in answers]
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, 10))
