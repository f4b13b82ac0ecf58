"""What questions with a scope are asked of, by its name in the item, and whether it is there.

Names are m1, m2, … (messages), t1, … (turns: messages of an assistant), c1, … (candidates), s1, … (steps). Where an
item's facts do not say how many there are, any number is taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cupola.kernel.errors import Problem, invalid
from cupola.labels.facts import ItemFacts
from cupola.labels.ontology import Answer, AttributeSpec, Each, Groups, Spans
from cupola.labels.places import pointer

LETTERS = {"message": "m", "turn": "t", "candidate": "c", "step": "s"}
COUNTED = {"message": "messages", "turn": "turns", "candidate": "candidates", "step": "steps"}
_name = re.compile(r"([mtcs])([1-9]\d{0,3})\Z")


def names(scope: str, facts: ItemFacts) -> list[str] | None:
    """All that there are of a scope; None where the item's facts do not tell."""
    count: int | None = getattr(facts, COUNTED[scope])
    return None if count is None else [f"{LETTERS[scope]}{n}" for n in range(1, count + 1)]


def one(name: str, spec: AttributeSpec, value: Answer) -> Answer:
    """An answer by itself, as the label holds it: `name` is that of `answers.pieces`."""
    target = name.removeprefix(spec.name + "@")
    return Each({target: value}) if target != name else value  # type: ignore[dict-item]  # of a scope none is a file


def validate(
    answers: Mapping[str, Answer], shown: Sequence[str] | None, specs: Sequence[AttributeSpec], facts: ItemFacts
) -> None:
    """Raises Problem (INVALID) for what is said of something that is not there, left out where it is required, or
    marked beyond the text's end."""
    for spec in specs:
        value = answers.get(spec.name)
        here = "/answers" + pointer(spec.name)
        if isinstance(value, Each) and spec.scope is not None:
            _each(spec, value, facts, here)
        elif isinstance(value, Groups) and not spec.options:
            _all_of([name for group in value.groups for name in group], "candidate", facts, here)
        elif isinstance(value, Spans):
            last = max((span.end for span in value.spans), default=0)
            if facts.characters is not None and last > facts.characters:
                raise _wrong(f"The text has {facts.characters} characters; a span ends at {last}.", here,
                             "Count Unicode code points, not bytes or UTF-16.")  # fmt: skip
        elif spec.type == "preference" and value is not None and facts.candidates not in (None, 2):
            raise _wrong(f"A preference is between two candidates; the item has {facts.candidates}.", here,
                         "Ask for an order of them.")  # fmt: skip
    if shown is not None:
        _all_of(shown, "candidate", facts, "/shown")


def _each(spec: AttributeSpec, value: Each, facts: ItemFacts, here: str) -> None:
    scope = spec.scope or ""
    known = names(scope, facts)
    for target in value.values:
        found = _name.match(target)
        if found is None or found[1] != LETTERS[scope] or (known is not None and target not in known):
            told = "" if known is None else f"; there are {len(known)}"
            raise _wrong(f"The item has no {scope} {target[:20]!r}{told}.", here + "/values" + pointer(target),
                         f"Name it {LETTERS[scope]}1, {LETTERS[scope]}2 and so on.")  # fmt: skip
    if spec.required and known is not None:
        missing = [target for target in known if target not in value.values]
        if missing:
            raise invalid("label-attribute-missing", f"{spec.name!r} is asked of each {scope}; {missing[0]} has none.",
                          place=here + "/values", remedy="Answer it of each.")  # fmt: skip


def _all_of(said: Sequence[str], scope: str, facts: ItemFacts, here: str) -> None:
    known = names(scope, facts)
    fits = all((match := _name.match(name)) is not None and match[1] == LETTERS[scope] for name in said)
    if not fits or len(set(said)) < len(said) or (known is not None and sorted(said) != sorted(known)):
        told = "" if known is None else f": {', '.join(known)}"
        raise _wrong(f"It names each {scope} of the item once{told}.", here, "Name all of them, each once.")


def _wrong(detail: str, place: str, remedy: str) -> Problem:
    return invalid("label-attribute-value", detail, place=place, remedy=remedy)
