"""A manifest under gzip, unfolded as it is read, with a limit: a few kilobytes can unfold to gigabytes."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import IO, TYPE_CHECKING

from cupola.catalog.media.base import too_large
from cupola.kernel import limits
from cupola.kernel.errors import invalid

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

ENDING = ".gz"
MAGIC = b"\x1f\x8b"


def unfolded(stream: IO[bytes]) -> IO[bytes]:
    """The content of a gzip file as a stream; reading raises Problem: INVALID "gzip-broken", TOO_LARGE."""
    return io.BufferedReader(_Unfolded(stream), 1 << 16)


class _Unfolded(io.RawIOBase):
    def __init__(self, stream: IO[bytes]) -> None:
        self._file = gzip.GzipFile(fileobj=stream, mode="rb")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return self._file.seek(offset, whence)
        except (EOFError, OSError, zlib.error) as error:
            raise invalid("gzip-broken", f"The file cannot be unfolded: {error}.", remedy="Pack it again.") from None

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        try:
            part = self._file.read(len(view))
        except (EOFError, OSError, zlib.error) as error:
            raise invalid("gzip-broken", f"The file cannot be unfolded: {error}.", remedy="Pack it again.") from None
        if self._file.tell() > limits.MAX_UPLOAD_BYTES:
            raise too_large(self._file.tell(), limits.MAX_UPLOAD_BYTES)
        view[: len(part)] = part
        return len(part)
