"""form: each question of a form is weighed by itself, each person heard by how many questions they get right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast
from uuid import UUID

import msgspec
import numpy as np

from cupola.labels import FormLabel, Label, Ontology, decode_label, merge
from cupola.labels.answers import pieces, same_answer
from cupola.labels.attributes import answered, asked
from cupola.labels.ontology import Answer, AttributeSpec
from cupola.quality.strategies.base import Evidence, Part
from cupola.quality.strategies.consensus import Consensus, ConsensusModel, Said, chances

LEARNED_FROM = 20_000  # forms compared
USUAL_RIGHT, HELD = 0.9, 5.0  # share of questions that people get right, and for how many forms that counts
LEAST, MOST = 0.05, 0.995


class FormStrategy(Consensus):
    name = "form"

    def together(
        self, model: ConsensusModel, labels: Sequence[Label], workers: Sequence[UUID], ontology: Ontology
    ) -> Said:
        forms = [cast(FormLabel, label).answers for label in labels]
        known = msgspec.msgpack.decode(model.more, type=dict[UUID, float]) if model.more else {}
        skill = np.array([known.get(worker, USUAL_RIGHT) for worker in workers], dtype=np.float64)
        # who is right half of the time or less is hardly heard, yet never against what they say
        weight = np.maximum(np.log(skill / (1.0 - skill)), 0.05)
        label = cast(FormLabel, merge(labels, weight.tolist(), ontology))
        if not known or len(workers) < 2:
            return Said(label)  # nobody's answers are known, or there is nothing to compare them with
        total, compared = 0.0, False
        parts: list[Part] = []
        given = [pieces(ontology.attributes, form) for form in forms]
        for name, spec, value in _asked(ontology, label.answers, given):
            if spec.type == "file":  # nothing to compare: as sure as whoever handed it in is usually right
                if answered(value):
                    giver = next(n for n, form in enumerate(forms) if form.get(name) == value)
                    parts.append(Part(name, float(skill[giver]), (giver,)))
                continue
            groups = _agreeing(spec, value, [form[name][1] if name in form else None for form in given])
            sure = float(chances(groups, skill, model.rho)[0]) if groups[0] else 0.0
            total, compared = total + float(np.log(max(sure, 1e-12))), True
            if answered(value):
                parts.append(Part(name, sure))
        return Said(label, float(np.exp(total)) if compared else 0.0, parts)

    def learn(self, model: ConsensusModel, ontology: Ontology, evidence: Evidence) -> ConsensusModel:
        right: dict[UUID, float] = {}
        made: dict[UUID, int] = {}
        for row in [*evidence.truths, *evidence.settled][:LEARNED_FROM]:
            said = cast(FormLabel, decode_label(row.label)).answers
            truth = cast(FormLabel, decode_label(row.truth)).answers
            own = pieces(ontology.attributes, said)
            questions = [one for one in _asked(ontology, truth, [own]) if one[1].type != "file"]
            good = sum(
                same_answer(spec, own[name][1] if name in own else None, value) for name, spec, value in questions
            )
            if not questions:
                continue
            right[row.worker] = right.get(row.worker, 0.0) + good / len(questions)
            made[row.worker] = made.get(row.worker, 0) + 1
        skill = {
            who: float(np.clip((right[who] + USUAL_RIGHT * HELD) / (made[who] + HELD), LEAST, MOST)) for who in made
        }
        return replace(model, more=msgspec.msgpack.encode(skill) if skill else b"")


def _asked(
    ontology: Ontology, answers: Mapping[str, Answer], said: Sequence[Mapping[str, tuple[AttributeSpec, Answer]]]
) -> Iterator[tuple[str, AttributeSpec, Answer | None]]:
    """(name, question, answer) of each that is asked; of one with a scope for each thing that somebody spoke of."""
    own = pieces(ontology.attributes, answers)
    for spec in ontology.attributes:
        if not asked(spec, answers):
            continue
        if spec.scope is None:
            yield spec.name, spec, answers.get(spec.name)
            continue
        named = {name: None for one in (own, *said) for name in one if name.startswith(f"{spec.name}@")}
        for name in named:
            yield name, spec.alone, own[name][1] if name in own else None


def _agreeing(spec: AttributeSpec, value: Answer | None, said: Sequence[Answer | None]) -> list[list[int]]:
    """Places of those who say what was chosen, first; then of each other answer."""
    groups: list[tuple[Answer | None, list[int]]] = [(value, [])]
    for n, one in enumerate(said):
        home = next((members for other, members in groups if same_answer(spec, other, one)), None)
        if home is None:
            groups.append((one, [n]))
        else:
            home.append(n)
    return [members for _, members in groups]
