"""An audit by two people who do not see each other's answers, and a third where they differ."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from cupola.kernel import ids
from cupola.kernel.errors import Problem
from cupola.releases import service, store, verifying
from cupola.releases.model import AuditAsked, Release
from tests.foundry import Foundry, Project, choice
from tests.releases.test_release import bundle, declare, settle

DRAWN = 8
ANNE, BERT, CARA = (ids.uuid7() for _ in range(3))


@pytest.fixture
def frozen(foundry: Foundry) -> tuple[Project, Release]:
    project = foundry.project(foundry.tenant(), 20)
    settle(foundry, project)
    asked = AuditAsked(DRAWN, 0.95, 0.6, auditors=2)
    declared = declare(foundry, project, "two", asked)
    release = foundry.app(
        project.tenant, lambda conn: service.freeze(conn, foundry.runtime, project.tenant, declared.id)
    )
    return project, release


def waiting(foundry: Foundry, project: Project, release: Release, person: UUID | None) -> list[UUID]:
    async def ask(conn: Any) -> list[UUID]:
        rows = await service.next_items(conn, foundry.runtime, project.tenant, release.id, 100, person, "somebody")
        return [row.id for row, _ in rows]

    return foundry.app(project.tenant, ask)


def say(foundry: Foundry, project: Project, release: Release, item: UUID, person: UUID | None, value: str) -> Release:
    label = None if value == "?" else choice(value)
    return foundry.app(
        project.tenant,
        lambda conn: service.judge(conn, project.tenant, release.id, item, person, label, label is None, 2.0),
    )


def test_each_item_waits_for_two_people_and_for_a_third_where_they_differ(
    foundry: Foundry, frozen: tuple[Project, Release], tmp_path: Path
) -> None:
    project, release = frozen
    items = waiting(foundry, project, release, ANNE)
    assert len(items) == DRAWN
    for item in items:
        state = say(foundry, project, release, item, ANNE, "a")
    assert state.audit.judged == 0, "one opinion is no verdict"
    assert waiting(foundry, project, release, ANNE) == [], "nobody judges an item twice"
    assert waiting(foundry, project, release, BERT) == items
    # Bert agrees but for one error, and one that he cannot decide
    for item, value in zip(items, ["b", "?", *"a" * (DRAWN - 2)], strict=True):
        state = say(foundry, project, release, item, BERT, value)
    assert (state.audit.judged, state.audit.auditors) == (DRAWN - 2, 2)
    with pytest.raises(Problem, match="2 of 8 drawn items have no verdict yet"):
        certify(foundry, project, release)
    assert waiting(foundry, project, release, BERT) == []
    third = waiting(foundry, project, release, CARA)
    assert third == items[:2]
    say(foundry, project, release, third[0], CARA, "b")
    state = say(foundry, project, release, third[1], CARA, "a")
    assert (state.audit.judged, state.audit.errors, state.audit.undecidable) == (DRAWN, 1, 0)
    done = certify(foundry, project, release)
    assert done.certificate is not None
    assert (done.certificate.double_judged, done.certificate.disagreements) == (DRAWN, 2)
    file = bundle(foundry, project, release.id, tmp_path / "two-evidence.zip")
    assert verifying.verify(file).wrong == []
    with zipfile.ZipFile(file) as archive:
        archive.extractall(tmp_path / "open")
    lines = [json.loads(line) for line in (tmp_path / "open" / "audit.jsonl").read_text().splitlines()]
    assert [line["round"] for line in lines if line["draw"] == 0] == [1, 2, 3]
    assert len({line["auditor"] for line in lines}) == 3
    # without the third's word the plan is not kept
    kept = [line for line in lines if line["round"] < 3]
    (tmp_path / "open" / "audit.jsonl").write_text("".join(json.dumps(line) + "\n" for line in kept))
    assert any("does not foresee" in wrong for wrong in verifying.verify(tmp_path / "open").wrong)


def certify(foundry: Foundry, project: Project, release: Release) -> Release:
    return foundry.app(
        project.tenant, lambda conn: service.certify_release(conn, foundry.runtime, project.tenant, release.id)
    )


def test_a_key_is_nobody_and_nobody_judges_twice(foundry: Foundry, frozen: tuple[Project, Release]) -> None:
    project, release = frozen
    item = waiting(foundry, project, release, None)[0]
    with pytest.raises(Problem, match="a key is nobody"):
        say(foundry, project, release, item, None, "a")
    say(foundry, project, release, item, ANNE, "a")
    with pytest.raises(Problem, match="You have judged this item"):
        say(foundry, project, release, item, ANNE, "b")
    say(foundry, project, release, item, BERT, "a")
    state = say(foundry, project, release, item, CARA, "b")
    assert (state.audit.judged, state.audit.errors) == (1, None), "nobody learns how an open audit goes"
    said = "SELECT count(*) FROM audit_judgement WHERE audit_item = %s"
    assert foundry.sql(said, item) == [(2,)], "after the verdict nothing is added"


def test_the_queue_says_how_many_items_wait_for_whoever_asks(foundry: Foundry, frozen: tuple[Project, Release]) -> None:
    project, release = frozen
    for item in waiting(foundry, project, release, ANNE)[:3]:
        say(foundry, project, release, item, ANNE, "a")

    def row(person: UUID) -> store.QueueRow:
        return foundry.app(project.tenant, lambda conn: store.QUEUE.all(conn, tenant=project.tenant, person=person))[0]

    assert (row(ANNE).for_you, row(BERT).for_you) == (DRAWN - 3, DRAWN)
    assert row(BERT).judged == 0
