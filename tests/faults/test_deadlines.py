"""Whoever waits for an answer is not kept for ever by a statement of the database, and nor is its connection."""

from __future__ import annotations

import httpx
import psycopg
import pytest

from cupola.kernel import limits
from cupola.platform.pg import tx
from cupola.platform.pg.tx import Role
from tests.foundry import Foundry
from tests.security.test_other_peoples_objects import build
from tests.serving import Serving


def test_a_statement_that_does_not_end_is_ended_and_told(foundry: Foundry, monkeypatch: pytest.MonkeyPatch) -> None:
    with foundry.http() as url:
        scene = build(foundry, Serving(url, foundry.admin_url, foundry.runtime, foundry.loop, None), url)
        client: httpx.Client = scene.rightful["tenant"]
        monkeypatch.setattr(limits, "STATEMENT_S", 0.3)
        with psycopg.connect(foundry.admin_url) as other:
            other.execute("LOCK TABLE cupola.settlement IN ACCESS EXCLUSIVE MODE")
            stuck = client.get(f"/api/adjudication/{scene.objects['task']}", timeout=60)
            assert (stuck.status_code, stuck.json()["code"]) == (503, "busy")
            assert int(stuck.headers["retry-after"]) > 0
            assert client.get("/api/datasets").status_code == 200  # the others go on meanwhile
        monkeypatch.setattr(limits, "STATEMENT_S", 60)
        assert client.get(f"/api/adjudication/{scene.objects['task']}").status_code == 200


def test_slow_work_that_nobody_waits_for_has_no_such_bound(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    bound = "SELECT current_setting('statement_timeout')"

    async def within(run: tx.Database) -> list[object]:
        found: list[object] = []
        for seconds in (None, 7.0, None):
            before = tx.waited_for_s.set(seconds)
            async with run.tx(Role.APP, tenant=tenant) as conn:
                row = await (await conn.execute(bound)).fetchone()
                assert row is not None
                found += row
            tx.waited_for_s.reset(before)
        return found

    assert foundry.call(lambda run: within(run.db)) == ["0", "7s", "0"]
