"""Settling labels that are not one class: several classes, text, objects.

Two labels agree when their kind's distance is within the tolerance. Judgements fall into groups of agreement, and a
one-coin model with an open world weighs the groups: somebody who is wrong is wrong in one of many ways, so that two
independent wrong answers rarely agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cupola.labels import Label, Ontology, distance, merge
from cupola.quality.calibrate import DEFAULT_RHO

TOLERANCE = {"choice": 0.0, "text": 0.05, "objects": 0.25}
REPEAT = 0.2  # P(a second wrong answer is the same wrong answer): the middle of what is measured on real crowds
PRIOR_ACCURACY, PRIOR_STRENGTH = 0.8, 5.0


@dataclass(frozen=True, slots=True)
class Agreed:
    """The merged label of the likeliest group and its calibrated posterior."""

    label: Label
    confidence: float
    supporters: list[int]


def accuracy(right: NDArray[np.float64], seen: NDArray[np.float64]) -> NDArray[np.float64]:
    """(W,) accuracy shrunk to the prior, from right of seen comparisons with gold and with settled tasks."""
    return (right + PRIOR_ACCURACY * PRIOR_STRENGTH) / (seen + PRIOR_STRENGTH)


def agree(
    labels: Sequence[Label], accuracies: Sequence[float], ontology: Ontology, *, rho: float = DEFAULT_RHO
) -> Agreed:
    """Weigh the groups of agreeing labels. accuracies: of each label's maker, in (0, 1). Needs one label at least."""
    tolerance = TOLERANCE[ontology.kind]
    groups: list[list[int]] = []
    for n, label in enumerate(labels):
        home = next((g for g in groups if all(distance(label, labels[m], ontology) <= tolerance for m in g)), None)
        if home is None:
            groups.append([n])
        else:
            home.append(n)
    skill = np.clip(np.asarray(accuracies, float), 0.05, 0.995)
    # log P(votes | this group is right), and last: none of them is
    scores = [_score(group, groups, skill) for group in groups]
    scores.append(_score([], groups, skill))
    logits = np.array(scores) / (1.0 + (len(labels) - 1) * rho)
    weights = np.exp(logits - logits.max())
    weights /= weights.sum()
    best = int(np.argmax(weights[:-1]))
    members = groups[best]
    label = merge([labels[m] for m in members], [float(skill[m]) for m in members], ontology)
    return Agreed(label, float(weights[best]), members)


def _score(right: list[int], groups: list[list[int]], skill: NDArray[np.float64]) -> float:
    total = float(np.log(skill[right]).sum())
    for group in groups:
        if group is not right and group:
            # the first wrong answer is free, each further one repeats it
            total += float(np.log1p(-skill[group]).sum()) + (len(group) - 1) * float(np.log(REPEAT))
    return total
