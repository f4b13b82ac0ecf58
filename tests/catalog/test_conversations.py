"""Conversations told by their content, in the shapes that people have, and what is wrong with broken ones."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from cupola.catalog.conversations.model import counts, without_owner
from cupola.catalog.conversations.oasst import tree
from cupola.catalog.found import Found, FoundPart, Refused
from cupola.catalog.importers.manifest import lines_of

OASST = Path(os.environ.get("CUPOLA_TEST_DATA", Path(__file__).parents[3] / "shared" / "data")) / "llm/oasst_en100"
ODD = "a\u0301 \U0001f468\u200d\U0001f469\u200d\U0001f467 漢字 עברית"


def read(tmp_path: Path, *rows: Any, name: str = "rows.jsonl") -> list[Any]:
    path = tmp_path / name
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return list(lines_of(path, None))


def said(found: Found) -> list[tuple[str, str | None, str | None]]:
    """(role, its name, text) of each part."""
    return [(part.role, part.meta.get("message"), part.text) for part in found.parts]


CHAT = [("system", "m1", "Be kind."), ("user", "m2", ODD), ("assistant", "m3", "Yes.")]


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": ODD},
                      {"role": "assistant", "content": [{"type": "text", "text": "Yes."}]}]},
        {"system": "Be kind.", "conversations": [{"from": "human", "value": ODD}, {"from": "gpt", "value": "Yes."}]},
        {"messages": [{"id": 2, "parent": 1, "role": "user", "content": ODD},
                      {"id": 1, "role": "system", "content": "Be kind."},
                      {"id": 3, "parent": 2, "role": "assistant", "content": "Yes."}]},
        {"system": "Be kind.", "prompt": ODD, "completion": "Yes."},
    ],
    ids=["openai", "sharegpt", "tree in any order", "prompt and completion"],
)  # fmt: skip
def test_chat_of_every_maker_is_the_same_conversation(tmp_path: Path, row: dict[str, Any]) -> None:
    [found] = read(tmp_path, row)
    assert isinstance(found, Found), found
    assert said(found) == CHAT
    told = counts((part.role, part.meta) for part in found.parts)
    assert (told.messages, told.turns, told.candidates) == (3, 1, 0)


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Hi", "chosen": "A", "rejected": "B"},
        {"chosen": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "A"}],
         "rejected": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "B"}]},
        {"chosen": "\n\nHuman: Hi\n\nAssistant: A", "rejected": "\n\nHuman: Hi\n\nAssistant: B"},
        {"question": "Hi", "response_a": "A", "response_b": "B", "model_a": "x", "model_b": "y"},
        {"instruction": "Hi", "input": "", "answers": [{"key": "1", "text": "A", "model": "x"}, {"text": "B"}]},
        {"prompt": [{"role": "user", "content": "Hi"}], "responses": ["A", "B"]},
    ],
    ids=["texts", "lists", "transcripts", "columns", "answers", "responses"],
)  # fmt: skip
def test_pairs_and_lists_are_candidates_after_what_they_answer(tmp_path: Path, row: dict[str, Any]) -> None:
    [found] = read(tmp_path, row)
    assert isinstance(found, Found), found
    assert said(found)[0] == ("user", "m1", "Hi")
    assert sorted(text or "" for role, _, text in said(found) if role == "candidate") == ["A", "B"]
    assert [name for role, name, _ in said(found) if role == "candidate"] == ["c1", "c2"]
    assert counts((part.role, part.meta) for part in found.parts).candidates == 2


def test_which_answer_was_chosen_and_who_wrote_it_is_the_owners_alone(tmp_path: Path) -> None:
    rows = [{"prompt": f"Hi {n}", "chosen": f"good {n}", "rejected": f"bad {n}", "score": n} for n in range(40)]
    firsts = set()
    for found in read(tmp_path, *rows):
        assert isinstance(found, Found)
        first = next(part for part in found.parts if part.role == "candidate")
        firsts.add(first.meta["owner"]["was"])
        for part in found.parts:
            assert "chosen" not in json.dumps(dict(without_owner(part.meta)))
        assert found.metadata == {}
        assert found.parts[0].meta["owner"]["row"]["score"] == int((found.parts[0].text or "").split()[1])
    assert firsts == {"chosen", "rejected"}  # the place does not tell it


def test_an_answer_may_be_empty_long_or_several_messages(tmp_path: Path) -> None:
    ask = {"role": "user", "content": "Hi"}
    more = [
        {"role": "assistant", "content": "A"},
        {"role": "user", "content": "and?"},
        {"role": "assistant", "content": "C"},
    ]
    [found] = read(tmp_path, {"prompt": [ask], "chosen": more, "rejected": ""})
    candidates = [part for part in found.parts if part.role == "candidate"]
    assert sorted(part.text or "" for part in candidates) == ["", "A", "C", "and?"]
    assert [part.meta["as"] for part in candidates if "as" in part.meta] == ["assistant", "user", "assistant"]


def test_steps_pictures_code_tools_and_references_keep_what_they_are(tmp_path: Path) -> None:
    picture = "data:image/png;base64," + base64.b64encode(b"PNG").decode()
    [steps, chat] = read(
        tmp_path,
        {"question": "2+2?", "steps": ["2 and 2", "is 4"], "reference": "4"},
        {"messages": [
            {"role": "user", "content": ["see", {"type": "image_url", "image_url": {"url": picture}},
                                         {"type": "image_url", "image_url": "https://example.org/a b.png"}]},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "f"}}]},
            {"role": "function", "content": "{}"},
            {"role": "assistant", "content": [{"type": "code", "text": "x=1"}]}]},
    )  # fmt: skip
    assert [part.meta.get("kind") for part in steps.parts] == [None, "step", "step", None]
    assert steps.parts[-1].role == "reference"
    assert counts((part.role, part.meta) for part in steps.parts).steps == 2
    assert [part.meta.get("kind") for part in chat.parts] == [
        None,
        "image",
        "image",
        "tool_call",
        "tool_result",
        "code",
    ]
    assert chat.parts[1].read is not None
    assert b"".join(chat.parts[1].read().chunks) == b"PNG"
    assert chat.parts[2].url == "https://example.org/a%20b.png"


BROKEN: dict[str, tuple[Any, str, str]] = {
    "a circle": ([{"id": 1, "role": "user", "content": "a"},
                  {"id": 2, "parent": 3, "role": "assistant", "content": "b"},
                  {"id": 3, "parent": 2, "role": "user", "content": "c"}], "tree-circle", "/messages/1"),
    "two roots": ([{"id": 1, "role": "user", "content": "a"}, {"id": 2, "role": "user", "content": "b"},
                   {"id": 3, "parent": 1, "role": "assistant", "content": "c"}], "tree-two-roots", "/messages/1"),
    "no root": ([{"id": 1, "parent": 2, "role": "user", "content": "a"},
                 {"id": 2, "parent": 1, "role": "assistant", "content": "b"}], "tree-circle", "/messages/0"),
    "an unknown parent": ([{"id": 1, "role": "user", "content": "a"},
                           {"id": 2, "parent": 9, "role": "assistant", "content": "b"}],
                          "tree-parent-unknown", "/messages/1"),
    "a name twice": ([{"id": 1, "role": "user", "content": "a"},
                      {"id": 1, "parent": 1, "role": "user", "content": "b"}],
                     "message-twice", "/messages/1"),
    "no name": ([{"id": 1, "role": "user", "content": "a"}, {"parent": 1, "role": "assistant", "content": "b"}],
                "message-nameless", "/messages/1"),
    "an unknown role": ([{"role": "wizard", "content": "a"}], "role-unknown", "/messages/0/role"),
    "no role": ([{"content": "a"}], "role-unknown", "/messages/0/from"),
    "an answer to oneself": ([{"id": 1, "role": "user", "content": "a"},
                              {"id": 2, "parent": 1, "role": "user", "content": "b"}], "role-order", "/messages/1"),
    "half a character": ([{"role": "user", "content": "a\ud800"}], "text-half-character", "/messages/0"),
    "content that is none": ([{"role": "user", "content": [{"type": "smell"}]}], "content-unknown",
                             "/messages/0/content/0"),
    "a number for a list": ([7], "line-malformed", "/messages/0"),
    "no message": ([], "conversation-empty", ""),
    "too many pieces": ([{"role": "user", "content": ["x"] * 1001}], "parts-too-many", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_conversation_is_refused_with_its_place_and_the_next_is_read(tmp_path: Path, name: str) -> None:
    messages, code, place = BROKEN[name]
    refused, good = read(tmp_path, {"messages": messages}, {"prompt": "Hi"})
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.place) == (code, "line 1")
    assert place in refused.detail
    assert refused.remedy
    assert isinstance(good, Found)


def test_more_candidates_than_people_compare_are_refused(tmp_path: Path) -> None:
    [refused] = read(tmp_path, {"prompt": "Hi", "responses": ["x"] * 11})
    assert refused.reason == "candidates-too-many"


def test_tables_hold_conversations_too_and_manifests_stay_manifests(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": ODD}, {"role": "assistant", "content": "Yes."}]
    parquet.write_table(pa.Table.from_pylist([{"id": "p", "messages": messages}]), tmp_path / "hf.parquet")
    told = io.StringIO()
    writer = csv.writer(told)
    writer.writerows([["id", "messages"], ["c", json.dumps(messages)]])
    (tmp_path / "table.csv").write_text(told.getvalue())
    [one] = lines_of(tmp_path / "hf.parquet", None)
    [other] = lines_of(tmp_path / "table.csv", None)
    assert isinstance(one, Found)
    assert isinstance(other, Found)
    assert (one.ref, other.ref) == ("p", "c")
    assert said(one) == said(other) == [("user", "m1", ODD), ("assistant", "m2", "Yes.")]
    [plain] = read(tmp_path, {"ref": "r", "text": "words", "prompt": "p"})
    assert (plain.text, plain.parts, plain.metadata) == ("words", (), {"prompt": "p"})


def test_without_a_name_the_same_conversation_has_the_same_one(tmp_path: Path) -> None:
    a, b, c = read(tmp_path, {"prompt": "Hi"}, {"prompt": "Hi"}, {"prompt": "Ho"})
    assert a.ref == b.ref != c.ref


def nodes(parts: tuple[FoundPart, ...]) -> Any:
    return tree([(part.role, part.text, part.meta) for part in parts])


def test_a_tree_comes_back_as_it_came(tmp_path: Path) -> None:
    whole = {
        "message_tree_id": "t", "tree_state": "ready", "prompt": {
            "message_id": "t", "text": ODD, "role": "prompter", "lang": "en", "emojis": {"+1": 2}, "replies": [
                {"message_id": "u", "parent_id": "t", "text": "A", "role": "assistant", "rank": 1, "replies": []},
                {"message_id": "v", "parent_id": "t", "text": "B", "role": "assistant", "rank": 0, "synthetic": False,
                 "replies": [{"message_id": "w", "parent_id": "v", "text": "Hm", "role": "prompter"}]}]}}  # fmt: skip
    root = whole["prompt"]
    [first, second] = read(tmp_path, whole, root)
    assert nodes(first.parts) == whole
    assert nodes(second.parts) == root
    assert first.ref == "t"
    [chat] = read(tmp_path, {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "A"}]})
    assert nodes(chat.parts)["prompt"]["replies"][0] == {
        "message_id": "m2", "role": "assistant", "text": "A", "parent_id": "m1"}  # fmt: skip


@pytest.mark.skipif(not OASST.is_dir(), reason="the recorded trees are not here")
def test_recorded_trees_come_back_as_they_came() -> None:
    came = [json.loads(line) for line in (OASST / "trees.jsonl").read_text().splitlines()]
    assert [nodes(found.parts) for found in lines_of(OASST / "trees.jsonl", None)] == came  # type: ignore[union-attr]
