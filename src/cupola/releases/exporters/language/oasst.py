"""Trees of Open-Assistant: as they came, member for member; what somebody wrote is a further reply at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from cupola.catalog.conversations.oasst import tree
from cupola.catalog.showing import read_parts
from cupola.releases.exporters.base import About, Row
from cupola.releases.exporters.language.asked import text_of
from cupola.releases.exporters.language.lines import jsonl_format


def _oasst(row: Row, about: About) -> Iterator[dict[str, Any]]:
    parts = [(one.role, one.body, msgspec.json.decode(one.meta)) for one in read_parts(row.parts)]
    found = tree(parts or [("user", row.body, {"message": row.ref})] if row.body is not None or parts else [])
    if found is None:
        return
    text = text_of(row, about.ontology)
    if text is not None:
        node = found.get("prompt", found)
        while node.get("replies"):
            node = node["replies"][-1]
        reply = {
            "message_id": str(row.settlement),
            "parent_id": node["message_id"],
            "text": text,
            "role": "assistant",
            "synthetic": False,
            "replies": [],
        }
        node.setdefault("replies", []).append(reply)
    yield found


oasst = jsonl_format(
    "Open-Assistant trees",
    "Whole trees of messages, as they came",
    "完整的消息树，与导入时一致",
    _oasst,
    (),
)
