"""Who sends a request: an API key, a contributor's token, or a signed-in person's cookie.

A small cache keeps the look-up off the hot path. A revocation in this process counts at once, one in another process
within `KNOWN_FOR_S`.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from fastapi import Request

from cupola.identity import credentials, model, service, store
from cupola.identity.model import Person, Session, TenantOfPerson
from cupola.kernel import clock
from cupola.kernel.errors import Kind, Problem, invalid, not_found
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from cupola.platform.web import Principal

COOKIE = "cupola_session"
CSRF_HEADER = "X-CSRF-Token"
TENANT_HEADER = "Cupola-Tenant"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
KNOWN_FOR_S = 5.0
MAX_KNOWN = 20_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Signed:
    """A session that was found: who it is, and what an unsafe request must present."""

    person: UUID
    csrf: str
    session: Session

    @property
    def tenants(self) -> list[TenantOfPerson]:
        return self.session.tenants


class Known(Generic[T]):
    """What was looked up lately, by (instance, hash of the secret); bounded, the oldest leave first.

    The instance is part of the name so that two instances in one process never know each other's secrets.
    """

    def __init__(self) -> None:
        self._rows: OrderedDict[tuple[bytes, bytes], tuple[float, str, T]] = OrderedDict()

    def get(self, runtime: Runtime, digest: bytes) -> T | None:
        row = self._rows.get((runtime.settings.secret, digest))
        return row[2] if row is not None and clock.monotonic_s() - row[0] < KNOWN_FOR_S else None

    def put(self, runtime: Runtime, digest: bytes, holder: str, value: T) -> T:
        name = (runtime.settings.secret, digest)
        self._rows[name] = (clock.monotonic_s(), holder, value)
        self._rows.move_to_end(name)
        while len(self._rows) > MAX_KNOWN:
            self._rows.popitem(last=False)
        return value

    def forget(self, holder: str) -> None:
        for name in [name for name, row in self._rows.items() if row[1] == holder]:
            del self._rows[name]


_principals: Known[Principal] = Known()
_sessions: Known[Signed] = Known()


def forget(holder: str) -> None:
    """Look `holder` ("key:<id>" or "person:<id>") up afresh from now on: something about them changed."""
    _principals.forget(holder)
    _sessions.forget(holder)


async def key(runtime: Runtime, text: str) -> Principal | None:
    """Who acts with an API key: its tenant, in the role of a manager. None for an unknown or revoked one."""
    claimed = credentials.read_key(text)
    if claimed is None:
        return None
    world, found = claimed
    known = _principals.get(runtime, found.hash)
    if known is not None:
        return known
    async with runtime.db.tx(Role.APP, tenant=found.tenant) as conn:
        row = await store.KEY_FIND.maybe(conn, tenant=found.tenant, key_hash=found.hash)
    if row is None or row.world != world:
        return None
    name = f"key:{row.id}"
    return _principals.put(
        runtime, found.hash, name, Principal(name, tenant=found.tenant, role="manager", world=row.world, key=row.id)
    )


async def person_token(runtime: Runtime, text: str) -> Principal | None:
    """Who works with a contributor's token: the person as a contributor, never as an operator or a member."""
    if not text.startswith(credentials.PERSON_PREFIX) or len(text) > credentials.MAX_CHARS:
        return None
    digest = credentials.hashed(text)
    known = _principals.get(runtime, digest)
    if known is not None:
        return known
    async with runtime.db.tx(Role.OPS) as conn:
        row = await store.TOKEN_FIND.maybe(conn, token_hash=digest)
    if row is None:
        return None
    name = f"person:{row.person}"
    return _principals.put(runtime, digest, name, Principal(name, person=row.person, contributor=row.is_contributor))


async def session(runtime: Runtime, token: str) -> Signed | None:
    """The session of a cookie, or None where it ended. One that is used again slides on to 14 days from now."""
    if not token or len(token) > credentials.MAX_CHARS:
        return None
    digest = credentials.hashed(token)
    known = _sessions.get(runtime, digest)
    if known is not None:
        return known
    now = clock.now()
    async with runtime.db.tx(Role.OPS) as conn:
        row = await store.SESSION_FIND.maybe(conn, token_hash=digest, now=now)
        if row is None:
            return None
        if row.expires_at - now < model.SESSION - model.SESSION_SLIDES_AFTER:
            await store.SESSION_SLIDE.run(conn, token_hash=digest, expires_at=now + model.SESSION)
        tenants = await store.TENANTS_OF_PERSON.all(conn, person=row.person)
    shown = Person(row.person, row.name, row.email, row.locale)
    found = Signed(row.person, row.csrf, Session(shown, row.csrf, row.is_operator, row.is_contributor, tenants))
    return _sessions.put(runtime, digest, f"person:{row.person}", found)


async def authenticate(runtime: Runtime, request: Request) -> Principal:
    """Recognise the sender of a request.

    Raises Problem: UNAUTHENTICATED; FORBIDDEN "csrf" for a person's unsafe request without its token; NOT_FOUND for a
    named tenant that is not theirs.
    """
    header = request.headers.get("authorization")
    if header is not None:
        return await _by_header(runtime, request, header)
    signed = await signed_in(runtime, request)
    named = _tenant_named(request)
    if signed.session.operator and named is not None and all(one.id != named for one in signed.tenants):
        return await _operator_naming(runtime, signed, named)
    chosen = service.tenant_chosen(signed.tenants, named)
    return Principal(
        f"person:{signed.person}",
        person=signed.person,
        tenant=chosen.id if chosen else None,
        role=chosen.role if chosen else None,
        world=chosen.world if chosen else "live",
        operator=signed.session.operator,
        contributor=signed.session.contributor,
    )


async def _operator_naming(runtime: Runtime, signed: Signed, tenant: UUID) -> Principal:
    """The operator and a tenant that they are no member of: they know that it is there, and read nothing of it.

    Raises Problem (NOT_FOUND) for one that there is not.
    """
    async with runtime.db.tx(Role.OPS) as conn:
        world = await store.TENANT_WORLD.maybe(conn, tenant=tenant)
    if world is None:
        raise not_found("tenant")
    return Principal(
        f"person:{signed.person}",
        person=signed.person,
        tenant=tenant,
        role=None,
        world=world,
        operator=True,
        contributor=signed.session.contributor,
    )


async def signed_in(runtime: Runtime, request: Request) -> Signed:
    """The session of the request's cookie. Raises Problem: UNAUTHENTICATED, FORBIDDEN "csrf"."""
    signed = await session(runtime, request.cookies.get(COOKIE, ""))
    if signed is None:
        raise Problem(
            Kind.UNAUTHENTICATED,
            "unauthenticated",
            "This address needs somebody who is signed in, or a key.",
            remedy="Sign in, or send an API key as `Authorization: Bearer live_…`.",
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
    found = await key(runtime, text) or await person_token(runtime, text)
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
