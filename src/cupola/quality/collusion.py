"""Who agrees with whom beyond what their skill explains: pairs and rings, and what speaks for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.lazy import Lazy
from cupola.quality.flag import Flag
from cupola.quality.inference.base import Crowd

special = Lazy("scipy.special")

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
ENOUGH_ALIKE = 30  # judgements of ordinary people on tasks with as many other votes, to compare a group with
ENOUGH_KNOWN = 15  # tasks with a known answer that a group answered alike
CLEARED = 1.7  # in standard errors: by how much what speaks for a group must outweigh what speaks against it


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
    by_habit = (habit @ habit.T)[first, second]  # two who always say the same agree without talking
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

    That alone is no evidence: the few who see through a task that misleads most people agree beyond expectation too.
    So a group is only named when its common answers are wrong more often than ordinary people's (see `_cleared`).
    Two: z beyond the limit (raised for the number of pairs looked at) and at least a fifth of the shared tasks more
    than expected. More: a group in which every two lean that way (see LINK_Z, LINK_EXCESS), and whose mean z times
    the root of (people - 1) is beyond the same limit. So much is the mean worth if each one's agreement with the first
    is all that is independent; that the others then agree among themselves adds nothing.
    """
    signals = pair_signals(crowd, least_shared=least_shared)
    needed = max(z, -float(special.ndtri(0.01 / max(len(signals), 1))))
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
    for group in _together(partners):
        if _cleared(crowd, group):
            for worker in group:
                del partners[worker]
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
                {"others": len(found), "agreed": agreed, "shared": shared, "due": float(due)},
            )
        )
    return sorted(flags, key=lambda flag: -flag.strength)


def _together(partners: dict[int, dict[int, PairSignal]]) -> list[set[int]]:
    """The people named, in groups that hang together."""
    left, groups = set(partners), []
    while left:
        group, waiting = set[int](), [min(left)]
        while waiting:
            worker = waiting.pop()
            if worker not in group:
                group.add(worker)
                waiting += partners[worker]
        groups.append(group)
        left -= group
    return groups


def _cleared(crowd: Crowd, group: set[int]) -> bool:
    """Whether the answers that a group has in common look right rather than agreed upon.

    Where enough of those tasks have a known answer, they decide: a common answer must be wrong more often than one that
    two ordinary people have in common. Else two things are compared with ordinary people, on tasks with as many further
    votes: how often the common answer stands against the leading answer of all others, and then how many of the others
    give it nevertheless. Who sees through hard tasks is against the others less often than people are who err on easy
    ones as well, and finds more company there than an invented answer does.
    """
    inside = np.isin(crowd.worker, list(group))
    tasks = crowd.n_tasks
    place, width, gold = _places(crowd)
    ours = _votes(crowd, inside, place, width)
    theirs = _votes(crowd, ~inside, place, width)
    common = ours.argmax(axis=1)
    alike = ours.max(axis=1) >= 2
    known = gold != -1
    if (alike & known).sum() >= ENOUGH_KNOWN:
        wrong = int((alike & known & (common != gold)).sum())
        agreed = theirs[known] * (theirs[known] - 1.0)
        said = gold[known] >= 0
        right = agreed[said, gold[known][said]].sum()
        usual = float((agreed.sum() - right + 1.0) / (agreed.sum() + 2.0))
        due = usual * float((alike & known).sum())
        return wrong < 3 or wrong - due < 2.0 * np.sqrt(due * (1.0 - usual) + 1e-9)
    rows = np.flatnonzero(~inside)
    task, label = crowd.task[rows], place[rows]
    others = theirs[task]
    others[np.arange(len(rows)), label] -= 1.0
    company = others[np.arange(len(rows)), label]
    against = others.max(axis=1) > company
    many = others.sum(axis=1)
    company_of_ours = theirs[np.arange(tasks), common]
    against_ours = theirs.max(axis=1) > company_of_ours
    many_ours = theirs.sum(axis=1)
    met = opposed = due_opposed = spread_opposed = joined = due_joined = spread_joined = 0.0
    for count in np.unique(many_ours[alike & (many_ours > 0)]):
        usual_rows = many == count
        if usual_rows.sum() < ENOUGH_ALIKE:
            continue
        here = alike & (many_ours == count)
        share = float(against[usual_rows].mean())
        met += here.sum()
        opposed += float((here & against_ours).sum())
        due_opposed += float(here.sum()) * share
        spread_opposed += float(here.sum()) * share * (1.0 - share)
        usual_rows &= against
        here &= against_ours
        if usual_rows.sum() >= ENOUGH_ALIKE and here.any():
            joined += float(company_of_ours[here].sum())
            due_joined += float(here.sum() * company[usual_rows].mean())
            spread_joined += float(here.sum() * company[usual_rows].var() * (1.0 + here.sum() / usual_rows.sum()))
    if met == 0:
        return False
    fewer = (due_opposed - opposed) / np.sqrt(max(spread_opposed, 1e-9))
    more = (joined - due_joined) / np.sqrt(spread_joined) if spread_joined > 1e-9 else 0.0
    return bool(fewer + more > CLEARED)


def _places(crowd: Crowd) -> tuple[NDArray[np.int64], int, NDArray[np.int64]]:
    """(n,) which of its task's labels each judgement gave, how many labels a task got at most, and (n_tasks,) the place
    of the known answer: -1 where none is known, -2 where nobody gave it. So that a table has no column for each class.
    """
    keys = crowd.task.astype(np.int64) * crowd.n_classes + crowd.label
    labels, which = np.unique(keys, return_inverse=True)
    start = np.searchsorted(labels, np.arange(crowd.n_tasks, dtype=np.int64) * crowd.n_classes)
    place = which - start[crowd.task]
    width = int(place.max()) + 1 if len(place) else 1
    gold = np.full(crowd.n_tasks, -1, np.int64)
    if crowd.gold is not None and len(labels):
        known = np.flatnonzero(crowd.gold >= 0)
        key = known * crowd.n_classes + crowd.gold[known]
        at = np.minimum(np.searchsorted(labels, key), len(labels) - 1)
        gold[known] = np.where(labels[at] == key, at - start[known], -2)
    return place, width, gold


def _votes(crowd: Crowd, rows: NDArray[np.bool_], place: NDArray[np.int64], width: int) -> NDArray[np.float64]:
    """(n_tasks, width) how many of these votes each label of a task got."""
    out = np.zeros((crowd.n_tasks, width))
    np.add.at(out, (crowd.task[rows], place[rows]), 1.0)
    return out


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
