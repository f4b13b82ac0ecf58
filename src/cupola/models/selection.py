"""Which tasks people are asked about next, so that a model learns most from their answers. Pure numbers.

The platform's choice, made from probabilities alone: a tenant's model may be asked, and cannot say who works. Margin:
the two likeliest classes are closest (Scheffer, Decomain & Wrobel, 2001). With diversity: of the closest, one of each
neighbourhood, so that no page is full of the same doubt (k-center greedy, Sener & Savarese, 2018). A random
floor stays: a share of what is asked is drawn from everything, the only part that says how right the model is of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FLOOR = 0.2
POOL = 5  # of so many times as many tasks as are wanted, the closest, diversity chooses
Arm = Literal["margin", "floor"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """place: among the tasks given; arm: why it was chosen."""

    place: int
    arm: Arm


def margins(shares: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n,) how far the likeliest class is ahead of the second: (n, K) probabilities, K of at least two."""
    two = np.partition(shares, -2, axis=1)[:, -2:]
    return np.asarray(two[:, 1] - two[:, 0], np.float64)


def chosen(
    shares: NDArray[np.float32],
    count: int,
    seed: int,
    *,
    features: NDArray[np.float32] | None = None,
    floor: float = FLOOR,
) -> list[Chosen]:
    """The tasks to ask about next, of n whose (n, K) probabilities are given, in their order.

    features: (n, d), by which neighbours are told; without them the margin alone. floor: the share drawn at random.
    """
    n = len(shares)
    count = min(count, n)
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(n)[: round(count * floor)]
    left = count - len(drawn)
    apart = set(drawn.tolist())
    order = [place for place in np.argsort(margins(shares), kind="stable").tolist() if place not in apart]
    if features is not None and left and len(order) > left:
        order = _diverse(features, order[: POOL * left], left, rng)
    asked = [Chosen(place, "margin") for place in order[:left]]
    out: list[Chosen] = []
    every = max(1, round(1 / floor)) if floor else count + 1
    drawn_left = [Chosen(place, "floor") for place in drawn.tolist()]
    for one in asked:  # the floor stands between the others, so that a page that ends early has its part of it
        if drawn_left and len(out) % every == 0:
            out.append(drawn_left.pop(0))
        out.append(one)
    return out + drawn_left


def _diverse(features: NDArray[np.float32], pool: Sequence[int], count: int, rng: np.random.Generator) -> list[int]:
    """Of a pool, closest first: from farthest neighbours on, each the farthest from those before (k-center greedy)."""
    rows = features[np.asarray(pool)].astype(np.float64)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    taken = [0]
    nearest = ((rows - rows[0]) ** 2).sum(axis=1)
    # the closer to the boundary, the more a step is worth
    worth = 1.0 / (1.0 + np.arange(len(pool)) / max(count, 1))
    for _ in range(count - 1):
        score = nearest * worth
        score[taken] = -1.0
        best = int(score.argmax())
        taken.append(best)
        nearest = np.minimum(nearest, ((rows - rows[best]) ** 2).sum(axis=1))
    return [pool[place] for place in taken]


def saving(curve: Sequence[tuple[int, float]], floor_curve: Sequence[tuple[int, float]]) -> float | None:
    """How many times as many labels the floor needs for what selection reached: None where it is not known.

    Both: (labels, accuracy), of growing labels. The floor's last accuracy is looked for on selection's curve.
    """
    if not floor_curve or not curve:
        return None
    labels, reached = floor_curve[-1]
    for n, accuracy in curve:
        if accuracy >= reached:
            return labels / n
    return None
