"""Which of two answers is better, as trainers of preferences take it.

`dpo`: TRL's conversational preference format (prompt, chosen, rejected); `openai-preference`: OpenAI's shape of the
same; `kto`: TRL's unpaired format (prompt, completion, label); `reward-ranking`: all answers of an item with their
places. A reply that was mended is better than what it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cupola.releases.exporters.base import About, Row
from cupola.releases.exporters.language.asked import pairs, ranks, strength, text_of, written
from cupola.releases.exporters.language.lines import jsonl_format
from cupola.releases.exporters.language.talk import Message, Talk, talk_of, words

ASKS = ("preference", "groups", "rewrite")
Pair = tuple[list[Message], list[Message], list[Message]]


def _pairs(row: Row, about: About) -> Iterator[Pair]:
    """(prompt, better, worse) of each two that are not as good."""
    talk = talk_of(row)
    if talk is None:
        return
    mended = _mended(row, about, talk)
    if mended is not None:
        yield talk.prompt, [{"role": "assistant", "content": mended}], [talk.messages[-1]]
        return
    for better, worse in pairs(ranks(row, about.ontology, talk)):
        if better in talk.candidates and worse in talk.candidates:
            yield talk.messages, talk.candidates[better], talk.candidates[worse]


def _mended(row: Row, about: About, talk: Talk) -> str | None:
    """A reply as it should be, where it is not as it was."""
    spec = written(about.ontology)
    text = text_of(row, about.ontology)
    if spec is None or not spec.rewrites or text is None or not talk.replied:
        return None
    return text if text.strip() != talk.messages[-1]["content"].strip() else None


def _dpo(row: Row, about: About) -> Iterator[dict[str, Any]]:
    for prompt, chosen, rejected in _pairs(row, about):
        yield {
            "prompt": prompt,
            "chosen": chosen,
            "rejected": rejected,
            "ref": row.ref,
            "strength": strength(row, about.ontology),
            "confidence": round(row.confidence, 6),
        }


def _openai(row: Row, about: About) -> Iterator[dict[str, Any]]:
    for prompt, chosen, rejected in _pairs(row, about):
        # one message on each side, which is what it takes
        yield {
            "input": {"messages": prompt, "tools": [], "parallel_tool_calls": True},
            "preferred_output": [{"role": "assistant", "content": words(chosen)}],
            "non_preferred_output": [{"role": "assistant", "content": words(rejected)}],
        }


def _kto(row: Row, about: About) -> Iterator[dict[str, Any]]:
    """The best and the worst; what lies between them is neither."""
    talk = talk_of(row)
    if talk is None:
        return
    mended = _mended(row, about, talk)
    if mended is not None:
        sides = [([{"role": "assistant", "content": mended}], True), ([talk.messages[-1]], False)]
        prompt = talk.prompt
    else:
        groups = ranks(row, about.ontology, talk)
        if len(groups) < 2:
            return
        sides = [(talk.candidates[name], good) for group, good in ((groups[0], True), (groups[-1], False))
                 for name in group if name in talk.candidates]  # fmt: skip
        prompt = talk.messages
    for completion, good in sides:
        yield {"prompt": prompt, "completion": completion, "label": good, "ref": row.ref}


def _ranking(row: Row, about: About) -> Iterator[dict[str, Any]]:
    talk = talk_of(row)
    groups = [] if talk is None else ranks(row, about.ontology, talk)
    if talk is None or not groups:
        return
    place = {name: n for n, group in enumerate(groups, 1) for name in group}
    names = [name for name in talk.candidates if name in place]
    yield {
        "group_id": row.ref,
        "prompt": talk.messages,
        "responses": [talk.candidates[name] for name in names],
        "ranks": [place[name] for name in names],
        "models": [talk.models.get(name) for name in names],
        "strength": strength(row, about.ontology),
        "confidence": round(row.confidence, 6),
    }


dpo = jsonl_format(
    "DPO (TRL)",
    "A better and a worse answer to each prompt; a tie makes none",
    "每个提示的较好与较差回答；平局不产生条目",
    _dpo,
    ASKS,
)
openai_preference = jsonl_format(
    "OpenAI preference",
    "The same in the shape that OpenAI's fine-tuning takes",
    "同上，采用 OpenAI 微调所需的结构",
    _openai,
    ASKS,
)
kto = jsonl_format(
    "KTO (TRL)",
    "Answers by themselves, each wanted or not",
    "逐条回答，各自标明是否可取",
    _kto,
    ASKS,
)
reward_ranking = jsonl_format(
    "Reward ranking",
    "All answers to a prompt with their places and models",
    "同一提示的全部回答及其名次和模型",
    _ranking,
    ("preference", "groups"),
)
