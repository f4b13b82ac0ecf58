"""The verbs of money that are not part of the work itself, and the checker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import psycopg

from cupola.kernel import clock, ids
from cupola.kernel.errors import conflict, invalid, not_found
from cupola.kernel.money import in_words
from cupola.ledger import store
from cupola.ledger.model import Account, Check, Earned, Earnings, Money, Payment, Violation
from cupola.platform.events import Event
from cupola.platform.pg.tx import Conn, Database, Role


async def money(conn: Conn, tenant: UUID) -> Money:
    """A tenant's accounts; the pools of one kind stand as one."""
    merged: dict[tuple[str, UUID | None, str], Account] = {}
    for row in await store.ACCOUNTS.all(conn, tenant=tenant):
        key = (row.type, row.project, row.currency)
        have = merged.get(key)
        total = row.balance_minor + (have.balance_minor if have else 0)
        merged[key] = Account(have.id if have else row.id, row.type, row.project, None, row.currency, total)
    accounts = list(merged.values())
    budget = next((a for a in accounts if a.type == "budget"), None)
    return Money(budget.currency if budget else "EUR", budget.balance_minor if budget else 0, accounts)


async def fund(conn: Conn, tenant: UUID, amount_minor: int, currency: str) -> Account:
    """Money comes in from outside. The operator's record of a payment received; on a laptop, play money."""
    _positive(amount_minor)
    now = clock.now()
    outside = await _open(conn, tenant, "external", None, currency, now)
    budget = await _open(conn, tenant, "budget", None, currency, now)
    await _move(conn, tenant, "fund", outside, budget, amount_minor, None)
    return await _account(conn, tenant, "budget", None, currency)


async def allot(conn: Conn, tenant: UUID, project: UUID, amount_minor: int, currency: str) -> Account:
    """Move money from the tenant's budget to one project's.

    Raises Problem: NOT_FOUND; INVALID for another currency than the project pays in; CONFLICT "budget-too-small".
    """
    _positive(amount_minor)
    row = await store.PROJECT.maybe(conn, tenant=tenant, id=project)
    if row is None:
        raise not_found("project")
    if currency != row.currency:
        raise invalid(
            "currency-other",
            f"This project pays in {row.currency}, the money is in {currency}.",
            remedy=f"Allot {row.currency}; its budget is funded apart.",
            place="/currency",
        )
    now = clock.now()
    budget = await _open(conn, tenant, "budget", None, currency, now)
    target = await _open(conn, tenant, "project_budget", project, currency, now)
    try:
        async with conn.transaction():
            await _move(conn, tenant, "allot", budget, target, amount_minor, project)
    except psycopg.errors.CheckViolation as error:
        have = await _account(conn, tenant, "budget", None, currency)
        raise conflict(
            "budget-too-small",
            f"The budget holds {in_words(have.balance_minor, currency)}, "
            f"{in_words(amount_minor, currency)} were asked for.",
            remedy="Fund the budget first, or allot less.",
        ) from error
    return await _account(conn, tenant, "project_budget", project, currency)


async def unallot(conn: Conn, tenant: UUID, project: UUID, currency: str) -> int:
    """Give what a stopped project has left back to the budget; returns the amount in minor units."""
    now = clock.now()
    source = await _open(conn, tenant, "project_budget", project, currency, now)
    budget = await _open(conn, tenant, "budget", None, currency, now)
    left = (await _account(conn, tenant, "project_budget", project, currency)).balance_minor
    if left:
        await _move(conn, tenant, "unallot", source, budget, left, project)
    return left


async def return_rest(db: Database, heard: Sequence[Event]) -> None:
    """Give the free money of stopped projects back: at the stop, and whatever a page held once it ends.

    Handling the same events again moves nothing, for nothing is left.
    """
    for tenant, project in dict.fromkeys((event.tenant, event.project) for event in heard if event.project):
        async with db.tx(Role.APP, tenant=tenant) as conn:
            row = await store.PROJECT.maybe(conn, tenant=tenant, id=project)
            if row is not None and row.stopped:
                await unallot(conn, tenant, project, row.currency)


