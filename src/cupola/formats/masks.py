"""Masks: run lengths as COCO and Label Studio write them, rasters of outlines, and outlines of rasters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cupola.formats.model import Mask, Polygon, Ring

MOST_PIXELS = 400_000_000
Raster = NDArray[np.bool_]  # (height, width)


def from_raster(raster: Raster) -> Mask:
    """(h, w) bool as run lengths, column by column."""
    height, width = raster.shape
    flat = raster.T.reshape(-1)
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = np.concatenate([[0], changes, [flat.size]])
    counts = np.diff(edges).tolist()
    if flat.size and flat[0]:
        counts.insert(0, 0)
    return Mask(int(height), int(width), tuple(int(one) for one in counts if one >= 0))


def to_raster(mask: Mask) -> Raster:
    """The way back: (h, w) bool. Raises ValueError where the runs are not as many as the pixels."""
    size = mask.height * mask.width
    if size > MOST_PIXELS or min(mask.height, mask.width, *mask.counts, 0) < 0 or sum(mask.counts) != size:
        raise ValueError(f"runs of {sum(mask.counts)} pixels for a picture of {mask.width} x {mask.height}")
    values = np.arange(len(mask.counts)) % 2 == 1
    return np.asarray(np.repeat(values, mask.counts).reshape(mask.width, mask.height).T, dtype=np.bool_)


def area(mask: Mask) -> int:
    return sum(mask.counts[1::2])


def bounds(mask: Mask) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 in px of what it covers; all 0 for nothing."""
    raster = to_raster(mask)
    rows, columns = np.flatnonzero(raster.any(axis=1)), np.flatnonzero(raster.any(axis=0))
    if not len(rows):
        return 0.0, 0.0, 0.0, 0.0
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


# ---------------------------------------------------------------- COCO's text (maskApi's rleToString)
def counts_from_text(text: str) -> tuple[int, ...]:
    """Six bits a character, the lowest first, each run from the third on as its difference to the one before the last.
    Raises ValueError."""
    counts: list[int] = []
    at = 0
    while at < len(text):
        value = shift = 0
        while True:
            if at >= len(text):
                raise ValueError("a run is cut off")
            char = ord(text[at]) - 48
            at += 1
            if not 0 <= char < 64 or shift > 60:
                raise ValueError("a character that no run has")
            value |= (char & 0x1F) << shift
            shift += 5
            if not char & 0x20:
                if char & 0x10:
                    value -= 1 << shift
                break
        counts.append(value + counts[-2] if len(counts) > 2 else value)
    return tuple(counts)


def counts_to_text(counts: Sequence[int]) -> str:
    out: list[str] = []
    for n, count in enumerate(counts):
        value = count - counts[n - 2] if n > 2 else count
        while True:
            char = value & 0x1F
            value >>= 5
            more = value != (-1 if char & 0x10 else 0)
            out.append(chr(48 + (char | 0x20 if more else char)))
            if not more:
                break
    return "".join(out)


# ---------------------------------------------------------------- Label Studio's bytes
def from_brush(data: Sequence[int], height: int, width: int) -> Mask:
    """A brush as Label Studio stores it: 32 bits of length, 5 of the word's size, four times 4 of the lengths of runs,
    then runs of RGBA. What is not transparent is in it. Raises ValueError."""
    if height * width > MOST_PIXELS or not data:
        raise ValueError("no picture of that size")
    bits = np.unpackbits(np.asarray(data, dtype=np.uint8))
    weights = 1 << np.arange(63, dtype=np.int64)[::-1]
    place = 0

    def read(count: int) -> int:
        nonlocal place
        if place + count > len(bits):
            raise ValueError("the brush is cut off")
        found = int(bits[place : place + count] @ weights[63 - count :]) if count else 0
        place += count
        return found

    total, word = read(32), read(5) + 1
    if total != 4 * height * width:
        raise ValueError(f"a brush of {total // 4} pixels on a picture of {width} x {height}")
    sizes = [read(4) + 1 for _ in range(4)]
    out = np.zeros(total, dtype=np.uint8)
    at = 0
    while at < total:
        is_run = read(1)
        length = read(sizes[read(2)]) + 1
        if at + length > total:
            raise ValueError("the brush is longer than its picture")
        if is_run:
            out[at : at + length] = min(255, read(word))
        else:
            if place + length * word > len(bits):
                raise ValueError("the brush is cut off")
            words = bits[place : place + length * word].reshape(length, word).astype(np.int64)
            out[at : at + length] = np.minimum(255, words @ weights[63 - word :])
            place += length * word
        at += length
    return from_raster((out.reshape(height, width, 4)[..., 3] > 0).astype(np.bool_))


def to_brush(mask: Mask) -> list[int]:
    """The way back: 255 in all four channels where it covers."""
    flat = to_raster(mask).reshape(-1)
    edges = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1, [flat.size]])
    out: list[str] = [f"{4 * flat.size:032b}", f"{7:05b}", *(f"{size - 1:04b}" for size in (3, 4, 8, 16))]
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        word = "11111111" if flat[start] else "00000000"
        left = 4 * (end - start)
        while left > 0:
            run = min(left, 1 << 16)
            out.append(f"111{run - 1:016b}{word}")
            left -= run
    text = "".join(out)
    text += "0" * (-len(text) % 8)
    return [int(text[n : n + 8], 2) for n in range(0, len(text), 8)]


