"""Answers to the attributes of an ontology: which are asked, which values they may have, which say the same.

They are asked of each object that somebody draws, and of an item as a whole where the label is a form.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from cupola.kernel import limits
from cupola.kernel.errors import Problem, invalid
from cupola.labels.ontology import (
    FAMILIES,
    Answer,
    AttributeSpec,
    AttributeType,
    Each,
    FileAnswer,
    Groups,
    Rows,
    Spans,
    family_of,
)
from cupola.labels.patterns import matches_whole
from cupola.labels.places import BLANKS, pointer, unstorable

Answers = Mapping[str, Answer]
_sha256 = re.compile(r"[0-9a-f]{64}\Z")
_media_type = re.compile(r"[a-z]+/[a-z0-9.+-]{1,100}\Z")


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
        if isinstance(value, Rows) and spec.type == "rows":
            for number, row in enumerate(value.rows):
                validate(row, spec.column_named, f"{here}/rows/{number}", f"Row {number + 1} of {name!r}")
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
    if isinstance(spec.when.equals, list):
        return value in spec.when.equals or (isinstance(value, list) and bool(set(value) & set(spec.when.equals)))
    if isinstance(value, list):
        return spec.when.equals in value
    return type(value) is type(spec.when.equals) and value == spec.when.equals


def fits(spec: AttributeSpec, value: Answer) -> bool:
    """Is it a value that the attribute may have? What says nothing fits wherever no answer is required."""
    if spec.scope is not None:
        return isinstance(value, Each) and all(fits(spec.alone, one) for one in value.values.values())
    return _FITS[spec.type](spec, value)


def _is_option(spec: AttributeSpec, value: Answer) -> bool:
    return isinstance(value, str) and value in spec.option_set


def _are_options(spec: AttributeSpec, value: Answer) -> bool:
    return (
        isinstance(value, list)
        and len(set(value)) == len(value)
        and spec.option_set.issuperset(value)
        and _within(spec, len(value))
    )


def _is_text(spec: AttributeSpec, value: Answer) -> bool:
    return isinstance(value, str) and not unstorable(value) and _is_written_so(spec, value)


def _is_number(spec: AttributeSpec, value: Answer) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and _within(spec, value)


def _is_flag(spec: AttributeSpec, value: Answer) -> bool:
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


def _is_order(spec: AttributeSpec, value: Answer) -> bool:
    return isinstance(value, list) and len(value) == len(spec.options) and spec.option_set == set(value)


def _is_file(spec: AttributeSpec, value: Answer) -> bool:
    return (
        isinstance(value, FileAnswer)
        and _sha256.match(value.sha256) is not None
        and _media_type.match(value.media_type) is not None
        and 0 < value.bytes <= limits.MAX_ANSWER_FILE_BYTES
        and bool(value.name.strip(BLANKS))
        and len(value.name) <= limits.MAX_NAME_CHARS
        and not unstorable(value.name)
        and family_of(value.media_type) in (spec.accepts or FAMILIES)
    )


def _are_rows(spec: AttributeSpec, value: Answer) -> bool:
    if not isinstance(value, Rows) or len(value.rows) > limits.MAX_ANSWER_ROWS:
        return False
    # without a row nothing is said; whether something must be is asked elsewhere
    return (not value.rows or _within(spec, len(value.rows))) and all(_is_row(spec, row) for row in value.rows)


def _is_row(spec: AttributeSpec, row: Answers) -> bool:
    columns = spec.column_named
    return (
        any(answered(value) for value in row.values())
        and all(name in columns and asked(columns[name], row) and fits(columns[name], row[name]) for name in row)
        and all(
            answered(row.get(name)) or not column.required or not asked(column, row) for name, column in columns.items()
        )
    )


def _is_grade(spec: AttributeSpec, value: Answer) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and _within(spec, value)


def _is_preference(spec: AttributeSpec, value: Answer) -> bool:
    """least, most: of its strength."""
    return isinstance(value, int) and not isinstance(value, bool) and _within(spec, abs(value))


def _are_groups(spec: AttributeSpec, value: Answer) -> bool:
    if not isinstance(value, Groups) or not all(value.groups):
        return False
    named = [name for group in value.groups for name in group]
    if spec.options:
        return len(named) == len(spec.options) and spec.option_set == set(named)
    return len(set(named)) == len(named) >= 2


def _are_spans(spec: AttributeSpec, value: Answer) -> bool:
    if not isinstance(value, Spans) or len(value.spans) > limits.MAX_SPANS or len(value.relations) > limits.MAX_SPANS:
        return False
    marked = {(span.start, span.end, span.label) for span in value.spans}
    return (
        len(marked) == len(value.spans)
        and all(0 <= span.start < span.end and span.label in spec.option_set for span in value.spans)
        and all(
            0 <= one.head < len(value.spans) and 0 <= one.tail < len(value.spans) and one.head != one.tail
            and one.label in spec.relations for one in value.relations
        )
    )  # fmt: skip


_FITS: Mapping[AttributeType, Callable[[AttributeSpec, Answer], bool]] = {
    "choice": _is_option,
    "multi": _are_options,
    "text": _is_text,
    "number": _is_number,
    "bool": _is_flag,
    "ranking": _is_order,
    "file": _is_file,
    "rows": _are_rows,
    "scale": _is_grade,
    "preference": _is_preference,
    "groups": _are_groups,
    "spans": _are_spans,
}


def answered(value: Answer | None) -> bool:
    """Nothing chosen, nothing but blanks and no row are no answer."""
    if isinstance(value, str):
        return bool(value.strip(BLANKS))
    if isinstance(value, Rows):
        return bool(value.rows)
    if isinstance(value, Each):
        return any(answered(one) for one in value.values.values())
    return value is not None and value != []


def alike(a: Answers, b: Answers) -> bool:
    """The same answers: of several options whichever their order, and no answer as much as an empty one."""
    first = {name: meant(value) for name, value in a.items() if answered(value)}
    return first == {name: meant(value) for name, value in b.items() if answered(value)}


def meant(value: Answer) -> object:
    """What a value says, so that two that say the same are equal; of several options whichever their order."""
    if isinstance(value, list):
        return frozenset(value)
    return (type(value) is bool, value.strip(BLANKS) if isinstance(value, str) else value)


def _wrong(code: str, detail: str, place: str, remedy: str) -> Problem:
    return invalid(code, detail, place=place, remedy=remedy)
