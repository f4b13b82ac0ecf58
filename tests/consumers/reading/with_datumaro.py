"""FORMAT FOLDER: what datumaro reads: boxes by the name of the item, and the names of classes."""

import json
import sys

from datumaro import AnnotationType, Dataset

# Pascal VOC counts pixels from 1; datumaro's own files of that format do not, and it has to be told.
how = {"coordinate_mode": "voc-one-based"} if sys.argv[1].startswith("voc") else {}
found = Dataset.import_from(sys.argv[2], sys.argv[1], **how)
classes = [label.name for label in found.categories().get(AnnotationType.label, [])]
boxes: dict[str, list] = {}
labels: dict[str, list] = {}
other: dict[str, int] = {}
groups: set[tuple] = set()
for item in found:
    boxes[item.id], labels[item.id] = [], []
    assert item.media.has_data
    for one in item.annotations:
        groups.add((item.id, one.group))
        if one.type == AnnotationType.bbox:
            x, y, w, h = one.get_bbox()
            boxes[item.id].append([classes[one.label], x, y, x + w, y + h])
        elif one.type == AnnotationType.label:
            labels[item.id].append(classes[one.label])
        else:
            other[one.type.name] = other.get(one.type.name, 0) + 1
print()
print(json.dumps({"boxes": boxes, "labels": labels, "classes": classes, "other": other, "groups": len(groups)}))
