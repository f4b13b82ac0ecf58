"""People who work for a tenant by its own invitation, and invitations that nobody has accepted yet.

Whom a tenant lets in is offered that tenant's work; the operator alone makes contributors for everybody. Verbs in the
caller's transaction of the tenant (APP), but for `welcome`.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from cupola.identity import store
from cupola.identity.model import Labeler, OpenInvitation, TenantRole
from cupola.kernel import clock
from cupola.platform import events
from cupola.platform.pg.tx import Conn


async def labelers(conn: Conn, tenant: UUID, limit: int) -> list[Labeler]:
    return await store.LABELERS.all(conn, tenant=tenant, limit=limit)


async def welcome(conn: Conn, person: UUID) -> None:
    """Make somebody a contributor for those who invite them (OPS); who is one for everybody stays so."""
    await store.GUEST_RAISE.run(conn, id=person)


async def add(conn: Conn, tenant: UUID, person: UUID) -> None:
    """Let a contributor work for the tenant."""
    if await store.LABELER_ADD.run(conn, tenant=tenant, person=person, now=clock.now()):
        await events.emit(conn, tenant, "labeler.joined", person)


async def remove(conn: Conn, tenant: UUID, person: UUID) -> bool:
    """From the next claim on. What they earned stays theirs. False where they were none."""
    gone = await store.LABELER_REMOVE.run(conn, tenant=tenant, person=person) > 0
    if gone:
        await events.emit(conn, tenant, "labeler.removed", person)
    return gone


async def open_invitations(conn: Conn, tenant: UUID, limit: int, after: str = "") -> list[OpenInvitation]:
    """The newest one of each address, in their order, from the one after `after` on."""
    return await store.INVITATIONS_OPEN.all(conn, tenant=tenant, now=clock.now(), after=after, limit=limit)


async def close_invitations(conn: Conn, tenant: UUID, emails: Sequence[str]) -> int:
    """End the invitations of these addresses; returns how many there were."""
    return await store.INVITATIONS_CLOSE.run(conn, tenant=tenant, emails=list(emails), now=clock.now())


async def change_invitation(conn: Conn, tenant: UUID, email: str, role: TenantRole, *, confirmed: bool) -> bool:
    """Another role for who has not accepted yet; their link stays good. False where nobody is invited."""
    return (
        await store.INVITATION_ROLE.run(
            conn, tenant=tenant, email=email, role=role, confirmed=confirmed, now=clock.now()
        )
        > 0
    )
