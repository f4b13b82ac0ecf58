"""Signs of life: each process writes one, `/api/health` and `cupola doctor` read them."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter, Request, Response

from cupola import __version__
from cupola.kernel import clock, ids
from cupola.kernel.errors import Problem
from cupola.platform import store
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from cupola.platform.web import reply, runtime

router = APIRouter(tags=["health"])
EVERY_S = 10
ALIVE_S = 35


@dataclass(frozen=True, slots=True)
class Health:
    """status: "ok", or "degraded" when no worker shows a sign of life or the database is away."""

    status: str
    database: str
    worker: str
    version: str


@router.get("/api/health", response_model=Health)
async def get_health(request: Request) -> Response:
    """Whether the database answers and a worker is alive."""
    run = runtime(request)
    try:
        async with run.db.tx(Role.OPS) as conn:
            beats = await store.BEATS.all(conn, since=clock.now() - timedelta(seconds=ALIVE_S))
    except Problem:
        return reply(Health("degraded", "unreachable", "unknown", __version__), 503)
    worker = "alive" if any(beat.role == "worker" for beat in beats) else "missing"
    return reply(Health("ok" if worker == "alive" else "degraded", "ok", worker, __version__))


async def start(run: Runtime, role: str) -> Callable[[], Awaitable[None]]:
    """Begin to write this process's sign of life; returns how to stop."""
    name = f"{role}-{ids.token(6)}"

    async def beat() -> None:
        while True:
            try:
                async with run.db.tx(Role.OPS) as conn:
                    await store.BEAT.run(
                        conn, process=name, role=role, host=socket.gethostname(), pid=os.getpid(), at=clock.now()
                    )
            except Problem:
                pass  # the database is away; the next beat tells
            await asyncio.sleep(EVERY_S)

    task = asyncio.create_task(beat())

    async def stop() -> None:
        task.cancel()
        try:
            async with run.db.tx(Role.OPS) as conn:
                await store.BEAT_END.run(conn, process=name)
        except Problem:
            pass

    return stop
