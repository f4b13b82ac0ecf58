"""A file in the store of blobs goes when it is old and nothing names it; whatever names one keeps it."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from cupola.kernel import clock, ids, retention
from cupola.platform.pg.long import reference
from cupola.platform.sweeping import files
from tests.foundry import Foundry, Project, moved_clock

[RULE] = [rule for rule in retention.RULES if rule.files]
OLD_S = RULE.kept.total_seconds() + 3_600
LABEL = b'{"kind":"text","text":"' + b"x" * 40_000 + b'"}'


@pytest.fixture
def project(foundry: Foundry) -> Project:
    with moved_clock(timedelta(days=4_000).total_seconds()):
        swept(foundry)  # what other tests have left
    return foundry.project(foundry.tenant(), 2)


def put(foundry: Foundry, tenant: UUID, data: bytes) -> str:
    return foundry.call(lambda run: run.blobs.put(tenant, data)).sha256


def there(foundry: Foundry, tenant: UUID, sha256: str) -> bool:
    return foundry.call(lambda run: run.blobs.head(tenant, sha256)) is not None


def swept(foundry: Foundry) -> int:
    return foundry.call(lambda run: files.sweep(run.db, run.blobs))


def due(foundry: Foundry) -> int:
    return foundry.call(lambda run: files.due(run.db, run.blobs))


def test_a_file_that_nothing_names_goes_at_its_age_and_not_before(foundry: Foundry, project: Project) -> None:
    sha256 = put(foundry, project.tenant, b"an upload, or a label of a transaction that never came")
    with moved_clock(OLD_S - 7_200):
        assert due(foundry) == swept(foundry) == 0
    with moved_clock(OLD_S):
        assert due(foundry) == 1
        assert swept(foundry) == 1
        assert due(foundry) == 0
    assert not there(foundry, project.tenant, sha256)


def test_what_is_put_again_is_as_new(foundry: Foundry, project: Project) -> None:
    data = b"imported a month ago, and again today"
    root = foundry.runtime.settings.data_dir / "blobs" / str(project.tenant)
    waysin: list[Callable[[], object]] = [
        lambda: put(foundry, project.tenant, data),
        lambda: foundry.runtime.blobs.put_now(project.tenant, data),
        lambda: foundry.call(lambda run: run.blobs.put_stream(project.tenant, pieces(data))),
    ]
    for again in waysin:
        sha256 = put(foundry, project.tenant, data)
        then = (clock.now() - timedelta(seconds=OLD_S)).timestamp()
        os.utime(root / sha256, (then, then))
        assert due(foundry) == 1
        again()
        assert due(foundry) == swept(foundry) == 0
        assert there(foundry, project.tenant, sha256)


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data


def test_whoever_puts_it_while_it_is_taken_away_has_it(foundry: Foundry, project: Project) -> None:
    """The sweeper saw it old; then somebody put it; then the sweeper takes it."""
    sha256 = put(foundry, project.tenant, b"just now")
    before = clock.now() - timedelta(hours=1)
    assert foundry.call(lambda run: run.blobs.delete_old(project.tenant, sha256, before)) is False
    assert there(foundry, project.tenant, sha256)
    assert foundry.call(lambda run: run.blobs.delete_old(project.tenant, "0" * 64, before)) is False, "gone already"
    left = foundry.runtime.settings.data_dir / "blobs" / ".incoming"
    assert not list(left.glob("swept-*"))


NAMING: dict[str, str] = {
    "a picture": "INSERT INTO blob (tenant, sha256, bytes, media_type, created_at) "
    "VALUES (%(tenant)s, %(sum)s, 1, 'image/png', now())",
    "a thumbnail": "INSERT INTO blob (tenant, sha256, bytes, media_type, thumb_sha256, created_at) "
    "VALUES (%(tenant)s, sha256('other'), 1, 'image/png', %(sum)s, now())",
    "an order's file": "INSERT INTO order_file (tenant, id, asset, name, media_type, created_at, updated_at) "
    "VALUES (%(tenant)s, %(id)s, %(sum)s, 'f', 'text/plain', now(), now())",
    "an import": "INSERT INTO import_run (tenant, id, dataset, source, state, created_at) "
    "SELECT tenant, %(id)s, dataset, jsonb_build_object('type', 'upload', 'upload', %(sha256)s || '/items.zip'), "
    "'failed', now() "
    "FROM project WHERE id = %(project)s",
    "a judgement": "INSERT INTO judgement (tenant, id, task, project, assignment, worker, label, seconds, gold, "
    "price_minor, transfer, at) SELECT tenant, %(id)s, task, project, assignment, %(id)s, %(label)s, 1, gold, "
    "price_minor, transfer, at FROM judgement WHERE tenant = %(tenant)s LIMIT 1",
    "a settlement": "INSERT INTO settlement (tenant, id, task, project, version, label, confidence, how, method, "
    "judgements, at) VALUES (%(tenant)s, %(id)s, %(task)s, %(project)s, 1, %(label)s, 0.9, 'crowd', 'm', '{}', now())",
    "an adjudication": "INSERT INTO adjudication (tenant, id, task, label, undecidable, note, at) "
    "VALUES (%(tenant)s, %(id)s, %(task)s, %(label)s, false, '', now())",
    "gold": "INSERT INTO gold (tenant, task, label, at) VALUES (%(tenant)s, %(task)s, %(label)s, now())",
    "a pre-label": "UPDATE item SET pre_label = %(label)s WHERE tenant = %(tenant)s",
    "an item's gold": "UPDATE item SET gold_label = %(label)s WHERE tenant = %(tenant)s",
    "a draft": "INSERT INTO draft (tenant, worker, task, label, rev, at) "
    "SELECT tenant, worker, %(task)s, %(label)s, 1, now() FROM contributor WHERE tenant = %(tenant)s LIMIT 1 "
    "ON CONFLICT DO NOTHING",
    "an opinion": "INSERT INTO opinion (tenant, id, project, task, model, model_version, rater, label, at) "
    "VALUES (%(tenant)s, %(id)s, %(project)s, %(task)s, 'm', '1', %(id)s, %(label)s, now())",
}


@pytest.mark.parametrize("what", NAMING)
def test_what_is_named_stays_however_old_it_is(foundry: Foundry, project: Project, what: str) -> None:
    person = foundry.person()
    page = foundry.claim(person, project, 1)
    if what == "a judgement":
        foundry.submit(person, page)
    sha256 = put(foundry, project.tenant, LABEL)
    values = {
        "tenant": project.tenant,
        "id": ids.uuid7(),
        "project": project.id,
        "task": project.tasks[0],
        "sha256": sha256,
        "sum": bytes.fromhex(sha256),
        "label": reference(LABEL),
    }
    foundry.sql(NAMING[what], values)
    with moved_clock(timedelta(days=3_650).total_seconds()):
        assert due(foundry) == swept(foundry) == 0
    assert there(foundry, project.tenant, sha256)


def test_every_column_of_a_label_is_looked_through(foundry: Foundry) -> None:
    """A table that comes later with a label of its own is to be named by the sweeper as well."""
    found = foundry.sql(
        "SELECT table_name, column_name FROM information_schema.columns "
        "JOIN information_schema.tables USING (table_name) WHERE tables.table_schema = 'cupola' "
        "AND table_type = 'BASE TABLE' AND data_type = 'text' AND column_name IN ('label', 'pre_label', 'gold_label')"
    )
    [(body,)] = foundry.sql("SELECT prosrc FROM pg_proc WHERE proname = 'blobs_named'")
    assert len(found) >= 10
    for table, column in found:
        lines = [line for line in body.splitlines() if f"FROM {table} " in line]
        assert any(f".{column} = n.label" in line for line in lines), (table, column)


def test_an_import_that_is_done_needs_its_file_no_more(foundry: Foundry, project: Project) -> None:
    sha256 = put(foundry, project.tenant, b"a zip")
    source = json.dumps({"type": "upload", "upload": f"{sha256}/items.zip"})
    run = "INSERT INTO import_run (tenant, id, dataset, source, state, created_at, finished_at) "
    run += "SELECT tenant, %s, dataset, %s, 'done', now(), now() FROM project WHERE id = %s"
    foundry.sql(run, ids.uuid7(), source, project.id)
    with moved_clock(OLD_S):
        assert swept(foundry) == 1
    assert not there(foundry, project.tenant, sha256)
