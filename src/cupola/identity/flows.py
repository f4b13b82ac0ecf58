"""Ways in that take more than one transaction, because a password is hashed between them: signing in, accepting a link.

No connection is held while argon2 works.
"""

from __future__ import annotations

import ipaddress
from datetime import datetime
from uuid import UUID

from cupola.identity import credentials, labelers, model, passwords, service, store
from cupola.identity.credentials import ForTenant
from cupola.identity.model import Link, Opened, Organisation
from cupola.identity.passwords import Throttle
from cupola.identity.recognise import forget
from cupola.identity.store import InvitationRow, LinkRow, PersonRow
from cupola.kernel import clock, ids, limits
from cupola.kernel.errors import Kind, Problem, conflict, forbidden
from cupola.platform.once import Once
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime

# Whoever guesses at one account from one place waits up to 15 minutes. What is shared waits 5 s at most: an account,
# since anybody may try its address, and a place, since a whole office may sit behind one. Nobody is locked out by
# somebody else's tries.
SHARED_DELAY_S = 5.0
_by_pair = Throttle()
_by_account = Throttle(free=50, most_delay_s=SHARED_DELAY_S)
_by_place = Throttle(free=200, most_delay_s=SHARED_DELAY_S)


async def sign_in(runtime: Runtime, email: str, password: str, ip: str) -> Opened:
    """Open a session for an address and a password.

    Raises Problem: UNAUTHENTICATED for a pair that does not fit (and says no more), TOO_MANY while throttled.
    """
    address = email.strip().lower()[: model.MAX_EMAIL_CHARS]
    async with runtime.db.tx(Role.OPS) as conn:
        person = await store.PERSON_BY_EMAIL.maybe(conn, email=address)
    await _prove(person, address, password, ip)
    assert person is not None
    fresh = await passwords.hash_password(password) if passwords.outdated(person.password_hash or "") else None
    async with runtime.db.tx(Role.OPS) as conn:
        if fresh is not None:
            await store.PASSWORD_KEEP.run(conn, id=person.id, password_hash=fresh)
        return await service.open_session(conn, person)


async def _prove(person: PersonRow | None, address: str, password: str, ip: str) -> None:
    place = _place(ip)
    _by_pair.enter(f"{address} {place}")
    _by_account.enter(address)
    _by_place.enter(place)
    fits = len(password) <= model.MAX_PASSWORD_CHARS and await passwords.verify_password(
        person.password_hash if person else None, password
    )
    if not fits:
        raise Problem(
            Kind.UNAUTHENTICATED,
            "sign-in-refused",
            "This e-mail address and this password do not belong together.",
            remedy="Check both. The operator can make you a link that sets a new password.",
        )
    _by_pair.clear(f"{address} {place}")
    _by_account.clear(address)
    _by_place.clear(place)


def _place(ip: str) -> str:
    """What one sender can be told from another by: an IPv6 network of 64 bits belongs to one of them whole."""
    try:
        known = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    return str(ipaddress.ip_network(f"{known}/64", strict=False)) if known.version == 6 else ip


async def make_owner(runtime: Runtime, organisation: Organisation, email: str) -> Link | None:
    """Make whoever has this address an owner of both worlds of an organisation; somebody new is made now.

    Returns a link of a day that sets a password, or None for a person who has one. Doing it again changes nothing but
    that another link is made. For the operator alone: only they can vouch for an address.
    """
    address = model.normal_email(email)
    async with runtime.db.tx(Role.OPS) as conn:
        await store.PERSON_ADD.run(
            conn,
            id=ids.uuid7(),
            email=address,
            name=address.partition("@")[0][: limits.MAX_NAME_CHARS],
            password_hash=None,
            is_operator=False,
            is_contributor=False,
            now=clock.now(),
        )
        person = await store.PERSON_BY_EMAIL.maybe(conn, email=address)
    if person is None:
        raise forbidden(f"{address} was shut out of this instance.", remedy="Name somebody else.")
    for world in (organisation.live.id, organisation.test.id):
        async with runtime.db.tx(Role.APP, tenant=world) as conn:
            await service.join(conn, world, person.id, "owner")
    forget(f"person:{person.id}")
    if person.password_hash is not None:
        return None
    async with runtime.db.tx(Role.OPS) as conn:
        return await service.make_link(conn, Once(), runtime.settings.public_url, "password", address)


