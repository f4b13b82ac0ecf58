"""What is known of a crowd with many classes, a few numbers a person, and what it makes of votes: see `sparse_coin`."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.kernel.jit import kernel
from cupola.kernel.lazy import Lazy

special = Lazy("scipy.special")

NODES, SHARES = np.polynomial.hermite_e.hermegauss(7)
SHARES = SHARES / SHARES.sum()
HABIT = 30.0  # answers' worth of the pool's habits in each worker's; one a class where classes are many
MOST_LABELS = 24  # of one task; those beyond are counted as said by nobody else
# what is believed of a crowd before it has judged anything
USUAL_SKILL, USUAL_DIFFICULTY, USUAL_REPEAT = 1.6, 1.2, 0.4
NO_GOLD = np.full(0, -1, np.int16)


@dataclass(frozen=True, slots=True)
class CoinModel:
    """What was learned of a crowd; a few numbers a worker and one a class, whatever the number of classes.

    skill: (W,) log-odds of knowing the answer of a task of middle difficulty; newcomer: that of somebody unseen.
    said: (m,) sorted keys worker * K + class of what each has said, and times (m,) how often; made: (W,) judgements.
    prior: (K,) shares of the classes; habit: (K,) shares of what is said by those who guess.
    difficulty: standard deviation over tasks, logit scale; repeat: P(the tempting answer | does not know).
    """

    skill: NDArray[np.float64]
    newcomer: float
    said: NDArray[np.int64]
    times: NDArray[np.float64]
    made: NDArray[np.float64]
    prior: NDArray[np.float64]
    habit: NDArray[np.float64]
    difficulty: float
    repeat: float

    @property
    def n_classes(self) -> int:
        return len(self.prior)

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """(W,) chance to know the answer, over the difficulties there are. Optimistic: never pay or sanction on it."""
        return np.asarray(self.knows(self.skill) @ SHARES, dtype=np.float64)

    def knows(self, skill: NDArray[np.float64]) -> NDArray[np.float64]:
        """(m, nodes) chance to know the answer, for skills (m,) at each of the difficulties NODES."""
        return np.asarray(special.expit(skill[:, None] - self.difficulty * NODES[None, :]), dtype=np.float64)

    def leading(
        self, task: NDArray[np.int64], n_tasks: int, worker: NDArray[np.int64], code: NDArray[np.int64]
    ) -> Leading:
        """The likeliest class of each task from its votes as columns (n,), and how sure it is.

        worker: (n,) numbers as in the fit, -1 for somebody it did not know. Rows in any order; nothing is held to gold.
        O(votes) memory; 1,000 tasks take about a millisecond.
        """
        order = np.argsort(task, kind="stable")
        starts = np.searchsorted(task[order], np.arange(n_tasks + 1))
        who = np.asarray(worker, dtype=np.int64)[order]
        said = np.asarray(code, dtype=np.int64)[order]
        skill = np.where(who >= 0, self.skill[np.maximum(who, 0)] if len(self.skill) else self.newcomer, self.newcomer)
        guess = self.guesses(who, said, seen=False)
        return leading_of(self, starts, said, self.knows(skill), guess, NO_GOLD)

    def posterior(
        self, task: NDArray[np.int64], n_tasks: int, worker: NDArray[np.int64], code: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """(n_tasks, K) the same as probabilities of every class: for few tasks at a time."""
        found = self.leading(task, n_tasks, worker, code)
        return found.dense(self.prior)

    def information(self, worker: NDArray[np.int64], posterior: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) nats that one judgement of each worker is expected to tell about a task of that posterior (K,).

        O(K) a worker: a worker who knows says the truth, one who does not says something else by the pool's habit.
        """
        skill = np.where(worker >= 0, self.skill[np.maximum(worker, 0)] if len(self.skill) else 0.0, self.newcomer)
        knows = self.knows(skill) @ SHARES
        said = knows[:, None] * posterior[None, :] + (1.0 - knows)[:, None] * self.habit[None, :]
        whole = -_plogp(said).sum(axis=1)
        each = (1.0 - knows)[:, None] * self.habit[None, :]
        right = knows[:, None] + each
        # H(said | truth = k): all but the k-th cell are the same for every k
        shared = _plogp(each)
        given = -(shared.sum(axis=1)[:, None] - shared + _plogp(right))
        return np.asarray(np.maximum(whole - given @ posterior, 0.0), dtype=np.float64)

    def guesses(self, worker: NDArray[np.int64], code: NDArray[np.int64], *, seen: bool) -> NDArray[np.float64]:
        """(n,) chance of each answer if it was guessed. seen: the answer itself is among those the habit is from."""
        return _guesses(
            self.said, self.times, self.made, self.habit, worker, code, len(self.prior), 1.0 if seen else 0.0
        )

    def freeze(self) -> bytes:
        """As bytes, single precision."""
        return msgspec.msgpack.encode(
            {
                "skill": self.skill.astype("<f4").tobytes(),
                "newcomer": self.newcomer,
                "said": self.said.astype("<i8").tobytes(),
                "times": self.times.astype("<f4").tobytes(),
                "made": self.made.astype("<f4").tobytes(),
                "prior": self.prior.astype("<f4").tobytes(),
                "habit": self.habit.astype("<f4").tobytes(),
                "difficulty": self.difficulty,
                "repeat": self.repeat,
            }
        )

    @classmethod
    def thaw(cls, state: bytes) -> CoinModel:
        """What `freeze` wrote."""
        kept = msgspec.msgpack.decode(state)

        def column(name: str) -> NDArray[np.float64]:
            return np.frombuffer(kept[name], "<f4").astype(np.float64)

        return cls(
            column("skill"),
            float(kept["newcomer"]),
            np.frombuffer(kept["said"], "<i8").astype(np.int64),
            column("times"),
            column("made"),
            column("prior"),
            column("habit"),
            float(kept["difficulty"]),
            float(kept["repeat"]),
        )


