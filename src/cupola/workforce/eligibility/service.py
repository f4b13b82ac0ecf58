"""Whom a project asks for, how many people that are, and why an offer is or is not somebody's."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from cupola.kernel import clock
from cupola.kernel.errors import conflict, not_found
from cupola.platform import events
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.workforce.eligibility import model, store
from cupola.workforce.eligibility.model import Because, Facts

FEWEST_SHOWN = 5  # below this a count could point at somebody

parse = functools.lru_cache(maxsize=2_000)(model.parse)


@dataclass(frozen=True, slots=True)
class Look:
    """How many contributors fit an expression. fitting: None where they are fewer than `fewest` (and not none)."""

    expression: str | None
    fitting: int | None
    people: int
    fewest: int = FEWEST_SHOWN


@dataclass(frozen=True, slots=True)
class Opening:
    """A project that somebody is not (yet) whom it asks for. exams: where a skill that it asks for is to be had."""

    project: UUID
    title: str
    kind: str
    price_minor: int
    currency: str
    median_s: float | None
    p75_s: float | None
    asks: str
    reason: Because
    exams: dict[str, UUID]


def facts_of(document: str) -> Facts:
    """What the database knows of somebody (person_facts)."""
    return msgspec.json.decode(document, type=Facts)


def because(eligible: str | None, document: str | None) -> Because | None:
    """Why an offer is somebody's; None where it is everybody's."""
    return None if eligible is None or document is None else model.explain(parse(eligible), facts_of(document))


async def look(conn: Conn, tenant: UUID, text: str | None) -> Look:
    """How many people fit, before anybody pays. Raises Problem(INVALID) with the place of what cannot be read."""
    asked = None if text is None else model.parse(text)
    path = "exists($)" if asked is None else model.path(asked)
    row = await store.FITTING.one(conn, tenant=tenant, path=path, now=clock.now())
    shown = row.fitting if row.fitting == 0 or row.fitting >= FEWEST_SHOWN else None
    return Look(None if asked is None else model.text(asked), shown, row.people)


async def of_project(conn: Conn, tenant: UUID, project: UUID) -> Look:
    """Raises Problem(NOT_FOUND)."""
    row = await store.ASKED.maybe(conn, tenant=tenant, project=project)
    if row is None:
        raise not_found("project")
    return await look(conn, tenant, row.eligible)


async def ask(conn: Conn, tenant: UUID, project: UUID, text: str | None) -> Look:
    """Say whom a project is for, or that it is for everybody (None). Pages that are claimed stay as they are.

    Raises Problem: INVALID; NOT_FOUND; CONFLICT for an exam, a training, or a project that is stopped.
    """
    if await store.ASKED.maybe(conn, tenant=tenant, project=project) is None:
        raise not_found("project")
    asked = None if text is None else model.parse(text)
    kept = None if asked is None else model.text(asked)
    path = None if asked is None else model.path(asked)
    if not await store.ASK.maybe(conn, tenant=tenant, project=project, text=kept, path=path):
        raise conflict(
            "eligibility-fixed",
            "An exam and a training are for everybody, and a stopped project is for nobody.",
            remedy="Ask it of the project that they lead to.",
        )
    await events.emit(conn, tenant, "project.eligibility", project, project)
    return await look(conn, tenant, kept)


async def openings(run: Runtime, person: UUID, tenants: Sequence[UUID], each: int = 20) -> list[Opening]:
    """Live projects that somebody is not (yet) whom they ask for, with what is missing."""
    async with run.db.tx(Role.GATEWAY, person=person) as conn:
        rows = await store.OPENINGS.all(
            conn,
            person=person,
            tenants=list(tenants),
            workers=[run.worker_of(tenant, person) for tenant in tenants],
            each=each,
            now=clock.now(),
        )
    exams: dict[UUID, dict[str, UUID]] = {}
    for tenant in {row.tenant for row in rows}:
        worker = run.worker_of(tenant, person)
        async with run.db.tx(Role.GATEWAY, tenant=tenant, worker=worker, person=person) as conn:
            exams[tenant] = {one.skill: one.project for one in await store.EXAMS.all(conn, tenant=tenant)}
    found = []
    for row in rows:
        reason = model.explain(parse(row.eligible), facts_of(row.facts))
        wanted = set(_skills(reason))
        found.append(
            Opening(
                row.project,
                row.title,
                row.kind,
                row.price_minor,
                row.currency,
                row.median_s,
                row.p75_s,
                row.eligible,
                reason,
                {skill: project for skill, project in exams[row.tenant].items() if skill in wanted},
            )
        )
    return found


def _skills(reason: Because) -> list[str]:
    if reason.is_ == "exam":
        return list(reason.values)
    return [skill for part in reason.parts for skill in _skills(part)]
