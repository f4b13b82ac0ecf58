"""Parameters as bytes, for `model_version.state`: any past decision can be replayed from them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import numpy as np

from cupola.quality.course import Course
from cupola.quality.live import Parameters


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
