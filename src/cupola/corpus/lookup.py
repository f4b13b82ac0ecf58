"""Words that tell something, found in one table: function words of languages, phrases of boilerplate, benchmark runs.

A document's words are looked up once each; a word of the table carries a bit for each list that holds it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from cupola.corpus.hashing import RUN_STEP, U64, mixed, run_hash, signed, word_hash
from cupola.kernel.jit import kernel

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
MOST_LISTS = 64


@dataclass(frozen=True)
class Lists:
    """names: of the lists, in the order of their bits; keys, masks uint64[size]: an open table, 0 = free."""

    names: tuple[str, ...]
    keys: U64
    masks: U64


def open_table(values: dict[int, int]) -> tuple[U64, U64]:
    """Keys and values in an open table, its size a power of two, at most half full; the key 0 means free."""
    size = 16
    while size < 2 * len(values):
        size *= 2
    keys, kept = np.zeros(size, np.uint64), np.zeros(size, np.uint64)
    for key, value in sorted(values.items()):
        at = key & (size - 1)
        while keys[at]:
            at = (at + 1) & (size - 1)
        keys[at], kept[at] = key, value
    return keys, kept


@kernel
def found(keys: U64, values: U64, key: np.uint64) -> Any:
    """The value of `key`, 0 when it is not there."""
    mask = len(keys) - 1
    at = signed(key) & mask
    while keys[at] != np.uint64(0):
        if keys[at] == key:
            return values[at]
        at = (at + 1) & mask
    return np.uint64(0)


@kernel
def list_counts(words: U64, ends: I64, keys: U64, masks: U64, out: I64) -> None:
    """out[d, list]: how many words of document d stand in the list."""
    start = 0
    one = np.uint64(1)
    for d in range(len(ends)):
        for n in range(start, ends[d]):
            mask = found(keys, masks, words[n])
            place = 0
            while mask != np.uint64(0):
                if mask & one:
                    out[d, place] += 1
                mask >>= one
                place += 1
        start = ends[d]


@kernel
def run_hits(words: U64, ends: I64, keys: U64, items: U64, size: int, out: I64) -> None:
    """out[d] = (how many runs of `size` words are in the table, the first one's item or -1)."""
    start = 0
    leaves = np.uint64(1)  # what the word that leaves a run has been multiplied by
    for _ in range(size):
        leaves *= RUN_STEP
    for d in range(len(ends)):
        out[d, 1] = -1
        h = np.uint64(0)
        for n in range(start, ends[d]):
            h = h * RUN_STEP + words[n]
            if n - start >= size:
                h -= leaves * words[n - size]
            if n - start < size - 1:
                continue
            item = found(keys, items, mixed(h))
            if item != np.uint64(0):
                if out[d, 0] == 0:
                    out[d, 1] = signed(item) - 1
                out[d, 0] += 1
        start = ends[d]


@functools.cache
def word_lists() -> Lists:
    """The lists of `words.yaml`: one for each stop word of Gopher's, for the words that tell something, and for each
    language."""
    told: dict[str, Any] = msgspec.yaml.decode(resources.files("cupola.corpus").joinpath("words.yaml").read_bytes())
    lists: dict[str, str | list[str]] = {f"stop_{word}": [word] for word in told["stop"]}
    lists |= told["tells"]
    lists |= {f"language_{name}": words for name, words in told["languages"].items()}
    return lists_of({name: words.split() if isinstance(words, str) else words for name, words in lists.items()})


def lists_of(lists: dict[str, Sequence[str]]) -> Lists:
    """A table of word lists. Raises ValueError for more than 64 of them."""
    if len(lists) > MOST_LISTS:
        raise ValueError(f"{len(lists)} lists, {MOST_LISTS} fit")
    masks: dict[int, int] = {}
    for place, words in enumerate(lists.values()):
        for word in words:
            key = word_hash(word)
            masks[key] = masks.get(key, 0) | 1 << place
    return Lists(tuple(lists), *open_table(masks))


def runs_of(items: Iterable[Sequence[int]], size: int) -> tuple[U64, U64]:
    """An open table of the runs of `size` words of each item (word hashes); the value is the first item's place + 1."""
    runs: dict[int, int] = {}
    for place, words in enumerate(items):
        for n in range(len(words) - size + 1):
            runs.setdefault(run_hash(list(words[n : n + size])), place + 1)
    return open_table(runs)
