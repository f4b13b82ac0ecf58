"""Tasks of a large dataset are made by a job in steps: what comes of it is what making them at once gives."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from cupola.kernel import limits
from cupola.kernel.errors import Problem
from cupola.ontology import service as ontologies
from cupola.platform.pg.tx import Conn
from cupola.tasks import service as tasks
from cupola.tasks.adding import service as adding
from cupola.tasks.adding import store
from cupola.tasks.model import Adding, Plan, Project
from cupola.tasks.stages import NewProject
from tests.foundry import CHOICE, Foundry

ITEMS = 40
GOLD = {n: "abc"[n % 3] for n in range(0, ITEMS, 4)}


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adding, "AT_ONCE", 10)
    monkeypatch.setattr(adding, "STEP", 7)


def project(foundry: Foundry, tenant: UUID, dataset: UUID, routing: str = "open") -> UUID:
    async def make(conn: Conn) -> UUID:
        foundry.made += 1
        name = f"adding {foundry.made}"
        version = await ontologies.create(conn, tenant, name, CHOICE, {})
        plan = Plan(min_judgements=2, max_judgements=3, gold_rate=0.1)
        new = NewProject(name, dataset, version.version_id, plan, 10, "EUR", None, None, 10, 600, routing)
        return (await tasks.create_project(conn, foundry.runtime, tenant, new)).id

    return foundry.app(tenant, make)


def add(foundry: Foundry, tenant: UUID, of: UUID, gold_share: float = 0.0, dataset: UUID | None = None) -> adding.Added:
    return foundry.app(tenant, lambda conn: adding.add_tasks(conn, tenant, of, dataset, gold_share))


def seen(foundry: Foundry, tenant: UUID, of: UUID) -> Project:
    return foundry.app(tenant, lambda conn: tasks.project_view(conn, tenant, of))


def rows(foundry: Foundry, of: UUID) -> list[Any]:
    """The tasks in the order of the queue: whose item, how often wanted, gold, and the gold's label."""
    return foundry.sql(
        "SELECT i.ref, t.open_slots, t.gold, g.label FROM task t JOIN item i ON i.id = t.item "
        "LEFT JOIN gold g ON g.task = t.id WHERE t.project = %s ORDER BY t.rank",
        of,
    )


