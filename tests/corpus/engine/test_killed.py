"""kill -9 at any moment: the same command goes on, no process is left behind, and the outcome is the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cupola.corpus import recipe
from tests.corpus.engine.helping import eventually, outcome, polluted, refine, write

KILLS = int(os.environ.get("CUPOLA_TEST_KILLS", "4"))


RECIPE = """
name: everything
version: "1"
edits: [{edit: boilerplate}, {edit: lines, noise: true}]
repeated: {lines: true, runs: 12}
rules: [gopher, garbage]
near: 0.5
personal: mask
"""


def start(paths: list[Path], out: Path, partitions: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "cupola", "refine", "run", *paths, "--out", out, "--recipe",
               paths[0].parent / "recipe.yaml",
               "--source", "source", "--accept", "all", "--unit", "4kB", "--partitions", str(partitions),
               "--json"]  # fmt: skip
    return subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def children(pid: int) -> set[int]:
    try:
        return {int(one) for task in Path(f"/proc/{pid}/task").iterdir()
                for one in (task / "children").read_text().split()}  # fmt: skip
    except OSError:
        return set()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.timeout(600)
def test_a_run_that_is_killed_again_and_again_ends_with_the_same_bytes(tmp_path: Path) -> None:
    rows = polluted(280)
    paths = [write(tmp_path / name, rows[n::3]) for n, name in enumerate(("a.jsonl", "b.parquet", "c.jsonl"))]
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    refine(paths, tmp_path / "whole", recipe.load(tmp_path / "recipe.yaml"))
    random = np.random.default_rng(int.from_bytes(os.urandom(4)))
    out, kills, begun = tmp_path / "out", 0, 0
    # A kill once some more files lie there than at the last one: wherever that is, the run has not ended before.
    for attempt in range(KILLS):
        process = start(paths, out, partitions=1 + attempt % 2)
        more = int(random.integers(1, 12))
        seen: set[int] = set()

        def reached(
            process: subprocess.Popen[bytes] = process, most: int = begun + more, seen: set[int] = seen
        ) -> bool:
            seen.update(children(process.pid))
            there = sum(1 for path in out.rglob("*") if path.is_file())
            return process.poll() is not None or there >= most or (out / "manifest.json").exists()

        eventually(reached, within_s=120, every_s=0.002)
        killed = process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += killed
        if not killed:
            assert process.stderr is not None
            assert process.returncode == 0, process.stderr.read().decode()
        eventually(lambda seen=seen: not any(alive(one) for one in seen), within_s=60)
        begun = sum(1 for path in out.rglob("*") if path.is_file())
    assert kills >= 2, "the run was killed on its way"
    last = start(paths, out, 1)
    assert last.wait() == 0
    assert outcome(out) == outcome(tmp_path / "whole")
