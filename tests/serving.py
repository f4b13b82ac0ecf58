"""A real server on a real database for tests of a few routers: uvicorn in a thread, spoken to over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import uvicorn
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse

from cupola.identity.flows import first_admin_link
from cupola.identity.recognise import authenticate
from cupola.kernel import ids
from cupola.kernel.errors import Kind, Problem
from cupola.platform.blobs import Blobs
from cupola.platform.pg import partitions
from cupola.platform.pg.cluster import Cluster
from cupola.platform.pg.migrate import LOGIN, migrate
from cupola.platform.pg.tx import Database
from cupola.platform.runtime import Runtime
from cupola.platform.settings import Settings
from cupola.platform.stream import close_stream

T = TypeVar("T")
STATUS = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED: 415,
    Kind.TOO_MANY: 429,
    Kind.UNAVAILABLE: 503,
}
PASSWORD = "correct horse battery"


async def _problem(request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, Problem)
    body = {"code": problem.code, "detail": problem.detail, "remedy": problem.remedy, "place": problem.place}
    return JSONResponse({**body, **problem.extra}, STATUS[problem.kind], media_type="application/problem+json")


@dataclass
class Serving:
    """A running server: `url` to speak HTTP, `call` to run a coroutine function with its Runtime on its loop."""

    url: str
    admin_url: str
    runtime: Runtime
    loop: asyncio.AbstractEventLoop
    app: FastAPI
    people: dict[str, Person] = field(default_factory=dict)

    def call(self, work: Callable[[Runtime], Awaitable[T]]) -> T:
        async def run() -> T:
            return await work(self.runtime)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(60)

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def person(self, answer: httpx.Response, client: httpx.Client) -> Person:
        assert answer.status_code in (200, 201), answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        return Person(client, answer.json())

    def operator(self) -> Person:
        """The first administrator, made once for each server."""
        if "operator" not in self.people:
            link = self.call(first_admin_link)
            assert link is not None
            client = self.client()
            body = {"token": link.split("token=")[1], "name": "Op", "email": "op@example.org", "password": PASSWORD}
            self.people["operator"] = self.person(client.post("/api/first-admin", json=body), client)
        return self.people["operator"]

    def owner(self, name: str) -> Person:
        """The owner of a new organisation `name`, with `tenant` as its live world. Not the operator."""
        made = self.operator().client.post("/api/tenants", json={"name": name})
        assert made.status_code == 201, made.text
        headers = {"Cupola-Tenant": made.json()["live"]["id"]}
        invited = self.operator().client.post("/api/invitations", json={"role": "owner"}, headers=headers)
        assert invited.status_code == 201, invited.text
        client = self.client()
        body = {"token": invited.json()["link"].split("token=")[1], "name": f"Owner of {name}"}
        email = f"owner-{made.json()['id']}@example.org"
        answer = client.post("/api/invitations/accept", json={**body, "email": email, "password": PASSWORD})
        owner = self.person(answer, client)
        owner.tenant, owner.test_tenant = made.json()["live"]["id"], made.json()["test"]["id"]
        return owner

    def key(self, owner: Person) -> httpx.Client:
        """A client that acts with a new API key of the owner's tenant."""
        made = owner.client.post("/api/keys", json={"name": "a key"})
        assert made.status_code == 201, made.text
        return self.client(Authorization=f"Bearer {made.json()['key']}")


@dataclass
class Person:
    client: httpx.Client
    session: dict[str, Any]
    tenant: str = ""
    test_tenant: str = ""


def template(cluster: Cluster) -> str:
    """The name of a new, migrated database that fresh ones are copied from.

    With CUPOLA_TEST_PARTITIONS its large tables are spread into so many: everything must hold there as well.
    """
    name = f"template_{ids.uuid7().hex}"
    url = cluster.create_database(name)
    migrate(url, "a password for tests")
    if parts := os.environ.get("CUPOLA_TEST_PARTITIONS"):
        partitions.spread(url, int(parts))
    return name


@contextlib.contextmanager
def fresh_serving(
    cluster: Cluster,
    copied: str,
    folder: Path,
    routers: list[APIRouter],
    *,
    allowed_hosts: tuple[str, ...] = (),
    **more: Any,
) -> Iterator[Serving]:
    """Serve over a database that nobody has used. more: further settings."""
    name = f"served_{ids.uuid7().hex}"
    admin_url = cluster.create_database(name, template=copied)
    server_url = cluster.url_for(LOGIN, name)
    with serving(folder, admin_url, server_url, routers, allowed_hosts=allowed_hosts, **more) as opened:
        yield opened


@contextlib.contextmanager
def serving(
    folder: Path,
    admin_url: str,
    server_url: str,
    routers: list[APIRouter],
    *,
    allowed_hosts: tuple[str, ...] = (),
    **more: Any,
) -> Iterator[Serving]:
    """Serve `routers` on a free port over the database of `server_url` until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    blobs = Blobs.open(folder / "blobs", secret=b"s" * 32)
    settings = Settings(
        folder, server_url, None, b"instance of " + folder.name.encode(), allowed_hosts=allowed_hosts, **more
    )
    runtime = Runtime(settings, Database(server_url), blobs)
    loops: list[asyncio.AbstractEventLoop] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await runtime.db.open()
        loops.append(asyncio.get_running_loop())
        try:
            yield
        finally:
            await close_stream(app.state)
            await runtime.db.close()

    app = FastAPI(lifespan=lifespan, exception_handlers={Problem: _problem})
    app.state.runtime = runtime
    app.state.authenticate = functools.partial(authenticate, runtime)
    for router in routers:
        app.include_router(router)
    config = uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 30
    while not server.started and thread.is_alive() and time.monotonic() < end:
        time.sleep(0.01)
    assert server.started, "the server did not start"
    port = server.servers[0].sockets[0].getsockname()[1]
    opened = Serving(f"http://127.0.0.1:{port}", admin_url, runtime, loops[0], app)
    try:
        yield opened
    finally:
        for person in opened.people.values():
            person.client.close()
        server.should_exit = True
        thread.join(20)
