"""Shapes of models, their versions and their runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from cupola.models.card import Provider
from cupola.quality.certify import clopper_pearson_lower, clopper_pearson_upper

Source = Literal["learner", "onnx"]
Verb = Literal["fit", "predict"]
AcceptState = Literal["drawing", "calibrating", "on", "refused", "off"]
JudgedBy = Literal["experts", "crowd"]
RunState = Literal["waiting", "running", "done", "failed", "cancelled"]
Step = Literal["", "reading", "fitting", "predicting"]
MOST_CONFUSIONS = 30
BINS = 10


@dataclass(frozen=True, slots=True)
class LearnedModel:
    """A model of an organisation. source: learner (fitted here) or onnx (brought). versions: how many there are."""

    id: UUID
    name: str
    source: Source
    versions: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class FeaturesView:
    """What a model reads of an item (models.card.Features)."""

    provider: Provider
    dims: int | None = None
    side_px: int | None = None
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    columns: list[str] = field(default_factory=list)
    key: str = "embedding"


@dataclass(frozen=True, slots=True)
class CardView:
    """The card of a version (models.card.Card), with its defaults filled in."""

    classes: list[str]
    features: FeaturesView
    kind: str = "choice"
    input: str = "features"
    output: str = "probabilities"
    gives: str = "probabilities"
    about: str = ""
    licence: str = ""
    trained_on: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """right of n, with the two-sided exact 95 % interval of the share."""

    value: float
    low: float
    high: float
    right: int
    n: int


@dataclass(frozen=True, slots=True)
class OfClass:
    """How many tasks are of a class, how many of them were found, how often it was right to say so."""

    name: str
    n: int
    recall: float | None
    precision: float | None


@dataclass(frozen=True, slots=True)
class Mistaken:
    """How often one class was taken for another."""

    truth: str
    said: str
    n: int


@dataclass(frozen=True, slots=True)
class Metrics:
    """What predictions out of fold are worth (see `measured`). temperature, penalty: of the learner."""

    accuracy: Share
    majority: float
    log_loss: float
    ece: float
    classes: list[OfClass]
    confusions: list[Mistaken]
    temperature: float | None = None
    penalty: float | None = None


@dataclass(frozen=True, slots=True)
class LearnedVersion:
    """A version of a model. made_from: the version that it is a smaller one of."""

    model: UUID
    version: int
    card: CardView
    sha256: str
    size_bytes: int
    run: UUID | None
    made_from: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LearningRun:
    """A fit of a model on what people settled, or a model asked of a project's tasks.

    labels: settled tasks that it was fitted on; labels_sha256: of their identifiers and labels; tasks_done of
    tasks_total: of which it has said something, or could not (left_out); metrics: `measured`; environment: what it was
    computed with. The same seed, labels and environment give the same file.
    """

    id: UUID
    project: UUID
    model: UUID
    model_name: str
    verb: Verb
    version: int | None
    state: RunState
    step: Step
    seed: int
    labels: int | None
    labels_sha256: str | None
    tasks_done: int
    tasks_total: int
    opinions: int
    left_out: int
    cpu_s: float
    metrics: Metrics | None
    environment: dict[str, str] | None
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class OfSlice:
    """What was certified of a slice (accept.SliceCertificate). name: "" of what has none."""

    name: str
    tasks: int
    sample: int
    wrong: int
    threshold: float | None
    would_settle: float
    error_upper: float
    watch_limit: float


@dataclass(frozen=True, slots=True)
class AutoAccept:
    """A model that settles alone, where it stands.

    limit: of all tasks of the batch, the share that may get a wrong label from it; judged_by: who settles the sample;
    slice_by: a member of the items' metadata; later: tasks that came after the draw too, under the watch alone;
    commitment: SHA-256 of the seed, which is told with the certificate. tasks: of the batch; sample, of which
    sample_settled are settled; settled: by the model; watched: tasks that it would have settled and people are given,
    of which watched_settled are, and watched_wrong differ; promised: after so many of these an error of three times
    the limit is noticed, nine times in ten.
    """

    id: UUID
    project: UUID
    model: UUID
    model_name: str
    version: int
    state: AcceptState
    limit: float
    confidence: float
    judged_by: JudgedBy
    slice_by: str | None
    later: bool
    audit_share: float
    commitment: str
    seed: str | None
    tasks: int
    sample: int
    sample_settled: int
    settled: int
    watched: int
    watched_settled: int
    watched_wrong: int
    promised: int
    slices: list[OfSlice]
    why: str | None
    created_at: datetime
    drawn_at: datetime | None
    certified_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ordered:
    """A queue that was put into another order. tasks: that nobody has begun and the version had an opinion of; floor:
    those of them that stand where they stand by chance."""

    model_name: str
    version: int
    tasks: int
    floor: int


@dataclass(frozen=True, slots=True)
class GivenBack:
    """tasks: that a model had settled and people settle now."""

    tasks: int


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a version says of one item. probabilities: of the likeliest classes, at most twenty."""

    label: str
    confidence: float
    probabilities: dict[str, float]


@dataclass(frozen=True, slots=True)
class Predictions:
    """In the order of the items. remembered: how many of them had been said before."""

    model: UUID
    version: int
    predictions: list[Predicted]
    remembered: int


def interval(right: int, n: int, confidence: float = 0.95) -> dict[str, float | int]:
    """A share with its two-sided exact interval (Clopper-Pearson)."""
    side = 1.0 - (1.0 - confidence) / 2.0
    return {
        "value": round(right / n, 4) if n else 0.0,
        "low": round(clopper_pearson_lower(right, n, side), 4) if n else 0.0,
        "high": round(clopper_pearson_upper(right, n, side), 4) if n else 1.0,
        "right": right,
        "n": n,
    }


def measured(given: NDArray[np.float32], truth: NDArray[np.int32], names: list[str]) -> dict[str, Any]:
    """What predictions that did not see the truth are worth against it.

    given: (n, K) probabilities; truth: (n,) codes. accuracy with its interval; majority: what always saying the most
    frequent class would come to; log_loss; ece: expected calibration error over ten bins; classes: how many of each,
    how many of them were found, and how often it was right to say so; confusions: the most frequent, by name.
    """
    said = given.argmax(axis=1)
    n = len(truth)
    right = said == truth
    sure = given.max(axis=1)
    loss = -np.log(np.maximum(given[np.arange(n), truth], 1e-6)).mean() if n else 0.0
    of_bin = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    ece = 0.0
    for one in range(BINS):
        mine = of_bin == one
        if mine.any():
            ece += float(mine.mean()) * abs(float(right[mine].mean()) - float(sure[mine].mean()))
    many = np.bincount(truth, minlength=len(names))
    told = np.bincount(said, minlength=len(names))
    good = np.bincount(truth[right], minlength=len(names))
    pairs, counts = np.unique(np.stack([truth[~right], said[~right]], axis=1), axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_CONFUSIONS]
    return {
        "accuracy": interval(int(right.sum()), n),
        "majority": round(float(many.max() / n), 4) if n else 0.0,
        "log_loss": round(float(loss), 4),
        "ece": round(ece, 4),
        "classes": [
            {
                "name": name,
                "n": int(many[k]),
                "recall": round(float(good[k] / many[k]), 4) if many[k] else None,
                "precision": round(float(good[k] / told[k]), 4) if told[k] else None,
            }
            for k, name in enumerate(names)
        ][:200],
        "confusions": [
            {"truth": names[int(pairs[i][0])], "said": names[int(pairs[i][1])], "n": int(counts[i])} for i in order
        ],
    }
