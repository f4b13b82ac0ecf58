"""Ways in that take more than one transaction, because a password is hashed between them: signing in, accepting a link.

No connection is held while argon2 works.
"""

from __future__ import annotations

from uuid import UUID

from cupola.identity import credentials, labelers, model, passwords, service, store
from cupola.identity.credentials import ForTenant
from cupola.identity.model import Opened
from cupola.identity.passwords import Throttle
from cupola.identity.recognise import forget
from cupola.identity.store import InvitationRow, LinkRow, PersonRow
from cupola.kernel import clock, ids
from cupola.kernel.errors import Kind, Problem, conflict, forbidden
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime

_by_address = Throttle()
_by_ip = Throttle(free=200)


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
    _by_ip.enter(ip)
    _by_address.enter(f"{address} {ip}")
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
    _by_address.clear(f"{address} {ip}")
    _by_ip.clear(ip)


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
    ready = await _ready(runtime, offered, name, email, password, ip)
    async with runtime.db.tx(Role.OPS) as conn:
        person = await ready.be(conn)
        if offered is not None and offered.role == "labeler":
            await store.GUEST_RAISE.run(conn, id=person.id)
    await _take_invitation(runtime, invitation, person.id)
    forget(f"person:{person.id}")
    async with runtime.db.tx(Role.OPS) as conn:
        return await service.open_session(conn, person)


async def _take_invitation(runtime: Runtime, invitation: ForTenant, person: UUID) -> None:
    async with runtime.db.tx(Role.APP, tenant=invitation.tenant) as conn:
        taken = await store.INVITATION_TAKE.maybe(
            conn, tenant=invitation.tenant, token_hash=invitation.hash, now=clock.now()
        )
        if taken is None:
            raise _spent()
        if taken.role == "labeler":
            await labelers.add(conn, invitation.tenant, person)
        else:
            await service.join(conn, invitation.tenant, person, taken.role)


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
    _by_ip.enter(ip)
    if offered is None:
        raise _spent()
    _by_ip.clear(ip)
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
