"""From a table of judgements to labels with an honest confidence, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy
from cupola.quality.calibrate import DEFAULT_RHO, calibrated, fit_rho
from cupola.quality.choose import Score, choose
from cupola.quality.classifier import join
from cupola.quality.inference.base import MAX_TABLE_BYTES, Crowd, Duplicates, Fit, evidence_of
from cupola.quality.inference.codes import Codes
from cupola.quality.inference.methods import DEFAULT_METHOD, method_named
from cupola.quality.inference.sparse_coin import WIDE_CLASSES, sparse_coin
from cupola.quality.kinds import Merged, OtherKind, looks_like, merge
from cupola.quality.progress import Told, silent
from cupola.quality.standing import placed

optimize = Lazy("scipy.optimize")
if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = Lazy("pyarrow")
special = Lazy("scipy.special")

SAID_AS: dict[OtherKind, str] = {
    "text": "transcripts",
    "box": "boxes",
    "mask": "masks",
    "pairs": "comparisons",
    "multilabel": "sets of classes",
    "rating": "ratings",
}
Loss = Literal["zero_one", "absolute", "squared"]

# Where nobody can be compared with anybody, a fit believes each vote as much as it believes itself: all the way.
LEAST_COMPARED = 20  # judgements on tasks that have another one, or gold
UNCOMPARED = 0.8
RECALIBRATE_FROM = 20  # golds that were judged
RECALIBRATION_SPREAD = (1.0, 0.3)  # of offset and log slope on the logit scale, from one crowd to the next


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Labels of a crowd.

    label: (n_tasks,) codes, -1 for a task nobody judged; confidence: (n_tasks,) calibrated probability that the
    label is right (with an ordinal loss: the posterior of the label chosen). posterior: (n_tasks, K) calibrated,
    None for the sparse method. rho: strength of the calibration, 0 for the sparse method, which has its own.
    scores: the contest of methods, when there was one. accuracy: (n_workers,) of the sparse method.
    """

    crowd: Crowd
    codes: Codes
    label: NDArray[np.int16]
    confidence: NDArray[np.float64]
    posterior: NDArray[np.float64] | None
    fit: Fit | None
    method: str
    rho: float
    scores: tuple[Score, ...]
    why: str
    accuracy: NDArray[np.float64] | None = None

    def to_arrow(self) -> pa.Table:
        """task, label, confidence, judgements: one row a task, in the order of the task codes."""
        labels = [None if code < 0 else self.codes.labels[code] for code in self.label]
        return pa.table(
            {
                "task": list(self.codes.tasks),
                "label": labels,
                "confidence": self.confidence,
                "judgements": self.crowd.votes,
            }
        )

    def workers(self) -> pa.Table:
        """worker, judgements, skill_estimate: what the fit believes of each. Optimistic: for guidance only."""
        if self.accuracy is not None:
            skill = self.accuracy
        elif self.fit is not None:
            skill = self.fit.skill[: self.crowd.n_workers]
        else:
            skill = np.full(self.crowd.n_workers, np.nan)
        made = np.bincount(self.crowd.worker, minlength=self.crowd.n_workers)
        return pa.table({"worker": list(self.codes.workers), "judgements": made, "skill_estimate": skill})


def best_label(posterior: NDArray[np.float64], loss: Loss = "zero_one") -> NDArray[np.int16]:
    """(n,) the class of least expected loss; posterior (n, K).

    zero_one: the likeliest. absolute, squared: classes are ordered by their code, and a label two steps off costs
    twice, or four times, what one step off costs.
    """
    if loss == "zero_one":
        return np.asarray(posterior.argmax(axis=1), dtype=np.int16)
    steps = np.abs(np.subtract.outer(np.arange(posterior.shape[1]), np.arange(posterior.shape[1]))).astype(float)
    cost = posterior @ (steps if loss == "absolute" else steps**2)
    return np.asarray(cost.argmin(axis=1), dtype=np.int16)


@overload
def aggregate(
    judgements: Any,
    *,
    kind: OtherKind,
    task: str | None = ...,
    worker: str | None = ...,
    label: str | None = ...,
) -> Merged: ...


@overload
def aggregate(
    judgements: Any,
    *,
    kind: Literal["choice"] = ...,
    method: str = ...,
    gold: Any | None = ...,
    classes: Sequence[Any] | None = ...,
    task: str | None = ...,
    worker: str | None = ...,
    label: str | None = ...,
    rho: float | None = ...,
    classifier: ArrayLike | None = ...,
    loss: Loss = ...,
    duplicates: Duplicates = ...,
    seed: int = ...,
    told: Told = ...,
) -> Aggregate: ...


