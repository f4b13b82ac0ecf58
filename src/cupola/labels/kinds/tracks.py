"""Tracks: things followed through the frames of a video, and events: stretches of frames with a class.

A thing is said at keyframes and goes over from one to the next as its shape says (`ShapeType.between`). It is there
from its first key on, until a key says that it is outside; a later key brings it back. After its last key it stands
still.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from cupola.kernel import limits
from cupola.kernel.errors import Problem, invalid
from cupola.labels import attributes, shapes
from cupola.labels.facts import ItemFacts
from cupola.labels.kinds.objects import MAX_ID_CHARS, Source, check_size
from cupola.labels.label import Label
from cupola.labels.ontology import AttributeSpec, AttributeValue, ClassSpec, Ontology
from cupola.labels.places import pointer, unstorable
from cupola.labels.shapes import AnyShape
from cupola.labels.shapes.shape import Shape


class Keyframe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is said of a track at one frame (counted from 0). outside: from here on it is not to be seen, and its shape
    is where it would be; occluded: something stands before it, until the next key; holds: it stands still until the
    next key. attributes: mutable ones, each valid until another key says otherwise."""

    frame: int
    shape: AnyShape
    outside: bool = False
    occluded: bool = False
    holds: bool = False
    attributes: dict[str, AttributeValue] = {}


