"""rover: texts put together word by word (see `inference.rover`), each person heard by how few words they get wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast
from uuid import UUID

import msgspec
import numpy as np

from cupola.labels import Label, Ontology, TextLabel, decode_label, merge
from cupola.labels.kinds.text import normal
from cupola.quality.inference import rover as words
from cupola.quality.strategies.base import Evidence
from cupola.quality.strategies.consensus import Consensus, ConsensusModel, Said, chances

LONGEST_WORDS = 1_000  # a longer text is taken whole: aligning costs the square
LEARNED_FROM = 5_000  # texts compared
USUAL_WORDS, HELD = 0.92, 5.0  # share of words that people get right, and for how many texts that counts


class RoverStrategy(Consensus):
    name = "rover"

    def together(
        self, model: ConsensusModel, labels: Sequence[Label], workers: Sequence[UUID], ontology: Ontology
    ) -> Said:
        """Line by line, so that line breaks stay; texts of different numbers of lines, very long ones and those without
        a word are not mixed: the most central is taken."""
        texts = [cast(TextLabel, label).text for label in labels]
        says = model.says(workers)
        split = [text.split("\n") for text in texts]
        if len({len(lines) for lines in split}) > 1 or not all(_can_be_mixed(text) for text in texts):
            return Said(merge(labels, says, ontology))
        lines = [words.consensus(one, says) for one in zip(*split, strict=True)]
        mixed = "\n".join(line.text for line, _ in lines)
        sure = self._every_word(model, workers, [slot for _, slots in lines for slot in slots])
        # as somebody wrote it, where somebody wrote it: spaces are theirs
        as_written = next((text for text in texts if normal(text) == normal(mixed)), mixed)
        return Said(TextLabel(as_written), sure)

    @staticmethod
    def _every_word(model: ConsensusModel, workers: Sequence[UUID], slots: Sequence[Sequence[int]]) -> float:
        """P(no word is wrong). slots: of each place for a word, what was chosen and what each text has there."""
        if not model.more or len(workers) < 2:
            return 0.0  # nobody's words are known, or there is nothing to compare them with
        known = msgspec.msgpack.decode(model.more, type=dict[UUID, float])
        skill = np.array([known.get(worker, USUAL_WORDS) for worker in workers])
        total = 0.0
        for slot in slots:
            chosen, said = slot[0], slot[1:]
            groups = [[n for n, one in enumerate(said) if one == value] for value in dict.fromkeys((chosen, *said))]
            if not groups[0]:
                return 0.0
            total += float(np.log(chances(groups, skill, model.rho)[0]))
        return float(np.exp(total))

    def learn(self, model: ConsensusModel, ontology: Ontology, evidence: Evidence) -> ConsensusModel:
        errors: dict[UUID, float] = {}
        made: dict[UUID, int] = {}
        for row in [*evidence.truths, *evidence.settled][:LEARNED_FROM]:
            said = words.keys_of(cast(TextLabel, decode_label(row.label)).text)
            truth = words.keys_of(cast(TextLabel, decode_label(row.truth)).text)
            if len(said) > LONGEST_WORDS or len(truth) > LONGEST_WORDS:
                continue
            rate = words.word_errors(said, truth) / max(len(said), len(truth), 1)
            errors[row.worker] = errors.get(row.worker, 0.0) + min(rate, 1.0)
            made[row.worker] = made.get(row.worker, 0) + 1
        right = {
            who: float(np.clip(1.0 - (errors[who] + (1.0 - USUAL_WORDS) * HELD) / (made[who] + HELD), 0.05, 0.995))
            for who in made
        }
        return replace(model, say=words.weights_of(errors, made), more=msgspec.msgpack.encode(right))


def _can_be_mixed(text: str) -> bool:
    return 0 < len(words.keys_of(text)) <= LONGEST_WORDS
