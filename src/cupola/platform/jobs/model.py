"""What a kind of slow work is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from cupola.platform.runtime import Runtime

Run: TypeAlias = Callable[[Runtime, UUID, UUID], Awaitable[object]]
GaveUp: TypeAlias = Callable[[Runtime, UUID, UUID, str], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of slow work.

    run(runtime, tenant, subject): does it, in transactions of its own; it may be begun again at any time, also while a
    process that lost its lease is still at it. A `Problem` of the kind UNAVAILABLE puts it off, for as long as what is
    ours is away. Anything else is tried again `tries` times in all; then
    gave_up(runtime, tenant, subject, reason): writes down that it failed. reason: a sentence for whoever asked.

    at_once: how many run in one process. each: how many of them may be of one tenant, so that one whose work never ends
    leaves room for the others.
    """

    kind: str
    run: Run
    gave_up: GaveUp | None = None
    at_once: int = 4
    each: int = 2
    tries: int = 3


@dataclass(frozen=True, slots=True)
class Failed:
    """Work that was given up or fails. reason: what sort of failure and where, without a tenant's data."""

    tenant: UUID
    kind: str
    subject: UUID
    tries: int
    reason: str
    asked_at: datetime
    failed_at: datetime | None
