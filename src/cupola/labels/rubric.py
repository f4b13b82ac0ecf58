"""Criteria with weights as one score: the points that were earned, as a share of those that can be.

A criterion that should not be met has a weight below 0 and takes points away; nobody falls below 0 or rises above 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cupola.labels.ontology import Answer, AttributeSpec, Each, Scope

WHOLE = ""  # the target of questions about the item as a whole


@dataclass(frozen=True, slots=True)
class Score:
    """value: in [0, 1], None where no criterion was answered; met: {criterion: how far it is met, in [0, 1]}; answered,
    asked: criteria."""

    value: float | None
    met: Mapping[str, float]
    answered: int
    asked: int


def criteria(specs: Sequence[AttributeSpec]) -> list[AttributeSpec]:
    return [spec for spec in specs if spec.weight is not None]


def scores(specs: Sequence[AttributeSpec], answers: Mapping[str, Answer]) -> dict[str, Score]:
    """{target: its score}; criteria without a scope score the item as a whole, under `WHOLE`.

    A criterion that was left open counts as neither met nor to be met.
    """
    by_scope: dict[Scope | None, list[AttributeSpec]] = {}
    for spec in criteria(specs):
        by_scope.setdefault(spec.scope, []).append(spec)
    found: dict[str, Score] = {}
    for scope, group in by_scope.items():
        named: dict[str, None] = {}
        for spec in group:
            value = answers.get(spec.name)
            if isinstance(value, Each):
                named |= dict.fromkeys(value.values)
        for target in named if scope is not None else [WHOLE]:
            found[target] = _score(group, answers, target)
    return found


def _score(group: Sequence[AttributeSpec], answers: Mapping[str, Answer], target: str) -> Score:
    met: dict[str, float] = {}
    for spec in group:
        value = answers.get(spec.name)
        one = value.values.get(target) if isinstance(value, Each) else value
        if isinstance(one, bool | int | float):
            met[spec.name] = _share(spec, one)
    weights = {spec.name: spec.weight or 0.0 for spec in group}
    reachable = math.fsum(weights[name] for name in met if weights[name] > 0)
    earned = math.fsum(weights[name] * share for name, share in met.items())
    if not met:
        value = None
    elif reachable > 0:
        value = min(1.0, max(0.0, earned / reachable))
    else:  # nothing but faults: as good as there are none of them
        value = min(1.0, max(0.0, 1.0 - earned / math.fsum(weights[name] for name in met)))
    return Score(value, met, len(met), len(group))


def _share(spec: AttributeSpec, value: bool | float) -> float:
    if isinstance(value, bool):
        return float(value)
    least, most = spec.least or 0.0, spec.most or 0.0
    return min(1.0, max(0.0, (value - least) / (most - least))) if most > least else 0.0
