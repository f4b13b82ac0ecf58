"""How alike two people's tracks are, and what several people's tracks say together.

The likeness of two tracks is the mean, over the frames in which either is seen, of the likeness of their shapes there,
0 where only one is seen: of boxes it falls with every frame in which they part, as HOTA's association does (Luiten et
al. 2021), and needs no threshold of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import Problem
from cupola.labels import attributes, shapes
from cupola.labels.facts import UNKNOWN
from cupola.labels.kinds.grouping import clusters, merged_attributes, merged_source, vote
from cupola.labels.kinds.objects import Object, reach_of
from cupola.labels.kinds.tracks import Course, Keyframe, Track, TracksLabel, VideoEvent, horizon_of
from cupola.labels.matching import match, touching
from cupola.labels.ontology import AttributeValue, Ontology
from cupola.labels.shapes.box import Box
from cupola.labels.shapes.shape import Shape

MOST_FRAMES = 96  # that two tracks are compared in, evenly over the time in which either is seen
MOST_FRAMES_OF_BOXES = 2_000
SAME_EVENT_AT = 0.5  # temporal intersection over union
SAME_SAID = 0.8  # share of the frames that both are seen in, in which what changes must be said alike
THIN_AT = 0.98  # a key that its neighbours give as well as this says nothing


@dataclass(frozen=True, slots=True)
class MergedTracks:
    """One track or event that several people said; people: the places of their labels."""

    one: Track | VideoEvent
    people: list[int]


# ---------------------------------------------------------------- likeness
class Way:
    """A track with what is worked out of it once."""

    def __init__(self, track: Track, horizon: int) -> None:
        self.track = track
        self.course = Course(track)
        self.spans = list(self.course.spans(horizon))
        self.start = self.spans[0][0] if self.spans else 0
        self.end = self.spans[-1][1] if self.spans else 0
        self._boxes = _upright(track)

    def sees(self, frames: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(n,) whether it is seen in each."""
        out = np.zeros(len(frames), dtype=np.bool_)
        for start, end in self.spans:
            out |= (frames >= start) & (frames < end)
        return out

    def boxes(self, frames: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """(n, 4) of x0, y0, x1, y1 in px in each frame, where all its shapes are upright boxes."""
        if self._boxes is None:
            return None
        at, edges, holds = self._boxes
        n = np.clip(np.searchsorted(at, frames, side="right") - 1, 0, len(at) - 1)
        after = np.minimum(n + 1, len(at) - 1)
        share = np.clip((frames - at[n]) / np.maximum(1, at[after] - at[n]), 0.0, 1.0)
        share = np.where(holds[n], 0.0, share)[:, None]
        return np.asarray(edges[n] + (edges[after] - edges[n]) * share, dtype=np.float64)


def _upright(track: Track) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]] | None:
    rows = []
    for key in track.keys:
        if not isinstance(key.shape, Box) or key.shape.rotation_rad:
            return None
        rows.append((key.shape.x, key.shape.y, key.shape.x + key.shape.w, key.shape.y + key.shape.h))
    return (
        np.array([key.frame for key in track.keys], dtype=np.int64),
        np.array(rows, dtype=np.float64),
        np.array([key.holds for key in track.keys], dtype=np.bool_),
    )


def ways(label: TracksLabel, horizon: int) -> list[Way]:
    return [Way(track, horizon) for track in label.tracks]


def similarity(a: Way, b: Way) -> float:
    """In [0, 1]; 0 for tracks of other shapes, or that are never seen at the same time."""
    if a.track.keys[0].shape.type != b.track.keys[0].shape.type or a.start >= b.end or b.start >= a.end:
        return 0.0
    boxes = a._boxes is not None and b._boxes is not None
    start, end = min(a.start, b.start), max(a.end, b.end)
    count = min(end - start, MOST_FRAMES_OF_BOXES if boxes else MOST_FRAMES)
    frames = np.unique(np.linspace(start, end - 1, count).round().astype(np.int64))
    first, second = a.sees(frames), b.sees(frames)
    either, both = int((first | second).sum()), frames[first & second]
    if not either or not len(both):
        return 0.0
    mine, theirs = a.boxes(both), b.boxes(both)
    if mine is not None and theirs is not None:
        return float(_overlaps(mine, theirs).sum()) / either
    kind = shapes.of(a.track.keys[0].shape)
    total = sum(
        float(kind.similarity(a.course.shape_at(frame), b.course.shape_at(frame))) for frame in both.tolist()
    )  # fmt: skip
    return total / either


