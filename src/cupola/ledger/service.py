"""The verbs of money that are not part of the work itself, and the checker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import psycopg

from cupola.kernel import clock, ids
from cupola.kernel.errors import conflict, forbidden, invalid, not_found
from cupola.kernel.money import in_words
from cupola.ledger import store
from cupola.ledger.model import Account, Budget, Check, Earned, EarnedIn, Earnings, Money, Payment, Violation
from cupola.platform.events import Event
from cupola.platform.pg.tx import Conn, Database, Role

COMES_BACK = ("assignment.returned", "assignment.expired", "rejection.upheld")  # to the project, of what it held


async def money(conn: Conn, tenant: UUID, *, may_fund: bool = False) -> Money:
    """A tenant's accounts; the pools of one kind stand as one."""
    await store.DUE.one(conn, tenant=tenant, now=clock.now())
    merged: dict[tuple[str, UUID | None, str], Account] = {}
    for row in await store.ACCOUNTS.all(conn, tenant=tenant):
        key = (row.type, row.project, row.currency)
        have = merged.get(key)
        total = row.balance_minor + (have.balance_minor if have else 0)
        merged[key] = Account(have.id if have else row.id, row.type, row.project, None, row.currency, total)
    accounts = list(merged.values())
    free = [Budget(one.currency, one.balance_minor) for one in accounts if one.type == "budget"]
    return Money(sorted(free, key=lambda one: one.currency), accounts, may_fund)


async def fund(conn: Conn, tenant: UUID, amount_minor: int, currency: str, move: UUID | None = None) -> None:
    """Money comes in from outside: the operator's record of a payment received. As the role OPS, under the tenant.

    move: the transfer's identifier; the same one again moves nothing.
    """
    _positive(amount_minor)
    await store.FUND.one(
        conn, tenant=tenant, id=move or ids.uuid7(), currency=currency, amount=amount_minor, now=clock.now()
    )


async def play(conn: Conn, tenant: UUID, amount_minor: int, currency: str) -> Account:
    """Play money for a world of tests. Raises Problem (FORBIDDEN) in a live world."""
    _positive(amount_minor)
    if await store.WORLD.maybe(conn, tenant=tenant) != "test":
        raise forbidden(
            "Money comes into a live world by the operator's record of a payment alone.",
            remedy="Pay the operator of this instance, who records it; a world of tests has play money.",
        )
    await store.PLAY.one(conn, tenant=tenant, id=ids.uuid7(), currency=currency, amount=amount_minor, now=clock.now())
    return await balance(conn, tenant, "budget", None, currency)


