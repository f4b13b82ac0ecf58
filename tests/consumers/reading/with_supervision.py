"""FORMAT PATH [PICTURES]: what supervision reads: boxes by the path of the picture, and the names of classes."""

import json
import sys
from pathlib import Path

import supervision

form, path = sys.argv[1], Path(sys.argv[2])
if form == "coco":
    pictures = Path(sys.argv[3])
    found = supervision.DetectionDataset.from_coco(images_directory_path=str(pictures), annotations_path=str(path))
elif form == "yolo":
    pictures = path / "images" / "train"
    found = supervision.DetectionDataset.from_yolo(
        images_directory_path=str(pictures),
        annotations_directory_path=str(path / "labels" / "train"),
        data_yaml_path=str(path / "data.yaml"),
    )
elif form == "voc":
    pictures = path / "JPEGImages"
    found = supervision.DetectionDataset.from_pascal_voc(
        images_directory_path=str(pictures), annotations_directory_path=str(path / "Annotations")
    )
else:
    pictures = path / "train"
    found = supervision.ClassificationDataset.from_folder_structure(root_directory_path=str(pictures))
said: dict[str, list] = {}
sizes: dict[str, list] = {}
for picture, pixels, one in found:
    name = str(Path(picture).relative_to(pictures))
    sizes[name] = [int(side) for side in reversed(pixels.shape[:2])]
    classes = [found.classes[number] for number in one.class_id]
    boxes = one.xyxy.tolist() if form != "folders" else [[]] * len(classes)
    said[name] = [[cls, *box] for cls, box in zip(classes, boxes, strict=True)]
print()
print(json.dumps({"boxes": said, "classes": list(found.classes), "sizes": sizes}))
