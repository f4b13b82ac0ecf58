"""A prefix of an S3 bucket (or of a service that speaks S3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore import exceptions as trouble
from obstore.store import S3Store

from cupola.catalog.found import Context, Entry, Found, check_ref, is_clutter, refused, too_large
from cupola.kernel import limits
from cupola.kernel.errors import Kind, Problem, invalid
from cupola.platform.net import parse_url

_region = re.compile(r"[a-z0-9-]{1,40}\Z")
_settings = ("region", "access_key_id", "secret_access_key", "session_token", "endpoint")


def s3(source: Mapping[str, Any], context: Context, cursor: str | None) -> Iterator[Entry]:
    """{"type": "s3", "url": "s3://bucket/prefix", "region"?, "access_key_id"?, "secret_access_key"?, "endpoint"?}.

    The reference is the key below the prefix. Without keys the bucket is read as the public would: the server's own
    credentials are never lent to a tenant. Raises Problem: INVALID, UNAVAILABLE.
    """
    store = _open(source, context)
    try:
        for batch in obstore.list(store, offset=cursor, chunk_size=1_000):
            for meta in sorted(batch, key=lambda row: row["path"]):
                key = meta["path"]
                if not key.endswith("/") and not is_clutter(tuple(key.split("/"))):
                    yield _entry(store, key, meta["size"])
    except (trouble.BaseError, OSError) as error:
        raise _unreachable(error) from None


def _open(source: Mapping[str, Any], context: Context) -> S3Store:
    url = source.get("url")
    if not isinstance(url, str) or urlsplit(url).scheme != "s3" or not urlsplit(url).netloc:
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
    options: Any = {"timeout": timedelta(seconds=limits.FETCH_TIMEOUT_S), "connect_timeout": timedelta(seconds=5)}
    # Always said outright: what the server's own environment holds for its own bucket must not leak in here.
    endpoint = given.setdefault("endpoint", f"https://s3.{region}.amazonaws.com")
    scheme, host, _ = parse_url(endpoint)
    if "endpoint" in source and not context.guard.trusts(host):
        # obstore looks names up by itself, so a name that is merely public now cannot be pinned.
        raise Problem(
            Kind.FORBIDDEN,
            "s3-endpoint",
            f"The endpoint {host!r} is not open to imports.",
            place="/source/endpoint",
            remedy="Ask the operator to name it in CUPOLA_ALLOWED_HOSTS.",
        )
    if scheme == "http":
        options["allow_http"] = True
    settings: Any = given
    if "access_key_id" not in given:
        settings = {**given, "skip_signature": True}
    retry: Any = {"max_retries": 2, "retry_timeout": timedelta(seconds=15)}
    try:
        return S3Store.from_url(url, client_options=options, retry_config=retry, **settings)
    except (trouble.BaseError, ValueError) as error:
        raise invalid("s3-url", f"The bucket cannot be opened: {error}.", place="/source", remedy="Check it.") from None


def _entry(store: S3Store, key: str, size_bytes: int) -> Entry:
    try:
        check_ref(key)
        if size_bytes > limits.MAX_IMAGE_BYTES:
            raise too_large(size_bytes, limits.MAX_IMAGE_BYTES)
    except Problem as problem:
        return refused(problem, key, key, key)
    return Found(key, key, key, read=lambda: _read(store, key))


def _read(store: S3Store, key: str) -> bytes:
    try:
        return bytes(obstore.get(store, key).bytes())
    except (FileNotFoundError, trouble.NotFoundError):
        raise invalid("file-absent", "The object is gone since it was listed.", remedy="Import again.") from None
    except (trouble.BaseError, OSError) as error:
        raise _unreachable(error) from None


def _unreachable(error: Exception) -> Problem:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
    return Problem(
        Kind.UNAVAILABLE,
        "s3-unreachable",
        f"The bucket cannot be read: {first}",
        remedy="Check its name, region, endpoint and keys, then resume the import.",
    )
