"""wide: single choices among many classes, by a few numbers a person (see `inference.sparse_coin`).

A table of what each person says of each truth cannot be learned from twenty classes on, nor paid for at thousands.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.labels import Ontology
from cupola.quality.inference.base import Crowd
from cupola.quality.inference.coin_model import CoinModel, cold_model
from cupola.quality.inference.sparse_coin import sparse_coin
from cupola.quality.online import FLOOR, Plan
from cupola.quality.pool import Pool
from cupola.quality.strategies.coded import Columns
from cupola.quality.strategies.confidence import pool_of
from cupola.quality.strategies.crowd import CrowdModel, CrowdStrategy, Leads, Learned, Told, Votes

GIVE_UP_FROM, GIVE_UP_PER_WORKER = 600, 10  # judgements a fit must rest on before it gives a task up
GIVE_UP_ODDS = 4.0  # by how much it must fall short: calibration is known to about that


class _Coin(msgspec.Struct):
    coin: bytes


class WideStrategy(CrowdStrategy[CoinModel]):
    name = "wide"

    def usual(self, ontology: Ontology) -> CoinModel:
        return cold_model(len(ontology.classes))

    def learn(self, columns: Columns, ontology: Ontology, truth: NDArray[np.int16] | None) -> Learned[CoinModel]:
        crowd = Crowd.from_codes(
            columns.task,
            columns.worker,
            columns.code,
            n_tasks=len(columns.truth),
            n_workers=len(columns.workers),
            n_classes=len(ontology.classes),
            gold=truth,
            duplicates="last",
        )
        found = sparse_coin(crowd)
        return Learned(found.model, found.method, Leads(found.label.astype(np.int64), found.posterior), found.accuracy)

    def leads(self, crowd: CoinModel, votes: Votes) -> Leads:
        found = crowd.leading(votes.task, votes.n_tasks, votes.who, votes.code)
        return Leads(found.label, found.confidence)

    def told(self, crowd: CoinModel, votes: Votes) -> Told:
        found = crowd.leading(votes.task, 1, votes.who, votes.code)
        accuracy = np.clip(self.worths(crowd, votes.who), FLOOR, 1.0 - FLOOR)
        weight = np.log(accuracy / (1.0 - accuracy))
        label = int(found.label[0])
        shares = list(zip(found.labels.tolist(), found.shares.tolist(), strict=True))
        return Told(label, float(found.confidence[0]), shares, np.where(votes.code == label, weight, -weight))

    def worths(self, crowd: CoinModel, who: NDArray[np.int64]) -> NDArray[np.float64]:
        """How often each is taken to be right: who knows more tells more. Somebody unknown is like the usual
        newcomer."""
        skill = np.append(crowd.skill, crowd.newcomer)
        return np.asarray(replace(crowd, skill=skill[who]).accuracy, dtype=np.float64)

    def hopeful(self, model: CrowdModel[CoinModel], votes: Votes, leads: Leads, plan: Plan) -> NDArray[np.bool_]:
        """Whether a task could settle if all the votes it may yet get were a good worker's for its leader. A young
        model gives no task up: it does not know its crowd yet."""
        count = votes.count
        if model.judgements < max(GIVE_UP_FROM, GIVE_UP_PER_WORKER * len(model.workers)):
            return np.ones(len(count), dtype=np.bool_)
        to_come = np.where(leads.label >= 0, np.maximum(plan.max_votes - count, 0), 0)
        more = np.repeat(np.arange(len(count)), to_come)
        skill = model.crowd.skill
        good = int(np.argsort(skill)[(3 * len(skill)) // 4])
        best = model.crowd.leading(
            np.concatenate([votes.task, more]),
            len(count),
            np.concatenate([votes.who, np.full(len(more), good)]),
            np.concatenate([votes.code, leads.label[more]]),
        )
        sure = model.line.worth(best.confidence)
        short = plan.threshold * (1.0 - sure) > GIVE_UP_ODDS * sure * (1.0 - plan.threshold)
        return np.asarray(~short | (count == 0), dtype=np.bool_)

    def is_of(self, crowd: CoinModel, ontology: Ontology) -> bool:
        return crowd.n_classes == len(ontology.classes)

    def pool(self, model: CrowdModel[CoinModel], ontology: Ontology) -> Pool:
        everybody = np.arange(len(model.workers)) if model.workers else np.array([-1])
        return pool_of(float(np.mean(self.worths(model.crowd, everybody))), model.judgements)

    def keep(self, crowd: CoinModel) -> msgspec.Struct:
        return _Coin(crowd.freeze())

    def kept(self, state: bytes) -> CoinModel:
        return CoinModel.thaw(msgspec.msgpack.decode(state, type=_Coin).coin)
