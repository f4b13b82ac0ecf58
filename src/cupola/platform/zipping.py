"""Zip archives written as a stream: entries of unknown size, at constant memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator

# One fixed date: the same content gives the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)


class _Sink(io.RawIOBase):
    """A file that only grows and is emptied by whoever reads it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]  # any buffer, as RawIOBase.write takes
        self._parts.append(part)
        return len(part)

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


async def zip_stream(
    members: AsyncIterator[tuple[str, AsyncIterator[bytes]]], *, compress: bool = True
) -> AsyncIterator[bytes]:
    """The bytes of an archive of (name, parts of content), each read when its turn comes."""
    sink = _Sink()
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(sink, "w", method, allowZip64=True) as archive:
        async for name, parts in members:
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = method
            info.external_attr = 0o644 << 16
            with archive.open(info, "w", force_zip64=True) as entry:
                async for part in parts:
                    entry.write(part)
                    if chunk := sink.take():
                        yield chunk
            if chunk := sink.take():
                yield chunk
    if chunk := sink.take():
        yield chunk
