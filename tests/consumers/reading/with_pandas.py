"""JSONL PARQUET: what pandas reads of both tables."""

import json
import sys

import pandas

tables = [pandas.read_json(sys.argv[1], lines=True), pandas.read_parquet(sys.argv[2])]
texts = ("label", "metadata", "parts")  # JSON in Parquet
columns = [name for name in tables[0].columns if name in tables[1].columns and name not in texts]
print(
    json.dumps(
        {
            "columns": [list(table.columns) for table in tables],
            "rows": [json.loads(table[columns].to_json(orient="records")) for table in tables],
            "classes": tables[1]["class"].tolist(),
        }
    )
)
