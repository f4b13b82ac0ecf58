"""What people call things reaches any terminal as it is written, and ends no command."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import pytest
from rich.table import Table

from cupola.app import cli
from cupola.identity.model import normal_name
from cupola.kernel.errors import Problem, not_found
from cupola.kernel.terminal import Plain, forgiving, json_text, visible
from cupola.kernel.words import in_one_line

WORDS = [
    "A [/b] c",
    "[red]x",
    "[/]",
    ":cat: x",
    "\x1b[31mred",
    "caf\udce9.png",
    "名前 שלום 👨\u200d👩\u200d👧",
    "a\x9bm",
]


def _stream(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)


def _written(stream: io.TextIOWrapper) -> str:
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode(stream.encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252", "gbk"])
def test_a_console_prints_words_as_they_are_in_lines_and_in_tables(encoding: str) -> None:
    stream = _stream(encoding)
    console = Plain(file=stream, width=200)
    for word in WORDS:
        console.print(word, soft_wrap=True)
        console.headed("not-found", f": {word}", "bold red")
        table = Table("a", title=word)
        table.add_row(word)
        console.print(table)
    said = _written(stream)
    for word in WORDS:
        assert said.count(visible(word, encoding)) == 4, word
    assert "\x1b" not in said
    assert "\x9b" not in said


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_json_of_any_words_is_json_in_any_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", _stream(encoding))
    forgiving()
    print(json_text(WORDS))
    assert isinstance(sys.stdout, io.TextIOWrapper)
    assert json.loads(_written(sys.stdout)) == WORDS


def test_a_refusal_with_a_name_of_brackets_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: object) -> None:
        raise Problem(not_found("x").kind, "not-found", "There is no '[/b]'.", remedy="[/x]")

    monkeypatch.setattr(cli, "app", refused)
    monkeypatch.setattr(sys, "stderr", _stream("ascii"))
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == cli.EXIT_REFUSED
    assert isinstance(sys.stderr, io.TextIOWrapper)
    assert "There is no '[/b]'." in _written(sys.stderr)


@pytest.mark.parametrize(
    "name",
    [
        "علی\u200cرضا",
        "👨\u200d👩\u200d👧 Family",
        "שלום\u200f (1)",
        "12\u202f% Labs",
        "Zoe\u0308",
        "क्\u200dष",
        "New\u00a0York Lab",
    ],
)
def test_names_are_taken_as_their_scripts_write_them(name: str) -> None:
    assert normal_name(name) == name


@pytest.mark.parametrize("name", ["", "  ", "\u200b\u200f", "a\nb", "a\u2028b", "a\x1b[31m", "a\x85b", "\ud800"])
def test_names_that_no_line_holds_or_nobody_sees_are_refused(name: str) -> None:
    assert not in_one_line(name.strip())
    with pytest.raises(Problem):
        normal_name(name)


def test_no_console_takes_the_words_of_people_for_markup() -> None:
    plain = re.compile(r"(?<!\w)Console\(|rich\.markup|from_markup")
    where = [
        str(file)
        for file in Path(cli.__file__).parents[1].rglob("*.py")
        if file.name != "terminal.py" and plain.search(file.read_text("utf-8"))
    ]
    assert where == []
