"""Manifests: lists of what to import, one line each, with labels and metadata. JSONL, CSV or Parquet."""

from __future__ import annotations

import base64
import codecs
import csv
import io
import itertools
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from cupola.catalog.addresses import encoded, file_name
from cupola.catalog.conversations.shapes import is_header
from cupola.catalog.found import Entry, Found, FoundPart, Noted, Opened, Read, check_ref, refused
from cupola.catalog.importers import gzipped
from cupola.catalog.importers.lines import Line, PartLine, column_of, line_from
from cupola.kernel import limits
from cupola.kernel.encodings import MAX_LOOKED_AT_BYTES, convert_with
from cupola.kernel.errors import Problem, invalid
from cupola.kernel.members import each_once
from cupola.kernel.words import breaks_a_line
from cupola.labels.places import problem_from_msgspec, too_deep
from cupola.platform.cage import Cage

Reader = Callable[[str], Read]

TABLES = (".csv", ".tsv", ".tab")
DELIMITERS = (",", ";", "\t", "|")
CONTENT = ("url", "path", "text", "parts")
CONTENT_WORDS = "url, path, text and parts"
MAX_COLUMNS = 2_000
MAX_BLANK_LINES = 1_000_000  # one after another: a few megabytes under gzip would be read for minutes
_AT_END, _OPEN = "unexpected end of data", "a quote that opens there is never closed"
_tables = Cage(
    "cupola.catalog.importers.parquet_rows", children=1, memory_bytes=1024**3, time_s=300.0, what="Parquet file"
)


def no_files(path: str) -> Read:
    """The reader of a manifest that came alone."""
    raise invalid(
        "file-absent",
        f"The path {path[:200]!r} leads nowhere: the manifest came without files.",
        remedy="Pack the manifest and its files in one zip, or give URLs.",
    )


def lines_of(path: Path, cursor: str | None, reader: Reader = no_files, *, name: str = "") -> Iterator[Entry]:
    """The lines of a manifest on disk. `name` tells the format where the file's own name does not."""
    if (name or path.name).lower().endswith(".parquet"):
        yield from _parquet(path, cursor, reader)
        return
    with path.open("rb") as stream:
        yield from lines_in(stream, name or path.name, cursor, reader)


def lines_in(stream: IO[bytes], name: str, cursor: str | None, reader: Reader = no_files) -> Iterator[Entry]:
    """The lines of an open manifest, in order, at constant memory. Raises Problem for one that is none."""
    if name.lower().endswith(gzipped.ENDING):
        stream, name = gzipped.unfolded(stream), name[: -len(gzipped.ENDING)]
    if name.lower().endswith(TABLES):
        yield from _csv(stream, cursor, reader)
    elif name.lower().endswith(".parquet"):
        with tempfile.NamedTemporaryFile(suffix=".parquet") as copy:  # a child reads it, which has no part in archives
            shutil.copyfileobj(stream, copy, 1 << 20)
            copy.flush()
            yield from _parquet(Path(copy.name), cursor, reader)
    else:
        yield from _jsonl(stream, cursor, reader)


def _jsonl(stream: IO[bytes], cursor: str | None, reader: Reader) -> Iterator[Entry]:
    """One JSON object a line. The cursor is "line:offset", so going on does not read what was read."""
    number, offset = (int(part) for part in cursor.split(":")) if cursor else (0, 0)
    if offset:
        stream.seek(offset)
    most = limits.MAX_MANIFEST_LINE_BYTES
    blank = 0
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
        elif not (stripped := line.strip(b" \t\r\n\xef\xbb\xbf")):
            blank = _blanks(blank + 1, place)
        else:
            blank = 0
            if number == 1:
                _check_first(stripped)
            try:
                found = _of_json(stripped)
            except Problem as problem:
                yield refused(problem, "", place, after)
            else:
                yield _entry(found, place, after, reader)


def _blanks(count: int, place: str) -> int:
    """So many lines in a row that hold nothing. Raises Problem (INVALID) where they would be read for minutes."""
    if count > MAX_BLANK_LINES:
        raise invalid(
            "manifest-blank",
            f"More than {MAX_BLANK_LINES:,} lines one after another hold nothing.",
            place=place,
            remedy="Leave them out.",
        )
    return count


