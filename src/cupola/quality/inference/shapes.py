"""Boxes, points, masks and spans of several people into one, with each person's precision learned on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.kernel.jit import kernel
from cupola.quality.inference.matching import weighted_median

P = TypeVar("P")
ROUNDS = 5
SHRINK = 30.0  # objects' worth of the pool's precision given to each person: few drawings say little of a hand
MASK_PRIOR = (0.9, 0.1)  # P(painted | inside), P(painted | outside), held as firmly as one object's pixels speak


@dataclass(frozen=True, slots=True)
class Merged:
    """values: (d,) the merged coordinates of each object, in the input's order; spread_px: (people,) the typical
    distance of each person's coordinates from the merged ones."""

    values: list[NDArray[np.float64]]
    spread_px: dict[int, float]


def merge_coordinates(
    objects: Sequence[Mapping[int, NDArray[np.float64]]], *, scale: Sequence[float] | None = None, rounds: int = ROUNDS
) -> Merged:
    """Weighted medians of coordinates, weights by each person's precision over all objects.

    objects: for each object, person -> (d,) coordinates in pixels, in one order of corners. scale: each object's size
    in pixels, so that an error counts against the size of what was drawn (1 for all unless given). A person's weight
    is the inverse of their median distance, shrunk to the pool's.
    """
    sizes = np.ones(len(objects)) if scale is None else np.maximum(np.asarray(scale, dtype=np.float64), 1e-9)
    people = sorted({person for own in objects for person in own})
    weight = dict.fromkeys(people, 1.0)
    values: list[NDArray[np.float64]] = []
    spread: Mapping[int, float] = {}
    for _ in range(max(rounds, 1)):
        values = []
        apart: dict[int, list[float]] = {person: [] for person in people}
        for own, size in zip(objects, sizes, strict=True):
            if not own:
                raise invalid("object-empty", "An object without any drawing cannot be merged.")
            who = sorted(own)
            merged = weighted_median(np.stack([own[p] for p in who]), np.array([weight[p] for p in who]))
            values.append(merged)
            if len(who) > 2:  # of two, each is as far from the middle as the other
                for person in who:
                    apart[person].append(float(np.abs(own[person] - merged).mean() / size))
        spread, weight = _precision(apart)
    return Merged(values, dict(spread))


def _precision(apart: Mapping[P, Sequence[float]]) -> tuple[dict[P, float], dict[P, float]]:
    """Each person's typical distance from what is merged, shrunk to the pool's, and the weight that follows from it."""
    seen = [value for own in apart.values() for value in own]
    pool = float(np.median(seen)) if seen else 1.0
    spread, weight = {}, {}
    for person, own in apart.items():
        typical = float(np.median(own)) if own else pool
        spread[person] = (len(own) * typical + SHRINK * pool) / (len(own) + SHRINK)
        weight[person] = 1.0 / max(spread[person], 0.05 * pool, 1e-9)
    return spread, weight


def precision(apart: Mapping[P, Sequence[float]]) -> dict[P, float]:
    """How much each person's coordinates are heard, with a mean of 1; apart: distances of what they drew from what
    came out, over the size of the things, or whatever else grows with the slips of a hand."""
    weight = _precision(apart)[1]
    mean = sum(weight.values()) / max(len(weight), 1)
    return {person: value / mean for person, value in weight.items()}


def merge_masks(
    masks: NDArray[np.bool_], *, rounds: int = 10, weights: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Several people's masks of one object into one, pixel by pixel with two-coin EM.

    masks: (people, height, width). Pixels that all agree on are left out of the estimate of skill, else the empty
    background would make everyone look perfect. Returns the mask, the probability of each pixel (height, width)
    and (people, 2) P(painted | inside), P(painted | outside) over the disputed pixels.
    Source: Warfield, Zou & Wells, STAPLE, IEEE TMI 23 (2004), restricted to the disputed region.
    """
    people = len(masks)
    if people == 0:
        raise invalid("object-empty", "There is no mask to merge.")
    flat = masks.reshape(people, -1)
    painted = flat.sum(axis=0)
    probability = (painted == people).astype(np.float64)
    disputed = np.flatnonzero((painted > 0) & (painted < people))
    say = np.ones(people) if weights is None else np.asarray(weights, dtype=np.float64)
    rates = np.tile(MASK_PRIOR, (people, 1))
    if len(disputed):
        votes = flat[:, disputed].astype(np.float64)
        inside = (say @ votes) / say.sum()
        for _ in range(rounds):
            # a Beta prior of as many pixels as there are: neighbours are no independent witnesses, and who alone paints
            # much of a small object must not be taken for the only one who sees it
            held = len(disputed) + 1.0
            rates[:, 0] = (votes @ inside + MASK_PRIOR[0] * held) / (inside.sum() + held)
            rates[:, 1] = (votes @ (1.0 - inside) + MASK_PRIOR[1] * held) / ((1.0 - inside).sum() + held)
            rates = np.clip(rates, 0.01, 0.99)
            log_odds = votes.T @ np.log(rates[:, 0] / rates[:, 1])
            log_odds += (1.0 - votes).T @ np.log((1.0 - rates[:, 0]) / (1.0 - rates[:, 1]))
            inside = 1.0 / (1.0 + np.exp(-np.clip(log_odds, -30.0, 30.0)))
        probability[disputed] = inside
    shape = masks.shape[1:]
    probability = probability.reshape(shape)
    return np.asarray(probability >= 0.5, dtype=np.bool_), probability, rates


def merge_spans(
    spans: Sequence[Sequence[tuple[int, int]]], length: int, *, weights: Sequence[float] | None = None
) -> list[tuple[int, int]]:
    """Spans (start, end) in characters, end excluded, of one class by several people: where more than half of the
    weight lies, with the ends moved to the weighted median of the spans that overlap there."""
    say = [1.0] * len(spans) if weights is None else list(weights)
    total = sum(say)
    votes = np.zeros(length + 1)
    for own, weight in zip(spans, say, strict=True):
        covered = np.zeros(length + 1)
        for start, end in own:
            if not 0 <= start < end <= length:
                raise invalid("span-range", f"The span {start}..{end} does not lie in a text of {length} characters.")
            covered[start:end] = 1.0
        votes += weight * covered
    inside = votes > total / 2.0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside]).astype(np.int8)))
    merged: list[tuple[int, int]] = []
    for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        ends = [
            (start, end, weight)
            for own, weight in zip(spans, say, strict=True)
            for start, end in own
            if min(end, last) - max(start, first) > 0.5 * max(end - start, last - first)
        ]
        if not ends:
            merged.append((first, last))
            continue
        values = np.array([(start, end) for start, end, _ in ends], dtype=np.float64)
        middle = weighted_median(values, np.array([weight for _, _, weight in ends]))
        start, end = int(np.floor(middle[0])), int(np.ceil(middle[1]))
        if merged and start < merged[-1][1]:
            start = merged[-1][1]
        if start < end:
            merged.append((start, end))
    return merged


def mask_iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Intersection over union of two masks; 1 when both are empty."""
    both, any_of = _overlap(np.ascontiguousarray(a).ravel(), np.ascontiguousarray(b).ravel())
    return both / any_of if any_of else 1.0


@kernel
def _overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> tuple[int, int]:
    both = 0
    any_of = 0
    for i in range(len(a)):
        both += a[i] and b[i]
        any_of += a[i] or b[i]
    return both, any_of
