"""Whether a fit has walked away from the votes: a posterior predictive check, and what is taken instead.

With one class far more frequent than the others, EM may take "the tasks that people disagree about" for a class of its
own: it then calls many a common thing rare against the majority. A crowd whose people do miss the rare class looks the
same at first sight, and there EM is right. The two differ in what they foretell: where difficulty is what people share,
more tasks are split in the middle than independent errors could split.
Source of the check: Gelman, Meng & Stern, Statistica Sinica 6 (1996).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.jit import kernel
from cupola.quality.inference.base import Crowd, Fit
from cupola.quality.inference.one_coin import one_coin

COMMON = 0.6  # share of tasks whose majority is of one class, from which on that class is common
MOVED, ONE_SIDED = 0.01, 3.0  # share of all tasks moved to rarer classes, and how many times those moved back
BINS, DRAWS = 12, 8
MISFIT, IN_THE_MIDDLE = 0.06, 0.015  # total variation between tasks as split and as foretold; excess of split tasks
PLAIN_MISFIT = 0.15  # so much is enough, wherever it lies,
LARGE_MOVE, MOVED_MISFIT = 0.1, 0.075  # and half of it where so many of all tasks were moved
MIDDLE = slice(4, 9)
TINY = 1e-300


def walked_away(fit: Fit, crowd: Crowd) -> bool:
    """Whether the fit calls common things rare against the majority, and foretells another crowd than there is."""
    votes = tally(crowd)
    made = votes.sum(axis=1)
    judged = made > 0
    if not judged.any() or crowd.n_classes < 2:
        return False
    lead = votes.max(axis=1)
    sole = judged & ((votes == lead[:, None]).sum(axis=1) == 1)  # nobody is overruled on a tie
    majority = votes.argmax(axis=1)
    share = np.bincount(majority[sole], minlength=crowd.n_classes) / max(sole.sum(), 1)
    common = int(share.argmax())
    if share[common] < COMMON:
        return False
    label = fit.posterior.argmax(axis=1)
    open_to_doubt = sole if crowd.gold is None else sole & (crowd.gold < 0)
    to_rare = float((open_to_doubt & (majority == common) & (label != common)).sum()) / judged.sum()
    to_common = float((open_to_doubt & (majority != common) & (label == common)).sum()) / judged.sum()
    if to_rare < MOVED or to_rare < ONE_SIDED * to_common:
        return False
    rng = np.random.default_rng([crowd.n_tasks, len(crowd)])  # the same crowd, the same answer
    foretold = np.zeros(BINS)
    for _ in range(DRAWS):
        foretold += _split(crowd, _drawn(fit, crowd, rng), common) / DRAWS
    seen = _split(crowd, crowd.label.astype(np.int64), common)
    apart = 0.5 * float(np.abs(seen - foretold).sum())
    in_the_middle = float(seen[MIDDLE].sum() - foretold[MIDDLE].sum())
    enough = MOVED_MISFIT if to_rare > LARGE_MOVE else PLAIN_MISFIT
    return apart > enough or (apart > MISFIT and in_the_middle > IN_THE_MIDDLE)


def plain(crowd: Crowd, iterations: int) -> Fit:
    """What is taken instead: one skill a person, errors even, and classes as frequent as the votes make them."""
    fit = one_coin(crowd, iterations=iterations)
    votes = tally(crowd)
    share = (votes / np.maximum(votes.sum(axis=1, keepdims=True), 1.0)).sum(axis=0) + 1.0
    prior = share / share.sum()
    logits = np.log(np.maximum(fit.posterior, TINY)) + np.log(prior / fit.prior)[None, :]
    logits -= logits.max(axis=1, keepdims=True)
    posterior = np.exp(logits)
    posterior /= posterior.sum(axis=1, keepdims=True)
    return Fit(posterior, fit.confusion, prior, "one_coin", fit.iterations, fit.converged, fit.log_likelihood)


def tally(crowd: Crowd) -> NDArray[np.float64]:
    """(n_tasks, K) votes for each class."""
    flat = crowd.task.astype(np.int64) * crowd.n_classes + crowd.label
    counted = np.bincount(flat, minlength=crowd.n_tasks * crowd.n_classes)
    return counted.reshape(crowd.n_tasks, crowd.n_classes).astype(np.float64)


def _split(crowd: Crowd, label: NDArray[np.int64], common: int) -> NDArray[np.float64]:
    """(BINS,) shares of the tasks with two votes or more, by the share of their votes for the common class."""
    made = crowd.votes
    some = made > 1
    share = np.bincount(crowd.task, weights=label == common, minlength=crowd.n_tasks) / np.maximum(made, 1)
    box = np.minimum((share * BINS + 1e-9).astype(np.int64), BINS - 1)[some]
    return np.bincount(box, minlength=BINS) / max(int(some.sum()), 1)


def _drawn(fit: Fit, crowd: Crowd, rng: np.random.Generator) -> NDArray[np.int64]:
    """(n,) answers as this fit foretells them of the same people on as many tasks."""
    truth = rng.choice(crowd.n_classes, crowd.n_tasks, p=fit.prior / fit.prior.sum())
    return _answers(np.cumsum(fit.confusion, axis=2), crowd.worker, truth[crowd.task], rng.random(len(crowd)))


@kernel
def _answers(
    cumulated: NDArray[np.float64],
    worker: NDArray[np.int32],
    truth: NDArray[np.int64],
    uniform: NDArray[np.float64],
) -> NDArray[np.int64]:
    out = np.empty(len(worker), np.int64)
    last = cumulated.shape[1] - 1
    for row in range(len(worker)):
        said = 0
        while said < last and uniform[row] > cumulated[worker[row], truth[row], said]:
            said += 1
        out[row] = said
    return out
