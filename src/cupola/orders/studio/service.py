"""The verbs of studios. Each runs in the caller's transaction."""

from __future__ import annotations

from uuid import UUID

import psycopg

from cupola.kernel import clock, ids
from cupola.kernel.errors import conflict, not_found
from cupola.orders import service as orders
from cupola.orders.projects import service as projects
from cupola.orders.studio import crews, model, store
from cupola.orders.studio.model import Assigned, Group, GroupMember, StudioBatch
from cupola.platform.pg.tx import Conn


async def spell(conn: Conn, tenant: UUID, given: list[str]) -> None:
    """Remember how a client writes these addresses."""
    shown = {low: as_given for low, as_given in model.spelled(given).items() if as_given.lower() == low}
    await store.SPELL.run(conn, tenant=tenant, emails=list(shown), shown=list(shown.values()))


async def spellings(conn: Conn, tenant: UUID) -> dict[str, str]:
    """{address in lower case: as the client writes it}."""
    return {row.email: row.shown for row in await store.SPELLINGS.all(conn, tenant=tenant)}


async def assigned(conn: Conn, tenant: UUID) -> list[Assigned]:
    return await store.ASSIGNED.all(conn, tenant=tenant)


async def assign(conn: Conn, tenant: UUID, emails: list[str], names: list[str], *, add: bool) -> None:
    """Give people projects, or take them away: from their next claim on.

    Raises Problem (NOT_FOUND) for an unknown project.
    """
    found = [(await projects.project_named(conn, tenant, name)).id for name in names]
    if add:
        await store.ASSIGN.run(conn, tenant=tenant, emails=emails, projects=found, now=clock.now())
    else:
        await store.UNASSIGN.run(conn, tenant=tenant, emails=emails, projects=found)
    for project in dict.fromkeys(found):
        await crews.changed(conn, tenant, project)


async def groups(conn: Conn, tenant: UUID, project: UUID) -> list[tuple[Group, list[GroupMember]]]:
    found = await store.GROUPS.all(conn, tenant=tenant, project=project)
    members: dict[UUID, list[GroupMember]] = {group.id: [] for group in found}
    for member in await store.MEMBERS.all(conn, tenant=tenant, groups=list(members)):
        members[member.grp].append(member)
    return [(group, members[group.id]) for group in found]


async def create_group(conn: Conn, tenant: UUID, project: UUID, name: str, emails: list[str]) -> None:
    """Raises Problem (CONFLICT) for a name that is taken in the project."""
    new = ids.uuid7()
    try:
        async with conn.transaction():
            await store.GROUP_ADD.run(
                conn,
                tenant=tenant,
                id=new,
                project=project,
                name=projects.check_name(name, "name"),
                now=clock.now(),
            )
    except psycopg.errors.UniqueViolation as error:
        raise conflict("name-taken", f"There is a group named {name!r}.", remedy="Choose another name.") from error
    await store.MEMBERS_ADD.run(conn, tenant=tenant, grp=new, emails=emails)
    await crews.changed(conn, tenant, project)


async def group_named(conn: Conn, tenant: UUID, project: UUID, name: str) -> Group:
    """Raises Problem (NOT_FOUND)."""
    row = None if "\0" in name else await store.GROUP_NAMED.maybe(conn, tenant=tenant, project=project, name=name)
    if row is None:
        raise not_found(f"group {name[:200]!r}")
    return row


async def change_group(conn: Conn, tenant: UUID, project: UUID, group: UUID, add: list[str], remove: list[str]) -> None:
    """Let people into a group of the project, or take them out of it."""
    if remove:
        await store.MEMBERS_REMOVE.run(conn, tenant=tenant, grp=group, emails=remove)
    if add:
        await store.MEMBERS_ADD.run(conn, tenant=tenant, grp=group, emails=add)
    await crews.changed(conn, tenant, project)


async def batches(conn: Conn, tenant: UUID, batch: UUID | None = None) -> list[StudioBatch]:
    """The batches that are not done, in the order of work."""
    return await store.BATCHES.all(conn, tenant=tenant, batch=batch)


async def give_to_groups(conn: Conn, tenant: UUID, name: str, group_names: list[str]) -> StudioBatch:
    """Whose batch it is. Raises Problem (NOT_FOUND) for an unknown batch or group."""
    batch = await projects.batch_named(conn, tenant, name)
    found = [(await group_named(conn, tenant, batch.project, one)).id for one in dict.fromkeys(group_names)]
    await store.BATCH_GROUPS_CLEAR.run(conn, tenant=tenant, batch=batch.id)
    await store.BATCH_GROUPS_ADD.run(conn, tenant=tenant, batch=batch.id, groups=found)
    await crews.changed(conn, tenant, batch.project)
    rows = await batches(conn, tenant, batch.id)
    if not rows:
        raise conflict("batch-done", f"The batch {name!r} is done.", remedy="Only batches with work left have groups.")
    return rows[0]


async def set_order(conn: Conn, tenant: UUID, names: list[str]) -> list[StudioBatch]:
    """Work on these batches first, in this order; no names: by age. Raises Problem (NOT_FOUND)."""
    found: list[UUID] = []
    for name in dict.fromkeys(names):
        one = None if "\0" in name else await store.BATCH_PENDING.maybe(conn, tenant=tenant, name=name)
        if one is None:
            raise not_found(f"pending batch {name[:200]!r}")
        found.append(one)
    await projects.order_batches(conn, tenant, found)
    await orders.reorder_batches(conn, tenant)
    return await batches(conn, tenant)
