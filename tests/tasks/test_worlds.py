"""A test world's work, and a guest's: offered to whom a tenant let in itself, and to nobody else."""

from __future__ import annotations

from uuid import UUID

import pytest

from cupola.kernel.errors import Kind, Problem
from cupola.routing import service as routing
from cupola.tasks import work
from tests.foundry import Foundry, Project


def offered(foundry: Foundry, person: UUID) -> set[UUID]:
    return {one.project for one in foundry.call(lambda run: routing.board(run, person))}


def refused(foundry: Foundry, person: UUID, project: Project) -> bool:
    with pytest.raises(Problem) as problem:
        foundry.call(lambda run: work.claim(run, person, project.id, 1, None))
    return problem.value.kind is Kind.NOT_FOUND


def let_in(foundry: Foundry, table: str, tenant: UUID, person: UUID) -> None:
    if table == "labeler":
        foundry.sql("INSERT INTO labeler (tenant, person, created_at) VALUES (%s, %s, now())", tenant, person)
    else:
        foundry.sql(
            "INSERT INTO membership (tenant, person, role, created_at) VALUES (%s, %s, 'reviewer', now())",
            tenant,
            person,
        )


@pytest.mark.parametrize("table", ["labeler", "membership"])
def test_a_test_worlds_work_is_offered_to_its_own_people_alone(foundry: Foundry, table: str) -> None:
    project = foundry.project(foundry.tenant("test"), 2)
    live = foundry.project(foundry.tenant("live"), 2)
    own, stranger = foundry.people(2)
    let_in(foundry, table, project.tenant, own)
    assert project.id in offered(foundry, own)
    assert project.id not in offered(foundry, stranger)
    assert live.id in offered(foundry, own) & offered(foundry, stranger)
    assert refused(foundry, stranger, project)
    assert len(foundry.claim(own, project).tasks) == 2
    assert foundry.sql("SELECT count(*) FROM contributor WHERE tenant = %s", project.tenant) == [(1,)]


def test_a_guest_works_for_the_tenant_that_invited_them_and_for_no_other(foundry: Foundry) -> None:
    mine, other = foundry.project(foundry.tenant(), 2), foundry.project(foundry.tenant(), 2)
    [guest] = foundry.people(1)
    foundry.sql("UPDATE person SET is_guest = true WHERE id = %s", guest)
    assert offered(foundry, guest) == set()
    let_in(foundry, "labeler", mine.tenant, guest)
    assert offered(foundry, guest) == {mine.id}
    assert refused(foundry, guest, other)
    page = foundry.claim(guest, mine)
    assert foundry.submit(guest, page).paid_minor == 20
    foundry.sql("DELETE FROM labeler WHERE person = %s", guest)
    assert refused(foundry, guest, mine)
