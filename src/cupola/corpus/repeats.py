"""What stands in several documents: whole lines, and runs of words; as hashes, and as places in a text to be cut.

Runs by fingerprints (S. Schleimer, D. Wilkerson, A. Aiken, Winnowing: local algorithms for document fingerprinting,
2003): of every window of `run - PART + 1` parts of PART words the one with the least hash is marked, so that two
documents that share a run of `run` words share a mark. Only around marks that two documents have are all runs compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cupola.corpus.characters import DIGIT, LETTER, PLANES_OF_IDEOGRAPHS, SINGLE, TABLE, WORD, tables
from cupola.corpus.edits.base import Span, lines
from cupola.corpus.hashing import RUN_STEP, U64, mixed
from cupola.corpus.profile import lines_of, words_of
from cupola.kernel.jit import kernel
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")

I64 = npt.NDArray[np.int64]
Pairs = tuple[U64, U64]  # what repeats, and whose it is: hash of a line or run, hash of a document's id


def owners(ids: Sequence[str]) -> U64:
    """A hash of each id: of those that share a text, the least keeps it, in whatever order they are read."""
    found = [hashlib.blake2b(one.encode("utf-8", "replace"), digest_size=8).digest() for one in ids]
    return np.frombuffer(b"".join(found), np.uint64) if found else np.zeros(0, np.uint64)


def distinct(keys: U64, whose: U64) -> Pairs:
    """The pairs, each once, by key and then by owner."""
    order = np.lexsort((whose, keys))
    keys, whose = keys[order], whose[order]
    first = np.ones(len(keys), np.bool_)
    first[1:] = (keys[1:] != keys[:-1]) | (whose[1:] != whose[:-1])
    return keys[first], whose[first]


def shared(keys: U64, whose: U64, most: int) -> Pairs:
    """Of pairs that are `distinct` the keys that more than `most` have, and for each the one who keeps it."""
    if not len(keys):
        return keys, whose
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    times = np.diff(np.append(starts, len(keys)))
    return keys[starts][times > most], whose[starts][times > most]


def line_pairs(texts: Any, ids: Sequence[str], least_chars: int) -> Pairs:
    """The lines of documents that are long enough."""
    found = lines_of(texts)
    whose = np.repeat(owners(ids), np.diff(found.ends, prepend=0))
    long = found.chars >= least_chars
    return found.hashes[long], whose[long]


def line_cuts(text: str, hashes: U64, owner: np.uint64, table: Pairs) -> list[Span]:
    """The lines of a document that another one keeps. hashes: of its lines, as `lines_of` gives them."""
    gone = _others(hashes, owner, table)
    if not gone.any():
        return []
    spans = [(start, end) for start, end, line in lines(text) if line]
    return [spans[n] for n in np.flatnonzero(gone[: len(spans)]).tolist()]


def _others(keys: U64, owner: np.uint64, table: Pairs) -> npt.NDArray[np.bool_]:
    """bool[n]: whether a key is in the table and another one's."""
    if not len(table[0]):
        return np.zeros(len(keys), np.bool_)
    at = np.minimum(np.searchsorted(table[0], keys), len(table[0]) - 1)
    found: npt.NDArray[np.bool_] = (table[0][at] == keys) & (table[1][at] != owner)
    return found


@kernel
def _rolled(words: U64, start: int, end: int, size: int, out: U64) -> int:
    """out[n]: the hash of the run of `size` words that starts with word start + n; how many there are."""
    leaves = np.uint64(1)
    for _ in range(size):
        leaves *= RUN_STEP
    h = np.uint64(0)
    found = 0
    for n in range(start, end):
        h = h * RUN_STEP + words[n]
        if n - start >= size:
            h -= leaves * words[n - size]
        if n - start >= size - 1:
            out[found] = mixed(h)
            found += 1
    return found


