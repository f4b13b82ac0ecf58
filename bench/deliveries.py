"""How many webhooks leave in a second, and what each costs, beside receivers that hang.

    python -m bench.deliveries [--messages 5000] [--tenants 1] [--hooks 1] [--hanging 0] [--profile FILE]

Receivers are processes of their own; the courier is the product's, on an embedded Postgres. To reach: 500 a second for
a tenant. CPU is that of the courier's process (it signs, sends and notes), without Postgres and receivers.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import multiprocessing
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import UUID

import psycopg

from cupola.kernel import ids
from cupola.platform.blobs import Blobs
from cupola.platform.outbox import Courier
from cupola.platform.pg.cluster import Cluster
from cupola.platform.pg.migrate import migrate, server_url
from cupola.platform.pg.tx import Database
from cupola.platform.runtime import Runtime
from cupola.platform.settings import Settings
from cupola.platform.webhooks import service

BODY = json.dumps({"id": 123456, "kind": "task.settled", "subject": str(UUID(int=7)), "data": {"tasks": 3}})
PASSWORD = "bench password"


def receive(told: Connection, hangs: bool) -> None:
    """A receiver: answers each POST with 204, or takes it and never answers."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
                if hangs:
                    await asyncio.sleep(3_600)
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def receiver(hangs: bool) -> tuple[multiprocessing.Process, str]:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=receive, args=(there, hangs), daemon=True)
    process.start()
    return process, f"http://127.0.0.1:{here.recv()}/hook"


@dataclass(frozen=True)
class Asked:
    messages: int
    tenants: int
    hooks: int
    hanging: int


def fill(admin: str, asked: Asked, urls: list[str], hanging: str) -> None:
    """Messages for healthy receivers, and as many for those that hang, of the first tenant."""
    with psycopg.connect(admin, autocommit=True, options="-c search_path=cupola") as conn:
        organisation = ids.uuid7()
        conn.execute("INSERT INTO organisation (id, name, created_at) VALUES (%s, 'b', now())", (organisation,))
        for number in range(asked.tenants):
            tenant = ids.uuid7()
            world = "live" if number == 0 else "test"
            organisation = organisation if number == 0 else ids.uuid7()
            if number:
                conn.execute("INSERT INTO organisation (id, name, created_at) VALUES (%s, 'b', now())", (organisation,))
            conn.execute(
                "INSERT INTO tenant (id, organisation, world, created_at) VALUES (%s, %s, %s, now())",
                (tenant, organisation, world),
            )
            hooks = [(ids.uuid7(), urls[n % len(urls)]) for n in range(asked.hooks)]
            hooks += [(ids.uuid7(), hanging) for _ in range(asked.hanging if number == 0 else 0)]
            each = asked.messages // asked.tenants // asked.hooks
            for hook, url in hooks:
                conn.execute(
                    "INSERT INTO webhook (tenant, id, url, secret, events, created_at) "
                    "VALUES (%s, %s, %s, 'salt', '{*}', now())",
                    (tenant, hook, url),
                )
                conn.execute(
                    "WITH happened AS (INSERT INTO event (tenant, kind, at) "
                    "SELECT %s, 'task.settled', now() FROM generate_series(1, %s) RETURNING tenant, seq) "
                    "INSERT INTO webhook_delivery (tenant, id, webhook, event, kind, body, state, next_at, created_at) "
                    "SELECT tenant, gen_random_uuid(), %s, seq, 'task.settled', %s, 'waiting', now(), now() "
                    "FROM happened",
                    (tenant, each, hook, BODY),
                )
        conn.execute("ANALYZE")


async def deliver(url: str, admin: str, base: Path, wanted: int) -> tuple[float, float]:
    """Until so many are delivered: (wall, CPU of this process) in s."""
    settings = Settings(base / "instance", None, None, b"b" * 32, allowed_hosts=("127.0.0.1",))
    db = Database(url)
    await db.open()
    run = Runtime(settings, db, Blobs.open(base / "blobs", secret=b"b" * 32))
    stop = asyncio.Event()
    wall, cpu = time.perf_counter(), time.process_time()
    courier = asyncio.create_task(Courier(run, service.OUTBOX).run(stop))
    async with await psycopg.AsyncConnection.connect(admin, autocommit=True) as conn:
        while True:
            await asyncio.sleep(0.2)
            found = await conn.execute("SELECT count(*) FROM cupola.webhook_delivery WHERE state = 'delivered'")
            row = await found.fetchone()
            if row is not None and row[0] >= wanted:
                break
    spent = time.perf_counter() - wall, time.process_time() - cpu
    stop.set()
    courier.cancel()
    await asyncio.gather(courier, return_exceptions=True)
    await db.close()
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--tenants", type=int, default=1)
    parser.add_argument("--hooks", type=int, default=1, help="receivers of each tenant")
    parser.add_argument("--hanging", type=int, default=0, help="further receivers of the first tenant, which hang")
    parser.add_argument("--profile", type=Path, help="where to write what cProfile says")
    given = parser.parse_args()
    asked = Asked(given.messages, given.tenants, given.hooks, given.hanging)
    base = Path(tempfile.mkdtemp(prefix="cupola-bench-"))
    base.chmod(0o755)  # Postgres runs under another account than root and must pass
    made = [receiver(False) for _ in range(2)]
    stuck = receiver(True)
    try:
        with Cluster.open(base / "data") as cluster:
            admin = cluster.create_database("bench")
            migrate(admin, PASSWORD)
            fill(admin, asked, [url for _, url in made], stuck[1])
            each = asked.messages // asked.tenants // asked.hooks
            wanted = each * asked.tenants * asked.hooks
            profile = cProfile.Profile() if given.profile else None
            if profile is not None:
                profile.enable()
            wall_s, cpu_s = asyncio.run(deliver(server_url(admin, PASSWORD), admin, base, wanted))
            if profile is not None:
                profile.disable()
                profile.dump_stats(given.profile)
    finally:
        for process, _ in (*made, stuck):
            process.kill()
        Cluster.destroy(base / "data")
        shutil.rmtree(base, ignore_errors=True)
    print(
        f"{wanted:,} delivered to {asked.tenants * asked.hooks} receivers of {asked.tenants} tenants, {asked.hanging} "
        f"hanging beside them: {wanted / wall_s:,.0f}/s, {cpu_s / wanted * 1_000:.2f} ms of CPU each; "
        f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )


if __name__ == "__main__":
    main()
