"""Routes of people, the operator's tenants and contributors, keys and members."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cupola.identity import flows, labelers, model, passwords, recognise, service
from cupola.identity.model import NewContributor, Opened, Place
from cupola.identity.recognise import COOKIE, signed_in
from cupola.kernel import limits
from cupola.kernel.errors import Kind, Problem, forbidden
from cupola.platform import web
from cupola.platform.once import Once
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.web import Cursor, Limit, Listed, Manager, Operator, Owner, decode_cursor, listed, nothing, reply
from cupola.platform.web_once import once, post_secret

router = APIRouter(prefix="/api")

Name = Annotated[str, Field(min_length=1, max_length=limits.MAX_NAME_CHARS)]
Email = Annotated[str, Field(min_length=3, max_length=model.MAX_EMAIL_CHARS, examples=["ada@example.org"])]
Password = Annotated[str, Field(min_length=1, max_length=model.MAX_PASSWORD_CHARS)]
LinkToken = Annotated[str, Field(min_length=1, max_length=200)]


class Body(BaseModel):
    """A request body; a field that we do not know is an error, for it is mostly a misspelt one that we do."""

    model_config = ConfigDict(extra="forbid")


class SignIn(Body):
    email: Email
    password: Password


class Arrival(Body):
    """Somebody who uses a one-time link. `name` counts for who is new; who is there already proves it by password."""

    token: LinkToken
    name: Name
    email: Email
    password: Password


class PersonChange(Body):
    name: Name | None = None
    locale: model.Locale | None = None


class Invitation(Body):
    role: model.Invited
    email: Email | None = None


class InvitedAddress(Body):
    email: Email


class PasswordChange(Body):
    current: Password
    new: Password


class PasswordLink(Body):
    email: Email


class NewTenant(Body):
    name: Name


class NewPerson(Body):
    name: Name
    email: Email | None = None
    password: Password | None = None


class NewContributors(Body):
    """`tokens`: make each a work token, shown once. `tenants`: admit all of them to these tenants."""

    people: Annotated[list[NewPerson], Field(min_length=1, max_length=model.MAX_PEOPLE)]
    tokens: bool = False
    tenants: Annotated[list[UUID], Field(max_length=100)] = []


class NewKey(Body):
    name: Name


class RoleChange(Body):
    role: model.Role


# ---------------------------------------------------------------- sessions
def _ip(request: Request) -> str:
    return request.client.host if request.client else "?"


def _same_site(request: Request) -> None:
    """Another site must not sign its visitors in here as somebody of its choice."""
    if request.headers.get("sec-fetch-site") == "cross-site":
        raise forbidden("Signing in from another site is refused.", remedy="Open Cupola's own page.")


def _with_cookie(request: Request, response: Response, token: str) -> Response:
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(model.SESSION.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=web.runtime(request).settings.secure_cookies,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _signed(request: Request, opened: Opened, status: int = 200) -> Response:
    return _with_cookie(request, reply(opened.session, status), opened.token)


@router.post("/session", tags=["people"], summary="Sign in", response_model=model.Session)
async def sign_in(request: Request, body: SignIn) -> Response:
    """Open a session: sets the HttpOnly cookie. Sent twice it opens two, which harms nobody."""
    _same_site(request)
    return _signed(request, await flows.sign_in(web.runtime(request), body.email, body.password, _ip(request)))


@router.get("/session", tags=["people"], summary="Who am I", response_model=model.Session)
async def who_am_i(request: Request) -> Response:
    found = await signed_in(web.runtime(request), request)
    return _with_cookie(request, reply(found.session), request.cookies[COOKIE])


@router.delete("/session", tags=["people"], summary="Sign out", status_code=204)
async def sign_out(request: Request) -> Response:
    """End the session; without one there is nothing to do."""
    run = web.runtime(request)
    token = request.cookies.get(COOKIE, "")
    if await recognise.session(run, token) is not None:
        found = await signed_in(run, request)
        async with run.db.tx(Role.OPS) as conn:
            await service.end_session(conn, token)
        recognise.forget(f"person:{found.person}")
    response = nothing()
    response.delete_cookie(COOKIE, path="/")
    return response


@router.patch("/session/person", tags=["people"], summary="Change my name or language", response_model=model.Session)
async def change_me(request: Request, body: PersonChange) -> Response:
    run = web.runtime(request)
    found = await signed_in(run, request)
    async with run.db.tx(Role.OPS) as conn:
        person = await service.change_person(conn, found.person, name=body.name, locale=body.locale)
        session = await service.describe(conn, person, found.csrf)
    recognise.forget(f"person:{found.person}")
    return reply(session)


@router.put("/session/password", tags=["people"], summary="Change my password", response_model=model.Session)
async def change_password(request: Request, body: PasswordChange) -> Response:
    """Ends every session of yours, this one too, and opens a new one: take its cookie and `csrf`."""
    run = web.runtime(request)
    found = await signed_in(run, request)
    return _signed(request, await flows.change_password(run, found.person, body.current, body.new, _ip(request)))


@router.post("/first-admin", tags=["people"], summary="Become the first administrator", response_model=model.Session)
async def first_admin(request: Request, body: Arrival) -> Response:
    """Use the one-time link that `cupola up` prints while there is no operator."""
    _same_site(request)
    run = web.runtime(request)
    return _signed(
        request, await flows.first_admin(run, body.token, body.name, body.email, body.password, _ip(request))
    )


@router.post("/invitations", tags=["people"], summary="Invite somebody", status_code=201, response_model=model.Link)
async def invite(request: Request, body: Invitation) -> Response:
    """Make a one-time link of 7 days; you send it. An owner invites into the tenant, the operator invites
    contributors and operators. With an `email` only that address can use it."""
    base_url = web.runtime(request).settings.public_url
    email = None if body.email is None else model.normal_email(body.email)
    if body.role == "contributor" or body.role == "operator":
        who = await web.operator(request)
        once_for = await once(request, who)
        async with web.runtime(request).db.tx(Role.OPS) as conn:
            return reply(await service.make_link(conn, once_for, base_url, body.role, email), 201)
    role: model.Role = body.role
    owner = await web.member("owner")(request)

    async def work(conn: Conn, made: Once) -> Any:
        return await service.invite(conn, made, owner.tenant, base_url, role, email)

    return await post_secret(request, owner, work)


@router.get("/invitations", tags=["members"], summary="Open invitations", response_model=Listed[model.OpenInvitation])
async def invitations(request: Request, who: Manager, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """Whom the tenant has invited by address and who has not come yet."""
    after = decode_cursor(cursor, str) or ""
    async with web.runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await labelers.open_invitations(conn, who.tenant, limit + 1, after)
    return listed(rows, limit, lambda row: row.email)


@router.post("/invitations/confirm", tags=["members"], summary="Stand behind an invitation", status_code=204)
async def confirm(request: Request, who: Owner, body: InvitedAddress) -> Response:
    """Let an invitation count that a key made: until an owner does, nobody becomes a member by it."""
    async with web.runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        raised = await service.confirm_invitation(conn, who.tenant, model.normal_email(body.email))
    if raised is not None:
        recognise.forget(f"person:{raised}")
    return nothing()


@router.post("/invitations/withdraw", tags=["members"], summary="Withdraw an invitation", status_code=204)
async def withdraw(request: Request, who: Owner, body: InvitedAddress) -> Response:
    """End the invitations of an address; where there is none, nothing happens."""
    async with web.runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        await labelers.close_invitations(conn, who.tenant, [model.normal_email(body.email)])
    return nothing()


@router.post("/invitations/accept", tags=["people"], summary="Use an invitation", response_model=model.Session)
async def accept(request: Request, body: Arrival) -> Response:
    _same_site(request)
    run = web.runtime(request)
    return _signed(request, await flows.accept(run, body.token, body.name, body.email, body.password, _ip(request)))


@router.post(
    "/password-links",
    tags=["operator"],
    summary="Let somebody set a new password",
    status_code=201,
    response_model=model.Link,
)
async def password_link(request: Request, who: Operator, body: PasswordLink) -> Response:
    """A one-time link of 24 h for a person who forgot theirs. Using it ends their sessions."""
    made = await once(request, who)
    base_url = web.runtime(request).settings.public_url
    async with web.runtime(request).db.tx(Role.OPS) as conn:
        return reply(await service.make_link(conn, made, base_url, "password", model.normal_email(body.email)), 201)


# ---------------------------------------------------------------- the operator
@router.post(
    "/tenants", tags=["operator"], summary="Make an organisation", status_code=201, response_model=model.Organisation
)
async def create_organisation(request: Request, who: Operator, body: NewTenant) -> Response:
    """Make an organisation with a live and a test tenant; you become owner of both.

    The name is taken once. A retry with the same Idempotency-Key gets the first answer.
    """
    made = await once(request, who)
    async with web.runtime(request).db.tx(Role.OPS) as conn:
        answer = await service.create_organisation(conn, made, body.name, who.person)
    recognise.forget(who.name)
    return reply(answer, 201)


@router.get("/tenants", tags=["operator"], summary="Organisations", response_model=Listed[model.Organisation])
async def organisations(request: Request, who: Operator, limit: Limit = 100, cursor: Cursor = None) -> Response:
    after = decode_cursor(cursor, str) or ""
    async with web.runtime(request).db.tx(Role.OPS) as conn:
        rows = await service.organisations(conn, after, limit + 1)
    return listed(rows, limit, lambda row: row.name)


@router.post(
    "/contributors",
    tags=["operator"],
    summary="Make contributors",
    status_code=201,
    response_model=model.MadeContributors,
)
async def create_contributors(request: Request, who: Operator, body: NewContributors) -> Response:
    """Make up to 10,000 people contributors, at most 200 of them with a password.

    A retry with the same Idempotency-Key and body gets the same people and tokens.
    """
    made = await once(request, who)
    run = web.runtime(request)
    people = [NewContributor(p.name, p.email, None) for p in body.people]
    with_password = [(i, p.password) for i, p in enumerate(body.people) if p.password is not None]
    if len(with_password) > model.MAX_PASSWORDS:
        raise Problem(
            Kind.TOO_LARGE,
            "too-many-passwords",
            f"{len(with_password)} people with a password; one request takes {model.MAX_PASSWORDS}.",
            remedy="Send several requests, or make the people without passwords and use tokens.",
        )
    for i, password in with_password:
        email = body.people[i].email
        if email is None:
            raise Problem(
                Kind.INVALID,
                "password-without-email",
                "Whoever signs in needs an e-mail address too.",
                place=f"/people/{i}/email",
                remedy="Add `email`, or leave `password` out.",
            )
        model.check_password(password, email.strip().lower(), f"/people/{i}/password")
        people[i] = NewContributor(people[i].name, email, await passwords.hash_password(password))
    async with run.db.tx(Role.OPS) as conn:
        items = await service.create_contributors(
            conn, made, people, tokens=body.tokens, tenants=body.tenants, worker_of=run.worker_of
        )
    return reply(model.MadeContributors(items), 201)


@router.get("/contributors", tags=["operator"], summary="Contributors", response_model=Listed[model.ContributorRow])
async def contributors(request: Request, who: Operator, limit: Limit = 100, cursor: Cursor = None) -> Response:
    after = decode_cursor(cursor, Place)
    async with web.runtime(request).db.tx(Role.OPS) as conn:
        rows = await service.contributors(conn, after, limit + 1)
    return listed(rows, limit, lambda row: Place(row.created_at, row.id))


@router.delete("/contributors/{person}/tokens", tags=["operator"], summary="Revoke work tokens", status_code=204)
async def revoke_tokens(request: Request, who: Operator, person: UUID) -> Response:
    """End all work tokens of a contributor. Money earned and the sign-in by password stay."""
    async with web.runtime(request).db.tx(Role.OPS) as conn:
        await service.revoke_tokens(conn, person)
    recognise.forget(f"person:{person}")
    return nothing()


# ---------------------------------------------------------------- keys
@router.post("/keys", tags=["keys"], summary="Make an API key", status_code=201, response_model=model.MadeKey)
async def create_key(request: Request, who: Owner, body: NewKey) -> Response:
    """Make a key that acts for this tenant with a manager's rights. `key` is shown this once."""

    async def work(conn: Conn, made: Once) -> Any:
        return await service.create_key(conn, made, who.tenant, body.name, who.person)

    return await post_secret(request, who, work)


