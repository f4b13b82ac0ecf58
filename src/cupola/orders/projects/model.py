"""Projects of orders and their batches: shapes, states, rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from cupola.kernel import states
from cupola.kernel.errors import Problem, conflict

STAGING, IN_PROGRESS, COMPLETED, PAUSED, CANCELLED = map(
    states.BATCH.index, ("staging", "in_progress", "completed", "paused", "cancelled")
)
BATCH_KINDS = ("production", "calibration", "self_label")
MAX_NAME_CHARS = 300
MAX_PARAMS_BYTES = 1024 * 1024
# verb -> the states it is for
_MOVES: dict[str, tuple[int, ...]] = {
    "finalize": (STAGING, IN_PROGRESS, PAUSED),
    "pause": (STAGING, IN_PROGRESS),
    "resume": (PAUSED,),
    "cancel": (STAGING, IN_PROGRESS, PAUSED),
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
    """paused_from: of a paused batch, the state that it goes back to."""

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
    paused_from: int | None

    @property
    def shown(self) -> int:
        """Its state for clients that know neither paused nor cancelled ones."""
        if self.state == PAUSED:
            return IN_PROGRESS if self.paused_from is None else self.paused_from
        return COMPLETED if self.state == CANCELLED else self.state


@dataclass(frozen=True, slots=True)
class Batches:
    """A page of batches; `total` counts all that fit."""

    batches: list[Batch]
    total: int
    more: bool


@dataclass(frozen=True, slots=True)
class BatchFilter:
    """shown: the state as `Batch.shown` tells it."""

    project: UUID | None = None
    state: int | None = None
    shown: int | None = None
    created: tuple[datetime | None, datetime | None] = (None, None)
    completed: tuple[datetime | None, datetime | None] = (None, None)
    live_only: bool = False


def moved(state: int, paused_from: int | None, verb: str) -> tuple[int, int | None]:
    """The state that a verb leads a batch to, and the one a paused one goes back to.

    A pause keeps whether the batch was finalized; one that is finalized while paused goes on as that when it is
    resumed. Raises Problem (CONFLICT) where the verb has no place.
    """
    before = _MOVES[verb]
    if state not in before:
        raise conflict(
            "batch-state",
            f"A batch that is {states.BATCH[state]} cannot be changed by {verb}.",
            remedy=f"This needs the state {' or '.join(states.BATCH[one] for one in before)}.",
        )
    match verb:
        case "finalize":
            return (PAUSED, IN_PROGRESS) if state == PAUSED else (IN_PROGRESS, None)
        case "pause":
            return PAUSED, state
        case "resume":
            return (IN_PROGRESS if paused_from is None else paused_from), None
        case _:
            return CANCELLED, None


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
