"""v1: projects, their parameters and their history."""

from __future__ import annotations

from typing import Any

from cupola.compat.scale import shapes
from cupola.compat.scale.types import TYPES, type_named
from cupola.compat.scale.types.check import Fields
from cupola.compat.scale.types.form_fields import form
from cupola.compat.scale.wire import Call, Conn, shown_time
from cupola.kernel.errors import Problem, invalid
from cupola.orders.projects import service as projects
from cupola.orders.projects.model import Project

Json = dict[str, Any]


async def shown(conn: Conn, call: Call, project: Project) -> Json:
    history = await projects.versions(conn, call.tenant, [project.id])
    return shapes.project(project, history[project.id])


async def create(conn: Conn, call: Call) -> Json:
    body = Fields(call.object())
    kind = type_named(body.text("type", required=True) or "")
    params = body.within("params")
    made = await projects.create_project(
        conn,
        call.tenant,
        body.text("name", required=True) or "",
        kind.name,
        None if params is None else dict(params.values),
        rapid=body.flag("rapid"),
        studio=body.flag("studio"),
        dataset_ref=body.text("datasetId", most=300),
    )
    return await shown(conn, call, made)


async def read(conn: Conn, call: Call) -> Json:
    return await shown(conn, call, await projects.project_named(conn, call.tenant, call.path["name"]))


async def listed(conn: Conn, call: Call) -> list[Json]:
    """Every project; `archived` (of older clients) lists those that are put away."""
    found = await projects.projects(conn, call.tenant, archived=call.flag("archived") or False)
    history = await projects.versions(conn, call.tenant, [one.id for one in found])
    return [shapes.project(one, history[one.id]) for one in found]


async def set_params(conn: Conn, call: Call) -> Json:
    body = call.object()
    patch = Fields(body).flag("patch")
    if not isinstance(body.get("instruction", ""), str):
        raise invalid("parameter-invalid", "instruction: must be a string", place="instruction")
    params = {name: value for name, value in body.items() if name != "patch"}
    return await shown(conn, call, await projects.set_params(conn, call.tenant, call.path["name"], params, patch=patch))


async def template(conn: Conn, call: Call) -> Json:
    """The task template: which variables a task of the project sets, and what its response holds."""
    project = await projects.project_named(conn, call.tenant, call.path["name"])
    if not TYPES[project.type].template:
        raise invalid(
            "no-template",
            f"Tasks of the type {project.type} have no template.",
            remedy="Only textcollection and chat projects have one.",
        )
    history = (await projects.versions(conn, call.tenant, [project.id]))[project.id]
    params: Json = shapes.project(project, history)["param_history"][-1] if history else {}
    variables = params.get("template_variables")
    try:
        asked = form(Fields(params), "fields")
    except Problem:
        asked = []
    return {
        "id": str(project.id),
        "version": project.version,
        "created_at": shown_time(project.created_at),
        "updated_at": shown_time(history[-1].created_at if history else project.created_at),
        "template_variables": variables if isinstance(variables, dict) else {},
        "response_schema": {
            "type": "object",
            "properties": {one.key: {"type": "object", "title": one.title} for one in asked},
        },
        "auto_onboard_enabled": False,
    }
