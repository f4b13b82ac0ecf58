"""From the body of a new task to an order: common parameters here, the others by the type's own module."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec

from cupola.compat.scale import outcome
from cupola.compat.scale.types import TaskType, type_named
from cupola.compat.scale.types.check import Fields, wrong
from cupola.compat.scale.wire import Call, Conn, metadata_text
from cupola.kernel import limits
from cupola.kernel.errors import Problem
from cupola.labels import decode_ontology, label_from, validate
from cupola.orders import model, service
from cupola.orders.callbacks import service as callbacks
from cupola.orders.files import service as files
from cupola.orders.model import NewOrder
from cupola.orders.projects import model as project_model
from cupola.orders.projects import service as projects
from cupola.orders.projects.model import Project

# parameters that every type has; everything else stands under `params`
COMMON = frozenset(
    (
        *("project", "batch", "instruction", "callback_url", "unique_id", "clear_unique_id_on_error", "metadata"),
        *("tags", "priority", "project_param_version", "expected_response", "initial_response"),
    )
)
MAX_UNIQUE_ID_CHARS = 1_000
MAX_TAG_CHARS = 300
_PROJECT_ONLY = frozenset(("version", "created_at", "patch"))


def tags_of(value: Any, place: str = "tags") -> list[str]:
    """Raises Problem (INVALID) naming the entry."""
    found = Fields({"tags": value}).texts("tags", most=model.MAX_TAGS)
    for index, tag in enumerate(found):
        if len(tag) > MAX_TAG_CHARS:
            raise wrong(f"{place}[{index}]", f"has more than {MAX_TAG_CHARS} characters")
    return list(dict.fromkeys(found))


def unique_id_of(fields: Fields, *, required: bool = False) -> str | None:
    found = fields.text("unique_id", required=required, most=MAX_UNIQUE_ID_CHARS)
    if found == "":
        raise wrong("unique_id", "must not be empty")
    return found


async def new_order(
    conn: Conn, call: Call, kind: TaskType, body: dict[str, Any], role: int, *, in_project: UUID | None = None
) -> NewOrder:
    """Check a body and make an order of it. Raises Problem: INVALID naming the parameter, NOT_FOUND, CONFLICT."""
    fields = Fields(body)
    batch = None
    name = fields.text("batch", most=project_model.MAX_NAME_CHARS)
    if name is not None:
        batch = await projects.batch_named(conn, call.tenant, name)
        if in_project is None and not fields.has("project"):
            in_project = batch.project
    project, base = await _project(conn, call, fields, kind, in_project)
    if batch is not None and project is not None:
        if batch.project != project.id:
            raise wrong("batch", f"{batch.name!r} belongs to another project")
        await projects.join(conn, call.tenant, batch, project)
    params = project_model.merged(
        {name: value for name, value in base.items() if name not in COMMON and name not in _PROJECT_ONLY},
        {name: value for name, value in body.items() if name not in COMMON},
    )
    typed = Fields(params)
    addresses = kind.check(typed)
    for address in dict.fromkeys(addresses):
        place = "attachments" if typed.has("attachments") else "attachment"
        await files.check_address(conn, call.run, call.tenant, address, place)
    instruction = project_model.joined(
        fields.text("instruction"), base.get("instruction") if isinstance(base.get("instruction"), str) else None
    )
    callback = fields.text("callback_url", most=8_000)
    if callback is None and isinstance(base.get("callback_url"), str):
        callback = base["callback_url"]
    if callback:
        callback = callbacks.check_receiver(call.run, callback, "callback_url")
    new = NewOrder(
        type=kind.name,
        role=role,
        params=msgspec.json.encode(params).decode(),
        project=project.id if project else None,
        project_version=_version(project, fields, base),
        batch=batch.id if batch else None,
        unique_id=unique_id_of(fields),
        free_unique_id_on_error=fields.flag("clear_unique_id_on_error"),
        instruction=instruction,
        metadata=metadata_text(body.get("metadata")),
        tags=tags_of(body["tags"]) if fields.has("tags") else None,
        priority=_priority(fields),
        callback=callback or None,
        waits="batch" if batch and batch.state in (project_model.STAGING, project_model.PAUSED) else "placing",
    )
    overview = base.get("instruction")
    made = _with_work(new, kind, body, params, instruction or "", role)
    if made.work is None or not isinstance(overview, str):
        return made
    return replace(made, work=replace(made.work, overview=overview[: limits.MAX_TEXT_CHARS]))


def _version(project: Project | None, fields: Fields, base: dict[str, Any]) -> int | None:
    if project is None or not base:
        return None
    pinned = fields.whole("project_param_version", 0, 10**9)
    return project.version if pinned is None else pinned


def _priority(fields: Fields) -> int:
    found = fields.number("priority", 0, 1_000)
    return 0 if found is None else int(found)


async def _project(
    conn: Conn, call: Call, fields: Fields, kind: TaskType, given: UUID | None
) -> tuple[Project | None, dict[str, Any]]:
    name = fields.text("project", most=project_model.MAX_NAME_CHARS)
    if given is not None:
        project = await projects.project(conn, call.tenant, given)
    elif name is not None:
        project = await projects.project_named(conn, call.tenant, name)
    else:
        return None, {}
    if project.type != kind.name:
        raise wrong("project", f"{project.name!r} takes tasks of the type {project.type}, not {kind.name}")
    version = await projects.version(conn, call.tenant, project, fields.whole("project_param_version", 0, 10**9))
    return project, msgspec.json.decode(version.params) if version is not None else {}


def _with_work(
    new: NewOrder, kind: TaskType, body: dict[str, Any], params: dict[str, Any], guidelines: str, role: int
) -> NewOrder:
    """Add what the foundry is asked to make, where an editor can make it; checked before anything is kept."""
    if len(guidelines) > limits.MAX_TEXT_CHARS:
        raise wrong("instruction", "is too long")
    making = kind.making(params, guidelines)
    expected = body.get("expected_response")
    if role != model.PRODUCTION:
        if not isinstance(expected, dict):
            raise wrong("expected_response", "is missing" if expected is None else "must be an object")
        initial = body.get("initial_response")
        if initial is not None and not isinstance(initial, dict):
            raise wrong("initial_response", "must be an object")
        new = replace(
            new,
            expected=msgspec.json.encode(expected).decode(),
            initial=None if initial is None else msgspec.json.encode(initial).decode(),
        )
    if making is None:
        return replace(new, waits="frames") if kind.frames(params) else new
    try:
        ontology = decode_ontology(making.work.spec)
    except Problem as problem:
        raise wrong("labels", f"{problem.detail} ({problem.place})") from problem
    work = making.work
    if work.pre_label is not None:
        try:
            validate(label_from(work.pre_label), ontology)
        except Problem as problem:
            raise wrong("hypothesis", f"{problem.detail} ({problem.place})") from problem
    if role != model.PRODUCTION:
        try:
            gold = making.label(params, expected or {})
            validate(label_from(gold), ontology)
        except Problem as problem:
            raise wrong("expected_response", f"{problem.detail} ({problem.place})") from problem
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise wrong("expected_response", "does not have the shape of a response of this type") from error
        share = Fields(params).number("training_pass_share", 0.1, 1.0)
        work = replace(work, gold=gold, pass_share=share if role == model.TRAINING else None)
    return replace(new, work=work)


async def create(conn: Conn, call: Call, type_name: str, body: dict[str, Any], role: int) -> UUID:
    """Check and keep a new task; in the test world it completes at once with a canned response."""
    kind = type_named(type_name)
    new = await new_order(conn, call, kind, body, role)
    return await keep(conn, call, kind, new)


async def keep(conn: Conn, call: Call, kind: TaskType, new: NewOrder) -> UUID:
    """Keep an order that was checked."""
    if call.world == "test":
        new = replace(new, work=None)
    order = await service.create(conn, call.tenant, new)
    if call.world == "test" and new.role == model.PRODUCTION:
        response = msgspec.json.encode(kind.canned(msgspec.json.decode(new.params))).decode()
        await outcome.tell(conn, call.tenant, await service.complete(conn, call.tenant, order, response), "completed")
    return order
