"""The tables of kinds and shapes: each row has every part, and what the browser reads of them is what stands here."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
import pytest

from cupola.kernel.errors import Problem
from cupola.labels import (
    KINDS,
    SHAPES,
    ChoiceLabel,
    ItemFacts,
    Label,
    TextLabel,
    decode_label,
    decode_ontology,
    distance,
    encode,
    json_schema,
    label_from_plain,
    merge,
    same,
    strategy_of,
    units,
    validate,
    words,
)
from cupola.labels.catalogue import PLACE, catalogue
from cupola.labels.kind import LabelKind
from cupola.labels.ontology import AttributeSpec, AttributeType, ClassSpec, Condition, Ontology, TextSpec
from cupola.labels.shapes.mask import mask_of
from cupola.labels.shapes.shape import ShapeType

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "cases.json").read_text())


def painted(x: int, y: int, w: int, h: int) -> dict[str, Any]:
    """A mask of one rectangle, px."""
    found: dict[str, Any] = json.loads(msgspec.json.encode(mask_of(np.ones((h, w), dtype=np.bool_), x, y)))
    return found


def standing(x: float, y: float) -> dict[str, Any]:
    points = [{"name": "top", "x": x, "y": y}, {"name": "foot", "x": x + 4, "y": y + 20}]
    return {"type": "skeleton", "points": points}


SAMPLES: dict[str, Any] = {
    "box": [{"type": "box", "x": 10, "y": 10, "w": 20, "h": 10}, {"type": "box", "x": 11, "y": 10, "w": 20, "h": 10},
            {"type": "box", "x": 70, "y": 30, "w": 20, "h": 10}],
    "point": [{"type": "point", "x": 10, "y": 10}, {"type": "point", "x": 12, "y": 10},
              {"type": "point", "x": 70, "y": 30}],
    "polygon": [{"type": "polygon", "points": [[10, 10], [30, 10], [30, 20], [10, 22]]},
                {"type": "polygon", "points": [[11, 10], [31, 10], [31, 20], [11, 22]]},
                {"type": "polygon", "points": [[70, 30], [90, 30], [80, 45]]}],
    "polyline": [{"type": "polyline", "points": [[10, 10], [30, 12], [40, 20]]},
                 {"type": "polyline", "points": [[10, 13], [30, 14], [40, 22]]},
                 {"type": "polyline", "points": [[80, 30], [90, 48]]}],
    "ellipse": [{"type": "ellipse", "x": 20, "y": 20, "rx": 10, "ry": 5},
                {"type": "ellipse", "x": 21, "y": 20, "rx": 10, "ry": 5},
                {"type": "ellipse", "x": 70, "y": 30, "rx": 10, "ry": 5}],
    "skeleton": [standing(20, 10), standing(21, 10), standing(70, 20)],
    "mask": [painted(10, 10, 20, 10), painted(11, 10, 20, 10), painted(70, 30, 20, 10)],
}  # fmt: skip
CLASSES: dict[str, Any] = {
    "skeleton": {"skeleton": {"points": [{"name": "top", "x": 0.5, "y": 0}, {"name": "foot", "x": 0.5, "y": 1}]}}
}  # what a class says beside its geometry


def at(shape: dict[str, Any], x: float, y: float) -> dict[str, Any]:
    """The same shape with its first place there."""
    if "tiles" in shape:
        return painted(int(x), int(y), 20, 10)
    if "points" not in shape:
        return {**shape, "x": x, "y": y}
    if shape["type"] == "skeleton":
        first = shape["points"][0]
        moved = [{**p, "x": p["x"] + x - first["x"], "y": p["y"] + y - first["y"]} for p in shape["points"]]
        return {**shape, "points": moved}
    (left, top) = shape["points"][0]
    return {**shape, "points": [[px + x - left, py + y - top] for px, py in shape["points"]]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_editor_and_the_server_judge_a_label_alike(case: dict[str, Any]) -> None:
    """The same table is run by the browser's suite."""
    ontology = decode_ontology(case["ontology"])
    label = decode_label(json.dumps(case["label"]))
    facts = ItemFacts(**case.get("facts", {}))
    if "refused" not in case:
        validate(label, ontology, facts)
        return
    with pytest.raises(Problem) as caught:
        validate(label, ontology, facts)
    assert {"code": caught.value.code, "place": caught.value.place} == case["refused"]
    assert caught.value.remedy


