"""SQL of eligibility: a project's expression, and what is known of people (functions of the database tell it)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cupola.platform.pg.statement import Scalar, Statement


@dataclass(frozen=True, slots=True)
class Asked:
    eligible: str | None


@dataclass(frozen=True, slots=True)
class Fitting:
    fitting: int
    people: int


@dataclass(frozen=True, slots=True)
class OpeningRow:
    """facts: what is known of the person there, as JSON."""

    tenant: UUID
    project: UUID
    title: str
    kind: str
    price_minor: int
    currency: str
    median_s: float | None
    p75_s: float | None
    eligible: str
    facts: str


@dataclass(frozen=True, slots=True)
class ExamRow:
    tenant: UUID
    project: UUID
    skill: str


ASKED = Statement(Asked, "SELECT eligible FROM project WHERE tenant = %(tenant)s AND id = %(project)s")
ASK = Scalar(bool, "SELECT project_ask(%(tenant)s, %(project)s, %(text)s, %(path)s)")
FITTING = Statement(Fitting, "SELECT fitting, people FROM people_fitting(%(tenant)s, %(path)s, %(now)s)")
OPENINGS = Statement(
    OpeningRow,
    "SELECT * FROM work_openings(%(person)s, %(tenants)s::uuid[], %(workers)s::uuid[], %(each)s, %(now)s)",
)
# The exams of a tenant that are live: where a skill that is asked for is to be had.
EXAMS = Statement(
    ExamRow,
    "SELECT e.tenant, e.project, e.skill FROM exam e JOIN project p ON p.tenant = e.tenant AND p.id = e.project "
    "WHERE e.tenant = %(tenant)s AND p.state = 'live' ORDER BY e.skill LIMIT 200",
)
