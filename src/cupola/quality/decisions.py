"""Past decisions, made again from what was stored: the model version, the judgements, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from cupola.kernel.errors import not_found
from cupola.labels import Ontology, decode_label, words
from cupola.platform.pg.tx import Conn
from cupola.platform.runtime import short_name
from cupola.quality import refits, store
from cupola.quality.online import Plan
from cupola.quality.opinions import service as opinions
from cupola.quality.opinions.reliability import Rater, Said
from cupola.quality.opinions.store import NamedRow
from cupola.quality.strategies.base import Account, AnyStrategy, Model
from cupola.tasks import service as tasks_service
from cupola.tasks.model import UnitView
from cupola.tasks.parts import parts_of

SAME = 1e-4  # tables are kept in single precision
AT_ONCE = Plan()  # an account asks for no further votes


@dataclass(frozen=True, slots=True)
class Heard:
    """One judgement of a decision. evidence: log-likelihood ratio (nats) it gave the settled class over the next."""

    worker: str
    said: str
    evidence: float


@dataclass(frozen=True, slots=True)
class Opined:
    """What a version of a model said that a decision rests on, beside the judgements."""

    model: str
    model_version: str
    said: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """A decision of the crowd, made again. posterior: calibrated, by class; same: it agrees with what was stored.

    parts: the units of the label, each with its own confidence. heard: the judgements; opinions: those of models that
    were heard beside them, and are part of the posterior.
    """

    version: int
    how: str
    method: str
    model_version: int | None
    rho: float | None
    threshold: float | None
    heard: list[Heard]
    opinions: list[Opined]
    posterior: dict[str, float]
    parts: list[UnitView]
    stored_confidence: float
    replayed_confidence: float | None
    same: bool | None
    at: datetime


async def replay(conn: Conn, tenant: UUID, task: UUID) -> list[Replayed]:
    """A task's settlements, newest first; those of the crowd are computed again.

    Raises Problem(NOT_FOUND).
    """
    state = await store.TASK_PROJECT.maybe(conn, tenant=tenant, task=task)
    if state is None:
        raise not_found("task")
    _, ontology = await tasks_service.project_and_ontology(conn, tenant, state)
    rows = await store.DECISIONS.all(conn, tenant=tenant, task=task)
    parts = await parts_of(conn, tenant, rows, ontology)
    return [await _again(conn, tenant, state, ontology, row, parts[row.id]) for row in rows]


async def _again(
    conn: Conn, tenant: UUID, project: UUID, ontology: Ontology, row: store.DecisionRow, parts: list[UnitView]
) -> Replayed:
    kept = None
    if row.model_version is not None:
        kept = await store.MODEL_AT.maybe(conn, tenant=tenant, project=project, version=row.model_version)
    votes = await store.VOTES_BY_ID.all(conn, tenant=tenant, ids=row.judgements)
    said = await opinions.named(conn, tenant, row.opinions or ())
    found = Replayed(
        row.version,
        row.how,
        row.method,
        row.model_version,
        None,
        None,
        [Heard(short_name(vote.worker), words(decode_label(vote.label), ontology), 0.0) for vote in votes],
        [Opined(one.model, one.model_version, words(decode_label(one.label), ontology)) for one in said],
        {},
        parts,
        row.confidence,
        None,
        None,
        row.at,
    )
    if row.how != "crowd" or not votes or (kept is None) != (row.model_version is None):
        return found
    strategy, model = refits.restored(kept, ontology, 1.0)
    if kept is None and model.method != row.method:
        return found  # made in a way of before, of which no model was kept
    told = await asyncio.to_thread(strategy.account, model, ontology, votes, AT_ONCE)
    if said:
        raters = refits.raters_of(kept, model, "heard")
        told = await asyncio.to_thread(_with_opinions, strategy, model, ontology, votes, said, raters, told)
    return replace(
        found,
        rho=model.rho,
        threshold=model.threshold if kept is not None else None,
        heard=[Heard(short_name(one.worker), one.said, round(one.evidence, 4)) for one in told.heard],
        posterior={name: round(p, 6) for name, p in told.posterior.items()},
        replayed_confidence=told.confidence,
        same=told.confidence is not None and abs(told.confidence - row.confidence) < SAME,
    )


def _with_opinions(
    strategy: AnyStrategy,
    model: Model,
    ontology: Ontology,
    votes: Sequence[store.VoteRow],
    named: Sequence[NamedRow],
    raters: Sequence[Rater],
    told: Account,
) -> Account:
    """An account once the opinions are heard, as the decision heard them."""
    said = [Said(one.id, one.task, one.rater, one.code, one.label) for one in named]
    rulings = strategy.decide(model, ontology, [votes[0].task], votes, AT_ONCE)
    (ruling,) = opinions.with_opinions(rulings, said, raters, ontology, AT_ONCE, "heard")
    if ruling.posterior is not None:
        names = [spec.name for spec in ontology.classes]
        shares = {name: float(p) for name, p in zip(names, ruling.posterior, strict=True)}
    elif ruling.label is not None:
        shares = {**told.posterior, words(ruling.label, ontology): ruling.confidence}
    else:
        shares = told.posterior
    return replace(told, posterior=shares, confidence=ruling.confidence)
