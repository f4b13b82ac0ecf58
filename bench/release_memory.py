"""What a large release costs in memory: each step of it in a process of its own, as the server and the worker run it.

    python -m bench.release_memory [--rows 1000000] [--out bench/out/release_memory.json]

Fills an embedded Postgres with that many pictures, then makes tasks of them, freezes, certifies, writes the evidence,
verifies it and exports to every format. The table gives, for each step, the wall time, the CPU time and the greatest
memory of the process that did it (VmHWM, with the whole application loaded), and the greatest private memory of one
Postgres backend meanwhile (RssAnon, read five times a second).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from bench.import_export import small_png
from cupola.app.http import create_app
from cupola.kernel import ids
from cupola.labels import Box, Object, ObjectsLabel, decode_label, encode
from cupola.ontology import service as ontologies
from cupola.platform import hooks
from cupola.platform.blobs import Blobs
from cupola.platform.pg.cluster import Cluster
from cupola.platform.pg.migrate import migrate, server_url
from cupola.platform.pg.tx import Database, Role
from cupola.platform.runtime import Runtime
from cupola.platform.settings import Settings
from cupola.releases import evidence, exporting, freezing, service, store, verifying
from cupola.releases.model import AuditAsked
from cupola.tasks import service as tasks
from cupola.tasks.adding import service as adding
from cupola.tasks.model import Plan
from cupola.tasks.stages import NewProject

PASSWORD = "bench password"
MOST_MB = 400
DRAWN = 330


@dataclass
class Step:
    """What one step took. peak_mb: of its process; backend_mb: of the greatest Postgres backend, its own alone."""

    what: str
    wall_s: float
    cpu_s: float
    peak_mb: float
    backend_mb: float


@dataclass
class Place:
    """Where the steps work. Filled as they go; handed to each by a file."""

    base: str
    admin: str
    tenant: str
    dataset: str
    rows: int
    project: str = ""
    release: str = ""

    @property
    def id(self) -> UUID:
        return UUID(self.tenant)


# ---------------------------------------------------------------- the steps, each in a process of its own
async def add(run: Runtime, at: Place) -> None:
    async with run.db.tx(Role.APP, tenant=at.id) as conn:
        spec = {"kind": "objects", "classes": [{"name": "car"}]}
        version = await ontologies.create(conn, at.id, "bench", spec, {})
        plan = Plan(min_judgements=1, max_judgements=3, gold_rate=0.0)
        new = NewProject("bench", UUID(at.dataset), version.version_id, plan, 10, "EUR", None, None, 10, 600, "open")
        project = (await tasks.create_project(conn, run, at.id, new)).id
        await adding.add_tasks(conn, at.id, project, None, 0.0)
    await adding.run_add(run, at.id, project)
    at.project = str(project)


async def freeze(run: Runtime, at: Place) -> None:
    async with run.db.tx(Role.APP, tenant=at.id) as conn:
        asked = AuditAsked(DRAWN, 0.95, 0.9)
        declared = await service.declare(conn, run, at.id, UUID(at.project), "large", "CC0-1.0", asked)
    async with run.db.tx(Role.APP, tenant=at.id) as conn:
        await service.freeze(conn, run, at.id, declared.id)
    await freezing.run_freeze(run, at.id, declared.id)
    at.release = str(declared.id)


async def certify(run: Runtime, at: Place) -> None:
    release = UUID(at.release)
    async with run.db.tx(Role.APP, tenant=at.id) as conn:
        for row, _ in await service.next_items(conn, run, at.id, release, DRAWN, None, "bench"):
            said = json.loads(encode(decode_label(row.label)))
            await service.judge(conn, at.id, release, row.id, None, said, False, 2.0)
    async with run.db.tx(Role.APP, tenant=at.id) as conn:
        done = await service.certify_release(conn, run, at.id, release)
    assert done.state == "certified", done
    assert done.items == at.rows, (done.items, at.rows)


async def write_evidence(run: Runtime, at: Place) -> None:
    async with run.db.tx(Role.APP, tenant=at.id) as conn:
        row = await store.RELEASE.one(conn, tenant=at.id, id=UUID(at.release))
    with (Path(at.base) / "evidence.zip").open("wb") as out:
        async for part in evidence.bundle(run, at.id, row):
            out.write(part)


async def verify(_: Runtime, at: Place) -> None:
    found = verifying.verify(Path(at.base) / "evidence.zip")
    assert (found.wrong, found.items) == ([], at.rows), found


def export(form: str) -> Callable[[Runtime, Place], Awaitable[None]]:
    async def write(run: Runtime, at: Place) -> None:
        async with run.db.tx(Role.APP, tenant=at.id) as conn:
            begun = await exporting.start(conn, run, at.id, UUID(at.release), form, "bench")
        await exporting.run_export(run, at.id, begun.id)
        async with run.db.tx(Role.APP, tenant=at.id) as conn:
            done = await store.EXPORT.one(conn, tenant=at.id, id=begun.id)
        assert (done.state, done.rows) == ("done", at.rows), done

    return write


STEPS: dict[str, Callable[[Runtime, Place], Awaitable[None]]] = {
    "add tasks": add,
    "freeze and draw": freeze,
    "certify": certify,
    "evidence": write_evidence,
    "verify": verify,
    **{f"export: {form}": export(form) for form in hooks.names(hooks.EXPORTERS)},
}


def runtime(at: Place) -> Runtime:
    base = Path(at.base) / "instance"
    settings = Settings(base, server_url(at.admin, PASSWORD), None, b"b" * 32)
    return Runtime(settings, Database(server_url(at.admin, PASSWORD)), Blobs.open(base / "blobs", secret=b"b" * 32))


def step_here(what: str, place: Path) -> None:
    """Do one step in this process, with the application loaded, and print what it took."""
    at = Place(**json.loads(place.read_text()))

    async def go() -> None:
        run = runtime(at)
        create_app(run)
        await run.db.open()
        try:
            await STEPS[what](run, at)
        finally:
            await run.db.close()

    began = time.perf_counter()
    asyncio.run(go())
    wall_s = time.perf_counter() - began
    place.write_text(json.dumps(asdict(at)))
    print(json.dumps({"wall_s": wall_s, "cpu_s": time.process_time(), "peak_mb": status_mb(os.getpid(), "VmHWM")}))


# ---------------------------------------------------------------- around them
def status_mb(pid: int, what: str) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(what):
                return int(line.split()[1]) / 1024
    return 0.0


class Backends:
    """Watches the private memory of the backends that serve this database."""

    def __init__(self, admin: str) -> None:
        self.most_mb = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(admin,), daemon=True)

    def __enter__(self) -> Backends:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self, admin: str) -> None:
        asked = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        with psycopg.connect(admin, autocommit=True) as conn:
            while not self._over.wait(0.2):
                for (pid,) in conn.execute(asked).fetchall():
                    self.most_mb = max(self.most_mb, status_mb(pid, "RssAnon"))


def measured(what: str, place: Path, admin: str) -> Step:
    with Backends(admin) as backends:
        done = subprocess.run(
            [sys.executable, "-m", "bench.release_memory", "--step", what, "--place", str(place)],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    told = json.loads(done.stdout.splitlines()[-1])
    wall_s, cpu_s, peak_mb = (round(told[name], 1) for name in ("wall_s", "cpu_s", "peak_mb"))
    return Step(what, wall_s, cpu_s, peak_mb, round(backends.most_mb, 1))


@contextlib.contextmanager
def filled(base: Path, rows: int) -> Iterator[Place]:
    """A database with a dataset of so many pictures."""
    at = Place(str(base), "", str(ids.uuid7()), str(ids.uuid7()), rows)
    with Cluster.open(base / "data") as cluster:
        at.admin = cluster.create_database("bench")
        migrate(at.admin, PASSWORD)
        picture = small_png(1)
        stored = asyncio.run(runtime(at).blobs.put(at.id, picture))
        with psycopg.connect(at.admin, autocommit=True, options="-c search_path=cupola") as conn:
            organisation = ids.uuid7()
            conn.execute("INSERT INTO organisation (id, name, created_at) VALUES (%s, 'b', now())", (organisation,))
            conn.execute(
                "INSERT INTO tenant (id, organisation, world, created_at) VALUES (%s, %s, 'live', now())",
                (at.tenant, organisation),
            )
            conn.execute(
                "INSERT INTO dataset (tenant, id, name, created_at) VALUES (%s, %s, 'b', now())",
                (at.tenant, at.dataset),
            )
            sha256 = bytes.fromhex(stored.sha256)
            conn.execute(
                "INSERT INTO blob (tenant, sha256, bytes, media_type, width_px, height_px, created_at) "
                "VALUES (%s, %s, %s, 'image/png', 8, 8, now())",
                (at.tenant, sha256, len(picture)),
            )
            conn.execute(
                "INSERT INTO item (tenant, id, dataset, ref, media_type, asset, bytes, width_px, height_px, metadata, "
                "fingerprint, created_at) SELECT %s, uuidv7(), %s, 'img/' || lpad(n::text, 9, '0') || '.png', "
                "'image/png', %s, %s, 8, 8, '{\"camera\": 3}', '\\x00', now() FROM generate_series(1, %s) n",
                (at.tenant, at.dataset, sha256, len(picture), rows),
            )
        yield at


def settle(at: Place) -> None:
    """As if every task had been judged by three and settled: written as the owner, without what watches over it."""
    label = encode(ObjectsLabel([Object("1", "car", Box(1, 1, 4, 3))])).decode()
    with psycopg.connect(at.admin, autocommit=True, options="-c search_path=cupola") as conn:
        conn.execute("SET session_replication_role = replica")
        params = (label, at.project)
        for _ in range(3):
            conn.execute(
                "INSERT INTO judgement (tenant, id, task, project, assignment, worker, label, seconds, gold, "
                "price_minor, transfer, at) SELECT tenant, uuidv7(), id, project, id, uuidv7(), %s, 3, false, 10, id, "
                "now() FROM task WHERE project = %s",
                params,
            )
        conn.execute(
            "INSERT INTO settlement (tenant, id, task, project, version, label, confidence, how, method, judgements, "
            "at) SELECT t.tenant, uuidv7(), t.id, t.project, 1, %s, 0.97, 'crowd', 'bench', "
            "ARRAY[t.id, t.item, t.project], now() FROM task t WHERE t.project = %s",
            params,
        )
        conn.execute("UPDATE task SET state = 3, open_slots = 0, settled_version = 1 WHERE project = %s", params[1:])
        conn.execute(
            "INSERT INTO tally (tenant, subject, tasks_settled) SELECT tenant, project, count(*) FROM task "
            "WHERE project = %s GROUP BY 1, 2",
            params[1:],
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, default=Path("bench/out/release_memory.json"))
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--place", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        step_here(asked.step, asked.place)
        return
    base = Path(tempfile.mkdtemp(prefix="cupola-bench-"))
    base.chmod(0o755)  # Postgres runs under another account than root and must pass
    done: list[Step] = []
    print(f"{'':18}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'backend MB':>12}   of {asked.rows:,} rows", flush=True)
    try:
        with filled(base, asked.rows) as at:
            place = base / "place.json"
            place.write_text(json.dumps(asdict(at)))
            for what in STEPS:
                step = measured(what, place, at.admin)
                done.append(step)
                print(
                    f"{what:18}{step.wall_s:>9.1f}{step.cpu_s:>9.1f}{step.peak_mb:>9.0f}{step.backend_mb:>12.0f}"
                    f"{'' if step.peak_mb <= MOST_MB else f'   over {MOST_MB} MB'}",
                    flush=True,
                )
                if what == "add tasks":
                    settle(Place(**json.loads(place.read_text())))
    finally:
        Cluster.destroy(base / "data")
        shutil.rmtree(base, ignore_errors=True)
    load = os.getloadavg()[0]
    print(f"load of the machine at the end: {load:.1f} on {os.cpu_count()} cores")
    told: dict[str, Any] = {"rows": asked.rows, "load": load, "steps": [asdict(step) for step in done]}
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
