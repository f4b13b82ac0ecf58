"""What people called good and what they did not, learned from some hundred labels: logistic regression over hashed runs
of 2 to 4 bytes (K. Weinberger et al., Feature hashing for large scale multitask learning, 2009).

Short runs of bytes know spelling and marks more than topics. The bound is set on labels that the model which scored
them had not seen; of a source that nobody labelled anything of, it promises nothing: label some of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cupola.corpus.hashing import signed
from cupola.kernel.errors import invalid
from cupola.kernel.jit import kernel
from cupola.kernel.lazy import Lazy

optimize: Any = Lazy("scipy.optimize")
sparse: Any = Lazy("scipy.sparse")

BITS, LOOKED_AT = 16, 20_000  # of a document so many bytes
BUCKETS = 1 << BITS
FOLDS, STRENGTH, SCALE = 5, 1.0, 6.0
LEAST_LABELS = 20  # of each side
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(64 - BITS)
_8 = np.uint64(8)
_MASKS = np.array([0xFFFF, 0xFFFFFF, 0xFFFFFFFF], np.uint64)
_LENGTH = np.array([2 << 40, 3 << 40, 4 << 40], np.uint64)
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Linear:
    """weights float64[BUCKETS], bias: the log odds that a document is bad; bound: above it one goes."""

    weights: F64
    bias: float
    bound: float

    def save(self, path: Path) -> None:
        """Keep the model as .npz."""
        with path.open("wb") as file:
            np.savez_compressed(file, weights=self.weights.astype(np.float32), rest=np.array([self.bias, self.bound]))

    @staticmethod
    def load(path: Path) -> Linear:
        """A model that was kept. Raises Problem (INVALID) for a file that is none."""
        try:
            with np.load(path, allow_pickle=False) as kept:
                bias, bound = kept["rest"].tolist()
                return Linear(kept["weights"].astype(np.float64), bias, bound)
        except (OSError, ValueError, KeyError) as error:
            raise invalid("model-unreadable", f"{path} is no learned model: {error}.", place=str(path),
                          remedy="Learn one: cupola refine learn LABELLED… --out MODEL.") from error  # fmt: skip


@dataclass(frozen=True)
class Learned:
    """A model, and the scores float64[n] of its labelled documents under models that had not seen them."""

    model: Linear
    scores: F64


@kernel
def _count(data: U8, start: int, end: int, times: npt.NDArray[np.int32], touched: I64, masks: Any, length: Any) -> int:
    """How many buckets a document touches; their times. `times` is all 0 before."""
    found = 0
    key = np.uint64(0)
    for pos in range(start, end):
        key = (key << _8) | np.uint64(data[pos])
        for n in range(3):
            if pos - start <= n:
                break
            at = signed((((key & masks[n]) | length[n]) * _SPREAD) >> _SHIFT)
            if times[at] == 0:
                touched[found] = at
                found += 1
            times[at] += 1
    return found


@kernel
def scores(data: U8, offsets: I64, weights: F64, bias: float, masks: Any, length: Any, out: F64) -> None:
    """out[d]: the log odds of document d."""
    times, touched = np.zeros(BUCKETS, np.int32), np.empty(BUCKETS, np.int64)
    for d in range(len(offsets) - 1):
        end = min(offsets[d + 1], offsets[d] + LOOKED_AT)
        found = _count(data, offsets[d], end, times, touched, masks, length)
        total, norm = 0.0, 0.0
        for n in range(found):
            value = np.log1p(times[touched[n]])
            total += weights[touched[n]] * value
            norm += value * value
            times[touched[n]] = 0
        out[d] = bias + SCALE * total / np.sqrt(norm) if found else bias


def scored(model: Linear, data: U8, offsets: I64) -> F64:
    """float64[n]: the log odds of each document of a buffer."""
    out = np.empty(len(offsets) - 1)
    scores(data, offsets, model.weights, model.bias, _MASKS, _LENGTH, out)
    return out


def _features(texts: Sequence[bytes]) -> Any:
    times, touched = np.zeros(BUCKETS, np.int32), np.empty(BUCKETS, np.int64)
    columns, values, starts = [], [], [0]
    for text in texts:
        data = np.frombuffer(text[:LOOKED_AT], np.uint8)
        found = touched[: _count(data, 0, len(data), times, touched, _MASKS, _LENGTH)].copy()
        value = np.log1p(times[found])
        times[found] = 0
        columns.append(found)
        values.append(SCALE * value / max(float(np.sqrt(value @ value)), 1e-12))
        starts.append(starts[-1] + len(found))
    return sparse.csr_array((np.concatenate(values), np.concatenate(columns), starts), (len(texts), BUCKETS))


def _fitted(features: Any, bad: npt.NDArray[np.bool_]) -> F64:
    side = np.where(bad, 1.0, -1.0)
    used = np.unique(features.indices)  # a bucket that no document touches keeps its weight of 0
    features = features[:, used]

    def loss(at: F64) -> tuple[float, F64]:
        margin = side * (features @ at[:-1] + at[-1])
        pull = -side / (1 + np.exp(np.minimum(margin, 500)))
        slope = np.append(features.T @ pull + STRENGTH * at[:-1], pull.sum())
        return float(np.logaddexp(0, -margin).sum() + 0.5 * STRENGTH * (at[:-1] @ at[:-1])), slope

    found = optimize.minimize(loss, np.zeros(len(used) + 1), jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    out = np.zeros(BUCKETS + 1)
    out[used], out[-1] = found[:-1], found[-1]
    return out


def learn(texts: Sequence[bytes], bad: Sequence[bool], *, false_alarms: float = 0.01, seed: int = 0) -> Learned:
    """A model of documents (UTF-8) and whether each is bad; its bound is the one that at most `false_alarms` of the
    good ones exceed when they are scored by models fitted without them. Raises Problem (INVALID) for too few labels."""
    label = np.array(bad, np.bool_)
    for side, name in ((label, "bad"), (~label, "good")):
        if side.sum() < LEAST_LABELS:
            raise invalid("too-few-labels", f"Only {int(side.sum())} documents are labelled {name}.", place="label",
                          remedy=f"At least {LEAST_LABELS} of each are needed, a few hundred are better.")  # fmt: skip
    features = _features(texts)
    fold = np.empty(len(label), np.int64)
    random = np.random.default_rng(seed)
    for side in (label, ~label):  # as many of each in every fold
        fold[side] = random.permutation(int(side.sum())) % FOLDS
    held_out = np.empty(len(label))
    for one in range(FOLDS):
        at = _fitted(features[fold != one], label[fold != one])
        held_out[fold == one] = features[fold == one] @ at[:-1] + at[-1]
    at = _fitted(features, label)
    bound = float(np.quantile(held_out[~label], 1 - false_alarms, method="higher"))
    return Learned(Linear(at[:-1].astype(np.float32).astype(np.float64), float(at[-1]), bound), held_out)


def interval(times: int, of: int) -> tuple[float, float, float]:
    """A share and its 95 % interval (E. B. Wilson, Probable inference, 1927)."""
    z2 = 1.959964**2
    share = times / of
    middle, half = share + z2 / (2 * of), np.sqrt(z2 * (share * (1 - share) / of + z2 / (4 * of * of)))
    return share, max(0.0, float((middle - half) / (1 + z2 / of))), min(1.0, float((middle + half) / (1 + z2 / of)))