def _check_first(line: bytes) -> None:
    """A file that is JSON, but not one object a line, is one misunderstanding and not thousands of refusals."""
    if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in line[:64]:
        raise invalid("manifest-encoding", "The manifest is UTF-16.", place="line 1", remedy="Save it as UTF-8.")
    if line.startswith(b"["):
        raise invalid(
            "manifest-array",
            "The file is one JSON array; a manifest has one JSON object on each line.",
            place="line 1",
            remedy="Write it with one object a line: jq -c '.[]' manifest.json > manifest.jsonl",
        )
    if line == b"{":
        raise invalid(
            "manifest-spread",
            "The file is one JSON document over several lines; a manifest has one JSON object on each line.",
            place="line 1",
            remedy="Write each object in one line: jq -c . manifest.json > manifest.jsonl",
        )


def _of_json(line: bytes) -> Line:
    if too_deep(line, limits.MAX_JSON_DEPTH):
        raise invalid(
            "line-too-deep",
            f"The line nests deeper than {limits.MAX_JSON_DEPTH} levels.",
            remedy="Flatten it.",
        )
    try:
        row = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        row = _with_gaps(line)
        if row is None and b"\\ud" in line.lower():
            row = _with_halves(line)
        if row is None:
            raise problem_from_msgspec(error, "line-malformed", "line") from None
    each_once(line)
    if not isinstance(row, dict):
        raise invalid("line-malformed", "The line is no JSON object.", remedy='Write {"ref": …, "path": …}.')
    return line_from(row)


