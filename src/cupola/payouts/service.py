"""The saga of a payout. Every step is a transaction of its own that may be repeated, and finds what was done.

gathering → created (each tenant's leg is in clearing) → sent (committed before anything leaves) → paid | returned. One
that nothing was gathered for is empty. What is paid may still come back.
"""

from __future__ import annotations

import base64
import logging
from uuid import UUID

import msgspec
import psycopg
from cryptography.fernet import Fernet, InvalidToken

from cupola.kernel import clock, ids, states
from cupola.kernel.errors import Problem, conflict, invalid, not_found
from cupola.payouts import model, store
from cupola.payouts.model import Batch, Details, Operations, Payable, Payout, Reconciled, Standing, Way
from cupola.payouts.rails.base import DirectRail, File, FileRail, Item, Outcome, Rail
from cupola.platform import hooks
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime

log = logging.getLogger("cupola.payouts")
SHOWN = 100
STEP = 500


def rail_of(name: str) -> Rail:
    """Raises Problem(INVALID) for one that is not installed."""
    rail: Rail = hooks.load(hooks.RAILS, name)
    return rail


def _seal(run: Runtime) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(run.settings.derive("payout details")))


def _opened(run: Runtime, sealed: bytes) -> dict[str, str]:
    try:
        return msgspec.json.decode(_seal(run).decrypt(bytes(sealed)), type=dict[str, str])
    except InvalidToken as error:
        raise conflict(
            "payout-sealed",
            "Where this money goes cannot be opened: the instance's secret has changed.",
            remedy="Have the person give it again.",
        ) from error


def _view(row: store.PayoutRow) -> Payout:
    return Payout(
        row.id,
        row.currency,
        row.amount_minor,
        states.PAYOUT[row.state],
        row.rail,
        row.hint,
        row.at,
        row.sent_at,
        row.ended_at,
        row.reason,
    )


# ---------------------------------------------------------------- the person's side
async def _balances(run: Runtime, person: UUID) -> dict[str, int]:
    async with run.db.tx(Role.GATEWAY, person=person) as conn:
        homes = await store.HOMES.all(conn, person=person)
    found: dict[str, int] = {}
    for home in homes:
        async with run.db.tx(Role.GATEWAY, tenant=home.tenant, worker=home.worker, person=person) as conn:
            await store.DUE.one(conn, tenant=home.tenant, now=clock.now())
            for row in await store.BALANCES.all(conn, tenant=home.tenant, worker=home.worker):
                found[row.currency] = found.get(row.currency, 0) + row.balance_minor
    return found


async def standing(run: Runtime, person: UUID) -> Standing:
    """Where somebody's money goes, what they may ask for now, and their payouts, the newest first."""
    balances = await _balances(run, person)
    async with run.db.tx(Role.OPS) as conn:
        details = await store.DETAILS.maybe(conn, person=person)
        rows = await store.MINE.all(conn, person=person, limit=SHOWN)
    open_ = {row.currency for row in rows if row.state < states.PAYOUT.index("paid")}
    payable = []
    for currency, balance in sorted(balances.items()):
        least = model.least_minor(currency)
        why = (
            "payout-nowhere"
            if details is None
            else "payout-under-way"
            if currency in open_
            else "payout-held"
            if details.usable_at > clock.now()
            else "payout-small"
            if balance < least
            else None
        )
        payable.append(Payable(currency, balance, least, why))
    rails = []
    for name in hooks.names(hooks.RAILS):
        rail = rail_of(name)
        rails.append(Way(name, rail.title, list(rail.fields)))
    told = None if details is None else Details(details.rail, details.hint, details.changed_at, details.usable_at)
    return Standing(told, rails, payable, [_view(row) for row in rows])


async def set_details(run: Runtime, person: UUID, rail: str, details: dict[str, str]) -> Details:
    """Say where one's money goes. A change holds payouts for 72 hours: who stole a session gains nothing."""
    way = rail_of(rail)
    kept = way.check(details)
    now = clock.now()
    async with run.db.tx(Role.OPS) as conn:
        await store.DETAILS_SET.run(
            conn,
            person=person,
            rail=rail,
            sealed=_seal(run).encrypt(msgspec.json.encode(kept)),
            hint=way.hint(kept)[:40],
            now=now,
            later=now + model.HELD,
        )
        row = await store.DETAILS.one(conn, person=person)
    return Details(row.rail, row.hint, row.changed_at, row.usable_at)


def _refused(why: str) -> Problem:
    if why == "payout-nowhere":
        return conflict(
            "payout-nowhere", "Nobody knows yet where your money is to go.", remedy="Say where, then ask again."
        )
    if why == "payout-under-way":
        return conflict(
            "payout-under-way", "A payout in this currency is under way.", remedy="Ask again once it has arrived."
        )
    if why == "payout-held":
        return conflict(
            "payout-held",
            "Where your money goes was changed less than 72 hours ago; payouts wait until then.",
            remedy="Ask again then. If it was not you who changed it, change it back and tell the operator.",
        )
    if why == "payout-small":
        return conflict(
            "payout-small",
            "There is too little for a payout on demand.",
            remedy="It is paid out with the others, once a week.",
        )
    return conflict("payout-none", "You have nothing in this currency.", remedy="Ask for one that you have.")


