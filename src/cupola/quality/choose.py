"""Which method for this project: the one whose calibrated posteriors fit the golds best, and no other reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.quality.calibrate import DEFAULT_RHO, rho_of, temper
from cupola.quality.inference.base import Crowd, Fit, evidence_of
from cupola.quality.inference.methods import DEFAULT_METHOD, METHODS
from cupola.quality.progress import Told, silent

ENOUGH_GOLDS = 50  # below this the choice is noise
FOLDS = 5
CANDIDATES = ("majority", "one_coin", "dawid_skene", "coin_ds", "pool_ds", "blend", "mace", "glad")


@dataclass(frozen=True, slots=True)
class Score:
    """How one method did on golds it did not see. log_loss in nats a task; error: its standard error;
    lead: mean difference of log-loss to the default method's (negative is better); lead_error: its error."""

    method: str
    log_loss: float
    error: float
    accuracy: float
    rho: float
    golds: int
    lead: float
    lead_error: float


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen method, its fit without any gold, rho from all golds, and every candidate's score."""

    method: str
    fit: Fit
    rho: float
    scores: tuple[Score, ...]
    why: str


def held_out(
    fit: Fit, crowd: Crowd, gold: NDArray[np.int16], *, folds: int = FOLDS, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Calibrated posteriors of the gold tasks, each with a rho fitted on the other folds only.

    fit: made without these golds. Returns (m, K) posteriors and the (m,) task numbers they belong to.
    """
    known = np.flatnonzero((gold >= 0) & (crowd.votes > 0))
    evidence = evidence_of(fit, crowd)[known]
    votes = crowd.votes[known]
    fold = np.random.default_rng(seed).permutation(len(known)) % max(folds, 2)
    out = np.empty((len(known), crowd.n_classes))
    for k in range(max(folds, 2)):
        test, train = fold == k, fold != k
        rho = rho_of(evidence[train], votes[train], fit.prior, gold[known[train]]) if train.any() else DEFAULT_RHO
        out[test] = temper(evidence[test], votes[test], fit.prior, rho)
    return out, known


def choose(
    crowd: Crowd,
    gold: NDArray[np.int16] | None,
    *,
    candidates: Sequence[str] = CANDIDATES,
    default: str = DEFAULT_METHOD,
    seed: int = 0,
    told: Told = silent,
) -> Choice:
    """The candidate with the least cross-validated log-loss on gold, if it beats the default beyond chance.

    gold: (n_tasks,) int16, -1 where none. Every candidate is fitted without gold, so that no answer is scored by
    a fit that has seen it. With fewer than 50 golds the default is taken. Beyond chance: the mean difference of
    log-loss exceeds its standard error. told hears which candidate is being fitted.
    """
    names = list(dict.fromkeys([default, *candidates]))
    for name in names:
        if name not in METHODS:
            raise invalid("method-unknown", f"There is no method {name!r}.", remedy=f"One of {', '.join(METHODS)}.")
    blind = crowd.with_gold(None)
    golds = 0 if gold is None else int(((gold >= 0) & (crowd.votes > 0)).sum())
    if gold is None or golds < ENOUGH_GOLDS:
        fit = METHODS[default](blind)
        rho = DEFAULT_RHO
        if gold is not None and golds:
            known = np.flatnonzero((gold >= 0) & (crowd.votes > 0))
            rho = rho_of(evidence_of(fit, crowd)[known], crowd.votes[known], fit.prior, gold[known])
        return Choice(default, fit, rho, (), f"{golds} golds; a choice needs {ENOUGH_GOLDS}, so the default method.")
    scores: list[Score] = []
    fits: dict[str, Fit] = {}
    reference: NDArray[np.float64] | None = None
    for number, name in enumerate(names):
        told(number, len(names), name)
        fits[name] = METHODS[name](blind)
        posterior, known = held_out(fits[name], crowd, gold, seed=seed)
        truth = gold[known]
        loss = -np.log(np.maximum(posterior[np.arange(len(known)), truth], 1e-12))
        reference = loss if reference is None else reference
        rho = rho_of(evidence_of(fits[name], crowd)[known], crowd.votes[known], fits[name].prior, truth)
        scores.append(
            Score(
                name,
                float(loss.mean()),
                _standard_error(loss),
                float((posterior.argmax(axis=1) == truth).mean()),
                rho,
                len(known),
                float((loss - reference).mean()),
                _standard_error(loss - reference),
            )
        )
    best = scores[0]
    for score in scores[1:]:
        if score.lead < best.lead and score.lead < -score.lead_error:
            best = score
    why = f"least log-loss on {best.golds} golds: {best.log_loss:.3f} nats"
    if best.method == default:
        why = f"no method beats {default} on {best.golds} golds beyond chance"
    return Choice(best.method, fits[best.method], best.rho, tuple(scores), why)


def _standard_error(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("inf")
