"""Whoever reads a streamed answer slowly holds up nobody."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cupola.kernel import ids
from cupola.platform.pg import statement
from cupola.platform.pg.tx import Database, Role
from cupola.platform.runtime import Runtime
from cupola.releases import evidence, store
from cupola.tasks import store as tasks_store
from tests.foundry import Foundry
from tests.releases.test_release import freeze, settle


def test_readers_who_stop_in_the_middle_hold_no_connection(foundry: Foundry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statement, "PAGE", 3)
    project = foundry.project(foundry.tenant(), 10)
    person = foundry.person()
    foundry.submit(person, foundry.claim(person, project))
    settle(foundry, project)
    release = freeze(foundry, project, "read slowly", 5)

    async def many(runtime: Runtime) -> tuple[int, list[int]]:
        db = Database(foundry.server_url, max_size=2)
        await db.open()
        run = Runtime(runtime.settings, db, runtime.blobs)
        async with db.tx(Role.APP, tenant=project.tenant) as conn:
            row = await store.RELEASE.one(conn, tenant=project.tenant, id=release.id)
        readers: list[AsyncIterator[Any]] = [evidence.bundle(run, project.tenant, row) for _ in range(20)]
        readers += [
            tasks_store.JUDGEMENTS_OF_PROJECT.pages(
                db, Role.APP, project.tenant, place=lambda one: {"id": one.id}, id=ids.FIRST, project=project.id
            )
            for _ in range(20)
        ]
        first = 0
        for reader in readers:
            first += len(await anext(reader))
        async with db.tx(Role.APP, tenant=project.tenant) as conn:  # there is one left for everybody else
            assert await store.RELEASE.maybe(conn, tenant=project.tenant, id=release.id) is not None
        rest = [sum([len(batch) async for batch in reader]) for reader in readers[20:]]
        for reader in readers[:20]:
            with contextlib.suppress(StopAsyncIteration):
                await anext(reader)
        await db.close()
        return first, rest

    first, rest = foundry.call(many)
    assert first > 0
    assert rest == [10 - 3] * 20, "the pages together are the whole"
