"""How far people agree, and how far their errors repeat each other: the figures a paper would want.

Everything is computed from a Crowd; intervals are by bootstrap over tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.kernel.jit import kernel
from cupola.quality.inference.base import Crowd

Level = Literal["nominal", "ordinal", "interval", "ratio"]
DRAWS = 200


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its bootstrap interval; NaN never: `value` is None when the data do not define it."""

    value: float | None
    low: float | None
    high: float | None


def alpha(
    crowd: Crowd,
    level: Level = "nominal",
    *,
    values: NDArray[np.float64] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Interval:
    """Krippendorff's alpha: 1 is perfect, 0 is chance, below 0 is worse than chance.

    level: how far apart two labels are. ordinal uses the order of the codes; interval and ratio use `values` (K,), what
    each label stands for (see `values_of`): a code is no value. Tasks with one vote say nothing and are left out; None
    when all labels are the same.
    Source: Krippendorff, Content Analysis (2004), chapter 11; Computing Krippendorff's Alpha-Reliability (2011).
    """
    if values is None and level in ("interval", "ratio"):
        raise invalid(
            "values-needed",
            f"At the level {level} each label stands for a number, and codes are none.",
            remedy="Pass values=values_of(codes.labels, level).",
            place="values",
        )
    points = np.arange(crowd.n_classes, dtype=np.float64) if values is None else np.asarray(values, dtype=np.float64)
    if points.shape != (crowd.n_classes,):
        raise invalid("values-length", f"values has shape {points.shape}, not ({crowd.n_classes},).", place="values")

    def figure(weight: NDArray[np.float64]) -> float | None:
        matrix = np.zeros((crowd.n_classes, crowd.n_classes))
        _coincidences(crowd.starts, crowd.label, weight, matrix)
        return alpha_of(matrix, level, points)

    return _with_interval(figure, crowd.n_tasks, draws, seed)


def values_of(labels: Sequence[Any], level: Level) -> NDArray[np.float64] | None:
    """(K,) what the labels stand for: numbers at the levels interval and ratio; None where only their order counts.

    Raises Problem for labels that are no numbers, and for a negative one at the level ratio.
    """
    if level not in ("interval", "ratio"):
        return None
    try:
        values = np.array([float(label) for label in labels], dtype=np.float64)
    except (TypeError, ValueError):
        odd = next(label for label in labels if not _is_number(label))
        raise invalid(
            "label-no-number",
            f"At the level {level} labels are numbers; {odd!r} is none.",
            remedy="Use the level ordinal with an order, or nominal.",
            place="label",
        ) from None
    if not np.isfinite(values).all() or (level == "ratio" and (values < 0).any()):
        raise invalid("label-no-number", f"At the level {level} labels are finite numbers from 0 on.", place="label")
    return values


def ordered(labels: Sequence[Any], order: Sequence[str] | None, level: Level) -> list[Any] | None:
    """The classes in the order that the level ordinal needs; None where the labels' own order will do.

    order: the labels' names, the least first. Raises Problem where words have no order, or the order is not theirs.
    """
    if order is None:
        if level == "ordinal" and not all(_is_number(label) for label in labels):
            shown = ", ".join(str(label) for label in labels[:5])
            raise invalid(
                "order-needed",
                f"At the level ordinal labels have an order, and the alphabet's is none: {shown}.",
                remedy="Name them from the least to the most: --order low,middle,high.",
                place="order",
            )
        return None
    by_name = {str(label): label for label in labels}
    missing = sorted(set(by_name) - set(order))
    if missing or len(set(order)) != len(order):
        raise invalid(
            "order-incomplete",
            f"The order leaves out {', '.join(missing)}." if missing else "The order names a label twice.",
            remedy="Name each label once.",
            place="order",
        )
    kind = type(labels[0])
    return [by_name[name] if name in by_name else kind(name) for name in order]


def _is_number(label: Any) -> bool:
    try:
        return bool(np.isfinite(float(label)))
    except (TypeError, ValueError):
        return False


def alpha_of(coincidences: NDArray[np.float64], level: Level, values: NDArray[np.float64]) -> float | None:
    """Alpha from a coincidence matrix (K, K), where each task's pairs count 1 / (votes - 1)."""
    totals = coincidences.sum(axis=1)
    n = totals.sum()
    if n <= 1:
        return None
    apart = _distance(level, totals, values)
    expected = float(totals @ apart @ totals) / (n - 1)
    if expected <= 0:
        return None
    return float(1.0 - (coincidences * apart).sum() / expected)


def ac1(crowd: Crowd, *, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Gwet's AC1 for several raters: agreement beyond chance that stays steady when one class is rare.

    Tasks with one vote take part in the class shares only. None when no task has two votes.
    Source: Gwet, British Journal of Mathematical and Statistical Psychology 61 (2008).
    """
    table = _table(crowd)
    return _with_interval(lambda weight: _ac1(table, weight), crowd.n_tasks, draws, seed)


def fleiss_kappa(crowd: Crowd, *, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Fleiss' kappa; votes a task may differ, and tasks with one vote take part in the class shares only.

    Source: Fleiss, Psychological Bulletin 76 (1971).
    """
    table = _table(crowd)
    return _with_interval(lambda weight: _fleiss(table, weight), crowd.n_tasks, draws, seed)


def by_class(crowd: Crowd) -> NDArray[np.float64]:
    """(K,) Krippendorff's nominal alpha of each class against all others; NaN where a class never varies."""
    matrix = np.zeros((crowd.n_classes, crowd.n_classes))
    _coincidences(crowd.starts, crowd.label, np.ones(crowd.n_tasks), matrix)
    out = np.full(crowd.n_classes, np.nan)
    total = matrix.sum()
    for k in range(crowd.n_classes):
        own = matrix[k, k]
        mixed = matrix[k].sum() - own
        two = np.array([[own, mixed], [mixed, total - own - 2 * mixed]])
        value = alpha_of(two, "nominal", np.array([0.0, 1.0]))
        out[k] = np.nan if value is None else value
    return out


@dataclass(frozen=True, slots=True)
class Pair:
    """Cohen's kappa of two workers over the tasks both judged; None when their labels leave it undefined."""

    first: int
    second: int
    shared: int
    agreed: float
    kappa: float | None


def pairs(crowd: Crowd, *, least_shared: int = 10) -> list[Pair]:
    """Every two workers with at least `least_shared` tasks in common, the least agreeing first.

    Source: Cohen, Educational and Psychological Measurement 20 (1960).
    """
    joint = pair_tables(crowd)
    out: list[Pair] = []
    for (first, second), table in joint.items():
        shared = int(table.sum())
        if shared < least_shared:
            continue
        agreed = float(np.trace(table)) / shared
        chance = float(table.sum(axis=0) @ table.sum(axis=1)) / shared**2
        out.append(Pair(first, second, shared, agreed, (agreed - chance) / (1 - chance) if chance < 1 else None))
    return sorted(out, key=lambda pair: (pair.agreed if pair.kappa is None else pair.kappa, pair.first, pair.second))


def pair_tables(crowd: Crowd) -> dict[tuple[int, int], NDArray[np.int64]]:
    """(K, K) counts of (label of the first, label of the second) for each two workers that share a task."""
    classes = crowd.n_classes
    keys: list[NDArray[np.int64]] = []
    for votes in np.unique(crowd.votes):
        if votes < 2:
            continue
        rows = crowd.starts[:-1][crowd.votes == votes][:, None] + np.arange(votes)
        for i in range(int(votes)):
            for j in range(i + 1, int(votes)):
                a, b = rows[:, i], rows[:, j]
                pair = crowd.worker[a].astype(np.int64) * crowd.n_workers + crowd.worker[b]
                keys.append((pair * classes + crowd.label[a]) * classes + crowd.label[b])
    out: dict[tuple[int, int], NDArray[np.int64]] = {}
    if not keys:
        return out
    cells, counts = np.unique(np.concatenate(keys), return_counts=True)
    for cell, count in zip(cells.tolist(), counts.tolist(), strict=True):
        rest, second_label = divmod(cell, classes)
        pair_key, first_label = divmod(rest, classes)
        key = divmod(pair_key, crowd.n_workers)
        out.setdefault(key, np.zeros((classes, classes), np.int64))[first_label, second_label] += count
    return out


def repeat_rate(crowd: Crowd, truth: NDArray[np.int16], *, draws: int = DRAWS, seed: int = 0) -> Interval:
    """r: given that one vote is wrong, how often another worker's vote on the task is the same wrong label.

    truth: (n_tasks,) classes, -1 where unknown: golds or audited labels; with labels settled by the same votes it
    comes out too low. Above 0.3 the guideline is the thing to mend. None when no wrong vote had company.
    """
    if truth.shape != (crowd.n_tasks,):
        raise invalid("truth-length", f"truth has shape {truth.shape}, not ({crowd.n_tasks},).", place="truth")
    same = np.zeros(crowd.n_tasks)
    chances = np.zeros(crowd.n_tasks)
    _repeats(crowd.starts, crowd.label, truth, same, chances)

    def figure(weight: NDArray[np.float64]) -> float | None:
        total = float(chances @ weight)
        return float(same @ weight) / total if total > 0 else None

    return _with_interval(figure, crowd.n_tasks, draws, seed)


def _with_interval(
    figure: Callable[[NDArray[np.float64]], float | None], n_tasks: int, draws: int, seed: int
) -> Interval:
    value = figure(np.ones(n_tasks))
    if value is None or draws < 2:
        return Interval(value, None, None)
    rng = np.random.default_rng(seed)
    drawn: list[float] = []
    for _ in range(draws):
        weight = np.bincount(rng.integers(0, n_tasks, n_tasks), minlength=n_tasks).astype(np.float64)
        again = figure(weight)
        if again is not None:
            drawn.append(again)
    if not drawn:
        return Interval(value, None, None)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(value, float(low), float(high))


def _distance(level: Level, totals: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(K, K) squared distance of two labels."""
    classes = len(totals)
    if level == "nominal":
        return 1.0 - np.eye(classes)
    if level == "interval":
        return np.asarray(np.subtract.outer(values, values) ** 2, dtype=np.float64)
    if level == "ratio":
        total = np.add.outer(values, values)
        share = np.divide(np.subtract.outer(values, values), total, out=np.zeros_like(total), where=total != 0)
        return np.asarray(share**2, dtype=np.float64)
    upto = np.cumsum(totals)
    middle = upto - totals / 2.0  # each label's mean rank
    return np.asarray(np.subtract.outer(middle, middle) ** 2, dtype=np.float64)


def _table(crowd: Crowd) -> NDArray[np.float64]:
    """(n_tasks, K) votes for each class."""
    flat = crowd.task.astype(np.int64) * crowd.n_classes + crowd.label
    counted = np.bincount(flat, minlength=crowd.n_tasks * crowd.n_classes)
    return np.asarray(counted.reshape(crowd.n_tasks, crowd.n_classes), dtype=np.float64)


def _observed(table: NDArray[np.float64], weight: NDArray[np.float64]) -> float | None:
    votes = table.sum(axis=1)
    many = votes >= 2
    if not (weight[many] > 0).any():
        return None
    agreed = (table[many] * (table[many] - 1)).sum(axis=1) / (votes[many] * (votes[many] - 1))
    return float(np.average(agreed, weights=weight[many]))


def _ac1(table: NDArray[np.float64], weight: NDArray[np.float64]) -> float | None:
    observed = _observed(table, weight)
    votes = table.sum(axis=1)
    judged = votes > 0
    if observed is None or table.shape[1] < 2:
        return None
    share = np.average(table[judged] / votes[judged, None], axis=0, weights=weight[judged])
    chance = float((share * (1 - share)).sum()) / (table.shape[1] - 1)
    return float((observed - chance) / (1 - chance))


def _fleiss(table: NDArray[np.float64], weight: NDArray[np.float64]) -> float | None:
    observed = _observed(table, weight)
    if observed is None:
        return None
    votes = table.sum(axis=1)
    judged = votes > 0
    share = np.average(table[judged] / votes[judged, None], axis=0, weights=weight[judged])
    chance = float((share**2).sum())
    return float((observed - chance) / (1 - chance)) if chance < 1 else None


@kernel
def _coincidences(
    starts: NDArray[np.int64], label: NDArray[np.int16], weight: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    for t in range(len(starts) - 1):
        votes = starts[t + 1] - starts[t]
        if votes < 2 or weight[t] == 0.0:
            continue
        part = weight[t] / (votes - 1)
        for i in range(starts[t], starts[t + 1]):
            for j in range(starts[t], starts[t + 1]):
                if i != j:
                    out[label[i], label[j]] += part


@kernel
def _repeats(
    starts: NDArray[np.int64],
    label: NDArray[np.int16],
    truth: NDArray[np.int16],
    same: NDArray[np.float64],
    chances: NDArray[np.float64],
) -> None:
    for t in range(len(starts) - 1):
        if truth[t] < 0:
            continue
        for i in range(starts[t], starts[t + 1]):
            if label[i] == truth[t]:
                continue
            for j in range(starts[t], starts[t + 1]):
                if i != j:
                    chances[t] += 1.0
                    if label[j] == label[i]:
                        same[t] += 1.0
