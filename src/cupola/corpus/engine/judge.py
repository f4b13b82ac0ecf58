"""The first stage, unit by unit: read, profile, and hold each document against the rules. Texts that no rule takes lie
in one flat file, so that a comparison reads two texts and no more."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from cupola.corpus import bytemodel, leakage, linear, pii, rules
from cupola.corpus.engine.files import Folder, appearing, read_json, write_json
from cupola.corpus.engine.units import Columns, Reader, Rows, Unit
from cupola.corpus.language import UNKNOWN, languages
from cupola.corpus.profile import PROFILE_VERSION, Benchmark, buffers, profile
from cupola.corpus.readers import Refused, Source
from cupola.corpus.recipe import Loaded
from cupola.corpus.shingles import BANDS
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")
parquet: Any = Lazy("pyarrow.parquet")

BAND_COLUMNS = tuple(f"band_{n:02d}" for n in range(BANDS))
_TABLE_ROWS = 1 << 16


class Asked(msgspec.Struct, frozen=True):
    """All that decides a run's outcome, as `run.json` holds it."""

    recipe: Loaded
    columns: Columns
    units: tuple[Unit, ...]
    profile: str = PROFILE_VERSION


class Task(msgspec.Struct, frozen=True):
    """A unit of a run."""

    root: str
    unit: int


class Judged(msgspec.Struct, frozen=True):
    """What a unit holds. taken: source → rule → documents that break it; gone: documents that break any, by source;
    read: documents by source."""

    unit: int
    read: dict[str, int]
    gone: dict[str, int]
    taken: dict[str, dict[str, int]]
    languages: dict[str, int]
    text_bytes: int
    refused: list[Refused]
    refusals: int
    digest: str


@functools.lru_cache(maxsize=2)
def asked_of(root: str) -> Asked:
    """What a run was asked for, read once in each process."""
    found = read_json(Folder(Path(root)).run, Asked)
    assert found is not None
    return found


@functools.lru_cache(maxsize=2)
def _tools(root: str) -> Tools:
    return tools_of(asked_of(root).recipe)


class Tools(NamedTuple):
    """What a profile is made with besides the text; `profile` knows them by these names."""

    model: bytemodel.ByteModel | None
    benchmark: Benchmark | None
    learned: linear.Linear | None


def tools_of(loaded: Loaded) -> Tools:
    """The models and the benchmark that a recipe names."""
    recipe, items = loaded.recipe, None
    model = None if recipe.model is None else bytemodel.ByteModel.load(loaded.path(recipe.model))
    if recipe.benchmark is not None:
        source = Source([loaded.path(recipe.benchmark.file)], recipe.benchmark.text)
        items = leakage.benchmark([one for batch in source.batches() for one in batch.texts.to_pylist()],
                                  recipe.benchmark.run)  # fmt: skip
    learned = None if recipe.learned is None else linear.Linear.load(loaded.path(recipe.learned))
    return Tools(model, items, learned)


def judge(task: Task) -> Judged:
    """Judge a unit, or say again what was found when it was judged before."""
    folder = Folder(Path(task.root))
    if (done := read_json(folder.judged(task.unit, ".json"), Judged)) is not None:
        return done
    asked = asked_of(task.root)
    reader = Reader(asked.units[task.unit], asked.columns)
    sums = _Sums()
    with appearing(folder.judged(task.unit, ".texts")) as texts_at, \
         appearing(folder.judged(task.unit, ".parquet")) as columns_at, \
         appearing(folder.judged(task.unit, ".broken")) as broken_at, \
         texts_at.open("wb") as texts, _Writer(columns_at) as columns, _Writer(broken_at) as broken:  # fmt: skip
        read = 0
        nothing = Rows([], pa.array([], pa.large_string()), np.zeros(0, np.int64), [], [], [])
        for rows in itertools.chain([nothing], reader.batches()):  # a unit without documents has its columns too
            table, drops = _batch(asked, task.root, rows, read, sums, texts)
            columns.add(table)
            broken.add(drops)
            read += len(rows)
    summary = Judged(
        task.unit, dict(sums.read), dict(sums.gone), {source: dict(some) for source, some in sums.taken.items()},
        dict(sums.languages), sums.bytes, reader.refused, reader.refusals, reader.digest,
    )  # fmt: skip
    write_json(folder.judged(task.unit, ".json"), summary)
    return summary


class _Sums:
    def __init__(self) -> None:
        self.read: Counter[str] = Counter()
        self.gone: Counter[str] = Counter()
        self.taken: dict[str, Counter[str]] = {}
        self.languages: Counter[str] = Counter()
        self.bytes = 0
        self.at = 0  # bytes of texts written


