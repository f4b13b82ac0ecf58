"""What listeners and webhooks get of an event: the same words in both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cupola.platform.events import Event


@dataclass(frozen=True, slots=True)
class EventView:
    """An event as listeners and webhooks get it. `id` is "epoch.xid.seq"; `data` holds identifiers and counts."""

    id: str
    kind: str
    at: datetime
    subject: UUID | None
    project: UUID | None
    data: dict[str, Any]


def view(event: Event) -> EventView:
    return EventView(
        f"{event.epoch}.{event.xid}.{event.seq}", event.kind, event.at, event.subject, event.project, event.data
    )
