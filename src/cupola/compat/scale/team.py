"""v1: teammates. An invitation is a link of 7 days that only its address can use; whoever holds the key passes it on.

A labeler becomes somebody who works for this tenant and for no other; the other roles become members. A key makes
nobody a member and raises nobody by itself: such an invitation counts once an owner has confirmed it, whom it calls an
admin becomes a manager until an owner makes them one, and what a key invited to ends with the key.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from cupola.compat.scale.types.check import Fields, wrong
from cupola.compat.scale.wire import Call, Conn, shown_time
from cupola.identity import labelers, recognise
from cupola.identity import service as identity
from cupola.identity.model import RANK, MemberRow, Role, TenantRole
from cupola.kernel.errors import invalid, not_found
from cupola.orders.studio import model
from cupola.orders.studio import service as studio
from cupola.platform.once import Once
from cupola.platform.pg import tx

Json = dict[str, Any]
_SHOWN = {"owner": "admin", "manager": "manager", "reviewer": "member", "labeler": "labeler"}
_MEANT: dict[str, TenantRole] = {"labeler": "labeler", "member": "reviewer", "manager": "manager", "admin": "manager"}
_RANK: dict[str, int] = {"labeler": 0, **RANK}
MAX_PEOPLE = 10_000
UNCONFIRMED = "A key invited them; it counts once an owner has confirmed it, on the page of members."
RAISED = "A key raises nobody; an owner confirms it, on the page of members."


def _teammate(email: str, role: str, company: str, name: str | None = None) -> Json:
    first, _, last = (name or "").partition(" ")
    return {
        "email": email,
        "role": _SHOWN[role],
        "company": company,
        "firstName": first or None,
        "lastName": last or None,
        "isStudioLabeler": role == "labeler",
    }


async def _members(conn: Conn, call: Call) -> dict[str, MemberRow]:
    rows = await identity.members(conn, call.tenant, None, MAX_PEOPLE)
    return {row.email: row for row in rows if row.email is not None}


async def _team(conn: Conn, call: Call) -> dict[str, Json]:
    """{address: teammate}: members, labelers, and whom an invitation waits for, with its expiry."""
    found: dict[str, Json] = {}
    company = await identity.organisation_of(conn, call.tenant)
    for invited in await labelers.open_invitations(conn, call.tenant, MAX_PEOPLE):
        found[invited.email] = {
            **_teammate(invited.email, invited.role, company),
            "expiry": shown_time(invited.expires_at),
            **({} if invited.confirmed else {"because": UNCONFIRMED}),
        }
    for one in await labelers.labelers(conn, call.tenant, MAX_PEOPLE):
        if one.email is not None:
            found[one.email] = _teammate(one.email, "labeler", company, one.name)
    for email, member in (await _members(conn, call)).items():
        found[email] = _teammate(email, member.role, company, member.name)
    shown = await studio.spellings(conn, call.tenant)
    for email, teammate in found.items():
        teammate["email"] = shown.get(email, email)
    return found


async def team(conn: Conn, call: Call) -> list[Json]:
    return list((await _team(conn, call)).values())


async def _asked(conn: Conn, call: Call) -> tuple[list[str], str]:
    body = Fields(call.object())
    role = body.one_of("team_role", model.TEAM_ROLES)
    if role is None:
        raise wrong("team_role", "is missing")
    given = body.texts("emails", required=True)
    emails = model.emails(given, "emails")
    await studio.spell(conn, call.tenant, given)
    return emails, role


async def _answer(conn: Conn, call: Call, emails: list[str], role: str, links: dict[str, str]) -> list[Json]:
    """Everybody, those first who were named."""
    after = await _team(conn, call)
    for email in emails:
        one = after[email]
        if email in links:
            one["invitation_url"] = links[email]
        if "expiry" not in one and one["role"] != role and one["role"] != "admin" and role != "admin":
            one["because"] = RAISED
        elif role == "admin" and one["role"] != "admin":
            one["because"] = "A key makes managers; an owner makes them an admin, on the page of members."
    return [*(after[email] for email in emails), *(one for email, one in after.items() if email not in emails)]


async def invite(conn: Conn, call: Call) -> list[Json]:
    """Invite those who are not here yet. Who is, stays as they are; who was invited before gets another link."""
    emails, role = await _asked(conn, call)
    here = {email for email, one in (await _team(conn, call)).items() if "expiry" not in one}
    new = [email for email in emails if email not in here]
    await labelers.close_invitations(conn, call.tenant, new)
    links = {}
    for email in new:
        links[email] = await _link(conn, call, _MEANT[role], email)
    return await _answer(conn, call, emails, role, links)


async def _link(conn: Conn, call: Call, role: TenantRole, email: str) -> str:
    kind, _, name = call.principal.partition(":")
    made = await identity.invite(
        conn,
        Once(),
        call.tenant,
        call.run.settings.public_url,
        role,
        email,
        key=UUID(name) if kind == "key" else None,
        confirmed=role == "labeler",
    )
    return made.link


async def set_role(conn: Conn, call: Call) -> list[Json]:
    """Another role for members, labelers, and those who are only invited."""
    emails, role = await _asked(conn, call)
    members = await _members(conn, call)
    working = {one.email: one.person for one in await labelers.labelers(conn, call.tenant, MAX_PEOPLE)}
    meant = _MEANT[role]
    for email in emails:
        member, labeler = members.get(email), working.get(email)
        present = member.role if member is not None else "labeler" if labeler is not None else None
        if present is not None and _RANK[meant] > _RANK[present]:
            await labelers.close_invitations(conn, call.tenant, [email])
            await _link(conn, call, meant, email)  # nobody gets it: confirming it is what raises them
        elif member is not None:
            await _change_member(conn, call, member, meant)
        elif labeler is None and not await labelers.change_invitation(
            conn, call.tenant, email, meant, confirmed=meant == "labeler"
        ):
            raise not_found(f"teammate {email}")
    return await _answer(conn, call, emails, role, {})


async def _change_member(conn: Conn, call: Call, member: MemberRow, meant: TenantRole) -> None:
    if member.role == "owner":
        raise invalid(
            "member-role",
            f"{member.email} is an owner; a key does not change the role of owners.",
            place="emails",
            remedy="An owner does, on the page of members.",
        )
    if meant == "labeler":
        async with call.run.db.tx(tx.Role.OPS) as ops:
            await labelers.welcome(ops, member.person)
        await identity.remove_member(conn, call.tenant, member.person)
        await labelers.add(conn, call.tenant, member.person)
    else:
        role: Role = meant
        await identity.change_role(conn, call.tenant, member.person, role)
    recognise.forget(f"person:{member.person}")


async def remove(conn: Conn, call: Call) -> list[Json]:
    """Ours: end what invitations there are, and let labelers go; what they earned stays theirs. Answers who is left."""
    emails = model.emails(Fields(call.object()).texts("emails", required=True), "emails")
    members = await _members(conn, call)
    for email in emails:
        if email in members:
            raise invalid(
                "member-role", f"{email} is a member; a key lets only labelers go.", place="emails",
                remedy="An owner removes members, on the page of members.",
            )  # fmt: skip
    invited = {one.email for one in await labelers.open_invitations(conn, call.tenant, MAX_PEOPLE)}
    working = {one.email: one.person for one in await labelers.labelers(conn, call.tenant, MAX_PEOPLE)}
    for email in emails:
        if email not in invited and email not in working:
            raise not_found(f"teammate {email}")
        if email in working:
            await labelers.remove(conn, call.tenant, working[email])
    await labelers.close_invitations(conn, call.tenant, emails)
    return await team(conn, call)
