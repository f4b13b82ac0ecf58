"""A conversation: messages as a tree, candidates for what comes next, and texts to go by.

As an item it is made of parts. What is said stands under names that tell nothing (m1, c1, r1), which labels speak of;
whose words they are, and all else its owner knows, is kept in `meta.owner`, which nobody sees who judges.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from cupola.kernel import limits
from cupola.kernel.errors import Problem, invalid
from cupola.labels.places import pointer, unstorable

Role = Literal["system", "user", "assistant", "tool"]
Form = Literal["image", "code", "tool_call", "tool_result", "step"]
CANDIDATE, REFERENCE = "candidate", "reference"
ROLES: Mapping[str, Role] = {
    "system": "system", "developer": "system",
    "user": "user", "human": "user", "prompter": "user", "customer": "user",
    "assistant": "assistant", "gpt": "assistant", "bot": "assistant", "model": "assistant", "chatgpt": "assistant",
    "bard": "assistant", "ai": "assistant", "agent": "assistant", "function_call": "assistant",
    "tool": "tool", "function": "tool", "observation": "tool", "ipython": "tool",
}  # fmt: skip
MAX_CANDIDATES = 10
OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Content:
    """A piece of what is said: words or a picture's address. form: None for plain words."""

    form: Form | None = None
    text: str | None = None
    url: str | None = None


@dataclass
class Message:
    """One message. key, parent: its owner's names, where it has any; owner: what else its owner knows of it."""

    role: Role
    content: list[Content]
    place: str
    key: str | None = None
    parent: str | None = None
    owner: dict[str, Any] = field(default_factory=dict)


@dataclass
class Candidate:
    """One of the answers to be compared: mostly one message, or several in turn."""

    messages: list[Message]
    place: str
    owner: dict[str, Any] = field(default_factory=dict)


@dataclass
class Conversation:
    messages: list[Message]
    candidates: list[Candidate] = field(default_factory=list)
    references: list[Content] = field(default_factory=list)
    owner: dict[str, Any] = field(default_factory=dict)


def role_of(value: Any, place: str) -> Role:
    """Raises Problem (INVALID) code "role-unknown"."""
    role = ROLES.get(value.strip().lower()) if isinstance(value, str) else None
    if role is None:
        raise invalid(
            "role-unknown",
            f"{str(value)[:40]!r} is no role of a message.",
            place=place,
            remedy="Use system, user, assistant or tool.",
        )
    return role


def part_lines(told: Conversation) -> list[dict[str, Any]]:
    """The parts of the item, as a manifest would list them. Raises Problem (INVALID) with the place of a fault."""
    messages, parents = _in_order(told.messages)
    if not messages:
        raise invalid("conversation-empty", "The conversation has no message.", remedy="Leave it out.")
    if len(told.candidates) > MAX_CANDIDATES:
        raise invalid(
            "candidates-too-many",
            f"{len(told.candidates)} candidates; people compare at most {MAX_CANDIDATES}.",
            remedy="Make several items of them.",
            place=told.candidates[MAX_CANDIDATES].place,
        )
    lines: list[dict[str, Any]] = []
    names: dict[int, str] = {}
    for number, message in enumerate(messages, 1):
        names[id(message)] = name = f"m{number}"
        meta: dict[str, Any] = {"message": name}
        parent = parents[id(message)]
        if parent is not None:
            meta["parent"] = names[id(parent)]
        lines += _lines(message, message.role, meta, message.owner)
    for number, candidate in enumerate(told.candidates, 1):
        meta = {"message": f"c{number}", "parent": f"m{len(messages)}"}
        for place, message in enumerate(candidate.messages):
            # of several messages in turn each says whose words it is
            said = {} if len(candidate.messages) == 1 else {"as": message.role}
            lines += _lines(message, CANDIDATE, meta | said, candidate.owner if place == 0 else {})
    for number, content in enumerate(told.references, 1):
        lines += _lines(Message("user", [content], "/references"), REFERENCE, {"message": f"r{number}"}, {})
    if told.owner:
        meta = lines[0]["meta"]
        meta[OWNER] = {**meta.get(OWNER, {}), "row": told.owner}
    if len(lines) > limits.MAX_PARTS:
        raise invalid(
            "parts-too-many",
            f"The conversation has {len(lines)} pieces; at most {limits.MAX_PARTS} are taken.",
            remedy="Cut it.",
        )
    return lines


