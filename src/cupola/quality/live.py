"""The online side of inference: frozen parameters of a project, and vectorised decisions over its tasks.

Pure numbers: codes in, decisions out. Labels without codes (several classes, text, boxes) go through `agreeing`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.quality import standing
from cupola.quality.calibrate import DEFAULT_RHO, temper
from cupola.quality.choose import Choice, choose
from cupola.quality.course import Course, Prices, asked_on, course, knows_enough, may_give_up
from cupola.quality.inference.base import Crowd, Fit
from cupola.quality.inference.blend import doubted
from cupola.quality.inference.methods import METHODS
from cupola.quality.online import FLOOR, Plan, cold_start, newcomer
from cupola.quality.pool import Pool, paths

COLD_ACCURACY = 0.8
DRAWS = 4  # a gold that everybody judged is looked at so many times, each time through other few of its votes
FOLDS = 5
PROVEN_FROM = 15  # compared judgements of a person
RELIABILITY_EDGES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
# votes beforehand that echoed nothing; the most that is believed; further votes that are looked at, the newest
ECHO_HELD, MOST_ECHO, ECHO_ROWS = 5.0, 0.9, 20_000
CANDIDATES = ("one_coin", "dawid_skene", "coin_ds", "pool_ds", "blend")  # whose tables say all that they know
DEFAULT = "blend"
CLASSES_TO_CHOOSE = 64  # beyond, tables of every candidate cost more than the choice brings


@dataclass(frozen=True, slots=True)
class Parameters:
    """Frozen parameters of one project: confusion (W, K, K) P(said | truth) by worker, prior (K,), rho.

    version counts refits; version 0 is the cold start. `newcomer` (K, K) stands for workers no fit has seen.
    threshold: the confidence at which a task settles before there is a course, and the lowest at which any does.
    standing: (5,) what the confidence is made with (see the module of that name); None for the cold start, which only
    knows rho. reliability: (claimed, observed, n) by bins of confidence, over looks at golds whose truth neither the
    fit nor the coefficients had seen. activity: (W,) judgements of each, and compared: (W,) those of them that stand
    beside gold, an expert's answer or somebody else's; None in models of before. echo: see `pool.Pool`. course: when to
    settle, to ask on and to give up; None before the first fit.
    """

    version: int
    method: str
    rho: float
    prior: NDArray[np.float64]
    workers: dict[UUID, int]
    confusion: NDArray[np.float64]
    newcomer: NDArray[np.float64]
    judgements: int
    threshold: float
    standing: NDArray[np.float64] | None = None
    reliability: tuple[tuple[float, float, int], ...] = ()
    activity: NDArray[np.float64] | None = None
    echo: float = 0.0
    course: Course | None = None
    compared: NDArray[np.float64] | None = None

    @property
    def n_classes(self) -> int:
        return len(self.prior)

    def proven(self, worker: UUID) -> bool:
        """Whether a task may settle on what this person alone has said. Whose answers nobody has looked at seems as
        good as everybody, settles tasks that then nobody looks at, and so is never found out."""
        if self.compared is None:
            return True
        number = self.workers.get(worker)
        return number is not None and bool(self.compared[number] >= PROVEN_FROM)

    def tables(self, workers: list[UUID]) -> NDArray[np.float64]:
        """(n, K, K) log tables of these workers; who is unknown gets the newcomer's."""
        index = np.array([self.workers.get(worker, -1) for worker in workers], dtype=np.int64)
        some = np.broadcast_to(self.newcomer, (len(index), *self.newcomer.shape)).copy()
        some[index >= 0] = self.confusion[index[index >= 0]]
        return np.asarray(np.log(np.maximum(some, FLOOR)))

    def said(self, workers: list[UUID], code: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n, K) log P(what each of these workers said | truth): the columns of their tables, and no more of them."""
        index = np.array([self.workers.get(worker, -1) for worker in workers], dtype=np.int64)
        columns = np.ascontiguousarray(self.newcomer[:, code].T)
        known = index >= 0
        columns[known] = self.confusion[index[known], :, code[known]]
        return np.asarray(np.log(np.maximum(columns, FLOOR)))


def cold(n_classes: int, threshold: float = 0.995) -> Parameters:
    """Before any judgement: everybody is right four times in five."""
    table = cold_start(n_classes, COLD_ACCURACY)
    prior = np.full(n_classes, 1.0 / n_classes)
    return Parameters(0, "cold-start", DEFAULT_RHO, prior, {}, np.zeros((0, n_classes, n_classes)), table, 0, threshold)


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
    answered = int(((known >= 0) & (golds < 0)).sum())
    found = msgspec.structs.replace(found, given_up=may_give_up(answered, items))
    return replace(made, course=found, threshold=found.threshold)


def pool_of(parameters: Parameters) -> Pool:
    """Who judges, as a forecast takes it: everybody as often as they have judged so far."""
    tables = parameters.confusion if len(parameters.confusion) else parameters.newcomer[None]
    activity = np.ones(len(tables)) if parameters.activity is None else np.maximum(parameters.activity, 1e-9)
    basis = f"{parameters.judgements:,} judgements of this project" if parameters.judgements else "an assumed crowd"
    return Pool(
        tables,
        activity / activity.sum(),
        parameters.prior,
        parameters.rho,
        basis,
        parameters.standing,
        parameters.echo,
    )


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
        evidence, votes = _gathered(
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


def posteriors(
    parameters: Parameters, task: NDArray[np.int64], n_tasks: int, workers: list[UUID], code: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Calibrated posteriors (n_tasks, K) and votes (n_tasks,) from judgements as columns (n,)."""
    evidence, votes = _evidence(parameters, task, n_tasks, workers, code)
    if parameters.standing is None:
        return temper(evidence, votes, parameters.prior, parameters.rho), votes
    before = standing.tempered(evidence, votes, parameters.prior)
    agreeing = standing.agreement_with(before.argmax(axis=1), task, code)
    return _confident(parameters, evidence, votes, agreeing), votes


