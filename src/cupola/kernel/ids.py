"""Identifiers: version 7 UUIDs, which sort by the time they were made."""

from __future__ import annotations

import base64
import os
import time
import uuid

# Before and after every identifier: where a list begins.
FIRST = uuid.UUID(int=0)
LAST = uuid.UUID(int=(1 << 128) - 1)


def uuid7() -> uuid.UUID:
    """A new version 7 UUID (RFC 9562): 48 bits of Unix time in ms, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return uuid.UUID(int=value)


def token(n_bytes: int = 24) -> str:
    """A secret for one holder: `n_bytes` random bytes in URL-safe text."""
    return base64.urlsafe_b64encode(os.urandom(n_bytes)).rstrip(b"=").decode()


def derived(digest: bytes) -> uuid.UUID:
    """The version 8 UUID (RFC 9562, "custom") of a digest's first 16 bytes: 122 of its bits are kept."""
    value = int.from_bytes(digest[:16], "big")
    value = (value & ~(0xF << 76)) | (0x8 << 76)  # Python before 3.14 does not know version 8
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return uuid.UUID(int=value)
