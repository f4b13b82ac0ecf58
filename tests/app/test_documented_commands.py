"""Every command that a document shows is one that there is, with the options that it shows."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

from cupola.app.cli import app

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "README.zh.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands(text: str) -> list[str]:
    """Lines of shell blocks that call cupola, without what stands around them."""
    found: list[str] = []
    for block in re.findall(r"```(?:sh|bash|console)\n(.*?)```", text, re.S):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\||;|\$\(", line.split("  #")[0].split(" # ")[0]):
                part = part.strip().lstrip("$ ").rstrip(") ")
                if part.startswith("cupola "):
                    found.append(part)
    return found


SHOWN = [(path, line) for path in DOCUMENTS for line in commands(path.read_text("utf-8"))]


def test_there_are_some() -> None:
    assert len(SHOWN) > 20
    assert any("tenant create" in line for _, line in SHOWN)


@pytest.mark.parametrize(("path", "line"), SHOWN, ids=lambda one: one.name if isinstance(one, Path) else one[:60])
def test_a_documented_command_is_understood(path: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUPOLA_KEY", "test_x")
    words = [word.replace("…", "x") for word in shlex.split(line)[1:]]
    if words[-1:] == ["&"] or {"--help", "--version", "--install-completion"} & set(words):
        words = [word for word in words if word != "&" and not word.startswith(("--help", "--version", "--install"))]
    if words:
        app.parse_args(words, exit_on_error=False, print_error=False)


NAMED = re.compile(r"\bcupola ([a-z][a-z-]+)(?: ([a-z][a-z-]+))?")
NO_COMMANDS = {
    "annotator",
    "refused",
    "cannot",
    "is",
    "has",
    "and",
    "itself",
}  # words that follow the name in a sentence


def advised() -> list[tuple[str, str, str]]:
    """(where, command, what follows) of each command that our own sentences name, as what to do next."""
    found = []
    for path in sorted((ROOT / "src" / "cupola").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                where = f"{path.relative_to(ROOT)}:{node.lineno}"
                found += [(where, first, second) for first, second in NAMED.findall(node.value)]
    return found


def test_every_command_that_a_sentence_of_ours_names_is_there() -> None:
    """Who is told what to do next is not told what cannot be done."""
    assert len(advised()) > 60
    wrong = []
    for where, first, second in advised():
        if first in NO_COMMANDS:
            continue
        if first not in set(app):
            wrong.append(f"{where}: cupola {first}")
        elif (below := {name for name in app[first] if not name.startswith("-")}) and second and second not in below:
            wrong.append(f"{where}: cupola {first} {second}")
    assert wrong == []
    assert {"fit", "bring"} <= set(app["model"])
