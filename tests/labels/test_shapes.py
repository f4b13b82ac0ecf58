"""Holes and parts, lines, ellipses, named places and pixels: how alike two are, and what several hands say together."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupola.kernel.errors import Problem
from cupola.labels import Ellipse, ItemFacts, Mask, Polygon, Polyline, Skeleton, decode_ontology
from cupola.labels.shapes.ellipse import EllipseType
from cupola.labels.shapes.mask import MaskType, Tile, mask_of
from cupola.labels.shapes.polygon import PolygonPart, PolygonType
from cupola.labels.shapes.polyline import PolylineType
from cupola.labels.shapes.skeleton import Keypoint, SkeletonType

POLYGON, POLYLINE, ELLIPSE, SKELETON, MASK = PolygonType(), PolylineType(), EllipseType(), SkeletonType(), MaskType()
ANYWHERE = ItemFacts(width_px=1000, height_px=1000)
few = settings(deadline=None, max_examples=25)


def square(x: float, y: float, side: float) -> tuple[tuple[float, float], ...]:
    return ((x, y), (x + side, y), (x + side, y + side), (x, y + side))


def ringed(dx: float = 0.0, hole: float = 20.0, *, island: bool = True) -> Polygon:
    parts = (PolygonPart(square(200 + dx, 0, 50), (square(210 + dx, 10, 10),)),) if island else ()
    return Polygon(square(dx, 0, 100), (square(30 + dx, 30, hole),), parts)


def test_holes_are_not_covered_and_parts_are() -> None:
    one = ringed()
    POLYGON.validate(one, ANYWHERE, "/shape")
    assert POLYGON.area(one) == 100 * 100 - 20 * 20 + 50 * 50 - 10 * 10
    assert POLYGON.bounds([one])[0].tolist() == [0, 0, 250, 100]
    whole = Polygon(square(0, 0, 100))
    assert POLYGON.similarity(one, whole) == pytest.approx((10_000 - 400) / (10_000 + 2_400))
    cover = POLYGON.cover(one, -5, -5, 300, 120)
    assert cover.sum() == POLYGON.area(one)
    assert not cover[40, 40]
    assert cover[20, 20]


def test_a_hole_or_a_part_stands_where_most_drew_one() -> None:
    hands = [ringed(0.2), ringed(-0.2), ringed(0.0, 22.0)]
    found = POLYGON.merge(hands, [1, 1, 1])
    POLYGON.validate(found, ANYWHERE, "/shape")
    assert (len(found.holes), len(found.parts), len(found.parts[0].holes)) == (1, 1, 1)
    assert POLYGON.similarity(found, ringed()) > 0.98
    plain = Polygon(square(0, 0, 100))
    alone = POLYGON.merge([plain, ringed(), plain], [1, 1, 1])
    assert alone.holes == alone.parts == ()
    assert POLYGON.similarity(alone, plain) > 0.99
    heavy = POLYGON.merge([plain, ringed(), plain], [1, 3, 1])
    assert POLYGON.similarity(heavy, ringed()) > 0.99


def test_slivers_between_uneven_hands_are_no_holes() -> None:
    rng = np.random.default_rng(1)
    hands = []
    for _ in range(5):
        slip = rng.normal(0, 1.5, (4, 2))
        hands.append(Polygon(tuple(map(tuple, (np.array(square(10, 10, 100)) + slip).tolist())), (square(50, 50, 20),)))
    found = POLYGON.merge(hands, [1] * 5)
    POLYGON.validate(found, ANYWHERE, "/shape")
    assert len(found.holes) == 1
    assert found.parts == ()


def zigzag(dy: float = 0.0, turned: bool = False) -> Polyline:
    points = ((10.0, 10.0 + dy), (60.0, 40.0 + dy), (110.0, 20.0 + dy))
    return Polyline(points[::-1] if turned else points)


@few
@given(st.floats(-19, 19), st.booleans())
def test_a_line_is_as_alike_as_it_lies_near_whichever_way_it_runs(dy: float, turned: bool) -> None:
    found = POLYLINE.similarity(zigzag(), zigzag(dy, turned))
    assert found == POLYLINE.similarity(zigzag(dy, turned), zigzag())
    assert 1 - abs(dy) / 20 - 1e-9 <= found <= 1 - abs(dy) / 40 + 1e-9, "the nearest place is nearer than the one below"


def test_a_piece_of_a_line_is_not_the_line_and_corners_survive_being_put_together() -> None:
    assert POLYLINE.similarity(zigzag(), Polyline(zigzag().points[:2])) < 0.5
    found = POLYLINE.merge([zigzag(1), zigzag(-1, turned=True), zigzag(0.2)], [1, 1, 1])
    assert len(found.points) == 3
    assert POLYLINE.similarity(found, zigzag(0.2)) > 0.97


@few
@given(st.floats(0, math.pi), st.floats(5, 30), st.floats(5, 30))
def test_a_quarter_turn_swaps_the_radii_of_an_ellipse(turn_rad: float, rx: float, ry: float) -> None:
    one, again = Ellipse(100, 100, rx, ry, turn_rad), Ellipse(100, 100, ry, rx, turn_rad + math.pi / 2)
    assert ELLIPSE.similarity(one, again) == pytest.approx(1.0, abs=1e-6)
    merged = ELLIPSE.merge([one, again, one], [1, 1, 1])
    assert ELLIPSE.similarity(merged, one) == pytest.approx(1.0, abs=1e-6)
    assert ELLIPSE.similarity(one, Ellipse(100, 100, rx / 2, ry, turn_rad)) == pytest.approx(0.5, abs=0.01)


def body(*states: str, dx: float = 0.0) -> Skeleton:
    at = (("nose", 50.0, 10.0), ("left", 20.0, 90.0), ("right", 80.0, 90.0))
    return Skeleton(tuple(Keypoint(n, x + dx, y, s) for (n, x, y), s in zip(at, states, strict=True)))  # type: ignore[arg-type]


def test_places_are_as_alike_as_they_are_near_for_the_size_of_the_thing() -> None:
    all_there = body("visible", "visible", "visible")
    scale = math.sqrt(60 * 80)
    off = SKELETON.similarity(all_there, body("visible", "visible", "visible", dx=0.1 * scale))
    assert off == pytest.approx(math.exp(-0.5)), "a place off by one deviation, as COCO's evaluation counts it"
    assert SKELETON.similarity(all_there, body("visible", "occluded", "visible")) == 1.0
    assert SKELETON.similarity(all_there, body("visible", "absent", "visible")) == pytest.approx(2 / 3)
    assert (
        SKELETON.similarity(body("visible", "absent", "visible"), body("visible", "absent", "visible", dx=0.1)) > 0.99
    )
    assert SKELETON.similarity(all_there, body("visible", "visible", "visible", dx=500)) == 0.0


def test_of_each_place_most_say_whether_it_is_there_and_where() -> None:
    hands = [body("visible", "absent", "occluded"), body("visible", "visible", "occluded", dx=1),
             body("visible", "absent", "visible", dx=30)]  # fmt: skip
    found = SKELETON.merge(hands, [1, 1, 1])
    assert [point.state for point in found.points] == ["visible", "absent", "occluded"]
    assert found.points[0].x == 51.0


def test_a_template_is_checked_where_it_is_written() -> None:
    def spec(**skeleton: Any) -> dict[str, Any]:
        return {"kind": "objects", "classes": [{"name": "a", "geometry": "skeleton", "skeleton": skeleton}]}

    ends = [{"name": "top", "x": 0.5, "y": 0}, {"name": "foot", "x": 0.5, "y": 1}]
    decode_ontology(spec(points=ends, edges=[["top", "foot"]]))
    for wrong, place in (
        ({"points": []}, "points"),
        ({"points": [*ends, ends[0]]}, "points/2/name"),
        ({"points": [{"name": "top", "x": 2, "y": 0}]}, "points/0"),
        ({"points": ends, "edges": [["top", "knee"]]}, "edges/0"),
        ({"points": ends, "symmetry": [["top", "foot"], ["foot", "top"]]}, "symmetry"),
    ):
        with pytest.raises(Problem) as caught:
            decode_ontology(spec(**wrong))
        assert caught.value.place == f"/classes/0/skeleton/{place}"
    with pytest.raises(Problem) as caught:
        decode_ontology({"kind": "objects", "classes": [{"name": "a", "geometry": "skeleton"}]})
    assert caught.value.place == "/classes/0/skeleton"


def blob(seed: int, side: int = 600) -> Any:
    y, x = np.mgrid[:side, :side]
    rng = np.random.default_rng(seed)
    cx, cy = rng.uniform(150, 450, 2)
    r = rng.uniform(60, 140)
    return (x - cx) ** 2 + (y - cy) ** 2 < r**2


@few
@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 300), st.integers(0, 300))
def test_a_mask_says_of_its_pixels_what_they_say(a: int, b: int, x: int, y: int) -> None:
    first, second = blob(a), blob(b)
    one, other = mask_of(first, x, y), mask_of(second, x, y)
    assert one is not None
    assert other is not None
    MASK.validate(one, ANYWHERE, "/shape")
    assert (MASK.cover(one, x, y, 600, 600) == first).all()
    rows, columns = np.nonzero(first)
    around = [columns.min() + x, rows.min() + y, columns.max() + x + 1, rows.max() + y + 1]
    assert MASK.bounds([one])[0].tolist() == around
    assert MASK.area(one) == first.sum()
    assert MASK.similarity(one, other) == pytest.approx((first & second).sum() / (first | second).sum())


def test_pixels_that_most_painted_stand_and_a_tile_has_one_way_to_be_written() -> None:
    bits = [blob(3), blob(4), blob(3)]
    masks = [mask for one in bits if (mask := mask_of(one)) is not None]
    assert MASK.merge(masks, [1, 1, 1]) == masks[0]
    assert MASK.merge(masks, [1, 3, 1]) == masks[1]
    nothing = [mask_of(np.ones((5, 5), dtype=np.bool_), x) for x in (0, 300)]
    pair = [one for one in nothing if one is not None]
    assert MASK.merge(pair, [1, 1]) in pair
    assert mask_of(np.zeros((5, 5), dtype=np.bool_)) is None
    full = Mask((Tile(0, 0, (0, 65536)),))
    assert mask_of(np.ones((256, 256), dtype=np.bool_)) == full


def test_the_outlines_of_a_mask_hold_its_pixels_and_not_its_holes() -> None:
    bits = np.zeros((40, 60), dtype=np.bool_)
    bits[5:35, 5:55] = True
    bits[15:25, 20:30] = False
    bits[2:4, 57:60] = True
    mask = mask_of(bits)
    assert mask is not None
    regions = sorted(MASK.regions(mask), key=lambda region: -len(region[1]))
    assert [len(holes) for _, holes in regions] == [1, 0]
    assert sorted(regions[0][0]) == [(5, 5), (5, 35), (55, 5), (55, 35)]
    assert len(MASK.outline(mask)) == 4
