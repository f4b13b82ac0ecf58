"""What is absent from the browser app: anything fetched from elsewhere, text run as markup, data run as code."""

from __future__ import annotations

import re
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


WEB_RULES = (outside_hosts, markup_from_text)
