"""What a rail is: what it must know of a person, and how it sends.

A rail of files writes one for a person to carry to a bank, and reads what the bank says of it. A direct rail is called.
Either way a payout's identifier is the key that it is sent under: what is sent twice under it is paid once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable
from uuid import UUID

from cupola.payouts.model import Field

Word = Literal["paid", "returned", "pending", "unknown"]


@dataclass(frozen=True, slots=True)
class Item:
    """One payout as a rail sends it. details: what `Rail.check` took."""

    id: UUID
    amount_minor: int
    currency: str
    details: dict[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a payout. pending: taken, not done yet; unknown: the rail has never heard of it."""

    id: UUID
    word: Word
    reason: str = ""


@dataclass(frozen=True, slots=True)
class File:
    name: str
    media_type: str
    content: bytes


class Rail(Protocol):
    """title: in English, as the browser's words know it."""

    title: str
    fields: Sequence[Field]

    def check(self, details: dict[str, str]) -> dict[str, str]:
        """The details as they are kept. Raises Problem(INVALID) naming the field."""

    def hint(self, details: dict[str, str]) -> str:
        """What of them may be shown: enough to tell one account from another."""


@runtime_checkable
class FileRail(Rail, Protocol):
    def write(self, batch: UUID, items: Sequence[Item]) -> File: ...

    def read(self, content: bytes) -> list[Outcome]:
        """What a file of outcomes says. Raises Problem(INVALID) naming the line."""


@runtime_checkable
class DirectRail(Rail, Protocol):
    async def submit(self, item: Item) -> Outcome:
        """Send under the payout's identifier. Any exception leaves the outcome unknown: it is polled, never sent under
        another key."""

    async def poll(self, payout: UUID) -> Outcome: ...
