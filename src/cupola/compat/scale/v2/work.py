"""v2: projects, batches, tasks, annotations, schemas."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from cupola.compat.scale import intake, outcome
from cupola.compat.scale.types import TYPES
from cupola.compat.scale.types.chat import NAMES as CHATS
from cupola.compat.scale.types.check import Fields, wrong
from cupola.compat.scale.types.image_drawn import uuid_of
from cupola.compat.scale.v2 import shapes
from cupola.compat.scale.wire import Call, Conn, metadata_text, read_id, shown_token
from cupola.kernel import states
from cupola.kernel.errors import invalid, not_found
from cupola.orders import model as order_model
from cupola.orders import service
from cupola.orders.callbacks import service as callbacks
from cupola.orders.model import Filter, Order
from cupola.orders.projects import model
from cupola.orders.projects import service as projects
from cupola.orders.projects.model import Batch, BatchFilter, Project

Json = dict[str, Any]
OPTIONS = ("annotation_details", "attachment_details", "model_parameters", "submissions")
MAX_CALLBACK_CHARS = 8_000


class After(msgspec.Struct, array_like=True):
    """A token: the last row seen, and how many there are in all (-1: not counted)."""

    key: UUID
    total: int = -1


def chosen(call: Call, name: str, known: tuple[str, ...]) -> set[str]:
    """A repeated (or comma-joined) parameter of few words."""
    found = {word for value in call.several(name) for word in value.split(",") if word}
    for word in found:
        if word not in known:
            raise invalid("query-invalid", f"{name}: must be of {', '.join(known)}", place=name)
    return found


async def find_project(conn: Conn, call: Call, given: Json, *, required: bool = True) -> Project | None:
    """By project_id or project_name. Raises Problem: INVALID, NOT_FOUND."""
    if given.get("project_id") is not None:
        return await projects.project(conn, call.tenant, read_id(given["project_id"], "project"))
    name = Fields(given).text("project_name")
    if name is not None:
        return await projects.project_named(conn, call.tenant, name)
    if required:
        raise wrong("project_id", "is missing, and so is project_name")
    return None


async def find_batch(conn: Conn, call: Call, given: Json, *, required: bool = True) -> Batch | None:
    """By batch_id or batch_name. Raises Problem: INVALID, NOT_FOUND."""
    if given.get("batch_id") is not None:
        return await projects.batch(conn, call.tenant, read_id(given["batch_id"], "batch"))
    name = Fields(given).text("batch_name")
    if name is not None:
        return await projects.batch_named(conn, call.tenant, name)
    if required:
        raise wrong("batch_id", "is missing, and so is batch_name")
    return None


def asked(call: Call, *names: str) -> Json:
    return {name: call.one(name) for name in names}


# ---------------------------------------------------------------- projects
async def list_projects(conn: Conn, call: Call) -> Json:
    found = await projects.projects(conn, call.tenant, created=call.span("created_after", "created_before"))
    return {"projects": [shapes.project(one) for one in found]}


async def read_project(conn: Conn, call: Call) -> Json:
    found = await find_project(conn, call, asked(call, "project_id", "project_name"))
    assert found is not None
    return shapes.project(found)


# ---------------------------------------------------------------- batches
async def list_batches(conn: Conn, call: Call) -> Json:
    project = await find_project(conn, call, asked(call, "project_id", "project_name"), required=False)
    status = call.one("status")
    if status is not None and status not in states.BATCH:
        raise invalid("query-invalid", f"status: must be one of {', '.join(states.BATCH)}", place="status")
    expand = chosen(call, "expand", ("project",))
    after: After | None = call.token(After)
    wanted = BatchFilter(
        project=project.id if project else None,
        state=states.BATCH.index(status) if status else None,
        created=call.span("created_after", "created_before"),
        completed=call.span("completed_after", "completed_before"),
    )
    found = await projects.batches(conn, call.tenant, wanted, after=after.key if after else None, limit=call.limit())
    full = await projects_of(conn, call, {one.project for one in found.batches}) if expand else {}
    page: Json = {"batches": [shapes.batch(one, full.get(one.project)) for one in found.batches]}
    if found.more:
        page["next_token"] = shown_token(After(found.batches[-1].id))
    return page


async def projects_of(conn: Conn, call: Call, wanted: set[UUID]) -> dict[UUID, Project]:
    return {one: await projects.project(conn, call.tenant, one) for one in wanted}


async def read_batch(conn: Conn, call: Call) -> Json:
    expand = chosen(call, "expand", ("project",))
    found = await find_batch(conn, call, asked(call, "batch_id", "batch_name"))
    assert found is not None
    return shapes.batch(found, await projects.project(conn, call.tenant, found.project) if expand else None)


async def create_batch(conn: Conn, call: Call) -> Json:
    body = call.object()
    fields = Fields(body)
    project = await find_project(conn, call, body)
    assert project is not None
    callback = fields.text("callback", most=MAX_CALLBACK_CHARS) or None
    if callback:
        callback = callbacks.check_receiver(call.run, callback, "callback")
    made = await projects.create_batch(
        conn,
        call.tenant,
        project,
        fields.text("name", required=True) or "",
        staging=fields.flag("staging_batch"),
        callback=callback,
        metadata=metadata_text(body.get("metadata")),
    )
    return shapes.batch(made)


async def finalize(conn: Conn, call: Call) -> Json:
    found = await find_batch(conn, call, call.object())
    assert found is not None
    if found.state != model.STAGING:
        raise invalid(
            "batch-state",
            f"The batch is {states.BATCH[found.state]}; only a staging one can be finalized.",
            place="batch_id",
        )
    moved = await service.move_batch(conn, call.tenant, found.id, "finalize")
    return shapes.batch(await outcome.batch_done(conn, call.run, call.tenant, moved.id) or moved)


def _move(verb: str, said: str) -> Any:
    async def move(conn: Conn, call: Call) -> Json:
        found = await find_batch(conn, call, call.object())
        assert found is not None
        moved = await service.move_batch(conn, call.tenant, found.id, verb)
        return {"batch": shapes.batch(moved), "message": said}

    return move


pause = _move("pause", "The batch is paused; what is under way is finished.")
resume = _move("resume", "The batch goes on.")
cancel = _move("cancel", "The batch is cancelled; what is under way is finished and paid.")


async def batch_metadata(conn: Conn, call: Call) -> Json:
    body = call.object()
    found = await find_batch(conn, call, body)
    assert found is not None
    text = _metadata(body)
    return shapes.batch(
        await projects.set_batch_metadata(conn, call.tenant, found.id, text, merge=Fields(body).flag("merge"))
    )


def _metadata(body: Json) -> str:
    if not isinstance(body.get("metadata"), dict):
        raise wrong("metadata", "must be an object")
    return metadata_text(body["metadata"])


# ---------------------------------------------------------------- tasks
async def shown(conn: Conn, call: Call, orders: list[Order]) -> list[Json]:
    """Tasks, expanded and with the details that the query asks for."""
    expand, opts = chosen(call, "expand", ("project", "batch", "delivery")), chosen(call, "opts", OPTIONS)
    full: dict[UUID, Project] = {}
    batches: dict[UUID, Batch] = {}
    if "project" in expand:
        full = await projects_of(conn, call, {one.project for one in orders if one.project})
    if "batch" in expand:
        wanted = {one.batch for one in orders if one.batch}
        batches = {one: await projects.batch(conn, call.tenant, one) for one in wanted}
    return [shapes.task(one, opts, full, batches) for one in orders]


async def list_tasks(conn: Conn, call: Call) -> Json:
    project = await find_project(conn, call, asked(call, "project_id", "project_name"), required=False)
    batch = await find_batch(conn, call, asked(call, "batch_id", "batch_name"), required=False)
    status = call.one("status")
    known = (*states.ORDER, "deleted")
    if status is not None and status not in known:
        raise invalid("query-invalid", f"status: must be one of {', '.join(known)}", place="status")
    after: After | None = call.token(After)
    wanted = Filter(
        project=project.id if project else None,
        batch=batch.id if batch else None,
        states=None if status is None else [known.index(status)] if status != "deleted" else [],
        completed=call.span("completed_after", "completed_before"),
        in_project=True,
    )
    # nobody reads a total here, so none is counted
    found = await service.listed(
        conn, call.tenant, wanted, before=after.key if after else None, limit=call.limit(), total=0
    )
    page: Json = {"tasks": await shown(conn, call, found.orders)}
    if found.more:
        page["next_token"] = shown_token(After(found.orders[-1].id))
    return page


async def _task(conn: Conn, call: Call, text: object) -> Order:
    order = await service.order(conn, call.tenant, read_id(text, "task"))
    if order.role != order_model.PRODUCTION:
        raise not_found("task")
    return order


async def read_task(conn: Conn, call: Call) -> Json:
    return (await shown(conn, call, [await _task(conn, call, call.one("task_id"))]))[0]


async def task_metadata(conn: Conn, call: Call) -> Json:
    body = call.object()
    order = await _task(conn, call, body.get("task_id"))
    merged = Fields(body).flag("merge")
    return shapes.task(await service.set_metadata(conn, call.tenant, order.id, _metadata(body), merge=merged))


async def create_chat(conn: Conn, call: Call) -> Json:
    body = call.object()
    project = await find_project(conn, call, body, required=False)
    batch = await find_batch(conn, call, body, required=False)
    if project is None:
        if batch is None:
            raise wrong("project_id", "is missing, and so is project_name")
        project = await projects.project(conn, call.tenant, batch.project)
    if project.type not in CHATS:
        raise wrong("project_id", f"{project.name!r} takes tasks of the type {project.type}, not chat")
    wanted: Json = {name: body[name] for name in ("template_variables", "metadata", "callback_url") if name in body}
    if batch is not None:
        wanted["batch"] = batch.name
    kind = TYPES[project.type]
    new = await intake.new_order(conn, call, kind, wanted, order_model.PRODUCTION, in_project=project.id)
    return shapes.task(await service.order(conn, call.tenant, await intake.keep(conn, call, kind, new)))


async def read_annotation(conn: Conn, call: Call) -> Json:
    text = call.one("annotation_id") or ""
    task, _, name = text.partition(".")
    order = await _no_task(conn, call, task)
    if order.response is not None and order.state == order_model.COMPLETED:
        for one in shapes.every_annotation(msgspec.json.decode(order.response)):
            if one.get("id") == name:
                return shapes.annotation(order, one, detailed=True, files=True)
    raise not_found("annotation")


async def _no_task(conn: Conn, call: Call, text: str) -> Order:
    return await service.order(conn, call.tenant, read_id(text, "annotation"))


# ---------------------------------------------------------------- schemas
def schema_id(type_name: str) -> str:
    """The identifier of a type's response schema."""
    return str(uuid_of(f"response schema of {type_name}"))


