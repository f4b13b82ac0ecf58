"""A file that was uploaded: a zip, a manifest, or a single picture or text. What it is shows in its first bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from cupola.catalog.found import Context, Entry, Found, Opened, check_ref
from cupola.catalog.importers import gzipped
from cupola.catalog.importers.folder import read_regular
from cupola.catalog.importers.lines import COLUMNS
from cupola.catalog.importers.manifest import TABLES, lines_of
from cupola.catalog.importers.zip import known_encoding, read_zip
from cupola.catalog.media import promised
from cupola.catalog.media.base import HEAD_BYTES
from cupola.catalog.media.magic import picture_type
from cupola.kernel import limits
from cupola.kernel.errors import Problem, invalid
from cupola.labels.places import too_deep

LINES = (".jsonl", ".ndjson", ".json")
_name = re.compile(r"([0-9a-f]{64})(?:/(.*))?\Z", re.DOTALL)


def upload(source: Mapping[str, Any], context: Context, cursor: str | None) -> Iterator[Entry]:
    """{"type": "upload", "upload": "<sha256>/<file name>", "names"?: "gbk"}, as the upload's answer named it.

    names: how an archive of an old system writes its file names, where it does not say so itself.
    """
    found = _name.match(str(source.get("upload", "")))
    if found is None:
        raise invalid(
            "upload-unknown",
            "That names no upload.",
            place="/source/upload",
            remedy="Use the name that the upload gave.",
        )
    sha256, name = found.group(1), found.group(2) or ""
    path = context.open_files.enter_context(context.blobs.local_file(context.tenant, sha256))
    names = source.get("names")
    if names is not None and (not isinstance(names, str) or not known_encoding(names)):
        raise invalid(
            "names-unknown", f"{names!r} is no encoding of names.", place="/source/names", remedy="Write it like gbk."
        )
    yield from read_file(path, name, cursor, context.open_files, names)


def read_file(
    path: Path, name: str, cursor: str | None, open_files: ExitStack, names: str | None = None
) -> Iterator[Entry]:
    """The entries of one file, whatever it is. An archive stays open in `open_files`."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    lower = name.lower()
    if picture_type(head):
        yield from _alone(path, name, cursor)
    elif head[:2] == gzipped.MAGIC and (manifest := _manifest_in(path, lower)):
        yield from lines_of(path, cursor, name=manifest)
    elif head[:4] in (b"PK\x03\x04", b"PK\x05\x06") or lower.endswith(".zip"):
        yield from read_zip(path, cursor, open_files, names)
    elif head[:4] == b"PAR1":
        yield from lines_of(path, cursor, name="x.parquet")
    elif lower.endswith(TABLES):
        yield from lines_of(path, cursor, name="x.csv")
    elif lower.endswith(LINES) or _begins_as_lines(path, promised(lower) == "text/plain"):
        yield from lines_of(path, cursor, name="x.jsonl")
    else:
        yield from _alone(path, name, cursor)


def _alone(path: Path, name: str, cursor: str | None) -> Iterator[Entry]:
    if cursor is None:
        ref = check_ref(name or path.name)
        yield Found(ref, ref, "0", read=lambda: Opened(read_regular(path)))


def _begins_as_lines(path: Path, is_text: bool) -> bool:
    """Does it begin as lines of JSON do? is_text: its name says that it is a text, which may begin with a bracket."""
    with path.open("rb") as stream:
        line = stream.readline(limits.MAX_MANIFEST_LINE_BYTES).strip(b"\xef\xbb\xbf \r\n\t")
    if not is_text:
        return line[:1] in (b"{", b"[")
    if not line.startswith(b"{") or too_deep(line, limits.MAX_JSON_DEPTH):
        return False
    try:
        row = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return isinstance(row, dict) and not COLUMNS.isdisjoint(row)


def _manifest_in(path: Path, name: str) -> str:
    """The name of the manifest that a gzip file holds, as its own name or its first bytes tell; nothing for others."""
    inner = name.removesuffix(gzipped.ENDING)
    if inner.endswith((*TABLES, *LINES, ".parquet")):
        return inner + gzipped.ENDING
    with path.open("rb") as stream:
        try:
            head = gzipped.unfolded(stream).read(64)
        except Problem:
            return ""
    return "x.jsonl.gz" if head.lstrip(b"\xef\xbb\xbf \r\n")[:1] in (b"{", b"[") else ""
