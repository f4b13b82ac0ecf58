"""What a stranger may cost before anybody knows who they are: heads, bodies, depth, slow hands."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from cupola.app import wire
from cupola.kernel import limits
from tests.foundry import Foundry
from tests.serving import Serving


@pytest.fixture(scope="module")
def url(foundry: Foundry) -> Iterator[str]:
    with foundry.http() as served:
        yield served


@contextlib.contextmanager
def raw(url: str) -> Iterator[socket.socket]:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60) as sock:
        yield sock


def answer(sock: socket.socket) -> bytes:
    """Everything until the other side ends the connection."""
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while part := sock.recv(65_536):
            got += part
    return got


def head(path: str, *headers: str, method: str = "POST") -> bytes:
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: x", *headers, "", "")).encode()


def pump(sock: socket.socket, piece: bytes, times: int) -> int:
    """Send until the other side has had enough; returns the bytes that it took."""
    sent = 0
    try:
        for _ in range(times):
            sock.sendall(piece)
            sent += len(piece)
    except OSError:
        pass
    return sent


# ------------------------------------------------------------ heads
def test_headers_without_an_end_are_refused_at_the_limit(url: str) -> None:
    with raw(url) as sock:
        sock.sendall(b"GET /api/health HTTP/1.1\r\nHost: x\r\n")
        taken = pump(sock, b"X-Long: " + b"a" * 8_000 + b"\r\n", 4_000)
        said = answer(sock)
    assert taken < 8 * 1024 * 1024  # the kernel's buffers take some; 32 MB were offered
    assert not said or b" 431 " in said.split(b"\r\n")[0]


def test_a_head_a_little_too_large_is_told_so(url: str) -> None:
    with raw(url) as sock:
        sock.sendall(head("/api/health", "X-Long: " + "a" * (limits.MAX_HEAD_BYTES + 1), method="GET"))
        said = answer(sock)
    assert b" 431 " in said.split(b"\r\n")[0]
    assert json.loads(said.partition(b"\r\n\r\n")[2])["code"] == "head-too-large"


def test_an_ordinary_head_passes_and_its_connection_is_kept(url: str) -> None:
    with httpx.Client(base_url=url) as client:
        for _ in range(3):
            assert client.get("/api/health", headers={"X-Long": "a" * 20_000}).status_code in (200, 503)


def test_half_requests_make_room_for_whole_ones(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_HALF_OPEN", 20)
    with contextlib.ExitStack() as held:
        idle = [held.enter_context(raw(url)) for _ in range(60)]
        for sock in idle:
            with contextlib.suppress(OSError):
                sock.sendall(b"GET /api/health HTTP/1.1\r\nHost:")
        for _ in range(5):
            assert httpx.get(url + "/api/health").status_code in (200, 503)
        assert len(wire._half_open) <= 21


def test_a_head_that_never_ends_is_dropped_in_time(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEAD_TIMEOUT_S", 0.2)
    with raw(url) as sock:
        sock.sendall(b"GET /api/health HTTP/1.1\r\nHo")
        assert answer(sock) == b""


# ------------------------------------------------------------ bodies
def test_a_strangers_large_body_is_refused_before_it_is_read(url: str) -> None:
    with raw(url) as sock:
        sock.sendall(head("/api/session", "Content-Type: application/json", "Content-Length: 400000000"))
        taken = pump(sock, b"x" * 65_536, 400)
        said = answer(sock)
    assert taken < 20 * 1024 * 1024
    assert not said or said.split(b" ", 2)[1] in (b"401", b"413")


@pytest.mark.parametrize("framing", ["announced", "chunked"])
def test_more_than_64_kb_is_read_only_from_somebody(url: str, framing: str) -> None:
    body = b'{"email": "' + b"a" * limits.MAX_STRANGER_BODY_BYTES + b'"}'
    content = body if framing == "announced" else iter([body[:50_000], body[50_000:]])
    refused = httpx.post(url + "/api/session", content=content, headers={"Content-Type": "application/json"})
    assert refused.status_code == 401
    assert refused.json()["code"] == "unauthenticated"
    small = httpx.post(url + "/api/session", json={"email": "a@example.org", "password": "wrong"})
    assert small.json()["code"] == "sign-in-refused"


def test_a_body_that_stops_in_the_middle_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_TIMEOUT_S", 0.2)
    with raw(url) as sock:
        sock.sendall(head("/api/session", "Content-Type: application/json", "Content-Length: 100") + b'{"email":')
        said = answer(sock)
    assert said.split(b" ", 2)[1] == b"408"
    assert b"body-too-slow" in said


def test_an_upload_asks_who_is_there_first(url: str) -> None:
    path = "/api/datasets/01890000-0000-7000-8000-000000000000/uploads?name=a.zip"
    assert httpx.put(url + path, content=b"x" * 10).status_code == 401


def test_a_file_of_an_order_may_be_larger_than_any_json(foundry: Foundry, url: str) -> None:
    serving = Serving(url, foundry.admin_url, foundry.runtime, foundry.loop, None)  # type: ignore[arg-type]
    owner = serving.owner("Sends large files")
    owner.client.headers["Cupola-Tenant"] = owner.tenant
    key = owner.client.post("/api/keys", json={"name": "files"}).json()["key"]
    file = {"file": ("large.txt", b"x" * (limits.MAX_BODY_BYTES + 1), "text/plain")}
    sent = httpx.post(url + "/v1/files/upload", auth=(key, ""), files=file, timeout=60)
    assert sent.status_code == 200, sent.text
    nobody = httpx.post(url + "/v1/files/upload", files={"file": ("a.txt", b"x", "text/plain")})
    assert nobody.status_code == 401


@pytest.mark.parametrize("path", ["/api/session", "/api/first-admin", "/api/invitations/accept", "/v1/task/comparison"])
@pytest.mark.parametrize("brackets", ["[", '{"a":'])
def test_depth_is_a_plain_no(url: str, path: str, brackets: str) -> None:
    deep = (brackets * 10_000).encode()
    found = httpx.post(url + path, content=deep, headers={"Content-Type": "application/json"})
    assert 400 <= found.status_code < 500, found.text


def test_what_the_server_refuses_it_can_go_on_after(url: str) -> None:
    assert httpx.get(url + "/api/health").status_code in (200, 503)


# ------------------------------------------------------------ words and ways of asking
def test_head_is_answered_wherever_get_is_and_without_a_body(url: str) -> None:
    for path, status in (("/api/health", 200), ("/api/datasets", 401), ("/api/nothing", 404), ("/v1/tasks", 401)):
        asked = httpx.head(url + path)
        assert (asked.status_code, asked.content) == (status, b""), path


def test_a_packed_body_and_one_in_another_encoding_are_refused_by_their_names(url: str) -> None:
    body = '{"email": "é@example.org", "password": "x"}'
    json_ = {"Content-Type": "application/json"}
    for coding in ("gzip", "br", "x-foo"):
        packed = httpx.post(f"{url}/api/session", content=body.encode(), headers={**json_, "Content-Encoding": coding})
        assert (packed.status_code, packed.json()["code"]) == (415, "body-packed")
    latin = httpx.post(f"{url}/api/session", content=body.encode("latin-1"), headers=json_)
    assert (latin.status_code, latin.json()["code"]) == (400, "body-unreadable")
    plain = httpx.post(f"{url}/api/session", content=body.encode(), headers={**json_, "Content-Encoding": "identity"})
    assert plain.status_code == 401
