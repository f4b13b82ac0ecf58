"""A file as orders know it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

SCHEME = "scaledata://"
MAX_FILE_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class File:
    """asset: SHA-256 of the blob once it is here; url: where an import comes from."""

    id: UUID
    asset: bytes | None
    url: str | None
    name: str
    reference: str | None
    projects: list[str]
    media_type: str
    bytes: int
    metadata: str
    error: str | None
    created_at: datetime
    updated_at: datetime


def file_of(address: str) -> UUID | None:
    """The file that an address of ours names (`scaledata://<id>`), or None for any other address."""
    address = address.strip()
    if not address.lower().startswith(SCHEME):
        return None
    try:
        return UUID(address[len(SCHEME) :].rpartition("/")[2])
    except ValueError:
        return None