def _confident(
    parameters: Parameters, evidence: NDArray[np.float64], votes: NDArray[np.int64], agreeing: NDArray[np.float64]
) -> NDArray[np.float64]:
    if parameters.standing is None:
        return temper(evidence, votes, parameters.prior, parameters.rho)
    made_of = standing.features(evidence, votes, parameters.prior, agreeing)
    top = standing.worth(parameters.standing, made_of, parameters.n_classes)
    before = standing.tempered(evidence, votes, parameters.prior)
    # nobody has said anything of a task without votes: what is known of it is how common the classes are
    return np.where(votes[:, None] > 0, standing.placed(before, top), parameters.prior)


def _evidence(
    parameters: Parameters, task: NDArray[np.int64], n_tasks: int, workers: list[UUID], code: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(n_tasks, K) evidence and (n_tasks,) votes."""
    return _gathered(parameters.said(workers, code), task, code, n_tasks, parameters.prior, parameters.method)


def _gathered(
    said: NDArray[np.float64],
    task: NDArray[np.int64],
    code: NDArray[np.int64],
    n_tasks: int,
    prior: NDArray[np.float64],
    method: str,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Sums of log likelihoods said (n, K) by task, and the votes. A blend doubts what nobody said (see `blend`)."""
    evidence = np.zeros((n_tasks, len(prior)))
    np.add.at(evidence, task, said)
    votes = np.bincount(task, minlength=n_tasks)
    if method == "blend" and len(code):
        voted = np.zeros(evidence.shape, dtype=np.bool_)
        voted[task, code] = True
        evidence -= doubted(evidence + np.log(np.maximum(prior, FLOOR)), voted)[:, None] * ~voted
    return evidence, votes


def information(tables: NDArray[np.float64], posterior: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) nats that one judgement of each worker is expected to tell about a task.

    tables: (n, K, K) log P(said | truth); posterior: (K,). Mutual information of what is said and what is true.
    """
    joint = np.exp(tables) * posterior[None, :, None]
    said = joint.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = joint * (np.log(joint) - np.log(posterior)[None, :, None] - np.log(said)[:, None, :])
    return np.asarray(np.nansum(terms, axis=(1, 2)))


class _Frozen(msgspec.Struct):
    """Parameters as bytes."""

    version: int
    method: str
    rho: float
    prior: list[float]
    workers: list[UUID]
    confusion: bytes
    newcomer: bytes
    judgements: int
    threshold: float
    standing: list[float] | None = None  # absent in models of before
    reliability: tuple[tuple[float, float, int], ...] = ()
    activity: list[float] | None = None  # likewise
    echo: float = 0.0
    course: Course | None = None
    compared: list[float] | None = None  # likewise


def freeze(parameters: Parameters) -> bytes:
    """Parameters as bytes, for `model_version.state`: any past decision can be replayed from them."""
    by_number: list[Any] = [None] * len(parameters.workers)
    for worker, n in parameters.workers.items():
        by_number[n] = worker
    return msgspec.msgpack.encode(
        _Frozen(
            parameters.version,
            parameters.method,
            parameters.rho,
            parameters.prior.tolist(),
            by_number,
            parameters.confusion.astype("<f4").tobytes(),
            parameters.newcomer.astype("<f4").tobytes(),
            parameters.judgements,
            parameters.threshold,
            None if parameters.standing is None else parameters.standing.tolist(),
            parameters.reliability,
            None if parameters.activity is None else parameters.activity.tolist(),
            parameters.echo,
            parameters.course,
            None if parameters.compared is None else parameters.compared.tolist(),
        )
    )


def thaw(state: bytes) -> Parameters:
    """The parameters that `freeze` wrote (tables in single precision)."""
    frozen = msgspec.msgpack.decode(state, type=_Frozen)
    classes = len(frozen.prior)
    shape = (len(frozen.workers), classes, classes)
    return Parameters(
        frozen.version,
        frozen.method,
        frozen.rho,
        np.array(frozen.prior),
        {worker: n for n, worker in enumerate(frozen.workers)},
        np.frombuffer(frozen.confusion, "<f4").astype(float).reshape(shape),
        np.frombuffer(frozen.newcomer, "<f4").astype(float).reshape(classes, classes),
        frozen.judgements,
        frozen.threshold,
        None if frozen.standing is None else np.array(frozen.standing),
        frozen.reliability,
        None if frozen.activity is None else np.array(frozen.activity),
        frozen.echo,
        frozen.course,
        None if frozen.compared is None else np.array(frozen.compared),
    )
