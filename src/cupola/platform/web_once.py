"""Idempotent POSTs that make secrets: see `platform.once` for why they need a way of their own."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request, Response

from cupola.kernel import clock
from cupola.kernel.errors import conflict
from cupola.platform import store
from cupola.platform.once import Once
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.web import Member, Principal, idempotency_key, reply, runtime


def _seed(request: Request, scope: str, key: str, asked: bytes) -> bytes:
    secret = runtime(request).settings.derive("idempotent secrets")
    return hmac.new(secret, f"{scope}\0{key}\0".encode() + asked, hashlib.sha256).digest()


async def _asked(request: Request) -> bytes:
    content = await request.body()
    return hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode() + content).digest()


async def once(request: Request, who: Principal) -> Once:
    """For POSTs that act for no tenant. There is no row to keep the key in, so the key and the request together name
    the request: the same key with another body is another request."""
    key = idempotency_key(request)
    if key is None:
        return Once()
    return Once(_seed(request, who.name, key, await _asked(request)))


async def post_secret(
    request: Request, who: Member, work: Callable[[Conn, Once], Awaitable[Any]], *, status: int = 201
) -> Response:
    """Like `web.post` for work that makes secrets; `work` must find its own row when `Once.again` is set.

    Raises Problem (CONFLICT) for a key that was used for another request.
    """
    key = idempotency_key(request)
    made = Once()
    # read before the transaction: a slow client must not hold one open
    asked = await _asked(request) if key is not None else b""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        if key is not None:
            named = {"tenant": who.tenant, "principal": who.name, "key": key}
            fresh = await store.KEY_TAKE.run(conn, **named, request_hash=asked, at=clock.now())
            if not fresh:
                kept = await store.KEY_KEPT.maybe(conn, **named)
                if kept is None or kept.request_hash != asked:
                    raise conflict(
                        "idempotency-key-reused",
                        "This Idempotency-Key was used for another request.",
                        remedy="Use a new key for a new request; the same key only repeats the same one.",
                    )
            made = Once(_seed(request, f"{who.tenant}/{who.name}", key, asked), again=not fresh)
        answer = await work(conn, made)
    return reply(answer, status)
