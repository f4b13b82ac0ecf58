"""Projects, batches, tasks and deliveries as v2 shows them: every required member, of the exact type."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec

from cupola.compat.scale.types.chat import NAMES as CHATS
from cupola.compat.scale.types.image_drawn import uuid_of
from cupola.compat.scale.wire import shown_time
from cupola.kernel import states
from cupola.orders import model
from cupola.orders.deliveries.model import Delivery
from cupola.orders.model import Order
from cupola.orders.projects.model import Batch, Project

Json = dict[str, Any]
# shown only when `annotation_details` asks for them
_DETAILS = ("title", "description", "labels", "possible_values", "metadata")

# of a file, whatever was asked for; what it is and holds is a detail
_FILE = ("name", "url", "scale_url")


def project(of: Project) -> Json:
    return {
        "id": str(of.id),
        "name": of.name,
        "created_at": shown_time(of.created_at),
        "types": [of.type],
        "models": [],
    }


def batch(of: Batch, in_project: Project | None = None) -> Json:
    shown: Json = {
        "id": str(of.id),
        "name": of.name,
        "project": project(in_project) if in_project else str(of.project),
        "created_at": shown_time(of.created_at),
        "status": states.BATCH[of.state],
        "metadata": msgspec.Raw(of.metadata.encode()),
    }
    if of.completed_at is not None:
        shown["completed_at"] = shown_time(of.completed_at)
    if of.callback:
        shown["callback"] = of.callback
    return shown


def task(
    order: Order,
    opts: Collection[str] = (),
    projects: dict[UUID, Project] | None = None,
    batches: dict[UUID, Batch] | None = None,
) -> Json:
    """A task; projects and batches: those to stand in full where an identifier stood."""
    shown: Json = {
        "task_id": str(order.id),
        "project": str(order.project) if order.project else "",
        "status": states.ORDER[order.state],
        "created_at": shown_time(order.created_at),
        "metadata": msgspec.Raw(order.metadata.encode()),
        "threads": [],
    }
    if projects and order.project in projects:
        shown["project"] = project(projects[order.project])
    if order.batch is not None:
        full = batches.get(order.batch) if batches else None
        shown["batch"] = batch(full) if full else str(order.batch)
    if order.completed_at is not None:
        shown["completed_at"] = shown_time(order.completed_at)
    if order.error is not None:
        shown["errors"] = [{"message": order.error}]
    if order.state == model.COMPLETED and order.response is not None:
        response = msgspec.json.decode(order.response)
        if order.type in CHATS or "threads" in response:
            shown["threads"] = threads(order, response, opts)
    return shown


def threads(order: Order, response: Json, opts: Collection[str]) -> list[Json]:
    """The conversations of a response, with as much of them as was asked for."""
    found = []
    for n, thread in enumerate(response.get("threads", [])):
        shown: Json = {
            "id": thread.get("id") or str(uuid_of(f"{order.id}/{n}")),
            "turns": [_turn(order, n, m, turn, opts) for m, turn in enumerate(thread.get("turns", []))],
            "annotations": _annotations(order, thread.get("annotations", []), opts),
        }
        if "submissions" in opts and order.completed_at is not None:
            shown["submissions"] = thread.get("submissions") or [
                {"submitted_at": shown_time(order.completed_at), "contributor_id": str(uuid_of(f"{order.id}/by"))}
            ]
        found.append(shown)
    return found


def _turn(order: Order, n: int, m: int, turn: Json, opts: Collection[str]) -> Json:
    shown: Json = {
        "id": turn.get("id") or str(uuid_of(f"{order.id}/{n}/{m}")),
        "messages": [_message(order, one, opts) for one in turn.get("messages", [])],
        "annotations": _annotations(order, turn.get("annotations", []), opts),
    }
    if turn.get("rubrics"):
        shown["rubrics"] = turn["rubrics"]
    return shown


def _message(order: Order, message: Json, opts: Collection[str]) -> Json:
    shown: Json = {
        "role": message["role"],
        "content": message["content"],
        "source_id": message.get("source_id", ""),
        "annotations": _annotations(order, message.get("annotations", []), opts),
    }
    if "model_parameters" in opts and message.get("model_parameters"):
        shown["model_parameters"] = message["model_parameters"]
    if message.get("rubric_evaluations"):
        shown["rubric_evaluations"] = message["rubric_evaluations"]
    return shown


def _annotations(order: Order, given: list[Json], opts: Collection[str]) -> list[Json]:
    return [
        annotation(order, one, detailed="annotation_details" in opts, files="attachment_details" in opts)
        for one in given
    ]


def annotation(order: Order, given: Json, *, detailed: bool, files: bool) -> Json:
    """An annotation; its identifier begins with its task's, so that it can be found by it alone.

    detailed: with what it could have been; files: with what its files are and hold.
    """
    shown = {name: value for name, value in given.items() if detailed or name not in _DETAILS}
    shown["id"] = f"{order.id}.{given['id']}"
    if given.get("type") == "file":
        value = given.get("value")
        # the clients tell a list of files from one file, but not its kinds apart
        several = [value] if isinstance(value, dict) else value or []
        shown["value"] = [_file(one, detailed=files) for one in several]
    return shown


def _file(given: Json, *, detailed: bool) -> Json:
    return {name: value for name, value in given.items() if detailed or name in _FILE}


def every_annotation(response: Json) -> list[Json]:
    """All annotations of a response, of threads, turns and messages."""
    found: list[Json] = []
    for thread in response.get("threads", []):
        found += thread.get("annotations", [])
        for turn in thread.get("turns", []):
            found += turn.get("annotations", [])
            for message in turn.get("messages", []):
                found += message.get("annotations", [])
    return found


def delivery(of: Delivery, in_project: Project | None = None) -> Json:
    return {
        "id": str(of.id),
        "name": of.name,
        "task_count": of.tasks,
        "delivered_at": shown_time(of.delivered_at),
        "project": project(in_project) if in_project else str(of.project),
    }


def dataset(identifier: UUID, name: str) -> Json:
    return {"id": str(identifier), "name": name}


def dataset_delivery(of: Delivery, *, expanded: bool) -> Json:
    return {
        "id": str(of.id),
        "name": of.name,
        "delivered_at": shown_time(of.delivered_at),
        "dataset": dataset(of.project, of.project_name) if expanded else str(of.project),
        "metadata": {"task_count": of.tasks},
    }
