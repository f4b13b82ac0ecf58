"""Bradley-Terry with ties (Davidson) and covariates: fitted by Newton's method, with errors that need no model.

Sources: Bradley & Terry, Biometrika 39 (1952); Davidson, Journal of the American Statistical Association 65 (1970) for
ties; Huber, Proc. 5th Berkeley Symposium (1967) for the sandwich; Efron & Tibshirani, An Introduction to the Bootstrap
(1993).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy

csgraph = Lazy("scipy.sparse.csgraph")
sparse = Lazy("scipy.sparse")

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Ties = Literal["davidson", "half"]

FIRST, SECOND, TIE = 0, 1, 2
RIDGE = 1e-6  # keeps what no vote bounds finite; moves nothing else by a ten-thousandth
MAX_MODELS = 2_000
STEPS, TOLERANCE = 200, 1e-10


@dataclass(frozen=True, slots=True)
class Table:
    """Votes as columns of equal length.

    first, second: (n,) codes of models as shown; outcome: (n,) FIRST, SECOND or TIE; covariate: (n, k), what is added
    to the first one's lead for each unit; times: (n,) how often each row was seen.
    """

    first: Ints
    second: Ints
    outcome: Ints
    covariate: Floats
    times: Floats
    models: int

    def weighed(self, times: Floats) -> Table:
        return Table(self.first, self.second, self.outcome, self.covariate, times, self.models)


@dataclass(frozen=True, slots=True)
class Fit:
    """strength: (models,) logit scale, mean 0; effect: (k,) of the covariates; tie: nu of Davidson (a tie between
    equals has the chance nu / (2 + nu)), None where there is none."""

    strength: Floats
    effect: Floats
    tie: float | None
    converged: bool
    steps: int
    theta: Floats
    curvature: Floats  # (d, d) of the loss, the direction in which all strengths grow alike held

    @property
    def likely(self) -> Floats:
        """(models, models) chance that the row wins against the column, ties counted as half."""
        lead = np.subtract.outer(self.strength, self.strength)
        if self.tie is None:
            return _sigmoid(lead)
        win, lose = np.exp(lead / 2.0), np.exp(-lead / 2.0)
        return np.asarray((win + self.tie / 2.0) / (win + lose + self.tie), dtype=np.float64)


def table(
    first: Ints, second: Ints, outcome: Ints, models: int, covariate: Floats | None = None, times: Floats | None = None
) -> Table:
    """Checked columns. Raises Problem for unequal lengths, an unknown outcome or a model that meets itself."""
    n = len(first)
    if n == 0:
        raise invalid("table-empty", "There are no votes.", remedy="Pass at least one vote.")
    extra = np.zeros((n, 0)) if covariate is None else np.asarray(covariate, dtype=np.float64).reshape(n, -1)
    seen = np.ones(n) if times is None else np.asarray(times, dtype=np.float64)
    if not len(second) == len(outcome) == len(seen) == n:
        raise invalid("column-length", f"{n} first, {len(second)} second, {len(outcome)} outcomes.")
    if models > MAX_MODELS:
        raise invalid("models-too-many", f"{models} models; at most {MAX_MODELS} are ranked together.")
    if not np.isfinite(extra).all():
        row = int(np.flatnonzero(~np.isfinite(extra).all(axis=1))[0])
        raise invalid("covariate-no-number", f"Row {row} has a covariate that is no finite number.", place=f"row {row}")
    odd = np.flatnonzero(~np.isin(outcome, (FIRST, SECOND, TIE)))
    if len(odd):
        raise invalid("outcome-unknown", f"Row {int(odd[0])} has the outcome {int(outcome[odd[0]])}; it is 0, 1 or 2.")
    same = np.flatnonzero(first == second)
    if len(same):
        raise invalid("pair-same", f"Row {int(same[0])} compares model {int(first[same[0]])} with itself.")
    return Table(
        np.asarray(first, np.int64), np.asarray(second, np.int64), np.asarray(outcome, np.int64), extra, seen, models
    )


def gathered(votes: Table) -> Table:
    """The same votes, equal rows as one that was seen more often; each pair the lower code first.

    Only without covariates, which tell rows apart.
    """
    if votes.covariate.shape[1]:
        return votes
    turned = votes.first > votes.second
    low, high = np.where(turned, votes.second, votes.first), np.where(turned, votes.first, votes.second)
    outcome = np.where(turned & (votes.outcome != TIE), 1 - votes.outcome, votes.outcome)
    cells, where = np.unique((low * votes.models + high) * 3 + outcome, return_inverse=True)
    times = np.asarray(np.bincount(where, weights=votes.times, minlength=len(cells)), dtype=np.float64)
    pair, kind = np.divmod(cells, 3)
    return Table(pair // votes.models, pair % votes.models, kind, np.zeros((len(cells), 0)), times, votes.models)


def fit(votes: Table, *, ties: Ties = "davidson", start: Floats | None = None) -> Fit:
    """Maximum likelihood of P(first), P(second), P(tie) proportional to exp(lead/2), exp(-lead/2), nu.

    lead = s_first - s_second + covariate @ effect. ties="half": no nu, a tie is half a win for each, which is what
    plain Bradley-Terry fits do. What no vote bounds is held by RIDGE alone; see `bounded`.
    """
    drawn = ties == "davidson" and bool(votes.times[votes.outcome == TIE].sum() > 0)
    models, k = votes.models, votes.covariate.shape[1]
    size = models + k + drawn
    theta = np.zeros(size)
    if start is not None and len(start) == size:
        theta = start.copy()
    loss, gradient, curvature = _loss(votes, theta, drawn)
    scale = max(float(votes.times.sum()), 1.0)
    steps = 0
    for _ in range(STEPS):
        if float(np.abs(gradient).max()) <= TOLERANCE * scale:
            break
        steps += 1
        step: Floats = np.asarray(np.linalg.solve(curvature, gradient), dtype=np.float64)
        longest = float(np.abs(step).max())
        size_ = min(1.0, 4.0 / longest) if longest > 0 else 1.0
        while True:
            tried = _loss(votes, theta - size_ * step, drawn)
            if tried[0] <= loss + 1e-12 * abs(loss) or size_ < 1e-8:
                break
            size_ /= 2.0
        theta = theta - size_ * step
        if loss - tried[0] <= 1e-14 * abs(loss) and float(np.abs(size_ * step).max()) < 1e-10:
            loss, gradient, curvature = tried
            break
        loss, gradient, curvature = tried
    theta[:models] -= theta[:models].mean()
    converged = float(np.abs(gradient).max()) <= 1e-6 * scale
    return Fit(
        theta[:models],
        theta[models : models + k],
        float(np.exp(theta[-1])) if drawn else None,
        converged,
        steps,
        theta,
        curvature,
    )


def covariance(votes: Table, found: Fit, cluster: Ints | None = None) -> Floats:
    """(models + k, models + k) covariance of strengths and effects by the sandwich: right for any spread of the votes.

    cluster: (n,) codes, rows of one cluster (a rater, a prompt) may depend on each other; None: each vote by itself.
    Strengths are those around their mean.
    """
    models, k = votes.models, votes.covariate.shape[1]
    drawn = found.tie is not None
    by_lead, by_tie, _, _, _ = _slopes(votes, found.theta, drawn)
    size = models + k + drawn
    if cluster is None:
        # a row seen w times is w votes, each with its own square
        meat = _outer(votes, votes.times * by_lead**2, votes.times * by_lead * by_tie, votes.times * by_tie**2, drawn)
    else:
        count = int(cluster.max()) + 1
        each = np.zeros((count, size))
        np.add.at(each, (cluster, votes.first), votes.times * by_lead)
        np.add.at(each, (cluster, votes.second), -votes.times * by_lead)
        for c in range(k):
            each[:, models + c] = np.bincount(
                cluster, weights=votes.times * by_lead * votes.covariate[:, c], minlength=count
            )
        if drawn:
            each[:, -1] = np.bincount(cluster, weights=votes.times * by_tie, minlength=count)
        meat = each.T @ each * (count / max(count - 1, 1))
    bread = np.linalg.inv(found.curvature)
    spread = bread @ meat @ bread
    centre = np.eye(size)
    centre[:models, :models] -= 1.0 / models
    kept = centre @ spread @ centre.T
    return np.asarray(kept[: models + k, : models + k], dtype=np.float64)


def bootstrap(votes: Table, found: Fit, *, draws: int, seed: int, ties: Ties = "davidson") -> Floats:
    """(draws, models + k) strengths and effects, each from as many votes drawn with replacement."""
    rng = np.random.default_rng(seed)
    total = int(votes.times.sum())
    share = votes.times / votes.times.sum()
    out = np.zeros((draws, votes.models + votes.covariate.shape[1]))
    for draw in range(draws):
        again = fit(votes.weighed(rng.multinomial(total, share).astype(np.float64)), ties=ties, start=found.theta)
        out[draw] = np.concatenate([again.strength, again.effect])
    return out


def groups(votes: Table) -> Ints:
    """(models,) which models were ever compared with each other, directly or through others: equal numbers."""
    links = sparse.coo_matrix((np.ones(len(votes.first)), (votes.first, votes.second)), shape=(votes.models,) * 2)
    return np.asarray(csgraph.connected_components(links, directed=False)[1], dtype=np.int64)


def bounded(votes: Table) -> NDArray[np.bool_]:
    """(models,) whose strength the votes bound from both sides: those of the largest set in which everybody is beaten,
    directly or through others, by everybody else (a tie counts both ways). Source: Ford, American Mathematical Monthly
    64 (1957)."""
    seen = votes.times > 0
    won = seen & (votes.outcome != SECOND)
    lost = seen & (votes.outcome != FIRST)
    source = np.concatenate([votes.first[won], votes.second[lost]])
    target = np.concatenate([votes.second[won], votes.first[lost]])
    beats = sparse.coo_matrix((np.ones(len(source)), (source, target)), shape=(votes.models,) * 2)
    member = csgraph.connected_components(beats, directed=True, connection="strong")[1]
    return np.asarray(member == np.bincount(member).argmax())


def _slopes(votes: Table, theta: Floats, drawn: bool) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Per row: d log chance / d lead and / d log nu, its log chance, its chance of a tie, and P(first) - P(second)
    (with ties as half: P(first))."""
    models, k = votes.models, votes.covariate.shape[1]
    lead = theta[votes.first] - theta[votes.second] + votes.covariate @ theta[models : models + k]
    if drawn:
        parts = np.stack([lead / 2.0, -lead / 2.0, np.full(len(lead), theta[-1])])
        top = parts.max(axis=0)
        log_sum = top + np.log(np.exp(parts - top).sum(axis=0))
        chance = np.exp(parts - log_sum)
        said = parts[votes.outcome, np.arange(len(lead))] - log_sum
        gap = chance[0] - chance[1]
        sign = np.array([1.0, -1.0, 0.0])[votes.outcome]
        return (sign - gap) / 2.0, (votes.outcome == TIE) - chance[2], said, chance[2], gap
    share = np.array([1.0, 0.0, 0.5])[votes.outcome]
    win = _sigmoid(lead)
    said = -share * np.logaddexp(0.0, -lead) - (1.0 - share) * np.logaddexp(0.0, lead)
    return share - win, np.zeros(len(lead)), said, np.zeros(len(lead)), win


