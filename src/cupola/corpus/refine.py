"""What `cupola refine` does with files: look through them by rules, and take copies out. Streamed by batches."""

from __future__ import annotations

import bisect
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cupola.corpus import near, pii, rules
from cupola.corpus.bytemodel import ByteModel
from cupola.corpus.language import languages
from cupola.corpus.near import I64
from cupola.corpus.profile import PROFILE_VERSION, Benchmark, profile
from cupola.corpus.readers import Refused, Source, write_kept
from cupola.corpus.shingles import BANDS
from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")
parquet: Any = Lazy("pyarrow.parquet")

SAMPLES, SAMPLE_CHARS = 3, 200
GUARD_SHARE = 0.5  # a rule that takes more of a source than that is more likely wrong for it than right
Told = Callable[[int], None]


@dataclass
class Found:
    """What one rule takes: how many documents, and some of them as (id, score, the text's beginning)."""

    rule: str
    version: str
    signal: str
    threshold: float
    dropped: int = 0
    samples: list[tuple[str, float, str]] = field(default_factory=list)


@dataclass
class Look:
    """What is in the files. dropped: documents that break any rule; pii: findings by kind; leaked: documents with runs
    of the benchmark's words; warnings: rules that take most of a file."""

    documents: int = 0
    bytes: int = 0
    dropped: int = 0
    rules: list[Found] = field(default_factory=list)
    languages: Counter[str] = field(default_factory=Counter)
    pii: Counter[str] = field(default_factory=Counter)
    pii_documents: int = 0
    leaked: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def scan(
    source: Source,
    sets: Iterable[rules.RuleSet],
    *,
    model: ByteModel | None = None,
    benchmark: Benchmark | None = None,
    told: Told | None = None,
) -> Look:
    """Read everything once and say what each rule would take; nothing is written."""
    sets = list(sets)
    look = Look()
    takes = [
        Found(f"{one.name}/{rule.rule}", one.stamp, rule.signal, bound)
        for one in sets
        for rule in one.rules
        for bound in (rule.least, rule.most)
        if bound is not None
    ]
    by_rule = {(one.rule, one.threshold): one for one in takes}
    by_file: Counter[tuple[str, Path]] = Counter()
    in_file: Counter[Path] = Counter()
    for batch in source.batches():
        found = profile(batch.texts, model=model, benchmark=benchmark)
        look.documents += len(batch.ids)
        in_file[batch.file] += len(batch.ids)
        look.bytes += int(found.field("bytes").to_numpy().sum())
        look.languages.update(languages(found)["language"].to_pylist())
        broken = rules.drops(found, sets)
        look.dropped += len(np.unique(broken["row"].to_numpy()))
        for row, rule, score, threshold in zip(*(broken[name].to_pylist() for name in
                                                 ("row", "rule", "score", "threshold")), strict=True):  # fmt: skip
            one = by_rule[rule, threshold]
            one.dropped += 1
            by_file[rule, batch.file] += 1
            if len(one.samples) < SAMPLES:
                one.samples.append((batch.ids[row], score, batch.texts[row].as_py()[:SAMPLE_CHARS]))
        for row in np.flatnonzero(pii.may_hold(found)).tolist():
            kinds = Counter(finding.kind for finding in pii.find(batch.texts[row].as_py()))
            look.pii.update(kinds)
            look.pii_documents += bool(kinds)
        look.leaked += [batch.ids[row] for row in np.flatnonzero(found.field("leak_runs").to_numpy())]
        if told is not None:
            told(look.documents)
    look.rules = list(by_rule.values())
    look.refused = list(source.refused)
    look.warnings = [
        f"{rule} takes {times} of {in_file[file]} documents of {file}: see whether it fits this source."
        for (rule, file), times in sorted(by_file.items()) if times > GUARD_SHARE * in_file[file]
    ]  # fmt: skip
    return look


@dataclass(frozen=True)
class Deduplicated:
    """read = kept + exact + near."""

    read: int
    kept: int
    exact: int
    near: int
    removals: Path
    refused: list[Refused]


def dedup(
    source: Source,
    out: Path,
    *,
    threshold: float = near.LEAST_SIMILARITY,
    model: ByteModel | None = None,
    told: Told | None = None,
) -> Deduplicated:
    """Write what is kept of each file into out/kept, and out/removals.parquet: for each document that goes its keeper.

    Of a group the document stays that `model` finds least surprising, then the one with the lowest id (compared as
    text), then the one read first. The texts are held on disk beside the output, not in memory: about 400 bytes a
    document are, its keys and its id among them. Raises Problem (INVALID) when the folder holds something.
    """
    if out.exists() and any(out.iterdir()):
        raise invalid("folder-not-empty", f"{out} is not empty.", place="out", remedy="Name a new folder.")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".texts-", dir=out) as folder:
        read = _Read(Path(folder) / "texts.arrow")
        for batch in source.batches():
            read.add(batch.file, batch.ids, batch.places, batch.texts, profile(batch.texts, model=model))
            if told is not None:
                told(len(read.ids))
        refused = list(source.refused)
        with read.texts() as texts:
            gone = read.duplicates(texts, threshold)
    _write_removals(read, gone, threshold, out / "removals.parquet")
    return Deduplicated(len(read.ids), _write_kept(source, read, gone, out / "kept"), int(gone.exact.sum()),
                        int((~gone.exact).sum()), out / "removals.parquet", refused)  # fmt: skip


