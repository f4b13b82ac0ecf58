"""The API's documentation as one page without scripts, rendered from its OpenAPI document."""

from __future__ import annotations

from html import escape
from typing import Any

_STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--ember:#D9480F}
@media (prefers-color-scheme:dark){:root{--ember:#FF8A4C}}
body{font:15px/1.55 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{margin-top:2.4rem;border-bottom:1px solid var(--line);padding-bottom:.3rem}
details{border:1px solid var(--line);border-radius:6px;margin:.4rem 0;padding:.35rem .7rem}
summary{cursor:pointer;display:flex;gap:.8rem;align-items:baseline;flex-wrap:wrap}
.verb{font:600 .8rem ui-monospace,monospace;min-width:3.6rem;color:var(--ember)}
code,pre{font:13px/1.5 ui-monospace,monospace}pre{background:var(--soft);padding:.7rem;border-radius:6px;overflow:auto}
table{border-collapse:collapse;margin:.4rem 0}td,th{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}
nav a{margin-right:1rem}a{color:var(--ember)}:focus-visible{outline:2px solid var(--ember);outline-offset:2px}
"""


def render(schema: dict[str, Any]) -> str:
    """The page of an OpenAPI 3.1 document."""
    groups: dict[str, list[str]] = {}
    for path, operations in schema["paths"].items():
        for verb, operation in operations.items():
            for tag in operation.get("tags") or ["other"]:
                groups.setdefault(tag, []).append(_operation(schema, verb, path, operation))
    links = " ".join(f'<a href="#{escape(tag)}">{escape(tag)}</a>' for tag in sorted(groups))
    body = "".join(
        f'<h2 id="{escape(tag)}">{escape(tag)}</h2>{"".join(parts)}' for tag, parts in sorted(groups.items())
    )
    info = schema["info"]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1><p>{escape(info.get('description', ''))}</p>"
        "<p>Send an API key or a contributor's token as <code>Authorization: Bearer …</code>. Every POST takes an "
        "<code>Idempotency-Key</code>. Lists answer <code>items</code> and <code>next</code>; pass <code>next</code> "
        "as "
        "<code>?cursor=</code>. Errors are <code>application/problem+json</code> with <code>code</code>, "
        "<code>detail</code>, <code>place</code> and <code>remedy</code>. "
        f'The same as data: <a href="/openapi.json">/openapi.json</a>.</p><nav>{links}</nav>{body}</body></html>'
    )


def _operation(schema: dict[str, Any], verb: str, path: str, operation: dict[str, Any]) -> str:
    parts = [f"<p>{escape(operation.get('description', ''))}</p>"]
    rows = "".join(
        f"<tr><td><code>{escape(p['name'])}</code></td><td>{escape(p['in'])}</td>"
        f"<td>{'required' if p.get('required') else ''}</td><td>{escape(p.get('description', ''))}</td></tr>"
        for p in operation.get("parameters", [])
    )
    if rows:
        parts.append(f"<table><tr><th>parameter</th><th>in</th><th></th><th></th></tr>{rows}</table>")
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        parts.append(f"<p>Body ({escape(kind)}):</p><pre>{escape(_sketch(schema, content.get('schema', {})))}</pre>")
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            for content in answer.get("content", {}).values():
                sketch = _sketch(schema, content.get("schema", {}))
                if sketch:
                    parts.append(f"<p>Answer {escape(status)}:</p><pre>{escape(sketch)}</pre>")
    summary = f'<span class="verb">{escape(verb.upper())}</span><code>{escape(path)}</code>'
    return f"<details><summary>{summary}</summary>{''.join(parts)}</details>"


def _sketch(schema: dict[str, Any], node: dict[str, Any], depth: int = 0) -> str:
    """A schema as people write JSON by hand."""
    if "$ref" in node:
        return _sketch(schema, schema["components"]["schemas"][node["$ref"].rsplit("/", 1)[-1]], depth)
    for several in ("anyOf", "oneOf"):
        if several in node:
            return " | ".join(dict.fromkeys(_sketch(schema, one, depth) for one in node[several]))
    if "enum" in node:
        return " | ".join(f'"{value}"' for value in node["enum"])
    kind = node.get("type")
    if kind == "array":
        return f"[{_sketch(schema, node.get('items', {}), depth)}, …]"
    if kind == "object" and node.get("properties") and depth < 5:
        pad = "  " * (depth + 1)
        needed = node.get("required", [])
        lines = [
            f"{pad}{name}{'' if name in needed else '?'}: {_sketch(schema, one, depth + 1)}"
            for name, one in node["properties"].items()
        ]
        return "{\n" + ",\n".join(lines) + "\n" + "  " * depth + "}"
    if kind == "string" and node.get("format"):
        return str(node["format"])
    return str(kind or "")
