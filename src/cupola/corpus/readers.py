"""Which files a corpus lies in, and what of them could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cupola.corpus.streams import LINE_BYTES, SUFFIXES, suffix
from cupola.kernel.errors import invalid

TOO_LONG = f"the line is longer than {LINE_BYTES >> 20} MiB"


@dataclass(frozen=True)
class Refused:
    """What could not be read: where, why, and what to do."""

    place: str
    reason: str
    remedy: str


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
