"""SQL of a contributor's work: claims, pages, drafts, submits. Whatever moves money is a function of the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cupola.platform.pg.long import LongText
from cupola.platform.pg.statement import Scalar, Statement
from cupola.tasks.model import Rejection, Stage
from cupola.tasks.store import FactsRow


@dataclass(frozen=True, slots=True)
class PageRow:
    """A task of a page. item: a document (catalog.showing); rejected: JSON of a Rejected, of what is to be fixed."""

    task: UUID
    position: int
    state: int
    item: str
    pre_label: LongText | None
    draft: LongText | None
    draft_rev: int | None
    rejected: str | None


@dataclass(frozen=True, slots=True)
class DraftHeld:
    """The newest revision that is kept of a draft, and by which opened editor."""

    rev: int
    writer: str


@dataclass(frozen=True, slots=True)
class DraftPatched(DraftHeld):
    """taken: false where the revision that the difference builds on is not here. patches: how many wait now."""

    taken: bool
    patches: int


@dataclass(frozen=True, slots=True)
class DraftText:
    """A draft as it was kept whole, and the differences since (see `drafts`)."""

    text: LongText


@dataclass(frozen=True, slots=True)
class ClaimedRow(PageRow):
    """A task of a page with the page it belongs to."""

    assignment: UUID
    project_name: str
    kind: str
    stage: int
    stages: list[Stage]
    ontology_version: UUID
    fence: int
    page_state: int
    offer_version: int
    price_minor: int
    currency: str
    claimed_at: datetime
    expires_at: datetime
    review_first_s: int | None


@dataclass(frozen=True, slots=True)
class AssignmentRow:
    id: UUID
    project: UUID
    project_name: str
    kind: str
    stage: int
    stages: list[Stage]
    ontology_version: UUID
    fence: int
    state: int
    offer_version: int
    price_minor: int
    currency: str
    claimed_at: datetime
    expires_at: datetime
    review_first_s: int | None
    trains: UUID | None
    is_exam: bool


@dataclass(frozen=True, slots=True)
class ProjectHome:
    """Where a project on offer lives; trains: the project it is training for."""

    tenant: UUID
    trains: UUID | None
    is_exam: bool


@dataclass(frozen=True, slots=True)
class Home:
    """Where an assignment or a project lives: what every write needs to know and what never changes."""

    tenant: UUID
    worker: UUID
    project: UUID
    ontology_version: UUID
    currency: str
    trains: UUID | None
    is_exam: bool
    stage: int
    does: Stage


@dataclass(frozen=True, slots=True)
class SubmitRow:
    task: UUID
    judgement: UUID | None
    outcome: str
    paid_minor: int
    remaining: int
    state: int


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The label under review of a task."""

    task: UUID
    label: LongText


@dataclass(frozen=True, slots=True)
class Admitted:
    tenant: UUID
    worker: UUID


@dataclass(frozen=True, slots=True)
class Due:
    tenant: UUID
    id: UUID


