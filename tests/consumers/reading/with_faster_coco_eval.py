"""FILE: how faster-coco-eval judges a COCO file's own boxes as answers."""

import json
import sys

from faster_coco_eval import COCO, COCOeval_faster

truth = COCO(sys.argv[1])
annotations = truth.loadAnns(truth.getAnnIds())
said = [{name: one[name] for name in ("image_id", "category_id", "bbox")} | {"score": 0.9} for one in annotations]
judged = COCOeval_faster(truth, truth.loadRes(said), "bbox", print_function=print)
judged.evaluate()
judged.accumulate()
judged.summarize()
print()
print(json.dumps({"annotations": len(annotations), "precision": float(judged.stats[0])}))
