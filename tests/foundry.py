"""An instance without HTTP for tests of the services, and the whole application over it when a test wants that.

A `Foundry` is one fresh database (a copy of a migrated template) and a Runtime on an event loop of its own thread.
What a requester prepares slowly (datasets, items) is written straight into the tables; work, money and decisions go
through the services.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import psycopg
import uvicorn

from cupola.app import slow, wiring
from cupola.app.http import create_app
from cupola.app.wire import GuardedProtocol
from cupola.kernel import clock, ids
from cupola.ledger import service as ledger
from cupola.ledger.model import Violation
from cupola.ontology import service as ontologies
from cupola.platform.blobs import Blobs
from cupola.platform.dispatch import Consumer
from cupola.platform.dispatch.service import Dispatcher
from cupola.platform.jobs import Job
from cupola.platform.jobs.service import Queue
from cupola.platform.pg.cluster import Cluster
from cupola.platform.pg.migrate import LOGIN
from cupola.platform.pg.tx import Database, Role
from cupola.platform.runtime import Runtime
from cupola.platform.settings import Settings
from cupola.tasks import service as tasks
from cupola.tasks import work
from cupola.tasks.adding import service as adding
from cupola.tasks.model import Assignment, Plan, Submitted
from cupola.tasks.stages import NewProject
from tests.pooler import Pooler

T = TypeVar("T")
CALL_LIMIT_S = 500.0  # a busy machine compiles numerics that it never used for half a minute
CHOICE = {"kind": "choice", "classes": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}


def choice(value: str = "a") -> dict[str, Any]:
    return {"kind": "choice", "values": [value]}


@dataclass
class Project:
    """A live project: its tenant, its identifier and its tasks in the order of the queue."""

    tenant: UUID
    id: UUID
    tasks: list[UUID]


@dataclass
class Foundry:
    admin_url: str
    server_url: str
    runtime: Runtime
    loop: asyncio.AbstractEventLoop
    made: int = field(default=0)
    dispatcher: Dispatcher | None = None
    queue: Queue | None = None

    # ------------------------------------------------------------ ways in
    def start(self, work: Callable[[Runtime], Awaitable[T]]) -> Future[T]:
        """Begin a coroutine function on the instance's loop; the future may be asked from this thread."""

        async def run() -> T:
            return await work(self.runtime)

        return asyncio.run_coroutine_threadsafe(run(), self.loop)

    def call(self, work: Callable[[Runtime], Awaitable[T]]) -> T:
        return self.start(work).result(CALL_LIMIT_S)

    def together(self, works: Sequence[Callable[[Runtime], Awaitable[Any]]]) -> list[Any]:
        """Run all at once; an exception stands in the place of the answer it prevented."""

        async def run(runtime: Runtime) -> list[Any]:
            return await asyncio.gather(*(one(runtime) for one in works), return_exceptions=True)

        return self.call(run)

    def app(self, tenant: UUID, work: Callable[[Any], Awaitable[T]]) -> T:
        """One transaction of the tenant's side."""

        async def run(runtime: Runtime) -> T:
            async with runtime.db.tx(Role.APP, tenant=tenant) as conn:
                return await work(conn)

        return self.call(run)

    def sql(self, text: str, *params: Any) -> list[Any]:
        """As the superuser: sees every tenant. Rows where the statement has any."""
        with psycopg.connect(self.admin_url, autocommit=True, options="-c search_path=cupola -c timezone=UTC") as conn:
            found = conn.execute(text, params[0] if len(params) == 1 and isinstance(params[0], dict) else params)
            return found.fetchall() if found.description else []

    def as_tenant(self, tenant: UUID, text: str, *params: Any) -> list[Any]:
        """As the superuser with the tenant set: the functions that move money run as an owner who is held to it."""
        with psycopg.connect(self.admin_url, autocommit=True, options="-c search_path=cupola -c timezone=UTC") as conn:
            conn.execute("SELECT set_config('app.tenant', %s, false)", (str(tenant),))
            return conn.execute(text, params).fetchall()

    # ------------------------------------------------------------ people and projects
    def tenant(self, world: str = "live") -> UUID:
        organisation, tenant = ids.uuid7(), ids.uuid7()
        self.made += 1
        self.sql(
            "WITH o AS (INSERT INTO organisation (id, name, created_at) VALUES (%s, %s, now()) RETURNING id) "
            "INSERT INTO tenant (id, organisation, world, created_at) SELECT %s, id, %s, now() FROM o",
            organisation,
            f"organisation {self.made}",
            tenant,
            world,
        )
        return tenant

    def person(self) -> UUID:
        person = ids.uuid7()
        self.sql(
            "INSERT INTO person (id, name, is_contributor, created_at) VALUES (%s, 'somebody', true, now())", person
        )
        return person

    def people(self, count: int) -> list[UUID]:
        people = [ids.uuid7() for _ in range(count)]
        self.sql(
            "INSERT INTO person (id, name, is_contributor, created_at) "
            "SELECT unnest(%s::uuid[]), 'somebody', true, now()",
            people,
        )
        return people

    def dataset(self, tenant: UUID, items: int, gold: dict[int, str] | None = None) -> UUID:
        """A dataset of short texts named t0, t1, …; gold: the true class of some of them."""
        dataset = ids.uuid7()
        self.made += 1
        self.sql(
            "INSERT INTO dataset (tenant, id, name, created_at) VALUES (%s, %s, %s, now())",
            tenant,
            dataset,
            f"dataset {self.made}",
        )
        golds = {n: json.dumps(choice(value)) for n, value in (gold or {}).items()}
        self.sql(
            "INSERT INTO item (tenant, id, dataset, ref, media_type, body, gold_label, fingerprint, created_at) "
            "SELECT %s, id, %s, 't' || n, 'text/plain', 'text ' || n, %s::jsonb ->> n::text, '\\x00', now() "
            "FROM (SELECT id, ordinality - 1 AS n FROM unnest(%s::uuid[]) WITH ORDINALITY AS made (id)) numbered",
            tenant,
            dataset,
            json.dumps({str(n): text for n, text in golds.items()}),
            sorted(ids.uuid7() for _ in range(items)),  # in their order: not every Postgres makes them so
        )
        return dataset

    def project(
        self,
        tenant: UUID,
        items: int = 10,
        *,
        plan: Plan | None = None,
        price_minor: int = 10,
        budget_minor: int = 1_000_000,
        currency: str = "EUR",
        page_size: int = 10,
        lease_s: int = 600,
        gold: dict[int, str] | None = None,
        spec: dict[str, Any] | None = None,
        dataset: UUID | None = None,
        launch: bool = True,
        review_first_s: int | None = None,
    ) -> Project:
        """A live project with one task an item, funded and allotted `budget_minor`."""
        source = dataset or self.dataset(tenant, items, gold)
        self.made += 1
        name = f"project {self.made}"
        asked = plan or Plan(min_judgements=1, max_judgements=3, gold_rate=0.3 if gold else 0.0)

        async def make(conn: Any) -> UUID:
            version = await ontologies.create(conn, tenant, name, spec or CHOICE, {})
            new = NewProject(
                name, source, version.version_id, asked, price_minor, currency, None, None, page_size, lease_s, "open",
                review_first_s=review_first_s,
            )  # fmt: skip
            project = (await tasks.create_project(conn, self.runtime, tenant, new)).id
            await adding.add_tasks(conn, tenant, project, None, 1.0)
            if budget_minor:
                await ledger.allot(conn, tenant, project, budget_minor, currency)
            if launch:
                await tasks.move_project(conn, tenant, project, "launch")
            return project

        if budget_minor:
            self.fund(tenant, budget_minor, currency)
        project = self.app(tenant, make)
        self.start(lambda run: adding.run_add(run, tenant, project)).result()  # what is left of a large dataset
        rows = self.sql("SELECT id FROM task WHERE tenant = %s AND project = %s ORDER BY rank", tenant, project)
        return Project(tenant, project, [row[0] for row in rows])

    def move(self, project: Project, verb: str) -> None:
        self.app(project.tenant, lambda conn: tasks.move_project(conn, project.tenant, project.id, verb))

    # ------------------------------------------------------------ work
    def claim(self, person: UUID, project: Project, tasks: int | None = None, key: str | None = None) -> Assignment:
        page = self.call(lambda run: work.claim(run, person, project.id, tasks, key))
        assert page is not None, "there was nothing to claim"
        return page

    def submit(self, person: UUID, page: Assignment, value: str = "a", *, only: int | None = None) -> Submitted:
        return self.call(lambda run: work.submit(run, person, page.id, answers(page, value, only=only)))

    def expire(self) -> int:
        return self.call(lambda run: work.expire_due(run))

    def hear(self, *, set_aside: int = 0) -> None:
        """Let those who decide and who move money hear what happened since the last time, by the real dispatcher, and
        do the slow work that they ask for. set_aside: how many projects are left aside afterwards."""

        async def run(runtime: Runtime) -> None:
            if self.dispatcher is None or self.queue is None:
                self.dispatcher = Dispatcher(runtime, self.consumers(runtime))
                self.queue = Queue(runtime, self.jobs(runtime))
            await self.dispatcher.drain(CALL_LIMIT_S)
            while await self.queue.drain():
                await self.dispatcher.drain(CALL_LIMIT_S)

        self.call(run)
        left = self.sql("SELECT consumer, project, reason FROM event_aside WHERE tries > 0")
        assert len(left) == set_aside, left

    @staticmethod
    def consumers(runtime: Runtime) -> list[Consumer]:
        return [one for one in wiring.consumers(runtime) if one.name in ("aggregate", "ledger")]

    @staticmethod
    def jobs(runtime: Runtime) -> list[Job]:
        return [one for one in slow.work(runtime) if one.kind in ("refit", "ask")]

    def restart(self) -> None:
        """Forget everything that a process remembers: a new one goes on from what is stored."""

        async def run(_: Runtime) -> None:
            if self.dispatcher is not None:
                await self.dispatcher.close()
            self.dispatcher = self.queue = None

        self.call(run)

    def rewind(self) -> None:
        """Take every consumer back to the beginning, as if it had heard nothing."""
        self.restart()
        self.sql("UPDATE event_place SET epoch = 0, xid = '0', seq = 0")
        self.sql("DELETE FROM event_cursor")

    # ------------------------------------------------------------ money
    def fund(self, tenant: UUID, amount_minor: int, currency: str = "EUR") -> None:
        """Money comes in, by the operator's record of it."""

        async def run(runtime: Runtime) -> None:
            async with runtime.db.tx(Role.OPS, tenant=tenant) as conn:
                await ledger.fund(conn, tenant, amount_minor, currency)

        self.call(run)

    def tenants(self) -> list[UUID]:
        return [row[0] for row in self.sql("SELECT id FROM tenant")]

    def offences(self, tenants: list[UUID] | None = None) -> list[Violation]:
        return self.call(lambda run: ledger.check(run.db, tenants or self.tenants())).violations

    def sound(self) -> None:
        """L1-L12 hold in every tenant."""
        assert self.offences() == []

    def balances(self, tenant: UUID) -> dict[str, int]:
        rows = self.sql("SELECT type, sum(balance_minor)::bigint FROM account WHERE tenant = %s GROUP BY type", tenant)
        return dict(rows)

    # ------------------------------------------------------------ HTTP
    @contextlib.contextmanager
    def http(self) -> Iterator[str]:
        """Serve the whole application over this instance; yields its URL."""
        mine = self.runtime
        runtime = Runtime(mine.settings, Database(self.server_url), mine.blobs)  # closed with the server
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(runtime), port=0, log_level="error", timeout_graceful_shutdown=1, http=GuardedProtocol
            )
        )
        running = asyncio.run_coroutine_threadsafe(server.serve(), self.loop)
        end = time.monotonic() + 60
        while not server.started and not running.done() and time.monotonic() < end:
            time.sleep(0.01)
        assert server.started, "the server did not start"
        try:
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            running.result(30)


