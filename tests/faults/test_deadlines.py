"""Whoever waits for an answer is not kept for ever by a statement of the database, and nor is its connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import psycopg
import pytest

from cupola.kernel import limits
from cupola.kernel.errors import Kind, Problem
from cupola.platform.pg import tx
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from cupola.tasks import work
from tests.foundry import Foundry, answers
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


def test_a_verb_of_work_that_does_not_end_is_ended_and_asked_again_does_it_once(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 2)
    person = foundry.person()

    def within(seconds: float | None, verb: Callable[[Runtime], Awaitable[Any]]) -> Any:
        async def bounded(run: Runtime) -> Any:
            before = tx.waited_for_s.set(seconds)
            try:
                return await verb(run)
            finally:
                tx.waited_for_s.reset(before)

        return foundry.call(bounded)

    async def claim(run: Runtime) -> Any:
        return await work.claim(run, person, project.id, None, "one key")

    def stuck(verb: Callable[[Runtime], Awaitable[Any]]) -> None:
        with psycopg.connect(foundry.admin_url) as other:
            other.execute("LOCK TABLE cupola.assignment IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(Problem) as refused:
                within(0.3, verb)
            assert (refused.value.code, refused.value.kind) == ("busy", Kind.UNAVAILABLE)
            waiting = (
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            assert other.execute(waiting).fetchone() == (0,), "what nobody waits for any more is not worked on"

    stuck(claim)
    page = within(60.0, claim)
    assert within(60.0, claim).id == page.id, "an answer that was lost is told again"
    body = answers(page)

    async def submit(run: Runtime) -> Any:
        return await work.submit(run, person, page.id, body)

    stuck(submit)
    first = within(60.0, submit)
    assert first.paid_minor == 2 * page.price_minor
    assert within(60.0, submit) == first
    assert foundry.sql("SELECT count(*) FROM judgement WHERE project = %s", project.id) == [(2,)]
    foundry.sound()


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
