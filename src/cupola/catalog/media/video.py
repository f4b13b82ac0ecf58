"""Videos: their frames numbered once, at the door, by what is shown (see `catalog.video`)."""

from __future__ import annotations

import io
import warnings

from PIL import Image

from cupola.catalog.media.base import Content, Needs, Probe, too_large
from cupola.catalog.media.magic import foreign, picture_type
from cupola.catalog.video import reading
from cupola.kernel import limits

_DOCTYPE_BYTES = 64
ENDINGS = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".avi": "video/x-msvideo",
    ".mpg": "video/mpeg",
    ".mpeg": "video/mpeg",
    ".ts": "video/mpeg",
}


class Video:
    name = "video"
    types = ("video/mp4", "video/quicktime", "video/webm", "video/x-matroska", "video/x-msvideo", "video/mpeg")
    shown = ("video/mp4", "video/webm")
    endings = ENDINGS
    needs: Needs = "video"
    caged = True
    max_bytes = limits.MAX_VIDEO_BYTES

    def sniff(self, head: bytes, name: str, announced: str) -> str | None:
        """By content; what only its name calls a video is left to its own refusal."""
        if picture_type(head) is not None or foreign(head) == "a HEIF image":
            return None
        if head[4:8] == b"ftyp":
            return "video/quicktime" if head[8:12] == b"qt  " else "video/mp4"
        if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):
            return "video/quicktime"
        if head.startswith(b"\x1a\x45\xdf\xa3"):
            return "video/webm" if b"webm" in head[:_DOCTYPE_BYTES] else "video/x-matroska"
        if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
            return "video/x-msvideo"
        if head.startswith((b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3")) or (head[:1] == b"G" and head[188:189] == b"G"):
            return "video/mpeg"
        promised = next((kind for end, kind in self.endings.items() if name.lower().endswith(end)), None)
        return promised if foreign(head) is None else None

    def probe(self, content: Content, media_type: str) -> Probe:
        """Size as shown, how many frames and how long. Raises Problem as `catalog.video.reading.read_table`."""
        if content.size_bytes > self.max_bytes:
            raise too_large(content.size_bytes, self.max_bytes)
        table = reading.read_table(source_of(content))
        return Probe(
            media_type,
            table.width_px,
            table.height_px,
            duration_s=table.duration_s,
            frames=table.frames,
            frame_table=table.sha256,
        )

    def thumbnail(self, content: Content, side_px: int) -> bytes | None:
        """The first frame."""
        source = source_of(content)
        (picture,) = reading.pictures(source, reading.read_table(source), 0, 1, side_px)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out = io.BytesIO()
            Image.open(io.BytesIO(picture)).save(out, "WEBP", quality=80, method=2)
        return out.getvalue()


VIDEO = Video()


def source_of(content: Content) -> reading.Source:
    if content.data is not None:
        return content.data
    assert content.path is not None
    return content.path
