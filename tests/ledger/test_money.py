"""Money around work: reserved before a claim, paid whole, at the price of the claim; budgets that many race for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.errors import UniqueViolation

from cupola.kernel import clock, ids
from cupola.kernel.errors import Kind, Problem
from cupola.kernel.money import legs
from cupola.ledger import service as ledger
from cupola.platform.pg.tx import Role
from cupola.tasks import service as tasks
from cupola.tasks import work
from cupola.tasks.stages import StagePrice
from tests.foundry import Foundry, answers, moved_clock

EACH_MINOR = legs(10, 1_000, 500).total_minor


def test_eight_clients_race_a_budget_and_exactly_what_it_carries_is_claimed(foundry: Foundry) -> None:
    carried = 21
    tenant = foundry.tenant()
    project = foundry.project(tenant, 60, page_size=1, budget_minor=carried * EACH_MINOR + EACH_MINOR - 1)
    people = foundry.people(8)

    async def until_refused(run: Any, person: Any) -> int:
        claims = 0
        while True:
            try:
                assert await work.claim(run, person, project.id, None, None) is not None
            except Problem as problem:
                if problem.code != "budget-exhausted":
                    raise
                return claims
            claims += 1

    claims = foundry.together([lambda run, person=person: until_refused(run, person) for person in people])
    assert sum(claims) == carried
    assert foundry.balances(tenant)["project_budget"] == EACH_MINOR - 1
    assert foundry.balances(tenant)["escrow"] == carried * EACH_MINOR
    foundry.sound()


def test_pages_that_race_for_the_last_of_a_budget_shrink_to_what_is_left(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 60, page_size=10, budget_minor=25 * EACH_MINOR)
    people = foundry.people(6)
    pages = foundry.together([lambda run, p=p: work.claim(run, p, project.id, None, None) for p in people])
    claimed = sum(len(page.tasks) for page in pages if not isinstance(page, BaseException))
    refused = [page for page in pages if isinstance(page, BaseException)]
    assert all(isinstance(one, Problem) and one.code == "budget-exhausted" for one in refused), refused
    assert claimed == 25
    foundry.sound()


def test_nothing_is_claimed_from_a_project_without_money(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 3, budget_minor=EACH_MINOR - 1)
    with pytest.raises(Problem) as refused:
        foundry.claim(foundry.person(), project)
    assert refused.value.code == "budget-exhausted"
    assert foundry.sql("SELECT sum(leased), min(open_slots) FROM task WHERE tenant = %s", tenant) == [(0, 1)]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(price=st.integers(1, 5_000), tasks_n=st.integers(1, 7), part=st.integers(0, 7))
def test_the_worker_gets_the_whole_price_and_the_legs_sum_to_the_hold(
    foundry: Foundry, price: int, tasks_n: int, part: int
) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, tasks_n, price_minor=price, budget_minor=10**6)
    person = foundry.person()
    page = foundry.claim(person, project)
    each = legs(price, 1_000, 500)
    held = foundry.sql("SELECT amount_minor FROM transfer WHERE tenant = %s AND kind = 'hold'", tenant)
    assert held == [(tasks_n * each.total_minor,)]
    done = min(part, tasks_n)
    if done:
        assert foundry.submit(person, page, only=done).paid_minor == done * price
    if done < tasks_n:
        foundry.call(lambda run: work.give_back(run, person, page.id, page.fence, "no-time", ""))
    after = foundry.balances(tenant)
    assert after.get("worker", 0) == done * price
    assert after.get("platform_fee", 0) == done * each.fee_minor
    assert after.get("quality_reserve", 0) == done * each.insurance_minor
    assert after["escrow"] == 0
    assert after["project_budget"] == 10**6 - done * each.total_minor
    foundry.sound()


def test_pay_follows_the_offer_of_the_claim(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 40, page_size=2, price_minor=10)
    people = foundry.people(3)
    early = foundry.claim(people[0], project)

    def change(price: int) -> Any:
        return foundry.app(
            tenant,
            lambda conn: tasks.change_offer(conn, foundry.runtime, tenant, project.id, StagePrice(price, None, None)),
        )

    assert change(25).version == 2
    late = foundry.claim(people[1], project)
    assert (early.price_minor, late.price_minor, early.offer_version, late.offer_version) == (10, 25, 1, 2)
    assert foundry.submit(people[0], early).paid_minor == 20
    assert foundry.submit(people[1], late).paid_minor == 50
    with pytest.raises(Problem) as cut:
        change(24)
    assert (cut.value.kind, cut.value.code) == (Kind.CONFLICT, "price-cut")
    versions = foundry.sql(
        "SELECT kind, offer_version, amount_minor FROM transfer WHERE tenant = %s AND kind = 'pay' ORDER BY 2", tenant
    )
    assert versions == [("pay", 1, 20), ("pay", 2, 50)]
    foundry.sound()


def test_an_offer_with_a_later_date_is_a_notice_and_not_yet_a_price(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 10, page_size=1, price_minor=10)
    foundry.sql(
        "INSERT INTO offer (tenant, project, version, price_minor, fee_bp, insurance_bp, currency, effective_at, "
        "created_at) VALUES (%s, %s, 2, 5, 1000, 500, 'EUR', %s, now())",
        tenant,
        project.id,
        clock.now() + timedelta(hours=72),
    )
    person = foundry.person()
    assert foundry.claim(person, project).price_minor == 10
    with moved_clock(73 * 3600):
        assert foundry.claim(person, project).price_minor == 5


def test_a_budget_is_never_allotted_twice_by_racing_requests(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 2, budget_minor=0, launch=False)
    foundry.fund(tenant, 1_000)

    def allot(_: int) -> Any:
        async def work_of(run: Any) -> Any:
            async with run.db.tx(Role.APP, tenant=tenant) as conn:
                return await ledger.allot(conn, tenant, project.id, 300, "EUR")

        return work_of

    results = foundry.together([allot(n) for n in range(8)])
    refused = [one for one in results if isinstance(one, Problem)]
    assert len(refused) == 5
    assert {one.code for one in refused} == {"budget-too-small"}
    assert foundry.balances(tenant)["budget"] == 100
    foundry.sound()


def test_money_is_allotted_only_in_the_currency_of_the_project_and_only_to_what_exists(foundry: Foundry) -> None:
    tenant, other = foundry.tenant(), foundry.tenant()
    project, theirs = foundry.project(tenant, 2, budget_minor=0, launch=False), foundry.project(other, 2)
    for currency in ("EUR", "USD"):
        foundry.fund(tenant, 1_000, currency)
    with pytest.raises(Problem) as wrong:
        foundry.app(tenant, lambda conn: ledger.allot(conn, tenant, project.id, 10, "USD"))
    assert (wrong.value.kind, wrong.value.place) == (Kind.INVALID, "/currency")
    for absent in (theirs.id, ids.uuid7()):
        with pytest.raises(Problem) as missing:
            foundry.app(tenant, lambda conn, p=absent: ledger.allot(conn, tenant, p, 10, "EUR"))
        assert missing.value.kind is Kind.NOT_FOUND
    foundry.sound()


def test_what_a_stopped_project_has_left_goes_back_to_the_budget(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 10, budget_minor=5_000)
    person = foundry.person()
    page = foundry.claim(person, project)
    foundry.submit(person, page, only=4)
    foundry.move(project, "stop")
    foundry.hear()
    assert foundry.balances(tenant)["project_budget"] == 0, "a stopped project keeps no money that is not reserved"
    with moved_clock(601):
        foundry.expire()
    foundry.hear()
    after = foundry.balances(tenant)
    assert (after["escrow"], after["project_budget"]) == (0, 0)
    assert after["budget"] == 5_000 - 4 * EACH_MINOR
    foundry.sound()


def test_earnings_and_the_statement_add_up_to_the_payments(foundry: Foundry) -> None:
    one, two = foundry.tenant(), foundry.tenant()
    person = foundry.person()
    for tenant, price in ((one, 7), (two, 11)):
        project = foundry.project(tenant, 3, price_minor=price)
        page = foundry.claim(person, project)
        foundry.submit(person, page, only=1)
        foundry.call(lambda run: tasks.fold_tallies(run, rows=0))  # counted once, folded or not
        foundry.submit(person, page)
    earned = foundry.call(lambda run: ledger.earnings(run.db, person))
    foundry.call(lambda run: tasks.fold_tallies(run, rows=0))
    assert foundry.call(lambda run: ledger.earnings(run.db, person)) == earned
    assert sorted((one.amount_minor, one.judgements, one.seconds) for one in earned.by_project) == [
        (3 * 7, 3, 9.0),
        (3 * 11, 3, 9.0),
    ]
    [euros] = earned.by_currency
    assert (euros.total_minor, euros.balance_minor, euros.judgements) == (3 * 7 + 3 * 11, 54, 6)
    assert euros.hourly_minor == int(54 * 3600 / (6 * 3.0))
    now = clock.now()
    rows = foundry.call(
        lambda run: ledger.statement(run.db, person, now - timedelta(days=1), now + timedelta(days=1), 100)
    )
    assert sum(row.amount_minor for row in rows) == 54
    assert {row.kind for row in rows} == {"pay"}


def test_the_same_key_with_another_transfer_is_refused(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    foundry.project(tenant, 2, budget_minor=100)
    key, first = ids.uuid7(), ids.uuid7()
    accounts = "account_id(%s, 'external', NULL, NULL, 0, 'EUR'), account_id(%s, 'budget', NULL, NULL, 0, 'EUR')"
    move = "SELECT ledger_move(%s, %s, %s, 'fund', " + accounts + ", %s, NULL, now())"
    assert foundry.as_tenant(tenant, move, tenant, first, key, tenant, tenant, 5) == [(first,)]
    assert foundry.as_tenant(tenant, move, tenant, ids.uuid7(), key, tenant, tenant, 5) == [(first,)]
    with pytest.raises(UniqueViolation):
        foundry.as_tenant(tenant, move, tenant, ids.uuid7(), key, tenant, tenant, 6)
    assert foundry.balances(tenant)["budget"] == 5
    foundry.sound()


def test_a_submit_answers_in_bytes_what_the_ledger_holds(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 5)
    person = foundry.person()
    page = foundry.claim(person, project)
    done = foundry.call(lambda run: work.submit(run, person, page.id, answers(page)))
    stored = dict(foundry.sql("SELECT id, price_minor FROM judgement WHERE tenant = %s", tenant))
    assert {one.judgement: one.paid_minor for one in done.judgements} == stored


def test_an_account_that_many_open_at_once_is_one_and_nobody_hears_of_it(foundry: Foundry) -> None:
    """Each opener waits for the first; a unique key other than the one a conflict is told by would end it."""
    tenant = foundry.tenant()
    openers, rounds = 12, 100
    start = threading.Barrier(openers)

    def opener(_: int) -> set[str]:
        with psycopg.connect(
            foundry.admin_url, autocommit=True, options=f"-c search_path=cupola -c app.tenant={tenant}"
        ) as conn:
            opened = set()
            for slot in range(rounds):
                start.wait(60)
                row = conn.execute(
                    "SELECT account_open(%s, 'platform_fee', NULL, NULL, %s, 'EUR', now())", (tenant, slot + 100)
                ).fetchone()
                assert row is not None
                opened.add(str(row[0]))
            return opened

    with ThreadPoolExecutor(openers) as pool:
        assert len(set().union(*pool.map(opener, range(openers)))) == rounds
