"""What is kept for a while only goes at its age, not before, in small bites; what is needed stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from cupola.kernel import ids, retention
from cupola.platform.pg.tx import Role
from cupola.platform.sweeping import service, store
from tests.foundry import Foundry, Project, moved_clock

HOUR_S = 3_600.0


def answers(foundry: Foundry, project: Project) -> str:
    foundry.sql(
        "INSERT INTO idempotency (tenant, principal, key, request_hash, at) "
        "VALUES (%s, 'key:one', 'k', '\\x00', now())",
        project.tenant,
    )
    return "idempotency"


def _worker(foundry: Foundry, project: Project) -> UUID:
    worker = ids.uuid7()
    foundry.sql(
        "INSERT INTO contributor (tenant, worker, person, admitted_at) VALUES (%s, %s, %s, now())",
        project.tenant,
        worker,
        foundry.person(),
    )
    return worker


def draft(foundry: Foundry, project: Project, task: UUID, worker: UUID) -> None:
    foundry.sql(
        "INSERT INTO draft (tenant, worker, task, label, rev, at) VALUES (%s, %s, %s, '{}', 1, now())",
        project.tenant,
        worker,
        task,
    )


def drafts(foundry: Foundry, project: Project) -> str:
    worker = _worker(foundry, project)
    settled, cancelled = project.tasks[:2]
    foundry.sql("UPDATE task SET state = 3, settled_at = now() WHERE id = %s", settled)
    foundry.sql("UPDATE task SET state = 4 WHERE id = %s", cancelled)
    for task in (settled, cancelled):
        draft(foundry, project, task, worker)
    return "draft"


def run_of(foundry: Foundry, project: Project, state: str) -> UUID:
    run = ids.uuid7()
    foundry.sql(
        "INSERT INTO import_run (tenant, id, dataset, source, state, created_at, finished_at) "
        "SELECT tenant, %s, dataset, '{}', %s, now(), CASE WHEN %s = 'done' THEN now() END FROM project WHERE id = %s",
        run,
        state,
        state,
        project.id,
    )
    return run


def refuse(foundry: Foundry, project: Project, run: UUID, count: int = 1) -> None:
    foundry.sql(
        "INSERT INTO import_refusal (tenant, import, place, reason, detail, remedy) "
        "SELECT %s, %s, 'line ' || n, 'unreadable', 'd', 'r' FROM generate_series(1, %s) n",
        project.tenant,
        run,
        count,
    )


def refusals(foundry: Foundry, project: Project) -> str:
    refuse(foundry, project, run_of(foundry, project, "done"))
    return "import_refusal"


def model(foundry: Foundry, project: Project, version: int) -> None:
    foundry.sql(
        "INSERT INTO model_version (tenant, project, version, strategy, method, rho, judgements, state, at) "
        "VALUES (%s, %s, %s, 'coded', 'm', 0.9, 1, '\\x00', now())",
        project.tenant,
        project.id,
        version,
    )


def models(foundry: Foundry, project: Project) -> str:
    for version in (1, 2):
        model(foundry, project, version)
    return "model_version"


def job(foundry: Foundry, project: Project, *, failed: bool) -> None:
    foundry.sql(
        "INSERT INTO job (tenant, kind, subject, asked_at, due_at, failed_at) "
        "VALUES (%s, 'nobodys', %s, now(), now(), CASE WHEN %s THEN now() END)",
        project.tenant,
        ids.uuid7(),
        failed,
    )


def jobs(foundry: Foundry, project: Project) -> str:
    job(foundry, project, failed=True)
    return "job"


def webhooks(foundry: Foundry, project: Project) -> str:
    hook = ids.uuid7()
    foundry.sql(
        "INSERT INTO webhook (tenant, id, url, secret, events, created_at) "
        "VALUES (%s, %s, 'http://x', 's', '{}', now())",
        project.tenant,
        hook,
    )
    for state in ("delivered", "failed", "waiting"):
        foundry.sql(
            "INSERT INTO webhook_delivery (tenant, id, webhook, event, kind, body, state, created_at) SELECT %s, %s, "
            "%s, seq, kind, '{}', %s, now() FROM event e WHERE tenant = %s AND NOT EXISTS (SELECT FROM "
            "webhook_delivery d WHERE d.tenant = e.tenant AND d.event = e.seq) LIMIT 1",
            project.tenant,
            ids.uuid7(),
            hook,
            state,
            project.tenant,
        )
    return "webhook_delivery"


def callbacks(foundry: Foundry, project: Project) -> str:
    for state in ("delivered", "failed", "waiting"):
        foundry.sql(
            "INSERT INTO order_callback (tenant, id, kind, url, body, state, created_at) "
            "VALUES (%s, %s, 'task', 'http://x', '{}', %s, now())",
            project.tenant,
            ids.uuid7(),
            state,
        )
    return "order_callback"


def sessions(foundry: Foundry, project: Project) -> str:
    for number, lasts in enumerate(("0 s", "100 years")):
        foundry.sql(
            "INSERT INTO person_session (token_hash, person, csrf, created_at, expires_at) "
            "VALUES (sha256(%s::text::bytea), %s, 'c', now(), now() + %s::interval)",
            str(number),
            foundry.person(),
            lasts,
        )
    return "person_session"


def beats(foundry: Foundry, project: Project) -> str:
    foundry.sql("INSERT INTO process_beat (process, role, host, pid, at) VALUES ('p', 'worker', 'h', 1, now())")
    return "process_beat"


def events(foundry: Foundry, project: Project) -> str:
    """All that happened so far was heard by all who hear; then something happens that one has still to hear."""
    foundry.submit(person := foundry.person(), foundry.claim(person, project))
    foundry.sql("DELETE FROM event_place WHERE tenant = %s", project.tenant)
    foundry.sql(
        "INSERT INTO event_place (tenant, consumer, epoch, xid, seq, at, until) SELECT tenant, consumer, epoch, "
        "(xid::text::bigint + ahead)::text::xid8, seq, now(), now() FROM event e, (VALUES ('quick', 9), ('slow', 0)) "
        "AS c (consumer, ahead) WHERE tenant = %s AND kind = 'judgement.submitted'",
        project.tenant,
    )
    return "event"


def exports(foundry: Foundry, project: Project) -> str:
    release = ids.uuid7()
    foundry.sql(
        "INSERT INTO release (tenant, id, project, name, state, licence, items, plan, plan_sha256, rows_sha256, "
        "seed_commitment, auditors, created_at) "
        "VALUES (%s, %s, %s, 'r', 'declared', '', 0, '{}', '', '', '', 1, now())",
        *(project.tenant, release, project.id),
    )
    for state in ("done", "failed", "running"):
        foundry.sql(
            "INSERT INTO export (tenant, id, release, format, state, sha256, created_at) "
            "VALUES (%s, %s, %s, 'jsonl', %s, '\\x00', now())",
            *(project.tenant, ids.uuid7(), release, state),
        )
    return "export"


def unused(foundry: Foundry, project: Project) -> str:
    """Of two that a contributor handed in, for a task that they then judged and for one that they did not."""
    held = foundry.claim(person := foundry.person(), project)
    foundry.sql(
        "INSERT INTO handed_in (tenant, item, giver, sha256, name, media_type, bytes, at) "
        "SELECT l.tenant, t.item, l.worker, sha256(t.id::text::bytea), 'a', 'text/plain', 1, now() "
        "FROM lease l JOIN task t ON t.tenant = l.tenant AND t.id = l.task WHERE l.assignment = %s AND t.id = ANY(%s)",
        held.id,
        [one.task for one in held.tasks[:2]],
    )
    foundry.submit(person, held, only=1)
    return "handed_in"


KINDS: dict[str, tuple[Callable[[Foundry, Project], str], int]] = {  # how it is made, and how many of it stay
    "answers": (answers, 0),
    "drafts": (drafts, 0),
    "refusals": (refusals, 0),
    "models": (models, 1),
    "jobs": (jobs, 0),
    "webhooks": (webhooks, 1),
    "callbacks": (callbacks, 1),
    "sessions": (sessions, 1),
    "beats": (beats, 0),
    "events": (events, 1),  # where the slowest stands: its place is what it has heard, and no less is cut
    "exports": (exports, 1),
    "unused": (unused, 1),
}


def count(foundry: Foundry, table: str, tenant: UUID) -> int:
    # of tests: the names of tables stand in this file
    if table in ("person_session", "process_beat"):  # of no tenant
        return int(foundry.sql(f"SELECT count(*) FROM {table}")[0][0])
    return int(foundry.sql(f"SELECT count(*) FROM {table} WHERE tenant = %s", tenant)[0][0])


def sweep(foundry: Foundry) -> dict[str, int]:
    return dict(foundry.call(lambda run: service.sweep(run.db)))


@pytest.mark.parametrize("rule", [one for one in retention.RULES if not one.files], ids=lambda rule: rule.kind)
def test_each_kind_goes_at_its_age_and_not_before(foundry: Foundry, rule: retention.Rule) -> None:
    make, left = KINDS[rule.kind]
    project = foundry.project(foundry.tenant(), 3)
    table = make(foundry, project)
    before = count(foundry, table, project.tenant)
    with moved_clock(rule.kept.total_seconds() - HOUR_S):
        sweep(foundry)
        assert count(foundry, table, project.tenant) == before > left
    with moved_clock(rule.kept.total_seconds() + HOUR_S):
        assert foundry.call(lambda run: service.due(run.db))[rule.kind] >= before - left
        assert sweep(foundry)[rule.kind] >= before - left
        assert count(foundry, table, project.tenant) == left
        assert foundry.call(lambda run: service.due(run.db))[rule.kind] == 0


def test_what_somebody_needs_stays_however_old_it_is(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 3)
    draft(foundry, project, project.tasks[0], _worker(foundry, project))  # its task is open
    refuse(foundry, project, run_of(foundry, project, "running"))
    job(foundry, project, failed=False)
    for version in (1, 2, 3):
        model(foundry, project, version)
    foundry.sql(
        "INSERT INTO settlement (tenant, id, task, project, version, label, confidence, how, method, model_version, "
        "judgements, at) VALUES (%s, %s, %s, %s, 1, NULL, 0.9, 'crowd', 'm', 1, '{}', now())",
        project.tenant,
        ids.uuid7(),
        project.tasks[0],
        project.id,
    )
    kept = {table: count(foundry, table, project.tenant) for table in ("transfer", "settlement", "offer")}
    with moved_clock(timedelta(days=3_650).total_seconds()):
        sweep(foundry)
    assert count(foundry, "draft", project.tenant) == 1
    assert count(foundry, "import_refusal", project.tenant) == 1
    assert count(foundry, "job", project.tenant) == 1
    versions = foundry.sql("SELECT version FROM model_version WHERE project = %s ORDER BY version", project.id)
    assert versions == [(1,), (3,)], "the one that something was settled by, and the newest"
    assert kept == {table: count(foundry, table, project.tenant) for table in kept}


def test_many_rows_go_in_small_bites_past_one_that_somebody_holds(
    foundry: Foundry, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = foundry.project(foundry.tenant(), 1)
    run_id = run_of(foundry, project, "done")
    refuse(foundry, project, run_id, 10_000)
    bites: list[int] = []

    class Noted:
        async def one(self, conn: object, **asked: object) -> int:
            gone = await original.one(conn, **asked)  # type: ignore[arg-type]
            if asked["kind"] == "refusals" and gone:
                bites.append(gone)
            return gone

    original = store.SWEEP
    monkeypatch.setattr(store, "SWEEP", Noted())

    async def held(run: object) -> None:
        async with foundry.runtime.db.tx(Role.APP, tenant=project.tenant) as conn:
            # what the sweeper's own lock would wait for, were it to wait
            taken = await conn.execute("SELECT sweep('refusals', now() + interval '1 day', 7)")
            assert await taken.fetchone() == (7,)
            await service.sweep(foundry.runtime.db)
            raise RuntimeError("rolled back")

    with moved_clock(timedelta(days=91).total_seconds()):
        with pytest.raises(RuntimeError, match="rolled back"):
            foundry.call(held)
        assert count(foundry, "import_refusal", project.tenant) >= 7
        sweep(foundry)
    assert count(foundry, "import_refusal", project.tenant) == 0
    assert max(bites) <= retention.BATCH
    assert sum(bites) == 10_000


def test_a_tenant_sweeps_nobody_elses(foundry: Foundry) -> None:
    mine, other = foundry.tenant(), foundry.project(foundry.tenant(), 1)
    answers(foundry, other)

    async def try_it(conn: object) -> object:
        return await store.SWEEP.one(conn, kind="answers", before=service.clock.now() + timedelta(days=1), limit=9)  # type: ignore[arg-type]

    assert foundry.app(mine, try_it) == 0
    assert count(foundry, "idempotency", other.tenant) == 1


def test_what_a_project_that_is_set_aside_has_still_to_hear_is_kept(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 3)
    events(foundry, project)
    foundry.sql(
        "INSERT INTO event_aside (tenant, consumer, project, epoch, xid, seq, since, next_at) "
        "SELECT tenant, 'quick', %s, epoch, xid, seq, now(), now() FROM event WHERE tenant = %s "
        "AND kind = 'project.launched'",
        *(project.id, project.tenant),
    )
    before = count(foundry, "event", project.tenant)
    with moved_clock(timedelta(days=401).total_seconds()):
        sweep(foundry)
    left = [kind for (kind,) in foundry.sql("SELECT kind FROM event WHERE tenant = %s", project.tenant)]
    assert "project.launched" in left
    assert len(left) < before, "what came before it went"
    foundry.sql("DELETE FROM event_aside")


def test_events_go_by_the_sweeper_alone_and_the_books_do_not_miss_them(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 3)
    events(foundry, project)
    for told in ("DELETE FROM event WHERE tenant = %s", "UPDATE event SET kind = 'other' WHERE tenant = %s"):
        with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
            foundry.sql(told, project.tenant)
    with pytest.raises(
        psycopg.errors.RestrictViolation, match="append-only"
    ):  # what is said for events is for no other
        foundry.sql("SELECT set_config('cupola.sweeping', 'events', false); DELETE FROM transfer WHERE false", {})
    assert foundry.offences([project.tenant]) == []
    with moved_clock(timedelta(days=401).total_seconds()):
        assert sweep(foundry)["events"] > 0
    assert foundry.offences([project.tenant]) == []
    # a transfer that lost its event without the sweeper is still found
    foundry.sql("UPDATE event_cut SET before = '2000-01-01' WHERE tenant = %s", project.tenant)
    assert {one.rule for one in foundry.offences([project.tenant])} == {"L11"}
    foundry.sql("UPDATE event_cut SET before = now() WHERE tenant = %s", project.tenant)