@router.get("/keys", tags=["keys"], summary="API keys", response_model=Listed[model.Key])
async def keys(request: Request, who: Manager, limit: Limit = 100, cursor: Cursor = None) -> Response:
    after = decode_cursor(cursor, Place)
    async with web.runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await service.keys(conn, who.tenant, after, limit + 1)
    return listed(rows, limit, lambda row: Place(row.created_at, row.id))


@router.delete("/keys/{key}", tags=["keys"], summary="Revoke an API key", status_code=204)
async def revoke_key(request: Request, who: Owner, key: UUID) -> Response:
    """End a key: at once in this process, within 5 s in every other."""
    async with web.runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        await service.revoke_key(conn, who.tenant, key)
    recognise.forget(f"key:{key}")
    return nothing()


# ---------------------------------------------------------------- members
@router.get("/members", tags=["members"], summary="Members", response_model=Listed[model.MemberRow])
async def members(request: Request, who: Manager, limit: Limit = 100, cursor: Cursor = None) -> Response:
    after = decode_cursor(cursor, Place)
    async with web.runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await service.members(conn, who.tenant, after, limit + 1)
    return listed(rows, limit, lambda row: Place(row.created_at, row.person))


@router.patch("/members/{person}", tags=["members"], summary="Change a member's role", response_model=model.MemberRow)
async def change_role(request: Request, who: Owner, person: UUID, body: RoleChange) -> Response:
    async with web.runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        row = await service.change_role(conn, who.tenant, person, body.role)
    recognise.forget(f"person:{person}")
    return reply(row)


@router.delete("/members/{person}", tags=["members"], summary="Remove a member", status_code=204)
async def remove_member(request: Request, who: Owner, person: UUID) -> Response:
    async with web.runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        await service.remove_member(conn, who.tenant, person)
    recognise.forget(f"person:{person}")
    return nothing()
