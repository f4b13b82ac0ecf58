"""Process rewards in TRL's stepwise supervision format: prompt, completions, labels, a truth value for each step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cupola.labels.ontology import Each
from cupola.releases.exporters.base import About, Row
from cupola.releases.exporters.language.asked import answers_of
from cupola.releases.exporters.language.lines import jsonl_format
from cupola.releases.exporters.language.talk import talk_of, words

ASKS = ("choice@step", "bool@step")
BAD = frozenset({"bad", "wrong", "incorrect", "false", "no", "error", "-1", "negative"})


def _prm(row: Row, about: About) -> Iterator[dict[str, Any]]:
    """A step that is neither good nor wrong is no error. Steps that nobody judged end the chain."""
    talk = talk_of(row)
    spec = next((one for one in about.ontology.attributes if one.scope == "step" and f"{one.type}@step" in ASKS), None)
    if talk is None or spec is None:
        return
    value = answers_of(row).get(spec.name)
    given = value.values if isinstance(value, Each) else {}
    named = {one for one in spec.options if one.strip().lower() in BAD} or set(spec.options[-1:])
    completions, labels, said = [], [], []
    for name, text in talk.steps.items():
        one = given.get(name)
        if one is None:
            break
        completions.append(text)
        labels.append(one if isinstance(one, bool) else one not in named)
        said.append(one)
    if completions:
        yield {"prompt": words(talk.prompt), "completions": completions, "labels": labels, "verdicts": said,
               "ref": row.ref}  # fmt: skip


prm = jsonl_format(
    "Process reward (TRL)",
    "Each step of a solution, right or not",
    "解答的每一步及其对错",
    _prm,
    ASKS,
)
