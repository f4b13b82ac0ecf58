"""One-to-one matching of shapes by overlap, exact, at a cost that follows the overlaps and not n x m."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.lazy import Lazy

optimize = Lazy("scipy.optimize")

MAX_EXACT = 1_000  # a knot of more shapes than this is paired greedily, best overlap first

Pair = tuple[int, int, float]


def touching(a: NDArray[np.float64], b: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Index pairs of upright rectangles (n, 4), (m, 4) of x0, y0, x1, y1 that share some area."""
    if not len(a) or not len(b):
        return []
    order = np.argsort(b[:, 0], kind="stable")
    left = b[order]
    widest = float((b[:, 2] - b[:, 0]).max())
    first = np.searchsorted(left[:, 0], a[:, 0] - widest, side="left")
    last = np.searchsorted(left[:, 0], a[:, 2], side="left")
    found: list[tuple[int, int]] = []
    for row in range(len(a)):
        near = left[first[row] : last[row]]
        hit = (near[:, 2] > a[row, 0]) & (near[:, 1] < a[row, 3]) & (near[:, 3] > a[row, 1])
        found.extend((row, int(order[first[row] + offset])) for offset in np.flatnonzero(hit))
    return found


def match(a: NDArray[np.float64], b: NDArray[np.float64], score: Callable[[int, int], float]) -> list[Pair]:
    """The pairing with the greatest sum of scores, each index at most once, only pairs above 0.

    a, b: (n, 4), (m, 4) bounds in px that tell which pairs can overlap at all. Pairs that hang together are solved
    group by group (Jonker and Volgenant's method, as SciPy has it).
    """
    scored = [(i, j, s) for i, j in touching(a, b) if (s := score(i, j)) > 0]
    out: list[Pair] = []
    for group in _groups(scored):
        rows, columns = sorted({i for i, _, _ in group}), sorted({j for _, j, _ in group})
        if len(rows) + len(columns) > MAX_EXACT:
            out.extend(_greedy(group))
            continue
        row_of, column_of = {i: r for r, i in enumerate(rows)}, {j: c for c, j in enumerate(columns)}
        table = np.zeros((len(rows), len(columns)))
        for i, j, value in group:
            table[row_of[i], column_of[j]] = value
        for r, c in zip(*optimize.linear_sum_assignment(table, maximize=True), strict=True):
            if table[r, c] > 0:
                out.append((rows[r], columns[c], float(table[r, c])))
    return sorted(out)


def _groups(pairs: list[Pair]) -> list[list[Pair]]:
    """Split the pairs into those that hang together through a shared index (union by find)."""
    parent: dict[tuple[int, int], tuple[int, int]] = {}

    def root(node: tuple[int, int]) -> tuple[int, int]:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for i, j, _ in pairs:
        parent[root((0, i))] = root((1, j))
    groups: dict[tuple[int, int], list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(root((0, pair[0])), []).append(pair)
    return list(groups.values())


def _greedy(pairs: list[Pair]) -> list[Pair]:
    used_a: set[int] = set()
    used_b: set[int] = set()
    out: list[Pair] = []
    for i, j, value in sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1])):
        if i not in used_a and j not in used_b:
            used_a.add(i)
            used_b.add(j)
            out.append((i, j, value))
    return out