def said_otherwise(spec: dict[str, Any], unless: dict[str, Any]) -> dict[str, Any]:
    """An ontology with other values at some places (JSON pointers); null: with none there."""
    other = copy.deepcopy(spec)
    for place, value in unless.items():
        *way, last = place.removeprefix("/").split("/")
        here: Any = other
        for step in way:
            here = here[int(step)] if isinstance(here, list) else here[step]
        if value is None:
            here.pop(last)
        else:
            here[last] = value
    return other


@pytest.mark.parametrize("case", [case for case in CASES if "unless" in case], ids=lambda case: case["name"])
def test_what_is_refused_for_one_word_of_the_ontology_is_taken_without_it(case: dict[str, Any]) -> None:
    """So each of these cases is refused for the reason that it names. The browser's suite runs them too."""
    ontology = decode_ontology(said_otherwise(case["ontology"], case["unless"]))
    validate(decode_label(json.dumps(case["label"])), ontology, ItemFacts(**case.get("facts", {})))


# words, looks, how it is settled and scored, how it begins: no label is wrong for them
FOR_PEOPLE = {"title", "colour", "compare", "tolerance", "weight", "rewrites"}
OF_EACH_TYPE = {"type", "options", "required", "when", "least", "most", "min_chars", "max_chars", "pattern"}
A_VALUE: dict[str, Any] = {
    "type": "bool",
    "options": ["x", "y"],
    "required": True,
    "when": {"attribute": "p", "equals": True},
    "classes": ["a"],
    "least": 1,
    "most": 1,
    "max_chars": 5,
    "min_chars": 1,
    "pattern": "a",
    "name": "r",
    "geometry": "box",
    "min_width_px": 5,
    "min_height_px": 5,
    "can_turn": False,
    "skeleton": {"points": [{"name": "top", "x": 0.5, "y": 0}]},
    "min_points": 4,
    "max_points": 5,
    "max_overlap": 0.5,
    "columns": [{"name": "c", "type": "bool"}],
    "accepts": ["image"],
    "scope": "candidate",
    "relations": ["r"],
    "event": True,
    "mutable": True,
}
NEEDED = {"choice": {"options": ["x"]}, "multi": {"options": ["x"]}, "ranking": {"options": ["x", "y"]},
          "rows": {"columns": [{"name": "c", "type": "text"}]}, "scale": {"least": 0, "most": 4},
          "groups": {"options": ["x", "y"]}, "spans": {"options": ["x"]}}  # fmt: skip


def members(struct: type[msgspec.Struct]) -> set[str]:
    return set(struct.__struct_fields__) - FOR_PEOPLE


def is_ontology(spec: dict[str, Any]) -> bool:
    try:
        decode_ontology(spec)
    except Problem:
        return False
    return True


def constraints() -> set[str]:
    """Every word of an ontology for which a label can be wrong, of each kind and each type of question, as far as an
    ontology with it is taken: told from the structs and by trying."""
    found: set[str] = set()
    for name, kind in KINDS.items():
        found.add(f"{name}: kind")
        base: dict[str, Any] = {"kind": name}
        if "classes" in kind.parts:
            base["classes"] = [{"name": "a"}, {"name": "b"}]
            for member in members(ClassSpec):
                spec = {**base, "classes": [{"name": "a", member: A_VALUE[member]}]}
                if is_ontology(spec):
                    found.add(f"{name}: class {member}")
        if "multiple" in kind.parts:
            found |= {f"{name}: {part}" for part in members(Ontology) - PARTS_OF_PARTS}
        if "text" in kind.parts:
            found |= {f"{name}: text {member}" for member in members(TextSpec)}
        if "attributes" not in kind.parts:
            continue
        found |= {f"{name}: when {member}" for member in members(Condition)}
        for type_ in get_args(AttributeType):
            least = {"name": "q", "type": type_, **NEEDED.get(type_, {})}
            for member in members(AttributeSpec):
                question = least if member == "type" else {**least, member: A_VALUE[member]}
                if is_ontology({**base, "attributes": [{"name": "p", "type": "bool"}, question]}):
                    of = f"{type_} " if member in OF_EACH_TYPE else ""
                    found.add(f"{name}: {of}question {member}")
    return found


PARTS_OF_PARTS = {"kind", "classes", "attributes", "text"}  # looked into by themselves


