"""A line of a manifest, from whatever format it came: the same value means the same in JSON, CSV and Parquet."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from cupola.catalog.conversations import shapes as conversations
from cupola.kernel import limits
from cupola.kernel.errors import Problem, invalid
from cupola.labels import Label, label_from, label_from_plain
from cupola.labels.places import problem_from_msgspec, too_deep

COLUMNS = frozenset({"ref", "url", "path", "text", "metadata", "parts", "pre_label", "gold_label", "eligible"})
_TEXTS = frozenset({"ref", "url", "path", "text"})
# by their letters alone; a known answer that is named "gold" would else be metadata, which whoever works is shown
_MEANT = {**{name.replace("_", ""): name for name in COLUMNS}, "gold": "gold_label"}
_joint = re.compile(r"[\s_-]+")
_LABELS = frozenset({"pre_label", "gold_label"})


class PartLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part as a manifest names it: a path, an address, or the words themselves (`body` says the same as `text`)."""

    path: str | None = None
    url: str | None = None
    text: str | None = None
    body: str | None = None
    role: str | None = None
    sensor: str | None = None
    timestamp_ns: int | None = None
    meta: dict[str, Any] | None = None


class _Plain(msgspec.Struct, frozen=True):
    ref: str | None = None
    url: str | None = None
    path: str | None = None
    text: str | None = None
    parts: tuple[PartLine, ...] = ()
    metadata: dict[str, Any] = {}
    eligible: tuple[UUID, ...] | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a manifest."""

    ref: str | None
    url: str | None
    path: str | None
    text: str | None
    parts: tuple[PartLine, ...]
    metadata: dict[str, Any]
    pre_label: Label | None
    gold_label: Label | None
    eligible: tuple[UUID, ...] | None


def column_of(given: str) -> str:
    """The column that a name means, in whichever case and however its words are joined; any other name as it is."""
    joined = _joint.sub("", given.strip()).lower()
    return _MEANT.get(joined, given)


def line_from(row: Mapping[str, Any], *, from_text: bool = False) -> Line:
    """A row of columns as a line. What is absent, null or NaN is absent; numbers are their digits where a text is
    wanted; labels are JSON (as text or as it is) or bare class names; columns of other names are metadata.

    from_text: every value came as text, so that JSON inside of metadata is not told from text there.
    Raises Problem (INVALID) code "line-malformed" with its place.
    """
    row = conversations.as_manifest(row) or row
    known: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    for given, value in row.items():
        name = column_of(given)
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            continue
        if name in known:
            raise invalid(
                "line-malformed", f"{given.strip()[:100]!r} says {name} a second time.", place=f"/{name}",
                remedy="Give one of them.",
            )  # fmt: skip
        if name not in COLUMNS:
            metadata[name] = value
        elif name in _TEXTS:
            known[name] = value if isinstance(value, str) else _digits(value, name)
        elif name in _LABELS:
            if isinstance(value, bool) and _joint.sub("", given).lower() == "gold":
                raise invalid(
                    "line-malformed",
                    "gold says whether the item is gold; what is wanted is the answer that is known.",
                    place="/gold_label",
                    remedy="Write the known answer as gold_label, and nothing where there is none.",
                )
            label = _label(value, name)
            if label is not None:
                known[name] = label
        elif name in ("metadata", "parts"):
            known[name] = _json(value, name)
        else:
            known[name] = value.split() if isinstance(value, str) else value
    if metadata:
        inner = known.get("metadata", {})
        if not isinstance(inner, dict):
            raise invalid("line-malformed", "The metadata is no JSON object.", place="/metadata", remedy="Write {…}.")
        known["metadata"] = metadata | inner
    pre_label, gold_label = (_read(known.pop(name, None), name) for name in ("pre_label", "gold_label"))
    try:
        plain = msgspec.convert(known, _Plain, strict=False)
    except (msgspec.ValidationError, RecursionError) as error:
        raise problem_from_msgspec(error, "line-malformed", "line") from None
    return Line(
        plain.ref, plain.url, plain.path, plain.text, plain.parts, plain.metadata, pre_label, gold_label, plain.eligible
    )


def _read(value: Any, name: str) -> Label | None:
    if value is None or isinstance(value, Label):
        return value
    try:
        return label_from(value)
    except Problem as problem:
        raise invalid(
            "line-malformed", problem.detail, place=f"/{name}{problem.place}", remedy=problem.remedy
        ) from None


def _digits(value: Any, name: str) -> str:
    """A number as it is written: 7, not 7.0, for tables with gaps turn whole numbers into floats."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    raise invalid(
        "line-malformed", f"{name} is neither a text nor a number.", place=f"/{name}", remedy="Write it as a text."
    )


def _label(value: Any, name: str) -> Any:
    """A label as JSON has it, or the label that a bare value means: the class that was chosen, or a list of them."""
    if isinstance(value, str):
        stripped = value.strip()
        if not stripped:
            return None
        return _json(value, name) if stripped.startswith("{") else label_from_plain(value)
    if isinstance(value, list):
        return label_from_plain([one if isinstance(one, str) else _digits(one, name) for one in value])
    return value if isinstance(value, dict) else label_from_plain(_digits(value, name))


def _json(value: Any, name: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        if too_deep(value.encode(), limits.MAX_JSON_DEPTH):
            raise _malformed(f"it nests deeper than {limits.MAX_JSON_DEPTH} levels", name)
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise _malformed(str(error), name) from None


def _malformed(why: str, name: str) -> Problem:
    return invalid("line-malformed", f"{name} is no JSON: {why}.", place=f"/{name}", remedy="Mend it.")
