"""What is commonly asked of people, from the command line: listed, looked at, with an example to begin with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from cupola.app.commands.common import Json, quoted, tell
from cupola.kernel.errors import invalid
from cupola.kernel.money import in_words
from cupola.templates.model import Template, price_minor
from cupola.templates.table import named, templates


def project_templates(
    name: str | None = None, *, example: Path | None = None, lang: str = "en", json_: Json = False
) -> None:
    """What is commonly asked about texts and conversations; with a name, that one.

    Parameters
    ----------
    name
        A template's name.
    example
        Write the rows of its example into this file (JSONL), to be imported.
    lang
        The language of its words: en or zh.
    """
    if name is None:
        if example is not None:
            raise invalid("template-missing", "Whose example?", place="NAME", remedy="Name a template before it.")
        every = templates()
        width = max(map(len, every))
        lines = [f"{key:<{width}}  {_in(one.title, lang)}: {_in(one.about, lang)}" for key, one in every.items()]
        shown = {"templates": [_plain(key, one) for key, one in every.items()]}
        tell(shown, json_, "\n".join(lines), "cupola project templates NAME")
        return
    one = named(name)
    if example is not None:
        rows = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in one.example.items)
        try:
            with example.open("x", encoding="utf-8") as file:
                file.write(rows)
        except OSError as error:
            raise invalid("path-taken", f"{example}: {error.strerror or error}", remedy="Choose another name.",
                          place="--example") from error  # fmt: skip
        told = {"file": str(example), "rows": len(one.example.items)}
        bring = f"cupola import {quoted(str(example))} --dataset NAME"
        tell(told, json_, f"{len(one.example.items)} rows in {example}.", bring)
        return
    create = f"cupola project create NAME --dataset NAME --template {name}"
    tell(_plain(name, one), json_, _told(one, lang), create, f"cupola project templates {name} --example example.jsonl")


def _told(one: Template, lang: str) -> str:
    specs: list[dict[str, Any]] = one.spec.get("attributes") or one.spec.get("classes") or []
    asked = [_in(spec.get("title") or {}, lang) or spec["name"] for spec in specs]
    stages = 1 + sum(1 + (review.fix_seconds is not None) for review in one.reviews)
    return "\n".join(
        [
            f"{_in(one.title, lang)}: {_in(one.about, lang)}",
            f"takes:   {_in(one.needs, lang)}",
            f"asks:    {' | '.join(asked)}",
            f"stages:  {stages}",
            f"takes {one.seconds} s; pays about {in_words(price_minor(one.seconds), 'EUR')} a judgement",
            f"exports: {', '.join(one.exports)}",
        ]
    )


def _in(words: dict[str, str], lang: str) -> str:
    return words.get(lang) or words.get("en") or next(iter(words.values()), "")


def _plain(name: str, one: Template) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(one)
    return {"name": name, **told, "price_minor": price_minor(one.seconds)}
