"""FILE: what pycocotools reads of a COCO file, and how it judges the file's own boxes as answers."""

import json
import sys

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

truth = COCO(sys.argv[1])
annotations = truth.loadAnns(truth.getAnnIds())
files = {image["id"]: image["file_name"] for image in truth.dataset["images"]}
names = {category["id"]: category["name"] for category in truth.dataset["categories"]}
said = [{name: one[name] for name in ("image_id", "category_id", "bbox")} | {"score": 0.9} for one in annotations]
judged = COCOeval(truth, truth.loadRes(said), "bbox")
judged.evaluate()
judged.accumulate()
judged.summarize()
boxes = {files[image]: [] for image in truth.getImgIds()}
for one in annotations:
    x, y, w, h = one["bbox"]
    boxes[files[one["image_id"]]].append([names[one["category_id"]], x, y, x + w, y + h])
masks = [int(truth.annToMask(one).sum()) for one in annotations if one.get("segmentation")]
print()
print(json.dumps({"boxes": boxes, "precision": float(judged.stats[0]), "masks_px": masks}))
