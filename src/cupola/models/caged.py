"""Fitting and running models in children with limits, from the parent's side: what they answer is looked at before it
is believed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import Problem, invalid
from cupola.kernel.extras import module
from cupola.models.card import Card
from cupola.models.features import Matrix
from cupola.platform.cage import Cage, Held

FIT_MEMORY_BYTES = 4 * 1024**3
FIT_TIME_S = 3_600.0
RUN_MEMORY_BYTES = 2 * 1024**3
RUN_TIME_S = 60.0  # one call: a batch
MAX_ARTEFACT_BYTES = 256 * 1024**2
ROWS = 256  # of one call
OPEN = 4  # models that a process holds ready
SUM_SLACK = 0.01

fitting = Cage(
    "cupola.models.learner", children=1, memory_bytes=FIT_MEMORY_BYTES, time_s=FIT_TIME_S, what="model", sealed=True
)
running = Cage(
    "cupola.models.running", children=1, memory_bytes=RUN_MEMORY_BYTES, time_s=RUN_TIME_S, what="model", sealed=True
)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model as it came out of a fit. out_of_fold: (n, K) probabilities of the rows that it was fitted on."""

    onnx: bytes
    out_of_fold: NDArray[np.float32]
    temperature: float
    penalty: float
    log_loss: float
    cpu_s: float


def told(problem: Problem) -> Problem:
    """A problem of the cage in words for who brought a model."""
    if problem.code == "decode-time":
        return invalid(
            "model-time", "The model takes too long.", remedy="Make it smaller, or give it fewer items at once."
        )
    if problem.code == "decode-memory":
        return invalid("model-memory", "The model takes more memory than is given to it.", remedy="Make it smaller.")
    if problem.code == "decode-failed":
        broken = "The model breaks what runs it, or takes more memory than is given to it."
        return invalid(
            "model-failed",
            problem.detail if problem.detail.startswith("Something unforeseen") else broken,
            remedy="Try it with onnxruntime on your own machine first.",
        )
    return problem


def ready() -> None:
    """Raises Problem (INVALID, "library-absent") where the extra is not installed."""
    for name in ("sklearn", "onnx", "onnxruntime"):
        module(name, "learning")


def learner() -> Held:
    """A child that fits; whoever holds it ends it."""
    ready()
    return fitting.held()


def fitted(child: Held, rows: Matrix, codes: NDArray[np.int32], classes: int, *, seed: int, counts: bool) -> Fitted:
    """Fit a linear model (see `learner`). Raises Problem (INVALID)."""
    try:
        made = child("fit", rows.packed(), codes.astype(np.int32).tobytes(), classes, seed, counts)
    except Problem as problem:
        raise told(problem) from None
    out = np.frombuffer(made["out_of_fold"], np.float32).reshape(len(codes), classes)
    return Fitted(made["onnx"], out, made["temperature"], made["penalty"], made["log_loss"], made["cpu_s"])


class Running:
    """One model in a child of its own. Not for several threads at once; `close` ends it."""

    def __init__(self, file: bytes, card: Card, cage: Cage | None = None) -> None:
        """Raises Problem (INVALID) for a file that is no such model as its card says."""
        ready()
        if len(file) > MAX_ARTEFACT_BYTES:
            raise invalid("model-large", f"A model has at most {MAX_ARTEFACT_BYTES // 1024**2} MB.")
        self.card = card
        self._child = (cage or running).held()
        try:
            self.tensors: dict[str, Any] = self._child("open", file, card.input, card.output)
        except BaseException as error:
            self._child.kill()
            if isinstance(error, Problem):
                raise told(error) from None
            raise

    def predict(self, rows: Matrix) -> NDArray[np.float32]:
        """(n, K) probabilities of the card's classes, each row with a sum of one.

        Raises Problem (INVALID) for a model that takes too much or answers what is no such thing.
        """
        parts = []
        for since in range(0, rows.shape[0], ROWS):
            part = rows.rows(since, min(since + ROWS, rows.shape[0]))
            try:
                got = self._child("predict", part.packed())
            except BaseException as error:
                self._child.kill()
                if isinstance(error, Problem):
                    raise told(error) from None
                raise
            shape = tuple(got["shape"])
            wanted = (part.shape[0], len(self.card.classes))
            if shape != wanted:
                raise invalid(
                    "model-answers",
                    f"The model answers with shape {shape} for {wanted[0]} items of {wanted[1]} classes.",
                    place="/card/classes",
                    remedy="The card names as many classes as the output has columns.",
                )
            parts.append(probabilities(np.frombuffer(got["values"], np.float32).reshape(shape), self.card))
        return np.concatenate(parts) if parts else np.zeros((0, len(self.card.classes)), np.float32)

    def close(self) -> None:
        self._child.kill()


def probabilities(given: NDArray[np.float32], card: Card) -> NDArray[np.float32]:
    """What a model gave, as probabilities. Raises Problem (INVALID "model-answers") for what is none."""
    if not np.isfinite(given).all():
        raise invalid("model-answers", "The model answers numbers that are not finite.")
    if card.gives == "logits":
        shifted = np.exp((given - given.max(axis=1, keepdims=True)).astype(np.float64))
        return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)
    total = given.sum(axis=1)
    if (given < -1e-6).any() or (np.abs(total - 1.0) > SUM_SLACK).any():
        raise invalid(
            "model-answers",
            "The model's answers are no probabilities: below zero, or with a sum that is not one.",
            place="/card/gives",
            remedy='If they are logits, the card says "gives": "logits".',
        )
    clipped = np.maximum(given, 0.0)
    return np.asarray(clipped / clipped.sum(axis=1, keepdims=True), np.float32)


class Shelf:
    """The models that a process holds ready, by the hash of their file and card; the one unused for longest goes."""

    def __init__(self, most: int = OPEN) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._there: OrderedDict[str, tuple[Running, threading.Lock]] = OrderedDict()

    def predict(self, key: str, file: bytes | None, card: Card, rows: Matrix) -> NDArray[np.float32] | None:
        """(n, K) probabilities; None where the model is not here and no file was given. Raises Problem (INVALID)."""
        with self._lock:
            found = self._there.pop(key, None)
            if found is None:
                if file is None:
                    return None
                found = Running(file, card), threading.Lock()
            self._there[key] = found
            gone = [self._there.popitem(last=False)[1] for _ in range(len(self._there) - self._most)]
        for model, busy in gone:
            with busy:
                model.close()
        model, busy = found
        with busy:
            try:
                return model.predict(rows)
            except Problem:
                self.drop(key)
                raise

    def drop(self, key: str) -> None:
        with self._lock:
            found = self._there.pop(key, None)
        if found is not None:
            found[0].close()

    def close(self) -> None:
        with self._lock:
            there, self._there = list(self._there.values()), OrderedDict()
        for model, _ in there:
            model.close()


def classes_in(card: Card, names: Sequence[str]) -> NDArray[np.int64]:
    """(K,) place among `names` of each class of the card. Raises Problem (INVALID) for a class that is not there."""
    place = {name: n for n, name in enumerate(names)}
    strange = [name for name in card.classes if name not in place]
    if strange:
        raise invalid(
            "model-class-unknown",
            f"The model knows a class {strange[0]!r} that the project does not ask for.",
            place="/card/classes",
            remedy="The classes of the card are named as the project names them.",
        )
    return np.array([place[name] for name in card.classes], np.int64)
