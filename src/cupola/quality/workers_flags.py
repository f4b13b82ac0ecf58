"""Signals about workers, each with its evidence, for a human to look at. Never a sanction, never pay.

Skill from EM alone is optimistic and may even be anti-correlated with the truth; intervals here come from golds and
from peers, and a flag says what was seen, not what it means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri

from cupola.quality.calibrate import calibrated
from cupola.quality.inference.base import Crowd, Fit

FlagKind = Literal["spammer", "collusion", "drift", "copied-answers"]
LEAST_JUDGEMENTS = 20
LEAST_SHARED = 20
SAY = 5.0  # shared tasks at which a partner's say is capped
ENOUGH_PAIRS = 100  # pairs needed to learn how widely this crowd's own pairs scatter
USUAL_SCATTER = 1.5  # of z, where that cannot be learned: people are no coins
EXCESS = 0.2  # of the shared tasks; two careful people may well agree a tenth more than expected
Z_PAIR = 4.0
# A ring shows in pairs none of which would be enough alone: six people make fifteen that all lean one way.
LINK_Z, LINK_EXCESS = 1.8, 0.15
LEAST_RING = 3
ALIKE = 0.6  # of the group's mean z: who leans much less towards the group than its members do is no member
MOST_SEEDS = 2_000  # pairs, the most striking first, from which a ring is grown
SPREAD_LIMIT = 0.25  # of the most that columns can differ; honest crowds sit at 0.5-0.9
DRIFT_LIMIT = 4.5  # standard errors: the best of some hundred cuts is compared with it
MOST_KINDS = 8  # votes of a task, beyond which more change little
DRIFT_DROP = 0.08  # a smaller fall is not worth anyone's time


@dataclass(frozen=True, slots=True)
class Flag:
    """worker, what, how strong (in the unit named by `unit`), over how many judgements, and with whom."""

    worker: int
    kind: FlagKind
    strength: float
    unit: str
    judgements: int
    others: tuple[int, ...] = ()
    evidence: str = ""


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
    low, high = betaincinv(a, b, tail), betaincinv(a, b, 1.0 - tail)
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


def spammers(fit: Fit, crowd: Crowd, *, limit: float = SPREAD_LIMIT) -> list[Flag]:
    """Workers whose answers hardly depend on what they are shown."""
    made = np.bincount(crowd.worker, minlength=crowd.n_workers)
    score = spread(fit)
    return [
        Flag(
            int(w),
            "spammer",
            float(score[w]),
            "share of a perfect worker's spread",
            int(made[w]),
            evidence=f"Over {made[w]} judgements the answer depends on the item {score[w]:.0%} as much as it could.",
        )
        for w in np.argsort(score, kind="stable")
        if made[w] >= LEAST_JUDGEMENTS and score[w] < limit
    ]


@dataclass(frozen=True, slots=True)
class PairSignal:
    """Two workers: tasks shared, agreements seen and expected from how each agrees with everyone else, and z."""

    first: int
    second: int
    shared: int
    agreed: int
    expected: float
    z: float


def pair_signals(crowd: Crowd, *, least_shared: int = LEAST_SHARED) -> list[PairSignal]:
    """How far two workers agree beyond what each one's agreement with the others leads to expect.

    logit P(a and b agree) = m_a + m_b - m, where m_a is how a agrees with everybody but those who stand out, and m
    the crowd's mean: difficulty and common confusions are in all of them, so a crowd that errs alike accuses nobody.
    No posterior is used, because a ring that outvotes the others makes its own answers look true. z is centred and
    scaled by the crowd's own pairs. Largest z first; only pairs with `least_shared` tasks in common.
    """
    first, second, shared, agreed = _pair_counts(crowd)
    if len(first) == 0:
        return []
    habit = np.zeros((crowd.n_workers, crowd.n_classes))
    np.add.at(habit, (crowd.worker, crowd.label), 1.0)
    habit /= np.maximum(habit.sum(axis=1, keepdims=True), 1.0)
    by_habit = (habit[first] * habit[second]).sum(axis=1)  # two who always say the same agree without talking
    clean = np.ones(len(first), np.bool_)
    z = np.zeros(len(first))
    chance = np.full(len(first), 0.5)
    for _ in range(5):
        # a partner's say is capped, so that much company with few cannot pass for agreement with many
        weight = clean * np.minimum(shared, SAY) / shared
        pool = float((weight * agreed).sum() + 1.0) / float((weight * shared).sum() + 2.0)
        own_agreed = np.full(crowd.n_workers, SAY * pool)
        own_shared = np.full(crowd.n_workers, SAY)
        for side in (first, second):
            own_agreed += np.bincount(side, weights=weight * agreed, minlength=crowd.n_workers)
            own_shared += np.bincount(side, weights=weight * shared, minlength=crowd.n_workers)
        own = _logit(own_agreed / own_shared)
        chance = 1.0 / (1.0 + np.exp(-(own[first] + own[second] - float(_logit(np.array([pool]))[0]))))
        chance = np.clip(np.maximum(chance, by_habit), 0.02, 0.98)
        z = (agreed - shared * chance) / np.sqrt(shared * chance * (1.0 - chance))
        telling = shared >= 5
        if telling.sum() >= ENOUGH_PAIRS:
            low, middle, high = np.quantile(z[telling], [0.25, 0.5, 0.75])
            z = (z - middle) / max((high - low) / 1.349, 1.0)
        else:
            z = z / USUAL_SCATTER
        clean = z < 2.5
    order = np.argsort(-z, kind="stable")
    return [
        PairSignal(
            int(first[p]), int(second[p]), int(shared[p]), int(agreed[p]), float(shared[p] * chance[p]), float(z[p])
        )
        for p in order
        if shared[p] >= least_shared
    ]


def collusion(crowd: Crowd, *, z: float = Z_PAIR, least_shared: int = LEAST_SHARED) -> list[Flag]:
    """Workers who agree with each other far more than with anybody else.

    Two: z beyond the limit (raised for the number of pairs looked at) and at least a fifth of the shared tasks more
    than expected. More: a group in which every two lean that way (see LINK_Z, LINK_EXCESS), and whose mean z times
    the root of (people - 1) is beyond the same limit. So much is the mean worth if each one's agreement with the first
    is all that is independent; that the others then agree among themselves adds nothing.
    """
    signals = pair_signals(crowd, least_shared=least_shared)
    needed = max(z, -float(ndtri(0.01 / max(len(signals), 1))))
    partners: dict[int, dict[int, PairSignal]] = {}
    strength: dict[int, float] = {}

    def note(found: list[PairSignal], how_strong: float) -> None:
        for signal in found:
            for worker, other in ((signal.first, signal.second), (signal.second, signal.first)):
                partners.setdefault(worker, {})[other] = signal
                strength[worker] = max(strength.get(worker, 0.0), how_strong)

    for signal in signals:
        if signal.z >= needed and signal.agreed - signal.expected >= EXCESS * signal.shared:
            note([signal], signal.z)
    for ring in _rings(signals):
        people = len({signal.first for signal in ring} | {signal.second for signal in ring})
        evidence = float(np.mean([signal.z for signal in ring])) * float(np.sqrt(people - 1))
        if evidence >= needed:
            note(ring, evidence)
    flags = []
    for worker, found in partners.items():
        shared, agreed = sum(s.shared for s in found.values()), sum(s.agreed for s in found.values())
        due = sum(s.expected for s in found.values())
        flags.append(
            Flag(
                worker,
                "collusion",
                strength[worker],
                "standard deviations",
                shared,
                tuple(sorted(found)),
                f"Agrees with {len(found)} other{'s' if len(found) > 1 else ''} on {agreed} of {shared} shared "
                f"judgements, where {due:.0f} would be expected.",
            )
        )
    return sorted(flags, key=lambda flag: -flag.strength)


def _rings(signals: list[PairSignal]) -> list[list[PairSignal]]:
    """Groups of three or more in which every two are linked: grown from each striking pair, the best joined next."""
    links = {
        (signal.first, signal.second): signal
        for signal in signals
        if signal.z >= LINK_Z and signal.agreed - signal.expected >= LINK_EXCESS * signal.shared
    }
    near: dict[int, set[int]] = {}
    for first, second in links:
        near.setdefault(first, set()).add(second)
        near.setdefault(second, set()).add(first)

    def link(a: int, b: int) -> PairSignal:
        return links[(a, b) if (a, b) in links else (b, a)]

    rings: dict[frozenset[int], list[PairSignal]] = {}
    for first, second in sorted(links, key=lambda pair: -links[pair].z)[:MOST_SEEDS]:
        group = [first, second]
        others = near[first] & near[second]
        while others:
            best = max(sorted(others), key=lambda w: sum(link(w, member).z for member in group))
            group.append(best)
            others &= near[best]
        while len(group) >= LEAST_RING:
            lean = [sum(link(member, other).z for other in group if other != member) for member in group]
            if min(lean) >= ALIKE * float(np.mean(lean)):
                break
            group.pop(int(np.argmin(lean)))
        if len(group) >= LEAST_RING:
            rings[frozenset(group)] = [link(a, b) for n, a in enumerate(group) for b in group[n + 1 :]]
    return list(rings.values())


def _pair_counts(
    crowd: Crowd,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """For each two workers who share a task: both, tasks shared, tasks agreed on."""
    keys: list[NDArray[np.int64]] = []
    same: list[NDArray[np.bool_]] = []
    for votes in np.unique(crowd.votes):
        if votes < 2:
            continue
        rows = crowd.starts[:-1][crowd.votes == votes][:, None] + np.arange(votes)
        for i in range(int(votes)):
            for j in range(i + 1, int(votes)):
                a, b = rows[:, i], rows[:, j]
                keys.append(crowd.worker[a].astype(np.int64) * crowd.n_workers + crowd.worker[b])
                same.append(crowd.label[a] == crowd.label[b])
    if not keys:
        none = np.zeros(0, np.int64)
        return none, none, np.zeros(0), np.zeros(0)
    pair, where = np.unique(np.concatenate(keys), return_inverse=True)
    shared = np.bincount(where, minlength=len(pair)).astype(np.float64)
    agreed = np.bincount(where, weights=np.concatenate(same), minlength=len(pair)).astype(np.float64)
    return pair // crowd.n_workers, pair % crowd.n_workers, shared, agreed


def _logit(share: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.clip(share, 0.02, 0.98)
    return np.asarray(np.log(inside / (1.0 - inside)), dtype=np.float64)


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
                )
            )
    return sorted(flags, key=lambda flag: -flag.strength)


def peer_residuals(fit: Fit, crowd: Crowd, rho: float) -> NDArray[np.float64]:
    """(n,) calibrated probability that each judgement is right, by everything but that judgement itself."""
    logits = np.log(np.maximum(fit.prior, 1e-300)) + np.zeros((crowd.n_tasks, crowd.n_classes))
    table = np.log(np.maximum(fit.confusion.transpose(0, 2, 1), 1e-12))[crowd.worker, crowd.label]  # (n, K)
    np.add.at(logits, crowd.task, table)
    others = logits[crowd.task] - table
    scale = 1.0 / (1.0 + np.maximum(crowd.votes[crowd.task] - 2.0, 0.0) * rho)
    others = others * scale[:, None]
    others -= others.max(axis=1, keepdims=True)
    probability = np.exp(others)
    probability /= probability.sum(axis=1, keepdims=True)
    right = probability[np.arange(len(crowd)), crowd.label]
    if crowd.gold is not None:
        truth = crowd.gold[crowd.task]
        right = np.where(truth >= 0, crowd.label == truth, right)
    return np.asarray(right, dtype=np.float64)


def all_flags(
    fit: Fit,
    crowd: Crowd,
    rho: float,
    *,
    position: NDArray[np.int64] | None = None,
    model_label: NDArray[np.int16] | None = None,
) -> list[Flag]:
    """Every signal that the given data allow."""
    flags = spammers(fit, crowd) + collusion(crowd)
    if position is not None:
        flags += drift(fit, crowd, position, rho)
    if model_label is not None:
        flags += copied_answers(fit, crowd, model_label, rho)
    return flags