def answers(page: Assignment, value: str = "a", *, only: int | None = None, label: Any = None) -> bytes:
    """The body of a submit that says `value` of each task (or of the first `only`)."""
    said = label if label is not None else choice(value)
    chosen = page.tasks if only is None else page.tasks[:only]
    judgements = [{"task": str(one.task), "label": said, "seconds": 3.0} for one in chosen]
    return json.dumps({"fence": page.fence, "judgements": judgements}).encode()


@contextlib.contextmanager
def fresh_foundry(
    cluster: Cluster, copied: str, folder: Path, pooler: Pooler | None = None, **more: Any
) -> Iterator[Foundry]:
    """An instance over a database that nobody has used, gone again at the end. pooler: what stands in between.

    more: further settings.
    """
    name = f"foundry_{ids.uuid7().hex}"
    admin_url = cluster.create_database(name, template=copied)
    server_url = cluster.url_for(LOGIN, name)
    if pooler is not None:
        server_url = pooler.through(server_url)
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(folder, server_url, None, b"instance " + name.encode(), fee_bp=1_000, insurance_bp=500, **more)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def make() -> Runtime:
        runtime = Runtime(settings, Database(server_url), Blobs.open(folder / "blobs", secret=b"s" * 32))
        await runtime.db.open()
        return runtime

    runtime = asyncio.run_coroutine_threadsafe(make(), loop).result(60)
    opened = Foundry(admin_url, server_url, runtime, loop)
    try:
        yield opened
    finally:
        asyncio.run_coroutine_threadsafe(runtime.db.close(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
        cluster.drop_database(name)


@contextlib.contextmanager
def moved_clock(seconds: float) -> Iterator[None]:
    """This process's clock runs ahead inside the block."""
    clock.advance(timedelta(seconds=seconds))
    try:
        yield
    finally:
        clock.advance(timedelta(seconds=-seconds))
