"""What a file that somebody hands in is, told from its first bytes. Nothing is decoded, and no name is believed."""

from __future__ import annotations

import codecs

from cupola.catalog.media.magic import foreign, picture_type

HEAD_BYTES = 4_096
_BEGINS = (
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
)
_BRANDS = {b"M4A ": "audio/mp4", b"qt  ": "video/quicktime", b"heic": "image/heic", b"heix": "image/heic",
           b"mif1": "image/heic"}  # fmt: skip
_BY_RIFF = {b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}


def type_of(head: bytes) -> str | None:
    """The media type that a file begins like; None for what is not taken (programs, web pages, …)."""
    if (picture := picture_type(head)) is not None:
        return picture
    if head[:4] == b"RIFF":
        return _BY_RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    for begins, media_type in _BEGINS:
        if head.startswith(begins):
            return media_type
    return "text/plain" if foreign(head.lstrip()[:16]) is None and _is_text(head) else None


def _is_text(head: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)  # a character may be cut off at the end
    except UnicodeDecodeError:
        return False
    return bool(text.strip()) and not any(ord(sign) < 32 and sign not in "\t\n\r\f" for sign in text)
