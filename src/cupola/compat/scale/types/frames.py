"""Frames of point clouds: JSON behind an attachment's address, checked when the worker fetched it.

All points and poses are in the world's frame (metres, z up); quaternions are scalar first.
"""

from __future__ import annotations

import math
from typing import Annotated

import msgspec

from cupola.compat.scale.types.check import wrong

MAX_FRAME_BYTES = 100 * 1024 * 1024
FARTHEST_M = 1e5  # points are 32-bit floats: farther out they lose millimetres
UNIT_WITHIN = 0.01
_Coordinate = Annotated[float, msgspec.Meta(ge=-FARTHEST_M, le=FARTHEST_M)]
_Part = Annotated[float, msgspec.Meta(ge=-1.01, le=1.01)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Positive = Annotated[float, msgspec.Meta(gt=0)]
_Address = Annotated[str, msgspec.Meta(min_length=1, max_length=8_000)]


class Vector(msgspec.Struct, gc=False):
    x: _Coordinate
    y: _Coordinate
    z: _Coordinate


class Quaternion(msgspec.Struct, gc=False):
    w: _Part
    x: _Part
    y: _Part
    z: _Part

    @property
    def length(self) -> float:
        return math.sqrt(self.w**2 + self.x**2 + self.y**2 + self.z**2)


class Point(msgspec.Struct, gc=False):
    """i: intensity; d: the device; t: nanoseconds."""

    x: _Coordinate
    y: _Coordinate
    z: _Coordinate
    i: _Share | None = None
    d: Annotated[int, msgspec.Meta(ge=0)] | None = None
    t: float | None = None
    is_ground: bool | None = None


class RadarPoint(msgspec.Struct):
    position: Vector
    direction: Vector | None = None
    size: float | None = None


class Image(msgspec.Struct):
    """A camera's picture with where it stood and how it sees; focal lengths and principal point in px."""

    image_url: _Address
    position: Vector
    heading: Quaternion
    fx: _Positive | None = None
    fy: _Positive | None = None
    cx: float | None = None
    cy: float | None = None
    skew: float | None = None
    k1: float | None = None
    k2: float | None = None
    k3: float | None = None
    k4: float | None = None
    k5: float | None = None
    k6: float | None = None
    p1: float | None = None
    p2: float | None = None
    lx: float | None = None
    ly: float | None = None
    xi: float | None = None
    camera_model: str | None = None
    scale_factor: _Positive | None = None
    timestamp: float | None = None
    priority: int | None = None
    camera_index: int | None = None


class Frame(msgspec.Struct):
    device_position: Vector
    points: Annotated[list[Point], msgspec.Meta(max_length=5_000_000)]
    device_heading: Quaternion | None = None
    timestamp: float | None = None
    point_colors: list[Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]] | None = None
    radar_points: Annotated[list[RadarPoint], msgspec.Meta(max_length=1_000_000)] = []
    images: Annotated[list[Image], msgspec.Meta(max_length=100)] = []


_decoder = msgspec.json.Decoder(Frame)


def check_frame(data: bytes, place: str) -> Frame:
    """Decode and check one frame; `place` is the attachment that it came from.

    Raises Problem (INVALID) naming the member: what is missing, of another type, not finite or out of range, a heading
    that is no rotation, colours that do not belong to the points.
    """
    try:
        frame = _decoder.decode(data)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        raise wrong(f"{place}{where.rstrip('`')}", what) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise wrong(place, f"is no JSON that can be read: {str(error)[:200]}") from error
    headings = [(f"{place}.images[{n}].heading", image.heading) for n, image in enumerate(frame.images)]
    if frame.device_heading is not None:
        headings.append((f"{place}.device_heading", frame.device_heading))
    for where, heading in headings:
        if abs(heading.length - 1.0) > UNIT_WITHIN:
            raise wrong(where, f"must be a quaternion of length 1, and has {heading.length:.3f}")
    if frame.point_colors is not None and len(frame.point_colors) != len(frame.points):
        raise wrong(f"{place}.point_colors", f"has {len(frame.point_colors)} entries for {len(frame.points)} points")
    return frame