def aggregate(
    judgements: Any,
    *,
    kind: OtherKind | Literal["choice"] = "choice",
    method: str = "auto",
    gold: Any | None = None,
    classes: Sequence[Any] | None = None,
    task: str | None = None,
    worker: str | None = None,
    label: str | None = None,
    rho: float | None = None,
    classifier: ArrayLike | None = None,
    loss: Loss = "zero_one",
    duplicates: Duplicates = "refuse",
    seed: int = 0,
    told: Told = silent,
) -> Aggregate | Merged:
    """One label and one calibrated confidence for each task.

    judgements: a pandas, polars or Arrow table, or a dict of columns, one row a judgement; or a (Crowd, Codes) pair.
    kind: what a label is. For all but "choice" see `kinds.merge`: the answer is a Merged, and the options below but for
      the columns' names have no meaning. Labels that look like another kind are told of in `codes.notes`.
    method: "auto" takes the best by cross-validated log-loss when there are at least 50 golds, else blend (and
      sparse_coin from WIDE_CLASSES on, where confusion matrices cannot be learned); or a name of
      `inference.methods.METHODS`.
    gold: a table with task and label, or a dict. It clamps its tasks, chooses the method and fits rho, each time
      with fits that had not seen it. rho: overrides the calibration.
    classes: every class in order; needed when some may never have been said, and for an ordinal loss.
    classifier: (n_tasks, K) out-of-fold probabilities in the order of the sorted tasks and of the classes; NaN rows
      for tasks without. Probabilities of a model trained on the tasks themselves will be believed too much.
    told: hears how far the work is.
    Where hardly any task has a second vote or gold, nothing is known of anyone, and no confidence is above 80 %.
    Raises Problem for bad input, naming rows.
    """
    if kind != "choice":
        if gold is not None or classes is not None or classifier is not None or method != "auto":
            raise invalid("option-unused", f"gold, classes, classifier and method are for choices, not for {kind}.")
        return merge(judgements, kind, task=task, worker=worker, label=label)
    if isinstance(judgements, tuple) and len(judgements) == 2 and isinstance(judgements[0], Crowd):
        crowd, codes = judgements
    else:
        crowd, codes = Crowd.from_frame(
            judgements, task=task, worker=worker, label=label, classes=classes, gold=gold, duplicates=duplicates
        )
        if (other := looks_like(np.asarray(codes.labels, dtype=object)[crowd.label].tolist(), codes.tasks)) is not None:
            note = f"These labels look like {SAID_AS[other]}, and were taken as classes: kind={other!r} merges them."
            codes = replace(codes, notes=(*codes.notes, note))
    wide = crowd.n_classes >= WIDE_CLASSES or crowd.n_workers * crowd.n_classes**2 * 8 > MAX_TABLE_BYTES
    if method == "sparse_coin" or (method == "auto" and wide and classifier is None):
        return _sparse(crowd, codes, rho)
    scores: tuple[Score, ...] = ()
    if method == "auto":
        choice = choose(crowd, crowd.gold, seed=seed, told=told)
        name, blind, scores, why = choice.method, choice.fit, choice.scores, choice.why
        fitted_rho = choice.rho
    else:
        name, why = method, "as asked"
        if wide:
            why += (
                f"; {crowd.n_classes} classes are more than it can learn: its confidence is worth little, auto's more"
            )
        blind = method_named(method)(crowd.with_gold(None))
        fitted_rho = DEFAULT_RHO if crowd.gold is None else fit_rho(blind, crowd, crowd.gold)
    heard = crowd
    if classifier is not None:
        probabilities = np.asarray(classifier, dtype=np.float64)
        blind, heard = join(crowd.with_gold(None), probabilities, method=method_named(name))
        if crowd.gold is not None:
            fitted_rho = fit_rho(blind, heard, crowd.gold)
        heard = heard.with_gold(crowd.gold)
        why += "; with a classifier as one more worker"
    used_rho = fitted_rho if rho is None else rho
    fit = blind if crowd.gold is None else method_named(name)(heard)
    if fit.method != name and name == DEFAULT_METHOD:
        why += f"; {name} walked away from the votes, so {fit.method} with the votes' own class shares"
    posterior = calibrated(fit, heard, used_rho)
    if compared(heard) < LEAST_COMPARED and crowd.n_classes > 1:
        open_to_doubt = np.ones(crowd.n_tasks, np.bool_) if crowd.gold is None else crowd.gold < 0
        held = placed(posterior, np.minimum(posterior.max(axis=1), UNCOMPARED))
        posterior = np.where(open_to_doubt[:, None], held, posterior)
        why += f"; hardly a task has a second vote or gold, so no confidence is above {UNCOMPARED:.0%}"
    if crowd.n_classes == 1:
        why += "; only one class was ever said, so no confidence can be told: pass every class there is"
    chosen = best_label(posterior, loss)
    confidence = posterior[np.arange(crowd.n_tasks), chosen]
    unknown = heard.votes == 0
    if crowd.gold is not None:
        unknown &= crowd.gold < 0
    chosen[unknown] = -1
    return Aggregate(crowd, codes, chosen, confidence, posterior, fit, fit.method, used_rho, scores, why)


