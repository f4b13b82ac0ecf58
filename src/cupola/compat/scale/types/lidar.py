"""lidarannotation, lidarsegmentation, lidartopdown, lidarlinking, sensorfusion: point clouds with cameras.

Frames lie behind the attachments' addresses and are checked when they are fetched; here the parameters are, and what
of a frame stands in the body. The editors come later; the task is kept and waits.
"""

from __future__ import annotations

from cupola.compat.scale.types.base import Json, TaskType
from cupola.compat.scale.types.check import Fields, attachments, either, wrong
from cupola.compat.scale.types.image import geometries
from cupola.compat.scale.types.labelling import attributes, labels


def check_frame(frame: Fields) -> None:
    """A lidar frame: device_position (metres, world), device_heading (w, x, y, z), points, images.

    Raises Problem naming the member.
    """
    position = frame.within("device_position", required=True)
    assert position is not None
    for axis in ("x", "y", "z"):
        if position.number(axis, -1e5, 1e5) is None:
            raise wrong(position.place(axis), "is missing")
    heading = frame.within("device_heading")
    if heading is not None:
        length = 0.0
        for part in ("w", "x", "y", "z"):
            value = heading.number(part, -1.001, 1.001)
            if value is None:
                raise wrong(heading.place(part), "is missing")
            length += value * value
        if abs(length - 1.0) > 0.01:
            raise wrong(heading.place(""), "must be a quaternion of length 1")
    frame.number("timestamp")
    for point in frame.each("points", most=5_000_000):
        for axis in ("x", "y", "z"):
            if point.number(axis, -1e6, 1e6) is None:
                raise wrong(point.place(axis), "is missing")
        point.number("i", 0, 1)
    for image in frame.each("images", most=100):
        image.text("image_url", required=True)
        for name in ("fx", "fy"):
            image.number(name, 1e-9)


def _frames(fields: Fields) -> None:
    for frame in fields.each("frames", most=5_000):
        check_frame(frame)


def check_cuboids(fields: Fields) -> list[str]:
    found = attachments(fields)
    fields.one_of("attachment_type", ("json", "proto", "sfs"))
    attributes(fields, labels(fields, "labels"))
    fields.number("max_distance_meters", 0.001, 1e5)
    fields.flag("pitch_and_roll_enabled")
    fields.within("hypothesis")
    _frames(fields)
    return found


def check_segmentation(fields: Fields) -> list[str]:
    if fields.has("lidar_task"):
        fields.text("lidar_task", required=True, most=200)
        fields.items("lidar_task_frames", most=5_000)
        return []
    found = attachments(fields)
    labels(fields, "labels")
    _frames(fields)
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
    TaskType("lidarannotation", check_cuboids, lambda params: _at("annotations")),
    TaskType("lidarsegmentation", check_segmentation, lambda params: _at("point_segmentations", "annotations")),
    TaskType("lidartopdown", check_topdown, lambda params: _at("annotations")),
    TaskType("lidarlinking", check_linking, lambda params: {"frames": [{"camera_responses": []}]}),
    TaskType("sensorfusion", check_fusion, lambda params: _at("scene")),
)
