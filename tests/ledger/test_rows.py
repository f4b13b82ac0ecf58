"""What the tables themselves refuse: flows that are not, changes of what is append-only, writes past the functions."""

from __future__ import annotations

from itertools import product

import psycopg
import pytest
from psycopg import errors, sql

from cupola.kernel import ids
from tests.absences.catalogue import APPEND_ONLY
from tests.foundry import Foundry

TYPES = (
    *("external", "budget", "project_budget", "escrow", "worker", "platform_fee", "quality_reserve"),
    *("topup_reserve", "payout_clearing", "hearing_reserve"),
)
FLOWS = {
    ("fund", "external", "budget"),
    ("allot", "budget", "project_budget"),
    ("unallot", "project_budget", "budget"),
    ("hold", "project_budget", "escrow"),
    ("pay", "escrow", "worker"),
    ("fee", "escrow", "platform_fee"),
    ("insure", "escrow", "quality_reserve"),
    ("release", "escrow", "project_budget"),
    ("reject", "escrow", "project_budget"),
    ("refund_quality", "quality_reserve", "budget"),
    ("topup", "topup_reserve", "worker"),
    ("bonus", "project_budget", "worker"),
    ("payout", "worker", "payout_clearing"),
    ("settle", "payout_clearing", "external"),
    ("payout_return", "payout_clearing", "worker"),
    ("hear", "project_budget", "hearing_reserve"),
    ("hearing", "hearing_reserve", "worker"),
    ("unhear", "hearing_reserve", "project_budget"),
    ("unsettle", "external", "payout_clearing"),
}
REJECT = {("reject", "escrow", "project_budget")}  # a row only beside an upheld verdict
ROLES = ("cupola_app", "cupola_gateway", "cupola_ops", "cupola_server", "cupola_owner", "postgres")
# Tries one row and undoes it: the answer is whether the tables take it.
TRY = """
CREATE FUNCTION pg_temp.taken(t uuid, k text, d uuid, dt text, c uuid, ct text, e bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO cupola.transfer (tenant, id, idem, kind, debit, debit_type, credit, credit_type, currency, amount_minor,
    event, at) VALUES (t, gen_random_uuid(), gen_random_uuid(), k, d, dt, c, ct, 'EUR', 1, e, now());
  RAISE EXCEPTION 'undo' USING ERRCODE = 'P0042';
EXCEPTION WHEN SQLSTATE 'P0042' THEN RETURN true;
  WHEN foreign_key_violation OR check_violation OR restrict_violation THEN RETURN false;
END $$
"""


@pytest.fixture(scope="module")
def accounts(foundry: Foundry) -> tuple[str, dict[str, list[str]]]:
    """A tenant with two accounts of each type."""
    tenant = foundry.tenant()
    projects = [str(foundry.project(tenant, 2).id) for _ in range(2)]
    workers = []
    for _ in range(2):
        page = foundry.claim(foundry.person(), foundry.project(tenant, 2))
        (row,) = foundry.sql("SELECT worker FROM assignment WHERE id = %s", page.id)
        workers.append(str(row[0]))
    found: dict[str, list[str]] = {}
    for kind, n in product(TYPES, range(2)):
        (row,) = foundry.as_tenant(
            tenant,
            "SELECT account_open(%s::uuid, %s, %s::uuid, %s::uuid, %s, 'EUR', now())",
            tenant,
            kind,
            projects[n] if kind in ("project_budget", "escrow", "hearing_reserve") else None,
            workers[n] if kind == "worker" else None,
            0 if kind in ("project_budget", "escrow", "hearing_reserve", "worker") else 40 + n,
        )
        found.setdefault(kind, []).append(str(row[0]))
    return str(tenant), found


@pytest.mark.parametrize("role", ["cupola_owner", "postgres"])
def test_of_all_kinds_and_pairs_of_accounts_only_the_flows_are_rows(
    foundry: Foundry, accounts: tuple[str, dict[str, list[str]]], role: str
) -> None:
    tenant, found = accounts
    taken = set()
    kinds = sorted({kind for kind, _, _ in FLOWS} | {"clawback", "fine", "set_off", ""})
    with psycopg.connect(foundry.admin_url, autocommit=True) as conn:
        conn.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        conn.execute("SELECT set_config('app.tenant', %s, false)", (tenant,))
        (event,) = conn.execute("SELECT cupola.event_append(%s, 'test', NULL, NULL, '{}', now())", (tenant,)).fetchone()
        conn.execute(TRY)
        for kind, debit, credit in product(kinds, TYPES, TYPES):
            row = conn.execute(
                "SELECT pg_temp.taken(%s, %s, %s, %s, %s, %s, %s)",
                (tenant, kind, found[debit][0], debit, found[credit][1], credit, event),
            ).fetchone()
            if row[0]:
                taken.add((kind, debit, credit))
        # nor does a row that lies about the type of its accounts pass
        for lie in (("budget", "escrow"), ("external", "worker")):
            row = conn.execute(
                "SELECT pg_temp.taken(%s, 'pay', %s, 'escrow', %s, 'worker', %s)",
                (tenant, found[lie[0]][0], found[lie[1]][1], event),
            ).fetchone()
            assert row[0] is False, lie
    assert taken == FLOWS - REJECT
    assert set(foundry.sql("SELECT kind, debit_type, credit_type FROM flow")) == FLOWS
    assert {(kind, credit) for kind, debit, credit in taken if debit == "worker"} == {("payout", "payout_clearing")}


