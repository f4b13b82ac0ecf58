"""`cupola doctor`: what is running, what is missing, how to mend it. It looks; it makes, starts and stops nothing."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import socket
import stat
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from importlib import resources
from pathlib import Path

import httpx
import psycopg

import cupola
from cupola.app import launch
from cupola.kernel import clock
from cupola.kernel.errors import Problem
from cupola.platform import settings as configuration
from cupola.platform import store
from cupola.platform.dispatch import service as dispatch
from cupola.platform.dispatch.model import Aside
from cupola.platform.jobs import service as jobs
from cupola.platform.jobs.model import Failed
from cupola.platform.pg import account, binaries, migrate
from cupola.platform.pg.binaries import Binaries
from cupola.platform.pg.cluster import Cluster, State
from cupola.platform.pg.tx import Role
from cupola.platform.sweeping import files
from cupola.platform.sweeping import service as sweeping

FEW_BYTES = 2 * 1024**3  # an import of a few thousand photographs
TOO_FEW_BYTES = 256 * 1024**2  # Postgres's own log of changes may need as much
BEAT_FRESH_S = 120
_HEALTH_TIMEOUT_S = 3


SHOWN = 20  # of what is set aside, and of what fails


class Health(str, Enum):
    """How one thing stands."""

    OK = "ok"
    NOTE = "note"  # good to know; nothing to do
    MISSING = "missing"  # wanted for some of the work
    BROKEN = "broken"  # Cupola does not run, or would lose something, until it is mended


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. remedy: what to do, empty when nothing is."""

    name: str
    health: Health
    detail: str
    remedy: str = ""


def examine(data_dir: Path, *, host: str = "127.0.0.1", port: int = 8000) -> list[Finding]:
    """Look at everything that an instance over `data_dir` needs, in the order in which one would mend it.

    Never raises for what it finds: a check that fails is itself a finding.
    """
    root = data_dir.resolve()
    external = os.environ.get("CUPOLA_DATABASE_URL", "")
    checks: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("Python", _python),
        ("browser app", _browser_app),
        ("Chromium", _chromium),
        ("data folder", lambda: _data_folder(root)),
        ("disk", lambda: _disk(root)),
        ("secret", lambda: _secret(root)),
        *(
            [("database", lambda: _schema(external, root, "the Postgres of CUPOLA_DATABASE_URL"))]
            if external
            else [("Postgres programs", lambda: _programs(root)), ("database", lambda: _embedded(root))]
        ),
        ("port", lambda: _port(host, port)),
        ("abandoned databases", _abandoned),
    ]
    found: list[Finding] = []
    for name, check in checks:
        try:
            found.extend(check())
        except Problem as problem:
            found.append(Finding(name, Health.BROKEN, problem.detail, problem.remedy))
        except (OSError, psycopg.Error, RuntimeError) as error:
            found.append(Finding(name, Health.BROKEN, str(error).strip(), "Mend that, then look again."))
    return found


def healthy(findings: Sequence[Finding]) -> bool:
    """Whether nothing is broken: what decides the exit code."""
    return all(finding.health is not Health.BROKEN for finding in findings)


def as_json(findings: Sequence[Finding]) -> dict[str, object]:
    """What `--json` prints."""
    return {
        "version": cupola.__version__,
        "healthy": healthy(findings),
        "findings": [
            {"name": one.name, "health": one.health.value, "detail": one.detail, "remedy": one.remedy}
            for one in findings
        ],
    }


def as_text(findings: Sequence[Finding]) -> str:
    """What a person reads: a line for each finding, the remedy under it."""
    marks = {Health.OK: "ok", Health.NOTE: "--", Health.MISSING: "??", Health.BROKEN: "!!"}
    lines: list[str] = []
    for one in findings:
        lines.append(f"{marks[one.health]}  {one.name}: {one.detail}")
        if one.remedy:
            lines.append(f"      {one.remedy}")
    broken = sum(one.health is Health.BROKEN for one in findings)
    lines.append("")
    lines.append("Nothing is broken." if not broken else f"{broken} to mend, marked !!")
    return "\n".join(lines)


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", Health.OK, f"{version} in {sys.prefix}, Cupola {cupola.__version__}")


def _browser_app() -> Iterator[Finding]:
    built = resources.files(cupola).joinpath("web", "dist", "index.html").is_file()
    if built:
        yield Finding("browser app", Health.OK, "built")
        return
    checkout = Path(str(resources.files(cupola))).parents[1] / "web" / "package.json"
    if checkout.is_file():
        node = shutil.which("node")
        yield Finding(
            "browser app",
            Health.MISSING,
            "not built" + ("" if node else ", and there is no node to build it with"),
            "make web" if node else "Install Node 20 (Debian: apt-get install nodejs npm), then: make web",
        )
    else:
        yield Finding("browser app", Health.MISSING, "not in this installation", "pip install --force-reinstall cupola")


