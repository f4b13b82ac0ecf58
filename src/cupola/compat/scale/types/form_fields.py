"""The fields of a form as clients describe them."""

from __future__ import annotations

from dataclasses import dataclass, field

from cupola.compat.scale.types.check import Fields, wrong
from cupola.compat.scale.types.labelling import Option, options
from cupola.kernel import limits

FIELD_TYPES = ("text", "number", "category", "date", "datetime", "boolean", "long_text", "rich_text", "multiselect",
               "ranking_order", "file", "email", "url", "form", "fieldset")  # fmt: skip
FORMS = ("form", "fieldset")
CHOSEN = ("category", "multiselect")
RANKED = "ranking_order"
MOST_RANKED = 100
WRITTEN = ("text", "long_text", "rich_text")
MAX_FIELDS = 500
MAX_DEPTH = 4
MAX_ANSWERS = 10_000


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form. least, most: of a number its bounds, of a choice how many, of a text its characters.
    answers: how few and how many answers one person gives to it; of a form that takes several, each is a row."""

    key: str
    type: str
    title: str
    description: str = ""
    choices: list[Option] = field(default_factory=list)
    least: float | None = None
    most: float | None = None
    below: list[Field] = field(default_factory=list)
    required: bool = True
    answers: tuple[int, int] = (1, 1)

    @property
    def rows(self) -> bool:
        """Is it a form that is filled in as often as there is something to say?"""
        return bool(self.below) and self.answers[1] > 1


def form(fields: Fields, name: str) -> list[Field]:
    """The fields of a form: a list of descriptions, or {field: description}. Raises Problem naming the field."""
    return _form(fields, name, 0)


def _form(fields: Fields, name: str, depth: int) -> list[Field]:
    value = fields.values.get(name)
    if isinstance(value, dict):
        if len(value) > MAX_FIELDS:
            raise wrong(name, f"has {len(value)} fields; at most {MAX_FIELDS} are taken")
        out = []
        for key, said in value.items():
            if not isinstance(said, str | dict):
                raise wrong(f"{name}.{key[:100]}", "must be a description")
            out.append(Field(key, "text", said if isinstance(said, str) else str(key), least=1))
        return out
    if depth > MAX_DEPTH:
        raise wrong(fields.place(name), f"is nested more than {MAX_DEPTH} deep")
    found: list[Field] = []
    seen: set[str] = set()
    for one in fields.each(name, most=MAX_FIELDS):
        made = _field(one, depth)
        if made.key in seen:
            raise wrong(one.place("field_id"), f"{made.key[:100]!r} stands here twice")
        seen.add(made.key)
        found.append(made)
    return found


def _field(one: Fields, depth: int) -> Field:
    kind = one.text("type") or "text"
    if kind not in FIELD_TYPES:
        raise wrong(one.place("type"), f"must be one of {', '.join(FIELD_TYPES)}")
    key = one.text("field_id", most=300) or one.text("title", most=2_000)
    if not key:
        raise wrong(one.place("field_id"), "is missing")
    said = [text for part in ("description", "hint") if (text := one.text(part))]
    needed = 1 if one.flag("required", True) else 0
    answers = _answers(one, needed)
    choices: list[Option] = []
    below: list[Field] = []
    least: float | None = None
    most: float | None = None
    if kind in CHOSEN:
        choices = options(one, "choices")
        least, most = _counts(one, kind, needed, len(choices))
    elif kind == RANKED:
        choices = _ranked(one)
    elif kind == "number":
        least, most = one.number("min"), one.number("max")
        _ordered(one, "min", least, most)
    elif kind in FORMS:
        below = _form(one, "fields", depth + 1)
        if not below:
            raise wrong(one.place("fields"), "must not be empty")
    elif kind in WRITTEN:
        least, most = _characters(one, "min") or needed, _characters(one, "max")
        _ordered(one, "min_characters", least, most)
    return Field(
        key,
        kind,
        one.text("title") or key,
        "\n\n".join(said),
        choices,
        least,
        most,
        below,
        bool(least if kind in CHOSEN else needed),
        answers,
    )


def _ranked(one: Fields) -> list[Option]:
    """What is put in order: choices, or so many options numbered from 1. Nothing where neither is said."""
    if one.has("choices") or one.has("options"):
        found = options(one, "choices" if one.has("choices") else "options")
        if len(found) < 2:
            raise wrong(one.place("choices"), "must be two or more, to be put in order")
        return found
    word = one.text("option_label") or "Option"
    count = one.whole("num_options", 2, MOST_RANKED)
    return [Option(n, str(n), f"{word} {n}") for n in range(1, (count or 0) + 1)]


def _answers(one: Fields, needed: int) -> tuple[int, int]:
    fewest, most = (one.whole(f"{bound}_responses_required", 0, MAX_ANSWERS) for bound in ("min", "max"))
    fewest = needed if fewest is None else fewest
    most = max(1, fewest) if most is None else max(1, most)
    _ordered(one, "min_responses_required", fewest, most)
    return fewest, most


def _counts(one: Fields, kind: str, needed: int, there: int) -> tuple[int, int | None]:
    """How few and how many choices make an answer; None: any number."""
    fewest, most = one.whole("min_choices", 0, limits.MAX_CLASSES), one.whole("max_choices", 1, limits.MAX_CLASSES)
    if most is None and kind == "category" and not one.flag("allow_multiple"):
        most = 1
    least = needed if fewest is None else fewest
    _ordered(one, "min_choices", least, there if most is None else min(most, there))
    return least, most


def _characters(one: Fields, bound: str) -> int | None:
    found = one.whole(f"{bound}_characters", 0, limits.MAX_TEXT_CHARS)
    return one.whole(f"{bound}_length", 0, limits.MAX_TEXT_CHARS) if found is None else found


def _ordered(one: Fields, name: str, least: float | None, most: float | None) -> None:
    if least is not None and most is not None and least > most:
        raise wrong(one.place(name), "is above the most that may be")
