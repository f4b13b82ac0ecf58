"""lidarannotation, lidarsegmentation, lidartopdown, lidarlinking, sensorfusion: point clouds with cameras.

Frames lie behind the attachments' addresses and are checked when the worker fetched them (`frames`); here the
parameters are, and frames that stand in the body. The editors come later; the task is kept and waits.
"""

from __future__ import annotations

import msgspec

from cupola.compat.scale.types.base import Json, TaskType
from cupola.compat.scale.types.check import Fields, attachments, either, wrong
from cupola.compat.scale.types.frames import check_frame
from cupola.compat.scale.types.image import geometries
from cupola.compat.scale.types.labelling import attributes, labels


def _in_body(fields: Fields) -> None:
    for index, frame in enumerate(fields.items("frames", most=5_000)):
        check_frame(msgspec.json.encode(frame), f"frames[{index}]")


def _behind(params: Json) -> list[str]:
    """The addresses of a task's frames; those of other forms than JSON are not read."""
    if params.get("attachment_type", "json") != "json" or "lidar_task" in params:
        return []
    return either(Fields(params))


def check_cuboids(fields: Fields) -> list[str]:
    found = attachments(fields)
    fields.one_of("attachment_type", ("json", "proto", "sfs"))
    attributes(fields, labels(fields, "labels"))
    fields.number("max_distance_meters", 0.001, 1e5)
    fields.flag("pitch_and_roll_enabled")
    fields.within("hypothesis")
    _in_body(fields)
    return found


def check_segmentation(fields: Fields) -> list[str]:
    if fields.has("lidar_task"):
        fields.text("lidar_task", required=True, most=200)
        fields.items("lidar_task_frames", most=5_000)
        return []
    found = attachments(fields)
    labels(fields, "labels")
    _in_body(fields)
    return found


def check_topdown(fields: Fields) -> list[str]:
    found = either(fields)
    shapes = geometries(fields)
    for name in shapes:
        if name not in ("polygon", "line", "point"):
            raise wrong(f"geometries.{name}", "must be polygon, line or point")
    return found


def check_linking(fields: Fields) -> list[str]:
    fields.text("lidar_task", required=True, most=200)
    fields.items("cameras", most=100)
    return []


def check_fusion(fields: Fields) -> list[str]:
    found = attachments(fields, most=1)
    if fields.text("scene_format") != "sensor_fusion":
        raise wrong("scene_format", "must be sensor_fusion")
    fields.within("annotation_definition", required=True)
    fields.flag("is_frameless")
    if len(fields.items("tags", most=10_000)) > 5:
        raise wrong("tags", "has more than 5 entries")
    return found


def _at(*names: str) -> Json:
    return {name: {"url": f"https://example.com/lidar/{name}.json"} for name in names}


LIDAR = (
    TaskType("lidarannotation", check_cuboids, lambda params: _at("annotations"), frames=_behind),
    TaskType(
        "lidarsegmentation",
        check_segmentation,
        lambda params: _at("point_segmentations", "annotations"),
        frames=_behind,
    ),
    TaskType("lidartopdown", check_topdown, lambda params: _at("annotations"), frames=_behind),
    TaskType("lidarlinking", check_linking, lambda params: {"frames": [{"camera_responses": []}]}),
    TaskType("sensorfusion", check_fusion, lambda params: _at("scene")),
)
