"""Requests made from the OpenAPI document, right ones and broken ones: no server error, no undocumented status."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from cupola.platform.pg.cluster import Cluster
from tests.foundry import fresh_foundry
from tests.security.test_other_peoples_objects import Scene, build
from tests.serving import Serving

EXAMPLES = 6
# Not asked here: a stream that never ends, and what would end the session that the sweep itself needs.
LEFT_OUT = {("get", "/events"), ("delete", "/api/session"), ("put", "/api/session/password")}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scene(cluster: Cluster, foundry_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with fresh_foundry(cluster, foundry_template, tmp_path_factory.mktemp("fuzz")) as foundry, foundry.http() as url:
        serving = Serving(url, foundry.admin_url, foundry.runtime, foundry.loop, None)
        found = build(foundry, serving, url)
        serving.operator().client.headers["Cupola-Tenant"] = found.tenant
        yield found


def problems(scene: Scene, operation: Any) -> list[str]:
    """What is wrong with the answers to an operation, each with a request that shows it."""
    wrong: dict[str, str] = {}
    work = operation.path.startswith("/api/work/")
    client = scene.rightful["work" if work else "operator"]
    headers = dict(client.headers)
    cookies = dict(client.cookies)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=operation.as_strategy() | operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE),
        real=st.booleans(),
    )
    def one(case: Any, real: bool) -> None:
        if real and case.path_parameters:
            names = scene.objects
            case.path_parameters = {name: names.get(name, value) for name, value in case.path_parameters.items()}
        answer = case.call(base_url=scene.url, headers=headers, cookies=cookies, timeout=60)
        sent = f"{answer.request.url} {str(answer.request.body)[:400]}"
        for check in (not_a_server_error, status_code_conformance, content_type_conformance):
            try:
                case.validate_response(answer, checks=[check])
            except FailureGroup as failed:
                name = f"{check.__name__} {answer.status_code}"
                said = "; ".join(str(error)[:200] for error in failed.exceptions)
                wrong.setdefault(name, f"{name}: {said}\n{answer.content[:300]!r}\n{sent}")

    one()
    return [f"{operation.method} {operation.path}: {text}" for text in wrong.values()]


def test_no_request_makes_a_server_error_or_an_undocumented_answer(scene: Scene) -> None:
    schema = schemathesis.openapi.from_url(f"{scene.url}/openapi.json")
    schema.config.output.sanitization.enabled = False
    wrong: list[str] = []
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if (operation.method, operation.path) in LEFT_OUT:
            continue
        asked += 1
        wrong += problems(scene, operation)
    assert wrong == [], "\n\n".join(wrong)
    assert asked > 70


BIG = 2**70
# Requests that once went wrong, or well might: each is refused, none is an accident.
CORPUS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("work", "GET", "/api/work/statement?from=yesterday", {}),
    ("work", "GET", "/api/work/statement?to=0001-01-01T00:00:00Z", {}),
    ("work", "GET", "/api/work/statement?from=2025-01-01T00:00:00Z&to=2024-01-01T00:00:00Z", {}),
    ("work", "POST", "/api/work/assignments/{assignment}/heartbeat", {"json": {"fence": BIG}}),
    ("work", "POST", "/api/work/assignments/{assignment}/heartbeat", {"json": {"fence": -1}}),
    ("work", "POST", "/api/work/assignments/{assignment}/return", {"json": {"fence": BIG, "reason": "other"}}),
    ("work", "POST", "/api/work/assignments/{assignment}/return", {"json": {"fence": 1, "reason": "bored"}}),
    ("work", "POST", "/api/work/assignments/{assignment}/submit", {"content": b"[" * 100_000}),
    ("work", "POST", "/api/work/assignments/{assignment}/submit", {"content": b'{"fence":1,"judgements":[{}]}'}),
    ("work", "POST", "/api/work/assignments/{assignment}/submit", {"content": b"\xff\xfe"}),
    ("work", "POST", "/api/work/projects/{project}/claim", {"json": {"tasks": 51}}),
    ("work", "POST", "/api/work/projects/{project}/claim", {"json": {}, "headers": {"Idempotency-Key": "x" * 201}}),
    ("tenant", "GET", "/api/projects?cursor=nonsense", {}),
    ("tenant", "GET", "/api/projects?limit=0", {}),
    ("tenant", "GET", "/api/projects?limit=101", {}),
    ("tenant", "GET", "/api/projects/{project}/tasks?ref=%00", {}),
    ("tenant", "POST", "/api/money/fund", {"json": {"amount_minor": BIG}}),
    ("tenant", "POST", "/api/money/fund", {"json": {"amount_minor": 1.5}}),
    ("tenant", "POST", "/api/money/fund", {"json": {"amount_minor": -1}}),
    ("tenant", "POST", "/api/projects/{project}/allot", {"json": {"amount_minor": 1, "currency": "USD"}}),
    ("tenant", "POST", "/api/projects/{project}/allot", {"json": {"amount_minor": 10**14}}),
    ("tenant", "POST", "/api/projects/{project}/offers", {"json": {"price_minor": 1}}),
    ("tenant", "POST", "/api/datasets", {"json": {"name": "a\x00b"}}),
    ("tenant", "POST", "/api/ontologies", {"json": {"name": "a\x00b", "spec": {"kind": "choice", "classes": []}}}),
    ("tenant", "POST", "/api/adjudication/{task}", {"json": {"label": {"kind": "choice", "values": ["no such"]}}}),
    ("tenant", "POST", "/api/adjudication/{task}", {"json": {}}),
    ("tenant", "POST", "/api/webhooks", {"json": {"url": "http://127.0.0.1:5432/", "events": ["*"]}}),
    ("tenant", "POST", "/api/webhooks", {"json": {"url": "http://169.254.169.254/latest", "events": ["*"]}}),
    ("tenant", "POST", "/api/webhooks", {"json": {"url": "http://[::ffff:10.0.0.1]/", "events": ["*"]}}),
    ("tenant", "GET", "/api/exports/{export}/file", {"headers": {"Range": "bytes=9-1"}}),
]


def test_each_bad_request_we_know_of_is_refused_with_what_to_do(scene: Scene) -> None:
    wrong = []
    for who, method, path, sent in CORPUS:
        answer = scene.rightful[who].request(method, path.format(**scene.objects), **sent)
        if "to=0001" in path:  # an empty span of the far past is no mistake
            assert answer.status_code in (200, 400), answer.text
            continue
        if not 400 <= answer.status_code < 500:
            wrong.append(f"{method} {path} {str(sent)[:80]}: {answer.status_code} {answer.text[:200]}")
        elif not (answer.json().get("remedy") or answer.json().get("place")):
            wrong.append(f"{method} {path} {str(sent)[:80]}: neither remedy nor place in {answer.text[:200]}")
    assert wrong == [], "\n".join(wrong)


def test_an_estimate_for_ten_thousand_classes_costs_no_more_than_for_a_few(scene: Scene) -> None:
    body = {"items": 1_000_000, "classes": 10_000, "offer": {"price_minor": 5}}
    answer = scene.rightful["tenant"].post("/api/projects/estimate", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    # each item is judged by the crowd, or left to experts where the crowd is not worth asking
    assert answer.json()["judgements"]["likely"] + answer.json()["experts"]["likely"] >= 1_000_000
