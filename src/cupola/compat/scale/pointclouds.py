"""Fetch and check the frames of tasks about point clouds, in the worker: a request never waits for them."""

from __future__ import annotations

import asyncio
from uuid import UUID

import msgspec

from cupola.compat.scale.types import TYPES
from cupola.compat.scale.types.frames import MAX_FRAME_BYTES, check_frame
from cupola.kernel import clock
from cupola.kernel.errors import Kind, Problem
from cupola.orders import service
from cupola.orders.files import service as files
from cupola.orders.model import Order
from cupola.orders.placing import FETCH_FOR
from cupola.platform.net import Fetcher, Guard
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime

AT_ONCE = 4  # frames fetched at a time: each may be large


async def check(run: Runtime, tenant: UUID, order_id: UUID) -> None:
    """Check the frames of a new task: a broken one ends the task with its place, else it waits for an editor.

    Raises Problem (UNAVAILABLE) to be called again: the database or the store is away, or, for a day, the frames' host.
    """
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        order = await service.waiting_for_frames(conn, tenant, order_id)
    if order is None:
        return
    async with Fetcher(Guard.of(run.settings.allowed_hosts)) as fetcher:
        problem = await _first_problem(run, tenant, fetcher, order)
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        if problem is None:
            await service.wait_for_editor(conn, tenant, order.id)
        else:
            await service.fail(conn, tenant, order.id, problem.detail)


async def give_up(run: Runtime, tenant: UUID, order_id: UUID, reason: str) -> None:
    """Tell the client of an order whose frames could not be checked."""
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        if await service.waiting_for_frames(conn, tenant, order_id) is not None:
            await service.fail(conn, tenant, order_id, reason)


async def _first_problem(run: Runtime, tenant: UUID, fetcher: Fetcher, order: Order) -> Problem | None:
    """What is wrong with the first frame that is; None where all are right."""
    addresses = TYPES[order.type].frames(msgspec.json.decode(order.params))
    for start in range(0, len(addresses), AT_ONCE):
        part = enumerate(addresses[start : start + AT_ONCE], start)
        found = await asyncio.gather(
            *(_problem(run, tenant, fetcher, order, f"attachments[{n}]", one) for n, one in part)
        )
        wrong = next((one for one in found if one is not None), None)
        if wrong is not None:
            return wrong
    return None


async def _problem(
    run: Runtime, tenant: UUID, fetcher: Fetcher, order: Order, place: str, address: str
) -> Problem | None:
    try:
        async with files.content(run, tenant, fetcher, address, max_bytes=MAX_FRAME_BYTES) as (content, _):
            data = content.whole()
    except Problem as problem:
        late = problem.code in files.AWAY and clock.now() - order.created_at > FETCH_FOR
        if problem.kind is Kind.UNAVAILABLE and not late:
            raise
        return Problem(problem.kind, problem.code, f"{place}: {problem.detail}", place=place)
    try:
        await asyncio.to_thread(check_frame, data, place)
    except Problem as problem:
        return problem
    return None
