"""Choice: one or several of the ontology's classes for the whole item."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cupola.kernel.errors import invalid
from cupola.labels.ontology import Ontology


class ChoiceLabel(msgspec.Struct, frozen=True, tag="choice", tag_field="kind", forbid_unknown_fields=True):
    """`values`: class names; exactly one of them unless the ontology says `multiple` (then any number, none too)."""

    values: list[str]


def validate(label: ChoiceLabel, ontology: Ontology) -> None:
    """Raises Problem (INVALID) for an unknown class, a repeated one, or the wrong number of them."""
    if not ontology.multiple and len(label.values) != 1:
        raise invalid(
            "label-one-value",
            f"Exactly one value is asked for, {len(label.values)} were given.",
            place="/values",
            remedy="Give one value, or let the ontology say multiple.",
        )
    index = ontology.class_index
    seen: set[str] = set()
    for position, value in enumerate(label.values):
        if value not in index:
            raise invalid(
                "label-unknown-class",
                f"{value!r} is not a class of this ontology.",
                place=f"/values/{position}",
                remedy="Use one of the ontology's class names.",
            )
        if value in seen:
            raise invalid(
                "label-repeated-value",
                f"{value!r} was given twice.",
                place=f"/values/{position}",
                remedy="Give each value once.",
            )
        seen.add(value)


def code_of(label: ChoiceLabel, ontology: Ontology) -> int | None:
    """The class's position for a single choice; None where several may be chosen."""
    if ontology.multiple or len(label.values) != 1:
        return None
    return ontology.class_index.get(label.values[0])


def distance(a: ChoiceLabel, b: ChoiceLabel) -> float:
    """Jaccard distance (1 - intersection / union) of the two sets; 0 or 1 for single choices."""
    first, second = set(a.values), set(b.values)
    union = len(first | second)
    return 1.0 - len(first & second) / union if union else 0.0


def same(a: ChoiceLabel, b: ChoiceLabel) -> bool:
    return set(a.values) == set(b.values)


def merge(labels: Sequence[ChoiceLabel], weights: Sequence[float], ontology: Ontology) -> ChoiceLabel:
    """Weighted vote. Several: each class that more than half of the weight chose. Ties go to the earlier class."""
    votes = [0.0] * len(ontology.classes)
    for label, weight in zip(labels, weights, strict=True):
        for value in label.values:
            votes[ontology.class_index[value]] += weight
    if ontology.multiple:
        half = sum(weights) / 2
        return ChoiceLabel([spec.name for spec, vote in zip(ontology.classes, votes, strict=True) if vote > half])
    winner = max(range(len(votes)), key=lambda code: (votes[code], -code))
    return ChoiceLabel([ontology.classes[winner].name])
