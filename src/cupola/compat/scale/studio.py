"""v1: assignments, groups, and the order of batches."""

from __future__ import annotations

from typing import Any

from cupola.compat.scale.types.check import Fields
from cupola.compat.scale.wire import Call, Conn
from cupola.orders.projects import service as projects
from cupola.orders.studio import model, service
from cupola.orders.studio.model import Group, GroupMember, StudioBatch

Json = dict[str, Any]
_TYPES = {"production": "Production", "calibration": "Calibration", "self_label": "SelfLabel"}


# ---------------------------------------------------------------- assignments
async def assignments(conn: Conn, call: Call) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    shown = await service.spellings(conn, call.tenant)
    for one in await service.assigned(conn, call.tenant):
        found.setdefault(shown.get(one.email, one.email), []).append(one.project)
    return found


def _assign(add: bool) -> Any:
    async def change(conn: Conn, call: Call) -> dict[str, list[str]]:
        """Answers everybody's assignments, and of who was named also that there are none left."""
        body = Fields(call.object())
        given = body.texts("emails", required=True)
        emails = model.emails(given, "emails")
        await service.assign(conn, call.tenant, emails, body.texts("projects", required=True, most=1_000), add=add)
        await service.spell(conn, call.tenant, given)
        named = [model.spelled(given)[email] for email in emails]
        return {**{name: [] for name in named}, **await assignments(conn, call)}

    return change


assign, unassign = _assign(True), _assign(False)


# ---------------------------------------------------------------- groups
def _group(group: Group, members: list[GroupMember], shown: dict[str, str]) -> Json:
    return {
        "id": str(group.id),
        "name": group.name,
        "numWorkers": len(members),
        "isSingleton": False,
        "workers": [{"id": str(one.id), "email": shown.get(one.email, one.email)} for one in members],
    }


async def groups(conn: Conn, call: Call) -> list[Json]:
    project = await projects.project_named(conn, call.tenant, call.path["project"])
    shown = await service.spellings(conn, call.tenant)
    return [_group(group, members, shown) for group, members in await service.groups(conn, call.tenant, project.id)]


async def _one(conn: Conn, call: Call, project: Any, name: str) -> Json:
    for group, members in await service.groups(conn, call.tenant, project):
        if group.name == name:
            return _group(group, members, await service.spellings(conn, call.tenant))
    raise AssertionError("a group that was just written is not there")


async def create_group(conn: Conn, call: Call) -> Json:
    project = await projects.project_named(conn, call.tenant, call.path["project"])
    body = Fields(call.object())
    name = body.text("name", required=True) or ""
    given = body.texts("emails")
    emails = model.emails(given, "emails") if given else []
    await service.create_group(conn, call.tenant, project.id, name, emails)
    await service.spell(conn, call.tenant, given)
    return await _one(conn, call, project.id, name)


async def change_group(conn: Conn, call: Call) -> Json:
    project = await projects.project_named(conn, call.tenant, call.path["project"])
    group = await service.group_named(conn, call.tenant, project.id, call.path["group"])
    body = Fields(call.object())
    add, remove = body.texts("add_emails"), body.texts("remove_emails")
    await service.change_group(
        conn,
        call.tenant,
        project.id,
        group.id,
        model.emails(add, "add_emails") if add else [],
        model.emails(remove, "remove_emails") if remove else [],
    )
    await service.spell(conn, call.tenant, add)
    return await _one(conn, call, project.id, group.name)


# ---------------------------------------------------------------- batches
def _batch(of: StudioBatch) -> Json:
    return {
        "id": str(of.id),
        "name": of.name,
        "projectId": str(of.project),
        "projectName": of.project_name,
        "batchType": _TYPES[of.kind],
        "studioPriority": of.position,
        "total": of.total,
        "completed": of.completed,
        "groups": of.groups,
    }


async def batches(conn: Conn, call: Call) -> list[Json]:
    return [_batch(one) for one in await service.batches(conn, call.tenant)]


async def give(conn: Conn, call: Call) -> Json:
    names = Fields(call.object()).texts("groups", most=1_000)
    return _batch(await service.give_to_groups(conn, call.tenant, call.path["batch"], names))


async def set_priorities(conn: Conn, call: Call) -> list[Json]:
    names = [one.text("name", required=True) or "" for one in Fields(call.object()).each("batches", most=10_000)]
    return [_batch(one) for one in await service.set_order(conn, call.tenant, names)]


async def reset_priorities(conn: Conn, call: Call) -> list[Json]:
    return [_batch(one) for one in await service.set_order(conn, call.tenant, [])]
