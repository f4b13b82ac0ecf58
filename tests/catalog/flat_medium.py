"""A medium as somebody else would bring it: one object. Recorded sound without a header, four samples a second."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cupola.catalog.media.base import Content, Needs, Probe, too_large
from cupola.kernel.errors import invalid

RATE_HZ = 4


class Flat:
    name = "a-flat"
    types = ("audio/x-flat",)
    shown = types
    endings: Mapping[str, str] = MappingProxyType({".flat": "audio/x-flat"})
    needs: Needs = "audio"
    caged = False  # a child could not import this module of the tests
    max_bytes = 1024**3

    def sniff(self, head: bytes, name: str, announced: str) -> str | None:
        return "audio/x-flat" if head.startswith(b"FLAT") else None

    def probe(self, content: Content, media_type: str) -> Probe:
        if content.size_bytes > self.max_bytes:
            raise too_large(content.size_bytes, self.max_bytes)
        if content.size_bytes == 4:
            raise invalid("sound-empty", "There is no sound in it.", remedy="Record it again.")
        return Probe(media_type, duration_s=(content.size_bytes - 4) / RATE_HZ)

    def thumbnail(self, content: Content, side_px: int) -> bytes | None:
        return None


FLAT = Flat()