class _Writer:
    """A Parquet file in row groups of a size that does not depend on how the rows come."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None
        self._held: list[Any] = []
        self._rows = 0

    def __enter__(self) -> _Writer:
        return self

    def add(self, table: Any) -> None:
        if self._writer is None:
            self._writer = parquet.ParquetWriter(self._path, table.schema, compression="lz4", use_dictionary=["source"])
        self._held.append(table)
        self._rows += len(table)
        if self._rows >= _TABLE_ROWS:
            self._pour()

    def _pour(self) -> None:
        self._writer.write_table(pa.concat_tables(self._held), row_group_size=_TABLE_ROWS)
        self._held, self._rows = [], 0

    def __exit__(self, *_: object) -> None:
        if self._held:
            self._pour()
        if self._writer is not None:
            self._writer.close()


def _batch(asked: Asked, root: str, rows: Rows, before: int, sums: _Sums, texts: Any) -> tuple[Any, Any]:
    found = profile(rows.texts, **_tools(root)._asdict())
    told = languages(found)
    broken = judged(asked.recipe, found, told)
    gone = np.unique(broken["row"].to_numpy())
    stays = np.ones(len(rows), np.bool_)
    stays[gone] = False
    sums.read.update(rows.sources)
    sums.gone.update(rows.sources[row] for row in gone.tolist())
    for row, rule in zip(broken["row"].to_pylist(), broken["rule"].to_pylist(), strict=True):
        sums.taken.setdefault(rows.sources[row], Counter())[rule] += 1
    sums.languages.update(told["language"].to_pylist())
    kept = rows.texts.filter(pa.array(stays))
    data, offsets = buffers(kept)
    texts.write(data[offsets[0] : offsets[-1]])
    sizes = np.zeros(len(rows), np.int64)
    sizes[stays] = np.diff(offsets)
    starts = sums.at + np.cumsum(sizes) - sizes
    sums.at += int(sizes.sum())
    bytes_ = found.field("bytes")
    sums.bytes += int(bytes_.to_numpy().sum())
    bits = np.nan_to_num(found.field("model_bits").to_numpy(zero_copy_only=False), nan=0.0)
    keys = (found.field("bands").flatten().to_numpy().reshape(-1, BANDS) >> np.uint64(32)).astype(np.uint32)
    table = pa.table({
        "id": pa.array(rows.ids, pa.large_string()),
        "source": pa.array(rows.sources, pa.large_string()),
        "file": pa.array(rows.files, pa.large_string()),
        "place": pa.array(rows.places),
        "stays": pa.array(stays),
        "hash": found.field("hash"),
        "bytes": bytes_,
        "words": pa.array(found.field("words").to_numpy() + found.field("singles").to_numpy()),
        "language": told["language"],
        "model_bits": found.field("model_bits"),
        "may_hold": pa.array(pii.may_hold(found)),
        "quality": pa.array(-bits),
        "text_at": pa.array(starts),
        "text_bytes": pa.array(sizes),
        **{name: pa.array(np.ascontiguousarray(keys[:, n])) for n, name in enumerate(BAND_COLUMNS)},
    })  # fmt: skip
    return table, broken.set_column(0, "row", pa.array(broken["row"].to_numpy() + before))


def judged(loaded: Loaded, found: Any, told: Any) -> Any:
    """What a recipe's rules take of profiled documents, as `rules.drops` tells it, its languages first."""
    broken = rules.drops(found, loaded.sets)
    recipe = loaded.recipe
    if recipe.learned is not None:
        broken = _first(_polluted(found, loaded.digests[recipe.learned]), broken)
    if not recipe.languages:
        return broken
    language = told["language"].to_numpy(zero_copy_only=False)
    other = np.flatnonzero(~np.isin(language, (*recipe.languages, UNKNOWN)))
    share = told["language_share"].to_numpy()[other]
    foreign = pa.table({
        "row": pa.array(other),
        "rule": pa.array([f"language/{one}" for one in language[other]], pa.string()),
        "version": pa.array([f"languages@{PROFILE_VERSION}"] * len(other), pa.string()),
        "signal": pa.array(["language_share"] * len(other), pa.string()),
        "score": pa.array(share, pa.float64()),
        "threshold": pa.array(np.zeros(len(other))),
    })  # fmt: skip
    return _first(foreign, broken)


def _polluted(found: Any, digest: str) -> Any:
    odds = found.field("pollution").to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(odds > 0)
    return pa.table({
        "row": pa.array(rows),
        "rule": pa.array(["learned/pollution"] * len(rows), pa.string()),
        "version": pa.array([f"learned@{digest[:16]}"] * len(rows), pa.string()),
        "signal": pa.array(["pollution"] * len(rows), pa.string()),
        "score": pa.array(odds[rows], pa.float64()),
        "threshold": pa.array(np.zeros(len(rows))),
    })  # fmt: skip


def _first(some: Any, others: Any) -> Any:
    """Both, by row, and in a row these first."""
    both = pa.concat_tables([some, others])
    return both.take(pa.array(np.argsort(both["row"].to_numpy(), kind="stable")))
