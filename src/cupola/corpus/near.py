"""Which documents are copies of others, and which of them stays.

Candidates share a band key (`shingles`); each is compared, by the exact Jaccard similarity of its shingles, with the
document that would stay in its place. A removed document always has a keeper that stays, and is at least as similar to
*it* as asked: a chain of small differences never takes away what nothing kept resembles.

Pairs are joined from the most similar down, as complete linkage to the keeper: a group moves to a better keeper at the
lowest similarity of its members to that one. So what is removed at a threshold is removed at every lower one, and the
order of the input means nothing.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cupola.corpus.hashing import U64
from cupola.corpus.profile import words_of
from cupola.corpus.shingles import jaccard, shingle_set
from cupola.kernel.errors import invalid

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Texts = Callable[[I64], Any]  # rows, ascending → an Arrow array of their texts
LEAST_SIMILARITY = 0.5
_PAIRS_AT_A_TIME = 256  # their texts are in memory together
_SHINGLES_HELD = 1 << 25  # 256 MB of sets that may be asked for again


@dataclass(frozen=True)
class Removals:
    """row, keeper int64[n]: places in the input, rows ascending; similarity float64[n] of a row to its keeper;
    exact bool[n]: the two are one text but for case, width and blanks."""

    row: I64
    keeper: I64
    similarity: F64
    exact: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.row)


def duplicates(
    hashes: U64,
    bands: npt.NDArray[Any],
    quality: F64,
    ids: npt.NDArray[Any],
    texts: Texts,
    *,
    threshold: float = LEAST_SIMILARITY,
    han: bool = False,
) -> Removals:
    """What goes, and for which keeper: of a group, the best in quality stays, then the lowest id.

    hashes uint64[n, 2] and bands uint32 or uint64[n, b] as `profile` gives them (bands of 0: no words, only equal to
    its like); quality float64[n]; ids [n], any that can be sorted, without two alike; texts(rows) gives texts again.
    A copy that is added behind the others takes nobody's place. Raises Problem (INVALID) for a threshold outside
    (0, 1], a quality that is no number, or an id given twice.
    """
    n = len(hashes)
    if not 0 < threshold <= 1:
        raise invalid("threshold-outside", f"A similarity of {threshold} cannot be asked for.", place="threshold",
                      remedy="Give a number above 0 and at most 1.")  # fmt: skip
    if np.isnan(quality).any():
        raise invalid("quality-not-a-number", "A document's quality is no number.", place="quality")
    if len(np.unique(ids)) != n:
        raise invalid("id-twice", "Two documents have one id.", place="id", remedy="Give each its own.")
    rows = np.lexsort((ids, -quality))  # by rank: the best first
    twins = twins_of(hashes[rows])
    kept = np.flatnonzero(twins < 0)
    joined = joined_pairs(edges_of(bands, rows, kept), texts, rows, threshold, han=han)
    for rank in np.flatnonzero(twins >= 0).tolist():
        joined[rank] = joined.get(int(twins[rank]), (int(twins[rank]), 1.0))
    gone = np.array(sorted(joined), np.int64)
    keeper = np.array([joined[rank][0] for rank in gone.tolist()], np.int64)
    similarity = np.array([joined[rank][1] for rank in gone.tolist()], np.float64)
    order = np.argsort(rows[gone])
    exact = (hashes[rows[gone]] == hashes[rows[keeper]]).all(1) if len(gone) else np.zeros(0, np.bool_)
    return Removals(rows[gone][order], rows[keeper][order], similarity[order], exact[order])


def twins_of(hashes: U64) -> I64:
    """For each rank the best rank with the same hash, -1 where it is the best itself."""
    order = np.lexsort((np.arange(len(hashes)), hashes[:, 1], hashes[:, 0]))
    ordered = hashes[order]
    first = np.ones(len(hashes), np.bool_)
    first[1:] = (ordered[1:] != ordered[:-1]).any(1)
    heads = order[np.maximum.accumulate(np.where(first, np.arange(len(hashes)), 0))] if len(hashes) else order
    twins = np.full(len(hashes), -1, np.int64)
    twins[order[~first]] = heads[~first]
    return twins


def edges_of(bands: npt.NDArray[Any], rows: I64, kept: I64) -> I64:
    """int64[m, 2]: pairs of ranks (better, worse) that share a key, each with the best of its bucket; ascending."""
    kept = kept[bands[rows[kept], 0] != 0] if bands.size else kept[:0]
    pairs = [edges_of_band(bands[rows[kept], band], kept) for band in range(bands.shape[1])]
    return np.unique(np.concatenate(pairs), axis=0) if pairs else np.empty((0, 2), np.int64)


def edges_of_band(keys: npt.NDArray[Any], ranks: I64) -> I64:
    """int64[m, 2]: of each key that several documents have, the best of them with each other one; ranks ascend."""
    order = np.argsort(keys, kind="stable")  # ranks stay ascending inside a bucket
    ordered = keys[order]
    first = np.ones(len(ranks), np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    heads = np.maximum.accumulate(np.where(first, np.arange(len(ranks)), 0))
    other = ~first
    return np.stack((ranks[order[heads[other]]], ranks[order[other]]), 1)


class _Sets:
    """Shingle sets by rank, read again from the texts; those lately used are held."""

    def __init__(self, texts: Texts, rows: I64, most: int, han: bool = False) -> None:
        self._texts, self._rows, self._most, self._han = texts, rows, most, han
        self._held: OrderedDict[int, U64] = OrderedDict()
        self._size = 0

    def load(self, ranks: I64) -> None:
        """Read what is missing of these, in one question."""
        missing = np.array([rank for rank in np.unique(ranks).tolist() if rank not in self._held], np.int64)
        if not len(missing):
            return
        missing = missing[np.argsort(self._rows[missing])]
        words, start = words_of(self._texts(self._rows[missing]), han=self._han), 0
        for rank, end in zip(missing.tolist(), words.ends.tolist(), strict=True):
            found = shingle_set(words.hashes, words.chars, start, end)
            self._held[rank] = found
            self._size += len(found)
            start = end

    def shed(self) -> None:
        """Forget what was not used for longest, down to what may be held."""
        while self._size > self._most and len(self._held) > 1:
            self._size -= len(self._held.popitem(last=False)[1])

    def similarity(self, a: int, b: int) -> float:
        for rank in (a, b):
            if rank not in self._held:
                self.load(np.array([rank]))
            self._held.move_to_end(rank)
        return jaccard(self._held[a], self._held[b])


def similarities(edges: I64, texts: Texts, rows: I64, held: int = _SHINGLES_HELD) -> F64:
    """float64[m]: the exact similarity of each pair of ranks; rows[rank] is what `texts` knows a document by."""
    sets = _Sets(texts, rows, held)
    found = np.empty(len(edges))
    for start in range(0, len(edges), _PAIRS_AT_A_TIME):
        some = edges[start : start + _PAIRS_AT_A_TIME]
        sets.load(some.ravel())
        found[start : start + len(some)] = [sets.similarity(a, b) for a, b in some.tolist()]
        sets.shed()
    return found


def joined_pairs(
    edges: I64, texts: Texts, rows: I64, threshold: float, held: int = _SHINGLES_HELD, *, han: bool = False
) -> dict[int, tuple[int, float]]:
    """rank → (its keeper's rank, its similarity to it), for those that go. edges as `edges_of` gives them: what is not
    connected by them has nothing to do with each other, so that parts of a graph may be asked for apart. held: how many
    shingles stay in memory; han: as for `profile`."""
    sets = _Sets(texts, rows, held, han)
    heap: list[tuple[float, int, int]] = []
    for start in range(0, len(edges), _PAIRS_AT_A_TIME):
        some = edges[start : start + _PAIRS_AT_A_TIME]
        sets.load(some.ravel())
        for better, worse in some.tolist():
            if (similarity := sets.similarity(better, worse)) >= threshold:
                heap.append((-similarity, better, worse))
        sets.shed()
    root = linked(heap, sets.similarity, threshold, sets.shed)
    return {rank: (keeper, sets.similarity(keeper, rank)) for rank, keeper in root.items()}


def linked(
    pairs: list[tuple[float, int, int]],
    similarity: Callable[[int, int], float],
    threshold: float,
    after: Callable[[], None] = lambda: None,
) -> dict[int, int]:
    """rank → its keeper's rank, for those that go. pairs: (-similarity, better rank, worse rank) of at least the
    threshold, in any order; emptied. after: called behind each step, for who holds what `similarity` has read."""
    heapq.heapify(pairs)
    root: dict[int, int] = {}
    members: dict[int, list[int]] = {}
    refused: dict[tuple[int, int], int] = {}  # the pair of keepers → how many the second had
    while pairs:
        level, one, other = heapq.heappop(pairs)
        keeper, goes = sorted((root.get(one, one), root.get(other, other)))
        group = members.get(goes, [goes])
        if keeper == goes or refused.get((keeper, goes)) == len(group):
            continue
        lowest = -level
        for member in group:
            lowest = min(lowest, similarity(keeper, member))
            if lowest < threshold:
                break
        if lowest < threshold:
            refused[keeper, goes] = len(group)  # a group only grows: it will not come nearer
        elif lowest < -level:
            heapq.heappush(pairs, (-lowest, keeper, goes))
        else:
            for member in group:
                root[member] = keeper
            members[keeper] = [*members.get(keeper, [keeper]), *members.pop(goes, [goes])]
        after()
    return root
