"""Requests and answers as the clients write them: who asks, bodies, queries, times, tokens, errors."""

from __future__ import annotations

import urllib.parse
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from fastapi import Request, Response

from cupola.kernel import limits
from cupola.kernel.errors import Kind, Problem, invalid, not_found
from cupola.kernel.members import each_once
from cupola.platform.pg.tx import Conn
from cupola.platform.runtime import Runtime
from cupola.platform.web import decode_cursor, encode_cursor

V1_STATUS = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 401,  # its clients know no 403
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 400,
    Kind.UNSUPPORTED: 400,
    Kind.TOO_MANY: 429,
    Kind.UNAVAILABLE: 503,
}
MAX_DEPTH = limits.MAX_JSON_DEPTH
MAX_METADATA_BYTES = 64 * 1024


@dataclass(slots=True)
class Call:
    """One request of a client: `tenant` is its world, `path` the names in the address."""

    request: Request
    run: Runtime
    tenant: UUID
    world: str
    principal: str
    version: int
    path: dict[str, str]
    body: bytes
    _query: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        raw = self.request.scope.get("query_string", b"").decode("latin-1")
        told = urllib.parse.parse_qsl(raw, keep_blank_values=True, max_num_fields=1_000, errors="strict")
        for name, value in told:
            self._query.setdefault(name.removesuffix("[]"), []).append(value)  # some write lists as tags[]=

    # ------------------------------------------------------------ the query
    def several(self, name: str) -> list[str]:
        """All values of a repeated parameter; each without U+0000."""
        found = self._query.get(name, [])
        for value in found:
            if "\0" in value or len(value) > 8_000:
                raise invalid("query-invalid", f"{name}: is no value that can be looked for", place=name)
        return found

    def only(self, known: frozenset[str]) -> None:
        """Refuse a query that asks for what this list cannot: passing over a filter would list too much."""
        for name in self._query:
            if name not in known:
                raise invalid(
                    "query-unknown",
                    f"{name[:100]}: is no filter of this list; there are {', '.join(sorted(known))}",
                    place=name[:100],
                )

    def one(self, name: str) -> str | None:
        """The last value of a parameter; None where it is absent or empty."""
        found = self.several(name)
        return (found[-1] or None) if found else None

    def flag(self, name: str) -> bool | None:
        """true, True, 1 and their opposites."""
        value = self.one(name)
        if value is None:
            return None
        if value.strip().lower() in ("true", "1"):
            return True
        if value.strip().lower() in ("false", "0"):
            return False
        raise invalid("query-invalid", f"{name}: must be true or false", place=name)

    def whole(self, name: str, low: int, high: int) -> int | None:
        value = self.one(name)
        if value is None:
            return None
        value = value.strip()  # a `+` before it arrives as a space
        if not value.isascii() or not value.lstrip("-").isdigit() or len(value) > 18 or not low <= int(value) <= high:
            raise invalid("query-invalid", f"{name}: must be a whole number from {low} to {high}", place=name)
        return int(value)

    def limit(self) -> int:
        return self.whole("limit", 1, limits.MAX_LIST) or limits.MAX_LIST

    def span(self, after: str, before: str) -> tuple[datetime | None, datetime | None]:
        return self.time(after), self.time(before)

    def time(self, name: str) -> datetime | None:
        value = self.one(name)
        return None if value is None else read_time(value, name)

    def token(self, types: type[Any]) -> Any:
        """What our token of the page before stands for, or None at the beginning."""
        value = self.one("next_token")
        if value is None:
            return None
        try:
            return decode_cursor(value, types)
        except Problem as problem:
            raise invalid("token-unknown", "next_token: is not one of ours", place="next_token") from problem

    # ------------------------------------------------------------ the body
    def value(self, empty: Any) -> Any:
        """The body as JSON; nothing at all stands for `empty`. Raises Problem (INVALID)."""
        return read_json(self.body) if self.body.strip() else empty

    def object(self) -> dict[str, Any]:
        found = self.value({})
        if not isinstance(found, dict):
            raise invalid("body-invalid", "The body must be a JSON object.", place="body")
        return found

    def id(self, name: str, what: str) -> UUID:
        """An identifier in the address. Raises Problem (NOT_FOUND) for one that cannot be one."""
        return read_id(self.path[name], what)


def read_id(text: object, what: str) -> UUID:
    """Raises Problem (NOT_FOUND) for what cannot be an identifier of ours."""
    try:
        return UUID(text) if isinstance(text, str) and len(text) <= 40 else _no(what)
    except ValueError:
        return _no(what)


def _no(what: str) -> UUID:
    raise not_found(what)


def read_json(body: bytes) -> Any:
    """JSON that can be stored: no NaN, no lone surrogates, no U+0000, not too deep, integers of 64 bits."""
    try:
        value = msgspec.json.decode(body)
        each_once(body)
        if b"\\u0000" in body and _has_nul(value):
            raise invalid("body-invalid", "The body holds U+0000.", place="body", remedy="Remove that character.")
        if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
            _check_depth(value)
        msgspec.json.encode(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError, ValueError) as error:
        raise invalid(
            "body-invalid", f"The body is no JSON that can be read: {str(error)[:200]}.", place="body"
        ) from error
    return value


def _has_nul(value: Any) -> bool:
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, str):
            if "\0" in one:
                return True
        elif isinstance(one, dict):
            stack.extend(one)
            stack.extend(one.values())
        elif isinstance(one, list):
            stack.extend(one)
    return False


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise invalid("body-too-deep", f"The body is nested more than {MAX_DEPTH} deep.", place="body")


def metadata_text(value: Any, place: str = "metadata") -> str:
    """Metadata as JSON text. Raises Problem (INVALID)."""
    if value is None:
        return "{}"
    if not isinstance(value, dict):
        raise invalid("parameter-invalid", f"{place}: must be an object", place=place)
    text = msgspec.json.encode(value).decode()
    if len(text) > MAX_METADATA_BYTES:
        raise invalid("parameter-invalid", f"{place}: has more than {MAX_METADATA_BYTES} bytes", place=place)
    return text


def read_time(text: str, place: str) -> datetime:
    """A date, or a time with or without a zone (UTC then)."""
    written = text.strip().upper()  # RFC 3339 knows a small t and z as well
    try:
        found = datetime.fromisoformat(written if "T" in written else written.replace(" ", "T"))
    except ValueError:
        # a `+` of a zone that was not escaped arrives as a space
        try:
            found = datetime.fromisoformat(written[::-1].replace(" ", "+", 1)[::-1])
        except ValueError as error:
            raise invalid(
                "time-invalid",
                f"{place}: {text[:60]!r} is no date or time",
                place=place,
                remedy="Write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS.mmmZ.",
            ) from error
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError as error:
        raise invalid("time-invalid", f"{place}: lies outside of the calendar", place=place) from error


def shown_time(at: datetime) -> str:
    """YYYY-MM-DDTHH:MM:SS.mmmZ"""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def shown_token(key: Any) -> str:
    return encode_cursor(key)


def answer(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def refusal(status: int, error: str) -> Response:
    headers = {"Retry-After": "2"} if status in (429, 503) else None
    return Response(
        msgspec.json.encode({"status_code": status, "error": error}), status, headers, media_type="application/json"
    )


def refused(problem: Problem) -> Response:
    """A problem in the clients' words."""
    text = f"{problem.detail} {problem.remedy}".strip()
    return refusal(V1_STATUS[problem.kind], text)


__all__ = ["Call", "Conn", "answer", "metadata_text", "read_id", "read_json", "read_time", "refusal", "refused",
           "shown_time", "shown_token"]  # fmt: skip
