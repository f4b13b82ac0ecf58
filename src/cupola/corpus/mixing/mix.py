"""Mixing: every document is read once, and what is known of it decides which split, how often, and where it stands.

Everything that looks like chance is a hash of the seed and the document's id, so that the same mix gives the same
bytes, in whatever order the files are named, and a document that is added moves none into another split that it does
not resemble.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from cupola.corpus import repeats
from cupola.corpus.engine.files import alone, appearing, sha256, write_json
from cupola.corpus.engine.units import Columns, Documents
from cupola.corpus.extras import module
from cupola.corpus.hashing import U64
from cupola.corpus.mixing.asked import Mix
from cupola.corpus.mixing.asked import Part as Source
from cupola.corpus.mixing.clusters import clusters
from cupola.corpus.mixing.shards import FORMATS, Document, card
from cupola.corpus.profile import profile
from cupola.corpus.readers import Refused
from cupola.corpus.shingles import BANDS
from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")

TRAIN = "train"
FORMAT = "cupola-mix/1"
I64 = npt.NDArray[np.int64]
Told = Callable[[str, int], None]


class Shard(msgspec.Struct, frozen=True):
    """A file of the outcome; size in tokens, in bytes of text without a tokenizer."""

    path: str
    split: str
    documents: int
    size: int
    bytes: int
    sha256: str


class Given(msgspec.Struct, frozen=True):
    """What a source gave to training. documents: different ones; size: with all their epochs; share: of the training
    text; asked: the share that its weight asks for."""

    read: int
    documents: int
    size: int
    epochs: float
    share: float
    asked: float


class Manifest(msgspec.Struct, frozen=True):
    """The outcome of a mix, the same for the same input. unit: tokens or bytes; splits: documents in each; over: left
    out because their cluster (their source) has more than it may."""

    format: str
    mix: Mix
    tokenizer_sha256: str | None
    unit: str
    read: int
    clusters: int
    largest_cluster: int
    over_cluster: int
    over_source: int
    splits: dict[str, int]
    sources: dict[str, Given]
    shards: list[Shard]


class _Read:
    """What is known of every document; its text lies in a flat file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb+")
        self._at = 0
        self.ids: list[str] = []
        self._columns: dict[str, list[npt.NDArray[Any]]] = {}

    def add(self, source: int, ids: Sequence[str], texts: Any, size: I64) -> None:
        found = profile(texts)
        raw = [bytes(one.as_buffer() or b"") for one in texts]
        self._file.write(b"".join(raw))
        self._file.flush()  # it is read by its handle
        lengths = np.array([len(one) for one in raw], np.int64)
        keys = found.field("bands").flatten().to_numpy().reshape(-1, BANDS) >> np.uint64(32)
        for name, column in (
            ("hash", np.frombuffer(found.field("hash").buffers()[1], np.uint64).reshape(-1, 2)),
            ("bands", keys.astype(np.uint32)),
            ("owner", repeats.owners(ids)),
            ("source", np.full(len(ids), source, np.int16)),
            ("size", size),
            ("at", self._at + np.cumsum(lengths) - lengths),
            ("bytes", lengths),
        ):
            self._columns.setdefault(name, []).append(column)
        self._at += int(lengths.sum())
        self.ids += ids

    def column(self, name: str) -> npt.NDArray[Any]:
        found = np.concatenate(self._columns[name])
        self._columns[name] = [found]
        return found

    def text(self, row: int) -> bytes:
        return os.pread(self._file.fileno(), int(self.column("bytes")[row]), int(self.column("at")[row]))

    def texts(self, rows: I64) -> Any:
        return pa.array([self.text(row) for row in rows.tolist()], pa.large_binary())

    def close(self) -> None:
        self._file.close()


def _drawn(owner: U64, seed: int, salt: int) -> U64:
    """A hash of each document, of the seed and of what it is for (SplitMix64: G. Steele et al., 2014)."""
    x: U64 = owner + np.uint64((seed * 0x9E3779B97F4A7C15 + salt * 0xBF58476D1CE4E5B9) & (1 << 64) - 1)
    for shift, step in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(step)
    return x ^ (x >> np.uint64(31))


