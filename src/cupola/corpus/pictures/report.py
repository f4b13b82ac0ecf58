"""A run over pictures as a page of one file: what went, seen; groups of copies beside what stays."""

from __future__ import annotations

import base64
from collections import Counter, defaultdict
from importlib import resources
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec

from cupola.corpus.engine import ledger
from cupola.corpus.engine.write import COPY_RULES
from cupola.corpus.report.filling import filled
from cupola.kernel.lazy import Lazy

Image: Any = Lazy("PIL.Image")
ImageOps: Any = Lazy("PIL.ImageOps")
parquet: Any = Lazy("pyarrow.parquet")

SHOWN_PX = 140
MOST_SAMPLES, MOST_GROUPS, MOST_IN_GROUP = 12, 24, 8


class Shown(msgspec.Struct, frozen=True):
    """A picture, very small, as a data URI; "" where the file cannot be shown (any more)."""

    id: str
    says: str
    picture: str


class Group(msgspec.Struct, frozen=True):
    keeper: Shown
    copies: list[Shown]
    more: int


class Took(msgspec.Struct, frozen=True):
    rule: str
    times: int
    samples: list[Shown]


class Page(msgspec.Struct, frozen=True):
    read: int
    kept: int
    read_bytes: int
    kept_bytes: int
    wrong: list[str]
    head: str
    sources: list[tuple[str, int, int]]
    took: list[Took]
    groups: list[Group]
    more_groups: int


def page(run: Path) -> str:
    """The report of a finished run. Raises Problem (INVALID) for a folder that holds none."""
    manifest = ledger.manifest_of(run)
    removals: list[dict[str, Any]] = parquet.read_table(run / "removals" / "000000.parquet").to_pylist()
    by_rule: dict[str, list[dict[str, Any]]] = defaultdict(list)
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in removals:
        if row["rule"] in COPY_RULES:
            groups[row["keeper"], row["keeper_file"]].append(row)
        else:
            by_rule[row["rule"]].append(row)
    took = [
        Took(rule, len(rows), [_shown(row["id"], row["file"], _why(row)) for row in rows[:MOST_SAMPLES]])
        for rule, rows in sorted(by_rule.items(), key=lambda one: -len(one[1]))
    ]
    largest = sorted(groups.items(), key=lambda one: (-len(one[1]), one[0]))
    shown = [
        Group(
            _shown(keeper, file, ""),
            [_shown(row["id"], row["file"], f"{row['similarity']:.3f}") for row in rows[:MOST_IN_GROUP]],
            max(0, len(rows) - MOST_IN_GROUP),
        )
        for (keeper, file), rows in largest[:MOST_GROUPS]
    ]
    copied = Counter(row["rule"] for row in removals if row["rule"] in COPY_RULES)
    took += [Took(rule, times, []) for rule, times in copied.items()]
    sources = [(name or ".", read, kept) for name, (read, kept) in sorted(manifest.sources.items())]
    told = Page(
        manifest.read, manifest.kept, manifest.read_bytes, manifest.kept_bytes, ledger.verify(run),
        manifest.chain[-1].chain if manifest.chain else manifest.run_sha256, sources, took, shown,
        max(0, len(largest) - MOST_GROUPS),
    )  # fmt: skip
    return filled(resources.files("cupola.corpus.pictures").joinpath("page.html").read_text("utf-8"), told)


def _why(row: dict[str, Any]) -> str:
    if row["score"] is None:
        return str(row["fault"])
    side = "<" if row["score"] < row["threshold"] else ">"
    return f"{row['signal']} {row['score']:.4g} {side} {row['threshold']:g}"


def _shown(id_: str, file: str, says: str) -> Shown:
    try:
        with Image.open(file) as picture:
            picture.draft("RGB", (SHOWN_PX, SHOWN_PX))
            small = ImageOps.exif_transpose(picture)
            small.thumbnail((SHOWN_PX, SHOWN_PX))
            out = BytesIO()
            small.convert("RGBA" if "A" in small.mode or "transparency" in small.info else "RGB").save(out, "WEBP")
    except Exception:
        return Shown(id_, says, "")
    return Shown(id_, says, "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode())
