"""A delivery: the responses of a project's completed orders at one moment. It never changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Delivery:
    """release: the release of the foundry whose rows these are, None for one made by hand."""

    id: UUID
    project: UUID
    project_name: str
    name: str
    release: UUID | None
    tasks: int
    delivered_at: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """One order of a delivery; response and snapshot (what else was told of it) are JSON text as of then.

    snapshot: {metadata: JSON text, completed_at, batch}; None in deliveries of the versions before it was kept.
    """

    task: UUID
    type: str
    delivery: UUID
    project: UUID
    created_at: datetime
    delivered_at: datetime
    response: str
    snapshot: str | None


@dataclass(frozen=True, slots=True)
class RowFilter:
    delivery: UUID | None = None
    project: UUID | None = None
    task: UUID | None = None
    delivered: tuple[datetime | None, datetime | None] = (None, None)
