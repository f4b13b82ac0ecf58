"""namedentityrecognition: labelled spans of a text, and relations between them. Its editor comes later."""

from __future__ import annotations

from cupola.compat.scale.types.base import Json, TaskType
from cupola.compat.scale.types.check import Fields, wrong
from cupola.compat.scale.types.image_drawn import uuid_of
from cupola.kernel import limits


def entities(fields: Fields) -> list[str]:
    """The names of the labels. Raises Problem naming the entry."""
    found: list[str] = []
    for index, entry in enumerate(fields.items("labels", required=True, most=limits.MAX_CLASSES)):
        if isinstance(entry, dict):
            one = Fields(entry, f"labels[{index}]")
            one.text("description")
            name = one.text("name", required=True, most=300)
        else:
            name = Fields({"name": entry}, f"labels[{index}]").text("name")
        if not name:
            raise wrong(f"labels[{index}]", "must have a name")
        found.append(name)
    return found


def check(fields: Fields) -> list[str]:
    fields.text("text", required=True)
    entities(fields)
    for one in fields.each("relationships", most=1_000):
        one.text("name", required=True, most=300)
    fields.flag("merge_newlines")
    return []


def canned(params: Json) -> Json:
    fields = Fields(params)
    text, label = fields.text("text") or "", entities(fields)[0]
    span = {"id": str(uuid_of(f"example/{label}")), "start": 0, "end": min(len(text), 5), "label": label}
    return {"annotations": [{**span, "text": text[:5]}], "relations": []}


ENTITIES = TaskType("namedentityrecognition", check, canned)
