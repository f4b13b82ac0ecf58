"""A zip archive as a stream, at a memory that does not grow with the number of entries.

The standard library keeps an object for each entry until the end; here the directory waits in a spooled file. Entries
are stored as they are (pictures do not compress), with their size and checksum ahead of them, so that any reader takes
them. The fields are those of PKWARE's APPNOTE 6.3.10, with Zip64 where a number needs it.
"""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import AsyncIterator, Iterator

ENTRY_SPOOL_BYTES = 4 * 1024 * 1024
DIRECTORY_SPOOL_BYTES = 4 * 1024 * 1024
PART_BYTES = 1024 * 1024
_DATE, _TIME = 0x0021, 0  # 1 January 1980: the same content gives the same bytes
_UTF8 = 0x0800
_MOST_32, _MOST_16 = 0xFFFFFFFF, 0xFFFF


class ZipStream:
    """Write entries with `entry` and `small`, then `end`; each gives bytes to pass on. Close it when done."""

    def __init__(self) -> None:
        self._directory = tempfile.SpooledTemporaryFile(max_size=DIRECTORY_SPOOL_BYTES)  # noqa: SIM115  # closed by close()
        self._offset = 0
        self._entries = 0

    def close(self) -> None:
        self._directory.close()

    def small(self, name: str, data: bytes) -> bytes:
        """An entry that is in memory already."""
        head = self._head(name, zlib.crc32(data), len(data))
        self._offset += len(head) + len(data)
        return head + data

    async def entry(self, name: str, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """An entry of unknown size: it waits, on disk if it is large, until its size and checksum are known."""
        with tempfile.SpooledTemporaryFile(max_size=ENTRY_SPOOL_BYTES) as spool:
            crc = size = 0
            async for part in parts:
                crc = zlib.crc32(part, crc)
                size += len(part)
                spool.write(part)
            head = self._head(name, crc, size)
            self._offset += len(head) + size
            yield head
            spool.seek(0)
            while part := spool.read(PART_BYTES):
                yield part

    def end(self) -> Iterator[bytes]:
        """The directory and the end of the archive."""
        start, size = self._offset, self._directory.tell()
        self._directory.seek(0)
        while part := self._directory.read(PART_BYTES):
            yield part
        count = self._entries
        if count >= _MOST_16 or start >= _MOST_32 or size >= _MOST_32:
            yield struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, size, start)
            yield struct.pack("<IIQI", 0x07064B50, 0, start + size, 1)
        few = min(count, _MOST_16)
        yield struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, few, few, min(size, _MOST_32), min(start, _MOST_32), 0)

    def _head(self, name: str, crc: int, size: int) -> bytes:
        raw = name.encode()
        large = size >= _MOST_32
        far = self._offset >= _MOST_32
        told = _MOST_32 if large else size
        version = 45 if large or far else 20
        extra = struct.pack("<HHQQ", 1, 16, size, size) if large else b""
        numbers = ([size, size] if large else []) + ([self._offset] if far else [])
        far_extra = struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers) if numbers else b""
        common = (version, _UTF8, 0, _TIME, _DATE, crc, told, told, len(raw))
        attributes = 0o100644 << 16  # an ordinary file that all may read
        entry = (
            0x02014B50,
            0x0300 | version,
            *common,
            len(far_extra),
            0,
            0,
            0,
            attributes,
            min(self._offset, _MOST_32),
        )
        self._directory.write(struct.pack("<IHHHHHHIIIHHHHHII", *entry) + raw + far_extra)
        self._entries += 1
        return struct.pack("<IHHHHHIIIHH", 0x04034B50, *common, len(extra)) + raw + extra


class Lines:
    """Lines of text that wait, on disk when they are many, until the archive takes them. A context manager."""

    def __init__(self) -> None:
        self._spool = tempfile.SpooledTemporaryFile(max_size=ENTRY_SPOOL_BYTES)  # noqa: SIM115  # closed by close()
        self.some = False

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._spool.close()

    def add(self, line: str) -> None:
        self.some = True
        self._spool.write(line.encode() + b"\n")

    async def parts(self) -> AsyncIterator[bytes]:
        self._spool.seek(0)
        while part := self._spool.read(PART_BYTES):
            yield part