def _counter(mix: Mix, folder: Path) -> tuple[Callable[[Any], I64], str | None]:
    """What counts a batch's texts, in tokens or bytes, and the SHA-256 of the tokenizer's file."""
    if mix.tokenizer is None:
        return lambda texts: np.array([len(one.as_buffer() or b"") for one in texts], np.int64), None
    path = folder / mix.tokenizer
    library: Any = module("tokenizers", "refinery")
    try:
        counter = library.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises Exception itself
        raise invalid("tokenizer-unreadable", f"{path} is no tokenizer: {error}.", place=str(path),
                      remedy="Give a tokenizer.json of the library tokenizers.") from error  # fmt: skip

    def tokens(texts: Any) -> I64:
        plain = [bytes(one.as_buffer() or b"").decode("utf-8", "replace") for one in texts]
        return np.array([len(one.ids) for one in counter.encode_batch_fast(plain)], np.int64)

    return tokens, sha256(path)


def mix(asked: Mix, folder: Path, out: Path, told: Told = lambda stage, done: None) -> tuple[Manifest, list[Refused]]:
    """Write a mix into a new folder; folder: where the files that it names lie. Raises Problem (INVALID) when the new
    one holds something, a source is empty, or it asks for more than there is."""
    if out.exists() and any(one.name != ".lock" for one in out.iterdir()):
        raise invalid("folder-not-empty", f"{out} is not empty.", place="out", remedy="Name a new folder.")
    out.mkdir(parents=True, exist_ok=True)
    work = out / ".work"
    with alone(out):
        work.mkdir()
        try:
            return _mixed(asked, folder, out, work, told)
        finally:
            shutil.rmtree(work)


def _mixed(asked: Mix, folder: Path, out: Path, work: Path, told: Told) -> tuple[Manifest, list[Refused]]:
    count, digest = _counter(asked, folder)
    read, refused = _Read(work / "texts"), []
    sources = sorted(asked.sources, key=lambda one: one.name)  # named in another order, it is the same mix
    for n, source in enumerate(sources):
        documents = Documents([folder / one for one in source.files], Columns(source.text, source.id))
        before = len(read.ids)
        for rows in documents.batches():
            read.add(n, [f"{source.name}/{one}" for one in rows.ids], rows.texts, count(rows.texts))
            told("reading", len(read.ids))
        refused += documents.refused
        if len(read.ids) == before:
            raise invalid("source-empty", f"The source {source.name} has no document.", place=source.name,
                          remedy="Look at its files and the name of its column.")  # fmt: skip
    try:
        return _written(asked, sources, read, digest, out, told), refused
    finally:
        read.close()


def _written(asked: Mix, sources: list[Source], read: _Read, digest: str | None, out: Path, told: Told) -> Manifest:
    owner, source, size = read.column("owner"), read.column("source"), read.column("size")
    order = np.lexsort((np.arange(len(owner)), owner))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    told("comparing", len(owner))
    found = clusters(read.column("hash")[order], read.column("bands")[order], lambda rows: read.texts(order[rows]),
                     asked.clusters.similarity)  # fmt: skip
    cluster = order[found[rank]]  # called by its document of the least hash
    used, over_cluster = _at_most(cluster, owner, asked.clusters.most)
    split = _splits(asked, owner[cluster])
    over_source = 0
    for n, one in enumerate(sources):
        if one.most_documents is not None:
            here = np.flatnonzero((source == n) & used)
            late = here[np.argsort(_drawn(owner[here], asked.seed, 1), kind="stable")][one.most_documents :]
            used[late] = False
            over_source += len(late)
    names = [TRAIN, *sorted(asked.splits)]
    rows, epochs, given = _train(asked, sources, source, size, owner, used & (split == 0))
    shards: list[Shard] = []
    told("writing", 0)
    for n, name in enumerate(names):
        if n:
            rows = np.flatnonzero(used & (split == n))
            epochs = np.zeros(len(rows), np.int64)
        key = _drawn(owner[rows] + epochs.astype(np.uint64), asked.seed, 2)
        at = np.lexsort((epochs, owner[rows], key))
        shards += _shards(asked, name, rows[at], epochs[at], read, sources, out, told)
    (out / "README.md").write_text(card(asked.name, names, asked.format))
    reads = Counter(source.tolist())
    _, sizes = np.unique(cluster, return_counts=True)
    manifest = Manifest(
        FORMAT, asked, digest, "tokens" if asked.tokenizer else "bytes", len(owner), len(sizes), int(sizes.max()),
        over_cluster, over_source,
        {name: int((used & (split == n)).sum()) for n, name in enumerate(names)},
        {one.name: msgspec.structs.replace(given[n], read=reads[n]) for n, one in enumerate(sources)}, shards,
    )  # fmt: skip
    write_json(out / "manifest.json", manifest)
    return manifest


