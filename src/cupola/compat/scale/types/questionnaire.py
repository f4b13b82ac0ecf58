"""A form of several fields as work of ours: each field is a question of a label of the kind `form`.

A form within a form lies flat in ours, its questions named by their way, and is told nested again. One that
takes several answers, and fields that repeat, are rows of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cupola.compat.scale.types.base import Json
from cupola.compat.scale.types.form_fields import CHOSEN, RANKED, WRITTEN, Field
from cupola.compat.scale.types.labelling import Option, as_read, named
from cupola.kernel import limits

BETWEEN = " / "
ENTRIES = {"en": "Entries", "zh": "条目"}  # what fields that repeat are called together
# what is asked for as a text of a certain form (RE2 syntax)
PATTERNS = {
    "date": r"\d{4}-\d{2}-\d{2}",
    "datetime": r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?",
    "email": r"[^@\s]+@[^@\s]+\.[^@\s]+",
    "url": r"https?://\S+",
}
MOST_QUESTIONS = 200
MOST_COLUMNS = 50
MOST_ANSWERS = 10  # places for answers to one field; who allows more is content with fewer


@dataclass(frozen=True, slots=True)
class Asked:
    """Fields as an ontology of ours, and how its labels are told; questions: each field with what can be chosen."""

    spec: Json
    response: Callable[[Json, Json, UUID], Json]
    label: Callable[[Json, Json], Json]
    questions: list[tuple[Field, list[Option]]]


@dataclass(slots=True)
class _Questions:
    """Questions as they are collected.

    names: of each field, by where it lies, and of its further answers by that and their number; values: {what people
    read: the client's value} of each that is chosen; rows: what each row of a form is asked, by where that lies.
    """

    specs: list[Json] = field(default_factory=list)
    names: dict[tuple[str | int, ...], str] = field(default_factory=dict)
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: dict[tuple[str, ...], _Questions] = field(default_factory=dict)
    questions: list[tuple[Field, list[Option]]] = field(default_factory=list)


def asked_together(every: Sequence[Field], collected: bool, again: Sequence[Field] = ()) -> Asked | None:
    """None where a field is of a type that no editor can fill, or there are too many.

    collected: answers are told with their type and field_id, as those of a textcollection are. again: fields that are
    filled in once for each entry that there is; each is told with one inner list an entry.
    """
    found, inner = _Questions(), _Questions()
    if not _collect(every, (), found) or not _collect(again, (), inner):
        return None
    if len(found.specs) + bool(again) > MOST_QUESTIONS or len(inner.specs) > MOST_COLUMNS or inner.rows:
        return None
    entries = next(name for n in range(MOST_QUESTIONS + 2) if (name := f"entries {n}" if n else "entries") not in
                   found.names.values())  # fmt: skip
    if again:
        found.specs.append({"name": entries, "title": ENTRIES, "type": "rows", "columns": inner.specs})

    def response(_: Json, label: Json, settlement: UUID) -> Json:
        answers = label["answers"]
        out = _told(every, (), answers, found, collected)
        rows = [_told(again, (), row, inner, False) for row in _rows(answers.get(entries))]
        for one in again:
            said = [values for row in rows for values in row[one.key]]
            out[one.key] = {"type": one.type, "field_id": one.key, "response": said} if collected else said
        return {"annotations": out}

    def label(_: Json, given: Json) -> Json:
        answers: Json = {}
        repeated = {one.key: given["annotations"].get(one.key) for one in again}
        once = {name: said for name, said in given["annotations"].items() if name not in repeated}
        _read(every, (), once, found, answers)
        if again and (rows := _entries(again, repeated, inner)):
            answers[entries] = {"type": "rows", "rows": rows}
        return {"kind": "form", "answers": answers}

    questions = [*found.questions, *inner.questions]
    return Asked({"kind": "form", "attributes": found.specs}, response, label, questions)


def answer_of(one: Field, values: list[Any]) -> Json:
    """An answered field of a textcollection, of one who answered."""
    return {"type": one.type, "field_id": one.key, "response": [values]}


def first_of(answer: Any) -> list[Any]:
    """What the first who answered said: from {type, field_id, response}, [[…]], […] or the bare value."""
    if isinstance(answer, dict) and "response" in answer:
        answer = answer["response"]
    if isinstance(answer, list) and answer and isinstance(answer[0], list):
        answer = answer[0]
    return answer if isinstance(answer, list) else [answer]


def _collect(every: Sequence[Field], way: tuple[str, ...], found: _Questions) -> bool:
    for one in every:
        here = (*way, one.key)
        if one.rows:
            if not _collect_rows(one, here, found):
                return False
            continue
        if one.below:
            if not _collect(one.below, here, found):
                return False
            continue
        spec = _question(one)
        fewest, most = one.answers
        if spec is None or fewest > (1 if one.type in CHOSEN else MOST_ANSWERS):
            return False
        for number in range(1 if one.type in CHOSEN else min(most, MOST_ANSWERS)):
            _ask(one, here, number, spec, found)
        found.questions.append((one, one.choices))
    return True


def _collect_rows(one: Field, here: tuple[str, ...], found: _Questions) -> bool:
    inner = _Questions()
    if not _collect(one.below, (), inner) or inner.rows or len(inner.specs) > MOST_COLUMNS:
        return False
    fewest, most = one.answers
    if fewest > limits.MAX_ANSWER_ROWS:
        return False
    bounds = {"least": fewest, "required": True} if fewest else {}
    spec = {"type": "rows", **bounds, "most": min(most, limits.MAX_ANSWER_ROWS), "columns": inner.specs}
    _ask(one, here, 0, spec, found)
    found.rows[here] = inner
    found.questions += [(one, []), *inner.questions]
    return True


def _rows(value: Any) -> list[Json]:
    """The rows of an answer of ours; none for a question that was left open."""
    return [] if value is None else list(value["rows"])


def _entries(again: Sequence[Field], repeated: Json, inner: _Questions) -> list[Json]:
    """A client's lists, an inner one for each entry, as rows of ours. Raises as `_read` does."""
    lists: dict[str, list[Any]] = {}
    for name, said in repeated.items():
        if isinstance(said, dict) and "response" in said:
            said = said["response"]
        lists[name] = [] if said is None else list(said)
    rows: list[Json] = []
    for n in range(max(map(len, lists.values()), default=0)):
        row: Json = {}
        _read(again, (), {name: said[n] for name, said in lists.items() if n < len(said)}, inner, row)
        rows.append(row)
    return rows


def _ask(one: Field, here: tuple[str, ...], number: int, spec: Json, found: _Questions) -> None:
    """Add the question for the answer `number` (from 0) to a field."""
    again = f" ({number + 1})" if number else ""
    name = BETWEEN.join(here) + again
    if len(name) > limits.MAX_NAME_CHARS or not name.strip() or name in found.names.values():
        name = f"question {len(found.specs) + 1}"
    shown = one.title[: limits.MAX_NAME_CHARS - len(again)] + again
    title = {} if shown == name else {"title": {"en": shown}}
    found.names[_place(here, number)] = name
    if one.choices:
        found.values[name] = as_read(one.choices)
        spec = {**spec, "options": list(found.values[name])}
    if number:
        spec = {**spec, "required": number < one.answers[0]}
    found.specs.append({"name": name, **title, **spec})


def _place(here: tuple[str, ...], number: int) -> tuple[str | int, ...]:
    return (*here, number) if number else here


def _question(one: Field) -> Json | None:
    """A field as an attribute of ours, without its name and options; None where nobody could answer it here."""
    needed = {"required": True} if one.required else {}
    if one.type in CHOSEN:
        if one.most == 1:
            return {"type": "choice", **needed}
        least = {"least": one.least} if one.least else {}
        most = {} if one.most is None else {"most": one.most}
        return {"type": "multi", **least, **most, **needed}
    if one.type == "number":
        bounds = {name: value for name, value in (("least", one.least), ("most", one.most)) if value is not None}
        return {"type": "number", **bounds, **needed}
    if one.type == "boolean":
        return {"type": "bool", **needed}
    if one.type in WRITTEN:
        least = {"min_chars": int(one.least)} if one.least and one.least > 1 else {}
        most = {} if one.most is None else {"max_chars": max(1, int(one.most))}
        return {"type": "text", **least, **most, **needed}
    if one.type == RANKED and one.choices:
        return {"type": "ranking", **needed}
    if one.type == "file":
        return {"type": "file", **needed}
    if one.type in PATTERNS:
        return {"type": "text", "pattern": PATTERNS[one.type], **needed}
    return None


def _told(every: Sequence[Field], way: tuple[str, ...], answers: Json, found: _Questions, collected: bool) -> Json:
    out: Json = {}
    for one in every:
        here = (*way, one.key)
        if one.rows:
            rows = _rows(answers.get(found.names[here]))
            said: list[Any] = [_told(one.below, (), row, found.rows[here], collected) for row in rows]
        elif one.below:
            said = [_told(one.below, here, answers, found, collected)]
        else:
            said = []
            for name in _names(here, found):
                said += _values(answers.get(name), found.values.get(name, {}))
        out[one.key] = answer_of(one, said) if collected else [said]
    return out


def _names(here: tuple[str, ...], found: _Questions) -> list[str]:
    """The questions that a field is asked in, one for each answer it takes."""
    names = [found.names[here]]
    while (name := found.names.get((*here, len(names)))) is not None:
        names.append(name)
    return names


def _values(value: Any, table: dict[str, Any]) -> list[Any]:
    """An answer of ours as the client's values; nothing for a question that was left open."""
    if value is None:
        return []
    several = value if isinstance(value, list) else [value]
    return [table.get(one, one) if isinstance(one, str) else one for one in several]


def _read(every: Sequence[Field], way: tuple[str, ...], given: Json, found: _Questions, answers: Json) -> None:
    """Write a client's answers as ours. Raises KeyError, TypeError or ValueError for what is no answer of this form."""
    unknown = set(given) - {one.key for one in every}
    if unknown:
        raise ValueError(f"{sorted(unknown)[0]!r} is no field of this form")
    for one in every:
        here = (*way, one.key)
        if one.key not in given:
            if one.required and (one.rows or not one.below):
                raise KeyError(one.key)
            continue
        said = first_of(given[one.key])
        if one.rows:
            rows: list[Json] = [{} for _ in said]
            for row, inner in zip(rows, said, strict=True):
                _read(one.below, (), inner, found.rows[here], row)
            if rows:
                answers[found.names[here]] = {"type": "rows", "rows": rows}
        elif one.below:
            [inner] = said
            _read(one.below, here, inner, found, answers)
        elif len(names := _names(here, found)) > 1:
            answers |= dict(zip(names, said, strict=False))
            if len(said) > len(names):
                raise ValueError(f"{one.key!r} has more answers than it takes")
        elif said:
            answers[found.names[here]] = _ours(one, said, found.values.get(found.names[here], {}))


def _ours(one: Field, said: list[Any], table: dict[str, Any]) -> Any:
    if one.type == "file":
        raise ValueError("a file cannot be expected of anybody")
    if not one.choices:
        [value] = said
        return value
    read = {option.name: text for option, text in zip(one.choices, table, strict=True)}
    chosen = [read[named(value, one.choices)] for value in said]
    if one.most == 1:
        [only] = chosen
        return only
    return chosen
