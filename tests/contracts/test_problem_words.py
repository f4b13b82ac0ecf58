"""Whatever the server can refuse on the way of a browser has Chinese words there: found by its code in the sources."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cupola import kernel

SOURCE = Path(kernel.__file__).parents[1]
WORDS = SOURCE.parents[1] / "web/src/i18n/zh_problems.ts"

# What no browser meets: the command line, other people's clients, the start of a process, and libraries for tables.
ELSEWHERE = (
    "app/answers", "app/cli", "app/commands", "app/demo", "app/launch", "app/moving", "app/replay", "app/serve",
    "app/recordings", "app/stage",
    "client", "compat", "corpus", "formats/cli", "formats/convert", "platform/backup", "platform/mail",
    "platform/secret", "platform/settings", "platform/telemetry",
    "platform/pg/account", "platform/pg/binaries", "platform/pg/cluster", "platform/pg/locks", "platform/pg/migrate",
    "platform/pg/places", "platform/pg/seal", "preferences", "quality/agreement", "quality/aggregation",
    "quality/calibrate", "quality/certify", "quality/classifier", "quality/cli", "quality/collusion",
    "quality/inference", "quality/kinds", "quality/online", "quality/readers", "quality/simulate",
    "quality/strategies", "releases/verifying",
)  # fmt: skip
_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SAYS = {
    "Problem": 1,
    "Wrong": 0,
    "Refused": None,
    "Noted": None,
}  # place of the code; None: wherever a code stands among the rest


def _modules() -> dict[str, ast.Module]:
    found = {path.relative_to(SOURCE).as_posix(): path for path in SOURCE.rglob("*.py")}
    return {
        name: ast.parse(path.read_text("utf-8"))
        for name, path in sorted(found.items())
        if not name.startswith(ELSEWHERE)
    }


def _helpers(modules: dict[str, ast.Module]) -> dict[str, int | None]:
    """Functions that are given the code of a problem, and at which place."""
    places = dict(_SAYS)
    for tree in modules.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name != "__init__":
                names = [one.arg for one in node.args.args if one.arg not in ("self", "cls")]
                typed = [one.arg for one in node.args.args if one.annotation and ast.unparse(one.annotation) == "str"]
                if "code" in names and "code" in typed:
                    places[node.name] = names.index("code")
    return places


def _literals(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _CODE.fullmatch(node.value):
        yield node.value


def codes(modules: dict[str, ast.Module]) -> dict[str, str]:
    """Code -> a module that says it."""
    places = _helpers(modules)
    found: dict[str, str] = {}
    for module, tree in modules.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name not in places:
                continue
            place = places[name]
            for said in node.args if place is None else node.args[place : place + 1]:
                for code in _literals(said):
                    found.setdefault(code, module)
    return found


def _browsers() -> dict[str, str]:
    """Code -> a module of the browser that says it by itself, in the shape of a server's problem."""
    here = WORDS.parents[1]
    modules = [one for one in here.rglob("*.ts*") if ".test." not in one.name and "api/schema" not in one.as_posix()]
    said = re.compile(r"new Problem\(\d+, \{\s*code: '([a-z0-9-]+)'")
    return {
        code: path.relative_to(here).as_posix() for path in sorted(modules) for code in said.findall(path.read_text())
    }


def _words() -> dict[str, str]:
    if not WORDS.exists():
        pytest.skip("there is no web/ here")
    entry = re.compile(r"^  '?([a-z0-9-]+)'?: \[(.*?)\],$", re.MULTILINE | re.DOTALL)
    return {match[1]: match[2] for match in entry.finditer(WORDS.read_text("utf-8"))}


def test_every_problem_that_a_browser_can_meet_has_chinese_words() -> None:
    said = codes(_modules())
    assert len(said) > 150
    assert {"holds-enough", "drafts-too-large", "budget-exhausted", "csv-header", "names-guessed"} <= set(said)
    missing = {code: module for code, module in {**_browsers(), **said}.items() if code not in _words()}
    assert missing == {}


def test_no_words_are_kept_for_what_nobody_says() -> None:
    assert sorted(set(_words()) - set(codes(_modules())) - set(_browsers())) == []


def test_the_words_are_chinese() -> None:
    assert [code for code, words in _words().items() if not re.search("[一-鿿]", words)] == []


def test_a_new_code_is_noticed() -> None:
    planted = {
        "tasks/new.py": ast.parse('raise conflict("not-said-yet", "Words.") if a else invalid("nor-this", "W.")')
    }
    helpers = _modules()
    assert {"not-said-yet", "nor-this"} <= set(codes({**helpers, **planted}))