def compared(crowd: Crowd) -> int:
    """How many judgements stand beside another one of the same task, or beside its gold."""
    beside = crowd.votes >= 2
    if crowd.gold is not None:
        beside |= crowd.gold >= 0
    return int(crowd.votes[beside].sum())


def _sparse(crowd: Crowd, codes: Codes, rho: float | None) -> Aggregate:
    """With many classes: the model that needs no rho, because how far errors repeat is part of it."""
    if rho is not None and not 0.0 <= rho < np.inf:
        raise invalid("rho-range", f"rho is {rho}; it is at least 0.")
    why = f"{crowd.n_classes} classes: too many to learn a confusion matrix each"
    fit = sparse_coin(crowd)
    confidence = fit.posterior.copy()
    if crowd.gold is not None:
        known = np.flatnonzero((crowd.gold >= 0) & (crowd.votes > 0))
        if len(known) >= RECALIBRATE_FROM:
            blind = sparse_coin(crowd.with_gold(None))
            offset, slope = _recalibration(blind.posterior[known], blind.label[known] == crowd.gold[known])
            open_to_doubt = crowd.gold < 0
            confidence[open_to_doubt] = special.expit(offset + slope * _logit(confidence[open_to_doubt]))
            why += f"; confidence put right by {len(known)} golds that the fit was not told"
    if compared(crowd) < LEAST_COMPARED:
        open_to_doubt = np.ones(crowd.n_tasks, np.bool_) if crowd.gold is None else crowd.gold < 0
        confidence[open_to_doubt] = np.minimum(confidence[open_to_doubt], UNCOMPARED)
        why += f"; hardly a task has a second vote or gold, so no confidence is above {UNCOMPARED:.0%}"
    return Aggregate(
        crowd, codes, fit.label, confidence, None, None, "sparse_coin", 0.0, (), why, accuracy=fit.accuracy
    )


def _recalibration(claimed: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[float, float]:
    """Offset and slope on the logit scale that golds make likeliest, held to 0 and 1."""
    z, answer = _logit(claimed), right.astype(np.float64)

    def loss(x: NDArray[np.float64]) -> float:
        said = x[0] + np.exp(x[1]) * z
        held = 0.5 * ((x / np.array(RECALIBRATION_SPREAD)) ** 2).sum()
        return float((np.logaddexp(0.0, said) - answer * said).sum() + held)

    found = optimize.minimize(loss, np.zeros(2), method="BFGS").x
    return float(found[0]), float(np.exp(found[1]))


def _logit(share: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.clip(share, 1e-6, 1.0 - 1e-6)
    return np.asarray(np.log(inside / (1.0 - inside)), dtype=np.float64)


def doubtful(result: Aggregate, count: int) -> NDArray[np.int64]:
    """(count,) task codes, the least sure first: where an expert's answer buys most."""
    judged = np.flatnonzero(result.label >= 0)
    order = np.argsort(result.confidence[judged], kind="stable")
    return judged[order][:count]


def margin(fit: Fit, crowd: Crowd) -> NDArray[np.float64]:
    """(n_tasks,) nats between the best and the second class before calibration."""
    logits = np.log(np.maximum(fit.prior, 1e-300)) + evidence_of(fit, crowd)
    if logits.shape[1] < 2:
        return np.full(len(logits), np.inf)
    top = np.partition(logits, -2, axis=1)
    return np.asarray(top[:, -1] - top[:, -2], dtype=np.float64)
