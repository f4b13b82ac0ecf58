"""Near duplicates' raw material: shingles of words, their MinHash band keys, their exact Jaccard similarity.

A shingle is three words in a row, or four characters in a row where it starts with a character of a script without
blanks: a twentieth of the words changed leaves a Jaccard of .75 of the first, .69 of the second. MinHash: A. Broder, On
the resemblance and containment of documents, 1997. 28 bands of 4: a pair of Jaccard .7 shares a key with probability
.9995, of .5 with .84, of .2 with .04.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cupola.corpus.hashing import U64, mixed
from cupola.kernel.jit import kernel

BANDS, ROWS = 28, 4
WORDS_IN_SHINGLE, SINGLES_IN_SHINGLE = 3, 4
_STEP = np.uint64(0xE7037ED1A0B428DB)
_29, _32 = np.uint64(29), np.uint64(32)
_NO_KEY = np.uint64(0)
_MULTIPLIERS: npt.NDArray[np.uint32] = np.random.default_rng(20_231).integers(0, 2**32, BANDS * ROWS, dtype=np.uint32)
_MULTIPLIERS |= np.uint32(1)
_ADDENDS = np.random.default_rng(50_321).integers(0, 2**32, BANDS * ROWS, dtype=np.uint32)
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]


@kernel
def shingle(words: U64, chars: I32, start: int, end: int) -> np.uint64:
    """The hash of the shingle that starts with word `start` of a document that ends before word `end`; a document
    shorter than a shingle is one shingle."""
    size = SINGLES_IN_SHINGLE if chars[start] < 0 else WORDS_IN_SHINGLE
    h = np.uint64(0)
    for n in range(start, min(start + size, end)):
        h = (h ^ words[n]) * _STEP
        h ^= h >> _29
    return mixed(h)


@kernel
def full_shingle(chars: I32, start: int, end: int) -> bool:
    """Whether a shingle of full length starts here."""
    return start + (SINGLES_IN_SHINGLE if chars[start] < 0 else WORDS_IN_SHINGLE) <= end


@kernel
def band_keys(words: U64, chars: I32, ends: I64, multipliers: npt.NDArray[np.uint32], addends: npt.NDArray[np.uint32],
              keys: U64) -> None:  # fmt: skip
    """keys[d, b]: the key of band b of document d; 0 in all bands for a document without words."""
    least = np.empty(len(multipliers), np.uint32)
    start = 0
    for d in range(len(ends)):
        end = ends[d]
        least[:] = np.uint32(0xFFFFFFFF)
        for n in range(start, end):
            if n > start and not full_shingle(chars, n, end):
                continue
            x = np.uint32(shingle(words, chars, n, end) >> _32)
            for k in range(len(multipliers)):
                value = np.uint32(x * multipliers[k] + addends[k])
                least[k] = min(least[k], value)
        for b in range(BANDS):
            h = np.uint64(b + 1)
            for k in range(b * ROWS, (b + 1) * ROWS):
                h = (h ^ np.uint64(least[k])) * _STEP
                h ^= h >> _29
            keys[d, b] = mixed(h) if end > start else _NO_KEY
        start = end


def keys_of(words: U64, chars: I32, ends: I64) -> U64:
    """uint64[documents, BANDS] of words as `scan` leaves them."""
    keys = np.empty((len(ends), BANDS), np.uint64)
    band_keys(words, chars, ends, _MULTIPLIERS, _ADDENDS, keys)
    return keys


@kernel
def _shingles(words: U64, chars: I32, start: int, end: int, out: U64) -> int:
    found = 0
    for n in range(start, end):
        if n > start and not full_shingle(chars, n, end):
            continue
        out[found] = shingle(words, chars, n, end)
        found += 1
    return found


def shingle_set(words: U64, chars: I32, start: int, end: int) -> U64:
    """The distinct shingles of the words start ≤ n < end, ascending: uint64[n]."""
    out = np.empty(end - start, np.uint64)
    return np.unique(out[: _shingles(words, chars, start, end, out)])


@kernel
def _shared(a: U64, b: U64) -> int:
    i, j, both = 0, 0, 0
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            i, j, both = i + 1, j + 1, both + 1
        elif a[i] < b[j]:
            i += 1
        else:
            j += 1
    return both


def jaccard(a: U64, b: U64) -> float:
    """|a ∩ b| / |a ∪ b| of two ascending sets; two empty ones have nothing in common: 0."""
    both = _shared(a, b)
    return both / (len(a) + len(b) - both) if both else 0.0