def named_by(case: dict[str, Any]) -> str:
    """What the first place of `unless` is, in the words of `constraints`."""
    kind = case["ontology"]["kind"]
    way = next(iter(case["unless"])).removeprefix("/").split("/")
    match way:
        case ["classes", _, member]:
            return f"{kind}: class {member}"
        case ["attributes", _, "when", member]:
            return f"{kind}: when {member}"
        case ["attributes", at, member]:
            of = f"{case['ontology']['attributes'][int(at)]['type']} " if member in OF_EACH_TYPE else ""
            return f"{kind}: {of}question {member}"
        case ["text", member]:
            return f"{kind}: text {member}"
        case _:
            return f"{kind}: {'/'.join(way)}"


def test_every_word_of_an_ontology_that_can_make_a_label_wrong_has_its_case() -> None:
    """A new member of an ontology, or an old one of another kind, wants a label that is refused for it alone."""
    shown = {named_by(case) for case in CASES if "unless" in case}
    assert sorted(constraints() - shown) == []
    assert sorted(shown - constraints()) == []


def test_the_cases_hold_every_kind_taken_and_refused() -> None:
    taken = {case["label"]["kind"] for case in CASES if "refused" not in case}
    refused = {case["label"]["kind"] for case in CASES if "refused" in case}
    assert taken == refused == set(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_has_every_part(name: str) -> None:
    kind = KINDS[name]
    assert isinstance(kind, LabelKind)
    assert issubclass(kind.label, Label)
    assert kind.label.__struct_config__.tag == name
    assert 0.0 <= kind.tolerance < 1.0
    assert kind.looks_at <= set(ItemFacts.__dataclass_fields__)
    assert kind.json_schema()["$defs"]
    assert kind.label.__name__ in json_schema()["$defs"]
    cases = [case for case in CASES if case["ontology"]["kind"] == name and "refused" not in case]
    assert {strategy_of(decode_ontology(case["ontology"])) for case in cases} == set(kind.strategies)
    for case in cases:
        ontology = decode_ontology(case["ontology"])
        label = decode_label(json.dumps(case["label"]))
        assert decode_label(encode(label)) == label
        assert same(label, label, ontology)
        assert distance(label, label, ontology) == pytest.approx(0.0, abs=1e-9)
        assert same(merge([label, label], [1.0, 1.0], ontology), label, ontology)
        assert words(label, ontology)
        whole, things = kind.classes_of(label), kind.things_of(label)
        assert kind.made_of == "classes" or not whole
        assert kind.made_of == "things" or not things
        if kind.made_of == "words":
            assert kind.from_plain(words(label, ontology)) is not None
        found = units(label, ontology)
        assert len({unit.name for unit in found}) == len(found)
        assert all(unit.words is not None and type(unit.label) is type(label) for unit in found)
        code = kind.code_of(label, ontology)
        assert (code is not None) == (strategy_of(ontology) in ("coded", "pairs"))
        if code is not None:
            assert kind.label_of(code, ontology) == label


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_has_every_part(name: str) -> None:
    shape = SHAPES[name]
    assert isinstance(shape, ShapeType)
    one, near, far = (
        decode_label(json.dumps({"kind": "objects", "objects": [{"id": "1", "cls": "a", "shape": made}]}))
        for made in SAMPLES[name]
    )
    drawn: list[Any] = [label.objects[0].shape for label in (one, near, far)]  # type: ignore[attr-defined]
    assert all(type(each) is shape.shape and each.type == name for each in drawn)
    assert shape.similarity(drawn[0], drawn[0]) == pytest.approx(1.0)
    assert shape.same_at <= shape.similarity(drawn[0], drawn[1]) == shape.similarity(drawn[1], drawn[0]) < 1.0
    assert shape.similarity(drawn[0], drawn[2]) == 0.0
    assert 0.0 < shape.joined_at <= shape.same_at
    x0, y0, x1, y1 = shape.bounds(drawn)[0]
    assert 0.0 <= shape.area(drawn[0]) <= (x1 - x0) * (y1 - y0) + 1e-9
    assert shape.outline(drawn[0]) is None or len(shape.outline(drawn[0]) or ()) >= 3
    assert math.isfinite(shape.turn_rad(drawn[0]))
    bounds, reach = shape.bounds(drawn), shape.reach(drawn)
    assert bounds.shape == reach.shape == (3, 4)
    assert (reach[:, :2] <= bounds[:, :2]).all()
    assert (reach[:, 2:] >= bounds[:, 2:]).all()
    shape.validate(drawn[0], ItemFacts(width_px=100, height_px=50), "/shape")
    for facts in (ItemFacts(width_px=5, height_px=50), ItemFacts(width_px=100, height_px=5)):
        with pytest.raises(Problem) as caught:
            shape.validate(drawn[0], facts, "/shape")
        assert (caught.value.code, caught.value.place) == ("label-out-of-image", "/shape")
    merged = shape.merge(drawn[:2], [1.0, 1.0])
    assert min(shape.similarity(merged, each) for each in drawn[:2]) >= shape.same_at
    ontology = decode_ontology(
        {"kind": "objects", "classes": [{"name": "a", "geometry": name, **CLASSES.get(name, {})}]}
    )
    assert same(one, near, ontology)
    assert not same(one, far, ontology)
    assert distance(one, far, ontology) == 1.0


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_beyond_each_others_reach_have_nothing_in_common(name: str) -> None:
    shape = SHAPES[name]
    rng = np.random.default_rng(5)
    made = [at(SAMPLES[name][0], float(x), float(y)) for x, y in rng.uniform(0, 60, (60, 2))]
    label: Any = decode_label(
        json.dumps({"kind": "objects", "objects": [{"id": str(n), "cls": "a", "shape": s} for n, s in enumerate(made)]})
    )
    drawn = [thing.shape for thing in label.objects]
    reach = shape.reach(drawn)
    alike = 0
    for i, first in enumerate(drawn):
        for j, second in enumerate(drawn):
            apart = bool((reach[i, :2] >= reach[j, 2:]).any() or (reach[j, :2] >= reach[i, 2:]).any())
            value = shape.similarity(first, second)
            assert 0.0 <= value <= 1.0
            assert not (apart and value > 0)
            alike += value > 0
    assert alike > len(drawn)


def test_a_part_that_a_kind_does_not_use_is_refused_in_its_ontology() -> None:
    parts: dict[str, Any] = {
        "classes": [{"name": "a"}],
        "multiple": True,
        "attributes": [{"name": "x", "type": "bool"}],
        "text": {"max_chars": 5},
    }
    for name, kind in KINDS.items():
        base = {"kind": name, **({"classes": [{"name": "a"}]} if "classes" in kind.parts else {})}
        for part, value in parts.items():
            if part in kind.parts:
                decode_ontology({**base, part: value})
                continue
            with pytest.raises(Problem) as caught:
                decode_ontology({**base, part: value})
            assert caught.value.place == f"/{part}"
        shaped = {**base, "classes": [{"name": "a", "geometry": next(iter(SHAPES))}]}
        if "geometry" in kind.parts:
            decode_ontology(shaped)
        elif "classes" in kind.parts:
            with pytest.raises(Problem) as caught:
                decode_ontology(shaped)
            assert caught.value.place == "/classes/0/geometry"


def test_bare_words_are_of_one_kind_where_nobody_says_which() -> None:
    assert [name for name, kind in KINDS.items() if kind.plain_first] == ["choice"]
    assert label_from_plain("cat") == label_from_plain(["cat"]) == ChoiceLabel(["cat"])
    assert label_from_plain("cat", "text") == TextLabel("cat")
    assert label_from_plain("cat", "objects") is None
    assert label_from_plain(["cat"], "text") is None
    assert label_from_plain("cat", "dance") is None


def test_unknown_kinds_and_shapes_are_refused_with_those_there_are() -> None:
    with pytest.raises(Problem) as caught:
        decode_ontology({"kind": "dance", "classes": [{"name": "a"}]})
    assert caught.value.place == "/kind"
    assert all(name in str(caught.value.remedy) for name in KINDS)
    with pytest.raises(Problem) as caught:
        decode_ontology({"kind": "objects", "classes": [{"name": "a", "geometry": "blob"}]})
    assert caught.value.place == "/classes/0/geometry"
    assert all(name in str(caught.value.remedy) for name in SHAPES)


def test_the_list_that_the_browser_reads_is_this_table() -> None:
    assert json.loads(PLACE.read_text()) == catalogue(), "run python -m cupola.labels.catalogue"
