"""Evaluation sets as Inspect's `json_dataset` reads them: input, target, choices where there are some, id, metadata."""

from __future__ import annotations

import string
from collections.abc import Iterator
from typing import Any

import msgspec

from cupola.labels import classes_of, decode_label
from cupola.releases.exporters.base import About, Row
from cupola.releases.exporters.language.asked import answers_of, ranks, text_of
from cupola.releases.exporters.language.lines import jsonl_format
from cupola.releases.exporters.language.talk import talk_of, words

LETTERS = string.ascii_uppercase


def _inspect(row: Row, about: About) -> Iterator[dict[str, Any]]:
    """A class is chosen by its letter; so is the best of several answers. Else the target is what was written, or the
    answers as JSON."""
    talk = talk_of(row)
    if talk is None:
        return
    told: dict[str, Any] = {"input": talk.prompt, "id": row.ref}
    chosen = classes_of(decode_label(row.label))
    groups = ranks(row, about.ontology, talk)
    classes = [one.name for one in about.ontology.classes]
    text = text_of(row, about.ontology)
    if classes:
        if len(chosen) != 1 or len(classes) > len(LETTERS):
            return
        told |= {"choices": classes, "target": LETTERS[classes.index(chosen[0])]}
    elif groups:
        if len(groups[0]) != 1:
            return
        names = list(talk.candidates)
        told |= {"input": talk.messages, "choices": [words(talk.candidates[name]) for name in names],
                 "target": LETTERS[names.index(groups[0][0])]}  # fmt: skip
    elif text is not None:
        told["target"] = text
    else:
        told |= {"input": talk.messages, "target": msgspec.json.encode(answers_of(row)).decode()}
    yield {**told, "metadata": {"confidence": round(row.confidence, 6), "how": row.how, "of": about.name}}


inspect = jsonl_format(
    "Inspect",
    "An evaluation set: input, target, choices",
    "评测集：input、target、choices",
    _inspect,
    (),
    holds=("answers", "classes"),
)
