"""R1, R6-R8, R13, R15, R16, R18-R20, R23, R24: what holds of every page of work, each in a few lines."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import get_args

import psycopg
import pytest

from cupola.app.http import Headers
from cupola.kernel import clock
from cupola.kernel.errors import Problem
from cupola.ledger import service as ledger
from cupola.routing import service as routing
from cupola.tasks import service as tasks
from cupola.tasks import work
from cupola.tasks.model import Plan, ReturnReason
from cupola.tasks.stages import StagePrice
from cupola.tasks.training import service as training
from tests.foundry import Foundry, answers, moved_clock
from tests.rules.reviewing import later, refused


def test_R1_of_more_claims_than_money_exactly_as_many_succeed_as_it_carries(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 20, price_minor=100, budget_minor=4 * 115 + 50, page_size=1)
    people = foundry.people(8)
    told = foundry.together([lambda run, who=who: work.claim(run, who, project.id, 1, None) for who in people])
    refusals = [one.code for one in told if isinstance(one, Problem)]
    assert refusals == ["budget-exhausted"] * 4
    with pytest.raises(psycopg.errors.NotNullViolation):
        foundry.sql("UPDATE assignment SET hold = NULL WHERE tenant = %s", tenant)
    foundry.sound()


def test_R6_pay_follows_the_version_at_the_claim_and_a_launched_price_is_not_cut(foundry: Foundry) -> None:
    tenant, person = foundry.tenant(), foundry.person()
    project = foundry.project(tenant, 10, price_minor=10)
    page = foundry.claim(person, project, 2)

    def change(minor: int) -> None:
        foundry.app(
            tenant,
            lambda conn: tasks.change_offer(conn, foundry.runtime, tenant, project.id, StagePrice(minor, None, None)),
        )

    change(20)
    assert foundry.submit(person, page).paid_minor == 20
    assert foundry.submit(person, foundry.claim(person, project, 1)).paid_minor == 20
    refused("price-cut", lambda: change(19))
    with pytest.raises(psycopg.errors.RestrictViolation):
        foundry.sql("UPDATE offer SET price_minor = 1 WHERE tenant = %s", tenant)


def test_R7_the_time_and_the_price_of_an_hour_stand_on_an_offer_before_the_claim(foundry: Foundry) -> None:
    tenant, person = foundry.tenant(), foundry.person()
    project = foundry.project(tenant, 60, price_minor=10, page_size=25)
    for _ in range(2):
        who = foundry.person()
        foundry.submit(who, foundry.claim(who, project, 12))
    (offer,) = [one for one in foundry.call(lambda run: routing.board(run, person)) if one.project == project.id]
    assert (offer.timed, offer.median_s, offer.p75_s, offer.hourly_minor) == (24, 3.0, 3.0, 12_000)


def test_R8_R16_the_one_gate_before_a_project_is_training_and_it_pays_what_the_project_pays(foundry: Foundry) -> None:
    tenant, person = foundry.tenant(), foundry.person()
    project = foundry.project(tenant, 12, price_minor=30, plan=Plan(min_judgements=1, max_judgements=1, gold_rate=0.0))

    async def make(conn: object) -> object:
        await training.teach(conn, foundry.runtime, tenant, project.id, [("t0", {"kind": "choice", "values": ["a"]})])  # type: ignore[arg-type]
        view = await training.of_project(conn, tenant, project.id)  # type: ignore[arg-type]
        assert view is not None
        await ledger.allot(conn, tenant, view.training, 1_000, "EUR")  # type: ignore[arg-type]
        return await training.open_up(conn, tenant, project.id)  # type: ignore[arg-type]

    foundry.fund(tenant, 1_000)
    school = foundry.app(tenant, make)
    refused("training-first", lambda: foundry.claim(person, project, 1))
    lesson = dataclasses.replace(project, id=school.training)  # type: ignore[attr-defined]
    page = foundry.claim(person, lesson, 1)
    assert foundry.submit(person, page).paid_minor == 30
    assert foundry.submit(person, foundry.claim(person, project, 1)).paid_minor == 30


def test_R16_no_column_of_a_project_can_ask_for_volume_or_an_approval_rate(foundry: Foundry) -> None:
    columns = foundry.sql("SELECT column_name FROM information_schema.columns WHERE table_name = 'project'")
    assert len(columns) > 20
    assert [
        one for (one,) in columns if any(word in one for word in ("approval", "accept_rate", "volume", "min_tasks"))
    ] == []


def test_R13_R14_whoever_is_disabled_keeps_what_they_earned_and_nothing_disables_by_itself(foundry: Foundry) -> None:
    tenant, person = foundry.tenant(), foundry.person()
    project = foundry.project(tenant, 2, price_minor=40)
    foundry.submit(person, foundry.claim(person, project, 2))
    foundry.sql("UPDATE person SET disabled_at = now() WHERE id = %s", person)
    told = foundry.call(lambda run: ledger.earnings(run.db, person))
    assert told.by_currency[0].balance_minor == 80
    disabling = foundry.sql(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'cupola'::regnamespace AND prosrc ~* 'disabled_at *='"
    )
    assert disabling == [], "no function of the database suspends anybody"


def test_R15_a_stopped_project_pays_all_that_was_claimed(foundry: Foundry) -> None:
    tenant, people = foundry.tenant(), [foundry.person() for _ in range(3)]
    project = foundry.project(tenant, 9, price_minor=10)
    pages = [foundry.claim(who, project, 3) for who in people]
    foundry.move(project, "stop")
    foundry.hear()
    assert [foundry.submit(who, page).paid_minor for who, page in zip(people, pages, strict=True)] == [30] * 3
    foundry.hear()
    assert foundry.balances(tenant)["project_budget"] == 0
    foundry.sound()


def test_R18_a_settlement_names_its_inputs_its_method_and_the_version_it_was_made_with(foundry: Foundry) -> None:
    columns = foundry.sql(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'settlement' AND is_nullable = 'NO'"
    )
    assert {"judgements", "method", "confidence", "how"} <= {one for (one,) in columns}


def test_R19_a_cap_stops_new_claims_and_never_the_work_that_is_open(foundry: Foundry) -> None:
    tenant, person = foundry.tenant(), foundry.person()
    project = foundry.project(tenant, 220, page_size=50)
    pages = [foundry.claim(person, project, 50) for _ in range(2)]
    refused("holds-enough", lambda: foundry.claim(person, project, 1))
    assert [foundry.submit(person, page).paid_minor for page in pages] == [500, 500]


def test_R19_work_that_comes_after_its_time_is_kept_and_offered_back_first(foundry: Foundry) -> None:
    tenant, person = foundry.tenant(), foundry.person()
    project = foundry.project(tenant, 3, lease_s=60)
    page = foundry.claim(person, project, 1)
    with moved_clock(later(minutes=2)):
        refused("assignment-expired", lambda: foundry.submit(person, page))
        again = foundry.claim(person, project, 1)
        assert again.tasks[0].task == page.tasks[0].task
        assert again.tasks[0].draft is not None
        assert foundry.submit(person, again).paid_minor == 10


def test_R19_giving_work_back_asks_for_a_reason_of_a_list_and_counts_for_nothing(foundry: Foundry) -> None:
    assert len(get_args(ReturnReason)) >= 3
    standing = foundry.sql(
        "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'cupola' "
        "AND column_name ~ '(returned_rate|abandon|expired_count)'"
    )
    assert standing == []


def test_R20_no_column_keeps_a_screen_a_keystroke_a_camera_or_a_place(foundry: Foundry) -> None:
    kept = foundry.sql(
        "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'cupola' "
        "AND column_name ~ '(screen|keystroke|camera|webcam|latitude|longitude|geo_|mouse|ip_address|user_agent)'"
    )
    assert kept == []
    told = dict(Headers(lambda *_: None, "")._fixed)  # type: ignore[arg-type]
    assert told[b"permissions-policy"] == b"camera=(), microphone=(), geolocation=(), display-capture=()"


def test_R23_a_statement_holds_every_payment_of_its_span_over_all_tenants(foundry: Foundry) -> None:
    person = foundry.person()
    for _ in range(2):
        project = foundry.project(foundry.tenant(), 2, price_minor=25)
        foundry.submit(person, foundry.claim(person, project, 2))
    now = clock.now()
    rows = foundry.call(
        lambda run: ledger.statement(
            run.db, person, datetime(2020, 1, 1, tzinfo=UTC), now.replace(year=now.year + 1), 100
        )
    )
    assert sorted(row.amount_minor for row in rows) == [50, 50]


def test_R24_the_price_is_what_the_worker_gets_and_the_fee_is_a_leg_beside_it(foundry: Foundry) -> None:
    tenant, person = foundry.tenant(), foundry.person()
    page = foundry.claim(person, foundry.project(tenant, 4, price_minor=100), 4)
    assert foundry.submit(person, page).paid_minor == 400
    legs = dict(foundry.sql("SELECT kind, amount_minor FROM transfer WHERE tenant = %s AND ref = %s", tenant, page.id))
    assert legs == {"hold": 460, "pay": 400, "fee": 40, "insure": 20}
    assert answers(page)
