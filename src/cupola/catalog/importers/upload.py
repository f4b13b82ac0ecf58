"""A file that was uploaded: a zip, a manifest, or a single picture or text. What it is shows in its first bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from cupola.catalog.found import Context, Entry, Found, check_ref
from cupola.catalog.importers.folder import read_regular
from cupola.catalog.importers.manifest import lines_of
from cupola.catalog.importers.zip import read_zip
from cupola.kernel.errors import invalid

_name = re.compile(r"([0-9a-f]{64})(?:/(.*))?\Z", re.DOTALL)


def upload(source: Mapping[str, Any], context: Context, cursor: str | None) -> Iterator[Entry]:
    """{"type": "upload", "upload": "<sha256>/<file name>"}, as the upload's answer named it."""
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
    yield from read_file(path, name, cursor, context.open_files)


def read_file(path: Path, name: str, cursor: str | None, open_files: ExitStack) -> Iterator[Entry]:
    """The entries of one file, whatever it is. An archive stays open in `open_files`."""
    with path.open("rb") as stream:
        head = stream.read(4)
    lower = name.lower()
    if head == b"PK\x03\x04" or head == b"PK\x05\x06":
        yield from read_zip(path, cursor, open_files)
    elif head == b"PAR1":
        yield from lines_of(path, cursor, name="x.parquet")
    elif lower.endswith(".csv"):
        yield from lines_of(path, cursor, name="x.csv")
    elif lower.endswith((".jsonl", ".ndjson")) or head[:1] == b"{":
        yield from lines_of(path, cursor, name="x.jsonl")
    elif cursor is None:
        ref = check_ref(name or path.name)
        yield Found(ref, ref, "0", read=lambda: read_regular(path))
