"""From orders to foundry tasks: find or build the line that makes them, fetch what they show, pay for them, queue them.

A line is a project of the foundry: one for each ontology and instruction that a client's project asks for. It is built
on first use with the tenant's terms. An order is placed only with the money for all the judgements it may need; without
it, it waits and says so, and goes on when money comes in.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec
import psycopg

from cupola.catalog import service as catalog
from cupola.catalog.intake import Row
from cupola.catalog.single import service as items
from cupola.kernel import clock, ids, limits
from cupola.kernel.errors import Kind, Problem, invalid
from cupola.kernel.money import legs
from cupola.labels import encode, label_from
from cupola.ledger import service as ledger
from cupola.ontology import service as ontologies
from cupola.orders import model, service, store
from cupola.orders.files import service as files
from cupola.orders.model import Order, Work
from cupola.orders.store import Line, Placing
from cupola.orders.studio import crews
from cupola.platform.net import Fetcher, Guard
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.tasks import service as tasks
from cupola.tasks.model import Plan
from cupola.tasks.single import service as single
from cupola.tasks.single.service import ForItem
from cupola.tasks.training import service as training

log = logging.getLogger("cupola.orders")

LEARNERS = 3  # newcomers whose whole training is paid for in advance; others follow as they learn
AT_ONCE = 100  # orders placed in one transaction
FETCHES = 8
FETCH_TRIES = 3
FETCH_PAUSE_S = 1.0
_work = msgspec.json.Decoder(Work)


@dataclass(frozen=True, slots=True)
class Ready:
    """An order with the item that was made ready for it, or why that cannot be."""

    order: Placing
    work: Work
    row: Row | None
    error: str | None


async def place_waiting(run: Runtime, tenant: UUID, *, unfunded: bool = False) -> list[Order]:
    """Place whatever waits to be placed; unfunded: also what there was no money for before.

    One process at a time does this. Returns the orders that failed for good.
    """
    failed: list[Order] = []
    after = UUID(int=0)
    while True:
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            waiting = await store.WAITING.all(conn, tenant=tenant, after=after, unfunded=unfunded, limit=AT_ONCE)
        if not waiting:
            return failed
        after = waiting[-1].id
        for group in _by_line(waiting).values():
            try:
                failed += await _place(run, tenant, group)
            except psycopg.OperationalError:
                raise
            except Problem as problem:
                if problem.kind is Kind.UNAVAILABLE:
                    raise
                log.exception("%d orders could not be placed; they are tried again with the next event", len(group))
            except Exception:
                # a fault of ours with one order must not hold up everybody's
                log.exception("%d orders could not be placed; they are tried again with the next event", len(group))


def _by_line(waiting: Sequence[Placing]) -> dict[tuple[UUID | None, str, bytes], list[tuple[Placing, Work]]]:
    groups: dict[tuple[UUID | None, str, bytes], list[tuple[Placing, Work]]] = {}
    for order in waiting:
        work = _work.decode(order.work)
        spec = fingerprint(work, training=order.role == model.TRAINING)
        groups.setdefault((order.project, order.type, spec), []).append((order, work))
    return groups


def fingerprint(work: Work, *, training: bool = False) -> bytes:
    """What tells one line from another: the ontology, the guidelines, and whether it trains for the other; 32 bytes."""
    named = (work.spec, work.guidelines, "training") if training else (work.spec, work.guidelines)
    return hashlib.sha256(msgspec.json.encode(named, order="deterministic")).digest()


async def _place(run: Runtime, tenant: UUID, group: list[tuple[Placing, Work]]) -> list[Order]:
    first, work = group[0]
    failed: list[Order] = []
    try:
        learning = first.role == model.TRAINING
        line = await (_training_line if learning else _line)(run, tenant, first, work)
    except Problem as problem:
        if problem.kind is Kind.UNAVAILABLE:
            raise
        # an ontology that the type's own checks let pass: tell the client, do not try for ever
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            told = [await service.fail(conn, tenant, order.id, problem.detail) for order, _ in group]
        return [one for one in told if one is not None]
    funded = await _fund(run, tenant, line, group)
    ready = await _prepare(run, tenant, funded)
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        for one in ready:
            if one.error is not None:
                lost = await service.fail(conn, tenant, one.order.id, one.error)
                failed += [lost] if lost is not None else []
        # who canceled in the meantime gets nothing made
        good = [
            one
            for one in ready
            if one.row is not None and await store.STILL.maybe(conn, tenant=tenant, id=one.order.id) is not None
        ]
        if good:
            await _queue(conn, tenant, line, good)
    return failed


async def _line(run: Runtime, tenant: UUID, order: Placing, work: Work) -> Line:
    """The line for an order; built, with its dataset, ontology and project, when it is the first of its sort."""
    spec = fingerprint(work)
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        await store.LINE_LOCK.run(conn, name=f"{tenant}/{order.project}/{order.type}/{spec.hex()}")
        have = await store.LINE.maybe(conn, tenant=tenant, project=order.project, type=order.type, spec=spec)
        if have is not None:
            return have
        terms = await service.terms(conn, tenant)
        new = ids.uuid7()
        name = f"{(order.project_name or 'orders')[:120]} / {order.type} / {new.hex[-8:]}"
        dataset = await catalog.create_dataset(conn, tenant, name, "")
        ontology = await ontologies.create(conn, tenant, name, work.spec, {"en": work.guidelines})
        wanted = tasks.NewProject(
            name=name,
            dataset=dataset.id,
            ontology_version=ontology.version_id,
            plan=Plan(
                target_accuracy=terms.target_accuracy,
                min_judgements=terms.min_judgements,
                max_judgements=terms.max_judgements,
                gold_rate=0.05,
                audit_items=0,  # no audit of ours is planned: its client audits what it gets
            ),
            price_minor=terms.price_minor,
            currency=terms.currency,
            median_s=None,
            p75_s=None,
            page_size=terms.page_size,
            lease_s=limits.LEASE_S,
            routing="open",
        )
        project = await tasks.create_project(conn, run, tenant, wanted)
        each = legs(terms.price_minor, run.settings.fee_bp, run.settings.insurance_bp).total_minor
        await store.LINE_ADD.run(
            conn,
            tenant=tenant,
            id=new,
            project=order.project,
            type=order.type,
            spec=spec,
            dataset=dataset.id,
            foundry=project.id,
            judgements=terms.max_judgements,
            each_minor=each,
            currency=terms.currency,
            training=False,
            now=clock.now(),
        )
        return await store.LINE.one(conn, tenant=tenant, project=order.project, type=order.type, spec=spec)


async def _training_line(run: Runtime, tenant: UUID, order: Placing, work: Work) -> Line:
    """The line whose tasks train people for an order's line: a training project beside its project."""
    main = await _line(run, tenant, order, work)
    spec = fingerprint(work, training=True)
    named = {"tenant": tenant, "project": order.project, "type": order.type, "spec": spec}
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        await store.LINE_LOCK.run(conn, name=f"{tenant}/{main.id}/training")
        foundry = await training.beside(conn, run, tenant, main.foundry, work.pass_share)
        if await store.LINE.maybe(conn, **named) is None:
            await store.LINE_ADD.run(
                conn,
                **named,
                id=ids.uuid7(),
                dataset=main.dataset,
                foundry=foundry,
                judgements=LEARNERS,
                each_minor=main.each_minor,
                currency=main.currency,
                training=True,
                now=clock.now(),
            )
        return await store.LINE.one(conn, **named)


