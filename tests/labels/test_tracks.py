"""Tracks: what they show between keys, how alike two are, and what several say together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cupola.kernel.errors import Problem
from cupola.labels import (
    Box,
    Course,
    ItemFacts,
    Keyframe,
    Polygon,
    Track,
    TracksLabel,
    VideoEvent,
    decode_label,
    decode_ontology,
    distance,
    fitting,
    merge,
    same,
    validate,
)
from cupola.labels.kinds import tracking
from cupola.labels.shapes import of

MOVING: list[dict[str, Any]] = json.loads((Path(__file__).parent / "moving.json").read_text())
CARS = decode_ontology(
    {
        "kind": "tracks",
        "classes": [{"name": "car"}, {"name": "rain", "event": True}],
        "attributes": [{"name": "brakes", "type": "bool", "mutable": True, "classes": ["car"]}],
    }
)
FACTS = ItemFacts(width_px=400, height_px=200, frames=100)


def shape_of(told: dict[str, Any]) -> Any:
    label: Any = decode_label(json.dumps({"kind": "objects", "objects": [{"id": "1", "cls": "a", "shape": told}]}))
    return label.objects[0].shape


@pytest.mark.parametrize("case", MOVING, ids=lambda case: case["name"])
def test_a_shape_between_two_keys_is_where_both_suites_say(case: dict[str, Any]) -> None:
    """The browser runs the same table."""
    a, b = shape_of(case["a"]), shape_of(case["b"])

    between = json.loads(msgspec.json.encode(of(a).between(a, b, case["share"])))
    assert flat(between) == pytest.approx(flat({**case["expected"]}), abs=1e-6)


def flat(value: Any) -> list[float]:
    """All numbers of a shape, in order."""
    if isinstance(value, bool | str):
        return []
    if isinstance(value, int | float):
        return [float(value)]
    if isinstance(value, dict):
        return [n for name in sorted(value) if name != "rotation_rad" or value[name] for n in flat(value[name])]
    return [number for one in value for number in flat(one)]


def at(frame: int, x: float, **more: Any) -> Keyframe:
    return Keyframe(frame, Box(x, 20, 40, 30), **more)


def car(*keys: Keyframe, name: str = "1") -> Track:
    return Track(name, "car", list(keys))


def of_cars(*tracks: Track, events: tuple[VideoEvent, ...] = ()) -> TracksLabel:
    return TracksLabel(list(tracks), list(events), 100)


def test_a_track_shows_what_its_keys_say() -> None:
    one = Course(car(at(10, 0), at(20, 100, attributes={"brakes": True}), at(30, 120, outside=True), at(50, 0)))
    assert one.at(9) is None
    assert (seen := one.at(15)) is not None
    assert seen.shape == Box(50, 20, 40, 30)
    assert (seen.key, seen.attributes) == (False, {})
    assert (later := one.at(25)) is not None
    assert (later.shape, later.attributes) == (Box(110, 20, 40, 30), {"brakes": True})
    assert [one.at(frame) is None for frame in (29, 30, 49, 50, 99)] == [False, True, True, False, False]
    assert list(one.spans(100)) == [(10, 30), (50, 100)]
    still = Course(car(at(0, 0, holds=True), at(10, 100)))
    assert still.shape_at(9) == Box(0, 20, 40, 30)


def test_likeness_falls_with_the_frames_in_which_only_one_sees_it() -> None:
    whole = of_cars(car(at(0, 0)))
    for share, gone in ((0.5, 50), (0.8, 80)):
        half = of_cars(car(at(0, 0), at(gone, 0, outside=True)))
        ((_, _, alike, _),) = tracking.pairs(whole, half).tracks
        assert alike == pytest.approx(share)
    aside = of_cars(car(at(0, 20)))  # half of it, all the time: a third of both
    ((_, _, alike, agrees),) = tracking.pairs(whole, aside).tracks
    assert (alike, agrees) == (pytest.approx(1 / 3), False)
    assert distance(whole, of_cars(), CARS) == 1.0
    assert distance(of_cars(), of_cars(), CARS) == 0.0


def test_what_changes_counts_in_the_frames_in_which_it_differs() -> None:
    one = of_cars(car(at(0, 0, attributes={"brakes": False}), at(50, 0, attributes={"brakes": True})))
    near = of_cars(car(at(0, 0, attributes={"brakes": False}), at(55, 0, attributes={"brakes": True})))
    other = of_cars(car(at(0, 0, attributes={"brakes": True})))
    assert same(one, near, CARS)
    assert not same(one, other, CARS)


def test_three_hands_give_one_track_with_the_gap_that_most_saw() -> None:
    def hand(slip: float, gone: int) -> TracksLabel:
        return of_cars(
            car(
                at(0, slip), at(40, 100 + slip), at(gone, 120 + slip, outside=True), at(70, 150 + slip), name=f"h{slip}"
            ),
            events=(VideoEvent(f"e{slip}", "rain", 10 + round(slip), 30),),
        )

    labels = [hand(0, 50), hand(2, 52), hand(3, 60)]
    found: Any = merge(labels, [1.0, 1.0, 1.0], CARS)
    validate(found, CARS, FACTS)
    (track,) = found.tracks
    assert list(Course(track).spans(100)) == [(0, 52), (70, 100)]
    assert Course(track).shape_at(40) == Box(102, 20, 40, 30)
    assert found.events == [VideoEvent("e0", "rain", 12, 30)]
    assert max(distance(found, one, CARS) for one in labels) < 0.2
    # a thing that one of three saw is not there
    alone = of_cars(car(at(0, 0)), car(Keyframe(0, Box(300, 100, 40, 30)), name="2"))
    found = merge([alone, of_cars(car(at(0, 1))), of_cars(car(at(0, 2)))], [1, 1, 1], CARS)
    assert len(found.tracks) == 1


def test_outlines_that_cross_themselves_between_keys_are_compared_and_put_together() -> None:
    def bow(dx: float) -> TracksLabel:
        square = ((10.0 + dx, 10.0), (50.0 + dx, 10.0), (50.0 + dx, 50.0), (10.0 + dx, 50.0))
        turned = (square[1], square[0], square[3], square[2])
        return of_cars(Track("1", "car", [Keyframe(0, Polygon(square)), Keyframe(40, Polygon(turned))]))

    a, b = bow(0), bow(3)
    assert 0.0 < distance(a, b, CARS) < 0.3
    validate(merge([a, b, bow(1)], [1, 1, 1], CARS), CARS, FACTS)


def test_tracks_that_do_not_fit_are_left_out_with_their_place() -> None:
    label = of_cars(car(at(0, 0)), car(at(0, 390), name="2"), car(at(0, 10), name="1"))
    found = fitting(label, FACTS, CARS)
    assert isinstance(found.label, TracksLabel)
    assert [track.id for track in found.label.tracks] == ["1"]
    assert [(one.code, one.place) for one in found.left_out] == [
        ("label-out-of-image", "/tracks/1/keys/0/shape"),
        ("label-object-id", "/tracks/2"),
    ]


def test_keys_without_end_are_refused_before_they_are_looked_at() -> None:
    many = TracksLabel([car(*(at(frame, 0) for frame in range(100_001)))])
    with pytest.raises(Problem) as caught:
        validate(many, CARS)
    assert caught.value.code == "label-too-many-objects"
