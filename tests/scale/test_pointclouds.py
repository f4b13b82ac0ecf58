"""Frames of point clouds are fetched by the worker and checked: a broken one ends the task, naming frame and member."""

from __future__ import annotations

import copy
import io
import json
from typing import Any

import pytest
from scaleapi.tasks import TaskType

from cupola.compat.scale.types.frames import check_frame
from cupola.kernel.errors import Kind, Problem
from tests.scale.conftest import World, until
from tests.scale.receiver import Receiver

HALF = 0.5**0.5
FRAME: dict[str, Any] = {
    "device_position": {"x": 1.0, "y": 2, "z": 0.5},
    "device_heading": {"w": HALF, "x": 0, "y": 0, "z": HALF},
    "timestamp": 1_600_000_000.25,
    "points": [{"x": 1.0, "y": 2.0, "z": 3.0, "i": 0.5, "d": 0, "t": 12}, {"x": -1, "y": 0, "z": 0, "is_ground": True}],
    "point_colors": [0, 0xFFFFFFFF],
    "radar_points": [{"position": {"x": 1, "y": 1, "z": 1}, "size": 0.2}],
    "images": [
        {
            "image_url": "https://example.com/front.jpg",
            "position": {"x": 0, "y": 0, "z": 1.5},
            "heading": {"w": 1, "x": 0, "y": 0, "z": 0},
            "fx": 900.0,
            "fy": 900.0,
            "cx": 640,
            "cy": 360,
            "camera_model": "brown_conrady",
            "k1": -0.1,
            "something_else": 1,
        }
    ],
}


def changed(path: str, value: Any) -> bytes:
    """The frame with one member set, or taken away where the value is None."""
    frame = copy.deepcopy(FRAME)
    *outer, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    inner: Any = frame
    for part in outer:
        inner = inner[part]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return json.dumps(frame).encode()


def test_a_frame_as_documented_is_right() -> None:
    found = check_frame(json.dumps(FRAME).encode(), "attachments[0]")
    assert (len(found.points), len(found.images)) == (2, 1)
    assert check_frame(b'{"device_position": {"x": 0, "y": 0, "z": 0}, "points": []}', "a").device_heading is None


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("device_position", None, r"attachments\[3\]: .*device_position"),
        ("device_position.z", None, r"attachments\[3\]\.device_position"),
        ("device_position.x", "far", r"attachments\[3\]\.device_position\.x"),
        ("device_position.x", 1e6, r"device_position\.x"),
        ("points", None, "points"),
        ("points.1.y", None, r"attachments\[3\]\.points\[1\]"),
        ("points.0.i", 1.5, "points"),
        ("points.0.x", 2e5, "points"),
        ("device_heading.w", 0.1, r"attachments\[3\]\.device_heading: must be a quaternion of length 1"),
        ("device_heading.y", 7, "device_heading"),
        ("images.0.heading.w", 0.5, r"attachments\[3\]\.images\[0\]\.heading"),
        ("images.0.position", None, r"images"),
        ("images.0.image_url", "", "image_url"),
        ("images.0.fx", 0, "fx"),
        ("images.0.fy", "wide", "fy"),
        ("point_colors", [1], "point_colors: has 1 entries for 2 points"),
        ("radar_points.0.position", None, "radar_points"),
        ("timestamp", [1], "timestamp"),
    ],
)
def test_what_is_wrong_with_a_frame_is_named(path: str, value: Any, named: str) -> None:
    with pytest.raises(Problem, match=named) as refused:
        check_frame(changed(path, value), "attachments[3]")
    assert refused.value.kind is Kind.INVALID


@pytest.mark.parametrize(
    "data",
    [b"", b"nothing", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"device_position": NaN}',
     b'{"device_position": {"x": 1e999, "y": 0, "z": 0}, "points": []}'],
)  # fmt: skip
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(Problem) as refused:
        check_frame(data, "attachments[0]")
    assert refused.value.kind is Kind.INVALID


def uploaded(world: World, data: bytes) -> str:
    address: str = world.live.upload_file(io.BytesIO(data)).attachment_url
    return address


def test_a_task_with_right_frames_waits_for_an_editor_and_says_so(world: World) -> None:
    client = world.live
    right = uploaded(world, json.dumps(FRAME).encode())
    task = client.create_task(TaskType.LidarAnnotation, attachments=[right] * 6, labels=["car"], attachment_type="json")
    assert task.as_dict()["waiting_for"] == "frames"
    until(lambda: client.get_task(task.id).as_dict()["waiting_for"] == "editor", "checked")
    assert client.get_task(task.id).status == "pending"
    assert "editor" in client.get_task(task.id).as_dict()["waiting_because"]


def test_a_broken_frame_ends_the_task_and_the_callback_names_frame_and_member(world: World) -> None:
    client = world.live
    right = uploaded(world, json.dumps(FRAME).encode())
    wrong = uploaded(world, changed("device_heading.w", 0.1))
    with Receiver() as receiver:
        task = client.create_task(
            TaskType.LidarSegmentation,
            attachments=[right, right, wrong, right],
            labels=["road"],
            callback_url=receiver.url,
            unique_id="cloud",
            clear_unique_id_on_error=True,
        )
        until(lambda: client.get_task(task.id).status == "error", "refused")
        assert client.get_task(task.id).as_dict()["error"].startswith("attachments[2].device_heading: ")
        told = until(lambda: receiver.got, "told")
    assert (told[0].body["status"], told[0].headers["cupola-event"]) == ("error", "order.error")
    assert told[0].body["error"].startswith("attachments[2].device_heading: ")
    assert "unique_id" not in client.get_task(task.id).as_dict()


def test_a_frame_that_is_not_there_ends_the_task(world: World) -> None:
    client = world.live
    with Receiver() as receiver:  # it answers no GET
        gone = receiver.url.replace("/callback", "/0.json")
        task = client.create_task(
            TaskType.LidarTopdown,
            attachments=[gone],
            geometries={"polygon": {"objects_to_annotate": ["lane"]}},
        )
        until(lambda: client.get_task(task.id).status == "error", "refused", 30)
    assert client.get_task(task.id).as_dict()["error"].startswith("attachments[0]: ")


def test_a_canceled_task_stays_canceled_whatever_its_frames_are(world: World) -> None:
    client = world.live
    task = client.create_task(
        TaskType.LidarAnnotation, attachments=[uploaded(world, b"nothing")] * 3, labels=["car"], attachment_type="proto"
    )
    assert task.as_dict()["waiting_for"] == "editor", "frames of another form are not read"
    assert client.cancel_task(task.id).status == "canceled"
