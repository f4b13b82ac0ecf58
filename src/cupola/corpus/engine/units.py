"""What a run reads, cut into units: by the input alone, never by who does the work, so that the outcome is the same.

A unit is a range of a plain JSONL file, some row groups of a Parquet file, a packed file, or many small files in a row.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec
import numpy as np
import numpy.typing as npt

from cupola.corpus.pages import pages
from cupola.corpus.pages import text_of as page_text
from cupola.corpus.readers import TOO_LONG, Refused, expanded
from cupola.corpus.rows import fields, text_of
from cupola.corpus.streams import LINE_BYTES, SUFFIXES, lines, opened, suffix, torn
from cupola.kernel.errors import conflict, invalid
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")
parquet: Any = Lazy("pyarrow.parquet")

UNIT_BYTES, UNIT_PIECES = 64 << 20, 4096
BATCH_BYTES, BATCH_ROWS = 4 << 20, 1 << 15
MOST_REFUSED = 1000  # of a unit are told one by one
_NO_ROWS = 4096


class Columns(msgspec.Struct, frozen=True):
    """Names of the columns: text, id (where it is absent, file and place), source (empty: the file)."""

    text: str = "text"
    id: str = "id"
    source: str = ""


class Piece(msgspec.Struct, frozen=True):
    """A part of a file: bytes (plain JSONL) or row groups (Parquet) from start to end; end -1: all of it."""

    path: str
    start: int = 0
    end: int = -1


class Unit(msgspec.Struct, frozen=True):
    """Pieces of one kind (a suffix), read in order; bytes: how large they are in the files."""

    number: int
    kind: str
    pieces: tuple[Piece, ...]
    bytes: int


@dataclass(frozen=True)
class Rows:
    """Some documents: texts a large_string array; ids, files and sources list[str]; places int64[n], the byte at which
    a line begins in its (unpacked) file, or the number of a Parquet row; raw: lines or a record batch."""

    ids: list[str]
    texts: Any
    places: npt.NDArray[np.int64]
    files: list[str]
    sources: list[str]
    raw: Any

    def __len__(self) -> int:
        return len(self.ids)


def plan(paths: list[Path], unit_bytes: int = UNIT_BYTES) -> list[Unit]:
    """The units of files and folders. Raises Problem (INVALID) when there is none."""
    found = {one.resolve(): one for path in paths for one in expanded(path)}
    files = sorted(found.values(), key=str)  # named in another order, it is the same input
    if not files:
        raise invalid("no-files", "There is no file to read.", remedy=f"Files end in {', '.join(SUFFIXES)}.")
    units: list[Unit] = []
    waiting: list[Piece] = []
    size = 0

    def close(kind: str) -> None:
        nonlocal size
        if waiting:
            units.append(Unit(len(units), kind, tuple(waiting), size))
            waiting.clear()
            size = 0

    before = ""
    for path in files:
        kind = suffix(path)
        if kind != before or kind == ".parquet":
            close(before)
        before = kind
        for piece, bytes_ in _pieces(path, kind, unit_bytes):
            if size and (size + bytes_ > unit_bytes or len(waiting) >= UNIT_PIECES):
                close(kind)
            waiting.append(piece)
            size += bytes_
    close(before)
    return units


def _pieces(path: Path, kind: str, most: int) -> Iterator[tuple[Piece, int]]:
    try:
        size = path.stat().st_size
    except OSError:
        size = 0  # told when it is read
    if kind == ".jsonl" and size > most:
        for start in range(0, size, most):
            yield Piece(str(path), start, min(start + most, size)), min(most, size - start)
        return
    if kind == ".parquet" and size > most:
        with contextlib.suppress(*torn()):
            with parquet.ParquetFile(path) as file:
                sizes = [file.metadata.row_group(n).total_byte_size for n in range(file.metadata.num_row_groups)]
            start, held = 0, 0
            for n, bytes_ in enumerate(sizes):
                if held and held + bytes_ > most:
                    yield Piece(str(path), start, n), held
                    start, held = n, 0
                held += bytes_
            yield Piece(str(path), start, len(sizes)), held
            return
    yield Piece(str(path)), size


@dataclass
class Reader:
    """Reads a unit, the same batches each time. refused: what could not be read, the first `MOST_REFUSED` of it, and
    how many it was; documents: how many were read; digest: of all of them, to tell whether they still stand there."""

    unit: Unit
    columns: Columns
    refused: list[Refused] = field(default_factory=list)
    refusals: int = 0
    documents: int = 0

    def __post_init__(self) -> None:
        self._digest = hashlib.blake2b(digest_size=16)

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    def check(self, digest: str) -> None:
        """Raises Problem (CONFLICT) when another text was read than the first time."""
        if digest != self.digest:
            raise conflict("input-changed", f"{self.unit.pieces[0].path} is no longer what this run has read.",
                           remedy="Put the file back as it was, or begin a new run.")  # fmt: skip

    def batches(self) -> Iterator[Rows]:
        for piece in self.unit.pieces:
            read = {".parquet": self._parquet, ".txt": self._plain, ".html": self._plain, ".htm": self._plain,
                    ".warc": self._warc, ".warc.gz": self._warc}.get(self.unit.kind, self._jsonl)  # fmt: skip
            try:
                for rows in read(piece):
                    if len(rows):
                        _, places, bytes_ = rows.texts.buffers()
                        self.documents += len(rows)
                        self._digest.update(memoryview(places)[: 8 * (len(rows) + 1)])
                        self._digest.update(memoryview(bytes_ or b""))
                        yield rows
            except torn() as error:
                self._torn(piece, error)

    def _torn(self, piece: Piece, error: Exception) -> None:
        self._refuse(piece.path, f"reading stopped: {error}", "Fetch the file again; what came before was read.")

    def _refuse(self, place: str, reason: str, remedy: str) -> None:
        self.refusals += 1
        if len(self.refused) < MOST_REFUSED:
            self.refused.append(Refused(place, reason, remedy))

    def _jsonl(self, piece: Piece) -> Iterator[Rows]:
        names = tuple({self.columns.text, self.columns.id, self.columns.source} - {""})
        made = _Made(piece.path)
        with opened(Path(piece.path)) as file:
            at = _to_a_line(file, piece.start)
            stream = lines(file, None if piece.end < 0 else piece.end, at)
            while True:
                try:
                    place, line = next(stream)
                except StopIteration:
                    break
                except torn() as error:
                    self._torn(piece, error)
                    break
                if line is None:
                    self._refuse(f"{piece.path} at byte {place}", TOO_LONG, "Divide the text; the others were read.")
                    continue
                if not line.strip():
                    continue
                try:
                    row = fields(line, names)
                    text = text_of(row, self.columns.text)
                except ValueError as error:
                    self._refuse(f"{piece.path} at byte {place}", str(error), "Mend the line; the others were read.")
                    continue
                made.add(place, row.get(self.columns.id), row.get(self.columns.source), text, line)
                if made.full:
                    yield made.rows()
        yield made.rows()

    def _plain(self, piece: Piece) -> Iterator[Rows]:
        made = _Made(piece.path)
        raw = Path(piece.path).read_bytes()
        text = raw.decode("utf-8", "replace") if self.unit.kind == ".txt" else page_text(raw)
        made.add(0, piece.path, str(Path(piece.path).parent), text, None)
        yield made.rows()

    def _warc(self, piece: Piece) -> Iterator[Rows]:
        made = _Made(piece.path)
        with Path(piece.path).open("rb") as file:
            for page in pages(file, piece.path.endswith(".gz"), LINE_BYTES):
                if page.text is None:
                    self._refuse(f"{piece.path} at byte {page.place}", page.fault, "Fetch the file again; what can be "
                                 "read of it was read.")  # fmt: skip
                    continue
                made.add(page.place, page.id or None, page.host or None, page.text, None)
                if made.full:
                    yield made.rows()
        yield made.rows()

    def _parquet(self, piece: Piece) -> Iterator[Rows]:
        with parquet.ParquetFile(piece.path) as file:
            names = file.schema_arrow.names
            if self.columns.text not in names:
                self._refuse(piece.path, f'there is no column "{self.columns.text}"', f"Columns: {', '.join(names)}.")
                return
            groups = range(piece.start, file.metadata.num_row_groups if piece.end < 0 else piece.end)
            start = sum(file.metadata.row_group(n).num_rows for n in range(piece.start))
            mean = _mean_bytes(file.metadata, groups)
            size = max(1, min(_NO_ROWS, BATCH_BYTES // max(mean, 1)))
            for batch in file.iter_batches(batch_size=size, row_groups=list(groups)):
                places = np.arange(start, start + len(batch))
                start += len(batch)
                texts = batch.column(names.index(self.columns.text))
                try:
                    texts = _as_text(texts)
                except ValueError as error:
                    self._refuse(piece.path, str(error), "Name another column: --text.")
                    return
                if texts.null_count:
                    there = texts.is_valid()
                    for place in places[~there.to_numpy(zero_copy_only=False)].tolist():
                        self._refuse(f"{piece.path} row {place}", "the text is null", "Fill it or leave the row out.")
                    batch, texts = batch.filter(there), texts.filter(there)
                    places = places[there.to_numpy(zero_copy_only=False)]
                texts = pa.concat_arrays([texts])  # without an offset
                ids = _strings(batch, self.columns.id, [f"{piece.path}:{place}" for place in places.tolist()])
                sources = _strings(batch, self.columns.source, [piece.path] * len(batch))
                yield Rows(ids, texts, places, [piece.path] * len(batch), sources, batch)


def _mean_bytes(metadata: Any, groups: range) -> int:
    total = sum(metadata.row_group(n).total_byte_size for n in groups)
    return int(total // max(sum(metadata.row_group(n).num_rows for n in groups), 1))


def _as_text(column: Any) -> Any:
    """A column of strings, in a dictionary or not, or of bytes that are UTF-8, as large_string. Raises ValueError."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    told = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    if not any(one(kind) for one in told):
        raise ValueError(f"a column of {column.type} holds no text")
    return column.cast(pa.large_string())  # of bytes that are no UTF-8 an ArrowInvalid, which is a ValueError


