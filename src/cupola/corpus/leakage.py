"""What a benchmark's items left in a corpus: word for word by runs of words, said otherwise by TF-IDF of windows.

Runs of 13 words (T. Brown et al., Language models are few-shot learners, 2020, appendix C) find copies and nothing that
was said otherwise. For that, each window of 50 words is compared with each item by the cosine of their TF-IDF vectors
(G. Salton, C. Buckley, Term-weighting approaches in automatic text retrieval, 1988); what is nearest goes to people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cupola.corpus.hashing import U64, signed
from cupola.corpus.lookup import found, open_table, runs_of
from cupola.corpus.profile import Benchmark, Words, words_of
from cupola.kernel.errors import invalid
from cupola.kernel.jit import kernel
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")

WINDOW, STEP, RUN = 50, 25, 13
MOST_OF_ITEMS = 0.2  # a word of more items than that tells none of them
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]


def benchmark(items: Sequence[str], run: int = RUN) -> Benchmark:
    """The runs of `run` words of a benchmark's items, for `profile`; an item of fewer words is not looked for.
    Raises Problem (INVALID) when no item is long enough."""
    words = words_of(pa.array(items, pa.large_string()))
    keys, places = runs_of((part.tolist() for part in np.split(words.hashes, words.ends[:-1])), run)
    if not keys.any():
        raise invalid("benchmark-too-short", f"No item has {run} words.", place="benchmark",
                      remedy="Ask for shorter runs.")  # fmt: skip
    return Benchmark(run, keys, places)


@dataclass(frozen=True)
class Windows:
    """keys, places uint64[size]: an open table, word → its place in `weights` + 1; weights float64[words]: inverse
    document frequency; starts int64[words + 1], items int64[n], values float64[n]: for each word the items that have it
    and its weight there, items being of length 1; unknown: the weight of a word that neither items nor sample have."""

    keys: U64
    places: U64
    weights: F64
    starts: I64
    items: I64
    values: F64
    unknown: float
    n_items: int


def fit(items: Sequence[str], sample: Any) -> Windows:
    """Items to be looked for, words weighted by how rare they are in `sample`, an Arrow array of documents of the
    corpus. Raises Problem (INVALID) without items."""
    if not items:
        raise invalid("benchmark-empty", "There is no item to look for.", place="benchmark")
    of_items = words_of(pa.array(items, pa.large_string()))
    known = np.unique(of_items.hashes)
    frequency, windows = _frequencies(known, words_of(sample))
    weights = np.log((windows + 1) / (frequency + 1)) + 0.1
    owner = np.repeat(np.arange(len(items)), np.diff(of_items.ends, prepend=0))
    place = np.searchsorted(known, of_items.hashes)
    pairs, times = np.unique(place * len(items) + owner, return_counts=True)
    word, item = pairs // len(items), pairs % len(items)
    values = (1 + np.log(times)) * weights[word]
    norms = np.sqrt(np.bincount(item, values**2, len(items)))
    values /= np.maximum(norms[item], 1e-12)
    telling = np.bincount(word, minlength=len(known)) <= max(MOST_OF_ITEMS * len(items), 1)
    kept = telling[word]
    word, item, values = word[kept], item[kept], values[kept]
    starts = np.searchsorted(word, np.arange(len(known) + 1)).astype(np.int64)
    keys, places = open_table({int(key): n + 1 for n, key in enumerate(known.tolist())})
    return Windows(
        keys, places, weights, starts, item.astype(np.int64), values, float(np.log(windows + 1) + 0.1), len(items)
    )


def _frequencies(known: U64, sample: Words) -> tuple[F64, int]:
    """In how many windows of the sample each known word stands, and how many windows there are."""
    frequency, windows, start = np.zeros(len(known)), 0, 0
    for end in sample.ends.tolist():
        for at in range(start, end, WINDOW):
            here = np.unique(sample.hashes[at : min(at + WINDOW, end)])
            place = np.minimum(np.searchsorted(known, here), max(len(known) - 1, 0))
            frequency[place[known[place] == here] if len(known) else place[:0]] += 1
            windows += 1
        start = end
    return frequency, windows


@kernel
def _nearest(
    words: U64, ends: I64, keys: U64, places: U64, weights: F64, starts: I64, items: I64, values: F64, unknown: float,
    n_items: int, best: F64, which: I64, where: I64,
) -> None:  # fmt: skip
    scores, touched, times = np.zeros(n_items), np.empty(n_items, np.int64), np.empty(WINDOW, np.int64)
    place = np.empty(WINDOW, np.int64)
    start = 0
    for d in range(len(ends)):
        best[d], which[d], where[d] = 0.0, -1, 0
        at = start
        while at < ends[d]:
            size = min(WINDOW, ends[d] - at)
            norm, n_touched, distinct = 0.0, 0, 0
            for n in range(size):
                seen = -1
                key = words[at + n]
                for m in range(n):
                    if words[at + m] == key:
                        seen = m
                        break
                if seen >= 0:
                    times[place[seen]] += 1
                    place[n] = place[seen]
                else:
                    place[n] = distinct
                    times[distinct] = 1
                    distinct += 1
            for n in range(size):
                slot = place[n]
                if times[slot] == 0:
                    continue
                often = 1.0 + np.log(times[slot])
                times[slot] = 0
                word = signed(found(keys, places, words[at + n])) - 1
                weight = often * (weights[word] if word >= 0 else unknown)
                norm += weight * weight
                if word >= 0:
                    for p in range(starts[word], starts[word + 1]):
                        if scores[items[p]] == 0.0:
                            touched[n_touched] = items[p]
                            n_touched += 1
                        scores[items[p]] += weight * values[p]
            for n in range(n_touched):
                score = scores[touched[n]] / np.sqrt(norm)
                scores[touched[n]] = 0.0
                if score > best[d] or (score == best[d] and touched[n] < which[d]):
                    best[d], which[d], where[d] = score, touched[n], at - start
            if at + WINDOW >= ends[d]:
                break
            at += STEP
        start = ends[d]


def nearest(batch: Any, windows: Windows) -> Any:
    """For each document of an Arrow array the window that is nearest to an item: an Arrow table of similarity float64
    (a cosine, 0 where nothing is shared), item int64 (-1: none), word int64 (the window's first)."""
    words = words_of(batch)
    n = len(words.ends)
    best, which, where = np.zeros(n), np.full(n, -1, np.int64), np.zeros(n, np.int64)
    _nearest(words.hashes, words.ends, windows.keys, windows.places, windows.weights, windows.starts, windows.items,
             windows.values, windows.unknown, windows.n_items, best, which, where)  # fmt: skip
    return pa.table({"similarity": pa.array(best), "item": pa.array(which), "word": pa.array(where)})
