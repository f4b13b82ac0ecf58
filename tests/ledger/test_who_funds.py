"""Money comes in by the operator's word or as play money; currencies stand apart; statements open in any table."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import psycopg
import pytest

from cupola.identity.flows import first_admin_link
from cupola.kernel import ids
from cupola.kernel.errors import Kind, Problem
from cupola.kernel.money import in_words
from cupola.ledger import service as ledger
from cupola.platform.pg.tx import Role
from cupola.platform.web import attachment, table_cell
from tests.foundry import Foundry
from tests.serving import PASSWORD


def test_a_live_tenant_cannot_fund_itself_by_any_verb_its_role_has(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    with pytest.raises(Problem) as refusal:
        foundry.app(tenant, lambda conn: ledger.play(conn, tenant, 1_000, "EUR"))
    assert refusal.value.kind is Kind.FORBIDDEN
    for verb in ("ledger_play", "ledger_fund"):

        async def tried(conn: Any, verb: str = verb) -> None:
            await conn.execute(f"SELECT {verb}(%s, %s, %s, 'EUR', 5, now())", (tenant, ids.uuid7(), ids.uuid7()))

        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            foundry.app(tenant, tried)
    assert foundry.balances(tenant) == {}
    foundry.fund(tenant, 1_000)
    assert foundry.balances(tenant) == {"external": -1_000, "budget": 1_000}
    foundry.sound()


def test_a_world_of_tests_has_play_money(foundry: Foundry) -> None:
    tenant = foundry.tenant("test")
    assert foundry.app(tenant, lambda conn: ledger.play(conn, tenant, 70, "JPY")).balance_minor == 70
    foundry.sound()


def test_the_same_record_of_a_payment_counts_once(foundry: Foundry) -> None:
    tenant, payment = foundry.tenant(), ids.uuid7()

    async def record(run: Any) -> None:
        async with run.db.tx(Role.OPS, tenant=tenant) as conn:
            await ledger.fund(conn, tenant, 50, "EUR", payment)

    foundry.call(record)
    foundry.call(record)
    assert foundry.balances(tenant)["budget"] == 50


def test_over_http_the_operator_funds_whom_they_are_no_member_of_and_an_owner_nobody_live(foundry: Foundry) -> None:
    with foundry.http() as url, httpx.Client(base_url=url) as operator, httpx.Client(base_url=url) as owner:
        link = foundry.call(first_admin_link)
        assert link is not None
        person = {"name": "Op", "email": "op@example.org", "password": PASSWORD}
        signed = operator.post("/api/first-admin", json={"token": link.split("token=")[1], **person}).json()
        operator.headers["X-CSRF-Token"] = signed["csrf"]
        made = operator.post("/api/tenants", json={"name": "Funded"}).json()
        live, test = made["live"]["id"], made["test"]["id"]
        joined: Any = None
        for tenant in (live, test):
            asked = operator.post("/api/invitations", json={"role": "owner"}, headers={"Cupola-Tenant": tenant})
            body = {"token": asked.json()["link"].split("token=")[1], "name": "O", "email": "o@example.org"}
            joined = owner.post("/api/invitations/accept", json={**body, "password": PASSWORD}).json()
        owner.headers["X-CSRF-Token"] = joined["csrf"]
        money = {"amount_minor": 100, "currency": "EUR"}
        refused = owner.post("/api/money/fund", json=money, headers={"Cupola-Tenant": live})
        assert refused.status_code == 403
        assert owner.post(f"/api/tenants/{live}/fund", json=money).status_code == 403
        played = owner.post("/api/money/fund", json=money, headers={"Cupola-Tenant": test})
        assert (played.status_code, played.json()["balance_minor"]) == (201, 100)
        me = signed["person"]["id"]
        assert owner.delete(f"/api/members/{me}", headers={"Cupola-Tenant": live}).status_code == 204
        once = {"Idempotency-Key": "payment 1"}
        for _ in range(2):
            paid = operator.post(f"/api/tenants/{live}/fund", json=money, headers=once)
            assert (paid.status_code, paid.json()["balance_minor"]) == (201, 100)
        assert operator.post(f"/api/tenants/{ids.uuid7()}/fund", json=money).status_code == 404
        seen = owner.get("/api/money", headers={"Cupola-Tenant": live}).json()
        assert (seen["budgets"], seen["may_fund"]) == ([{"currency": "EUR", "budget_minor": 100}], False)


def test_earnings_of_several_currencies_are_summed_and_timed_apart(foundry: Foundry) -> None:
    person = foundry.person()
    euro = foundry.project(foundry.tenant(), 2, price_minor=10)
    yen = foundry.project(foundry.tenant(), 4, price_minor=300, currency="JPY")
    for project in (euro, yen):
        foundry.submit(person, foundry.claim(person, project))
    earned = foundry.call(lambda run: ledger.earnings(run.db, person))
    assert [(one.currency, one.total_minor, one.judgements, one.seconds) for one in earned.by_currency] == [
        ("JPY", 1_200, 4, 12.0),
        ("EUR", 20, 2, 6.0),
    ]
    assert [one.hourly_minor for one in earned.by_currency] == [1_200 * 300, 20 * 600]
    assert {one.currency for one in earned.by_project} == {"EUR", "JPY"}


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (12345, "EUR", "123.45 EUR"),
        (-5, "EUR", "-0.05 EUR"),
        (12345, "JPY", "12345 JPY"),
        (12345, "KWD", "12.345 KWD"),
        (1, "CLF", "0.0001 CLF"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(amount: int, currency: str, words: str) -> None:
    assert in_words(amount, currency) == words


def test_a_statement_takes_days_and_moments_and_its_cells_are_no_formulas(foundry: Foundry) -> None:
    person = foundry.person()
    project = foundry.project(foundry.tenant(), 2)
    foundry.sql("UPDATE project SET name = '=HYPERLINK(\"http://x\")' WHERE id = %s", project.id)
    foundry.submit(person, foundry.claim(person, project))
    token = "cup_person_" + ids.token(32)
    foundry.sql("INSERT INTO person_token VALUES (sha256(convert_to(%s, 'UTF8')), %s, now())", token, person)
    foundry.sql("UPDATE person SET is_contributor = true WHERE id = %s", person)
    [(day,)] = foundry.sql("SELECT (now() AT TIME ZONE 'UTC')::date::text")
    with foundry.http() as url, httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
        for span in (
            f"from={day}&to={day}",
            f"from={day}T00:00:00Z",
            f"from={day}T00:00:00%2B00:00",
            f"from={day}T00:00:00+00:00",
            f"from={day}T00:00:00",
            "from=2000-01-01&to=9999-12-31",
        ):
            answer = client.get(f"/api/work/statement?{span}")
            assert (answer.status_code, len(answer.json())) == (200, 1), (span, answer.text)
        for span in ("from=yesterday", f"from={day}&to=2001-01-01"):
            assert client.get(f"/api/work/statement?{span}").status_code == 400
        table = client.get(f"/api/work/statement?from={day}&to={day}&format=csv")
    [_, row] = csv.reader(io.StringIO(table.text))
    assert row[1] == '\'=HYPERLINK("http://x")'
    assert [table_cell(text)[0] for text in ("=1", "+1", "-1", "@a", "\t1", "\r1")] == ["'"] * 6
    assert table_cell("猫 - 1") == "猫 - 1"


def test_a_header_names_a_file_in_any_script() -> None:
    for name in ("猫和狗-evidence.zip", 'a"b\\c;d.zip', "naïve.zip", "plain.zip", "\r\nSet-Cookie: x", "\ud800.zip"):
        value = attachment(name)
        value.encode("latin-1")
        assert "\r" not in value
        assert "\n" not in value
        assert value.count('"') == 2
    assert attachment("plain.zip") == 'attachment; filename="plain.zip"'
    assert attachment("猫.zip").endswith("filename*=UTF-8''%E7%8C%AB.zip")
