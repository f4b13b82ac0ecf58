"""Who sends a request: an API key, a contributor's token, or a signed-in person's cookie."""

from __future__ import annotations

import base64
import binascii
import hmac
from uuid import UUID

from fastapi import Request

from cupola.identity import recognise, service
from cupola.identity.recognise import Signed
from cupola.kernel.errors import Kind, Problem, invalid, not_found
from cupola.platform.runtime import Runtime
from cupola.platform.web import Principal

COOKIE = "cupola_session"
CSRF_HEADER = "X-CSRF-Token"
TENANT_HEADER = "Cupola-Tenant"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


async def authenticate(runtime: Runtime, request: Request) -> Principal:
    """Recognise the sender of a request.

    Raises Problem: UNAUTHENTICATED; FORBIDDEN "csrf" for a person's unsafe request without its token; NOT_FOUND for a
    named tenant that is not theirs.
    """
    header = request.headers.get("authorization")
    if header is not None:
        return await _by_header(runtime, request, header)
    signed = await signed_in(runtime, request)
    chosen = service.tenant_chosen(signed.tenants, _tenant_named(request))
    return Principal(
        f"person:{signed.person}",
        person=signed.person,
        tenant=chosen.id if chosen else None,
        role=chosen.role if chosen else None,
        world=chosen.world if chosen else "live",
        operator=signed.session.operator,
        contributor=signed.session.contributor,
    )


async def signed_in(runtime: Runtime, request: Request) -> Signed:
    """The session of the request's cookie. Raises Problem: UNAUTHENTICATED, FORBIDDEN "csrf"."""
    signed = await recognise.session(runtime, request.cookies.get(COOKIE, ""))
    if signed is None:
        raise Problem(
            Kind.UNAUTHENTICATED,
            "unauthenticated",
            "This address needs somebody who is signed in, or a key.",
            remedy="Sign in, or send an API key as `Authorization: Bearer cup_…`.",
        )
    if request.method not in _SAFE:
        given = request.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(given.encode(), signed.csrf.encode()):
            raise Problem(
                Kind.FORBIDDEN,
                "csrf",
                f"The header {CSRF_HEADER} is missing or is not this session's.",
                remedy="Send `csrf` of GET /api/session in that header.",
                place=f"header {CSRF_HEADER}",
            )
    return signed


async def _by_header(runtime: Runtime, request: Request, header: str) -> Principal:
    scheme, _, value = header.partition(" ")
    text = value.strip()
    if scheme.lower() == "basic":
        text = _basic_user(text)  # some clients send the key as the user of HTTP Basic
    elif scheme.lower() != "bearer":
        text = ""
    found = await recognise.key(runtime, text) or await recognise.person_token(runtime, text)
    if found is None:
        raise Problem(
            Kind.UNAUTHENTICATED,
            "key-unknown",
            "This key or token is unknown or was revoked.",
            remedy="Check that it was copied whole, or make a new one.",
        )
    named = _tenant_named(request)
    if named is not None and named != found.tenant:
        raise not_found("tenant")
    return found


def _basic_user(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _tenant_named(request: Request) -> UUID | None:
    text = request.headers.get(TENANT_HEADER) or request.query_params.get("tenant")
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise invalid(
            "tenant-malformed",
            f"{text[:60]!r} is no tenant's identifier.",
            place=f"header {TENANT_HEADER}",
            remedy="Send one of the ids of `tenants` of GET /api/session.",
        ) from None
