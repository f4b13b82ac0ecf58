"""The verbs of projects of orders and of batches. Each runs in the caller's transaction."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from cupola.kernel import clock, ids, states
from cupola.kernel.errors import invalid, not_found
from cupola.orders.projects import model, store
from cupola.orders.projects.model import Batch, Batches, BatchFilter, Project, Version
from cupola.platform import events
from cupola.platform.pg.tx import Conn

MAX_PROJECTS = 10_000


def check_name(name: str, place: str) -> str:
    """Raises Problem (INVALID) for a name that cannot be kept, or that no address could name: `.` and `..` are taken
    for folders on the way, and line breaks are lost."""
    if not 1 <= len(name) <= model.MAX_NAME_CHARS or any(ord(one) < 32 or 127 <= ord(one) < 160 for one in name):
        raise invalid(
            "name-invalid",
            f"{place}: a name has 1 to {model.MAX_NAME_CHARS} characters, none of them a control character.",
            place=place,
            remedy="Choose another name.",
        )
    if name in (".", ".."):
        raise invalid("name-invalid", f"{place}: {name!r} cannot stand in an address.", place=place,
                      remedy="Choose another name.")  # fmt: skip
    return name


# ---------------------------------------------------------------- projects
async def create_project(
    conn: Conn,
    tenant: UUID,
    name: str,
    type_: str,
    params: dict[str, Any] | None,
    *,
    rapid: bool = False,
    studio: bool = False,
    dataset_ref: str | None = None,
) -> Project:
    """A new project; with params it has a first version. Raises Problem (CONFLICT) for a name that is taken."""
    project = ids.uuid7()
    made = await store.ADD.run(
        conn,
        tenant=tenant,
        id=project,
        name=check_name(name, "name"),
        type=type_,
        rapid=rapid,
        studio=studio,
        dataset_ref=dataset_ref,
        now=clock.now(),
    )
    if not made:
        raise model.taken("project", name)
    if params:
        await _add_version(conn, tenant, project, 0, params)
    await events.emit(conn, tenant, "order.project.created", project)
    return await store.PROJECT.one(conn, tenant=tenant, id=project)


async def _add_version(conn: Conn, tenant: UUID, project: UUID, version: int, params: dict[str, Any]) -> None:
    text = msgspec.json.encode(params).decode()
    if len(text) > model.MAX_PARAMS_BYTES:
        raise invalid("params-too-large", f"Parameters have at most {model.MAX_PARAMS_BYTES} bytes.", place="params")
    await store.VERSION_ADD.run(conn, tenant=tenant, project=project, version=version, params=text, now=clock.now())
    await store.VERSION_SET.run(conn, tenant=tenant, project=project, version=version)


async def set_params(conn: Conn, tenant: UUID, name: str, params: dict[str, Any], *, patch: bool) -> Project:
    """A new version of a project's parameters. patch: what is not named stays as it was. Raises NOT_FOUND."""
    row = await store.NAMED_LOCK.maybe(conn, tenant=tenant, name=name)
    if row is None:
        raise not_found("project")
    last = await store.VERSION.maybe(conn, tenant=tenant, project=row.id, version=row.version)
    if patch and last is not None:
        params = {**msgspec.json.decode(last.params), **params}
    await _add_version(conn, tenant, row.id, row.version + 1 if last is not None else 0, params)
    await events.emit(conn, tenant, "order.project.versioned", row.id)
    return await store.PROJECT.one(conn, tenant=tenant, id=row.id)


async def project_named(conn: Conn, tenant: UUID, name: str) -> Project:
    """Raises Problem (NOT_FOUND)."""
    row = None if "\0" in name else await store.NAMED.maybe(conn, tenant=tenant, name=name)
    if row is None:
        raise not_found(f"project {name[:200]!r}")
    return row


async def project(conn: Conn, tenant: UUID, project_id: UUID) -> Project:
    """Raises Problem (NOT_FOUND)."""
    row = await store.PROJECT.maybe(conn, tenant=tenant, id=project_id)
    if row is None:
        raise not_found("project")
    return row


async def projects(
    conn: Conn, tenant: UUID, *, archived: bool = False, created: tuple[Any, Any] = (None, None)
) -> list[Project]:
    return await store.LIST.all(
        conn,
        tenant=tenant,
        archived=archived,
        created_from=created[0],
        created_to=created[1],
        limit=MAX_PROJECTS,
    )


async def versions(conn: Conn, tenant: UUID, of: list[UUID]) -> dict[UUID, list[Version]]:
    """The history of parameters of each project, oldest first."""
    found: dict[UUID, list[Version]] = {one: [] for one in of}
    for row in await store.VERSIONS.all(conn, tenant=tenant, projects=of):
        found[row.project].append(row)
    return found


async def version(conn: Conn, tenant: UUID, of: Project, pinned: int | None) -> Version | None:
    """The version that is in force, or the pinned one. Raises Problem (INVALID) for one that there is not."""
    row = await store.VERSION.maybe(
        conn, tenant=tenant, project=of.id, version=of.version if pinned is None else pinned
    )
    if row is None and pinned is not None:
        raise invalid(
            "version-unknown",
            f"The project {of.name!r} has no version {pinned}.",
            place="project_param_version",
            remedy="Leave it out for the version in force.",
        )
    return row


