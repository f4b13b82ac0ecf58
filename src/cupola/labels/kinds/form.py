"""Form: several questions about the whole item, each with an answer of its own.

The questions are the ontology's attributes; one whose condition does not hold is not asked. `answers` compares answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cupola.kernel.errors import Problem
from cupola.labels import attributes, marking, targets
from cupola.labels.answers import answer_distance, files_among, in_words, pieces, same_answer
from cupola.labels.facts import ItemFacts
from cupola.labels.kind import LabelKind, Unit, wrong_spec
from cupola.labels.label import Label
from cupola.labels.ontology import Answer, AttributeSpec, Each, FileAnswer, Ontology, Spans

SHOWN_CHARS = 120


class FormLabel(Label, frozen=True, tag="form", omit_defaults=True):
    """`answers`: {question: value}; what was left open is absent. `shown`: the order in which whoever answers saw the
    candidates, by their names in the item."""

    answers: dict[str, Answer]
    shown: list[str] | None = None


class Form(LabelKind[FormLabel]):
    name = "form"
    label = FormLabel
    parts = frozenset({"attributes"})
    looks_at = frozenset({"messages", "turns", "candidates", "steps", "characters"})
    made_of = "answers"
    tolerance = 0.0
    unit = "question"
    strategies = ("form",)

    def strategy(self, ontology: Ontology) -> str:
        return "form"

    def check_spec(self, ontology: Ontology) -> None:
        if not ontology.attributes:
            raise wrong_spec("/attributes", "The kind 'form' needs at least one question.", "Name the attributes.")
        for position, spec in enumerate(ontology.attributes):
            if spec.classes is not None:
                raise wrong_spec(f"/attributes/{position}/classes", "A form has no classes.", "Remove them.")

    def validate(self, label: FormLabel, ontology: Ontology, facts: ItemFacts) -> None:
        """Raises Problem (INVALID) for a question that is not asked, a value that it cannot have, or a missing one, and
        for what is said of something that is not in the item."""
        attributes.validate(label.answers, ontology.attribute_named, "/answers", "The form")
        targets.validate(label.answers, label.shown, ontology.attributes, facts)

    def salvage(self, label: FormLabel, check: Callable[[FormLabel], None]) -> tuple[FormLabel | None, list[Problem]]:
        """The answers that pass; what is missing then is for whoever fills in the form."""
        kept = dict(label.answers)
        order = label.shown
        left_out: list[Problem] = []
        while True:
            try:
                check(FormLabel(kept, order))
            except Problem as problem:
                if problem.place == "/shown" and order is not None:
                    order = None
                    continue
                name = problem.place.removeprefix("/answers/").partition("/")[0].replace("~1", "/").replace("~0", "~")
                if name == problem.place or name not in kept:
                    break
                left_out.append(problem)
                del kept[name]
            else:
                break
        return (FormLabel(kept, order) if kept else None), left_out

    def distance(self, a: FormLabel, b: FormLabel, ontology: Ontology) -> float:
        """The mean distance of the answers to those questions that either answers; one with a scope counts of each."""
        ours, theirs = pieces(ontology.attributes, a.answers), pieces(ontology.attributes, b.answers)
        found = []
        for name in {**ours, **theirs}:
            (spec, first), (_, second) = ours.get(name, (None, None)), theirs.get(name, (None, None))
            spec = spec or theirs[name][0]
            if attributes.answered(first) | attributes.answered(second):
                found.append(answer_distance(spec, first, second))
        return math.fsum(found) / len(found) if found else 0.0

    def same(self, a: FormLabel, b: FormLabel, ontology: Ontology) -> bool:
        return all(
            same_answer(spec, a.answers.get(spec.name), b.answers.get(spec.name)) for spec in ontology.attributes
        )

    def merge(self, labels: Sequence[FormLabel], weights: Sequence[float], ontology: Ontology) -> FormLabel:
        """Question by question: of those who were asked it, what most of the weight says; of texts, rankings and rows
        the most central; of files that of whoever is heard most.

        An answer that nobody gave is never made up, so what comes out fits the ontology as the labels did.
        """
        merged: dict[str, Answer] = {}
        for spec in ontology.attributes:
            if not attributes.asked(spec, merged):
                continue
            # whose own answers led to this question; an answer left open is one, unless one is needed
            said = [
                (label.answers.get(spec.name), weight)
                for label, weight in zip(labels, weights, strict=True)
                if attributes.asked(spec, label.answers)
                and (not spec.required or attributes.answered(label.answers.get(spec.name)))
            ]
            if not said:
                continue
            value = _each(spec, said) if spec.scope is not None else _together(spec, said)
            if value is not None and (attributes.answered(value) or value == []):
                merged[spec.name] = value
        return FormLabel(merged)

    def apart(self, a: FormLabel, b: FormLabel, ontology: Ontology) -> tuple[list[str], list[str]]:
        """The questions that a answers otherwise than b, and those that b alone answers."""
        ours, theirs = pieces(ontology.attributes, a.answers), pieces(ontology.attributes, b.answers)
        differ = [name for name, (spec, value) in ours.items()
                  if not same_answer(spec, value, theirs.get(name, (spec, None))[1])]  # fmt: skip
        alone = [name for name, (spec, value) in theirs.items()
                 if name not in ours and not same_answer(spec, None, value)]  # fmt: skip
        return differ, alone

    def units(self, label: FormLabel, ontology: Ontology) -> list[Unit[FormLabel]]:
        """Each question that was answered, of each thing where it has a scope."""
        return [
            Unit(name, f"{name}: {in_words(spec, value)}", FormLabel({spec.name: targets.one(name, spec, value)}))
            for name, (spec, value) in pieces(ontology.attributes, label.answers).items()
        ]

    def answers_of(self, label: FormLabel) -> Mapping[str, Answer]:
        return label.answers

    def files_of(self, label: FormLabel) -> Iterator[tuple[str, FileAnswer]]:
        return ((f"/answers{place}", file) for place, file in files_among(label.answers))

    def words(self, label: FormLabel, ontology: Ontology) -> str:
        found = ", ".join(unit.words for unit in self.units(label, ontology)) or "no answers"
        return found if len(found) <= SHOWN_CHARS else found[: SHOWN_CHARS - 1] + "…"


Said = Sequence[tuple[Answer | None, float]]


def _together(spec: AttributeSpec, said: Said) -> Answer | None:
    return _CHOSEN.get(spec.type, _most_said)(spec, said)


def _each(spec: AttributeSpec, said: Said) -> Answer | None:
    """Of each thing what those say together who said something of it, or of any."""
    named = {target: None for value, _ in said if isinstance(value, Each) for target in value.values}
    found: dict[str, Any] = {}
    for target in named:
        of_it = [(value.values.get(target) if isinstance(value, Each) else None, weight) for value, weight in said]
        value = _together(spec.alone, of_it)
        if value is not None and (attributes.answered(value) or value == []):
            found[target] = value
    return Each(found) if found else None


def _middle(spec: AttributeSpec, said: Said) -> Answer | None:
    """The weighted median of those who answered, the lower of two: what somebody said."""
    given = sorted((float(value), n) for n, (value, _) in enumerate(said) if isinstance(value, int | float))
    half = math.fsum(said[n][1] for _, n in given) / 2
    if not given or (not spec.required and 2 * half <= math.fsum(weight for value, weight in said if value is None)):
        return None
    upto = 0.0
    for _, n in given:
        upto += said[n][1]
        if upto >= half:
            return said[n][0]
    return said[given[-1][1]][0]


def _side(spec: AttributeSpec, said: Said) -> Answer | None:
    """Of a preference first the side with the most weight, then the middle of those who take it."""
    given = [(value, weight) for value, weight in said if isinstance(value, int)]
    votes = {side: math.fsum(w for v, w in given if (v > 0) - (v < 0) == side) for side in (-1, 1, 0)}
    best = max(votes, key=lambda side: votes[side])
    return _middle(spec, [(v, w) for v, w in given if (v > 0) - (v < 0) == best])


def _marked(spec: AttributeSpec, said: Said) -> Answer | None:
    """Span by span; who marked nothing is heard too."""
    return marking.together([(value if isinstance(value, Spans) else Spans([]), weight) for value, weight in said])


def _several(spec: AttributeSpec, said: Said) -> Answer | None:
    """Each option that more than half of the weight chose, as few and as many as are asked for."""
    chosen = [(value if isinstance(value, list) else [], weight) for value, weight in said]
    votes = {option: math.fsum(weight for value, weight in chosen if option in value) for option in spec.options}
    ranked = sorted(spec.options, key=lambda option: -votes[option])
    half = math.fsum(weight for _, weight in chosen) / 2
    count = sum(votes[option] > half for option in ranked)
    # who left it open is heard too: only where most answered, or one must, are there as many as are asked for
    silent = math.fsum(weight for value, weight in chosen if not value)
    if not spec.required and silent > half:
        return None
    least, most = int(spec.least or 0), len(ranked) if spec.most is None else int(spec.most)
    count = min(max(count, least, 1 if spec.required else 0), most)
    return [option for option in spec.options if option in ranked[:count]] or None


def _most_said(spec: AttributeSpec, said: Said) -> Answer | None:
    """The answer with the most weight, ties to the earlier; of different texts the one nearest to all."""
    cost = [math.fsum(weight * answer_distance(spec, value, other) for other, weight in said) for value, _ in said]
    return said[min(range(len(said)), key=lambda n: (cost[n], n))][0]


def _heard_most(spec: AttributeSpec, said: Said) -> Answer | None:
    """What whoever has the most weight said, of those who said something; ties to the earlier."""
    given = [(value, weight) for value, weight in said if attributes.answered(value)]
    return max(given, key=lambda one: one[1])[0] if given else None


_CHOSEN = {
    "multi": _several,
    "file": _heard_most,
    "scale": _middle,
    "preference": _side,
    "spans": _marked,
}