def _loss(votes: Table, theta: Floats, drawn: bool) -> tuple[float, Floats, Floats]:
    models, k = votes.models, votes.covariate.shape[1]
    by_lead, by_tie, said, tie, gap = _slopes(votes, theta, drawn)
    push = votes.times * by_lead
    gradient = RIDGE * theta
    gradient[:models] -= np.bincount(votes.first, weights=push, minlength=models)
    gradient[:models] += np.bincount(votes.second, weights=push, minlength=models)
    gradient[models : models + k] -= votes.covariate.T @ push
    if drawn:
        gradient[-1] -= float(votes.times @ by_tie)
        bend = votes.times * ((1.0 - tie) - gap**2) / 4.0
        curvature = _outer(votes, bend, -votes.times * gap * tie / 2.0, votes.times * tie * (1.0 - tie), True)
    else:
        curvature = _outer(votes, votes.times * gap * (1.0 - gap), np.zeros(len(gap)), np.zeros(len(gap)), False)
    curvature[np.diag_indices_from(curvature)] += RIDGE
    curvature[:models, :models] += 1.0 / models  # all strengths alike: no vote speaks of it
    return float(-(votes.times @ said) + RIDGE / 2.0 * (theta @ theta)), gradient, curvature


def _outer(votes: Table, by_lead: Floats, mixed: Floats, by_tie: Floats, drawn: bool) -> Floats:
    """(d, d) sum over rows of weight * (row of the design)(row of the design)'."""
    models, k = votes.models, votes.covariate.shape[1]
    first, second = votes.first, votes.second
    out = np.zeros((models + k + drawn,) * 2)
    cells = np.zeros(models * models)
    for a, b, sign in ((first, first, 1.0), (second, second, 1.0), (first, second, -1.0), (second, first, -1.0)):
        cells += sign * np.bincount(a * models + b, weights=by_lead, minlength=models * models)
    out[:models, :models] = cells.reshape(models, models)
    if k:
        out[models : models + k, models : models + k] = (votes.covariate * by_lead[:, None]).T @ votes.covariate
        for c in range(k):
            column = by_lead * votes.covariate[:, c]
            across = np.bincount(first, weights=column, minlength=models)
            across -= np.bincount(second, weights=column, minlength=models)
            out[:models, models + c] = out[models + c, :models] = across
    if drawn:
        across = np.bincount(first, weights=mixed, minlength=models)
        across -= np.bincount(second, weights=mixed, minlength=models)
        out[:models, -1] = out[-1, :models] = across
        out[models : models + k, -1] = out[-1, models : models + k] = votes.covariate.T @ mixed
        out[-1, -1] = by_tie.sum()
    return out


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -500.0, 500.0))), dtype=np.float64)
