"""A project's parameters fitted on all its judgements: the method, the tables, the confidence and the course."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from cupola.quality import standing
from cupola.quality.choose import Choice, choose
from cupola.quality.course import Prices, asked_on, course, knows_enough
from cupola.quality.inference.base import Crowd, Fit
from cupola.quality.inference.methods import METHODS
from cupola.quality.live import DEFAULT, Parameters, gathered, pool_of, posteriors
from cupola.quality.online import FLOOR, Plan, newcomer
from cupola.quality.pool import paths

DRAWS = 4  # a gold that everybody judged is looked at so many times, each time through other few of its votes
FOLDS = 5
RELIABILITY_EDGES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
# votes beforehand that echoed nothing; the most that is believed; further votes that are looked at, the newest
ECHO_HELD, MOST_ECHO, ECHO_ROWS = 5.0, 0.9, 20_000
CANDIDATES = ("one_coin", "dawid_skene", "coin_ds", "pool_ds", "blend")  # whose tables say all that they know
CLASSES_TO_CHOOSE = 64  # beyond, tables of every candidate cost more than the choice brings


def refit(
    before: Parameters,
    tasks: NDArray[np.int64],
    workers: NDArray[np.int64],
    codes: NDArray[np.int64],
    worker_ids: list[UUID],
    known: NDArray[np.int16],
    golds: NDArray[np.int16],
    *,
    target_accuracy: float,
    share: float,
    plan: Plan,
    prices: Prices,
    items: int,
) -> Parameters:
    """Fit the project's model on all its judgements: task, worker, code as columns (n,).

    known: (n_tasks,) what gold and experts say, -1 unknown; the fit is held to it. golds: the golds alone, which were
    drawn blindly. They choose the method and rho, by fits that were not told them; the confidence is fitted to what
    experts said as well, each task looked at by a fit that was told the others (`looked_at`). An expert sees the
    doubtful tasks, but what makes a task doubtful is what the confidence is made of, and given that, the choice says
    nothing more.
    The course is the cheapest that leaves no more than `share` of the allowed error in the whole release, counting what
    the experts take over. items: tasks of the project; plan: how many judgements each may get; prices: of these.
    """
    classes = before.n_classes
    n_tasks, n_workers = len(known), len(worker_ids)
    few = thinned(tasks, workers, codes, golds, known, n_workers, classes, plan.max_votes)
    chosen = choose(
        few.crowd, golds, candidates=CANDIDATES if classes <= CLASSES_TO_CHOOSE else (DEFAULT,), default=DEFAULT
    )
    crowd = Crowd.from_codes(
        tasks, workers, codes, n_tasks=n_tasks, n_workers=n_workers, n_classes=classes, gold=known, duplicates="last"
    )
    made_of, right = looked_at(few, crowd, known, chosen)
    coefficients = standing.fitted(made_of, right, few.heard)
    fit = METHODS[chosen.method](crowd)
    counts = np.bincount(workers, minlength=n_workers).astype(float)
    seen = (np.bincount(tasks, minlength=n_tasks) > 1) | (known >= 0)
    compared = np.bincount(workers[seen[tasks]], minlength=n_workers).astype(float)
    made = Parameters(
        before.version + 1,
        fit.method,
        chosen.rho,
        fit.prior,
        {worker: n for n, worker in enumerate(worker_ids)},
        fit.confusion,
        newcomer(fit.confusion, np.maximum(counts, 1e-9)),
        len(codes),
        1.0,
        coefficients,
        reliability(made_of, right, few.heard, few.source, classes),
        counts,
        compared=compared,
    )
    made = replace(made, echo=echo(made, tasks, worker_ids, workers, codes, n_tasks, plan.max_votes))
    pool, rng = pool_of(made), np.random.default_rng(made.version)
    found = course(
        paths(pool, plan.max_votes, rng),
        target_accuracy,
        prices,
        min_votes=plan.min_votes,
        share=share,
        gives_up=knows_enough(int(compared.sum()), items, prices),
    )
    found = asked_on(found, paths(replace(pool, echo=0.0), plan.max_votes, rng), target_accuracy, share)
    return replace(made, course=found, threshold=found.threshold)


def echo(
    parameters: Parameters,
    tasks: NDArray[np.int64],
    worker_ids: list[UUID],
    workers: NDArray[np.int64],
    codes: NDArray[np.int64],
    n_tasks: int,
    max_votes: int,
) -> float:
    """How often a further vote says what leads beyond what the tables foretell, 0 to MOST_ECHO.

    Each vote is put beside what the votes before it made likely, so it does not matter that only doubtful tasks get
    many. tasks, workers, codes: (n,) in the order of time.
    """
    order = np.argsort(tasks, kind="stable")
    starts = np.searchsorted(tasks[order], np.arange(n_tasks))
    place = np.empty(len(tasks), np.int64)
    place[order] = np.arange(len(tasks)) - starts[tasks[order]]
    foretold, seen, made = 0.0, 0.0, 0
    for votes in range(1, max_votes):
        rows = np.flatnonzero(place < votes)
        nxt = np.flatnonzero(place == votes)[-ECHO_ROWS:]
        if len(nxt) == 0:
            break
        rows = rows[np.isin(tasks[rows], tasks[nxt])]
        some, task = np.unique(tasks[rows], return_inverse=True)
        sure, _ = posteriors(parameters, task, len(some), [worker_ids[w] for w in workers[rows]], codes[rows])
        at = np.searchsorted(some, tasks[nxt])
        leader = sure.argmax(axis=1)[at]
        foretold += float((sure[at] * parameters.confusion[workers[nxt], :, leader]).sum())
        seen += float((codes[nxt] == leader).sum())
        made += len(nxt)
    # as if so many votes had echoed nothing beyond what is foretold
    return float(np.clip((seen - foretold) / max(made - foretold + ECHO_HELD, 1e-9), 0.0, MOST_ECHO))


def looked_at(
    few: Thinned, crowd: Crowd, known: NDArray[np.int16], chosen: Choice
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(n_pieces, 5) what the confidence of each look is made of, and (n_pieces,) whether its leader is right: each fold
    of the known tasks by a fit that was told all others.

    Decisions are made by a fit that is told what golds and experts say, and that knows people better for it. Looked at
    through a fit that was told nothing, good evidence would seem to say as little as bad. crowd: all judgements.
    """
    told = np.unique(few.source)
    if len(told) < 2 * FOLDS:
        return few.features(chosen.fit, known)
    fold = np.full(len(known), -1, np.int64)
    fold[told] = np.arange(len(told)) % FOLDS
    made_of = np.zeros((len(few.source), len(standing.USUAL)))
    right = np.zeros(len(few.source), np.bool_)
    for k in range(FOLDS):
        hidden = fold == k
        fit = METHODS[chosen.method](few.beside(crowd, known, hidden))
        here = hidden[few.source]
        features, answer = few.features(fit, known)
        made_of[here], right[here] = features[here], answer[here]
    return made_of, right


