"""Hashes of words and of runs of words, the same in kernels and in the tables that are looked up by them.

Multiply and fold, finished by the mixer of MurmurHash3 (A. Appleby, 2011, public domain). For finding equals among what
nobody wrote on purpose; no defence against an adversary.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cupola.corpus.characters import tables
from cupola.kernel.jit import kernel

U64 = npt.NDArray[np.uint64]
WORD_SEED = np.uint64(0x9E3779B97F4A7C15)
WORD_STEP = np.uint64(0xD6E8FEB86659FD93)
RUN_STEP = np.uint64(0xA0761D6478BD642F)
_S33 = np.uint64(33)
_M1, _M2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)


@kernel
def mixed(x: np.uint64) -> np.uint64:
    """Every bit of the answer depends on every bit of `x`; one to one."""
    x ^= x >> _S33
    x *= _M1
    x ^= x >> _S33
    x *= _M2
    return x ^ (x >> _S33)


@kernel
def signed(x: np.uint64) -> Any:
    """The bits of `x` as a whole number that arrays can be indexed by (an int64; of mixed signs numba makes floats)."""
    return np.int64(x)


def word_hash(word: str) -> int:
    """The hash that a kernel gives to `word` (plain Python, for tables)."""
    _, _, folds = tables()
    mask = (1 << 64) - 1
    h = int(WORD_SEED)
    for character in word:
        point = ord(character)
        h = ((h ^ (int(folds[point]) if point < len(folds) else point)) * int(WORD_STEP)) & mask
    return _mixed(h)


def _mixed(x: int) -> int:
    mask = (1 << 64) - 1
    x ^= x >> 33
    x = x * int(_M1) & mask
    x ^= x >> 33
    x = x * int(_M2) & mask
    return x ^ (x >> 33)


def run_hash(words: list[int]) -> int:
    """The hash of a run of word hashes, as `lookup.run_hits` rolls it: a polynomial modulo 2**64, mixed."""
    h = 0
    for word in words:
        h = h * int(RUN_STEP) + word & (1 << 64) - 1
    return _mixed(h)
