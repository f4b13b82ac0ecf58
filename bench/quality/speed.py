"""Seconds and memory from 10^4 to 10^7 judgements, each size in a process of its own; and one judgement online."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cupola.quality.inference.base import Crowd
from cupola.quality.inference.coin_ds import coin_ds
from cupola.quality.online import Plan, begin, decide, posterior, update

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
CLASSES, WORKERS, VOTES, ITERATIONS = 10, 1_000, 10, 10
ONLINE = 50_000


def made(judgements: int) -> Crowd:
    """Ten votes a task of a thousand workers who are right three times in four."""
    rng = np.random.default_rng(0)
    tasks = judgements // VOTES
    truth = rng.integers(0, CLASSES, tasks, dtype=np.int16)
    task = np.repeat(np.arange(tasks, dtype=np.int32), VOTES)
    worker = ((rng.integers(0, WORKERS, tasks)[:, None] + np.arange(VOTES) * 97) % WORKERS).astype(np.int32).ravel()
    label = truth[task]
    noisy = rng.random(judgements, dtype=np.float32) >= 0.75
    label[noisy] = rng.integers(0, CLASSES, int(noisy.sum()), dtype=np.int16)
    return Crowd.from_codes(task, worker, label, n_tasks=tasks, n_workers=WORKERS, n_classes=CLASSES)


def child(judgements: int) -> None:
    """One size: prints the best of a few runs and how far the resident memory rose above the crowd itself."""
    coin_ds(made(1_000), iterations=1)  # compiled code is loaded before anything is measured
    crowd = made(judgements)
    seconds, rise = [], 0
    for _ in range(3 if judgements <= 1_000_000 else 1):
        peak_before = _peak_kb(reset=True)
        started = time.process_time()
        fit = coin_ds(crowd, iterations=ITERATIONS, tolerance=0.0)
        seconds.append(time.process_time() - started)
        rise = max(rise, _peak_kb() - peak_before)
        del fit
    print(json.dumps({"cpu_s": min(seconds), "extra_mb": rise / 1024}))


def _peak_kb(reset: bool = False) -> int:
    """The peak of the resident memory; reset brings it down to what is used now (Linux)."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:" if reset else "VmHWM:"):
            return int(line.split()[1])
    return 0


def online() -> dict[str, float]:
    """ms from a judgement to a decision, ten classes."""
    rng = np.random.default_rng(0)
    fit = coin_ds(made(20_000), iterations=5)
    plan = Plan(threshold=0.99, max_votes=5)
    took: NDArray[np.float64] = np.empty(ONLINE)
    evidence = begin(CLASSES)
    workers, labels = rng.integers(0, WORKERS, ONLINE), rng.integers(0, CLASSES, ONLINE)
    for i in range(ONLINE):
        started = time.perf_counter()
        evidence = update(evidence, fit.confusion[workers[i]], int(labels[i]))
        decide(posterior(evidence, i % 5 + 1, fit.prior), i % 5 + 1, plan)
        took[i] = time.perf_counter() - started
        if i % 5 == 4:
            evidence = begin(CLASSES)
    return {"p50_ms": float(np.quantile(took, 0.5) * 1e3), "p99_ms": float(np.quantile(took, 0.99) * 1e3)}


def run(sizes: tuple[int, ...] = SIZES) -> dict[str, Any]:
    """Every size, then the online step."""
    out: dict[str, Any] = {"online": online(), "sizes": {}}
    print("  online:", out["online"], flush=True)
    for size in sizes:
        command = [sys.executable, str(Path(__file__)), str(size)]
        # freed memory goes back at once, so that what an earlier step left behind does not hide what this one takes
        environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        out["sizes"][str(size)] = json.loads(done.stdout)
        print(f"  {size:>10} judgements: {out['sizes'][str(size)]}", flush=True)
    return out


if __name__ == "__main__":
    child(int(sys.argv[1]))