@dataclass(frozen=True, slots=True)
class Counts:
    """turns: messages of an assistant; all None where parts are no conversation."""

    messages: int | None = None
    turns: int | None = None
    candidates: int | None = None
    steps: int | None = None


def counts(parts: Iterable[tuple[str, Mapping[str, Any]]]) -> Counts:
    """What there is to speak of, by the roles and meta of parts."""
    messages: dict[str, str] = {}
    candidates: set[str] = set()
    steps = 0
    for role, meta in parts:
        name = meta.get("message")
        if not isinstance(name, str):
            return Counts()
        if role == CANDIDATE:
            candidates.add(name)
        elif role != REFERENCE:
            messages[name] = role
        steps += meta.get("kind") == "step"
    turns = sum(role == "assistant" for role in messages.values())
    return Counts(len(messages), turns, len(candidates), steps) if messages else Counts()


def without_owner(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """What of a part's meta whoever judges may see."""
    return {name: value for name, value in meta.items() if name != OWNER}


def _lines(message: Message, role: str, meta: Mapping[str, Any], owner: Mapping[str, Any]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for number, content in enumerate(message.content or [Content(text="")]):
        told = dict(meta) if content.form is None else {**meta, "kind": content.form}
        if number == 0 and owner:
            told[OWNER] = dict(owner)
        if content.text is not None and unstorable(content.text):
            raise invalid(
                "text-half-character",
                "The text holds U+0000 or half of a surrogate pair, which no text can hold.",
                place=message.place,
                remedy="Write the text again from its source.",
            )
        said = {"url": content.url} if content.url is not None else {"text": content.text or ""}
        made.append({"role": role, "meta": told, **said})
    return made


def _in_order(given: Sequence[Message]) -> tuple[list[Message], dict[int, Message | None]]:
    """The messages parents first, and each one's parent. Without parents, each answers the one before it.

    Raises Problem (INVALID) for a parent that is not there, two roots, a circle, a name that stands there twice, or an
    answer of the same side as what it answers.
    """
    if not any(message.parent is not None for message in given):
        return list(given), {id(one): before for one, before in zip(given, [None, *given], strict=False)}
    known: dict[str, Message] = {}
    for message in given:
        if message.key is None:
            raise _tree("message-nameless", "A message of a tree has no id.", message, "Give each message its id.")
        if message.key in known:
            raise _tree("message-twice", f"The id {message.key[:80]!r} stands there twice.", message,
                        "Give each message an id of its own.")  # fmt: skip
        known[message.key] = message
    roots = [message for message in given if message.parent is None]
    if len(roots) > 1:
        raise _tree("tree-two-roots", f"The tree has {len(roots)} roots; this is the second.", roots[1],
                    "Give it a parent, or make a conversation of its own of it.")  # fmt: skip
    replies: dict[str, list[Message]] = {}
    for message in given:
        if message.parent is not None:
            if message.parent not in known:
                raise _tree("tree-parent-unknown", f"There is no message {message.parent[:80]!r} to be its parent.",
                            message, "Name an id of this conversation.")  # fmt: skip
            replies.setdefault(message.parent, []).append(message)
    ordered: list[Message] = []
    waiting = list(roots)
    while waiting:
        message = waiting.pop()
        ordered.append(message)
        waiting += reversed(replies.get(message.key or "", []))
    if len(ordered) < len(given):
        reached = {id(message) for message in ordered}
        lost = next(message for message in given if id(message) not in reached)
        raise _tree("tree-circle", f"The message {str(lost.key)[:80]!r} answers itself through others.", lost,
                    "Break the circle: one message has no parent.")  # fmt: skip
    parents = {id(message): known[message.parent] if message.parent is not None else None for message in given}
    for message in ordered:
        before = parents[id(message)]
        if before is not None and message.role == before.role and message.role in ("user", "assistant"):
            raise _tree("role-order", f"An answer of the {message.role} to the {message.role} cannot be.", message,
                        "Mend the role or the parent.")  # fmt: skip
    return ordered, parents


def _tree(code: str, detail: str, message: Message, remedy: str) -> Problem:
    return invalid(code, detail, place=message.place, remedy=remedy)


def place(*steps: str | int) -> str:
    return pointer(*steps)
