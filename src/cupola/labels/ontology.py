"""What may be said about an item: classes, attributes with conditions, limits on text.

An ontology is data. It is decoded and checked once (`decode_ontology`) and is immutable afterwards; every judgement is
valid against exactly one version of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from cupola.kernel import limits
from cupola.kernel.errors import Problem, invalid
from cupola.labels.places import problem_from_msgspec, unstorable

MAX_PATTERN_CHARS = 500
MAX_OPTIONS = 1_000
MAX_ATTRIBUTES = 200

Kind = Literal["choice", "text", "objects"]
AttributeType = Literal["choice", "multi", "text", "number", "bool"]
AttributeValue = str | bool | int | float | list[str]
Geometry = Literal["box"]  # grows with labels/kinds: one name for each shape


class ClassSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One class. `geometry` None means that any shape may carry it; `title` is {language: words}."""

    name: str
    title: dict[str, str] | None = None
    colour: str | None = None
    geometry: Geometry | None = None


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An attribute is asked only when another one has this value."""

    attribute: str
    equals: str | bool


class AttributeSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, dict=True):
    """A further question about each object of `classes` (None: of every class)."""

    name: str
    type: AttributeType
    title: dict[str, str] | None = None
    options: list[str] = []
    required: bool = False
    classes: list[str] | None = None
    when: Condition | None = None

    @cached_property
    def option_set(self) -> frozenset[str]:
        return frozenset(self.options)


class TextSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Limits on free text, in characters; `pattern` (RE2 syntax) must match the whole text."""

    max_chars: int = limits.MAX_TEXT_CHARS
    min_chars: int = 0
    pattern: str | None = None


class Ontology(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, dict=True):
    """What a label of this kind may hold. Build it with `decode_ontology`, which checks it as a whole."""

    kind: Kind
    classes: list[ClassSpec] = []
    multiple: bool = False
    attributes: list[AttributeSpec] = []
    text: TextSpec | None = None

    @cached_property
    def class_index(self) -> dict[str, int]:
        """Class name -> its position, which is the code that the quality engine uses."""
        return {spec.name: position for position, spec in enumerate(self.classes)}

    @cached_property
    def attributes_of(self) -> dict[str, dict[str, AttributeSpec]]:
        """Class name -> the attributes that may be asked of it, in the ontology's order."""
        return {
            spec.name: {a.name: a for a in self.attributes if a.classes is None or spec.name in a.classes}
            for spec in self.classes
        }

    @cached_property
    def geometry_of(self) -> dict[str, str | None]:
        return {spec.name: spec.geometry for spec in self.classes}


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
    if ontology.kind == "text":
        if ontology.classes:
            raise _wrong("/classes", "A text ontology has no classes.", "Remove them, or choose another kind.")
    elif not ontology.classes:
        raise _wrong("/classes", f"The kind {ontology.kind!r} needs at least one class.", "Name the classes.")
    if ontology.multiple and ontology.kind != "choice":
        raise _wrong("/multiple", "Only a choice can be multiple.", "Remove it, or use the kind 'choice'.")
    if ontology.attributes and ontology.kind != "objects":
        raise _wrong("/attributes", "Attributes belong to objects.", "Remove them, or use the kind 'objects'.")
    if ontology.text is not None and ontology.kind != "text":
        raise _wrong("/text", "Limits on text belong to the kind 'text'.", "Remove them, or use the kind 'text'.")
    _check_classes(ontology)
    _check_attributes(ontology)
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
        if spec.geometry is not None and ontology.kind != "objects":
            raise _wrong(f"{place}/geometry", "Only classes of objects have a shape.", "Remove it.")


def _check_attributes(ontology: Ontology) -> None:
    if len(ontology.attributes) > MAX_ATTRIBUTES:
        raise _wrong("/attributes", f"More than {MAX_ATTRIBUTES} attributes.", "Ask for fewer.")
    earlier: dict[str, AttributeSpec] = {}
    seen: set[str] = set()
    for position, spec in enumerate(ontology.attributes):
        place = f"/attributes/{position}"
        _check_name(spec.name, f"{place}/name", seen)
        _check_title(spec.title, f"{place}/title")
        _check_options(spec, place)
        for index, name in enumerate(spec.classes or []):
            if name not in ontology.class_index:
                raise _wrong(f"{place}/classes/{index}", f"There is no class {name!r}.", "Name an existing class.")
        if spec.when is not None:
            _check_condition(spec.when, earlier, f"{place}/when")
        earlier[spec.name] = spec


def _check_options(spec: AttributeSpec, place: str) -> None:
    if spec.type not in ("choice", "multi"):
        if spec.options:
            raise _wrong(f"{place}/options", f"A {spec.type} attribute has no options.", "Remove them.")
        return
    if not 1 <= len(spec.options) <= MAX_OPTIONS:
        raise _wrong(f"{place}/options", f"It needs 1 to {MAX_OPTIONS} options.", "List them.")
    seen: set[str] = set()
    for index, option in enumerate(spec.options):
        _check_name(option, f"{place}/options/{index}", seen)


def _check_condition(when: Condition, earlier: Mapping[str, AttributeSpec], place: str) -> None:
    # Only an earlier attribute may be named, so conditions cannot go round in a circle.
    other = earlier.get(when.attribute)
    if other is None:
        raise _wrong(
            f"{place}/attribute",
            f"No attribute {when.attribute!r} stands before this one.",
            "Name an earlier attribute.",
        )
    if other.type == "bool":
        fits = isinstance(when.equals, bool)
    elif other.type in ("choice", "multi"):
        fits = isinstance(when.equals, str) and when.equals in other.option_set
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
        if len(spec.pattern) > MAX_PATTERN_CHARS:
            raise _wrong("/text/pattern", f"Longer than {MAX_PATTERN_CHARS} characters.", "Shorten it.")
        try:
            matches_whole(spec.pattern, "")
        except pa.ArrowInvalid:
            raise _wrong(
                "/text/pattern",
                "It is not a regular expression of RE2.",
                "Use RE2 syntax: no look-around and no back references.",
            ) from None


def matches_whole(pattern: str, text: str) -> bool:
    """Does an RE2 pattern match the whole text? RE2 runs in linear time, so no pattern can hang the server."""
    options = pc.MatchSubstringOptions(rf"\A(?:{pattern})\z")
    found = pc.call_function("match_substring_regex", [pa.scalar(text)], options)
    return bool(found.as_py())


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


def _wrong(place: str, detail: str, remedy: str) -> Problem:
    return invalid("ontology-invalid", detail, place=place, remedy=remedy)
