"""The two types every method speaks: a Crowd goes in, a Fit comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cupola.kernel.errors import invalid
from cupola.kernel.jit import kernel
from cupola.kernel.limits import MAX_CLASSES
from cupola.quality.inference.codes import (
    LABEL_COLUMNS,
    TASK_COLUMNS,
    WORKER_COLUMNS,
    Codes,
    encode,
    find_column,
    in_order,
    rows_in_words,
)
from cupola.quality.inference.tidy import known_pairs, odd_names, tidy

MAX_TABLE_BYTES = 2 * 1024**3  # one (n_workers, K, K) table; above it only the sparse methods run
TINY = 1e-300

Duplicates = Literal["refuse", "keep", "first", "last"]


@dataclass(frozen=True, slots=True)
class Crowd:
    """Judgements as integer codes, sorted by task and within a task by worker.

    task: (n,) int32 in [0, n_tasks); worker: (n,) int32 in [0, n_workers); label: (n,) int16 in [0, n_classes).
    gold: (n_tasks,) int16, the known class of a task, -1 where none is known; None when there is no gold at all.
    starts: (n_tasks + 1,) int64, the rows of task t are starts[t]:starts[t + 1].
    Build it with `from_codes` or `from_frame`, which check and sort; the arrays are never written to.
    """

    task: NDArray[np.int32]
    worker: NDArray[np.int32]
    label: NDArray[np.int16]
    n_tasks: int
    n_workers: int
    n_classes: int
    gold: NDArray[np.int16] | None
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.task)

    @property
    def votes(self) -> NDArray[np.int64]:
        """(n_tasks,) judgements of each task."""
        return np.diff(self.starts)

    @classmethod
    def from_codes(
        cls,
        task: ArrayLike,
        worker: ArrayLike,
        label: ArrayLike,
        *,
        n_tasks: int | None = None,
        n_workers: int | None = None,
        n_classes: int | None = None,
        gold: ArrayLike | None = None,
        duplicates: Duplicates = "refuse",
    ) -> Self:
        """A Crowd from three equally long columns of codes, in any order of rows.

        Already sorted columns of the right type are taken without a copy.
        duplicates: what to do when one worker judged a task twice: "refuse", or "keep" both, or only the "first"
        or "last" in the order of rows.
        Raises Problem for codes out of range and for two judgements of one worker on one task, naming the rows.
        """
        columns = [np.asarray(task), np.asarray(worker), np.asarray(label)]
        names = ("task", "worker", "label")
        length = len(columns[0])
        sizes: list[int] = []
        for name, column, size in zip(names, columns, (n_tasks, n_workers, n_classes), strict=True):
            if column.ndim != 1 or len(column) != length:
                raise invalid("column-length", f"The {name} column has shape {column.shape}, not ({length},).")
            if length and not np.issubdtype(column.dtype, np.integer):
                raise invalid("column-type", f"The {name} codes are {column.dtype}, not whole numbers.", place=name)
            top = int(column.max()) + 1 if length else 0
            limit = top if size is None else size
            if length and (int(column.min()) < 0 or top > limit):
                rows = np.flatnonzero((column < 0) | (column >= limit))
                raise invalid(
                    f"{name}-unknown",
                    f"Row {rows_in_words(rows)}: {name} code outside 0..{limit - 1}.",
                    remedy=f"Mend the codes, or pass a larger n_{'classes' if name == 'label' else name + 's'}.",
                    place=f"{name}, row {int(rows[0])}",
                )
            sizes.append(limit)
        if sizes[2] > MAX_CLASSES:
            raise invalid("classes-too-many", f"{sizes[2]} classes; at most {MAX_CLASSES} are handled.")
        coded_task = np.ascontiguousarray(columns[0], dtype=np.int32)
        coded_worker = np.ascontiguousarray(columns[1], dtype=np.int32)
        coded_label = np.ascontiguousarray(columns[2], dtype=np.int16)
        if not _is_sorted(coded_task, coded_worker):
            order = _order(coded_task, coded_worker, sizes[0], sizes[1])
            coded_task, coded_worker, coded_label = coded_task[order], coded_worker[order], coded_label[order]
            twice = _duplicate(coded_task, coded_worker)
            if twice >= 0 and duplicates != "refuse":
                if duplicates != "keep":
                    one = _one_each(coded_task, coded_worker, duplicates == "last")
                    coded_task, coded_worker, coded_label = coded_task[one], coded_worker[one], coded_label[one]
            elif twice >= 0:
                first, second = sorted((int(order[twice]), int(order[twice + 1])))
                raise invalid(
                    "judgement-twice",
                    f"Rows {first} and {second} are two judgements of one worker on one task.",
                    remedy="A second look by the same person is not a second opinion: keep one of them "
                    "(duplicates='first' or 'last'), or count both (duplicates='keep').",
                    place=f"row {second}",
                )
        starts = np.zeros(sizes[0] + 1, np.int64)
        np.cumsum(np.bincount(coded_task, minlength=sizes[0]), out=starts[1:])
        known: NDArray[np.int16] | None = None
        if gold is not None:
            known = np.asarray(gold, dtype=np.int16)
            if known.shape != (sizes[0],):
                raise invalid("gold-length", f"gold has shape {known.shape}, not ({sizes[0]},).", place="gold")
            if len(known) and (int(known.min()) < -1 or int(known.max()) >= sizes[2]):
                rows = np.flatnonzero((known < -1) | (known >= sizes[2]))
                raise invalid("gold-unknown", f"Gold of task {rows_in_words(rows)} is not a class.", place="gold")
        return cls(coded_task, coded_worker, coded_label, sizes[0], sizes[1], sizes[2], known, starts)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        task: str | None = None,
        worker: str | None = None,
        label: str | None = None,
        classes: Sequence[Any] | None = None,
        gold: Any | None = None,
        duplicates: Duplicates = "refuse",
    ) -> tuple[Self, Codes]:
        """A Crowd and its Codes from a table with one row for each judgement.

        frame: pandas, polars or Arrow table, or a dict of columns; the columns are found by name
        (task, worker, label, and the names crowd-kit and others use), or named here.
        classes: every class there is, in order; else the labels that occur (and those of the gold), sorted.
        gold: a table with task and label columns, or a dict task -> label; tasks nobody judged are left out.
        Text is read in NFC and without spaces around it; what was odd is told in `Codes.notes`.
        Raises Problem naming the rows for empty cells, mixed types, unknown labels, duplicates, and gold that
        contradicts itself or spells a label otherwise.
        """
        notes: list[str] = []

        def read(wanted: str | None, known: Sequence[str], what: str) -> Any:
            return tidy(_column(frame, find_column(frame, wanted, known, what)), what, notes)

        tasks, task_names = encode(read(task, TASK_COLUMNS, "task"), "task")
        workers, worker_names = encode(read(worker, WORKER_COLUMNS, "worker"), "worker")
        said = read(label, LABEL_COLUMNS, "label")
        if len(tasks) == 0:
            raise invalid("table-empty", "The table has no judgements.", remedy="Pass at least one row.")
        _, seen = encode(said, "label")
        odd_names(seen, "label", notes)
        pairs = _gold_pairs(gold, [*seen, *(classes or ())], notes)
        if classes is None and pairs:
            extra = {value for _, value in pairs} - set(seen)
            try:
                classes = in_order([*seen, *extra])
            except TypeError:
                raise invalid(
                    "gold-type",
                    f"Gold labels are {type(next(iter(extra))).__name__}, "
                    f"the judgements' labels {type(seen[0]).__name__}.",
                    remedy="Give both columns one type.",
                    place="gold",
                ) from None
        labels, label_names = encode(said, "label", classes)
        known: NDArray[np.int16] | None = None
        if pairs:
            where_task = {name: code for code, name in enumerate(task_names)}
            where_label = {name: code for code, name in enumerate(label_names)}
            known = np.full(len(task_names), -1, np.int16)
            for row, (name, value) in enumerate(pairs):
                if value not in where_label:
                    raise invalid(
                        "gold-unknown", f"Gold row {row}: {value!r} is not a class.", place=f"gold, row {row}"
                    )
                if name in where_task:
                    known[where_task[name]] = where_label[value]
            if (known < 0).all():
                raise invalid(
                    "gold-unmatched",
                    f"No gold is of a task that was judged; the first is of {pairs[0][0]!r}, "
                    f"the first task judged is {task_names[0]!r}.",
                    remedy="Name the tasks alike in both tables, and give their columns one type.",
                    place="gold, row 0",
                )
        crowd = cls.from_codes(
            tasks,
            workers,
            labels,
            n_tasks=len(task_names),
            n_workers=len(worker_names),
            n_classes=len(label_names),
            gold=known,
            duplicates=duplicates,
        )
        return crowd, Codes(task_names, worker_names, label_names, tuple(notes))

    def with_gold(self, gold: NDArray[np.int16] | None) -> Crowd:
        """The same judgements with other golds; gold: (n_tasks,), -1 where none is known."""
        return Crowd(
            self.task, self.worker, self.label, self.n_tasks, self.n_workers, self.n_classes, gold, self.starts
        )

    def keep(self, rows: NDArray[np.bool_]) -> Crowd:
        """The judgements where `rows` (n,) is true; tasks, workers and classes keep their codes."""
        return Crowd.from_codes(
            self.task[rows],
            self.worker[rows],
            self.label[rows],
            n_tasks=self.n_tasks,
            n_workers=self.n_workers,
            n_classes=self.n_classes,
            gold=self.gold,
            duplicates="keep",
        )


@dataclass(frozen=True, slots=True)
class Fit:
    """What a method made of a Crowd.

    posterior: (n_tasks, K), each row sums to 1. It is the method's own claim and is too sure of itself:
      never show it; show `calibrate.calibrated`.
    confusion: (n_workers, K, K), confusion[w, k, l] = P(worker w says l | the truth is k); rows sum to 1.
    prior: (K,), the share of each class.
    method, iterations: how it was made; converged: whether it stopped by itself.
    log_likelihood: of the judgements under the fit (nats); comparable only between fits of one method.
    evidence: (n_tasks, K) log-likelihood of each task's votes, for methods that a confusion matrix alone
      does not describe; None where `evidence_of` computes it from the confusion.
    """

    posterior: NDArray[np.float64]
    confusion: NDArray[np.float64]
    prior: NDArray[np.float64]
    method: str
    iterations: int
    converged: bool = True
    log_likelihood: float = 0.0
    evidence: NDArray[np.float64] | None = None

    @property
    def label(self) -> NDArray[np.int16]:
        """(n_tasks,) the likeliest class; the lowest code among equals."""
        return np.asarray(np.argmax(self.posterior, axis=1), dtype=np.int16)

    @property
    def skill(self) -> NDArray[np.float64]:
        """(n_workers,) P(right) under the class prior. Optimistic: never pay or sanction on it."""
        diagonal = np.diagonal(self.confusion, axis1=1, axis2=2)
        return np.asarray(diagonal @ self.prior, dtype=np.float64)


def evidence_of(fit: Fit, crowd: Crowd) -> NDArray[np.float64]:
    """(n_tasks, K) sum over a task's votes of log P(vote | class), gold or not."""
    if fit.evidence is not None:
        return fit.evidence
    table = np.log(np.maximum(np.ascontiguousarray(fit.confusion.transpose(0, 2, 1)), TINY))
    out = np.zeros((crowd.n_tasks, crowd.n_classes))
    _sum_rows(crowd.starts, crowd.worker, crowd.label, table, out)
    return out


