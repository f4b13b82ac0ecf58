from __future__ import annotations

import asyncio
import contextlib
import gzip
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from cupola.kernel.errors import Kind, Problem
from cupola.platform.net import Answer, Fetcher, Guard, check_literal, check_url, fetch

PRIVATE = [
    "127.0.0.1",
    "127.255.0.3",
    "10.0.0.1",
    "172.16.5.5",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::808:808",
    "2002:7f00:1::",
    "::7f00:1",
    "2001:0:0:0:0:0:80ff:fffe",
]
FACES = [
    "http://127.0.0.1/",
    "http://[::1]/",
    "http://localhost/",
    "http://localhost./",
    "http://a.localhost/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://017700000001/",
    "http://127.1/",
    "http://[::ffff:127.0.0.1]/",
    "http://[fe80::1%25eth0]/",
    "http://169.254.169.254/latest/meta-data",
    "http://metadata.google.internal/",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]
ONLY_ONE = Guard.of(["127.0.0.1"])


class Site(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[tuple[str, str, dict[str, str]]]] = []

    def do_GET(self) -> None:
        Site.seen.append((self.command, self.path, dict(self.headers)))
        kind, _, rest = self.path.lstrip("/").partition("/")
        if kind == "to":
            self.answer(302, b"", {"Location": rest})
        elif kind == "round":
            self.answer(302, b"", {"Location": self.path + "x"})
        elif kind == "big":
            self.answer(200, b"x" * int(rest), {})
        elif kind == "endless":
            self.send_response(200)
            self.end_headers()
            self.close_connection = True
            for _ in range(1000):
                self.wfile.write(b"x" * 1000)
        elif kind == "bomb":
            self.answer(200, gzip.compress(b"\0" * 10_000_000), {"Content-Encoding": "gzip"})
        elif kind == "drip":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            for _ in range(60):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.05)
        else:
            self.answer(200, b"hello", {"Content-Type": "text/plain"})

    do_POST = do_GET

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the reader went away, as some tests make it do
            super().handle()


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("0.0.0.0", 0), Site)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def get(url: str, guard: Guard = ONLY_ONE, max_bytes: int = 1000, timeout_s: float = 5, **more: Any) -> Answer:
    async def run() -> Answer:
        async with Fetcher(guard, timeout_s=timeout_s) as fetcher:
            return await fetcher.fetch(url, max_bytes=max_bytes, **more)

    return asyncio.run(run())


def refusal(url: str, guard: Guard = ONLY_ONE, **more: Any) -> str:
    with pytest.raises(Problem) as caught:
        get(url, guard, **more)
    assert caught.value.remedy
    return caught.value.code


