"""Ontologies read and checked as a whole, against the tables of kinds and shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cupola.kernel import limits
from cupola.labels.kind import wrong_spec as _wrong
from cupola.labels.kinds import KINDS
from cupola.labels.ontology import (
    FAMILIES,
    IN_FORMS,
    SCOPED,
    AttributeSpec,
    ClassSpec,
    Condition,
    Ontology,
    SkeletonSpec,
    TextSpec,
)
from cupola.labels.patterns import MAX_PATTERN_CHARS, is_pattern
from cupola.labels.places import problem_from_msgspec, unstorable
from cupola.labels.shapes import SHAPES

MAX_OPTIONS = 1_000
MAX_ATTRIBUTES = 200
MAX_COLUMNS = 50
MAX_SIZE_PX = 1_000_000
MAX_SCALE = 100  # steps
MAX_TOLERANCE = 1e9
MAX_WEIGHT = 1_000.0
# what an ontology may hold beside its kind, and its name in a complaint
PARTS = {
    "classes": "classes",
    "multiple": "multiple values",
    "compare": "candidates to compare",
    "attributes": "attributes",
    "text": "limits on text",
}

_decoder = msgspec.json.Decoder(Ontology)
_colour = re.compile(r"#[0-9a-fA-F]{6}\Z")


def decode_ontology(source: bytes | str | Mapping[str, Any]) -> Ontology:
    """Read and check an ontology from JSON bytes, JSON text or a mapping.

    Raises Problem (INVALID) with the place as a JSON pointer and a remedy.
    """
    try:
        if isinstance(source, bytes | str):
            ontology = _decoder.decode(source)
        else:
            ontology = msgspec.convert(dict(source), Ontology)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise problem_from_msgspec(error, "ontology-malformed", "ontology") from None
    check_ontology(ontology)
    return ontology


def encode_ontology(ontology: Ontology) -> bytes:
    """JSON bytes with keys in the order of the Struct: the same ontology gives the same bytes."""
    return msgspec.json.encode(ontology)


def check_ontology(ontology: Ontology) -> None:
    """The rules that a type alone cannot say. Raises Problem (INVALID) at the first broken one."""
    kind = KINDS.get(ontology.kind)
    if kind is None:
        raise _wrong("/kind", f"There is no kind {ontology.kind!r}.", f"Choose one of: {', '.join(KINDS)}.")
    for part, words in PARTS.items():
        if part not in kind.parts and getattr(ontology, part):
            raise _wrong(f"/{part}", f"The kind {kind.name!r} has no {words}.", "Remove them, or use another kind.")
    kind.check_spec(ontology)
    _check_counts(ontology)
    _check_classes(ontology)
    if len(ontology.attributes) > MAX_ATTRIBUTES:
        raise _wrong("/attributes", f"More than {MAX_ATTRIBUTES} attributes.", "Ask for fewer.")
    _check_attributes(ontology.attributes, ontology, "/attributes")
    if ontology.text is not None:
        _check_text(ontology.text)


def _check_classes(ontology: Ontology) -> None:
    if len(ontology.classes) > limits.MAX_CLASSES:
        raise _wrong("/classes", f"More than {limits.MAX_CLASSES} classes.", "Split the ontology.")
    seen: set[str] = set()
    for position, spec in enumerate(ontology.classes):
        place = f"/classes/{position}"
        _check_name(spec.name, f"{place}/name", seen)
        _check_title(spec.title, f"{place}/title")
        if spec.colour is not None and not _colour.match(spec.colour):
            raise _wrong(f"{place}/colour", f"{spec.colour!r} is not a colour.", "Write it as #rrggbb.")
        if not (0 <= spec.min_width_px <= MAX_SIZE_PX and 0 <= spec.min_height_px <= MAX_SIZE_PX):
            raise _wrong(
                f"{place}/min_width_px", f"A least size is 0 to {MAX_SIZE_PX} px.", "Choose one in that range."
            )
        if "geometry" not in KINDS[ontology.kind].parts:
            _check_shapeless(spec, place)
        if spec.event:
            _check_event(spec, ontology, place)
        _check_drawn(spec, place)
        if spec.geometry is not None and spec.geometry not in SHAPES:
            raise _wrong(
                f"{place}/geometry", f"There is no shape {spec.geometry!r}.", f"Choose one of: {', '.join(SHAPES)}."
            )
        if spec.geometry is not None:
            SHAPES[spec.geometry].check_class(spec, place)


def _check_drawn(spec: ClassSpec, place: str) -> None:
    """What a class says of how it is drawn."""
    most = limits.MAX_POINTS_PER_SHAPE if spec.max_points is None else spec.max_points
    if not (0 <= spec.min_points <= most <= limits.MAX_POINTS_PER_SHAPE and most >= 1):
        raise _wrong(
            f"{place}/min_points",
            f"It must be 0 to max_points, and max_points 1 to {limits.MAX_POINTS_PER_SHAPE}.",
            "Choose numbers in that range.",
        )
    if spec.max_overlap is not None and not 0 <= spec.max_overlap <= 1:
        raise _wrong(f"{place}/max_overlap", "It is a share from 0 to 1.", "Choose one in that range.")
    if spec.skeleton is not None:
        _check_skeleton(spec.skeleton, f"{place}/skeleton")


def _check_skeleton(spec: SkeletonSpec, place: str) -> None:
    if not 1 <= len(spec.points) <= limits.MAX_SKELETON_POINTS:
        raise _wrong(f"{place}/points", f"It has 1 to {limits.MAX_SKELETON_POINTS} places.", "Name them.")
    seen: set[str] = set()
    for index, point in enumerate(spec.points):
        _check_name(point.name, f"{place}/points/{index}/name", seen)
        _check_title(point.title, f"{place}/points/{index}/title")
        if not (0 <= point.x <= 1 and 0 <= point.y <= 1):
            raise _wrong(
                f"{place}/points/{index}", "It stands outside of the template.", "Give x and y as shares from 0 to 1."
            )
    for part, pairs in (("edges", spec.edges), ("symmetry", spec.symmetry)):
        if len(pairs) > limits.MAX_SKELETON_POINTS**2:
            raise _wrong(f"{place}/{part}", "They are more than places can have.", "Name each pair once.")
        for index, pair in enumerate(pairs):
            if pair[0] == pair[1] or not set(pair) <= seen:
                raise _wrong(
                    f"{place}/{part}/{index}", "It does not join two places of the skeleton.", "Name two of its places."
                )
    paired = [name for pair in spec.symmetry for name in pair]
    if len(set(paired)) != len(paired):
        raise _wrong(f"{place}/symmetry", "A place has two counterparts.", "Name each place in one pair.")


def _check_shapeless(spec: ClassSpec, place: str) -> None:
    """What is said of a shape is held to nowhere where nothing is drawn."""
    if spec.geometry is not None:
        raise _wrong(f"{place}/geometry", "Only classes of objects have a shape.", "Remove it.")
    if spec.min_width_px or spec.min_height_px:
        raise _wrong(f"{place}/min_width_px", "Only classes of objects have a least size.", "Remove it.")
    if not spec.can_turn:
        raise _wrong(f"{place}/can_turn", "Only objects can be turned.", "Remove it.")
    for member in ("skeleton", "min_points", "max_points", "max_overlap"):
        if getattr(spec, member):
            raise _wrong(f"{place}/{member}", "Only classes of objects are drawn.", "Remove it.")


def _check_event(spec: ClassSpec, ontology: Ontology, place: str) -> None:
    """What goes on for a time is drawn nowhere."""
    if "frames" not in KINDS[ontology.kind].parts:
        raise _wrong(f"{place}/event", "Only a video has events.", "Remove it, or use the kind 'tracks'.")
    for member in ("geometry", "skeleton", "min_width_px", "min_height_px", "min_points", "max_points", "max_overlap"):
        if getattr(spec, member):
            raise _wrong(f"{place}/{member}", "An event is drawn nowhere.", "Remove it, or the event.")


def _check_counts(ontology: Ontology) -> None:
    least, most = ontology.at_least, ontology.at_most
    if not ontology.multiple and (least or most is not None):
        raise _wrong("/at_least", "Only where several classes may be chosen they are counted.", "Remove it.")
    if not 0 <= least <= (len(ontology.classes) if most is None else most) or (most is not None and most < 1):
        raise _wrong("/at_least", "It must be 0 to at_most, and at_most 1 or more.", "Choose numbers in that range.")
    if least > len(ontology.classes):
        raise _wrong("/at_least", f"There are only {len(ontology.classes)} classes.", "Choose a smaller number.")


def _check_attributes(specs: Sequence[AttributeSpec], ontology: Ontology, where: str) -> None:
    earlier: dict[str, AttributeSpec] = {}
    seen: set[str] = set()
    for position, spec in enumerate(specs):
        place = f"{where}/{position}"
        _check_name(spec.name, f"{place}/name", seen)
        _check_title(spec.title, f"{place}/title")
        if spec.type in IN_FORMS and "classes" in KINDS[ontology.kind].parts:
            raise _wrong(f"{place}/type", f"Of an object no {spec.type} is asked.", "Ask it in a project of forms.")
        if spec.mutable and "frames" not in KINDS[ontology.kind].parts:
            raise _wrong(f"{place}/mutable", "Only what is said of a track can change.", "Remove it.")
        _check_options(spec, place)
        _check_scope(spec, ontology, where, place)
        _check_columns(spec, ontology, place)
        if spec.accepts and (spec.type != "file" or not set(spec.accepts) <= set(FAMILIES)):
            raise _wrong(f"{place}/accepts", f"Of a file, some of: {', '.join(FAMILIES)}.", "Choose among them.")
        for index, name in enumerate(spec.classes or []):
            if name not in ontology.class_index:
                raise _wrong(f"{place}/classes/{index}", f"There is no class {name!r}.", "Name an existing class.")
        _check_bounds(spec, place)
        if spec.when is not None:
            _check_condition(spec.when, earlier, f"{place}/when")
        earlier[spec.name] = spec


def _check_scope(spec: AttributeSpec, ontology: Ontology, where: str, place: str) -> None:
    if spec.scope is not None:
        if "classes" in KINDS[ontology.kind].parts or where != "/attributes":
            raise _wrong(f"{place}/scope", "Only a question of a form has a scope.", "Remove it.")
        if spec.type not in SCOPED:
            raise _wrong(f"{place}/scope", f"A {spec.type} question has no scope.", "Ask it of the whole item.")
    if where != "/attributes" and spec.type in ("preference", "groups", "spans"):
        raise _wrong(f"{place}/type", f"A row holds no {spec.type}.", "Ask it as a question of its own.")
    if spec.relations and spec.type != "spans":
        raise _wrong(f"{place}/relations", "Only marked words are related.", "Remove them.")
    seen: set[str] = set()
    for index, name in enumerate(spec.relations):
        _check_name(name, f"{place}/relations/{index}", seen)
    if spec.tolerance and (spec.type not in ("number", "scale") or not 0 <= spec.tolerance <= MAX_TOLERANCE):
        raise _wrong(f"{place}/tolerance", "A tolerance is of a number or a scale, 0 or more.", "Remove it.")
    _check_criterion(spec, ontology, where, place)


def _check_criterion(spec: AttributeSpec, ontology: Ontology, where: str, place: str) -> None:
    of_form = "classes" not in KINDS[ontology.kind].parts and where == "/attributes"
    if spec.weight is not None:
        if not of_form or spec.type not in ("bool", "scale"):
            raise _wrong(f"{place}/weight", "A criterion with a weight is a bool or a scale of a form.", "Remove it.")
        if not 0 < abs(spec.weight) <= MAX_WEIGHT:
            raise _wrong(f"{place}/weight", f"A weight is up to {MAX_WEIGHT:g}, either way, and not 0.", "Choose one.")
    if spec.rewrites and (not of_form or spec.type != "text"):
        raise _wrong(f"{place}/rewrites", "Only a text of a form rewrites what was said.", "Remove it.")


def _check_options(spec: AttributeSpec, place: str) -> None:
    if spec.type == "groups" and not spec.options:
        return  # the candidates of the item
    if spec.type not in ("choice", "multi", "ranking", "groups", "spans"):
        if spec.options:
            raise _wrong(f"{place}/options", f"A {spec.type} attribute has no options.", "Remove them.")
        return
    fewest = 2 if spec.type in ("ranking", "groups") else 1
    if not fewest <= len(spec.options) <= MAX_OPTIONS:
        raise _wrong(f"{place}/options", f"It needs {fewest} to {MAX_OPTIONS} options.", "List them.")
    seen: set[str] = set()
    for index, option in enumerate(spec.options):
        _check_name(option, f"{place}/options/{index}", seen)


def _check_columns(spec: AttributeSpec, ontology: Ontology, place: str) -> None:
    if spec.type != "rows":
        if spec.columns:
            raise _wrong(f"{place}/columns", f"A {spec.type} attribute has no columns.", "Remove them.")
        return
    if not 1 <= len(spec.columns) <= MAX_COLUMNS:
        raise _wrong(f"{place}/columns", f"It needs 1 to {MAX_COLUMNS} columns.", "List what each row is asked.")
    for position, column in enumerate(spec.columns):
        here = f"{place}/columns/{position}"
        if column.type == "rows":
            raise _wrong(f"{here}/type", "Rows have no rows within them.", "Ask for them beside each other.")
        if column.classes is not None:
            raise _wrong(f"{here}/classes", "A form has no classes.", "Remove them.")
    _check_attributes(spec.columns, ontology, f"{place}/columns")


def _check_bounds(spec: AttributeSpec, place: str) -> None:
    bounded = spec.least is not None or spec.most is not None
    if spec.type == "scale":
        ends = (spec.least, spec.most)
        if not all(end is not None and float(end).is_integer() for end in ends) or not _steps(spec) <= MAX_SCALE:
            raise _wrong(f"{place}/least", f"A scale has two whole ends, at most {MAX_SCALE} apart.", "Give both.")
    if spec.type == "preference" and not 0 <= (spec.least or 0) <= (3 if spec.most is None else spec.most) <= 10:
        raise _wrong(f"{place}/least", "The strength of a preference is 0 to 10.", "Choose numbers in that range.")
    if bounded and spec.type not in ("number", "multi", "rows", "scale", "preference"):
        raise _wrong(f"{place}/least", f"A {spec.type} attribute has no bounds.", "Remove them.")
    if spec.least is not None and spec.most is not None and spec.least > spec.most:
        raise _wrong(f"{place}/least", "It is above `most`.", "Choose a smaller one.")
    if spec.max_chars is not None and (spec.type != "text" or not 1 <= spec.max_chars <= limits.MAX_TEXT_CHARS):
        raise _wrong(f"{place}/max_chars", f"Of a text, 1 to {limits.MAX_TEXT_CHARS}.", "Choose one in that range.")
    most = limits.MAX_TEXT_CHARS if spec.max_chars is None else spec.max_chars
    if spec.min_chars and (spec.type != "text" or not 0 <= spec.min_chars <= most):
        raise _wrong(f"{place}/min_chars", f"Of a text, 0 to {most}.", "Choose one in that range.")
    if spec.pattern is not None:
        if spec.type != "text":
            raise _wrong(f"{place}/pattern", f"A {spec.type} attribute has no pattern.", "Remove it.")
        _check_pattern(spec.pattern, f"{place}/pattern")


def _steps(spec: AttributeSpec) -> float:
    return (spec.most or 0) - (spec.least or 0)


def _check_condition(when: Condition, earlier: Mapping[str, AttributeSpec], place: str) -> None:
    # Only an earlier attribute may be named, so conditions cannot go round in a circle.
    other = earlier.get(when.attribute)
    if other is None:
        raise _wrong(
            f"{place}/attribute",
            f"No attribute {when.attribute!r} stands before this one.",
            "Name an earlier attribute.",
        )
    if other.scope is not None:
        raise _wrong(
            f"{place}/attribute",
            f"{when.attribute!r} is asked of each {other.scope}, so that it has no one answer.",
            "Rest it on a question about the whole item.",
        )
    if other.type == "bool":
        fits = isinstance(when.equals, bool)
    elif other.type in ("choice", "multi"):
        wanted = when.equals if isinstance(when.equals, list) else [when.equals]
        fits = bool(wanted) and all(isinstance(one, str) and one in other.option_set for one in wanted)
    else:
        raise _wrong(
            f"{place}/attribute",
            f"A condition cannot rest on a {other.type} attribute.",
            "Rest it on a choice, multi or bool attribute.",
        )
    if not fits:
        raise _wrong(f"{place}/equals", f"{when.equals!r} is not a value of {other.name!r}.", "Use one of its values.")


def _check_text(spec: TextSpec) -> None:
    if not 1 <= spec.max_chars <= limits.MAX_TEXT_CHARS:
        raise _wrong("/text/max_chars", f"It must be 1 to {limits.MAX_TEXT_CHARS}.", "Choose a number in that range.")
    if not 0 <= spec.min_chars <= spec.max_chars:
        raise _wrong("/text/min_chars", "It must be 0 to max_chars.", "Choose a number in that range.")
    if spec.pattern is not None:
        _check_pattern(spec.pattern, "/text/pattern")


def _check_pattern(pattern: str, place: str) -> None:
    if len(pattern) > MAX_PATTERN_CHARS:
        raise _wrong(place, f"Longer than {MAX_PATTERN_CHARS} characters.", "Shorten it.")
    if not is_pattern(pattern):
        raise _wrong(
            place,
            "It is not a regular expression of RE2.",
            "Use RE2 syntax: no look-around and no back references.",
        )


def _check_name(name: str, place: str, seen: set[str]) -> None:
    if not name.strip() or len(name) > limits.MAX_NAME_CHARS or unstorable(name):
        raise _wrong(place, f"A name has 1 to {limits.MAX_NAME_CHARS} characters.", "Choose a shorter, visible name.")
    if name in seen:
        raise _wrong(place, f"{name!r} stands here twice.", "Give each its own name.")
    seen.add(name)


def _check_title(title: Mapping[str, str] | None, place: str) -> None:
    for language, words in (title or {}).items():
        if len(words) > limits.MAX_NAME_CHARS or len(language) > 35 or unstorable(words) or unstorable(language):
            raise _wrong(place, f"A title has at most {limits.MAX_NAME_CHARS} characters.", "Shorten it.")
