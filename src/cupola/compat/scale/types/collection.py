"""textcollection, transcription, datacollection: a form of fields about some attachments.

Fields that repeat have one inner list for each entry.
A form of one field that is a text, a choice, a yes or no, or a number of a short range is that text or choice; any
other is asked as a form (see `questionnaire`). An answer of a textcollection is told as
{field: {type, field_id, response: [[value, …]]}}, one inner list for each who answered.
"""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

from cupola.compat.scale.types.base import Json, Making, TaskType
from cupola.compat.scale.types.check import MAX_URL_CHARS, Fields, either, is_address, wrong
from cupola.compat.scale.types.form_fields import CHOSEN, RANKED, WRITTEN, Field, form
from cupola.compat.scale.types.labelling import Option, named, told
from cupola.compat.scale.types.questionnaire import Asked, answer_of, asked_together, first_of
from cupola.orders.model import Work

MAX_STEPS = 101  # a number of so few values is chosen from a list


def _looked_at(fields: Fields) -> tuple[list[str], list[str]]:
    """(addresses, texts) that the people who answer look at."""
    addresses: list[str] = []
    texts: list[str] = []
    if fields.has("attachment"):
        if fields.text("attachment_type") == "text":
            texts.append(fields.text("attachment") or "")
        else:
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


def _asks(fields: Fields) -> bool:
    """Is anything asked? Raises Problem for a field that stands in both lists: answers are told by their field."""
    once, again = form(fields, "fields"), form(fields, "repeatable_fields")
    names = {one.key for one in once}
    for index, one in enumerate(again):
        if one.key in names:
            raise wrong(f"repeatable_fields[{index}]", f"{one.key[:100]!r} stands in fields too")
    return bool(once or again)


def check_text(fields: Fields) -> list[str]:
    if not _asks(fields):
        raise wrong("fields", "must not be empty")
    fields.whole("responses_required", 1, 50)
    fields.text("title")
    fields.text("description")
    return [one for one in _looked_at(fields)[0] if is_address(one)]


def check_form(fields: Fields) -> list[str]:
    found = either(fields)
    if not _asks(fields):
        raise wrong("fields", "must not be empty, or there must be repeatable_fields")
    return found


# ---------------------------------------------------------------- made-up answers
def example(one: Field) -> Any:
    """A value that is valid for a field."""
    match one.type:
        case "category" | "multiselect":
            return one.choices[0].value
        case "number":
            number = min(max(1.0, -math.inf if one.least is None else one.least), one.most or math.inf)
            return int(number) if number.is_integer() else number
        case "boolean":
            return True
        case "date":
            return "2020-01-01"
        case "datetime":
            return "2020-01-01T00:00:00.000Z"
        case "email":
            return "example@example.com"
        case "url" | "file":
            return "https://example.com/example"
        case _:
            wanted = max(7, int(one.least or 0))
            return "example".ljust(wanted, ".")[: None if one.most is None else int(one.most)]


def _examples(one: Field) -> list[Any]:
    if one.type in CHOSEN:
        return [option.value for option in one.choices[: max(1, int(one.least or 0))]]
    if one.type == RANKED:
        return [option.value for option in one.choices]
    return [example(one)] * max(1, one.answers[0])


def canned_text(params: Json) -> Json:
    return {"annotations": _canned(_every(params), collected=True)}


def canned(params: Json) -> Json:
    return {"annotations": _canned(_every(params), collected=False)}


def _every(params: Json) -> list[Field]:
    fields = Fields(params)
    return [*form(fields, "fields"), *form(fields, "repeatable_fields")]


def _canned(several: list[Field], *, collected: bool) -> Json:
    out: Json = {}
    for one in several:
        fewest = max(1, one.answers[0])
        values = [_canned(one.below, collected=collected)] * fewest if one.below else _examples(one)
        out[one.key] = answer_of(one, values) if collected else [values]
    return out


