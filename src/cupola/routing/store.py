"""SQL of what is offered to whom."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cupola.platform.pg.statement import Command, Statement


@dataclass(frozen=True, slots=True)
class LiveRow:
    tenant: UUID
    project: UUID
    title: str
    kind: str
    ontology_version: UUID
    page_size: int
    routing: str
    price_minor: int
    currency: str
    offer_version: int
    median_s: float | None
    p75_s: float | None
    trains: UUID | None


@dataclass(frozen=True, slots=True)
class OnOffer:
    available: int
    median_s: float | None
    p75_s: float | None
    timed: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may judge a task and has not been asked yet."""

    task: UUID
    worker: UUID


# A live world's work is for every contributor but guests; whom a tenant let in itself, as a labeler or a member, also
# sees its test world. The claim asks the same (work_welcome).
LIVE = Statement(
    LiveRow,
    "SELECT p.tenant, p.id AS project, p.name AS title, p.kind, p.ontology_version, p.page_size, p.routing, "
    "o.price_minor, o.currency, o.version AS offer_version, o.median_s, o.p75_s, p.trains FROM project p "
    "JOIN tenant w ON w.id = p.tenant JOIN LATERAL (SELECT * FROM offer o "
    "WHERE o.tenant = p.tenant AND o.project = p.id AND o.effective_at <= %(now)s ORDER BY o.version DESC LIMIT 1) o "
    "ON true WHERE p.state = 'live' AND ((w.world = 'live' AND NOT (SELECT work_guest())) "
    "OR EXISTS (SELECT FROM labeler l WHERE l.tenant = p.tenant AND l.person = (SELECT current_person())) "
    "OR EXISTS (SELECT FROM membership m WHERE m.tenant = p.tenant AND m.person = (SELECT current_person()))) "
    "ORDER BY p.launched_at DESC LIMIT %(limit)s",
)
ON_OFFER = Statement(OnOffer, "SELECT * FROM work_on_offer(%(tenant)s, %(project)s, %(worker)s)")
CANDIDATES = Statement(
    Candidate,
    "SELECT task, worker FROM invite WHERE tenant = %(tenant)s AND task = ANY (%(tasks)s) AND state = 0",
)
INVITE = Command(
    "UPDATE invite i SET state = 1 FROM unnest(%(tasks)s::uuid[], %(workers)s::uuid[]) AS x (task, worker) "
    "WHERE i.tenant = %(tenant)s AND i.task = x.task AND i.worker = x.worker AND i.state = 0"
)
