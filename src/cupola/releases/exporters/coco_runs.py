"""COCO's run lengths: how many pixels down the columns are not of a thing, how many then are, and so on."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray


class Runs(msgspec.Struct):
    """size: height and width in px. counts: plain numbers, which every reader of the format takes."""

    size: tuple[int, int]
    counts: list[int]


def runs_of(cover: NDArray[np.bool_], x: int, y: int, width: int, height: int) -> Runs:
    """Of an image of width x height px where the pixels (h, w) from (x, y) on are those of `cover`, all others none."""
    cover = cover[max(0, -y) : max(0, height - y), max(0, -x) : max(0, width - x)]
    x, y = max(0, x), max(0, y)
    steps = np.diff(np.pad(cover.T.astype(np.int8), ((0, 0), (1, 1))), axis=1)  # a column of the image at a time
    column, begin = np.nonzero(steps == 1)
    _, end = np.nonzero(steps == -1)
    edges = np.stack([(column + x) * height + begin + y, (column + x) * height + end + y], axis=1).ravel()
    # a run that goes on at the top of the next column is one
    joined = np.flatnonzero(edges[1:-1:2] == edges[2::2]) * 2 + 1
    edges = np.delete(edges, np.concatenate([joined, joined + 1]))
    counts = np.diff(np.concatenate([[0], edges, [width * height]]))
    return Runs((height, width), [int(count) for count in counts])
