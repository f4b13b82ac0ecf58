"""Types of tasks: one module each, and the table of them."""

from __future__ import annotations

from cupola.compat.scale.types.base import Making, TaskType
from cupola.compat.scale.types.categorization import CATEGORIZATION
from cupola.compat.scale.types.chat import CHAT
from cupola.compat.scale.types.check import wrong
from cupola.compat.scale.types.collection import DATACOLLECTION, TEXTCOLLECTION, TRANSCRIPTION
from cupola.compat.scale.types.comparison import COMPARISON
from cupola.compat.scale.types.document import DOCUMENTS
from cupola.compat.scale.types.entities import ENTITIES
from cupola.compat.scale.types.image import IMAGE
from cupola.compat.scale.types.legacy import LEGACY
from cupola.compat.scale.types.lidar import LIDAR
from cupola.compat.scale.types.segmentation import SEGMENTATION
from cupola.compat.scale.types.video import VIDEO

TYPES: dict[str, TaskType] = {
    one.name: one
    for one in (
        IMAGE,
        *LEGACY,
        SEGMENTATION,
        *VIDEO,
        *LIDAR,
        CATEGORIZATION,
        COMPARISON,
        TEXTCOLLECTION,
        TRANSCRIPTION,
        DATACOLLECTION,
        *DOCUMENTS,
        ENTITIES,
        *CHAT,
    )
}


def type_named(name: str, place: str = "type") -> TaskType:
    """Raises Problem (INVALID) for a type that there is not."""
    found = TYPES.get(name)
    if found is None:
        raise wrong(place, f"{name[:100]!r} is no type of task")
    return found


__all__ = ["TYPES", "Making", "TaskType", "type_named"]