# ---------------------------------------------------------------- batches
async def create_batch(
    conn: Conn,
    tenant: UUID,
    of: Project,
    name: str,
    *,
    kind: str = "production",
    staging: bool = False,
    callback: str | None = None,
    metadata: str = "{}",
) -> Batch:
    """A new batch. Raises Problem (CONFLICT) for a name that is taken: names are unique for the whole world."""
    batch = ids.uuid7()
    made = await store.BATCH_ADD.run(
        conn,
        tenant=tenant,
        id=batch,
        project=of.id,
        name=check_name(name, "name"),
        kind=kind,
        state=model.STAGING if staging else model.IN_PROGRESS,
        callback=callback,
        metadata=metadata,
        now=clock.now(),
    )
    if not made:
        raise model.taken("batch", name)
    await events.emit(conn, tenant, "order.batch.created", batch)
    return await store.BATCH.one(conn, tenant=tenant, id=batch)


async def batch_named(conn: Conn, tenant: UUID, name: str) -> Batch:
    """Raises Problem (NOT_FOUND)."""
    row = None if "\0" in name else await store.BATCH_NAMED.maybe(conn, tenant=tenant, name=name)
    if row is None:
        raise not_found(f"batch {name[:200]!r}")
    return row


async def batch(conn: Conn, tenant: UUID, batch_id: UUID) -> Batch:
    """Raises Problem (NOT_FOUND)."""
    row = await store.BATCH.maybe(conn, tenant=tenant, id=batch_id)
    if row is None:
        raise not_found("batch")
    return row


async def join(conn: Conn, tenant: UUID, to: Batch, of: Project) -> None:
    """Hold a batch open while an order joins it; one that was complete is in progress again.

    Raises Problem (INVALID) for a batch that takes no more: a cancelled one, or a finalized one of a project whose
    batches are filled first and finalized then.
    """
    standing = await store.BATCH_SHARE.one(conn, tenant=tenant, id=to.id)
    state, paused_from = standing.state, standing.paused_from
    filling = state == model.STAGING or (state == model.PAUSED and paused_from == model.STAGING)
    if state == model.CANCELLED or ((of.rapid or of.studio) and not filling):
        raise invalid(
            "batch-closed",
            f"The batch {to.name!r} is {states.BATCH[state]} and takes no more tasks.",
            place="batch",
            remedy="Make a new batch.",
        )
    if state == model.COMPLETED:
        await reopen(conn, tenant, to.id)


async def batches(
    conn: Conn, tenant: UUID, wanted: BatchFilter, *, after: UUID | None = None, offset: int = 0, limit: int = 100
) -> Batches:
    """A page of batches, newest first, by offset or after an identifier."""
    given = {
        "tenant": tenant,
        "project": wanted.project,
        "state": wanted.state,
        "shown": wanted.shown,
        "live_only": wanted.live_only,
        "created_from": wanted.created[0],
        "created_to": wanted.created[1],
        "completed_from": wanted.completed[0],
        "completed_to": wanted.completed[1],
    }
    rows = await store.BATCHES.all(conn, **given, after=after or ids.LAST, offset=offset, limit=limit + 1)
    total = await store.BATCH_COUNT.one(conn, **given)
    return Batches(rows[:limit], total, len(rows) > limit)


async def move_batch(conn: Conn, tenant: UUID, batch_id: UUID, verb: str) -> Batch:
    """finalize, pause, resume or cancel. Raises Problem: NOT_FOUND, CONFLICT."""
    row = await store.BATCH_LOCK.maybe(conn, tenant=tenant, id=batch_id)
    if row is None:
        raise not_found("batch")
    state, paused_from = model.moved(row.state, row.paused_from, verb)
    if (state, paused_from) != (row.state, row.paused_from):
        await store.BATCH_STATE.run(
            conn, tenant=tenant, id=batch_id, state=state, paused_from=paused_from, completed_at=None
        )
        await events.emit(conn, tenant, f"order.batch.{verb}", batch_id)
    return await store.BATCH.one(conn, tenant=tenant, id=batch_id)


async def set_batch_metadata(conn: Conn, tenant: UUID, batch_id: UUID, metadata: str, *, merge: bool) -> Batch:
    """Replace a batch's metadata, or merge into it. Raises Problem (NOT_FOUND)."""
    row = await store.BATCH_LOCK.maybe(conn, tenant=tenant, id=batch_id)
    if row is None:
        raise not_found("batch")
    if merge:
        metadata = model.joined_metadata(row.metadata, metadata)
    await store.BATCH_METADATA.run(conn, tenant=tenant, id=batch_id, metadata=metadata)
    return await store.BATCH.one(conn, tenant=tenant, id=batch_id)


async def order_batches(conn: Conn, tenant: UUID, wanted: list[UUID]) -> None:
    """The order in which batches are worked on; an empty list goes back to age."""
    await store.BATCH_POSITIONS_CLEAR.run(conn, tenant=tenant)
    if wanted:
        await store.BATCH_POSITIONS.run(conn, tenant=tenant, ids=wanted)


async def complete_if_done(conn: Conn, tenant: UUID, batch_id: UUID) -> Batch | None:
    """The batch, if its last order is done now."""
    done = await store.BATCH_DONE.maybe(conn, tenant=tenant, id=batch_id, now=clock.now())
    return None if done is None else await store.BATCH.one(conn, tenant=tenant, id=batch_id)


async def reopen(conn: Conn, tenant: UUID, batch_id: UUID) -> None:
    """A batch whose order is done again is in progress again."""
    await store.BATCH_AGAIN.run(conn, tenant=tenant, id=batch_id)
