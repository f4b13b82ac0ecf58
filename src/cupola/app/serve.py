"""Running processes: `up` (everything in one), `serve` (the server), `worker`."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Awaitable, Callable
from types import FrameType

import uvicorn

from cupola.app import ending, http, launch, wire, worker
from cupola.identity.flows import first_admin_link
from cupola.kernel.errors import Kind, Problem
from cupola.kernel.terminal import Plain
from cupola.platform import address
from cupola.platform.runtime import Runtime
from cupola.platform.settings import Settings
from cupola.platform.telemetry import logs, traces

console = Plain(stderr=True)
log = logging.getLogger("cupola.serve")
WATCH_EVERY_S = 2.0


def _free(settings: Settings) -> None:
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Problem(
                Kind.CONFLICT,
                "port-taken",
                f"Port {settings.port} of {settings.host} is taken: {error.strerror}.",
                remedy="Stop the other program, or choose another port with --port.",
            ) from error


def _end_in_order_when_told_to() -> None:
    """Turn SIGTERM into an exit that unwinds, so that the last process out stops the embedded database.

    uvicorn raises a signal that it caught once more when it has finished; by default that would end us on the spot.
    """

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)


def run_server(settings: Settings, *, with_worker: bool, first_link: bool = True) -> None:
    """Serve until a signal. with_worker: slow work and events are handled in this process too."""
    logs.begin()
    traces.begin("cupola-server" if not with_worker else "cupola")
    _end_in_order_when_told_to()
    _free(settings)
    wire.raise_file_limit()
    # beside others a schema is changed on purpose: `cupola migrate`, by whoever sees to it that no older process runs
    up_to_date = with_worker or settings.database_url is None
    with ending.without_waiting(), launch.database(settings, bring_up_to_date=up_to_date) as place:
        run = launch.runtime(settings, place.server_url)

        async def background() -> Callable[[], Awaitable[None]]:
            steps = ending.Steps(asyncio.get_running_loop())
            stop = await worker.start(run) if with_worker else None
            watch = asyncio.create_task(_watch(place))
            if first_link:
                await _say(run)

            async def end() -> None:
                watch.cancel()
                if stop is not None:
                    await stop()
                await steps.leave()

            return end

        app = http.create_app(run, background=background)
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http=wire.GuardedProtocol,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=5,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
        )
        uvicorn.Server(config).run()


async def _watch(place: launch.Place) -> None:
    """Start an embedded database again that has died; requests in between are answered 503 and lose nothing."""
    while place.revive is not None:
        await asyncio.sleep(WATCH_EVERY_S)
        try:
            await asyncio.to_thread(place.revive)
        except Problem as problem:
            log.warning("the database does not start: %s", problem.detail)


async def _say(run: Runtime) -> None:
    address.note(run.settings.data_dir, run.settings.public_url)
    console.headed("Cupola", f" is up: {run.settings.public_url}", "bold")
    link = await first_admin_link(run)
    if link:
        console.print(f"Make yourself the operator (once, within 24 h): {link}", highlight=False, soft_wrap=True)


def run_worker(settings: Settings) -> None:
    """Handle events and slow work until a signal."""
    logs.begin()
    traces.begin("cupola-worker")
    _end_in_order_when_told_to()
    up_to_date = settings.database_url is None
    with ending.without_waiting(), launch.database(settings, bring_up_to_date=up_to_date) as place:
        run = launch.runtime(settings, place.server_url)

        async def main() -> None:
            stop = asyncio.Event()
            loop = asyncio.get_running_loop()
            steps = ending.Steps(loop)
            for name in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(name, stop.set)
            console.print("The worker runs.")
            watch = asyncio.create_task(_watch(place))
            await worker.run_until(run, stop)
            watch.cancel()
            await steps.leave()

        asyncio.run(main())
