"""JSONL: the samples that Inspect reads."""

import json
import sys

from inspect_ai.dataset import json_dataset

print(
    json.dumps(
        [
            {"id": one.id, "said": [each.text for each in one.input], "choices": one.choices, "target": one.target}
            for one in json_dataset(sys.argv[1])
        ]
    )
)
