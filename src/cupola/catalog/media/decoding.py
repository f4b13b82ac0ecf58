"""What a caged child does with pictures and other media (see `platform.cage`): the verbs of its side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from cupola.catalog.media.base import Content, Medium
from cupola.catalog.video import reading
from cupola.catalog.video.table import decoded
from cupola.platform import hooks


def probe(medium: str, media_type: str, size_bytes: int, data: bytes | None, path: str | None) -> Any:
    """A Probe, as what msgpack holds."""
    content = Content("", size_bytes, data, Path(path) if path is not None else None)
    return msgspec.to_builtins(_medium(medium).probe(content, media_type))


def thumbnail(medium: str, size_bytes: int, data: bytes | None, path: str | None, side_px: int) -> bytes | None:
    """A small WebP picture."""
    content = Content("", size_bytes, data, Path(path) if path is not None else None)
    return _medium(medium).thumbnail(content, side_px)


def _medium(name: str) -> Medium:
    found: Medium = hooks.load(hooks.MEDIA, name)
    return found


def table(data: bytes | None, path: str | None) -> bytes:
    """The frame table of a video, as its own bytes."""
    return reading.read_table(_source(data, path)).encoded()


def pictures(data: bytes | None, path: str | None, told: bytes, first: int, count: int) -> list[bytes]:
    """JPEG pictures of a video's frames. told: its frame table."""
    return reading.pictures(_source(data, path), decoded(told), first, count)


def _source(data: bytes | None, path: str | None) -> reading.Source:
    if data is not None:
        return data
    assert path is not None
    return Path(path)


VERBS: Mapping[str, Callable[..., Any]] = {"probe": probe, "thumbnail": thumbnail, "table": table, "pictures": pictures}