def _overlaps(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) intersection over union of boxes, row by row."""
    wide = np.minimum(a[:, 2], b[:, 2]) - np.maximum(a[:, 0], b[:, 0])
    high = np.minimum(a[:, 3], b[:, 3]) - np.maximum(a[:, 1], b[:, 1])
    common = np.maximum(wide, 0) * np.maximum(high, 0)
    areas = [(one[:, 2] - one[:, 0]) * (one[:, 3] - one[:, 1]) for one in (a, b)]
    whole = areas[0] + areas[1] - common
    return np.asarray(np.where(whole > 0, common / np.maximum(whole, 1e-12), 0.0), dtype=np.float64)


def reach(found: Sequence[Way]) -> NDArray[np.float64]:
    """(n, 4) of x0, y0, x1, y1 in px: where something like each track could lie in any frame."""
    out = np.empty((len(found), 4), dtype=np.float64)
    for row, one in enumerate(found):
        each = reach_of([Object("", "", key.shape) for key in one.track.keys])
        out[row, :2], out[row, 2:] = each[:, :2].min(axis=0), each[:, 2:].max(axis=0)
    return out


def event_similarity(a: VideoEvent, b: VideoEvent) -> float:
    """Temporal intersection over union."""
    common = min(a.end, b.end) - max(a.start, b.start) + 1
    return max(0, common) / (a.end - a.start + b.end - b.start + 2 - max(0, common))


def is_same(a: Way, b: Way, alike: float) -> bool:
    """Whether a pair of that likeness is one thing, said alike: class, attributes, and the shape's own measure."""
    if a.track.cls != b.track.cls or alike < shapes.of(a.track.keys[0].shape).same_at:
        return False
    if not attributes.alike(a.track.attributes, b.track.attributes):
        return False
    if not any(key.attributes for one in (a, b) for key in one.track.keys):
        return True
    start, end = max(a.start, b.start), min(a.end, b.end)
    if end <= start:
        return True
    frames = np.unique(np.linspace(start, end - 1, min(end - start, MOST_FRAMES)).round().astype(np.int64)).tolist()
    seen = [(x, y) for frame in frames if (x := a.course.at(frame)) and (y := b.course.at(frame))]
    said = sum(attributes.alike(x.attributes, y.attributes) for x, y in seen)
    return said >= SAME_SAID * len(seen)


def _is_same_event(a: VideoEvent, b: VideoEvent) -> bool:
    return attributes.alike(a.attributes, b.attributes) and event_similarity(a, b) >= SAME_EVENT_AT


@dataclass(frozen=True, slots=True)
class Paired:
    """The best one-to-one pairing of two labels: (index in a, index in b, likeness, whether both say the same)."""

    tracks: list[tuple[int, int, float, bool]]
    events: list[tuple[int, int, float, bool]]

    @property
    def total(self) -> float:
        return sum(alike for _, _, alike, _ in (*self.tracks, *self.events))

    @property
    def agreeing(self) -> int:
        return sum(same for _, _, _, same in (*self.tracks, *self.events))


def pairs(a: TracksLabel, b: TracksLabel) -> Paired:
    """Of tracks and events of one class."""
    horizon = max(horizon_of(a), horizon_of(b))
    first, second = ways(a, horizon), ways(b, horizon)

    def score(i: int, j: int) -> float:
        one, other = first[i], second[j]
        return similarity(one, other) if one.track.cls == other.track.cls else 0.0

    tracks = [
        (i, j, alike, is_same(first[i], second[j], alike)) for i, j, alike in match(reach(first), reach(second), score)
    ]
    spans = [np.array([(e.start, 0, e.end + 1, 1) for e in one.events], dtype=np.float64).reshape(-1, 4)
             for one in (a, b)]  # fmt: skip
    events = match(
        spans[0],
        spans[1],
        lambda i, j: event_similarity(a.events[i], b.events[j]) if a.events[i].cls == b.events[j].cls else 0.0,
    )
    return Paired(tracks, [(i, j, alike, _is_same_event(a.events[i], b.events[j])) for i, j, alike in events])


