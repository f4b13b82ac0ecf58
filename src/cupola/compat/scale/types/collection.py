"""textcollection, transcription, datacollection: a form of fields about some attachments."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from cupola.compat.scale.types.base import Json, Making, TaskType
from cupola.compat.scale.types.check import MAX_URL_CHARS, Fields, either, is_address, wrong
from cupola.compat.scale.types.labelling import labels
from cupola.orders.model import Work

FIELD_TYPES = ("text", "number", "category", "date", "datetime", "boolean", "long_text", "rich_text", "multiselect",
               "ranking_order", "file", "email", "url")  # fmt: skip
MAX_FIELDS = 500


def form(fields: Fields, name: str) -> list[Json]:
    """The fields of a form: a list of descriptions, or {field: description}. Raises Problem naming the field."""
    value = fields.values.get(name)
    if isinstance(value, dict):
        if len(value) > MAX_FIELDS:
            raise wrong(name, f"has {len(value)} fields; at most {MAX_FIELDS} are taken")
        out = []
        for key, told in value.items():
            if not isinstance(told, str | dict):
                raise wrong(f"{name}.{key[:100]}", "must be a description")
            out.append({"field_id": key, "type": "text", "title": told if isinstance(told, str) else str(key)})
        return out
    found: list[Json] = []
    seen: set[str] = set()
    for one in fields.each(name, most=MAX_FIELDS):
        kind = one.text("type") or "text"
        if kind not in FIELD_TYPES:
            raise wrong(one.place("type"), f"must be one of {', '.join(FIELD_TYPES)}")
        key = one.text("field_id", most=300) or one.text("title", most=2_000)
        if not key:
            raise wrong(one.place("field_id"), "is missing")
        if key in seen:
            raise wrong(one.place("field_id"), f"{key[:100]!r} stands here twice")
        seen.add(key)
        one.text("title")
        one.text("description")
        one.flag("required")
        one.whole("min_responses_required", 0, 10_000)
        one.whole("max_responses_required", 0, 10_000)
        made: Json = {"field_id": key, "type": kind, "title": one.text("title") or key}
        if kind in ("category", "multiselect"):
            made["choices"] = _choices(one)
        found.append(made)
    return found


def _choices(one: Fields) -> list[str]:
    entries = one.items("choices", required=True, most=10_000)
    plain: list[Any] = []
    for index, entry in enumerate(entries):
        if isinstance(entry, dict) and "choice" not in entry:
            told = entry.get("value", entry.get("label"))
            if not isinstance(told, str):
                raise wrong(f"{one.place('choices')}[{index}]", "must have a value or a label")
            plain.append(told)
        else:
            plain.append(entry)
    return labels(Fields({"choices": plain}, one.place("")), "choices")


def _looked_at(fields: Fields) -> tuple[list[str], list[str]]:
    """(addresses, texts) that the people who answer look at."""
    addresses: list[str] = []
    texts: list[str] = []
    if fields.has("attachment"):
        addresses.append(fields.text("attachment", most=MAX_URL_CHARS) or "")
    for index, entry in enumerate(fields.items("attachments", most=1_000)):
        if isinstance(entry, dict):
            one = Fields(entry, f"attachments[{index}]")
            kind = one.text("type") or "text"
            content = one.text("content", required=True) or ""
            (texts if kind in ("text", "markdown", "html") else addresses).append(content)
        elif isinstance(entry, str):
            addresses.append(entry)
        else:
            raise wrong(f"attachments[{index}]", "must be an address or {type, content}")
    return [one for one in addresses if one], texts


def check_text(fields: Fields) -> list[str]:
    if not form(fields, "fields"):
        raise wrong("fields", "must not be empty")
    fields.whole("responses_required", 1, 50)
    fields.text("title")
    fields.text("description")
    return [one for one in _looked_at(fields)[0] if is_address(one)]


def check_form(fields: Fields) -> list[str]:
    found = either(fields)
    if not form(fields, "fields") and not form(fields, "repeatable_fields"):
        raise wrong("fields", "must not be empty, or there must be repeatable_fields")
    return found


def _example(one: Json) -> Any:
    match one["type"]:
        case "category" | "multiselect":
            return one["choices"][0]
        case "number":
            return 1
        case "boolean":
            return True
        case "date":
            return "2020-01-01"
        case _:
            return "example"


def canned(params: Json) -> Json:
    fields = Fields(params)
    made: Json = {one["field_id"]: [[_example(one)]] for one in form(fields, "fields")}
    for one in form(fields, "repeatable_fields"):
        made[one["field_id"]] = [[_example(one)]]
    return {"annotations": made}


def making(params: Json, guidelines: str) -> Making | None:
    fields = Fields(params)
    asked = form(fields, "fields")
    if len(asked) != 1 or fields.has("repeatable_fields") or (fields.whole("responses_required", 1, 50) or 1) != 1:
        return None
    one = asked[0]
    key = one["field_id"]
    addresses, texts = _looked_at(fields)
    if len(addresses) + len(texts) > 1 or any(not is_address(address) for address in addresses):
        return None
    told = guidelines if one["title"] in guidelines else f"{guidelines}\n\n{one['title']}".strip()
    if one["type"] == "category":
        spec: Json = {"kind": "choice", "classes": [{"name": name} for name in one["choices"]]}
        member = "values"
    elif one["type"] in ("text", "long_text"):
        spec = {"kind": "text", "text": {"min_chars": 1}}
        member = "text"
    else:
        return None

    def response(_: Json, label: Json, settlement: UUID) -> Json:
        said = label[member][0] if member == "values" else label[member]
        return {"annotations": {key: [[said]]}}

    def label(_: Json, given: Json) -> Json:
        said = given.get("annotations", {}).get(key)
        while isinstance(said, list) and said:
            said = said[0]
        return {"kind": "choice", "values": [said]} if member == "values" else {"kind": "text", "text": said}

    if addresses:
        return Making(Work(spec, told, attachment=addresses[0]), response, label)
    shown = texts[0] if texts else (params.get("title") or params.get("description") or one["title"])
    return Making(Work(spec, told, text=shown), response, label)


TEXTCOLLECTION = TaskType("textcollection", check_text, canned, making, template=True)
TRANSCRIPTION = TaskType("transcription", check_form, canned, making)
DATACOLLECTION = TaskType("datacollection", check_form, canned)
