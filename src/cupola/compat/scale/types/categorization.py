"""categorization: one or several categories for one thing to look at."""

from __future__ import annotations

from uuid import UUID

from cupola.compat.scale.types.base import Json, Making, TaskType
from cupola.compat.scale.types.check import Fields, either, is_address, wrong
from cupola.compat.scale.types.labelling import labels
from cupola.orders.model import Work

ATTACHMENT_TYPES = ("text", "image", "video", "audio", "website", "pdf")


def _taxonomies(fields: Fields) -> dict[str, list[str]]:
    described = fields.within("taxonomies")
    if described is None:
        return {}
    found: dict[str, list[str]] = {}
    for name in described.values:
        one = described.within(name, required=True)
        assert one is not None
        found[name] = labels(one, "choices")
    return found


def check(fields: Fields) -> list[str]:
    looked_at = either(fields)
    kind = fields.one_of("attachment_type", ATTACHMENT_TYPES)
    fields.flag("allow_multiple")
    fields.text("category_type")
    if not _taxonomies(fields):
        labels(fields, "categories")
    if kind != "text" and fields.has("attachment_type") and not all(is_address(one) for one in looked_at):
        raise wrong("attachment", "must be an address")
    return [one for one in looked_at if kind != "text" and is_address(one)]


def canned(params: Json) -> Json:
    fields = Fields(params)
    named = _taxonomies(fields)
    if named:
        return {"taxonomies": {name: {"type": "category", "response": [several[0]]} for name, several in named.items()}}
    first = labels(fields, "categories")[0]
    return {"category": [first] if fields.flag("allow_multiple") else first}


def making(params: Json, guidelines: str) -> Making | None:
    fields = Fields(params)
    looked_at = either(fields)
    kind = params.get("attachment_type")
    if len(looked_at) != 1 or _taxonomies(fields) or kind in ("video", "audio", "website", "pdf"):
        return None
    several = fields.flag("allow_multiple")
    spec: Json = {"kind": "choice", "classes": [{"name": name} for name in labels(fields, "categories")]}
    if several:
        spec["multiple"] = True

    def response(_: Json, label: Json, settlement: UUID) -> Json:
        return {"category": label["values"] if several else label["values"][0]}

    def label(_: Json, given: Json) -> Json:
        said = given.get("category")
        return {"kind": "choice", "values": said if isinstance(said, list) else [said]}

    if kind == "text" or not is_address(looked_at[0]):
        return Making(Work(spec, guidelines, text=looked_at[0]), response, label)
    return Making(Work(spec, guidelines, attachment=looked_at[0]), response, label)


CATEGORIZATION = TaskType("categorization", check, canned, making)
