"""Routes of models, their versions and their runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from cupola.kernel import limits
from cupola.kernel.errors import invalid
from cupola.models import asking, ordering, selection, service
from cupola.models.accepting import service as accepting
from cupola.models.card import features_from
from cupola.models.model import (
    AutoAccept,
    FeaturesView,
    GivenBack,
    JudgedBy,
    LearnedModel,
    LearnedVersion,
    LearningRun,
    Ordered,
    Predictions,
)
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.web import (
    Cursor,
    Limit,
    Listed,
    Manager,
    Name,
    Reviewer,
    attachment,
    decode_cursor,
    listed,
    post,
    reply,
    runtime,
    sends,
)

router = APIRouter(tags=["models"])
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="Of the version.")]
_BYTES = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class NewModel(_Body):
    name: Name


class NewRun(_Body):
    verb: Literal["fit", "predict"] = "fit"
    model: Name | None = Field(default=None, description="By its name; the project's own where there is none.")
    version: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description="That is asked; the newest where there is none."
    )
    seed: int = Field(default=1, ge=0, le=service.MAX_SEED)
    features: FeaturesView | None = Field(default=None, description="What of an item is read: `features` of a card.")
    like: UUID | None = Field(default=None, description="A fit to do again: its labels, seed and features.")


class NewAutoAccept(_Body):
    model: Name
    version: int | None = Field(default=None, ge=1, le=2**31 - 1, description="Else the newest.")
    limit: float = Field(description="Of all tasks that nobody has begun, the share that may be settled wrongly.")
    confidence: float = Field(default=0.95, ge=0.5, le=0.9999)
    sample: int = Field(default=300, ge=1, le=100_000, description="Tasks (of each slice) that people settle first.")
    judged_by: JudgedBy = Field(default="experts", description="experts: the sample waits for adjudicators.")
    slice_by: str | None = Field(default=None, min_length=1, max_length=200, description="A member of the metadata.")
    later: bool = Field(default=False, description="Tasks that come after the draw too, under the watch alone.")


class SelectionIn(_Body):
    model: Name
    version: int | None = Field(default=None, ge=1, le=2**31 - 1, description="Else the newest.")
    floor: float = Field(default=selection.FLOOR, ge=0, le=1, description="The share that is drawn at random.")
    seed: int = Field(default=1, ge=0, le=service.MAX_SEED)


class ItemIn(_Body):
    text: str | None = Field(default=None, max_length=limits.MAX_TEXT_CHARS)
    metadata: dict[str, Any] = Field(default_factory=dict)
    task: UUID | None = Field(default=None, description="One of yours, whose item is meant.")


class ItemsIn(_Body):
    items: list[ItemIn] = Field(min_length=1, max_length=asking.MAX_ITEMS)


@router.get("/api/models", response_model=Listed[LearnedModel])
async def get_models(request: Request, who: Reviewer, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The organisation's models, newest first."""
    before = decode_cursor(cursor, UUID)
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await service.models(conn, who.tenant, before, limit + 1)
    return listed(rows, limit, lambda row: row.id)


@router.post("/api/models", response_model=LearnedModel, status_code=201)
async def post_model(request: Request, who: Manager, body: NewModel) -> Response:
    """A name for a model of your own, whose versions you bring as ONNX files."""
    return await post(request, who, lambda conn: service.register(conn, who.tenant, body.name, "onnx"))


@router.get("/api/models/{model}", response_model=LearnedModel)
async def get_model(request: Request, who: Reviewer, model: UUID) -> Response:
    """One model."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await service.one(conn, who.tenant, model))


@router.get("/api/models/{model}/versions", response_model=Listed[LearnedVersion])
async def get_versions(
    request: Request, who: Reviewer, model: UUID, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Its versions with their cards, newest first."""
    before = decode_cursor(cursor, int)
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await service.versions(conn, who.tenant, model, before, limit + 1)
    return listed(rows, limit, lambda row: row.version)


@router.post("/api/models/{model}/versions", response_model=LearnedVersion, status_code=201, openapi_extra=_BYTES)
async def post_version(
    request: Request,
    who: Manager,
    model: UUID,
    card: Annotated[str, Query(min_length=2, max_length=limits.MAX_METADATA_BYTES, description="Its card, JSON.")],
) -> Response:
    """Bring a version: the ONNX file as the body. It is opened in a closed process before it is kept."""
    return reply(await service.bring(runtime(request), who.tenant, model, card, request.stream()), 201)


@router.get(
    "/api/models/{model}/versions/{number}/file", response_class=Response, responses=sends("application/octet-stream")
)
async def get_file(request: Request, who: Manager, model: UUID, number: Number) -> Response:
    """The ONNX file of a version; its card stands in the list."""
    run = runtime(request)
    async with run.db.tx(Role.APP, tenant=who.tenant) as conn:
        known = await service.one(conn, who.tenant, model)
        row = await service.version(conn, who.tenant, model, number)
    return StreamingResponse(
        run.blobs.stream(who.tenant, row.sha256.hex()),
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": attachment(f"{known.name}-{number}.onnx"),
            "Content-Length": str(row.size_bytes),
        },
    )


