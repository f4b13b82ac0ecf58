"""Mask: the pixels of a thing, in tiles of 256 x 256, each as runs along its rows.

A tile that changes is sent, kept and compared by itself. COCO's own run lengths, which go down columns, are written by
the exporter alone.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.kernel import limits
from cupola.labels.facts import ItemFacts
from cupola.labels.shapes.outlines import ring_area, shapely
from cupola.labels.shapes.shape import Corner, Region, Shape, ShapeType, within_image, wrong_shape

TILE_PX = 256
TILE_PIXELS = TILE_PX * TILE_PX


class Tile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pixels (256 column ..) x (256 row ..) of the image. runs: how many pixels are not of the thing, how many then
    are, and so on, along the rows from the top left; it ends with pixels that are, and what then follows is not."""

    column: int
    row: int
    runs: tuple[int, ...]


class Mask(Shape, frozen=True, tag="mask"):
    """tiles: those that hold any of it, by row, then by column."""

    tiles: tuple[Tile, ...]


class MaskType(ShapeType[Mask]):
    """Pixels; similarity is intersection over union."""

    name = "mask"
    shape = Mask
    same_at = 0.5
    joined_at = 0.4
    of_pixels = True

    def validate(self, shape: Mask, facts: ItemFacts, place: str) -> None:
        """There is one way to write each mask: tiles in order and not empty, runs above 0 but for the first."""
        if not shape.tiles:
            raise wrong_shape("label-empty-shape", "The mask has no pixels.", place, "Paint some, or leave it out.")
        if len(shape.tiles) > limits.MAX_MASK_TILES:
            raise wrong_shape(
                "label-too-many-points",
                f"{len(shape.tiles)} tiles; at most {limits.MAX_MASK_TILES} are taken.",
                place,
                "Divide the thing into several.",
            )
        most = limits.MAX_SIDE_PX // TILE_PX
        before = (-1, -1)
        for n, tile in enumerate(shape.tiles):
            runs = tile.runs
            is_written_so = (
                (tile.row, tile.column) > before
                and 0 <= tile.row < most
                and 0 <= tile.column < most
                and len(runs) >= 2
                and len(runs) % 2 == 0
                and runs[0] >= 0
                and all(run > 0 for run in runs[1:])
                and sum(runs) <= TILE_PIXELS
            )
            if not is_written_so:
                raise wrong_shape(
                    "label-mask-tiles",
                    "Tiles stand in order of row and column, none twice and none empty; the runs of one are whole "
                    f"numbers, all above 0 but the first, an even count of them, together at most {TILE_PIXELS}.",
                    f"{place}/tiles/{n}",
                    "Write the mask anew from its pixels.",
                )
            before = (tile.row, tile.column)
        x0, y0, x1, y1 = self.bounds([shape])[0]
        within_image("mask", np.array([(x0, y0), (x1, y1)]), facts, place)

    def bounds(self, shapes: Sequence[Mask]) -> NDArray[np.float64]:
        out = np.empty((len(shapes), 4), dtype=np.float64)
        for row, mask in enumerate(shapes):
            around = np.array([_tile_bounds(tile) for tile in mask.tiles])
            out[row, :2], out[row, 2:] = around[:, :2].min(axis=0), around[:, 2:].max(axis=0)
        return out

    def area(self, shape: Mask) -> float:
        return float(sum(sum(tile.runs[1::2]) for tile in shape.tiles))

    def similarity(self, a: Mask, b: Mask) -> float:
        if a == b:
            return 1.0
        others = {(tile.row, tile.column): tile for tile in b.tiles}
        common = 0
        for tile in a.tiles:
            other = others.get((tile.row, tile.column))
            if other is not None:
                common += int(np.count_nonzero(_bits(tile) & _bits(other)))
        either = self.area(a) + self.area(b) - common
        return common / either if either > 0 else 0.0

    def between(self, a: Mask, b: Mask, share: float) -> Mask:
        """It stands still until the next key: pixels have no counterparts, and a made-up outline is nobody's work."""
        return a

    def merge(self, shapes: Sequence[Mask], weights: Sequence[float]) -> Mask:
        """The pixels that more than half of the weight painted; where there are none, the mask most like the others."""
        if len(set(shapes)) == 1:
            return shapes[0]
        held: dict[tuple[int, int], list[tuple[Tile, float]]] = {}
        for mask, weight in zip(shapes, weights, strict=True):
            for tile in mask.tiles:
                held.setdefault((tile.row, tile.column), []).append((tile, weight))
        half, out = sum(weights) / 2, []
        for (row, column), said in sorted(held.items()):
            if sum(weight for _, weight in said) <= half:
                continue
            heard = np.zeros((TILE_PX, TILE_PX))
            for tile, weight in said:
                heard += weight * _bits(tile)
            if runs := _runs(heard > half):
                out.append(Tile(column, row, runs))
        if out:
            return Mask(tuple(out))
        alike = [
            sum(weight * self.similarity(one, other) for other, weight in zip(shapes, weights, strict=True))
            for one in shapes
        ]
        return max(zip(alike, weights, map(_key, shapes), shapes, strict=True), key=lambda row: row[:3])[3]

    def outline(self, shape: Mask) -> Sequence[Corner]:
        """Along the pixels' edges, of its largest part."""
        return max((outer for outer, _ in self.regions(shape)), key=ring_area)

    def regions(self, shape: Mask) -> list[Region]:
        """Along the pixels' edges; parts that meet in a corner alone are two."""
        x, y, till = (np.concatenate(part) for part in zip(*map(_rows, shape.tiles), strict=True))
        pieces = shapely.get_parts(shapely.union_all(shapely.box(x, y, till, y + 1)))
        return [(_ring(piece.exterior), [_ring(hole) for hole in piece.interiors]) for piece in pieces]

    def cover(self, shape: Mask, x: int, y: int, w: int, h: int) -> NDArray[np.bool_]:
        out = np.zeros((h, w), dtype=np.bool_)
        for tile in shape.tiles:
            left, top = tile.column * TILE_PX - x, tile.row * TILE_PX - y
            into = out[max(0, top) : max(0, top + TILE_PX), max(0, left) : max(0, left + TILE_PX)]
            dy, dx = max(0, -top), max(0, -left)
            into |= _bits(tile)[dy : dy + into.shape[0], dx : dx + into.shape[1]]
        return out

    def size(self, shape: Mask) -> tuple[float, float]:
        """Of the upright rectangle around it."""
        x0, y0, x1, y1 = (float(edge) for edge in self.bounds([shape])[0])
        return x1 - x0, y1 - y0


