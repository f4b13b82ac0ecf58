"""Labels and attributes as clients describe them, and our ontology for them."""

from __future__ import annotations

from typing import Any

from cupola.compat.scale.types.check import Fields, wrong
from cupola.kernel import limits

ATTRIBUTE_TYPES = ("category", "number", "angle", "text", "x", "y", "offset", "linked")
MAX_DEPTH = 8


def labels(fields: Fields, name: str, *, required: bool = True) -> list[str]:
    """The labels of a list of strings or of descriptions {choice, subchoices}; of a nested one only its leaves.

    Raises Problem naming the entry.
    """
    found: list[str] = []
    _collect(fields.items(name, required=required, most=limits.MAX_CLASSES), fields.place(name), found, 0)
    if len(found) > limits.MAX_CLASSES:
        raise wrong(fields.place(name), f"has {len(found)} labels; at most {limits.MAX_CLASSES} are taken")
    seen: set[str] = set()
    for label in found:
        if label in seen:
            raise wrong(fields.place(name), f"names {label[:100]!r} twice")
        seen.add(label)
    return found


def _collect(entries: list[Any], place: str, found: list[str], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise wrong(place, f"is nested more than {MAX_DEPTH} deep")
    for index, entry in enumerate(entries):
        here = f"{place}[{index}]"
        if isinstance(entry, str):
            found.append(_name(entry, here))
            continue
        if not isinstance(entry, dict):
            raise wrong(here, "must be a string or an object with a choice")
        one = Fields(entry, here)
        choice = one.text("choice", required=True) or ""
        one.text("display")
        one.flag("instance_label")
        below = one.items("subchoices")
        if below:
            _collect(below, one.place("subchoices"), found, depth + 1)
        else:
            found.append(_name(choice, here))


def _name(label: str, place: str) -> str:
    if not label.strip() or len(label) > limits.MAX_NAME_CHARS:
        raise wrong(place, f"must have 1 to {limits.MAX_NAME_CHARS} characters")
    return label


def attributes(fields: Fields, classes: list[str]) -> tuple[list[dict[str, Any]], bool]:
    """Our attributes for `annotation_attributes`, and whether ours can say all that these say."""
    described = fields.within("annotation_attributes")
    if described is None:
        return [], True
    if len(described.values) > 200:
        raise wrong(described.place(""), "has more than 200 attributes")
    out: list[dict[str, Any]] = []
    whole = True
    for name in described.values:
        one = described.within(name, required=True)
        assert one is not None
        _name(name, described.place(name))
        kind = one.one_of("type", ATTRIBUTE_TYPES, "category")
        one.text("description")
        spec: dict[str, Any] = {"name": name, "type": "text"}
        if kind == "category":
            spec["type"] = "multi" if one.flag("allow_multiple") else "choice"
            spec["options"] = labels(one, "choices")
        elif kind in ("number", "angle"):
            spec["type"] = "number"
        elif kind != "text":
            whole = False
        whole = _conditions(one, spec, classes, {have["name"] for have in out}) and whole
        out.append(spec)
    return out, whole


def _conditions(one: Fields, spec: dict[str, Any], classes: list[str], earlier: set[str]) -> bool:
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
    if name not in earlier or not isinstance(value, str | bool):
        return False
    spec["when"] = {"attribute": name, "equals": value}
    return True
