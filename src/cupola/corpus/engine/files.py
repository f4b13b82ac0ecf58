"""Where a run keeps what, and files that are there whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from cupola.kernel.errors import conflict

T = TypeVar("T")
PART = ".part"


class Folder:
    """A run's folder. What is in `work` goes when the run is done; the rest is the outcome."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.run = root / "run.json"
        self.manifest = root / "manifest.json"
        self.work = root / "work"
        self.copies = self.work / "copies"

    def judged(self, unit: int, suffix: str) -> Path:
        return self.work / "judged" / f"{unit:06d}{suffix}"

    def edited(self, unit: int, suffix: str) -> Path:
        return self.work / "edited" / f"{unit:06d}{suffix}"

    def written(self, unit: int) -> Path:
        """The summary of a unit whose parts are written."""
        return self.work / "written" / f"{unit:06d}.json"

    def part(self, kind: str, unit: int, suffix: str) -> Path:
        """A part of the outcome: of kept, removals, edits, documents."""
        return self.root / kind / f"{unit:06d}{suffix}"

    def make(self) -> None:
        for one in (
            self.work / "edited",
            self.work / "judged",
            self.work / "written",
            self.copies,
            *map(self.root.joinpath, PARTS),
        ):
            one.mkdir(parents=True, exist_ok=True)
        for torn in self.root.rglob(f"*{PART}"):
            torn.unlink(missing_ok=True)


PARTS = ("kept", "removals", "edits", "documents")


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """A path to write to; what was written stands at `path` once it is whole and on the disk."""
    part = path.with_name(f"{path.name}.{os.getpid()}{PART}")
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    finally:
        part.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    with appearing(path) as part:
        part.write_bytes(msgspec.json.format(msgspec.json.encode(value, order="deterministic"), indent=1) + b"\n")


def read_json(path: Path, type_: type[T]) -> T | None:
    """What stands in a file, None where there is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=type_)
    except FileNotFoundError:
        return None


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Raises Problem (CONFLICT) while another process works in the folder."""
    with (root / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise conflict("run-in-progress", f"Another process works in {root}.",
                           remedy="Wait for it, or end it: the run then goes on from there.") from error  # fmt: skip
        yield