def check_table(crowd: Crowd, method: str) -> None:
    """Refuse a table of confusions that would not fit in memory."""
    need = crowd.n_workers * crowd.n_classes**2 * 8
    if need > MAX_TABLE_BYTES:
        raise invalid(
            "classes-too-many",
            f"{method} would hold {need / 1e9:.1f} GB: {crowd.n_workers} workers x {crowd.n_classes}^2 classes.",
            remedy="Use method 'sparse_coin', made for many classes.",
        )


def _column(frame: Any, name: str) -> Any:
    return frame[name]


def _gold_pairs(gold: Any | None, said: Sequence[Any], notes: list[str]) -> list[tuple[Any, Any]]:
    if gold is None:
        return []
    names = column_names_or_none(gold)
    if names is not None and any(name in names for name in TASK_COLUMNS) and any(n in names for n in LABEL_COLUMNS):
        told: list[str] = []
        tasks = to_list(tidy(_column(gold, find_column(gold, None, TASK_COLUMNS, "task")), "task", told))
        labels = to_list(tidy(_column(gold, find_column(gold, None, LABEL_COLUMNS, "label")), "label", told))
        notes += [f"Gold: {note}" for note in told]
    elif isinstance(gold, dict):
        tasks, labels = list(gold.keys()), list(gold.values())
    else:
        raise invalid("gold-type", "gold is neither a table with task and label, nor a dict task -> label.")
    return known_pairs(tasks, labels, said, notes)