def test_the_table_of_flows_is_closed_also_for_its_owner(foundry: Foundry) -> None:
    with psycopg.connect(foundry.admin_url, autocommit=True) as conn:
        for role in ("postgres", "cupola_owner"):
            conn.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            with pytest.raises(errors.RestrictViolation):
                conn.execute("INSERT INTO cupola.flow VALUES ('clawback', 'worker', 'budget')")


@pytest.mark.parametrize("role", ROLES)
def test_what_is_append_only_is_changed_by_no_role(foundry: Foundry, role: str) -> None:
    with psycopg.connect(foundry.admin_url, autocommit=True) as conn:
        conn.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        for table in APPEND_ONLY:
            column = sql.Identifier("kind" if table == "flow" else "tenant")
            name = sql.Identifier("cupola", table)
            for statement in (
                sql.SQL("UPDATE {} SET {} = {}").format(name, column, column),
                sql.SQL("DELETE FROM {}").format(name),
                sql.SQL("TRUNCATE {} CASCADE").format(name),
            ):
                with pytest.raises((errors.InsufficientPrivilege, errors.RestrictViolation)):
                    conn.execute(statement)


@pytest.mark.parametrize("role", ["cupola_app", "cupola_gateway", "cupola_ops", "cupola_server"])
def test_a_running_server_writes_money_and_work_only_through_the_functions(foundry: Foundry, role: str) -> None:
    with psycopg.connect(foundry.admin_url, autocommit=True) as conn:
        conn.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        for table in ("transfer", "account", "assignment", "lease", "judgement", "draft", "flow"):
            name = sql.Identifier("cupola", table)
            column = sql.Identifier("kind" if table == "flow" else "tenant")
            for statement in (
                sql.SQL("INSERT INTO {} DEFAULT VALUES").format(name),
                sql.SQL("UPDATE {} SET {} = {}").format(name, column, column),
                sql.SQL("DELETE FROM {}").format(name),
            ):
                with pytest.raises(errors.InsufficientPrivilege):
                    conn.execute(statement)


def test_a_transfer_between_tenants_is_no_row(foundry: Foundry) -> None:
    one, two = foundry.tenant(), foundry.tenant()
    theirs = foundry.project(two, 2)
    foundry.fund(one, 1_000)
    with psycopg.connect(foundry.admin_url, autocommit=True, options="-c search_path=cupola") as conn:
        conn.execute("SELECT set_config('app.tenant', %s, false)", (str(one),))
        (mine,) = conn.execute("SELECT account_open(%s, 'budget', NULL, NULL, 0, 'EUR', now())", (one,)).fetchone()
        (target,) = conn.execute(
            "SELECT account_id(%s, 'project_budget', %s, NULL, 0, 'EUR')", (two, theirs.id)
        ).fetchone()
        with pytest.raises(errors.ForeignKeyViolation):
            conn.execute(
                "SELECT ledger_move(%s, %s, %s, 'allot', %s, %s, 1, NULL, now())",
                (one, ids.uuid7(), ids.uuid7(), mine, target),
            )
    assert foundry.balances(one)["budget"] == 1_000
    foundry.sound()


def test_an_overdraft_is_refused_by_the_account_itself(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    foundry.project(tenant, 2, budget_minor=100)
    for kind in ("budget", "project_budget", "worker", "escrow", "platform_fee"):
        with pytest.raises(errors.CheckViolation):
            foundry.sql(
                "INSERT INTO account (tenant, id, type, currency, balance_minor, project, worker, created_at) "
                "SELECT %s, gen_random_uuid(), %s, 'USD', -1, CASE WHEN %s IN ('project_budget', 'escrow') "
                "THEN (SELECT id FROM project WHERE tenant = %s) END, "
                "CASE WHEN %s = 'worker' THEN gen_random_uuid() END, now()",
                tenant,
                kind,
                kind,
                tenant,
                kind,
            )
