"""One tenant's hosts take every connection and never answer; another tenant's work of the same kind goes on.

Each way out of the house: imports, imports that keep references, attachments of orders, webhooks, callbacks, and
references that somebody looks at. Twenty hosts hang, each on an address of its own. The other tenant asks last and is
done while the first one's are still under way.
"""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import httpx
import pytest
from PIL import Image

from cupola.app import worker
from cupola.kernel import limits
from cupola.orders.callbacks import service as callbacks
from cupola.platform import events
from cupola.platform.pg.cluster import Cluster
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from tests.foundry import Foundry, fresh_foundry
from tests.scale.conftest import until
from tests.serving import Person, Serving

HOSTS = 20
WAIT_S = 60.0


class Pit:
    """Addresses of this machine that take connections and say nothing."""

    def __init__(self) -> None:
        self.taken: set[str] = set()
        self._open: list[socket.socket] = []
        self._doors: list[socket.socket] = []
        for n in range(HOSTS):
            door = socket.socket()
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind((f"127.0.1.{n + 1}", self.port if self._doors else 0))
            door.listen(64)
            self._doors.append(door)
            threading.Thread(target=self._take, args=(door,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._doors[0].getsockname()[1])

    def urls(self, name: str) -> list[str]:
        return [f"http://127.0.1.{n + 1}:{self.port}/{name}" for n in range(HOSTS)]

    def _take(self, door: socket.socket) -> None:
        while True:
            try:
                conn, _ = door.accept()
            except OSError:
                return
            self._open.append(conn)
            self.taken.add(door.getsockname()[0])

    def close(self) -> None:
        for one in self._doors:
            one.shutdown(socket.SHUT_RDWR)
            one.close()
        for one in self._open:
            one.close()


@contextmanager
def site() -> Iterator[tuple[str, list[str]]]:
    """A host that answers: a picture to GET, 204 to POST; yields its URL and what was posted."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(buffer, "PNG")
    posted: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(buffer.getvalue())))
            self.end_headers()
            self.wfile.write(buffer.getvalue())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            posted.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", posted
    finally:
        server.shutdown()
        server.server_close()


class Street:
    """An instance with two tenants: one whose hosts hang, one whose host answers."""

    def __init__(self, foundry: Foundry, serving: Serving, pit: Pit, good: str, posted: list[str]) -> None:
        self.foundry, self.serving, self.pit, self.good, self.posted = foundry, serving, pit, good, posted
        self.stuck, self.other = serving.owner("Stuck"), serving.owner("Other")
        for one in (self.stuck, self.other):
            one.client.headers["Cupola-Tenant"] = one.tenant

    def count(self, text: str, *params: Any) -> int:
        return int(self.foundry.sql(text, *params)[0][0])


@pytest.fixture
def street(
    cluster: Cluster, foundry_template: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Street]:
    monkeypatch.setattr(limits, "WEBHOOK_TIMEOUT_S", 30.0)
    folder = tmp_path_factory.mktemp("tarpits")
    pit = Pit()
    with (
        site() as (good, posted),
        fresh_foundry(cluster, foundry_template, folder, allowed_hosts=("127.0.0.0/8",)) as foundry,
        foundry.http() as url,
    ):
        stop = foundry.call(worker.start)
        serving = Serving(url, foundry.admin_url, foundry.runtime, foundry.loop, None)  # type: ignore[arg-type]
        try:
            yield Street(foundry, serving, pit, good, posted)
        finally:
            pit.close()  # whoever hangs is let go
            foundry.call(lambda _: stop())


def made(answer: httpx.Response) -> Any:
    assert answer.is_success, f"{answer.request.url}: {answer.text}"
    return answer.json()


def imports(street: Street, who: Person, url: str, name: str, *, copy: bool) -> str:
    dataset = made(who.client.post("/api/datasets", json={"name": name}))["id"]
    source = {"type": "urls", "urls": [url], "copy": copy}
    run: str = made(who.client.post(f"/api/datasets/{dataset}/imports", json={"source": source}))["id"]
    return run


UNDER_WAY = "SELECT count(*) FROM import_run WHERE tenant = %s AND state NOT IN ('done', 'failed')"


@pytest.mark.parametrize("copy", [True, False])
def test_imports(street: Street, copy: bool) -> None:
    for n, url in enumerate(street.pit.urls("a.png")):
        imports(street, street.stuck, url, f"set {n}", copy=copy)
    if copy:
        until(lambda: street.pit.taken, "somebody hangs", WAIT_S)
    run = imports(street, street.other, f"{street.good}/a.png", "mine", copy=copy)
    until(lambda: street.count("SELECT count(*) FROM import_run WHERE id = %s AND state = 'done'", run), "done", WAIT_S)
    if copy:
        assert street.count(UNDER_WAY, street.stuck.tenant) > 0, "the others hang still"


def order(street: Street, who: Person, urls: list[str]) -> None:
    key = made(who.client.post("/api/keys", json={"name": "k"}))["key"]
    operator = street.serving.operator().client
    made(
        operator.post(
            f"/api/tenants/{who.tenant}/fund", json={"amount_minor": 1_000_000}, headers={"Cupola-Tenant": who.tenant}
        )
    )
    client = street.serving.client(Authorization=f"Bearer {key}")
    for url in urls:
        body = {"attachment": url, "geometries": {"box": {"objects_to_annotate": ["car"]}}}
        made(client.post("/v1/task/imageannotation", json=body))


def test_attachments_of_orders(street: Street) -> None:
    order(street, street.stuck, street.pit.urls("a.png"))
    until(lambda: street.pit.taken, "somebody hangs", WAIT_S)
    order(street, street.other, [f"{street.good}/a.png"])
    placed = "SELECT count(*) FROM order_task WHERE tenant = %s AND foundry_task IS NOT NULL"
    until(lambda: street.count(placed, street.other.tenant), "placed", WAIT_S)
    waiting = "SELECT count(*) FROM order_task WHERE tenant = %s AND state = 0 AND foundry_task IS NULL"
    assert street.count(waiting, street.stuck.tenant) == HOSTS


def test_webhooks(street: Street) -> None:
    for url in street.pit.urls("hook"):
        made(street.stuck.client.post("/api/webhooks", json={"url": url, "events": ["test.*"]}))
    made(street.other.client.post("/api/webhooks", json={"url": f"{street.good}/hook", "events": ["test.*"]}))

    def happen(who: Person) -> None:
        async def work(run: Runtime) -> None:
            async with run.db.tx(Role.APP, tenant=UUID(who.tenant)) as conn:
                for _ in range(20):
                    await events.emit(conn, UUID(who.tenant), "test.happened", None)

        street.foundry.call(work)

    happen(street.stuck)
    until(lambda: len(street.pit.taken) >= 10, "receivers hang", WAIT_S)
    happen(street.other)
    until(lambda: len(street.posted) == 20, "told", WAIT_S)
    waiting = "SELECT count(*) FROM webhook_delivery WHERE tenant = %s AND state = 'waiting'"
    assert street.count(waiting, street.stuck.tenant) == 20 * HOSTS


def test_callbacks(street: Street) -> None:
    def tell(who: Person, urls: list[str]) -> None:
        async def work(run: Runtime) -> None:
            async with run.db.tx(Role.APP, tenant=UUID(who.tenant)) as conn:
                for url in urls:
                    for _ in range(5):
                        await callbacks.enqueue(conn, UUID(who.tenant), "completed", url, b"{}")

        street.foundry.call(work)

    tell(street.stuck, street.pit.urls("done"))
    until(lambda: len(street.pit.taken) >= 10, "receivers hang", WAIT_S)
    tell(street.other, [f"{street.good}/done"])
    until(lambda: len(street.posted) == 5, "told", WAIT_S)
    waiting = "SELECT count(*) FROM order_callback WHERE tenant = %s AND state = 'waiting'"
    assert street.count(waiting, street.stuck.tenant) == 5 * HOSTS


def test_references_that_are_looked_at(street: Street) -> None:
    """Through the same person too: whose items they are decides, not who looks."""

    def shown(who: Person, urls: list[str]) -> list[str]:
        dataset = made(who.client.post("/api/datasets", json={"name": "references"}))["id"]
        source = {"type": "urls", "urls": urls, "copy": False}
        run = made(who.client.post(f"/api/datasets/{dataset}/imports", json={"source": source}))["id"]
        ended = "SELECT count(*) FROM import_run WHERE id = %s AND state = 'done'"
        until(lambda: street.count(ended, run), "imported", WAIT_S)
        return [one["url"] for one in made(who.client.get(f"/api/datasets/{dataset}/items?limit=100"))["items"]]

    hanging, answering = shown(street.stuck, street.pit.urls("a.png")), shown(street.other, [f"{street.good}/a.png"])
    assert (len(hanging), len(answering)) == (HOSTS, 1)
    street.pit.taken.clear()
    answered: list[str] = []

    def look(url: str) -> None:
        with street.serving.client(**dict(street.stuck.client.headers)) as client:
            client.cookies = street.stuck.client.cookies
            try:
                client.get(url)
            except httpx.HTTPError:
                return
            answered.append(url)

    looks: list[Callable[[], None]] = [lambda url=url: look(url) for url in hanging]  # type: ignore[misc]
    for one in looks:
        threading.Thread(target=one, daemon=True).start()
    until(lambda: street.pit.taken, "somebody hangs", WAIT_S)
    assert street.other.client.get(answering[0]).content.startswith(b"\x89PNG")
    assert answered == [], "the others hang still"