def mask_of(bits: NDArray[np.bool_], x: int = 0, y: int = 0) -> Mask | None:
    """The mask of the pixels (h, w) from (x, y) on that are true, in px of the image; None where none is."""
    h, w = bits.shape
    out = []
    for row in range(y // TILE_PX, (y + h - 1) // TILE_PX + 1 if h else 0):
        for column in range(x // TILE_PX, (x + w - 1) // TILE_PX + 1 if w else 0):
            left, top = column * TILE_PX - x, row * TILE_PX - y
            part = bits[max(0, top) : top + TILE_PX, max(0, left) : left + TILE_PX]
            whole = np.zeros((TILE_PX, TILE_PX), dtype=np.bool_)
            dy, dx = max(0, -top), max(0, -left)
            whole[dy : dy + part.shape[0], dx : dx + part.shape[1]] = part
            if runs := _runs(whole):
                out.append(Tile(column, row, runs))
    return Mask(tuple(out)) if out else None


def _runs(bits: NDArray[np.bool_]) -> tuple[int, ...]:
    """Of one tile (256, 256); none where no pixel is set."""
    flat = np.concatenate([[False], bits.ravel()])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    if len(edges) % 2:
        edges = np.append(edges, TILE_PIXELS)
    return tuple(int(run) for run in np.diff(edges, prepend=0))


@functools.lru_cache(maxsize=256)
def _bits(tile: Tile) -> Any:
    """(256, 256) of a tile; not to be written to."""
    runs = np.asarray(tile.runs)
    said = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    out = np.zeros(TILE_PIXELS, dtype=np.bool_)
    out[: len(said)] = said
    out.flags.writeable = False
    return out.reshape(TILE_PX, TILE_PX)


def _spans(tile: Tile) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each run of set pixels begins and ends, counted along the rows."""
    edges = np.cumsum(np.asarray(tile.runs, dtype=np.int64))
    return edges[0::2], edges[1::2]


def _tile_bounds(tile: Tile) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 in px of the image."""
    begin, end = _spans(tile)
    last = end - 1
    wraps = bool((begin // TILE_PX != last // TILE_PX).any())
    x0, x1 = (0, TILE_PX) if wraps else (int((begin % TILE_PX).min()), int((last % TILE_PX).max()) + 1)
    y0, y1 = int(begin[0]) // TILE_PX, int(last[-1]) // TILE_PX + 1
    left, top = tile.column * TILE_PX, tile.row * TILE_PX
    return float(left + x0), float(top + y0), float(left + x1), float(top + y1)


def _rows(tile: Tile) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The runs cut at the ends of rows: x, y and the x behind the last pixel, in px of the image."""
    bits = np.zeros((TILE_PX, TILE_PX + 2), dtype=np.int8)
    bits[:, 1:-1] = _bits(tile)
    steps = np.diff(bits, axis=1)
    y, x = np.nonzero(steps == 1)
    _, till = np.nonzero(steps == -1)
    left, top = tile.column * TILE_PX, tile.row * TILE_PX
    return x.astype(np.float64) + left, y.astype(np.float64) + top, till.astype(np.float64) + left


def _ring(line: Any) -> tuple[Corner, ...]:
    """Without the corners between pixels of one straight edge."""
    at = shapely.get_coordinates(line)[:-1]
    before, after = np.roll(at, 1, axis=0), np.roll(at, -1, axis=0)
    turns = (at - before)[:, 0] * (after - at)[:, 1] != (at - before)[:, 1] * (after - at)[:, 0]
    return tuple((float(x), float(y)) for x, y in at[turns])


def _key(mask: Mask) -> tuple[Any, ...]:
    return tuple((tile.row, tile.column, tile.runs) for tile in mask.tiles)
