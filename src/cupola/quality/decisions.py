"""Past decisions, made again from what was stored: the model version, the judgements, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np

from cupola.kernel.errors import not_found
from cupola.platform.pg.tx import Conn
from cupola.platform.runtime import short_name
from cupola.quality import live, store
from cupola.tasks import service as tasks_service

SAME = 1e-4  # tables are kept in single precision


@dataclass(frozen=True, slots=True)
class Heard:
    """One judgement of a decision. evidence: log-likelihood ratio (nats) it gave the settled class over the next."""

    worker: str
    said: str
    evidence: float


@dataclass(frozen=True, slots=True)
class Replayed:
    """A decision of the crowd, made again. posterior: calibrated, by class; same: it agrees with what was stored."""

    version: int
    how: str
    method: str
    model_version: int | None
    rho: float | None
    threshold: float | None
    heard: list[Heard]
    posterior: dict[str, float]
    stored_confidence: float
    replayed_confidence: float | None
    same: bool | None
    at: datetime


async def replay(conn: Conn, tenant: UUID, task: UUID) -> list[Replayed]:
    """A task's settlements, newest first; those of single-choice projects are computed again.

    Raises Problem(NOT_FOUND).
    """
    state = await store.TASK_PROJECT.maybe(conn, tenant=tenant, task=task)
    if state is None:
        raise not_found("task")
    _, ontology = await tasks_service.project_and_ontology(conn, tenant, state)
    names = [spec.name for spec in ontology.classes]
    told: list[Replayed] = []
    for row in await store.DECISIONS.all(conn, tenant=tenant, task=task):
        model = None
        if row.model_version is not None:
            model = await store.MODEL_AT.maybe(conn, tenant=tenant, project=state, version=row.model_version)
        votes = await store.VOTES_BY_ID.all(conn, tenant=tenant, ids=row.judgements)
        coded = [vote for vote in votes if vote.code is not None]
        coded_kind = ontology.kind == "choice" and not ontology.multiple
        parameters = None
        if coded_kind and row.how == "crowd":
            parameters = live.thaw(model.state) if model else live.cold(len(names))
        if parameters is None or not coded:
            heard = [Heard(short_name(vote.worker), vote.label, 0.0) for vote in votes]
            told.append(
                Replayed(
                    row.version,
                    row.how,
                    row.method,
                    row.model_version,
                    None,
                    None,
                    heard,
                    {},
                    row.confidence,
                    None,
                    None,
                    row.at,
                )
            )
            continue
        code = np.array([vote.code for vote in coded], dtype=np.int64)
        workers = [vote.worker for vote in coded]
        posterior, _ = live.posteriors(parameters, np.zeros(len(code), np.int64), 1, workers, code)
        best = int(posterior[0].argmax())
        tables = parameters.tables(workers)[np.arange(len(code)), :, code]
        rest = np.delete(tables, best, axis=1).max(axis=1) if len(names) > 1 else np.zeros(len(code))
        heard = [
            Heard(short_name(vote.worker), names[int(vote.code or 0)], round(float(tables[n, best] - rest[n]), 4))
            for n, vote in enumerate(coded)
        ]
        again = float(posterior[0, best])
        told.append(
            Replayed(
                row.version,
                row.how,
                row.method,
                row.model_version,
                parameters.rho,
                parameters.threshold,
                heard,
                {name: round(float(p), 6) for name, p in zip(names, posterior[0], strict=True)},
                row.confidence,
                again,
                abs(again - row.confidence) < SAME,
                row.at,
            )
        )
    return told