def distance(a: TracksLabel, b: TracksLabel) -> float:
    """1 - 2 S / n, S = the sum of likenesses over the best one-to-one pairing within classes, n = how many tracks and
    events both have; 0 for two empty labels."""
    total = len(a.tracks) + len(b.tracks) + len(a.events) + len(b.events)
    return max(0.0, 1.0 - 2.0 * pairs(a, b).total / total) if total else 0.0


def same(a: TracksLabel, b: TracksLabel) -> bool:
    """Each track and event has its one counterpart that says the same."""
    if len(a.tracks) != len(b.tracks) or len(a.events) != len(b.events):
        return False
    return pairs(a, b).agreeing == len(a.tracks) + len(a.events)


# ---------------------------------------------------------------- together
def merged(
    labels: Sequence[TracksLabel],
    weights: Sequence[float],
    ontology: Ontology,
    *,
    hands: Sequence[float] | None = None,
) -> list[MergedTracks]:
    """Tracks and events that more than half of the weight saw, and who saw each.

    Groups grow as those of objects do (`grouping.clusters`). In each frame at which somebody set a key, a track is seen
    where more than half of its group's weight sees it, and lies at the weighted median of where they see it (with the
    weights `hands`, as `weights` unless given); keys that their neighbours give as well are left out.
    """
    horizon = max(horizon_of(label) for label in labels)
    out: list[MergedTracks] = []
    members = [(person, n) for person, label in enumerate(labels) for n in range(len(label.tracks))]
    found = [Way(labels[person].tracks[n], horizon) for person, n in members]
    where = reach(found)
    near = ((i, j) for i, j in touching(where, where) if i < j and members[i][0] != members[j][0])
    least = [shapes.of(one.track.keys[0].shape).joined_at for one in found]
    taken: set[str] = set()
    for group in clusters(members, {(i, j): similarity(found[i], found[j]) for i, j in near}, least, len(labels)):
        people = [members[row][0] for row in group]
        say = [weights[person] for person in people]
        if sum(say) > sum(weights) / 2:
            fine = say if hands is None else [hands[person] for person in people]
            track = _together([found[row] for row in group], say, fine, ontology)
            out.append(MergedTracks(_named(track, taken), people))
    members = [(person, n) for person, label in enumerate(labels) for n in range(len(label.events))]
    events = [labels[person].events[n] for person, n in members]
    likely = {
        (i, j): event_similarity(a, b)
        for i, a in enumerate(events)
        for j, b in enumerate(events[i + 1 :], i + 1)
        if members[i][0] != members[j][0] and a.cls == b.cls
    }
    for group in clusters(members, likely, [0.4] * len(events), len(labels)):
        people = [members[row][0] for row in group]
        say = [weights[person] for person in people]
        if sum(say) > sum(weights) / 2:
            event = _event_together([events[row] for row in group], say, ontology)
            out.append(MergedTracks(_named(event, taken), people))
    return out


def label_of(found: Sequence[MergedTracks], labels: Sequence[TracksLabel]) -> TracksLabel:
    """The label that they are together, for the video that the labels were made for."""
    tables = {label.frame_table for label in labels}
    return TracksLabel(
        [one.one for one in found if isinstance(one.one, Track)],
        [one.one for one in found if isinstance(one.one, VideoEvent)],
        max(label.frames for label in labels),
        tables.pop() if len(tables) == 1 else None,
    )


def _named(one: Track | VideoEvent, taken: set[str]) -> Track | VideoEvent:
    name, suffix = one.id, 2
    while name in taken:
        name, suffix = f"{one.id[:56]}-{suffix}", suffix + 1
    taken.add(name)
    return msgspec.structs.replace(one, id=name)


def _together(group: Sequence[Way], say: list[float], hands: list[float], ontology: Ontology) -> Track:
    lead = max(range(len(group)), key=lambda row: (say[row], -row))
    cls = vote([one.track.cls for one in group], say, ontology.class_index)
    told = [Object("", one.track.cls, one.track.keys[0].shape, one.track.attributes) for one in group]
    specs = ontology.attributes_of[cls]
    fixed = {name: spec for name, spec in specs.items() if not spec.mutable}
    # what one person alone said stays as they said it, to the last bit
    if len(group) == 1:
        return msgspec.structs.replace(group[0].track, cls=cls)
    type_ = group[lead].track.keys[0].shape.type
    of_type = [row for row, one in enumerate(group) if one.track.keys[0].shape.type == type_]
    kept = [group[row] for row in of_type]
    say_, hands_ = [say[row] for row in of_type], [hands[row] for row in of_type]
    keys = _keys(kept, say_, hands_, cls, ontology, any(spec.mutable for spec in specs.values()))
    return Track(
        group[lead].track.id,
        cls,
        keys or list(group[lead].track.keys),
        merged_attributes(told, say, cls, fixed),
        merged_source([one.track.source for one in group]),
    )


