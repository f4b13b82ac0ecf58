"""Answers to the attributes of an ontology: which are asked, which values they may have, which say the same.

They are asked of each object that somebody draws, and of an item as a whole where the label is a form.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from cupola.kernel import limits
from cupola.kernel.errors import Problem, invalid
from cupola.labels.ontology import AttributeSpec, AttributeType, AttributeValue
from cupola.labels.patterns import matches_whole
from cupola.labels.places import BLANKS, pointer, unstorable

Answers = Mapping[str, AttributeValue]


def validate(given: Answers, specs: Mapping[str, AttributeSpec], place: str, owner: str) -> None:
    """specs: what may be asked, by name; place: where `given` stands; owner: whose attributes they are, in words.

    Raises Problem (INVALID) at the first answer that is not asked for, has another value, or is missing.
    """
    for name, value in given.items():
        here = place + pointer(name)
        spec = specs.get(name)
        if spec is None:
            raise _wrong(
                "label-unknown-attribute",
                f"{owner} has no attribute {name!r}.",
                here,
                "Remove it, or add it to the ontology.",
            )
        if not asked(spec, given):
            raise _wrong(
                "label-attribute-not-asked",
                f"{name!r} is asked only when its condition holds.",
                here,
                "Remove it, or mend the attribute that it depends on.",
            )
        if not fits(spec, value):
            raise _wrong(
                "label-attribute-value",
                f"That is not a value of the {spec.type} attribute {name!r}.",
                here,
                "Use a value that the ontology allows.",
            )
    for name, spec in specs.items():
        if spec.required and not answered(given.get(name)) and asked(spec, given):
            raise _wrong(
                "label-attribute-missing",
                f"The attribute {name!r} is required.",
                place,
                f"Give a value for {name!r}.",
            )


def asked(spec: AttributeSpec, given: Answers) -> bool:
    """Does the condition of an attribute hold?"""
    if spec.when is None:
        return True
    value = given.get(spec.when.attribute)
    if isinstance(value, list):
        return spec.when.equals in value
    return type(value) is type(spec.when.equals) and value == spec.when.equals


def fits(spec: AttributeSpec, value: AttributeValue) -> bool:
    """Is it a value that the attribute may have? What says nothing fits wherever no answer is required."""
    return _FITS[spec.type](spec, value)


def _is_option(spec: AttributeSpec, value: AttributeValue) -> bool:
    return isinstance(value, str) and value in spec.option_set


def _are_options(spec: AttributeSpec, value: AttributeValue) -> bool:
    return (
        isinstance(value, list)
        and len(set(value)) == len(value)
        and spec.option_set.issuperset(value)
        and _within(spec, len(value))
    )


def _is_text(spec: AttributeSpec, value: AttributeValue) -> bool:
    return isinstance(value, str) and not unstorable(value) and _is_written_so(spec, value)


def _is_number(spec: AttributeSpec, value: AttributeValue) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and _within(spec, value)


def _is_flag(spec: AttributeSpec, value: AttributeValue) -> bool:
    return isinstance(value, bool)


def _is_written_so(spec: AttributeSpec, value: str) -> bool:
    if len(value) > (spec.max_chars or limits.MAX_TEXT_CHARS):
        return False
    written = value.strip(BLANKS)
    if not written:
        return True  # no answer; whether one is needed is asked elsewhere
    return len(written) >= spec.min_chars and (spec.pattern is None or matches_whole(spec.pattern, written))


def _within(spec: AttributeSpec, number: float) -> bool:
    return (spec.least is None or number >= spec.least) and (spec.most is None or number <= spec.most)


_FITS: Mapping[AttributeType, Callable[[AttributeSpec, AttributeValue], bool]] = {
    "choice": _is_option,
    "multi": _are_options,
    "text": _is_text,
    "number": _is_number,
    "bool": _is_flag,
}


def answered(value: AttributeValue | None) -> bool:
    """Nothing chosen and nothing but blanks are no answer."""
    if isinstance(value, str):
        return bool(value.strip(BLANKS))
    return value is not None and value != []


def alike(a: Answers, b: Answers) -> bool:
    """The same answers: of several options whichever their order, and no answer as much as an empty one."""
    first = {name: meant(value) for name, value in a.items() if answered(value)}
    return first == {name: meant(value) for name, value in b.items() if answered(value)}


def meant(value: AttributeValue) -> object:
    """What a value says, so that two that say the same are equal."""
    if isinstance(value, list):
        return frozenset(value)
    return (type(value) is bool, value.strip(BLANKS) if isinstance(value, str) else value)


def _wrong(code: str, detail: str, place: str, remedy: str) -> Problem:
    return invalid(code, detail, place=place, remedy=remedy)
