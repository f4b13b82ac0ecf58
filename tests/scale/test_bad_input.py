"""Wrong bodies of every type are refused by name with 400, and nothing makes the server fail."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from cupola.compat.scale.types import TYPES
from tests.scale.bodies import RAW, VALID, WRONG
from tests.scale.conftest import World, new_world
from tests.serving import Serving

TAKEN = sorted(TYPES)


@pytest.fixture(scope="module")
def shared(served: Serving) -> World:
    return new_world(served)


@pytest.fixture(scope="module")
def http(shared: World) -> httpx.Client:
    return httpx.Client(base_url=shared.served.url, auth=(shared.test_key, ""), timeout=60)


def test_there_is_a_body_for_every_type() -> None:
    assert sorted(VALID) == TAKEN


@pytest.mark.parametrize("name", TAKEN)
def test_a_valid_body_is_taken_and_a_test_task_is_answered_in_its_form(http: httpx.Client, name: str) -> None:
    answer = http.post(f"/v1/task/{name}", json={**VALID[name], "something_unknown": 1, "metadata": {"a": None}})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["params"]["something_unknown"]) == ("completed", 1)
    assert isinstance(answer.json()["response"], dict)


@pytest.mark.parametrize("name", TAKEN)
def test_a_live_task_without_an_editor_waits_and_says_so(shared: World, name: str) -> None:
    answer = httpx.post(f"{shared.served.url}/v1/task/{name}", json=VALID[name], auth=(shared.live_key, ""))
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["waiting_for"] in ("editor", "frames", "placing")) == (
        "pending",
        True,
    )


@pytest.mark.parametrize("name", TAKEN)
def test_each_wrong_parameter_is_refused_and_named(http: httpx.Client, name: str) -> None:
    refused = 0
    for parameter in VALID[name]:
        answer = http.post(f"/v1/task/{name}", json={k: v for k, v in VALID[name].items() if k != parameter})
        assert answer.status_code in (200, 400)
        for what, value in WRONG.items():
            answer = http.post(f"/v1/task/{name}", json={**VALID[name], parameter: value})
            assert answer.status_code in (200, 400), f"{parameter} as {what}: {answer.status_code} {answer.text[:200]}"
            if answer.status_code == 400:
                refused += 1
                assert answer.json().keys() == {"status_code", "error"}
                assert parameter in answer.json()["error"], f"{parameter} as {what}: {answer.json()['error'][:200]}"
    assert refused >= 3 * len(VALID[name])


@pytest.mark.parametrize("what", RAW)
def test_what_is_no_body_is_refused(http: httpx.Client, what: str) -> None:
    headers = {"Content-Type": "application/json"}
    for path in ("/v1/task/categorization", "/v1/evaluation_tasks/imageannotation", "/v1/batches", "/v1/projects"):
        answer = http.post(path, content=RAW[what], headers=headers)
        assert answer.status_code == 400, f"{path}: {answer.status_code} {answer.text[:200]}"


COMMON: dict[str, list[Any]] = {
    "instruction": [7.5, ["a"], {"a": 1}, "x" * 300_000],
    "callback_url": [7, ["a"], "not a url", "x" * 10_000, "http://", "http://[", "http://0/"],
    "unique_id": [7.5, True, "", "x" * 1_001, ["a"]],
    "metadata": [7, "a", ["a"], {"a": "x" * 100_000}],
    "tags": [7, "a", [1.5], [""], ["x" * 400], [f"t{n}" for n in range(200)]],
    "priority": [-1, 1_001, "high", True, 1e300],
    "clear_unique_id_on_error": ["yes", 2],
}


@pytest.mark.parametrize("parameter", COMMON)
def test_common_parameters_are_checked(http: httpx.Client, parameter: str) -> None:
    for value in COMMON[parameter]:
        answer = http.post("/v1/task/categorization", json={**VALID["categorization"], parameter: value})
        assert answer.status_code == 400, f"{parameter} = {str(value)[:60]}: {answer.status_code}"
        assert parameter in answer.json()["error"]


def test_a_million_labels_and_twenty_megabytes_are_refused(http: httpx.Client) -> None:
    many = json.dumps({**VALID["categorization"], "categories": [f"c{n}" for n in range(1_000_000)]}).encode()
    for body in (many, b'{"attachment": "' + b"x" * 20_000_000 + b'"}'):
        answer = http.post("/v1/task/categorization", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, answer.text[:200]


def test_odd_addresses_and_queries_are_refused(http: httpx.Client) -> None:
    for path in (
        "/v1/projects/%00",
        "/v1/projects/%ff",
        "/v1/batches/%00/status",
        "/v1/task/%00",
        "/v1/studio/batches",
    ):
        assert http.get(path).status_code in (200, 400, 404)
    for query in ("tags=%00", "unique_id=%ff", "limit=9999999999999999999999", "start_time=99999-01-01", "project=%00",
                  "next_token=" + "A" * 5_000, "customer_review_status=odd",
                  "completed_after=0001-01-01T00:00:00%2B14:00",
                  "include_attachment_url=maybe", "limit=%D9%A1"):  # fmt: skip
        assert http.get(f"/v1/tasks?{query}").status_code in (400, 404), query
    assert http.request("PATCH", "/v1/tasks").status_code == 404
    assert http.post("/v1/files/upload", content=b"x", headers={"Content-Type": "application/json"}).status_code == 400
    broken = {"Content-Type": "multipart/form-data; boundary=b"}
    assert http.post("/v1/files/upload", content=b"--b\r\nnonsense", headers=broken).status_code == 400