def _keys(
    group: Sequence[Way], say: list[float], hands: list[float], cls: str, ontology: Ontology, mutable: bool
) -> list[Keyframe]:
    kind = shapes.of(group[0].track.keys[0].shape)
    changing = {name: spec for name, spec in ontology.attributes_of[cls].items() if spec.mutable}
    half = sum(say) / 2
    out: list[Keyframe] = []
    said: Mapping[str, AttributeValue] = {}
    for frame in sorted({frame for one in group for frame in one.course.frames}):
        seen = [one.course.at(frame) for one in group]
        rows = [row for row, one in enumerate(seen) if one is not None]
        if sum(say[row] for row in rows) <= half:
            if out and not out[-1].outside:
                shape = _valid(kind, [one.course.shape_at(frame) for one in group], hands) or out[-1].shape
                out.append(Keyframe(frame, shape, outside=True))
            continue
        there = [(one, row) for row, one in enumerate(seen) if one is not None]
        drawn = _valid(kind, [one.shape for one, _ in there], [hands[row] for _, row in there])
        if drawn is None:
            continue
        weight = [say[row] for _, row in there]
        occluded = sum(w for (one, _), w in zip(there, weight, strict=True) if one.occluded) > sum(weight) / 2
        holds = _share_holds(group, frame, rows, say) > 0.5
        more: dict[str, AttributeValue] = {}
        if mutable:
            objects = [Object("", cls, one.shape, dict(one.attributes)) for one, _ in there]
            now = merged_attributes(objects, weight, cls, changing)
            more = {name: value for name, value in now.items() if said.get(name) != value or not out}
            said = {**said, **more}
        out.append(Keyframe(frame, drawn, occluded=occluded, holds=holds, attributes=more))
    return _thinned(out)


def _share_holds(group: Sequence[Way], frame: int, rows: Sequence[int], say: Sequence[float]) -> float:
    standing = 0.0
    for row in rows:
        keys = [key for key in group[row].track.keys if key.frame <= frame]
        standing += say[row] if keys and keys[-1].holds else 0.0
    return standing / sum(say[row] for row in rows)


def _valid(kind: shapes.ShapeType[Shape], drawn: Sequence[Shape], hands: Sequence[float]) -> Shape | None:
    """What these drawings say together; None where that is no shape that anybody may draw: between keys outlines can
    cross themselves."""
    found: Shape = drawn[0] if len(drawn) == 1 else kind.merge(list(drawn), list(hands))
    try:
        kind.validate(found, UNKNOWN, "")
    except Problem:
        return None
    return found


def _thinned(keys: list[Keyframe]) -> list[Keyframe]:
    """Without keys that those beside them give as well."""
    out: list[Keyframe] = []
    for n, key in enumerate(keys):
        if out and n + 1 < len(keys):
            before, after = out[-1], keys[n + 1]
            plain = not (key.outside or before.outside or after.outside or key.attributes)
            alike = key.occluded == before.occluded and key.holds == before.holds
            if plain and alike and key.shape.type == before.shape.type:
                kind = shapes.of(key.shape)
                share = (key.frame - before.frame) / (after.frame - before.frame)
                given = before.shape if before.holds else kind.between(before.shape, after.shape, share)
                if kind.similarity(given, key.shape) >= THIN_AT:
                    continue
        out.append(key)
    return out


def _event_together(events: Sequence[VideoEvent], say: list[float], ontology: Ontology) -> VideoEvent:
    lead = max(range(len(events)), key=lambda row: (say[row], -row))
    start = round(shapes.weighted_median([float(one.start) for one in events], say))
    end = round(shapes.weighted_median([float(one.end) for one in events], say))
    cls = events[lead].cls
    told = [Object("", one.cls, Box(0, 0, 1, 1), one.attributes) for one in events]
    return VideoEvent(
        events[lead].id,
        cls,
        min(start, end),
        max(start, end),
        merged_attributes(told, say, cls, ontology.attributes_of[cls]),
        merged_source([one.source for one in events]),
    )