@kernel
def _marked(parts: U64, n_parts: int, window: int, out: I64) -> int:
    """The places of the least part of each window of parts, the last of equals, each once; how many there are."""
    found, best = 0, -1
    for n in range(n_parts):
        if best < 0 or best <= n - window:
            best = max(n - window + 1, 0)
            for m in range(best, n + 1):
                if parts[m] <= parts[best]:
                    best = m
        elif parts[n] <= parts[best]:
            best = n
        if n >= window - 1 and (found == 0 or out[found - 1] != best):
            out[found] = best
            found += 1
    return found


def part_of(run: int) -> int:
    """How many words a marked part has, for runs of `run`."""
    return max(run // 2, 1)


def _documents(texts: Any) -> list[U64]:
    words = words_of(texts)
    return np.split(words.hashes, words.ends[:-1]) if len(words.ends) else []


def mark_pairs(texts: Any, ids: Sequence[str], run: int) -> Pairs:
    """The marks of documents that may share a run of `run` words with others."""
    keys, whose, part = [], [], part_of(run)
    for words, owner in zip(_documents(texts), owners(ids), strict=True):
        if len(words) < run:
            continue
        parts, marks = np.empty(len(words), np.uint64), np.empty(len(words), np.int64)
        n = _rolled(words, 0, len(words), part, parts)
        some = parts[marks[: _marked(parts, n, run - part + 1, marks)]]
        keys.append(some)
        whose.append(np.full(len(some), owner))
    return (np.concatenate(keys), np.concatenate(whose)) if keys else (np.zeros(0, np.uint64),) * 2


def run_pairs(texts: Any, ids: Sequence[str], run: int, marks: U64) -> Pairs:
    """The runs of documents that hold one of the marks (ascending) that several have."""
    keys, whose, part = [], [], part_of(run)
    for words, owner in zip(_documents(texts), owners(ids), strict=True):
        if len(words) < run or not len(marks):
            continue
        parts, runs = np.empty(len(words), np.uint64), np.empty(len(words), np.uint64)
        n = _rolled(words, 0, len(words), part, parts)
        at = np.minimum(np.searchsorted(marks, parts[:n]), len(marks) - 1)
        held = np.flatnonzero(marks[at] == parts[:n])
        if not len(held):
            continue
        m = _rolled(words, 0, len(words), run, runs)
        near = np.zeros(m + 1, np.int64)  # runs that a held part lies in
        np.add.at(near, np.maximum(held - (run - part), 0), 1)
        np.add.at(near, np.minimum(held + 1, m), -1)
        some = runs[:m][np.cumsum(near[:m]) > 0]
        keys.append(some)
        whose.append(np.full(len(some), owner))
    return (np.concatenate(keys), np.concatenate(whose)) if keys else (np.zeros(0, np.uint64),) * 2


def run_cuts(text: str, words: U64, owner: np.uint64, run: int, table: Pairs) -> list[Span]:
    """The runs of a document that another one keeps. words: its hashes, as `words_of` gives them."""
    if len(words) < run or not len(table[0]):
        return []
    runs = np.empty(len(words), np.uint64)
    gone = _others(runs[: _rolled(words, 0, len(words), run, runs)], owner, table)
    if not gone.any():
        return []
    spans = word_spans(text)
    return [(spans[n][0], spans[n + run - 1][1]) for n in np.flatnonzero(gone).tolist()]


def word_spans(text: str) -> list[Span]:
    """Where each word of a text stands, as `scan` tells them apart."""
    kinds, _, _ = tables()
    spans: list[Span] = []
    begun = -1
    for at, character in enumerate(text):
        point = ord(character)
        kind = int(kinds[point]) if point < TABLE else \
            (WORD | LETTER | SINGLE if point < PLANES_OF_IDEOGRAPHS else 0)  # fmt: skip
        if kind & WORD and not kind & SINGLE:
            begun = at if begun < 0 else begun
            continue
        if begun >= 0:
            spans.append((begun, at))
            begun = -1
        if kind & SINGLE and kind & (LETTER | WORD | DIGIT):
            spans.append((at, at + 1))
    if begun >= 0:
        spans.append((begun, len(text)))
    return spans
