"""segmentannotation: every pixel of a picture has a label. Its editor comes later; the task is kept and waits."""

from __future__ import annotations

from cupola.compat.scale.types.base import Json, TaskType
from cupola.compat.scale.types.check import Fields, attachment
from cupola.compat.scale.types.labelling import labels


def check(fields: Fields) -> list[str]:
    found = attachment(fields)
    assert found is not None
    labels(fields, "labels")
    fields.flag("allow_unlabeled")
    fields.within("hypothesis")
    return [found]


def canned(params: Json) -> Json:
    named = labels(Fields(params), "labels")
    base = "https://example.com/segmentation"
    return {
        "labelMapping": {
            label: {"index": n, "color": f"#{(n * 5_592_405) % 16_777_216:06x}", "numPixels": 0}
            for n, label in enumerate(named, 1)
        },
        "annotations": {
            "combined": {name: f"{base}/{name}.png" for name in ("image", "indexedImage", "extendedIndexedImage")},
            "labeled": {label: f"{base}/{n}.png" for n, label in enumerate(named, 1)},
            "unlabeled": f"{base}/unlabeled.png",
        },
    }


SEGMENTATION = TaskType("segmentannotation", check, canned)
