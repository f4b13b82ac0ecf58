"""Reading a task's parameters: each wrong one is refused with the name of its field."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from cupola.kernel import limits
from cupola.kernel.errors import Problem, invalid

MAX_ATTACHMENTS = 5_000
MAX_URL_CHARS = 8_000
MAX_ANNOTATIONS = limits.MAX_OBJECTS_PER_LABEL


_FLAGS = {"true": True, "false": False, "1": True, "0": False}
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?\Z", re.ASCII)
MAX_NUMBER_CHARS = 40


def _numeric(value: Any) -> Any:
    """A number that was written as a string, as a number; anything else as it is."""
    if not isinstance(value, str) or len(value) > MAX_NUMBER_CHARS or not _NUMBER.match(text := value.strip()):
        return value
    try:
        return int(text)
    except ValueError:
        return float(text)


def _written(value: Any) -> Any:
    """A whole number where a text belongs (the key of a row as a unique_id, a year as a name) as its digits; anything
    else as it is. A fraction is no name: 7.0 and 7 would be two."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def wrong(field: str, what: str) -> Problem:
    return invalid("parameter-invalid", f"{field}: {what}", place=field, remedy="Mend this parameter.")


class Fields:
    """A JSON object whose members are asked for by name. `at` is where it stands in the body."""

    def __init__(self, values: Mapping[str, Any], at: str = "") -> None:
        self.values = values
        self._at = at

    def place(self, name: str) -> str:
        return f"{self._at}.{name}" if self._at else name

    def has(self, name: str) -> bool:
        return self.values.get(name) is not None

    def text(self, name: str, *, required: bool = False, most: int = limits.MAX_TEXT_CHARS) -> str | None:
        value = self.values.get(name)
        if value is None:
            if required:
                raise wrong(self.place(name), "is missing")
            return None
        value = _written(value)
        if not isinstance(value, str):
            raise wrong(self.place(name), "must be a string")
        if required and not value:
            raise wrong(self.place(name), "must not be empty")
        if len(value) > most:
            raise wrong(self.place(name), f"has {len(value)} characters; at most {most} are taken")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.values.get(name)
        if value is None:
            return default
        # forms and older clients write flags and numbers as strings, tables write flags as numbers
        if isinstance(value, str) and value.strip().lower() in _FLAGS:
            return _FLAGS[value.strip().lower()]
        if isinstance(value, int | float) and value in (0, 1):
            return bool(value)
        if not isinstance(value, bool):
            raise wrong(self.place(name), "must be true or false")
        return value

    def number(self, name: str, low: float = -math.inf, high: float = math.inf) -> float | None:
        value = self.values.get(name)
        if value is None:
            return None
        value = _numeric(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong(self.place(name), "must be a number")
        if not math.isfinite(value) or not low <= value <= high:
            raise wrong(self.place(name), f"must lie between {low} and {high}")
        return float(value)

    def whole(self, name: str, low: int, high: int) -> int | None:
        value = self.values.get(name)
        if value is None:
            return None
        value = _numeric(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong(self.place(name), "must be a whole number")
        if not low <= value <= high:
            raise wrong(self.place(name), f"must lie between {low} and {high}")
        return value

    def one_of(self, name: str, choices: Iterable[str], default: str | None = None) -> str | None:
        value = self.text(name)
        if value is None:
            return default
        known = list(choices)
        if value not in known:
            raise wrong(self.place(name), f"must be one of {', '.join(known)}")
        return value

    def items(self, name: str, *, required: bool = False, most: int = 10_000) -> list[Any]:
        value = self.values.get(name)
        if value is None:
            if required:
                raise wrong(self.place(name), "is missing")
            return []
        if not isinstance(value, list):
            raise wrong(self.place(name), "must be a list")
        if required and not value:
            raise wrong(self.place(name), "must not be empty")
        if len(value) > most:
            raise wrong(self.place(name), f"has {len(value)} entries; at most {most} are taken")
        return value

    def texts(self, name: str, *, required: bool = False, most: int = 10_000) -> list[str]:
        found = [_written(value) for value in self.items(name, required=required, most=most)]
        for index, value in enumerate(found):
            if not isinstance(value, str) or not value:
                raise wrong(f"{self.place(name)}[{index}]", "must be a string that is not empty")
        return found

    def within(self, name: str, *, required: bool = False) -> Fields | None:
        value = self.values.get(name)
        if value is None:
            if required:
                raise wrong(self.place(name), "is missing")
            return None
        if not isinstance(value, dict):
            raise wrong(self.place(name), "must be an object")
        return Fields(value, self.place(name))

    def each(self, name: str, *, required: bool = False, most: int = 10_000) -> list[Fields]:
        found = self.items(name, required=required, most=most)
        out = []
        for index, value in enumerate(found):
            place = f"{self.place(name)}[{index}]"
            if not isinstance(value, dict):
                raise wrong(place, "must be an object")
            out.append(Fields(value, place))
        return out


def attachment(fields: Fields, *, required: bool = True) -> str | None:
    """The one `attachment`: an address."""
    return fields.text("attachment", required=required, most=MAX_URL_CHARS)


def attachments(fields: Fields, *, least: int = 1, most: int = MAX_ATTACHMENTS) -> list[str]:
    """The list `attachments`: addresses."""
    found = fields.texts("attachments", required=least > 0, most=most)
    if len(found) < least:
        raise wrong(fields.place("attachments"), f"needs at least {least}")
    for index, address in enumerate(found):
        if len(address) > MAX_URL_CHARS:
            raise wrong(f"{fields.place('attachments')}[{index}]", "is too long for an address")
    return found


def either(fields: Fields) -> list[str]:
    """`attachments`, or the one `attachment`."""
    if fields.has("attachments"):
        return attachments(fields)
    found = attachment(fields)
    assert found is not None
    return [found]


def looked_at_by(fields: Fields, kind: Any) -> list[str]:
    """What people look at: addresses, or texts where the attachments are of the type text."""
    if kind != "text":
        return either(fields)
    if fields.has("attachments"):
        return fields.texts("attachments", required=True, most=MAX_ATTACHMENTS)
    return [fields.text("attachment", required=True) or ""]


def is_address(text: str) -> bool:
    """Whatever stands around it, and in whichever case its scheme is written."""
    return text.strip().lower().startswith(("http://", "https://", "scaledata://"))
