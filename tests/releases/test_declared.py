"""A release is declared before it is frozen, says how often its rows were audited, and its tables keep both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import errors

from cupola.kernel import ids
from cupola.kernel.errors import Problem
from cupola.quality import certify
from cupola.releases import service, verifying
from cupola.releases.model import AuditAsked, Release
from tests.foundry import Foundry, Project
from tests.releases.test_release import audit, bundle, declare, freeze, settle

ASKED = AuditAsked(10, 0.95, 0.6)


@pytest.fixture(scope="module")
def project(foundry: Foundry) -> Project:
    made = foundry.project(foundry.tenant(), 40)
    settle(foundry, made)
    return made


def certified(foundry: Foundry, project: Project, name: str, items: int = 10) -> Release:
    release = freeze(foundry, project, name, items)
    audit(foundry, project, release.id, 0)
    return foundry.app(
        project.tenant, lambda conn: service.certify_release(conn, foundry.runtime, project.tenant, release.id)
    )


def document(foundry: Foundry, release: UUID) -> dict[str, Any]:
    [(text,)] = foundry.sql("SELECT certificate FROM release WHERE id = %s", release)
    return json.loads(text)  # type: ignore[no-any-return]


def test_the_commitment_is_published_before_any_row_is_frozen(foundry: Foundry, project: Project) -> None:
    declared = declare(foundry, project, "published", ASKED)
    assert (declared.state, declared.items, declared.seed, declared.frozen_at) == ("declared", 0, None, None)
    [(event,)] = foundry.sql("SELECT data FROM event WHERE subject = %s AND kind = 'release.declared'", declared.id)
    assert event["seed_commitment_sha256"] == declared.seed_commitment
    assert foundry.sql("SELECT count(*) FROM release_row WHERE release = %s", declared.id) == [(0,)]
    frozen = foundry.app(
        project.tenant, lambda conn: service.freeze(conn, foundry.runtime, project.tenant, declared.id)
    )
    assert (frozen.state, frozen.items, frozen.audit.drawn) == ("auditing", 40, 10)
    again = foundry.app(project.tenant, lambda conn: service.freeze(conn, foundry.runtime, project.tenant, declared.id))
    assert again == frozen
    assert frozen.seed is not None
    assert len({frozen.seed, declare(foundry, project, "another", ASKED).seed_commitment}) == 2


def test_declaring_and_freezing_in_one_transaction_is_refused_by_the_table(foundry: Foundry, project: Project) -> None:
    async def both(conn: Any) -> None:
        run = foundry.runtime
        made = await service.declare(conn, run, project.tenant, project.id, "at once", "", ASKED)
        await service.freeze(conn, run, project.tenant, made.id)

    with pytest.raises(errors.RestrictViolation, match="published before"):
        foundry.app(project.tenant, both)


def test_each_further_audit_of_the_same_rows_is_told_and_has_less_doubt_to_spend(
    foundry: Foundry, tmp_path: Path
) -> None:
    project = foundry.project(foundry.tenant(), 40)
    settle(foundry, project)
    first, second = certified(foundry, project, "one"), certified(foundry, project, "two")
    opened = freeze(foundry, project, "never finished")
    settle(foundry, project, "b", project.tasks[:3])  # a few corrections make no other rows
    fourth = certified(foundry, project, "four")
    told = [document(foundry, release.id) for release in (first, second, fourth)]
    assert [one["plan"]["attempt"] for one in told] == [1, 2, 4]
    assert [one["plan"]["bound_confidence"] for one in told] == [0.96, 0.992, 0.99968]
    assert [one["plan"]["confidence"] for one in told] == [0.95] * 3
    bounds = [one["result"]["accuracy_lower"] for one in told]
    assert bounds == sorted(bounds, reverse=True)
    assert [(one["name"], one["came"], one["shared_rows"]) for one in told[2]["earlier"]] == [
        ("one", "certified", 40 - 3),
        ("two", "certified", 40 - 3),
        ("never finished", "open", 40 - 3),
    ]
    assert "audit 4 of these rows" in told[2]["statement"]
    assert opened.certificate is None
    file = bundle(foundry, project, fourth.id, tmp_path / "four-evidence.zip")
    assert verifying.verify(file).wrong == []
    forged = told[2] | {"earlier": []}
    key = foundry.runtime.settings.derive("certificate signature")
    labels = {str(row.task): row.label for row in rows(foundry, project, fourth.id)}
    assert any("attempt" in line for line in certify.check(certify.sign(forged, key), labels))


def rows(foundry: Foundry, project: Project, release: UUID) -> Sequence[Any]:
    class Row:
        def __init__(self, task: UUID, label: str) -> None:
            self.task, self.label = task, json.loads(label)

    return [
        Row(*row)
        for row in foundry.sql(
            "SELECT r.task, s.label FROM release_row r JOIN settlement s ON s.id = r.settlement WHERE r.release = %s",
            release,
        )
    ]


def test_rows_that_are_mostly_new_are_audited_for_the_first_time(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 20)
    settle(foundry, project, tasks=project.tasks[:8])
    assert document(foundry, certified(foundry, project, "small", 4).id)["plan"]["attempt"] == 1
    settle(foundry, project, tasks=project.tasks[8:])
    grown = document(foundry, certified(foundry, project, "grown", 4).id)
    assert grown["plan"]["attempt"] == 1
    assert [one["shared_rows"] for one in grown["earlier"]] == [8]


TABLES = ("release", "release_row", "audit_item", "audit_judgement")


def test_the_app_role_rewrites_nothing_that_a_release_has_said(foundry: Foundry, project: Project) -> None:
    done = certified(foundry, project, "kept for ever")
    columns = foundry.sql(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'cupola' "
        "AND table_name = ANY (%s)",
        list(TABLES),
    )
    before = [foundry.sql(f"SELECT t::text FROM {table} t WHERE tenant = %s", project.tenant) for table in TABLES]
    refused = (errors.RestrictViolation, errors.InsufficientPrivilege, errors.GeneratedAlways)
    with psycopg.connect(foundry.server_url, autocommit=True, options="-c search_path=cupola") as conn:
        conn.execute("SET ROLE cupola_app")
        conn.execute("SELECT set_config('app.tenant', %s, false)", (str(project.tenant),))
        for table, column in columns:
            with pytest.raises(refused):
                conn.execute(f"UPDATE {table} SET {column} = {column}")
        for table in TABLES:
            with pytest.raises(refused):
                conn.execute(f"DELETE FROM {table}")
            with pytest.raises(refused):
                conn.execute(f"TRUNCATE {table} CASCADE")
        for change in (
            "certificate = '{}'",
            "state = 'auditing', certificate = NULL, certified_at = NULL",
            "state = 'declared'",
            "state = 'failed'",
        ):
            with pytest.raises(refused):
                conn.execute(f"UPDATE release SET {change} WHERE id = %s", (done.id,))
        with pytest.raises(refused):
            conn.execute(
                "INSERT INTO release_row SELECT tenant, release, 1000, %s, settlement FROM release_row "
                "WHERE release = %s LIMIT 1",
                (ids.uuid7(), done.id),
            )
        with pytest.raises(refused):
            conn.execute(
                "INSERT INTO audit_item SELECT tenant, release, uuidv7(), 1000, position FROM release_row "
                "WHERE release = %s AND position NOT IN (SELECT row FROM audit_item WHERE release = %s) LIMIT 1",
                (done.id, done.id),
            )
        with pytest.raises(refused):
            conn.execute(
                "INSERT INTO audit_judgement (tenant, id, audit_item, round, label, undecidable, correct, seconds, at) "
                "SELECT tenant, uuidv7(), id, 2, '{}', false, true, 1, now() FROM audit_item "
                "WHERE release = %s LIMIT 1",
                (done.id,),
            )
        with pytest.raises(refused):
            conn.execute(
                "INSERT INTO release (tenant, id, project, name, state, licence, items, plan, plan_sha256, "
                "rows_sha256, seed_commitment, certificate, created_at) SELECT tenant, uuidv7(), project, 'forged', "
                "'certified', '', 1, plan, plan_sha256, rows_sha256, seed_commitment, certificate, now() FROM release "
                "WHERE id = %s",
                (done.id,),
            )
    after = [foundry.sql(f"SELECT t::text FROM {table} t WHERE tenant = %s", project.tenant) for table in TABLES]
    assert after == before


def test_a_declared_release_takes_no_seed_but_the_one_it_committed_to(foundry: Foundry, project: Project) -> None:
    declared = declare(foundry, project, "other seed", ASKED)

    async def other(conn: Any) -> None:
        await conn.execute(
            "UPDATE release SET state = 'frozen', seed = 'another', frozen_at = now() WHERE id = %s", (declared.id,)
        )

    with pytest.raises(errors.RestrictViolation, match="committed"):
        foundry.app(project.tenant, other)
    with pytest.raises(Problem) as absent:
        foundry.app(project.tenant, lambda conn: service.freeze(conn, foundry.runtime, project.tenant, ids.uuid7()))
    assert absent.value.kind.name == "NOT_FOUND"
