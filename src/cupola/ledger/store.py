"""SQL of the ledger. Transfers are written by functions of the database only; here they are called and read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cupola.ledger.model import Account, Earned, Payment, Transfer
from cupola.platform.pg.statement import Scalar, Statement


@dataclass(frozen=True, slots=True)
class Found:
    """One offence that a rule's query returned."""

    detail: str


@dataclass(frozen=True, slots=True)
class Totals:
    currency: str
    balance_minor: int
    today_minor: int
    week_minor: int
    total_minor: int


@dataclass(frozen=True, slots=True)
class TransferKey:
    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Admitted:
    tenant: UUID
    worker: UUID


@dataclass(frozen=True, slots=True)
class ProjectMoney:
    """What money needs to know of a project."""

    currency: str
    stopped: bool


@dataclass(frozen=True, slots=True)
class TenantId:
    id: UUID


FUND = Scalar(UUID, "SELECT ledger_fund(%(tenant)s, %(id)s, %(id)s, %(currency)s, %(amount)s, %(now)s)")
PLAY = Scalar(UUID, "SELECT ledger_play(%(tenant)s, %(id)s, %(id)s, %(currency)s, %(amount)s, %(now)s)")
ALLOT = Scalar(UUID, "SELECT ledger_allot(%(tenant)s, %(id)s, %(id)s, %(project)s, %(amount)s, %(now)s)")
TAKE_BACK = Scalar(int, "SELECT ledger_take_back(%(tenant)s, %(id)s, %(project)s, %(amount)s, %(now)s)")
UNALLOT = Scalar(int, "SELECT ledger_unallot(%(tenant)s, %(id)s, %(project)s, %(now)s)")
BALANCE = Statement(
    Account,
    "SELECT id, type, project, worker, currency, balance_minor FROM account WHERE tenant = %(tenant)s "
    "AND id = account_id(%(tenant)s, %(type)s, %(project)s::uuid, NULL, 0, %(currency)s)",
)
WORLD = Scalar(str, "SELECT world FROM tenant WHERE id = %(tenant)s")
ACCOUNTS = Statement(
    Account,
    "SELECT id, type, project, worker, currency, balance_minor FROM account "
    "WHERE tenant = %(tenant)s AND type <> 'worker' ORDER BY type, project NULLS FIRST, slot, currency",
)
TRANSFERS = Statement(
    Transfer,
    "SELECT t.id, t.kind, t.debit_type, t.credit_type, t.currency, t.amount_minor, t.ref, t.offer_version, t.at "
    "FROM transfer t WHERE t.tenant = %(tenant)s AND t.id < %(before)s::uuid "
    "AND (%(project)s::uuid IS NULL OR EXISTS (SELECT FROM account a WHERE a.tenant = t.tenant "
    "AND a.id IN (t.debit, t.credit) AND a.project = %(project)s::uuid)) "
    "ORDER BY t.id DESC LIMIT %(limit)s",
)
PROJECT = Statement(
    ProjectMoney, "SELECT currency, state = 'stopped' AS stopped FROM project WHERE tenant = %(tenant)s AND id = %(id)s"
)
DUE = Scalar(int, "SELECT hearings_due(%(tenant)s, 500, %(now)s)")
ADMITTED = Statement(Admitted, "SELECT tenant, worker FROM contributor WHERE person = %(person)s ORDER BY tenant")
# All that an account was ever paid is what it holds and what left it: payments are many, payouts few.
WORKER_TOTALS = Statement(
    Totals,
    "SELECT a.currency, a.balance_minor, "
    "(SELECT coalesce(sum(t.amount_minor), 0) FROM transfer t WHERE t.tenant = a.tenant AND t.credit = a.id "
    "AND t.kind IN ('pay', 'topup', 'bonus') AND t.at >= %(today)s)::bigint AS today_minor, "
    "(SELECT coalesce(sum(t.amount_minor), 0) FROM transfer t WHERE t.tenant = a.tenant AND t.credit = a.id "
    "AND t.kind IN ('pay', 'topup', 'bonus') AND t.at >= %(week)s)::bigint AS week_minor, "
    "(a.balance_minor + (SELECT coalesce(sum(t.amount_minor), 0) FROM transfer t WHERE t.tenant = a.tenant "
    "AND t.debit = a.id AND t.kind = 'payout') - (SELECT coalesce(sum(t.amount_minor), 0) FROM transfer t "
    "WHERE t.tenant = a.tenant AND t.credit = a.id AND t.kind = 'payout_return'))::bigint AS total_minor "
    "FROM account a WHERE a.tenant = %(tenant)s AND a.worker = %(worker)s",
)
# What was folded, and the differences that were not yet (table tally).
WORKER_EARNED = Statement(
    Earned,
    "SELECT e.project, p.name, p.currency, sum(e.paid_minor)::bigint AS amount_minor, "
    "sum(e.judgements)::bigint AS judgements, sum(e.seconds) AS seconds FROM ("
    "SELECT project, judgements, paid_minor, seconds FROM earned WHERE tenant = %(tenant)s AND worker = %(worker)s "
    "UNION ALL SELECT subject, judgements, paid_minor, seconds FROM tally WHERE tenant = %(tenant)s "
    "AND worker = %(worker)s) e JOIN project p ON p.tenant = %(tenant)s AND p.id = e.project "
    "GROUP BY e.project, p.name, p.currency",
)
WORKER_PAYMENTS = Statement(
    Payment,
    "SELECT t.at, a.project, coalesce(p.name, '') AS name, t.amount_minor, t.currency, t.kind FROM transfer t "
    "JOIN account w ON w.tenant = t.tenant AND w.id = t.credit AND w.worker = %(worker)s "
    "LEFT JOIN assignment a ON a.tenant = t.tenant AND a.id = t.ref "
    "LEFT JOIN project p ON p.tenant = t.tenant AND p.id = a.project "
    "WHERE t.tenant = %(tenant)s AND t.at >= %(since)s AND t.at < %(until)s ORDER BY t.at DESC LIMIT %(limit)s",
)

