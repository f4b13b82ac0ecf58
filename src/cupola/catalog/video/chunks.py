"""Chunks of a video's frames, made when they are first looked at and kept on this machine's disk.

A chunk is the JPEG pictures of CHUNK_FRAMES frames that follow each other. It can be made again at any time and comes
out the same, so what is kept is no data: it has a limit, and whatever was not looked at for longest goes first. The
worker makes a video's first chunks when it is imported.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from cupola.catalog import media
from cupola.catalog.video.table import FrameTable, changed, decoded
from cupola.kernel import ids
from cupola.kernel.errors import invalid
from cupola.platform.blobs import Blobs

CHUNK_FRAMES = 12
KEPT_BYTES = 8 * 1024**3
SWEEP_EVERY = 64  # chunks made
_length = struct.Struct("<I")


class Chunks:
    """The frames of the videos of one store. Safe to use from several threads; blocking."""

    def __init__(self, blobs: Blobs, folder: Path, kept_bytes: int = KEPT_BYTES) -> None:
        self._blobs, self._folder, self._kept_bytes = blobs, folder, kept_bytes
        self._locks: dict[Path, threading.Lock] = {}
        self._lock = threading.Lock()
        self._made = 0

    def table(self, tenant: UUID, sha256: str, wanted: str) -> FrameTable:
        """The frame table of a video. wanted: its SHA-256, as the item has it.

        Raises Problem (INVALID) "frame-table-changed" where the video comes to another one.
        """
        return decoded(self.table_bytes(tenant, sha256, wanted))

    def table_bytes(self, tenant: UUID, sha256: str, wanted: str) -> bytes:
        path = self._of(tenant, sha256, wanted) / "table.json"

        def make() -> bytes:
            with self._blobs.local_file(tenant, sha256) as file:
                found = media.frame_table(file)
            if decoded(found).sha256 != wanted:
                raise changed()
            return found

        return self._kept(path, make)

    def chunk(self, tenant: UUID, sha256: str, wanted: str, number: int) -> bytes:
        """Frames number * CHUNK_FRAMES and those after it: how many there are and the length of each (uint32, little
        endian), then the pictures. Raises Problem (INVALID) for a number that is not there."""
        told = self.table_bytes(tenant, sha256, wanted)
        frames = decoded(told).frames
        first = number * CHUNK_FRAMES
        if not 0 <= first < frames:
            raise invalid(
                "frame-unknown",
                f"The video has {frames} frames, in chunks 0 to {(frames - 1) // CHUNK_FRAMES}.",
                place="?n",
                remedy="Ask for one of them.",
            )
        count = min(CHUNK_FRAMES, frames - first)

        def make() -> bytes:
            with self._blobs.local_file(tenant, sha256) as file:
                return packed(media.frames(file, told, first, count))

        return self._kept(self._of(tenant, sha256, wanted) / str(number), make)

    def _of(self, tenant: UUID, sha256: str, wanted: str) -> Path:
        return self._folder / str(tenant) / f"{sha256[:32]}-{wanted[:16]}"

    def _kept(self, path: Path, make: Callable[[], bytes]) -> bytes:
        with suppress(OSError):
            data = path.read_bytes()
            os.utime(path)
            return data
        with self._lock:
            lock = self._locks.setdefault(path, threading.Lock())
        with lock:  # who asks for the same at the same time waits for the first
            try:
                with suppress(OSError):
                    return path.read_bytes()
                data = make()
                self._keep(path, data)
                return data
            finally:
                with self._lock:
                    self._locks.pop(path, None)

    def _keep(self, path: Path, data: bytes) -> None:
        """As far as the disk has room: what is not kept is made again."""
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            growing = path.with_name(f".{ids.uuid7()}")
            growing.write_bytes(data)
            growing.replace(path)
        self._made += 1
        if self._made % SWEEP_EVERY == 1:
            self.sweep()

    def sweep(self) -> None:
        """Let what was not looked at for longest go, down to nine tenths of the limit."""
        found: list[tuple[float, int, Path]] = []
        for path in self._folder.glob("*/*/*"):
            with suppress(OSError):
                told = path.stat()
                found.append((told.st_mtime, told.st_size, path))
        total = sum(size for _, size, _ in found)
        if total <= self._kept_bytes:
            return
        for _, size, path in sorted(found):
            if total <= 0.9 * self._kept_bytes:
                return
            with suppress(OSError):
                path.unlink()
                total -= size


def packed(pictures: Sequence[bytes]) -> bytes:
    head = [_length.pack(len(pictures)), *(_length.pack(len(one)) for one in pictures)]
    return b"".join((*head, *pictures))


def unpacked(chunk: bytes) -> list[bytes]:
    """The way back from `packed`."""
    (count,) = _length.unpack_from(chunk)
    sizes = [_length.unpack_from(chunk, 4 * (n + 1))[0] for n in range(count)]
    out, at = [], 4 * (count + 1)
    for size in sizes:
        out.append(chunk[at : at + size])
        at += size
    return out
