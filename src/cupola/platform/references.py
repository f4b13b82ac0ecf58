"""Signed addresses on our own server for what is kept elsewhere; they hold the reference itself and need no look-up.

It is sealed: where an owner keeps an item, and what the folder there is called, is not for whoever looks at it. The
signature is the seal's nonce, as in SIV (Rogaway and Shrimpton 2006): the same address seals alike, another otherwise.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlencode

from cupola.kernel import clock
from cupola.kernel.errors import Problem, forbidden

PATH = "/references"
SEALED_BYTES = 128  # an address is sealed as if it were so long, or twice so long, …


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
    signed = _signature(key, url, until, media_type, owner, bound_to)
    query = {"e": str(until), "o": owner, "t": media_type, "u": _sealed(key, signed, url), "s": signed}
    return f"{PATH}?{urlencode(query, quote_via=quote)}"


def verify_reference(key: bytes, query: str, *, bound_to: str) -> Reference:
    """Raises Problem (FORBIDDEN) for what is false or expired."""
    try:
        given = {name: values[0] for name, values in parse_qs(query, max_num_fields=8).items()}
        until, media_type, owner = int(given["e"]), given.get("t", ""), given["o"]
        url = _opened(key, given["s"], given["u"])
    except (ValueError, KeyError):
        raise _refused() from None
    expected = _signature(key, url, until, media_type, owner, bound_to)
    if not hmac.compare_digest(expected.encode(), given.get("s", "").encode()) or clock.now().timestamp() > until:
        raise _refused()
    return Reference(url, media_type, owner)


def _signature(key: bytes, url: str, until: int, media_type: str, owner: str, bound_to: str) -> str:
    message = "\n".join(("v2", str(until), media_type, owner, bound_to, url)).encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def _sealed(key: bytes, nonce: str, url: str) -> str:
    plain = url.encode()
    plain += b"\0" * (-len(plain) % SEALED_BYTES)  # lengths tell folders apart too
    return urlsafe_b64encode(_mixed(key, nonce, plain)).rstrip(b"=").decode()


def _opened(key: bytes, nonce: str, sealed: str) -> str:
    """Raises ValueError for what is no seal as we write it; whether it is ours, the signature says."""
    mixed = urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    url = _mixed(key, nonce, mixed).rstrip(b"\0").decode()
    if _sealed(key, nonce, url) != sealed:
        raise ValueError("another would open to the same")
    return url


def _mixed(key: bytes, nonce: str, text: bytes) -> bytes:
    """The text with a stream of the key's (HMAC-SHA256 in counter mode); mixed twice it is as it was."""
    blocks = range(-(-len(text) // hashlib.sha256().digest_size))
    stream = b"".join(hmac.digest(key, f"seal\n{nonce}\n{n}".encode(), "sha256") for n in blocks)[: len(text)]
    return (int.from_bytes(text) ^ int.from_bytes(stream)).to_bytes(len(text))


def _refused() -> Problem:
    return forbidden("This link is not valid, or no longer.", remedy="Load the page again to get a fresh one.")
