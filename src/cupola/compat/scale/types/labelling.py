"""Labels and attributes as clients describe them, and our ontology for them.

What a client's answer holds is a choice's value; what people see is its label (or `display`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from cupola.compat.scale.types.check import Fields, wrong
from cupola.kernel import limits

ATTRIBUTE_TYPES = ("category", "number", "angle", "text", "x", "y", "offset", "linked")
MAX_DEPTH = 8
MOST_DEGREES = 360.0


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that can be chosen. value: what the client's answer holds; name: how our label says it (a string that
    no other option has); shown: what people read; description: what they read beside it."""

    value: Any
    name: str
    shown: str
    description: str = ""

    def spec(self, **more: Any) -> dict[str, Any]:
        """As a class of our ontology."""
        title = {} if self.shown == self.name else {"title": {"en": self.shown[: limits.MAX_NAME_CHARS]}}
        return {"name": self.name, **title, **more}


@dataclass(frozen=True, slots=True)
class Attributes:
    """specs: ours; whole: whether ours can say all that the client's say; values: {attribute: {ours: the client's}}."""

    specs: list[dict[str, Any]]
    whole: bool
    values: dict[str, dict[str, Any]]
    words: str

    def to(self, given: dict[str, Any]) -> dict[str, Any]:
        """Answers of people as the client's values."""
        return {name: _mapped(value, self.values.get(name, {})) for name, value in given.items()}

    def back(self, given: dict[str, Any]) -> dict[str, Any]:
        """A client's values as answers of people."""
        turned = {name: {_key(value): ours for ours, value in table.items()} for name, table in self.values.items()}
        return {name: _unmapped(value, turned.get(name, {})) for name, value in given.items()}