class _Texts:
    """Texts by their number, from a file that is mapped into memory."""

    def __init__(self, path: Path, starts: I64) -> None:
        self._map = pa.memory_map(str(path))
        self._file = pa.ipc.open_file(self._map)
        self._starts = starts

    def __enter__(self) -> _Texts:
        return self

    def __exit__(self, *_: object) -> None:
        self._map.close()

    def __call__(self, rows: I64) -> Any:
        """The texts of ascending rows."""
        batch = np.searchsorted(self._starts, rows, side="right") - 1
        parts = [self._file.get_batch(int(one)).column(0).take(pa.array(rows[batch == one] - self._starts[one]))
                 for one in np.unique(batch)]  # fmt: skip
        return pa.chunked_array(parts, pa.large_string()) if parts else pa.array([], pa.large_string())


class _Read:
    """What is remembered of the documents while copies are looked for."""

    def __init__(self, path: Path) -> None:
        self._path, self._schema = path, pa.schema([("text", pa.large_string())])
        self._sink = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_file(self._sink, self._schema)
        self._starts: list[int] = []
        self.ids: list[str] = []
        self.files: list[Path] = []  # of each batch, as places
        self.places: list[I64] = []
        self._hashes: list[Any] = []
        self._bands: list[Any] = []
        self._quality: list[Any] = []

    def add(self, file: Path, ids: list[str], places: I64, texts: Any, found: Any) -> None:
        if not ids:
            return
        self._starts.append(len(self.ids))
        self._writer.write_batch(pa.record_batch([texts], schema=self._schema))
        self.ids += ids
        self.files.append(file)
        self.places.append(places)
        self._hashes.append(np.frombuffer(found.field("hash").buffers()[1], np.uint64).reshape(-1, 2))
        # half of a key: a chance meeting costs one comparison
        keys = found.field("bands").flatten().to_numpy().reshape(-1, BANDS)
        self._bands.append((keys >> np.uint64(32)).astype(np.uint32))
        bits = found.field("model_bits").to_numpy(zero_copy_only=False)
        self._quality.append(-np.nan_to_num(bits, nan=0.0))

    def file(self, row: int) -> Path:
        """Where a row stood."""
        return self.files[bisect.bisect_right(self._starts, row) - 1]

    def texts(self) -> _Texts:
        self._writer.close()
        self._sink.close()
        return _Texts(self._path, np.array(self._starts, np.int64))

    def duplicates(self, texts: _Texts, threshold: float) -> near.Removals:
        if not self.ids:
            none = np.zeros(0, np.int64)
            return near.Removals(none, none, np.zeros(0), np.zeros(0, np.bool_))
        order = np.argsort(np.array(self.ids), kind="stable")  # ids that are given twice: the one read first
        ranks = np.empty(len(order), np.int64)
        ranks[order] = np.arange(len(order))
        hashes, bands, quality = _poured(self._hashes), _poured(self._bands), _poured(self._quality)
        return near.duplicates(hashes, bands, quality.astype(np.float64), ranks, texts, threshold=threshold)


def _poured(parts: list[Any]) -> Any:
    """The parts in one array; each is given back as it is copied."""
    whole = np.empty((sum(map(len, parts)), *parts[0].shape[1:]), parts[0].dtype)
    end = len(whole)
    while parts:
        part = parts.pop()
        whole[end - len(part) : end] = part
        end -= len(part)
    return whole


def _write_removals(read: _Read, gone: near.Removals, threshold: float, path: Path) -> None:
    places = np.concatenate(read.places) if read.places else np.zeros(0, np.int64)
    rows, keepers = gone.row.tolist(), gone.keeper.tolist()
    table = pa.table({
        "id": pa.array([read.ids[row] for row in rows], pa.string()),
        "file": pa.array([str(read.file(row)) for row in rows], pa.string()),
        "place": pa.array(places[gone.row]),
        "rule": pa.array(["exact-duplicate" if exact else "near-duplicate" for exact in gone.exact], pa.string()),
        "version": pa.array([PROFILE_VERSION] * len(rows), pa.string()),
        "score": pa.array(gone.similarity),
        "threshold": pa.array(np.where(gone.exact, 1.0, threshold)),
        "keeper": pa.array([read.ids[row] for row in keepers], pa.string()),
        "keeper_file": pa.array([str(read.file(row)) for row in keepers], pa.string()),
        "keeper_place": pa.array(places[gone.keeper]),
        "similarity": pa.array(gone.similarity),
    })  # fmt: skip
    part = path.with_name(path.name + ".part")
    parquet.write_table(table, part)
    part.replace(path)


def _write_kept(source: Source, read: _Read, gone: near.Removals, folder: Path) -> int:
    folder.mkdir()
    stays = np.ones(len(read.ids), np.bool_)
    stays[gone.row] = False
    size = {file: int(places[-1]) + 1 for file, places in zip(read.files, read.places, strict=True)}
    kept = {file: np.zeros(size.get(file, 0), np.bool_) for file in source.files}
    start = 0
    for file, places in zip(read.files, read.places, strict=True):
        kept[file][places] = stays[start : start + len(places)]
        start += len(places)
    width = len(str(len(source.files)))
    total = 0
    for number, (path, mask) in enumerate(kept.items()):
        if mask.any():
            total += write_kept(path, folder / f"{number:0{width}d}-{path.name}", mask)
    return total
