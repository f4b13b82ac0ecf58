"""The verbs of models: registered, given versions, listed; runs are asked for, looked at and cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec

from cupola.kernel import clock, ids
from cupola.kernel.errors import Kind, Problem, conflict, invalid, not_found
from cupola.labels import Ontology, kind_of
from cupola.models import caged, store
from cupola.models.card import Card, Features, read_card, write_card
from cupola.models.model import CardView, LearnedModel, LearnedVersion, LearningRun, Metrics, Source, Verb
from cupola.platform import events, jobs
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.tasks import service as tasks_service

JOB = "learning-run"
MAX_CARD_BYTES = 4 * 1024 * 1024
MAX_SEED = 2**31 - 1


# ---------------------------------------------------------------- models
async def register(conn: Conn, tenant: UUID, name: str, source: Source) -> LearnedModel:
    """A model by its name. Raises Problem (CONFLICT) where another has it."""
    model = ids.uuid7()
    if not await store.MODEL_ADD.run(conn, tenant=tenant, id=model, name=name, source=source, now=clock.now()):
        raise conflict("name-taken", f"A model is named {name!r} already.", remedy="Give it another name.")
    return await one(conn, tenant, model)


async def one(conn: Conn, tenant: UUID, model: UUID) -> LearnedModel:
    """A model. Raises Problem (NOT_FOUND)."""
    row = await store.MODEL.maybe(conn, tenant=tenant, id=model)
    if row is None:
        raise not_found("model")
    return _shown(row)


async def models(conn: Conn, tenant: UUID, before: UUID | None, limit: int) -> list[LearnedModel]:
    """The models of an organisation, newest first."""
    rows = await store.MODELS.all(conn, tenant=tenant, before=before or ids.LAST, limit=limit)
    return [_shown(row) for row in rows]


def _shown(row: store.ModelRow) -> LearnedModel:
    return LearnedModel(row.id, row.name, row.source, row.versions, row.created_at)


async def versions(conn: Conn, tenant: UUID, model: UUID, before: int | None, limit: int) -> list[LearnedVersion]:
    """The versions of a model, newest first. Raises Problem (NOT_FOUND)."""
    await one(conn, tenant, model)
    rows = await store.VERSIONS.all(conn, tenant=tenant, model=model, before=before or 2**31 - 1, limit=limit)
    return [shown_version(row) for row in rows]


async def version(conn: Conn, tenant: UUID, model: UUID, number: int) -> store.VersionRow:
    """A version of a model. Raises Problem (NOT_FOUND)."""
    row = await store.VERSION.maybe(conn, tenant=tenant, model=model, version=number)
    if row is None:
        raise not_found("version of a model")
    return row


def shown_version(row: store.VersionRow) -> LearnedVersion:
    return LearnedVersion(
        row.model,
        row.version,
        msgspec.json.decode(row.card, type=CardView),
        row.sha256.hex(),
        row.size_bytes,
        row.run,
        row.made_from,
        row.created_at,
    )


async def bring(
    run: Runtime, tenant: UUID, model: UUID, card_text: str, chunks: AsyncIterator[bytes]
) -> LearnedVersion:
    """Give a model a version: an ONNX file and its card, tried on nothing in a caged child before it is kept.

    Raises Problem: NOT_FOUND; TOO_LARGE; INVALID for a card, a file, or both together that do not fit.
    """
    card = read_card(card_text)
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        await one(conn, tenant, model)
    whole = bytearray()
    async for chunk in chunks:
        whole += chunk
        if len(whole) > caged.MAX_ARTEFACT_BYTES:
            raise Problem(
                Kind.TOO_LARGE,
                "model-large",
                f"A model has at most {caged.MAX_ARTEFACT_BYTES // 1024**2} MB.",
                remedy="Quantise it, or serve it yourself and give its opinions.",
            )
    file = bytes(whole)
    if not file:
        raise invalid("empty", "The file is empty.", remedy="Send the ONNX file as the body.")
    await asyncio.to_thread(lambda: caged.Running(file, card).close())
    kept = await run.blobs.put(tenant, file)
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        number = await add_version(conn, tenant, model, card, kept.sha256, len(file))
        return shown_version(await version(conn, tenant, model, number))


async def add_version(
    conn: Conn,
    tenant: UUID,
    model: UUID,
    card: Card,
    sha256: str,
    size_bytes: int,
    *,
    made_by: UUID | None = None,
    made_from: int | None = None,
) -> int:
    """The next version of a model; its number."""
    if await store.MODEL_LOCK.maybe(conn, tenant=tenant, id=model) is None:
        raise not_found("model")
    return await store.VERSION_ADD.one(
        conn,
        tenant=tenant,
        model=model,
        card=write_card(card),
        sha256=bytes.fromhex(sha256),
        size_bytes=size_bytes,
        run=made_by,
        made_from=made_from,
        now=clock.now(),
    )


# ---------------------------------------------------------------- runs
def able(ontology: Ontology) -> list[str]:
    """The names of the classes that a model chooses among. Raises Problem (INVALID) for what none learns here."""
    if kind_of(ontology).strategy(ontology) != "coded":
        raise invalid(
            "model-kind",
            "Models are fitted here for a choice of one class; this project asks for other labels.",
            remedy="Give what your own model says of such tasks as opinions.",
        )
    return [spec.name for spec in ontology.classes]


def features_asked(text: str) -> Features:
    """Features as a run keeps them."""
    return msgspec.json.decode(text, type=Features)


async def ask_run(
    conn: Conn,
    tenant: UUID,
    project: UUID,
    verb: Verb,
    *,
    model: str | None = None,
    version_number: int | None = None,
    seed: int = 1,
    features: Features | None = None,
    like: UUID | None = None,
) -> LearningRun:
    """Ask for a run; a worker does it.

    model: its name, the project's own where there is none; a fit makes it where it is not there. like: a fit that is
    done again: the same labels, seed and features. Raises Problem: NOT_FOUND; INVALID; CONFLICT "run-active" while
    another one of the project is under way.
    """
    row, ontology = await tasks_service.project_and_ontology(conn, tenant, project)
    names = able(ontology)
    caged.ready()
    until = ids.uuid7()
    if like is not None:
        before = await store.RUN.maybe(conn, tenant=tenant, id=like)
        if before is None or before.project != project:
            raise not_found("run of this project")
        if before.verb != "fit":
            raise invalid("run-like", "Only a fit is done again.", place="/like")
        model, seed, until = before.model_name, before.seed, before.labels_until
        features = features_asked(before.features) if before.features else None
    name = model or row.name
    found = await store.MODEL_NAMED.maybe(conn, tenant=tenant, name=name)
    number: int | None = None
    if verb == "predict":
        if found is None:
            raise not_found("model")
        asked = (
            await store.NEWEST.maybe(conn, tenant=tenant, model=found.id)
            if version_number is None
            else await store.VERSION.maybe(conn, tenant=tenant, model=found.id, version=version_number)
        )
        if asked is None:
            raise not_found("version of a model")
        number = asked.version
        caged.classes_in(read_card(asked.card), names)
    elif found is None:
        await store.MODEL_ADD.run(conn, tenant=tenant, id=ids.uuid7(), name=name, source="learner", now=clock.now())
        found = await store.MODEL_NAMED.one(conn, tenant=tenant, name=name)
    elif found.source != "learner":
        raise conflict(
            "model-brought",
            f"{found.name!r} was brought as a file; it is not fitted here.",
            remedy="Name another model to fit.",
        )
    if await store.ACTIVE.maybe(conn, tenant=tenant, project=project) is not None:
        raise conflict(
            "run-active",
            "A run of this project waits or is under way.",
            remedy="Wait until it has ended, or cancel it.",
        )
    assert found is not None
    run = ids.uuid7()
    await store.RUN_ADD.run(
        conn,
        tenant=tenant,
        id=run,
        project=project,
        model=found.id,
        verb=verb,
        version=number,
        seed=seed,
        features=msgspec.json.encode(features).decode() if features is not None else None,
        labels_until=until,
        now=clock.now(),
    )
    await jobs.add(conn, tenant, JOB, run)
    return await run_of(conn, tenant, run)


async def run_of(conn: Conn, tenant: UUID, run: UUID) -> LearningRun:
    """A run. Raises Problem (NOT_FOUND)."""
    row = await store.RUN.maybe(conn, tenant=tenant, id=run)
    if row is None:
        raise not_found("run")
    return shown_run(row)


async def runs(conn: Conn, tenant: UUID, project: UUID, before: UUID | None, limit: int) -> list[LearningRun]:
    """A project's runs, newest first. Raises Problem (NOT_FOUND)."""
    await tasks_service.project_and_ontology(conn, tenant, project)
    rows = await store.RUNS.all(conn, tenant=tenant, project=project, before=before or ids.LAST, limit=limit)
    return [shown_run(row) for row in rows]