def _chromium() -> Iterator[Finding]:
    wanted = [os.environ.get("CUPOLA_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"]
    path = next((path for name in wanted if name and (path := shutil.which(name))), None)
    if path:
        yield Finding("Chromium", Health.OK, f"{path} (for the browser tests alone)")
    else:
        yield Finding(
            "Chromium", Health.NOTE, "absent; only the browser tests need it", "As root: apt-get install chromium"
        )


def _data_folder(root: Path) -> Iterator[Finding]:
    if not root.exists():
        above = next(parent for parent in root.parents if parent.exists())
        if os.access(above, os.W_OK | os.X_OK):
            yield Finding("data folder", Health.NOTE, f"{root} does not exist yet; the first start makes it")
        else:
            yield Finding(
                "data folder",
                Health.BROKEN,
                f"{root} does not exist, and {above} may not be written to",
                "Choose another with --data.",
            )
    elif not root.is_dir() or not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        yield Finding("data folder", Health.BROKEN, f"{root} may not be written to", "Mend its owner and mode.")
    else:
        yield Finding("data folder", Health.OK, str(root))


def _disk(root: Path) -> Iterator[Finding]:
    place = next(step for step in (root, *root.parents) if step.exists())
    usage = shutil.disk_usage(place)
    state = os.statvfs(place)
    if state.f_files and state.f_favail < 10_000:
        yield Finding("disk", Health.BROKEN, f"{state.f_favail} inodes left for {root}", "Delete many small files.")
        return
    health = Health.OK if usage.free >= FEW_BYTES else Health.MISSING if usage.free >= TOO_FEW_BYTES else Health.BROKEN
    yield Finding(
        "disk",
        health,
        f"{usage.free / 1024**3:.1f} GiB free for {root}",
        "" if health is Health.OK else "Make room, or move the data folder to a larger disk.",
    )


def _secret(root: Path) -> Iterator[Finding]:
    if os.environ.get("CUPOLA_SECRET"):
        yield Finding("secret", Health.OK, "given by CUPOLA_SECRET")
        return
    path = root / "secret"
    if not path.exists():
        yield Finding("secret", Health.NOTE, "none yet; the first start makes one")
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        yield Finding("secret", Health.BROKEN, f"{path} can be read by others ({mode:04o})", f"chmod 600 {path}")
    else:
        yield Finding("secret", Health.OK, str(path))


def _programs(root: Path) -> Iterator[Finding]:
    folder = binaries.bundled_folder()
    who = account.choose(root / "postgres")
    runnable = who.can_run(folder / "postgres")
    said = Binaries.for_clients().run("postgres", ["--version"], as_account=False).strip()
    if runnable:
        yield Finding("Postgres programs", Health.OK, f"{said}, run by {who.name}")
    else:
        yield Finding(
            "Postgres programs",
            Health.NOTE,
            f"{said}; {who.name}, who runs it, cannot pass {who.blocked_at(folder)}, so a copy is run "
            f"from {binaries.DURABLE_BASE}",
        )


def _embedded(root: Path) -> Iterator[Finding]:
    if not root.is_dir():
        yield Finding("database", Health.NOTE, "none yet; the first start makes one")
        return
    state = Cluster.inspect(root)
    if state.places.notice:
        yield Finding("database", Health.NOTE, state.places.notice)
    if not state.exists:
        yield Finding("database", Health.NOTE, "none yet; the first start makes one")
        return
    blocked = state.places.account.blocked_at(state.places.home.parent)
    if blocked is not None:
        yield Finding(
            "database",
            Health.BROKEN,
            f"{state.places.account.name}, who runs Postgres, cannot pass {blocked}",
            f"chmod o+x {blocked}",
        )
        return
    yield _server(state)
    if state.running:
        with Cluster.attach(root) as running:
            yield from _schema(running.url, root, "embedded")


def _server(state: State) -> Finding:
    if state.running and state.in_use:
        return Finding("database", Health.OK, f"runs as process {state.pid} in {state.places.home}")
    if state.running:
        return Finding(
            "database",
            Health.NOTE,
            f"runs as process {state.pid}, left behind by processes that were killed",
            "Nothing is lost: the next start takes it over, and stops it when it ends.",
        )
    if state.in_use:
        return Finding(
            "database",
            Health.BROKEN,
            "does not run, though processes use it: it crashed",
            f"Restart cupola. Postgres's own words are in {state.places.log}.",
        )
    left = (
        f" (a crash left process number {state.stale_pid} behind; the next start mends it)" if state.stale_pid else ""
    )
    return Finding("database", Health.NOTE, f"stopped{left}", "Start it with: cupola up")


def _schema(url: str, root: Path, what: str) -> Iterator[Finding]:
    stands, wanted = migrate.present(url), migrate.head()
    if stands != wanted:
        newer = stands is not None and stands > wanted
        yield Finding(
            "schema",
            Health.BROKEN if newer else Health.MISSING,
            f"{what}: at {stands or 'nothing'}, this version needs {wanted}",
            "Install the version of Cupola that made it, or a later one." if newer else "cupola migrate",
        )
        return
    lacks = migrate.behind(url)
    if lacks is not None:
        yield Finding("schema", Health.MISSING, f"{what}: {lacks}", "cupola migrate")
        return
    yield Finding("schema", Health.OK, f"{what}: at {stands}")
    if os.environ.get("CUPOLA_SECRET") or (root / "secret").exists():
        yield from asyncio.run(_processes(url, root))


def _aside(aside: Sequence[Aside]) -> Iterator[Finding]:
    for one in aside:
        yield Finding(
            "set aside",
            Health.MISSING,
            f"{one.consumer} cannot handle project {one.project or 'none'} of tenant {one.tenant}: {one.reason}; "
            f"{one.tries} tries since {one.since:%Y-%m-%d %H:%M}, the next at {one.next_at:%Y-%m-%d %H:%M}",
            "The log has the whole fault. Everything else goes on; this is tried again by itself.",
        )


def _failing(failing: Sequence[Failed]) -> Iterator[Finding]:
    for one in failing:
        until = "given up" if one.failed_at else "tried again"
        yield Finding(
            "slow work",
            Health.MISSING if one.failed_at else Health.NOTE,
            f"{one.kind} {one.subject} of tenant {one.tenant} fails and is {until}: {one.reason}",
            "The log has the whole fault." if one.failed_at else "",
        )


def _old(due: Mapping[str, int]) -> Finding:
    """What is older than it is kept: a worker takes it away within an hour."""
    if not any(due.values()):
        return Finding("kept for a while", Health.OK, "nothing is older than it is kept")
    told = ", ".join(f"{count} {kind}" for kind, count in due.items() if count)
    return Finding("kept for a while", Health.NOTE, f"older than they are kept: {told}", "A worker takes them away.")


async def _processes(url: str, root: Path) -> list[Finding]:
    """Go in as the server does, which also proves that it can, and read who is alive."""
    secret = configuration.load(root)
    run = launch.runtime(secret, migrate.server_url(url, secret.database_password))
    db = run.db
    try:
        await db.open()
        async with db.tx(Role.OPS) as conn:
            beats = await store.BEATS.all(conn, since=clock.now() - timedelta(seconds=BEAT_FRESH_S))
            aside = await dispatch.asides(conn, None, SHOWN)
            failing = await jobs.failing(conn, None, SHOWN)
        old = dict(await sweeping.due(db))
        with suppress(Problem):  # a store that is away is told where the store is looked at
            old["files"] = await files.due(db, run.blobs)
    finally:
        await db.close()
    found = [*_aside(aside), *_failing(failing), _old(old)]
    for role, start in (("server", "cupola up or cupola serve"), ("worker", "cupola up or cupola worker")):
        alive = [beat for beat in beats if role.startswith(beat.role) or beat.role.startswith(role)]
        if alive:
            who = ", ".join(f"{beat.pid} on {beat.host}" for beat in alive)
            found.append(Finding(role, Health.OK, f"alive: process {who}"))
        else:
            found.append(
                Finding(
                    role, Health.MISSING, f"none has been heard of for {BEAT_FRESH_S} s", f"Start one with: {start}"
                )
            )
    return found


def _port(host: str, port: int) -> Iterator[Finding]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                yield Finding(
                    "port", Health.BROKEN, f"{host}:{port} cannot be used: {error.strerror}", "Choose another: --port"
                )
                return
        else:
            yield Finding("port", Health.OK, f"{host}:{port} is free")
            return
    shown = "127.0.0.1" if host == "0.0.0.0" else f"[{host}]" if ":" in host else host  # noqa: S104 - only compared
    try:
        answer = httpx.get(f"http://{shown}:{port}/api/health", timeout=_HEALTH_TIMEOUT_S, trust_env=False)
        ours = answer.json()
    except (httpx.HTTPError, ValueError):
        ours = None
    if isinstance(ours, dict) and "status" in ours and "version" in ours:
        yield Finding("port", Health.OK, f"Cupola {ours['version']} answers at {host}:{port}: {ours['status']}")
    else:
        yield Finding(
            "port", Health.BROKEN, f"{host}:{port} is taken by another program", "Stop it, or choose another: --port"
        )


def _abandoned() -> Iterator[Finding]:
    folder = binaries.DURABLE_BASE / "databases"
    try:
        notes = sorted(folder.glob("*.txt"))
    except OSError:
        return
    for note in notes:
        home, owner = note.with_suffix(""), Path(note.read_text().strip())
        if not owner.exists():
            yield Finding(
                "abandoned database",
                Health.NOTE,
                f"{home} belonged to {owner}, which is gone",
                f"Once you are sure that it is not needed: rm -r {home} {note}",
            )
