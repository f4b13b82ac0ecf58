"""Random seeks over videos whose pictures carry their own number: how many are wrong, and how long they take.

python -m bench.video.seeks FOLDER [--seeks 10000]: FOLDER has manifest.json (see the tests' own clip in
`tests/clips.py` for the code that the pictures carry).
"""

from __future__ import annotations

import argparse
import io
import json
import random
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cupola.catalog.video import reading
from cupola.catalog.video.chunks import CHUNK_FRAMES


def number_in(picture: bytes, code: dict[str, Any]) -> int | None:
    """What the picture says it is; None where it cannot be read."""
    grey = np.asarray(Image.open(io.BytesIO(picture)).convert("L"))
    wide, high, found = code["block_w"], code["block_h"], 0
    for bit in range(code["bits"]):
        x = int((bit + 0.5) * wide)
        on, off = grey[high // 2, x] > 127, grey[high + high // 2, x] > 127
        if on == off:
            return None
        found |= int(on) << bit
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeks", type=int, default=10_000)
    asked = parser.parse_args()
    manifest = json.loads((asked.folder / "manifest.json").read_text())
    dice = random.Random(7)
    each = max(1, asked.seeks // len(manifest))
    wrong_in_all = seeks_in_all = 0
    for name, told in manifest.items():
        path = asked.folder / name
        began = time.perf_counter()
        table = reading.read_table(path)
        table_s = time.perf_counter() - began
        wrong, took_ms, done = 0, [], 0
        while done < each:
            first = dice.randrange(table.frames) // CHUNK_FRAMES * CHUNK_FRAMES
            count = min(CHUNK_FRAMES, table.frames - first)
            began = time.perf_counter()
            found = reading.pictures(path, table, first, count)
            took_ms.append(1000 * (time.perf_counter() - began))
            for n, picture in enumerate(found):
                wrong += number_in(picture, told["code"]) != told["numbers"][first + n]
                done += 1
        wrong_in_all, seeks_in_all = wrong_in_all + wrong, seeks_in_all + done
        print(
            f"{name}: {done} pictures, {wrong} wrong; table {table_s:.2f} s; a chunk of {CHUNK_FRAMES} "
            f"median {statistics.median(took_ms):.0f} ms, p90 {statistics.quantiles(took_ms, n=10)[-1]:.0f} ms"
            if len(took_ms) > 1
            else f"{name}: {done} pictures, {wrong} wrong"
        )
    print(f"together: {seeks_in_all} pictures, {wrong_in_all} wrong")


if __name__ == "__main__":
    main()
