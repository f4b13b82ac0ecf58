"""Fetch and check the frames of tasks about point clouds, in the worker: a request never waits for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from uuid import UUID

import msgspec

from cupola.compat.scale.types import TYPES
from cupola.compat.scale.types.frames import MAX_FRAME_BYTES, check_frame
from cupola.kernel.errors import Kind, Problem
from cupola.orders import service
from cupola.orders.files import service as files
from cupola.orders.model import Order
from cupola.platform.events import Event
from cupola.platform.net import Fetcher, Guard
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime

log = logging.getLogger("cupola.scale")
KINDS = ("order.created",)
AT_ONCE = 4  # frames fetched at a time: each may be large
TRIES = 3
PAUSE_S = 1.0


async def handle(run: Runtime, events: Sequence[Event]) -> None:
    """Check the frames of new tasks: a broken one ends the task with its place, else it waits for an editor."""
    async with Fetcher(Guard.of(run.settings.allowed_hosts)) as fetcher:
        for event in events:
            if event.subject is None:
                continue
            async with run.db.tx(Role.APP, tenant=event.tenant) as conn:
                order = await service.waiting_for_frames(conn, event.tenant, event.subject)
            if order is None:
                continue
            problem = await _first_problem(run, event.tenant, fetcher, order)
            async with run.db.tx(Role.APP, tenant=event.tenant) as conn:
                if problem is None:
                    await service.wait_for_editor(conn, event.tenant, order.id)
                else:
                    await service.fail(conn, event.tenant, order.id, problem.detail)


async def _first_problem(run: Runtime, tenant: UUID, fetcher: Fetcher, order: Order) -> Problem | None:
    """What is wrong with the first frame that is; None where all are right."""
    addresses = TYPES[order.type].frames(msgspec.json.decode(order.params))
    for start in range(0, len(addresses), AT_ONCE):
        part = enumerate(addresses[start : start + AT_ONCE], start)
        found = await asyncio.gather(*(_problem(run, tenant, fetcher, f"attachments[{n}]", one) for n, one in part))
        wrong = next((one for one in found if one is not None), None)
        if wrong is not None:
            return wrong
    return None


async def _problem(run: Runtime, tenant: UUID, fetcher: Fetcher, place: str, address: str) -> Problem | None:
    try:
        data = await _content(run, tenant, fetcher, address)
    except Problem as problem:
        if problem.code == "database-unreachable":
            raise
        return Problem(problem.kind, problem.code, f"{place}: {problem.detail}", place=place)
    try:
        await asyncio.to_thread(check_frame, data, place)
    except Problem as problem:
        return problem
    return None


async def _content(run: Runtime, tenant: UUID, fetcher: Fetcher, address: str) -> bytes:
    for attempt in range(1, TRIES + 1):
        try:
            data, _ = await files.content(run, tenant, fetcher, address, max_bytes=MAX_FRAME_BYTES)
            return data
        except Problem as problem:
            if problem.kind is not Kind.UNAVAILABLE or problem.code == "database-unreachable" or attempt == TRIES:
                raise
        await asyncio.sleep(PAUSE_S * attempt)
    raise AssertionError("the last try returns or raises")
