"""What a draft is: a label as it was kept whole, and the differences since. Pure.

A difference can be laid on any label, and always gives one: work that was acknowledged is never lost to a base that
looks other than expected. The browser computes differences (`editor/core/draft_change.ts`), and both suites run
`tests/tasks/differences.json`.
"""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from cupola.kernel.errors import Problem, invalid
from cupola.labels.places import unstorable

SEPARATOR = "\x1e"  # no JSON holds it unescaped (RFC 7464)
MAX_AT = 2**31


class ObjectsChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="objects"):
    """put: new or changed objects, each with its place in the list that comes out, in rising order; gone: ids of those
    that are there no more."""

    put: list[tuple[int, msgspec.Raw]]
    gone: list[str]


class TextChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="text"):
    """start characters (Unicode code points) stay, drop go, put comes in their place."""

    start: int = msgspec.field(name="from")
    drop: int
    put: str


Change = ObjectsChange | TextChange


class _Named(msgspec.Struct):
    id: str = ""


_changes = msgspec.json.Decoder(Change)
_named = msgspec.json.Decoder(_Named)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_text = msgspec.json.Decoder(str)
_encode = msgspec.json.Encoder().encode


def check(change: Change) -> None:
    """Raises Problem (INVALID) for a difference that no editor makes."""
    if isinstance(change, TextChange):
        if not (0 <= change.start <= MAX_AT and 0 <= change.drop <= MAX_AT) or unstorable(change.put):
            raise _wrong("/change", "A place is 0 or more, and a text has no U+0000 and no half of a pair.")
        return
    before = -1
    for at, (place, thing) in enumerate(change.put):
        if not before < place <= MAX_AT:
            raise _wrong(f"/change/put/{at}/0", "Places rise from 0.")
        before = place
        try:
            _named.decode(thing)
        except msgspec.DecodeError as error:
            raise _wrong(f"/change/put/{at}/1", f"It is not an object with an id: {error}.") from None


def whole(text: str) -> bytes:
    """The label that a stored draft says, as JSON."""
    kept, *changes = text.split(SEPARATOR)
    if not changes:
        return kept.encode()
    return functools.reduce(changed, map(_changes.decode, changes), kept.encode())


def changed(label: bytes, change: Change) -> bytes:
    """The label with a difference laid on it."""
    members = _decoded(_members, label, {})
    if isinstance(change, TextChange):
        said = _decoded(_text, bytes(members.get("text", b'""')), "")
        members["kind"] = msgspec.Raw(b'"text"')
        members["text"] = msgspec.Raw(_encode(said[: change.start] + change.put + said[change.start + change.drop :]))
        return _encode(members)
    things = _decoded(_raws, bytes(members.get("objects", b"[]")), [])
    moved = {*change.gone, *(_id(thing) for _, thing in change.put)}
    rest = iter([thing for thing in things if _id(thing) not in moved])
    out: list[msgspec.Raw] = []
    for place, thing in change.put:
        while len(out) < place and (kept := next(rest, None)) is not None:
            out.append(kept)
        out.append(thing)
    members["kind"] = msgspec.Raw(b'"objects"')
    members["objects"] = msgspec.Raw(_encode([*out, *rest]))
    return _encode(members)


def _id(thing: msgspec.Raw) -> str:
    return str(_decoded(_named, bytes(thing), _Named()).id)


def _decoded(decoder: Any, source: bytes, otherwise: Any) -> Any:
    """A draft may hold anything; what cannot be read as this counts as nothing."""
    try:
        return decoder.decode(source)
    except msgspec.DecodeError:
        return otherwise


def _wrong(place: str, detail: str) -> Problem:
    return invalid("draft-change", detail, place=place, remedy="Send the whole label.")
