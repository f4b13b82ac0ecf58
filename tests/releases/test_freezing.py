"""A large release is frozen by a job, some rows at a time: what comes of it is what freezing at once gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cupola.kernel.errors import Problem
from cupola.platform.pg import statement
from cupola.platform.pg.tx import Conn
from cupola.releases import exporting, freezing, service, store, verifying
from cupola.releases.model import AuditAsked, FreezingState, Release
from tests.foundry import Foundry, Project
from tests.releases.test_release import audit, bundle, declare, freeze, settle

ITEMS = 40
ASKED = AuditAsked(10, 0.95, 0.6)


@pytest.fixture(scope="module")
def project(foundry: Foundry) -> Project:
    made = foundry.project(foundry.tenant(), ITEMS)
    settle(foundry, made)
    return made


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freezing, "AT_ONCE", 7)
    monkeypatch.setattr(statement, "PAGE", 5)


def asked_for(foundry: Foundry, project: Project, name: str) -> Release:
    declared = declare(foundry, project, name, ASKED)
    begun = foundry.app(project.tenant, lambda conn: service.freeze(conn, foundry.runtime, project.tenant, declared.id))
    assert (begun.state, begun.items, begun.seed, begun.freezing) == ("freezing", 0, None, FreezingState(0, ITEMS))
    return begun


def run(foundry: Foundry, project: Project, release: Release) -> Release:
    foundry.call(lambda runtime: freezing.run_freeze(runtime, project.tenant, release.id))
    return seen(foundry, project, release)


def seen(foundry: Foundry, project: Project, release: Release) -> Release:
    return foundry.app(project.tenant, lambda conn: service.view(conn, project.tenant, release.id))


def positions(foundry: Foundry, release: Release) -> list[Any]:
    return foundry.sql("SELECT position, task, settlement FROM release_row WHERE release = %s ORDER BY 1", release.id)


def test_a_job_freezes_what_freezing_at_once_freezes(
    foundry: Foundry, project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun = asked_for(foundry, project, "by a job")
    assert foundry.sql("SELECT data FROM event WHERE subject = %s AND kind = 'release.freeze-requested'", begun.id) == [
        ({"items": ITEMS},)
    ]
    done = run(foundry, project, begun)
    assert (done.state, done.items, done.audit.drawn, done.freezing) == ("auditing", ITEMS, 10, None)
    monkeypatch.setattr(freezing, "AT_ONCE", 5_000)
    at_once = freeze(foundry, project, "at once", 10)
    assert positions(foundry, done) == positions(foundry, at_once)
    # the rows alone, and not the release, are what is hashed
    assert done.manifest_sha256 == at_once.manifest_sha256
    audit(foundry, project, done.id, 1)
    certified = foundry.app(
        project.tenant, lambda conn: service.certify_release(conn, foundry.runtime, project.tenant, done.id)
    )
    assert certified.certificate is not None
    found = verifying.verify(bundle(foundry, project, done.id, tmp_path / "evidence.zip"))
    assert (found.wrong, found.items, found.errors) == ([], ITEMS, 1)


def test_a_job_that_died_in_the_middle_goes_on_after_the_rows_that_are_in(
    foundry: Foundry, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asked_for(foundry, project, "died in the middle")
    take, steps = freezing._take, 0

    async def dies(conn: Conn, *more: Any) -> store.TakenRow:
        nonlocal steps
        steps += 1
        taken = await take(conn, *more)
        if steps == 3:
            raise ConnectionError("the process is gone")  # before the third step is committed
        return taken

    with monkeypatch.context() as patched:
        patched.setattr(freezing, "_take", dies)
        with pytest.raises(ConnectionError):
            run(foundry, project, begun)
    assert seen(foundry, project, begun).freezing == FreezingState(14, ITEMS)
    half = positions(foundry, begun)
    done = run(foundry, project, begun)
    assert positions(foundry, done)[:14] == half
    assert [row[0] for row in positions(foundry, done)] == list(range(ITEMS))
    assert [row[1] for row in positions(foundry, done)] == project.tasks


def test_two_that_freeze_the_same_release_freeze_it_once(foundry: Foundry, project: Project) -> None:
    begun = asked_for(foundry, project, "by two")
    both = foundry.together([lambda runtime: freezing.run_freeze(runtime, project.tenant, begun.id)] * 2)
    assert both == [None, None]
    assert seen(foundry, project, begun).items == ITEMS
    assert foundry.sql("SELECT count(*) FROM event WHERE subject = %s AND kind = 'release.frozen'", begun.id) == [(1,)]


def test_an_audit_opened_while_it_is_hashed_is_one_before_it(
    foundry: Foundry, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asked_for(foundry, project, "slowly hashed")
    other = asked_for(foundry, project, "opened meanwhile")
    hashed, opened = freezing._hashed, False

    async def slowly(*parts: Any) -> freezing.Hashed:
        nonlocal opened
        if not opened:
            opened = True
            await freezing.run_freeze(foundry.runtime, project.tenant, other.id)
        return await hashed(*parts)

    monkeypatch.setattr(freezing, "_hashed", slowly)
    close, earlier = freezing._close, [0]

    async def counted(conn: Conn, *more: Any) -> None:
        earlier.append(len(more[-1]))
        await close(conn, *more)

    monkeypatch.setattr(freezing, "_close", counted)
    run(foundry, project, begun)
    [(text,)] = foundry.sql("SELECT earlier FROM release WHERE id = %s", begun.id)
    assert str(other.id) in text


def test_what_cannot_be_frozen_is_declared_again_and_says_why(
    foundry: Foundry, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asked_for(foundry, project, "given up")
    foundry.call(lambda runtime: freezing.fail_freeze(runtime, project.tenant, begun.id, "The disk is full."))
    failed = seen(foundry, project, begun)
    assert (failed.state, failed.trouble, failed.freezing) == ("declared", "The disk is full.", None)
    again = foundry.app(project.tenant, lambda conn: service.freeze(conn, foundry.runtime, project.tenant, begun.id))
    assert (again.state, again.trouble) == ("freezing", "")
    assert run(foundry, project, begun).items == ITEMS


def test_what_is_freezing_has_no_files_yet(foundry: Foundry, project: Project) -> None:
    begun = asked_for(foundry, project, "no files yet")
    with pytest.raises(Problem, match="is freezing") as told:
        foundry.app(
            project.tenant,
            lambda conn: exporting.start(conn, foundry.runtime, project.tenant, begun.id, "jsonl", "me"),
        )
    assert told.value.code == "release-unfrozen"
