"""A board of models: strengths with intervals, how far each place is known, and what style adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy
from cupola.preferences import davidson
from cupola.preferences.davidson import Floats, Ties
from cupola.preferences.votes import Votes

special = Lazy("scipy.special")

ELO = 400.0 / float(np.log(10.0))  # points of a unit on the logit scale
MIDDLE = 1000.0
FEW_RATERS = 30  # with fewer, raters as clusters say their intervals too narrow
Intervals = Literal["sandwich", "bootstrap"]


@dataclass(frozen=True, slots=True)
class Standing:
    """One model. strength in logits around the mean, score = 1000 + 400/ln 10 of it; low, high: None where no vote
    bounds it on any side. place: 1 is best; best and worst: the places it can have, by the intervals of differences."""

    model: str
    votes: int
    strength: float
    low: float | None
    high: float | None
    score: float
    score_low: float | None
    score_high: float | None
    place: int
    best: int
    worst: int


@dataclass(frozen=True, slots=True)
class Effect:
    """What a covariate adds to the lead, in logits for one standard deviation (being shown first: at all)."""

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Board:
    votes: int
    tied: int
    standings: list[Standing]
    effects: list[Effect]
    tie: float | None
    method: str
    confidence: float
    notes: list[str]
    likely: list[list[float]]  # by place: the chance that the row wins against the column


def board(
    votes: Votes,
    *,
    features: Sequence[str] = (),
    order: bool = False,
    ties: Ties = "davidson",
    intervals: Intervals = "sandwich",
    by_rater: bool = False,
    draws: int = 200,
    seed: int = 0,
    confidence: float = 0.95,
) -> Board:
    """Rank the models of votes. Raises Problem where models were never compared, even through others.

    features: covariates of style to hold equal; order: estimate what being shown first adds; by_rater: votes of one
    rater are not taken as independent (sandwich only).
    """
    if not 0.5 <= confidence < 1.0:
        raise invalid("confidence-range", f"confidence is {confidence}; it lies in [0.5, 1).", place="confidence")
    if intervals == "bootstrap" and draws < 50:
        raise invalid("draws-too-few", f"{draws} draws give no interval.", place="draws", remedy="Take 200 or more.")
    rows = votes.columns(features, order=order)
    alike = [name for n, name in enumerate(features) if not rows.covariate[:, n].any()]
    if alike:
        features = [name for name in features if name not in alike]
        rows = votes.columns(features, order=order)
    notes = [f"both answers of every vote are alike in {name!r}, which explains nothing here" for name in alike]
    cluster = votes.rater_codes() if by_rater else None
    if by_rater and cluster is None:
        raise invalid("column-unknown", "Not every vote names its rater.", place="rater",
                      remedy="Give each row a rater, or leave out --by-rater.")  # fmt: skip
    if cluster is not None and int(cluster.max()) + 1 < FEW_RATERS:
        notes.append(
            f"only {int(cluster.max()) + 1} raters: intervals by rater are too narrow with fewer than {FEW_RATERS}"
        )
    if cluster is None:
        rows = davidson.gathered(rows)
    _refuse_islands(votes, davidson.groups(rows))
    found = davidson.fit(rows, ties=ties)
    if not found.converged:
        notes.append("the fit did not come to rest; its figures are rough")
    models = len(votes.models)
    values = np.concatenate([found.strength, found.effect])
    tail = (1.0 - confidence) / 2.0
    if intervals == "bootstrap":
        drawn = davidson.bootstrap(rows, found, draws=draws, seed=seed, ties=ties)
        low, high = np.quantile(drawn, [tail, 1.0 - tail], axis=0)
        apart = drawn[:, :models, None] - drawn[:, None, :models]
        above = np.quantile(apart, tail, axis=0) > 0
    else:
        spread = davidson.covariance(rows, found, cluster)
        z = float(special.ndtri(1.0 - tail))
        error = np.sqrt(np.maximum(np.diag(spread), 0.0))
        low, high = values - z * error, values + z * error
        var = np.diag(spread)[:models]
        between = np.sqrt(np.maximum(var[:, None] + var[None, :] - 2.0 * spread[:models, :models], 0.0))
        above = np.subtract.outer(found.strength, found.strength) > z * np.maximum(between, 1e-12)
    bounded = davidson.bounded(rows)
    if not bounded.all():
        free = [votes.models[n] for n in np.flatnonzero(~bounded)[:5]]
        notes.append(f"{', '.join(free)}{' …' if (~bounded).sum() > 5 else ''}: won or lost everything against the "
                     "others, so that no vote bounds the strength and no interval is given")  # fmt: skip
    named = [*features, *(["shown first"] if order else [])]
    effects = [
        Effect(name, float(values[models + n]), float(low[models + n]), float(high[models + n]))
        for n, name in enumerate(named)
    ]
    ranking = np.argsort(-found.strength, kind="stable")
    return Board(
        len(votes),
        int((votes.outcome == davidson.TIE).sum()),
        _standings(votes, found.strength, low, high, above, bounded, ranking),
        effects,
        found.tie,
        f"{'Davidson' if found.tie is not None else 'Bradley-Terry'}, {intervals} intervals",
        confidence,
        notes,
        found.likely[np.ix_(ranking, ranking)].round(6).tolist(),
    )


def boards(votes: Votes, least: int = 30, **how: Any) -> tuple[dict[str, Board], dict[str, str]]:
    """A board for each slice; and of those without one why."""
    made: dict[str, Board] = {}
    left: dict[str, str] = {}
    slices = np.array(votes.slices or [])
    for name in sorted(set(slices.tolist())):
        part = votes.where(slices == name)
        if len(part) < least:
            left[name] = f"{len(part)} votes; a board needs {least}"
            continue
        islands = davidson.groups(part.columns())
        if islands.max() > 0:
            left[name] = f"its models fall into {int(islands.max()) + 1} groups that were never compared"
            continue
        made[name] = board(part, **how)
    return made, left


def _standings(
    votes: Votes,
    strength: Floats,
    low: Floats,
    high: Floats,
    above: NDArray[np.bool_],
    bounded: NDArray[np.bool_],
    ranking: NDArray[np.int64],
) -> list[Standing]:
    models = len(votes.models)
    seen = np.bincount(votes.first, minlength=models) + np.bincount(votes.second, minlength=models)
    known = above & bounded[:, None] & bounded[None, :]
    out = []
    for place, n in enumerate(ranking.tolist(), 1):
        ends = (float(low[n]), float(high[n])) if bounded[n] else (None, None)
        shown = [None if end is None else MIDDLE + ELO * end for end in ends]
        out.append(Standing(
            votes.models[n], int(seen[n]), float(strength[n]), ends[0], ends[1], float(MIDDLE + ELO * strength[n]),
            shown[0], shown[1], place, 1 + int(known[:, n].sum()), models - int(known[n].sum()),
        ))  # fmt: skip
    return out


def _refuse_islands(votes: Votes, member: NDArray[np.int64]) -> None:
    if member.max() == 0:
        return
    sets = [[votes.models[n] for n in np.flatnonzero(member == group)] for group in range(int(member.max()) + 1)]
    told = "; ".join(", ".join(names[:4]) + (" …" if len(names) > 4 else "") for names in sets[:4])
    raise invalid(
        "models-never-compared",
        f"The models fall into {len(sets)} groups that were never compared with each other: {told}.",
        remedy="Collect votes between the groups, or fit each by itself.",
        place="model",
    )
