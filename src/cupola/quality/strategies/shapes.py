"""shapes: objects that several people drew, each kept when more than half of the weight saw it.

Where a thing lies is the weighted median of its drawings, by how finely each person draws (see `inference.shapes`);
whether it is there, by how often each is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from cupola.labels import Label, ObjectsLabel, Ontology, decode_label
from cupola.labels.kinds import merging, objects
from cupola.quality.inference.shapes import precision
from cupola.quality.strategies.base import Evidence, Part
from cupola.quality.strategies.consensus import Consensus, ConsensusModel, Said

LEARNED_FROM = 5_000  # labels compared


def parts_of(found: Sequence[tuple[str, Sequence[int]]], skill: NDArray[np.float64], rho: float) -> list[Part]:
    """How sure each unit is, by who saw it: (its name, the places of those who did). skill: (n,) of all who were asked;
    rho: how far votes hang together."""
    odds = np.log(skill / (1.0 - skill))
    parts = []
    for name, people in found:
        saw = np.zeros(len(skill), dtype=np.bool_)
        saw[list(people)] = True
        sure = odds[saw].sum() - odds[~saw].sum()
        sure /= 1.0 + (len(skill) - 1) * rho
        parts.append(Part(name, float(1.0 / (1.0 + np.exp(-sure))), tuple(people)))
    return parts


class ShapesStrategy(Consensus):
    name = "shapes"

    def together(
        self, model: ConsensusModel, labels: Sequence[Label], workers: Sequence[UUID], ontology: Ontology
    ) -> Said:
        drawn = cast(Sequence[ObjectsLabel], labels)
        skill = np.clip(model.accuracies(workers), 0.05, 0.995)
        found = merging.merged(drawn, skill.tolist(), ontology, hands=model.says(workers))
        parts = parts_of([(one.object.id, one.people) for one in found], skill, model.rho)
        parts = [replace(part, confidence=self.confidence(model, part.confidence)) for part in parts]
        return Said(ObjectsLabel([one.object for one in found]), parts=parts)

    def learn(self, model: ConsensusModel, ontology: Ontology, evidence: Evidence) -> ConsensusModel:
        apart: dict[UUID, list[float]] = {}
        for row in [*evidence.truths, *evidence.settled][:LEARNED_FROM]:
            said, truth = cast(ObjectsLabel, decode_label(row.label)), cast(ObjectsLabel, decode_label(row.truth))
            apart.setdefault(row.worker, []).extend(1.0 - alike for _, _, alike in objects.pairs(said, truth))
        return replace(model, say=precision(apart))
