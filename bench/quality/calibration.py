"""Is 90 % sure right nine times in ten? ECE with 0, 50 and 300 golds, and the reliability picture."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sets import RealSet, family

from cupola.quality.calibrate import rho_of, temper
from cupola.quality.inference.base import evidence_of
from cupola.quality.inference.methods import METHODS

BINS = 10
REPEATS = 8
LEAST_LEFT = 100
Part = tuple[NDArray[np.float64], NDArray[np.bool_]]  # claimed, right
RHO_GRID = tuple(np.round(np.geomspace(0.1, 2.0, 14), 3).tolist())


def ece(posterior: NDArray[np.float64], truth: NDArray[np.int16]) -> float:
    """Expected calibration error of the likeliest class, ten bins of equal width."""
    top = posterior.max(axis=1)
    right = posterior.argmax(axis=1) == truth
    box = np.minimum((top * BINS).astype(int), BINS - 1)
    return float(sum(abs(top[box == b].mean() - right[box == b].mean()) * (box == b).mean() for b in np.unique(box)))


def floor(posterior: NDArray[np.float64], rng: np.random.Generator) -> float:
    """The ECE that perfectly calibrated posteriors would show by chance with as few tasks."""
    drawn = (posterior.cumsum(axis=1) < rng.random((len(posterior), 1))).sum(axis=1)
    return ece(posterior, np.minimum(drawn, posterior.shape[1] - 1).astype(np.int16))


def run(items: list[RealSet]) -> dict[str, Any]:
    """ECE raw, with the leave-one-set-out default, and with golds of the set itself, always on the other tasks."""
    data = {}
    for item in items:
        fit = METHODS["blend"](item.crowd)
        known = item.known
        data[item.name] = (
            evidence_of(fit, item.crowd)[known],
            item.crowd.votes[known],
            fit.prior,
            item.truth[known],
            fit.posterior[known],
        )
    by_rho = {
        name: [ece(temper(evidence, votes, prior, rho), truth) for rho in RHO_GRID]
        for name, (evidence, votes, prior, truth, _) in data.items()
    }
    out: dict[str, Any] = {"sets": {}}
    reliability: dict[str, list[Part]] = {"raw": [], "0 golds": [], "300 golds": []}
    for name, (evidence, votes, prior, truth, raw) in data.items():
        if len(truth) < 90:
            continue
        others = [by_rho[other] for other in data if other not in family(name)]
        default = RHO_GRID[int(np.argmin(np.mean(others, axis=0)))] if others else 0.6
        plain = temper(evidence, votes, prior, default)
        row: dict[str, Any] = {"raw": ece(raw, truth), "0 golds": ece(plain, truth), "default rho": default}
        reliability["raw"].append((raw.max(axis=1), raw.argmax(axis=1) == truth))
        reliability["0 golds"].append((plain.max(axis=1), plain.argmax(axis=1) == truth))
        for golds in (50, 300):
            if len(truth) < golds + LEAST_LEFT:
                continue
            found, chance, rhos = [], [], []
            for seed in range(REPEATS):
                rng = np.random.default_rng(seed)
                order = rng.permutation(len(truth))
                train, test = order[:golds], order[golds:]
                rho = rho_of(evidence[train], votes[train], prior, truth[train], default=default)
                posterior = temper(evidence[test], votes[test], prior, rho)
                found.append(ece(posterior, truth[test]))
                chance.append(floor(posterior, rng))
                rhos.append(rho)
                if golds == 300 and seed == 0:
                    top = posterior.max(axis=1)
                    reliability["300 golds"].append((top, posterior.argmax(axis=1) == truth[test]))
            row[f"{golds} golds"] = float(np.mean(found))
            row[f"{golds} golds, chance alone"] = float(np.mean(chance))
            row[f"{golds} golds, rho"] = float(np.mean(rhos))
        out["sets"][name] = row
        print(name, {key: round(value, 3) for key, value in row.items()}, flush=True)
    for key in ("raw", "0 golds", "50 golds", "300 golds", "50 golds, chance alone", "300 golds, chance alone"):
        values = [row[key] for row in out["sets"].values() if key in row]
        out[key] = float(np.mean(values)) if values else None
    out["reliability"] = {name: _curve(parts) for name, parts in reliability.items() if parts}
    return out


def _curve(parts: list[Part]) -> list[tuple[float, float]]:
    """(claimed, right) in bins, each set weighing the same."""
    edges = np.linspace(0.3, 1.0, 11)
    points = []
    for low, high in itertools.pairwise(edges):
        claimed, right, weight = 0.0, 0.0, 0.0
        for top, ok in parts:
            inside = (top >= low) & ((top < high) | (high == 1.0))
            if inside.any():
                share = inside.sum() / len(top)
                claimed += share * top[inside].mean()
                right += share * ok[inside].mean()
                weight += share
        if weight > 0.02:
            points.append((float(claimed / weight), float(right / weight)))
    return points
