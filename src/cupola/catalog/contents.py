"""Contents on their way in: hashed as they come, in memory while they are small, then on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from cupola.catalog.media.base import Content, too_large
from cupola.kernel.errors import unavailable
from cupola.platform.blobs import Blobs

SMALL_BYTES = 1024 * 1024


class Gathering:
    """Takes parts with `add` and gives the content with `done`; a context manager, whose end takes the file away."""

    def __init__(self, blobs: Blobs, max_bytes: int) -> None:
        self._blobs, self._max_bytes = blobs, max_bytes
        self._digest = hashlib.sha256()
        self._parts: list[bytes] = []
        self._size = 0
        self._path: Path | None = None
        self._file: BinaryIO | None = None

    def __enter__(self) -> Gathering:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, t: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def add(self, part: bytes) -> None:
        """Raises Problem: TOO_LARGE, or UNAVAILABLE when there is no room on the disk."""
        self._size += len(part)
        if self._size > self._max_bytes:
            raise too_large(self._size, self._max_bytes)
        self._digest.update(part)
        try:
            if self._file is None and self._size > SMALL_BYTES:
                self._path = self._blobs.incoming()
                self._file = self._path.open("xb")
                for earlier in self._parts:
                    self._file.write(earlier)
                self._parts.clear()
            if self._file is not None:
                self._file.write(part)
            else:
                self._parts.append(part)
        except OSError as error:
            raise unavailable("disk-full", f"What comes in cannot be written: {error.strerror}.") from error

    def add_all(self, parts: Iterable[bytes]) -> Gathering:
        for part in parts:
            self.add(part)
        return self

    def done(self) -> Content:
        """The content, to be used before the context ends."""
        if self._file is not None:
            try:
                self._file.flush()
            except OSError as error:
                raise unavailable("disk-full", f"What comes in cannot be written: {error.strerror}.") from error
        data = b"".join(self._parts) if self._path is None else None
        return Content(self._digest.hexdigest(), self._size, data, self._path)
