"""What of a form a format is made of: which of its questions, and what their answers say of the answers compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from cupola.labels import Ontology, decode_label
from cupola.labels import answers_of as answers_of_label
from cupola.labels.ontology import Answer, AttributeSpec, Each, Groups
from cupola.releases.exporters.base import Row
from cupola.releases.exporters.language.talk import Talk

WRITTEN = "text"  # the type of a question that is answered in words


def answers_of(row: Row) -> Mapping[str, Answer]:
    return answers_of_label(decode_label(row.label))


def written(ontology: Ontology) -> AttributeSpec | None:
    """The question that somebody writes an answer to: what rewrites, else the first text that is required."""
    texts = [one for one in ontology.attributes if one.type == WRITTEN and one.scope is None]
    return next((one for one in texts if one.rewrites), next((one for one in texts if one.required), None))


def text_of(row: Row, ontology: Ontology) -> str | None:
    spec = written(ontology)
    value = None if spec is None else answers_of(row).get(spec.name)
    return value if isinstance(value, str) and value.strip() else None


def ranks(row: Row, ontology: Ontology, talk: Talk) -> list[list[str]]:
    """The candidates in groups, the best first; nothing where nothing orders them.

    An order goes before a preference; where only grades were given of each, their mean decides.
    """
    answers = answers_of(row)
    for spec in ontology.attributes:
        value = answers.get(spec.name)
        if isinstance(value, Groups) and not spec.options:
            return [[name for name in group if name in talk.candidates] for group in value.groups]
        if spec.type == "preference" and isinstance(value, int):
            return [["c1", "c2"]] if value == 0 else [["c1"], ["c2"]] if value < 0 else [["c2"], ["c1"]]
    return []


def strength(row: Row, ontology: Ontology) -> int | None:
    """How strong the first preference is; None where none was asked."""
    answers = answers_of(row)
    found = (answers.get(one.name) for one in ontology.attributes if one.type == "preference")
    return next((abs(value) for value in found if isinstance(value, int)), None)


def pairs(groups: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """(better, worse) of every two that are not as good."""
    return [(one, other) for better, worse in combinations(groups, 2) for one in better for other in worse]


def of_each(value: Answer | None, target: str) -> Answer | None:
    return value.values.get(target) if isinstance(value, Each) else value