_LISTS = ("annotations", "links", "relations", "frames", "threads")
_MEMBERS: dict[str, tuple[str, ...]] = {
    "imageannotation": ("annotations", "global_attributes", "links"),
    "segmentannotation": ("labelMapping", "annotations"),
    "categorization": ("category", "taxonomies"),
    "comparison": ("choice", "annotations"),
    "namedentityrecognition": ("annotations", "relations"),
    "lidarlinking": ("frames",),
    "sensorfusion": ("scene",),
    "lidarsegmentation": ("annotations", "point_segmentations"),
    **dict.fromkeys(CHATS, ("threads",)),
}
_FILES = ("video", "lidar", "segment", "textcollection", "transcription", "datacollection")


def schema_of(type_name: str) -> Json:
    """JSON Schema (2020-12) of a type's response: which members there are, and which of them are lists."""
    members: Json = {}
    for name in _MEMBERS.get(type_name, ("annotations",)):
        listed = name in _LISTS and not (name == "annotations" and type_name.startswith(_FILES))
        members[name] = {"type": "array"} if listed else {}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Response of {type_name}",
        "type": "object",
        "properties": members,
    }


async def read_schema(conn: Conn, call: Call) -> Json:
    wanted = call.one("schema_id")
    if wanted is None:
        raise wrong("schema_id", "is missing")
    for name in TYPES:
        if schema_id(name) == wanted:
            return {"schema": {"id": wanted, "json": msgspec.json.encode(schema_of(name)).decode()}}
    raise not_found("schema")
