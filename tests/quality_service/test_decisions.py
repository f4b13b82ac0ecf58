"""What the aggregator decides from submitted judgements, on a real database."""

from __future__ import annotations

from uuid import UUID

import pytest

from cupola.kernel.errors import Problem
from cupola.quality import adjudication
from cupola.tasks import work
from cupola.tasks.model import Plan
from tests.foundry import Foundry, Project, choice


def everyone(foundry: Foundry, project: Project, people: dict[UUID, str], rounds: int = 40) -> None:
    """Each person works until nothing is offered to anybody, always saying the same."""
    for _ in range(rounds):
        done = 0
        for person, value in people.items():
            page = foundry.call(lambda run, p=person: work.claim(run, p, project.id, None, None))
            if page is not None:
                done += len(foundry.submit(person, page, value).judgements)
        foundry.hear()
        if not done:
            return
    pytest.fail("the work never came to an end")


def test_people_who_agree_settle_every_task_within_the_plan(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 30, plan=Plan(0.95, 0.9, 1, 4, 0.0))
    everyone(foundry, project, dict.fromkeys(foundry.people(4), "b"))
    states = dict(foundry.sql("SELECT state, count(*) FROM task WHERE tenant = %s GROUP BY 1", tenant))
    assert states == {3: 30}
    (row,) = foundry.sql(
        "SELECT count(*), count(DISTINCT task), min(label::jsonb -> 'values' ->> 0), "
        "max(label::jsonb -> 'values' ->> 0), min(confidence) > 0.5 FROM settlement WHERE tenant = %s",
        tenant,
    )
    assert row == (30, 30, "b", "b", True)
    (most,) = foundry.sql("SELECT max(judged) FROM task WHERE tenant = %s", tenant)
    assert most[0] <= 4
    foundry.sound()


def test_people_who_never_agree_leave_every_task_to_an_adjudicator(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 25, plan=Plan(0.99, 0.95, 1, 3, 0.0))
    everyone(foundry, project, dict(zip(foundry.people(3), "abc", strict=True)))
    states = dict(foundry.sql("SELECT state, count(*) FROM task WHERE tenant = %s GROUP BY 1", tenant))
    assert states == {2: 25}
    assert foundry.sql("SELECT count(*) FROM settlement WHERE tenant = %s", tenant) == [(0,)]
    for (task,) in foundry.sql("SELECT id FROM task WHERE tenant = %s AND state = 2", tenant):
        foundry.app(
            tenant, lambda conn, t=task: adjudication.adjudicate(conn, tenant, t, None, choice("c"), False, "seen")
        )
    assert foundry.sql("SELECT DISTINCT state FROM task WHERE tenant = %s", tenant) == [(3,)]
    foundry.sound()


def test_somebody_who_is_always_wrong_on_gold_does_not_stop_the_decisions(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    gold = dict.fromkeys(range(120), "a")
    project = foundry.project(tenant, 320, plan=Plan(0.95, 0.9, 1, 2, 0.5), gold=gold, page_size=50)
    people = dict(zip(foundry.people(3), "aab", strict=True))
    everyone(foundry, project, people)
    rows = foundry.sql(
        "SELECT gold_seen, gold_right, skill, low, high FROM skill WHERE tenant = %s ORDER BY skill", tenant
    )
    assert len(rows) == 3
    worst, best = rows[0], rows[-1]
    assert worst[1] == 0
    assert worst[2] < 0.3 < 0.7 < best[2]
    assert all(0.0 <= low <= high <= 1.0 and low - 1e-4 <= skill <= high + 1e-4 for *_, skill, low, high in rows)
    assert foundry.sql("SELECT count(*) FROM task WHERE tenant = %s AND NOT gold AND state < 2", tenant) == [(0,)]


def test_the_same_events_handled_again_change_nothing(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 20, plan=Plan(0.95, 0.9, 1, 3, 0.0))
    everyone(foundry, project, dict.fromkeys(foundry.people(3), "a"))
    states = "SELECT id, state, settled_version, open_slots FROM task WHERE tenant = %s ORDER BY id"
    before = foundry.sql(states, tenant)
    heard = foundry.sql("SELECT epoch, xid, seq FROM event_place WHERE tenant = %s AND consumer = 'aggregate'", tenant)
    foundry.rewind()
    foundry.hear()
    assert heard <= foundry.sql(
        "SELECT epoch, xid, seq FROM event_place WHERE tenant = %s AND consumer = 'aggregate'", tenant
    )
    assert foundry.sql(states, tenant) == before
    assert foundry.sql("SELECT max(version) FROM settlement WHERE tenant = %s", tenant) == [(1,)]


def test_a_settled_task_is_settled_anew_by_hand_and_nothing_is_overwritten(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 4, plan=Plan(0.9, 0.9, 1, 2, 0.0))
    everyone(foundry, project, dict.fromkeys(foundry.people(3), "a"))
    task = project.tasks[0]
    foundry.app(tenant, lambda conn: adjudication.adjudicate(conn, tenant, task, None, choice("b"), False, ""))
    rows = foundry.sql(
        "SELECT version, label::jsonb -> 'values' ->> 0, how FROM settlement WHERE task = %s ORDER BY version", task
    )
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    assert rows[-1][1:] == ("b", "adjudicated")
    assert foundry.sql("SELECT state, settled_version FROM task WHERE id = %s", task) == [(3, len(rows))]
    with pytest.raises(Problem, match="Give either a label or undecidable"):
        foundry.app(tenant, lambda conn: adjudication.adjudicate(conn, tenant, task, None, None, False, ""))


def test_every_settlement_names_the_judgements_it_used(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 10, plan=Plan(0.95, 0.9, 1, 3, 0.0))
    everyone(foundry, project, dict.fromkeys(foundry.people(3), "c"))
    orphans = foundry.sql(
        "SELECT s.id FROM settlement s WHERE s.tenant = %s AND (cardinality(s.judgements) = 0 OR EXISTS ("
        "SELECT FROM unnest(s.judgements) j (id) WHERE NOT EXISTS (SELECT FROM judgement k "
        "WHERE k.tenant = s.tenant AND k.id = j.id AND k.task = s.task)))",
        tenant,
    )
    assert orphans == []
