"""From orders to foundry tasks: find or build the line that makes them, fetch what they show, pay for them, queue them.

A line is a project of the foundry: one for each set of labels that a client's project asks for; what a task instructs
stands with the task. It is built on first use with the tenant's terms. An order is placed only with the money for all
the judgements it may need; without it, it waits and says so, and goes on when money comes in.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec
import psycopg

from cupola.catalog import service as catalog
from cupola.catalog.rows import Row
from cupola.catalog.single import service as items
from cupola.kernel import clock, ids, limits
from cupola.kernel.errors import Kind, Problem, invalid
from cupola.kernel.money import legs
from cupola.labels import encode, label_from
from cupola.ledger import service as ledger
from cupola.ontology import service as ontologies
from cupola.orders import model, service, store
from cupola.orders.files import service as files
from cupola.orders.model import Work
from cupola.orders.store import Line, Placing
from cupola.orders.studio import crews
from cupola.platform import jobs
from cupola.platform.net import Fetcher, Guard
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.tasks import service as tasks
from cupola.tasks.model import Plan
from cupola.tasks.single import service as single
from cupola.tasks.single.service import ForItem
from cupola.tasks.stages import NewProject
from cupola.tasks.training import service as training

log = logging.getLogger("cupola.orders")

LEARNERS = 3  # newcomers whose whole training is paid for in advance; others follow as they learn
AT_ONCE = 100  # orders placed in one transaction
FETCH = "fetch"  # the kind of job that fetches an order's attachment
FETCH_TIMEOUT_S = 60.0
FETCH_FOR = timedelta(days=1)  # how long a host that is away is asked again
MONEY = "money of orders"  # whoever weighs what lines have and need holds this lock
STOPPED = "The production line of this task was stopped before it was done; order it anew."
EACH_ITS_OWN = "Each task brings its own instruction: read it before you judge."
_work = msgspec.json.Decoder(Work)


@dataclass(frozen=True, slots=True)
class Ready:
    """An order with the item that was made ready for it."""

    order: Placing
    work: Work
    row: Row


async def place_waiting(run: Runtime, tenant: UUID, *, unfunded: bool = False) -> None:
    """Place whatever waits to be placed; unfunded: also what there was no money for before.

    What has to be fetched first is asked for: an order whose attachment is away holds up nobody else's.
    """
    after = UUID(int=0)
    while True:
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            waiting = await store.WAITING.all(conn, tenant=tenant, after=after, unfunded=unfunded, limit=AT_ONCE)
        if not waiting:
            return
        after = waiting[-1].id
        for group in _by_line(waiting).values():
            try:
                await _place(run, tenant, group)
            except psycopg.OperationalError:
                raise
            except Problem as problem:
                if problem.kind is Kind.UNAVAILABLE:
                    raise
                if problem.code != "project-state":  # its line was stopped in this moment: it gets another one
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
    """What tells one line from another: the labels, and whether it trains for the other; 32 bytes.

    What a task instructs belongs to the task: hundreds of instructions would be hundreds of lines with few people each.
    """
    named = (work.spec, "training") if training else (work.spec,)
    return hashlib.sha256(msgspec.json.encode(named, order="deterministic")).digest()


async def _place(run: Runtime, tenant: UUID, group: list[tuple[Placing, Work]]) -> None:
    first, work = group[0]
    try:
        learning = first.role == model.TRAINING
        line = await (_training_line if learning else _line)(run, tenant, first, work)
    except Problem as problem:
        if problem.kind is Kind.UNAVAILABLE:
            raise
        # an ontology that the type's own checks let pass: tell the client, do not try for ever
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            for order, _ in group:
                await service.fail(conn, tenant, order.id, problem.detail)
        return
    ready: list[Ready] = []
    for order, work in await _fund(run, tenant, line, group):
        try:
            ready.append(Ready(order, work, await _item(run, tenant, None, order, work)))
        except Problem as problem:
            if problem.kind is Kind.UNAVAILABLE:
                raise
            await _fail(run, tenant, order.id, problem.detail)
    await _queue_those_left(run, tenant, line, ready)


async def _queue_those_left(run: Runtime, tenant: UUID, line: Line, ready: list[Ready]) -> None:
    """Queue what is ready; who canceled in the meantime gets nothing made."""
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        good = [one for one in ready if await store.STILL.maybe(conn, tenant=tenant, id=one.order.id) is not None]
        if good:
            await _queue(conn, tenant, line, good)


async def _fail(run: Runtime, tenant: UUID, order: UUID, detail: str) -> None:
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        await service.fail(conn, tenant, order, detail)


async def fetch(run: Runtime, tenant: UUID, order_id: UUID) -> None:
    """Fetch the attachment of one order and queue it. Only what is wrong with the attachment itself fails the order: a
    host that is away is asked again for a day, and what of ours is away as long as that takes.

    Raises Problem (UNAVAILABLE) to be called again later.
    """
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        order = await store.FETCHING.maybe(conn, tenant=tenant, id=order_id)
        if order is None:
            return
        line = await store.LINE_BY_ID.one(conn, tenant=tenant, id=order.line)
    work = _work.decode(order.work)
    try:
        async with Fetcher(Guard.of(run.settings.allowed_hosts), timeout_s=FETCH_TIMEOUT_S) as fetcher:
            row = await _item(run, tenant, fetcher, order, work)
    except Problem as problem:
        theirs = problem.code in files.AWAY
        if problem.kind is Kind.UNAVAILABLE and not (theirs and clock.now() - order.fetch_since > FETCH_FOR):
            raise
        await _fail(run, tenant, order.id, f"attachment: {problem.detail}")
        return
    await _queue_those_left(run, tenant, line, [Ready(order, work, row)])


async def give_up(run: Runtime, tenant: UUID, order_id: UUID, reason: str) -> None:
    """Tell the client of an order whose attachment could not be made an item of, however often it was tried."""
    await _fail(run, tenant, order_id, f"attachment: {reason}")


async def close_line(conn: Conn, tenant: UUID, foundry: UUID) -> None:
    """A line's project was stopped: what it has not answered will not come, and later orders get another line."""
    for line in await store.LINES_OF.all(conn, tenant=tenant, foundry=foundry):
        await store.LINE_CLOSE.run(conn, tenant=tenant, id=line.id, now=clock.now())
        for order in await store.PENDING_ON_LINE.all(conn, tenant=tenant, line=line.id):
            await service.fail(conn, tenant, order.id, STOPPED)


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
        ontology = await ontologies.create(conn, tenant, name, work.spec, {"en": work.overview or EACH_ITS_OWN})
        wanted = NewProject(
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
    """Allot the money that the orders may need, first come first served, and ask for attachments to be fetched.

    Returns those that are paid for and have nothing to fetch.
    """
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        await store.LINE_LOCK.run(conn, name=f"{tenant}/{MONEY}")
        # who places beside us may have come first: their orders are theirs
        unlined = {row.id for row in await store.UNLINED.all(conn, tenant=tenant, ids=[one.id for one, _ in group])}
        group = [one for one in group if one[0].line is not None or one[0].id in unlined]
        # an order that had its money before (its batch was paused since) is counted with the open ones already
        new = [one for one in group if one[0].line is None]
        more = await _afford(conn, tenant, line, len(new))
        late = {order.id for order, _ in new[more:]}
        if late:
            await store.WAITS.run(conn, tenant=tenant, ids=sorted(late), waits="budget")
        funded = [one for one in group if one[0].id not in late]
        fetched = [order.id for order, work in funded if work.attachment is not None]
        at_once = [one for one in funded if one[1].attachment is None]
        now = clock.now()
        await store.LINED.run(conn, tenant=tenant, ids=[order.id for order, _ in at_once], line=line.id, now=None)
        await store.LINED.run(conn, tenant=tenant, ids=fetched, line=line.id, now=now)
        await jobs.add(conn, tenant, FETCH, *fetched)
    return at_once


async def _afford(conn: Conn, tenant: UUID, line: Line, wanted: int) -> int:
    """Allot what the open orders of a line and `wanted` more may need; returns how many more it sufficed for.

    What other lines have beyond the needs of their open orders is the tenant's, and is taken for it.
    """
    whole = line.judgements * line.each_minor
    await store.LINE_LOCK.run(conn, name=f"{tenant}/{MONEY}")
    open_orders = await store.OPEN_ON_LINE.one(conn, tenant=tenant, line=line.id)
    spare = await _held(conn, tenant, line) - open_orders * whole
    budget = await _budget(conn, tenant, line.currency)
    if spare + budget < wanted * whole:
        budget += await _take_back(conn, tenant, line, wanted * whole - spare - budget)
    more = min(wanted, max(0, (spare + budget) // whole))
    missing = min(more * whole - spare, budget)
    if missing > 0 and (more or open_orders):
        await ledger.allot(conn, tenant, line.foundry, missing, line.currency)
    return more


async def _held(conn: Conn, tenant: UUID, line: Line) -> int:
    """What a line has, reserved or not, in minor units."""
    accounts = (await ledger.money(conn, tenant)).accounts
    kinds = ("project_budget", "escrow")
    return sum(one.balance_minor for one in accounts if one.project == line.foundry and one.type in kinds)


async def _budget(conn: Conn, tenant: UUID, currency: str) -> int:
    accounts = (await ledger.money(conn, tenant)).accounts
    return sum(one.balance_minor for one in accounts if one.type == "budget" and one.currency == currency)


async def _take_back(conn: Conn, tenant: UUID, line: Line, wanted_minor: int) -> int:
    """Bring what other lines do not need back to the budget, up to what is wanted; returns how much that was."""
    taken = 0
    for other in await store.LINES_BESIDE.all(conn, tenant=tenant, id=line.id, currency=line.currency):
        if taken >= wanted_minor:
            break
        open_orders = await store.OPEN_ON_LINE.one(conn, tenant=tenant, line=other.id)
        spare = await _held(conn, tenant, other) - open_orders * other.judgements * other.each_minor
        if spare > 0:
            taken += await ledger.take_back(conn, tenant, other.foundry, min(spare, wanted_minor - taken))
    return taken


async def top_up(run: Runtime, tenant: UUID) -> None:
    """Give lines that cost more than was allotted at first the money for it, as far as the budget reaches."""
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        for line in await store.LINES_SPENDING.all(conn, tenant=tenant):
            await _afford(conn, tenant, line, 0)


async def _item(run: Runtime, tenant: UUID, fetcher: Fetcher | None, order: Placing, work: Work) -> Row:
    """The item of an order; fetcher: for one with an attachment."""
    pre_label = None if work.pre_label is None else encode(label_from(work.pre_label)).decode()
    told = {"instruction": work.guidelines} if work.guidelines else {}
    metadata = msgspec.json.encode(told).decode()
    if work.text is not None:
        return await items.prepare(run, tenant, str(order.id), text=work.text, pre_label=pre_label, metadata=metadata)
    assert work.attachment is not None, "an order shows a text or an attachment"
    assert fetcher is not None, "attachments are fetched by the job alone"
    async with files.content(run, tenant, fetcher, work.attachment) as (content, name):
        row = await items.prepare(
            run, tenant, str(order.id), content=content, name=name, pre_label=pre_label, metadata=metadata
        )
    if row.body is not None and work.spec.get("kind") == "objects":
        raise invalid("attachment-not-a-picture", "Boxes are drawn on pictures, and this is none.", place="attachment")
    return row


async def _queue(conn: Conn, tenant: UUID, line: Line, ready: list[Ready]) -> None:
    made = await items.add_items(conn, tenant, line.dataset, [one.row for one in ready])
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
