"""Whose turn it is: round robin among tenants, and among a tenant's own. Pure."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")
K = TypeVar("K")


class Turns(Generic[T, K]):
    """Keys that wait, each of a tenant. `take` gives the next; `done` when its turn is over.

    A key waits once, however often it is added, and is never taken twice at a time. A tenant has at most `each` turns
    at a time, and gets one turn for one of everybody else's: a flood of one holds up nobody.
    """

    def __init__(self, each: int) -> None:
        self._each = each
        self._waiting: dict[T, deque[K]] = {}
        self._order: deque[T] = deque()  # tenants with keys that wait, each once
        self._taken: dict[T, set[K]] = {}
        self._later: dict[T, set[K]] = {}  # added while they are taken

    def add(self, tenant: T, key: K) -> None:
        if key in self._taken.get(tenant, ()):
            self._later.setdefault(tenant, set()).add(key)
            return
        mine = self._waiting.setdefault(tenant, deque())
        if key not in mine:
            mine.append(key)
            if len(mine) == 1:
                self._order.append(tenant)

    def take(self) -> tuple[T, K] | None:
        """The next whose tenant has a turn free, or None."""
        for _ in range(len(self._order)):
            tenant = self._order.popleft()
            taken = self._taken.setdefault(tenant, set())
            if len(taken) >= self._each:
                self._order.append(tenant)
                continue
            mine = self._waiting[tenant]
            key = mine.popleft()
            taken.add(key)
            if mine:
                self._order.append(tenant)
            else:
                del self._waiting[tenant]
            return tenant, key
        return None

    def done(self, tenant: T, key: K) -> None:
        taken = self._taken[tenant]
        taken.remove(key)
        if not taken:
            del self._taken[tenant]
        later = self._later.get(tenant)
        if later is not None and key in later:
            later.remove(key)
            if not later:
                del self._later[tenant]
            self.add(tenant, key)

    def __len__(self) -> int:
        """How many wait."""
        return sum(len(keys) for keys in self._waiting.values())
