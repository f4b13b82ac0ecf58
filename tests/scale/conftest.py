"""A served instance that speaks with the unmodified public client, with a worker behind it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
import scaleapi

from cupola.app import worker
from cupola.catalog import api as catalog_api
from cupola.client.scale import scale_client
from cupola.compat.scale.routes import router
from cupola.identity import api as identity_api
from cupola.kernel import ids
from cupola.ledger import api as ledger_api
from cupola.orders import api as orders_api
from cupola.platform import blob_api
from cupola.platform.pg.cluster import Cluster
from cupola.quality import api as quality_api
from cupola.routing import api as routing_api
from cupola.tasks import api as tasks_api
from cupola.tasks import work_api
from cupola.tasks.handing_in import api as handing_in_api
from tests.serving import Person, Serving, fresh_serving, template

ROUTERS = [
    *(identity_api.router, ledger_api.router, catalog_api.router, quality_api.router, tasks_api.router),
    *(work_api.router, handing_in_api.router, routing_api.router, blob_api.router, orders_api.router, router),
]


@dataclass
class World:
    """One organisation: its owner, and clients of its live and its test world."""

    served: Serving
    owner: Person
    live_key: str
    test_key: str

    @property
    def live(self) -> scaleapi.ScaleClient:
        return scale_client(self.served.url, self.live_key)

    @property
    def test(self) -> scaleapi.ScaleClient:
        return scale_client(self.served.url, self.test_key)

    def fund(self, amount_minor: int = 1_000_000) -> None:
        operator = self.served.operator().client
        answer = operator.post(
            "/api/money/fund",
            json={"amount_minor": amount_minor, "currency": "EUR"},
            headers={"Cupola-Tenant": self.owner.tenant},
        )
        if answer.status_code >= 400:
            answer = self.owner.client.post("/api/money/fund", json={"amount_minor": amount_minor, "currency": "EUR"})
        assert answer.status_code < 300, answer.text

    def sql(self, query: str, *params: Any) -> list[tuple[Any, ...]]:
        """What the database itself says, past every layer of ours."""
        with psycopg.connect(self.served.admin_url, options="-c search_path=cupola") as conn:
            return conn.execute(query, params).fetchall()  # type: ignore[arg-type]


def new_world(served: Serving) -> World:
    owner = served.owner(f"Org {ids.token(6)}")
    keys = []
    for tenant in (owner.tenant, owner.test_tenant):
        made = served.operator().client.post("/api/keys", json={"name": "scale"}, headers={"Cupola-Tenant": tenant})
        assert made.status_code == 201, made.text
        keys.append(made.json()["key"])
    owner.client.headers["Cupola-Tenant"] = owner.tenant
    return World(served, owner, *keys)


@pytest.fixture(scope="session")
def served(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("scale")
    with fresh_serving(cluster, template(cluster), folder, ROUTERS, allowed_hosts=("127.0.0.1",)) as opened:
        stop = opened.call(worker.start)
        try:
            yield opened
        finally:
            opened.call(lambda _: stop())


@pytest.fixture
def world(served: Serving) -> World:
    return new_world(served)


def until(check: Callable[[], Any], what: str, seconds: float = 20.0) -> Any:
    """Wait for something to become true; its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"after {seconds} s still not: {what}")
