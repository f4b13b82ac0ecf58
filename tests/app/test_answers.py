"""Answers for the command line: from files, and from somebody at a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cupola.app import answers
from cupola.app.commands import common, working
from cupola.kernel.errors import Problem

AMOUNTS = [("12.50", "EUR", 1250), ("1200", "JPY", 1200), ("0.001", "KWD", 1)]
CHOICE: dict[str, Any] = {"kind": "choice", "classes": [{"name": "1", "title": {"en": "Cat"}}, {"name": "2"}]}


def test_tables_and_lines_say_the_same(tmp_path: Path) -> None:
    table, lines = tmp_path / "a.csv", tmp_path / "a.jsonl"
    table.write_text("\ufefflabel,ref,note\ncat,a,\ndog,b,x\ncat,a,again\n", "utf-8")
    lines.write_text('{"ref": "a", "label": "cat"}\n\n{"ref": "b", "label": "dog"}\n', "utf-8")
    assert answers.read(table) == answers.read(lines) == {"a": "cat", "b": "dog"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("ref,answer\na,b\n", ":1"),
        ("ref,label\na,cat\na,dog\n", ":3"),
        ("ref,label\na\n", ":2"),
        ('{"ref": "a"}', ":1"),
        ('{"ref": "a", "label": 1}\n{"ref":', ":2"),
        ("", ""),
    ],
)
def test_what_cannot_be_read_is_named_by_its_line(tmp_path: Path, text: str, place: str) -> None:
    file = tmp_path / "a"
    file.write_text(text, "utf-8")
    with pytest.raises(Problem) as refused:
        answers.read(file)
    assert refused.value.place.endswith(place)


def test_an_answer_becomes_a_label_of_the_projects_kind() -> None:
    assert answers.label("cat", "choice") == {"kind": "choice", "values": ["cat"]}
    assert answers.label(["a", "b"], "choice") == {"kind": "choice", "values": ["a", "b"]}
    assert answers.label("words", "text") == {"kind": "text", "text": "words"}
    whole = {"kind": "objects", "objects": []}
    assert answers.label(whole, "objects") == whole
    for said, kind in (("car", "objects"), (7, "choice"), (["a"], "text")):
        with pytest.raises(Problem):
            answers.label(said, kind)


def test_somebody_at_a_terminal_answers_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    said = iter(["1", "9", "", "2, 1", "some words"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(said))
    ask = working._answerer(None)
    item = {"ref": "a", "text": "It purrs."}
    assert [ask(item, CHOICE) for _ in range(3)] == ["1", None, None]
    assert ask(item, {**CHOICE, "multiple": True}) == ["2", "1"]
    assert ask(item, {"kind": "text"}) == "some words"
    assert ask(item, {"kind": "objects"}) is None


@pytest.mark.parametrize(("amount", "currency", "minor"), AMOUNTS)
def test_amounts_are_read_in_the_minor_unit_of_their_currency(amount: str, currency: str, minor: int) -> None:
    assert common.minor_units(amount, currency) == minor


@pytest.mark.parametrize("amount", ["0.001", "-1", "0", "NaN", "Infinity", "x", "", "1e30"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(Problem):
        common.minor_units(amount, "EUR")


@pytest.mark.parametrize(
    ("said", "type_", "meant"),
    [
        ("2", "choice", "b"),
        ("3", "choice", None),
        ("1, 2", "multi", ["a", "b"]),
        ("", "multi", None),
        ("Yes", "bool", True),
        ("n", "bool", False),
        ("perhaps", "bool", None),
        ("2.5", "number", 2.5),
        ("many", "number", None),
        ("words", "text", "words"),
        ("", "text", None),
    ],
)
def test_what_is_written_at_a_terminal_answers_a_question_of_a_form_or_leaves_it_open(
    said: str, type_: str, meant: object
) -> None:
    assert answers.value(said, type_, ["a", "b"]) == meant
