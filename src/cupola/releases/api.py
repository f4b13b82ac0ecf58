"""Routes of releases, audits and exports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from cupola.catalog.showing import ItemView
from cupola.kernel import ids, limits
from cupola.kernel.errors import conflict
from cupola.platform.blobs import parse_range
from cupola.platform.pg.tx import Conn, Role, reading
from cupola.platform.web import (
    Cursor,
    Limit,
    Listed,
    Manager,
    Name,
    Reviewer,
    attachment,
    decode_cursor,
    found,
    listed,
    nothing,
    post,
    reply,
    runtime,
    sends,
)
from cupola.quality.certify.page import page as certificate_page
from cupola.releases import evidence, exporting, formats, service, store
from cupola.releases.model import AuditAsked, AuditQueue, Export, Release
from cupola.tasks import service as tasks_service

router = APIRouter(tags=["releases"])
DEFAULT_ITEMS = 330  # without an error they prove 99 % in a first audit of some rows at 95 %


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class AuditPlanIn(_Body):
    items: int = Field(default=DEFAULT_ITEMS, ge=0, le=1_000_000)
    confidence: float = Field(default=0.95, ge=0.5, le=0.9999)
    target_accuracy: float = Field(default=0.99, ge=0.5, le=0.9999)
    auditors: int = Field(
        default=1,
        ge=1,
        le=2,
        description="Two judge each item unseen by each other; where they differ a third decides.",
    )


class NewRelease(_Body):
    name: Name
    licence: str = Field(default="", max_length=200, description="Of the labels, as an SPDX name or in words.")
    plan: AuditPlanIn = AuditPlanIn()


class NewExport(_Body):
    format: str = Field(min_length=1, max_length=40, description="One of `GET /api/formats`.")


class AuditVerdict(_Body):
    label: dict[str, Any] | None = None
    undecidable: bool = False
    seconds: float = Field(default=0.0, ge=0, le=limits.MAX_SECONDS_PER_TASK)


@dataclass(frozen=True, slots=True)
class FormatView:
    """name: what an export's `format` says. about: {language: what it is for}. kinds, shapes: which labels it holds; an
    object of another shape is left out. several: whether an item may have several choices. extension: of its file.
    asks: of forms, it is made of one of these: a type of question, type@scope, criterion (one with points), rewrite;
    empty: of anything."""

    name: str
    title: str
    about: Mapping[str, str]
    extension: str
    kinds: list[str]
    shapes: list[str]
    several: bool
    asks: list[str]


@dataclass(frozen=True, slots=True)
class Formats:
    formats: list[FormatView]


@dataclass(frozen=True, slots=True)
class BlindItem:
    """A drawn item as its auditor sees it: nothing that was said about it."""

    audit_item: UUID
    item: ItemView
    kind: str
    ontology: dict[str, Any]
    guidelines: dict[str, str]
    position: int
    total: int
    judged: int


@dataclass(frozen=True, slots=True)
class BlindBatch:
    items: list[BlindItem]


@router.post("/api/projects/{project}/releases", response_model=Release, status_code=201)
async def post_release(request: Request, who: Manager, project: UUID, body: NewRelease) -> Response:
    """Declare a release's audit plan and commit to the seed of its draw; then freeze it.

    The event `release.declared` publishes both before any row is frozen.
    """
    asked = AuditAsked(body.plan.items, body.plan.confidence, body.plan.target_accuracy, body.plan.auditors)
    run = runtime(request)
    return await post(
        request, who, lambda conn: service.declare(conn, run, who.tenant, project, body.name, body.licence, asked)
    )


@router.post("/api/releases/{release}/freeze", response_model=Release)
async def post_freeze(request: Request, who: Manager, release: UUID) -> Response:
    """Freeze everything settled now, reveal the seed and draw the declared audit.

    A large release is `freezing` at first: a job does it, `freezing` says how far it is, and the event `release.frozen`
    that it is done.
    """
    run = runtime(request)
    return await post(request, who, lambda conn: service.freeze(conn, run, who.tenant, release), status=200)


@router.get("/api/projects/{project}/releases", response_model=Listed[Release])
async def get_releases(
    request: Request, who: Reviewer, project: UUID, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """The project's releases, newest first."""
    before = decode_cursor(cursor, UUID)
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        await tasks_service.project_and_ontology(conn, who.tenant, project)
        rows = await store.RELEASES.all(
            conn, tenant=who.tenant, project=project, before=before or ids.LAST, limit=limit + 1
        )
    return listed([service.shown(row) for row in rows], limit, lambda row: row.id)


