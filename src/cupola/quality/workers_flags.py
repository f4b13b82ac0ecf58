"""Signals about workers, each with its evidence, for a human to look at. Never a sanction, never pay.

Skill from EM alone is optimistic and may even be anti-correlated with the truth; intervals here come from golds and
from peers, and a flag says what was seen, not what it means.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.lazy import Lazy
from cupola.quality.calibrate import DEFAULT_RHO, calibrated
from cupola.quality.collusion import Z_PAIR, collusion
from cupola.quality.flag import Flag
from cupola.quality.inference.base import Crowd, Fit

special = Lazy("scipy.special")

LEAST_JUDGEMENTS = 20
FOLLOWS_LIMIT, SPAMMER_Z = 0.3, 1.3  # of the crowd's middle, and the errors by which somebody must lie below it
INVERTED_LIMIT, INVERTED_Z = -0.2, 2.0
MOST_ERROR = 0.35  # of the crowd's middle: beyond it, whether answers follow the item cannot be told
DRIFT_LIMIT = 4.5  # standard errors: the best of some hundred cuts is compared with it
MOST_KINDS = 8  # votes of a task, beyond which more change little
DRIFT_DROP = 0.08  # a smaller fall is not worth anyone's time


@dataclass(frozen=True, slots=True)
class Skill:
    """Share right on golds with an exact interval shrunk to the pool: value in [low, high] at 95 %."""

    value: float
    low: float
    high: float
    golds: int


def gold_skill(
    crowd: Crowd, gold: NDArray[np.int16], *, strength: float = 8.0, confidence: float = 0.95
) -> list[Skill]:
    """Each worker's skill from golds, shrunk to the pool's by `strength` golds (a Beta posterior).

    gold: (n_tasks,) int16, -1 where none. With no gold seen the interval is the pool's spread.
    """
    truth = gold[crowd.task]
    seen = truth >= 0
    right = np.bincount(crowd.worker[seen & (crowd.label == truth)], minlength=crowd.n_workers)
    made = np.bincount(crowd.worker[seen], minlength=crowd.n_workers)
    pool = (right.sum() + 1.0) / (made.sum() + 2.0)
    a = right + strength * pool
    b = made - right + strength * (1.0 - pool)
    tail = (1.0 - confidence) / 2.0
    low, high = special.betaincinv(a, b, tail), special.betaincinv(a, b, 1.0 - tail)
    return [
        Skill(float(a[w] / (a[w] + b[w])), float(low[w]), float(high[w]), int(made[w])) for w in range(crowd.n_workers)
    ]


def spread(fit: Fit) -> NDArray[np.float64]:
    """(W,) how much a worker's answer depends on the truth: 0 for a spammer, 1 for a perfect worker.

    The root mean squared distance of the rows of the confusion matrix from their mean, over its largest value.
    Source: Raykar & Yu, JMLR 13 (2012), the spammer score.
    """
    classes = fit.confusion.shape[1]
    if classes < 2:
        return np.ones(len(fit.confusion))
    centred = fit.confusion - fit.confusion.mean(axis=1, keepdims=True)
    return np.asarray(np.sqrt((centred**2).sum(axis=(1, 2)) / (classes - 1)), dtype=np.float64)


def spammers(fit: Fit, crowd: Crowd, rho: float = DEFAULT_RHO, *, limit: float = FOLLOWS_LIMIT) -> list[Flag]:
    """Workers whose answers hardly depend on what they are shown, and those who answer the opposite.

    What the others say of a task, without the worker's own vote, is the measure: how far do the answers follow it from
    task to task (see `following`), next to the crowd's middle? So somebody who met one class only is not suspected for
    always saying it, and where the others know too little to tell, nobody is: the error of the figure says so.
    """
    followed, error = following(fit, crowd, rho)
    made = np.bincount(crowd.worker, minlength=crowd.n_workers)
    flags = []
    for w in np.argsort(followed, kind="stable"):
        if made[w] < LEAST_JUDGEMENTS or not error[w] < MOST_ERROR:
            continue
        share, unit = float(followed[w]), "share of the crowd's middle by which answers follow the item"
        if share < INVERTED_LIMIT and share + INVERTED_Z * error[w] < 0.0:
            evidence = f"Over {made[w]} judgements the answers go against the golds and the other votes."
            flags.append(Flag(int(w), "inverted", share, unit, int(made[w]), evidence=evidence))
        elif share + SPAMMER_Z * error[w] < limit:
            evidence = (
                f"Over {made[w]} judgements the answers follow the item {max(share, 0.0):.0%} as much as is usual here "
                f"(give or take {error[w]:.0%})."
            )
            figures = {"follows": max(share, 0.0), "error": float(error[w])}
            flags.append(Flag(int(w), "spammer", share, unit, int(made[w]), evidence=evidence, figures=figures))
    return flags


def following(fit: Fit, crowd: Crowd, rho: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(W,) how far a worker's answers follow what golds and the other votes say, and its standard error.

    The covariance of answer and reference over the worker's own tasks, over the most it could be, next to the crowd's
    median: 1 is usual, 0 does not depend on the item, below 0 goes against it; an infinite error: nothing can be told.
    """
    reference = others_say(fit, crowd, rho)
    made = np.maximum(np.bincount(crowd.worker, minlength=crowd.n_workers), 1).astype(np.float64)
    mean = np.zeros((crowd.n_workers, crowd.n_classes))
    np.add.at(mean, crowd.worker, reference)
    mean /= made[:, None]
    apart = reference - mean[crowd.worker]
    own = apart[np.arange(len(crowd)), crowd.label]
    most = np.bincount(crowd.worker, weights=(reference * apart).sum(axis=1), minlength=crowd.n_workers)
    score = np.bincount(crowd.worker, weights=own, minlength=crowd.n_workers)
    squares = np.bincount(crowd.worker, weights=own**2, minlength=crowd.n_workers)
    # what answers that know nothing would scatter by, however evenly this person's happen to lie
    chance = np.bincount(crowd.worker, weights=(mean[crowd.worker] * apart**2).sum(axis=1), minlength=crowd.n_workers)
    told = most > 1e-6 * made
    slope = np.divide(score, most, out=np.zeros_like(score), where=told)
    heard = told & (made >= LEAST_JUDGEMENTS)
    if not heard.any():
        return np.ones(crowd.n_workers), np.full(crowd.n_workers, np.inf)
    usual = float(np.median(slope[heard]))
    if usual <= 0.0:
        return np.ones(crowd.n_workers), np.full(crowd.n_workers, np.inf)
    error = np.divide(np.sqrt(np.maximum(squares, chance)), most, out=np.full_like(most, np.inf), where=told) / usual
    return np.asarray(np.where(told, slope / usual, 1.0), dtype=np.float64), np.asarray(error, dtype=np.float64)


