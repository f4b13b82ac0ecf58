"""Outlines: how alike two are, what several hands say together, and that no outline costs more than it should."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupola.kernel.errors import Problem
from cupola.labels import ItemFacts, ObjectsLabel, Polygon, decode_label, decode_ontology, merge
from cupola.labels.shapes import outlines
from cupola.labels.shapes import polygon as module
from cupola.labels.shapes.polygon import PolygonType

POLYGON = PolygonType()
CORNERS = st.integers(3, 14)


def star(
    corners: int, x: float, y: float, radius: float, ragged: float, seed: int, slip: float = 0.0, hand: int = 0
) -> Polygon:
    """An outline that crosses itself nowhere: corners around a middle. slip: how far this hand errs, px."""
    rng = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * math.pi, corners, endpoint=False)
    far = radius * (1 - ragged * rng.random(corners))
    at = np.stack([x + far * np.cos(angles), y + far * np.sin(angles)], axis=1)
    return Polygon(tuple(map(tuple, (at + np.random.default_rng(hand).normal(0, slip, at.shape)).tolist())))


stars = st.builds(
    star, CORNERS, st.floats(40, 60), st.floats(40, 60), st.floats(10, 35), st.floats(0, 0.8), st.integers(0, 999)
)
slowly = settings(deadline=None, max_examples=60)


def comb(teeth: int, across: bool) -> Polygon:
    step = 1000 / teeth
    points = [(0.0, 0.0)]
    for n in range(teeth):
        x = n * step
        points += [(x + 0.1 * step, 1000.0), (x + 0.5 * step, 1000.0), (x + 0.5 * step, 2.0), (x + step, 2.0)]
    points.append((1000.0, 0.0))
    return Polygon(tuple((y, x) if across else (x, y) for x, y in points))


def inside(polygon: Polygon, x: Any, y: Any) -> Any:
    """Even and odd crossings of a ray to the right: nothing that the product itself uses."""
    found = np.zeros(x.shape, dtype=bool)
    for (ax, ay), (bx, by) in zip(polygon.points, polygon.points[1:] + polygon.points[:1], strict=True):
        between = (ay > y) != (by > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            found ^= between & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
    return found


@slowly
@given(stars, stars)
def test_similarity_is_the_share_of_what_both_hold(a: Polygon, b: Polygon) -> None:
    y, x = np.mgrid[0:100:0.25, 0:100:0.25] + 0.125
    first, second = inside(a, x, y), inside(b, x, y)
    expected = (first & second).sum() / (first | second).sum()
    assert POLYGON.similarity(a, b) == pytest.approx(expected, abs=0.02)
    assert POLYGON.similarity(a, b) == pytest.approx(POLYGON.similarity(b, a), abs=1e-9)


@slowly
@given(stars, st.integers(0, 20), st.booleans())
def test_where_an_outline_begins_and_which_way_it_runs_changes_nothing(a: Polygon, turn: int, back: bool) -> None:
    at = turn % len(a.points)
    points = a.points[at:] + a.points[:at]
    again = Polygon(points[::-1] if back else points)
    assert POLYGON.similarity(a, again) == pytest.approx(1.0)
    assert POLYGON.area(a) == pytest.approx(POLYGON.area(again))


@slowly
@given(stars)
def test_a_star_is_taken_and_measured(a: Polygon) -> None:
    POLYGON.validate(a, ItemFacts(width_px=100, height_px=100), "/shape")
    assert POLYGON.area(a) == pytest.approx(module.shapely.Polygon(a.points).area)
    x0, y0, x1, y1 = POLYGON.bounds([a])[0]
    assert POLYGON.size(a) == (x1 - x0, y1 - y0)


@slowly
@given(CORNERS, st.integers(0, 999), st.integers(3, 5))
def test_hands_together_draw_better_than_each_and_in_any_order(corners: int, seed: int, people: int) -> None:
    truth = star(corners, 50, 50, 30, 0.4, seed)
    hands = [star(corners, 50, 50, 30, 0.4, seed, slip=1.0, hand=hand) for hand in range(people)]
    weights = [1.0] * people
    together = POLYGON.merge(hands, weights)
    POLYGON.validate(together, ItemFacts(width_px=100, height_px=100), "/shape")
    alone = [POLYGON.similarity(hand, truth) for hand in hands]
    assert POLYGON.similarity(together, truth) >= np.mean(alone) - 0.02
    for order in itertools.islice(itertools.permutations(range(people)), 6):
        again = POLYGON.merge([hands[n] for n in order], weights)
        assert POLYGON.similarity(again, together) == pytest.approx(1.0, abs=1e-6)


def test_three_hands_say_what_two_of_them_hold() -> None:
    square = Polygon(((0, 0), (10, 0), (10, 10), (0, 10)))
    wide = Polygon(((0, 0), (20, 0), (20, 10), (0, 10)))
    corner = Polygon(((0, 0), (10, 0), (10, 4), (0, 4)))
    found = POLYGON.merge([square, wide, corner], [1, 1, 1])
    assert POLYGON.similarity(found, square) == pytest.approx(1.0)
    assert len(found.points) == 4, "no corner that nobody set"
    heavy = POLYGON.merge([square, wide, corner], [1, 3, 1])
    assert POLYGON.similarity(heavy, wide) == pytest.approx(1.0)


def test_a_hole_that_two_leave_is_no_hole_and_of_two_parts_the_larger_stays() -> None:
    cup = Polygon(((0, 0), (30, 0), (30, 30), (20, 30), (20, 5), (10, 5), (10, 30), (0, 30)))
    bar = Polygon(((0, 20), (30, 20), (30, 30), (0, 30)))
    ring = POLYGON.merge([cup, bar, cup], [1, 1, 1])
    POLYGON.validate(ring, ItemFacts(width_px=30, height_px=30), "/shape")
    left, both = Polygon(((0, 0), (10, 0), (10, 30), (0, 30))), Polygon(((0, 0), (10, 0), (10, 30), (0, 30.5)))
    right = Polygon(((10, 0), (16, 0), (16, 30), (10, 30)))
    assert POLYGON.similarity(POLYGON.merge([left, both, right], [1, 1, 1]), left) > 0.95
    apart = POLYGON.merge([left, Polygon(((90, 90), (95, 90), (95, 95)))], [1, 1])
    assert apart in (left, Polygon(((90, 90), (95, 90), (95, 95)))), "nothing in common: one of them stands"


def test_outlines_that_cross_a_million_times_are_counted_and_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exact geometry of these two takes minutes and gigabytes."""
    across, down = comb(499, True), comb(499, False)
    POLYGON.validate(across, ItemFacts(width_px=1000, height_px=1000), "/shape")
    asked = []
    monkeypatch.setattr(module, "_region", lambda one: asked.append(one))
    # each covers two fifths and a little more, so both a bit more than a sixth, either about two thirds
    assert POLYGON.similarity(across, down) == pytest.approx(0.25, abs=0.05)
    assert POLYGON.merge([across, down, across], [1, 1, 1]) in (across, down)
    assert asked == []


