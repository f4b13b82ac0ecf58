"""What several people's objects say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from cupola.labels import shapes
from cupola.labels.kinds.grouping import Member, clusters, merged_attributes, merged_source, vote
from cupola.labels.kinds.objects import Object, ObjectsLabel, reach_of, similarity
from cupola.labels.matching import touching
from cupola.labels.ontology import Ontology


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
    alike = {
        (a, b): similarity(objects[a], objects[b])
        for a, b in touching(reach, reach)
        if a < b and members[a][0] != members[b][0]
    }
    return clusters(members, alike, [shapes.of(thing.shape).joined_at for thing in objects], len(members))


def _merge_group(objects: list[Object], weights: list[float], hands: list[float], ontology: Ontology) -> Object:
    index = ontology.class_index
    cls = vote([thing.cls for thing in objects], weights, index)
    heaviest = max(range(len(objects)), key=lambda row: (weights[row], -row))
    # Shapes of one type can be averaged; with several the type is voted on first.
    types = [thing.shape.type for thing in objects]
    winner = vote(types, weights, {name: rank for rank, name in enumerate(shapes.SHAPES)})
    rows = [row for row in range(len(objects)) if types[row] == winner]
    drawn = [objects[row].shape for row in rows]
    # what one person alone drew stays as they drew it, to the last bit
    shape = drawn[0] if len(drawn) == 1 else shapes.SHAPES[winner].merge(drawn, [hands[row] for row in rows])
    attributes = merged_attributes(objects, weights, cls, ontology.attributes_of[cls])
    return Object(objects[heaviest].id, cls, shape, attributes, merged_source([thing.source for thing in objects]))
