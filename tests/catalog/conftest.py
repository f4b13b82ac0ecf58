"""A migrated database with one tenant and one dataset, a runtime over it, and a served one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import psycopg
import pytest

from cupola.catalog import jobs, service, store
from cupola.catalog.model import Import, Refusal
from cupola.kernel import clock, ids
from cupola.platform.blobs import Blobs
from cupola.platform.pg.cluster import Cluster
from cupola.platform.pg.migrate import migrate
from cupola.platform.pg.tx import Database, Role
from cupola.platform.runtime import Runtime
from cupola.platform.settings import Settings

T = TypeVar("T")


@dataclass
class House:
    """One instance: `run(work)` gives a coroutine function its Runtime."""

    server_url: str
    admin_url: str
    settings: Settings
    tenant: UUID
    dataset: UUID

    def run(self, work: Callable[[Runtime], Awaitable[T]]) -> T:
        async def inside() -> T:
            db = Database(self.server_url)
            await db.open()
            try:
                blobs = Blobs.open(self.settings.data_dir / "blobs", secret=b"x" * 32)
                return await work(Runtime(self.settings, db, blobs))
            finally:
                await db.close()

        return asyncio.run(inside())

    def begin(self, source: dict[str, Any], dataset: UUID | None = None) -> UUID:
        async def work(run: Runtime) -> UUID:
            async with run.db.tx(Role.APP, tenant=self.tenant) as conn:
                return (await service.start_import(conn, run, self.tenant, dataset or self.dataset, source)).id

        return self.run(work)

    def proceed(self, run_id: UUID) -> Import:
        async def work(run: Runtime) -> Import:
            await jobs.run_import(run, self.tenant, run_id)
            async with run.db.tx(Role.APP, tenant=self.tenant) as conn:
                return service.shown_import(await store.IMPORT.one(conn, tenant=self.tenant, id=run_id))

        return self.run(work)

    def load(self, source: dict[str, Any]) -> Import:
        return self.proceed(self.begin(source))

    def put(self, path: Path) -> dict[str, str]:
        """Upload a file and name it as a source."""

        async def chunks() -> Any:
            with path.open("rb") as file:
                while part := file.read(1 << 20):
                    yield part

        async def work(run: Runtime) -> str:
            upload = await service.receive_upload(run, self.tenant, self.dataset, path.name, chunks(), 1 << 40)
            return upload.upload

        return {"type": "upload", "upload": self.run(work)}

    def refusals(self, run_id: UUID, *, taken: bool = False) -> list[Refusal]:
        async def work(run: Runtime) -> list[Refusal]:
            async with run.db.tx(Role.APP, tenant=self.tenant) as conn:
                return await store.REFUSALS.all(conn, tenant=self.tenant, id=run_id, taken=taken, after=0, limit=1000)

        return self.run(work)

    def notes(self, run_id: UUID) -> list[Refusal]:
        return self.refusals(run_id, taken=True)

    def items(self) -> list[store.ItemRow]:
        async def work(run: Runtime) -> list[store.ItemRow]:
            async with run.db.tx(Role.APP, tenant=self.tenant) as conn:
                return await store.ITEMS.all(conn, tenant=self.tenant, dataset=self.dataset, after="", limit=200_000)

        return self.run(work)

    def sql(self, text: str, *params: Any) -> list[Any]:
        """As the superuser: what no role of the server may look at."""
        with psycopg.connect(self.admin_url, autocommit=True, options="-c search_path=cupola") as conn:
            return conn.execute(text, params).fetchall()  # type: ignore[call-overload,no-any-return]

    def allowing(self, *hosts: str) -> House:
        return replace(self, settings=replace(self.settings, allowed_hosts=hosts))


@pytest.fixture(scope="session")
def catalog_template(cluster: Cluster) -> str:
    name = f"catalog_{ids.token(6).lower().replace('-', '_')}"
    migrate(cluster.create_database(name), "a password for tests")
    return name


@pytest.fixture
def house(cluster: Cluster, catalog_template: str, tmp_path: Path) -> Iterator[House]:
    name = f"{catalog_template}_{ids.token(6).lower().replace('-', '_')}"
    admin_url = cluster.create_database(name, template=catalog_template)
    tenant, organisation = ids.uuid7(), ids.uuid7()
    with psycopg.connect(admin_url, autocommit=True, options="-c search_path=cupola") as conn:
        conn.execute("INSERT INTO organisation (id, name, created_at) VALUES (%s, 'O', now())", (organisation,))
        conn.execute(
            "INSERT INTO tenant (id, organisation, world, created_at) VALUES (%s, %s, 'live', %s)",
            (tenant, organisation, clock.now()),
        )
    roots = tmp_path / "roots"
    roots.mkdir()
    settings = Settings(tmp_path / "data", None, None, b"i" * 32, import_roots=(roots,))
    opened = House(cluster.url_for("cupola_server", name), admin_url, settings, tenant, ids.uuid7())

    async def make(run: Runtime) -> UUID:
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            return (await service.create_dataset(conn, tenant, "D", "CC0")).id

    opened.dataset = opened.run(make)
    yield opened
    cluster.drop_database(name)
