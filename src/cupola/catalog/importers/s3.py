"""A prefix of an S3 bucket (or of a service that speaks S3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cupola.catalog import media
from cupola.catalog.found import Context, Entry, Found, Opened, check_ref, is_clutter, refused
from cupola.catalog.importers.s3_http import Bucket, Keys
from cupola.catalog.media.base import too_large
from cupola.kernel import limits
from cupola.kernel.errors import Kind, Problem, invalid
from cupola.platform.net import parse_url

_url = re.compile(r"s3://([A-Za-z0-9][A-Za-z0-9._-]{1,254})(?:/(.*))?\Z", re.DOTALL)
_region = re.compile(r"[a-z0-9-]{1,40}\Z")
_settings = ("region", "access_key_id", "secret_access_key", "session_token", "endpoint")


def s3(source: Mapping[str, Any], context: Context, cursor: str | None) -> Iterator[Entry]:
    """{"type": "s3", "url": "s3://bucket/prefix", "region"?, "access_key_id"?, "secret_access_key"?, "endpoint"?}.

    The reference is the key below the prefix. Without keys the bucket is read as the public would: the server's own
    credentials are never lent to a tenant. Raises Problem: INVALID, UNAVAILABLE.
    """
    bucket, prefix = _open(source, context)
    context.open_files.callback(bucket.close)
    for one in bucket.list(prefix, None if cursor is None else prefix + cursor):
        key = one.key.removeprefix(prefix)
        if key and not key.endswith("/") and not is_clutter(tuple(key.split("/"))):
            yield _entry(bucket, one.key, key, one.size_bytes)


def _open(source: Mapping[str, Any], context: Context) -> tuple[Bucket, str]:
    url = source.get("url")
    named = _url.match(url) if isinstance(url, str) else None
    if named is None:
        raise invalid("s3-url", "That is no s3:// URL.", place="/source/url", remedy="Write s3://bucket/prefix.")
    given = {name: source[name] for name in _settings if source.get(name)}
    for name, value in given.items():
        if not isinstance(value, str):
            raise invalid("s3-setting", "This setting is no text.", place=f"/source/{name}", remedy="Send a text.")
    region = given.setdefault("region", "us-east-1")
    if not _region.match(region):
        raise invalid(
            "s3-setting", f"{region!r} is no region.", place="/source/region", remedy="Write it like eu-west-1."
        )
    # Always said outright: what the server's own environment holds for its own bucket must not leak in here.
    endpoint = given.setdefault("endpoint", f"https://s3.{region}.amazonaws.com")
    _, host, _ = parse_url(endpoint)
    if "endpoint" in source and not context.guard.trusts(host):
        # Names are looked up as it is asked, so a name that is merely public now cannot be pinned.
        raise Problem(
            Kind.FORBIDDEN,
            "s3-endpoint",
            f"The endpoint {host!r} is not open to imports.",
            place="/source/endpoint",
            remedy="Ask the operator to name it in CUPOLA_ALLOWED_HOSTS.",
        )
    if "access_key_id" in given and "secret_access_key" not in given:
        raise invalid(
            "s3-setting",
            "There is an access key without its secret.",
            place="/source/secret_access_key",
            remedy="Send both, or neither for a public bucket.",
        )
    keys = None
    if "access_key_id" in given:
        keys = Keys(given["access_key_id"], given["secret_access_key"], given.get("session_token", ""))
    prefix = (named.group(2) or "").strip("/")  # any text, as keys are
    bucket = Bucket(endpoint, named.group(1), region, keys, context.guard, timeout_s=limits.FETCH_TIMEOUT_S)
    return bucket, prefix + "/" if prefix else ""


def _entry(bucket: Bucket, whole: str, key: str, size_bytes: int) -> Entry:
    try:
        check_ref(key)
        if size_bytes > media.most_bytes():
            raise too_large(size_bytes, media.most_bytes())
    except Problem as problem:
        return refused(problem, key, key, key)
    return Found(key, key, key, read=lambda: _read(bucket, whole))


def _read(bucket: Bucket, key: str) -> Opened:
    announced, chunks = bucket.get(key)
    return Opened(chunks, announced)