@dataclass(frozen=True, slots=True)
class Leading:
    """label: (n_tasks,) the likeliest class, -1 for a task without votes; confidence: (n_tasks,) that it is right.

    The other labels a task got: first[t]:first[t + 1] are rows of `labels` and `shares` (posterior of each); what is
    left belongs to the classes that nobody said. known: (n_votes,) P(the vote was known to its maker).
    """

    label: NDArray[np.int64]
    confidence: NDArray[np.float64]
    first: NDArray[np.int64]
    labels: NDArray[np.int64]
    shares: NDArray[np.float64]
    known: NDArray[np.float64]

    def dense(self, prior: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n_tasks, K) probabilities."""
        out = np.tile(prior, (len(self.label), 1))
        row = np.repeat(np.arange(len(self.label)), np.diff(self.first))
        out[row, self.labels] = 0.0
        left = 1.0 - np.bincount(row, weights=self.shares, minlength=len(self.label))
        total = out.sum(axis=1)
        out *= (np.maximum(left, 0.0) / np.maximum(total, 1e-300))[:, None]
        out[row, self.labels] = self.shares
        return np.asarray(out / out.sum(axis=1, keepdims=True), dtype=np.float64)


def cold_model(n_classes: int) -> CoinModel:
    """Before any judgement: the usual crowd."""
    even = np.full(n_classes, 1.0 / n_classes)
    none = np.zeros(0)
    return CoinModel(none, USUAL_SKILL, np.zeros(0, np.int64), none, none, even, even, USUAL_DIFFICULTY, USUAL_REPEAT)


def leading_of(
    model: CoinModel,
    starts: NDArray[np.int64],
    said: NDArray[np.int64],
    knows: NDArray[np.float64],
    guess: NDArray[np.float64],
    gold: NDArray[np.int16],
) -> Leading:
    """knows: (n, nodes) by vote."""
    n, tasks = len(said), len(starts) - 1
    label, confidence = np.empty(tasks, np.int64), np.empty(tasks)
    first, labels, shares = np.empty(tasks + 1, np.int64), np.empty(n + tasks, np.int64), np.empty(n + tasks)
    votes, none = np.zeros(n), np.zeros(n)
    infer(
        starts, np.arange(n), said, knows, guess, model.prior, model.repeat, gold, SHARES, NODES,
        label, confidence, first, labels, shares, votes, none, none.copy(), none.copy(), np.zeros(model.n_classes),
        np.zeros(4), np.empty(tasks),
    )  # fmt: skip
    return Leading(label, confidence, first, labels[: first[-1]], shares[: first[-1]], votes)


def _plogp(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(p * np.log(np.maximum(p, 1e-300)), dtype=np.float64)


@kernel
def _guesses(
    keys: NDArray[np.int64],
    times: NDArray[np.float64],
    made: NDArray[np.float64],
    habit: NDArray[np.float64],
    worker: NDArray[np.int64],
    code: NDArray[np.int64],
    classes: int,
    own: float,
) -> NDArray[np.float64]:
    out = np.empty(len(code))
    firm = max(HABIT, float(classes))
    for row in range(len(code)):
        w = worker[row]
        if w < 0 or w >= len(made):
            out[row] = habit[code[row]]
            continue
        key = w * classes + code[row]
        at = np.searchsorted(keys, key)
        count = times[at] if at < len(keys) and keys[at] == key else 0.0
        # an answer must not explain itself
        out[row] = (max(count - own, 0.0) + firm * habit[code[row]]) / (max(made[w] - own, 0.0) + firm)
    return out


@kernel
def infer(
    starts: NDArray[np.int64],
    worker: NDArray[np.int64],
    said: NDArray[np.int64],
    knows: NDArray[np.float64],
    guess: NDArray[np.float64],
    prior: NDArray[np.float64],
    repeat: float,
    gold: NDArray[np.int16],
    weight: NDArray[np.float64],
    nodes: NDArray[np.float64],
    best: NDArray[np.int64],
    confidence: NDArray[np.float64],
    first: NDArray[np.int64],
    labels: NDArray[np.int64],
    shares: NDArray[np.float64],
    votes: NDArray[np.float64],
    known: NDArray[np.float64],
    expected: NDArray[np.float64],
    information: NDArray[np.float64],
    mass: NDArray[np.float64],
    totals: NDArray[np.float64],
    evidence: NDArray[np.float64],
) -> None:
    """The posterior of each task over true answer, tempting answer and difficulty; and what it adds up to.

    knows: (W, nodes), by `worker`. The m labels of a task are places 0..m-1; place m stands for any class nobody said.
    totals: sum of squared difficulties (in its own unit), tasks, answers that repeat the tempting one, other guesses.
    """
    classes = len(prior)
    n_nodes = len(weight)
    place = np.empty(MOST_LABELS + 1, np.int64)
    joint = np.empty((MOST_LABELS + 1, MOST_LABELS + 1, n_nodes))
    at_truth = np.empty(MOST_LABELS + 1)
    longest = 0
    for t in range(len(starts) - 1):
        longest = max(longest, starts[t + 1] - starts[t])
    slot = np.empty(longest, np.int64)
    written = 0
    for t in range(len(starts) - 1):
        first[t] = written
        begin, end = starts[t], starts[t + 1]
        truth_known = gold[t] if len(gold) else -1
        m = 0
        for row in range(begin, end):
            where = 0
            while where < m and place[where] != said[row]:
                where += 1
            if where == m and m < MOST_LABELS:
                place[m] = said[row]
                m += 1
            slot[row - begin] = where  # MOST_LABELS, where there is no room: a label of its own that is never true
        if truth_known >= 0:
            where = 0
            while where < m and place[where] != truth_known:
                where += 1
            if where == m and m < MOST_LABELS:
                place[m] = truth_known
                m += 1
            fixed = where
        else:
            fixed = -1
        if m == 0:
            best[t] = -1
            evidence[t] = 0.0
            confidence[t] = 0.0
            for k in range(classes):
                confidence[t] = max(confidence[t], prior[k])
            continue
        others = 1.0
        for k in range(m):
            others -= prior[place[k]]
        others = max(others, 0.0) if classes > m else 0.0
        top = -1e300
        for k in range(m + 1):
            if fixed >= 0 and k != fixed:
                continue
            start = prior[place[k]] if k < m else others
            if start <= 0.0:
                for c in range(m + 1):
                    for j in range(n_nodes):
                        joint[k, c, j] = -1e300
                continue
            for c in range(m + 1):
                # the tempting answer is any of the other classes
                chance = 0.0
                if c < m:
                    chance = 1.0 / (classes - 1) if c != k and classes > 1 else 0.0
                else:
                    rest = classes - m if k < m else classes - m - 1
                    chance = rest / (classes - 1) if classes > 1 else 1.0
                for j in range(n_nodes):
                    if chance <= 0.0:
                        joint[k, c, j] = -1e300
                        continue
                    product = 1.0
                    scale = 0.0
                    for row in range(begin, end):
                        p = knows[worker[row], j]
                        tempted = repeat if slot[row - begin] == c and c < m else 0.0
                        likelihood = (1.0 - p) * (tempted + (1.0 - repeat) * guess[row])
                        if slot[row - begin] == k and k < m:
                            likelihood = p + (1.0 - p) * (1.0 - repeat) * guess[row]
                        product *= likelihood
                        if product < 1e-200:
                            scale += np.log(max(product, 1e-300))
                            product = 1.0
                    value = np.log(start * chance * weight[j] * max(product, 1e-300)) + scale
                    joint[k, c, j] = value
                    top = max(top, value)
        total = 0.0
        for k in range(m + 1):
            at_truth[k] = 0.0
            if fixed >= 0 and k != fixed:
                continue
            for c in range(m + 1):
                for j in range(n_nodes):
                    joint[k, c, j] = np.exp(joint[k, c, j] - top)
                    at_truth[k] += joint[k, c, j]
            total += at_truth[k]
        evidence[t] = top + np.log(total)
        lead = 0
        for k in range(m):
            at_truth[k] /= total
            mass[place[k]] += at_truth[k]
            labels[written] = place[k]
            shares[written] = at_truth[k]
            written += 1
            if at_truth[k] > at_truth[lead] or (at_truth[k] == at_truth[lead] and place[k] < place[lead]):
                lead = k
        best[t] = place[lead]
        confidence[t] = at_truth[lead]
        for k in range(m + 1):
            if fixed >= 0 and k != fixed:
                continue
            for c in range(m + 1):
                for j in range(n_nodes):
                    share = joint[k, c, j] / total
                    if share < 1e-9:
                        continue
                    totals[0] += share * nodes[j] * nodes[j]
                    for row in range(begin, end):
                        w = worker[row]
                        p = knows[w, j]
                        knew = 0.0
                        own = slot[row - begin]
                        if own == k and k < m:
                            noise = (1.0 - p) * (1.0 - repeat) * guess[row]
                            knew = p / (p + noise)
                            totals[3] += share * (1.0 - knew)
                        elif own == c and c < m:
                            again = repeat / (repeat + (1.0 - repeat) * guess[row])
                            totals[2] += share * again
                            totals[3] += share * (1.0 - again)
                        else:
                            totals[3] += share
                        votes[row] += share * knew
                        known[w] += share * knew
                        expected[w] += share * p
                        information[w] += share * p * (1.0 - p)
        totals[1] += 1.0
    first[len(starts) - 1] = written