async def ask(run: Runtime, person: UUID, currency: str) -> Payout:
    """Ask to be paid out all one has in a currency. Raises Problem(CONFLICT) saying why not."""
    now = await standing(run, person)
    one = next((one for one in now.payable if one.currency == currency), None)
    why = "payout-none" if one is None else one.why_not
    if why is not None:
        raise _refused(why)
    made = await begin(run, person, currency)
    if made is None:
        raise _refused("payout-under-way")
    return made


async def begin(run: Runtime, person: UUID, currency: str) -> Payout | None:
    """Begin a payout and gather its legs. None: one is under way already."""
    payout = ids.uuid7()
    async with run.db.tx(Role.OPS) as conn:
        details = await store.DETAILS.maybe(conn, person=person)
        if details is None:
            return None
        begun = await store.BEGIN.run(
            conn,
            id=payout,
            person=person,
            currency=currency,
            rail=details.rail,
            sealed=details.sealed,
            hint=details.hint,
            now=clock.now(),
        )
    if not begun:
        return None
    await gather(run, payout)
    async with run.db.tx(Role.OPS) as conn:
        return _view(await store.ONE.one(conn, id=payout))


async def gather(run: Runtime, payout: UUID) -> None:
    """Move what each tenant owes into its clearing, and say how much it came to. Taken up where it was left."""
    async with run.db.tx(Role.OPS) as conn:
        row = await store.ONE.one(conn, id=payout)
    if row.state != states.PAYOUT.index("gathering"):
        return
    async with run.db.tx(Role.GATEWAY, person=row.person) as conn:
        homes = await store.HOMES.all(conn, person=row.person)
    amount = 0
    for home in homes:
        async with run.db.tx(Role.GATEWAY, tenant=home.tenant, worker=home.worker, person=row.person) as conn:
            amount += await store.TAKE.one(
                conn,
                tenant=home.tenant,
                payout=payout,
                worker=home.worker,
                now=clock.now(),
            )
    async with run.db.tx(Role.OPS) as conn:
        await store.GATHERED.run(conn, id=payout, amount=amount, now=clock.now())


async def _end(run: Runtime, row: store.PayoutRow, outcome: Outcome) -> bool:
    """Write down how a payout ended, and move its legs, or what is left of them. False: it had ended so before."""
    paid = outcome.word == "paid"
    async with run.db.tx(Role.GATEWAY, person=row.person) as conn:
        homes = await store.HOMES.all(conn, person=row.person)
    for home in homes:
        async with run.db.tx(Role.OPS) as conn:
            await store.END.one(conn, tenant=home.tenant, payout=row.id, paid=paid, now=clock.now())
    async with run.db.tx(Role.OPS) as conn:
        return (await store.ENDED.run(conn, id=row.id, paid=paid, reason=outcome.reason[:500], now=clock.now())) > 0


# ---------------------------------------------------------------- the worker process
async def turn(run: Runtime) -> int:
    """One round of what no person does: take up what was left, send by direct rails, ask after what was sent, and begin
    the weekly ones. Safe in several processes; returns how many payouts it moved."""
    async with run.db.tx(Role.OPS) as conn:
        left = await store.UNGATHERED.all(conn, limit=STEP)
    for row in left:
        await gather(run, row.id)
    moved = len(left)
    for name in hooks.names(hooks.RAILS):
        rail = rail_of(name)
        if isinstance(rail, DirectRail):
            moved += await _send(run, name, rail) + await _poll(run, name, rail)
    return moved + await weekly(run)


async def _send(run: Runtime, name: str, rail: DirectRail) -> int:
    async with run.db.tx(Role.OPS) as conn:
        rows = await store.TO_SEND.all(conn, rail=name, limit=STEP)
    for row in rows:
        async with run.db.tx(Role.OPS) as conn:
            mine = await store.SENT.run(conn, id=row.id, now=clock.now())
        if not mine:
            continue  # another process was quicker
        try:
            outcome = await rail.submit(Item(row.id, row.amount_minor, row.currency, _opened(run, row.sealed)))
        except Exception:
            log.exception("payout %s: the rail %s did not say what became of it; it will be asked", row.id, name)
            continue
        if outcome.word in ("paid", "returned"):
            await _end(run, row, outcome)
    return len(rows)


async def _poll(run: Runtime, name: str, rail: DirectRail) -> int:
    async with run.db.tx(Role.OPS) as conn:
        rows = await store.TO_POLL.all(conn, rail=name, limit=STEP)
    moved = 0
    for row in rows:
        try:
            outcome = await rail.poll(row.id)
            if outcome.word == "unknown":
                # never taken: sent again under the same identifier, which is the rail's key
                outcome = await rail.submit(Item(row.id, row.amount_minor, row.currency, _opened(run, row.sealed)))
        except Exception:
            log.exception("payout %s: the rail %s could not be asked; it is asked again", row.id, name)
            continue
        if outcome.word in ("paid", "returned"):
            moved += await _end(run, row, outcome)
    return moved


