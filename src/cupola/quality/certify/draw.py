"""Drawing an audit sample that anyone can draw again: no generator, only SHA-256."""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterable, Mapping
from typing import Any

from cupola.kernel.errors import invalid

METHOD = "sha256-rank"  # the n items whose sha256(seed + "\n" + id) is smallest


def rank(seed: str, item: str) -> str:
    """The item's place in the draw, as 64 hex digits: smaller comes first."""
    return hashlib.sha256(f"{seed}\n{item}".encode()).hexdigest()


def draw(items: Iterable[str], n: int, seed: str) -> list[str]:
    """A simple random sample of n items, in the order they are to be audited.

    Publish the hash of the labels before the seed is known, then the seed; whoever has the ids can repeat the draw.
    Raises Problem for duplicate ids or fewer than n items.
    """
    if n < 0:
        raise invalid("sample-size", f"{n} items cannot be drawn.", place="/n")
    ids = list(items)
    if len(set(ids)) != len(ids):
        raise invalid("item-twice", "An item is listed twice, so it would be drawn twice as often.", place="/items")
    if n > len(ids):
        raise invalid("sample-size", f"{n} items cannot be drawn from {len(ids)}.", place="/n")
    return [item for _, item in heapq.nsmallest(n, ((rank(seed, item), item) for item in ids))]


def hash_of_ids(items: Iterable[str]) -> str:
    """SHA-256 of the sorted ids, each on a line of its own."""
    digest = hashlib.sha256()
    for item in sorted(items):
        digest.update(item.encode() + b"\n")
    return digest.hexdigest()


def hash_of_labels(labels: Mapping[str, Any]) -> str:
    """SHA-256 of the frozen labels: per item, sorted by id, one line `[id, label]` of canonical JSON."""
    digest = hashlib.sha256()
    for item in sorted(labels):
        digest.update(label_line(item, labels[item]))
    return digest.hexdigest()


def label_line(item: str, label: Any) -> bytes:
    """The line that stands for one frozen label in the hash of all."""
    line = json.dumps([item, label], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return line.encode() + b"\n"
