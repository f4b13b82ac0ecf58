"""What is offered: decided by who may work, and nobody's many projects hide another's."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from cupola.kernel import ids, limits
from cupola.kernel.errors import Problem
from cupola.ledger import service as ledger
from cupola.ontology import service as ontologies
from cupola.platform.pg.cluster import Cluster
from cupola.routing import service as routing
from cupola.tasks import service as tasks
from cupola.tasks import work
from cupola.tasks.adding import service as adding
from cupola.tasks.crews import service as crews
from cupola.tasks.model import Plan
from cupola.tasks.stages import NewProject
from tests.foundry import CHOICE, Foundry, Project, fresh_foundry, moved_clock


def offered(foundry: Foundry, person: UUID, limit: int = limits.MAX_LIST) -> list[UUID]:
    return [offer.project for offer in foundry.call(lambda run: routing.board(run, person, limit))]


def named(foundry: Foundry) -> tuple[UUID, str]:
    """A person with an address who was never here before."""
    person = foundry.person()
    email = f"{person}@example.org"
    foundry.sql("UPDATE person SET email = %s WHERE id = %s", email, person)
    return person, email


def crewed(foundry: Foundry, project: Project, emails: list[str]) -> None:
    crew = ids.uuid7()

    async def give(conn: Any) -> None:
        await crews.keep(conn, project.tenant, {crew: emails})
        await crews.give(conn, project.tenant, [(task, crew) for task in project.tasks])

    foundry.app(project.tenant, give)


def test_projects_without_work_hide_nobody_elses(foundry: Foundry) -> None:
    mine = foundry.project(foundry.tenant(), 3)
    crowded = foundry.tenant()
    dataset = foundry.dataset(crowded, 1)
    for _ in range(30):  # newer, and none has anything left to do
        empty = foundry.project(crowded, dataset=dataset)
        foundry.sql("UPDATE task SET open_slots = 0 WHERE project = %s", empty.id)
    assert offered(foundry, foundry.person(), 10).count(mine.id) == 1


@pytest.mark.parametrize("more_minor", [-1, 0, 1])
@pytest.mark.parametrize("carried", [1, 4])
def test_the_board_promises_what_the_budget_carries_and_a_claim_gives_it(
    foundry: Foundry, carried: int, more_minor: int
) -> None:
    """With fee and insurance; nobody is sent to a purse that cannot pay them."""
    tenant = foundry.tenant()
    other = foundry.project(tenant, 1, price_minor=33)
    [(fee_bp, insurance_bp)] = foundry.sql("SELECT fee_bp, insurance_bp FROM offer WHERE project = %s", other.id)
    assert fee_bp > 0
    each_minor = 33 + sum(int(33 * share / 10_000 + 0.5) for share in (fee_bp, insurance_bp))
    budget_minor = each_minor * carried + more_minor
    project = foundry.project(tenant, 6, price_minor=33, budget_minor=budget_minor)
    person = foundry.person()
    carries = budget_minor // each_minor
    board = {
        one.project: one.available for one in foundry.call(lambda run: routing.board(run, person, limits.MAX_LIST))
    }
    assert board.get(project.id, 0) == carries
    if carries:
        assert len(foundry.claim(person, project).tasks) == carries
        assert project.id not in offered(foundry, foundry.person())
    with pytest.raises(Problem) as caught:
        foundry.claim(foundry.person(), project)
    assert caught.value.code == "budget-exhausted"


def test_a_tenant_with_many_projects_leaves_others_their_turn(foundry: Foundry) -> None:
    mine = foundry.project(foundry.tenant(), 3)
    crowded = foundry.tenant()
    dataset = foundry.dataset(crowded, 1)
    many = {foundry.project(crowded, dataset=dataset).id for _ in range(12)}
    board = offered(foundry, foundry.person(), 8)
    assert mine.id in board
    assert many & set(board)
    assert len(board) <= 8


def test_whoever_was_named_for_a_task_is_offered_it_before_their_first_page(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 3)
    person, email = named(foundry)
    stranger, _ = named(foundry)
    crewed(foundry, project, [email])
    assert project.id in offered(foundry, person)
    assert project.id not in offered(foundry, stranger)
    assert len(foundry.claim(person, project).tasks) == 3
    assert foundry.call(lambda run: work.claim(run, stranger, project.id, None, None)) is None


def directed(foundry: Foundry, people: list[UUID], items: int = 2) -> Project:
    tenant = foundry.tenant()
    dataset = foundry.dataset(tenant, items)
    workers = [foundry.runtime.worker_of(tenant, person) for person in people]
    foundry.sql("UPDATE item SET eligible = %s WHERE dataset = %s", workers, dataset)

    foundry.fund(tenant, 10_000)

    async def make(conn: Any) -> UUID:
        version = await ontologies.create(conn, tenant, f"by name {tenant}", CHOICE, {})
        asked = NewProject(
            f"by name {tenant}", dataset, version.version_id, Plan(0.9, 0.9, 1, 2), 12, "EUR", None, None, 5, 600,
            "directed",
        )  # fmt: skip
        project = (await tasks.create_project(conn, foundry.runtime, tenant, asked)).id
        await adding.add_tasks(conn, tenant, project, None, 0.0)
        await ledger.allot(conn, tenant, project, 10_000, "EUR")
        await tasks.move_project(conn, tenant, project, "launch")
        return project

    project = foundry.app(tenant, make)
    rows = foundry.sql("SELECT id FROM task WHERE project = %s ORDER BY rank", project)
    return Project(tenant, project, [row[0] for row in rows])


def test_an_invitation_that_nobody_answers_lapses_and_the_next_is_asked(foundry: Foundry) -> None:
    people = foundry.people(2)  # never here before
    project = directed(foundry, people)
    foundry.hear()

    def asked() -> dict[UUID, UUID]:
        return dict(foundry.sql("SELECT task, worker FROM invite WHERE tenant = %s AND state = 1", project.tenant))

    first = asked()
    assert len(first) == 2
    for person in people:
        worker = foundry.runtime.worker_of(project.tenant, person)
        assert (project.id in offered(foundry, person)) == (worker in first.values())
    assert foundry.call(lambda run: routing.lapse(run)) == 0
    with moved_clock(limits.INVITE_S + 1):
        assert foundry.call(lambda run: routing.lapse(run)) >= 2
        foundry.hear()
        then = asked()
        assert then.keys() == first.keys()
        assert all(then[task] != first[task] for task in first)
        person = next(p for p in people if foundry.runtime.worker_of(project.tenant, p) in then.values())
        foundry.submit(person, foundry.claim(person, project))
    foundry.sound()


def test_another_rule_of_who_may_is_one_function(cluster: Cluster, foundry_template: str, tmp_path: Path) -> None:
    """As docs/extending.md tells it: the offers, the claim, known answers and pages that come back all ask it."""
    with fresh_foundry(cluster, foundry_template, tmp_path) as foundry:
        project = foundry.project(foundry.tenant(), 6, gold={0: "a", 1: "b"})
        kept_back, person = {project.tasks[0], project.tasks[3]}, foundry.person()
        [(whole,)] = foundry.sql("SELECT pg_get_functiondef('cupola.work_may'::regproc)")
        foundry.sql(
            "CREATE FUNCTION cupola.may_be_shown(p_task uuid) RETURNS SETOF boolean LANGUAGE sql STABLE AS "
            f"$$ SELECT true WHERE p_task <> ALL ('{{{','.join(map(str, kept_back))}}}'::uuid[]) $$"
        )
        foundry.sql(whole.replace("FROM may_crew(", "FROM cupola.may_be_shown(p_task), may_crew("))
        [offer] = foundry.call(lambda run: routing.board(run, person, 10))
        seen: set[UUID] = set()
        while page := foundry.call(lambda run: work.claim(run, person, project.id, None, None)):
            seen |= {task.task for task in page.tasks}
            foundry.submit(person, page)
        assert offer.available == len(seen)
        golds = {row[0] for row in foundry.sql("SELECT id FROM task WHERE project = %s AND gold", project.id)}
        assert not seen & kept_back
        assert seen - golds == set(project.tasks) - kept_back - golds, "golds come as far as work hides them"
