"""The tables as one list, for who does not speak Python: `kinds.json` beside this file, read by the browser's tests.

`python -m cupola.labels.catalogue` writes it anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

from cupola.kernel import limits
from cupola.labels.kinds import KINDS
from cupola.labels.ontology import AttributeType
from cupola.labels.shapes import SHAPES

PLACE = Path(__file__).with_name("kinds.json")


def catalogue() -> dict[str, Any]:
    """What kinds, shapes and types of attributes there are, with what tells a reader how to treat them, and the
    limits of any label."""
    return {
        "kinds": [
            {
                "name": kind.name,
                "parts": sorted(kind.parts),
                "looks_at": sorted(kind.looks_at),
                "strategies": list(kind.strategies),
                "schema": json.loads(json.dumps(kind.json_schema())),
            }
            for kind in KINDS.values()
        ],
        "shapes": [
            {"name": shape.name, "same_at": shape.same_at, "members": list(shape.shape.__struct_fields__)}
            for shape in SHAPES.values()
        ],
        "attributes": list(get_args(AttributeType)),
        "limits": {
            "text_chars": limits.MAX_TEXT_CHARS,
            "objects": limits.MAX_OBJECTS_PER_LABEL,
            "tracks": limits.MAX_TRACKS_PER_LABEL,
            "keys": limits.MAX_KEYS_PER_LABEL,
            "events": limits.MAX_EVENTS_PER_LABEL,
            "points": limits.MAX_POINTS_PER_SHAPE,
            "mask_tiles": limits.MAX_MASK_TILES,
            "answer_rows": limits.MAX_ANSWER_ROWS,
            "answer_file_bytes": limits.MAX_ANSWER_FILE_BYTES,
        },
    }


if __name__ == "__main__":
    PLACE.write_text(json.dumps(catalogue(), indent=1, ensure_ascii=False) + "\n")
