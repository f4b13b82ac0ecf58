"""Files as streams of bytes and of lines, whatever packs them; a line has a limit, so that none fills the memory."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")

JSONL = (".jsonl", ".jsonl.gz", ".jsonl.zst")
WARC = (".warc", ".warc.gz")
HTML = (".html", ".htm")
SUFFIXES = (*JSONL, ".parquet", ".txt", *WARC, *HTML)
LINE_BYTES = 64 << 20  # a longer line is refused
_PIECE = 1 << 20


def suffix(path: Path) -> str:
    """Which of `SUFFIXES` a file has, "" for none."""
    return next((one for one in SUFFIXES if path.name.endswith(one)), "")


def torn() -> tuple[type[Exception], ...]:
    """What reading a file raises that is torn, packed wrongly or gone."""
    return (OSError, EOFError, zlib.error, pa.ArrowException)


def opened(path: Path) -> BinaryIO:
    """A file's bytes, unpacked. Raises one of `torn`, here or while it is read."""
    if path.name.endswith(".gz"):
        return cast("BinaryIO", gzip.open(path, "rb"))
    if path.name.endswith(".zst"):
        return cast("BinaryIO", io.BufferedReader(pa.input_stream(str(path), compression="zstd"), _PIECE))
    return path.open("rb", _PIECE)


def created(path: Path, packed_like: str) -> BinaryIO:
    """A file to be written, packed as the suffix says; equal bytes in give equal bytes out."""
    if packed_like.endswith(".gz"):
        return cast("BinaryIO", _Gzip(path))
    if packed_like.endswith(".zst"):
        return cast("BinaryIO", pa.output_stream(str(path), compression="zstd"))
    return path.open("wb", _PIECE)


class _Gzip(gzip.GzipFile):
    """Without the name and the time that gzip would write into it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        super().__init__(filename="", mode="wb", compresslevel=6, fileobj=self._file, mtime=0)

    def close(self) -> None:
        super().close()
        self._file.close()


def lines(file: BinaryIO, end: int | None = None, at: int = 0) -> Iterator[tuple[int, bytes | None]]:
    """Each line with the byte at which it begins, counted from `at`, where the stream stands; None in place of a line
    that is longer than `LINE_BYTES`. The last line is the one that begins before the byte `end`."""
    while end is None or at < end:
        line = file.readline(LINE_BYTES)
        if not line:
            return
        start, at = at, at + len(line)
        if len(line) < LINE_BYTES or line.endswith(b"\n"):
            yield start, line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(_PIECE)
            at += len(line)
        yield start, None
