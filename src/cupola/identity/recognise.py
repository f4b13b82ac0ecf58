"""From a secret to who holds it, with a small cache that keeps the look-up off the hot path.

A revocation in this process counts at once, one in another process within `KNOWN_FOR_S`.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from cupola.identity import credentials, model, store
from cupola.identity.model import Person, Session, TenantOfPerson
from cupola.kernel import clock
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from cupola.platform.web import Principal

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
        runtime, found.hash, name, Principal(name, tenant=found.tenant, role="manager", world=row.world)
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