@dataclass(frozen=True, slots=True)
class Thinned:
    """A crowd in which no gold has more votes than a task gets, and looks at the golds through a few votes each.

    crowd: with the golds thinned, not told. piece, worker, code: the (m,) votes of all looks; source: (n_pieces,) the
    task each look is of; heard: (n_pieces,) how much it counts, so that a gold counts once. A task that an expert has
    settled is looked at once, as it stands.
    """

    crowd: Crowd
    piece: NDArray[np.int64]
    worker: NDArray[np.int64]
    code: NDArray[np.int64]
    source: NDArray[np.int64]
    heard: NDArray[np.float64]

    def features(self, fit: Fit, known: NDArray[np.int16]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """(n_pieces, 5) what the confidence of each look is made of, and (n_pieces,) whether its leader is right."""
        tables = np.log(np.maximum(fit.confusion, FLOOR))
        evidence, votes = gathered(
            tables[self.worker, :, self.code], self.piece, self.code, len(self.source), fit.prior, fit.method
        )
        best = standing.tempered(evidence, votes, fit.prior).argmax(axis=1)
        agreeing = standing.agreement_with(best, self.piece, self.code)
        return standing.features(evidence, votes, fit.prior, agreeing), best == known[self.source]

    def beside(self, crowd: Crowd, known: NDArray[np.int16], hidden: NDArray[np.bool_]) -> Crowd:
        """The crowd told what is known of all but the hidden (n_tasks,) tasks, of which it has thinned votes."""
        whole, part = ~hidden[crowd.task], hidden[self.crowd.task]
        return Crowd.from_codes(
            np.concatenate([crowd.task[whole], self.crowd.task[part]]),
            np.concatenate([crowd.worker[whole], self.crowd.worker[part]]),
            np.concatenate([crowd.label[whole], self.crowd.label[part]]),
            n_tasks=crowd.n_tasks,
            n_workers=crowd.n_workers,
            n_classes=crowd.n_classes,
            gold=np.where(hidden, -1, known).astype(np.int16),
            duplicates="keep",
        )


def thinned(
    tasks: NDArray[np.int64],
    workers: NDArray[np.int64],
    codes: NDArray[np.int64],
    golds: NDArray[np.int16],
    known: NDArray[np.int16],
    n_workers: int,
    classes: int,
    max_votes: int,
) -> Thinned:
    """Everybody judges every gold, while decisions rest on a few votes: so golds are looked at through a few as well.

    Which votes, and how many (1 to max_votes), is drawn from a seed that the data give: the same data, the same model.
    """
    rng = np.random.default_rng([len(tasks), classes])
    gold_rows = np.flatnonzero(golds[tasks] >= 0)
    keep = np.ones(len(tasks), dtype=np.bool_)
    pieces: list[NDArray[np.int64]] = []
    rows: list[NDArray[np.int64]] = []
    sources: list[NDArray[np.int64]] = []
    made = 0
    for draw in range(DRAWS if len(gold_rows) else 0):
        shuffled = gold_rows[np.lexsort((rng.random(len(gold_rows)), tasks[gold_rows]))]
        task = tasks[shuffled]
        first = np.concatenate([[True], task[1:] != task[:-1]])
        number = np.cumsum(first) - 1
        place = np.arange(len(task)) - np.flatnonzero(first)[number]
        seen = place < rng.integers(1, max_votes + 1, int(number[-1]) + 1)[number]
        if draw == 0:
            keep[shuffled[~seen]] = False
        pieces.append(number[seen] + made)
        rows.append(shuffled[seen])
        sources.append(task[first])
        made += int(number[-1]) + 1
    looks = np.full(made, 1.0 / DRAWS)
    expert_rows = np.flatnonzero((known[tasks] >= 0) & (golds[tasks] < 0))
    if len(expert_rows):
        task, number = np.unique(tasks[expert_rows], return_inverse=True)
        pieces.append(number + made)
        rows.append(expert_rows)
        sources.append(task)
        looks = np.concatenate([looks, np.ones(len(task))])
    crowd = Crowd.from_codes(
        tasks[keep],
        workers[keep],
        codes[keep],
        n_tasks=len(golds),
        n_workers=n_workers,
        n_classes=classes,
        duplicates="last",
    )
    none = np.zeros(0, np.int64)
    row = np.concatenate([none, *rows])
    return Thinned(
        crowd,
        np.concatenate([none, *pieces]),
        workers[row],
        codes[row],
        np.concatenate([none, *sources]),
        looks,
    )


def reliability(
    made_of: NDArray[np.float64],
    right: NDArray[np.bool_],
    heard: NDArray[np.float64],
    source: NDArray[np.int64],
    classes: int,
) -> tuple[tuple[float, float, int], ...]:
    """What was claimed, what was right, and of how many golds, by bins: each look under what the other golds gave."""
    golds, number = np.unique(source, return_inverse=True)
    if len(golds) < 2 * FOLDS:
        return ()
    fold = number % FOLDS
    claimed = np.empty(len(right))
    for k in range(FOLDS):
        here, rest = fold == k, fold != k
        claimed[here] = standing.worth(standing.fitted(made_of[rest], right[rest], heard[rest]), made_of[here], classes)
    bins = np.digitize(claimed, RELIABILITY_EDGES)
    return tuple(
        (float(claimed[bins == b].mean()), float(right[bins == b].mean()), round(float(heard[bins == b].sum())))
        for b in np.unique(bins)
    )
