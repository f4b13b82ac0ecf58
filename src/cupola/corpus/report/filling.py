"""Pages of one file, which need no network: our style and what they tell stand in them."""

from __future__ import annotations

from importlib import resources

import msgspec


def filled(template: str, told: msgspec.Struct) -> str:
    """A page with its style and its figures, as JSON in which no "<" can end the script."""
    data = msgspec.json.encode(told).decode().replace("<", "\\u003c").replace("\u2028", "\\u2028")
    style = resources.files("cupola.corpus.report").joinpath("style.css").read_text("utf-8")
    head, tail = template.replace("/*STYLE*/", f"\n{style}").split("/*REPORT*/null")
    return f"{head}{data}{tail}"
