"""What every type of task can say of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cupola.compat.scale.types.check import Fields
from cupola.orders.model import Work

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Making:
    """How a task becomes work of ours and how the settled label becomes a response.

    work: the ontology and what to look at; response: (params, label, settlement) -> response, the settlement's id
    seeding the uuids; label: a response back to a label, for evaluation and training tasks.
    """

    work: Work
    response: Callable[[Json, Json, UUID], Json]
    label: Callable[[Json, Json], Json]


@dataclass(frozen=True, slots=True)
class TaskType:
    """One type of task.

    check: raises Problem (INVALID) naming the parameter, returns the addresses that the task refers to;
    canned: a response that is valid for the parameters, for the test world; making: None where no editor can do it.
    """

    name: str
    check: Callable[[Fields], list[str]]
    canned: Callable[[Json], Json]
    making: Callable[[Json, str], Making | None] = lambda params, guidelines: None
    template: bool = False  # has a task template
    frames: Callable[[Json], list[str]] = lambda params: []  # addresses of frames that the worker fetches and checks
