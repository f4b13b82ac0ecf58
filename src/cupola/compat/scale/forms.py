"""Bodies as forms write them (`curl -d`), read as the JSON that they mean: a[b]=c, a[]=b, a[0][b]=c, names repeated."""

from __future__ import annotations

import urllib.parse
from typing import Any

import msgspec

from cupola.kernel.errors import Problem, invalid

MEDIA_TYPE = "application/x-www-form-urlencoded"
MAX_FIELDS = 10_000
MAX_DEPTH = 10
# what is a list even where a form names it once
LISTS = frozenset(
    (
        *("attachments", "batches", "categories", "choices", "context_attachments", "emails", "features"),
        *("groups", "labels", "objects_to_annotate", "projects", "tags", "add_emails", "remove_emails"),
    )
)


def as_json(body: bytes) -> bytes:
    """The JSON text of a form. A body that is JSON already stays: that is what `curl -d '{…}'` sends as a form.

    Raises Problem (INVALID) for names that contradict each other.
    """
    if body.lstrip()[:1] in (b"{", b"["):
        return body
    try:
        pairs = urllib.parse.parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=bool(body.strip()), max_num_fields=MAX_FIELDS,
            errors="strict",
        )  # fmt: skip
    except ValueError as error:
        raise invalid("body-invalid", f"The body is no form that can be read: {error}.", place="body") from error
    root: dict[str, Any] = {}
    for name, text in pairs:
        _put(root, _path(name), _value(text), name)
    return msgspec.json.encode(_lists(root))


def _path(name: str) -> list[str]:
    head, *rest = name.split("[")
    if len(rest) > MAX_DEPTH or any(not part.endswith("]") for part in rest):
        raise _odd(name)
    return [head, *(part[:-1] for part in rest)]


def _value(text: str) -> Any:
    if text[:1] in ("{", "["):
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text  # words that begin with a bracket
    return text


def _put(root: dict[str, Any], path: list[str], value: Any, name: str) -> None:
    """Write a value where its name says; an empty last part adds to a list."""
    adds = len(path) > 1 and path[-1] == ""
    if adds:
        path = path[:-1]
    if "" in path:
        raise _odd(name)
    *way, last = path
    here = root
    for part in way:
        here = here.setdefault(part, {})
        if not isinstance(here, dict):
            raise _odd(name)
    have = here.get(last)
    if isinstance(have, dict):
        raise _odd(name)
    if isinstance(have, list):
        have.append(value)
    elif last in here:
        here[last] = [have, value]
    else:
        here[last] = [value] if adds else value


def _lists(value: Any, name: str = "") -> Any:
    """Objects whose names are 0, 1, 2, … are lists, and so is what always is one."""
    if isinstance(value, dict):
        made = {key: _lists(one, key) for key, one in value.items()}
        if made and all(key == str(n) for n, key in enumerate(made)):
            return list(made.values())
        return made
    if isinstance(value, list):
        return [_lists(one) for one in value]
    return [value] if name in LISTS else value


def _odd(name: str) -> Problem:
    return invalid("body-invalid", f"{name[:100]}: cannot be read beside the others", place=name[:100])