async def allot(conn: Conn, tenant: UUID, project: UUID, amount_minor: int, currency: str) -> Account:
    """Move money from the tenant's budget to one project's.

    Raises Problem: NOT_FOUND; INVALID for another currency than the project pays in; CONFLICT "budget-too-small", or
    "project-state" for a project that is stopped.
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
    try:
        async with conn.transaction():
            await store.ALLOT.one(
                conn, tenant=tenant, id=ids.uuid7(), project=project, amount=amount_minor, now=clock.now()
            )
    except psycopg.errors.ObjectNotInPrerequisiteState as error:
        raise conflict(
            "project-state",
            "The project is stopped: nothing of it is worked on any more.",
            remedy="Make a new project.",
        ) from error
    except psycopg.errors.CheckViolation as error:
        free = await store.BALANCE.maybe(conn, tenant=tenant, type="budget", project=None, currency=currency)
        raise conflict(
            "budget-too-small",
            f"The budget holds {in_words(free.balance_minor if free else 0, currency)}, "
            f"{in_words(amount_minor, currency)} were asked for.",
            remedy="Fund the budget first, or allot less.",
        ) from error
    return await balance(conn, tenant, "project_budget", project, currency)


async def unallot(conn: Conn, tenant: UUID, project: UUID) -> int:
    """Give what a stopped project has left back to the budget; returns the amount in minor units."""
    return await store.UNALLOT.one(conn, tenant=tenant, id=ids.uuid7(), project=project, now=clock.now())


async def take_back(conn: Conn, tenant: UUID, project: UUID, amount_minor: int) -> int:
    """Bring money that a project has free back to the tenant's budget; returns how much it was, at most the amount.

    What is reserved for work stays reserved.
    """
    _positive(amount_minor)
    return await store.TAKE_BACK.one(
        conn, tenant=tenant, id=ids.uuid7(), project=project, amount=amount_minor, now=clock.now()
    )


async def balance(conn: Conn, tenant: UUID, kind: str, project: UUID | None, currency: str) -> Account:
    """One account that is known to be there."""
    return await store.BALANCE.one(conn, tenant=tenant, type=kind, project=project, currency=currency)


async def return_rest(conn: Conn, tenant: UUID, heard: Sequence[Event]) -> None:
    """Give the free money of stopped projects back: at the stop, and whatever a page held once it ends.

    Handling the same events again moves nothing, for nothing is left.
    """
    for project in dict.fromkeys(event.project for event in heard if event.project):
        row = await store.PROJECT.maybe(conn, tenant=tenant, id=project)
        if row is not None and row.stopped:
            await unallot(conn, tenant, project)


async def earnings(db: Database, person: UUID) -> Earnings:
    """A contributor's earnings over all tenants they worked for, each currency by itself."""
    now = clock.now()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    week = today - timedelta(days=today.weekday())
    sums: list[store.Totals] = []
    earned: list[Earned] = []
    recent: list[Payment] = []
    for tenant, worker in await _admitted(db, person):
        async with db.tx(Role.GATEWAY, tenant=tenant, worker=worker, person=person) as conn:
            await store.DUE.one(conn, tenant=tenant, now=now)  # what nobody looked at in time is paid by now
            sums += await store.WORKER_TOTALS.all(conn, tenant=tenant, worker=worker, today=today, week=week)
            earned += await store.WORKER_EARNED.all(conn, tenant=tenant, worker=worker)
            recent += await store.WORKER_PAYMENTS.all(
                conn, tenant=tenant, worker=worker, since=now - timedelta(days=30), until=now + timedelta(1), limit=50
            )
    recent.sort(key=lambda p: p.at, reverse=True)
    currencies = dict.fromkeys([one.currency for one in sums] + [one.currency for one in earned])
    by_currency = [_in_one(currency, sums, earned) for currency in currencies]
    return Earnings(
        sorted(by_currency, key=lambda one: (-one.seconds, one.currency)),
        sorted(earned, key=lambda one: (-one.seconds, one.name)),
        recent[:50],
    )


def _in_one(currency: str, sums: Sequence[store.Totals], earned: Sequence[Earned]) -> EarnedIn:
    mine = [one for one in sums if one.currency == currency]
    work = [one for one in earned if one.currency == currency]
    total, seconds = sum(one.total_minor for one in mine), sum(one.seconds for one in work)
    return EarnedIn(
        currency,
        sum(one.balance_minor for one in mine),
        sum(one.today_minor for one in mine),
        sum(one.week_minor for one in mine),
        total,
        sum(one.judgements for one in work),
        seconds,
        int(total * 3600 / seconds) if seconds >= 1 else 0,
    )


async def statement(db: Database, person: UUID, since: datetime, until: datetime, limit: int) -> list[Payment]:
    """Each payment to a person in a span of time, newest first."""
    if since >= until:
        raise invalid("span-empty", "The statement's span ends before it begins.", place="?from")
    rows: list[Payment] = []
    for tenant, worker in await _admitted(db, person):
        async with db.tx(Role.GATEWAY, tenant=tenant, worker=worker, person=person) as conn:
            await store.DUE.one(conn, tenant=tenant, now=clock.now())
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


def _positive(amount_minor: int) -> None:
    if not 0 < amount_minor <= 10**15:
        raise invalid(
            "amount-range", "An amount is a positive whole number of minor units (cents).", place="/amount_minor"
        )
