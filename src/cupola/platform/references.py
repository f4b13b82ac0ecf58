"""Signed addresses on our own server for what is kept elsewhere; they hold the reference itself and need no look-up."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlencode

from cupola.kernel import clock
from cupola.kernel.errors import Problem, forbidden

PATH = "/references"


@dataclass(frozen=True, slots=True)
class Reference:
    """What a verified signature allows: to fetch this, and what it promises to be. owner: whose item it is."""

    url: str
    media_type: str
    owner: str


def sign_reference(key: bytes, url: str, *, media_type: str, owner: str, bound_to: str, expires_s: int) -> str:
    """Path and query that fetch `url` through us until it expires. owner: whose item; bound_to: who must ask.

    The expiry is rounded up to a tenth of the lifetime, so that a list asked for twice gives the same address.
    """
    step = max(1, expires_s // 10)
    until = (int(clock.now().timestamp()) // step + 11) * step
    query = {"e": str(until), "o": owner, "t": media_type, "u": url}
    query["s"] = _signature(key, url, until, media_type, owner, bound_to)
    return f"{PATH}?{urlencode(query, quote_via=quote)}"


def verify_reference(key: bytes, query: str, *, bound_to: str) -> Reference:
    """Raises Problem (FORBIDDEN) for what is false or expired."""
    try:
        given = {name: values[0] for name, values in parse_qs(query, max_num_fields=8).items()}
        url, until, media_type, owner = given["u"], int(given["e"]), given.get("t", ""), given["o"]
    except (ValueError, KeyError):
        raise _refused() from None
    expected = _signature(key, url, until, media_type, owner, bound_to)
    if not hmac.compare_digest(expected.encode(), given.get("s", "").encode()) or clock.now().timestamp() > until:
        raise _refused()
    return Reference(url, media_type, owner)


def _signature(key: bytes, url: str, until: int, media_type: str, owner: str, bound_to: str) -> str:
    message = "\n".join(("v2", str(until), media_type, owner, bound_to, url)).encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def _refused() -> Problem:
    return forbidden("This link is not valid, or no longer.", remedy="Load the page again to get a fresh one.")
