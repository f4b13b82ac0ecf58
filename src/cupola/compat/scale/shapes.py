"""Tasks, batches, projects and files as v1 shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from cupola.compat.scale.wire import shown_time
from cupola.kernel import states
from cupola.orders import model
from cupola.orders.files.model import SCHEME, File
from cupola.orders.model import Order
from cupola.orders.projects.model import COMPLETED, IN_PROGRESS, STAGING, Batch, Project, Version

Json = dict[str, Any]
# v1 knows three states of a batch: a paused one is as it was before, a cancelled one is done
SHOWN_AS = {states.BATCH[state]: state for state in (STAGING, IN_PROGRESS, COMPLETED)}


def task(order: Order, world: str, *, urls: dict[str, str] | None = None) -> Json:
    """T. urls: {address of an attachment: where it can be read}, when they were asked for."""
    shown: Json = {
        "task_id": str(order.id),
        "created_at": shown_time(order.created_at),
        "updated_at": shown_time(order.updated_at),
        "type": order.type,
        "status": states.ORDER[order.state],
        "is_test": world == "test",
        "urgency": "standard",
        "metadata": msgspec.Raw(order.metadata.encode()),
        "params": msgspec.Raw(order.params.encode()),
        "priority": order.priority,
        "attachmentS3Downloads": [],
    }
    if order.instruction is not None:
        shown["instruction"] = order.instruction
    if order.callback is not None:
        shown["callback_url"] = order.callback
    if order.project_name is not None:
        shown["project"] = order.project_name
        if order.project_version is not None:
            shown["project_param_version"] = order.project_version
    if order.batch_name is not None:
        shown["batch"] = order.batch_name
    if order.unique_id is not None:
        shown["unique_id"] = order.unique_id
    if order.tags is not None:
        shown["tags"] = order.tags
    if order.callback_succeeded is not None:
        shown["callback_succeeded"] = order.callback_succeeded
    if order.state == model.PENDING and order.waits is not None:
        shown["waiting_for"] = order.waits
        shown["waiting_because"] = model.WAITS.get(order.waits, "")
    if order.completed_at is not None:
        shown["completed_at"] = shown_time(order.completed_at)
    if order.state == model.COMPLETED or order.review:
        shown["customer_review_status"] = states.REVIEW[order.review]
    if order.state == model.COMPLETED and order.response is not None:
        shown["response"] = msgspec.Raw(order.response.encode())
    if order.error is not None:
        shown["error"] = order.error
    if urls is not None:
        shown["attachmentS3Downloads"] = [
            # it is the picture as people were shown it, which is what scripts look for under that name
            {"attachmentURL": address, "s3URL": url, "isConvertedImage": True, "attachment": address, "url": url}
            for address, url in urls.items()
        ]
    return shown


def limited(order: Order) -> Json:
    """T with the few members of `limited_response`."""
    return {
        "task_id": str(order.id),
        "status": states.ORDER[order.state],
        "metadata": msgspec.Raw(order.metadata.encode()),
        "project": order.project_name,
        "otherVersion": None,
    }


def batch(of: Batch) -> Json:
    """B."""
    state, as_shown = states.BATCH[of.state], states.BATCH[of.shown]
    shown: Json = {
        "id": str(of.id),
        "name": of.name,
        "project": of.project_name,
        "status": as_shown,
        "created_at": shown_time(of.created_at),
        "metadata": msgspec.Raw(of.metadata.encode()),
        "callback": of.callback,
        "calibration_batch": of.kind == "calibration",
        "self_label_batch": of.kind == "self_label",
    }
    if of.completed_at is not None:
        shown["completed_at"] = shown_time(of.completed_at)
    if state != as_shown:
        shown["detailed_status"] = state
    return shown


def batch_status(of: Batch, counts: dict[str, int]) -> Json:
    return {"status": states.BATCH[of.shown], **counts}


def project(of: Project, versions: Sequence[Version]) -> Json:
    """P."""
    history: list[Json] = []
    for one in versions:
        # a version's own number is told, whatever a parameter of that name says
        history.append(
            {
                **msgspec.json.decode(one.params),
                "version": one.version,
                "created_at": shown_time(one.created_at),
            }
        )
    return {
        "id": str(of.id),
        "name": of.name,
        "type": of.type,
        "created_at": shown_time(of.created_at),
        "param_history": history,
        "num_labelers": 0,
        "rapid": of.rapid,
        "studio": of.studio,
        "datasetId": of.dataset_ref,
    }


def file(of: File) -> Json:
    return {
        "id": str(of.id),
        "attachment_url": f"{SCHEME}{of.id}",
        "display_name": of.name,
        "mime_type": of.media_type,
        "size": of.bytes,
        "project_names": of.projects,
        "reference_id": of.reference,
        "metadata": msgspec.Raw(of.metadata.encode()),
        "created_at": shown_time(of.created_at),
        "updated_at": shown_time(of.updated_at),
    }


__all__ = ["IN_PROGRESS", "batch", "batch_status", "file", "limited", "project", "task"]
