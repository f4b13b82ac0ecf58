"""What a medium gives: how it is told, probed, made small and shown. One medium is one file and one line.

The line is an entry point of the group `cupola.media`; ours are registered the same way as anybody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from cupola.kernel.errors import Kind, Problem

# What a page needs to show an item: an <img>, its words, a player, or nothing that a browser has.
Needs = Literal["img", "words", "video", "audio", "nothing"]
HEAD_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Content:
    """A file's content: in memory when it is small, else on disk. Exactly one of `data` and `path`."""

    sha256: str
    size_bytes: int
    data: bytes | None = None
    path: Path | None = None

    def head(self) -> bytes:
        """Its first bytes."""
        if self.data is not None:
            return self.data[:HEAD_BYTES]
        assert self.path is not None
        with self.path.open("rb") as file:
            return file.read(HEAD_BYTES)

    def whole(self) -> bytes:
        """All of it, for media whose size is bounded."""
        if self.data is not None:
            return self.data
        assert self.path is not None
        return self.path.read_bytes()


@dataclass(frozen=True, slots=True)
class Probe:
    """What a content is. width_px, height_px: as shown, turned; orientation: 1 to 8 as EXIF counts, 1 upright.

    duration_s: of video and audio; frames: pictures that follow each other; characters: Unicode code points.
    text: the words of a text item, None for what is kept as a blob. turns, messages, candidates, steps: of a
    conversation. frame_table: the SHA-256 of the table that numbers a video's frames (catalog.video.table).
    """

    media_type: str
    width_px: int | None = None
    height_px: int | None = None
    orientation: int = 1
    text: str | None = None
    duration_s: float | None = None
    frames: int | None = None
    characters: int | None = None
    points: int | None = None
    turns: int | None = None
    messages: int | None = None
    candidates: int | None = None
    steps: int | None = None
    frame_table: str | None = None


def too_large(size_bytes: int, most_bytes: int) -> Problem:
    """The refusal of a file by its size."""
    return Problem(
        Kind.TOO_LARGE,
        "too-large",
        f"It has {size_bytes} bytes; at most {most_bytes} are taken.",
        remedy="Make it smaller or split it.",
    )


class Medium(Protocol):
    """One medium. `probe` and `thumbnail` may be called in a child process with little memory, so they hold no state.

    types: the media types that `sniff` can answer. shown: those of them that a page may render from our address.
    caged: decoding runs in a child process with limits, as it must where a library reads foreign bytes.
    """

    @property
    def name(self) -> str: ...
    @property
    def types(self) -> tuple[str, ...]: ...
    @property
    def shown(self) -> tuple[str, ...]: ...
    @property
    def endings(self) -> dict[str, str]:
        """File ending (".png") -> media type: what an address promises."""
        ...

    @property
    def needs(self) -> Needs: ...
    @property
    def caged(self) -> bool: ...
    @property
    def max_bytes(self) -> int: ...

    def sniff(self, head: bytes, name: str, announced: str) -> str | None:
        """The media type, or None for what is none of its own. head: the first HEAD_BYTES; name: the file's name;
        announced: the media type that a server told, or nothing."""
        ...

    def probe(self, content: Content, media_type: str) -> Probe:
        """Facts, after reading all of it once. Raises Problem for what cannot be read."""
        ...

    def thumbnail(self, content: Content, side_px: int) -> bytes | None:
        """A WebP picture at most side_px wide and high, or None where there is nothing to see. Raises Problem."""
        ...