def column_names_or_none(frame: Any) -> list[str] | None:
    """The column names of anything that has them."""
    names = frame.keys() if isinstance(frame, dict) else getattr(frame, "column_names", getattr(frame, "columns", None))
    return None if names is None else [str(name) for name in names]


def to_list(column: Any) -> list[Any]:
    """A column as Python values."""
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(column, method):
            return list(getattr(column, method)())
    return list(column)


@kernel
def _is_sorted(task: NDArray[np.int32], worker: NDArray[np.int32]) -> bool:
    """Whether rows ascend strictly by (task, worker)."""
    for row in range(1, len(task)):
        if task[row] < task[row - 1] or (task[row] == task[row - 1] and worker[row] <= worker[row - 1]):
            return False
    return True


@kernel
def _duplicate(task: NDArray[np.int32], worker: NDArray[np.int32]) -> int:
    """The first of two neighbouring rows with the same (task, worker); -1 if none."""
    for row in range(1, len(task)):
        if task[row] == task[row - 1] and worker[row] == worker[row - 1]:
            return row - 1
    return -1


@kernel
def _one_each(task: NDArray[np.int32], worker: NDArray[np.int32], last: bool) -> NDArray[np.bool_]:
    """Which sorted rows to keep so that each (task, worker) stays once: its first or its last row."""
    keep = np.ones(len(task), np.bool_)
    for row in range(1, len(task)):
        if task[row] == task[row - 1] and worker[row] == worker[row - 1]:
            keep[row - 1 if last else row] = False
    return keep


