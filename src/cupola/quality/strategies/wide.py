"""wide: single choices among many classes, by a few numbers a person (see `inference.sparse_coin`).

A table of what each person says of each truth cannot be learned from twenty classes on, nor paid for at thousands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.kernel.lazy import Lazy
from cupola.labels import Ontology, label_of
from cupola.quality.inference.base import Crowd
from cupola.quality.inference.coin_model import CoinModel, cold_model
from cupola.quality.inference.sparse_coin import sparse_coin
from cupola.quality.online import FLOOR, Decision, Plan
from cupola.quality.pool import Pool, pool_from_skill
from cupola.quality.strategies.base import (
    Account,
    Aims,
    Evidence,
    Heard,
    Part,
    People,
    Ruling,
    Strategy,
    Vote,
    by_task,
    unsure,
)
from cupola.quality.strategies.coded import Columns
from cupola.quality.strategies.confidence import (
    FORECAST_CLASSES,
    LEAST_LOOKS,
    MOST_SURE,
    Reliability,
    fitted_line,
    logit,
    reliability,
    settling_threshold,
)

special = Lazy("scipy.special")

GIVE_UP_FROM, GIVE_UP_PER_WORKER = 600, 10  # judgements a fit must rest on before it gives a task up
GIVE_UP_ODDS = 4.0  # by how much it must fall short: calibration is known to about that


@dataclass(frozen=True, slots=True)
class WideModel:
    """coin: what was learned of the crowd; workers: their numbers in it. offset, slope: of the confidence, logit scale,
    by golds that the fit was not told."""

    version: int
    method: str
    judgements: int
    threshold: float
    coin: CoinModel
    workers: dict[UUID, int]
    offset: float = 0.0
    slope: float = 1.0
    reliability: Reliability = ()
    rho: float = 0.0  # how far errors repeat is part of the coin

    def numbers(self, workers: Sequence[UUID]) -> NDArray[np.int64]:
        """(n,) as the coin knows them, -1 for somebody it has not seen."""
        return np.array([self.workers.get(worker, -1) for worker in workers], dtype=np.int64)

    def worth(self, confidence: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) what the coin's confidence is worth by this project's golds."""
        return np.asarray(
            np.minimum(special.expit(self.offset + self.slope * logit(confidence)), MOST_SURE), dtype=np.float64
        )

    def accuracies(self, workers: Sequence[UUID]) -> NDArray[np.float64]:
        """(n,) how often each is taken to be right; somebody unknown is like the usual newcomer."""
        skill = np.append(self.coin.skill, self.coin.newcomer)
        return np.asarray(replace(self.coin, skill=skill[self.numbers(workers)]).accuracy, dtype=np.float64)


class _Frozen(msgspec.Struct):
    version: int
    method: str
    judgements: int
    threshold: float
    coin: bytes
    workers: list[UUID]
    offset: float
    slope: float
    reliability: Reliability