async def cancel(conn: Conn, tenant: UUID, run: UUID) -> LearningRun:
    """End a run; what it has said stays. Raises Problem: NOT_FOUND; CONFLICT for one that has ended."""
    before = await store.RUN_LOCK.maybe(conn, tenant=tenant, id=run)
    if before is None:
        raise not_found("run")
    if not await store.RUN_CANCELLED.run(conn, tenant=tenant, id=run, now=clock.now()):
        raise conflict("run-ended", f"This run is {before.state} already.", remedy="Nothing is left to cancel.")
    await events.emit(conn, tenant, "learning.cancelled", run, before.project)
    return await run_of(conn, tenant, run)


def shown_run(row: store.RunRow) -> LearningRun:
    return LearningRun(
        row.id,
        row.project,
        row.model,
        row.model_name,
        row.verb,
        row.version,
        row.state,
        row.step,
        row.seed,
        row.learned_from,
        row.labels_sha256.hex() if row.labels_sha256 else None,
        row.tasks_done,
        row.tasks_total,
        row.opinions,
        row.left_out,
        round(row.cpu_s, 2),
        msgspec.json.decode(row.metrics, type=Metrics) if row.metrics else None,
        msgspec.json.decode(row.environment, type=dict[str, str]) if row.environment else None,
        row.error,
        row.created_at,
        row.started_at,
        row.finished_at,
    )
