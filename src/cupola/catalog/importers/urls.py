"""A list of URLs. They are fetched under the guard, with limits on size, time and redirects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cupola.catalog.addresses import encoded
from cupola.catalog.found import Context, Entry, Found, check_ref, refused
from cupola.kernel.errors import Problem, invalid
from cupola.platform.net import check_literal

MAX_URLS = 100_000


def urls(source: Mapping[str, Any], context: Context, cursor: str | None) -> Iterator[Entry]:
    """{"type": "urls", "urls": ["https://…", …]}: the reference is the URL itself, as it was written."""
    listed = source.get("urls")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MAX_URLS or not all(isinstance(u, str) for u in listed):
        raise invalid(
            "urls-invalid",
            f"`urls` is not a list of 1 to {MAX_URLS} URLs.",
            place="/source/urls",
            remedy="Send a list of texts.",
        )
    for number, given in enumerate(listed[int(cursor) if cursor else 0 :], int(cursor) + 1 if cursor else 1):
        try:
            url = encoded(given)
            check_literal(url, context.guard)
            check_ref(given)
        except Problem as problem:
            yield refused(problem, given, f"/source/urls/{number - 1}", str(number))
        else:
            yield Found(given, f"/source/urls/{number - 1}", str(number), url=url)
