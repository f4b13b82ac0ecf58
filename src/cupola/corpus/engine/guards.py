"""A rule that takes most of a source, or much more of it than of its peers, is more likely wrong than right: it stops
the run before anything is written, until somebody who has looked accepts it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cupola.corpus.engine.judge import Judged
from cupola.kernel.errors import conflict

MOST_SHARE = 0.5
LEAST_DOCUMENTS = 50  # of a source; less says nothing of a share
LEAST_PEERS, SIGMAS = 5, 3.0
LEAST_EXCESS = 0.05  # a share that is above its peers' by less harms nobody
ALL = "all"  # accepted in advance
_TOLD = 10


@dataclass(frozen=True)
class Stop:
    """A rule at a source: taken of read documents, and the mean share of its peers where that is what is wrong."""

    rule: str
    source: str
    taken: int
    read: int
    peers: float | None = None

    @property
    def name(self) -> str:
        """What `--accept` calls it."""
        return f"{self.rule}@{self.source}"

    def __str__(self) -> str:
        also = "" if self.peers is None else f", of the other sources {self.peers:.1%}"
        return f"{self.name}: {self.taken} of {self.read} documents ({self.taken / self.read:.1%}{also})"


def stops(found: Sequence[Judged]) -> list[Stop]:
    """Where a run stops, by source and rule. Shares are compared where at least `LEAST_PEERS` other sources are
    large enough; by as many standard deviations of theirs, to which the chance of a sample of this size is added."""
    read: Counter[str] = Counter()
    taken: dict[str, Counter[str]] = {}
    for unit in found:
        read.update(unit.read)
        for source, some in unit.taken.items():
            for rule, times in some.items():
                taken.setdefault(rule, Counter())[source] += times
    large = sorted(source for source, times in read.items() if times >= LEAST_DOCUMENTS)
    size = np.array([read[source] for source in large], np.float64)
    out: list[Stop] = []
    for rule, by_source in sorted(taken.items()):
        share = np.array([by_source[source] for source in large]) / size
        for n, source in enumerate(large):
            if share[n] > MOST_SHARE:
                out.append(Stop(rule, source, by_source[source], read[source]))
            elif len(large) > LEAST_PEERS:
                others = np.delete(share, n)
                mean = float(others.mean())
                spread = np.sqrt(others.var() + mean * (1 - mean) / size[n])
                if share[n] > mean + max(SIGMAS * spread, LEAST_EXCESS):
                    out.append(Stop(rule, source, by_source[source], read[source], mean))
    return sorted(out, key=lambda one: (one.source, one.rule))


def check(found: Sequence[Stop]) -> None:
    """Raises Problem (CONFLICT) that names what stops the run."""
    if found:
        some = "; ".join(map(str, found[:_TOLD])) + (f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else "")
        raise conflict("guard", f"Rules take more of a source than is likely right: {some}.",
                       remedy="Look at what they take (cupola refine plan), then mend the recipe, or accept each by "
                              "--accept RULE@SOURCE or all by --accept all: the same command goes on.",
                       stops=[one.name for one in found])  # fmt: skip
