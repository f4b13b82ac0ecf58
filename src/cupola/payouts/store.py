"""SQL of payouts. What moves money is a function of the database; payouts themselves are the instance's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cupola.payouts.model import Batch, Details, Waiting
from cupola.platform.pg.statement import Command, Scalar, Statement


@dataclass(frozen=True, slots=True)
class DetailsRow(Details):
    sealed: bytes


@dataclass(frozen=True, slots=True)
class PayoutRow:
    id: UUID
    person: UUID
    currency: str
    amount_minor: int
    state: int
    rail: str
    hint: str
    sealed: bytes
    at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Home:
    tenant: UUID
    worker: UUID


@dataclass(frozen=True, slots=True)
class Balance:
    currency: str
    balance_minor: int


@dataclass(frozen=True, slots=True)
class PersonId:
    person: UUID


DETAILS = Statement(
    DetailsRow, "SELECT rail, hint, changed_at, usable_at, sealed FROM payout_details WHERE person = %(person)s"
)
DETAILS_SET = Command(
    "INSERT INTO payout_details (person, rail, sealed, hint, changed_at, usable_at) VALUES "
    "(%(person)s, %(rail)s, %(sealed)s, %(hint)s, %(now)s, %(now)s) ON CONFLICT (person) DO UPDATE SET "
    "rail = excluded.rail, sealed = excluded.sealed, hint = excluded.hint, changed_at = excluded.changed_at, "
    "usable_at = %(later)s"
)
_PAYOUT = (
    "SELECT id, person, currency, amount_minor, state, rail, hint, sealed, at, sent_at, ended_at, reason FROM payout "
)
MINE = Statement(PayoutRow, _PAYOUT + "WHERE person = %(person)s ORDER BY id DESC LIMIT %(limit)s")
OPEN = Statement(PayoutRow, _PAYOUT + "WHERE person = %(person)s AND currency = %(currency)s AND state < {payout.paid}")
ONE = Statement(PayoutRow, _PAYOUT + "WHERE id = %(id)s")
BEGIN = Command(
    "INSERT INTO payout (id, person, currency, rail, sealed, hint, at) VALUES "
    "(%(id)s, %(person)s, %(currency)s, %(rail)s, %(sealed)s, %(hint)s, %(now)s) ON CONFLICT DO NOTHING"
)
GATHERED = Command(
    "UPDATE payout SET amount_minor = %(amount)s::bigint, "
    "state = CASE WHEN %(amount)s::bigint > 0 THEN {payout.created} ELSE {payout.empty} END, "
    "ended_at = CASE WHEN %(amount)s::bigint > 0 THEN NULL ELSE %(now)s::timestamptz END "
    "WHERE id = %(id)s AND state = {payout.gathering}"
)
UNGATHERED = Statement(PayoutRow, _PAYOUT + "WHERE state = {payout.gathering} ORDER BY id LIMIT %(limit)s")
# Committed before the rail is called: whatever happens then, nobody sends it a second time.
SENT = Command(
    "UPDATE payout SET state = {payout.sent}, sent_at = %(now)s WHERE id = %(id)s AND state = {payout.created}"
)
ENDED = Command(
    "UPDATE payout SET state = CASE WHEN %(paid)s THEN {payout.paid} ELSE {payout.returned} END, ended_at = %(now)s, "
    "reason = %(reason)s WHERE id = %(id)s AND (state = {payout.sent} OR state = {payout.paid} AND NOT %(paid)s)"
)
TO_SEND = Statement(
    PayoutRow,
    _PAYOUT + "WHERE state = {payout.created} AND rail = %(rail)s AND batch IS NULL ORDER BY id LIMIT %(limit)s",
)
TO_POLL = Statement(
    PayoutRow, _PAYOUT + "WHERE state = {payout.sent} AND rail = %(rail)s AND batch IS NULL ORDER BY id LIMIT %(limit)s"
)
HOMES = Statement(Home, "SELECT tenant, worker FROM contributor WHERE person = %(person)s ORDER BY tenant")
BALANCES = Statement(
    Balance,
    "SELECT currency, balance_minor FROM account WHERE tenant = %(tenant)s AND worker = %(worker)s "
    "AND balance_minor > 0",
)
DUE = Scalar(int, "SELECT hearings_due(%(tenant)s, 500, %(now)s)")
TAKE = Scalar(int, "SELECT payout_leg_take(%(tenant)s, %(payout)s, %(worker)s, %(now)s)")
END = Scalar(int, "SELECT payout_leg_end(%(tenant)s, %(payout)s, %(paid)s, %(now)s)")
WEEKLY = Statement(
    PersonId,
    "SELECT d.person FROM payout_details d WHERE d.usable_at <= %(now)s AND NOT EXISTS (SELECT FROM payout p "
    "WHERE p.person = d.person AND p.at > %(week_ago)s) AND d.person > %(after)s ORDER BY d.person LIMIT %(limit)s",
)

WAITING = Statement(
    Waiting,
    "SELECT rail, currency, count(*)::int AS payouts, sum(amount_minor)::bigint AS amount_minor FROM payout "
    "WHERE state = {payout.created} AND batch IS NULL AND rail = ANY (%(rails)s) GROUP BY rail, currency "
    "ORDER BY rail, currency",
)
_BATCH = (
    "SELECT b.id, b.rail, b.currency, b.prepared_by, b.prepared_at, b.approved_by, b.approved_at, "
    "count(p.id)::int AS payouts, coalesce(sum(p.amount_minor), 0)::bigint AS amount_minor, "
    "count(p.id) FILTER (WHERE p.state >= {payout.paid})::int AS ended FROM payout_batch b "
    "LEFT JOIN payout p ON p.batch = b.id "
)
BATCHES = Statement(Batch, _BATCH + "GROUP BY b.id ORDER BY b.id DESC LIMIT %(limit)s")
BATCH = Statement(Batch, _BATCH + "WHERE b.id = %(id)s GROUP BY b.id")
BATCH_ADD = Command(
    "INSERT INTO payout_batch (id, rail, currency, prepared_by, prepared_at) VALUES "
    "(%(id)s, %(rail)s, %(currency)s, %(person)s, %(now)s)"
)
BATCH_FILL = Command(
    "UPDATE payout SET batch = %(id)s WHERE id IN (SELECT id FROM payout WHERE state = {payout.created} "
    "AND batch IS NULL AND rail = %(rail)s AND currency = %(currency)s ORDER BY id LIMIT %(limit)s "
    "FOR UPDATE SKIP LOCKED)"
)
BATCH_APPROVE = Command(
    "UPDATE payout_batch SET approved_by = %(person)s, approved_at = %(now)s WHERE id = %(id)s AND approved_by IS NULL"
)
BATCH_SENT = Command(
    "UPDATE payout SET state = {payout.sent}, sent_at = %(now)s WHERE batch = %(id)s AND state = {payout.created}"
)
OF_BATCH = Statement(PayoutRow, _PAYOUT + "WHERE batch = %(id)s ORDER BY id LIMIT %(limit)s")