# ---------------------------------------------------------------- as work of ours
def _of_one(one: Field, collected: bool) -> Asked | None:
    """A form of one question that is a choice or a text by itself; None for any other."""
    chosen = one.choices
    if one.type == "boolean":
        chosen = [Option(True, "true", "Yes"), Option(False, "false", "No")]
    elif one.type == "number":
        chosen = _steps(one)
    if one.answers[0] > 1 or (one.answers[1] > 1 and one.type not in CHOSEN):
        return None
    if not chosen and one.type not in WRITTEN:
        return None
    values = {option.name: option.value for option in chosen}

    def response(_: Json, label: Json, settlement: UUID) -> Json:
        said = [values[name] for name in label["values"]] if chosen else [label["text"]]
        return {"annotations": {one.key: answer_of(one, said) if collected else [said]}}

    def label(_: Json, given: Json) -> Json:
        said = first_of(given["annotations"][one.key])
        if chosen:
            return {"kind": "choice", "values": [named(value, chosen) for value in said]}
        [text] = said
        return {"kind": "text", "text": text}

    return Asked(_spec_of_one(one, chosen), response, label, [(one, chosen)])


def _spec_of_one(one: Field, chosen: list[Option]) -> Json:
    if not chosen:
        most = {} if one.most is None else {"max_chars": max(1, int(one.most))}
        return {"kind": "text", "text": {"min_chars": int(one.least or 0), **most}}
    spec: Json = {"kind": "choice", "classes": [option.spec() for option in chosen]}
    # where none may be chosen too, it is a choice of several even if at most one is
    if one.type in CHOSEN and (one.least, one.most) != (1, 1):
        spec |= {"multiple": True, "at_least": int(one.least or 0)}
        if one.most is not None:
            spec["at_most"] = int(one.most)
    return spec


def _steps(one: Field) -> list[Option]:
    if one.least is None or one.most is None or not (one.least.is_integer() and one.most.is_integer()):
        return []
    if not 0 <= one.most - one.least < MAX_STEPS:
        return []
    return [Option(n, str(n), str(n)) for n in range(int(one.least), int(one.most) + 1)]


def _making(params: Json, guidelines: str, *, collected: bool) -> Making | None:
    fields = Fields(params)
    every, again = form(fields, "fields"), form(fields, "repeatable_fields")
    if not (every or again) or (fields.whole("responses_required", 1, 50) or 1) != 1:
        return None
    addresses, texts = _looked_at(fields)
    if len(addresses) > 1 or any(not is_address(address) for address in addresses):
        return None
    asked = _of_one(every[0], collected) if len(every) == 1 and not again else None
    asked = asked or asked_together(every, collected, again)
    if asked is None:
        return None
    title, description = fields.text("title"), fields.text("description")
    words = [guidelines, title, description]
    for one, chosen in asked.questions:
        said = [one.description, told(one.title, chosen)]
        # the title of one of several questions stands beside its answer; alone, nothing else says what is asked
        alone = len(asked.questions) == 1 and one.title not in guidelines
        words += [f"**{one.title}**"] if alone or one.description else []
        words += said
    if addresses:
        return Making(Work(asked.spec, _joined([*words, *texts]), attachment=addresses[0]), asked.response, asked.label)
    shown = "\n\n".join(texts) or title or description or [*every, *again][0].title
    return Making(Work(asked.spec, _joined(words), text=shown), asked.response, asked.label)


def _joined(parts: list[Any]) -> str:
    return "\n\n".join(dict.fromkeys(part for part in parts if isinstance(part, str) and part))


def making_text(params: Json, guidelines: str) -> Making | None:
    return _making(params, guidelines, collected=True)


def making(params: Json, guidelines: str) -> Making | None:
    return _making(params, guidelines, collected=False)


TEXTCOLLECTION = TaskType("textcollection", check_text, canned_text, making_text, template=True)
TRANSCRIPTION = TaskType("transcription", check_form, canned, making)
DATACOLLECTION = TaskType("datacollection", check_form, canned, making)
