"""A valid body for each type of task, and what can be wrong with one."""

from __future__ import annotations

from typing import Any

PICTURE = "https://example.com/a.png"
BOXES = {"box": {"objects_to_annotate": ["car", {"choice": "van", "subchoices": ["small", "big"]}], "min_height": 1}}
ASKED = {"colour": {"type": "category", "choices": ["red", "blue"], "allow_multiple": True}}
_legacy = {"attachment": PICTURE, "objects_to_annotate": ["car", "van"]}
_form = {"fields": [{"type": "text", "field_id": "title", "title": "The title"}]}
VALID: dict[str, dict[str, Any]] = {
    "imageannotation": {"attachment": PICTURE, "geometries": BOXES, "annotation_attributes": ASKED},
    "annotation": _legacy,
    "polygonannotation": _legacy,
    "lineannotation": _legacy,
    "pointannotation": _legacy,
    "cuboidannotation": _legacy,
    "laneannotation": _legacy,
    "segmentannotation": {"attachment": PICTURE, "labels": ["road", {"choice": "car", "instance_label": True}]},
    "videoannotation": {"attachments": [PICTURE, PICTURE], "geometries": BOXES, "frame_rate": 2},
    "videoplaybackannotation": {"attachment": "https://example.com/a.mp4", "geometries": BOXES},
    "videoboxannotation": {"attachments": [PICTURE], "objects_to_annotate": ["car"]},
    "videocuboidannotation": {"attachments": [PICTURE], "objects_to_annotate": ["car"]},
    "federal2dvideoannotation": {"attachments": [PICTURE], "geometries": BOXES},
    "lidarannotation": {"attachments": ["https://example.com/0.json"], "labels": ["car"], "attachment_type": "json"},
    "lidarsegmentation": {"attachments": ["https://example.com/0.json"], "labels": ["road"]},
    "lidartopdown": {
        "attachments": ["https://example.com/0.json"],
        "geometries": {"polygon": {"objects_to_annotate": ["lane"]}},
    },
    "lidarlinking": {"lidar_task": "00000000-0000-7000-8000-000000000000"},
    "sensorfusion": {
        "attachments": ["https://example.com/0.sfs"],
        "scene_format": "sensor_fusion",
        "annotation_definition": {},
    },
    "categorization": {"attachment": "words", "attachment_type": "text", "categories": ["a", "b"]},
    "comparison": {"attachments": [PICTURE, PICTURE], "choices": ["left", "right"]},
    "textcollection": {**_form, "attachments": [{"type": "text", "content": "words"}]},
    "transcription": {**_form, "attachment": PICTURE},
    "datacollection": {**_form, "attachment": PICTURE},
    "documenttranscription": {
        "attachment": PICTURE,
        "features": [{"type": "block", "label": "total", "flags": ["line"]}],
    },
    "documentmodel": {"attachment": PICTURE, "features": [{"type": "block", "label": "total"}]},
    "namedentityrecognition": {"text": "Ada was here.", "labels": [{"name": "person", "description": "Somebody."}]},
    "chat": {"template_variables": {"prompt": "Why?"}},
    "chatlite": {},
    "multichat": {},
    "chatexperimental": {},
    "multistage": {},
}
DEEP: Any = "x"
for _ in range(20):
    DEEP = {"a": [DEEP]}
# each of these is wrong wherever a parameter has a type at all
WRONG: dict[str, Any] = {
    "a number": 7,
    "a negative number": -1.5,
    "true": True,
    "an object": {"nobody": "knows"},
    "a list of numbers": [1, 2, 3],
    "a list of lists": [[["x"]]],
    "a list of nulls": [None, None],
    "a huge string": "x" * 1_000_000,
    "a nested thing": DEEP,
    "an empty list": [],
    "an empty string": "",
}
# not even a body; `{}` is where a valid one's first letters would stand
RAW: dict[str, bytes] = {
    "nothing like JSON": b"attachment=1",
    "half of it": b'{"attachment": "htt',
    "a list": b"[1, 2]",
    "a string": b'"text"',
    "null": b"null",
    "NaN": b'{"attachment": "x", "priority": NaN}',
    "infinity": b'{"attachment": "x", "metadata": {"a": Infinity}}',
    "a number beyond all": b'{"metadata": {"a": 1e999}}',
    "an integer beyond all": b'{"metadata": {"a": ' + b"9" * 400 + b"}}",
    "a lone surrogate": b'{"instruction": "\\ud800"}',
    "U+0000": b'{"instruction": "a\\u0000b"}',
    "U+0000 in a name": b'{"metadata": {"a\\u0000b": 1}}',
    "bytes that are not UTF-8": b'{"instruction": "\xff\xfe"}',
    "a hundred thousand lists": b'{"metadata": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a thousand objects deep": b'{"metadata": ' + b'{"a":' * 1_000 + b"1" + b"}" * 1_000 + b"}",
    "two of a kind, both wrong": b'{"metadata": 1, "metadata": 2}',
}