async def earnings(db: Database, person: UUID, currency: str = "EUR") -> Earnings:
    """A contributor's earnings over all tenants they worked for."""
    now = clock.now()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    week = today - timedelta(days=today.weekday())
    balance = today_minor = week_minor = total = 0
    earned: list[Earned] = []
    recent: list[Payment] = []
    for tenant, worker in await _admitted(db, person):
        async with db.tx(Role.GATEWAY, tenant=tenant, worker=worker, person=person) as conn:
            sums = await store.WORKER_TOTALS.one(
                conn, tenant=tenant, worker=worker, currency=currency, today=today, week=week
            )
            earned += await store.WORKER_EARNED.all(conn, tenant=tenant, worker=worker)
            recent += await store.WORKER_PAYMENTS.all(
                conn, tenant=tenant, worker=worker, since=now - timedelta(days=30), until=now + timedelta(1), limit=50
            )
        balance += sums.balance_minor
        today_minor += sums.today_minor
        week_minor += sums.week_minor
        total += sums.total_minor
    seconds = sum(e.seconds for e in earned)
    recent.sort(key=lambda p: p.at, reverse=True)
    return Earnings(
        currency,
        balance,
        today_minor,
        week_minor,
        total,
        sum(e.judgements for e in earned),
        seconds,
        int(total * 3600 / seconds) if seconds >= 1 else 0,
        sorted(earned, key=lambda e: -e.amount_minor),
        recent[:50],
    )


async def statement(db: Database, person: UUID, since: datetime, until: datetime, limit: int) -> list[Payment]:
    """Each payment to a person in a span of time, newest first."""
    if since >= until:
        raise invalid("span-empty", "The statement's span ends before it begins.", place="?from")
    rows: list[Payment] = []
    for tenant, worker in await _admitted(db, person):
        async with db.tx(Role.GATEWAY, tenant=tenant, worker=worker, person=person) as conn:
            rows += await store.WORKER_PAYMENTS.all(
                conn, tenant=tenant, worker=worker, since=since, until=until, limit=limit
            )
    rows.sort(key=lambda p: p.at, reverse=True)
    return rows[:limit]


async def check(db: Database, tenants: list[UUID]) -> Check:
    """Test L1-L12 on every tenant named. One consistent snapshot per tenant."""
    accounts = transfers = 0
    violations: list[Violation] = []
    stale = clock.now() - timedelta(days=5)
    for tenant in tenants:
        async with db.tx(Role.APP, tenant=tenant, snapshot=True) as conn:
            accounts += await store.COUNT_ACCOUNTS.one(conn, tenant=tenant)
            transfers += await store.COUNT_TRANSFERS.one(conn, tenant=tenant)
            for rule, query in store.RULES.items():
                given = {"tenant": tenant, "stale": stale} if rule == "L9" else {"tenant": tenant}
                violations += [Violation(rule, tenant, found.detail) for found in await query.all(conn, **given)]
    return Check(len(tenants), accounts, transfers, list(store.RULES), violations)


async def _admitted(db: Database, person: UUID) -> list[tuple[UUID, UUID]]:
    async with db.tx(Role.GATEWAY, person=person) as conn:
        return [(row.tenant, row.worker) for row in await store.ADMITTED.all(conn, person=person)]


async def _open(conn: Conn, tenant: UUID, kind: str, project: UUID | None, currency: str, now: datetime) -> UUID:
    return await store.ACCOUNT_OPEN.one(
        conn, tenant=tenant, type=kind, project=project, worker=None, slot=0, currency=currency, now=now
    )


async def _move(
    conn: Conn, tenant: UUID, kind: str, debit: UUID, credit: UUID, amount_minor: int, project: UUID | None
) -> None:
    move = ids.uuid7()
    await store.MOVE.one(
        conn,
        tenant=tenant,
        id=move,
        idem=move,
        kind=kind,
        debit=debit,
        credit=credit,
        amount=amount_minor,
        project=project,
        now=clock.now(),
    )


async def _account(conn: Conn, tenant: UUID, kind: str, project: UUID | None, currency: str) -> Account:
    for row in await store.ACCOUNTS.all(conn, tenant=tenant):
        if (row.type, row.project, row.currency) == (kind, project, currency):
            return row
    raise AssertionError("an account that was just opened is not there")


def _positive(amount_minor: int) -> None:
    if not 0 < amount_minor <= 10**15:
        raise invalid(
            "amount-range", "An amount is a positive whole number of minor units (cents).", place="/amount_minor"
        )
