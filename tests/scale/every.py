"""Which public methods of the client were called while the tests ran, and which there are.

The client itself is left as it is: the interpreter tells which of its functions run.
"""

from __future__ import annotations

import inspect
import sys
from types import CodeType, FrameType
from typing import Any

import scaleapi
from scaleapi.api_client.v2 import V2Api
from scaleapi.batches import Batch
from scaleapi.evaluation_tasks import EvaluationTask
from scaleapi.files import File
from scaleapi.projects import Project, TaskTemplate
from scaleapi.studio import StudioBatch, StudioLabelerAssignment, StudioProjectGroup, StudioWorker
from scaleapi.tasks import Task
from scaleapi.teams import Teammate
from scaleapi.training_tasks import TrainingTask

CLASSES = (
    *(scaleapi.ScaleClient, Task, Batch, Project, TaskTemplate, File, EvaluationTask, TrainingTask, Teammate),
    *(StudioBatch, StudioLabelerAssignment, StudioProjectGroup, StudioWorker, V2Api),
)


def public_methods(classes: tuple[type, ...] = CLASSES) -> dict[str, CodeType]:
    """{"Task.cancel": its code, …}; of v2 only the operations themselves, not their raw variants."""
    found: dict[str, CodeType] = {}
    for cls in classes:
        for name, function in inspect.getmembers(cls, inspect.isfunction):
            if not name.startswith("_") and not name.endswith(("_with_http_info", "_without_preload_content")):
                found[f"{cls.__name__}.{name}"] = inspect.unwrap(function).__code__
    return found


class Calls:
    """Notes which methods run in this thread while the block runs."""

    def __init__(self) -> None:
        self.made: set[str] = set()
        self._codes = {code: label.partition(".")[2] for label, code in public_methods().items()}

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        name = self._codes.get(frame.f_code) if event == "call" else None
        if name is not None:
            self.made.add(f"{type(frame.f_locals.get('self')).__name__}.{name}")

    def __enter__(self) -> Calls:
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
