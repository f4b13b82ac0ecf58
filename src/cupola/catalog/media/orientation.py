"""How a browser turns a picture. Labels are drawn on what the browser shows, so its rule counts and no library's.

As Chromium does it, which a test compares type by type: a JPEG by the first EXIF segment; a PNG by an eXIf chunk
before its pixels; an AVIF by its own properties (irot, imir). EXIF in WebP or AVIF, XMP anywhere, and the text chunks
of old PNGs are left alone.
"""

from __future__ import annotations

import io
import struct
from typing import Any, BinaryIO

from cupola.catalog.media.base import Content

SIDEWAYS = range(5, 9)
_ORIENTATION, _SHORT = 0x0112, 3
MAX_EXIF_BYTES = 1 << 20
MAX_STEPS = 10_000  # segments or chunks looked at


def shown(content: Content, media_type: str, info: dict[Any, Any]) -> int:
    """1 to 8 as EXIF counts; 1 upright. info: what Pillow read of the picture."""
    if media_type == "image/avif":
        # Pillow puts the file's own properties in the place of the EXIF tag.
        exif = info.get("exif")
        return _of_tiff(exif.removeprefix(b"Exif\0\0")) if isinstance(exif, bytes) else 1
    look = {"image/jpeg": _of_jpeg, "image/png": _of_png}.get(media_type)
    if look is None:
        return 1
    if content.data is not None:
        return look(io.BytesIO(content.data))
    assert content.path is not None
    with content.path.open("rb") as file:
        return look(file)


def _of_jpeg(file: BinaryIO) -> int:
    file.seek(2)
    for _ in range(MAX_STEPS):
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            return 1
        if head[1] == 0xFF:  # a fill byte
            file.seek(-3, io.SEEK_CUR)
            continue
        if head[1] in (0xD9, 0xDA):  # the end, or the pixels
            return 1
        length = int.from_bytes(head[2:], "big") - 2
        if length < 0:
            return 1
        if head[1] == 0xE1:
            body = file.read(length)
            if body.startswith(b"Exif\0"):
                return _of_tiff(body[6:])
        else:
            file.seek(length, io.SEEK_CUR)
    return 1


def _of_png(file: BinaryIO) -> int:
    file.seek(8)
    for _ in range(MAX_STEPS):
        head = file.read(8)
        if len(head) < 8:
            return 1
        length, name = int.from_bytes(head[:4], "big"), head[4:]
        if name in (b"IDAT", b"IEND"):
            return 1
        if name == b"eXIf":
            return _of_tiff(file.read(min(length, MAX_EXIF_BYTES)).removeprefix(b"Exif\0\0"))
        file.seek(length + 4, io.SEEK_CUR)
    return 1


def _of_tiff(data: bytes) -> int:
    """The orientation in the first directory of a TIFF block."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return 1
    try:
        _, at = struct.unpack_from(f"{order}HI", data, 2)
        (count,) = struct.unpack_from(f"{order}H", data, at)
        for number in range(count):
            tag, kind, values, value = struct.unpack_from(f"{order}HHIH", data, at + 2 + 12 * number)
            if tag == _ORIENTATION:
                return value if kind == _SHORT and values == 1 and 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1