def _with_gaps(line: bytes) -> Any:
    """A line with NaN or Infinity in it, which is no JSON, though the commonest program writes it: there is nothing."""
    if b"NaN" not in line and b"Infinity" not in line:
        return None
    try:
        return json.loads(line, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None


def _with_halves(line: bytes) -> Any:
    """A line in which a text holds half of a surrogate pair: readable, so that its place can be told."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _csv(stream: IO[bytes], cursor: str | None, reader: Reader) -> Iterator[Entry]:
    """A header with the manifest's names; other columns become metadata. Labels: JSON, or a bare class name."""
    done = int(cursor) if cursor else 0
    text = io.TextIOWrapper(stream, encoding=_encoding(stream), newline="")
    csv.field_size_limit(limits.MAX_MANIFEST_LINE_BYTES)
    number = blank = 0
    try:
        table = _Table(text)
        if cursor is None and "" in table.columns:
            yield _unnamed(table.columns)
        for cells in table.rows:
            number += 1
            blank = 0 if any(cells) else _blanks(blank + 1, f"line {table.rows.line_num}")
            if number <= done or blank:
                continue
            place, after = f"row {number} (line {table.rows.line_num})", str(number)
            try:
                found = line_from(table.named(cells), from_text=True)
            except Problem as problem:
                yield refused(problem, "", place, after)
            else:
                yield _entry(found, place, after, reader)
    except UnicodeDecodeError:
        raise _no_utf8(stream) from None
    except csv.Error as error:
        # What follows cannot be cut into rows any more, so the source as a whole is at fault.
        raise invalid(
            "csv-malformed",
            f"Behind row {number} the file is no CSV in UTF-8: {_OPEN if str(error) == _AT_END else error}.",
            remedy="Mend it there; a spreadsheet saves it as \u201cCSV UTF-8\u201d.",
        ) from None


def _no_utf8(stream: IO[bytes]) -> Problem:
    """Where a table stops being UTF-8, and what it probably is."""
    stream.seek(0)
    for number, line in enumerate(stream, 1):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            place = f"line {number}"
            told = f"The byte 0x{line[error.start]:02X} in {place} is no UTF-8."
            remedy = convert_with(line + stream.read(MAX_LOOKED_AT_BYTES), "FILE")
            return invalid("manifest-encoding", told, place=place, remedy=remedy)
    return invalid("manifest-encoding", "The file is not what its first bytes say.", remedy="Save it as UTF-8.")


def _encoding(stream: IO[bytes]) -> str:
    """What a table is written in: UTF-8, or a wider one that says so. Raises Problem (INVALID) where it does not."""
    start = stream.read(64)
    stream.seek(0)
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if start.count(b"\0") > len(start) // 4:
        raise invalid(
            "manifest-encoding",
            "The manifest is UTF-16 or UTF-32 and does not say which.",
            place="line 1",
            remedy="Save it as UTF-8.",
        )
    return "utf-8-sig"


class _Table:
    """A table cut at the separator that makes a manifest's header of its first line.

    columns: the header's names, "" for a column without one; rows: those behind it.
    """

    def __init__(self, text: io.TextIOWrapper) -> None:
        first = _first_line(text)
        if first.lower().startswith("sep=") and len(first.rstrip("\r\n")) == 5:  # as one spreadsheet writes it
            first = _first_line(text)
        for delimiter in DELIMITERS:
            names = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
            columns = [column_of(name) for name in names]
            if {"ref", *CONTENT} & set(columns) or is_header(columns):
                break
        else:
            raise invalid(
                "csv-header",
                f"The first line names none of the columns ref, url, path, text and parts: {first.strip()[:200]!r}.",
                place="line 1",
                remedy="Begin with a header such as ref,url,gold_label; commas, semicolons and tabs separate.",
            )
        if len(columns) > MAX_COLUMNS:
            raise invalid(
                "csv-columns",
                f"The table has {len(columns):,} columns; at most {MAX_COLUMNS:,} are read.",
                place="line 1",
                remedy="Leave out those that labelling does not need.",
            )
        named = [name for name in columns if name]
        if twice := next((name for name in named if named.count(name) > 1), None):
            raise invalid(
                "csv-header-twice",
                f"The column {twice[:200]!r} stands there twice.",
                place="line 1",
                remedy="Give each column its own name.",
            )
        self.columns = columns
        # strict: a quote that is never closed would take the rest of the file for one cell
        self.rows = csv.reader(itertools.chain([first], text), delimiter=delimiter, strict=True)
        next(self.rows)

    def named(self, cells: list[str]) -> dict[str, str]:
        """Column -> cell, of those that hold something. Raises Problem (INVALID) code "row-width"."""
        wide = len(self.columns)
        if len(cells) < wide or any(cells[wide:]):  # empty ones at the end are a spreadsheet's
            raise invalid(
                "row-width",
                f"{len(cells)} cells, {wide} columns.",
                remedy=f"Quote cells that hold {self.rows.dialect.delimiter!r}.",
            )
        return {name: cell for name, cell in zip(self.columns, cells, strict=False) if name and cell != ""}


def _first_line(text: io.TextIOWrapper) -> str:
    """The first line that holds something."""
    while line := text.readline(limits.MAX_MANIFEST_LINE_BYTES):
        if line.strip():
            return line
    return ""


def _unnamed(columns: list[str]) -> Noted:
    numbers = [str(number) for number, name in enumerate(columns, 1) if not name]
    return Noted(
        "",
        "line 1",
        "",
        "column-unnamed",
        f"{'Columns' if len(numbers) > 1 else 'Column'} {', '.join(numbers[:10])} of the table "
        f"{'have' if len(numbers) > 1 else 'has'} no name and {'are' if len(numbers) > 1 else 'is'} passed over.",
        "Name it in the first line, if it is to be kept.",
    )


def _parquet(path: Path, cursor: str | None, reader: Reader) -> Iterator[Entry]:
    with _tables.hold() as ask:
        ask("start", str(path), int(cursor) if cursor else 0)
        while rows := ask("more"):
            for number, row in rows:
                place = f"row {number}"
                try:
                    if row is None:
                        raise invalid(
                            "line-too-long",
                            f"The row has more than {limits.MAX_MANIFEST_LINE_BYTES} bytes.",
                            remedy="Split it.",
                        )
                    found = line_from(row)
                except Problem as problem:
                    yield refused(problem, "", place, str(number))
                else:
                    yield _entry(found, place, str(number), reader)


def _check_content(line: Line) -> None:
    """Raises Problem (INVALID) unless a line has its content in exactly one way."""
    given = [name for name in CONTENT if getattr(line, name) not in (None, ())]
    if len(given) > 1:
        raise invalid(
            "line-content",
            f"A line has exactly one of {CONTENT_WORDS}; this has {' and '.join(given)}.",
            remedy="Keep one of them.",
        )
    if not given:
        others = ", ".join(repr(name[:40]) for name in itertools.islice(line.metadata, 5))
        raise invalid(
            "line-content",
            f"The line has none of {CONTENT_WORDS}{f'; taken for metadata: {others}' if others else ''}.",
            remedy="Give words as text, a file as path, an address as url.",
        )


def _entry(line: Line, place: str, cursor: str, reader: Reader) -> Entry:
    ref = line.ref or line.path or line.url or ""
    try:
        if not ref:
            raise invalid("ref-absent", "The line has no ref.", place="/ref", remedy="Give each line a ref of its own.")
        check_ref(ref)
        _check_content(line)
        if len(line.parts) > limits.MAX_PARTS:
            raise invalid(
                "parts-too-many",
                f"An item has at most {limits.MAX_PARTS} parts; this has {len(line.parts)}.",
                place="/parts",
                remedy="Make several items of it.",
            )
        parts = tuple(_part(part, number, reader) for number, part in enumerate(line.parts))
        read = reader(line.path) if line.path is not None else None
    except Problem as problem:
        return refused(problem, ref, place, cursor)
    url = encoded(line.url) if line.url is not None else None
    one = FoundPart(read, url, line.text, line.path or (file_name(url) if url else ""))
    if len(parts) == 1 and parts[0] == FoundPart(parts[0].read, parts[0].url, parts[0].text, parts[0].name):
        one, parts = parts[0], ()  # nothing is said of it as a part, so it is the item
    return Found(
        ref,
        place,
        cursor,
        read=one.read,
        url=one.url,
        text=one.text,
        parts=parts,
        name=one.name,
        metadata=line.metadata,
        pre_label=line.pre_label,
        gold_label=line.gold_label,
        eligible=line.eligible,
    )


def _part(line: PartLine, number: int, reader: Reader) -> FoundPart:
    place = f"/parts/{number}"
    words = line.text if line.text is not None else line.body
    if sum(one is not None for one in (line.url, line.path, line.text, line.body)) != 1:
        raise invalid(
            "part-content", "A part has exactly one of url, path and text.", place=place, remedy="Keep one of them."
        )
    for name, said in (("role", line.role or ""), ("sensor", line.sensor or "")):
        if len(said) > limits.MAX_NAME_CHARS or any(map(breaks_a_line, said)):
            raise invalid(
                "part-name",
                f"A part's {name} is one line of at most {limits.MAX_NAME_CHARS} characters.",
                place=f"{place}/{name}",
                remedy="Give it a short name; the rest belongs into meta.",
            )
    if line.timestamp_ns is not None and not -(2**63) <= line.timestamp_ns < 2**63:
        raise invalid(
            "line-malformed",
            "A timestamp is a whole number of nanoseconds of at most 64 bits.",
            place=f"{place}/timestamp_ns",
            remedy="Count from 1970.",
        )
    try:
        read = reader(line.path) if line.path is not None else None
    except Problem as problem:
        raise invalid(problem.code, problem.detail, place=f"{place}/path", remedy=problem.remedy) from None
    if line.url is not None and line.url.startswith("data:"):
        return FoundPart(_inline(line.url, f"{place}/url"), role=line.role or "", meta=line.meta or {})
    url = encoded(line.url) if line.url is not None else None
    return FoundPart(
        read,
        url,
        words,
        line.path or (file_name(url) if url else ""),
        line.role or "",
        line.sensor or "",
        line.timestamp_ns,
        line.meta or {},
    )


def _inline(url: str, place: str) -> Read:
    """The bytes that stand in an address themselves (RFC 2397), as base64."""
    head, _, data = url.partition(",")
    try:
        if not head.endswith(";base64"):
            raise ValueError
        held = base64.b64decode(data, validate=True)
    except ValueError:
        raise invalid("line-malformed", "The data: address holds no base64.", place=place,
                      remedy="Write data:image/png;base64,…") from None  # fmt: skip
    announced = head.removeprefix("data:").partition(";")[0]
    return lambda: Opened([held], announced)
