"""The verbs of identity, each in the caller's transaction: sessions, organisations, contributors, keys, members."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from cupola.identity import credentials, labelers, model, store
from cupola.identity.model import (
    RANK,
    ContributorRow,
    Key,
    Link,
    MadeContributor,
    MadeKey,
    MemberRow,
    NewContributor,
    Opened,
    Organisation,
    Person,
    Place,
    Role,
    Session,
    TenantOfPerson,
    TenantRef,
    World,
)
from cupola.identity.store import OrganisationRow, PersonRow
from cupola.kernel import clock, ids
from cupola.kernel.errors import conflict, invalid, not_found
from cupola.platform import events
from cupola.platform.once import Once
from cupola.platform.pg.tx import Conn


# ---------------------------------------------------------------- sessions (OPS)
async def open_session(conn: Conn, person: PersonRow) -> Opened:
    """Sign a person in: a new session of 14 days. The caller has checked who it is."""
    now = clock.now()
    token, csrf = ids.token(32), ids.token(32)
    await store.SESSIONS_SWEEP.run(conn, person=person.id, now=now)
    await store.SESSION_ADD.run(
        conn,
        token_hash=credentials.hashed(token),
        person=person.id,
        csrf=csrf,
        now=now,
        expires_at=now + model.SESSION,
    )
    return Opened(token, await describe(conn, person, csrf))


async def describe(conn: Conn, person: PersonRow, csrf: str) -> Session:
    """What a signed-in person is told about themselves."""
    tenants = await store.TENANTS_OF_PERSON.all(conn, person=person.id)
    shown = Person(person.id, person.name, person.email, person.locale)
    return Session(shown, csrf, person.is_operator, person.is_contributor, tenants)


async def end_session(conn: Conn, token: str) -> None:
    await store.SESSION_END.run(conn, token_hash=credentials.hashed(token))


async def change_person(conn: Conn, person: UUID, *, name: str | None, locale: model.Locale | None) -> PersonRow:
    """Change what a person may change of themselves; None leaves it. Raises Problem: NOT_FOUND, INVALID."""
    clean = model.normal_name(name) if name is not None else None
    await store.PERSON_CHANGE.run(conn, id=person, name=clean, locale=locale)
    row = await store.PERSON.maybe(conn, id=person)
    if row is None:
        raise not_found("person")
    return row


# ---------------------------------------------------------------- links (OPS) and invitations (APP)
async def make_link(conn: Conn, made: Once, base_url: str, purpose: model.LinkPurpose, email: str | None) -> Link:
    """A one-time link that makes whoever uses it an operator or a contributor, or gives a person a new password.

    Raises Problem (NOT_FOUND) for a password of somebody who is not there.
    """
    if purpose == "password" and (email is None or await store.PERSON_BY_EMAIL.maybe(conn, email=email) is None):
        raise not_found("person")
    token = credentials.LINK_PREFIX + made.token("link", purpose)
    digest = credentials.hashed(token)
    now = clock.now()
    await store.LINKS_PRUNE.run(conn, before=now - model.LINK_KEPT)
    lasts = model.PASSWORD_LINK if purpose == "password" else model.LINK
    await store.LINK_ADD.run(conn, token_hash=digest, purpose=purpose, email=email, now=now, expires_at=now + lasts)
    return Link(f"{base_url}/join?token={token}", await store.LINK_EXPIRY.one(conn, token_hash=digest))


async def set_password(conn: Conn, person: UUID, password_hash: str) -> None:
    """A new password; every session that was open under the old one ends."""
    await store.PASSWORD_KEEP.run(conn, id=person, password_hash=password_hash)
    await store.SESSIONS_END.run(conn, person=person)


async def make_first_link(conn: Conn, base_url: str) -> str | None:
    """The link of the first administrator, or None where there is an operator. Ends the links made before."""
    if await store.OPERATOR_EXISTS.one(conn):
        return None
    token = credentials.LINK_PREFIX + ids.token(32)
    now = clock.now()
    await store.LINKS_CLOSE.run(conn, purpose="operator", now=now)
    await store.LINK_ADD.run(
        conn,
        token_hash=credentials.hashed(token),
        purpose="operator",
        email=None,
        now=now,
        expires_at=now + model.FIRST_LINK,
    )
    return f"{base_url}/first-admin?token={token}"


async def invite(
    conn: Conn,
    made: Once,
    tenant: UUID,
    base_url: str,
    role: model.TenantRole,
    email: str | None,
    *,
    key: UUID | None = None,
    confirmed: bool = True,
) -> Link:
    """A one-time link into a tenant, in a role; a labeler's needs the address.

    key: the key that invites, with which the invitation ends. confirmed: False for one that an owner has still to
    stand behind before it can be used.
    """
    token = credentials.for_tenant(credentials.INVITATION_PREFIX, tenant, made.token("invitation"))
    now = clock.now()
    named = {"tenant": tenant, "token_hash": credentials.hashed(token)}
    if not made.again:
        await store.INVITATIONS_PRUNE.run(conn, tenant=tenant, before=now - model.LINK_KEPT)
        await store.INVITATION_ADD.run(
            conn, **named, role=role, email=email, key=key, confirmed=confirmed, now=now, expires_at=now + model.LINK
        )
        await events.emit(conn, tenant, "member.invited", None, role=role, confirmed=confirmed)
    return Link(f"{base_url}/join?token={token}", await store.INVITATION_EXPIRY.one(conn, **named))


async def confirm_invitation(conn: Conn, tenant: UUID, email: str) -> UUID | None:
    """An owner stands behind the invitation of an address. Who is here already takes up the role at once: returns whom.

    Raises Problem (NOT_FOUND) where nobody of that address is invited.
    """
    role = await store.INVITATION_CONFIRM.maybe(conn, tenant=tenant, email=email, now=clock.now())
    if role is None:
        raise not_found("invitation")
    await events.emit(conn, tenant, "member.confirmed", None, role=role)
    here = [one.person for one in await labelers.labelers(conn, tenant, model.MAX_PEOPLE) if one.email == email]
    here += [one.person for one in await members(conn, tenant, None, model.MAX_PEOPLE) if one.email == email]
    if here and role in RANK:
        await join(conn, tenant, here[0], role)  # type: ignore[arg-type]  # one of the ranks
        await labelers.remove(conn, tenant, here[0])
        await labelers.close_invitations(conn, tenant, [email])
        return here[0]
    return None


async def join(conn: Conn, tenant: UUID, person: UUID, role: Role) -> None:
    """Make a person a member; one who is a member already keeps the higher of the two roles."""
    present = await store.MEMBER.maybe(conn, tenant=tenant, person=person)
    if present is not None and RANK[present.role] >= RANK[role]:
        return
    await store.MEMBER_PUT.run(conn, tenant=tenant, person=person, role=role, now=clock.now())
    await events.emit(conn, tenant, "member.joined", person, role=role)


# ---------------------------------------------------------------- organisations (OPS)
async def create_organisation(conn: Conn, made: Once, name: str, owner: UUID | None) -> Organisation:
    """An organisation with its live and its test tenant; `owner` becomes owner of both.

    Raises Problem (CONFLICT) "organisation-exists" unless the same request made it.
    """
    clean = model.normal_name(name)
    now = clock.now()
    new = made.uuid("organisation")
    if not await store.ORGANISATION_ADD.run(conn, id=new, name=clean, now=now):
        there = await store.ORGANISATION.maybe(conn, name=clean)
        if there is not None and there.id == new:
            return _organisation(there)
        raise conflict(
            "organisation-exists",
            f"There is an organisation {clean!r} already.",
            remedy="Choose another name, or use the one that is there.",
        )
    worlds: tuple[World, World] = ("live", "test")
    tenants = {world: made.uuid("tenant", world) for world in worlds}
    for world, tenant in tenants.items():
        await store.TENANT_ADD.run(conn, id=tenant, organisation=new, world=world, now=now)
        if owner is not None:
            await store.MEMBERSHIP_OPEN.run(conn, tenant=tenant, person=owner, role="owner", now=now)
    return Organisation(new, clean, TenantRef(tenants["live"]), TenantRef(tenants["test"]), now)


async def organisations(conn: Conn, after: str, limit: int) -> list[Organisation]:
    return [_organisation(row) for row in await store.ORGANISATIONS.all(conn, after=after, limit=limit)]


async def operator_of(conn: Conn, email: str) -> UUID | None:
    """The operator with that address: for the command line."""
    row = await store.PERSON_BY_EMAIL.maybe(conn, email=model.normal_email(email))
    return row.id if row is not None and row.is_operator else None


async def organisation(conn: Conn, name: str) -> Organisation | None:
    """The organisation of that name: for the command line."""
    row = await store.ORGANISATION.maybe(conn, name=name.strip())
    return None if row is None else _organisation(row)


async def organisation_of(conn: Conn, tenant: UUID) -> str:
    """The name of the tenant's organisation (APP)."""
    return await store.ORGANISATION_OF.one(conn, tenant=tenant)


