"""How fast code written for Scale's interface is served: `python -m bench.scale_api`.

Starts `cupola up` (embedded Postgres, fsync on) as a process of its own, and lets the unmodified public client create
and list tasks: 1 client, then 8, each a process of its own, with as many connections as it opens. Live tasks of a type
with an editor, so that each is also placed into the queue of work. CPU is that of the server and of Postgres together,
with the placing in it; the clients run beside them on the same machine and take most of it: a client opens a connection
for every request. Prints a table and writes bench/out/scale_api.json.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from scaleapi.tasks import TaskType

from bench.scale_api.clients import arrive, create, read
from bench.serve.__main__ import cpu_s, postgres_of, tree
from cupola.app import stage
from cupola.client.scale import scale_client
from cupola.platform.pg.cluster import Cluster

OUT = Path(__file__).parents[1] / "out" / "scale_api.json"


def together(clients: int, work: Any, url: str, key: str, project: str, each: int, pids: list[int]) -> dict[str, Any]:
    """Run `work` in so many processes; what they did in all, how fast, and at what cost to the server."""
    context = multiprocessing.get_context("spawn")
    # a process takes seconds to import what it needs, on a full machine many: no clock runs before the last is up
    up = context.Barrier(clients + 1)
    with context.Pool(clients, initializer=arrive, initargs=(up,)) as pool:
        up.wait()
        before, began = cpu_s(pids), time.perf_counter()
        done = sum(pool.starmap(work, [(url, key, project, each)] * clients, chunksize=1))
        took = time.perf_counter() - began
    return {"clients": clients, "tasks": done, "per_s": round(done / took, 1), "seconds": round(took, 2),
            "server_cpu_s": round(cpu_s(pids) - before, 2)}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1_000, help="tasks created by each number of clients")
    parser.add_argument("--rounds", type=int, default=4, help="how often each client lists everything")
    parser.add_argument("--port", type=int, default=8497)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cupola-bench-"))
    folder.chmod(0o755)
    found: dict[str, Any] = {}
    try:
        with stage.server(folder / "data", given.port, folder / "log") as (url, token):
            scene = stage.Scene(url, token)
            tenant = scene.organisation("Bench")
            scene.fund(tenant, 10**9)
            scene.operator.act_for(tenant)
            key = scene.operator.post("/api/keys", {"name": "bench"})["key"]
            from_us = [pid for pid in tree(_server_pid(folder)) if pid] + postgres_of(folder / "data")
            for clients in (1, 8):
                project = f"Bench {clients}"
                scale_client(url, key).create_project(project, TaskType.Categorization)
                made = together(clients, create, url, key, project, given.tasks // clients, from_us)
                made["cpu_ms_each"] = round(1000 * made["server_cpu_s"] / made["tasks"], 2)
                listed = together(clients, read, url, key, project, given.rounds, from_us)
                pages = listed["tasks"] / 100
                listed["cpu_ms_each_page"] = round(1000 * listed["server_cpu_s"] / pages, 2)
                found[f"create, {clients} clients"] = made
                found[f"list, {clients} clients"] = listed
    finally:
        if (folder / "data").is_dir():
            Cluster.stop(folder / "data", force=True)
            Cluster.destroy(folder / "data")
        shutil.rmtree(folder, ignore_errors=True)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(found, indent=1) + "\n")
    for name, row in found.items():
        print(f"{name:20}", "  ".join(f"{k} {v}" for k, v in row.items() if k != "clients"))


def _server_pid(folder: Path) -> int:
    """The process that was started with this data folder."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"up" in words and str(folder / "data").encode() in words:
            return int(place.name)
    raise RuntimeError("the server's process was not found")


if __name__ == "__main__":
    main()
