"""JSON Lines made row by row: what all formats of this folder but the tables are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

import msgspec

from cupola.labels import kind
from cupola.releases.exporters.base import About, Format, Row, Rows

_encoder = msgspec.json.Encoder()
Made = Callable[[Row, About], Iterable[Mapping[str, Any]]]


def lines(made: Made) -> Callable[[Rows, About], AsyncIterator[bytes]]:
    """made: a row as lines; none where the format cannot say it, which is told."""

    async def write(rows: Rows, about: About) -> AsyncIterator[bytes]:
        async for batch in rows:
            told = []
            for row in batch:
                found = list(made(row, about))
                if not found:
                    about.report.drop("left-out", f"{row.ref}: nothing of it can be said in this format")
                told += found
            yield _encoder.encode_lines(told)

    return write


def jsonl_format(
    title: str, en: str, zh: str, made: Made, asks: Iterable[str], *, holds: Iterable[kind.Made] = ("answers",)
) -> Format:
    return Format(
        title=title,
        about={"en": en, "zh": zh},
        extension="jsonl",
        media_type="application/jsonl",
        write=lines(made),
        holds=frozenset(holds),
        several=False,
        asks=tuple(asks),
    )
