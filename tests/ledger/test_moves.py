"""Every function that can move money, called by every role with things in every state: only what may happen happens.

The functions, their parameters and who may call them are read from the database, so that a new one is in it by itself.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from cupola.kernel import clock, ids
from cupola.kernel.errors import Problem
from cupola.ledger import service as ledger
from cupola.platform.pg.tx import Role
from cupola.tasks import work
from cupola.tasks.model import Plan
from tests.foundry import Foundry, Project, choice, moved_clock

ROLES = ("cupola_app", "cupola_gateway", "cupola_ops", "cupola_server")
CALLS = 900  # of all that could be made, drawn by the seed
# Those from which the posting of transfers can be reached, however many functions lie between.
REACH = """
WITH RECURSIVE ours AS (
  SELECT oid, proname, prosrc FROM pg_proc WHERE pronamespace = 'cupola'::regnamespace AND prolang <> 13),
reach AS (
  SELECT oid, proname FROM ours WHERE proname = 'ledger_post' UNION
  SELECT o.oid, o.proname FROM ours o JOIN reach r ON o.prosrc ~ ('\\m' || r.proname || '\\M') AND o.oid <> r.oid)
SELECT p.oid::int, p.proname, p.proargnames[1:p.pronargs], p.proargtypes::regtype[]::text[]
FROM reach r JOIN pg_proc p ON p.oid = r.oid ORDER BY p.proname
"""


@dataclass(frozen=True)
class Function:
    oid: int
    name: str
    parameters: tuple[str, ...]
    types: tuple[str, ...]


@dataclass
class Stage:
    """Two tenants with everything in every state; `mine` is the one that each transaction names."""

    foundry: Foundry
    mine: UUID
    projects: dict[str, UUID]
    pages: dict[str, Any]
    workers: dict[str, UUID]
    people: dict[str, UUID]
    values: dict[str, list[Any]]


def pages_of(foundry: Foundry, project: Project, people: dict[str, UUID]) -> dict[str, Any]:
    pages = {name: foundry.claim(person, project, 2) for name, person in people.items()}
    foundry.submit(people["submitted"], pages["submitted"])
    foundry.submit(people["begun"], pages["begun"], only=1)
    returned = pages["returned"]
    foundry.call(lambda run: work.give_back(run, people["returned"], returned.id, returned.fence, "other", ""))
    with moved_clock(3_600):
        foundry.sql(
            "UPDATE assignment SET expires_at = now() + interval '2 hours' WHERE id = ANY(%s)",
            [pages[name].id for name in ("open", "begun")],
        )
        foundry.expire()
    return pages


@pytest.fixture(scope="module")
def stage(foundry: Foundry) -> Iterator[Stage]:
    mine, theirs = foundry.tenant(), foundry.tenant()
    projects: dict[str, UUID] = {}
    made: dict[str, Any] = {}
    people = dict(zip(("open", "begun", "submitted", "returned", "expired"), foundry.people(5), strict=True))
    plan = Plan(min_judgements=1, max_judgements=5, gold_rate=0.0)
    for tenant, prefix in ((mine, ""), (theirs, "foreign ")):
        foundry.fund(tenant, 5_000)
        for state in ("draft", "live", "paused", "stopped"):
            project = foundry.project(tenant, 12, plan=plan, budget_minor=3_000, launch=state != "draft")
            projects[prefix + state] = project.id
            if state == "live":
                made |= {prefix + name: page for name, page in pages_of(foundry, project, people).items()}
            elif state in ("paused", "stopped"):
                foundry.move(project, {"paused": "pause", "stopped": "stop"}[state])
    foundry.hear()
    foundry.sound()
    workers = {
        name: foundry.sql("SELECT worker FROM assignment WHERE id = %s", page.id)[0][0] for name, page in made.items()
    }
    used = foundry.sql("SELECT idem FROM transfer WHERE tenant = %s LIMIT 2", mine)
    accounts = foundry.sql("SELECT id FROM account WHERE tenant = %s ORDER BY type LIMIT 6", mine)
    now = clock.now()
    values: dict[str, list[Any]] = {
        "p_tenant": [mine, mine, mine, theirs],
        "p_project": [*projects.values(), ids.uuid7()],
        "p_assignment": [page.id for page in made.values()] + [ids.uuid7()],
        "p_worker": [*workers.values(), ids.uuid7(), None],
        "p_person": [*people.values(), ids.uuid7()],
        "p_fence": [0, 1, 2, 99],
        "p_state": [1, 2, 2, 3],
        "p_stage": [0, 1],
        "p_tasks": [1, 50],
        "p_amount": [-5, 0, 1, 700, 10**15],
        "p_currency": ["EUR", "USD", "eur"],
        "p_kind": ["fund", "allot", "unallot", "pay", "payout", "settle", "release", "topup"],
        "p_now": [now, now],
        "p_idem": [ids.uuid7(), *(row[0] for row in used)],
        "accounts": [row[0] for row in accounts],
    }
    yield Stage(foundry, mine, projects, made, workers, people, values)
    foundry.sound()


def functions(conn: psycopg.Connection[Any]) -> list[Function]:
    return [Function(row[0], row[1], tuple(row[2]), tuple(row[3])) for row in conn.execute(REACH).fetchall()]


def is_allowed(conn: psycopg.Connection[Any], one: Function, role: str) -> bool:
    asked = conn.execute("SELECT has_function_privilege(%s, %s::oid, 'EXECUTE')", (role, one.oid)).fetchone()
    return asked == (True,)


def argument(stage: Stage, one: Function, n: int, dice: random.Random, chosen: dict[str, Any]) -> Any:
    """A value for a parameter: by its name, or its type. Half of the time those of one page belong together."""
    name, kind = one.parameters[n], one.types[n]
    page = chosen.get("page")
    if page is not None and name in ("p_assignment", "p_worker", "p_fence", "p_tenant"):
        here = {"p_assignment": page.id, "p_fence": page.fence, "p_worker": stage.workers[chosen["name"]]}
        return here.get(name, stage.mine if not chosen["name"].startswith("foreign") else stage.values["p_tenant"][-1])
    if page is not None and name in ("p_person", "p_project") and dice.random() < 0.8:
        live = "foreign live" if chosen["name"].startswith("foreign") else "live"
        return stage.people[chosen["name"].removeprefix("foreign ")] if name == "p_person" else stage.projects[live]
    if kind == "uuid[]" and name == "p_tasks":
        return [task.task for task in page.tasks] if page is not None else [ids.uuid7()]
    if kind == "uuid[]":
        return [ids.uuid7() for _ in range(4)]
    if kind == "text[]":
        return [json.dumps(choice("a"))] * 2
    if kind in ("smallint[]", "real[]"):
        return [0, 0] if kind == "smallint[]" else [1.0, 1.0]
    if kind == "bigint[]":
        return [5]
    if kind == "text" and name == "p_idem":
        return None
    if name in ("p_debit", "p_credit"):
        return dice.choice(stage.values["accounts"])
    if name in stage.values and not (name == "p_tasks" and kind != "integer"):
        return dice.choice(stage.values[name])
    return {"uuid": ids.uuid7(), "boolean": False, "text": "x", "integer": 1, "smallint": 0, "bigint": 1}.get(kind)


def state_of(conn: psycopg.Connection[Any]) -> tuple[dict[UUID, int], set[UUID]]:
    balances = dict(conn.execute("SELECT id, balance_minor FROM account").fetchall())
    return balances, {row[0] for row in conn.execute("SELECT id FROM transfer").fetchall()}


def may(stage: Stage, role: str, kind: str, transfer: Any, args: dict[str, Any]) -> bool:
    """Whether a transfer of this kind may come of a call: who, and in what state what it is about was."""
    projects = {value: name for name, value in stage.projects.items()}
    pages = {page.id: name for name, page in stage.pages.items()}
    at_work = role in ("cupola_gateway", "cupola_server")
    if kind == "fund":
        return role == "cupola_ops"
    if kind in ("allot", "unallot"):
        name = projects[args["p_project"]]
        return role == "cupola_app" and not name.startswith("foreign") and (kind == "unallot" or name != "stopped")
    if kind == "hold":
        return at_work and projects[args["p_project"]].endswith("live")
    if kind in ("pay", "fee", "insure", "release"):
        return at_work and pages[args["p_assignment"]].removeprefix("foreign ") in ("open", "begun")
    return False


def test_what_can_move_money_is_known_and_few_may_call_it(stage: Stage) -> None:
    with psycopg.connect(stage.foundry.admin_url) as conn:
        found = functions(conn)
        callable_ = {
            (one.name, role)
            for one, role in itertools.product(found, ROLES)
            if conn.execute("SELECT has_function_privilege(%s, %s::oid, 'EXECUTE')", (role, one.oid)).fetchone()
            == (True,)
        }
    assert {"ledger_post", "ledger_move", "ledger_fund", "work_submit", "work_end", "work_claim_page"} <= {
        one.name for one in found
    }
    assert {name for name, _ in callable_}.isdisjoint({"ledger_post", "ledger_move", "work_claim"})
    assert {role for name, role in callable_ if name == "ledger_fund"} == {"cupola_ops"}
    assert {role for name, role in callable_ if name in ("ledger_allot", "ledger_unallot", "ledger_take_back")} == {
        "cupola_app"
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_is_called_in_whatever_state_only_allowed_moves_are_made(stage: Stage, seed: int) -> None:
    dice = random.Random(seed)
    moved: set[str] = set()
    wrong: list[str] = []
    with psycopg.connect(stage.foundry.admin_url, options="-c search_path=cupola -c timezone=UTC") as conn:
        every = [*itertools.product(functions(conn), ROLES)]
        allowed = [call for call in every if is_allowed(conn, *call)]
        # what a role may not call at all is tried once
        for one, role in [*every, *itertools.islice(itertools.cycle(allowed), CALLS - len(every))]:
            chosen: dict[str, Any] = {}
            if dice.random() < 0.6:
                name = dice.choice([*sorted(stage.pages), *["open", "begun"] * 3])
                chosen = {"name": name, "page": stage.pages[name]}
            args = {p: argument(stage, one, i, dice, chosen) for i, p in enumerate(one.parameters)}
            before, known = state_of(conn)
            conn.execute("SELECT set_config('app.tenant', %s, true)", (str(stage.mine),))
            conn.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
            slots = sql.SQL(", ").join(sql.SQL("{}::{}").format(sql.Placeholder(), sql.SQL(t)) for t in one.types)  # type: ignore[arg-type]
            call = sql.SQL("SELECT * FROM cupola.{}({})").format(sql.Identifier(one.name), slots)
            try:
                conn.execute(call, list(args.values()))
            except psycopg.Error as error:
                if (error.sqlstate or "XX").startswith("XX"):
                    wrong.append(f"{one.name} as {role}: {error}")
                conn.rollback()
                continue
            conn.execute("RESET ROLE")
            wrong += judged(stage, conn, one, role, args, before, known, moved)
            conn.rollback()
    assert wrong == [], "\n".join(wrong)
    # a draw need not hit every one of them, but most of what may happen did
    assert len({"fund", "allot", "unallot", "hold", "pay", "release"} & moved) >= 5, moved


def judged(
    stage: Stage,
    conn: psycopg.Connection[Any],
    one: Function,
    role: str,
    args: dict[str, Any],
    before: dict[UUID, int],
    known: set[UUID],
    moved: set[str],
) -> list[str]:
    """What is wrong with what a call left behind."""
    wrong = []
    rows = conn.execute("SELECT id, kind, debit, credit, amount_minor, tenant FROM transfer").fetchall()
    for row in rows:
        if row[0] not in known:
            moved.add(row[1])
            if not may(stage, role, row[1], row, args):
                wrong.append(f"{one.name} as {role} made a {row[1]}: {args}")
            if row[4] <= 0:
                wrong.append(f"{one.name} moved {row[4]}")
    checks = {
        "the sum of a currency is not zero": (
            "SELECT currency FROM account GROUP BY tenant, currency HAVING sum(balance_minor) <> 0"
        ),
        "an account is below zero": "SELECT id FROM account WHERE balance_minor < 0 AND type <> 'external'",
        "escrow holds less than the open leases": (
            "SELECT l.tenant FROM (SELECT a.tenant, a.project, sum(l.hold_minor) AS held FROM lease l "
            "JOIN assignment a ON a.tenant = l.tenant AND a.id = l.assignment WHERE l.state = 0 GROUP BY 1, 2) l "
            "WHERE l.held > coalesce("
            "(SELECT sum(balance_minor) FROM account e WHERE e.tenant = l.tenant AND e.project = l.project "
            "AND e.type = 'escrow'), 0)"
        ),
    }
    for what, query in checks.items():
        if conn.execute(query).fetchall():  # type: ignore[call-overload]
            wrong.append(f"after {one.name} as {role} {what}: {args}")
    for account, balance in conn.execute("SELECT id, balance_minor FROM account WHERE type = 'worker'").fetchall():
        if balance < before.get(account, 0):
            wrong.append(f"{one.name} as {role} took from a worker")
    return wrong


def test_a_stopped_project_is_allotted_nothing_and_says_so(stage: Stage) -> None:
    async def allot(run: Any) -> None:
        async with run.db.tx(Role.APP, tenant=stage.mine) as conn:
            await ledger.allot(conn, stage.mine, stage.projects["stopped"], 10, "EUR")

    with pytest.raises(Problem) as refused:
        stage.foundry.call(allot)
    assert refused.value.code == "project-state"
