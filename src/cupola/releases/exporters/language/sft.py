"""Supervised fine-tuning: a conversation a line that ends with the answer to be learned.

`sft`: `messages` of role and content with the row's reference beside them, as TRL, axolotl and LLaMA-Factory take it;
`openai-chat`: `messages` alone, which is all that OpenAI's fine-tuning takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cupola.releases.exporters.base import About, Row
from cupola.releases.exporters.language.asked import ranks, text_of
from cupola.releases.exporters.language.lines import jsonl_format
from cupola.releases.exporters.language.talk import Message, talk_of

ASKS = ("text", "preference", "groups")


def learned(row: Row, about: About) -> list[Message] | None:
    """What was written, or the best of what was compared; None where two are as good, or neither there."""
    talk = talk_of(row)
    if talk is None:
        return None
    text = text_of(row, about.ontology)
    if text is not None:
        return [*talk.prompt, {"role": "assistant", "content": text}]
    groups = ranks(row, about.ontology, talk)
    if len(groups) > 1 and len(groups[0]) == 1 and groups[0][0] in talk.candidates:
        return [*talk.messages, *talk.candidates[groups[0][0]]]
    return None


def _sft(row: Row, about: About) -> Iterator[dict[str, Any]]:
    messages = learned(row, about)
    if messages is not None:
        yield {"messages": messages, "ref": row.ref, "how": row.how, "confidence": round(row.confidence, 6)}


def _openai(row: Row, about: About) -> Iterator[dict[str, Any]]:
    messages = learned(row, about)
    if messages is not None:
        yield {"messages": messages}


sft = jsonl_format(
    "SFT (messages)",
    "Conversations that end with the answer to learn; TRL, axolotl, LLaMA-Factory",
    "以待学习的回答结尾的对话；供 TRL、axolotl、LLaMA-Factory 使用",
    _sft,
    ASKS,
)
openai_chat = jsonl_format(
    "OpenAI fine-tuning",
    "The same, with nothing but messages",
    "同上，仅含 messages",
    _openai,
    ASKS,
)
