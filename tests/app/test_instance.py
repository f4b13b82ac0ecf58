"""The operator's view of a running instance over HTTP, and the way to try again what was set aside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from cupola.identity.flows import first_admin_link
from cupola.kernel import clock, ids
from cupola.platform import events
from cupola.platform.dispatch import Consumer
from cupola.platform.dispatch.service import Dispatcher
from cupola.platform.events import Event
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from tests.foundry import Foundry

PASSWORD = "a long enough password"
INSTANCE, RETRY = "/api/operator/instance", "/api/operator/aside/retry"


@pytest.fixture(scope="module")
def operator(foundry: Foundry) -> Iterator[httpx.Client]:
    with foundry.http() as url, httpx.Client(base_url=url) as client:
        link = foundry.call(first_admin_link)
        assert link is not None
        body = {"token": link.split("token=")[1], "name": "Op", "email": "op@example.org", "password": PASSWORD}
        client.headers["X-CSRF-Token"] = client.post("/api/first-admin", json=body).json()["csrf"]
        yield client


@dataclass
class Fussy:
    """A consumer that cannot handle one project until it is mended."""

    poisoned: UUID
    mended: bool = False
    heard: int = 0

    async def handle(self, conn: Conn, tenant: UUID, some: Sequence[Event]) -> None:
        for event in some:
            if event.project == self.poisoned and not self.mended:
                raise ValueError("the tenant's own words")
            self.heard += 1

    def consumer(self) -> Consumer:
        return Consumer("fussy", ("test.fussy",), self.handle)


def aside(operator: httpx.Client) -> list[dict[str, Any]]:
    return list(operator.get(INSTANCE).raise_for_status().json()["aside"])


def test_a_poisoned_project_is_seen_and_heard_again_after_mending_and_trying_again(
    foundry: Foundry, operator: httpx.Client
) -> None:
    tenant, poisoned = foundry.tenant(), ids.uuid7()
    fussy = Fussy(poisoned)

    async def happen(conn: Conn) -> None:
        for project in (poisoned, None):
            await events.emit(conn, tenant, "test.fussy", None, project)

    foundry.app(tenant, happen)

    def drain() -> None:
        foundry.call(lambda run: Dispatcher(run, [fussy.consumer()]).drain())

    drain()
    assert fussy.heard == 1, "the others go on"
    [one] = aside(operator)
    assert (one["tenant"], one["project"], one["consumer"], one["tries"]) == (str(tenant), str(poisoned), "fussy", 1)
    assert one["reason"].startswith("ValueError in ")
    assert "words" not in operator.get(INSTANCE).text
    fussy.mended = True
    drain()
    assert fussy.heard == 1, "its time has not come"
    named = {key: one[key] for key in ("tenant", "consumer", "project")}
    assert operator.post(RETRY, json={**named, "consumer": "nobody"}).status_code == 404
    assert operator.post(RETRY, json=named).status_code == 204
    drain()
    assert fussy.heard == 2
    assert aside(operator) == []
    assert operator.post(RETRY, json=named).status_code == 404


def test_it_tells_of_parts_processes_lags_and_slow_work(foundry: Foundry, operator: httpx.Client) -> None:
    tenant = foundry.tenant()

    async def work(run: Runtime) -> None:
        async with run.db.tx(Role.OPS) as conn:
            await conn.execute(
                "INSERT INTO process_beat (process, role, host, pid, at) VALUES ('w', 'worker', 'here', 7, %s)",
                (clock.now(),),
            )

    foundry.call(work)
    foundry.sql(
        "INSERT INTO job (tenant, kind, subject, asked_at, due_at) "
        "VALUES (%s, 'refit', %s, now() - interval '1 hour', now())",
        tenant,
        ids.uuid7(),
    )
    foundry.sql(
        "INSERT INTO event_cursor (consumer, epoch, xid, seq, at) VALUES ('behind', 0, '0', 0, now()) "
        "ON CONFLICT DO NOTHING"
    )
    found = operator.get(INSTANCE).raise_for_status().json()
    assert (found["health"]["database"], found["health"]["worker"]) == ("ok", "alive")
    assert {"role": "worker", "host": "here", "pid": 7} in [
        {key: one[key] for key in ("role", "host", "pid")} for one in found["processes"]
    ]
    [job] = [one for one in found["jobs"] if one["name"] == "refit"]
    assert (job["state"], job["count"]) == ("waiting", 1)
    assert 3_500 < job["oldest_s"] < 3_600 + 600
    assert "behind" in [one["name"] for one in found["lags"]]


def test_it_is_the_operators_alone(foundry: Foundry, operator: httpx.Client) -> None:
    named = {"tenant": str(foundry.tenant()), "consumer": "fussy", "project": None}
    with httpx.Client(base_url=str(operator.base_url)) as stranger:
        assert stranger.get(INSTANCE).status_code == 401
        assert stranger.post(RETRY, json=named).status_code == 401
    link = operator.post("/api/invitations", json={"role": "contributor"}).json()["link"]
    with httpx.Client(base_url=str(operator.base_url)) as somebody:
        body = {"token": link.split("token=")[1], "name": "W", "email": "w@example.org", "password": PASSWORD}
        signed = somebody.post("/api/invitations/accept", json=body).json()
        somebody.headers["X-CSRF-Token"] = signed["csrf"]
        assert somebody.get(INSTANCE).status_code == 403
        assert somebody.post(RETRY, json=named).status_code == 403