# ---------------------------------------------------------------- outlines and rasters
def raster_of(polygon: Polygon, height: int, width: int) -> Raster:
    """The pixels whose centres lie within; of a part with holes those of an odd number of rings."""
    if height * width > MOST_PIXELS:
        raise ValueError("the picture is too large for a raster")
    out = np.zeros((height, width), dtype=np.bool_)
    for part in polygon.parts:
        rows, xs = _crossings(part, height)
        if not len(rows):
            continue
        order = np.lexsort((xs, rows))
        rows, xs = rows[order], xs[order]
        # the first pixel whose centre is to the right of each crossing
        columns = np.clip(np.ceil(xs - 0.5), 0, width).astype(np.int64)
        turns = np.zeros((height, width + 1), dtype=np.int32)
        np.add.at(turns, (rows, columns), 1)
        out |= (np.cumsum(turns, axis=1)[:, :width] % 2).astype(np.bool_)
    return out


def _crossings(rings: Sequence[Ring], height: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Where edges cross the middle of rows: (row, x) of each."""
    all_rows, all_xs = [np.empty(0, np.int64)], [np.empty(0)]
    for ring in rings:
        points = np.asarray(ring, dtype=np.float64)
        for (ax, ay), (bx, by) in zip(points, np.roll(points, -1, axis=0), strict=True):
            low, high = sorted((ay, by))
            first, last = max(0, int(np.ceil(low - 0.5))), min(height, int(np.ceil(high - 0.5)))
            if last <= first or high == low:
                continue
            rows = np.arange(first, last)
            all_rows.append(rows)
            all_xs.append(ax + (rows + 0.5 - ay) * (bx - ax) / (by - ay))
    return np.concatenate(all_rows), np.concatenate(all_xs)


def outline_of(mask: Mask) -> Polygon:
    """Its outline along the edges of pixels: exact, each part with its holes."""
    raster = np.pad(to_raster(mask), 1)
    ends: dict[tuple[int, int], list[tuple[int, int]]] = {}

    def edge(a: tuple[int, int], b: tuple[int, int]) -> None:
        ends.setdefault(a, []).append(b)

    for y, x in np.argwhere(raster[1:, :] & ~raster[:-1, :]).tolist():  # covered below: to the right
        edge((x, y + 1), (x + 1, y + 1))
    for y, x in np.argwhere(raster[:-1, :] & ~raster[1:, :]).tolist():  # covered above: to the left
        edge((x + 1, y + 1), (x, y + 1))
    for y, x in np.argwhere(raster[:, :-1] & ~raster[:, 1:]).tolist():  # covered on the left: down
        edge((x + 1, y), (x + 1, y + 1))
    for y, x in np.argwhere(raster[:, 1:] & ~raster[:, :-1]).tolist():  # covered on the right: up
        edge((x + 1, y + 1), (x + 1, y))
    outer: list[Ring] = []
    holes: list[Ring] = []
    while ends:
        start = next(iter(ends))
        ring = [start]
        here, came = start, (0, 0)
        while True:
            options = ends[here]
            # where two parts touch at a corner, the sharper turn to the right keeps them apart
            options.sort(key=lambda to: _turn(came, (to[0] - here[0], to[1] - here[1])))
            there = options.pop(0)
            if not options:
                del ends[here]
            came, here = (there[0] - here[0], there[1] - here[1]), there
            if here == start:
                break
            ring.append(here)
        straight = tuple(
            (float(x - 1), float(y - 1))
            for n, (x, y) in enumerate(ring)
            if (x - ring[n - 1][0]) * (ring[(n + 1) % len(ring)][1] - y)
            != (y - ring[n - 1][1]) * (ring[(n + 1) % len(ring)][0] - x)
        )
        (outer if _signed(straight) > 0 else holes).append(straight)
    parts = [[ring] for ring in outer]
    for hole in holes:
        # a place just inside of the hole's first edge lies in the one part that it belongs to
        around = [part for part in parts if _inside(hole[0], hole[1], part[0])]
        if around:
            min(around, key=lambda part: abs(_signed(part[0]))).append(hole)
    return Polygon(tuple(tuple(part) for part in parts))


def _turn(came: tuple[int, int], goes: tuple[int, int]) -> int:
    """How a step turns, the sharpest to the right first (y runs down)."""
    if came == (0, 0):
        return 0
    return -(came[0] * goes[1] - came[1] * goes[0])


def _signed(ring: Ring) -> float:
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(ring, ring[1:] + ring[:1], strict=True)) / 2


def _inside(a: tuple[float, float], b: tuple[float, float], ring: Ring) -> bool:
    """Is the place a quarter of a pixel to the left of the step from a to b within the ring?"""
    dx, dy = b[0] - a[0], b[1] - a[1]
    long = max(abs(dx), abs(dy))
    x = (a[0] + b[0]) / 2 + 0.25 * dy / long + 0.001
    y = (a[1] + b[1]) / 2 - 0.25 * dx / long + 0.001
    odd = False
    for (ax, ay), (bx, by) in zip(ring, ring[1:] + ring[:1], strict=True):
        if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
            odd = not odd
    return odd
