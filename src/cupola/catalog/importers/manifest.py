"""Manifests: lists of what to import, one line each, with labels and metadata. JSONL, CSV or Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from cupola.catalog.found import Entry, Found, ManifestLine, Read, check_ref, refused
from cupola.kernel import limits
from cupola.kernel.errors import Problem, invalid
from cupola.labels.places import problem_from_msgspec

Reader = Callable[[str], Read]

_decoder = msgspec.json.Decoder(ManifestLine)
_columns = frozenset({"ref", "url", "path", "text", "metadata", "pre_label", "gold_label", "eligible"})


def no_files(path: str) -> Read:
    """The reader of a manifest that came alone."""
    raise invalid(
        "file-absent",
        f"The path {path[:200]!r} leads nowhere: the manifest came without files.",
        remedy="Pack the manifest and its files in one zip, or give URLs.",
    )


def lines_of(path: Path, cursor: str | None, reader: Reader = no_files, *, name: str = "") -> Iterator[Entry]:
    """The lines of a manifest on disk. `name` tells the format where the file's own name does not."""
    with path.open("rb") as stream:
        yield from lines_in(stream, name or path.name, cursor, reader)


def lines_in(stream: IO[bytes], name: str, cursor: str | None, reader: Reader = no_files) -> Iterator[Entry]:
    """The lines of an open manifest, in order, at constant memory. Raises Problem for one that is none."""
    if name.lower().endswith(".csv"):
        yield from _csv(stream, cursor, reader)
    elif name.lower().endswith(".parquet"):
        yield from _parquet(stream, cursor, reader)
    else:
        yield from _jsonl(stream, cursor, reader)


def _jsonl(stream: IO[bytes], cursor: str | None, reader: Reader) -> Iterator[Entry]:
    """One JSON object a line. The cursor is "line:offset", so going on does not read what was read."""
    number, offset = (int(part) for part in cursor.split(":")) if cursor else (0, 0)
    if offset:
        stream.seek(offset)
    most = limits.MAX_MANIFEST_LINE_BYTES
    while line := stream.readline(most + 1):
        number += 1
        offset += len(line)
        whole = len(line) <= most
        while not line.endswith(b"\n") and len(line) > most:  # the rest of a line that is too long
            line = stream.readline(most + 1)
            offset += len(line)
        place, after = f"line {number}", f"{number}:{offset}"
        if not whole:
            problem = invalid("line-too-long", f"The line has more than {most} bytes.", remedy="Split it.")
            yield refused(problem, "", place, after)
        elif stripped := line.strip(b" \t\r\n\xef\xbb\xbf"):
            try:
                found = _decoder.decode(stripped)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                yield refused(problem_from_msgspec(error, "line-malformed", "line"), "", place, after)
            else:
                yield _entry(found, place, after, reader)


def _csv(stream: IO[bytes], cursor: str | None, reader: Reader) -> Iterator[Entry]:
    """A header with the manifest's names; other columns become metadata. Labels: JSON, or a bare class name."""
    done = int(cursor) if cursor else 0
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    csv.field_size_limit(limits.MAX_MANIFEST_LINE_BYTES)
    rows = csv.reader(text)
    number = 0
    try:
        header = [name.strip() for name in next(rows, [])]
        if not {"ref", "url", "path", "text"} & set(header) or len(set(header)) != len(header):
            raise invalid(
                "csv-header",
                "The first line does not name the columns ref, url, path or text, each once.",
                place="line 1",
                remedy="Begin with a header such as ref,url,gold_label.",
            )
        for cells in rows:
            number += 1
            if number <= done or not any(cells):
                continue
            place, after = f"row {number} (line {rows.line_num})", str(number)
            try:
                if len(cells) != len(header):
                    raise invalid(
                        "row-width", f"{len(cells)} cells, {len(header)} columns.", remedy="Quote cells with commas."
                    )
                found = _from_columns(dict(zip(header, cells, strict=True)))
            except Problem as problem:
                yield refused(problem, "", place, after)
            else:
                yield _entry(found, place, after, reader)
    except (csv.Error, UnicodeDecodeError) as error:
        # What follows cannot be cut into rows any more, so the source as a whole is at fault.
        raise invalid(
            "csv-malformed", f"Behind row {number} the file is no CSV in UTF-8: {error}.", remedy="Mend it there."
        ) from None


def _parquet(stream: IO[bytes], cursor: str | None, reader: Reader) -> Iterator[Entry]:
    done = int(cursor) if cursor else 0
    number = 0
    try:
        file = pq.ParquetFile(stream)
        for batch in file.iter_batches(batch_size=1_000):
            if number + len(batch) <= done:
                number += len(batch)
                continue
            for row in batch.to_pylist():
                number += 1
                if number <= done:
                    continue
                try:
                    found = _from_columns(row)
                except Problem as problem:
                    yield refused(problem, "", f"row {number}", str(number))
                else:
                    yield _entry(found, f"row {number}", str(number), reader)
    except (pa.ArrowException, OSError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise invalid(
            "parquet-unreadable", f"The Parquet file cannot be read: {first}", remedy="Write it again."
        ) from None


def _from_columns(row: Mapping[str, Any]) -> ManifestLine:
    """A row of columns as a line: empty cells are absent, JSON in text is read, other columns are metadata."""
    known: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    for name, value in row.items():
        if value is None or value == "":
            continue
        if name not in _columns:
            metadata[name] = value
        elif name in ("pre_label", "gold_label"):
            known[name] = _json(value, name) if not _bare(value) else {"kind": "choice", "values": [value]}
        elif name == "metadata":
            known[name] = _json(value, name)
        elif name == "eligible" and isinstance(value, str):
            known[name] = value.split()
        else:
            known[name] = value
    if metadata:
        given = known.get("metadata", {})
        if not isinstance(given, dict):
            raise invalid("line-malformed", "The metadata is no JSON object.", place="/metadata", remedy="Write {…}.")
        known["metadata"] = metadata | given
    try:
        return msgspec.convert(known, ManifestLine, strict=False)
    except msgspec.ValidationError as error:
        raise problem_from_msgspec(error, "line-malformed", "row") from None


def _bare(value: Any) -> bool:
    return isinstance(value, str) and not value.lstrip().startswith("{")


def _json(value: Any, name: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError as error:
        raise invalid("line-malformed", f"{name} is no JSON: {error}.", place=f"/{name}", remedy="Mend it.") from None


def _entry(line: ManifestLine, place: str, cursor: str, reader: Reader) -> Entry:
    ref = line.ref or line.path or line.url or ""
    try:
        if not ref:
            raise invalid("ref-absent", "The line has no ref.", place="/ref", remedy="Give each line a ref of its own.")
        check_ref(ref)
        if sum(part is not None for part in (line.url, line.path, line.text)) != 1:
            raise invalid("line-content", "A line has exactly one of url, path and text.", remedy="Keep one of them.")
        read = reader(line.path) if line.path is not None else None
    except Problem as problem:
        return refused(problem, ref, place, cursor)
    return Found(
        ref,
        place,
        cursor,
        read=read,
        url=line.url,
        text=line.text,
        metadata=line.metadata,
        pre_label=line.pre_label,
        gold_label=line.gold_label,
        eligible=line.eligible,
    )
