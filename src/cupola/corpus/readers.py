"""Documents from files, by batches: JSONL (plain or gzip), Parquet, text; and the kept ones back into files like them.

What cannot be read is told with its place and a remedy, and reading goes on behind it.
"""

from __future__ import annotations

import gzip
import json
import shutil
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec
import numpy as np
import numpy.typing as npt

from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")
parquet: Any = Lazy("pyarrow.parquet")

BATCH_BYTES, BATCH_ROWS = 8 << 20, 1 << 16
SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet", ".txt")
_PLAIN = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True)
class Refused:
    """What could not be read: where, why, and what to do."""

    place: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class Batch:
    """Documents of one file: ids list of str, texts a large_string Arrow array, places int64[n]: their rows (lines) in
    the file, from 0."""

    file: Path
    ids: list[str]
    texts: Any
    places: npt.NDArray[np.int64]


@dataclass
class Source:
    """Files to be read, the same way each time. refused: filled by each reading anew."""

    files: list[Path]
    text: str = "text"
    id: str = "id"
    refused: list[Refused] = field(default_factory=list)

    def __post_init__(self) -> None:
        found = {one.resolve(): one for path in reversed(self.files) for one in reversed(_expanded(path))}
        self.files = list(reversed(found.values()))  # a file that is named twice is read once
        if not self.files:
            raise invalid("no-files", "There is no file to read.", remedy=f"Files end in {', '.join(SUFFIXES)}.")

    def batches(self) -> Iterator[Batch]:
        """All documents, in the order of the files and of their rows."""
        self.refused.clear()
        for path in self.files:
            read = {".parquet": self._parquet, ".txt": self._plain}.get(_suffix(path), self._jsonl)
            yield from read(path)

    def _refuse(self, place: str, reason: str, remedy: str) -> None:
        self.refused.append(Refused(place, reason, remedy))

    def _jsonl(self, path: Path) -> Iterator[Batch]:
        made = _Made(path)
        try:
            with _opened(path) as file:
                for place, line in enumerate(file):
                    if not line.strip():
                        continue
                    try:
                        id_, text = self._row(line)
                    except ValueError as error:
                        self._refuse(f"{path}:{place + 1}", str(error), "Mend the line; the others were read.")
                        continue
                    made.add(place, id_ or f"{path.name}:{place}", text)
                    if made.full:
                        yield made.batch()
        except (OSError, EOFError, zlib.error) as error:
            self._refuse(str(path), f"reading stopped: {error}", "Fetch the file again; what came before was read.")
        if made.ids:
            yield made.batch()

    def _row(self, line: bytes) -> tuple[str | None, str]:
        """Id and text of a line. Raises ValueError."""
        try:
            row: dict[str, Any] = {
                name: raw for name, raw in _PLAIN.decode(line).items() if name in (self.text, self.id)
            }
            row = {name: msgspec.json.decode(raw) for name, raw in row.items()}
        except (msgspec.DecodeError, UnicodeDecodeError):
            row = json.loads(line.decode("utf-8", "replace"))  # more lenient: halves of characters, bytes that are none
            if not isinstance(row, dict):
                raise ValueError("the line is no object") from None
        text = row.get(self.text)
        if not isinstance(text, str):
            raise ValueError(f'there is no text in "{self.text}"')
        id_ = row.get(self.id)
        return None if id_ is None else str(id_), text.encode("utf-8", "replace").decode()

    def _parquet(self, path: Path) -> Iterator[Batch]:
        try:
            with parquet.ParquetFile(path) as file:
                names = file.schema_arrow.names
                if self.text not in names:
                    self._refuse(str(path), f'there is no column "{self.text}"', f"Columns are {', '.join(names)}.")
                    return
                columns = [self.text, *([self.id] if self.id in names else [])]
                start = 0
                for rows in file.iter_batches(batch_size=4096, columns=columns):
                    texts = rows.column(0).cast(pa.large_string())
                    places = np.arange(start, start + len(texts))
                    start += len(texts)
                    given = rows.column(1).to_pylist() if len(columns) > 1 else [None] * len(texts)
                    if texts.null_count:
                        for place in places[texts.is_null().to_numpy(zero_copy_only=False)].tolist():
                            self._refuse(f"{path}:{place}", "the text is null", "Fill it or leave the row out.")
                        valid = texts.is_valid()
                        given = [id_ for id_, there in zip(given, valid.to_pylist(), strict=True) if there]
                        places, texts = places[valid.to_numpy(zero_copy_only=False)], texts.filter(valid)
                    ids = [f"{path.name}:{place}" if id_ is None else str(id_)
                           for id_, place in zip(given, places.tolist(), strict=True)]  # fmt: skip
                    yield Batch(path, ids, texts, places)
        except (OSError, pa.ArrowException) as error:
            self._refuse(str(path), f"reading stopped: {error}", "Fetch the file again; what came before was read.")

    def _plain(self, path: Path) -> Iterator[Batch]:
        made = _Made(path)
        try:
            made.add(0, str(path), path.read_bytes().decode("utf-8", "replace"))
        except OSError as error:
            self._refuse(str(path), str(error), "See that the file can be read.")
            return
        yield made.batch()