def _at_most(cluster: I64, owner: U64, most: int | None) -> tuple[npt.NDArray[np.bool_], int]:
    """bool[n]: the documents that are used, of each cluster the first `most` by their hash."""
    used = np.ones(len(cluster), np.bool_)
    if most is None:
        return used, 0
    order = np.lexsort((owner, cluster))
    first = np.concatenate(([True], cluster[order][1:] != cluster[order][:-1]))
    starts = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    used[order[np.arange(len(order)) - starts >= most]] = False
    return used, int((~used).sum())


def _splits(asked: Mix, of_cluster: U64) -> I64:
    """int64[n]: 0 for training, or which of the other splits, in the order of their names."""
    place = _drawn(of_cluster, asked.seed, 3).astype(np.float64) / 2.0**64
    edges = np.cumsum([asked.splits[name] for name in sorted(asked.splits)])
    found = np.searchsorted(edges, place, side="right") + 1
    found[found > len(edges)] = 0
    return found.astype(np.int64)


def _train(
    asked: Mix, sources: list[Source], source: npt.NDArray[Any], size: I64, owner: U64, free: npt.NDArray[np.bool_]
) -> tuple[I64, I64, list[Given]]:
    """Rows and epochs of the training text, and what each source gave. Of the last epoch that a source does not fill
    those documents come that are drawn first."""
    there = [int(size[free & (source == n)].sum()) for n in range(len(sources))]
    weights = [one.weight / sum(other.weight for other in sources) for one in sources]
    reach = min(have * one.epochs / weight for have, one, weight in zip(there, sources, weights, strict=True))
    total = reach if asked.size is None else asked.size
    if total > reach * (1 + 1e-9):
        n = min(range(len(sources)), key=lambda k: there[k] * sources[k].epochs / weights[k])
        raise invalid("mix-too-large", f"{sources[n].name} has {there[n]} for training, and {weights[n] * total:.0f} "
                      f"are asked of it in at most {sources[n].epochs:g} epochs.", place=sources[n].name,
                      remedy=f"Ask for a size of at most {int(reach)}, or allow more epochs.")  # fmt: skip
    rows, epochs, given = [], [], []
    for n in range(len(sources)):
        here = np.flatnonzero(free & (source == n))
        here = here[np.argsort(_drawn(owner[here], asked.seed, 4), kind="stable")]
        wanted, epoch, got, different = weights[n] * total, 0, 0, 0
        while got < wanted and there[n]:
            reached = got + np.cumsum(size[here])
            some = int(np.searchsorted(reached, wanted)) + 1  # the document that reaches it is taken too
            if epoch + 1 > sources[n].epochs and some > (sources[n].epochs - epoch) * len(here) + 1:
                break
            some = min(some, len(here))
            rows.append(here[:some])
            epochs.append(np.full(some, epoch, np.int64))
            got, epoch, different = int(reached[some - 1]), epoch + 1, max(different, some)
        given.append((different, got))
    whole = max(sum(got for _, got in given), 1)
    told = [Given(0, different, got, got / max(there[n], 1), got / whole, weights[n])
            for n, (different, got) in enumerate(given)]  # fmt: skip
    return np.concatenate(rows) if rows else np.zeros(0, np.int64), \
        np.concatenate(epochs) if epochs else np.zeros(0, np.int64), told  # fmt: skip


def _shards(
    asked: Mix, split: str, rows: I64, epochs: I64, read: _Read, sources: list[Source], out: Path, told: Told
) -> list[Shard]:
    if not len(rows):
        return []
    suffix, write = FORMATS[asked.format]
    (out / "data").mkdir(exist_ok=True)
    number = (np.cumsum(read.column("bytes")[rows]) - 1).clip(0) // asked.shard
    starts = np.flatnonzero(np.concatenate(([True], number[1:] != number[:-1])))
    ends = np.append(starts[1:], len(rows))
    made = []
    for n, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        path = out / "data" / f"{split}-{n:05d}-of-{len(starts):05d}{suffix}"
        with appearing(path) as part:
            write(part, _documents(asked, rows[start:end], epochs[start:end], read, sources))
        size = int(read.column("size")[rows[start:end]].sum())
        made.append(Shard(str(path.relative_to(out)), split, end - start, size, path.stat().st_size, sha256(path)))
        told("writing", end)
    return made


def _documents(asked: Mix, rows: I64, epochs: I64, read: _Read, sources: list[Source]) -> Iterator[Document]:
    source, size = read.column("source"), read.column("size")
    for row, epoch in zip(rows.tolist(), epochs.tolist(), strict=True):
        name = sources[int(source[row])].name
        yield Document(read.ids[row].removeprefix(f"{name}/"), name, read.text(row).decode("utf-8", "replace"), epoch,
                       int(size[row]) if asked.tokenizer else None)  # fmt: skip
