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
ANSWER_S = 15.0
REMEDIES = {
    "unreachable": "Look at Postgres: is it up, does its log say why not? `cupola doctor` looks for the usual causes.",
    "database-connections": "Raise max_connections of Postgres, or start fewer processes.",
    "busy": "Every connection to the database is at work. If it stays so, add a server process.",
    "disk-full": "Make room on the disk; then it goes on by itself.",
    "blobs-unreachable": "Look at the bucket of CUPOLA_BLOBS_URL: does it answer, do the credentials still hold?",
    "missing": "Start one with: cupola worker",
}
ALIVE_S = 35


@dataclass(frozen=True, slots=True)
class Health:
    """status: "ok", or "degraded" while any of the parts is not as it should be.

    database: "ok", or the code of what is wrong ("database-unreachable", "disk-full", "busy"); worker: "alive",
    "missing" or "unknown"; blobs: "ok", "blobs-unreachable" or "disk-full". `remedy` says what to do about the first
    that is wrong.
    """

    status: str
    database: str
    worker: str
    version: str
    blobs: str = "ok"
    remedy: str = ""


@router.get("/api/health", response_model=Health)
async def get_health(request: Request) -> Response:
    """Whether the database answers and a worker is alive."""
    found = await examine(runtime(request))
    return reply(found, 503 if found.database not in ("ok", "busy") else 200)


async def examine(run: Runtime) -> Health:
    """How the parts stand now."""
    blobs, (database, worker) = await asyncio.gather(_blobs(run), _database(run))
    wrong = next((word for word in (database, blobs, worker) if word in REMEDIES), "")
    return Health("degraded" if wrong else "ok", database, worker, __version__, blobs, REMEDIES.get(wrong, ""))


async def _database(run: Runtime) -> tuple[str, str]:
    """How the database stands, and the worker as it is seen there."""
    try:
        async with asyncio.timeout(ANSWER_S), run.db.tx(Role.OPS) as conn:
            beats = await store.BEATS.all(conn, since=clock.now() - timedelta(seconds=ALIVE_S))
    except TimeoutError:
        return "unreachable", "unknown"
    except Problem as problem:
        return {"database-unreachable": "unreachable"}.get(problem.code, problem.code), "unknown"
    return "ok", "alive" if any(beat.role == "worker" for beat in beats) else "missing"


async def _blobs(run: Runtime) -> str:
    try:
        await run.blobs.check()
    except Problem as problem:
        return problem.code
    return "ok"


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
