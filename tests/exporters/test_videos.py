"""Tracks as files: every frame as the label says it, keys told apart, gaps kept, and what is lost is told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

from cupola.formats.table import FORMS
from cupola.labels import Box, Course, Keyframe, Track, TracksLabel, VideoEvent, decode_ontology
from cupola.releases.exporters.annotations import DROPPED
from cupola.releases.exporters.naming import stem
from tests.exporters.test_exporters import export, released, unpack
from tests.formats.helping import Memory, read

CARS = decode_ontology(
    {
        "kind": "tracks",
        "classes": [{"name": "car", "geometry": "box"}, {"name": "rain", "event": True}],
        "attributes": [
            {"name": "colour", "type": "choice", "options": ["red", "blue"], "classes": ["car"]},
            {"name": "brakes", "type": "bool", "mutable": True, "classes": ["car"]},
        ],
    }
)
LABEL = TracksLabel(
    [
        Track(
            "a",
            "car",
            [
                Keyframe(2, Box(10, 20, 30, 20), attributes={"brakes": False}),
                Keyframe(6, Box(50, 20, 30, 20), occluded=True, attributes={"brakes": True}),
                Keyframe(9, Box(80, 20, 30, 20), outside=True),
                Keyframe(12, Box(60, 20, 30, 20)),
            ],
            {"colour": "red"},
        ),
        Track("b", "car", [Keyframe(0, Box(100, 50, 20, 20))], source="model"),
    ],
    [VideoEvent("e", "rain", 3, 8)],
    15,
)
REF = "drives/one.mp4"


def exported(name: str) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    row = replace(released(0, REF, LABEL), media_type="video/mp4", width_px=320, height_px=180)
    files = unpack(export(name, CARS, [row])[2])
    return files, json.loads(files[DROPPED])


def seen() -> dict[tuple[int, int], Any]:
    """(frame, track) -> where it is."""
    courses = [Course(track) for track in sorted(LABEL.tracks, key=lambda one: one.keys[0].frame)]
    return {
        (frame, n): there.shape
        for n, course in enumerate(courses)
        for frame in range(15)
        if (there := course.at(frame)) is not None
    }


def test_cvat_has_each_frame_its_keys_and_its_gaps() -> None:
    files, lost = exported("cvat-video")
    root = ElementTree.fromstring(files[f"{stem(REF)}/annotations.xml"])
    assert root.findtext("meta/task/size") == "15"
    assert [one.text for one in root.findall("meta/task/labels/label/attributes/attribute/mutable")] == [
        "False",
        "True",
    ]
    first, second = root.findall("track")
    assert (first.get("label"), first.get("source")) == ("car", "auto")
    found = {
        (int(box.get("frame", "")), n): Box(
            float(box.get("xtl", "")),
            float(box.get("ytl", "")),
            float(box.get("xbr", "")) - float(box.get("xtl", "")),
            float(box.get("ybr", "")) - float(box.get("ytl", "")),
        )
        for n, track in enumerate((first, second))
        for box in track.findall("box")
        if box.get("outside") == "0"
    }
    assert found == seen()
    keys = [(int(b.get("frame", "")), b.get("outside")) for b in second.findall("box") if b.get("keyframe") == "1"]
    assert keys == [(2, "0"), (6, "0"), (9, "1"), (12, "0")]
    by_frame = {int(box.get("frame", "")): box for box in second.findall("box")}
    assert [by_frame[frame].get("occluded") for frame in (5, 6, 8)] == ["0", "1", "1"]
    told = {one.get("name"): one.text for one in by_frame[7].findall("attribute")}
    assert told == {"colour": "red", "brakes": "true"}
    assert [one["reason"] for one in lost] == ["events"]


def test_cvats_own_reader_finds_the_same_things_in_the_same_frames() -> None:
    files, _ = exported("cvat-video")
    items, _, _ = read(FORMS["cvat"], Memory({"annotations.xml": files[f"{stem(REF)}/annotations.xml"]}))
    found = {(item.metadata["frame"], int(thing.track)) for item in items for thing in item.sayings[0].things}
    assert found == set(seen())


def test_mot_counts_frames_and_tracks_from_one() -> None:
    files, lost = exported("mot")
    folder = stem(REF)
    rows = [line.split(",") for line in files[f"{folder}/gt/gt.txt"].decode().splitlines()]
    found = {(int(row[0]) - 1, int(row[1]) - 1): Box(*map(float, row[2:6])) for row in rows}
    assert found == seen()
    assert {row[6] for row in rows} == {"1"}
    assert [row[8] for row in rows if row[1] == "2"] == ["1"] * 4 + ["0.5"] * 3 + ["1"] * 3
    assert files[f"{folder}/gt/labels.txt"].decode().split() == ["car", "rain"]
    assert b"seqLength=15" in files[f"{folder}/seqinfo.ini"]
    assert {one["reason"] for one in lost} == {"attributes", "events", "source"}


def test_coco_has_a_picture_for_each_frame_and_the_track_of_each_object() -> None:
    files, lost = exported("coco-video")
    (name,) = [one for one in files if one.endswith(".json") and one != DROPPED]
    told = json.loads(files[name])
    assert [one["file_name"] for one in told["images"]] == [f"{stem(REF)}/{n:06d}.jpg" for n in range(15)]
    frame_of = {one["id"]: n for n, one in enumerate(told["images"])}
    found = {
        (frame_of[one["image_id"]], one["attributes"]["track_id"]): Box(*one["bbox"]) for one in told["annotations"]
    }
    assert found == seen()
    keys = {frame_of[one["image_id"]] for one in told["annotations"] if one["attributes"]["keyframe"]}
    assert keys == {0, 2, 6, 12}
    assert {one["reason"] for one in lost} == {"events"}
