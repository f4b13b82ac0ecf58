"""The verbs of the catalogue: datasets, uploads, imports. One transaction each."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from cupola.catalog import sealing, store
from cupola.catalog.found import Noted, Refused
from cupola.catalog.importers import annotated
from cupola.catalog.intake import Chunk
from cupola.catalog.model import Dataset, Import, Item, Upload, shown_source
from cupola.catalog.rows import Row, blobs_of
from cupola.catalog.showing import Show, read_parts
from cupola.formats.survey import Survey
from cupola.kernel import clock, ids, limits
from cupola.kernel.errors import conflict, invalid, not_found
from cupola.labels.facts import from_json, with_columns
from cupola.platform import events, hooks
from cupola.platform.pg import long
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime

URL_LIFE_S = 3600
MAX_SOURCE_BYTES = limits.MAX_BODY_BYTES
_unfit = re.compile(r"[\x00-\x1f\x7f/\\]+")


async def create_dataset(conn: Conn, tenant: UUID, name: str, licence: str) -> Dataset:
    """A new, empty dataset. Raises Problem (CONFLICT) for a name that is taken."""
    dataset = ids.uuid7()
    try:
        await store.DATASET_ADD.run(conn, tenant=tenant, id=dataset, name=name, licence=licence, now=clock.now())
    except psycopg.errors.UniqueViolation as error:
        raise conflict("name-taken", f"There is a dataset named {name!r}.", remedy="Choose another name.") from error
    await events.emit(conn, tenant, "dataset.created", dataset)
    return await store.DATASET.one(conn, tenant=tenant, id=dataset)


async def receive_upload(
    run: Runtime, tenant: UUID, dataset: UUID, name: str, chunks: AsyncIterator[bytes], max_bytes: int
) -> Upload:
    """Store an uploaded file at constant memory. Raises Problem: NOT_FOUND, TOO_LARGE, UNAVAILABLE."""
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        if not await store.DATASET_EXISTS.maybe(conn, tenant=tenant, id=dataset):
            raise not_found("dataset")
    stored = await run.blobs.put_stream(tenant, chunks, max_bytes=max_bytes)
    if not stored.size_bytes:
        raise invalid("upload-empty", "The upload holds no bytes.", remedy="Send the file as the request's body.")
    plain = _unfit.sub("_", name).strip()[: limits.MAX_NAME_CHARS] or "upload"
    return Upload(f"{stored.sha256}/{plain}", stored.size_bytes)


async def survey(run: Runtime, tenant: UUID, dataset: UUID, upload: str, form: str) -> Survey:
    """What annotations of another tool hold that were uploaded. Raises Problem: NOT_FOUND, INVALID, UNAVAILABLE."""
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        if not await store.DATASET_EXISTS.maybe(conn, tenant=tenant, id=dataset):
            raise not_found("dataset")
    return await asyncio.to_thread(annotated.look, run.blobs, tenant, upload, form, str(dataset))


async def start_import(conn: Conn, run: Runtime, tenant: UUID, dataset: UUID, source: dict[str, Any]) -> Import:
    """Note an import; a worker that hears `import.requested` runs it.

    Raises Problem: NOT_FOUND for the dataset, INVALID for an unknown source type.
    """
    if not await store.DATASET_EXISTS.maybe(conn, tenant=tenant, id=dataset):
        raise not_found("dataset")
    hooks.load(hooks.IMPORTERS, str(source.get("type", "")))
    try:
        kept = msgspec.json.encode(sealing.seal(run.settings.derive("import secrets"), source)).decode()
    except UnicodeEncodeError:
        kept = "\\u0000"  # half a surrogate pair: as unfit as U+0000
    if len(kept) > MAX_SOURCE_BYTES or "\\u0000" in kept:
        raise invalid("source-unfit", "The source is too long or holds U+0000.", remedy="Upload a manifest instead.")
    run_id = ids.uuid7()
    await store.IMPORT_ADD.run(conn, tenant=tenant, id=run_id, dataset=dataset, source=kept, now=clock.now())
    await events.emit(conn, tenant, "import.requested", run_id)
    return shown_import(await store.IMPORT.one(conn, tenant=tenant, id=run_id))


async def resume_import(conn: Conn, tenant: UUID, run_id: UUID) -> Import:
    """Let an import that stopped go on from where it stopped. Raises Problem: NOT_FOUND, CONFLICT when it is done."""
    row = await store.IMPORT_LOCKED.maybe(conn, tenant=tenant, id=run_id)
    if row is None:
        raise not_found("import")
    if not await store.IMPORT_WAITS.run(conn, tenant=tenant, id=run_id):
        raise conflict(
            "import-done", "This import is done.", remedy="Start a new one; what is there already stays unchanged."
        )
    await events.emit(conn, tenant, "import.requested", run_id)
    return shown_import(await store.IMPORT.one(conn, tenant=tenant, id=run_id))


async def begin(conn: Conn, tenant: UUID, run_id: UUID) -> store.ImportRow | None:
    """Mark an import as running and return it; None when there is nothing to do any more."""
    row = await store.IMPORT_LOCKED.maybe(conn, tenant=tenant, id=run_id)
    if row is None or row.state in ("done", "failed"):
        return None
    await store.IMPORT_STARTS.run(conn, tenant=tenant, id=run_id, now=clock.now())
    return row


async def store_chunk(
    conn: Conn, tenant: UUID, run_id: UUID, dataset: UUID, chunk: Chunk, before: str | None
) -> store.ImportRow:
    """Store a chunk and move the cursor, all or nothing. `before`: where the cursor must stand.

    Raises Problem (CONFLICT) code "import-moved" when another process went on with this import.
    """
    first: dict[str, Row] = {}
    again: list[Row] = []
    for row in chunk.rows:
        if first.setdefault(row.ref, row) is not row:
            again.append(row)
    rows = list(first.values())
    added: set[str] = set()
    there: dict[str, bytes] = {ref: row.fingerprint for ref, row in first.items()}
    if rows:
        inserted = await insert(conn, tenant, dataset, rows)
        added = {item.ref for item in inserted}
        missed = [ref for ref in first if ref not in added]
        if missed:
            known = await store.ITEMS_THERE.all(conn, tenant=tenant, dataset=dataset, refs=missed)
            there.update((found.ref, found.fingerprint) for found in known)
    refusals = list(chunk.refusals)
    unchanged = 0
    for row in (*(row for row in rows if row.ref not in added), *again):
        if there[row.ref] == row.fingerprint:
            unchanged += 1
        else:
            refusals.append(_duplicate(row))
    if refusals:
        await _tell(conn, tenant, run_id, refusals, taken=False)
    if chunk.notes:
        await _tell(conn, tenant, run_id, chunk.notes, taken=True)
    moved = await store.IMPORT_ADVANCES.run(
        conn,
        tenant=tenant,
        id=run_id,
        before=before,
        cursor=chunk.cursor if chunk.cursor is not None else before,
        found=len(chunk.rows) + len(chunk.refusals),
        accepted=len(added),
        unchanged=unchanged,
        refused=len(refusals),
        noted=len(chunk.notes),
        bytes=sum(row.size_bytes for row in rows if row.ref in added),
    )
    if moved != 1:
        raise conflict("import-moved", "Another process goes on with this import.", remedy="Watch its progress.")
    progress = await store.IMPORT.one(conn, tenant=tenant, id=run_id)
    await events.emit(
        conn,
        tenant,
        "import.progress",
        run_id,
        found=progress.found,
        accepted=progress.accepted,
        unchanged=progress.unchanged,
        refused=progress.refused,
    )
    return progress


async def insert(conn: Conn, tenant: UUID, dataset: UUID, rows: Sequence[Row]) -> list[store.Added]:
    """Store items that are ready, with their parts and what they name; returns those that were not there before."""
    rows = await _short(conn, tenant, rows)
    content = msgspec.json.encode(rows).decode()
    now = clock.now()
    named = blobs_of(rows)
    if named:
        told = content if len(named) == len(rows) else msgspec.json.encode(named).decode()
        await store.BLOBS_ADD.run(conn, tenant=tenant, rows=told, now=now)
    added = await store.ITEMS_ADD.all(conn, tenant=tenant, dataset=dataset, rows=content, now=now)
    if any(row.parts for row in rows):
        await store.PARTS_ADD.run(conn, tenant=tenant, rows=content)
    return added


async def _short(conn: Conn, tenant: UUID, rows: Sequence[Row]) -> Sequence[Row]:
    """The rows with their long labels put into blobs; their fingerprints stay those of the labels themselves."""
    labels = {"pre": [row.pre_label for row in rows], "gold": [row.gold_label for row in rows]}
    named = await long.kept(conn.long_texts, tenant, labels, labels)
    if named is labels:
        return rows
    each = zip(rows, named["pre"], named["gold"], strict=True)
    return [replace(row, pre_label=pre, gold_label=gold) for row, pre, gold in each]


async def finish(
    conn: Conn, tenant: UUID, run_id: UUID, before: str | None, error: str | None, code: str | None = None
) -> None:
    """End a run: done, or failed with a sentence and its code (then it can be resumed)."""
    state = "done" if error is None else "failed"
    ended = await store.IMPORT_ENDS.run(
        conn, tenant=tenant, id=run_id, before=before, state=state, error=error, code=code, now=clock.now()
    )
    if not ended:
        return
    row = await store.IMPORT.one(conn, tenant=tenant, id=run_id)
    if error is None:
        bare = msgspec.json.encode(shown_source(sealing.forget(row.source))).decode()
        await store.IMPORT_SOURCE.run(conn, tenant=tenant, id=run_id, source=bare)
    await events.emit(
        conn,
        tenant,
        f"import.{state}",
        run_id,
        dataset=row.dataset,
        accepted=row.accepted,
        unchanged=row.unchanged,
        refused=row.refused,
    )


async def _tell(conn: Conn, tenant: UUID, run_id: UUID, refusals: Sequence[Refused | Noted], *, taken: bool) -> None:
    await store.REFUSALS_ADD.run(
        conn,
        tenant=tenant,
        id=run_id,
        taken=taken,
        place=[_storable(refusal.place) for refusal in refusals],
        ref=[_storable(refusal.ref) for refusal in refusals],
        reason=[refusal.reason for refusal in refusals],
        detail=[_storable(refusal.detail) for refusal in refusals],
        remedy=[_storable(refusal.remedy) for refusal in refusals],
    )


def _storable(text: str) -> str:
    """Anything as text that a database holds: what is refused is often refused for its odd characters."""
    return text.encode(errors="backslashreplace").decode().replace("\0", "\\0")[:2_000]


def _duplicate(row: Row) -> Refused:
    return Refused(
        row.ref,
        row.place,
        "",
        "duplicate-ref",
        "This reference is there already, with other content.",
        "Give it a reference of its own; items never change.",
    )


def shown_import(row: store.ImportRow) -> Import:
    """A run without the secrets of its source."""
    return Import(
        row.id,
        row.dataset,
        shown_source(sealing.forget(row.source)),
        row.state,
        row.found,
        row.accepted,
        row.unchanged,
        row.refused,
        row.noted,
        row.bytes,
        row.error,
        row.error_code,
        row.created_at,
        row.started_at,
        row.finished_at,
    )


def shown_item(run: Runtime, tenant: UUID, row: store.ItemRow, bound_to: str) -> Item:
    """An item with URLs that only `bound_to` may use."""
    show = Show(run, tenant, bound_to, URL_LIFE_S)
    asset = None if row.asset is None else row.asset.hex()
    return Item(
        row.id,
        row.ref,
        row.media_type,
        row.bytes,
        row.width_px,
        row.height_px,
        row.body,
        row.metadata,
        show.address(asset, row.url, row.media_type),
        show.thumb(None if row.thumb is None else row.thumb.hex(), asset, row.media_type),
        None
        if row.facts is None
        else with_columns(from_json(row.facts), row.media_type, row.width_px, row.height_px, row.body),
        show.parts(read_parts(row.parts)),
        row.created_at,
        show.frames(asset, None if row.facts is None else from_json(row.facts)),
    )