class WideStrategy(Strategy[WideModel]):
    name = "wide"
    reads = frozenset({"codes"})
    reads_labels = False

    def cold(self, ontology: Ontology, threshold: float) -> WideModel:
        return WideModel(0, "cold-start", 0, threshold, cold_model(len(ontology.classes)), {})

    def fit(self, before: WideModel, ontology: Ontology, evidence: Evidence, aims: Aims) -> tuple[WideModel, People]:
        columns = Columns(evidence)
        crowd = Crowd.from_codes(
            columns.task,
            columns.worker,
            columns.code,
            n_tasks=len(columns.truth),
            n_workers=len(columns.workers),
            n_classes=len(ontology.classes),
            gold=columns.truth,
            duplicates="last",
        )
        found = sparse_coin(crowd)
        model = WideModel(
            before.version + 1, found.method, len(columns.code), aims.threshold, found.model, columns.workers
        )
        known = np.flatnonzero((columns.gold >= 0) & (crowd.votes > 0))
        if len(known) >= LEAST_LOOKS:
            blind = sparse_coin(crowd.with_gold(None))
            z, right = logit(blind.posterior[known]), blind.label[known] == columns.gold[known]
            offset, slope = fitted_line(z, right)
            model = replace(model, offset=offset, slope=slope, reliability=reliability(z, right))
        unknown = (columns.truth < 0) & (crowd.votes > 0)
        threshold = settling_threshold(model.worth(found.posterior[unknown]), aims)
        return replace(model, threshold=threshold), columns.people(found.accuracy, [[] for _ in columns.workers])

    def decide(
        self, model: WideModel, ontology: Ontology, tasks: Sequence[UUID], votes: Sequence[Vote], plan: Plan
    ) -> list[Ruling]:
        number = {task: n for n, task in enumerate(tasks)}
        coded = [vote for vote in votes if vote.code is not None]
        task = np.array([number[vote.task] for vote in coded], dtype=np.int64)
        code = np.array([vote.code for vote in coded], dtype=np.int64)
        who = model.numbers([vote.worker for vote in coded])
        found = model.coin.leading(task, len(tasks), who, code)
        count = np.bincount(task, minlength=len(tasks))
        sure = np.where(count > 0, model.worth(found.confidence), found.confidence)
        hopeful = self._hopeful(model, task, who, code, found.label, count, plan)
        mine = by_task(votes)
        out: list[Ruling] = []
        for n, one in enumerate(tasks):
            p, label, said = float(sure[n]), int(found.label[n]), int(count[n])
            ids = [vote.id for vote in mine.get(one, ())]
            if said == 0:
                out.append(Ruling(one, unsure(0, plan), p, None, None, ids))
                continue
            verdict: Decision = unsure(said, plan) if hopeful[n] else "escalate"
            if said >= plan.min_votes and p >= plan.threshold:
                verdict = "settle"
            out.append(Ruling(one, verdict, p, label_of(label, ontology), label, ids, [Part("choice", p)]))
        return out

    @staticmethod
    def _hopeful(
        model: WideModel,
        task: NDArray[np.int64],
        who: NDArray[np.int64],
        code: NDArray[np.int64],
        leader: NDArray[np.int64],
        count: NDArray[np.int64],
        plan: Plan,
    ) -> NDArray[np.bool_]:
        """(n_tasks,) whether a task could settle if all the votes it may yet get were a good worker's for its leader.

        A young model gives no task up: it does not know its crowd yet.
        """
        if model.judgements < max(GIVE_UP_FROM, GIVE_UP_PER_WORKER * len(model.workers)):
            return np.ones(len(count), dtype=np.bool_)
        to_come = np.where(leader >= 0, np.maximum(plan.max_votes - count, 0), 0)
        more = np.repeat(np.arange(len(count)), to_come)
        good = int(np.argsort(model.coin.skill)[(3 * len(model.coin.skill)) // 4])
        best = model.coin.leading(
            np.concatenate([task, more]),
            len(count),
            np.concatenate([who, np.full(len(more), good)]),
            np.concatenate([code, leader[more]]),
        )
        sure = model.worth(best.confidence)
        short = plan.threshold * (1.0 - sure) > GIVE_UP_ODDS * sure * (1.0 - plan.threshold)
        return np.asarray(~short | (count == 0), dtype=np.bool_)

    def fits(self, model: WideModel, ontology: Ontology) -> bool:
        return model.coin.n_classes == len(ontology.classes)

    def value(self, model: WideModel, ruling: Ruling, workers: Sequence[UUID]) -> NDArray[np.float64]:
        """Who knows more tells more, whatever the task."""
        return model.accuracies(workers)

    def account(self, model: WideModel, ontology: Ontology, votes: Sequence[Vote], plan: Plan) -> Account:
        coded = [vote for vote in votes if vote.code is not None]
        if not coded:
            return Account([], {}, None)
        code = np.array([vote.code for vote in coded], dtype=np.int64)
        workers = [vote.worker for vote in coded]
        found = model.coin.leading(np.zeros(len(code), np.int64), 1, model.numbers(workers), code)
        sure = float(model.worth(found.confidence)[0])
        accuracy = np.clip(model.accuracies(workers), FLOOR, 1.0 - FLOOR)
        weight = np.log(accuracy / (1.0 - accuracy))
        names = [spec.name for spec in ontology.classes]
        heard = [
            Heard(who, names[int(k)], float(weight[n] if k == found.label[0] else -weight[n]))
            for n, (who, k) in enumerate(zip(workers, code, strict=True))
        ]
        rest = 1.0 - float(found.confidence[0])
        other = max(1.0 - sure, 0.0) / rest if rest > 0 else 0.0
        shares = {names[int(k)]: float(share) * other for k, share in zip(found.labels, found.shares, strict=True)}
        return Account(heard, {**shares, names[int(found.label[0])]: sure}, sure)

    def pool(self, model: WideModel, ontology: Ontology) -> Pool:
        accuracy = float(np.mean(model.accuracies(list(model.workers) or [UUID(int=0)])))
        found = pool_from_skill(FORECAST_CLASSES, float(np.clip(accuracy, 0.05, 0.98)))
        basis = f"{model.judgements:,} judgements of this project" if model.judgements else "an assumed crowd"
        return replace(found, basis=basis)

    def freeze(self, model: WideModel) -> bytes:
        by_number = sorted(model.workers, key=model.workers.__getitem__)
        return msgspec.msgpack.encode(
            _Frozen(
                model.version, model.method, model.judgements, model.threshold, model.coin.freeze(), by_number,
                model.offset, model.slope, model.reliability,
            )
        )  # fmt: skip

    def thaw(self, state: bytes) -> WideModel:
        kept = msgspec.msgpack.decode(state, type=_Frozen)
        return WideModel(
            kept.version, kept.method, kept.judgements, kept.threshold, CoinModel.thaw(kept.coin),
            {worker: n for n, worker in enumerate(kept.workers)}, kept.offset, kept.slope, kept.reliability,
        )  # fmt: skip