@kernel
def _order(task: NDArray[np.int32], worker: NDArray[np.int32], n_tasks: int, n_workers: int) -> NDArray[np.int64]:
    """The stable order by (task, worker): two counting sorts, linear in the rows."""
    n = len(task)
    first = np.empty(n, np.int64)
    place = np.zeros(n_workers + 1, np.int64)
    for row in range(n):
        place[worker[row] + 1] += 1
    for w in range(n_workers):
        place[w + 1] += place[w]
    for row in range(n):
        first[place[worker[row]]] = row
        place[worker[row]] += 1
    out = np.empty(n, np.int64)
    place = np.zeros(n_tasks + 1, np.int64)
    for row in range(n):
        place[task[row] + 1] += 1
    for t in range(n_tasks):
        place[t + 1] += place[t]
    for position in range(n):
        row = first[position]
        out[place[task[row]]] = row
        place[task[row]] += 1
    return out


@kernel
def _sum_rows(
    starts: NDArray[np.int64],
    worker: NDArray[np.int32],
    label: NDArray[np.int16],
    table: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """out[t] += table[worker, label] over the votes of t; table: (W, said, truth)."""
    classes = out.shape[1]
    for t in range(len(starts) - 1):
        for row in range(starts[t], starts[t + 1]):
            w = worker[row]
            said = label[row]
            for k in range(classes):
                out[t, k] += table[w, said, k]