def _organisation(row: OrganisationRow) -> Organisation:
    return Organisation(row.id, row.name, TenantRef(row.live), TenantRef(row.test), row.created_at)


# ---------------------------------------------------------------- contributors (OPS)
async def create_contributors(
    conn: Conn,
    made: Once,
    people: Sequence[NewContributor],
    *,
    tokens: bool,
    tenants: Sequence[UUID],
    worker_of: Callable[[UUID, UUID], UUID],
) -> list[MadeContributor]:
    """Make people contributors, each statement once for all of them; `tenants` admit them at once.

    worker_of: (tenant, person) -> the pseudonym of the person at that tenant.
    Raises Problem: INVALID with the place for a bad name or address, CONFLICT for an address in use, NOT_FOUND for a
    tenant that is absent.
    """
    now = clock.now()
    names = [model.normal_name(p.name, f"/people/{i}/name") for i, p in enumerate(people)]
    emails = [
        None if p.email is None else model.normal_email(p.email, f"/people/{i}/email") for i, p in enumerate(people)
    ]
    seen: dict[str, int] = {}
    for i, email in enumerate(emails):
        if email is not None and seen.setdefault(email, i) != i:
            raise invalid(
                "email-twice",
                f"{email} stands twice in this request, first at /people/{seen[email]}.",
                place=f"/people/{i}/email",
                remedy="Name each person once.",
            )
    new = [made.uuid("person", i) for i in range(len(people))]
    secrets = [credentials.PERSON_PREFIX + made.token("person", i) if tokens else None for i in range(len(people))]
    taken = await store.EMAIL_TAKEN.maybe(conn, ids=new, emails=emails)
    if taken is not None:
        raise conflict(
            "email-taken",
            f"There is a person with the address {taken} already (/people/{seen[taken]}/email).",
            remedy="Leave this person out, or send them a contributor's invitation, which they accept by signing in.",
            place=f"/people/{seen[taken]}/email",
        )
    wanted = list(dict.fromkeys(tenants))
    if await store.TENANTS_KNOWN.one(conn, tenants=wanted) != len(wanted):
        raise not_found("tenant")
    await store.PEOPLE_ADD.run(
        conn, ids=new, names=names, emails=emails, hashes=[p.password_hash for p in people], now=now
    )
    if tokens:
        hashes = [credentials.hashed(secret) for secret in secrets if secret is not None]
        await store.TOKENS_ADD.run(conn, token_hashes=hashes, ids=new, now=now)
    workers: dict[UUID, list[UUID]] = {tenant: [worker_of(tenant, person) for person in new] for tenant in wanted}
    for tenant, pseudonyms in workers.items():
        await store.ADMIT.run(conn, tenant=tenant, workers=pseudonyms, ids=new, now=now)
    return [
        MadeContributor(new[i], names[i], secrets[i], {tenant: workers[tenant][i] for tenant in wanted})
        for i in range(len(people))
    ]


