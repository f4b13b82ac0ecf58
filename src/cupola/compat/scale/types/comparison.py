"""comparison: two things side by side, and which fits better. Its editor comes later; the task is kept and waits."""

from __future__ import annotations

from cupola.compat.scale.types.base import Json, TaskType
from cupola.compat.scale.types.check import Fields, attachments, is_address, wrong
from cupola.compat.scale.types.collection import form
from cupola.compat.scale.types.labelling import labels


def check(fields: Fields) -> list[str]:
    found = attachments(fields, least=2, most=2)
    if len(found) != 2:
        raise wrong("attachments", "must be two")
    if fields.has("fields"):
        form(fields, "fields")
    else:
        labels(fields, "choices")
    fields.text("attachment_type")
    return [one for one in found if is_address(one)]


def canned(params: Json) -> Json:
    fields = Fields(params)
    if fields.has("choices"):
        return {"choice": labels(fields, "choices")[0]}
    return {"annotations": {one["field_id"]: [["example"]] for one in form(fields, "fields")}}


COMPARISON = TaskType("comparison", check, canned)