PROJECT_HOME = Statement(
    ProjectHome, "SELECT tenant, trains, is_exam FROM project WHERE id = %(id)s AND state = 'live'"
)
CLAIM = Statement(
    ClaimedRow,
    "SELECT * FROM work_claim_page(%(tenant)s, %(project)s, %(stage)s::smallint, %(worker)s, %(person)s, %(admit)s, "
    "%(tasks)s, %(max_bytes)s, %(assignment)s, %(hold)s, %(idem)s, %(now)s)",
)
REVIEWED = Statement(Reviewed, "SELECT * FROM work_reviewed(%(tenant)s, %(worker)s, %(assignment)s)")
PAGE = Statement(PageRow, "SELECT * FROM work_page(%(tenant)s, %(worker)s, %(assignment)s)")
FACTS = Statement(FactsRow, "SELECT * FROM work_facts(%(tenant)s, %(worker)s, %(assignment)s)")
_ASSIGNMENT = (
    "a.id, a.project, p.name AS project_name, p.kind, a.stage, p.stages, p.ontology_version, a.fence, a.state, "
    "a.offer_version, a.price_minor, "
    "a.currency, a.claimed_at, a.expires_at, a.review_first_s, p.trains, p.is_exam FROM assignment a "
    "JOIN project p ON p.tenant = a.tenant AND p.id = a.project"
)
ASSIGNMENT = Statement(
    AssignmentRow, "SELECT " + _ASSIGNMENT + " WHERE a.tenant = %(tenant)s AND a.worker = %(worker)s AND a.id = %(id)s"
)
ASSIGNMENTS_OPEN = Statement(
    AssignmentRow,
    "SELECT "
    + _ASSIGNMENT
    + " WHERE a.tenant = %(tenant)s AND a.worker = %(worker)s AND a.state = {page.claimed} AND a.expires_at > %(now)s "
    "ORDER BY a.claimed_at LIMIT 100",
)
ASSIGNMENT_HOME = Statement(
    Home,
    "SELECT a.tenant, a.worker, a.project, p.ontology_version, a.currency, p.trains, p.is_exam, a.stage, "
    "p.stages[a.stage + 1] AS does FROM assignment a "
    "JOIN project p ON p.tenant = a.tenant AND p.id = a.project "
    "WHERE a.tenant = %(tenant)s AND a.worker = %(worker)s AND a.id = %(id)s",
)
TENANTS_OF = Statement(Admitted, "SELECT tenant, worker FROM contributor WHERE person = %(person)s ORDER BY tenant")
SUBMIT = Statement(
    SubmitRow,
    # the arrays go as they are (b): writing them as text, with every quote of a label escaped, cost four times as much
    "SELECT * FROM work_submit(%(tenant)s, %(assignment)s, %(worker)s, %(fence)s, %(tasks)b::uuid[], %(ids)b::uuid[], "
    "%(labels)b::text[], %(codes)b::smallint[], %(seconds)b::real[], %(reasons)s::text[], %(notes)s::text[], "
    "%(transfers)b::uuid[], %(now)s)",
    keeps=("labels",),
)
REJECTIONS = Statement(
    Rejection,
    "SELECT r.judgement AS id, r.task, r.project, p.name AS project_name, r.reason, r.note, r.at FROM rejection r "
    "JOIN project p ON p.tenant = r.tenant AND p.id = r.project WHERE r.tenant = %(tenant)s AND r.maker = %(worker)s "
    "AND r.judgement < %(before)s ORDER BY r.judgement DESC LIMIT %(limit)s",
)
EXPIRE = Scalar(int, "SELECT work_expire(%(tenant)s, %(assignment)s, %(transfer)s, %(now)s)")
END = Scalar(
    int,
    "SELECT work_end(%(tenant)s, %(assignment)s, %(worker)s::uuid, %(state)s::smallint, %(reason)s, %(note)s, "
    "%(transfer)s, %(now)s)",
)
HEARTBEAT = Scalar(datetime, "SELECT work_heartbeat(%(tenant)s, %(assignment)s, %(worker)s, %(fence)s, %(now)s)")
DRAFT = Statement(
    DraftHeld,
    "SELECT rev, writer FROM work_draft(%(tenant)s, %(assignment)s, %(worker)s, %(fence)s, %(task)s, %(writer)s, "
    "%(label)s, %(rev)s, %(max_bytes)s, %(now)s)",
    keeps=("label",),
)
DRAFT_PATCH = Statement(
    DraftPatched,
    "SELECT rev, writer, taken, patches FROM work_draft_patch(%(tenant)s, %(assignment)s, %(worker)s, %(fence)s, "
    "%(task)s, %(writer)s, %(base)s, %(rev)s, %(patch)s, %(max_bytes)s, %(now)s)",
)
DRAFT_TEXT = Statement(
    DraftText,
    "SELECT array_to_string(label || patches, E'\\x1e') AS text FROM draft WHERE tenant = %(tenant)s "
    "AND worker = %(worker)s AND task = %(task)s",
)
DRAFT_GATHER = Scalar(
    int, "SELECT work_draft_gather(%(tenant)s, %(worker)s, %(task)s, %(rev)s, %(label)s)", keeps=("label",)
)
DUE = Statement(
    Due, "SELECT tenant, id FROM assignment WHERE state = {page.claimed} AND expires_at < %(now)s LIMIT %(limit)s"
)
