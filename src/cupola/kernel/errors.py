"""Errors that say what happened, where, and what to do next.

They carry no HTTP: `app.http` maps a `Kind` to a status code, the command line maps it to an exit code.
"""

from __future__ import annotations

from enum import Enum
from typing import Any


class Kind(Enum):
    """What sort of trouble it is."""

    INVALID = "invalid"  # the request itself is wrong; mend it and send it again
    UNAUTHENTICATED = "unauthenticated"  # we do not know who asks
    FORBIDDEN = "forbidden"  # we know who asks, the role does not include this verb
    NOT_FOUND = "not-found"  # absent, or somebody else's: the two look the same
    CONFLICT = "conflict"  # right in itself, but not in the present state
    TOO_LARGE = "too-large"
    UNSUPPORTED = "unsupported"
    TOO_MANY = "too-many"
    UNAVAILABLE = "unavailable"  # ours to mend; try again


class Problem(Exception):
    """A refusal that a person or a program can act on.

    code: a stable word for programs ("assignment-expired"); detail: what happened, in one sentence;
    remedy: what to do next; place: where in the input ("/objects/2/box"); extra: further facts for programs.
    """

    def __init__(self, kind: Kind, code: str, detail: str, *, remedy: str = "", place: str = "", **extra: Any) -> None:
        super().__init__(detail)
        self.kind = kind
        self.code = code
        self.detail = detail
        self.remedy = remedy
        self.place = place
        self.extra = extra

    def __reduce__(self) -> tuple[Any, ...]:
        """So that a problem of a worker process arrives as what it was."""
        return _again, (self.kind, self.code, self.detail, self.remedy, self.place, self.extra)


def _again(kind: Kind, code: str, detail: str, remedy: str, place: str, extra: dict[str, Any]) -> Problem:
    return Problem(kind, code, detail, remedy=remedy, place=place, **extra)


def invalid(code: str, detail: str, *, remedy: str = "", place: str = "", **extra: Any) -> Problem:
    return Problem(Kind.INVALID, code, detail, remedy=remedy, place=place, **extra)


def not_found(what: str) -> Problem:
    """The one answer for what is absent and for what belongs to somebody else."""
    return Problem(
        Kind.NOT_FOUND, "not-found", f"There is no such {what}.", remedy="Check the identifier and the key you use."
    )


def conflict(code: str, detail: str, *, remedy: str = "", **extra: Any) -> Problem:
    return Problem(Kind.CONFLICT, code, detail, remedy=remedy, **extra)


def forbidden(detail: str, *, remedy: str = "") -> Problem:
    return Problem(Kind.FORBIDDEN, "forbidden", detail, remedy=remedy)


def unavailable(code: str, detail: str, *, retry_after_s: int = 2) -> Problem:
    return Problem(
        Kind.UNAVAILABLE,
        code,
        detail,
        remedy=f"Nothing acknowledged is lost. Try again in {retry_after_s} s.",
        retry_after_s=retry_after_s,
    )


def unforeseen(error: BaseException) -> str:
    """One sentence about an exception that nobody expected: for whoever waits; the log has the rest."""
    told = (str(error).strip().splitlines() or [""])[0][:300]
    return f"Something unforeseen stopped this ({type(error).__name__}{': ' + told if told else ''})."
