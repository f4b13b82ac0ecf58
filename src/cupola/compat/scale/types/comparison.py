"""comparison: two things side by side, and which fits better. Its editor comes later; the task is kept and waits."""

from __future__ import annotations

from cupola.compat.scale.types.base import Json, TaskType
from cupola.compat.scale.types.check import Fields, attachments, is_address, looked_at_by, wrong
from cupola.compat.scale.types.collection import example
from cupola.compat.scale.types.form_fields import form
from cupola.compat.scale.types.labelling import options


def check(fields: Fields) -> list[str]:
    texts = fields.text("attachment_type") == "text"
    found = looked_at_by(fields, "text") if texts else attachments(fields, least=2, most=2)
    if len(found) != 2:
        raise wrong("attachments", "must be two")
    if fields.has("fields"):
        form(fields, "fields")
    else:
        options(fields, "choices")
    return [one for one in found if not texts and is_address(one)]


def canned(params: Json) -> Json:
    fields = Fields(params)
    if fields.has("choices"):
        return {"choice": options(fields, "choices")[0].value}
    return {"annotations": {one.key: [[example(one)]] for one in form(fields, "fields")}}


COMPARISON = TaskType("comparison", check, canned)
