"""SQL of what is offered to whom."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cupola.platform.pg.statement import Command, Scalar, Statement
from cupola.tasks.model import Stage


@dataclass(frozen=True, slots=True)
class OfferRow:
    """A project with work for somebody. guess_*: the requester's estimate, until times were measured."""

    tenant: UUID
    worker: UUID
    project: UUID
    title: str
    kind: str
    ontology_version: UUID
    page_size: int
    price_minor: int
    currency: str
    offer_version: int
    trains: UUID | None
    stage: int
    stages: list[Stage]
    available: int
    median_s: float | None
    p75_s: float | None
    timed: int
    guess_median_s: float | None
    guess_p75_s: float | None
    review_first_s: int | None
    eligible: str | None
    facts: str | None
    is_exam: bool


@dataclass(frozen=True, slots=True)
class Lapsed:
    tenant: UUID
    project: UUID
    task: UUID
    worker: UUID


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may judge a task and has not been asked yet."""

    task: UUID
    worker: UUID


# Tenants with something under way, those that know the person first. Whether their work is for this person at all is
# one rule of the database (work_welcome), asked by the offers and by the claim.
TENANTS = Scalar(
    list,
    "SELECT coalesce(array_agg(x.tenant ORDER BY x.known DESC, x.newest DESC), '{}') FROM (SELECT p.tenant, "
    "max(p.launched_at) AS newest, (EXISTS (SELECT FROM labeler l WHERE l.tenant = p.tenant "
    "AND l.person = (SELECT current_person())) "
    "OR EXISTS (SELECT FROM membership m WHERE m.tenant = p.tenant AND m.person = (SELECT current_person())) "
    "OR EXISTS (SELECT FROM contributor c WHERE c.tenant = p.tenant AND c.person = (SELECT current_person()))) "
    "AS known "
    "FROM project p WHERE p.state = 'live' GROUP BY p.tenant ORDER BY known DESC, newest DESC LIMIT %(limit)s) x",
)
OFFERS = Statement(
    OfferRow,
    "SELECT * FROM work_offers(%(person)s, %(tenants)s::uuid[], %(workers)s::uuid[], %(each)s, %(now)s)",
)
CANDIDATES = Statement(
    Candidate,
    "SELECT task, worker FROM invite WHERE tenant = %(tenant)s AND task = ANY (%(tasks)s) AND state = {invite.waiting}",
)
INVITE = Command(
    "UPDATE invite i SET state = {invite.asked}, asked_at = %(now)s "
    "FROM unnest(%(tasks)s::uuid[], %(workers)s::uuid[]) AS x (task, worker) "
    "WHERE i.tenant = %(tenant)s AND i.task = x.task AND i.worker = x.worker AND i.state = {invite.waiting}"
)
UNANSWERED = Statement(
    Lapsed,
    "SELECT tenant, project, task, worker FROM invite WHERE state = {invite.asked} AND asked_at < %(before)s "
    "ORDER BY asked_at LIMIT %(limit)s",
)
LAPSE = Scalar(
    list,
    "WITH gone AS (UPDATE invite i SET state = {invite.lapsed} "
    "FROM unnest(%(tasks)s::uuid[], %(workers)s::uuid[]) AS x (task, worker) "
    "WHERE i.tenant = %(tenant)s AND i.task = x.task AND i.worker = x.worker AND i.state = {invite.asked} "
    "AND i.asked_at < %(before)s RETURNING i.task) SELECT coalesce(array_agg(task), '{}') FROM gone",
)
