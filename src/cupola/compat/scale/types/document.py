"""documenttranscription and documentmodel: text and its place on pages. Their editor comes later."""

from __future__ import annotations

from cupola.compat.scale.types.base import Json, TaskType
from cupola.compat.scale.types.check import Fields, either, wrong
from cupola.compat.scale.types.image_drawn import uuid_of

FLAGS = ("line", "key", "value", "money", "date", "checkbox", "thead", "tbody")


def features(fields: Fields) -> list[tuple[str, str]]:
    """(type, label) of each feature. Raises Problem naming the entry."""
    found = []
    for one in fields.each("features", required=True, most=1_000):
        kind = one.text("type", required=True, most=100) or ""
        label = one.text("label", required=True, most=300) or ""
        for flag in one.texts("flags", most=20) if isinstance(one.values.get("flags"), list) else []:
            if flag not in FLAGS:
                raise wrong(one.place("flags"), f"must be of {', '.join(FLAGS)}")
        if one.has("flags") and not isinstance(one.values["flags"], list | dict):
            raise wrong(one.place("flags"), "must be a list")
        found.append((kind, label))
    return found


def check(fields: Fields) -> list[str]:
    found = either(fields)
    features(fields)
    return found


def canned(params: Json) -> Json:
    made = [
        {
            "uuid": str(uuid_of(f"example/{n}/{label}")),
            "page": 0,
            "type": kind,
            "label": label,
            "text": "example",
            "location": {"box": {"left": 10.0, "top": 10.0, "width": 50.0, "height": 12.0}},
            "refs": [],
        }
        for n, (kind, label) in enumerate(features(Fields(params)))
    ]
    return {"annotations": made}


DOCUMENTS = (TaskType("documenttranscription", check, canned), TaskType("documentmodel", check, canned))
