"""Money as the world sees it: accounts, transfers, statements, and what the checker found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Account:
    id: UUID
    type: str
    project: UUID | None
    worker: UUID | None
    currency: str
    balance_minor: int


@dataclass(frozen=True, slots=True)
class Transfer:
    id: UUID
    kind: str
    debit_type: str
    credit_type: str
    currency: str
    amount_minor: int
    ref: UUID | None
    offer_version: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Budget:
    """What is free in one currency."""

    currency: str
    budget_minor: int


@dataclass(frozen=True, slots=True)
class Money:
    """A tenant's money. `budgets` are free, one for each currency; the rest is allotted, reserved or paid. may_fund:
    whether whoever asks may put money in."""

    budgets: list[Budget]
    accounts: list[Account]
    may_fund: bool


@dataclass(frozen=True, slots=True)
class Earned:
    """What one person earned from one project."""

    project: UUID
    name: str
    currency: str
    amount_minor: int
    judgements: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment to a worker, as it stands on a statement."""

    at: datetime
    project: UUID | None
    name: str
    amount_minor: int
    currency: str
    kind: str


@dataclass(frozen=True, slots=True)
class EarnedIn:
    """What one person earned in one currency. seconds: counted in work paid in it; hourly_minor: earned over them."""

    currency: str
    balance_minor: int
    today_minor: int
    week_minor: int
    total_minor: int
    judgements: int
    seconds: float
    hourly_minor: int


@dataclass(frozen=True, slots=True)
class Earnings:
    """A contributor's money over all tenants, each currency by itself; the one earned most in comes first."""

    by_currency: list[EarnedIn]
    by_project: list[Earned]
    recent: list[Payment]


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold. `rule` is L1 … L12."""

    rule: str
    tenant: UUID | None
    detail: str


@dataclass(frozen=True, slots=True)
class Check:
    """What the checker looked at and found."""

    tenants: int
    accounts: int
    transfers: int
    rules: list[str]
    violations: list[Violation]
