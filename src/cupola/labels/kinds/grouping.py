"""Drawings of several people that are of one thing, and what their words say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from cupola.labels.kinds.objects import Object, Source
from cupola.labels.ontology import AttributeSpec, AttributeValue
from cupola.labels.shapes.shape import weighted_median

T = TypeVar("T")
Member = tuple[int, int]  # person, index of the thing in that person's label


def clusters(
    members: Sequence[Member], alike: Mapping[tuple[int, int], float], least: Sequence[float], people: int
) -> list[list[int]]:
    """Groups of things, at most one of a person each. They grow from single things by average linkage, the closest pair
    first.

    alike: {(row, later row): likeness} of those that have any in common; least: the mean likeness from which drawings
    are of one thing, of each row.
    """
    if people == 1:  # of one person nothing can belong together
        return [[row] for row in range(len(members))]
    group_of = list(range(len(members)))
    groups: dict[int, list[int]] = {row: [row] for row in group_of}
    for (a, b), value in sorted(alike.items(), key=lambda pair: (-pair[1], pair[0])):
        if value <= 0 or value < least[a]:
            continue
        first, second = groups[group_of[a]], groups[group_of[b]]
        if first is second or {members[row][0] for row in first} & {members[row][0] for row in second}:
            continue
        links = [alike.get((min(p, q), max(p, q)), 0.0) for p in first for q in second]
        if sum(links) / len(links) < least[a]:
            continue
        target, gone = group_of[a], group_of[b]
        for row in second:
            group_of[row] = target
        first.extend(second)
        del groups[gone]
    return [sorted(group) for _, group in sorted(groups.items())]


def merged_attributes(
    objects: Sequence[Object], weights: Sequence[float], cls: str, specs: Mapping[str, AttributeSpec]
) -> dict[str, AttributeValue]:
    """Each of the attributes by weighted vote of those who gave the class; numbers by the weighted median."""
    out: dict[str, AttributeValue] = {}
    for name, spec in specs.items():
        when = spec.when
        rows = [row for row, thing in enumerate(objects) if thing.cls == cls and name in thing.attributes]
        if when is not None:
            settled = out.get(when.attribute)
            held = when.equals in settled if isinstance(settled, list) else settled == when.equals
            if not held:
                continue
        absent = sum(weights[row] for row, thing in enumerate(objects) if thing.cls == cls and row not in rows)
        present = sum(weights[row] for row in rows)
        if not rows or (not spec.required and present < absent):
            continue
        values, heard = [objects[row].attributes[name] for row in rows], [weights[row] for row in rows]
        if spec.type == "number":
            out[name] = weighted_median([float(v) for v in values if isinstance(v, int | float)], heard)
        elif spec.type == "multi":
            chosen = [option for option in spec.options if _share(values, heard, option) > present / 2]
            out[name] = chosen
        else:
            keys = [str(value) for value in values]
            winner = vote(keys, heard, {key: rank for rank, key in enumerate(dict.fromkeys(keys))})
            out[name] = values[keys.index(winner)]
    return out


def _share(values: list[AttributeValue], weights: list[float], option: str) -> float:
    return sum(
        weight for value, weight in zip(values, weights, strict=True) if isinstance(value, list) and option in value
    )


def vote(values: Sequence[T], weights: Sequence[float], rank: Mapping[T, int]) -> T:
    """The value with the most weight; of two with as much the one of the lower rank."""
    votes: dict[T, float] = {}
    for value, weight in zip(values, weights, strict=True):
        votes[value] = votes.get(value, 0.0) + weight
    return max(votes, key=lambda value: (votes[value], -rank[value]))


def merged_source(found: Sequence[Source]) -> Source:
    """Where something comes from that several have in common."""
    sources = set(found)
    return sources.pop() if len(sources) == 1 else "corrected"