def _key(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _mapped(value: Any, table: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [table.get(one, one) if isinstance(one, str) else one for one in value]
    return table.get(value, value) if isinstance(value, str) else value


def _unmapped(value: Any, table: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [table.get(_key(one), one) for one in value]
    return table.get(_key(value), value) if table else value


def options(fields: Fields, name: str, *, required: bool = True) -> list[Option]:
    """The options of a list of strings, numbers, flags or descriptions {choice | value, label, display, description,
    subchoices}; of a nested one only its leaves.

    Raises Problem naming the entry.
    """
    found: list[Option] = []
    _collect(fields.items(name, required=required, most=limits.MAX_CLASSES), fields.place(name), found, 0)
    if len(found) > limits.MAX_CLASSES:
        raise wrong(fields.place(name), f"has {len(found)} labels; at most {limits.MAX_CLASSES} are taken")
    seen: set[str] = set()
    for one in found:
        if one.name in seen:
            raise wrong(fields.place(name), f"names {one.name[:100]!r} twice")
        seen.add(one.name)
    return found


def labels(fields: Fields, name: str, *, required: bool = True) -> list[str]:
    """The names of the options. Raises Problem naming the entry."""
    return [one.name for one in options(fields, name, required=required)]


def _collect(entries: list[Any], place: str, found: list[Option], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise wrong(place, f"is nested more than {MAX_DEPTH} deep")
    for index, entry in enumerate(entries):
        here = f"{place}[{index}]"
        if isinstance(entry, str | int | float):
            found.append(_option(entry, here))
            continue
        if not isinstance(entry, dict):
            raise wrong(here, "must be a string, a number, true, false or an object with a choice")
        one = Fields(entry, here)
        value = next((entry[key] for key in ("choice", "value", "label") if entry.get(key) is not None), None)
        if value is None:
            raise wrong(one.place("choice"), "is missing")
        if not isinstance(value, str | int | float | bool):
            raise wrong(one.place("choice"), "must be a string or a number")
        shown = one.text("display") or (one.text("label") if entry.get("label") != value else None)
        one.flag("instance_label")
        below = [*one.items("subchoices"), *one.items("choices")]
        if below:
            _collect(below, one.place("subchoices"), found, depth + 1)
        else:
            said = [text for key in ("description", "hint") if (text := one.text(key))]
            found.append(_option(value, here, shown, " ".join(said)))


def _option(value: Any, place: str, shown: str | None = None, description: str = "") -> Option:
    name = _name(_key(value), place)
    return Option(value, name, shown or name, description)


def _name(label: str, place: str) -> str:
    if not label.strip() or len(label) > limits.MAX_NAME_CHARS:
        raise wrong(place, f"must have 1 to {limits.MAX_NAME_CHARS} characters")
    return label


def named(value: Any, several: Sequence[Option]) -> str:
    """Our name for a client's value. Raises ValueError for one that cannot be chosen."""
    for one in several:
        if one.value == value and isinstance(one.value, bool) == isinstance(value, bool):
            return one.name
    if isinstance(value, str) and any(one.name == value for one in several):
        return value
    raise ValueError(f"{value!r} is none of the choices")


def told(title: str, several: Sequence[Option]) -> str:
    """What people read of options that say more than their name."""
    lines = [f"- **{one.shown}**: {one.description}" for one in several if one.description]
    return "\n".join([f"**{title}**", *lines]) if lines else ""


def attributes(fields: Fields, classes: list[str]) -> Attributes:
    """What `annotation_attributes` ask of each object. Raises Problem naming the parameter."""
    described = fields.within("annotation_attributes")
    if described is None:
        return Attributes([], True, {}, "")
    if len(described.values) > 200:
        raise wrong(described.place(""), "has more than 200 attributes")
    out: list[dict[str, Any]] = []
    values: dict[str, dict[str, Any]] = {}
    words: list[str] = []
    whole = True
    for name in described.values:
        one = described.within(name, required=True)
        assert one is not None
        _name(name, described.place(name))
        kind = one.one_of("type", ATTRIBUTE_TYPES, "category")
        spec: dict[str, Any] = {"name": name, "type": "text"}
        choices: list[Option] = []
        if kind == "category":
            several = one.flag("allow_multiple")
            spec["type"] = "multi" if several else "choice"
            choices = options(one, "choices")
            values[name] = as_read(choices)
            spec["options"] = list(values[name])
            if several:
                _bounds(one, spec, "min_choices", "max_choices")
        elif kind in ("number", "angle"):
            spec["type"] = "number"
            _bounds(one, spec, "min", "max")
            if kind == "angle":
                spec = {"least": 0.0, "most": MOST_DEGREES, **spec}
        elif kind == "text":
            most = one.whole("max_characters", 1, limits.MAX_TEXT_CHARS)
            if most is not None:
                spec["max_chars"] = most
        else:
            whole = False
        if one.flag("required"):
            spec["required"] = True
        if title := one.text("title"):
            spec["title"] = {"en": title[: limits.MAX_NAME_CHARS]}
        whole = _conditions(one, spec, classes, {have["name"]: values.get(have["name"]) for have in out}) and whole
        out.append(spec)
        said = " ".join(text for key in ("description", "hint") if (text := one.text(key)))
        words += [
            part for part in (f"**{title or name}**: {said}" if said else "", told(title or name, choices)) if part
        ]
    return Attributes(out, whole, values, "\n\n".join(words))


def as_read(choices: Sequence[Option]) -> dict[str, Any]:
    """{what people read: the value}; where two read alike, their names."""
    shown = {option.shown[: limits.MAX_NAME_CHARS]: option.value for option in choices}
    return shown if len(shown) == len(choices) else {option.name: option.value for option in choices}


def _bounds(one: Fields, spec: dict[str, Any], low: str, high: str) -> None:
    least, most = one.number(low), one.number(high)
    if least is not None and most is not None and least > most:
        raise wrong(one.place(low), f"is above {high}")
    if least is not None:
        spec["least"] = least
    if most is not None:
        spec["most"] = most


def _conditions(
    one: Fields, spec: dict[str, Any], classes: list[str], earlier: dict[str, dict[str, Any] | None]
) -> bool:
    """Write an attribute's conditions into our spec; False where ours cannot say them."""
    given = one.values.get("conditions")
    if given is None:
        return True
    entries = given if isinstance(given, list) else [given]
    if len(entries) != 1 or not isinstance(entries[0], dict):
        if not all(isinstance(entry, dict) for entry in entries):
            raise wrong(one.place("conditions"), "must be objects")
        return False
    condition = Fields(entries[0], one.place("conditions"))
    on_label = condition.within("label_condition")
    if on_label is not None:
        value = on_label.values.get("label")
        wanted = value if isinstance(value, list) else [value]
        for label in wanted:
            if label not in classes:
                raise wrong(on_label.place("label"), f"{str(label)[:100]!r} is none of the labels")
        spec["classes"] = wanted
    on_attribute = condition.within("attribute_conditions") or condition.within("attribute_condition")
    if on_attribute is None:
        return True
    if len(on_attribute.values) != 1:
        return False
    [(name, value)] = on_attribute.values.items()
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    if name not in earlier or isinstance(value, list | dict):
        return False
    for shown, meant in (earlier[name] or {}).items():
        if meant == value:
            value = shown
    if not isinstance(value, str | bool):
        return False
    spec["when"] = {"attribute": name, "equals": value}
    return True
