"""What a request may ask: words that its address knows, each once, whole numbers in plain digits, members once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from cupola.app import asked, http
from cupola.kernel.errors import Problem
from cupola.kernel.members import each_once, named_twice
from cupola.tasks.working import saying
from tests.foundry import Foundry

NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def url(foundry: Foundry) -> Iterator[str]:
    with foundry.http() as served:
        yield served


def operations(url: str, *methods: str) -> list[tuple[str, str, dict[str, Any]]]:
    paths = httpx.get(f"{url}/openapi.json").json()["paths"]
    return [
        (method, path, operation)
        for path, operations in paths.items()
        for method, operation in operations.items()
        if method in methods and asked.SIGNED not in operation.get("tags", [])
    ]


def at(path: str) -> str:
    return "/".join(NOBODY if "{" in part else part for part in path.split("/"))


def refused(answer: httpx.Response, code: str, place: str) -> bool:
    told = answer.json()
    return answer.status_code == 400 and told["code"] == code and told["place"] == place


def test_a_word_that_an_address_does_not_know_is_refused_by_its_name_everywhere(url: str) -> None:
    found = operations(url, "get", "post", "put", "patch", "delete")
    assert len(found) > 100
    with httpx.Client(base_url=url) as client:
        passed = [
            (method, path)
            for method, path, _ in found
            if not refused(client.request(method, at(path), params={"stat": "open"}), "query-unknown", "?stat")
        ]
    assert passed == []


def test_the_refusal_names_the_words_that_there_are(url: str) -> None:
    told = httpx.get(f"{url}/api/projects", params={"nmae": "x"}).json()
    assert "'nmae'" in told["detail"]
    assert {"cursor", "limit"} <= set(told["remedy"].removeprefix("It knows ").rstrip(".").split(", "))


def test_whole_numbers_are_written_in_plain_digits_and_words_are_given_once(url: str) -> None:
    asked = [
        (path, one["name"])
        for _, path, operation in operations(url, "get")
        for one in operation.get("parameters", ())
        if one["in"] == "query"
        and "integer" in (one["schema"].get("type"), *(o.get("type") for o in one["schema"].get("anyOf", ())))
    ]
    assert len(asked) > 20
    with httpx.Client(base_url=url) as client:
        for path, name in asked:
            for odd in ("1_0", " 10", "+10", "１０", "1e1", "10.0", "0x10", ""):
                answer = client.get(f"{at(path)}?{name}={quote(odd)}")
                assert refused(answer, "query-invalid", f"?{name}"), (path, name, odd, answer.text)
            answer = client.get(f"{at(path)}?{name}=1&{name}=2")
            assert refused(answer, "query-twice", f"?{name}"), (path, name, answer.text)


def test_a_member_that_stands_twice_in_a_body_is_refused_by_its_name_everywhere(url: str) -> None:
    found = [one for one in operations(url, "post", "put", "patch") if "requestBody" in one[2]]
    bodies = [one for one in found if "application/json" in one[2]["requestBody"]["content"]]
    assert len(bodies) > 50
    with httpx.Client(base_url=url, headers={"Content-Type": "application/json"}) as client:
        answers = [
            (path, client.request(method, at(path), content=b'{"a": {"b": 1, "b": 2}}')) for method, path, _ in bodies
        ]
    passed = [path for path, answer in answers if not refused(answer, "member-twice", "b")]
    raw = {path for path in passed if path.startswith("/api/work/assignments/")}  # decoded once the sender is known
    assert set(passed) == raw, passed


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b'{"a": 1, "a": 1}', "a"),
        (b'[{"x": [{"label": "cat", "id": 1, "label": "dog"}]}]', "label"),
        ('{"é": 1, "\\u00e9": 2}'.encode(), "é"),  # the same name, written otherwise
        ('{"e\u0301": 1, "é": 2}'.encode(), None),  # two names that look alike
        ('{"a": 1, "a": 2}'.encode("utf-16"), "a"),
        (b'{"a": {"a": {"a": []}}, "b": [{"a": 1}, {"a": 2}]}', None),
        (b"{", None),
        (b"\xff", None),
        (b"", None),
    ],
)
def test_names_are_compared_as_they_are_read(text: bytes, name: str | None) -> None:
    assert named_twice(text) == name
    if name is not None:
        with pytest.raises(Problem) as told:
            each_once(text)
        assert told.value.code == "member-twice"


def test_a_judgement_that_says_two_things_is_refused() -> None:
    label = '{"kind": "choice", "value": "cat", "value": "dog"}'
    with pytest.raises(Problem) as told:
        saying.decoded(f'{{"fence": 1, "judgements": [{{"task": "{NOBODY}", "label": {label}}}]}}'.encode())
    assert told.value.code == "member-twice"


def test_a_fault_of_ours_is_numbered_counted_and_guarded_like_any_answer() -> None:
    sent: list[Any] = []

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError("no such thing")

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    app = http.observe.Observe(http.Headers(http.Bugs(broken), csp="default-src 'self'"))
    asyncio.run(app(scope, receive, send))
    heads = dict(sent[0]["headers"])
    assert sent[0]["status"] == 500
    assert heads[b"content-security-policy"] == b"default-src 'self'"
    assert len(heads[b"x-request-id"]) > 5
    assert heads[b"x-request-id"] in sent[1]["body"]  # the number that people are asked to tell


def test_a_signed_address_is_read_whole_by_its_own_check(url: str) -> None:
    """Its words are its signature: a stranger's is refused for that, and not for what it is made of."""
    paths = httpx.get(f"{url}/openapi.json").json()["paths"]
    signed = [path for path, one in paths.items() if asked.SIGNED in one.get("get", {}).get("tags", [])]
    assert {"/blobs/{tenant}/{sha256}", "/frames/{tenant}/{sha256}", "/references"} <= set(signed)
    for path in signed:
        answer = httpx.get(f"{url}{at(path)}", params={"until": "1", "as": "x", "of": "y", "signature": "z"})
        assert answer.json()["code"] != "query-unknown", path
