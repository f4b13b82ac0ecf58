"""Conversations told by their content: chat of several makers, trees, pairs and lists of answers, each a reader.

A reader takes a row and gives a conversation, or None where the row is of another shape. The first that takes it
counts.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from cupola.catalog.conversations.model import (
    Candidate,
    Content,
    Conversation,
    Form,
    Message,
    part_lines,
    place,
    role_of,
)
from cupola.kernel.errors import invalid

Row = Mapping[str, Any]
MANIFESTS = frozenset({"url", "path", "text", "parts"})
KEPT = frozenset({"ref", "pre_label", "gold_label", "eligible", "metadata"})
NAMES = ("ref", "id", "message_tree_id", "conversation_id", "conversation_hash", "prompt_id", "question_id", "uuid")
PROMPTS = ("prompt", "instruction", "question", "query", "input")
ANSWERS = ("candidates", "answers", "responses", "completions", "outputs", "generations")
PAIRS = (("chosen", "rejected"), ("response_a", "response_b"), ("answer_a", "answer_b"),
         ("completion_a", "completion_b"), ("output_1", "output_2"), ("response_1", "response_2"),
         ("response_0", "response_1"))  # fmt: skip
SINGLE = ("completion", "response", "answer", "output")
REFERENCES = ("references", "reference", "reference_answer", "passages", "context", "documents")
MARKED = frozenset({"messages", "conversations", "conversation", "chosen", "rejected", "replies", "steps",
                    *PROMPTS, *ANSWERS, *SINGLE})  # fmt: skip
_FORMS: Mapping[str, Form] = {"code": "code", "step": "step"}
_TURN = re.compile(r"\n\n(Human|Assistant):[ ]?")
_TEXTS = ("content", "text", "value", "response", "answer", "completion", "output")


def as_manifest(row: Row) -> dict[str, Any] | None:
    """The row as a manifest has it, with parts; None where it is no conversation or says as a manifest what it is.

    Raises Problem (INVALID) for a conversation that is broken, with the place.
    """
    is_node = {"message_id", "replies"} <= row.keys()
    if (MANIFESTS & row.keys() and not is_node) or not MARKED & row.keys():
        return None
    told = {name: _decoded(value) for name, value in row.items()}
    found = next((made for read in READERS if (made := read(told)) is not None), None)
    if found is None:
        return None
    lines = part_lines(found)
    ref = next((str(told[name]) for name in NAMES if isinstance(told.get(name), str | int)), None)
    return {
        **{name: row[name] for name in KEPT if name in row},
        "ref": ref or "conversation-" + hashlib.sha256(msgspec.json.encode(lines, order="sorted")).hexdigest()[:20],
        "parts": lines,
    }


def is_header(columns: Sequence[str]) -> bool:
    """Could a table with these columns hold conversations?"""
    return bool({"messages", "conversations", "conversation", "chosen", *PROMPTS} & set(columns))


def _of_tree(row: Row) -> Conversation | None:
    """A tree of Open-Assistant: `prompt` with `replies` in it, or its root itself."""
    root = row.get("prompt")
    if not (isinstance(root, Mapping) and "message_id" in root):
        if not ("message_id" in row and isinstance(row.get("replies"), list)):
            return None
        root, at, rest = row, "", {}
    else:
        at, rest = "/prompt", {name: value for name, value in row.items() if name != "prompt"}
    messages: list[Message] = []
    waiting: list[tuple[Any, str, str | None]] = [(root, at, None)]
    while waiting:
        node, here, parent = waiting.pop()
        if not isinstance(node, Mapping):
            raise invalid("line-malformed", "A message of the tree is no object.", place=here, remedy="Mend it.")
        key, text = node.get("message_id"), node.get("text")
        if not isinstance(key, str) or not isinstance(text, str):
            raise invalid("message-nameless", "A message of the tree has no message_id or no text.", place=here,
                          remedy="Give it both.")  # fmt: skip
        said = node.get("parent_id")
        if parent is not None and isinstance(said, str) and said != parent:
            raise invalid("tree-parent-unknown", f"It stands below {parent[:80]!r} and names {said[:60]!r}.",
                          place=here, remedy="Let both say the same.")  # fmt: skip
        owner = {name: value for name, value in node.items() if name not in ("text", "replies")}
        owner["leaf"] = "replies" not in node
        messages.append(
            Message(role_of(node.get("role"), here + "/role"), [Content(text=text)], here, key, parent, owner)
        )
        replies = node.get("replies") or []
        if not isinstance(replies, list):
            raise invalid("line-malformed", "The replies are no list.", place=here + "/replies", remedy="Write [ … ].")
        waiting += [(reply, f"{here}/replies/{n}", key) for n, reply in reversed(list(enumerate(replies)))]
    return Conversation(messages, owner={"shape": "oasst", "whole": at != "", "rest": rest})


def _of_chat(row: Row) -> Conversation | None:
    """`messages` of role and content (OpenAI, TRL), or `conversations` of from and value (ShareGPT)."""
    column = next(
        (name for name in ("messages", "conversations", "conversation") if isinstance(row.get(name), list)), None
    )
    if column is None:
        return None
    messages = [_message(one, place(column, n)) for n, one in enumerate(row[column])]
    if isinstance(row.get("system"), str) and row["system"] and messages and messages[0].role != "system":
        messages.insert(0, Message("system", [Content(text=row["system"])], "/system"))
    # one conversation a column: two that are compared are read below
    return Conversation(messages, _listed(row), _references(row), _rest(row, column, "system"))


def _of_pair(row: Row) -> Conversation | None:
    """Two answers to what came before: texts, or lists of messages that begin alike."""
    names = next((pair for pair in PAIRS if row.get(pair[0]) is not None and row.get(pair[1]) is not None), None)
    if names is None:
        return None
    both = [_transcript(row[name], place(name)) for name in names]
    before = _before(row)
    if not before:
        alike = 0
        while alike < min(map(len, both)) and _same(both[0][alike], both[1][alike]):
            alike += 1
        alike = min(alike, *(len(one) - 1 for one in both))
        before, both = both[0][:alike], [one[alike:] for one in both]
        if not before:
            raise invalid("conversation-empty", "Nothing stands before the two answers.", place=place(names[0]),
                          remedy="Give the prompt, or whole conversations.")  # fmt: skip
    candidates = [
        Candidate(said, place(name), {"was": name, **_source(row, name)})
        for said, name in zip(both, names, strict=True)
    ]
    # which was chosen must not be told by where it stands
    if names == ("chosen", "rejected"):
        candidates.sort(key=lambda one: hashlib.sha256(msgspec.json.encode([_words(m) for m in one.messages])).digest())
    return Conversation(before, candidates, _references(row), _rest(row, *names, *PROMPTS))


def _of_list(row: Row) -> Conversation | None:
    """A prompt and several answers to it."""
    before = _before(row)
    candidates = _listed(row)
    if not before or not candidates:
        return None
    return Conversation(before, candidates, _references(row), _rest(row, *ANSWERS, *PROMPTS))


def _of_steps(row: Row) -> Conversation | None:
    """A question and an answer in steps."""
    steps = row.get("steps")
    before = _before(row)
    if not before or not isinstance(steps, list) or not steps or not all(isinstance(one, str) for one in steps):
        return None
    said = Message("assistant", [Content("step", one) for one in steps], "/steps")
    return Conversation([*before, said], references=_references(row), owner=_rest(row, "steps", *PROMPTS))


def _of_prompt(row: Row) -> Conversation | None:
    """A prompt, with the one answer to it where it has one."""
    before = _before(row)
    if not before:
        return None
    name = next((one for one in SINGLE if row.get(one) not in (None, "", [])), None)
    after = [] if name is None else _transcript(row[name], place(name))
    return Conversation([*before, *after], references=_references(row), owner=_rest(row, *PROMPTS, *SINGLE))


READERS: tuple[Callable[[Row], Conversation | None], ...] = (
    _of_tree, _of_pair, _of_chat, _of_list, _of_steps, _of_prompt
)  # fmt: skip


def _message(one: Any, here: str) -> Message:
    if not isinstance(one, Mapping):
        raise invalid(
            "line-malformed", "A message is no object.", place=here, remedy='Write {"role": …, "content": …}.'
        )
    role = role_of(one.get("role", one.get("from")), here + ("/role" if "role" in one else "/from"))
    content = _contents(one.get("content", one.get("value", one.get("text"))), here)
    calls = one.get("tool_calls")
    if isinstance(calls, list):
        content += [Content("tool_call", json.dumps(call, ensure_ascii=False)) for call in calls]
    if role == "tool":
        content = [Content("tool_result", each.text, each.url) for each in content]
    if one.get("from") == "function_call":
        content = [Content("tool_call", each.text) for each in content]
    used = ("role", "from", "content", "value", "text", "id", "parent", "message_id", "parent_id")
    owner = {name: value for name, value in one.items() if name not in used and value is not None}
    if role != one.get("role"):
        owner["called"] = one.get("role", one.get("from"))
    key, parent = one.get("id", one.get("message_id")), one.get("parent", one.get("parent_id"))
    if key is not None:
        owner["id"] = key
    return Message(role, content, here, _named(key), _named(parent), owner)


def _named(value: Any) -> str | None:
    return None if value is None else str(value)


def _contents(value: Any, here: str) -> list[Content]:
    if value is None:
        return []
    if isinstance(value, str):
        return [Content(text=value)]
    if not isinstance(value, list):
        raise invalid("line-malformed", "The content is neither a text nor a list.", place=here + "/content",
                      remedy="Write a text.")  # fmt: skip
    found: list[Content] = []
    for number, piece in enumerate(value):
        at = f"{here}/content/{number}"
        if isinstance(piece, str):
            found.append(Content(text=piece))
        elif isinstance(piece, Mapping) and isinstance(piece.get("text"), str):
            found.append(Content(_FORMS.get(piece.get("type", "")), piece["text"]))
        elif isinstance(piece, Mapping) and "image_url" in piece:
            address = piece["image_url"]
            found.append(Content("image", url=str(address.get("url") if isinstance(address, Mapping) else address)))
        else:
            raise invalid("content-unknown", "A piece of content is neither text nor a picture's address.", place=at,
                          remedy="Write text, or an image_url.")  # fmt: skip
    return found


def _transcript(value: Any, here: str) -> list[Message]:
    """An answer: a text, a message, a list of messages, or a transcript of Human and Assistant."""
    if isinstance(value, list):
        if not value:
            return [Message("assistant", [Content(text="")], here)]
        return [_message(one, f"{here}/{n}") for n, one in enumerate(value)]
    if isinstance(value, Mapping):
        text = next((str(value[name]) for name in _TEXTS if isinstance(value.get(name), str | int | float)), None)
        if text is None:
            raise invalid("line-malformed", "An answer has no text.", place=here, remedy='Write {"text": …}.')
        return [Message("assistant", [Content(text=text)], here)]
    if isinstance(value, int | float):
        value = str(value)
    if not isinstance(value, str):
        raise invalid("line-malformed", "An answer is no text.", place=here, remedy="Write a text.")
    pieces = _TURN.split(value)
    if len(pieces) > 2 and not pieces[0].strip():
        turns = zip(pieces[1::2], pieces[2::2], strict=True)
        return [Message("user" if who == "Human" else "assistant", [Content(text=text)], here) for who, text in turns]
    return [Message("assistant", [Content(text=value)], here)]


def _before(row: Row) -> list[Message]:
    """What the answers answer: `prompt` and its like; an instruction with an input is one message."""
    for name in PROMPTS:
        value = row.get(name)
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            return [_message(one, place(name, n)) for n, one in enumerate(value)]
        if isinstance(value, str) and value.strip():
            further = row.get("input") if name != "input" else None
            text = f"{value}\n\n{further}" if isinstance(further, str) and further.strip() else value
            system = row.get("system")
            first = [Message("system", [Content(text=system)], "/system")] if isinstance(system, str) and system else []
            return [*first, *(_transcript(value, place(name)) if _TURN.match(value) else
                              [Message("user", [Content(text=text)], place(name))])]  # fmt: skip
    return []


def _listed(row: Row) -> list[Candidate]:
    column = next((name for name in ANSWERS if isinstance(row.get(name), list) and len(row[name]) > 0), None)
    if column is None:
        return []
    found = []
    for number, one in enumerate(row[column]):
        here = place(column, number)
        owner = {} if not isinstance(one, Mapping) else {
            name: value for name, value in one.items() if name not in _TEXTS and value is not None
        }  # fmt: skip
        found.append(Candidate(_transcript(one, here), here, owner))
    return found


def _references(row: Row) -> list[Content]:
    found: list[Content] = []
    for name in REFERENCES:
        value = row.get(name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and one.strip():
                found.append(Content(text=one))
            elif isinstance(one, Mapping):
                said = [one.get("title"), *(one.get("sentences") or []), *(one.get(name) for name in _TEXTS)]
                words = " ".join(each for each in said if isinstance(each, str))
                if words.strip():
                    found.append(Content(text=words))
    return found


def _source(row: Row, name: str) -> dict[str, Any]:
    """Which model wrote an answer, by the columns that say so beside it."""
    end = name[-2:]
    told = {"model": row.get(f"model{end}")} if f"model{end}" in row else {}
    return told if told else {"model": row[f"{name}_model"]} if f"{name}_model" in row else {}


def _rest(row: Row, *used: str) -> dict[str, Any]:
    """What else the row says: for its owner alone, since it may tell what is asked."""
    gone = {*used, *KEPT, *REFERENCES}
    return {name: value for name, value in row.items() if name not in gone and value is not None}


def _same(a: Message, b: Message) -> bool:
    return a.role == b.role and a.content == b.content


def _words(message: Message) -> list[str]:
    return [each.text or each.url or "" for each in message.content]


def _decoded(value: Any) -> Any:
    """A cell of a table that holds JSON, as what it holds; any other as it is."""
    if isinstance(value, str) and value[:1] in "[{" and value[:1]:
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            return value
        if isinstance(found, list) and found and all(isinstance(one, dict) for one in found):
            return found
        if isinstance(found, dict) and ("message_id" in found or "content" in found):
            return found
    return value