async def first_admin_link(runtime: Runtime) -> str | None:
    """A one-time link for the first administrator (24 h), or None once there is an operator.

    A new link ends the ones before it.
    """
    async with runtime.db.tx(Role.OPS) as conn:
        return await service.make_first_link(conn, runtime.settings.public_url)


async def first_admin(runtime: Runtime, token: str, name: str, email: str, password: str, ip: str) -> Opened:
    """Use the first administrator's link. Raises Problem: FORBIDDEN for a link that is not valid."""
    return await _accept_link(runtime, token, name, email, password, ip, first=True)


async def accept(runtime: Runtime, token: str, name: str, email: str, password: str, ip: str) -> Opened:
    """Use an invitation: make the person, or prove to be one who is there already, and take up the role.

    Raises Problem: FORBIDDEN for a link that is used, expired or another address's; UNAUTHENTICATED for a person who
    is there already and another password; INVALID, TOO_MANY.
    """
    invitation = credentials.read_for_tenant(credentials.INVITATION_PREFIX, token)
    if invitation is None:
        return await _accept_link(runtime, token, name, email, password, ip, first=False)
    async with runtime.db.tx(Role.APP, tenant=invitation.tenant) as conn:
        offered = await store.INVITATION_LOOK.maybe(
            conn, tenant=invitation.tenant, token_hash=invitation.hash, now=clock.now()
        )
    if offered is not None and not offered.confirmed:
        raise conflict(
            "invitation-unconfirmed",
            "A key made this invitation; an owner has still to stand behind it.",
            remedy="Ask an owner of the tenant to confirm it on the page of members, then use this link again.",
        )
    ready = await _ready(runtime, offered, name, email, password, ip)
    # taken before anybody is made: of several who come with one link at once, the first is somebody, the others nobody
    taken, at = await _take_invitation(runtime, invitation)
    try:
        async with runtime.db.tx(Role.OPS) as conn:
            person = await ready.be(conn)
            if taken.role == "labeler":
                await store.GUEST_RAISE.run(conn, id=person.id)
    except BaseException:
        async with runtime.db.tx(Role.APP, tenant=invitation.tenant) as conn:
            await store.INVITATION_BACK.run(conn, tenant=invitation.tenant, token_hash=invitation.hash, now=at)
        raise
    async with runtime.db.tx(Role.APP, tenant=invitation.tenant) as conn:
        if taken.role == "labeler":
            await labelers.add(conn, invitation.tenant, person.id)
        else:
            await service.join(conn, invitation.tenant, person.id, taken.role)
    forget(f"person:{person.id}")
    async with runtime.db.tx(Role.OPS) as conn:
        return await service.open_session(conn, person)


async def _take_invitation(runtime: Runtime, invitation: ForTenant) -> tuple[InvitationRow, datetime]:
    at = clock.now()
    async with runtime.db.tx(Role.APP, tenant=invitation.tenant) as conn:
        taken = await store.INVITATION_TAKE.maybe(conn, tenant=invitation.tenant, token_hash=invitation.hash, now=at)
    if taken is None:
        raise _spent()
    return taken, at