def test_long_outlines_of_one_thing_are_still_cut_exactly() -> None:
    fine = [star(1500, 500, 500, 400, 0.0, 1, slip=0.05, hand=hand) for hand in range(2)]
    assert module._few_pairs(fine)
    assert POLYGON.similarity(*fine) > 0.99


def test_a_raster_says_what_geometry_says() -> None:
    for seed in range(20):
        a, b = star(9, 50, 50, 30, 0.5, seed), star(7, 45, 55, 25, 0.5, seed + 100)
        assert outlines.overlap_counted([a.points], [b.points]) == pytest.approx(POLYGON.similarity(a, b), abs=0.02)


def test_several_peoples_objects_are_put_together_with_their_outlines() -> None:
    ontology = decode_ontology({"kind": "objects", "classes": [{"name": "lake", "geometry": "polygon"}]})

    def drawn(hand: int) -> ObjectsLabel:
        shapes = [star(8, 50, 50, 30, 0.3, 7, 0.5, hand), star(5, 150, 60, 20, 0.2, 8, 0.5, hand)]
        made = [{"id": str(n), "cls": "lake", "shape": {"type": "polygon", "points": list(map(list, s.points))}}
                for n, s in enumerate(shapes)]  # fmt: skip
        found = decode_label(json.dumps({"kind": "objects", "objects": made}))
        assert isinstance(found, ObjectsLabel)
        return found

    found: Any = merge([drawn(1), drawn(2), drawn(3)], [1, 1, 1], ontology)
    assert len(found.objects) == 2
    assert POLYGON.similarity(found.objects[0].shape, star(8, 50, 50, 30, 0.3, 7)) > 0.93


@pytest.mark.parametrize("far", [1e300, -1e300, 1e12])
def test_a_place_beyond_all_pictures_is_refused_even_where_no_size_is_known(far: float) -> None:
    with pytest.raises(Problem) as caught:
        POLYGON.validate(Polygon(((0, 0), (far, 0), (10, 10))), ItemFacts(), "/shape")
    assert caught.value.code in ("label-out-of-image", "label-not-finite")