@router.get("/api/releases/{release}", response_model=Release)
async def get_release(request: Request, who: Reviewer, release: UUID) -> Response:
    """One release with the state of its audit."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await service.view(conn, who.tenant, release))


@router.post("/api/releases/{release}/read", response_model=Release)
async def post_read(request: Request, who: Manager, release: UUID) -> Response:
    """Read the labels of a release while it is audited, and judge none of it.

    Until then the labels that its audit drew are kept from every member, who may still be its auditor. Opening an
    export or the evidence says the same.
    """

    async def work(conn: Conn) -> Release:
        seen = await service.view_frozen(conn, who.tenant, release)
        await service.opened(conn, release, who.reader)
        return seen

    return await post(request, who, work, status=200)


@router.post("/api/releases/{release}/certify", response_model=Release)
async def post_certify(request: Request, who: Manager, release: UUID) -> Response:
    """Compute, sign and keep the certificate of a finished audit."""
    run = runtime(request)
    return await post(request, who, lambda conn: service.certify_release(conn, run, who.tenant, release), status=200)


@router.get("/api/releases/{release}/certificate")
async def get_certificate(request: Request, who: Reviewer, release: UUID) -> Response:
    """The signed certificate as JSON: everything needed to compute it again."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        row = found(await store.RELEASE.maybe(conn, tenant=who.tenant, id=release), "release")
    return Response(found(row.certificate, "certificate of this release"), media_type="application/json")


@router.get("/api/releases/{release}/certificate.html", response_class=HTMLResponse)
async def get_certificate_page(
    request: Request, who: Reviewer, release: UUID, lang: Annotated[Literal["en", "zh"], Query()] = "en"
) -> Response:
    """The certificate as a page that a customer can read."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        row = found(await store.RELEASE.maybe(conn, tenant=who.tenant, id=release), "release")
    document = msgspec.json.decode(found(row.certificate, "certificate of this release"))
    return HTMLResponse(certificate_page(document, lang))


@router.get("/api/releases/{release}/croissant.json")
async def get_croissant(request: Request, who: Reviewer, release: UUID) -> Response:
    """The release described as a data set (MLCommons Croissant), with every finished export as a file."""
    run = runtime(request)
    async with run.db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await exporting.describe(conn, who.tenant, release, f"{run.settings.public_url}/"))


@router.get("/api/releases/{release}/card.md", response_class=Response, responses=sends("text/markdown"))
async def get_card(request: Request, who: Reviewer, release: UUID) -> Response:
    """The release's data card: a README as data hubs read it, with what was asked, how sure it is and what was paid."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        text = await exporting.data_card(conn, who.tenant, release)
    return PlainTextResponse(text, media_type="text/markdown; charset=utf-8")


@router.get("/api/releases/{release}/evidence", response_class=Response, responses=sends("application/zip"))
async def get_evidence(request: Request, who: Reviewer, release: UUID) -> Response:
    """A zip with the plan, the frozen rows, the audit and the certificate: what `cupola verify` computes from."""
    run = runtime(request)
    async with run.db.tx(Role.APP, tenant=who.tenant) as conn:
        await service.view_frozen(conn, who.tenant, release)
        row = found(await store.RELEASE.maybe(conn, tenant=who.tenant, id=release), "release")
        await service.opened(conn, release, who.reader)
    return StreamingResponse(
        evidence.bundle(run, who.tenant, row),
        media_type="application/zip",
        headers={"Content-Disposition": attachment(f"{exporting.file_stem(row.name)}-evidence.zip")},
    )


