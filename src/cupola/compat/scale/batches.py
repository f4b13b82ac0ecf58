"""v1: batches."""

from __future__ import annotations

from typing import Any

from cupola.compat.scale import outcome, shapes
from cupola.compat.scale.types.check import Fields, wrong
from cupola.compat.scale.wire import Call, Conn, metadata_text
from cupola.kernel import states
from cupola.kernel.errors import invalid
from cupola.orders import service
from cupola.orders.callbacks import service as callbacks
from cupola.orders.projects import model
from cupola.orders.projects import service as projects
from cupola.orders.projects.model import Batch, BatchFilter

Json = dict[str, Any]


async def create(conn: Conn, call: Call) -> Json:
    body = Fields(call.object())
    project = await projects.project_named(conn, call.tenant, body.text("project", required=True) or "")
    name = body.text("name", required=True) or ""
    calibration, self_label = body.flag("calibration_batch"), body.flag("self_label_batch")
    if calibration and self_label:
        raise wrong("self_label_batch", "cannot be together with calibration_batch")
    callback = body.text("callback") or None
    if callback:
        callback = callbacks.check_receiver(call.run, callback, "callback")
    made = await projects.create_batch(
        conn,
        call.tenant,
        project,
        name,
        kind="calibration" if calibration else "self_label" if self_label else "production",
        # self-serve projects are filled first and finalized then
        staging=project.rapid or project.studio,
        callback=callback,
        metadata=metadata_text(body.values.get("metadata")),
    )
    return shapes.batch(made)


async def _named(conn: Conn, call: Call) -> Batch:
    return await projects.batch_named(conn, call.tenant, call.path["name"])


async def read(conn: Conn, call: Call) -> Json:
    return shapes.batch(await _named(conn, call))


async def status(conn: Conn, call: Call) -> Json:
    batch = await _named(conn, call)
    return shapes.batch_status(batch, await service.batch_counts(conn, call.tenant, batch.id))


async def finalize(conn: Conn, call: Call) -> Json:
    batch = await _named(conn, call)
    if batch.state == model.CANCELLED:
        # never a 409 here: the clients read it as a task that is there already
        raise invalid("batch-state", f"The batch {batch.name!r} is cancelled; it cannot be finalized.", place="name")
    if batch.state == model.COMPLETED:
        return shapes.batch(batch)
    moved = await service.move_batch(conn, call.tenant, batch.id, "finalize")
    # in the test world its tasks are completed already
    done = await outcome.batch_done(conn, call.run, call.tenant, moved.id)
    return shapes.batch(done or moved)


async def set_metadata(conn: Conn, call: Call) -> Json:
    batch = await _named(conn, call)
    text = metadata_text(call.object())
    return shapes.batch(await projects.set_batch_metadata(conn, call.tenant, batch.id, text, merge=False))


async def listed(conn: Conn, call: Call) -> Json:
    project, state = call.one("project"), call.one("status")
    if state is not None and state not in states.BATCH:
        raise invalid("query-invalid", f"status: must be one of {', '.join(states.BATCH)}", place="status")
    limit = call.limit()
    offset = call.whole("offset", 0, 10_000_000) or 0
    wanted = BatchFilter(
        project=(await projects.project_named(conn, call.tenant, project)).id if project else None,
        shown=shapes.SHOWN_AS.get(state) if state else None,
        state=states.BATCH.index(state) if state and state not in shapes.SHOWN_AS else None,
        created=call.span("start_time", "end_time"),
        live_only=call.flag("exclude_archived") or False,
    )
    found = await projects.batches(conn, call.tenant, wanted, offset=offset, limit=limit)
    return {
        "docs": [shapes.batch(one) for one in found.batches],
        "totalDocs": found.total,
        "limit": limit,
        "offset": offset,
        "has_more": found.more,
    }
