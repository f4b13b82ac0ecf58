"""Exports: a job that streams a frozen release through a format's exporter into a blob, at constant memory."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import msgspec

from cupola.formats.report import Dropped
from cupola.kernel import clock, ids
from cupola.kernel.errors import Kind, Problem, unforeseen
from cupola.platform import events
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.releases import formats, service, store
from cupola.releases.card import StagePaid, card
from cupola.releases.croissant import FileEntry, croissant
from cupola.releases.exporters.base import About
from cupola.releases.model import Export
from cupola.tasks import service as tasks_service

log = logging.getLogger("cupola.exports")


def file_stem(name: str) -> str:
    """A release's name as the beginning of a file's name."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:80] or "release"


async def start(conn: Conn, run: Runtime, tenant: UUID, release: UUID, format: str, bound_to: str) -> Export:
    """Ask for an export; the worker hears of it.

    Raises Problem: NOT_FOUND; CONFLICT before it is frozen; INVALID for an unknown format, UNSUPPORTED for one that
    cannot hold the release.
    """
    wanted = await service.view_frozen(conn, tenant, release)
    _, ontology = await tasks_service.project_and_ontology(conn, tenant, wanted.project)
    formats.able(format, ontology)
    export = ids.uuid7()
    await store.EXPORT_ADD.run(conn, tenant=tenant, id=export, release=release, format=format, now=clock.now())
    await events.emit(conn, tenant, "export.requested", export)
    row = await store.EXPORT.maybe(conn, tenant=tenant, id=export)
    assert row is not None
    return shown(run, tenant, row, bound_to)


def shown(run: Runtime, tenant: UUID, row: store.ExportRow, bound_to: str) -> Export:
    return Export(
        row.id,
        row.release,
        row.format,
        row.state,
        row.rows,
        row.size_bytes,
        row.sha256.hex() if row.sha256 else None,
        row.file_name,
        f"/api/exports/{row.id}/file" if row.state == "done" else None,
        row.error,
        row.error_code,
        row.created_at,
        row.finished_at,
        [] if row.dropped is None else msgspec.json.decode(row.dropped, type=list[Dropped]),
    )


async def _files(conn: Conn, tenant: UUID, release: UUID) -> list[tuple[str, FileEntry]]:
    """(format, file) of the newest finished export in each."""
    done = [
        row
        for row in await store.EXPORTS.all(conn, tenant=tenant, release=release, before=ids.LAST, limit=100)
        if row.state == "done"
    ]
    newest = {row.format: row for row in reversed(done)}
    known = formats.every()
    return [
        (
            row.format,
            FileEntry(
                row.file_name or row.format,
                (row.sha256 or b"").hex(),
                row.size_bytes or 0,
                row.media_type or "",
                known[row.format].records if row.format in known else None,
            ),
        )
        for row in newest.values()
    ]


async def describe(conn: Conn, tenant: UUID, release: UUID, url: str) -> dict[str, Any]:
    """The release's Croissant metadata with every finished export as a file. Raises Problem(NOT_FOUND)."""
    view = await service.view(conn, tenant, release)
    return croissant(
        release=view.id,
        name=view.name,
        licence=view.licence,
        created_at=view.created_at,
        items=view.items,
        files=[entry for _, entry in await _files(conn, tenant, release)],
        url=url,
        statement=view.certificate.statement if view.certificate else "",
    )


async def data_card(conn: Conn, tenant: UUID, release: UUID) -> str:
    """The release's README as data hubs have it. Raises Problem: NOT_FOUND; CONFLICT before it is frozen."""
    view = await service.view_frozen(conn, tenant, release)
    project = await tasks_service.project_view(conn, tenant, view.project)
    _, ontology = await tasks_service.project_and_ontology(conn, tenant, view.project)
    return card(
        release=view.id,
        name=view.name,
        licence=view.licence,
        created_at=view.frozen_at or view.created_at,
        items=view.items,
        ontology=ontology,
        guidelines=await tasks_service.guidelines(conn, tenant, view.project),
        stages=[StagePaid(does, offer.price_minor) for does, offer in zip(project.stages, project.offers, strict=True)],
        currency=project.currency,
        judgements=project.judgements,
        reviewed_first=project.review_first_s is not None,
        files=await _files(conn, tenant, release),
        statement=view.certificate.statement if view.certificate else "",
    )


async def run_export(run: Runtime, tenant: UUID, export: UUID) -> None:
    """Write an export's file. May be run again at any time: the same rows give the same file.

    Raises Problem (UNAVAILABLE) when the database or the store is away; any other trouble ends the export as failed,
    with the sentence that says why.
    """
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        row = await store.EXPORT.maybe(conn, tenant=tenant, id=export)
        if row is None or row.state in ("done", "failed"):
            return
        await store.EXPORT_STATE.run(conn, tenant=tenant, id=export, state="running", error=None, code=None)
    try:
        await _write(run, tenant, row)
    except Problem as problem:
        if problem.kind is Kind.UNAVAILABLE:
            raise
        said = " ".join(part for part in (problem.detail, problem.remedy) if part)
        await fail_export(run, tenant, export, said, problem.code)
    except Exception as trouble:
        # A fault of ours or of a library: the export must end with a reason, or whoever waits waits for ever.
        log.exception("the export %s failed", export)
        await fail_export(run, tenant, export, unforeseen(trouble), "unforeseen")


async def fail_export(run: Runtime, tenant: UUID, export: UUID, said: str, code: str = "") -> None:
    """Write down that an export failed, and why."""
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        await store.EXPORT_STATE.run(conn, tenant=tenant, id=export, state="failed", error=said, code=code or None)
        await events.emit(conn, tenant, "export.failed", export)


async def _write(run: Runtime, tenant: UUID, row: store.ExportRow) -> None:
    counted = 0
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        frozen = await store.RELEASE.maybe(conn, tenant=tenant, id=row.release)
        assert frozen is not None
        _, ontology = await tasks_service.project_and_ontology(conn, tenant, frozen.project)

    async def rows() -> AsyncIterator[Sequence[store.FrozenRow]]:
        nonlocal counted
        # frozen rows never change: read in pages, so that no connection waits for the store
        async for batch in store.ROWS_AFTER.pages(
            run.db,
            Role.APP,
            tenant,
            place=lambda one: {"position": one.position},
            position=-1,
            release=row.release,
        ):
            counted += len(batch)
            yield batch

    about = About(
        frozen.id,
        frozen.name,
        frozen.licence,
        ontology,
        frozen.created_at,
        lambda sha256: run.blobs.stream(tenant, sha256.hex()),
    )
    made = formats.able(row.format, ontology)(rows(), about)
    stored = await run.blobs.put_stream(tenant, made.chunks)
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        sha256 = bytes.fromhex(stored.sha256)
        now = clock.now()
        await store.EXPORT_DONE.run(
            conn,
            tenant=tenant,
            id=row.id,
            rows=counted,
            bytes=stored.size_bytes,
            sha256=sha256,
            media_type=made.media_type,
            dropped=msgspec.json.encode(about.report.dropped).decode(),
            file_name=f"{file_stem(frozen.name)}-{row.format}.{made.extension}",
            now=now,
        )
        await events.emit(conn, tenant, "export.done", row.id, rows=counted)
