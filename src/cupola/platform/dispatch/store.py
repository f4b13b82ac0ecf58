"""SQL of consumers: where each stands with each tenant, and what was set aside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cupola.platform.pg.statement import Command, Scalar, Statement
from cupola.platform.store import EventRow, Place


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a consumer stands with a tenant, who had the last turn, and up to where events may be read now."""

    epoch: int
    xid: str
    seq: int
    holder: UUID | None
    now_epoch: int
    now_xid: str


@dataclass(frozen=True, slots=True)
class AsideRow:
    tenant: UUID
    consumer: str
    project: UUID
    epoch: int
    xid: str
    seq: int
    tries: int
    reason: str
    since: datetime
    next_at: datetime


@dataclass(frozen=True, slots=True)
class Floor:
    consumer: str
    epoch: int
    xid: str
    seq: int


@dataclass(frozen=True, slots=True)
class DueAside:
    tenant: UUID
    consumer: str
    project: UUID


# ---------------------------------------------------------------- the tail (OPS)
HIDDEN = Scalar(
    bool,
    "SELECT EXISTS (SELECT FROM event WHERE epoch = (SELECT epoch FROM event_epoch) "
    "AND xid >= pg_snapshot_xmin(pg_current_snapshot())) AS hidden",
)

# ---------------------------------------------------------------- places (APP)
PLACE_BEGIN = Command(
    "INSERT INTO event_place (tenant, consumer, epoch, xid, seq, at, until) "
    "VALUES (%(tenant)s, %(consumer)s, 0, '0', 0, %(now)s, %(now)s) ON CONFLICT DO NOTHING"
)
# None where another process has the tenant's turns, or is in the middle of one.
PLACE_TAKE = Statement(
    Stand,
    "SELECT p.epoch, p.xid::text, p.seq, p.holder, e.epoch AS now_epoch, "
    "coalesce(pg_snapshot_xmin(pg_current_snapshot())::text, '0') AS now_xid "
    "FROM event_place p, event_epoch e WHERE p.tenant = %(tenant)s AND p.consumer = %(consumer)s "
    "AND (p.holder = %(holder)s OR p.until <= %(now)s) FOR NO KEY UPDATE OF p SKIP LOCKED",
)
# For whoever ends or begins a setting aside: whoever's turns they are.
PLACE_LOCK = Statement(
    Place,
    "SELECT epoch, xid::text, seq FROM event_place WHERE tenant = %(tenant)s AND consumer = %(consumer)s "
    "FOR NO KEY UPDATE SKIP LOCKED",
)
PLACE_KEEP = Command(
    "UPDATE event_place SET epoch = %(epoch)s, xid = %(xid)s::xid8, seq = %(seq)s, at = %(now)s, holder = %(holder)s, "
    "until = %(until)s WHERE tenant = %(tenant)s AND consumer = %(consumer)s"
)
# Without what is set aside.
EVENTS = Statement(
    EventRow,
    "SELECT e.tenant, e.epoch, e.xid::text, e.seq, e.kind, e.subject, e.project, e.data, e.at FROM event e "
    "WHERE e.tenant = %(tenant)s AND (e.epoch, e.xid, e.seq) > (%(epoch)s::int, %(xid)s::xid8, %(seq)s::bigint) "
    "AND (e.epoch < (SELECT epoch FROM event_epoch) OR e.xid < pg_snapshot_xmin(pg_current_snapshot())) "
    "AND (e.kind = ANY (%(exact)s::text[]) "
    "OR EXISTS (SELECT FROM unnest(%(beginnings)s::text[]) b (b) WHERE starts_with(e.kind, b.b))) "
    "AND NOT EXISTS (SELECT FROM event_aside a WHERE a.tenant = e.tenant AND a.consumer = %(consumer)s "
    "AND a.project = coalesce(e.project, '00000000-0000-0000-0000-000000000000')) "
    "ORDER BY e.epoch, e.xid, e.seq LIMIT %(limit)s",
)

