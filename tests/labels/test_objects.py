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
from cupola.labels import (
    Box,
    ItemFacts,
    Object,
    ObjectsLabel,
    decode_label,
    decode_ontology,
    distance,
    encode,
    merge,
    same,
    validate,
)
from cupola.labels.kinds import objects
from cupola.labels.matching import match, touching
from cupola.labels.shapes.box import BoxType

ONTOLOGY = decode_ontology(
    {
        "kind": "objects",
        "classes": [{"name": "car", "geometry": "box"}, {"name": "tree"}],
        "attributes": [
            {"name": "parked", "type": "bool", "required": True, "classes": ["car"]},
            {"name": "place", "type": "choice", "options": ["kerb", "lot"], "classes": ["car"], "required": True,
             "when": {"attribute": "parked", "equals": True}},
            {"name": "height_m", "type": "number", "classes": ["tree"]},
            {"name": "notes", "type": "multi", "options": ["hidden", "cut"]},
        ],
    }
)  # fmt: skip
FACTS = ItemFacts(width_px=100, height_px=50)
BOX = BoxType()
PLAIN = decode_ontology({"kind": "objects", "classes": [{"name": "car"}, {"name": "tree"}]})


def label(*things: Object) -> ObjectsLabel:
    return ObjectsLabel(list(things))


def thing(name: str, x: float, y: float, w: float, h: float, cls: str = "car", **more: Any) -> Object:
    return Object(name, cls, Box(x, y, w, h, more.pop("turn", 0.0)), **more)


def refusal(found: ObjectsLabel, ontology: Any = PLAIN) -> str:
    with pytest.raises(Problem) as caught:
        validate(found, ontology, FACTS)
    assert caught.value.remedy
    return f"{caught.value.code} {caught.value.place}"


def test_boxes_that_break_a_rule_are_refused_with_their_place() -> None:
    good = thing("1", 0, 0, 10, 10)
    assert refusal(label(good, thing("2", 0, 0, 10, 10, "cow"))) == "label-unknown-class /objects/1/cls"
    assert refusal(label(good, good)) == "label-object-id /objects/1/id"
    assert refusal(label(thing("", 0, 0, 1, 1))) == "label-object-id /objects/0/id"
    assert refusal(label(thing("1", 0, 0, 0, 10))) == "label-empty-shape /objects/0/shape"
    assert refusal(label(thing("1", 0, 0, -5, 10))) == "label-empty-shape /objects/0/shape"
    assert refusal(label(thing("1", 95, 0, 6, 10))) == "label-out-of-image /objects/0/shape"
    assert refusal(label(thing("1", -1, 0, 6, 10))) == "label-out-of-image /objects/0/shape"
    assert refusal(label(thing("1", 96, 45, 10, 10, turn=0.3))) == "label-out-of-image /objects/0/shape"
    for bad in (math.nan, math.inf, -math.inf):
        assert refusal(label(thing("1", bad, 0, 1, 1))) == "label-not-finite /objects/0/shape"
        assert refusal(label(thing("1", 0, 0, 1, 1, turn=bad))) == "label-not-finite /objects/0/shape"


def test_numbers_beyond_all_bounds_are_refused_in_the_bytes_already() -> None:
    for number in ("1e999", "NaN", "Infinity"):
        body = '{"kind":"objects","objects":[{"id":"1","cls":"car","shape":{"type":"box","x":%s,"y":0,"w":1,"h":1}}]}'
        with pytest.raises(Problem):
            decode_label(body % number)


def test_an_unknown_shape_is_refused_with_its_place() -> None:
    body = b'{"kind":"objects","objects":[{"id":"1","cls":"car","shape":{"type":"blob"}}]}'
    with pytest.raises(Problem) as caught:
        decode_label(body)
    assert caught.value.place == "/objects/0/shape/type"


def test_a_box_may_touch_the_edge_and_a_turned_one_may_hang_over() -> None:
    found = label(thing("1", 0, 0, 100, 50), thing("2", 60, 40, 38, 9, turn=0.7), thing("3", -0.4, 0, 10, 10))
    validate(found, PLAIN, FACTS)


