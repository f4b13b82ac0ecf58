"""Documents from files, by batches: JSONL (plain, gzip, zstd), Parquet, text; the kept ones into files like them.

What cannot be read is told with its place and a remedy, and reading goes on behind it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cupola.corpus.rows import fields, text_of
from cupola.corpus.streams import LINE_BYTES, SUFFIXES, created, lines, opened, suffix, torn
from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")
parquet: Any = Lazy("pyarrow.parquet")

BATCH_BYTES, BATCH_ROWS = 8 << 20, 1 << 16
TOO_LONG = f"the line is longer than {LINE_BYTES >> 20} MiB"


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
        found = {one.resolve(): one for path in reversed(self.files) for one in reversed(expanded(path))}
        self.files = list(reversed(found.values()))  # a file that is named twice is read once
        if not self.files:
            raise invalid("no-files", "There is no file to read.", remedy=f"Files end in {', '.join(SUFFIXES)}.")

    def batches(self) -> Iterator[Batch]:
        """All documents, in the order of the files and of their rows."""
        self.refused.clear()
        for path in self.files:
            read = {".parquet": self._parquet, ".txt": self._plain}.get(suffix(path), self._jsonl)
            yield from read(path)

    def _refuse(self, place: str, reason: str, remedy: str) -> None:
        self.refused.append(Refused(place, reason, remedy))

    def _jsonl(self, path: Path) -> Iterator[Batch]:
        made = _Made(path)
        try:
            with opened(path) as file:
                for place, (_, line) in enumerate(lines(file)):
                    if line is None:
                        self._refuse(f"{path}:{place + 1}", TOO_LONG, "Divide the text; the others were read.")
                        continue
                    if not line.strip():
                        continue
                    try:
                        row = fields(line, (self.text, self.id))
                        id_, text = row.get(self.id), text_of(row, self.text)
                    except ValueError as error:
                        self._refuse(f"{path}:{place + 1}", str(error), "Mend the line; the others were read.")
                        continue
                    made.add(place, f"{path.name}:{place}" if id_ is None else str(id_), text)
                    if made.full:
                        yield made.batch()
        except torn() as error:
            self._refuse(str(path), f"reading stopped: {error}", "Fetch the file again; what came before was read.")
        if made.ids:
            yield made.batch()

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
        except torn() as error:
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


def expanded(path: Path) -> list[Path]:
    """A file, or all in a folder that can be read. Raises Problem (INVALID) for what is not there or not known."""
    if path.is_dir():
        return sorted(one for one in path.rglob("*") if one.is_file() and suffix(one))
    if not path.is_file():
        raise invalid("file-absent", f"There is no file {path}.", place=str(path))
    if not suffix(path):
        raise invalid("file-unknown", f"What is in {path} is not known.", place=str(path),
                      remedy=f"Files end in {', '.join(SUFFIXES)}.")  # fmt: skip
    return [path]


def _until_torn(rows: Iterable[Any]) -> Iterator[Any]:
    """What comes before a fault of the file; the fault was told when the file was read."""
    try:
        yield from rows
    except torn():
        return


def write_kept(path: Path, out: Path, keeps: npt.NDArray[np.bool_]) -> int:
    """Write the rows of one file that are kept into a file of its kind, each as it stood there; how many they are.
    keeps bool[n]: by their place; rows behind are not kept."""
    part = out.with_name(out.name + ".part")
    kind, written = suffix(path), 0
    if kind == ".parquet":
        with parquet.ParquetFile(path) as file, parquet.ParquetWriter(part, file.schema_arrow) as writer:
            start = 0
            for rows in _until_torn(file.iter_batches(batch_size=4096)):
                here = np.zeros(len(rows), np.bool_)
                here[: len(keeps[start : start + len(rows)])] = keeps[start : start + len(rows)]
                kept = pa.array(here)
                start += len(rows)
                writer.write_batch(rows.filter(kept))
                written += kept.true_count
    elif kind == ".txt":
        shutil.copyfile(path, part)
        written = 1
    else:
        with opened(path) as file, created(part, kind) as target:
            for place, (_, line) in enumerate(_until_torn(lines(file))):
                if line is not None and place < len(keeps) and keeps[place]:
                    target.write(line if line.endswith(b"\n") else line + b"\n")
                    written += 1
    part.replace(out)
    return written
