"""R4, R14, R21: money reaches people, once, whatever the rail does; and nothing of theirs leaves them otherwise."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from typing import Any
from uuid import UUID

import psycopg
import pytest

from cupola.payouts import service
from cupola.payouts.model import Field
from cupola.payouts.rails.base import Item, Outcome
from cupola.platform import hooks
from tests.foundry import Foundry, moved_clock
from tests.rules.reviewing import later, refused

WHERE = {"holder": "Wang Xiaoming", "account": "DE02 1203 0000 0000 2020 51", "bank": "BYLADEM1001"}


def earning(foundry: Foundry, person: UUID, minor: int, currency: str = "EUR") -> UUID:
    """A tenant that paid a person so much."""
    tenant = foundry.tenant()
    project = foundry.project(tenant, 1, price_minor=minor, budget_minor=10 * minor + 100, currency=currency)
    foundry.submit(person, foundry.claim(person, project))
    return tenant


def standing(foundry: Foundry, person: UUID) -> Any:
    return foundry.call(lambda run: service.standing(run, person))


def details(foundry: Foundry, person: UUID, rail: str = "csv", **more: str) -> Any:
    return foundry.call(lambda run: service.set_details(run, person, rail, {**WHERE, **more}))


def ask(foundry: Foundry, person: UUID, currency: str = "EUR") -> Any:
    return foundry.call(lambda run: service.ask(run, person, currency))


def clearing(foundry: Foundry) -> int:
    rows = foundry.sql("SELECT coalesce(sum(balance_minor), 0)::bigint FROM account WHERE type = 'payout_clearing'")
    total: int = rows[0][0]
    return total


def test_R14_a_payout_spans_tenants_is_approved_by_four_eyes_carried_by_a_file_and_reconciled(foundry: Foundry) -> None:
    person, preparer, approver = foundry.person(), foundry.person(), foundry.person()
    tenants = [earning(foundry, person, 400), earning(foundry, person, 300)]
    refused("payout-nowhere", lambda: ask(foundry, person))
    assert details(foundry, person).hint == "…2051"
    assert [row.why_not for row in standing(foundry, person).payable] == [None]
    payout = ask(foundry, person)
    assert (payout.state, payout.amount_minor) == ("created", 700)
    refused("payout-none", lambda: ask(foundry, person))
    batch = foundry.call(lambda run: service.prepare(run, preparer, "csv", "EUR"))
    refused("batch-empty", lambda: foundry.call(lambda run: service.prepare(run, preparer, "csv", "EUR")))
    refused("four-eyes", lambda: foundry.call(lambda run: service.approve(run, preparer, batch.id)))
    refused("batch-unapproved", lambda: foundry.call(lambda run: service.file(run, batch.id)))
    assert standing(foundry, person).payouts[0].state == "created"
    foundry.call(lambda run: service.approve(run, approver, batch.id))
    assert standing(foundry, person).payouts[0].state == "sent"
    file = foundry.call(lambda run: service.file(run, batch.id)).content.decode().splitlines()
    assert file[1] == f"{payout.id},Wang Xiaoming,DE02 1203 0000 0000 2020 51,BYLADEM1001,7.00,EUR"
    told = f"payout,outcome,reason\n{payout.id},paid,\n{UUID(int=9)},paid,\n".encode()
    first = foundry.call(lambda run: service.reconcile(run, batch.id, told))
    again = foundry.call(lambda run: service.reconcile(run, batch.id, told))
    assert (first.paid, first.unknown, again.paid, again.already) == (1, 1, 0, 1)
    assert standing(foundry, person).payouts[0].state == "paid"
    assert clearing(foundry) == 0
    back = f"{payout.id},returned,the account is closed".encode()
    assert foundry.call(lambda run: service.reconcile(run, batch.id, back)).returned == 1
    now = standing(foundry, person)
    assert (now.payouts[0].state, now.payouts[0].reason) == ("returned", "the account is closed")
    assert sum(row.balance_minor for row in now.payable) == 700, "what came back is theirs again"
    refs = [foundry.sql("SELECT ref FROM transfer WHERE tenant = %s AND kind = 'payout'", one) for one in tenants]
    assert refs[0] != refs[1], "R21: two tenants that compare their books find nothing in common"
    foundry.sound()


def test_R14_a_table_of_outcomes_that_cannot_be_read_names_the_line_and_changes_nothing(foundry: Foundry) -> None:
    rail = service.rail_of("csv")
    assert refused("outcomes-line", lambda: rail.read(b"payout,outcome\nnobody,paid\n")).place == "line 2"  # type: ignore[attr-defined]
    refused("outcomes-unreadable", lambda: rail.read(b"\xff\xfe"))  # type: ignore[attr-defined]
    assert refused("payout-field", lambda: rail.check({"holder": "A"})).place == "/details/account"
    formula = rail.write(UUID(int=1), [Item(UUID(int=2), 5, "JPY", {"holder": "=1+1", "account": "1"})])  # type: ignore[attr-defined]
    assert formula.content.decode().splitlines()[1].endswith("'=1+1,1,,5,JPY")


def test_R14_a_change_of_where_the_money_goes_holds_it_for_72_hours(foundry: Foundry) -> None:
    person = foundry.person()
    earning(foundry, person, 900)
    details(foundry, person)
    details(foundry, person, account="GB00 0000")
    refused("payout-held", lambda: ask(foundry, person))
    with moved_clock(later(hours=71)):
        assert foundry.call(service.weekly) == 0
    with moved_clock(later(hours=73)):
        assert ask(foundry, person).amount_minor == 900


def test_R14_little_is_paid_out_once_a_week_and_each_currency_by_itself(foundry: Foundry) -> None:
    person = foundry.person()
    earning(foundry, person, 120)
    earning(foundry, person, 70, "JPY")
    details(foundry, person)
    refused("payout-small", lambda: ask(foundry, person))
    assert foundry.call(service.weekly) == 2
    assert foundry.call(service.weekly) == 0
    assert {(one.currency, one.amount_minor) for one in standing(foundry, person).payouts} == {
        ("EUR", 120),
        ("JPY", 70),
    }
    foundry.sound()


def test_R4_from_a_workers_account_money_leaves_by_a_payout_alone_and_a_payout_by_four_eyes(foundry: Foundry) -> None:
    leaving = foundry.sql("SELECT DISTINCT kind, credit_type FROM flow WHERE debit_type = 'worker'")
    assert leaving == [("payout", "payout_clearing")]
    with pytest.raises(psycopg.errors.RestrictViolation):
        foundry.sql("INSERT INTO flow VALUES ('fine', 'worker', 'budget')")
    one = foundry.person()
    with pytest.raises(psycopg.errors.CheckViolation):
        foundry.sql(
            "INSERT INTO payout_batch (id, rail, currency, prepared_by, prepared_at, approved_by, approved_at) "
            "VALUES (uuidv7(), 'csv', 'EUR', %s, now(), %s, now())", one, one,
        )  # fmt: skip


class FaultyRail:
    """A rail that pays once for a key and seldom says so: it takes and times out, forgets to answer, or refuses."""

    title = "Faulty"
    fields = (Field("account", "Account"),)

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.taken: dict[UUID, str] = {}
        self.moved: Counter[UUID] = Counter()
        self.calls: Counter[UUID] = Counter()

    def check(self, details: dict[str, str]) -> dict[str, str]:
        return details

    def hint(self, details: dict[str, str]) -> str:
        return ""

    async def submit(self, item: Item) -> Outcome:
        self.calls[item.id] += 1
        if self.dice.random() < 0.2:
            raise TimeoutError("before it was taken")
        if item.id not in self.taken:
            self.taken[item.id] = self.dice.choice(["paid", "paid", "paid", "returned"])
            self.moved[item.id] += self.taken[item.id] == "paid"
        if self.dice.random() < 0.4:
            raise ConnectionError("after it was taken")
        return Outcome(item.id, self.taken[item.id]) if self.dice.random() < 0.5 else Outcome(item.id, "pending")  # type: ignore[arg-type]

    async def poll(self, payout: UUID) -> Outcome:
        if self.dice.random() < 0.3:
            raise ConnectionError("500")
        return Outcome(payout, self.taken.get(payout, "unknown"))  # type: ignore[arg-type]


def test_R14_a_rail_that_times_out_after_it_paid_pays_nobody_twice_and_leaves_nobody_waiting(
    foundry: Foundry, monkeypatch: pytest.MonkeyPatch
) -> None:
    rail = FaultyRail(7)
    monkeypatch.setattr(hooks, "names", lambda group: ["faulty"])
    monkeypatch.setattr(hooks, "load", lambda group, name: rail)
    before = clearing(foundry)
    people = [foundry.person() for _ in range(12)]
    tenant = foundry.tenant()
    project = foundry.project(tenant, len(people), price_minor=600, budget_minor=100_000, page_size=1)
    for person in people:
        foundry.submit(person, foundry.claim(person, project))
        details(foundry, person, "faulty")
        ask(foundry, person)
    for _ in range(30):
        foundry.call(service.turn)
    states = Counter(standing(foundry, person).payouts[0].state for person in people)
    assert set(states) == {"paid", "returned"}, states
    assert max(rail.moved.values()) == 1
    assert states["paid"] == sum(rail.moved.values())
    assert max(rail.calls.values()) > 1, "the rail was faulty enough to tell"
    assert clearing(foundry) == before
    foundry.sound()


def test_R14_a_process_that_died_while_gathering_is_taken_up_by_the_next(foundry: Foundry) -> None:
    person = foundry.person()
    tenants = [earning(foundry, person, 300), earning(foundry, person, 400)]
    details(foundry, person)

    async def half(run: Any) -> UUID:
        seen = 0

        async def dying(*_: Any, **given: Any) -> int:
            nonlocal seen
            seen += 1
            if seen == 2:
                raise SystemError("killed")
            return await take(*_, **given)

        take = service.store.TAKE.one
        service.store.TAKE = type("Dying", (), {"one": staticmethod(dying)})()  # type: ignore[assignment]
        with contextlib.suppress(SystemError):
            await service.begin(run, person, "EUR")
        return person

    kept = service.store.TAKE
    try:
        foundry.call(half)
    finally:
        service.store.TAKE = kept
    assert standing(foundry, person).payouts[0].state == "gathering"
    foundry.call(service.turn)
    assert standing(foundry, person).payouts[0].amount_minor == 700
    assert len(tenants) == 2
    foundry.sound()
