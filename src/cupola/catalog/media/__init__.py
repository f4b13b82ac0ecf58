"""Media as a table: what a file is, and what is known of it. Foreign bytes are decoded in caged children."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

from cupola.catalog.media.base import Content, Medium, Probe
from cupola.catalog.media.image import unknown
from cupola.kernel.errors import invalid
from cupola.platform import hooks
from cupola.platform.cage import Cage

CHILDREN = 2
MEMORY_BYTES = 1024 * 1024 * 1024  # for one file, beyond the bare process
TIME_S = 120.0

_cage = Cage("cupola.catalog.media.decoding", children=CHILDREN, memory_bytes=MEMORY_BYTES, time_s=TIME_S, what="file")


@cache
def media() -> tuple[Medium, ...]:
    """All that are registered: those that ask for a name or an announcement first, those that go by content last."""
    found: list[Medium] = [hooks.load(hooks.MEDIA, name) for name in hooks.names(hooks.MEDIA)]
    return tuple(sorted(found, key=lambda medium: (medium.caged, medium.name)))


def probe(content: Content, name: str, announced: str = "") -> Probe:
    """Find out what a file is. name: the file's own; announced: the media type that a server told.

    Raises Problem with the code "empty", "wrong-type", "too-large", or one of the medium's own; "decode-memory",
    "decode-time" or "decode-failed" when decoding takes too much.
    """
    if not content.size_bytes:
        raise invalid("empty", "The file is empty.", remedy="Leave it out, or send its content.")
    head = content.head()
    for medium in media():
        media_type = medium.sniff(head, name, announced)
        if media_type is None:
            continue
        if not medium.caged:
            return medium.probe(content, media_type)
        told = _cage.call("probe", medium.name, media_type, content.size_bytes, content.data, _path(content))
        return msgspec.convert(told, Probe)
    raise unknown(head)


def thumbnail(content: Content, media_type: str, side_px: int) -> bytes | None:
    """A WebP picture at most `side_px` wide and high, upright, or None where there is nothing to see.

    Raises Problem for what cannot be decoded.
    """
    medium = of_type(media_type)
    if medium is None:
        return None
    if not medium.caged:
        return medium.thumbnail(content, side_px)
    made: bytes | None = _cage.call("thumbnail", medium.name, content.size_bytes, content.data, _path(content), side_px)
    return made


def frame_table(path: Path) -> bytes:
    """The table that numbers a video's frames (see `catalog.video.table`). Raises Problem for what is no video."""
    found: bytes = _cage.call("table", None, str(path))
    return found


def frames(path: Path, table: bytes, first: int, count: int) -> list[bytes]:
    """JPEG pictures of a video's frames, from `first` on. table: as `frame_table` gave it."""
    found: list[bytes] = _cage.call("pictures", None, str(path), table, first, count)
    return found


def of_type(media_type: str) -> Medium | None:
    """The medium that a media type belongs to."""
    return next((medium for medium in media() if media_type in medium.types), None)


def promised(name: str) -> str:
    """The media type that a file's name or an address's path promises, or nothing."""
    lower = name.lower()
    for medium in media():
        for ending, media_type in medium.endings.items():
            if lower.endswith(ending):
                return media_type
    return ""


def most_bytes() -> int:
    """The size of the largest file that any medium takes: what a source need not open to refuse."""
    return max(medium.max_bytes for medium in media())


def _path(content: Content) -> str | None:
    return str(content.path) if content.path is not None else None
