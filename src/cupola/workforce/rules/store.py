"""What breaks a rule of work, as queries: a row is an offence. They read what the tenant's own role may read."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cupola.platform.pg.statement import Scalar, Statement


@dataclass(frozen=True, slots=True)
class Detail:
    detail: str


@dataclass(frozen=True, slots=True)
class TenantId:
    id: UUID


TENANTS = Statement(TenantId, "SELECT id FROM tenant ORDER BY id")
DUE = Scalar(int, "SELECT hearings_due(%(tenant)s, 100000, %(now)s)")

QUERIES: dict[str, Statement[Detail]] = {
    "R1": Statement(
        Detail,
        "SELECT 'page ' || a.id || ' was claimed without a hold of its price' AS detail FROM assignment a "
        "LEFT JOIN transfer t ON t.tenant = a.tenant AND t.id = a.hold WHERE a.tenant = %(tenant)s AND "
        "(t.kind IS DISTINCT FROM 'hold' OR t.amount_minor <> a.tasks * (a.price_minor + a.fee_minor + "
        "a.insurance_minor)) UNION ALL SELECT 'account ' || id || ' (' || type || ') is below zero' FROM account "
        "WHERE tenant = %(tenant)s AND type IN ('budget', 'project_budget', 'escrow') AND balance_minor < 0",
    ),
    "R2": Statement(
        Detail,
        "SELECT 'submission ' || s.id || ' waits since ' || s.at AS detail FROM submission s "
        "WHERE s.tenant = %(tenant)s AND s.state = {submission.waiting} AND (s.due_at < %(now)s::timestamptz "
        "OR s.due_at > s.at + interval '72 hours') UNION ALL "
        "SELECT 'submission ' || s.id || ' is accepted and not paid' FROM submission s WHERE s.tenant = %(tenant)s "
        "AND s.state = {submission.accepted} AND NOT EXISTS (SELECT FROM judgement j WHERE j.tenant = s.tenant "
        "AND j.id = s.id) UNION ALL SELECT 'lease of task ' || l.task || ' is under review without a submission' "
        "FROM lease l WHERE l.tenant = %(tenant)s AND l.under_review AND NOT EXISTS (SELECT FROM submission s "
        "WHERE s.tenant = l.tenant AND s.assignment = l.assignment AND s.task = l.task)",
    ),
    "R3": Statement(
        Detail,
        "SELECT 'the work of task ' || l.task || ' was rejected without an upheld verdict' AS detail FROM lease l "
        "WHERE l.tenant = %(tenant)s AND l.state = {lease.rejected} AND NOT EXISTS (SELECT FROM submission s "
        "JOIN verdict v ON v.tenant = s.tenant AND v.submission = s.id AND v.upheld WHERE s.tenant = l.tenant "
        "AND s.assignment = l.assignment AND s.task = l.task)",
    ),
    "R4": Statement(
        Detail,
        "SELECT 'transfer ' || id || ' takes from a worker by ' || kind AS detail FROM transfer "
        "WHERE tenant = %(tenant)s AND debit_type = 'worker' AND kind <> 'payout' UNION ALL "
        "SELECT 'account ' || id || ' of a worker is below zero' FROM account WHERE tenant = %(tenant)s "
        "AND type = 'worker' AND balance_minor < 0",
    ),
    "R6": Statement(
        Detail,
        "SELECT 'page ' || a.id || ' pays ' || a.price_minor || ', its offer said ' || o.price_minor AS detail "
        "FROM assignment a JOIN offer o ON o.tenant = a.tenant AND o.project = a.project "
        "AND o.version = a.offer_version WHERE a.tenant = %(tenant)s AND a.price_minor <> o.price_minor UNION ALL "
        "SELECT 'judgement ' || j.id || ' was paid ' || j.price_minor || ', its page said ' || a.price_minor "
        "FROM judgement j JOIN assignment a ON a.tenant = j.tenant AND a.id = j.assignment "
        "WHERE j.tenant = %(tenant)s AND j.price_minor <> a.price_minor",
    ),
    "R8": Statement(
        Detail,
        "SELECT 'training ' || t.id || ' pays less than what it trains for' AS detail FROM project t "
        "WHERE t.tenant = %(tenant)s AND t.trains IS NOT NULL AND t.state = 'live' AND "
        "(SELECT o.price_minor FROM offer_in_force(t.tenant, t.id, 0::smallint, %(now)s) o) < "
        "(SELECT o.price_minor FROM offer_in_force(t.tenant, t.trains, 0::smallint, %(now)s) o)",
    ),
    "R9": Statement(
        Detail,
        "SELECT 'rejection of ' || r.submission || ' lacks a place or its evidence' AS detail "
        "FROM submission_rejection r WHERE r.tenant = %(tenant)s AND (r.place = '' OR r.evidence IS NULL "
        "OR (r.evidence = 'corrected' AND r.corrected IS NULL) OR (r.evidence = 'reviewers' AND "
        "(r.second IS NULL OR r.second = r.rejecter))) UNION ALL "
        "SELECT 'submission ' || s.id || ' is rejected without a reason' FROM submission s "
        "WHERE s.tenant = %(tenant)s AND s.state IN ({submission.rejected}, {submission.refused}) "
        "AND NOT EXISTS (SELECT FROM submission_rejection r WHERE r.tenant = s.tenant AND r.submission = s.id) "
        "UNION ALL SELECT 'submission ' || s.id || ' is refused and among the judgements' FROM submission s "
        "JOIN judgement j ON j.tenant = s.tenant AND j.id = s.id WHERE s.tenant = %(tenant)s "
        "AND s.state = {submission.refused}",
    ),
    "R10": Statement(
        Detail,
        "SELECT 'appeal ' || a.id || ' was decided by ' || coalesce(p.votes, 0) || ' votes' AS detail FROM appeal a "
        "JOIN verdict v ON v.tenant = a.tenant AND v.submission = a.submission AND v.how = 'panel' LEFT JOIN "
        "(SELECT appeal, count(*) AS votes, count(*) FILTER (WHERE upheld) AS for_it FROM panel_seat "
        "WHERE tenant = %(tenant)s AND voted_at IS NOT NULL GROUP BY appeal) p ON p.appeal = a.id "
        "WHERE a.tenant = %(tenant)s AND (coalesce(p.votes, 0) < 2 OR v.upheld <> (p.for_it * 2 > p.votes)) UNION ALL "
        "SELECT 'seat ' || e.seat || ' of appeal ' || e.appeal || ' was paid by something else than time' "
        "FROM panel_seat e JOIN appeal a ON a.tenant = e.tenant AND a.id = e.appeal WHERE e.tenant = %(tenant)s "
        "AND e.voted_at IS NOT NULL AND e.seconds IS NULL",
    ),
    "R11": Statement(
        Detail,
        "SELECT 'appeal ' || a.id || ' waits past its deadline' AS detail FROM appeal a WHERE a.tenant = %(tenant)s "
        "AND (a.state = {appeal.filed} AND a.answer_by < %(now)s::timestamptz OR a.state = {appeal.panel} "
        "AND a.panel_by < %(now)s::timestamptz) UNION ALL "
        "SELECT 'submission ' || v.submission || ' was refused before its 14 days were over' FROM verdict v "
        "JOIN submission_rejection r ON r.tenant = v.tenant AND r.submission = v.submission "
        "WHERE v.tenant = %(tenant)s AND v.how = 'unappealed' AND v.at < r.at + interval '14 days'",
    ),
    "R12": Statement(
        Detail,
        "SELECT 'rejection of ' || v.submission || ' became final while its batch was frozen' AS detail "
        "FROM verdict v JOIN submission s ON s.tenant = v.tenant AND s.id = v.submission JOIN review_freeze f "
        "ON f.tenant = s.tenant AND f.project = s.project AND v.at >= f.at AND (f.decided_at IS NULL "
        "OR v.at < f.decided_at) WHERE v.tenant = %(tenant)s AND v.how = 'unappealed'",
    ),
    "R14": Statement(
        Detail,
        "SELECT 'leg ' || l.id || ' of a payout is in clearing since ' || l.at AS detail FROM payout_leg l "
        "WHERE l.tenant = %(tenant)s AND l.ended_by IS NULL AND l.at < %(now)s::timestamptz - interval '5 days'",
    ),
    "R15": Statement(
        Detail,
        "SELECT 'stopped project ' || p.id || ' holds ' || coalesce(e.held, 0) || ' for open work worth ' || "
        "coalesce(l.held, 0) AS detail FROM project p LEFT JOIN (SELECT project, sum(balance_minor) AS held "
        "FROM account WHERE tenant = %(tenant)s AND type = 'escrow' GROUP BY project) e ON e.project = p.id "
        "LEFT JOIN (SELECT project, sum(hold_minor) AS held FROM lease WHERE tenant = %(tenant)s "
        "AND state = {lease.open} GROUP BY project) l ON l.project = p.id WHERE p.tenant = %(tenant)s "
        "AND p.state = 'stopped' AND coalesce(e.held, 0) <> coalesce(l.held, 0)",
    ),
    "R16": Statement(
        Detail,
        "SELECT 'exam ' || e.skill || ' pays nothing for an answer' AS detail FROM exam e JOIN project p "
        "ON p.tenant = e.tenant AND p.id = e.project AND p.state = 'live' WHERE e.tenant = %(tenant)s AND coalesce("
        "(SELECT o.price_minor FROM offer_in_force(e.tenant, e.project, 0::smallint, %(now)s) o), 0) <= 0 UNION ALL "
        "SELECT 'attempt ' || a.id || ' is passed though it shows ' || coalesce(a.low, 0) || ' of ' || a.at_least "
        "FROM exam_attempt a WHERE a.tenant = %(tenant)s AND a.state = {attempt.passed} "
        "AND (a.low IS NULL OR a.low < a.at_least) UNION ALL "
        "SELECT 'an answer of attempt ' || x.attempt || ' was not paid' FROM exam_answer x LEFT JOIN judgement j "
        "ON j.tenant = x.tenant AND j.id = x.judgement AND j.price_minor > 0 WHERE x.tenant = %(tenant)s "
        "AND j.id IS NULL",
    ),
    "R20": Statement(
        Detail,
        "SELECT DISTINCT 'events of the kind ' || kind || ' are kept' AS detail FROM event "
        "WHERE tenant = %(tenant)s AND kind ~ '(screen|keystroke|key_press|camera|webcam|location|mouse)'",
    ),
    "R24": Statement(
        Detail,
        "SELECT 'page ' || a.id || ': ' || x.paid || ' was paid for ' || x.n || ' judgements at ' || a.price_minor "
        "AS detail FROM (SELECT j.assignment, count(*) AS n, (SELECT sum(t.amount_minor) FROM transfer t "
        "WHERE t.tenant = %(tenant)s AND t.ref = j.assignment AND t.kind = 'pay') AS paid FROM judgement j "
        "WHERE j.tenant = %(tenant)s GROUP BY j.assignment) x JOIN assignment a ON a.tenant = %(tenant)s "
        "AND a.id = x.assignment WHERE x.paid <> x.n * a.price_minor",
    ),
}
# Over all tenants, as operations.
ACROSS: dict[str, Statement[Detail]] = {
    "R21": Statement(
        Detail,
        "SELECT 'two tenants know somebody by the same identifier' AS detail FROM contributor "
        "GROUP BY worker HAVING count(DISTINCT tenant) > 1 LIMIT 10",
    ),
    "R14": Statement(
        Detail,
        "SELECT 'batch ' || id || ' was approved by whoever prepared it' AS detail FROM payout_batch "
        "WHERE approved_by = prepared_by",
    ),
}
