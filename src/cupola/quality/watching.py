"""What a refit notices about people: signals for a human to look at, and how much gold each of them meets next.

Pure numbers. A flag is never a sanction; the only thing that follows by itself is that whoever seems to have changed
meets more gold, which costs them nothing and clears them soonest.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from cupola.platform.runtime import short_name
from cupola.quality import policy
from cupola.quality.inference.base import Crowd, Fit
from cupola.quality.live import Parameters
from cupola.quality.model import WorkerFlag
from cupola.quality.workers_flags import all_flags

# Everybody judges every gold. Pairs grow with the square of that, and a few dozen say as much.
PAIRED_VOTES = 30
NEWEST = 500_000  # judgements that are looked at; a signal of long ago helps nobody


def signals(
    parameters: Parameters,
    task: NDArray[np.int64],
    worker: NDArray[np.int64],
    code: NDArray[np.int64],
    known: NDArray[np.int16],
    workers: Sequence[UUID],
    model_label: NDArray[np.int16] | None,
) -> list[list[WorkerFlag]]:
    """The flags of each worker.

    task, worker, code: (n,) in the order of time. known: (n_tasks,) what gold and experts say, -1 unknown.
    workers: who the numbers are. model_label: (n_tasks,) what a model said beforehand, -1 unknown, or None.
    """
    task, worker, code = task[-NEWEST:], worker[-NEWEST:], code[-NEWEST:]
    order = np.argsort(task, kind="stable")
    starts = np.searchsorted(task[order], np.arange(len(known)))
    place = np.empty(len(task), np.int64)
    place[order] = np.arange(len(task)) - starts[task[order]]
    heard = place < PAIRED_VOTES
    crowd = Crowd.from_codes(
        task[heard],
        worker[heard],
        code[heard],
        n_tasks=len(known),
        n_workers=len(workers),
        n_classes=parameters.n_classes,
        gold=known,
        duplicates="keep",
    )
    fit = Fit(
        np.zeros((len(known), parameters.n_classes)), parameters.confusion, parameters.prior, parameters.method, 0
    )
    # the crowd sorts its rows by task and worker
    when = np.flatnonzero(heard)[np.lexsort((worker[heard], task[heard]))]
    found: list[list[WorkerFlag]] = [[] for _ in workers]
    for flag in all_flags(fit, crowd, parameters.rho, position=when, model_label=model_label):
        found[flag.worker].append(
            WorkerFlag(
                flag.kind,
                round(flag.strength, 3),
                flag.unit,
                flag.judgements,
                [short_name(workers[other]) for other in flag.others],
                flag.evidence,
                {name: round(float(figure), 4) for name, figure in flag.figures.items()},
            )
        )
    return found


def gold_rates(
    plan_rate: float,
    target_accuracy: float,
    seen: NDArray[np.int64],
    low: NDArray[np.float64],
    flags: Sequence[Sequence[WorkerFlag]],
) -> list[float | None]:
    """How much of each worker's next pages is gold; None is the plan's own rate.

    The proven meet half of it, whoever seems to drift two and a half times as much (see `policy.gold_rate`).
    """
    out: list[float | None] = []
    for n, raised in enumerate(flags):
        alarm = any(flag.kind == "drift" for flag in raised)
        if int(seen[n]) < policy.ENTRY_GOLDS:
            out.append(None)  # the claim sees to newcomers
            continue
        rate = policy.gold_rate(int(seen[n]), float(low[n]), target_accuracy, alarm=alarm)
        out.append(None if rate == policy.GOLD_RATE else min(plan_rate * rate / policy.GOLD_RATE, 1.0))
    return out
