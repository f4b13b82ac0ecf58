"""What of a label fits: a label that came from elsewhere is kept as far as it can be, and the rest is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cupola.kernel.errors import Problem
from cupola.labels.base import validate, validate_alone
from cupola.labels.facts import ItemFacts
from cupola.labels.kinds import KINDS
from cupola.labels.label import Label
from cupola.labels.ontology import Ontology


@dataclass(frozen=True, slots=True)
class Fitted:
    """label: what is left, None for nothing; left_out: why each part that did not fit did not."""

    label: Label | None
    left_out: tuple[Problem, ...] = ()


def fitting(label: Label, facts: ItemFacts, ontology: Ontology | None = None) -> Fitted:
    """The label without what does not fit the item, nor the ontology where one is given."""

    def check(part: Any) -> None:
        if ontology is not None:
            validate(part, ontology, facts)
        else:
            validate_alone(part, facts)

    try:
        check(label)
    except Problem as whole:
        first = whole
    else:
        return Fitted(label)
    kept, left_out = KINDS[label.kind].salvage(label, _tolerant(check))
    return Fitted(kept, tuple(left_out) or (() if kept is not None else (first,)))


def _tolerant(check: Callable[[Any], None]) -> Callable[[Any], None]:
    """What is still to be filled in is no reason to drop what is there: whoever draws will fill it in."""

    def tolerant(part: Any) -> None:
        try:
            check(part)
        except Problem as problem:
            if problem.code != "label-attribute-missing":
                raise

    return tolerant
