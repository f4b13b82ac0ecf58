"""Which objects of different people are the same thing: clusters by distance with at most one member for a person.

Solved once for every kind of object: boxes, masks, polygons, spans, tracks and cuboids bring only their distance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy
from cupola.kernel.limits import MAX_OBJECTS_PER_LABEL

optimize = Lazy("scipy.optimize")

T = TypeVar("T")
ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Cluster:
    """members: (person, index of their object), sorted; support: their weight over that of all who looked."""

    members: tuple[tuple[int, int], ...]
    support: float


def cluster(
    objects: Sequence[Sequence[T]],
    distance: Callable[[T, T], float],
    *,
    cutoff: float = 0.5,
    weights: NDArray[np.float64] | None = None,
    rounds: int = ROUNDS,
) -> list[Cluster]:
    """Clusters of the objects that several people drew on one item, largest support first.

    objects: for each person their objects; distance: 0 the same .. 1 nothing in common (1 - IoU, for boxes);
    cutoff: beyond it two objects are never the same thing. weights: (people,) say of each.
    The nearest are joined first (average linkage, at most one object of a person in a cluster); then each person is
    taken out and matched again by the best assignment, which mends what joining one by one got wrong.
    """
    people = len(objects)
    say = np.ones(people) if weights is None else np.asarray(weights, dtype=np.float64)
    if len(say) != people:
        raise invalid("weights-length", f"{len(say)} weights for {people} people.", place="weights")
    if sum(len(own) for own in objects) > MAX_OBJECTS_PER_LABEL:
        raise invalid("objects-many", f"More than {MAX_OBJECTS_PER_LABEL} objects on one item.")
    flat = [(person, index) for person in range(people) for index in range(len(objects[person]))]
    far = np.full((len(flat), len(flat)), np.inf)  # of one person, two objects are never the same
    for a, (person_a, index_a) in enumerate(flat):
        far[a, a] = 0.0
        for b in range(a):
            person_b, index_b = flat[b]
            if person_a != person_b:
                far[a, b] = far[b, a] = distance(objects[person_a][index_a], objects[person_b][index_b])
    groups = _join_nearest(far, cutoff)
    for _ in range(rounds):
        before = sorted(sorted(group) for group in groups)
        for person in range(people):
            own = [number for number, (who, _) in enumerate(flat) if who == person]
            groups = [left for group in groups if (left := [n for n in group if flat[n][0] != person])]
            _assign(own, groups, far, np.array([say[who] for who, _ in flat]), cutoff)
        if sorted(sorted(group) for group in groups) == before:
            break
    total = float(say.sum()) or 1.0
    found = [
        Cluster(
            tuple(sorted(flat[number] for number in group)),
            float(sum(say[flat[number][0]] for number in group)) / total,
        )
        for group in groups
    ]
    return sorted(found, key=lambda one: (-one.support, one.members))


def _join_nearest(far: NDArray[np.float64], cutoff: float) -> list[list[int]]:
    """Groups by joining the nearest first, while all of both groups are on average within the cutoff and no person
    would be in it twice (their distance is infinite)."""
    groups: dict[int, list[int]] = {number: [number] for number in range(len(far))}
    home = list(range(len(far)))
    first, second = np.nonzero(np.triu(far <= cutoff, 1))
    for edge in np.argsort(far[first, second], kind="stable"):
        a, b = home[first[edge]], home[second[edge]]
        if a == b or far[np.ix_(groups[a], groups[b])].mean() > cutoff:
            continue
        for number in groups[b]:
            home[number] = a
        groups[a] += groups.pop(b)
    return list(groups.values())


def _assign(
    own: list[int], groups: list[list[int]], far: NDArray[np.float64], say: NDArray[np.float64], cutoff: float
) -> None:
    """Put a person's objects into the groups they fit best, or into new ones."""
    taken: set[int] = set()
    if groups and own:
        cost = np.empty((len(own), len(groups)))
        for column, group in enumerate(groups):
            weight = say[group] + 1e-12
            cost[:, column] = far[np.ix_(own, group)] @ (weight / weight.sum())
        rows, columns = optimize.linear_sum_assignment(np.where(cost <= cutoff, cost, 1e6))
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if cost[row, column] <= cutoff:
                groups[column].append(own[row])
                taken.add(row)
    groups.extend([own[row]] for row in range(len(own)) if row not in taken)


def medoid(far: NDArray[np.float64], weights: NDArray[np.float64]) -> int:
    """Of things that can only be compared, the one nearest to all others by weight; far: (n, n), weights: (n,)."""
    return int(np.argmin(far @ weights))


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(d,) column by column, the value that half of the weight lies on either side of.

    values: (n, d); weights: (n,), not all 0. An even split gives the middle of the two.
    """
    if len(values) == 0 or weights.sum() <= 0:
        raise invalid("median-empty", "There is nothing to take the median of.")
    order = np.argsort(values, axis=0, kind="stable")
    sorted_values = np.take_along_axis(values, order, axis=0)
    upto = np.cumsum(weights[order], axis=0)
    half = upto[-1] / 2.0
    out = np.empty(values.shape[1])
    for column in range(values.shape[1]):
        first = int(np.searchsorted(upto[:, column], half[column] * (1.0 - 1e-12)))
        low = sorted_values[first, column]
        exact = abs(upto[first, column] - half[column]) <= 1e-9 * half[column]
        out[column] = (low + sorted_values[first + 1, column]) / 2.0 if exact and first + 1 < len(values) else low
    return out