async def contributors(conn: Conn, after: Place | None, limit: int) -> list[ContributorRow]:
    place = after or model.BEGINNING
    return await store.CONTRIBUTORS.all(conn, after_at=place.at, after=place.id, limit=limit)


async def revoke_tokens(conn: Conn, person: UUID) -> None:
    """End all work tokens of a person; earned money and the person's sign-in stay. Raises Problem (NOT_FOUND)."""
    if await store.PERSON.maybe(conn, id=person) is None:
        raise not_found("contributor")
    await store.TOKENS_REVOKE.run(conn, person=person, now=clock.now())


# ---------------------------------------------------------------- keys (APP)
async def create_key(conn: Conn, made: Once, tenant: UUID, name: str, made_by: UUID | None) -> MadeKey:
    """A new API key of the tenant; its text is in the answer and nowhere else.

    made_by: for whom it reads; None where the command line of the machine made it.
    """
    clean = model.normal_name(name)
    world = await _world(conn, tenant)
    key_id = made.uuid("key")
    text = credentials.for_tenant(credentials.KEY_PREFIX[world], tenant, made.token("key"))
    if not made.again:
        await store.KEY_ADD.run(
            conn,
            tenant=tenant,
            id=key_id,
            name=clean,
            prefix=credentials.shown_prefix(text, world),
            key_hash=credentials.hashed(text),
            made_by=made_by,
            now=clock.now(),
        )
        await events.emit(conn, tenant, "key.created", key_id)
    row = await store.KEY.one(conn, tenant=tenant, id=key_id)
    return MadeKey(row.id, row.name, row.prefix, text, row.created_at)


