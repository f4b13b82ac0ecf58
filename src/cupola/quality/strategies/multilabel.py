"""multilabel: of several classes that may be chosen, each is a question of its own (see `inference.multilabel`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.labels import ChoiceLabel, Label, Ontology, decode_label
from cupola.quality.calibrate import temper
from cupola.quality.inference.multilabel import multilabel
from cupola.quality.strategies.base import Evidence, Part, numbered
from cupola.quality.strategies.consensus import Consensus, ConsensusModel, Said

CELLS = 2_000_000  # answers x classes that a fit looks at, the newest
BY_CLASS = 200  # classes that get tables of their own; beyond, all share one
FLOOR = 1e-6
USUAL = np.array([[0.97, 0.03], [0.2, 0.8]])  # P(said | applies not, applies) of somebody nobody knows


class _Tables(msgspec.Struct):
    """workers, and prior (K or 1, 2), table (K or 1, W, 2, 2): P(said | truth) of each class, in single precision."""

    workers: list[UUID]
    classes: int
    prior: bytes
    table: bytes


class MultilabelStrategy(Consensus):
    name = "multilabel"
    reads = frozenset({"truths", "labels"})

    def together(
        self, model: ConsensusModel, labels: Sequence[Label], workers: Sequence[UUID], ontology: Ontology
    ) -> Said:
        sure = self.by_class(model, labels, workers, ontology)
        names = [spec.name for spec in ontology.classes]
        chosen = _chosen(sure, ontology)
        said = [cast(ChoiceLabel, label).values for label in labels]
        parts = [
            Part(name, float(p), tuple(n for n, values in enumerate(said) if name in values))
            for name, p, one in zip(names, sure, chosen, strict=True)
            if one
        ]
        return Said(ChoiceLabel([part.unit for part in parts]), float(np.where(chosen, sure, 1.0 - sure).prod()), parts)

    def fits(self, model: ConsensusModel, ontology: Ontology) -> bool:
        if not model.more:
            return True
        return msgspec.msgpack.decode(model.more, type=_Tables).classes == len(ontology.classes)

    def by_class(
        self, model: ConsensusModel, labels: Sequence[Label], workers: Sequence[UUID], ontology: Ontology
    ) -> NDArray[np.float64]:
        """(K,) probability that each class applies."""
        given = _given([cast(ChoiceLabel, label).values for label in labels], ontology)
        prior, tables = _tables(model, workers, len(ontology.classes))  # (K or 1, 2), (K or 1, n, 2 truth, 2 said)
        logs = np.log(np.maximum(tables, FLOOR))
        evidence = np.zeros((len(ontology.classes), 2))
        for n in range(len(labels)):
            of_class = np.broadcast_to(logs[:, n], (len(ontology.classes), 2, 2))
            evidence += of_class[np.arange(len(ontology.classes)), :, given[n]]
        votes = np.full(len(evidence), len(labels))
        # each class has a prior of its own, so it is part of the evidence here
        return temper(evidence + np.log(np.maximum(prior, FLOOR)), votes, np.full(2, 1.0), model.rho)[:, 1]

    def learn(self, model: ConsensusModel, ontology: Ontology, evidence: Evidence) -> ConsensusModel:
        classes = len(ontology.classes)
        rows = evidence.labels[-max(CELLS // classes, 1) :]
        if not rows:
            return model
        tasks, workers = numbered([row.task for row in rows]), numbered([row.worker for row in rows])
        truth = {row.task: row.truth for row in evidence.truths if row.task in tasks}
        gold = np.full((len(tasks), classes), -1, np.int16)
        for task, label in truth.items():
            gold[tasks[task]] = _given([cast(ChoiceLabel, decode_label(label)).values], ontology)[0]
        index = ontology.class_index
        found = multilabel(
            [tasks[row.task] for row in rows],
            [workers[row.worker] for row in rows],
            [[index[value] for value in cast(ChoiceLabel, decode_label(row.label)).values] for row in rows],
            classes,
            rho=model.rho,
            gold=gold,
            by_class=classes <= BY_CLASS,
        )
        kept = _Tables(list(workers), classes, found.prior.astype("<f4").tobytes(), found.table.astype("<f4").tobytes())
        return replace(model, more=msgspec.msgpack.encode(kept))


def _chosen(sure: NDArray[np.float64], ontology: Ontology) -> NDArray[np.bool_]:
    """Which classes are chosen: the more likely than not, as few and as many as the ontology asks for."""
    ranked = np.argsort(-sure, kind="stable")
    likely = int((sure > 0.5).sum())
    most = len(sure) if ontology.at_most is None else ontology.at_most
    out = np.zeros(len(sure), np.bool_)
    out[ranked[: min(max(likely, ontology.at_least), most)]] = True
    return out


def _given(values: Sequence[Sequence[str]], ontology: Ontology) -> NDArray[np.int64]:
    """(n, K) 1 where a class was chosen."""
    out = np.zeros((len(values), len(ontology.classes)), np.int64)
    for row, chosen in enumerate(values):
        out[row, [ontology.class_index[value] for value in chosen]] = 1
    return out


def _tables(
    model: ConsensusModel, workers: Sequence[UUID], classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(K or 1, 2) priors, and (K or 1, n, 2, 2) tables of these workers; who is unknown is like the usual person."""
    if not model.more:
        return np.full((1, 2), 0.5), np.broadcast_to(USUAL, (1, len(workers), 2, 2))
    kept = msgspec.msgpack.decode(model.more, type=_Tables)
    prior = np.frombuffer(kept.prior, "<f4").astype(np.float64).reshape(-1, 2)
    table = np.frombuffer(kept.table, "<f4").astype(np.float64).reshape(len(prior), len(kept.workers), 2, 2)
    number = {worker: n for n, worker in enumerate(kept.workers)}
    table = np.concatenate([table, table.mean(axis=1, keepdims=True)], axis=1)
    return prior, table[:, [number.get(worker, len(kept.workers)) for worker in workers]]
