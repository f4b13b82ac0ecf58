"""How this instance does, for its operator; and the way to try again what is set aside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from fastapi import APIRouter, Request, Response

from cupola.app import health
from cupola.app.health import Health
from cupola.kernel import clock
from cupola.kernel.errors import not_found
from cupola.platform import store
from cupola.platform.dispatch import service as dispatch
from cupola.platform.dispatch.model import Aside
from cupola.platform.pg.tx import Role
from cupola.platform.store import Beat
from cupola.platform.telemetry import store as figures
from cupola.platform.telemetry.store import JobCount, Lag
from cupola.platform.web import Operator, nothing, reply, runtime

router = APIRouter(tags=["operator"])

SHOWN = 100  # of what is set aside: the first in the order of tenants; more_aside says that there are others


@dataclass(frozen=True, slots=True)
class Process:
    """A process that gave a sign of life within health.ALIVE_S."""

    role: str
    host: str
    pid: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Instance:
    """lags: how long the oldest event waits that a consumer may still have to hear. jobs: by kind and state, with how
    long ago the oldest was asked for. aside: no word of a tenant's data. now: the server's time of all this."""

    now: datetime
    health: Health
    processes: list[Process]
    lags: list[Lag]
    jobs: list[JobCount]
    aside: list[Aside]
    more_aside: bool


@dataclass(frozen=True, slots=True)
class TryAgain:
    """What is set aside, as `GET /api/operator/instance` names it. project: null for what belongs to no project."""

    tenant: UUID
    consumer: str
    project: UUID | None = None


@router.get("/api/operator/instance", response_model=Instance)
async def get_instance(request: Request, who: Operator) -> Response:
    """How this instance does: parts, processes, consumers, slow work, and what is set aside."""
    run = runtime(request)
    parts = await health.examine(run)
    now = clock.now()
    async with run.db.tx(Role.OPS) as conn:
        beats = await store.BEATS.all(conn, since=now - timedelta(seconds=health.ALIVE_S))
        lags = await figures.LAGS.all(conn, now=now)
        jobs = await figures.JOBS.all(conn, now=now)
        aside = await dispatch.asides(conn, None, SHOWN + 1)
    return reply(
        Instance(
            now,
            parts,
            [_process(beat) for beat in beats],
            sorted(lags, key=lambda lag: lag.name),
            sorted(jobs, key=lambda job: (job.name, job.state)),
            aside[:SHOWN],
            len(aside) > SHOWN,
        )
    )


def _process(beat: Beat) -> Process:
    return Process(beat.role, beat.host, beat.pid, beat.at)


@router.post("/api/operator/aside/retry", status_code=204)
async def post_retry(request: Request, who: Operator, body: TryAgain) -> Response:
    """Let what is set aside be tried at once, once what it failed of is mended; a worker does it within a second."""
    async with runtime(request).db.tx(Role.OPS) as conn:
        if not await dispatch.try_again(conn, body.tenant, body.consumer, body.project):
            raise not_found("set-aside project")
    return nothing()
