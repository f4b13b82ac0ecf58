"""videoannotation, videoplaybackannotation and the older videobox- and videocuboidannotation.

Their editors come later; the task is kept and waits.
"""

from __future__ import annotations

from cupola.compat.scale.types.base import Json, TaskType
from cupola.compat.scale.types.check import Fields, either, wrong
from cupola.compat.scale.types.image import geometries
from cupola.compat.scale.types.labelling import attributes, labels


def _rates(fields: Fields) -> None:
    for name in ("frame_rate", "annotation_frame_rate", "video_frame_rate"):
        fields.number(name, 0.001, 1_000)
    fields.number("start_time", 0, 1e7)
    fields.number("duration_time", 0, 1e7)
    fields.number("duration", 0, 1e7)
    for event in fields.items("events_to_annotate"):
        if not isinstance(event, str | dict):
            raise wrong("events_to_annotate", "must hold strings or objects")


def check(fields: Fields) -> list[str]:
    found = either(fields)
    _rates(fields)
    if fields.has("geometries"):
        shapes = geometries(fields)
        attributes(fields, [label for several in shapes.values() for label in several])
    elif not fields.items("events_to_annotate"):
        raise wrong("geometries", "is missing, and so is events_to_annotate")
    fields.within("hypothesis")
    return found


def check_legacy(fields: Fields) -> list[str]:
    found = either(fields)
    _rates(fields)
    classes = labels(fields, "objects_to_annotate")
    attributes(fields, classes)
    return found


def check_federal(fields: Fields) -> list[str]:
    """Known by its name alone: what it shares with the other types of video is checked where it is given."""
    found = either(fields) if fields.has("attachment") or fields.has("attachments") else []
    _rates(fields)
    shapes = geometries(fields) if fields.has("geometries") else {}
    attributes(fields, [label for several in shapes.values() for label in several])
    fields.within("hypothesis")
    return found


def canned(params: Json) -> Json:
    made: Json = {"annotations": {"url": "https://example.com/video/annotations.json"}}
    if params.get("events_to_annotate"):
        made["events"] = {"url": "https://example.com/video/events.json"}
    return made


VIDEO = (
    TaskType("videoannotation", check, canned),
    TaskType("videoplaybackannotation", check, canned),
    TaskType("videoboxannotation", check_legacy, canned),
    TaskType("videocuboidannotation", check_legacy, canned),
    TaskType("federal2dvideoannotation", check_federal, canned),
)
