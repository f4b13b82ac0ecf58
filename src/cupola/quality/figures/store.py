"""SQL of the figures that the dashboard shows of a project."""

from __future__ import annotations

from dataclasses import dataclass

from cupola.platform.pg.statement import Command, Statement
from cupola.quality.model import Progress
from cupola.quality.store import CodeRow


@dataclass(frozen=True, slots=True)
class DecidedBy:
    """judgements: of the tasks that are settled or with an adjudicator; gold is judged for another reason."""

    judgements: int
    tasks: int


@dataclass(frozen=True, slots=True)
class BinRow:
    bin: int
    tasks: int


@dataclass(frozen=True, slots=True)
class KeptFigures:
    """counted: judgements and settled tasks at that time."""

    counted: int
    figures: bytes


@dataclass(frozen=True, slots=True)
class SettledCode:
    """A judgement beside what its task settled as."""

    said: int
    settled: int
    n: int


HISTOGRAM = Statement(
    BinRow,
    "SELECT width_bucket(confidence::float8, %(edges)s::float8[]) AS bin, count(*) AS tasks FROM task "
    "WHERE tenant = %(tenant)s AND project = %(project)s AND NOT gold AND confidence IS NOT NULL GROUP BY 1 ORDER BY 1",
)
DECIDED_BY = Statement(
    DecidedBy,
    "SELECT coalesce(sum(judged), 0)::bigint AS judgements, count(*) AS tasks FROM task WHERE tenant = %(tenant)s "
    "AND project = %(project)s AND NOT gold AND state IN ({task.settled}, {task.escalated})",
)
SETTLED_CODES = Statement(
    SettledCode,
    "SELECT j.code AS said, s.code AS settled, count(*) AS n FROM judgement j JOIN task t ON t.tenant = j.tenant AND "
    "t.id = j.task JOIN settlement s ON s.tenant = t.tenant AND s.task = t.id AND s.version = t.settled_version "
    "WHERE j.tenant = %(tenant)s AND j.project = %(project)s AND j.code IS NOT NULL AND s.code IS NOT NULL "
    "AND j.stage = 0 GROUP BY 1, 2",
)
PROGRESS = Statement(
    Progress,
    "WITH span AS (SELECT min(at) AS start, greatest(max(at) - min(at), interval '1 second') AS length FROM judgement "
    "WHERE tenant = %(tenant)s AND project = %(project)s), points AS (SELECT start + length * n / 40.0 AS at "
    "FROM span, generate_series(1, 40) n WHERE start IS NOT NULL), "
    "judged AS (SELECT width_bucket(extract(epoch FROM j.at - s.start), 0, extract(epoch FROM s.length), 40) AS b, "
    "count(*) AS n, sum(j.price_minor + a.fee_minor + a.insurance_minor) AS cost FROM judgement j "
    "JOIN assignment a ON a.tenant = j.tenant AND a.id = j.assignment, span s "
    "WHERE j.tenant = %(tenant)s AND j.project = %(project)s GROUP BY 1), "
    "settled AS (SELECT width_bucket(extract(epoch FROM t.settled_at - s.start), 0, extract(epoch FROM s.length), "
    "40) AS b, "
    "count(*) AS n FROM task t, span s WHERE t.tenant = %(tenant)s AND t.project = %(project)s AND t.settled_at IS "
    "NOT NULL GROUP BY 1), numbered AS (SELECT at, row_number() OVER (ORDER BY at) AS k FROM points) "
    "SELECT p.at, coalesce((SELECT sum(n) FROM judged WHERE b <= p.k + CASE WHEN p.k = 40 THEN 1 ELSE 0 END), "
    "0)::bigint AS judgements, "
    "coalesce((SELECT sum(n) FROM settled WHERE b <= p.k + CASE WHEN p.k = 40 THEN 1 ELSE 0 END), 0)::bigint AS "
    "settled, "
    "coalesce((SELECT sum(cost) FROM judged WHERE b <= p.k + CASE WHEN p.k = 40 THEN 1 ELSE 0 END), 0)::bigint AS "
    "cost_minor FROM numbered p ORDER BY p.at",
)
FIGURES = Statement(
    KeptFigures,
    "SELECT counted, figures FROM project_figures WHERE tenant = %(tenant)s AND project = %(project)s",
)
FIGURES_KEEP = Command(
    "INSERT INTO project_figures (tenant, project, counted, figures, at) VALUES (%(tenant)s, %(project)s, %(counted)s, "
    "%(figures)s, %(now)s) ON CONFLICT (tenant, project) DO UPDATE SET counted = excluded.counted, "
    "figures = excluded.figures, at = excluded.at WHERE project_figures.at <= excluded.at"
)
VOTE_SAMPLE = Statement(
    CodeRow,
    "SELECT task, worker, code FROM judgement WHERE tenant = %(tenant)s AND project = %(project)s AND code IS NOT NULL "
    "AND stage = 0 ORDER BY id DESC LIMIT %(limit)s",
)