def test_attributes_are_asked_by_class_and_condition() -> None:
    def car(**attributes: Any) -> ObjectsLabel:
        return label(thing("1", 0, 0, 5, 5, attributes=attributes))

    validate(car(parked=True, place="lot"), ONTOLOGY)
    validate(car(parked=False, notes=["cut", "hidden"]), ONTOLOGY)
    place = "/objects/0/attributes"
    assert refusal(car(), ONTOLOGY) == f"label-attribute-missing {place}"
    assert refusal(car(parked=True), ONTOLOGY) == f"label-attribute-missing {place}"
    assert refusal(car(parked=False, place="lot"), ONTOLOGY) == f"label-attribute-not-asked {place}/place"
    assert refusal(car(parked="yes"), ONTOLOGY) == f"label-attribute-value {place}/parked"
    assert refusal(car(parked=True, place="sea"), ONTOLOGY) == f"label-attribute-value {place}/place"
    assert refusal(car(parked=False, notes=["cut", "cut"]), ONTOLOGY) == f"label-attribute-value {place}/notes"
    assert refusal(car(parked=False, height_m=3), ONTOLOGY) == f"label-unknown-attribute {place}/height_m"
    tree = label(thing("1", 0, 0, 5, 5, "tree", attributes={"height_m": math.nan}))
    assert refusal(tree, ONTOLOGY) == f"label-attribute-value {place}/height_m"


coordinate = st.floats(-50, 50)
size = st.floats(0.5, 60)
any_box = st.builds(Box, coordinate, coordinate, size, size, st.one_of(st.just(0.0), st.floats(-7, 7)))


def test_a_box_without_an_area_is_like_no_other() -> None:
    flat = Box(5, 5, 0, 10)
    assert BOX.similarity(flat, flat) == 0
    assert BOX.similarity(flat, Box(5, 5, 10, 10)) == 0


@given(any_box, any_box)
def test_overlap_is_symmetric_and_one_with_itself(a: Box, b: Box) -> None:
    assert BOX.similarity(a, b) == pytest.approx(BOX.similarity(b, a), abs=1e-6)
    assert BOX.similarity(a, a) == pytest.approx(1, abs=1e-6)
    assert 0 <= BOX.similarity(a, b) <= 1


@given(any_box, any_box)
def test_boxes_that_overlap_are_found_to_touch(a: Box, b: Box) -> None:
    if BOX.similarity(a, b) > 1e-6:
        assert touching(BOX.bounds([a]), BOX.bounds([b])) == [(0, 0)]


@given(any_box, st.integers(-3, 3))
def test_a_quarter_turn_with_swapped_sides_is_the_same_box(a: Box, quarters: int) -> None:
    w, h = (a.h, a.w) if quarters % 2 else (a.w, a.h)
    turned = Box(a.x + a.w / 2 - w / 2, a.y + a.h / 2 - h / 2, w, h, a.rotation_rad + quarters * math.pi / 2)
    assert BOX.similarity(a, turned) == pytest.approx(1, abs=1e-6)
    merged = BOX.merge([a, turned], [1, 1])
    assert BOX.similarity(a, merged) == pytest.approx(1, abs=1e-6)


def test_rotated_overlap_agrees_with_counting_points() -> None:
    a, b = Box(0, 0, 10, 4, 0.5), Box(2, 1, 8, 5, -0.3)
    ys, xs = np.mgrid[-10:20:0.02, -10:20:0.02]

    def inside(box: Box) -> Any:
        dx, dy = xs - box.x - box.w / 2, ys - box.y - box.h / 2
        cos, sin = math.cos(-box.rotation_rad), math.sin(-box.rotation_rad)
        return (abs(dx * cos - dy * sin) <= box.w / 2) & (abs(dx * sin + dy * cos) <= box.h / 2)

    expected = (inside(a) & inside(b)).sum() / (inside(a) | inside(b)).sum()
    assert BOX.similarity(a, b) == pytest.approx(expected, abs=5e-3)


@settings(deadline=None)  # the first call loads a solver
@given(st.lists(any_box, max_size=4), st.lists(any_box, max_size=4))
def test_matching_finds_the_best_sum_of_all_pairings(first: list[Box], second: list[Box]) -> None:
    table = [[BOX.similarity(a, b) for b in second] for a in first]
    small, large = sorted((len(first), len(second)))
    best = 0.0
    for chosen in itertools.permutations(range(large), small):
        cells = zip(range(small), chosen, strict=True)
        best = max(best, sum(table[i][j] if len(first) <= len(second) else table[j][i] for i, j in cells))
    found = match(BOX.bounds(first), BOX.bounds(second), lambda i, j: table[i][j])
    assert sum(value for *_, value in found) == pytest.approx(best, abs=1e-6)


def test_distance_counts_overlap_and_what_only_one_saw() -> None:
    one = label(thing("1", 0, 0, 10, 10))
    assert distance(one, one, PLAIN) == 0
    assert distance(label(), label(), PLAIN) == 0
    assert distance(one, label(), PLAIN) == 1
    assert distance(one, label(thing("1", 0, 0, 10, 10, "tree")), PLAIN) == 1
    assert distance(one, label(thing("1", 0, 0, 10, 5)), PLAIN) == pytest.approx(0.5)
    assert distance(one, label(thing("1", 0, 0, 10, 10), thing("2", 30, 0, 5, 5)), PLAIN) == pytest.approx(1 / 3)


