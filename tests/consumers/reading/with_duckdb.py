"""JSONL PARQUET: what duckdb reads of both tables, and types that it finds."""

import json
import sys

import duckdb

out = []
for path, reader in zip(sys.argv[1:], ("read_json_auto", "read_parquet"), strict=True):
    asked = f"FROM {reader}('{path}')"
    told = duckdb.sql(f"DESCRIBE SELECT * {asked}").fetchall()
    rows = duckdb.sql(
        f"SELECT ref, text, sha256, width_px, confidence, len(judgements) {asked} ORDER BY ref"
    ).fetchall()
    out.append({"types": {name: kind for name, kind, *_ in told}, "rows": rows})
print(json.dumps(out))
