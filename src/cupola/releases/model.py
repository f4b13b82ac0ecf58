"""Releases as the world sees them: a frozen set of settled labels, its audit and its certificate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

ReleaseState = Literal["frozen", "auditing", "certified", "failed"]
PROTOCOL = (
    "Items drawn uniformly without replacement from the frozen rows by the committed seed; judged by an adjudicator "
    "who sees neither the label, its confidence nor any judgement; an item is an error when the two labels are not "
    "the same by the kind's own comparison; what the adjudicator cannot decide is counted apart."
)


@dataclass(frozen=True, slots=True)
class AuditAsked:
    """What a requester asks of the audit; all of it is declared before the draw."""

    items: int
    confidence: float
    target_accuracy: float


@dataclass(frozen=True, slots=True)
class AuditState:
    drawn: int
    judged: int
    errors: int
    undecidable: int


@dataclass(frozen=True, slots=True)
class CertificateView:
    """accuracy_lower_bound holds with `confidence`; reached: it is not below the target."""

    accuracy_lower_bound: float
    confidence: float
    n: int
    errors: int
    undecidable: int
    target: float
    reached: bool
    statement: str


@dataclass(frozen=True, slots=True)
class Release:
    id: UUID
    project: UUID
    name: str
    state: ReleaseState
    licence: str
    items: int
    manifest_sha256: str
    plan_sha256: str
    seed_commitment: str
    seed: str | None
    audit: AuditState
    certificate: CertificateView | None
    created_at: datetime
    certified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Export:
    id: UUID
    release: UUID
    format: str
    state: str
    rows: int
    bytes: int | None
    sha256: str | None
    file_name: str | None
    url: str | None
    error: str | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class AuditQueue:
    release: UUID
    project: UUID
    name: str
    drawn: int
    judged: int


def row_line(position: int, task: UUID, ref: str, label: str, confidence: float, how: str, settlement: UUID) -> bytes:
    """The canonical line of one frozen row: rows.jsonl is these lines, and its SHA-256 is the release's."""
    return (
        msgspec.json.encode(
            {
                "position": position,
                "task": str(task),
                "ref": ref,
                "label": msgspec.Raw(label.encode()),
                "confidence": round(confidence, 6),
                "how": how,
                "settlement": str(settlement),
            }
        )
        + b"\n"
    )


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces: the bytes that are hashed and signed."""
    return msgspec.json.encode(value, order="sorted")
