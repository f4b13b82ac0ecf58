"""The kind `tracks` as a row of the table: things and events of a video, put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from cupola.kernel.errors import Problem
from cupola.labels.facts import ItemFacts
from cupola.labels.kind import LabelKind, Unit, needs_classes, wrong_spec
from cupola.labels.kinds import tracking, tracks
from cupola.labels.kinds.drawn import SHOWN_CLASSES
from cupola.labels.kinds.tracks import Track, TracksLabel, VideoEvent
from cupola.labels.ontology import Ontology


class Tracks(LabelKind[TracksLabel]):
    name = "tracks"
    label = TracksLabel
    parts = frozenset({"classes", "geometry", "attributes", "frames"})
    looks_at = frozenset({"width_px", "height_px", "frames", "frame_table"})
    tolerance = 0.25
    strategies = ("tracks",)
    made_of = "tracks"
    unit = "track"

    def strategy(self, ontology: Ontology) -> str:
        return "tracks"

    def check_spec(self, ontology: Ontology) -> None:
        needs_classes(ontology)
        for n, spec in enumerate(ontology.classes):
            if spec.max_overlap is not None:
                raise wrong_spec(
                    f"/classes/{n}/max_overlap", "How far two tracks overlap is not looked at.", "Leave it out."
                )

    def validate(self, label: TracksLabel, ontology: Ontology, facts: ItemFacts) -> None:
        tracks.validate(label, ontology, facts)

    def validate_alone(self, label: TracksLabel, facts: ItemFacts) -> None:
        tracks.check_alone(label, facts)

    def salvage(
        self, label: TracksLabel, check: Callable[[TracksLabel], None]
    ) -> tuple[TracksLabel | None, list[Problem]]:
        return tracks.salvage(label, check)

    def distance(self, a: TracksLabel, b: TracksLabel, ontology: Ontology) -> float:
        return tracking.distance(a, b)

    def same(self, a: TracksLabel, b: TracksLabel, ontology: Ontology) -> bool:
        return tracking.same(a, b)

    def merge(self, labels: Sequence[TracksLabel], weights: Sequence[float], ontology: Ontology) -> TracksLabel:
        return tracking.label_of(tracking.merged(labels, weights, ontology), labels)

    def units(self, label: TracksLabel, ontology: Ontology) -> list[Unit[TracksLabel]]:
        """Each track and each event, by its id."""
        alone = msgspec.structs.replace
        bare = alone(label, tracks=[], events=[])
        return [
            *(Unit(one.id, one.cls, alone(bare, tracks=[one])) for one in label.tracks),
            *(Unit(one.id, one.cls, alone(bare, events=[one])) for one in label.events),
        ]

    def apart(self, a: TracksLabel, b: TracksLabel, ontology: Ontology) -> tuple[list[str], list[str]]:
        """By the best one-to-one pairing."""
        found = tracking.pairs(a, b)
        ours = {a.tracks[i].id for i, _, _, same in found.tracks if same}
        ours |= {a.events[i].id for i, _, _, same in found.events if same}
        theirs = {b.tracks[j].id for _, j, _, same in found.tracks if same}
        theirs |= {b.events[j].id for _, j, _, same in found.events if same}
        return (
            [one.id for one in _all(a) if one.id not in ours],
            [one.id for one in _all(b) if one.id not in theirs],
        )

    def tracked_in(self, label: TracksLabel) -> TracksLabel:
        return label

    def words(self, label: TracksLabel, ontology: Ontology) -> str:
        """How many of each class, the commonest first."""
        if not label.tracks and not label.events:
            return "no tracks"
        counted = Counter(one.cls for one in _all(label)).most_common()
        told = ", ".join(f"{count} {name}" for name, count in counted[:SHOWN_CLASSES])
        more = sum(count for _, count in counted[SHOWN_CLASSES:])
        return f"{told}, {more} more" if more else told


def _all(label: TracksLabel) -> list[Track | VideoEvent]:
    return [*label.tracks, *label.events]
