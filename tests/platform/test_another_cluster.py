"""An instance with pending work, restored in a cluster that has given far fewer transaction numbers, goes on."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from cupola.app import slow, wiring
from cupola.catalog import service as catalog
from cupola.platform import backup, events
from cupola.platform.dispatch.service import Dispatcher
from cupola.platform.jobs.service import Queue
from cupola.platform.pg.cluster import Cluster
from cupola.platform.pg.tx import Database, Role
from cupola.platform.runtime import Runtime
from cupola.platform.stream import Stream
from cupola.releases import exporting
from cupola.tasks.model import Plan
from tests.conftest import reachable_folder
from tests.foundry import Foundry, fresh_foundry
from tests.releases.test_release import freeze, settle


def test_what_waited_settles_and_positions_of_before_still_mean_something(
    foundry: Foundry, cluster: Cluster, tmp_path: Path
) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 10, plan=Plan(0.7, 0.9, 1, 1, 0.0))
    person = foundry.person()
    foundry.hear()  # the places of all consumers stand high
    for _ in range(300):  # and so do the numbers of this cluster
        foundry.sql("SELECT pg_current_xact_id()")
    page = foundry.claim(person, project)
    foundry.submit(person, page)
    [(epoch, xid, seq)] = foundry.sql(
        "SELECT epoch, xid::text, seq FROM event WHERE tenant = %s AND kind = 'assignment.claimed'", tenant
    )
    copy = tmp_path / "copy.tar"
    backup.backup(foundry.admin_url, copy, {})
    folder = reachable_folder()
    with Cluster.open(folder / "data") as other:
        url = other.create_database("restored")
        backup.restore(url, copy, {}, "a password for tests")
        with psycopg.connect(url) as conn:
            conn.execute("SET search_path TO cupola")
            newest = conn.execute("SELECT max(xid::text::bigint) FROM event").fetchone()
            present = conn.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint").fetchone()
            assert newest is not None
            assert present is not None
            assert newest[0] > present[0], "the numbers of before lie ahead of this cluster, or this shows nothing"
        with fresh_foundry(other, "restored", tmp_path / "there") as there:

            async def go_on(run: Runtime) -> list[str]:
                dispatcher, queue = Dispatcher(run, wiring.consumers(run)), Queue(run, slow.work(run))
                await dispatcher.drain()
                await queue.drain()
                async with run.db.tx(Role.APP, tenant=tenant) as conn:
                    await events.emit(conn, tenant, "test.after", None)
                seen: list[str] = []
                stream = Stream(run.db)
                async for event in stream.listen(tenant, (epoch, int(xid), seq)):
                    if isinstance(event, events.Event):
                        seen.append(event.kind)
                        if event.kind == "test.after":
                            break
                await stream.close()
                return seen

            kinds = there.call(go_on)
            undecided = "SELECT count(*) FROM task WHERE tenant = %s AND state < 2"
            assert foundry.sql(undecided, tenant) == [(10,)]
            assert there.sql(undecided, tenant) == [(0,)]
            assert "judgement.submitted" in kinds, "a listener that comes back hears what it had missed"
            assert kinds.count("task.settled") + kinds.count("task.escalated") == 10
            assert there.sql("SELECT epoch FROM event_epoch") == [(1,)]
            there.sound()
    Cluster.destroy(folder / "data")


def test_an_import_and_an_export_that_waited_go_on(foundry: Foundry, cluster: Cluster, tmp_path: Path) -> None:
    project = foundry.project(foundry.tenant(), 6)
    tenant = project.tenant
    settle(foundry, project)
    release = freeze(foundry, project, "waits", 3)
    dataset = foundry.dataset(tenant, 0)
    foundry.hear()

    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"ref": "one", "text": "eins"}\n{"ref": "two", "text": "zwei"}\n'

    async def ask(run: Runtime) -> tuple[UUID, UUID]:
        upload = await catalog.receive_upload(run, tenant, dataset, "m.jsonl", chunks(), 1_000)
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            source = {"type": "upload", "upload": upload.upload, "copy": False}
            waiting = await catalog.start_import(conn, run, tenant, dataset, source)
            export = await exporting.start(conn, run, tenant, release.id, "jsonl", "me")
        return waiting.id, export.id

    waiting, export = foundry.call(ask)
    copy = tmp_path / "copy.tar"
    backup.backup(foundry.admin_url, copy, {})
    shutil.copytree(foundry.runtime.settings.data_dir / "blobs", tmp_path / "there" / "blobs")
    folder = reachable_folder()
    with Cluster.open(folder / "data") as other:
        url = other.create_database("restored")
        backup.restore(url, copy, {}, "a password for tests")
        with fresh_foundry(other, "restored", tmp_path / "there") as there:

            async def go_on(run: Runtime) -> None:
                dispatcher, queue = Dispatcher(run, wiring.consumers(run)), Queue(run, slow.work(run))
                await dispatcher.drain()
                while await queue.drain():
                    await dispatcher.drain()

            there.call(go_on)
            runs = "SELECT state, accepted FROM import_run WHERE id = %s"
            assert foundry.sql(runs, waiting) == [("waiting", 0)]
            assert there.sql(runs, waiting) == [("done", 2)]
            ((state, rows, sha256),) = there.sql("SELECT state, rows, sha256 FROM export WHERE id = %s", export)
            assert (state, rows) == ("done", 6)
            written = there.call(lambda run: run.blobs.get(tenant, sha256.hex()))
            assert len(written.splitlines()) >= 6
    Cluster.destroy(folder / "data")


def test_the_next_epoch_gives_way_to_whoever_reads_events(foundry: Foundry) -> None:
    """A lock that waits makes everybody behind it wait: it must not stand there while somebody reads for long."""
    tenant = foundry.tenant()
    foundry.sql("UPDATE event_epoch SET system = 0")  # as if this were another cluster than before
    [(before,)] = foundry.sql("SELECT epoch FROM event_epoch")
    asked = "SELECT event_epoch_begin((SELECT epoch FROM event_epoch))"
    with psycopg.connect(foundry.admin_url, options="-c search_path=cupola") as reader:
        reader.execute("SELECT count(*) FROM event")  # and its transaction stays open, as a backup's does
        with pytest.raises(psycopg.errors.LockNotAvailable):
            foundry.sql(asked)
        other = Database(foundry.server_url, max_size=2)

        async def opens(_: Runtime) -> None:
            await other.open()

        opening = foundry.start(opens)
        # whoever writes meanwhile is not kept waiting for the reader's end
        patient = "-c search_path=cupola -c lock_timeout=10s"
        with psycopg.connect(foundry.admin_url, autocommit=True, options=patient) as writer:
            writer.execute("SELECT set_config('app.tenant', %s, false)", (str(tenant),))
            for _ in range(20):
                writer.execute("SELECT event_append(%s, 'test.meanwhile', NULL, NULL, '{}', now())", (tenant,))
                time.sleep(0.1)  # so that one of them meets the lock that is asked for
        assert foundry.sql("SELECT epoch FROM event_epoch") == [(before,)]
        reader.rollback()
    opening.result(60)
    assert foundry.sql("SELECT epoch FROM event_epoch") == [(before + 1,)]
    foundry.call(lambda _: other.close())
