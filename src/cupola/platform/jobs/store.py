"""SQL of slow work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from cupola.platform.pg.statement import Command, Statement


@dataclass(frozen=True, slots=True)
class Taken:
    """Work that this process has a lease on. tries: with this one."""

    tenant: UUID
    kind: str
    subject: UUID
    tries: int
    outages: int


@dataclass(frozen=True, slots=True)
class FailedRow:
    tenant: UUID
    kind: str
    subject: UUID
    tries: int
    reason: str
    asked_at: datetime
    failed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much of a kind waits, and since when the oldest of it."""

    kind: str
    waiting: int
    running: int
    failed: int
    oldest_at: datetime | None


# (APP) While it waits, more of the same is the same; its pause after a failure stands. While it runs, once more.
ADD = Command(
    "INSERT INTO job (tenant, kind, subject, asked_at, due_at) "
    "SELECT %(tenant)s, %(kind)s, subject, %(now)s, %(now)s FROM unnest(%(subjects)s::uuid[]) AS s (subject) "
    "ON CONFLICT (tenant, kind, subject) DO UPDATE SET again = job.holder IS NOT NULL, "
    "due_at = CASE WHEN job.failed_at IS NULL THEN job.due_at ELSE excluded.due_at END, "
    "tries = CASE WHEN job.failed_at IS NULL THEN job.tries ELSE 0 END, failed_at = NULL"
)

# What never failed is due, whatever its time says; and a time beyond any pause or lease that we give was noted before
# the machine's clock was set back.
_DUE: LiteralString = (
    "(j.due_at <= %(now)s OR j.due_at > %(beyond)s OR (j.tries = 0 AND j.outages = 0)) "
    "AND (j.holder IS NULL OR j.until <= %(now)s OR j.until > %(beyond)s) "
)
# (OPS) Tenants that have some of a kind waiting are found one after the other by the index, however much each has.
TAKE = Statement(
    Taken,
    "WITH RECURSIVE queueing AS ("
    "(SELECT tenant FROM job WHERE kind = %(kind)s AND failed_at IS NULL ORDER BY tenant LIMIT 1) UNION ALL "
    "SELECT (SELECT j.tenant FROM job j WHERE j.kind = %(kind)s AND j.failed_at IS NULL AND j.tenant > q.tenant "
    "ORDER BY j.tenant LIMIT 1) FROM queueing q WHERE q.tenant IS NOT NULL), "
    "due AS (SELECT one.tenant, one.subject, one.due_at, one.place FROM queueing q CROSS JOIN LATERAL ("
    "SELECT j.tenant, j.subject, j.due_at, row_number() OVER (ORDER BY j.due_at) AS place FROM ("
    "SELECT j.tenant, j.subject, j.due_at FROM job j "
    "WHERE j.kind = %(kind)s AND j.tenant = q.tenant AND j.failed_at IS NULL AND "
    + _DUE
    + "ORDER BY j.due_at LIMIT %(each)s) j) one WHERE q.tenant IS NOT NULL "
    "AND one.place <= %(each)s - coalesce((SELECT b.busy FROM unnest(%(tenants)s::uuid[], %(busy)s::int[]) "
    "AS b (tenant, busy) WHERE b.tenant = q.tenant), 0)), "
    "chosen AS (SELECT j.tenant, j.subject FROM job j JOIN due d ON d.tenant = j.tenant AND d.subject = j.subject "
    "WHERE j.kind = %(kind)s AND j.failed_at IS NULL AND " + _DUE + "ORDER BY d.place, d.due_at LIMIT %(limit)s "
    "FOR NO KEY UPDATE OF j SKIP LOCKED) "
    "UPDATE job j SET holder = %(holder)s, until = %(until)s, tries = j.tries + 1, again = false FROM chosen c "
    "WHERE j.tenant = c.tenant AND j.kind = %(kind)s AND j.subject = c.subject "
    "RETURNING j.tenant, j.kind, j.subject, j.tries, j.outages",
)
RENEW = Command(
    "UPDATE job j SET until = %(until)s FROM unnest(%(tenants)s::uuid[], %(kinds)s::text[], %(subjects)s::uuid[]) "
    "AS m (tenant, kind, subject) WHERE j.tenant = m.tenant AND j.kind = m.kind AND j.subject = m.subject "
    "AND j.holder = %(holder)s"
)
DONE = Command(
    "DELETE FROM job WHERE tenant = %(tenant)s AND kind = %(kind)s AND subject = %(subject)s "
    "AND holder = %(holder)s AND NOT again"
)
LATER = Command(
    "UPDATE job SET holder = NULL, until = NULL, again = false, tries = %(tries)s, outages = %(outages)s, "
    "reason = %(reason)s, due_at = %(due_at)s, failed_at = %(failed_at)s "
    "WHERE tenant = %(tenant)s AND kind = %(kind)s AND subject = %(subject)s AND holder = %(holder)s"
)
FAILING = Statement(
    FailedRow,
    "SELECT tenant, kind, subject, tries, reason, asked_at, failed_at FROM job WHERE reason <> '' "
    "AND (tenant, kind, subject) > (%(tenant)s, %(kind)s, %(subject)s) ORDER BY tenant, kind, subject LIMIT %(limit)s",
)
WAITING = Statement(
    Waiting,
    "SELECT kind, "
    "(count(*) FILTER (WHERE failed_at IS NULL AND (holder IS NULL OR until <= %(now)s)))::int AS waiting, "
    "(count(*) FILTER (WHERE failed_at IS NULL AND until > %(now)s))::int AS running, "
    "(count(*) FILTER (WHERE failed_at IS NOT NULL))::int AS failed, "
    "min(asked_at) FILTER (WHERE failed_at IS NULL) AS oldest_at FROM job GROUP BY kind ORDER BY kind",
)
