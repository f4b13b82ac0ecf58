"""How fast data comes in and goes out, and what it costs in memory.

    python -m bench.import_export [--items 100000] [--images 100000] [--out bench/out/import_export.json]

Imports a manifest of references and a folder of small pictures into an embedded Postgres, then streams as many rows
through each exporter. Every figure is of this machine on this day; the table says beside it what was to be reached.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import io
import json
import os
import resource
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from PIL import Image

from cupola.catalog import jobs, service, store
from cupola.kernel import clock, ids
from cupola.labels import Box, ChoiceLabel, Label, Object, ObjectsLabel, decode_ontology, encode
from cupola.platform import hooks
from cupola.platform.blobs import Blobs
from cupola.platform.pg.cluster import Cluster
from cupola.platform.pg.migrate import migrate, server_url
from cupola.platform.pg.tx import Database, Role
from cupola.platform.runtime import Runtime
from cupola.platform.settings import Settings
from cupola.releases.exporters.base import About

BATCH = 2_000


@dataclass(frozen=True)
class Measured:
    what: str
    n: int
    wall_s: float
    cpu_s: float
    more_rss_mb: float
    to_reach: str


class Watch:
    """Wall time, CPU time of this process, and by how much its greatest memory grew."""

    def __enter__(self) -> Watch:
        self._wall, self._cpu, self._rss = time.perf_counter(), time.process_time(), _rss_mb()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_s = time.perf_counter() - self._wall
        self.cpu_s = time.process_time() - self._cpu
        self.rss_mb = _rss_mb() - self._rss

    def told(self, what: str, n: int, to_reach: str) -> Measured:
        return Measured(what, n, round(self.wall_s, 2), round(self.cpu_s, 2), round(self.rss_mb, 1), to_reach)


def _rss_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def small_png(number: int) -> bytes:
    """A picture of 8 x 8 px that no other number gives."""
    out = io.BytesIO()
    Image.frombytes("L", (8, 8), hashlib.sha256(str(number).encode()).digest() * 2).save(out, "PNG")
    return out.getvalue()


async def load(run: Runtime, tenant: UUID, dataset: UUID, source: dict[str, Any]) -> int:
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        started = await service.start_import(conn, run, tenant, dataset, source)
    await jobs.run_import(run, tenant, started.id)
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        ended = await store.IMPORT.one(conn, tenant=tenant, id=started.id)
    assert ended.state == "done", ended.error
    return ended.accepted


async def imports(run: Runtime, tenant: UUID, folder: Path, items: int, images: int) -> list[Measured]:
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        dataset = (await service.create_dataset(conn, tenant, "bench", "")).id
    out: list[Measured] = []

    async def manifest() -> AsyncIterator[bytes]:
        for start in range(0, items, BATCH):
            rows = (
                {"ref": f"img/{n:07}.jpg", "url": f"https://example.com/img/{n:07}.jpg", "metadata": {"camera": n % 7}}
                for n in range(start, min(items, start + BATCH))
            )
            yield "".join(json.dumps(row) + "\n" for row in rows).encode()

    upload = await service.receive_upload(run, tenant, dataset, "m.jsonl", manifest(), 1 << 40)
    with Watch() as watch:
        accepted = await load(run, tenant, dataset, {"type": "upload", "upload": upload.upload, "copy": False})
    assert accepted == items
    out.append(watch.told("import: references of a manifest", items, "100,000 in 6 s"))

    for number in range(images):
        path = folder / f"{number // 1000:05}" / f"{number:07}.png"
        if number % 1000 == 0:
            path.parent.mkdir(parents=True)
        path.write_bytes(small_png(number))
    with Watch() as watch:
        accepted = await load(run, tenant, dataset, {"type": "folder", "path": str(folder)})
    assert accepted == images
    out.append(watch.told("import: small pictures, read, hashed, probed", images, "100,000 in 60 s"))
    return out


@dataclass
class Released:
    position: int
    ref: str
    label: str
    task: UUID
    settlement: UUID
    judgements: Sequence[UUID]
    asset: bytes | None = b"\1" * 32
    url: str | None = None
    body: str | None = None
    media_type: str = "image/png"
    width_px: int | None = 640
    height_px: int | None = 480
    confidence: float = 0.99
    how: str = "crowd"
    metadata: dict[str, Any] = field(default_factory=dict)
    parts: str | None = None


async def export(form: str, spec: dict[str, Any], label: Label, n: int, to_reach: str) -> Measured:
    one, text, picture = ids.uuid7(), encode(label).decode(), small_png(1)

    async def rows(count: int) -> AsyncIterator[Sequence[Released]]:
        for start in range(0, count, BATCH):
            yield [
                Released(p, f"images/{p:07}.png", text, one, one, (one, one))
                for p in range(start, min(count, start + BATCH))
            ]

    async def opened(_: bytes) -> AsyncIterator[bytes]:
        yield picture

    async def drain(count: int) -> None:
        about = About(one, "bench", "CC0-1.0", decode_ontology(spec), clock.now(), opened)
        digest = hashlib.sha256()
        async for part in hooks.load(hooks.EXPORTERS, form)(rows(count), about).chunks:
            digest.update(part)

    await drain(BATCH)
    with Watch() as watch:
        await drain(n)
    return watch.told(f"export: {form}, {spec['kind']}", n, to_reach)


async def measure(url: str, tenant: UUID, base: Path, items: int, images: int) -> list[Measured]:
    db = Database(url)
    await db.open()
    try:
        settings = Settings(base / "instance", None, None, b"b" * 32, import_roots=(base / "pictures",))
        run = Runtime(settings, db, Blobs.open(base / "instance" / "blobs", secret=b"b" * 32))
        (base / "pictures").mkdir()
        out = await imports(run, tenant, base / "pictures", items, images)
    finally:
        await db.close()
    choice = {"kind": "choice", "classes": [{"name": "cat"}, {"name": "dog"}]}
    boxes = {"kind": "objects", "classes": [{"name": "car"}]}
    five = ObjectsLabel([Object(str(n), "car", Box(n, 2.5, 30, 40)) for n in range(5)])
    out.append(await export("jsonl", choice, ChoiceLabel(["cat"]), items, "20,000/s, +50 MB"))
    out.append(await export("jsonl", boxes, five, items, "20,000/s, +50 MB"))
    out.append(await export("coco", boxes, five, items, "10,000/s, +50 MB"))
    out.append(await export("yolo", boxes, five, items, "constant memory"))
    out.append(await export("parquet", choice, ChoiceLabel(["cat"]), items, "constant memory"))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=Path("bench/out/import_export.json"))
    asked = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="cupola-bench-"))
    base.chmod(0o755)  # Postgres runs under another account than root and must pass
    tenant, organisation = ids.uuid7(), ids.uuid7()
    try:
        with Cluster.open(base / "data") as cluster:
            admin = cluster.create_database("bench")
            migrate(admin, "bench password")
            with psycopg.connect(admin, autocommit=True, options="-c search_path=cupola") as conn:
                conn.execute("INSERT INTO organisation (id, name, created_at) VALUES (%s, 'b', now())", (organisation,))
                conn.execute(
                    "INSERT INTO tenant (id, organisation, world, created_at) VALUES (%s, %s, 'live', now())",
                    (tenant, organisation),
                )
            url = server_url(admin, "bench password")
            rows = asyncio.run(measure(url, tenant, base, asked.items, asked.images))
    finally:
        Cluster.destroy(base / "data")
        shutil.rmtree(base, ignore_errors=True)
    print(f"{'':46}{'n':>9}{'wall s':>9}{'CPU s':>8}{'per s':>10}{'+MB':>7}  to reach")
    for row in rows:
        print(
            f"{row.what:46}{row.n:>9,}{row.wall_s:>9.2f}{row.cpu_s:>8.2f}{row.n / max(row.wall_s, 0.01):>10,.0f}"
            f"{row.more_rss_mb:>7.0f}  {row.to_reach}"
        )
    load = os.getloadavg()[0]
    print(f"load of the machine at the end: {load:.1f} on {os.cpu_count()} cores")
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps({"load": load, "rows": [vars(row) for row in rows]}, indent=1))


if __name__ == "__main__":
    main()
