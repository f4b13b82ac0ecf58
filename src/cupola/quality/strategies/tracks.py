"""tracks: things and events of a video that several people followed, each kept when more than half of the weight saw
it.

As `shapes`, of which it has how sure each unit is; what several tracks say together is `labels.kinds.tracking`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast
from uuid import UUID

import numpy as np

from cupola.labels import Label, Ontology, TracksLabel, decode_label
from cupola.labels.kinds import tracking
from cupola.quality.inference.shapes import precision
from cupola.quality.strategies.base import Evidence
from cupola.quality.strategies.consensus import Consensus, ConsensusModel, Said
from cupola.quality.strategies.shapes import parts_of

LEARNED_FROM = 500  # labels compared: each holds many frames


class TracksStrategy(Consensus):
    name = "tracks"

    def together(
        self, model: ConsensusModel, labels: Sequence[Label], workers: Sequence[UUID], ontology: Ontology
    ) -> Said:
        drawn = cast(Sequence[TracksLabel], labels)
        skill = np.clip(model.accuracies(workers), 0.05, 0.995)
        found = tracking.merged(drawn, skill.tolist(), ontology, hands=model.says(workers))
        parts = parts_of([(one.one.id, one.people) for one in found], skill, model.rho)
        told = [replace(part, confidence=self.confidence(model, part.confidence)) for part in parts]
        return Said(tracking.label_of(found, drawn), parts=told)

    def learn(self, model: ConsensusModel, ontology: Ontology, evidence: Evidence) -> ConsensusModel:
        apart: dict[UUID, list[float]] = {}
        for row in [*evidence.truths, *evidence.settled][:LEARNED_FROM]:
            said, truth = cast(TracksLabel, decode_label(row.label)), cast(TracksLabel, decode_label(row.truth))
            found = tracking.pairs(said, truth).tracks
            apart.setdefault(row.worker, []).extend(1.0 - alike for _, _, alike, _ in found)
        return replace(model, say=precision(apart))