# ---------------------------------------------------------------- set aside (APP)
ASIDE_ADD = Command(
    "INSERT INTO event_aside (tenant, consumer, project, epoch, xid, seq, since, next_at) "
    "SELECT %(tenant)s, %(consumer)s, project, %(epoch)s, %(xid)s::xid8, %(seq)s, %(now)s, %(now)s "
    "FROM unnest(%(projects)s::uuid[]) AS p (project)"
)
ASIDE_TAKE = Statement(
    AsideRow,
    "SELECT tenant, consumer, project, epoch, xid::text, seq, tries, reason, since, next_at FROM event_aside "
    "WHERE tenant = %(tenant)s AND consumer = %(consumer)s AND project = %(project)s AND next_at <= %(now)s "
    "FOR NO KEY UPDATE SKIP LOCKED",
)
# What the consumer has heard of everybody else meanwhile: up to its place with the tenant.
ASIDE_EVENTS = Statement(
    EventRow,
    "SELECT e.tenant, e.epoch, e.xid::text, e.seq, e.kind, e.subject, e.project, e.data, e.at "
    "FROM event e JOIN event_place p ON p.tenant = e.tenant AND p.consumer = %(consumer)s "
    "WHERE e.tenant = %(tenant)s AND (e.epoch, e.xid, e.seq) > (%(epoch)s::int, %(xid)s::xid8, %(seq)s::bigint) "
    "AND (e.epoch, e.xid, e.seq) <= (p.epoch, p.xid, p.seq) "
    "AND coalesce(e.project, '00000000-0000-0000-0000-000000000000') = %(project)s "
    "AND (e.kind = ANY (%(exact)s::text[]) "
    "OR EXISTS (SELECT FROM unnest(%(beginnings)s::text[]) b (b) WHERE starts_with(e.kind, b.b))) "
    "ORDER BY e.epoch, e.xid, e.seq LIMIT %(limit)s",
)
ASIDE_MOVE = Command(
    "UPDATE event_aside SET epoch = %(epoch)s, xid = %(xid)s::xid8, seq = %(seq)s, next_at = %(next_at)s "
    "WHERE tenant = %(tenant)s AND consumer = %(consumer)s AND project = %(project)s"
)
ASIDE_FAILED = Command(
    "UPDATE event_aside SET tries = tries + 1, reason = %(reason)s, next_at = %(next_at)s "
    "WHERE tenant = %(tenant)s AND consumer = %(consumer)s AND project = %(project)s"
)
ASIDE_END = Command(
    "DELETE FROM event_aside WHERE tenant = %(tenant)s AND consumer = %(consumer)s AND project = %(project)s"
)

# ---------------------------------------------------------------- over all tenants (OPS)
FLOORS = Statement(Floor, "SELECT consumer, epoch, xid::text, seq FROM event_cursor")
FLOOR_KEEP = Command(
    "INSERT INTO event_cursor (consumer, epoch, xid, seq, at) "
    "VALUES (%(consumer)s, %(epoch)s, %(xid)s::xid8, %(seq)s, %(now)s) "
    "ON CONFLICT (consumer) DO UPDATE SET epoch = excluded.epoch, xid = excluded.xid, seq = excluded.seq, "
    "at = excluded.at WHERE (event_cursor.epoch, event_cursor.xid, event_cursor.seq) "
    "< (excluded.epoch, excluded.xid, excluded.seq)"
)
ASIDES_DUE = Statement(
    DueAside,
    "SELECT tenant, consumer, project FROM event_aside WHERE next_at <= %(now)s AND consumer = ANY (%(consumers)s) "
    "ORDER BY next_at LIMIT %(limit)s",
)
ASIDES = Statement(
    AsideRow,
    "SELECT tenant, consumer, project, epoch, xid::text, seq, tries, reason, since, next_at FROM event_aside "
    "WHERE tries > 0 AND (tenant, consumer, project) > (%(tenant)s, %(consumer)s, %(project)s) "
    "ORDER BY tenant, consumer, project LIMIT %(limit)s",
)
ASIDES_COUNT = Scalar(int, "SELECT count(*)::int FROM event_aside WHERE tries > 0")
ASIDE_AGAIN = Command(
    "UPDATE event_aside SET next_at = %(now)s "
    "WHERE tenant = %(tenant)s AND consumer = %(consumer)s AND project = %(project)s"
)
PLACES_RELEASE = Command("UPDATE event_place SET until = %(now)s WHERE holder = %(holder)s AND until > %(now)s")
