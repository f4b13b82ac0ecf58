"""Preference sets as recordings: what people said of pairs, read to the line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cupola.app.replay import read
from cupola.kernel.errors import Problem


def lines(tmp_path: Path, *rows: Any) -> Path:
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return file


def votes(*said: str) -> list[dict[str, str]]:
    return [{"rater": f"r{n}", "value": value} for n, value in enumerate(said)]


def test_pairs_with_votes_are_items_with_what_most_say_as_their_truth(tmp_path: Path) -> None:
    pair = {"prompt": "Hi", "response_a": "A", "response_b": "B"}
    found = read(
        lines(
            tmp_path,
            {"id": "a", **pair, "votes": votes("1", "1", "2"), "judges": [{"model": "m", "value": "2"}]},
            {"id": "b", **pair, "votes": votes("1", "2", "0")},
            {"id": "c", **pair, "votes": votes("1", "2"), "truth": "2"},
            {"id": "d", "votes": votes("0")},
        )
    )
    assert (found.name, found.left_out, found.classes) == ("pairs", 1, ["0", "1", "2"])
    assert found.truth == {"a": "1", "c": "2", "d": "0"}
    assert found.votes["a"] == {"r0": "1", "r1": "1", "r2": "2"}
    assert found.items["a"] == {"ref": "a", **pair}, "what was said of it is no part of it"
    assert found.items["d"] == {"ref": "d", "text": "d"}


BROKEN = {
    "no json": ('{"votes": [', "line-malformed"),
    "no votes": ({"prompt": "Hi"}, "votes-missing"),
    "a vote of nobody": ({"votes": [{"value": "1"}]}, "vote-malformed"),
    "a broken conversation": ({"votes": votes("1"), "messages": [{"role": "wizard", "content": "x"}]}, "role-unknown"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_line_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    row, code = BROKEN[name]
    with pytest.raises(Problem) as refused:
        read(lines(tmp_path, {"id": "a", "prompt": "Hi", "votes": votes("1")}, row))
    assert refused.value.code == code
    assert "pairs.jsonl:2" in refused.value.place
    assert refused.value.remedy
