"""Which pictures are copies of others, and which of them stays.

Candidates have fingerprints that differ in few bits; each pair is compared by what they look like very small. With
embeddings given, candidates and similarity are their cosines. Joined as texts are (`corpus.near.linked`): what goes
has a keeper that stays and that it is at least as similar to as asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from cupola.corpus.near import F64, I64, linked
from cupola.kernel.errors import invalid

MOST_BITS = 16  # of 64 in which candidates may differ: what was cut, squeezed or brightened a little differs in fewer
LEAST_SIMILARITY = 0.9
_BLOCK = 256  # pictures that are compared with all others at a time

Pair = tuple[float, int, int]


def looks(looks_: npt.NDArray[np.uint8]) -> F64:
    """float64[n, d] unit vectors of uint8[n, d]: brightness and contrast taken off, so that their product is the
    correlation of two pictures. A picture of one colour becomes zeros and resembles nothing."""
    centred = looks_.astype(np.float64) - looks_.mean(1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(np.divide(centred, length, out=np.zeros_like(centred), where=length > 1e-9))


def unit(embeddings: npt.NDArray[Any]) -> F64:
    """float64[n, d] of length 1. Raises Problem (INVALID) for values that are no numbers."""
    values = embeddings.astype(np.float64)
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values).all(1))[0])
        raise invalid("embedding-not-a-number", f"Embedding {row} holds what is no number.", place=str(row),
                      remedy="Give finite values.")  # fmt: skip
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(np.divide(values, length, out=np.zeros_like(values), where=length > 0))


def alike_by_bits(fingerprints: npt.NDArray[np.uint64]) -> Iterator[tuple[I64, I64]]:
    """Pairs (better rank, worse rank) of at most MOST_BITS between them, block by block; fingerprints by rank."""
    for start in range(0, len(fingerprints), _BLOCK):
        block = fingerprints[start : start + _BLOCK]
        rest = fingerprints[start:]
        near = np.bitwise_count(block[:, None] ^ rest[None, :]) <= MOST_BITS
        one, other = np.nonzero(np.triu(near, 1))
        yield one + start, other + start


def copies(
    fingerprints: npt.NDArray[np.uint64], vectors: F64, threshold: float, *, by_vectors: bool
) -> dict[int, tuple[int, float]]:
    """rank → (its keeper's rank, similarity to it). All in the order of who would stay: fingerprints uint64[n], vectors
    float64[n, d] of length 1. by_vectors: candidates are all pairs, not those of near fingerprints."""
    if not 0 < threshold <= 1:
        raise invalid("threshold-outside", f"A similarity of {threshold} cannot be asked for.", place="threshold",
                      remedy="Give a number above 0 and at most 1.")  # fmt: skip
    pairs: list[Pair] = []
    for one, other, similarity in _by_vectors(vectors, threshold) if by_vectors else _by_bits(fingerprints, vectors):
        near = similarity >= threshold
        pairs += zip((-similarity[near]).tolist(), one[near].tolist(), other[near].tolist(), strict=True)

    def similar(a: int, b: int) -> float:
        return min(1.0, float(vectors[a] @ vectors[b]))

    root = linked(pairs, similar, threshold)
    return {rank: (keeper, similar(keeper, rank)) for rank, keeper in root.items()}


def _by_bits(fingerprints: npt.NDArray[np.uint64], vectors: F64) -> Iterator[tuple[I64, I64, F64]]:
    for one, other in alike_by_bits(fingerprints):
        yield one, other, np.minimum(np.einsum("ij,ij->i", vectors[one], vectors[other]), 1.0)


def _by_vectors(vectors: F64, threshold: float) -> Iterator[tuple[I64, I64, F64]]:
    for start in range(0, len(vectors), _BLOCK):
        products = np.minimum(vectors[start : start + _BLOCK] @ vectors[start:].T, 1.0)
        one, other = np.nonzero(np.triu(products >= threshold, 1))
        yield one + start, other + start, products[one, other]
