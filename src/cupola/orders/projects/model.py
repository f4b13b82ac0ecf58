"""Projects of orders and their batches: shapes, states, rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from cupola.kernel.errors import Problem, conflict

BATCH_STATES = ("staging", "in_progress", "completed", "paused", "cancelled")
STAGING, IN_PROGRESS, COMPLETED, PAUSED, CANCELLED = range(5)
BATCH_KINDS = ("production", "calibration", "self_label")
MAX_NAME_CHARS = 300
MAX_PARAMS_BYTES = 1024 * 1024
# verb -> (states it is for, state it leads to)
_MOVES: dict[str, tuple[tuple[int, ...], int]] = {
    "finalize": ((STAGING, IN_PROGRESS), IN_PROGRESS),
    "pause": ((STAGING, IN_PROGRESS), PAUSED),
    "resume": ((PAUSED,), IN_PROGRESS),
    "cancel": ((STAGING, IN_PROGRESS, PAUSED), CANCELLED),
}


@dataclass(frozen=True, slots=True)
class Project:
    """A client's project; `version` is that of its parameters, 0 before any were set."""

    id: UUID
    name: str
    type: str
    rapid: bool
    studio: bool
    dataset_ref: str | None
    archived: bool
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a project's parameters; params is JSON text of an object."""

    project: UUID
    version: int
    params: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Batch:
    id: UUID
    project: UUID
    project_name: str
    name: str
    kind: str
    state: int
    callback: str | None
    metadata: str
    position: int | None
    archived: bool
    created_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Batches:
    """A page of batches; `total` counts all that fit."""

    batches: list[Batch]
    total: int
    more: bool


@dataclass(frozen=True, slots=True)
class BatchFilter:
    project: UUID | None = None
    state: int | None = None
    created: tuple[datetime | None, datetime | None] = (None, None)
    completed: tuple[datetime | None, datetime | None] = (None, None)
    live_only: bool = False


def moved(state: int, verb: str) -> int:
    """The state that a verb leads a batch to. Raises Problem (CONFLICT) where it has no place."""
    before, after = _MOVES[verb]
    if state not in before:
        raise conflict(
            "batch-state",
            f"A batch that is {BATCH_STATES[state]} cannot be changed by {verb}.",
            remedy=f"This needs the state {' or '.join(BATCH_STATES[one] for one in before)}.",
        )
    return after


def taken(what: str, name: str) -> Problem:
    return conflict(
        "name-taken", f"There is a {what} named {name!r}.", remedy=f"Choose another name, or use that {what}."
    )


def joined_metadata(present: str, more: str) -> str:
    """Metadata (JSON text of an object) with more of it over it."""
    return msgspec.json.encode({**msgspec.json.decode(present), **msgspec.json.decode(more)}).decode()


def merged(project: dict[str, Any], task: dict[str, Any]) -> dict[str, Any]:
    """A task's parameters over its project's: the task wins."""
    return {**project, **task}


def joined(task: str | None, project: str | None) -> str | None:
    """The project's instruction stands after the task's own."""
    parts = [part for part in (task, project) if part]
    return "\n\n".join(parts) if parts else None