async def _fund(
    run: Runtime, tenant: UUID, line: Line, group: list[tuple[Placing, Work]]
) -> list[tuple[Placing, Work]]:
    """Allot the money that the orders may need; returns those it sufficed for, first come first served."""
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        funded = group[: await _afford(conn, tenant, line, len(group))]
        late = [order.id for order, _ in group[len(funded) :]]
        if late:
            await store.WAITS.run(conn, tenant=tenant, ids=late, waits="budget")
        fetched = [order.id for order, work in funded if work.attachment is not None]
        if fetched:
            await store.WAITS.run(conn, tenant=tenant, ids=fetched, waits="attachment")
    return funded


async def _afford(conn: Conn, tenant: UUID, line: Line, wanted: int) -> int:
    """Allot what the open orders of a line and `wanted` more may need; returns how many more it sufficed for."""
    whole = line.judgements * line.each_minor
    await store.LINE_LOCK.run(conn, name=f"{tenant}/{line.id}")
    open_orders = await store.OPEN_ON_LINE.one(conn, tenant=tenant, line=line.id)
    view = await ledger.money(conn, tenant)
    have = sum(
        account.balance_minor
        for account in view.accounts
        if account.project == line.foundry and account.type in ("project_budget", "escrow")
    )
    budget = sum(a.balance_minor for a in view.accounts if a.type == "budget" and a.currency == line.currency)
    spare = have - open_orders * whole
    more = min(wanted, max(0, (spare + budget) // whole))
    missing = min(more * whole - spare, budget)
    if missing > 0 and (more or open_orders):
        await ledger.allot(conn, tenant, line.foundry, missing, line.currency)
    return more


async def top_up(run: Runtime, tenant: UUID) -> None:
    """Give lines that cost more than was allotted at first the money for it, as far as the budget reaches."""
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        for line in await store.LINES_SPENDING.all(conn, tenant=tenant):
            await _afford(conn, tenant, line, 0)


async def _prepare(run: Runtime, tenant: UUID, group: list[tuple[Placing, Work]]) -> list[Ready]:
    gate = asyncio.Semaphore(FETCHES)
    async with Fetcher(Guard.of(run.settings.allowed_hosts)) as fetcher:

        async def one(order: Placing, work: Work) -> Ready:
            async with gate:
                try:
                    return Ready(order, work, await _item(run, tenant, fetcher, order, work), None)
                except Problem as problem:
                    return Ready(order, work, None, f"attachment: {problem.detail}")

        return list(await asyncio.gather(*(one(order, work) for order, work in group)))


async def _item(run: Runtime, tenant: UUID, fetcher: Fetcher, order: Placing, work: Work) -> Row:
    pre_label = None if work.pre_label is None else encode(label_from(work.pre_label)).decode()
    if work.text is not None:
        return await items.prepare(run, tenant, str(order.id), text=work.text, pre_label=pre_label)
    assert work.attachment is not None
    data, name = await _content(run, tenant, fetcher, work.attachment)
    row = await items.prepare(run, tenant, str(order.id), data=data, name=name, pre_label=pre_label)
    if row.body is not None and work.spec.get("kind") == "objects":
        raise invalid("attachment-not-a-picture", "Boxes are drawn on pictures, and this is none.", place="attachment")
    return row


async def _content(run: Runtime, tenant: UUID, fetcher: Fetcher, attachment: str) -> tuple[bytes, str]:
    attempt = 0
    while True:
        attempt += 1
        try:
            return await files.content(run, tenant, fetcher, attachment)
        except Problem as problem:
            if problem.kind is not Kind.UNAVAILABLE or attempt == FETCH_TRIES:
                raise
        await asyncio.sleep(FETCH_PAUSE_S * attempt)


async def _queue(conn: Conn, tenant: UUID, line: Line, ready: list[Ready]) -> None:
    made = await items.add_items(conn, tenant, line.dataset, [one.row for one in ready if one.row is not None])
    wanted = [
        ForItem(made[str(one.order.id)], model.band(one.order.batch_position, one.order.priority), one.work.gold)
        for one in ready
    ]
    found = await single.add_tasks_of(conn, tenant, line.foundry, wanted)
    await store.PLACED.run(
        conn,
        tenant=tenant,
        line=line.id,
        ids=[one.order.id for one in ready],
        tasks=[found[made[str(one.order.id)]] for one in ready],
        now=clock.now(),
    )
    await crews.placed(conn, tenant, [one.order.id for one in ready])
    if line.training:
        await training.open_up(conn, tenant, line.foundry)
        return
    # counting the tasks of a line at each order would cost the more the longer it is: only the first launches it
    if await single.state_of(conn, tenant, line.foundry) == "draft" and any(one.work.gold is None for one in ready):
        await tasks.move_project(conn, tenant, line.foundry, "launch")