@pytest.mark.parametrize(
    "text",
    PRIVATE,
)
def test_addresses_that_are_not_public_are_refused(text: str) -> None:
    assert not Guard().admits(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_admitted(text: str) -> None:
    assert Guard().admits(ipaddress.ip_address(text))


def test_an_operator_may_allow_a_network_and_only_that_one() -> None:
    guard = Guard.of(["10.1.0.0/16", "fd00::/8"])
    assert guard.admits(ipaddress.ip_address("10.1.2.3"))
    assert guard.admits(ipaddress.ip_address("::ffff:10.1.2.3"))
    assert guard.admits(ipaddress.ip_address("fd00::1"))
    assert not guard.admits(ipaddress.ip_address("10.2.0.1"))
    with pytest.raises(Problem):
        Guard.of(["10.0.0.0/99"])


def test_an_operator_may_allow_a_host_by_name(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"{site.replace('127.0.0.1', 'localhost')}/x"
    assert refusal(url, Guard()) == "url-private"
    assert get(url, Guard.of(["localhost"])).body == b"hello"
    assert refusal(url, Guard.of(["localhost.example"])) == "url-private"


@pytest.mark.parametrize(
    "url",
    FACES,
)
def test_private_places_are_refused_on_their_face(url: str) -> None:
    with pytest.raises(Problem) as caught:
        check_literal(url, Guard())
    assert caught.value.code == "url-private"


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://0x7f.1/", "http://localhost/", "http://2130706433/"])
def test_private_places_are_refused_after_looking_them_up(url: str) -> None:
    assert refusal(url, Guard()) == "url-private"


@pytest.mark.parametrize(
    "url",
    ["ftp://example.com/", "file:///etc/passwd", "http://", "http://a b/", "http://u:p@example.com/", "http://x:99999/",
     "http://x:0/", "gopher://x/", "http://a\\b/", "http://a\r\nb/", "//example.com",
     "", "http://[::1/", "http://" + "a" * 5000],
)  # fmt: skip
def test_what_is_no_plain_http_url_is_refused(url: str) -> None:
    assert refusal(url) == "url-invalid"


def test_an_allowed_place_is_fetched_with_its_own_host_header(site: str) -> None:
    Site.seen.clear()
    answer = get(f"{site}/x")
    assert (answer.status, answer.body, answer.url) == (200, b"hello", f"{site}/x")
    assert Site.seen[-1][2]["Host"] == site.removeprefix("http://")


def test_a_redirect_is_followed_to_an_allowed_place_and_refused_to_another(site: str) -> None:
    port = site.rsplit(":", 1)[1]
    assert get(f"{site}/to/{site}/x").url == f"{site}/x"
    Site.seen.clear()
    assert refusal(f"{site}/to/http://127.0.0.2:{port}/secret") == "url-private"
    assert refusal(f"{site}/to/{site}/to/http://[::1]:{port}/secret") == "url-private"
    assert refusal(f"{site}/to/file:///etc/passwd") == "url-invalid"
    assert not any("secret" in path and "to/" not in path for _, path, _ in Site.seen)
    # The control: the same redirect works once the operator allows it, so the refusal was the guard's doing.
    assert get(f"{site}/to/http://127.0.0.2:{port}/secret", Guard.of(["127.0.0.0/8"])).status == 200


def test_redirects_end_after_five_and_drop_credentials_for_another_host(site: str) -> None:
    assert refusal(f"{site}/round/") == "url-redirects"
    port = site.rsplit(":", 1)[1]
    both = Guard.of(["127.0.0.0/8"])
    Site.seen.clear()
    get(f"{site}/to/http://127.0.0.2:{port}/x", both, headers={"Authorization": "secret"})
    assert [headers.get("Authorization") for *_, headers in Site.seen] == ["secret", None]


def test_a_post_is_not_turned_into_a_get_by_a_redirect(site: str) -> None:
    Site.seen.clear()
    assert get(f"{site}/to/{site}/x", method="POST", content=b"{}").status == 302
    assert [command for command, *_ in Site.seen] == ["POST"]


def test_a_name_is_looked_up_once_and_the_vetted_address_is_used(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(site.rsplit(":", 1)[1])
    asked: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: Any, *args: Any, **more: Any) -> Any:
        if host != "rebind.example":
            return real(host, *args, **more)
        asked.append(host)  # the first answer is allowed, later ones lead elsewhere
        return real("127.0.0.1" if len(asked) == 1 else "127.0.0.9", *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    Site.seen.clear()
    assert get(f"http://rebind.example:{port}/x").body == b"hello"
    assert len(asked) == 1
    assert Site.seen[-1][2]["Host"] == f"rebind.example:{port}"


def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def two(*args: Any, **more: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 80)) for a in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    with pytest.raises(Problem) as caught:
        asyncio.run(check_url("http://mixed.example/", Guard()))
    assert caught.value.code == "url-private"


def test_a_proxy_from_the_environment_is_not_used(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.3:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.3:1")
    assert get(f"{site}/x").status == 200


def test_size_is_limited_however_the_server_announces_it(site: str) -> None:
    assert len(get(f"{site}/big/1000").body) == 1000
    assert refusal(f"{site}/big/1001") == "url-too-large"
    assert refusal(f"{site}/endless/") == "url-too-large"
    assert refusal(f"{site}/bomb/", max_bytes=100_000) == "url-too-large"


def test_time_is_limited_as_a_whole_even_when_bytes_drip_in(site: str) -> None:
    before = time.monotonic()
    assert refusal(f"{site}/drip/", timeout_s=0.5) == "url-timeout"
    assert time.monotonic() - before < 2.5


def test_nobody_listening_is_a_trouble_that_can_be_tried_again() -> None:
    with socket.socket() as idle:
        idle.bind(("127.0.0.1", 0))
        port = idle.getsockname()[1]
    with pytest.raises(Problem) as caught:
        asyncio.run(fetch(f"http://127.0.0.1:{port}/", guard=ONLY_ONE, max_bytes=10))
    assert (caught.value.kind, caught.value.code) == (Kind.UNAVAILABLE, "url-unreachable")