def copied_answers(
    fit: Fit, crowd: Crowd, model_label: NDArray[np.int16], rho: float, *, z: float = Z_PAIR
) -> list[Flag]:
    """Workers who follow one model's answers even where the crowd says that they are wrong.

    model_label: (n_tasks,) the answers of a model, -1 where unknown. Only tasks where the crowd's label differs
    from the model's count: there an honest worker errs the model's way as often as the pool does.
    """
    posterior = calibrated(fit, crowd, rho)
    crowd_label = posterior.argmax(axis=1)
    sure = posterior.max(axis=1) > 0.7
    tempting = (model_label >= 0) & (model_label != crowd_label) & sure
    rows = tempting[crowd.task]
    follows = crowd.label == model_label[crowd.task]
    pool = (follows[rows].sum() + 1.0) / (rows.sum() + 2.0)
    met = np.bincount(crowd.worker[rows], minlength=crowd.n_workers)
    followed = np.bincount(crowd.worker[rows & follows], minlength=crowd.n_workers)
    flags = []
    for w in range(crowd.n_workers):
        if met[w] < 10:
            continue
        # the pool without this worker: a copier must not hide behind their own answers
        rest = (follows[rows].sum() - followed[w] + 1.0) / (rows.sum() - met[w] + 2.0)
        score = (followed[w] - met[w] * rest) / np.sqrt(met[w] * rest * (1.0 - rest))
        if score > z and followed[w] / met[w] > 0.5:
            flags.append(
                Flag(
                    w,
                    "copied-answers",
                    float(score),
                    "standard deviations",
                    int(met[w]),
                    evidence=f"Follows the model on {followed[w]} of {met[w]} tasks where the crowd says it errs; "
                    f"the pool does on {pool:.0%}.",
                    figures={"followed": float(followed[w]), "met": float(met[w]), "pool": float(pool)},
                )
            )
    return sorted(flags, key=lambda flag: -flag.strength)


