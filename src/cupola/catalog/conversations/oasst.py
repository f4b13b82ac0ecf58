"""The way back to a tree of Open-Assistant, as it came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cupola.catalog.conversations.model import CANDIDATE, OWNER, REFERENCE

ROLES = {"user": "prompter", "assistant": "assistant", "system": "system", "tool": "tool"}


def tree(parts: Sequence[tuple[str, str | None, Mapping[str, Any]]]) -> dict[str, Any] | None:
    """(role, text, meta) of each part of a conversation, as a tree with `message_tree_id` and `prompt`; None where
    it is no conversation. What came as such a tree is what it was, member for member."""
    nodes: dict[str, dict[str, Any]] = {}
    root: dict[str, Any] | None = None
    row: Mapping[str, Any] = {}
    for role, text, meta in parts:
        name = meta.get("message")
        if not isinstance(name, str):
            return None
        if role in (CANDIDATE, REFERENCE):
            continue
        owner = dict(meta.get(OWNER) or {})
        row = owner.pop("row", row)
        if name in nodes:  # a further piece of the same message
            nodes[name]["text"] += "\n\n" + (text or "")
            continue
        leaf = owner.pop("leaf", True)
        came = "message_id" in owner
        node = {**owner} if came else {"message_id": owner.get("id", name), "role": ROLES.get(role, role)}
        node["text"] = text or ""
        if not leaf:
            node["replies"] = []
        nodes[name] = node
        parent = meta.get("parent")
        if isinstance(parent, str) and parent in nodes:
            above = nodes[parent]
            if not came:
                node["parent_id"] = above["message_id"]
            above.setdefault("replies", []).append(node)
        else:
            root = node
    if root is None:
        return None
    if row.get("shape") == "oasst":
        return {**row.get("rest", {}), "prompt": root} if row.get("whole") else root
    return {"message_tree_id": root["message_id"], "tree_state": "ready_for_export", "prompt": root}
