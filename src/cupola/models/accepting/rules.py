"""When a model may settle alone: thresholds with a certificate, and the watch over what it settled. Pure numbers.

A certificate is a claim about one batch of tasks, by one version of a model: of all of them at most the share `limit`
gets a wrong label from it, at `confidence`. A sample is drawn at random from the batch, by a seed that is committed to
before anybody's answer is known, and labelled by people who do not see what the model said; thresholds are tried from
the strictest on, and the first that fails ends it (`certify.pac_threshold`; Candes, Ilyas & Zrnic, 2025). Each slice
has a sample and a threshold of its own. So few that all of them might be wrong are not settled: that would be no proof.

What is settled is watched on: of the tasks above the threshold a share goes to people all the same. A betting
martingale against "at most this share of them is wrong" (as `certify.sequential`, with the bets turned round) may be
looked at after every answer; when its capital has grown twentyfold the model settles no more (Ville, 1939).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Self
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.quality.certify import pac_threshold
from cupola.quality.certify.strata import Threshold

ALL = ""  # the slice of a batch that has none
AUDIT_SHARE = 0.02
LEAST_SAMPLE = 30
TIMES = (1.5, 2.0, 3.0, 5.0, 10.0)  # gamblers: each believes that the error is so many times the limit
PROMISED_TIMES = 3.0
DOUBT = 0.05


class SliceCertificate(msgspec.Struct, frozen=True):
    """What was certified of a slice.

    tasks: of the batch; sample: drawn; wrong: of them, where the model said something else than people; threshold: the
    confidence from which on it settles, None where nothing is proved; would_settle: share of the slice above it;
    error_upper: bound on its wrong labels, as a share of the slice; watch_limit: the share of what it settles that may
    be wrong, beyond which it is switched off.
    """

    name: str
    tasks: int
    sample: int
    wrong: int
    threshold: float | None
    would_settle: float
    error_upper: float
    watch_limit: float


def certified(
    name: str,
    scores: NDArray[np.float64],
    sampled: NDArray[np.bool_],
    wrong: NDArray[np.bool_],
    limit: float,
    confidence: float,
) -> SliceCertificate:
    """The certificate of a slice.

    scores: (N,) of every task; sampled: (N,) which were drawn; wrong: (N,) of the drawn, whether the model is wrong
    there (the others are not looked at). Raises Problem (INVALID) for a sample of nothing.
    """
    found = pac_threshold(scores, scores[sampled], wrong[sampled], limit, confidence)
    if found.value is not None and found.released <= limit:
        found = Threshold(None, 0.0, 1.0, found.experts)
    return SliceCertificate(
        name,
        len(scores),
        int(sampled.sum()),
        int(wrong[sampled].sum()),
        found.value,
        round(found.released, 6),
        round(found.error_upper, 6),
        min(1.0, limit / found.released) if found.value is not None and found.released else 1.0,
    )


def drawn(tasks: Sequence[UUID], slices: Sequence[str], count: int, seed: bytes) -> set[UUID]:
    """`count` tasks of each slice (all of a smaller one), in the order of keyed hashes: nobody without the seed knows.

    tasks, slices: of one length. Raises Problem (INVALID) for a sample too small to say anything.
    """
    if count < LEAST_SAMPLE:
        raise invalid("sample-small", f"A sample has at least {LEAST_SAMPLE} tasks.", place="/sample")
    by_slice: dict[str, list[tuple[bytes, UUID]]] = {}
    for task, name in zip(tasks, slices, strict=True):
        by_slice.setdefault(name, []).append((_place(seed, b"sample", task), task))
    return {task for mine in by_slice.values() for _, task in sorted(mine)[:count]}


def audited(task: UUID, seed: bytes, share: float) -> bool:
    """Whether a task above the threshold goes to people all the same."""
    return int.from_bytes(_place(seed, b"audit", task)[:8], "big") < share * 2**64


def _place(seed: bytes, what: bytes, task: UUID) -> bytes:
    return hashlib.sha256(seed + what + task.bytes).digest()


@dataclass(frozen=True, slots=True)
class Watch:
    """The state of the watch: small, immutable, and enough to go on from. limit: the share of errors that is borne.

    capital: (B,) log capital of each gambler; best: the most that the mixture ever had.
    """

    limit: float
    doubt: float = DOUBT
    n: int = 0
    errors: int = 0
    capital: tuple[float, ...] = tuple(0.0 for _ in TIMES)
    best: float = 0.0

    @property
    def off(self) -> bool:
        """Whether the error is surely beyond the limit."""
        return bool(self.best >= -np.log(self.doubt))

    def seen(self, wrong: bool) -> Self:
        """The state after one more answer of a person beside the model's."""
        capital = tuple(float(c + g) for c, g in zip(self.capital, _gains(self.limit, wrong), strict=True))
        mixture = float(np.logaddexp.reduce(np.asarray(capital)) - np.log(len(capital)))
        return replace(
            self, n=self.n + 1, errors=self.errors + int(wrong), capital=capital, best=max(self.best, mixture)
        )

    def seen_all(self, wrong: Iterable[bool]) -> Self:
        """The state after many, in their order."""
        state = self
        for one in wrong:
            state = state.seen(bool(one))
        return state


def _gains(limit: float, wrong: bool) -> NDArray[np.float64]:
    """(B,) log of what one answer multiplies each gambler's capital by: fair where the error sits at the limit.

    A gambler who believes in k times the limit bets as Kelly would: the likelihood ratio of k limit against limit.
    """
    believed = np.minimum(np.asarray(TIMES) * limit, (1.0 + limit) / 2.0)
    return np.log(believed / limit) if wrong else np.log((1.0 - believed) / (1.0 - limit))


@cache
def promised(limit: float, times: float = PROMISED_TIMES, chance: float = 0.9) -> int:
    """After how many audited answers an error of `times` the limit is noticed, with probability `chance`.

    By 2,000 walks from a fixed seed. 0 where such an error cannot be (beyond one).
    """
    limit = float(limit)
    error = times * limit
    if not 0.0 < limit < 1.0 or error >= 1.0:
        return 0
    rng = np.random.default_rng(0)
    right, wrong = _gains(limit, False), _gains(limit, True)
    walks, most = 2_000, int(min(8_000, 60.0 / limit))
    hits = rng.random((walks, most)) < error
    count = np.cumsum(hits, axis=1)
    n = np.arange(1, most + 1)
    mixture = np.full((walks, most), -np.inf)
    for on_right, on_wrong in zip(right, wrong, strict=True):
        mixture = np.logaddexp(mixture, count * on_wrong + (n - count) * on_right)
    over = mixture - np.log(len(TIMES)) >= -np.log(DOUBT)
    first = np.where(over.any(axis=1), over.argmax(axis=1) + 1, most)
    return int(np.ceil(np.quantile(first, chance)))


def slice_of(metadata: Mapping[str, object], key: str | None) -> str:
    """The slice of an item: what its metadata says under the key; everything that says nothing is one slice."""
    if key is None:
        return ALL
    value = metadata.get(key)
    return ALL if value is None else str(value)[:200]