async def _accept_link(
    runtime: Runtime, token: str, name: str, email: str, password: str, ip: str, *, first: bool
) -> Opened:
    digest = credentials.hashed(token[: credentials.MAX_CHARS + 1])
    async with runtime.db.tx(Role.OPS) as conn:
        offered = await store.LINK_LOOK.maybe(conn, token_hash=digest, now=clock.now())
    if first and offered is not None and offered.purpose != "operator":
        offered = None
    ready = await _ready(runtime, offered, name, email, password, ip)
    async with runtime.db.tx(Role.OPS) as conn:
        await store.FIRST_ADMIN_LOCK.run(conn)
        if first and await store.OPERATOR_EXISTS.one(conn):
            raise _spent()
        taken = await store.LINK_TAKE.maybe(conn, token_hash=digest, now=clock.now())
        if taken is None:
            raise _spent()
        person = await ready.be(conn)
        operator, contributor = taken.purpose == "operator", taken.purpose == "contributor"
        await store.PERSON_RAISE.run(conn, id=person.id, operator=operator, contributor=contributor)
        raised = await store.PERSON.maybe(conn, id=person.id)
        if raised is None:
            raise _spent()
        forget(f"person:{person.id}")
        return await service.open_session(conn, raised)


class _Ready:
    """Somebody who may take up a role: a person who is there and proved it, or one who is made now."""

    def __init__(self, person: PersonRow | None, name: str, email: str, password_hash: str | None) -> None:
        self._person = person
        self._name = name
        self._email = email
        self._password_hash = password_hash  # to be kept; None where the person has one

    async def be(self, conn: Conn) -> PersonRow:
        if self._person is not None:
            if self._password_hash is not None:
                await service.set_password(conn, self._person.id, self._password_hash)
            return self._person
        made = await store.PERSON_ADD.run(
            conn,
            id=ids.uuid7(),
            email=self._email,
            name=self._name,
            password_hash=self._password_hash,
            is_operator=False,
            is_contributor=False,
            now=clock.now(),
        )
        person = await store.PERSON_BY_EMAIL.maybe(conn, email=self._email)
        if not made or person is None:
            raise conflict(
                "email-taken",
                "Somebody with this address was made in this moment.",
                remedy="Send the request again: it then asks for that person's password.",
            )
        return person


async def _ready(
    runtime: Runtime, offered: LinkRow | InvitationRow | None, name: str, email: str, password: str, ip: str
) -> _Ready:
    _by_place.enter(_place(ip))
    if offered is None:
        raise _spent()
    _by_place.clear(_place(ip))
    address = model.normal_email(email)
    if offered.email is not None and offered.email != address:
        raise forbidden("This invitation was made for another address.", remedy="Use the address that it was sent to.")
    async with runtime.db.tx(Role.OPS) as conn:
        person = await store.PERSON_BY_EMAIL.maybe(conn, email=address)
    # A link that the operator made for this very address may give it a password. A tenant's invitation may not: its
    # owner would come by somebody's account.
    vouched = isinstance(offered, LinkRow) and offered.email == address
    renewed = isinstance(offered, LinkRow) and offered.purpose == "password"
    if renewed and (person is None or not vouched):
        raise _spent()
    if person is not None and person.password_hash is not None and not renewed:
        await _prove(person, address, password, ip)
        return _Ready(person, person.name, address, None)
    if person is not None and not vouched:
        raise forbidden(
            "There is a person with this address who never had a password.",
            remedy="Ask the operator for a link that sets one.",
        )
    clean = person.name if person is not None else model.normal_name(name)
    model.check_password(password, address)
    return _Ready(person, clean, address, await passwords.hash_password(password))


async def change_password(runtime: Runtime, person: UUID, current: str, new: str, ip: str) -> Opened:
    """Another password for somebody who knows the present one. Ends all sessions and opens one.

    Raises Problem: UNAUTHENTICATED for a wrong present password, TOO_MANY, INVALID.
    """
    async with runtime.db.tx(Role.OPS) as conn:
        row = await store.PERSON.maybe(conn, id=person)
    await _prove(row, str(person), current, ip)
    assert row is not None
    model.check_password(new, row.email, "/new")
    fresh = await passwords.hash_password(new)
    async with runtime.db.tx(Role.OPS) as conn:
        await service.set_password(conn, person, fresh)
        opened = await service.open_session(conn, row)
    forget(f"person:{person}")
    return opened


def _spent() -> Problem:
    return forbidden("This link was used, has expired, or was never made.", remedy="Ask whoever sent it for a new one.")