def _strings(batch: Any, name: str, otherwise: list[str]) -> list[str]:
    if not name or name not in batch.schema.names:
        return otherwise
    given = batch.column(batch.schema.names.index(name)).to_pylist()
    return [other if one is None else str(one) for one, other in zip(given, otherwise, strict=True)]


def _to_a_line(file: BinaryIO, start: int) -> int:
    """Go to the first line that begins at the byte `start` or behind it, and say where that is."""
    if not start:
        return 0
    file.seek(start - 1)
    at = start - 1
    while True:
        skipped = file.readline(1 << 20)
        at += len(skipped)
        if not skipped or skipped.endswith(b"\n"):
            return at


class _Made:
    """A batch being filled."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._begin()

    def _begin(self) -> None:
        self._ids: list[str] = []
        self._texts: list[str] = []
        self._places: list[int] = []
        self._sources: list[str] = []
        self._raw: list[bytes | None] = []
        self._size = 0

    def add(self, place: int, id_: Any, source: Any, text: str, raw: bytes | None) -> None:
        self._ids.append(f"{self._path}:{place}" if id_ is None else str(id_))
        self._sources.append(self._path if source is None else str(source))
        self._texts.append(text)
        self._places.append(place)
        self._raw.append(raw)
        self._size += len(text)

    @property
    def full(self) -> bool:
        return self._size >= BATCH_BYTES or len(self._ids) >= BATCH_ROWS

    def rows(self) -> Rows:
        texts = cast("Any", pa.array(self._texts, pa.large_string()))
        places = np.array(self._places, np.int64)
        done = Rows(self._ids, texts, places, [self._path] * len(self._ids), self._sources, self._raw)
        self._begin()
        return done


class Documents:
    """Files read once and in order, for what needs no run. refused: filled by each reading anew."""

    def __init__(self, paths: list[Path], columns: Columns) -> None:
        self._units, self._columns = plan(paths), columns
        self.refused: list[Refused] = []

    def batches(self) -> Iterator[Rows]:
        self.refused.clear()
        for unit in self._units:
            reader = Reader(unit, self._columns)
            yield from reader.batches()
            self.refused += reader.refused
