"""Just enough of S3's HTTP interface to read a bucket: list and get, signed (AWS Signature Version 4) or as the public.

A general client of object stores takes keys for paths and gives up on a whole listing where one key is none ("a//b");
here a key is any text, as S3 has it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, unquote_plus, urlsplit
from xml.etree import ElementTree

from cupola.kernel import clock
from cupola.kernel.errors import Kind, Problem, invalid
from cupola.platform.net import Guard
from cupola.platform.net_blocking import BlockingClient, Reply, Unreachable

PART_BYTES = 1024 * 1024
MAX_PAGE_BYTES = 16 * 1024 * 1024
TRIES = 3
_EMPTY = hashlib.sha256(b"").hexdigest()
_UNRESERVED = "-_.~"


@dataclass(frozen=True, slots=True)
class Keys:
    """Whose signature requests carry."""

    access_key_id: str
    secret_access_key: str
    session_token: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    key: str
    size_bytes: int


class Bucket:
    """One bucket behind an endpoint. Blocking, safe to use from several threads; close it when done."""

    def __init__(
        self, endpoint: str, bucket: str, region: str, keys: Keys | None, guard: Guard, *, timeout_s: float
    ) -> None:
        parts = urlsplit(endpoint)
        # AWS wants the bucket in the host's name; a name with dots would not fit its certificate, and others serve
        # buckets as paths.
        virtual = parts.netloc.endswith(".amazonaws.com") and "." not in bucket
        base = f"{parts.scheme}://{bucket}.{parts.netloc}" if virtual else f"{parts.scheme}://{parts.netloc}"
        self._root = "/" if virtual else f"{parts.path.rstrip('/')}/{quote(bucket, safe=_UNRESERVED)}/"
        self._region, self._keys = region, keys
        self._http = BlockingClient(base, guard, timeout_s=timeout_s)

    def close(self) -> None:
        self._http.close()

    def list(self, prefix: str, after: str | None) -> Iterator[Listed]:
        """The keys that begin with `prefix` and follow `after`, in order. Raises Problem (UNAVAILABLE)."""
        token = ""
        while True:
            query = {"list-type": "2", "encoding-type": "url", "max-keys": "1000", "prefix": prefix}
            if token:
                query["continuation-token"] = token
            elif after is not None:
                query["start-after"] = after
            page = self._page(query)
            for one in page.findall("{*}Contents"):
                key, size = one.findtext("{*}Key"), one.findtext("{*}Size")
                if key is not None:
                    yield Listed(unquote_plus(key), int(size or 0))
            token = page.findtext("{*}NextContinuationToken") or ""
            if not token:
                return

    def get(self, key: str) -> tuple[str, Iterator[bytes]]:
        """(media type, content in parts) of one object. Raises Problem: INVALID when it is gone, UNAVAILABLE."""
        reply = self._ask(self._root + quote(key, safe=_UNRESERVED + "/"), {})
        if reply.status == 404:
            reply.close()
            raise invalid("file-absent", "The object is gone since it was listed.", remedy="Import again.")
        if reply.status == 403:
            said = _complaint(reply)
            raise invalid("file-unreadable", f"The bucket refuses this object: {said}", remedy="Let it be read.")
        if reply.status != 200:
            raise unreachable(_complaint(reply))
        return reply.headers.get("content-type", "").partition(";")[0].strip().lower(), _parts(reply)

    def _page(self, query: dict[str, str]) -> ElementTree.Element:
        for attempt in range(1, TRIES + 1):
            try:
                reply = self._ask(self._root, query)
                if reply.status == 200:
                    return _xml(_whole(reply))
                if reply.status < 500:
                    raise unreachable(_complaint(reply))
                reply.close()
            except (Unreachable, ElementTree.ParseError) as error:
                if attempt == TRIES:
                    raise unreachable(str(error)) from None
        raise unreachable("it answers with errors of its own")

    def _ask(self, path: str, query: dict[str, str]) -> Reply:
        text = "&".join(f"{quote(k, safe=_UNRESERVED)}={quote(v, safe=_UNRESERVED)}" for k, v in sorted(query.items()))
        headers = {"x-amz-content-sha256": _EMPTY}
        if self._keys is not None:
            self._sign(headers, self._keys, path, text, clock.now())
        try:
            return self._http.get(path + (f"?{text}" if text else ""), headers)
        except Unreachable as error:
            if query:
                raise
            raise unreachable(str(error)) from None

    def _sign(self, headers: dict[str, str], keys: Keys, path: str, query: str, now: datetime) -> None:
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        headers["x-amz-date"] = stamp
        if keys.session_token:
            headers["x-amz-security-token"] = keys.session_token
        signed = dict(sorted({**headers, "host": self._http.host}.items()))
        names = ";".join(signed)
        told = "".join(f"{name}:{value}\n" for name, value in signed.items())
        asked = "\n".join(("GET", path, query, told, names, _EMPTY))
        scope = f"{day}/{self._region}/s3/aws4_request"
        text = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(asked.encode()).hexdigest()))
        key = b"AWS4" + keys.secret_access_key.encode()
        for part in (day, self._region, "s3", "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={keys.access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
        )


def _parts(reply: Reply) -> Iterator[bytes]:
    try:
        # As stored: what the object says of its encoding is not undone, as other clients of S3 do not.
        yield from reply.parts(PART_BYTES)
    except Unreachable as error:
        raise unreachable(str(error)) from None


def _whole(reply: Reply) -> bytes:
    out = bytearray()
    for part in reply.parts(PART_BYTES):
        out += part
        if len(out) > MAX_PAGE_BYTES:
            reply.close()
            raise Unreachable("its answer is too large")
    return bytes(out)


def _xml(data: bytes) -> ElementTree.Element:
    # expat itself stops what swells, the size is bounded, and the endpoint is one that was allowed.
    return ElementTree.fromstring(data)  # noqa: S314


def _complaint(reply: Reply) -> str:
    """What the store said, from its XML: "NoSuchBucket: The specified bucket does not exist"."""
    try:
        told = _xml(_whole(reply))
        words = [told.findtext("{*}Code") or "", told.findtext("{*}Message") or ""]
        said = ": ".join(word for word in words if word)
    except (ElementTree.ParseError, Unreachable):
        said = ""
    return (said or f"it answers {reply.status}")[:300]


def unreachable(why: str) -> Problem:
    """The source as a whole cannot be read now."""
    return Problem(
        Kind.UNAVAILABLE,
        "s3-unreachable",
        f"The bucket cannot be read: {why[:300]}",
        remedy="Check its name, region, endpoint and keys, then resume the import.",
    )
