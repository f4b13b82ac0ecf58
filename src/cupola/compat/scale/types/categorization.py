"""categorization: one or several categories for one thing to look at."""

from __future__ import annotations

from uuid import UUID

from cupola.compat.scale.types.base import Json, Making, TaskType
from cupola.compat.scale.types.check import Fields, is_address, looked_at_by, wrong
from cupola.compat.scale.types.labelling import Option, labels, named, options, told
from cupola.kernel import limits
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
    kind = fields.one_of("attachment_type", ATTACHMENT_TYPES)
    looked_at = looked_at_by(fields, kind)
    fields.flag("allow_multiple")
    fields.text("category_type")
    if not _taxonomies(fields):
        _counts(fields, options(fields, "categories"))
    if kind != "text" and fields.has("attachment_type") and not all(is_address(one) for one in looked_at):
        raise wrong("attachment", "must be an address")
    return [one for one in looked_at if kind != "text" and is_address(one)]


def canned(params: Json) -> Json:
    fields = Fields(params)
    named = _taxonomies(fields)
    if named:
        return {"taxonomies": {name: {"type": "category", "response": [several[0]]} for name, several in named.items()}}
    several = options(fields, "categories")
    if not fields.flag("allow_multiple"):
        return {"category": several[0].value}
    return {"category": [one.value for one in several[: max(1, _counts(fields, several)[0])]]}


def _counts(fields: Fields, several: list[Option]) -> tuple[int, int | None]:
    """How few and how many categories may be chosen where several may. An answer without any says nothing."""
    least = fields.whole("min_choices", 0, limits.MAX_CLASSES)
    most = fields.whole("max_choices", 1, limits.MAX_CLASSES)
    fewest = 1 if least is None else least
    if fewest > min(len(several), most or len(several)):
        raise wrong(fields.place("min_choices"), "asks for more than may be chosen")
    return fewest, most


def making(params: Json, guidelines: str) -> Making | None:
    fields = Fields(params)
    kind = params.get("attachment_type")
    looked_at = looked_at_by(fields, kind)
    if len(looked_at) != 1 or _taxonomies(fields) or kind in ("video", "audio", "website", "pdf"):
        return None
    several = fields.flag("allow_multiple")
    chosen = options(fields, "categories")
    spec: Json = {"kind": "choice", "classes": [one.spec() for one in chosen]}
    if several:
        least, most = _counts(fields, chosen)
        spec |= {"multiple": True, "at_least": least, **({} if most is None else {"at_most": most})}
    values = {one.name: one.value for one in chosen}

    def response(_: Json, label: Json, settlement: UUID) -> Json:
        said = [values[name] for name in label["values"]]
        return {"category": said if several else said[0]}

    def label(_: Json, given: Json) -> Json:
        said = given.get("category")
        wanted = said if isinstance(said, list) else [said]
        return {"kind": "choice", "values": [named(one, chosen) for one in wanted]}

    words = "\n\n".join(part for part in (guidelines, told("Categories", chosen)) if part)
    if kind == "text" or not is_address(looked_at[0]):
        return Making(Work(spec, words, text=looked_at[0]), response, label)
    return Making(Work(spec, words, attachment=looked_at[0]), response, label)


CATEGORIZATION = TaskType("categorization", check, canned, making)