def test_same_needs_a_counterpart_for_each_object() -> None:
    one = label(thing("1", 0, 0, 10, 10), thing("2", 50, 0, 10, 10))
    assert same(one, label(thing("a", 50, 1, 10, 10), thing("b", 1, 0, 10, 10)), PLAIN)
    assert not same(one, label(thing("a", 50, 1, 10, 10)), PLAIN)
    assert not same(one, label(thing("a", 50, 1, 10, 10), thing("b", 5, 0, 10, 10)), PLAIN)
    assert not same(one, label(thing("a", 50, 1, 10, 10, "tree"), thing("b", 1, 0, 10, 10)), PLAIN)


def test_merge_keeps_what_most_saw_with_median_edges() -> None:
    people = [
        label(thing("1", 0, 0, 10, 10), thing("2", 60, 0, 8, 8)),
        label(thing("1", 1, 1, 10, 10)),
        label(thing("1", 2, 0, 10, 11, "tree")),
    ]
    merged = merge(people, [1, 1, 1], PLAIN)
    assert merged == label(thing("1", 1, 0, 10, 11))
    heavy = merge(people, [5, 1, 1], PLAIN)
    assert isinstance(heavy, ObjectsLabel)
    assert [o.shape for o in heavy.objects] == [Box(0, 0, 10, 10), Box(60, 0, 8, 8)]


def test_merge_never_joins_two_objects_of_one_person() -> None:
    # Two things that overlap much; both people drew both. Four boxes, two groups of two.
    a = label(thing("1", 0, 0, 20, 20), thing("2", 4, 0, 20, 20))
    b = label(thing("1", 1, 0, 20, 20), thing("2", 5, 0, 20, 20))
    merged = merge([a, b], [1, 1], PLAIN)
    assert isinstance(merged, ObjectsLabel)
    assert sorted(o.shape.x for o in merged.objects) == [0.5, 4.5]
    assert len({o.id for o in merged.objects}) == 2


def test_merged_labels_are_valid_with_their_attributes() -> None:
    def car(x: float, **attributes: Any) -> ObjectsLabel:
        return label(thing("1", x, 0, 10, 10, attributes=attributes))

    people = [car(0, parked=True, place="lot"), car(1, parked=True, place="kerb"), car(0, parked=False, notes=["cut"])]
    merged = merge(people, [1, 2, 1], ONTOLOGY)
    validate(merged, ONTOLOGY, FACTS)
    assert isinstance(merged, ObjectsLabel)
    assert merged.objects[0].attributes == {"parked": True, "place": "kerb"}


drawn = st.builds(
    lambda rows: label(*(Object(str(n), cls, box) for n, (cls, box) in enumerate(rows))),
    st.lists(st.tuples(st.sampled_from(["car", "tree"]), any_box), max_size=5),
)


@given(st.lists(drawn, min_size=1, max_size=5))
def test_any_merge_is_valid_and_no_larger_than_what_was_seen(people: list[ObjectsLabel]) -> None:
    merged = merge(list(people), [1.0] * len(people), PLAIN)
    validate(merged, PLAIN)
    assert isinstance(merged, ObjectsLabel)
    assert len(merged.objects) <= 2 * sum(len(p.objects) for p in people) / len(people)
    assert decode_label(encode(merged)) == merged


@given(drawn, drawn)
def test_distance_is_symmetric_and_within_its_range(a: ObjectsLabel, b: ObjectsLabel) -> None:
    value = distance(a, b, PLAIN)
    assert 0 <= value <= 1
    assert value == pytest.approx(distance(b, a, PLAIN), abs=1e-6)
    assert distance(a, a, PLAIN) == pytest.approx(0, abs=1e-6)


def test_an_object_count_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects.limits, "MAX_OBJECTS_PER_LABEL", 1)
    assert refusal(label(thing("1", 0, 0, 1, 1), thing("2", 0, 0, 1, 1))) == "label-too-many-objects /objects"


def test_the_wire_form_is_the_documented_one() -> None:
    found = label(thing("a", 1, 2, 3, 4, turn=0.5, source="corrected"))
    assert json.loads(encode(found)) == {
        "kind": "objects",
        "objects": [
            {
                "id": "a",
                "cls": "car",
                "shape": {"type": "box", "x": 1, "y": 2, "w": 3, "h": 4, "rotation_rad": 0.5},
                "source": "corrected",
            }
        ],
    }