def test_a_job_makes_what_is_made_at_once(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    dataset = foundry.dataset(tenant, ITEMS, GOLD)
    of = project(foundry, tenant, dataset)
    begun = add(foundry, tenant, of, gold_share=0.5)
    assert begun == adding.Added(7, Adding(7, 7, ITEMS, ""))
    assert seen(foundry, tenant, of).adding == Adding(7, 7, ITEMS, "")
    assert add(foundry, tenant, of, gold_share=0.5) == adding.Added(0, Adding(7, 7, ITEMS, "")), "asked once more"
    foundry.call(lambda run: adding.run_add(run, tenant, of))
    done = seen(foundry, tenant, of)
    assert (done.adding, done.counts.total, done.counts.gold) == (None, ITEMS - 5, 5)
    assert foundry.sql("SELECT tasks_total FROM project WHERE id = %s", of) == [(ITEMS - 5,)]
    made = rows(foundry, of)
    assert [row[0] for row in made] == [f"t{n}" for n in range(ITEMS)]
    assert [(slots, label is not None) for _, slots, gold, label in made] == [
        ((0, True) if gold else (2, False)) for _, _, gold, _ in made
    ]


def test_which_are_gold_does_not_depend_on_the_steps(foundry: Foundry, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = foundry.tenant()
    dataset = foundry.dataset(tenant, ITEMS, GOLD)
    of = project(foundry, tenant, dataset)
    add(foundry, tenant, of, gold_share=0.5)
    foundry.call(lambda run: adding.run_add(run, tenant, of))
    in_steps = rows(foundry, of)
    expected = foundry.sql(
        "SELECT ref FROM (SELECT ref FROM item WHERE dataset = %s AND gold_label IS NOT NULL "
        "ORDER BY md5(id::text || %s::text) LIMIT 5) x ORDER BY ref",
        dataset,
        of,
    )
    assert sorted((row[0],) for row in in_steps if row[2]) == expected


def test_a_job_that_died_goes_on_after_the_last_item(foundry: Foundry, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = foundry.tenant()
    of = project(foundry, tenant, foundry.dataset(tenant, ITEMS))
    add(foundry, tenant, of)
    step, steps = adding._step, 0

    async def dies(*parts: Any, **more: Any) -> store.StepRow:
        nonlocal steps
        steps += 1
        made = await step(*parts, **more)
        if steps == 3:
            raise ConnectionError("the process is gone")
        return made

    with monkeypatch.context() as patched:
        patched.setattr(adding, "_step", dies)
        with pytest.raises(ConnectionError):
            foundry.call(lambda run: adding.run_add(run, tenant, of))
    assert seen(foundry, tenant, of).adding == Adding(21, 21, ITEMS, "")
    foundry.together([lambda run: adding.run_add(run, tenant, of)] * 2)
    assert [row[0] for row in rows(foundry, of)] == [f"t{n}" for n in range(ITEMS)]


def test_an_answer_that_does_not_fit_ends_it_with_the_reason_and_keeps_what_is_made(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    dataset = foundry.dataset(tenant, ITEMS, {30: "no such class"})
    of = project(foundry, tenant, dataset)
    add(foundry, tenant, of, gold_share=1.0)
    foundry.call(lambda run: adding.run_add(run, tenant, of))
    told = seen(foundry, tenant, of).adding
    assert told is not None
    assert (told.made, told.items) == (28, ITEMS)
    assert "'t30'" in told.trouble
    assert add(foundry, tenant, of, gold_share=0.0).adding == Adding(0, 7, ITEMS, ""), "begun anew, without gold"
    foundry.call(lambda run: adding.run_add(run, tenant, of))
    assert seen(foundry, tenant, of).counts.total == ITEMS


def test_another_dataset_waits_for_the_one_that_is_being_added(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    of = project(foundry, tenant, foundry.dataset(tenant, ITEMS))
    add(foundry, tenant, of)
    with pytest.raises(Problem) as told:
        add(foundry, tenant, of, dataset=foundry.dataset(tenant, ITEMS))
    assert told.value.code == "tasks-adding"


def test_people_asked_for_by_name_are_invited_in_every_step(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    dataset = foundry.dataset(tenant, ITEMS)
    worker = foundry.person()
    foundry.sql("UPDATE item SET eligible = ARRAY[%s::uuid] WHERE dataset = %s", worker, dataset)
    of = project(foundry, tenant, dataset, routing="directed")
    add(foundry, tenant, of)
    foundry.call(lambda run: adding.run_add(run, tenant, of))
    assert foundry.sql("SELECT count(DISTINCT task) FROM invite WHERE project = %s", of) == [(ITEMS,)]


def test_a_project_that_is_stopped_meanwhile_gets_no_more(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    of = project(foundry, tenant, foundry.dataset(tenant, ITEMS))
    add(foundry, tenant, of)
    foundry.sql("UPDATE project SET state = 'stopped' WHERE id = %s", of)
    foundry.call(lambda run: adding.run_add(run, tenant, of))
    assert len(rows(foundry, of)) == 7
    assert seen(foundry, tenant, of).adding is None


def test_a_table_that_grew_by_much_at_once_is_planned_for_as_it_is(
    foundry: Foundry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Postgres' own look comes a minute later; until then every new task would read all items of the tenant."""
    monkeypatch.setattr(limits, "GROWN_FROM", ITEMS)
    monkeypatch.setattr(adding, "AT_ONCE", ITEMS)
    tenant = foundry.tenant()
    dataset = foundry.dataset(tenant, ITEMS)
    of = project(foundry, tenant, dataset)
    foundry.sql("ALTER TABLE task SET (autovacuum_enabled = false)")
    try:
        foundry.sql("ANALYZE task")
        before = foundry.sql("SELECT count(*) FROM task")[0][0]
        add(foundry, tenant, of)
        known = foundry.sql("SELECT reltuples::bigint FROM pg_class WHERE oid = 'task'::regclass")[0][0]
    finally:
        foundry.sql("ALTER TABLE task RESET (autovacuum_enabled)")
    assert known == before + ITEMS
