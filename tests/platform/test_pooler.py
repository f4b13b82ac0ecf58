"""A pool by transaction between the server and Postgres: roles, tenants and settings never leak, nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import conninfo

from cupola.platform.pg.cluster import Cluster
from cupola.platform.pg.migrate import LOGIN
from cupola.platform.pg.tx import Database, Role
from cupola.platform.runtime import Runtime
from cupola.tasks import work
from cupola.tasks.model import Plan
from tests.foundry import Foundry, answers, fresh_foundry
from tests.pooler import PROGRAM, pooler

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs pgbouncer (apt-get install pgbouncer)")


@pytest.fixture(scope="module")
def foundry(cluster: Cluster, foundry_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foundry]:
    with (
        pooler(cluster.url, connections=2) as between,
        fresh_foundry(cluster, foundry_template, tmp_path_factory.mktemp("pooled"), between) as opened,
    ):
        yield opened


def test_the_pool_is_noticed_and_what_stands_in_no_pool_is_not(foundry: Foundry, cluster: Cluster) -> None:
    assert foundry.runtime.db.pooled

    async def direct(_: Any) -> bool:
        db = Database(cluster.url_for(LOGIN, str(conninfo.conninfo_to_dict(foundry.admin_url)["dbname"])))
        await db.open()
        try:
            return db.pooled
        finally:
            await db.close()

    assert foundry.call(direct) is False


def test_each_transaction_is_its_own_role_and_tenant_however_connections_change_hands(foundry: Foundry) -> None:
    tenants = [foundry.tenant() for _ in range(3)]

    async def who(run: Any, role: Role, n: int) -> tuple[Any, ...]:
        async with run.db.tx(role, tenant=tenants[n % 3]) as conn:
            await asyncio.sleep(0)
            row = await (
                await conn.execute(
                    "SELECT current_user, current_setting('app.tenant'), current_setting('search_path'), "
                    "current_setting('timezone'), pg_backend_pid()"
                )
            ).fetchone()
        return (role.value, str(tenants[n % 3]), *row)

    async def all_at_once(run: Any) -> list[tuple[Any, ...]]:
        return await asyncio.gather(*(who(run, role, n) for n in range(40) for role in Role))

    found = foundry.call(all_at_once)
    assert all(row[0] == row[2] and row[1] == row[3] and row[4:6] == ("cupola", "UTC") for row in found)
    by_process: dict[int, set[str]] = {}
    for row in found:
        by_process.setdefault(row[6], set()).add(row[0])
    assert any(len(roles) > 1 for roles in by_process.values()), "connections changed hands"

    async def bare(run: Any) -> Any:
        async with run.db.verb(Role.GATEWAY) as conn:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await conn.execute("SELECT * FROM judgement LIMIT 1")
            return await (await conn.execute("SELECT current_user")).fetchone()

    assert foundry.call(bare) == (LOGIN,), "no role outlives its transaction, and the login by itself reads nothing"


def test_people_work_and_are_paid_through_it_as_without(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 12, plan=Plan(min_judgements=3, max_judgements=3, gold_rate=0.0), page_size=2)

    async def everything(run: Runtime, person: UUID) -> int:
        made = 0
        while (page := await work.claim(run, person, project.id, 2, None)) is not None:
            made += len((await work.submit(run, person, page.id, answers(page))).judgements)
        return made

    made = foundry.together([lambda run, who=who: everything(run, who) for who in foundry.people(6)])
    foundry.hear()
    stored = foundry.sql("SELECT count(*) FROM judgement WHERE tenant = %s", tenant)
    assert stored == [(sum(made),)]
    assert sum(made) >= 12
    foundry.sound()
