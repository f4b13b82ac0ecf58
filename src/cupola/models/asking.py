"""A model asked of some items at once: batched, and computed once for the same content.

Models stand ready in children of this process (caged.Shelf). What was said is remembered by the hash of the version and
of what it read of the item, and forgotten by size; nothing of it is stored.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.models import caged, reading, service, store
from cupola.models.card import Card, read_card
from cupola.models.features import Raw, features_of
from cupola.models.model import Predicted, Predictions
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime

MAX_ITEMS = 500
MAX_REMEMBERED_BYTES = 64 * 1024 * 1024
MOST_CLASSES = 20  # of one answer, the likeliest

shelf = caged.Shelf()


@dataclass(frozen=True, slots=True)
class Asked:
    """An item to say something of. task: one of the organisation's, whose item is meant."""

    text: str | None
    metadata: dict[str, Any]
    task: UUID | None


def asked(text: str | None, metadata: dict[str, Any], task: UUID | None, n: int) -> Asked:
    """One of a request's items. Raises Problem (INVALID)."""
    if task is not None and (text is not None or metadata):
        raise invalid("item-malformed", "Name a task, or send its content, not both.", place=f"/items/{n}")
    return Asked(text, metadata, task)


class _Remembered:
    """Answers by hash, the one unused for longest forgotten first."""

    def __init__(self, most_bytes: int) -> None:
        self._most, self._bytes = most_bytes, 0
        self._there: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: bytes) -> NDArray[np.float32] | None:
        with self._lock:
            found = self._there.get(key)
            if found is not None:
                self._there.move_to_end(key)
            return found

    def put(self, key: bytes, value: NDArray[np.float32]) -> None:
        with self._lock:
            if key in self._there:
                return
            self._there[key] = value
            self._bytes += value.nbytes + 100
            while self._bytes > self._most:
                _, gone = self._there.popitem(last=False)
                self._bytes -= gone.nbytes + 100


_remembered = _Remembered(MAX_REMEMBERED_BYTES)


async def predict(run: Runtime, tenant: UUID, model: UUID, number: int, items: list[Asked]) -> Predictions:
    """What a version says of items. Raises Problem: NOT_FOUND; INVALID for items without what the model reads."""
    wanted = [one.task for one in items if one.task is not None]
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        row = await service.version(conn, tenant, model, number)
        found = {one.task: one for one in await store.ITEMS.all(conn, tenant=tenant, tasks=wanted)} if wanted else {}
    card = read_card(row.card)
    for n, one in enumerate(items):
        if one.task is not None and one.task not in found:
            raise invalid("task-unknown", "There is no such task.", place=f"/items/{n}/task")
    raw = await asyncio.to_thread(_raw, run, tenant, items, found, card)
    key = row.sha256 + hashlib.sha256(row.card.encode()).digest()
    keys = [_key(key, one) for one in raw]
    said: list[NDArray[np.float32] | None] = [_remembered.get(one) for one in keys]
    fresh = sorted({keys[n]: n for n in range(len(items) - 1, -1, -1) if said[n] is None}.values())
    if fresh:
        rows = await asyncio.to_thread(features_of, card.features, [raw[n] for n in fresh])
        name = key.hex()
        got = await asyncio.to_thread(shelf.predict, name, None, card, rows)
        if got is None:
            file = await run.blobs.get(tenant, row.sha256.hex())
            got = await asyncio.to_thread(shelf.predict, name, file, card, rows)
        assert got is not None
        by_key = {keys[n]: got[place] for place, n in enumerate(fresh)}
        for hashed, value in by_key.items():
            _remembered.put(hashed, value)
        said = [by_key.get(keys[n]) if value is None else value for n, value in enumerate(said)]
    return Predictions(
        model, number, [shown(value, card) for value in said if value is not None], len(items) - len(fresh)
    )


def shown(shares: NDArray[np.float32], card: Card) -> Predicted:
    """What a model says of one item, for people and programs."""
    order = np.argsort(-shares, kind="stable")[:MOST_CLASSES]
    likely = {card.classes[int(k)]: round(float(shares[k]), 5) for k in order if shares[k] >= 1e-5}
    return Predicted(card.classes[int(order[0])], round(float(shares[order[0]]), 5), likely)


def _raw(run: Runtime, tenant: UUID, items: list[Asked], found: dict[UUID, store.ItemRow], card: Card) -> list[Raw]:
    tasks = [one.task for one in items if one.task is not None]
    read = dict(zip(tasks, reading.raw_of(run, tenant, [found[task] for task in tasks], card.features), strict=True))
    return [
        read[one.task] if one.task is not None else Raw(f"item {n}", one.text, None, one.metadata)
        for n, one in enumerate(items)
    ]


def _key(version: bytes, item: Raw) -> bytes:
    digest = hashlib.sha256(version)
    for part in (
        b"" if item.text is None else b"t" + item.text.encode("utf-8", "surrogatepass"),
        item.picture or b"",
        msgspec.json.encode(item.metadata, order="sorted"),
    ):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()
