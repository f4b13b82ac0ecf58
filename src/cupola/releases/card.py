"""A data card: a release's README as data hubs read it, a YAML head and what a reader asks first (Gebru et al.,
Datasheets for datasets, 2021): what was asked of whom, how it was settled, how sure it is, and how people were paid."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cupola.kernel.money import in_words
from cupola.labels import Ontology
from cupola.releases.croissant import FileEntry

PAID = "Each was paid on submit, whatever became of it; fee and insurance stand beside the price."
REVIEWED = (
    "Each was paid unless it was rejected with evidence, which its maker could have heard by strangers; fee and "
    "insurance stand beside the price."
)
LOADED = (".jsonl", ".parquet")  # what hubs load as tables
_spdx = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*\Z")
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


@dataclass(frozen=True, slots=True)
class StagePaid:
    """does: draw, review or fix; price_minor: what a judgement of it pays its maker."""

    does: str
    price_minor: int


def card(
    *,
    release: UUID,
    name: str,
    licence: str,
    created_at: datetime,
    items: int,
    ontology: Ontology,
    guidelines: Mapping[str, str],
    stages: Sequence[StagePaid],
    currency: str,
    judgements: int,
    reviewed_first: bool,
    files: Sequence[tuple[str, FileEntry]],
    statement: str,
) -> str:
    """Markdown. reviewed_first: whether pay waited for a look; files: (format, file) of each finished export;
    statement: what the certificate says, or nothing."""
    head = [
        "---",
        f"pretty_name: {json.dumps(name, ensure_ascii=False)}",
        f"license: {licence.lower() if _spdx.match(licence) else 'other'}",
        *([] if not licence or _spdx.match(licence) else [f"license_name: {json.dumps(licence, ensure_ascii=False)}"]),
        "annotations_creators:",
        "- crowdsourced",
        f"size_categories:\n- {next((word for most, word in _SIZES if items < most), 'n>1M')}",
    ]
    tables = [(form, entry) for form, entry in files if entry.name.endswith(LOADED)]
    if tables:
        head.append("configs:")
        for form, entry in tables:
            head.append(f"- config_name: {form}\n  data_files: {json.dumps(entry.name, ensure_ascii=False)}")
    paid = [f"- {one.does}: {in_words(one.price_minor, currency)} a judgement" for one in stages]
    body = [
        f"# {_line(name)}",
        f"{items:,} labelled items, frozen as release `{release}` on {created_at:%Y-%m-%d}.",
        "## How sure it is",
        statement or "No audit has certified it yet.",
        "## What was asked",
        *[_question(one) for one in _asked(ontology)],
        *(["### The guideline", _quoted(guidelines.get("en") or next(iter(guidelines.values()), ""))]
          if any(text.strip() for text in guidelines.values()) else []),
        "## Who judged, and how they were paid",
        f"People gave {judgements:,} judgements. {REVIEWED if reviewed_first else PAID}",
        "\n".join(paid),
        "## Files",
        "\n".join(["| file | format | bytes | SHA-256 |", "|---|---|---|---|",
                   *[f"| `{entry.name}` | {form} | {entry.size_bytes} | `{entry.sha256}` |" for form, entry in files]])
        if files else "None was exported yet.",
        "## Licence",
        _line(licence) or "None is given.",
    ]  # fmt: skip
    return "\n".join([*head, "---", ""]) + "\n" + "\n\n".join(body) + "\n"


def _asked(ontology: Ontology) -> list[Mapping[str, Any]]:
    """Each question, or each class where classes are chosen or drawn."""
    found: list[Mapping[str, Any]] = []
    for spec in ontology.attributes:
        about = _about(spec.type, spec.scope, spec.options, spec.weight)
        found.append({"name": spec.name, "title": spec.title, "about": about})
    for one in ontology.classes:
        found.append({"name": one.name, "title": one.title, "about": one.geometry or "a class"})
    return found


def _about(kind: str, scope: str | None, options: Sequence[str], points: float | None) -> str:
    said = [kind, *([f"of each {scope}"] if scope else []), *([f"one of: {', '.join(options)}"] if options else [])]
    return ", ".join([*said, *([f"{points:+g} points"] if points is not None else [])])


def _question(one: Mapping[str, Any]) -> str:
    title = (one["title"] or {}).get("en")
    return f"- **{_line(one['name'])}** ({_line(one['about'])})" + (f": {_line(title)}" if title else "")


def _line(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> str:
    """Its headings are not the card's."""
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())
