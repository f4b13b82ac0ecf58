"""The verbs of who decides appeals: three people who belong to neither side, two of whom must agree.

They see the case and not the parties, vote without knowing each other's votes, and are paid for their time however
they vote. All as GATEWAY, under the tenant whose books pay them.
"""

from __future__ import annotations

from uuid import UUID

import msgspec
import psycopg

from cupola.appeals import model, service, store
from cupola.appeals.model import Case, Hearing, Voted
from cupola.catalog.showing import Show, read
from cupola.kernel import clock
from cupola.kernel.errors import conflict, not_found
from cupola.labels import decode_label
from cupola.ontology import service as ontologies
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime


async def cases(run: Runtime, person: UUID) -> list[Case]:
    """The appeals that somebody may sit on, the most urgent first."""
    now = clock.now()
    async with run.db.tx(Role.OPS) as conn:
        tenants = await store.HEARD_TENANTS.all(conn, now=now)
    found: list[Case] = []
    for row in tenants:
        worker = run.worker_of(row.tenant, person)
        async with run.db.tx(Role.GATEWAY, tenant=row.tenant, worker=worker, person=person) as conn:
            await service.due(conn, row.tenant)
            open_ = await store.CASES.all(
                conn, tenant=row.tenant, person=person, worker=worker, stale=now - model.SEAT_STALE
            )
        found += [
            Case(one.appeal, one.kind, one.reason, one.panel_by, one.currency, one.seat_minor, one.mine, one.voted)
            for one in open_
        ]
    return sorted(found, key=lambda one: one.panel_by)


async def _tenant(run: Runtime, appeal: UUID) -> UUID:
    async with run.db.tx(Role.OPS) as conn:
        tenant = await store.TENANT_OF_APPEAL.maybe(conn, appeal=appeal)
    if tenant is None:
        raise not_found("appeal")
    return tenant


async def sit(run: Runtime, person: UUID, appeal: UUID) -> Hearing:
    """Take a seat. Raises Problem(NOT_FOUND) where none is free for this person: nobody learns why."""
    tenant, now = await _tenant(run, appeal), clock.now()
    worker = run.worker_of(tenant, person)
    try:
        async with run.db.tx(Role.GATEWAY, tenant=tenant, worker=worker, person=person) as conn:
            await service.due(conn, tenant)
            seat = await store.SIT.maybe(
                conn,
                tenant=tenant,
                appeal=appeal,
                person=person,
                worker=worker,
                stale=now - model.SEAT_STALE,
                now=now,
            )
    except psycopg.errors.RestrictViolation as error:
        raise not_found("appeal") from error
    if seat is None:
        raise not_found("appeal")
    return await hearing(run, person, appeal)


async def hearing(run: Runtime, person: UUID, appeal: UUID) -> Hearing:
    """The case as who sits on it sees it. Raises Problem(NOT_FOUND) for who does not."""
    tenant = await _tenant(run, appeal)
    worker = run.worker_of(tenant, person)
    async with run.db.tx(Role.GATEWAY, tenant=tenant, worker=worker, person=person) as conn:
        row = await store.HEARING.maybe(conn, tenant=tenant, appeal=appeal, person=person)
        if row is None:
            raise not_found("appeal")
        version = await ontologies.decoded(conn, tenant, row.ontology_version)
    return Hearing(
        appeal,
        row.kind,
        msgspec.to_builtins(version.ontology),
        version.guidelines,
        Show(run, tenant, f"person:{person}", service.URL_LIFE_S).item(read(row.item)),
        msgspec.Raw(row.label.encode()),
        row.reason,
        row.place,
        row.part,
        row.note,
        row.evidence,
        msgspec.Raw(row.corrected.encode()) if row.corrected else None,
        row.words,
        row.answer,
        row.panel_by,
        row.currency,
        row.seat_minor,
        service.parts_of(decode_label(row.label), version.ontology),
    )


async def vote(run: Runtime, person: UUID, appeal: UUID, *, upheld: bool, words: str) -> Voted:
    """Cast one's vote and be paid for the time since one sat down. The first vote stands.

    Raises Problem: NOT_FOUND; CONFLICT "panel-over".
    """
    tenant, now = await _tenant(run, appeal), clock.now()
    worker = run.worker_of(tenant, person)
    async with run.db.tx(Role.GATEWAY, tenant=tenant, worker=worker, person=person) as conn:
        await service.due(conn, tenant)
        case = await store.HEARING.maybe(conn, tenant=tenant, appeal=appeal, person=person)
        since = await store.SEATED.maybe(conn, tenant=tenant, appeal=appeal, person=person)
        if case is None or since is None:
            raise not_found("appeal")
        seconds = max(0.0, (now - since).total_seconds())
        try:
            paid = await store.VOTE.one(
                conn,
                tenant=tenant,
                appeal=appeal,
                person=person,
                upheld=upheld,
                words=words,
                seconds=seconds,
                paid_minor=model.panel_pay_minor(case.currency, seconds),
                now=now,
            )
        except psycopg.errors.ObjectNotInPrerequisiteState as error:
            raise conflict(
                "panel-over",
                "This appeal was decided already, or its time is over.",
                remedy="Take another case; a seat that you held is paid only for a vote.",
            ) from error
    return Voted(paid, case.currency)
