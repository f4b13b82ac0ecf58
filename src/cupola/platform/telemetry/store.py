"""SQL of the figures that metrics show: sums over all tenants, none named."""

from __future__ import annotations

from dataclasses import dataclass

from cupola.platform.pg.statement import Statement


@dataclass(frozen=True, slots=True)
class Count:
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class JobCount:
    name: str
    state: str
    count: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Lag:
    name: str
    oldest_s: float


PROCESSES = Statement(
    Count, "SELECT role AS name, count(*) AS count FROM process_beat WHERE at > %(since)s GROUP BY role"
)
JOBS = Statement(
    JobCount,
    "SELECT kind AS name, state, count(*) AS count, "
    "greatest(extract(epoch FROM %(now)s - min(asked_at)), 0)::float8 AS oldest_s FROM (SELECT kind, asked_at, "
    "CASE WHEN failed_at IS NOT NULL THEN 'failed' WHEN until > %(now)s THEN 'running' ELSE 'waiting' END AS state "
    "FROM job) j GROUP BY kind, state",
)
# How long the oldest event waits that a consumer may still have to hear.
LAGS = Statement(
    Lag,
    "SELECT c.consumer AS name, coalesce(greatest(extract(epoch FROM %(now)s - e.at), 0), 0)::float8 AS oldest_s "
    "FROM event_cursor c LEFT JOIN LATERAL (SELECT at FROM event e WHERE (e.epoch, e.xid, e.seq) > "
    "(c.epoch, c.xid, c.seq) ORDER BY e.epoch, e.xid, e.seq LIMIT 1) e ON true",
)
# Projects that a consumer could not serve and that are tried again later.
ASIDE = Statement(
    Count, "SELECT consumer AS name, count(*) AS count FROM event_aside WHERE tries > 0 GROUP BY consumer"
)