class _Made:
    """A batch being filled."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._begin()

    def _begin(self) -> None:
        self.ids: list[str] = []
        self._texts: list[str] = []
        self._places: list[int] = []
        self._size = 0

    def add(self, place: int, id_: str, text: str) -> None:
        self.ids.append(id_)
        self._texts.append(text)
        self._places.append(place)
        self._size += len(text)

    @property
    def full(self) -> bool:
        return self._size >= BATCH_BYTES or len(self.ids) >= BATCH_ROWS

    def batch(self) -> Batch:
        done = Batch(self.path, self.ids, pa.array(self._texts, pa.large_string()), np.array(self._places, np.int64))
        self._begin()
        return done


def _suffix(path: Path) -> str:
    return next((suffix for suffix in SUFFIXES if path.name.endswith(suffix)), "")


def _expanded(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(one for one in path.rglob("*") if one.is_file() and _suffix(one))
    if not path.is_file():
        raise invalid("file-absent", f"There is no file {path}.", place=str(path))
    if not _suffix(path):
        raise invalid("file-unknown", f"What is in {path} is not known.", place=str(path),
                      remedy=f"Files end in {', '.join(SUFFIXES)}.")  # fmt: skip
    return [path]


def _opened(path: Path) -> AbstractContextManager[BinaryIO]:
    return cast("BinaryIO", gzip.open(path, "rb")) if path.name.endswith(".gz") else path.open("rb")


def _until_torn(rows: Iterable[Any]) -> Iterator[Any]:
    """What comes before a fault of the file; the fault was told when the file was read."""
    try:
        yield from rows
    except (OSError, EOFError, zlib.error, pa.ArrowException):
        return


def write_kept(path: Path, out: Path, keeps: npt.NDArray[np.bool_]) -> int:
    """Write the rows of one file that are kept into a file of its kind, each as it stood there; how many they are.
    keeps bool[n]: by their place; rows behind are not kept."""
    part = out.with_name(out.name + ".part")
    suffix, written = _suffix(path), 0
    if suffix == ".parquet":
        with parquet.ParquetFile(path) as file, parquet.ParquetWriter(part, file.schema_arrow) as writer:
            start = 0
            for rows in _until_torn(file.iter_batches(batch_size=4096)):
                here = np.zeros(len(rows), np.bool_)
                here[: len(keeps[start : start + len(rows)])] = keeps[start : start + len(rows)]
                kept = pa.array(here)
                start += len(rows)
                writer.write_batch(rows.filter(kept))
                written += kept.true_count
    elif suffix == ".txt":
        shutil.copyfile(path, part)
        written = 1
    else:
        made = gzip.GzipFile(part, "wb", mtime=0) if suffix.endswith(".gz") else part.open("wb")
        with _opened(path) as file, cast("BinaryIO", made) as target:
            for place, line in enumerate(_until_torn(file)):
                if place < len(keeps) and keeps[place]:
                    target.write(line if line.endswith(b"\n") else line + b"\n")
                    written += 1
    part.replace(out)
    return written
