"""FILE: the records of every set that a Croissant description names, as mlcroissant gives them."""

import json
import sys

import mlcroissant

dataset = mlcroissant.Dataset(jsonld=sys.argv[1])
out = {}
for records in dataset.metadata.record_sets:
    out[records.id] = [
        {
            name.rpartition("/")[2]: value.decode() if isinstance(value, bytes) else str(value)
            for name, value in row.items()
        }
        for row in dataset.records(records.id)
    ]
said = [str(one) for one in (*dataset.metadata.ctx.issues.errors, *dataset.metadata.ctx.issues.warnings)]
print()
print(json.dumps({"records": out, "issues": said}))
