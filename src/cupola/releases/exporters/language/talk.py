"""A row's item as the conversation that it is, with the answers that were compared and whose they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from cupola.catalog.conversations.model import CANDIDATE, OWNER, REFERENCE
from cupola.catalog.showing import read_parts
from cupola.releases.exporters.base import Row

Message = dict[str, str]  # role and content, as trainers have them


@dataclass
class Talk:
    """messages: the way from the root to the last message; candidates: {c1: messages}; models: {c1: who wrote it, where
    its owner said so}; steps: {s1: text}; names: of the messages, in order; of_text: the item is a plain text, which
    stands as the one message of a user."""

    messages: list[Message] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    candidates: dict[str, list[Message]] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    steps: dict[str, str] = field(default_factory=dict)
    of_text: bool = False

    @property
    def prompt(self) -> list[Message]:
        """What is to be answered: all up to the last reply, where the last message is one."""
        return self.messages[:-1] if self.replied else self.messages

    @property
    def replied(self) -> bool:
        return bool(self.messages) and self.messages[-1]["role"] == "assistant"

    def reply(self, target: str) -> list[Message]:
        """The messages of a target: c1 a candidate, t1 a reply, m1 a message."""
        if target in self.candidates:
            return self.candidates[target]
        at = self._place(target)
        return [] if at is None else [self.messages[at]]

    def before(self, target: str) -> list[Message]:
        """What stands before a target."""
        at = self._place(target)
        return self.prompt if at is None else self.messages[:at]

    def _place(self, target: str) -> int | None:
        if target.startswith("t") and target[1:].isdigit():
            replies = [n for n, one in enumerate(self.messages) if one["role"] == "assistant"]
            return replies[int(target[1:]) - 1] if 0 < int(target[1:]) <= len(replies) else None
        return self.names.index(target) if target in self.names else None


def words(messages: list[Message]) -> str:
    """Several messages as one text."""
    return "\n\n".join(one["content"] for one in messages)


def talk_of(row: Row) -> Talk | None:
    """None where there are no words: a picture. Of a tree the way to its last message is told."""
    if row.parts is None:
        return None if row.body is None else Talk([{"role": "user", "content": row.body}], ["m1"], of_text=True)
    pieces: dict[str, list[str]] = {}
    roles: dict[str, str] = {}
    parents: dict[str, str] = {}
    spoken: dict[str, list[tuple[str, str]]] = {}
    found = Talk()
    for part in read_parts(row.parts):
        meta: Mapping[str, Any] = msgspec.json.decode(part.meta)
        name, text = meta.get("message"), part.body or part.url or ""
        if not isinstance(name, str):
            return None
        if part.role == REFERENCE:
            found.references.append(text)
            continue
        if meta.get("kind") == "step":
            found.steps[f"s{len(found.steps) + 1}"] = text
        if part.role == CANDIDATE:
            spoken.setdefault(name, []).append((str(meta.get("as", "assistant")), text))
            model = (meta.get(OWNER) or {}).get("model")
            if isinstance(model, str):
                found.models[name] = model
            continue
        if name not in roles and isinstance(meta.get("parent"), str):
            parents[name] = meta["parent"]
        roles[name] = part.role
        pieces.setdefault(name, []).append(text)
    way: list[str] = []
    at = next(reversed(roles), None)
    while at is not None and at not in way:
        way.append(at)
        at = parents.get(at)
    for name in reversed(way):
        found.names.append(name)
        found.messages.append({"role": roles[name], "content": "\n\n".join(pieces[name])})
    for name, said in spoken.items():
        merged: list[Message] = []
        for role, text in said:
            if merged and merged[-1]["role"] == role:
                merged[-1]["content"] += "\n\n" + text
            else:
                merged.append({"role": role, "content": text})
        found.candidates[name] = merged
    return found if found.messages else None
