"""Verbs of crews, in the caller's transaction. They take effect at the next claim: pages under way stay as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from cupola.kernel import clock
from cupola.platform.pg.tx import Conn
from cupola.tasks.crews import store

AT_ONCE = 10_000


async def keep(conn: Conn, tenant: UUID, crews: Mapping[UUID, Sequence[str]]) -> None:
    """Make these crews consist of exactly these people. Addresses in lower case; they need not be anybody's yet."""
    if not crews:
        return
    pairs = [(crew, email) for crew, emails in crews.items() for email in dict.fromkeys(emails)]
    of, emails = [crew for crew, _ in pairs], [email for _, email in pairs]
    await store.CREWS_ADD.run(conn, tenant=tenant, crews=list(crews), now=clock.now())
    await store.MEMBERS_END.run(conn, tenant=tenant, crews=list(crews), of=of, emails=emails)
    await store.MEMBERS_ADD.run(conn, tenant=tenant, of=of, emails=emails)


async def give(conn: Conn, tenant: UUID, wanted: Sequence[tuple[UUID, UUID | None]]) -> None:
    """(task, crew): offer the task to that crew alone; None: to everybody to whom its project is open."""
    for start in range(0, len(wanted), AT_ONCE):
        part = wanted[start : start + AT_ONCE]
        tasks, crews = [task for task, _ in part], [crew for _, crew in part]
        if await store.GIVE.run(conn, tenant=tenant, tasks=tasks, crews=crews):
            await store.GIVEN.run(conn, tenant=tenant, tasks=tasks)
