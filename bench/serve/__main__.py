"""How fast the foundry serves: `python -m bench.serve`. Prints a table and writes bench/out/serve.json.

Starts `cupola up` (embedded Postgres, fsync on) as a process of its own over a scratch folder, imports 100,000
references, makes 100,000 open tasks of boxes, and lets 1, 8 and 32 clients claim and submit over HTTP. Every submit
pays. CPU is that of the server and of Postgres together; the clients run beside them on the same machine.
`--tasks 1000000` and `--tenants 50` show that nothing grows with either: the further tenants have a live project each.
At the end a small tenant asks for its projects, alone and beside 64 clients of the large one.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cupola.app import moving, stage
from cupola.client import Client
from cupola.platform.pg.cluster import Cluster

CLASSES = ("car", "person", "bike", "truck", "sign")
HZ = os.sysconf("SC_CLK_TCK")
OUT = Path(__file__).parents[1] / "out" / "serve.json"


def boxes(rng: random.Random, count: int = 5) -> dict[str, Any]:
    """A label of `count` boxes, about 2 kB as JSON with its request around it for count = 12."""
    return {
        "kind": "objects",
        "objects": [
            {
                "id": f"r{rng.randrange(1 << 40):x}",
                "cls": rng.choice(CLASSES),
                "shape": {
                    "type": "box",
                    "x": round(rng.random() * 1500, 2),
                    "y": round(rng.random() * 900, 2),
                    "w": round(5 + rng.random() * 300, 2),
                    "h": round(5 + rng.random() * 150, 2),
                },
            }
            for _ in range(count)
        ],
    }


class Conn:
    """One keep-alive connection with the standard library alone, so that a call costs the client little."""

    def __init__(self, port: int, token: str) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        self._http.request(method, path, data, self._headers)
        response = self._http.getresponse()
        content = response.read()
        return response.status, json.loads(content) if content else None


def tree(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            for child in (task / "children").read_text().split():
                found += tree(int(child))
        except OSError:
            continue
    return found


def postgres_of(data: Path) -> list[int]:
    pid = Cluster.inspect(data).pid
    return tree(pid) if pid else []


def cpu_s(pids: list[int]) -> float:
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])
        except OSError:
            continue
    return total / HZ


def pss_mb(pids: list[int]) -> float:
    """Proportional set size: shared memory of Postgres counts once."""
    total = 0
    for pid in pids:
        try:
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except OSError:
            continue
    return total / 1024


def quantiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 2)

    return {"p50_ms": at(0.5), "p95_ms": at(0.95), "p99_ms": at(0.99)} if ordered else {}


def drive(clients: int, secs: float, loop: Callable[[int, float, Counter[str]], list[float]]) -> dict[str, Any]:
    """Run `loop(client, until, counts)` in threads for `secs`; rates and latencies of all of them."""
    until = time.perf_counter() + secs
    counts: list[Counter[str]] = [Counter() for _ in range(clients)]
    spent: list[list[float]] = [[] for _ in range(clients)]

    def one(n: int) -> None:
        spent[n] = loop(n, until, counts[n])

    began = time.perf_counter()
    stage.in_threads(clients, one)
    took = time.perf_counter() - began
    every = [value for values in spent for value in values]
    merged: Counter[str] = Counter()
    for count in counts:
        merged += count
    return {"clients": clients, "per_s": round(len(every) / took, 1), "n": len(every), **quantiles(every), **merged}


class Bench:
    def __init__(self, port: int, data: Path, url: str, token: str, tasks: int) -> None:
        self.port, self.data, self.tasks = port, data, tasks
        self.scene = stage.Scene(url, token)
        self.tenant = self.scene.organisation("Bench")
        self.scene.fund(self.tenant, 10**12)
        self.key = self.scene.key(self.tenant, "bench")
        self.workers = self.scene.crowd([f"worker {n}" for n in range(200)])
        self.results: dict[str, Any] = {}
        self.server = next(
            int(pid)
            for pid in os.listdir("/proc")
            if pid.isdigit() and f"--port\0{port}\0".encode() in _cmdline(pid) and b"up\0" in _cmdline(pid)
        )

    def pids(self) -> list[int]:
        return [self.server, *postgres_of(self.data)]

    def record(self, name: str, run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        before = cpu_s([self.server]), cpu_s(self.pids())
        result = run()
        after = cpu_s([self.server]), cpu_s(self.pids())
        if result.get("n"):
            result["server_cpu_ms"] = round((after[0] - before[0]) * 1000 / result["n"], 2)
            result["all_cpu_ms"] = round((after[1] - before[1]) * 1000 / result["n"], 2)
        self.results[name] = result
        print(f"{name:>16}  {json.dumps(result)}", flush=True)
        return result

    # ------------------------------------------------------------ steps
    def neighbours(self, count: int, scratch: Path) -> dict[str, Any]:
        """Further tenants, each with a live project of 200 tasks that nobody works on."""
        began = time.perf_counter()
        for n in range(count):
            tenant = self.scene.organisation(f"Neighbour {n}")
            self.scene.fund(tenant, 10**9)
            key = self.scene.key(tenant, "bench")
            dataset, _ = self._dataset(key, scratch, 200)
            self._project(key, dataset)
            self.small = key
        return {"n": count, "s": round(time.perf_counter() - began, 2)}

    def prepare(self, scratch: Path) -> None:
        def load() -> dict[str, Any]:
            dataset, took = self._dataset(self.key, scratch, self.tasks)
            self.dataset = dataset
            return {"n": self.tasks, "s": took}

        self.record("import", load)

        def make() -> dict[str, Any]:
            self.project, took = self._project(self.key, self.dataset)
            return {"n": self.tasks, "s": took}

        self.record("make tasks", make)

    def _dataset(self, key: Client, scratch: Path, rows: int) -> tuple[str, float]:
        manifest = scratch / "references.jsonl"
        with manifest.open("w") as file:
            for n in range(rows):
                row = {
                    "ref": f"{n:08d}",
                    "url": f"https://images.example/{n:08d}.jpg",
                    "metadata": {"scene": f"s{n % 97}"},
                }
                file.write(json.dumps(row) + "\n")
        dataset: str = key.post("/api/datasets", {"name": "references"})["id"]
        began = time.perf_counter()
        sent = key.upload(f"/api/datasets/{dataset}/uploads?name=references.jsonl", manifest)
        source = {"type": "upload", "upload": sent["upload"], "copy": False}
        run = key.post(f"/api/datasets/{dataset}/imports", {"source": source})
        done = moving.wait_for_import(key, run["id"], None)
        assert done["accepted"] == rows, done
        return dataset, round(time.perf_counter() - began, 2)

    def _project(self, key: Client, dataset: str) -> tuple[str, float]:
        """A live project over a dataset; and how long making its tasks took, in seconds."""
        spec = {"kind": "objects", "classes": [{"name": name, "geometry": "box"} for name in CLASSES]}
        version = key.post("/api/ontologies", {"name": "boxes", "spec": spec})["version_id"]
        project: str = key.post(
            "/api/projects",
            {
                "name": "boxes",
                "dataset": dataset,
                "ontology_version": version,
                "plan": {"target_accuracy": 0.6, "confidence": 0.95, "max_judgements": 1, "gold_rate": 0.0},
                "offer": {"price_minor": 5, "currency": "EUR"},
                "page_size": 50,
            },
        )["id"]
        began = time.perf_counter()
        moving.add_tasks(key, project, {}, None)
        took = round(time.perf_counter() - began, 2)
        key.post(f"/api/projects/{project}/allot", {"amount_minor": 10**8})
        key.post(f"/api/projects/{project}/launch")
        return project, took

    def small_tenant(self, secs: float) -> dict[str, Any]:
        """What a small tenant waits for its list of projects: alone, and beside 64 clients of the large one."""

        def asked(until: float) -> dict[str, float]:
            spent = []
            while time.perf_counter() < until:
                began = time.perf_counter()
                self.small.get("/api/projects", limit=50)
                spent.append(time.perf_counter() - began)
                time.sleep(0.02)
            return quantiles(spent)

        alone = asked(time.perf_counter() + secs / 3)
        flood = threading.Thread(target=lambda: self.cycle(64, secs, 1))
        flood.start()
        time.sleep(secs / 5)
        beside = asked(time.perf_counter() + secs / 2)
        flood.join()
        return {"alone": alone, "beside 64 clients": beside}

    def cycle(self, clients: int, secs: float, page: int) -> dict[str, Any]:
        """Claim a page, submit its judgements one request for all; a cycle is one task claimed and submitted."""
        served: Counter[str] = Counter()
        lock = threading.Lock()

        def loop(n: int, until: float, counts: Counter[str]) -> list[float]:
            rng = random.Random(n)
            conn = Conn(self.port, self.workers[n].token)
            spent: list[float] = []
            while time.perf_counter() < until:
                began = time.perf_counter()
                status, got = conn("POST", f"/api/work/projects/{self.project}/claim", {"tasks": page})
                if status != 200:
                    counts[f"claim {status}"] += 1
                    time.sleep(0.02)
                    continue
                tasks = [task["task"] for task in got["tasks"]]
                judgements = [{"task": task, "label": boxes(rng), "seconds": 7.5} for task in tasks]
                path = f"/api/work/assignments/{got['id']}/submit"
                status, _ = conn("POST", path, {"fence": got["fence"], "judgements": judgements})
                took = time.perf_counter() - began
                counts[f"submit {status}"] += 1
                spent += [took / len(tasks)] * len(tasks)
                with lock:
                    served.update(tasks)
            return spent

        result = drive(clients, secs, loop)
        result["page"] = page
        result["tasks_served_twice"] = sum(1 for count in served.values() if count > 1)
        return result

    def lists(self) -> dict[str, Any]:
        spent = []
        for _ in range(50):
            began = time.perf_counter()
            self.key.get(f"/api/projects/{self.project}/tasks", limit=100)
            spent.append(time.perf_counter() - began)
        return {"n": len(spent), **quantiles(spent)}


def _cmdline(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--tenants", type=int, default=2, help="live tenants, that of the bench among them")
    parser.add_argument("--secs", type=float, default=15.0)
    parser.add_argument("--port", type=int, default=8470)
    asked = parser.parse_args()
    with stage.scratch("cupola-bench-") as scratch:
        data = scratch / "data"
        began = time.perf_counter()
        with stage.server(data, asked.port, scratch / "server.log") as (url, token):
            first = round(time.perf_counter() - began, 2)
            Client(url).get("/api/health")
            bench = Bench(asked.port, data, url, token, asked.tasks)
            time.sleep(3)
            bench.results["first_start_s"] = first
            bench.results["idle_pss_mb"] = {
                "server": round(pss_mb([bench.server])),
                "postgres": round(pss_mb(postgres_of(data))),
            }
            print(f"      first start  {first} s, idle {bench.results['idle_pss_mb']}")
            bench.record("neighbours", lambda: bench.neighbours(max(1, asked.tenants - 1), scratch))
            bench.prepare(scratch)
            # what a process loads when it first needs it is no part of a cycle; it is seen here
            bench.record("first cycles", lambda: bench.cycle(1, 2.0, 1))
            for clients in (1, 8, 32):
                bench.record(f"cycle x{clients}", lambda n=clients: bench.cycle(n, asked.secs, 1))
            bench.record("page of 10 x8", lambda: bench.cycle(8, asked.secs, 10))
            bench.record("list 100", bench.lists)
            bench.record("64 clients", lambda: bench.cycle(64, asked.secs, 1))
            bench.results["small tenant"] = bench.small_tenant(asked.secs)
            bench.results["busy_pss_mb"] = {
                "server": round(pss_mb([bench.server])),
                "postgres": round(pss_mb(postgres_of(data))),
            }
            check = bench.scene.operator.get("/api/ledger/check")
            bench.results["ledger"] = {"transfers": check["transfers"], "violations": len(check["violations"])}
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(bench.results, indent=1))
    print(table(bench.results))


def table(results: dict[str, Any]) -> str:
    rows = ["| step | clients | per s | p50 ms | p95 ms | p99 ms | server CPU ms | with Postgres ms | served twice |"]
    rows.append("|---|---|---|---|---|---|---|---|---|")
    for name, row in results.items():
        if isinstance(row, dict) and "per_s" in row:
            rows.append(
                f"| {name} | {row['clients']} | {row['per_s']} | {row.get('p50_ms')} | {row.get('p95_ms')} | "
                f"{row.get('p99_ms')} | {row.get('server_cpu_ms')} | {row.get('all_cpu_ms')} | "
                f"{row['tasks_served_twice']} |"
            )
    rows.append("")
    for name in ("import", "make tasks"):
        rows.append(f"{name}: {results[name]['n']:,} in {results[name]['s']} s")
    rows.append(f"list of 100: {results['list 100']}")
    rows.append(f"list of a small tenant: {results['small tenant']}")
    rows.append(f"first start {results['first_start_s']} s; idle {results['idle_pss_mb']} MB")
    rows.append(f"memory after all of it {results['busy_pss_mb']} MB")
    rows.append(f"ledger: {results['ledger']}")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
