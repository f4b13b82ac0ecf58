"""What is absent from the browser app: anything fetched from elsewhere, text run as markup, data run as code."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping

from tests.absences.source import ROOT

_NAMESPACES = ("http://www.w3.org/",)  # names of languages (SVG), never fetched
_ADDRESS = re.compile(r"""(?:https?:)?//(?:[\w-]+\.)+[a-z]{2,}[^\s"'`)<]*""", re.IGNORECASE)
_OURS = re.compile(r"https?://(?:localhost|127\.0\.0\.1)")
_COMMENT = re.compile(r"/\*.*?\*/|(?:^|(?<=[\s;{}]))//[^\n]*|<!--.*?-->", re.DOTALL | re.MULTILINE)
_KINDS = {".ts", ".tsx", ".js", ".mjs", ".css", ".html", ".svg", ".webmanifest", ".json"}


def web_files() -> dict[str, str]:
    """The sources that end in the browser. Tests of them are left out."""
    web = ROOT / "web"
    places = [web / "index.html", *sorted((web / "src").rglob("*")), *sorted((web / "public").rglob("*"))]
    return {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
        for path in places
        if path.is_file() and path.suffix in _KINDS and ".test." not in path.name
    }


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _without_comments(text: str) -> str:
    return _COMMENT.sub(lambda match: "\n" * match.group().count("\n"), text)


def outside_hosts(files: Mapping[str, str]) -> list[str]:
    """Addresses of other hosts: fonts, scripts, pictures and reports all come from the server that served the page."""
    found = []
    for path, whole in files.items():
        text = _without_comments(whole)
        found += [
            f"{path}:{_line(text, match.start())} names another host: {match.group()[:60]}"
            for match in _ADDRESS.finditer(text)
            if not match.group().startswith(_NAMESPACES) and not _OURS.match(match.group())
        ]
    return found


def markup_from_text(files: Mapping[str, str]) -> list[str]:
    """Ways by which text could become markup or code."""
    ways = re.compile(
        r"dangerouslySetInnerHTML|\.(?:inner|outer)HTML\s*=[^=]|insertAdjacentHTML|srcdoc"
        r"|document\.write\(|\beval\(|new Function\("
    )
    return [
        f"{path}:{_line(text, match.start())} turns text into markup or code: {match.group()}"
        for path, text in files.items()
        for match in ways.finditer(_without_comments(text))
    ]


# What a browser has only over https or on this machine, or may refuse, and the one file that knows how to do without.
_HOMES = {
    "crypto.randomUUID": "web/src/api/ids.ts",
    "crypto.subtle": "nowhere",
    "navigator.clipboard": "web/src/ui/copy.ts",
    "navigator.locks": "nowhere",
    "navigator.storage": "nowhere",
    "navigator.serviceWorker": "nowhere",
    "localStorage": "web/src/api/keep.ts",
    "sessionStorage": "web/src/api/keep.ts",
}
# A letter that stands on another key, or on none, in other layouts: chords are made in one place.
_LETTER_KEYS = re.compile(r"\.key(?:\.to(?:Lower|Upper)Case\(\))?\s*===?\s*['\"][a-zA-Z]['\"]")


def not_everywhere(files: Mapping[str, str]) -> list[str]:
    """What some browsers lack where this server is used: over plain http, without storage, on other keyboards."""
    found = []
    for path, whole in files.items():
        text = _without_comments(whole)
        for name, home in _HOMES.items():
            found += [
                f"{path}:{_line(text, match.start())} uses {name}, which belongs to {home}"
                for match in re.finditer(rf"\b{re.escape(name)}\b", text)
                if path != home
            ]
        found += [
            f"{path}:{_line(text, match.start())} asks for a Latin letter: {match.group()}"
            for match in _LETTER_KEYS.finditer(text)
        ]
    return found


_PAGES = ("web/src/pages/", "web/src/ui/", "web/src/router.tsx")


def _of_the_tables() -> frozenset[str]:
    """The names that have a table: kinds and shapes of labels, and formats."""
    catalogue = json.loads((ROOT / "src/cupola/labels/kinds.json").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [one["name"] for table in ("kinds", "shapes") for one in catalogue[table]]
    return frozenset((*named, *project["entry-points"]["cupola.exporters"]))


# Markdown's own words for the parts of a text, one of which a kind of label has as its name too.
_OTHER_TONGUES = frozenset({"web/src/ui/markdown.tsx"})


def ladders(files: Mapping[str, str]) -> list[str]:
    """Pages that know a kind, a shape or a format by its name: what differs among them stands in their tables."""
    named = re.compile(rf"""(['"`])({"|".join(sorted(_of_the_tables()))})\1""")
    return [
        f"{path}:{_line(text, match.start())} names {match.group(2)!r}, which its table should answer for"
        for path, text in files.items()
        if path.startswith(_PAGES) and path not in _OTHER_TONGUES
        for match in named.finditer(_without_comments(text))
    ]


_QUERY = re.compile(r"const (\w+|\{[^}]*\}) = use(?:Infinite)?Query\(")
# What only lends names to what is told anyway; without it there stands what they are names of.
_NAMES_ONLY = frozenset({"web/src/pages/money.tsx", "web/src/pages/operator_instance.tsx", "web/src/ui/palette.tsx"})


def failures_untold(files: Mapping[str, str]) -> list[str]:
    """Pages that ask for something and say nothing when it does not come: what is not there is taken for empty."""
    found = []
    for path, whole in files.items():
        if not path.startswith(_PAGES) or path in _NAMES_ONLY:
            continue
        text = _without_comments(whole)
        for match in _QUERY.finditer(text):
            name = match.group(1)
            told = rf"(query=\{{{name}\}}|\b{name}\.(error|isError)\b|: {name} \}})"
            if name.startswith("{") or not re.search(told, text):
                found.append(f"{path}:{_line(text, match.start())} does not tell when {name} fails")
    return found


WEB_RULES = (outside_hosts, markup_from_text, not_everywhere, ladders, failures_untold)
