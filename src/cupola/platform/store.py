"""SQL of the platform itself: answers kept for idempotency keys, events, consumers' places, signs of life."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cupola.platform.pg.statement import Command, Scalar, Statement


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    request_hash: bytes
    status: int | None
    body: bytes | None


@dataclass(frozen=True, slots=True)
class EventRow:
    tenant: UUID
    epoch: int
    xid: str
    seq: int
    kind: str
    subject: UUID | None
    project: UUID | None
    data: dict[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order of events: in which cluster, of which transaction in it, which of its events."""

    epoch: int
    xid: str
    seq: int

    @property
    def key(self) -> tuple[int, int, int]:
        """What places are compared by: xid is a number."""
        return self.epoch, int(self.xid), self.seq


@dataclass(frozen=True, slots=True)
class Beat:
    process: str
    role: str
    host: str
    pid: int
    at: datetime


KEY_TAKE = Command(
    "INSERT INTO idempotency (tenant, principal, key, request_hash, at) "
    "VALUES (%(tenant)s, %(principal)s, %(key)s, %(request_hash)s, %(at)s) ON CONFLICT DO NOTHING"
)
KEY_KEPT = Statement(
    KeptAnswer,
    "SELECT request_hash, status, body FROM idempotency "
    "WHERE tenant = %(tenant)s AND principal = %(principal)s AND key = %(key)s",
)
KEY_ANSWER = Command(
    "UPDATE idempotency SET status = %(status)s, body = %(body)s "
    "WHERE tenant = %(tenant)s AND principal = %(principal)s AND key = %(key)s"
)

EVENT_APPEND = Scalar(
    int, "SELECT event_append(%(tenant)s, %(kind)s, %(subject)s, %(project)s, %(data)s::jsonb, %(at)s)"
)
# A transaction that is still open may yet commit an event with a smaller number: only what is older than every open
# transaction is read, so that none is ever skipped. Transactions of an earlier epoch are all over.
EVENTS_TAIL = Statement(
    EventRow,
    "SELECT tenant, epoch, xid::text, seq, kind, subject, project, data, at FROM event "
    "WHERE (epoch, xid, seq) > (%(epoch)s::int, %(xid)s::xid8, %(seq)s::bigint) "
    "AND (epoch < (SELECT epoch FROM event_epoch) OR xid < pg_snapshot_xmin(pg_current_snapshot())) "
    "ORDER BY event.epoch, event.xid, event.seq LIMIT %(limit)s",
)
EVENTS_NEWEST = Statement(
    Place,
    "SELECT epoch, coalesce(pg_snapshot_xmin(pg_current_snapshot())::text, '0') AS xid, 0::bigint AS seq "
    "FROM event_epoch",
)
EVENTS_OF_TENANT = Statement(
    EventRow,
    "SELECT tenant, epoch, xid::text, seq, kind, subject, project, data, at FROM event WHERE tenant = %(tenant)s "
    "AND (epoch, xid, seq) > (%(epoch)s::int, %(xid)s::xid8, %(seq)s::bigint) "
    "AND (epoch < (SELECT epoch FROM event_epoch) OR xid < pg_snapshot_xmin(pg_current_snapshot())) "
    "ORDER BY event.epoch, event.xid, event.seq LIMIT %(limit)s",
)
BEAT = Command(
    "INSERT INTO process_beat (process, role, host, pid, at) VALUES (%(process)s, %(role)s, %(host)s, %(pid)s, %(at)s) "
    "ON CONFLICT (process) DO UPDATE SET at = excluded.at"
)
BEATS = Statement(Beat, "SELECT process, role, host, pid, at FROM process_beat WHERE at > %(since)s ORDER BY at DESC")
BEAT_END = Command("DELETE FROM process_beat WHERE process = %(process)s")
