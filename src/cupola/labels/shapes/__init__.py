"""The table of shapes: one file and one line each."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cupola.labels.shapes.box import BoxType
from cupola.labels.shapes.ellipse import EllipseType
from cupola.labels.shapes.mask import MaskType
from cupola.labels.shapes.point import PointType
from cupola.labels.shapes.polygon import PolygonType
from cupola.labels.shapes.polyline import PolylineType
from cupola.labels.shapes.shape import Shape, ShapeType, weighted_median
from cupola.labels.shapes.skeleton import SkeletonType

__all__ = ["SHAPES", "AnyShape", "Shape", "ShapeType", "of", "weighted_median"]

SHAPES: Mapping[str, ShapeType[Any]] = {
    one.name: one
    for one in (
        BoxType(),
        PointType(),
        PolygonType(),
        PolylineType(),
        EllipseType(),
        SkeletonType(),
        MaskType(),
    )
}

if TYPE_CHECKING:
    AnyShape = Shape
else:
    AnyShape = functools.reduce(operator.or_, (one.shape for one in SHAPES.values()))  # what a decoder reads by the tag


def of(shape: Shape) -> ShapeType[Any]:
    """The row of the table that a shape belongs to."""
    return SHAPES[shape.type]
