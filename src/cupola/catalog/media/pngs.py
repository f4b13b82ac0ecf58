"""A large PNG read from end to end without being unfolded: its checksums, and as many pixels as it announces."""

from __future__ import annotations

import io
import zlib
from typing import BinaryIO

from cupola.catalog.media.base import Content
from cupola.kernel.errors import Problem, invalid

PART_BYTES = 1 << 20
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
# Adam7: first column, first row, step across, step down of each pass
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def check_png(content: Content) -> None:
    """Raises Problem (INVALID) code "image-unreadable" for one that breaks off, is damaged, or holds too little."""
    if content.data is not None:
        _check(io.BytesIO(content.data))
        return
    assert content.path is not None
    with content.path.open("rb") as file:
        _check(file)


def _check(file: BinaryIO) -> None:
    file.seek(8)
    wanted, held = 0, 0
    unfold = zlib.decompressobj()
    while True:
        head = file.read(8)
        if len(head) < 8:
            raise _broken("it breaks off")
        left, name = int.from_bytes(head[:4], "big"), head[4:]
        crc = zlib.crc32(name)
        first = b""
        while left:
            part = file.read(min(left, PART_BYTES))
            if not part:
                raise _broken("it breaks off")
            crc = zlib.crc32(part, crc)
            left -= len(part)
            first = first or part
            if name == b"IDAT":
                held = _count(unfold, part, held, wanted)
        if int.from_bytes(file.read(4), "big") != crc:
            raise _broken(f"the checksum of a part ({name.decode('latin-1')}) is wrong")
        if name == b"IHDR":
            wanted = _bytes_of(first)
        if name == b"IEND":
            break
    if held < wanted:
        raise _broken(f"it holds {held} of {wanted} bytes of pixels")


def _count(unfold: zlib._Decompress, part: bytes, held: int, wanted: int) -> int:
    try:
        while part and not unfold.eof and held <= wanted:
            held += len(unfold.decompress(part, PART_BYTES))
            part = unfold.unconsumed_tail
    except zlib.error as error:
        raise _broken(str(error)) from None
    return held


def _bytes_of(header: bytes) -> int:
    """How many bytes the pixels take, unfolded: each row has its pixels and one byte that names its filter."""
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    bits = header[8] * _CHANNELS.get(header[9], 1)
    if not header[12]:
        return height * (1 + (width * bits + 7) // 8)
    total = 0
    for x, y, across, down in _PASSES:
        columns, rows = -(-(width - x) // across), -(-(height - y) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total


def _broken(why: str) -> Problem:
    return invalid(
        "image-unreadable", f"The picture cannot be decoded: {why}.", remedy="Save it again from its source."
    )
