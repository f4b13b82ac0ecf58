"""An export of many rows grows the process by no more than a few batches. Not timed."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest

from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from cupola.releases import exporting, freezing, service
from cupola.releases.model import AuditAsked, Release
from tests.foundry import Foundry, choice

ROWS = 60_000
GROWTH_MB = 50
pytestmark = pytest.mark.slow


def peak_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmHWM in /proc/self/status")


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def test_exporting_many_rows_holds_only_a_part_of_them(foundry: Foundry) -> None:
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("needs Linux's /proc")
    release = settled(foundry, ROWS)
    few = settled(foundry, 10)  # what a format loads once is no part of the growth
    grown: dict[str, float] = {}
    for form in ("jsonl", "parquet"):
        export(foundry, few, form)
        forget_peak()
        before = peak_mb()
        assert export(foundry, release, form) == ("done", ROWS)
        grown[form] = peak_mb() - before
    assert max(grown.values()) <= GROWTH_MB, grown


def settled(foundry: Foundry, rows: int) -> tuple[UUID, UUID]:
    """A release of so many settled tasks: its tenant and its identifier."""
    tenant = foundry.tenant()
    project = foundry.project(tenant, rows)
    foundry.sql(
        "INSERT INTO settlement (tenant, id, task, project, version, label, code, confidence, how, method, judgements, "
        "at) SELECT tenant, uuidv7(), id, project, 1, %s, 0, 0.99, 'crowd', 'test', "
        "ARRAY[uuidv7(), uuidv7(), uuidv7()], now() FROM task WHERE project = %s",
        json.dumps(choice("a")),
        project.id,
    )
    foundry.sql("UPDATE task SET state = 3, open_slots = 0, settled_version = 1 WHERE project = %s", project.id)
    asked = AuditAsked(0, 0.95, 0.9)
    declared = foundry.app(
        tenant, lambda conn: service.declare(conn, foundry.runtime, tenant, project.id, "large", "", asked)
    )

    async def freeze(run: Runtime) -> Release:
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            return await service.freeze(conn, run, tenant, declared.id)

    release = foundry.start(freeze).result()
    foundry.start(lambda run: freezing.run_freeze(run, tenant, release.id)).result()  # what is small stands already
    return tenant, release.id


def export(foundry: Foundry, release: tuple[UUID, UUID], form: str) -> tuple[str, int]:
    """Its state and its rows."""
    tenant, frozen = release
    begun = foundry.app(tenant, lambda conn: exporting.start(conn, foundry.runtime, tenant, frozen, form, "me"))
    foundry.start(lambda run: exporting.run_export(run, tenant, begun.id)).result()  # however long it takes
    (row,) = foundry.sql("SELECT state, rows FROM export WHERE id = %s", begun.id)
    return row
