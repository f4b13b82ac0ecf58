"""SQL of opinions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cupola.platform.pg.long import LongText
from cupola.platform.pg.statement import Command, Scalar, Statement


@dataclass(frozen=True, slots=True)
class AboutRow:
    """A task that an opinion is about."""

    task: UUID
    ref: str
    width_px: int | None
    height_px: int | None


@dataclass(frozen=True, slots=True)
class BeforeRow:
    """What a version of a model said of a task before."""

    task: UUID
    label: LongText
    probabilities: list[float] | None
    confidence: float | None


@dataclass(frozen=True, slots=True)
class OpinionRow:
    id: UUID
    task: UUID
    ref: str
    model: str
    model_version: str
    label: LongText
    probabilities: list[float] | None
    confidence: float | None
    at: datetime


@dataclass(frozen=True, slots=True)
class SaidRow:
    """An opinion as decisions and fits read it. label: "" where the code is enough."""

    id: UUID
    task: UUID
    rater: UUID
    code: int | None
    label: LongText


@dataclass(frozen=True, slots=True)
class TruthRow:
    """What is known to be true of a task: gold, or what an expert decided."""

    task: UUID
    code: int | None
    label: LongText


@dataclass(frozen=True, slots=True)
class NamedRow:
    id: UUID
    task: UUID
    rater: UUID
    code: int | None
    label: LongText
    model: str
    model_version: str


@dataclass(frozen=True, slots=True)
class RaterRow:
    rater: UUID
    model: str
    model_version: str


ABOUT = Statement(
    AboutRow,
    "SELECT t.id AS task, i.ref, coalesce(i.width_px, b.width_px) AS width_px, coalesce(i.height_px, b.height_px) AS "
    "height_px FROM task t JOIN item i ON i.tenant = t.tenant AND i.id = t.item "
    "LEFT JOIN blob b ON b.tenant = i.tenant AND b.sha256 = i.asset "
    "WHERE t.tenant = %(tenant)s AND t.project = %(project)s AND t.id = ANY (%(tasks)s::uuid[])",
)
# An item is found by its dataset and reference: a project's tasks may come from several.
ABOUT_REFS = Statement(
    AboutRow,
    "SELECT t.id AS task, i.ref, coalesce(i.width_px, b.width_px) AS width_px, coalesce(i.height_px, b.height_px) AS "
    "height_px FROM dataset d JOIN item i ON i.tenant = d.tenant AND i.dataset = d.id "
    "AND i.ref = ANY (%(refs)s::text[]) "
    "JOIN task t ON t.tenant = i.tenant AND t.project = %(project)s AND t.item = i.id "
    "LEFT JOIN blob b ON b.tenant = i.tenant AND b.sha256 = i.asset WHERE d.tenant = %(tenant)s",
)
ADD = Command(
    "INSERT INTO opinion (tenant, id, project, task, model, model_version, rater, label, code, probabilities, "
    "confidence, at) SELECT %(tenant)s, x.id, %(project)s, x.task, %(model)s, %(model_version)s, %(rater)s, x.label, "
    "x.code, x.probabilities::real[], x.confidence, %(now)s FROM unnest(%(ids)s::uuid[], %(tasks)s::uuid[], "
    "%(labels)s::text[], %(codes)s::smallint[], %(probabilities)s::text[], %(confidences)s::real[]) "
    "AS x (id, task, label, code, probabilities, confidence) ON CONFLICT (tenant, task, rater) DO NOTHING",
    keeps=("labels",),
)
BEFORE = Statement(
    BeforeRow,
    "SELECT task, label, probabilities, confidence FROM opinion WHERE tenant = %(tenant)s AND rater = %(rater)s "
    "AND task = ANY (%(tasks)s::uuid[])",
)
_OPINIONS = (
    "SELECT o.id, o.task, x.ref, o.model, o.model_version, o.label, o.probabilities, o.confidence, o.at FROM "
    "(SELECT * FROM opinion WHERE tenant = %(tenant)s AND project = %(project)s AND id > %(after)s::uuid "
)
_OPINIONS_WITH = (
    "ORDER BY id LIMIT %(limit)s) o CROSS JOIN LATERAL (SELECT i.ref FROM task t JOIN item i ON i.tenant = t.tenant "
    "AND i.id = t.item WHERE t.tenant = o.tenant AND t.id = o.task LIMIT 1) x ORDER BY o.id"
)
OPINIONS = Statement(OpinionRow, _OPINIONS + _OPINIONS_WITH)
OPINIONS_OF_RATER = Statement(OpinionRow, _OPINIONS + "AND rater = %(rater)s " + _OPINIONS_WITH)
OPINIONS_OF_TASK = Statement(OpinionRow, _OPINIONS + "AND task = %(task)s " + _OPINIONS_WITH)
OPINIONS_OF_MODEL = Statement(OpinionRow, _OPINIONS + "AND model = %(model)s " + _OPINIONS_WITH)
# Each rater by a step through the index, however many rows there are.
_OF_PROJECT = "FROM opinion o WHERE o.tenant = %(tenant)s AND o.project = %(project)s "
RATERS = Statement(
    RaterRow,
    "WITH RECURSIVE r AS ((SELECT o.rater " + _OF_PROJECT + "AND o.rater > %(after)s::uuid "
    "ORDER BY o.rater LIMIT 1) UNION ALL "
    "SELECT (SELECT o.rater " + _OF_PROJECT + "AND o.rater > r.rater ORDER BY o.rater LIMIT 1) FROM r "
    "WHERE r.rater IS NOT NULL) "
    "SELECT r.rater, x.model, x.model_version FROM r CROSS JOIN LATERAL (SELECT o.model, o.model_version "
    + _OF_PROJECT
    + "AND o.rater = r.rater ORDER BY o.id LIMIT 1) x WHERE r.rater IS NOT NULL LIMIT %(limit)s",
)
ANY_GIVEN = Scalar(bool, "SELECT EXISTS (SELECT FROM opinion WHERE tenant = %(tenant)s AND project = %(project)s)")

# ---------------------------------------------------------------- what decisions hear
_HEARD = (
    "FROM opinion o JOIN task t ON t.tenant = o.tenant AND t.id = o.task WHERE o.tenant = %(tenant)s "
    "AND o.task = ANY (%(tasks)s) AND o.rater = ANY (%(raters)s) "
    "AND (t.heard_since IS NULL OR o.at >= t.heard_since) AND NOT t.alone ORDER BY o.id"
)
HEARD = Statement(SaidRow, "SELECT o.id, o.task, o.rater, o.code, o.label " + _HEARD)
CODED_HEARD = Statement(SaidRow, "SELECT o.id, o.task, o.rater, o.code, '' AS label " + _HEARD)
BY_ID = Statement(
    NamedRow,
    "SELECT id, task, rater, code, label, model, model_version FROM opinion WHERE tenant = %(tenant)s "
    "AND id = ANY (%(ids)s) ORDER BY id",
)

# ---------------------------------------------------------------- what fits compare
# Of the tasks judged last: however many a model spoke of, a fit reads so many judgements, and what was said of
# their tasks.
_COMPARED = (
    "FROM (SELECT DISTINCT task FROM (SELECT task FROM judgement WHERE tenant = %(tenant)s AND project = %(project)s "
    "ORDER BY id DESC LIMIT %(judgements)s) j) x JOIN opinion o ON o.tenant = %(tenant)s AND o.task = x.task "
    "ORDER BY o.task, o.id LIMIT %(limit)s"
)
# With labels, as far as all that is compared of a task fits into what a fit may hold: what people and models said, and
# what is true of it; bytes are counted where they lie.
COMPARED = Statement(
    SaidRow,
    "SELECT o.id, o.task, o.rater, o.code, o.label FROM (SELECT x.task, sum(x.bytes + (SELECT "
    "coalesce(sum(label_bytes(o.label)), 0) FROM opinion o WHERE o.tenant = %(tenant)s AND o.task = x.task) + (SELECT "
    "coalesce(sum(label_bytes(g.label)), 0) FROM gold g WHERE g.tenant = %(tenant)s AND g.task = x.task) + (SELECT "
    "coalesce(max(label_bytes(s.label)), 0) FROM settlement s WHERE s.tenant = %(tenant)s AND s.task = x.task)) "
    "OVER (ORDER BY x.newest) AS held FROM (SELECT task, min(place) AS newest, sum(bytes) AS bytes "
    "FROM (SELECT task, row_number() OVER (ORDER BY id DESC) AS place, label_bytes(label) AS bytes FROM judgement "
    "WHERE tenant = %(tenant)s AND project = %(project)s ORDER BY id DESC "
    "LIMIT %(judgements)s) j GROUP BY task) x WHERE EXISTS (SELECT FROM opinion o WHERE o.tenant = %(tenant)s "
    "AND o.task = x.task)) y JOIN opinion o ON o.tenant = %(tenant)s AND o.task = y.task "
    "WHERE y.held <= %(max_bytes)s ORDER BY o.task, o.id LIMIT %(limit)s",
)
CODED_COMPARED = Statement(SaidRow, "SELECT o.id, o.task, o.rater, o.code, '' AS label " + _COMPARED)
TRUTHS = Statement(
    TruthRow,
    "SELECT task, code, label FROM gold WHERE tenant = %(tenant)s AND task = ANY (%(tasks)s) "
    "UNION ALL SELECT DISTINCT ON (s.task) s.task, s.code, s.label FROM settlement s WHERE s.tenant = %(tenant)s "
    "AND s.task = ANY (%(tasks)s) AND s.how = 'adjudicated' AND s.label IS NOT NULL ORDER BY 1",
)