def drift(
    fit: Fit,
    crowd: Crowd,
    position: NDArray[np.int32] | NDArray[np.int64],
    rho: float,
    *,
    limit: float = DRIFT_LIMIT,
) -> list[Flag]:
    """Workers who became worse at some point: the largest drop of their mean over all ways to cut their work in two.

    position: (n,) when each row was made, any increasing number. The residual of a judgement is the calibrated
    probability that it is right, by golds and the other votes, less what is usual for a task of so many votes,
    known or not: a gold says 0 or 1 where two peers say 0.8, and newcomers meet more golds. The drop is in its standard
    errors; the limit allows for the number of cuts tried. Source: the CUSUM of Page, Biometrika 41 (1954), in its
    retrospective form.
    """
    seen = peer_residuals(fit, crowd, rho)
    kind = np.minimum(crowd.votes[crowd.task], MOST_KINDS)
    if crowd.gold is not None:  # what an expert settled is known as gold is, and of few votes, and hard
        kind = np.where(crowd.gold[crowd.task] >= 0, kind + MOST_KINDS + 1, kind)
    usual = np.bincount(kind, weights=seen, minlength=1) / np.maximum(np.bincount(kind, minlength=1), 1)
    residual = seen - usual[kind]
    flags = []
    order = np.lexsort((position, crowd.worker))
    bounds = np.searchsorted(crowd.worker[order], np.arange(crowd.n_workers + 1))
    for w in range(crowd.n_workers):
        rows = order[bounds[w] : bounds[w + 1]]
        own = residual[rows]
        if len(own) < 3 * LEAST_JUDGEMENTS:
            continue
        cut = np.arange(LEAST_JUDGEMENTS, len(own) - LEAST_JUDGEMENTS + 1)
        upto = np.cumsum(own)[cut - 1]
        before, after = upto / cut, (own.sum() - upto) / (len(own) - cut)
        error = max(float(own.std()), 0.1) * np.sqrt(1.0 / cut + 1.0 / (len(own) - cut))
        score = (before - after) / error
        best = int(score.argmax())
        first, last = seen[rows[: cut[best]]].mean(), seen[rows[cut[best] :]].mean()
        # the fall must be there to see as well, not only beside what is usual
        if score[best] > limit and min(before[best] - after[best], first - last) > DRIFT_DROP:
            flags.append(
                Flag(
                    w,
                    "drift",
                    float(score[best]),
                    "standard errors",
                    len(own),
                    evidence=f"Agreement with golds and the other votes fell from {first:.0%} to "
                    f"{last:.0%} after judgement {int(cut[best])} of {len(own)}.",
                    figures={"first": float(first), "last": float(last), "after": int(cut[best]), "of": len(own)},
                )
            )
    return sorted(flags, key=lambda flag: -flag.strength)


def others_say(fit: Fit, crowd: Crowd, rho: float) -> NDArray[np.float64]:
    """(n, K) calibrated posterior of the task of each judgement, by everything but that judgement itself."""
    logits = np.log(np.maximum(fit.prior, 1e-300)) + np.zeros((crowd.n_tasks, crowd.n_classes))
    table = np.log(np.maximum(fit.confusion.transpose(0, 2, 1), 1e-12))[crowd.worker, crowd.label]  # (n, K)
    np.add.at(logits, crowd.task, table)
    others = logits[crowd.task] - table
    scale = 1.0 / (1.0 + np.maximum(crowd.votes[crowd.task] - 2.0, 0.0) * rho)
    others *= scale[:, None]
    others -= others.max(axis=1, keepdims=True)
    probability = np.exp(others)
    probability /= probability.sum(axis=1, keepdims=True)
    if crowd.gold is not None:
        truth = crowd.gold[crowd.task]
        known = np.flatnonzero(truth >= 0)
        probability[known] = 0.0
        probability[known, truth[known]] = 1.0
    return np.asarray(probability, dtype=np.float64)


def peer_residuals(fit: Fit, crowd: Crowd, rho: float) -> NDArray[np.float64]:
    """(n,) calibrated probability that each judgement is right, by everything but that judgement itself."""
    return np.asarray(others_say(fit, crowd, rho)[np.arange(len(crowd)), crowd.label], dtype=np.float64)


def all_flags(
    fit: Fit,
    crowd: Crowd,
    rho: float,
    *,
    position: NDArray[np.int64] | None = None,
    model_label: NDArray[np.int16] | None = None,
) -> list[Flag]:
    """Every signal that the given data allow."""
    flags = spammers(fit, crowd, rho) + collusion(crowd)
    if position is not None:
        flags += drift(fit, crowd, position, rho)
    if model_label is not None:
        flags += copied_answers(fit, crowd, model_label, rho)
    return flags
