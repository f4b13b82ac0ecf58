"""Payouts and their batches, as people and operators see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cupola.kernel import money
from cupola.kernel.states import PayoutWord

LEAST_UNITS = 5  # of a currency, on demand
WEEKLY = timedelta(days=7)
HELD = timedelta(hours=72)  # after a change of where the money goes
MAX_BATCH = 5_000


def least_minor(currency: str) -> int:
    """The least that is paid out on demand, in minor units."""
    return int(LEAST_UNITS * 10 ** money.digits(currency))


@dataclass(frozen=True, slots=True)
class Details:
    """Where somebody's money goes, by its last characters. usable_at: payouts wait until then, after a change."""

    rail: str
    hint: str
    changed_at: datetime
    usable_at: datetime


@dataclass(frozen=True, slots=True)
class Payout:
    """reason: why it came back, or was given up."""

    id: UUID
    currency: str
    amount_minor: int
    state: PayoutWord
    rail: str
    hint: str
    at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Payable:
    """What somebody may be paid out in a currency. why_not: a code, None where nothing stands against it."""

    currency: str
    balance_minor: int
    least_minor: int
    why_not: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A person's side: where their money goes, what they may ask for, and what is under way or done."""

    details: Details | None
    rails: list[Way]
    payable: list[Payable]
    payouts: list[Payout]


@dataclass(frozen=True, slots=True)
class Field:
    """One line of what a rail must know. name: as it is sent; title: in English, which the browser knows in Chinese."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Way:
    """A rail that one may choose."""

    name: str
    title: str
    fields: list[Field]


@dataclass(frozen=True, slots=True)
class Batch:
    """payouts: how many; amount_minor: of all together. ended: how many are paid or came back."""

    id: UUID
    rail: str
    currency: str
    prepared_by: UUID
    prepared_at: datetime
    approved_by: UUID | None
    approved_at: datetime | None
    payouts: int
    amount_minor: int
    ended: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a batch."""

    rail: str
    currency: str
    payouts: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Operations:
    """The operator's side of payouts."""

    waiting: list[Waiting]
    batches: list[Batch]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a file of outcomes told. unknown: lines about payouts that are not of the batch."""

    paid: int
    returned: int
    already: int
    unknown: int
