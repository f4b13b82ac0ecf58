"""Seen from outside: each request gets an identifier, a measurement and, where it is wanted, a trace; `/metrics` shows
the sums to the operator's collector."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import logging
from datetime import timedelta

from fastapi import APIRouter, Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cupola.app import wire
from cupola.app.health import ALIVE_S
from cupola.kernel import clock, ids
from cupola.kernel.errors import Problem, forbidden
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from cupola.platform.telemetry import logs, metrics, store, traces
from cupola.platform.web import runtime

router = APIRouter(tags=["health"])
log = logging.getLogger("cupola.request")
FIGURES_S = 5.0  # no collector makes the database count more often than this


class Observe:
    """ASGI middleware, outermost."""

    def __init__(self, app: ASGIApp, *, each: bool = False) -> None:
        """each: also write one line for every request, at the level INFO."""
        self._app = app
        self._each = each

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"").decode("latin-1")
        name = given if logs.usable(given) else ids.token(9)
        token = logs.request_id.set(name)
        began = clock.monotonic_s()
        told = 0

        async def sending(message: Message) -> None:
            nonlocal told
            if message["type"] == "http.response.start":
                told = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", name.encode("ascii"))]
                self._measure(scope, told, clock.monotonic_s() - began)
            await send(message)

        try:
            with traces.span("request", **{"http.request.method": scope["method"]}) as span:
                await self._app(scope, receive, sending)
                if span is not None:
                    span.set_attribute("http.route", _route(scope))
                    span.set_attribute("http.response.status_code", told)
        finally:
            logs.request_id.reset(token)

    def _measure(self, scope: Scope, status: int, seconds: float) -> None:
        metrics.REQUEST_SECONDS.labels(scope["method"], _route(scope), f"{status // 100}xx").observe(seconds)
        if self._each:
            told = {"method": scope["method"], "route": _route(scope), "status": status, "seconds": round(seconds, 4)}
            log.info("%(method)s %(route)s %(status)s in %(seconds)s s", told, extra=told)


def _route(scope: Scope) -> str:
    """The pattern of the address, never the address: it would name what it is about, and there are too many."""
    route = scope.get("route")
    return str(getattr(route, "path", "")) or ("page" if scope["method"] in ("GET", "HEAD") else "none")


class _Figures:
    """What is asked of the database for the metrics, and when it was."""

    def __init__(self) -> None:
        self.at_s = float("-inf")
        self.lock = asyncio.Lock()


_figures = _Figures()


@router.get("/metrics", include_in_schema=False)
async def get_metrics(request: Request) -> Response:
    """Metrics for Prometheus: to this machine, or to whoever holds CUPOLA_METRICS_TOKEN."""
    run = runtime(request)
    _admit(request, run.settings.metrics_token)
    metrics.CONNECTIONS_HALF_OPEN.set(wire.half_open())
    for role, states in run.db.use().items():
        for state, count in states.items():
            metrics.POOL.labels(role, state).set(count)
    async with _figures.lock:
        if clock.monotonic_s() - _figures.at_s > FIGURES_S:
            try:
                await _from_database(run)
                _figures.at_s = clock.monotonic_s()
            except Problem as problem:
                log.warning("the database gives no figures: %s", problem.detail)
    return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)


async def _from_database(run: Runtime) -> None:
    now = clock.now()
    async with run.db.tx(Role.OPS) as conn:
        processes = await store.PROCESSES.all(conn, since=now - timedelta(seconds=ALIVE_S))
        jobs = await store.JOBS.all(conn, now=now)
        lags = await store.LAGS.all(conn, now=now)
        asides = await store.ASIDE.all(conn)
    for gauge in (metrics.PROCESSES, metrics.JOBS, metrics.JOB_AGE_SECONDS, metrics.EVENT_LAG_SECONDS, metrics.ASIDE):
        gauge.clear()
    for row in processes:
        metrics.PROCESSES.labels(row.name).set(row.count)
    for job in jobs:
        metrics.JOBS.labels(job.name, job.state).set(job.count)
        if job.state == "waiting":
            metrics.JOB_AGE_SECONDS.labels(job.name).set(job.oldest_s)
    for lag in lags:
        metrics.EVENT_LAG_SECONDS.labels(lag.name).set(lag.oldest_s)
    for row in asides:
        metrics.ASIDE.labels(row.name).set(row.count)


def _admit(request: Request, token: str | None) -> None:
    """Raises Problem (FORBIDDEN) for anybody but the operator's own collector."""
    if token is not None:
        given = request.headers.get("authorization", "").partition(" ")[2]
        if hmac.compare_digest(given.encode(), token.encode()):
            return
    elif request.client is not None and "x-forwarded-for" not in request.headers:
        try:
            if ipaddress.ip_address(request.client.host).is_loopback:
                return
        except ValueError:
            pass
    raise forbidden(
        "The figures of this instance are its operator's.",
        remedy="Ask from this machine, or set CUPOLA_METRICS_TOKEN and send it as `Authorization: Bearer …`.",
    )
