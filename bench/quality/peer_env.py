"""The peers' own environment, made by uv beside the results, and what they said of each set (kept between runs)."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PACKAGES = ("crowd-kit==1.4.2", "cleanlab==2.9.0", "scikit-learn<1.6", "pandas<3")


def python(out: Path) -> Path:
    """The interpreter of the peers' environment; made on first use."""
    folder = Path(os.environ.get("CUPOLA_PEERS", out / "peers"))
    interpreter = folder / "bin" / "python"
    if not interpreter.exists():
        subprocess.run(["uv", "venv", "-q", "--python", sys.executable, str(folder)], check=True)
        subprocess.run(["uv", "pip", "install", "-q", "--python", str(interpreter), *PACKAGES], check=True)
    return interpreter


def prepare(out: Path, jobs: Sequence[tuple[Path, str]], probabilities: NDArray[np.float64] | None = None) -> None:
    """Run what is not kept yet, all in one process: (labels.csv, method) each."""
    cache = out / "peer_cache"
    cache.mkdir(parents=True, exist_ok=True)
    saved = None
    if probabilities is not None:
        saved = cache / "probabilities.npy"
        np.save(saved, probabilities)
    wanted = [
        {"key": key, "labels": str(labels), "method": method, "probabilities": str(saved)}
        for labels, method in jobs
        if not (cache / f"{(key := key_of(labels, method, probabilities))}.json").exists()
    ]
    if not wanted:
        return
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(
        [str(python(out)), str(Path(__file__).with_name("peers.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(wanted))
        process.stdin.close()
        for number, line in enumerate(process.stdout, start=1):
            done = json.loads(line)
            (cache / f"{done['key']}.json").write_text(json.dumps(done["found"]))
            took = done["found"].get("cpu_s")
            print(
                f"  peers {number}/{len(wanted)}: {done['key']} {done['found'].get('error', f'{took} s')}", flush=True
            )


def ask(
    out: Path, labels: Path, methods: Sequence[str], probabilities: NDArray[np.float64] | None = None
) -> dict[str, Any]:
    """What each method made of the set in `labels`: {method: {labels, cpu_s, extra_mb} or {error}}."""
    prepare(out, [(labels, method) for method in methods], probabilities)
    found: dict[str, Any] = {}
    for method in methods:
        kept = out / "peer_cache" / f"{key_of(labels, method, probabilities)}.json"
        found[method] = json.loads(kept.read_text()) if kept.exists() else {"error": "the peers' process ended early"}
    return found


def key_of(labels: Path, method: str, probabilities: NDArray[np.float64] | None) -> str:
    """Names a result by the contents of what it was computed from."""
    digest = hashlib.sha256(labels.read_bytes() + (b"" if probabilities is None else probabilities.tobytes()))
    return f"{labels.parent.name}-{method}-{digest.hexdigest()[:16]}"
