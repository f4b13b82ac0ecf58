"""The browser app fetches nothing from elsewhere and runs no text; each rule fails when somebody breaks it."""

from __future__ import annotations

import json
import re

import pytest

from tests.absences.source import ROOT
from tests.absences.web_rules import (
    WEB_RULES,
    failures_untold,
    ladders,
    markup_from_text,
    not_everywhere,
    outside_hosts,
    web_files,
)

PLANTED = {
    outside_hosts: {
        "web/index.html": '<link href="https://fonts.example.com/css" rel="stylesheet">',
        "web/src/a.ts": "await fetch('https://collect.example.org/v1')",
        "web/src/b.css": "@import url(//cdn.example.net/x.css);",
        "web/src/c.tsx": "<img src={`http://example.com/${id}`} />",
    },
    markup_from_text: {
        "web/src/a.tsx": "<div dangerouslySetInnerHTML={{ __html: text }} />",
        "web/src/b.ts": "element.innerHTML = text;",
        "web/src/c.ts": "new Function('return 1')",
    },
    ladders: {
        "web/src/pages/a.tsx": "if (draft.kind === 'text') return null;",
        "web/src/ui/b.ts": 'const shape = "box";',
        "web/src/pages/c.ts": "const FORMATS = [['coco', 'COCO']];",
    },
    failures_untold: {
        "web/src/pages/a.tsx": "const list = useQuery({ queryKey: ['a'] });\nreturn list.data?.items ?? [];",
        "web/src/ui/b.tsx": "const { data } = useQuery({ queryKey: ['b'] });",
        "web/src/pages/c.tsx": "const listed = useInfiniteQuery({});\nconst list = useQuery({});\nlist.error;",
    },
    not_everywhere: {
        "web/src/a.ts": "const id = crypto.randomUUID();",
        "web/src/b.tsx": "void navigator.clipboard.writeText(text);",
        "web/src/c.ts": "localStorage.setItem('a', 'b');",
        "web/src/d.ts": "if (event.key.toLowerCase() === 'z') undo();",
    },
}


@pytest.mark.parametrize("rule", WEB_RULES, ids=lambda rule: rule.__name__)
def test_the_browser_app_keeps_the_rule(rule) -> None:
    files = web_files()
    if not files:
        pytest.skip("there is no web/ here")
    assert rule(files) == []


@pytest.mark.parametrize(
    ("rule", "path"),
    [(rule, path) for rule in WEB_RULES for path in PLANTED[rule]],
)
def test_a_planted_violation_is_found(rule, path: str) -> None:
    assert rule({path: PLANTED[rule][path]})


@pytest.mark.parametrize("rule", WEB_RULES, ids=lambda rule: rule.__name__)
def test_namespaces_comments_and_our_own_host_are_no_violation(rule) -> None:
    assert (
        rule(
            {
                "web/src/a.tsx": "// see https://example.com\n/* https://example.org */\n"
                "const s = <svg xmlns='http://www.w3.org/2000/svg' />; if (a.innerHTML === b) f('/api/x');"
                " const u = 'http://127.0.0.1:8000/api';"
            }
        )
        == []
    )


NAMES_A_PLACE = re.compile(r"https?://|file:|--(?:extra-)?index-url|--find-links|^-i\s|\"resolved\"", re.MULTILINE)


def places_named(text: str) -> list[str]:
    return NAMES_A_PLACE.findall(text)


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-uv.lock"])
def test_a_python_lock_pins_by_hash_and_names_no_place_to_fetch_from(name: str) -> None:
    text = (ROOT / name).read_text()
    assert places_named(text) == []
    pins = re.findall(r"^[a-z0-9][\w.-]*(?:\[[\w,-]+\])?==\S+.*\\$", text, re.MULTILINE)
    unpinned = [line for line in text.splitlines() if re.match(r"[a-z0-9]", line) and "==" not in line]
    assert unpinned == []
    assert len(pins) == len([line for line in text.splitlines() if re.match(r"[a-z0-9]", line)])


def test_the_npm_lock_pins_by_hash_and_names_no_place_to_fetch_from() -> None:
    path = ROOT / "web" / "package-lock.json"
    if not path.exists():
        pytest.skip("there is no web/ here")
    packages = json.loads(path.read_text())["packages"]
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [
        name for name, entry in packages.items() if name and not entry.get("link") and "integrity" not in entry
    ] == []


def test_a_lock_that_names_a_place_is_noticed() -> None:
    for line in ("--index-url https://example.com/simple", "-i /opt/x", "x @ file:///x", '"resolved": "x"'):
        assert places_named(line + "\n")
