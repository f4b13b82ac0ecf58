"""Releases as the world sees them: a frozen set of settled labels, its audit and its certificate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from cupola.formats.report import Dropped

ReleaseState = Literal["declared", "freezing", "frozen", "auditing", "certified", "failed"]
PROTOCOL = (
    "Items drawn uniformly without replacement from the frozen rows by the committed seed; judged by an adjudicator "
    "who sees neither the label, its confidence nor any judgement; an item is an error when the two labels are not "
    "the same by the kind's own comparison; what the adjudicator cannot decide is counted apart."
)
PROTOCOL_OF_TWO = (
    PROTOCOL + " Each item is judged by two adjudicators who do not see each other's answers; where one finds an error "
    "and the other none, or only one can decide, a third decides."
)


@dataclass(frozen=True, slots=True)
class AuditAsked:
    """What a requester asks of the audit; all of it is declared before the draw. auditors: of each item, 1 or 2."""

    items: int
    confidence: float
    target_accuracy: float
    auditors: int = 1


@dataclass(frozen=True, slots=True)
class AuditState:
    """judged: drawn items whose verdict stands; auditors: how many people judge each. errors, undecidable: told once
    every drawn item has its verdict; until then nobody learns how the audit goes."""

    drawn: int
    judged: int
    errors: int | None
    undecidable: int | None
    auditors: int


@dataclass(frozen=True, slots=True)
class CertificateView:
    """accuracy_lower_bound holds with `confidence`; reached: it is not below the target. disagreements: of
    `double_judged` items, on how many the two auditors differed."""

    accuracy_lower_bound: float
    confidence: float
    n: int
    errors: int
    undecidable: int
    target: float
    reached: bool
    statement: str
    double_judged: int
    disagreements: int


@dataclass(frozen=True, slots=True)
class FreezingState:
    """How far the freezing of a large release is: `rows` of about `of` are in it."""

    rows: int
    of: int


@dataclass(frozen=True, slots=True)
class Release:
    """freezing: while a job freezes it. trouble: why the last try to freeze it ended, empty otherwise."""

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
    frozen_at: datetime | None
    certified_at: datetime | None
    freezing: FreezingState | None
    trouble: str


@dataclass(frozen=True, slots=True)
class Export:
    """A file of a release, made or in the making. dropped: what its format could not hold, the commonest first."""

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
    error_code: str | None
    created_at: datetime
    finished_at: datetime | None
    dropped: list[Dropped]


@dataclass(frozen=True, slots=True)
class AuditQueue:
    """for_you: drawn items that wait and of which whoever asks has not spoken yet."""

    release: UUID
    project: UUID
    name: str
    drawn: int
    judged: int
    for_you: int


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


def parts_audited(kind: str, counts: Sequence[tuple[int, int, int]]) -> dict[str, Any]:
    """What an audit found of the units of labels. counts: (released, wrong, missing) of each decided item.

    Units of one item are right or wrong together, so these are counts of what was seen, and no bound.
    """
    released, wrong, missing = (sum(one[n] for one in counts) for n in range(3))
    return {"kind": kind, "items": len(counts), "released": released, "wrong": wrong, "missing": missing}


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces: the bytes that are hashed and signed."""
    return msgspec.json.encode(value, order="sorted")
