"""How lines and outlines go over into each other between two keyframes. The browser does the same (`shapes/moving.ts`).

With as many places as each other, each goes to its counterpart: that is what dragging corners leaves. Otherwise both
are walked along in equal steps; closed ones are first turned the same way round, and begun where they fit best.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cupola.labels.shapes.outlines import Ring

SAMPLES = 64  # places along each of two outlines that have no counterparts, where neither has more


def mixed(a: float, b: float, share: float) -> float:
    """Linearly between two numbers."""
    return a + (b - a) * share


def turned(a_rad: float, b_rad: float, share: float, period_rad: float = 2 * math.pi) -> float:
    """Between two angles, the shorter way round; period_rad: after which the shape looks the same."""
    way = (b_rad - a_rad) % period_rad
    return a_rad + (way - period_rad if way > period_rad / 2 else way) * share


def line_between(a: Ring, b: Ring, share: float) -> Ring:
    """Of open lines."""
    if len(a) == len(b):
        return _each(a, b, share)
    samples = max(SAMPLES, len(a), len(b))
    first, second = _walked(np.asarray(a), samples), _walked(np.asarray(b), samples)
    if _apart(first, second[::-1]) < _apart(first, second):
        second = second[::-1]
    return _ring(first + (second - first) * share)


def ring_between(a: Ring, b: Ring, share: float) -> Ring:
    """Of closed outlines."""
    if len(a) == len(b):
        return _each(a, b, share)
    samples = max(SAMPLES, len(a), len(b))
    first, second = (_walked(np.asarray((*ring, ring[0])), samples + 1)[:-1] for ring in (a, b))
    if _signed(first) * _signed(second) < 0:
        second = second[::-1]
    costs = [_apart(first, np.roll(second, -start, axis=0)) for start in range(samples)]
    second = np.roll(second, -int(np.argmin(costs)), axis=0)
    return _ring(first + (second - first) * share)


def _each(a: Ring, b: Ring, share: float) -> Ring:
    return tuple(
        (mixed(ax, bx, share), mixed(ay, by, share)) for (ax, ay), (bx, by) in zip(a, b, strict=True)
    )  # fmt: skip


def _walked(points: NDArray[np.float64], samples: int) -> NDArray[np.float64]:
    """(samples, 2) px, in equal steps from its first place to its last."""
    gone = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    at = np.linspace(0.0, gone[-1], samples)
    return np.stack([np.interp(at, gone, points[:, axis]) for axis in (0, 1)], axis=1)


def _apart(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(((a - b) ** 2).sum())


def _signed(ring: NDArray[np.float64]) -> float:
    """Twice its area, above 0 where it runs clockwise on the screen."""
    x, y = ring.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())


def _ring(points: NDArray[np.float64]) -> Ring:
    return tuple((float(x), float(y)) for x, y in points)