@router.post("/api/models/{model}/versions/{number}/predict", response_model=Predictions)
async def post_predict(request: Request, who: Manager, model: UUID, number: Number, body: ItemsIn) -> Response:
    """What a version says of some items. The same item is not computed twice."""
    items = [asking.asked(one.text, one.metadata, one.task, n) for n, one in enumerate(body.items)]
    return reply(await asking.predict(runtime(request), who.tenant, model, number, items))


@router.get("/api/projects/{project}/learning-runs", response_model=Listed[LearningRun])
async def get_runs(
    request: Request, who: Reviewer, project: UUID, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """The runs of a project, newest first."""
    before = decode_cursor(cursor, UUID)
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await service.runs(conn, who.tenant, project, before, limit + 1)
    return listed(rows, limit, lambda row: row.id)


@router.post("/api/projects/{project}/learning-runs", response_model=LearningRun, status_code=201)
async def post_run(request: Request, who: Manager, project: UUID, body: NewRun) -> Response:
    """Fit a model on what people settled, or ask one. What it says of every task becomes opinions, out of fold."""
    features = None if body.features is None else features_from(asdict(body.features), "/features")
    if body.like is not None and (body.verb != "fit" or features is not None or body.model is not None):
        raise invalid("run-like", "A fit that is done again has everything from the one before.", place="/like")
    return await post(
        request,
        who,
        lambda conn: service.ask_run(
            conn,
            who.tenant,
            project,
            body.verb,
            model=body.model,
            version_number=body.version,
            seed=body.seed,
            features=features,
            like=body.like,
        ),
    )


@router.post("/api/projects/{project}/selection", response_model=Ordered)
async def post_selection(request: Request, who: Manager, project: UUID, body: SelectionIn) -> Response:
    """Ask next about what a version is least sure of: tasks that nobody has begun change places."""
    return await post(
        request,
        who,
        lambda conn: ordering.order(
            conn, who.tenant, project, model=body.model, version=body.version, floor=body.floor, seed=body.seed
        ),
        status=200,
    )


@router.get("/api/projects/{project}/auto-accepts", response_model=Listed[AutoAccept])
async def get_auto_accepts(
    request: Request, who: Reviewer, project: UUID, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Models that were allowed to settle alone in a project, newest first, each with its certificate and its watch."""
    before = decode_cursor(cursor, UUID)
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await accepting.every(conn, who.tenant, project, before, limit + 1)
    return listed(rows, limit, lambda row: row.id)


@router.post("/api/projects/{project}/auto-accepts", response_model=AutoAccept, status_code=201)
async def post_auto_accept(request: Request, who: Manager, project: UUID, body: NewAutoAccept) -> Response:
    """Let a version settle alone what a certificate will cover: a sample is drawn now, and people settle it first."""
    run = runtime(request)
    return await post(
        request,
        who,
        lambda conn: accepting.ask(
            conn,
            run,
            who.tenant,
            project,
            model=body.model,
            version=body.version,
            limit=body.limit,
            confidence=body.confidence,
            sample=body.sample,
            judged_by=body.judged_by,
            slice_by=body.slice_by,
            later=body.later,
        ),
    )


@router.get("/api/auto-accepts/{auto_accept}", response_model=AutoAccept)
async def get_auto_accept(request: Request, who: Reviewer, auto_accept: UUID) -> Response:
    """Where one stands."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await accepting.one(conn, who.tenant, auto_accept))


@router.post("/api/auto-accepts/{auto_accept}/off", response_model=AutoAccept)
async def post_off(request: Request, who: Manager, auto_accept: UUID) -> Response:
    """Switch it off: it settles no more. What it settled stays."""
    said = "It was switched off by hand."
    return await post(request, who, lambda conn: accepting.switch_off(conn, who.tenant, auto_accept, said), status=200)


@router.post("/api/auto-accepts/{auto_accept}/reopen", response_model=GivenBack)
async def post_reopen(request: Request, who: Manager, auto_accept: UUID) -> Response:
    """Give what it settled back to people, once it is off. Releases that were frozen stay as they are."""

    async def work(conn: Conn) -> GivenBack:
        return GivenBack(await accepting.reopen(conn, who.tenant, auto_accept))

    return await post(request, who, work, status=200)


@router.get("/api/learning-runs/{learning_run}", response_model=LearningRun)
async def get_run(request: Request, who: Reviewer, learning_run: UUID) -> Response:
    """One run: how far it is, and what came of it."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await service.run_of(conn, who.tenant, learning_run))


@router.post("/api/learning-runs/{learning_run}/cancel", response_model=LearningRun)
async def post_cancel(request: Request, who: Manager, learning_run: UUID) -> Response:
    """End a run that waits or is under way; what it said already stays."""
    return await post(request, who, lambda conn: service.cancel(conn, who.tenant, learning_run), status=200)