async def _world(conn: Conn, tenant: UUID) -> World:
    return "test" if await store.WORLD_OF_TENANT.one(conn, tenant=tenant) == "test" else "live"


async def keys(conn: Conn, tenant: UUID, after: Place | None, limit: int) -> list[Key]:
    place = after or model.BEGINNING
    return await store.KEYS.all(conn, tenant=tenant, after_at=place.at, after=place.id, limit=limit)


async def revoke_key(conn: Conn, tenant: UUID, key: UUID) -> None:
    """End a key and what it invited; ending it twice is no error. Raises Problem (NOT_FOUND)."""
    present = await store.KEY.maybe(conn, tenant=tenant, id=key)
    if present is None:
        raise not_found("key")
    if present.revoked_at is None:
        await store.KEY_REVOKE.run(conn, tenant=tenant, id=key, now=clock.now())
        await store.INVITATIONS_OF_KEY_END.run(conn, tenant=tenant, key=key, now=clock.now())
        await events.emit(conn, tenant, "key.revoked", key)


# ---------------------------------------------------------------- members (APP)
async def members(conn: Conn, tenant: UUID, after: Place | None, limit: int) -> list[MemberRow]:
    place = after or model.BEGINNING
    return await store.MEMBERS.all(conn, tenant=tenant, after_at=place.at, after=place.id, limit=limit)


async def change_role(conn: Conn, tenant: UUID, person: UUID, role: Role) -> MemberRow:
    """Give a member another role. Raises Problem: NOT_FOUND, CONFLICT "last-owner"."""
    await _leave_an_owner(conn, tenant, person, stays=role == "owner")
    present = await store.MEMBER.maybe(conn, tenant=tenant, person=person)
    if present is None:
        raise not_found("member")
    await store.MEMBER_PUT.run(conn, tenant=tenant, person=person, role=role, now=clock.now())
    await events.emit(conn, tenant, "member.changed", person, role=role)
    return MemberRow(present.person, present.name, present.email, role, present.created_at)


async def remove_member(conn: Conn, tenant: UUID, person: UUID) -> None:
    """Take a member out of the tenant. Raises Problem: NOT_FOUND, CONFLICT "last-owner"."""
    await _leave_an_owner(conn, tenant, person, stays=False)
    if not await store.MEMBER_REMOVE.run(conn, tenant=tenant, person=person):
        raise not_found("member")
    await events.emit(conn, tenant, "member.removed", person)


async def _leave_an_owner(conn: Conn, tenant: UUID, person: UUID, *, stays: bool) -> None:
    owners = {row.person for row in await store.OWNERS_LOCK.all(conn, tenant=tenant)}
    if not stays and owners == {person}:
        raise conflict("last-owner", "This is the tenant's last owner.", remedy="Make another member owner first.")


def tenant_chosen(tenants: Sequence[TenantOfPerson], wanted: UUID | None) -> TenantOfPerson | None:
    """Which of a person's tenants a request acts for: the one it names, else the only one or the first live one.

    Tenants are in the order live before test, then by name. Raises Problem (NOT_FOUND) for one that is not theirs.
    """
    if wanted is not None:
        for tenant in tenants:
            if tenant.id == wanted:
                return tenant
        raise not_found("tenant")
    return tenants[0] if tenants else None
