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
    seq: int
    xid: str
    kind: str
    subject: UUID | None
    project: UUID | None
    data: dict[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """How far a consumer of events has come."""

    xid: str
    seq: int


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
# transaction is read, so that none is ever skipped.
EVENTS_TAIL = Statement(
    EventRow,
    "SELECT tenant, seq, xid::text, kind, subject, project, data, at FROM event "
    "WHERE (xid, seq) > (%(xid)s::xid8, %(seq)s) AND xid < pg_snapshot_xmin(pg_current_snapshot()) "
    "ORDER BY event.xid, event.seq LIMIT %(limit)s",
)
EVENTS_NEWEST = Statement(
    Place,
    "SELECT coalesce(pg_snapshot_xmin(pg_current_snapshot())::text, '0') AS xid, 0::bigint AS seq",
)
EVENTS_OF_TENANT = Statement(
    EventRow,
    "SELECT tenant, seq, xid::text, kind, subject, project, data, at FROM event "
    "WHERE tenant = %(tenant)s AND (xid, seq) > (%(xid)s::xid8, %(seq)s) "
    "AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY event.xid, event.seq LIMIT %(limit)s",
)
PLACE = Statement(Place, "SELECT xid::text, seq FROM event_cursor WHERE consumer = %(consumer)s")
PLACE_KEEP = Command(
    "INSERT INTO event_cursor (consumer, xid, seq, at) VALUES (%(consumer)s, %(xid)s::xid8, %(seq)s, %(at)s) "
    "ON CONFLICT (consumer) DO UPDATE SET xid = excluded.xid, seq = excluded.seq, at = excluded.at"
)
CONSUMER_LOCK = Scalar(bool, "SELECT pg_try_advisory_lock(hashtextextended(%(consumer)s, 7466))")
CONSUMER_UNLOCK = Scalar(bool, "SELECT pg_advisory_unlock(hashtextextended(%(consumer)s, 7466))")

BEAT = Command(
    "INSERT INTO process_beat (process, role, host, pid, at) VALUES (%(process)s, %(role)s, %(host)s, %(pid)s, %(at)s) "
    "ON CONFLICT (process) DO UPDATE SET at = excluded.at"
)
BEATS = Statement(Beat, "SELECT process, role, host, pid, at FROM process_beat WHERE at > %(since)s ORDER BY at DESC")
BEAT_END = Command("DELETE FROM process_beat WHERE process = %(process)s")
