"""Shapes of opinions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Given:
    """An opinion as it comes in: of a task by its identifier or by the reference of its item.

    probabilities: by the name of each class; without a label, the likeliest class is the label.
    """

    task: UUID | None
    ref: str | None
    label: Any | None
    probabilities: dict[str, float] | None
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Kept:
    """created: opinions that are new; unchanged: those that were there already, word for word."""

    created: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a version of a model says of a task. probabilities: by class, where the model gave them."""

    id: UUID
    task: UUID
    ref: str
    model: str
    model_version: str
    label: dict[str, Any]
    probabilities: dict[str, float] | None
    confidence: float | None
    at: datetime


@dataclass(frozen=True, slots=True)
class HeardModel:
    """How far a version of a model is heard in a project, as the last fit found it.

    compared: tasks on which it was compared with golds, experts or the crowd; golds: those whose truth is known.
    accuracy: share that was right, low: its lower 95 % bound, chance: what a model without knowledge would come to;
    None before the first fit that met it.
    """

    id: UUID
    model: str
    model_version: str
    heard: bool
    compared: int
    golds: int
    accuracy: float | None
    low: float | None
    chance: float | None