TENANTS = Statement(TenantId, "SELECT id FROM tenant ORDER BY id")
COUNT_ACCOUNTS = Scalar(int, "SELECT count(*) FROM account WHERE tenant = %(tenant)s")
COUNT_TRANSFERS = Scalar(int, "SELECT count(*) FROM transfer WHERE tenant = %(tenant)s")

# One query for each invariant; a row is an offence. They read only what the tenant's own role may read.
RULES: dict[str, Statement[Found]] = {
    "L1": Statement(
        Found,
        "SELECT 'balances in ' || currency || ' sum to ' || sum(balance_minor) AS detail FROM account "
        "WHERE tenant = %(tenant)s GROUP BY currency HAVING sum(balance_minor) <> 0",
    ),
    "L2": Statement(
        Found,
        "SELECT 'account ' || a.id || ' holds ' || a.balance_minor || ', its transfers say ' || coalesce(m.total, 0) "
        "AS detail FROM account a LEFT JOIN (SELECT id, sum(delta) AS total FROM ("
        "SELECT credit AS id, amount_minor AS delta FROM transfer WHERE tenant = %(tenant)s UNION ALL "
        "SELECT debit, -amount_minor FROM transfer WHERE tenant = %(tenant)s) d GROUP BY id) m ON m.id = a.id "
        "WHERE a.tenant = %(tenant)s AND a.balance_minor <> coalesce(m.total, 0)",
    ),
    "L3": Statement(
        Found,
        "SELECT 'account ' || id || ' (' || type || ') is below zero: ' || balance_minor AS detail FROM account "
        "WHERE tenant = %(tenant)s AND type <> 'external' AND balance_minor < 0",
    ),
    "L4": Statement(
        Found,
        "SELECT 'escrow of project ' || e.project || ' holds ' || e.held || ', open leases hold ' || "
        "coalesce(l.held, 0) AS detail "
        "FROM (SELECT project, sum(balance_minor) AS held FROM account WHERE tenant = %(tenant)s AND type = 'escrow' "
        "GROUP BY project) e LEFT JOIN (SELECT project, sum(hold_minor) AS held FROM lease "
        "WHERE tenant = %(tenant)s AND state = {lease.open} GROUP BY project) l ON l.project = e.project "
        "WHERE e.held <> coalesce(l.held, 0)",
    ),
    "L5": Statement(
        Found,
        "SELECT 'lease of task ' || l.task || ' in ' || l.assignment || ' ended by a transfer of kind ' || "
        "coalesce(t.kind, 'none') "
        "AS detail FROM lease l LEFT JOIN transfer t ON t.tenant = l.tenant AND t.id = l.ended_by "
        "WHERE l.tenant = %(tenant)s AND l.state <> {lease.open} AND (t.id IS NULL OR t.ref IS DISTINCT FROM "
        "l.assignment OR t.kind <> "
        "CASE l.state WHEN {lease.paid} THEN 'pay' WHEN {lease.rejected} THEN 'reject' ELSE 'release' END) UNION ALL "
        "SELECT 'the hold of page ' || a.id || ' is ' || t.amount_minor || ', its leases hold ' || l.held FROM "
        "assignment a "
        "JOIN transfer t ON t.tenant = a.tenant AND t.id = a.hold JOIN (SELECT assignment, sum(hold_minor) AS held "
        "FROM lease WHERE tenant = %(tenant)s GROUP BY assignment) l ON l.assignment = a.id "
        "WHERE a.tenant = %(tenant)s AND (t.kind <> 'hold' OR t.amount_minor <> l.held)",
    ),
    "L6": Statement(
        Found,
        "SELECT 'idempotency key ' || idem || ' has ' || count(*) || ' effects' AS detail FROM transfer "
        "WHERE tenant = %(tenant)s GROUP BY idem HAVING count(*) > 1 UNION ALL "
        "SELECT 'task ' || task || ' has two judgements of one worker at a stage' FROM judgement "
        "WHERE tenant = %(tenant)s GROUP BY task, worker, stage HAVING count(*) > 1",
    ),
    "L7": Statement(
        Found,
        "SELECT 'transfer ' || id || ' takes from a worker by ' || kind AS detail FROM transfer "
        "WHERE tenant = %(tenant)s AND debit_type = 'worker' AND kind <> 'payout'",
    ),
    "L8": Statement(
        Found,
        "SELECT 'payment ' || t.id || ' of ' || t.amount_minor || ' stands beside judgements worth ' || "
        "coalesce(j.worth, 0) "
        "AS detail FROM transfer t LEFT JOIN (SELECT transfer, sum(price_minor) AS worth FROM judgement "
        "WHERE tenant = %(tenant)s GROUP BY transfer) j ON j.transfer = t.id "
        "WHERE t.tenant = %(tenant)s AND t.kind = 'pay' AND t.amount_minor <> coalesce(j.worth, 0) UNION ALL "
        "SELECT 'page ' || a.id || ' was paid under offer ' || t.offer_version || ', claimed under ' || "
        "a.offer_version FROM assignment a JOIN transfer t ON t.tenant = a.tenant AND t.ref = a.id "
        "WHERE a.tenant = %(tenant)s AND t.offer_version IS DISTINCT FROM a.offer_version UNION ALL "
        "SELECT 'page ' || a.id || ' has the price ' || a.price_minor || ', its offer says ' || o.price_minor FROM "
        "assignment a JOIN offer o ON o.tenant = a.tenant AND o.project = a.project AND o.version = a.offer_version "
        "WHERE a.tenant = %(tenant)s AND a.price_minor <> o.price_minor UNION ALL "
        "SELECT 'page ' || a.id || ' has legs ' || coalesce(t.legs, 'none') || ' for ' || l.n || ' judgements at ' || "
        "a.price_minor || '+' || a.fee_minor || '+' || a.insurance_minor FROM assignment a "
        "JOIN (SELECT assignment, count(*) AS n FROM lease WHERE tenant = %(tenant)s AND state = {lease.paid} "
        "GROUP BY assignment) l ON l.assignment = a.id LEFT JOIN ("
        "SELECT ref, coalesce(sum(amount_minor) FILTER (WHERE kind = 'pay'), 0) || '+' || "
        "coalesce(sum(amount_minor) FILTER (WHERE kind = 'fee'), 0) || '+' || "
        "coalesce(sum(amount_minor) FILTER (WHERE kind = 'insure'), 0) AS legs FROM transfer "
        "WHERE tenant = %(tenant)s AND kind IN ('pay', 'fee', 'insure') GROUP BY ref) t ON t.ref = a.id "
        "WHERE a.tenant = %(tenant)s AND t.legs IS DISTINCT FROM "
        "(l.n * a.price_minor) || '+' || (l.n * a.fee_minor) || '+' || (l.n * a.insurance_minor)",
    ),
    "L9": Statement(
        Found,
        "SELECT 'account ' || a.id || ' has money in clearing since before ' || %(stale)s::timestamptz AS detail "
        "FROM account a "
        "WHERE a.tenant = %(tenant)s AND a.type = 'payout_clearing' AND a.balance_minor > ("  # first in, first out
        "SELECT coalesce(sum(t.amount_minor), 0) FROM transfer t WHERE t.tenant = a.tenant AND t.credit = a.id "
        "AND t.at >= %(stale)s::timestamptz)",
    ),
    "L10": Statement(
        Found,
        "SELECT 'account ' || a.id || ' has version ' || a.version || ' and ' || coalesce(m.n, 0) || ' transfers' AS "
        "detail FROM account a LEFT JOIN (SELECT id, count(*) AS n FROM ("
        "SELECT credit AS id FROM transfer WHERE tenant = %(tenant)s UNION ALL "
        "SELECT debit FROM transfer WHERE tenant = %(tenant)s) d GROUP BY id) m ON m.id = a.id "
        "WHERE a.tenant = %(tenant)s AND a.version <> coalesce(m.n, 0)",
    ),
    "L11": Statement(
        Found,
        "SELECT 'transfer ' || t.id || ' has no event' AS detail FROM transfer t WHERE t.tenant = %(tenant)s "
        "AND t.at >= coalesce((SELECT before FROM event_cut WHERE tenant = %(tenant)s), '-infinity') "
        "AND NOT EXISTS (SELECT FROM event e WHERE e.tenant = t.tenant AND e.seq = t.event)",
    ),
    "L12": Statement(
        Found,
        "SELECT 'transfer ' || t.id || ' mixes currencies' AS detail FROM transfer t "
        "JOIN account d ON d.tenant = t.tenant AND d.id = t.debit JOIN account c ON c.tenant = t.tenant AND c.id = "
        "t.credit WHERE t.tenant = %(tenant)s AND (d.currency <> t.currency OR c.currency <> t.currency)",
    ),
}