async def weekly(run: Runtime) -> int:
    """Begin a payout for everybody who has had none for a week and has anything; returns how many."""
    now = clock.now()
    begun, after = 0, ids.FIRST
    while True:
        async with run.db.tx(Role.OPS) as conn:
            rows = await store.WEEKLY.all(conn, now=now, week_ago=now - model.WEEKLY, after=after, limit=STEP)
        for row in rows:
            for currency in sorted(await _balances(run, row.person)):
                begun += await begin(run, row.person, currency) is not None
        if len(rows) < STEP:
            return begun
        after = rows[-1].person


# ---------------------------------------------------------------- the operator's side
def _file_rails() -> list[str]:
    return [name for name in hooks.names(hooks.RAILS) if isinstance(rail_of(name), FileRail)]


async def operations(run: Runtime) -> Operations:
    async with run.db.tx(Role.OPS) as conn:
        waiting = await store.WAITING.all(conn, rails=_file_rails())
        return Operations(waiting, await store.BATCHES.all(conn, limit=SHOWN))


async def batch(run: Runtime, batch: UUID) -> Batch:
    """Raises Problem(NOT_FOUND)."""
    async with run.db.tx(Role.OPS) as conn:
        found = await store.BATCH.maybe(conn, id=batch)
    if found is None:
        raise not_found("batch of payouts")
    return found


async def prepare(run: Runtime, operator: UUID, rail: str, currency: str) -> Batch:
    """Put what waits for a rail of files into a batch, for another operator to approve."""
    if rail not in _file_rails():
        raise invalid("rail-no-file", "This rail has no files.", place="/rail", remedy="It sends by itself.")
    made = ids.uuid7()
    async with run.db.tx(Role.OPS) as conn:
        await store.BATCH_ADD.run(conn, id=made, rail=rail, currency=currency, person=operator, now=clock.now())
        if not await store.BATCH_FILL.run(conn, id=made, rail=rail, currency=currency, limit=model.MAX_BATCH):
            raise conflict("batch-empty", "Nothing waits to be paid out.", remedy="Look again later.")
        return await store.BATCH.one(conn, id=made)


async def approve(run: Runtime, operator: UUID, of: UUID) -> Batch:
    """Approve a batch that somebody else prepared: from now on its payouts count as sent. Raises Problem(CONFLICT)."""
    try:
        async with run.db.tx(Role.OPS) as conn:
            found = await store.BATCH.maybe(conn, id=of)
            if found is None:
                raise not_found("batch of payouts")
            if await store.BATCH_APPROVE.run(conn, id=of, person=operator, now=clock.now()):
                await store.BATCH_SENT.run(conn, id=of, now=clock.now())
            return await store.BATCH.one(conn, id=of)
    except psycopg.errors.CheckViolation as error:
        raise conflict(
            "four-eyes",
            "Whoever prepared a batch does not approve it.",
            remedy="Have another operator look at it and approve it.",
        ) from error


async def file(run: Runtime, of: UUID) -> File:
    """The file of an approved batch. Raises Problem: NOT_FOUND; CONFLICT "batch-unapproved"."""
    found = await batch(run, of)
    if found.approved_by is None:
        raise conflict(
            "batch-unapproved", "Nobody has approved this batch yet.", remedy="Have another operator approve it."
        )
    rail = rail_of(found.rail)
    assert isinstance(rail, FileRail)
    async with run.db.tx(Role.OPS) as conn:
        rows = await store.OF_BATCH.all(conn, id=of, limit=model.MAX_BATCH)
    return rail.write(of, [Item(row.id, row.amount_minor, row.currency, _opened(run, row.sealed)) for row in rows])


async def reconcile(run: Runtime, of: UUID, content: bytes) -> Reconciled:
    """Take in what a bank says of a batch. The same file again changes nothing."""
    found = await batch(run, of)
    if found.approved_by is None:
        raise conflict(
            "batch-unapproved", "Nobody has approved this batch yet.", remedy="Have another operator approve it."
        )
    rail = rail_of(found.rail)
    assert isinstance(rail, FileRail)
    told = rail.read(content)
    async with run.db.tx(Role.OPS) as conn:
        rows = {row.id: row for row in await store.OF_BATCH.all(conn, id=of, limit=model.MAX_BATCH)}
    paid = returned = already = unknown = 0
    for outcome in told:
        row = rows.get(outcome.id)
        if row is None:
            unknown += 1
        elif outcome.word in ("paid", "returned"):
            if not await _end(run, row, outcome):
                already += 1
            elif outcome.word == "paid":
                paid += 1
            else:
                returned += 1
    return Reconciled(paid, returned, already, unknown)