# ---------------------------------------------------------------- audits
@router.get("/api/audits", response_model=list[AuditQueue])
async def get_audits(request: Request, who: Reviewer) -> Response:
    """Releases with drawn items that wait for a blind judgement (at most 100)."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await store.QUEUE.all(conn, tenant=who.tenant, person=who.person)
    return reply([AuditQueue(row.release, row.project, row.name, row.drawn, row.judged, row.for_you) for row in rows])


@router.get(
    "/api/audits/{release}/next",
    response_model=BlindItem,
    responses={204: {"description": "Every drawn item is judged."}},
)
async def get_next(request: Request, who: Reviewer, release: UUID) -> Response:
    """The next drawn item, blind."""
    batch = await _blind(request, who, release, 1)
    return reply(batch.items[0]) if batch.items else nothing()


@router.get("/api/audits/{release}/items", response_model=BlindBatch)
async def get_items(request: Request, who: Reviewer, release: UUID, limit: Limit = 20) -> Response:
    """The next drawn items, blind, in the order of the draw; ask again for more once these are judged."""
    return reply(await _blind(request, who, release, limit))


async def _blind(request: Request, who: Reviewer, release: UUID, limit: int) -> BlindBatch:
    run, tenant = runtime(request), who.tenant
    reading.set(None)  # it shows the items alone, and finds them by the rows that are kept from an auditor
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        rows = await service.next_items(conn, run, tenant, release, limit, who.person, who.name)
        state = await service.view(conn, tenant, release)
        _, ontology = await tasks_service.project_and_ontology(conn, tenant, state.project)
        guidelines = await tasks_service.guidelines(conn, tenant, state.project)
    spec = msgspec.to_builtins(ontology)
    return BlindBatch(
        [
            BlindItem(row.id, item, ontology.kind, spec, guidelines, row.draw, state.audit.drawn, state.audit.judged)
            for row, item in rows
        ]
    )


@router.post("/api/audits/{release}/items/{audit_item}", response_model=Release, status_code=201)
async def post_audit(request: Request, who: Reviewer, release: UUID, audit_item: UUID, body: AuditVerdict) -> Response:
    """Judge a drawn item. The first judgement of a round stands."""
    return await post(
        request,
        who,
        lambda conn: service.judge(
            conn, who.tenant, release, audit_item, who.person, body.label, body.undecidable, body.seconds, who.key
        ),
    )


# ---------------------------------------------------------------- exports
@router.get("/api/formats", response_model=Formats)
async def get_formats(request: Request, who: Reviewer) -> Response:
    """The formats that a release can be exported to, and what each holds: ours and those of installed extensions."""
    return reply(
        Formats(
            [
                FormatView(
                    name,
                    one.title,
                    one.about,
                    one.extension,
                    one.kinds,
                    one.shapes,
                    one.several,
                    list(one.asks),
                )
                for name, one in formats.every().items()
            ]
        )
    )


@router.post("/api/releases/{release}/exports", response_model=Export, status_code=201)
async def post_export(request: Request, who: Reviewer, release: UUID, body: NewExport) -> Response:
    """Start an export; the worker writes it, `GET /api/exports/{export}` says when it is done."""
    run = runtime(request)
    return await post(request, who, lambda conn: exporting.start(conn, run, who.tenant, release, body.format, who.name))


@router.get("/api/releases/{release}/exports", response_model=Listed[Export])
async def get_exports(
    request: Request, who: Reviewer, release: UUID, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """The release's exports, newest first."""
    run = runtime(request)
    before = decode_cursor(cursor, UUID)
    async with run.db.tx(Role.APP, tenant=who.tenant) as conn:
        await service.view(conn, who.tenant, release)
        rows = await store.EXPORTS.all(
            conn, tenant=who.tenant, release=release, before=before or ids.LAST, limit=limit + 1
        )
    return listed([exporting.shown(run, who.tenant, row, who.name) for row in rows], limit, lambda row: row.id)


@router.get("/api/exports/{export}", response_model=Export)
async def get_export(request: Request, who: Reviewer, export: UUID) -> Response:
    """One export."""
    run = runtime(request)
    async with run.db.tx(Role.APP, tenant=who.tenant) as conn:
        row = found(await store.EXPORT.maybe(conn, tenant=who.tenant, id=export), "export")
    return reply(exporting.shown(run, who.tenant, row, who.name))


@router.get("/api/exports/{export}/file", response_class=Response, responses=sends("*/*"))
async def get_export_file(request: Request, who: Reviewer, export: UUID) -> Response:
    """The file of a finished export, streamed; takes Range."""
    run = runtime(request)
    async with run.db.tx(Role.APP, tenant=who.tenant) as conn:
        row = found(await store.EXPORT.maybe(conn, tenant=who.tenant, id=export), "export")
        if row.sha256 is None:
            raise conflict(
                "export-unfinished", f"This export is {row.state}.", remedy="Ask for it again when its state is done."
            )
        await service.opened(conn, row.release, who.reader)
    sha256, size = row.sha256.hex(), row.size_bytes or 0
    span = parse_range(request.headers.get("range"), size)
    start, end = span if span else (0, size)
    headers = {
        "Content-Disposition": attachment(row.file_name or "export"),
        "Content-Length": str(end - start),
        "Accept-Ranges": "bytes",
        "ETag": f'"{sha256}"',
    }
    if span:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return StreamingResponse(
        run.blobs.stream(who.tenant, sha256, start, end), 206 if span else 200, headers, row.media_type
    )
