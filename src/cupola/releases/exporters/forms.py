"""Forms as a zip: every answer with its lineage, and the files that people handed in beside them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import PurePosixPath

import msgspec

from cupola.labels import decode_label, files_of
from cupola.labels.ontology import FileAnswer
from cupola.releases.exporters.archive import Lines, ZipStream
from cupola.releases.exporters.base import About, Format, Row, Rows
from cupola.releases.exporters.jsonl import line

ENDINGS = {
    "application/pdf": "pdf", "application/zip": "zip", "audio/flac": "flac", "audio/mp4": "m4a", "audio/mpeg": "mp3",
    "audio/ogg": "ogg", "audio/wav": "wav", "image/avif": "avif", "image/bmp": "bmp", "image/gif": "gif",
    "image/heic": "heic", "image/jpeg": "jpg", "image/png": "png", "image/tiff": "tif", "image/webp": "webp",
    "text/plain": "txt", "video/mp4": "mp4", "video/quicktime": "mov", "video/webm": "webm",
    "video/x-msvideo": "avi",
}  # fmt: skip
_TEXTS = frozenset({"csv", "json", "jsonl", "md", "tsv", "txt", "xml", "yaml", "yml"})


def stored_as(file: FileAnswer) -> str:
    """Where its bytes stand in the archive: named by their hash, which no two contents share, with a plain ending."""
    ending = ENDINGS.get(file.media_type, "bin")
    told = PurePosixPath(file.name).suffix.lower().removeprefix(".")
    return f"files/{file.sha256}.{told if ending == 'txt' and told in _TEXTS else ending}"


async def _write(rows: Rows, about: About) -> AsyncIterator[bytes]:
    """answers.jsonl: a line an item as in JSON Lines; files.jsonl: which file answers which question of which item."""
    written: set[str] = set()
    with contextlib.closing(ZipStream()) as archive, Lines() as answers, Lines() as files:
        async for batch in rows:
            for row in batch:
                answers.add(msgspec.json.encode(line(row)).decode())
                for place, file in _files(row):
                    path = stored_as(file)
                    said = {"ref": row.ref, "answer": place, "file": path, "name": file.name, "bytes": file.bytes}
                    files.add(json.dumps({**said, "media_type": file.media_type}, ensure_ascii=False))
                    if path in written:
                        continue
                    written.add(path)
                    async for part in archive.entry(path, about.open_asset(bytes.fromhex(file.sha256))):
                        yield part
        if about.licence:
            yield archive.small("LICENCE.txt", about.licence.encode())
        for name, lines in (("answers.jsonl", answers), ("files.jsonl", files)):
            if lines.some:
                async for part in archive.entry(name, lines.parts()):
                    yield part
        for part in archive.end():
            yield part


def _files(row: Row) -> list[tuple[str, FileAnswer]]:
    return list(files_of(decode_label(row.label)))


forms = Format(
    title="Forms with files",
    about={"en": "Answers, and the files that were handed in, in a zip", "zh": "答案及提交的文件，打包为 zip"},
    extension="zip",
    media_type="application/zip",
    write=_write,
    holds=frozenset({"answers"}),
)
