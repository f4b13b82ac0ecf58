"""SQL of submissions under review, rejections, appeals and panels. What moves money is a function of the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cupola.appeals.model import Evidence, Freeze, How, RejectReason
from cupola.platform.pg.long import LongText
from cupola.platform.pg.statement import Command, Scalar, Statement


@dataclass(frozen=True, slots=True)
class SubmissionRow:
    id: UUID
    task: UUID
    project: UUID
    project_name: str
    worker: UUID
    state: int
    label: LongText
    price_minor: int
    currency: str
    seconds: float
    at: datetime
    due_at: datetime
    decided_at: datetime | None
    doubts: int
    frozen: bool
    frozen_until: datetime | None
    reason: RejectReason | None
    place: str | None
    part: str | None
    note: str | None
    evidence: Evidence | None
    corrected: LongText | None
    rejected_at: datetime | None
    appeal_by: datetime | None
    upheld: bool | None
    how: How | None
    verdict_at: datetime | None
    appeal: UUID | None
    appeal_state: int | None
    words: str | None
    appealed_at: datetime | None
    answer_by: datetime | None
    answer: str | None
    answered_at: datetime | None
    panel_by: datetime | None
    votes: list[bool]


@dataclass(frozen=True, slots=True)
class Admitted:
    tenant: UUID
    worker: UUID


@dataclass(frozen=True, slots=True)
class JudgedBy:
    """What a rejection of a submission is checked against."""

    task: UUID
    label: LongText
    gold: bool
    gold_label: LongText | None
    ontology_version: UUID
    state: int


@dataclass(frozen=True, slots=True)
class About:
    """What a submission is about. item: a document (catalog.showing)."""

    kind: str
    ontology_version: UUID
    item: str


@dataclass(frozen=True, slots=True)
class CaseRow:
    appeal: UUID
    kind: str
    reason: RejectReason
    panel_by: datetime
    currency: str
    seat_minor: int
    mine: bool
    voted: bool


@dataclass(frozen=True, slots=True)
class HearingRow:
    kind: str
    ontology_version: UUID
    item: str
    label: LongText
    reason: RejectReason
    place: str
    part: str | None
    note: str
    evidence: Evidence
    corrected: LongText | None
    words: str
    answer: str
    panel_by: datetime
    currency: str
    seat_minor: int


@dataclass(frozen=True, slots=True)
class Place:
    tenant: UUID
    id: UUID


@dataclass(frozen=True, slots=True)
class TenantId:
    tenant: UUID


DUE = Scalar(int, "SELECT hearings_due(%(tenant)s, %(limit)s, %(now)s)")
# Tenants with something that ran out: what is lazily done on every read is done for those whom nobody reads, too.
DUE_TENANTS = Statement(
    TenantId,
    "SELECT tenant FROM submission WHERE state = {submission.waiting} AND due_at <= %(now)s UNION "
    "SELECT tenant FROM appeal WHERE state = {appeal.filed} AND answer_by <= %(now)s UNION "
    "SELECT tenant FROM appeal WHERE state = {appeal.panel} AND panel_by <= %(now)s UNION "
    "SELECT tenant FROM review_freeze WHERE decided_at IS NULL AND decide_by <= %(now)s UNION "
    "SELECT r.tenant FROM submission_rejection r WHERE r.appeal_by <= %(now)s AND NOT EXISTS (SELECT FROM verdict v "
    "WHERE v.tenant = r.tenant AND v.submission = r.submission) LIMIT 1000",
)

_FIELDS = (
    "SELECT s.id, s.task, s.project, p.name AS project_name, s.worker, s.state, s.label, a.price_minor, a.currency, "
    "s.seconds, s.at, s.due_at, s.decided_at, r.reason, r.place, r.part, r.note, r.evidence, r.corrected, "
    "r.at AS rejected_at, appeal_until(s.tenant, s.project, r.at, r.appeal_by) AS appeal_by, v.upheld, v.how, "
    "v.at AS verdict_at, "
    "q.id AS appeal, q.state AS appeal_state, q.words, q.at AS appealed_at, q.answer_by, q.answer, q.answered_at, "
    "q.panel_by, panel_votes(q) AS votes, f.id IS NOT NULL AS frozen, f.decide_by AS frozen_until, "
)
_FROM = (
    "FROM submission s JOIN project p ON p.tenant = s.tenant AND p.id = s.project "
    "JOIN assignment a ON a.tenant = s.tenant AND a.id = s.assignment "
    "LEFT JOIN submission_rejection r ON r.tenant = s.tenant AND r.submission = s.id "
    "LEFT JOIN verdict v ON v.tenant = s.tenant AND v.submission = s.id "
    "LEFT JOIN appeal q ON q.tenant = s.tenant AND q.submission = s.id "
    "LEFT JOIN review_freeze f ON f.tenant = s.tenant AND f.project = s.project AND f.decided_at IS NULL "
    "AND s.state = {submission.rejected} "
)
_DOUBTS = "(SELECT count(*)::int FROM submission_doubt d WHERE d.tenant = s.tenant AND d.submission = s.id) AS doubts "
OURS = Statement(
    SubmissionRow,
    _FIELDS + _DOUBTS + _FROM + "WHERE s.tenant = %(tenant)s AND s.id < %(before)s::uuid "
    "AND (%(project)s::uuid IS NULL OR s.project = %(project)s::uuid) "
    "AND (%(state)s::int IS NULL OR s.state = %(state)s::int) AND (q.id IS NOT NULL OR NOT %(appealed)s) "
    "ORDER BY s.id DESC LIMIT %(limit)s",
)
OUR_ONE = Statement(SubmissionRow, _FIELDS + _DOUBTS + _FROM + "WHERE s.tenant = %(tenant)s AND s.id = %(id)s")
OF_APPEAL = Scalar(UUID, "SELECT submission FROM appeal WHERE tenant = %(tenant)s AND id = %(appeal)s")
MINE = Statement(
    SubmissionRow,
    _FIELDS + "0 AS doubts " + _FROM + "WHERE s.tenant = %(tenant)s AND s.worker = %(worker)s "
    "AND s.id < %(before)s::uuid ORDER BY s.id DESC LIMIT %(limit)s",
)
MY_ONE = Statement(
    SubmissionRow,
    _FIELDS + "0 AS doubts " + _FROM + "WHERE s.tenant = %(tenant)s AND s.worker = %(worker)s AND s.id = %(id)s",
)
ABOUT = Statement(About, "SELECT * FROM submission_about(%(tenant)s, %(id)s)")
JUDGED_BY = Statement(
    JudgedBy,
    "SELECT s.task, s.label, s.gold, g.label AS gold_label, p.ontology_version, s.state FROM submission s "
    "JOIN project p ON p.tenant = s.tenant AND p.id = s.project "
    "LEFT JOIN gold g ON g.tenant = s.tenant AND g.task = s.task WHERE s.tenant = %(tenant)s AND s.id = %(id)s",
)
AGREE = Scalar(int, "SELECT submissions_agree(%(tenant)s, %(ids)s::uuid[], %(now)s)")
DOUBT_OF_ANOTHER = Scalar(
    UUID,
    "SELECT person FROM submission_doubt WHERE tenant = %(tenant)s AND submission = %(id)s AND person <> %(person)s "
    "AND reason = %(reason)s ORDER BY at LIMIT 1",
)
DOUBT = Command(
    "INSERT INTO submission_doubt (tenant, submission, person, reason, place, note, at) VALUES "
    "(%(tenant)s, %(id)s, %(person)s, %(reason)s, %(place)s, %(note)s, %(now)s) ON CONFLICT DO NOTHING"
)
REJECT = Scalar(
    bool,
    "SELECT submission_reject(%(tenant)s, %(id)s, %(reason)s, %(place)s, %(part)s, %(note)s, %(evidence)s, "
    "%(corrected)s, %(second)s::uuid, %(rejecter)s, %(least)s, %(share)s, %(span)s, %(now)s)",
    keeps=("corrected",),
)
FILE = Scalar(UUID, "SELECT appeal_file(%(tenant)s, %(worker)s, %(submission)s, %(id)s, %(words)s, %(now)s)")
ANSWER = Command("SELECT appeal_answer(%(tenant)s, %(appeal)s, %(stands)s, %(words)s, %(seat_minor)s, %(now)s)")
CURRENCY_OF_APPEAL = Scalar(
    str,
    "SELECT a.currency FROM appeal q JOIN submission s ON s.tenant = q.tenant AND s.id = q.submission "
    "JOIN assignment a ON a.tenant = s.tenant AND a.id = s.assignment "
    "WHERE q.tenant = %(tenant)s AND q.id = %(appeal)s",
)
ADMITTED = Statement(Admitted, "SELECT tenant, worker FROM contributor WHERE person = %(person)s ORDER BY tenant")

# ---------------------------------------------------------------- panels
HEARD_TENANTS = Statement(
    TenantId, "SELECT DISTINCT tenant FROM appeal WHERE state = {appeal.panel} AND panel_by > %(now)s LIMIT 200"
)
TENANT_OF_APPEAL = Scalar(UUID, "SELECT tenant FROM appeal WHERE id = %(appeal)s")
CASES = Statement(CaseRow, "SELECT * FROM panel_open(%(tenant)s, %(person)s, %(worker)s, %(stale)s)")
SIT = Scalar(int, "SELECT panel_sit(%(tenant)s, %(appeal)s, %(person)s, %(worker)s, %(stale)s, %(now)s)")
HEARING = Statement(HearingRow, "SELECT * FROM panel_case(%(tenant)s, %(appeal)s, %(person)s)")
SEATED = Scalar(datetime, "SELECT panel_seated(%(tenant)s, %(appeal)s, %(person)s)")
VOTE = Scalar(
    int,
    "SELECT panel_vote(%(tenant)s, %(appeal)s, %(person)s, %(upheld)s, %(words)s, %(seconds)s, %(paid_minor)s, "
    "%(now)s)",
)

# ---------------------------------------------------------------- operators
FREEZES = Statement(
    Freeze,
    "SELECT tenant, id, project, rejected, submitted, at, decide_by FROM review_freeze WHERE decided_at IS NULL "
    "ORDER BY decide_by LIMIT %(limit)s",
)
FREEZE = Scalar(
    UUID, "SELECT project FROM review_freeze WHERE tenant = %(tenant)s AND id = %(id)s AND decided_at IS NULL"
)
THAW = Scalar(int, "SELECT freeze_end(%(tenant)s, %(id)s, %(person)s, %(lifted)s, %(note)s, %(now)s)")
JUDGE = Command("UPDATE person SET is_judge = %(judge)s WHERE id = %(person)s AND (is_contributor OR NOT %(judge)s)")