class Track(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing. keys: in rising order of frames, all with shapes of one type. attributes: those that never change."""

    id: str
    cls: str
    keys: list[Keyframe]
    attributes: dict[str, AttributeValue] = {}
    source: Source = "person"


class VideoEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something that goes on from one frame to another, both of them with it."""

    id: str
    cls: str
    start: int
    end: int
    attributes: dict[str, AttributeValue] = {}
    source: Source = "person"


class TracksLabel(Label, frozen=True, tag="tracks", omit_defaults=True):
    """All things and events of a video. frames: how many frames it has; frame_table: the SHA-256 of the table that
    numbers them, as far as whoever labels knew them."""

    tracks: list[Track]
    events: list[VideoEvent] = msgspec.field(default_factory=list)
    frames: int = 0
    frame_table: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A track in one frame. key: whether somebody said so, rather than that it follows from two keys."""

    shape: Shape
    occluded: bool
    key: bool
    attributes: Mapping[str, AttributeValue]


class Course:
    """A track made ready to be asked frame by frame."""

    def __init__(self, track: Track) -> None:
        self.track = track
        self.frames = [key.frame for key in track.keys]
        carried: dict[str, AttributeValue] = dict(track.attributes)
        self._said: list[Mapping[str, AttributeValue]] = []
        for key in track.keys:
            if key.attributes:
                carried = {**carried, **key.attributes}
            self._said.append(carried)

    def at(self, frame: int) -> Seen | None:
        """None where it is not to be seen."""
        n = bisect_right(self.frames, frame) - 1
        if n < 0 or self.track.keys[n].outside:
            return None
        return Seen(self.shape_at(frame), self.track.keys[n].occluded, self.frames[n] == frame, self._said[n])

    def shape_at(self, frame: int) -> Shape:
        """Where it is, or would be, at or after its first key."""
        keys = self.track.keys
        n = max(0, bisect_right(self.frames, frame) - 1)
        here = keys[n]
        if here.frame >= frame or here.holds or n + 1 == len(keys):
            return here.shape
        after = keys[n + 1]
        share = (frame - here.frame) / (after.frame - here.frame)
        between: Shape = shapes.of(here.shape).between(here.shape, after.shape, share)
        return between

    def said_at(self, frame: int) -> Mapping[str, AttributeValue]:
        """Its attributes there, at or after its first key."""
        return self._said[max(0, bisect_right(self.frames, frame) - 1)]

    def spans(self, horizon: int) -> Iterator[tuple[int, int]]:
        """The stretches of frames in which it is seen, each from … up to but not including …; horizon: where the video
        ends."""
        start: int | None = None
        for key in self.track.keys:
            if key.outside and start is not None:
                yield start, key.frame
                start = None
            elif not key.outside and start is None:
                start = key.frame
        if start is not None and start < horizon:
            yield start, horizon


def horizon_of(label: TracksLabel) -> int:
    """One more than the last frame of which anything is known."""
    last = max((track.keys[-1].frame for track in label.tracks if track.keys), default=-1)
    ends = max((event.end for event in label.events), default=-1)
    return max(label.frames, last + 1, ends + 1)


# ---------------------------------------------------------------- validation
def validate(label: TracksLabel, ontology: Ontology, facts: ItemFacts) -> None:
    """Raises Problem (INVALID) at the first track or event that breaks a rule, with its place."""
    check_alone(label, facts)
    seen: set[str] = set()
    for n, track in enumerate(label.tracks):
        place = f"/tracks/{n}"
        spec = _class_of(track, ontology, place, seen)
        if spec.event:
            raise _wrong(
                "label-wrong-shape", f"{track.cls!r} is an event: it is drawn nowhere.", place, "Say when it goes on."
            )
        _check_keys(track, spec, ontology, place)
    for n, event in enumerate(label.events):
        place = f"/events/{n}"
        spec = _class_of(event, ontology, place, seen)
        if not spec.event:
            raise _wrong(
                "label-wrong-shape", f"{event.cls!r} is a thing: it is drawn.", place, "Draw it, or choose an event."
            )
        attributes.validate(
            event.attributes,
            ontology.attributes_of[event.cls],
            pointer("events", n, "attributes"),
            f"The class {event.cls!r}",
        )


def check_alone(label: TracksLabel, facts: ItemFacts) -> None:
    """What can be said before the ontology is known: counts, frames that there are, shapes within the picture."""
    for what, count, most in (
        ("tracks", len(label.tracks), limits.MAX_TRACKS_PER_LABEL),
        ("keys", sum(len(track.keys) for track in label.tracks), limits.MAX_KEYS_PER_LABEL),
        ("events", len(label.events), limits.MAX_EVENTS_PER_LABEL),
    ):
        if count > most:
            raise _wrong(
                "label-too-many-objects",
                f"{count} {what}; at most {most} are taken.",
                "/events" if what == "events" else "/tracks",
                "Send fewer, or cut the video into segments.",
            )
    if label.frame_table is not None and facts.frame_table is not None and label.frame_table != facts.frame_table:
        raise _wrong(
            "label-frame-table",
            "The label was made for another numbering of the video's frames.",
            "/frame_table",
            "Open the video again and look whether each key lies where it should.",
        )
    if label.frames and facts.frames is not None and label.frames != facts.frames:
        raise _wrong(
            "label-frame-table",
            f"The label was made for {label.frames} frames; the video has {facts.frames}.",
            "/frames",
            "Open the video again and look whether each key lies where it should.",
        )
    most = facts.frames or label.frames or limits.MAX_FRAMES
    for n, track in enumerate(label.tracks):
        _check_track(track, facts, most, f"/tracks/{n}")
    for n, event in enumerate(label.events):
        if not 0 <= event.start <= event.end < most:
            raise _wrong(
                "label-frame",
                f"An event goes from a frame to the same or a later one, of 0 to {most - 1}.",
                f"/events/{n}",
                "Mend where it begins and ends.",
            )


def _check_track(track: Track, facts: ItemFacts, most: int, place: str) -> None:
    if not track.keys:
        raise _wrong(
            "label-track-empty", "The track has no keyframe.", f"{place}/keys", "Give it one, or leave it out."
        )
    before = -1
    type_ = track.keys[0].shape.type
    for n, key in enumerate(track.keys):
        here = f"{place}/keys/{n}"
        if not before < key.frame < most:
            raise _wrong(
                "label-frame",
                f"Frames rise from key to key, from 0 to {most - 1}; this key is at {key.frame}.",
                f"{here}/frame",
                "Order the keys, one at a frame.",
            )
        before = key.frame
        if key.shape.type != type_:
            raise _wrong(
                "label-wrong-shape",
                f"A track keeps its shape: it begins as {type_}, and this key is a {key.shape.type}.",
                f"{here}/shape",
                "Draw it as it began, or as a track of its own.",
            )
        shapes.of(key.shape).validate(key.shape, facts, f"{here}/shape")
    if track.keys[0].outside:
        raise _wrong(
            "label-track-empty",
            "The track begins with a key that says that it is not to be seen.",
            f"{place}/keys/0/outside",
            "Begin it where it is seen.",
        )


def _class_of(one: Track | VideoEvent, ontology: Ontology, place: str, seen: set[str]) -> ClassSpec:
    if not one.id or len(one.id) > MAX_ID_CHARS or unstorable(one.id) or one.id in seen:
        raise _wrong(
            "label-object-id",
            f"A track's or event's id has 1 to {MAX_ID_CHARS} characters and is its own: {one.id[:80]!r}.",
            f"{place}/id",
            "Give each its own short id.",
        )
    seen.add(one.id)
    index = ontology.class_index.get(one.cls)
    if index is None:
        raise _wrong(
            "label-unknown-class",
            f"{one.cls!r} is not a class of this ontology.",
            f"{place}/cls",
            "Use one of the ontology's class names.",
        )
    return ontology.classes[index]


def _check_keys(track: Track, spec: ClassSpec, ontology: Ontology, place: str) -> None:
    if spec.geometry is not None and spec.geometry != track.keys[0].shape.type:
        raise _wrong(
            "label-wrong-shape",
            f"The class {track.cls!r} is drawn as {spec.geometry}, not as {track.keys[0].shape.type}.",
            f"{place}/keys/0/shape/type",
            f"Draw it as {spec.geometry}.",
        )
    specs = ontology.attributes_of[track.cls]
    fixed = {name: one for name, one in specs.items() if not one.mutable}
    owner = f"The class {track.cls!r}"
    _check_given(track.attributes, specs, mutable=False, place=f"{place}/attributes")
    attributes.validate(track.attributes, fixed, f"{place}/attributes", owner)
    course = Course(track)
    for n, key in enumerate(track.keys):
        here = f"{place}/keys/{n}"
        shapes.of(key.shape).fits(key.shape, spec, f"{here}/shape")
        check_size(key.shape, spec, f"{here}/shape")
        _check_given(key.attributes, specs, mutable=True, place=f"{here}/attributes")
        if len(fixed) < len(specs) and (key.attributes or n == 0):
            attributes.validate(course.said_at(key.frame), specs, f"{here}/attributes", owner)


def _check_given(
    given: Mapping[str, AttributeValue], specs: Mapping[str, AttributeSpec], *, mutable: bool, place: str
) -> None:
    """What changes from key to key stands at keys, what does not at the track."""
    for name in given:
        spec = specs.get(name)
        if spec is not None and spec.mutable != mutable:
            where = "at the keys" if spec.mutable else "at the track"
            raise _wrong(
                "label-attribute-mutable", f"{name!r} stands {where}.", place + pointer(name), "Move it there."
            )


def salvage(label: TracksLabel, check: Callable[[TracksLabel], None]) -> tuple[TracksLabel | None, list[Problem]]:
    """The tracks and events that pass by themselves; places are those in `label`."""
    left_out: list[Problem] = []
    taken: set[str] = set()

    def passes(one: Track | VideoEvent, part: TracksLabel, first: str, place: str) -> bool:
        try:
            if one.id in taken:
                raise _wrong("label-object-id", f"{one.id[:80]!r} stands twice.", first, "Keep one of them.")
            check(part)
        except Problem as problem:
            told = problem.place.removeprefix(first)
            where = place + told if told != problem.place else problem.place
            left_out.append(invalid(problem.code, problem.detail, place=where, remedy=problem.remedy))
            return False
        taken.add(one.id)
        return True

    bare = msgspec.structs.replace(label, tracks=[], events=[])
    alone = msgspec.structs.replace
    tracks = [
        one for n, one in enumerate(label.tracks) if passes(one, alone(bare, tracks=[one]), "/tracks/0", f"/tracks/{n}")
    ]
    events = [
        one for n, one in enumerate(label.events) if passes(one, alone(bare, events=[one]), "/events/0", f"/events/{n}")
    ]
    found = alone(bare, tracks=tracks, events=events)
    return (found if tracks or events else None), left_out


def _wrong(code: str, detail: str, place: str, remedy: str) -> Problem:
    return invalid(code, detail, place=place, remedy=remedy)
