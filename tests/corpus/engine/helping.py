"""Small polluted corpora in files, and runs over them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from cupola.corpus import recipe
from cupola.corpus.engine import distribute, guards
from cupola.corpus.engine import run as runs
from cupola.corpus.engine.units import Columns
from cupola.kernel import clock
from tests.corpus.test_rules import PROSE

Row = dict[str, Any]
PLAIN = PROSE.split()


def polluted(n: int, seed: int = 7) -> list[Row]:
    """Documents of prose, of which some are copies with a few words changed, some exact copies, some too short, some
    with an address in them."""
    random = np.random.default_rng(seed)
    rows: list[Row] = []
    for number in range(n):
        words = [*(PLAIN[k] for k in random.integers(0, len(PLAIN), 90)), "and", "so", "the", "end."]
        kind = number % 7
        if kind == 3 and rows:
            words = rows[int(random.integers(len(rows)))]["text"].split(" ")
            words[int(random.integers(len(words) - 4))] = f"w{number}"
        elif kind == 4 and rows:
            words = rows[int(random.integers(len(rows)))]["text"].split("  ")
        elif kind == 5:
            words = words[-20:]
        elif kind == 6:
            words[7:7] = ["write", "to", f"rosa{number}@example.org", "for", "more."]
        rows.append({"id": f"d{number:05d}", "text": " ".join(words), "source": f"s{number % 3}", "other": [number]})
    return rows


def write(path: Path, rows: list[Row]) -> Path:
    """Rows in the form that the file's name says."""
    if path.name.endswith(".parquet"):
        parquet.write_table(pa.Table.from_pylist(rows), path, row_group_size=11)
        return path
    raw = "".join(json.dumps(row) + "\n" for row in rows).encode()
    if path.name.endswith(".zst"):
        with pa.output_stream(str(path), compression="zstd") as file:
            file.write(raw)
        return path
    path.write_bytes(gzip.compress(raw) if path.name.endswith(".gz") else raw)
    return path


def read(path: Path) -> list[Row]:
    if path.name.endswith(".parquet"):
        found: list[Row] = parquet.read_table(path).to_pylist()
        return found
    if path.name.endswith(".zst"):
        with pa.input_stream(str(path), compression="zstd") as file:
            raw = file.read()
    else:
        raw = gzip.decompress(path.read_bytes()) if path.name.endswith(".gz") else path.read_bytes()
    return [json.loads(line.decode("utf-8", "replace")) for line in raw.splitlines()]


def kept(out: Path) -> list[Row]:
    return [row for path in sorted((out / "kept").iterdir()) for row in read(path)]


def ledger(out: Path, kind: str = "removals") -> list[Row]:
    return [row for path in sorted((out / kind).iterdir()) for row in read(path)]


def refine(
    paths: list[Path],
    out: Path,
    loaded: recipe.Loaded | None = None,
    partitions: int = 1,
    *,
    source: str = "source",
    told: Callable[[runs.Progress], None] = lambda _: None,
    engine: str = "native",
    **asking: Any,
) -> runs.Manifest:
    given = {"accept": (guards.ALL,), "unit_bytes": 4000, **asking}
    worker = distribute.engine(engine, partitions)
    try:
        return runs.run(paths, out, loaded or recipe.load("web"), Columns(source=source), worker,
                        runs.Asking(**given), told)  # fmt: skip
    finally:
        worker.close()


def outcome(out: Path) -> dict[str, bytes]:
    """Every file of a finished run."""
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*"))
            if path.is_file() and path.name != ".lock"}  # fmt: skip


def eventually(true: Callable[[], Any], within_s: float = 60, every_s: float = 0.01) -> None:
    """Wait until something is so; fails when it never is."""
    start = clock.monotonic_s()
    while not true():
        assert clock.monotonic_s() - start < within_s, "it never came to be"
        clock.sleep(every_s)
