"""Routes of datasets, items, uploads and imports."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cupola.catalog import service, store
from cupola.catalog.model import Dataset, Import, Item, Refusal, Upload
from cupola.formats.caged import AUTO
from cupola.formats.survey import Survey
from cupola.kernel import ids, limits
from cupola.kernel.errors import Problem, invalid
from cupola.labels.places import unstorable
from cupola.platform.pg.tx import Role
from cupola.platform.web import (
    Cursor,
    Limit,
    Listed,
    Manager,
    Name,
    Reviewer,
    decode_cursor,
    found,
    listed,
    post,
    reply,
    runtime,
)

_RAW = {"type": "string", "format": "binary"}
router = APIRouter(tags=["catalogue"])


class NewDataset(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: Name
    licence: str = Field(default="", max_length=2_000, pattern=r"^[^\x00]*$", description="Of the raw data.")


class NewImport(BaseModel):
    model_config = ConfigDict(extra="forbid")
    source: dict[str, Any] = Field(
        description='{"type": "upload", "upload", "names"?} | '
        '{"type": "annotated", "upload", "format"?, "use"?, "kind"} | {"type": "folder", "path"} | '
        '{"type": "urls", "urls"} | '
        '{"type": "s3", "url", "region"?, "access_key_id"?, "secret_access_key"?, "endpoint"?}; '
        '"copy": false keeps URLs as references instead of fetching them.'
    )


@router.get("/api/datasets", response_model=Listed[Dataset])
async def get_datasets(request: Request, who: Reviewer, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The datasets, newest first."""
    before = decode_cursor(cursor, UUID)
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await store.DATASETS.all(conn, tenant=who.tenant, before=before or ids.LAST, limit=limit + 1)
    return listed(rows, limit, lambda row: row.id)


@router.post("/api/datasets", response_model=Dataset, status_code=201)
async def post_dataset(request: Request, who: Manager, body: NewDataset) -> Response:
    """A new, empty dataset."""
    return await post(request, who, lambda conn: service.create_dataset(conn, who.tenant, body.name, body.licence))


@router.get("/api/datasets/{dataset}", response_model=Dataset)
async def get_dataset(request: Request, who: Reviewer, dataset: UUID) -> Response:
    """One dataset."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(found(await store.DATASET.maybe(conn, tenant=who.tenant, id=dataset), "dataset"))


@router.get("/api/datasets/{dataset}/items", response_model=Listed[Item])
async def get_items(
    request: Request, who: Reviewer, dataset: UUID, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """The items of a dataset in the order of their references, with signed URLs for whoever asks."""
    run = runtime(request)
    after = decode_cursor(cursor, str) or ""
    if unstorable(after):
        raise _unknown_cursor()
    async with run.db.tx(Role.APP, tenant=who.tenant) as conn:
        found(await store.DATASET_EXISTS.maybe(conn, tenant=who.tenant, id=dataset), "dataset")
        rows = await store.ITEMS.all(conn, tenant=who.tenant, dataset=dataset, after=after, limit=limit + 1)
    return listed([service.shown_item(run, who.tenant, row, who.name) for row in rows], limit, lambda row: row.ref)


@router.put(
    "/api/datasets/{dataset}/uploads",
    response_model=Upload,
    status_code=201,
    openapi_extra={
        "requestBody": {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
    },
)
async def put_upload(
    request: Request,
    who: Manager,
    dataset: UUID,
    name: Annotated[str, Query(min_length=1, max_length=limits.MAX_NAME_CHARS, description="The file's name.")],
) -> Response:
    """Send a file as the raw body: a zip, a manifest (JSONL, CSV, Parquet), one picture or one text.

    It is stored as it streams in; sending the same bytes again is free of consequences.
    """
    return reply(
        await service.receive_upload(
            runtime(request), who.tenant, dataset, name, request.stream(), limits.MAX_UPLOAD_BYTES
        ),
        201,
    )


@router.get("/api/datasets/{dataset}/survey", response_model=Survey)
async def get_survey(
    request: Request,
    who: Manager,
    dataset: UUID,
    upload: Annotated[str, Query(max_length=2 * limits.MAX_NAME_CHARS, description="As the upload's answer named it.")],
    format: Annotated[str, Query(max_length=limits.MAX_NAME_CHARS, description="A name, or auto.")] = AUTO,
) -> Response:
    """What an upload of another tool's annotations holds: its format, who annotated, an ontology that would fit.

    Import it then as {"type": "annotated", "upload", "format", "use", "kind"}.
    """
    return reply(await service.survey(runtime(request), who.tenant, dataset, upload, format))


@router.post("/api/datasets/{dataset}/imports", response_model=Import, status_code=201)
async def post_import(request: Request, who: Manager, dataset: UUID, body: NewImport) -> Response:
    """Start an import; it runs in the background and can be watched."""
    run = runtime(request)
    return await post(request, who, lambda conn: service.start_import(conn, run, who.tenant, dataset, body.source))


@router.get("/api/datasets/{dataset}/imports", response_model=Listed[Import])
async def get_imports(
    request: Request, who: Reviewer, dataset: UUID, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """The imports into a dataset, newest first."""
    before = decode_cursor(cursor, UUID)
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        found(await store.DATASET_EXISTS.maybe(conn, tenant=who.tenant, id=dataset), "dataset")
        rows = await store.IMPORTS.all(
            conn, tenant=who.tenant, dataset=dataset, before=before or ids.LAST, limit=limit + 1
        )
    return listed([service.shown_import(row) for row in rows], limit, lambda row: row.id)


@router.get("/api/imports/{import_id}", response_model=Import)
async def get_import(request: Request, who: Reviewer, import_id: UUID) -> Response:
    """How an import stands."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        row = found(await store.IMPORT.maybe(conn, tenant=who.tenant, id=import_id), "import")
    return reply(service.shown_import(row))


@router.get("/api/imports/{import_id}/refusals", response_model=Listed[Refusal])
async def get_refusals(
    request: Request, who: Reviewer, import_id: UUID, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """What an import refused: where it stands, why, and what to do about it."""
    return await _told(request, who, import_id, limit, cursor, taken=False)


@router.get("/api/imports/{import_id}/notes", response_model=Listed[Refusal])
async def get_notes(
    request: Request, who: Reviewer, import_id: UUID, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """What an import took otherwise than it stood there, or passed over: a label cut to what fits, guessed names."""
    return await _told(request, who, import_id, limit, cursor, taken=True)


async def _told(
    request: Request, who: Reviewer, import_id: UUID, limit: int, cursor: str | None, *, taken: bool
) -> Response:
    after = decode_cursor(cursor, int) or 0
    if not -1 < after < 2**63:
        raise _unknown_cursor()
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        found(await store.IMPORT.maybe(conn, tenant=who.tenant, id=import_id), "import")
        rows = await store.REFUSALS.all(
            conn, tenant=who.tenant, id=import_id, taken=taken, after=after, limit=limit + 1
        )
    return listed(rows, limit, lambda row: row.n)


@router.post("/api/imports/{import_id}/resume", response_model=Import, status_code=200)
async def post_resume(request: Request, who: Manager, import_id: UUID) -> Response:
    """Let an import that stopped go on from where it stopped."""
    return await post(request, who, lambda conn: service.resume_import(conn, who.tenant, import_id), status=200)


def _unknown_cursor() -> Problem:
    return invalid("cursor-unknown", "This cursor is not one of ours.", place="?cursor", remedy="Begin without one.")
