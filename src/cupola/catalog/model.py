"""Datasets, items and imports as the world sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from cupola.catalog.showing import PartView
from cupola.labels import ItemFacts

ImportState = Literal["waiting", "running", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A named set of items. `licence`: what its owner says about the raw data."""

    id: UUID
    name: str
    licence: str
    items: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to be labelled. width, height in px as shown; url, thumb_url: signed, for whoever asked.

    facts: what is known beside media type and size. parts: what it is made of; empty where it is its own one part.
    frames_url: of a video, see catalog.showing.
    """

    id: UUID
    ref: str
    media_type: str
    bytes: int
    width: int | None
    height: int | None
    text: str | None
    metadata: dict[str, Any]
    url: str | None
    thumb_url: str | None
    facts: ItemFacts | None
    parts: list[PartView]
    created_at: datetime
    frames_url: str | None = None


@dataclass(frozen=True, slots=True)
class Import:
    """One run of an importer. found = accepted + unchanged + refused; bytes: of what was accepted.

    noted: how often something was taken otherwise than it stood there, or passed over.
    """

    id: UUID
    dataset: UUID
    source: dict[str, Any]
    state: ImportState
    found: int
    accepted: int
    unchanged: int
    refused: int
    noted: int
    bytes: int
    error: str | None
    error_code: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """One entry that was not imported, or (a note) not as it stood there: where it stands, and what to do about it."""

    n: int
    place: str
    ref: str | None
    reason: str
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that arrived. `upload` names it in an import's source."""

    upload: str
    bytes: int


# What a source may carry that nobody is to read again.
_SECRETS = frozenset({"secret_access_key", "session_token", "access_key_id"})


def shown_source(source: dict[str, Any]) -> dict[str, Any]:
    """A source without its secrets and with long lists cut, for lists and logs."""
    out: dict[str, Any] = {}
    for name, value in source.items():
        if name in _SECRETS:
            out[name] = "…"
        elif isinstance(value, list) and len(value) > 10:
            out[name] = [*value[:10], f"… {len(value) - 10} more"]
        else:
            out[name] = value
    return out
