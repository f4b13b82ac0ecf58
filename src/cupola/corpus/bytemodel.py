"""How surprising a text is to a model of trusted text: bits a byte, by a byte 5-gram model that is fitted in a second.

Interpolated orders 5, 3, 2, 1 with the weights of Witten and Bell (I. H. Witten, T. C. Bell, The zero-frequency
problem, 1991, method C). Nothing is pruned and hash tables keep their keys, so the probabilities of the 256 bytes sum
to 1.
A model knows what it has seen: trusted text of the corpus's own kind finds far more than text of another kind does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cupola.corpus.hashing import U64, signed
from cupola.kernel.errors import invalid
from cupola.kernel.jit import kernel

UNIT = 4096  # costs are whole numbers of 1/4096 bit: sums do not depend on their order
_COST_BITS, _COST_MASK = np.uint64(24), np.uint64(0xFFFFFF)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_KEY5, _KEY3 = np.uint64(0xFFFFFFFFFF), np.uint64(0xFFFFFF)
_KEY2, _FREE, _AHEAD = np.uint64(0xFFFF), np.uint64(0), 64
_8 = np.uint64(8)
_BEFORE = np.uint64(0x0A0A0A0A)  # a document begins as after empty lines
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
Table = U64  # entries key << 24 | cost; 0 = free; the length is a power of two


@dataclass(frozen=True)
class ByteModel:
    """fives, threes: the cost of a byte behind its 4 (2) bytes, where it was seen there; fours: what a byte not seen
    behind its 4 bytes pays before its shorter context is asked; twos int32[65536] likewise for 2 bytes, -1 where they
    were never seen; pairs int32[65536]: the cost of a byte behind one, for all. Costs in 1/4096 bit."""

    fives: Table
    fours: Table
    threes: Table
    twos: I32
    pairs: I32

    def save(self, path: Path) -> None:
        """Keep the model as .npz."""
        with path.open("wb") as file:
            np.savez_compressed(file, fives=self.fives, fours=self.fours, threes=self.threes, twos=self.twos,
                                pairs=self.pairs)  # fmt: skip

    @staticmethod
    def load(path: Path) -> ByteModel:
        """A model that was kept. Raises Problem (INVALID) for a file that is none."""
        try:
            with np.load(path, allow_pickle=False) as kept:
                return ByteModel(**{name: kept[name] for name in ("fives", "fours", "threes", "twos", "pairs")})
        except (OSError, ValueError, KeyError) as error:
            raise invalid("model-unreadable", f"{path} is no byte model: {error}.", place=str(path),
                          remedy="Fit one: cupola refine fit TRUSTED… --out MODEL.") from error  # fmt: skip


def fit(texts: Iterable[bytes]) -> ByteModel:
    """A model of trusted documents (UTF-8). Raises Problem (INVALID) when there is nothing to learn from."""
    keys: list[U64] = []
    for text in texts:
        if text:
            padded = np.frombuffer(b"\n\n\n\n" + text, np.uint8).astype(np.uint64)
            key = np.zeros(len(text), np.uint64)
            for n in range(5):
                key = (key << _8) | padded[n : n + len(text)]
            keys.append(key)
    if not keys:
        raise invalid("nothing-trusted", "There is no text to learn from.", remedy="Give documents that are good.")
    five, n5 = np.unique(np.concatenate(keys), return_counts=True)
    count5 = n5.astype(np.float64)
    three, count3 = _suffixes(five, count5, 24)
    two, count2 = _suffixes(three, count3, 16)
    one = np.zeros(256)
    np.add.at(one, (two & np.uint64(255)).astype(np.int64), count2)
    p1 = (one + 1) / (one.sum() + 256)
    dense2 = np.zeros(65536)
    dense2[two.astype(np.int64)] = count2
    by_context = dense2.reshape(256, 256)
    followers, total = (by_context > 0).sum(1, keepdims=True), by_context.sum(1, keepdims=True)
    p2 = np.where(total > 0, (by_context + followers * p1) / np.maximum(total + followers, 1), p1).ravel()
    p3, _, _ = _interpolated(three, count3, p2[(three & np.uint64(0xFFFF)).astype(np.int64)])
    under5 = p3[np.searchsorted(three, five & _KEY3)]
    p5, contexts4, escape4 = _interpolated(five, count5, under5)
    _, contexts2, escape2 = _interpolated(three, count3, p3)
    twos = np.full(65536, -1, np.int32)
    twos[contexts2.astype(np.int64)] = _cost(escape2)
    return ByteModel(
        _table(five, _cost(p5)), _table(contexts4, _cost(escape4)), _table(three, _cost(p3)), twos,
        _cost(p2).astype(np.int32),
    )  # fmt: skip


def _suffixes(keys: U64, counts: npt.NDArray[np.float64], bits: int) -> tuple[U64, npt.NDArray[np.float64]]:
    short, back = np.unique(keys & np.uint64((1 << bits) - 1), return_inverse=True)
    summed: npt.NDArray[np.float64] = np.bincount(back, counts).astype(np.float64)
    return short, summed


def _interpolated(
    keys: U64, counts: npt.NDArray[np.float64], lower: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], U64, npt.NDArray[np.float64]]:
    """Probabilities of the seen, their contexts, and what is left in each context for the unseen."""
    contexts, back = np.unique(keys >> _8, return_inverse=True)
    total, followers = np.bincount(back, counts), np.bincount(back)
    escape = followers / (total + followers)
    return counts / (total + followers)[back] + escape[back] * lower, contexts, escape


def _cost(probability: npt.NDArray[np.float64]) -> I64:
    costs: I64 = np.rint(-np.log2(probability) * UNIT).astype(np.int64)
    return costs


def _table(keys: U64, costs: I64) -> Table:
    size = 16
    while size < 4 * len(keys):
        size *= 2
    table = np.zeros(size, np.uint64)
    _insert(table, keys, costs.astype(np.uint64) + np.uint64(1))
    return table


@kernel
def _shift_of(table: Table) -> np.uint64:
    """64 less the bits of a place."""
    shift, size = 64, len(table)
    while size > 1:
        size >>= 1
        shift -= 1
    return np.uint64(shift)


@kernel
def _insert(table: Table, keys: U64, costs: U64) -> None:
    shift = _shift_of(table)
    for n in range(len(keys)):
        at = signed((keys[n] * _SPREAD) >> shift)
        while table[at] != np.uint64(0):
            at = (at + 1) & (len(table) - 1)
        table[at] = (keys[n] << _COST_BITS) | costs[n]


@kernel
def _cost_of(table: Table, shift: np.uint64, key: np.uint64) -> Any:
    """The cost of a key, -1 where it was not seen."""
    at = signed((key * _SPREAD) >> shift)
    while table[at] != np.uint64(0):
        if table[at] >> _COST_BITS == key:
            return signed(table[at] & _COST_MASK) - 1
        at = (at + 1) & (len(table) - 1)
    return -1


@kernel
def costs(
    data: npt.NDArray[np.uint8],
    offsets: I64,
    fives: Table,
    fours: Table,
    threes: Table,
    twos: I32,
    pairs: I32,
    out: I64,
) -> None:
    """out[d]: the cost of document d, in 1/4096 bit."""
    shift5, shift4, shift3 = _shift_of(fives), _shift_of(fours), _shift_of(threes)
    keys, first = np.empty(_AHEAD, np.uint64), np.empty(_AHEAD, np.uint64)
    for d in range(len(offsets) - 1):
        key, total = _BEFORE, 0
        pos = offsets[d]
        while pos < offsets[d + 1]:
            ahead = min(_AHEAD, offsets[d + 1] - pos)
            for n in range(ahead):  # no branch here: the memory answers several at a time
                key = ((key << _8) | np.uint64(data[pos + n])) & _KEY5
                keys[n] = key
                first[n] = fives[signed((key * _SPREAD) >> shift5)]
            pos += ahead
            for n in range(ahead):
                this = keys[n]
                if first[n] >> _COST_BITS == this and first[n] != _FREE:
                    total += signed(first[n] & _COST_MASK) - 1
                    continue
                cost = _cost_of(fives, shift5, this) if first[n] != _FREE else -1
                if cost < 0:
                    before = this >> _8
                    escape = _cost_of(fours, shift4, before)
                    if escape > 0:
                        total += escape
                    cost = _cost_of(threes, shift3, this & _KEY3)
                    if cost < 0:
                        escape = signed(twos[signed(before & _KEY2)])
                        if escape > 0:
                            total += escape
                        cost = signed(pairs[signed(this & _KEY2)])
                total += cost
        out[d] = total
