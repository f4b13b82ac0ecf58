"""The kind `objects` as a row of the table: what is said of shapes, put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from cupola.kernel.errors import Problem
from cupola.labels.facts import ItemFacts
from cupola.labels.kind import LabelKind, Thing, Unit, needs_classes
from cupola.labels.kinds import merging, objects
from cupola.labels.kinds.objects import ObjectsLabel
from cupola.labels.ontology import Ontology

SHOWN_CLASSES = 3


class Objects(LabelKind[ObjectsLabel]):
    name = "objects"
    label = ObjectsLabel
    parts = frozenset({"classes", "geometry", "attributes"})
    looks_at = frozenset({"width_px", "height_px"})
    tolerance = 0.25
    strategies = ("shapes",)
    made_of = "things"
    unit = "object"

    def strategy(self, ontology: Ontology) -> str:
        return "shapes"

    def check_spec(self, ontology: Ontology) -> None:
        needs_classes(ontology)

    def validate(self, label: ObjectsLabel, ontology: Ontology, facts: ItemFacts) -> None:
        objects.validate(label, ontology, facts)

    def validate_alone(self, label: ObjectsLabel, facts: ItemFacts) -> None:
        objects.validate_shapes(label, facts)

    def salvage(
        self, label: ObjectsLabel, check: Callable[[ObjectsLabel], None]
    ) -> tuple[ObjectsLabel | None, list[Problem]]:
        return objects.salvage(label, check)

    def distance(self, a: ObjectsLabel, b: ObjectsLabel, ontology: Ontology) -> float:
        return objects.distance(a, b)

    def same(self, a: ObjectsLabel, b: ObjectsLabel, ontology: Ontology) -> bool:
        return objects.same(a, b)

    def merge(self, labels: Sequence[ObjectsLabel], weights: Sequence[float], ontology: Ontology) -> ObjectsLabel:
        return merging.merge(labels, weights, ontology)

    def units(self, label: ObjectsLabel, ontology: Ontology) -> list[Unit[ObjectsLabel]]:
        """Each object, by its id."""
        return [Unit(thing.id, thing.cls, ObjectsLabel([thing])) for thing in label.objects]

    def apart(self, a: ObjectsLabel, b: ObjectsLabel, ontology: Ontology) -> tuple[list[str], list[str]]:
        """By the best one-to-one pairing, each pair as alike as its shape asks for."""
        found = [(i, j) for i, j, alike in objects.pairs(a, b) if objects.is_same(a.objects[i], b.objects[j], alike)]
        ours, theirs = {i for i, _ in found}, {j for _, j in found}
        return (
            [one.id for n, one in enumerate(a.objects) if n not in ours],
            [one.id for n, one in enumerate(b.objects) if n not in theirs],
        )

    def things_of(self, label: ObjectsLabel) -> Sequence[Thing]:
        return label.objects

    def words(self, label: ObjectsLabel, ontology: Ontology) -> str:
        """How many of each class, the commonest first."""
        if not label.objects:
            return "no objects"
        counted = Counter(thing.cls for thing in label.objects).most_common()
        told = ", ".join(f"{count} {name}" for name, count in counted[:SHOWN_CLASSES])
        more = sum(count for _, count in counted[SHOWN_CLASSES:])
        return f"{told}, {more} more" if more else told
