"""`cupola rules`: each rule stands in the report, and a planted violation of each that is looked for is found."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from cupola.kernel import clock, ids
from cupola.workforce.rules import service, store
from cupola.workforce.rules.model import RULES, Report
from tests.foundry import Foundry, moved_clock
from tests.rules.reviewing import Reviewed, later

HERE = Path(__file__).parent


def report(foundry: Foundry) -> Report:
    return foundry.call(lambda run: service.report(run.db))


def state(foundry: Foundry, rule: str, tenant: UUID | None) -> tuple[str, list[str]]:
    """How a rule stands, and what of one tenant breaks it."""
    (found,) = [one for one in report(foundry).rules if one.id == rule]
    return found.state, [one.detail for one in found.offences if one.tenant == tenant]


def planted(foundry: Foundry, *statements: str) -> None:
    """Rows that no role of the server could write: as the superuser, with triggers, keys and checks set aside."""
    with psycopg.connect(foundry.admin_url, autocommit=True, options="-c search_path=cupola -c timezone=UTC") as conn:
        conn.execute("SET session_replication_role = replica")
        for one in statements:
            conn.execute(one.encode())


def test_there_are_24_rules_each_with_a_test_or_said_to_be_absent(foundry: Foundry) -> None:
    assert [rule.id for rule in RULES] == [f"R{n}" for n in range(1, 25)]
    tested = {name for file in HERE.glob("test_*.py") for name in re.findall(r"def test_(R\d+)_", file.read_text())}
    assert tested >= {rule.id for rule in RULES if not rule.absent}
    told = report(foundry)
    assert [one.id for one in told.rules] == [rule.id for rule in RULES]
    assert [one.id for one in told.rules if one.state == "broken"] == []
    assert {one.state for one in told.rules if one.lacks} <= {"partly", "absent"}


@pytest.fixture(scope="module")
def scene(foundry: Foundry) -> Reviewed:
    """A tenant with work that was paid, that waits, and that was rejected and refused."""
    made = Reviewed(foundry, items=20)
    held = made.work(10)
    made.accept(*held[:4])
    made.reject(held[4])
    made.appeal(held[4])
    with moved_clock(later(hours=-1)):
        made.reject(held[5])
    return made


# A rule, and what breaks it: done and undone as the superuser, with triggers and keys set aside.
PLANTS: dict[str, tuple[list[str], list[str]]] = {
    "R1": (
        ["UPDATE assignment SET tasks = tasks + 1 WHERE tenant = '{t}'"],
        ["UPDATE assignment SET tasks = tasks - 1 WHERE tenant = '{t}'"],
    ),
    "R2": (
        ["UPDATE submission SET state = 1, decided_at = now() WHERE tenant = '{t}' AND state = 0"],
        [
            "UPDATE submission s SET state = 0, decided_at = NULL WHERE tenant = '{t}' AND state = 1 AND NOT EXISTS "
            "(SELECT FROM judgement j WHERE j.id = s.id)",
        ],
    ),
    "R3": (
        ["UPDATE lease SET state = 4 WHERE tenant = '{t}' AND state = 1"],
        ["UPDATE lease SET state = 1 WHERE tenant = '{t}' AND state = 4"],
    ),
    "R4": (
        [
            "UPDATE transfer SET debit_type = 'worker', kind = 'clawback' WHERE tenant = '{t}' AND kind = 'fee'",
        ],
        ["UPDATE transfer SET debit_type = 'escrow', kind = 'fee' WHERE tenant = '{t}' AND kind = 'clawback'"],
    ),
    "R6": (
        ["UPDATE judgement SET price_minor = price_minor - 1 WHERE tenant = '{t}'"],
        ["UPDATE judgement SET price_minor = price_minor + 1 WHERE tenant = '{t}'"],
    ),
    "R9": (
        ["UPDATE submission_rejection SET submission = md5(submission::text)::uuid WHERE tenant = '{t}'"],
        [],
    ),
    "R16": (
        [
            "INSERT INTO exam (tenant, project, skill, items, at_least, confidence, retake_days, valid_days, tells, "
            "created_at) SELECT tenant, id, 'planted', 5, 0.6, 0.8, 7, 365, true, now() FROM project "
            "WHERE tenant = '{t}' LIMIT 1",
            "INSERT INTO exam_attempt (tenant, id, project, worker, tasks, at_least, confidence, at) "
            "SELECT tenant, uuidv7(), project, uuidv7(), '{{}}', 0.6, 0.8, now() FROM exam WHERE tenant = '{t}'",
            "INSERT INTO exam_answer SELECT tenant, uuidv7(), id, uuidv7(), true, now() FROM exam_attempt "
            "WHERE tenant = '{t}'",
        ],
        [
            "DELETE FROM exam_answer WHERE tenant = '{t}'",
            "DELETE FROM exam_attempt WHERE tenant = '{t}'",
            "DELETE FROM exam WHERE tenant = '{t}'",
        ],
    ),
    "R20": (
        ["INSERT INTO event (tenant, kind, at) VALUES ('{t}', 'screen.captured', now())"],
        ["DELETE FROM event WHERE tenant = '{t}' AND kind = 'screen.captured'"],
    ),
    "R24": (
        ["UPDATE transfer SET amount_minor = amount_minor - 1 WHERE tenant = '{t}' AND kind = 'pay'"],
        ["UPDATE transfer SET amount_minor = amount_minor + 1 WHERE tenant = '{t}' AND kind = 'pay'"],
    ),
}
UNDONE_BY_HAND = {
    "R9": (
        "UPDATE submission_rejection r SET submission = s.id FROM submission s WHERE s.tenant = '{t}' "
        "AND r.tenant = s.tenant AND r.submission = md5(s.id::text)::uuid"
    )
}


@pytest.mark.parametrize("rule", PLANTS)
def test_a_planted_violation_is_found(foundry: Foundry, scene: Reviewed, rule: str) -> None:
    do, undo = PLANTS[rule]
    tenant = str(scene.tenant)
    assert state(foundry, rule, scene.tenant)[1] == []
    planted(foundry, *(one.format(t=tenant) for one in do))
    found, offences = state(foundry, rule, scene.tenant)
    planted(foundry, *(one.format(t=tenant) for one in [*undo, UNDONE_BY_HAND.get(rule, "SELECT 1")]))
    assert (found, bool(offences)) == ("broken", True)
    assert state(foundry, rule, scene.tenant)[1] == []


def test_R11_an_appeal_past_its_deadline_is_no_offence_for_whoever_asks_decides_it(
    foundry: Foundry, scene: Reviewed
) -> None:
    with moved_clock(later(days=7)):
        assert state(foundry, "R11", scene.tenant)[1] == []
        assert state(foundry, "R2", scene.tenant)[1] == []
    assert clock.offset_s() == 0


def test_every_rule_that_is_looked_for_is_known(foundry: Foundry) -> None:
    assert set(store.QUERIES) | set(store.ACROSS) <= {rule.id for rule in RULES}
    assert len(set(store.QUERIES) | set(store.ACROSS)) >= 15


def test_R21_one_identifier_in_two_tenants_is_found(foundry: Foundry) -> None:
    person = foundry.person()
    pages = [foundry.claim(person, foundry.project(foundry.tenant(), 1)) for _ in range(2)]
    rows: list[Any] = [foundry.sql("SELECT tenant, worker FROM assignment WHERE id = %s", page.id)[0] for page in pages]
    assert rows[0][1] != rows[1][1]
    assert state(foundry, "R21", None) == ("partly", [])
    planted(foundry, f"INSERT INTO contributor VALUES ('{rows[1][0]}', '{rows[0][1]}', '{ids.uuid7()}', now())")
    found = state(foundry, "R21", None)
    planted(foundry, f"DELETE FROM contributor WHERE tenant = '{rows[1][0]}' AND worker = '{rows[0][1]}'")
    assert found[0] == "broken"
