"""What a run is worth in training: how much text it takes to equal loss, by kind of what went, over several seeds.

The learner is the byte 5-gram model of `bytemodel`: fitted in seconds, without chance of its own, and it sees every
byte of its text, so that text which teaches nothing shows. What it says of large networks is the order of the kinds,
not the size of the gain. A mix "kept and this kind" is compared with "kept" alone: what was kept comes in one order in
both, and both are measured on the same text, which neither has seen.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from cupola.corpus import bytemodel, repeats
from cupola.corpus.engine import ledger
from cupola.corpus.engine.asked import Asked
from cupola.corpus.engine.files import Folder, read_json
from cupola.corpus.engine.units import Columns, Documents, Reader
from cupola.corpus.profile import profile
from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy

pa = Lazy("pyarrow")
parquet = Lazy("pyarrow.parquet")
stats = Lazy("scipy.stats")

BYTES, SEEDS, POINTS, HELD_OUT = 2_000_000, 3, 7, 0.1
SMALLEST_SHARE = 1 / 32  # of the budget: where a curve begins
LEAST_EVALUATED = 20_000
ALL = "everything that went"
F64 = npt.NDArray[np.float64]


class Kind(msgspec.Struct, frozen=True):
    """What went by one set of rules. share: of the bytes of the mix with it; bits: a byte of the held-out text under a
    model of the mix, mean over seeds; kept_bits: of as much kept text; saved: how much less kept text reaches `bits`,
    one number for each seed that reaches it; mean, low, high: of these, with a 95 % interval (Student's t)."""

    name: str
    documents: int
    share: float
    bits: float
    kept_bits: float
    saved: list[float]
    mean: float | None
    low: float | None
    high: float | None


class Effect(msgspec.Struct, frozen=True):
    """budget: bytes that a model is fitted on; evaluated: bytes of held-out text, its source in words; cleaning_s,
    training_s: CPU seconds a MB of the profile of a document and of the learner, so that a gain can be held against
    what it costs."""

    budget: int
    seeds: int
    evaluated: int
    evaluated_on: str
    kinds: list[Kind]
    cleaning_s: float
    training_s: float


def measure(run: Path, *, held_out: list[Path] | None = None, text: str = "text", budget: int = BYTES,
            seeds: int = SEEDS) -> Effect:  # fmt: skip
    """Measure a finished run. held_out: files of clean text that is not in the corpus; without them a tenth of what was
    kept is held out, which flatters the run by what its own taste is. Raises Problem (INVALID) where there is too
    little text."""
    manifest = ledger.manifest_of(run)
    kept, names = _kept(run, 4 * budget, manifest.kept_bytes)
    if held_out:
        source = Documents(held_out, Columns(text))
        evaluated = [one.encode() for rows in source.batches() for one in rows.texts.to_pylist()]
        told = "files that were given"
    else:
        out = _hash(names, 99) < np.uint64(int(HELD_OUT * 2**64))
        evaluated = [one for one, here in zip(kept, out.tolist(), strict=True) if here]
        kept = [one for one, here in zip(kept, out.tolist(), strict=True) if not here]
        told = "a tenth of what was kept"
    evaluated = evaluated[: 1 + int(np.searchsorted(np.cumsum([len(one) for one in evaluated]), budget))]
    enough = sum(map(len, evaluated))
    if enough < LEAST_EVALUATED or sum(map(len, kept)) < 4 * LEAST_EVALUATED:
        raise invalid("too-little-text", f"{enough} bytes to measure on and {sum(map(len, kept))} to learn from are "
                      "too few to say anything.", place=str(run), remedy="Measure a larger run.")  # fmt: skip
    gone = _gone(run, 4 * budget)
    if len(gone) > 1:
        gone = {ALL: [one for some in gone.values() for one in some], **gone}
    share_kept = sum(map(len, kept)) / max(manifest.kept_bytes, 1)
    reach = min(budget, sum(map(len, kept)))
    curves = [_curve(_drawn(kept, seed), reach, evaluated) for seed in range(seeds)]
    kinds = [_kind(name, some, kept, share_kept, reach, curves, evaluated) for name, some in gone.items()]
    cleaning, training = _costs(kept, reach)
    return Effect(reach, seeds, enough, told, kinds, cleaning, training)


def _hash(names: Sequence[str], seed: int) -> npt.NDArray[np.uint64]:
    return repeats.owners([f"{seed} {one}" for one in names])


def _kept(run: Path, most: int, have: int) -> tuple[list[bytes], list[str]]:
    """Texts that were kept, as they were written, of which about `most` bytes are drawn by their ids."""
    asked = read_json(Folder(run).run, Asked)
    assert asked is not None
    limit = np.uint64(min(int(most / max(have, 1) * 2**64), 2**64 - 1))
    texts, names = [], []
    parts = [path for path in sorted((run / "kept").iterdir()) if path.stat().st_size]
    for rows in Documents(parts, asked.columns).batches() if parts else ():
        for n in np.flatnonzero(_hash(rows.ids, 7) <= limit).tolist():
            texts.append(bytes(rows.texts[n].as_buffer() or b""))
            names.append(rows.ids[n])
    return texts, names


def _gone(run: Path, most: int) -> dict[str, list[bytes]]:
    """Set of rules → texts that it took, as they stood in the input; the largest kinds first."""
    asked = read_json(Folder(run).run, Asked)
    assert asked is not None
    found: dict[str, list[bytes]] = {}
    held = 0
    for unit in asked.units:
        part = Folder(run).part("removals", unit.number, ".parquet")
        table = parquet.read_table(part, columns=["file", "place", "rule"])
        why = {(row["file"], row["place"]): row["rule"].split("/")[0] for row in table.to_pylist()}
        if not why or held > most:
            continue
        for rows in Reader(unit, asked.columns).batches():
            for n, place in enumerate(zip(rows.files, rows.places.tolist(), strict=True)):
                if place in why:
                    text = bytes(rows.texts[n].as_buffer() or b"")
                    held += len(text)
                    found.setdefault(why[place], []).append(text)
    return dict(sorted(found.items(), key=lambda one: -sum(map(len, one[1]))))


def _drawn(texts: Sequence[bytes], seed: int) -> list[bytes]:
    """In an order by chance, in which the first ones keep theirs when others come behind them."""
    order = np.argsort(np.random.default_rng(seed).random(len(texts)), kind="stable")
    return [texts[n] for n in order.tolist()]


def _prefix(texts: Sequence[bytes], size: int) -> list[bytes]:
    out: list[bytes] = []
    for one in texts:
        out.append(one[:size])
        size -= len(one)
        if size <= 0:
            break
    return out


def _loss(texts: Sequence[bytes], evaluated: Sequence[bytes]) -> float:
    """Bits a byte of the held-out text under a model of these."""
    model = bytemodel.fit(texts)
    data = np.frombuffer(b"".join(evaluated), np.uint8)
    offsets = np.cumsum([0, *map(len, evaluated)]).astype(np.int64)
    bits = np.zeros(len(evaluated), np.int64)
    bytemodel.costs(data, offsets, model.fives, model.fours, model.threes, model.twos, model.pairs, bits)
    return float(bits.sum()) / bytemodel.UNIT / len(data)


def _curve(texts: Sequence[bytes], reach: int, evaluated: Sequence[bytes]) -> list[tuple[int, float]]:
    sizes = np.geomspace(SMALLEST_SHARE * reach, reach, POINTS).astype(int).tolist()
    return [(size, _loss(_prefix(texts, size), evaluated)) for size in sizes]


def needed(curve: Sequence[tuple[int, float]], bits: float) -> float | None:
    """How many bytes reach a loss, between two points by the logarithm of the bytes; None where none does."""
    for (small, above), (large, below) in itertools.pairwise(curve):
        if below <= bits <= above:
            part = 1.0 if above == below else (above - bits) / (above - below)
            return float(np.exp(np.log(small) + part * (np.log(large) - np.log(small))))
    return float(curve[0][0]) if bits >= curve[0][1] else None


def _kind(
    name: str, some: Sequence[bytes], kept: Sequence[bytes], share_kept: float, reach: int,
    curves: Sequence[list[tuple[int, float]]], evaluated: Sequence[bytes],
) -> Kind:  # fmt: skip
    part = [one for n, one in enumerate(some) if n < max(1, round(share_kept * len(some)))] if share_kept < 1 else some
    mixed = [*kept, *part]
    saved, bits = [], []
    for seed, curve in enumerate(curves):
        bits.append(_loss(_prefix(_drawn(mixed, seed), reach), evaluated))
        if (enough := needed(curve, bits[-1])) is not None:
            saved.append(1 - enough / reach)
    size = sum(map(len, part))
    mean = low = high = None
    if saved:
        mean = float(np.mean(saved))
        if len(saved) > 1:
            half = float(stats.t.ppf(0.975, len(saved) - 1) * np.std(saved, ddof=1) / np.sqrt(len(saved)))
            low, high = mean - half, mean + half
    return Kind(name, len(some), size / (size + sum(map(len, kept))), float(np.mean(bits)),
                float(np.mean([curve[-1][1] for curve in curves])), saved, mean, low, high)  # fmt: skip


def _costs(kept: Sequence[bytes], reach: int) -> tuple[float, float]:
    some = _prefix(kept, reach)
    size = sum(map(len, some)) / 1e6
    texts = pa.array([one.decode("utf-8", "replace") for one in some], pa.large_string())
    start = time.process_time()
    profile(texts)
    middle = time.process_time()
    bytemodel.fit(some)
    return (middle - start) / size, (time.process_time() - middle) / size
