"""What several people's objects say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from cupola.labels import shapes
from cupola.labels.kinds.objects import Object, ObjectsLabel, Source, reach_of, similarity
from cupola.labels.matching import touching
from cupola.labels.ontology import AttributeValue, Ontology
from cupola.labels.shapes.shape import weighted_median

T = TypeVar("T")
Member = tuple[int, int]  # person, index of the object in that person's label


@dataclass(frozen=True, slots=True)
class Merged:
    """One thing that several people drew; people: the places of their labels."""

    object: Object
    people: list[int]


def merge(labels: Sequence[ObjectsLabel], weights: Sequence[float], ontology: Ontology) -> ObjectsLabel:
    """Objects that more than half of the weight saw, each with the weighted median of its coordinates."""
    return ObjectsLabel([one.object for one in merged(labels, weights, ontology)])


def merged(
    labels: Sequence[ObjectsLabel],
    weights: Sequence[float],
    ontology: Ontology,
    *,
    hands: Sequence[float] | None = None,
) -> list[Merged]:
    """Objects that more than half of the weight saw, and who saw each.

    Groups hold at most one object of a person. They grow from single objects by average linkage on similarity, the
    closest pair first. The class, then each attribute, is decided by weighted vote within the group; where the thing
    lies, by the weighted median with the weights `hands` (as `weights`, unless given).
    """
    members, objects = _flatten(labels)
    # of one person nothing can belong together
    groups = _cluster(members, objects) if len(labels) > 1 else [[row] for row in range(len(objects))]
    half = sum(weights) / 2
    out: list[Merged] = []
    taken: set[str] = set()
    for group in groups:
        people = [members[row][0] for row in group]
        say = [weights[person] for person in people]
        if sum(say) <= half:
            continue
        fine = say if hands is None else [hands[person] for person in people]
        found = _merge_group([objects[row] for row in group], say, fine, ontology)
        name, suffix = found.id, 2
        while name in taken:
            name, suffix = f"{found.id[:56]}-{suffix}", suffix + 1
        taken.add(name)
        out.append(Merged(msgspec.structs.replace(found, id=name), people))
    return out


def _flatten(labels: Sequence[ObjectsLabel]) -> tuple[list[Member], list[Object]]:
    members = [(person, index) for person, label in enumerate(labels) for index in range(len(label.objects))]
    return members, [labels[person].objects[index] for person, index in members]


def _cluster(members: list[Member], objects: list[Object]) -> list[list[int]]:
    reach = reach_of(objects)
    alike: dict[tuple[int, int], float] = {}
    for a, b in touching(reach, reach):
        if a < b and members[a][0] != members[b][0]:
            value = similarity(objects[a], objects[b])
            if value > 0:
                alike[a, b] = value
    group_of = list(range(len(objects)))
    groups: dict[int, list[int]] = {row: [row] for row in group_of}
    for (a, b), value in sorted(alike.items(), key=lambda pair: (-pair[1], pair[0])):
        least = shapes.of(objects[a].shape).joined_at
        if value < least:
            continue
        first, second = groups[group_of[a]], groups[group_of[b]]
        if first is second or {members[row][0] for row in first} & {members[row][0] for row in second}:
            continue
        links = [alike.get((min(p, q), max(p, q)), 0.0) for p in first for q in second]
        if sum(links) / len(links) < least:
            continue
        target, gone = group_of[a], group_of[b]
        for row in second:
            group_of[row] = target
        first.extend(second)
        del groups[gone]
    return [sorted(group) for _, group in sorted(groups.items())]


def _merge_group(objects: list[Object], weights: list[float], hands: list[float], ontology: Ontology) -> Object:
    index = ontology.class_index
    cls = _vote([thing.cls for thing in objects], weights, index)
    heaviest = max(range(len(objects)), key=lambda row: (weights[row], -row))
    # Shapes of one type can be averaged; with several the type is voted on first.
    types = [thing.shape.type for thing in objects]
    winner = _vote(types, weights, {name: rank for rank, name in enumerate(shapes.SHAPES)})
    rows = [row for row in range(len(objects)) if types[row] == winner]
    drawn = [objects[row].shape for row in rows]
    # what one person alone drew stays as they drew it, to the last bit
    shape = drawn[0] if len(drawn) == 1 else shapes.SHAPES[winner].merge(drawn, [hands[row] for row in rows])
    attributes = _merge_attributes(objects, weights, cls, ontology)
    return Object(objects[heaviest].id, cls, shape, attributes, _source(objects))


def _merge_attributes(
    objects: list[Object], weights: list[float], cls: str, ontology: Ontology
) -> dict[str, AttributeValue]:
    out: dict[str, AttributeValue] = {}
    for name, spec in ontology.attributes_of[cls].items():
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
            winner = _vote(keys, heard, {key: rank for rank, key in enumerate(dict.fromkeys(keys))})
            out[name] = values[keys.index(winner)]
    return out


def _share(values: list[AttributeValue], weights: list[float], option: str) -> float:
    return sum(
        weight for value, weight in zip(values, weights, strict=True) if isinstance(value, list) and option in value
    )


def _vote(values: list[T], weights: list[float], rank: dict[T, int]) -> T:
    votes: dict[T, float] = {}
    for value, weight in zip(values, weights, strict=True):
        votes[value] = votes.get(value, 0.0) + weight
    return max(votes, key=lambda value: (votes[value], -rank[value]))


def _source(objects: list[Object]) -> Source:
    sources = {thing.source for thing in objects}
    return sources.pop() if len(sources) == 1 else "corrected"
