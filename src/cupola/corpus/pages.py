"""Pages as crawlers keep them: WARC files (ISO 28500), and single files of HTML; as text of their markup.

What a page is written in is told by its head, by the server, and by its bytes, in this order.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

import chardet

from cupola.corpus.warc import answer, records

_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{2,40})", re.I)
_CHARSET = re.compile(r"charset=[\"']?([\w:.-]+)", re.I)
_HEAD_BYTES = 4096
_SNIFFED_BYTES = 16_384


@dataclass(frozen=True)
class Page:
    """place: the byte of the (packed) file where its record begins; id: the record's; host: of its address; text: None
    where there is none, and then why."""

    place: int
    id: str
    host: str
    text: str | None
    fault: str = ""


def text_of(body: bytes, told: str = "") -> str:
    """A body as text; told: what the server says it is written in. What is no character becomes U+FFFD."""
    if body.startswith(codecs.BOM_UTF8):
        return body.decode("utf-8-sig", "replace")
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16", "replace")
    found = _META.search(body[:_HEAD_BYTES])
    for name in (found.group(1).decode() if found else "", told):
        if name and (known := _codec(name)):
            return body.decode(known, "replace")
    try:
        return body.decode()
    except UnicodeDecodeError:
        guess = chardet.detect(body[:_SNIFFED_BYTES])["encoding"]
        return body.decode(_codec(guess or "") or "utf-8", "replace")


def _codec(name: str) -> str | None:
    name = "gb18030" if name.lower() in ("gb2312", "gbk") else name  # what says it is a part is written in the whole
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None


def pages(file: BinaryIO, packed: bool, most_bytes: int) -> Iterator[Page]:
    """The pages of a WARC file that was opened as it lies there: answers that are HTML or text, and conversions to
    text; and what could not be read (text None, and why)."""
    for record in records(file, packed, most_bytes):
        kind, id_ = record.headers.get("warc-type"), record.headers.get("warc-record-id", "").strip("<>")
        host = urlsplit(record.headers.get("warc-target-uri", "").strip("<>")).hostname or ""
        if record.fault:
            yield Page(record.place, id_, host, None, record.fault)
        elif kind not in ("response", "conversion"):
            continue
        elif record.body is None:
            yield Page(record.place, id_, host, None, f"the record is longer than {most_bytes >> 20} MiB")
        elif kind == "conversion":
            yield Page(record.place, id_, host, text_of(record.body, "utf-8"))
        else:
            try:
                headers, body = answer(record.body, most_bytes)
            except ValueError as error:
                yield Page(record.place, id_, host, None, str(error))
                continue
            told = headers.get("content-type", "text/html")
            if told.lower().startswith(("text/", "application/xhtml")):
                charset = _CHARSET.search(told)
                yield Page(record.place, id_, host, text_of(body, charset.group(1) if charset else ""))
