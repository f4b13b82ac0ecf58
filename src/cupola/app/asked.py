"""What a request may ask: words that its address knows, each once, and numbers as they are written.

A word that is passed over lists too much, and of two that contradict each other one would be dropped without a word.
One rule for every operation of the API; what other people's clients speak has rules of its own (`compat`).
"""

from __future__ import annotations

import re
import types
from typing import Any, Union, get_args, get_origin

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from cupola.kernel.errors import invalid
from cupola.kernel.members import each_once

# read from the request itself: the organisation (an EventSource sends no headers), the place in the stream
EVERYWHERE = frozenset({"tenant"})
READ_ELSEWHERE: dict[str, frozenset[str]] = {"/api/events": frozenset({"last_event_id"})}
# other people's clients have their own table
SIGNED = "blobs"  # the tag of signed addresses, which are checked whole, signature included
OWN_RULES = ("/v1/", "/v2/", "//v1/", "//v2/")
_WHOLE = re.compile(r"-?[0-9]+\Z")


class _Known:
    """The words of one operation."""

    def __init__(self, route: APIRoute) -> None:
        self.several: set[str] = set()
        self.whole: set[str] = set()
        self.names: set[str] = set(READ_ELSEWHERE.get(route.path, ()))
        self._add(route.dependant)

    def _add(self, dependant: Dependant) -> None:
        for field in dependant.query_params:
            self.names.add(field.alias)
            held = _plain(field.field_info.annotation)
            if get_origin(held) in (list, set, tuple):
                self.several.add(field.alias)
            elif held is int:
                self.whole.add(field.alias)
        for inner in dependant.dependencies:
            self._add(inner)


def _plain(annotation: Any) -> Any:
    """The type of a parameter without the None that stands for its absence."""
    if get_origin(annotation) in (Union, types.UnionType):
        found = [one for one in get_args(annotation) if one is not type(None)]
        return _plain(found[0]) if len(found) == 1 else annotation
    return annotation


_seen: dict[int, tuple[APIRoute, _Known]] = {}  # by identity: routes have no hash; kept with them, so that none recurs


def _known(route: APIRoute) -> _Known:
    if id(route) not in _seen:
        _seen[id(route)] = route, _Known(route)
    return _seen[id(route)][1]


async def plainly(request: Request) -> None:
    """A dependency of every operation. Raises Problem (INVALID) "query-unknown", "query-twice", "query-invalid", and
    "member-twice" for a body that was read as JSON."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or route.path.startswith(OWN_RULES) or SIGNED in route.tags:
        return
    if request.scope["query_string"]:
        _check(request, _known(route))
    if route.body_field is not None:
        kept = await request.body()  # read already, to be decoded
        if b"{" in kept[:1024] and "form" not in request.headers.get("content-type", ""):
            each_once(kept)


def _check(request: Request, known: _Known) -> None:
    seen: set[str] = set()
    for name, value in request.query_params.multi_items():
        place = f"?{name[:60]}"
        if name not in known.names and name not in EVERYWHERE:
            there = ", ".join(sorted(known.names))
            raise invalid(
                "query-unknown",
                f"{name[:60]!r} is no parameter of this address.",
                place=place,
                remedy=f"It knows {there}." if there else "It knows none.",
            )
        if name in seen and name not in known.several:
            raise invalid("query-twice", f"{name[:60]!r} is given more than once.", place=place, remedy="Give it once.")
        if name in known.whole and not _WHOLE.match(value):
            raise invalid(
                "query-invalid",
                f"{value[:60]!r} is no whole number.",
                place=place,
                remedy="Write it in the digits 0 to 9.",
            )
        seen.add(name)
