"""The checker finds each kind of rot: planted as the superuser with triggers and constraints out of the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import psycopg
import pytest

from cupola.kernel import ids
from cupola.platform.pg.cluster import Cluster
from tests.foundry import Foundry, fresh_foundry


@dataclass
class Planted:
    """A tenant with funds, a paid page and an open one, whose rows a test may spoil."""

    foundry: Foundry
    tenant: UUID
    conn: psycopg.Connection

    def spoil(self, text: str, **params: object) -> int:
        done = self.conn.execute(text, {"t": self.tenant, **params})  # type: ignore[arg-type]
        return done.rowcount

    def found(self) -> set[str]:
        return {one.rule for one in self.foundry.offences() if one.tenant == self.tenant}


@pytest.fixture(scope="module")
def rotten(
    cluster: Cluster, foundry_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Foundry, psycopg.Connection]]:
    """An instance of its own, without the constraints that prevent what is planted here."""
    with (
        fresh_foundry(cluster, foundry_template, tmp_path_factory.mktemp("rotten")) as foundry,
        psycopg.connect(foundry.admin_url, autocommit=True, options="-c search_path=cupola") as conn,
    ):
        conn.execute(
            "DO $$ DECLARE c record; BEGIN FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint "
            "WHERE connamespace = 'cupola'::regnamespace AND ((contype = 'c' AND conrelid = 'account'::regclass) "
            "OR (contype = 'u' AND conrelid IN ('transfer'::regclass, 'judgement'::regclass))) LOOP "
            "EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname); END LOOP; END $$"
        )
        conn.execute("SET session_replication_role = replica")  # triggers and foreign keys look away
        yield foundry, conn


@pytest.fixture
def planted(rotten: tuple[Foundry, psycopg.Connection]) -> Planted:
    foundry, conn = rotten
    tenant = foundry.tenant()
    project = foundry.project(tenant, 12, page_size=4, price_minor=100)
    one, two = foundry.people(2)
    foundry.submit(one, foundry.claim(one, project))
    foundry.claim(two, project)
    ready = Planted(foundry, tenant, conn)
    assert ready.found() == set()
    return ready


def test_l1_finds_money_out_of_nothing(planted: Planted) -> None:
    planted.spoil("UPDATE account SET balance_minor = balance_minor + 1 WHERE tenant = %(t)s AND type = 'budget'")
    assert "L1" in planted.found()


def test_l2_finds_a_balance_that_no_transfer_made(planted: Planted) -> None:
    planted.spoil(
        "UPDATE account SET balance_minor = balance_minor + CASE type WHEN 'worker' THEN -50 ELSE 50 END "
        "WHERE tenant = %(t)s AND (type = 'project_budget' OR (type = 'worker' AND balance_minor > 0))"
    )
    assert planted.found() == {"L2"}


def test_l3_finds_an_account_below_zero(planted: Planted) -> None:
    (worker,) = planted.conn.execute(
        "SELECT id FROM account WHERE tenant = %s AND type = 'worker' AND balance_minor > 0", (planted.tenant,)
    ).fetchone()  # type: ignore[misc]
    clearing = ids.uuid7()
    planted.spoil(
        "INSERT INTO account (tenant, id, type, currency, created_at) "
        "VALUES (%(t)s, %(c)s, 'payout_clearing', 'EUR', now())",
        c=clearing,
    )
    transfer(planted, "payout", worker, "worker", clearing, "payout_clearing", 1_000)
    assert planted.found() == {"L3"}


def test_l4_finds_escrow_that_is_not_the_open_holds(planted: Planted) -> None:
    planted.spoil("UPDATE lease SET state = 0, ended_by = NULL WHERE tenant = %(t)s AND state = 1")
    assert "L4" in planted.found()


def test_l5_finds_a_hold_that_ended_by_something_else(planted: Planted) -> None:
    planted.spoil(
        "UPDATE lease l SET ended_by = a.hold FROM assignment a WHERE l.tenant = %(t)s AND a.tenant = l.tenant "
        "AND a.id = l.assignment AND l.state = 1"
    )
    assert planted.found() == {"L5"}


def test_l5_finds_a_page_whose_hold_is_another_amount(planted: Planted) -> None:
    planted.spoil(
        "UPDATE assignment a SET hold = (SELECT id FROM transfer t WHERE t.tenant = a.tenant AND t.kind = 'fund') "
        "WHERE a.tenant = %(t)s AND a.state = 0"
    )
    assert "L5" in planted.found()


def test_l6_finds_a_key_with_two_effects(planted: Planted) -> None:
    planted.spoil(
        "UPDATE transfer SET idem = (SELECT min(idem::text)::uuid FROM transfer WHERE tenant = %(t)s) "
        "WHERE tenant = %(t)s AND kind = 'pay'"
    )
    assert "L6" in planted.found()


def test_l6_finds_two_judgements_of_one_person_on_one_task(planted: Planted) -> None:
    planted.spoil(
        "INSERT INTO judgement (tenant, id, task, project, assignment, worker, label, seconds, gold, price_minor, "
        "transfer, at) SELECT tenant, gen_random_uuid(), task, project, assignment, worker, label, seconds, gold, "
        "price_minor, transfer, at FROM judgement WHERE tenant = %(t)s LIMIT 1"
    )
    assert "L6" in planted.found()


def test_l7_finds_a_claw_back(planted: Planted) -> None:
    worker, budget = (
        planted.conn.execute(
            "SELECT id FROM account WHERE tenant = %s AND type = %s ORDER BY balance_minor DESC", (planted.tenant, kind)
        ).fetchone()[0]  # type: ignore[index]
        for kind in ("worker", "budget")
    )
    transfer(planted, "clawback", worker, "worker", budget, "budget", 10)
    assert planted.found() == {"L7"}


def test_l8_finds_a_payment_beside_other_work(planted: Planted) -> None:
    planted.spoil("DELETE FROM judgement WHERE tenant = %(t)s AND id = (SELECT min(id::text)::uuid FROM judgement "
                  "WHERE tenant = %(t)s)")  # fmt: skip
    assert "L8" in planted.found()


def test_l8_finds_a_payment_under_another_offer_and_a_page_at_another_price(planted: Planted) -> None:
    planted.spoil("UPDATE transfer SET offer_version = 9 WHERE tenant = %(t)s AND kind = 'pay'")
    assert planted.found() == {"L8"}
    planted.spoil("UPDATE transfer SET offer_version = 1 WHERE tenant = %(t)s AND kind = 'pay'")
    assert planted.found() == set()
    planted.spoil("UPDATE assignment SET price_minor = 99 WHERE tenant = %(t)s AND state = 0")
    assert planted.found() == {"L8"}


def test_l8_finds_legs_that_are_not_those_of_the_claim(planted: Planted) -> None:
    for kind, by in (("fee", -3), ("insure", 3)):
        planted.spoil(
            "WITH moved AS (UPDATE transfer SET amount_minor = amount_minor + %(by)s "
            "WHERE tenant = %(t)s AND kind = %(k)s RETURNING debit, credit) "
            "UPDATE account a SET balance_minor = a.balance_minor + "
            "%(by)s * CASE WHEN a.id = m.credit THEN 1 ELSE -1 END "
            "FROM moved m WHERE a.tenant = %(t)s AND a.id IN (m.debit, m.credit)",
            by=by,
            k=kind,
        )
    assert planted.found() == {"L8"}


@pytest.mark.parametrize("fresh_minor", [0, 30])
def test_l9_finds_money_that_has_been_in_clearing_for_too_long(planted: Planted, fresh_minor: int) -> None:
    (worker,) = planted.conn.execute(
        "SELECT id FROM account WHERE tenant = %s AND type = 'worker' AND balance_minor > 0", (planted.tenant,)
    ).fetchone()  # type: ignore[misc]
    clearing = ids.uuid7()
    planted.spoil(
        "INSERT INTO account (tenant, id, type, currency, created_at) "
        "VALUES (%(t)s, %(c)s, 'payout_clearing', 'EUR', now())",
        c=clearing,
    )
    transfer(planted, "payout", worker, "worker", clearing, "payout_clearing", 50, age="4 days 23 hours")
    assert planted.found() == set()
    transfer(planted, "payout", worker, "worker", clearing, "payout_clearing", 20, age="6 days")
    if fresh_minor:
        transfer(planted, "payout", worker, "worker", clearing, "payout_clearing", fresh_minor)
    assert planted.found() == {"L9"}


def test_l10_finds_an_account_that_miscounts_its_transfers(planted: Planted) -> None:
    planted.spoil("UPDATE account SET version = version + 1 WHERE tenant = %(t)s AND type = 'platform_fee'")
    assert planted.found() == {"L10"}


def test_l11_finds_a_transfer_without_its_event(planted: Planted) -> None:
    planted.spoil("DELETE FROM event WHERE tenant = %(t)s AND kind = 'judgement.submitted'")
    assert planted.found() == {"L11"}


def test_l12_finds_mixed_currencies(planted: Planted) -> None:
    planted.spoil("UPDATE transfer SET currency = 'USD' WHERE tenant = %(t)s AND kind = 'pay'")
    assert planted.found() == {"L12"}


def transfer(
    planted: Planted,
    kind: str,
    debit: UUID,
    debit_type: str,
    credit: UUID,
    credit_type: str,
    amount: int,
    *,
    age: str = "0",
) -> None:
    """A transfer with its effect on both accounts, right in everything but what the test is about."""
    move = ids.uuid7()
    planted.spoil(
        "INSERT INTO transfer (tenant, id, idem, kind, debit, debit_type, credit, credit_type, currency, amount_minor, "
        "event, at) SELECT %(t)s, %(id)s, %(id)s, %(kind)s, %(d)s, %(dt)s, %(c)s, %(ct)s, 'EUR', %(amount)s, "
        "(SELECT min(seq) FROM event WHERE tenant = %(t)s), now() - %(age)s::interval",
        id=move,
        kind=kind,
        d=debit,
        dt=debit_type,
        c=credit,
        ct=credit_type,
        amount=amount,
        age=age,
    )
    planted.spoil(
        "UPDATE account SET version = version + 1, balance_minor = balance_minor + "
        "CASE WHEN id = %(c)s THEN %(amount)s ELSE -%(amount)s END WHERE tenant = %(t)s AND id IN (%(c)s, %(d)s)",
        c=credit,
        d=debit,
        amount=amount,
    )
