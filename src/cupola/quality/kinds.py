"""Judgements that are no single class, from a table to one answer each: text, boxes, masks, pairs, sets, ratings.

Every kind reads task, worker, label and writes one row an answer, with a confidence. How a label is written:
text as it is · box "x0 y0 x1 y1" (several of one person on one task: several rows) · mask "WxH start+length …", runs
along rows · pairs: the task "left|right" or "query|left|right", the label a, b or s (same) · multilabel "cat|dog",
empty for none of them · rating a number.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy
from cupola.labels import shapes
from cupola.labels.shapes.box import Box
from cupola.quality.inference.base import to_list
from cupola.quality.inference.codes import LABEL_COLUMNS, TASK_COLUMNS, WORKER_COLUMNS, find_column, in_order
from cupola.quality.inference.matching import cluster
from cupola.quality.inference.multilabel import multilabel
from cupola.quality.inference.pairs import FIRST, SECOND, TIE, bradley_terry
from cupola.quality.inference.ratings import rate
from cupola.quality.inference.rover import rover
from cupola.quality.inference.shapes import mask_iou, merge_coordinates, merge_masks
from cupola.quality.inference.tidy import tidy

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = Lazy("pyarrow")

OtherKind = Literal["text", "box", "mask", "pairs", "multilabel", "rating"]
BOX = re.compile(r"\s*-?\d+(\.\d+)?(\s+-?\d+(\.\d+)?){3}\s*")
MASK = re.compile(r"\d+x\d+( \d+\+\d+)*")
OUTCOMES = {"a": FIRST, "left": FIRST, "first": FIRST, "b": SECOND, "right": SECOND, "second": SECOND}
OUTCOMES |= {"s": TIE, "same": TIE, "tie": TIE}
SAME_OBJECT = 0.5  # IoU from which two boxes are of one thing
BOX_SUPPORT = 0.5  # share of those who looked that must have drawn it
LOOKED_AT = 2_000  # labels from which a kind is told
MOSTLY = 0.95
WORDS = 3.0  # mean words of a label from which it is text rather than a name
DISTINCT = 0.3  # share of labels that nobody else gave, in labels that are no classes
MANY_NUMBERS = 12


@dataclass(frozen=True, slots=True)
class Merged:
    """answers: one row for each (task, label, confidence, judgements; for ratings and pairs an error as well).

    confidence: text: weighted share of votes behind its words · box: share of those who looked that drew it ·
    mask: mean overlap (IoU) of what was drawn with the answer · multilabel: that every class is right · None elsewhere.
    workers: worker, judgements and one figure of each, named by what it is. notes: what was odd.
    """

    kind: OtherKind
    method: str
    answers: pa.Table
    workers: pa.Table | None
    judgements: int
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Rows:
    task: list[Any]
    worker: list[Any]
    label: list[Any]
    notes: list[str] = field(default_factory=list)

    def by_task(self) -> dict[Any, list[tuple[Any, Any]]]:
        out: dict[Any, list[tuple[Any, Any]]] = defaultdict(list)
        for task, worker, label in zip(self.task, self.worker, self.label, strict=True):
            out[task].append((worker, label))
        return {task: out[task] for task in in_order(list(out))}


def merge(
    judgements: Any, kind: OtherKind, *, task: str | None = None, worker: str | None = None, label: str | None = None
) -> Merged:
    """One answer for each task (each thing, for boxes and pairs). Raises Problem naming the row of a label that is none
    of the kind."""
    notes: list[str] = []

    def column(wanted: str | None, known: Sequence[str], what: str) -> list[Any]:
        values = judgements[find_column(judgements, wanted, known, what)]
        return to_list(values if what == "label" else tidy(values, what, notes))

    rows = _Rows(
        column(task, TASK_COLUMNS, "task"),
        column(worker, WORKER_COLUMNS, "worker"),
        column(label, LABEL_COLUMNS, "label"),
        notes,
    )
    if not rows.task:
        raise invalid("table-empty", "The table has no judgements.", remedy="Pass at least one row.")
    for what, values in (("task", rows.task), ("worker", rows.worker)):
        for row, value in enumerate(values):
            if value is None or value == "":
                raise invalid("cell-empty", f"The {what} column is empty in row {row}.", place=f"{what}, row {row}")
    return MERGERS[kind](rows)


def looks_like(labels: Sequence[Any], tasks: Sequence[Any]) -> OtherKind | None:
    """The kind that labels given as classes probably are; None where they look like classes."""
    shown = [label for label in labels[:LOOKED_AT] if label is not None]
    if not shown:
        return None
    text = [str(label) for label in shown]

    def mostly(fits: Callable[[str], object]) -> bool:
        return sum(bool(fits(one)) for one in text) >= MOSTLY * len(text)

    if mostly(BOX.fullmatch):
        return "box"
    if mostly(MASK.fullmatch):
        return "mask"
    if set(text) <= set(OUTCOMES) and all(str(one).count("|") in (1, 2) for one in tasks[:LOOKED_AT]):
        return "pairs"
    distinct = len(set(text))
    numbers = [value for one in text if (value := _number(one)) is not None]
    if len(numbers) == len(text):
        fractions = any(value != round(value) for value in numbers)
        return "rating" if distinct > MANY_NUMBERS and (fractions or distinct > DISTINCT * len(text)) else None
    if float(np.mean([len(one.split()) for one in text])) >= WORDS and distinct > DISTINCT * len(text):
        return "text"
    parts = {part for one in text for part in one.split("|")}
    return "multilabel" if any("|" in one for one in text) and len(parts) < distinct else None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _text(rows: _Rows) -> Merged:
    said = {
        str(task): [(str(worker), "" if label is None else str(label)) for worker, label in own]
        for task, own in rows.by_task().items()
    }
    found = rover(said)
    return Merged(
        "text",
        "rover",
        _answers(
            list(said),
            [found[task].text for task in said],
            [found[task].agreement for task in said],
            [len(own) for own in said.values()],
        ),
        None,
        len(rows.task),
        tuple(rows.notes),
    )


def _box(rows: _Rows) -> Merged:
    corners = [_corners(label, row) for row, label in enumerate(rows.label)]
    drawn: dict[Any, dict[Any, list[NDArray[np.float64]]]] = defaultdict(lambda: defaultdict(list))
    for task, worker, box in zip(rows.task, rows.worker, corners, strict=True):
        if box is None:
            drawn[task][worker]  # somebody who looked, and drew nothing
        else:
            drawn[task][worker].append(box)
    codes = {worker: code for code, worker in enumerate(in_order(list(set(rows.worker))))}
    objects: list[dict[int, NDArray[np.float64]]] = []
    tasks, support, members = [], [], []
    for task in in_order(list(drawn)):
        people = list(drawn[task])
        for one in cluster([drawn[task][who] for who in people], _apart, cutoff=1.0 - SAME_OBJECT):
            if one.support >= BOX_SUPPORT:
                objects.append({codes[people[who]]: drawn[task][people[who]][index] for who, index in one.members})
                tasks.append(task)
                support.append(one.support)
                members.append(len(one.members))
    if not objects:
        raise invalid("object-empty", "No box was drawn by half of those who looked.")
    sizes = [float(np.median([np.hypot(b[2] - b[0], b[3] - b[1]) for b in own.values()])) for own in objects]
    found = merge_coordinates(objects, scale=sizes)
    labels = [" ".join(f"{value:.10g}" for value in values) for values in found.values]
    made: dict[Any, int] = defaultdict(int)
    for worker in rows.worker:
        made[worker] += 1
    who = [worker for worker in codes if codes[worker] in found.spread_px]
    workers = pa.table(
        {
            "worker": who,
            "judgements": [made[worker] for worker in who],
            "relative_spread": [found.spread_px[codes[worker]] for worker in who],
        }
    )
    return Merged(
        "box",
        "weighted median",
        _answers(tasks, labels, support, members),
        workers,
        len(rows.task),
        tuple(rows.notes),
    )


def _corners(label: Any, row: int) -> NDArray[np.float64] | None:
    if label is None or str(label).strip() == "":
        return None
    if not BOX.fullmatch(str(label)):
        raise invalid(
            "label-kind",
            f"Row {row}: {str(label)[:60]!r} is no box.",
            remedy='Write "x0 y0 x1 y1".',
            place=f"row {row}",
        )
    x0, y0, x1, y1 = (float(part) for part in str(label).split())
    return np.array([min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)])


def _apart(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    first, second = (Box(x0, y0, x1 - x0, y1 - y0) for x0, y0, x1, y1 in (a.tolist(), b.tolist()))
    return 1.0 - float(shapes.of(first).similarity(first, second))


def _mask(rows: _Rows) -> Merged:
    tasks, labels, overlap, many = [], [], [], []
    painted = {row: _painted(label, row) for row, label in enumerate(rows.label)}
    by_task: dict[Any, list[NDArray[np.bool_]]] = defaultdict(list)
    for row, task in enumerate(rows.task):
        by_task[task].append(painted[row])
    for task in in_order(list(by_task)):
        own = by_task[task]
        if len({one.shape for one in own}) > 1:
            raise invalid("mask-size", f"Task {task!r} has masks of different sizes.", place=f"task {task}")
        merged = merge_masks(np.stack(own))[0]
        tasks.append(task)
        labels.append(_runs(merged))
        overlap.append(float(np.mean([mask_iou(one, merged) for one in own])))
        many.append(len(own))
    answers = _answers(tasks, labels, overlap, many)
    return Merged("mask", "pixelwise two-coin", answers, None, len(rows.task), tuple(rows.notes))


def _painted(label: Any, row: int) -> NDArray[np.bool_]:
    if label is None or not MASK.fullmatch(str(label)):
        raise invalid(
            "label-kind",
            f"Row {row}: {str(label)[:60]!r} is no mask.",
            remedy='Write "WxH start+length …", runs along rows.',
            place=f"row {row}",
        )
    size, *runs = str(label).split()
    width, height = (int(side) for side in size.split("x"))
    flat = np.zeros(width * height, np.bool_)
    for start, length in (run.split("+") for run in runs):
        if int(start) + int(length) > len(flat):
            raise invalid("mask-size", f"Row {row}: a run ends outside of {size}.", place=f"row {row}")
        flat[int(start) : int(start) + int(length)] = True
    return flat.reshape(height, width)


def _runs(mask: NDArray[np.bool_]) -> str:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask.ravel(), [False]]).astype(np.int8)))
    runs = [f"{start}+{stop - start}" for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)]
    return " ".join([f"{mask.shape[1]}x{mask.shape[0]}", *runs])


def _pairs(rows: _Rows) -> Merged:
    things: dict[str, int] = {}
    first: list[int] = []
    second: list[int] = []
    outcome: list[int] = []
    for row, (task, label) in enumerate(zip(rows.task, rows.label, strict=True)):
        parts = str(task).split("|")
        said = OUTCOMES.get(str(label).strip().casefold())
        if len(parts) not in (2, 3) or said is None:
            raise invalid(
                "label-kind",
                f"Row {row}: {task!r} with {label!r} is no comparison.",
                remedy='Write the task "left|right" or "query|left|right", the label a, b or s.',
                place=f"row {row}",
            )
        query = [*parts[:-2]]
        for side, name in zip((first, second), parts[-2:], strict=True):
            side.append(things.setdefault("|".join([*query, name]), len(things)))
        outcome.append(said)
    raters = {worker: code for code, worker in enumerate(in_order(list(set(rows.worker))))}
    rater = np.array([raters[worker] for worker in rows.worker])
    found = bradley_terry(np.array(first), np.array(second), np.array(outcome), rater, n_items=len(things))
    names = list(things)
    made = np.bincount(np.array([*first, *second]), minlength=len(things))
    order = found.order
    answers = pa.table(
        {
            "task": [names[item] for item in order],
            "label": found.strength[order],
            "error": found.error[order],
            "judgements": made[order],
        }
    )
    workers = pa.table({"worker": list(raters), "judgements": np.bincount(rater), "care": found.care})
    return Merged("pairs", "Bradley-Terry", answers, workers, len(rows.task), tuple(rows.notes))


def _multilabel(rows: _Rows) -> Merged:
    sets = [
        [] if label is None else [p for part in str(label).split("|") if (p := part.strip())] for label in rows.label
    ]
    classes = sorted({name for own in sets for name in own})
    code = {name: n for n, name in enumerate(classes)}
    tasks = {task: n for n, task in enumerate(in_order(list(set(rows.task))))}
    people = {worker: n for n, worker in enumerate(in_order(list(set(rows.worker))))}
    found = multilabel(
        [tasks[task] for task in rows.task],
        [people[worker] for worker in rows.worker],
        [[code[name] for name in own] for own in sets],
        max(len(classes), 1),
    )
    sure = np.where(found.chosen, found.probability, 1.0 - found.probability).prod(axis=1)
    labels = ["|".join(name for name, is_in in zip(classes, row, strict=False) if is_in) for row in found.chosen]
    many = np.bincount([tasks[task] for task in rows.task], minlength=len(tasks))
    answers = _answers(list(tasks), labels, sure.tolist(), many.tolist())
    return Merged("multilabel", "coin_ds of each class", answers, None, len(rows.task), tuple(rows.notes))


def _rating(rows: _Rows) -> Merged:
    values = []
    for row, label in enumerate(rows.label):
        value = None if label is None else _number(str(label))
        if value is None:
            raise invalid("label-kind", f"Row {row}: {label!r} is no number.", place=f"row {row}")
        values.append(value)
    tasks = {task: n for n, task in enumerate(in_order(list(set(rows.task))))}
    people = {worker: n for n, worker in enumerate(in_order(list(set(rows.worker))))}
    item = np.array([tasks[task] for task in rows.task])
    rater = np.array([people[worker] for worker in rows.worker])
    found = rate(item, rater, np.array(values))
    answers = pa.table(
        {
            "task": list(tasks),
            "label": found.value,
            "error": found.error,
            "judgements": np.bincount(item, minlength=len(tasks)),
        }
    )
    workers = pa.table(
        {
            "worker": list(people),
            "judgements": np.bincount(rater, minlength=len(people)),
            "bias": found.bias,
            "scale": found.scale,
            "noise": found.noise,
        }
    )
    return Merged("rating", "bias, scale and noise of each rater", answers, workers, len(rows.task), tuple(rows.notes))


def _answers(task: list[Any], label: list[str], confidence: list[float], judgements: list[int]) -> pa.Table:
    return pa.table({"task": task, "label": label, "confidence": confidence, "judgements": judgements})


MERGERS: dict[OtherKind, Callable[[_Rows], Merged]] = {
    "text": _text,
    "box": _box,
    "mask": _mask,
    "pairs": _pairs,
    "multilabel": _multilabel,
    "rating": _rating,
}
