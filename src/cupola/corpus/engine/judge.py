"""The first stage, unit by unit: read, profile, and hold each document against the rules. Texts that no rule takes lie
in one flat file, so that a comparison reads two texts and no more."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from cupola.corpus import bytemodel, leakage, linear, marks, pii, rules
from cupola.corpus.edits import VERSION
from cupola.corpus.engine.asked import Asked, asked_of
from cupola.corpus.engine.editing import EditedUnit, Overlay, Repeats, laid_over, ledger_schema
from cupola.corpus.engine.files import Folder, appearing, read_json, write_json
from cupola.corpus.engine.tables import Table
from cupola.corpus.engine.units import Columns, Documents, Reader, Rows
from cupola.corpus.language import UNKNOWN, languages
from cupola.corpus.profile import PROFILE_VERSION, Benchmark, buffers, profile
from cupola.corpus.readers import Refused
from cupola.corpus.recipe import Loaded
from cupola.corpus.shingles import BANDS
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")

BAND_COLUMNS = tuple(f"band_{n:02d}" for n in range(BANDS))


class Task(msgspec.Struct, frozen=True):
    """A unit of a run."""

    root: str
    unit: int


class Judged(msgspec.Struct, frozen=True):
    """What a unit holds. taken: source → rule → documents that break it; gone: documents that break any, by source;
    read: documents by source; edits: documents from which something was cut that others keep."""

    unit: int
    read: dict[str, int]
    gone: dict[str, int]
    taken: dict[str, dict[str, int]]
    languages: dict[str, int]
    text_bytes: int
    refused: list[Refused]
    refusals: int
    digest: str
    edits: dict[str, int] = {}


@functools.lru_cache(maxsize=2)
def _tools(root: str) -> Tools:
    return tools_of(asked_of(root).recipe)


@dataclass(frozen=True)
class Tools:
    """What a profile is made with besides the text."""

    model: bytemodel.ByteModel | None
    benchmark: Benchmark | None
    learned: linear.Linear | None
    marks: tuple[str, ...]
    han: bool

    def profile(self, texts: Any) -> Any:
        """The profile of an Arrow array of texts, with the marks that the rules ask for."""
        found = profile(texts, model=self.model, benchmark=self.benchmark, learned=self.learned, han=self.han)
        return marks.added(found, texts, self.marks)


def tools_of(loaded: Loaded) -> Tools:
    """The models and the benchmark that a recipe names."""
    recipe, items = loaded.recipe, None
    model = None if recipe.model is None else bytemodel.ByteModel.load(loaded.path(recipe.model))
    if recipe.benchmark is not None:
        source = Documents([loaded.path(recipe.benchmark.file)], Columns(recipe.benchmark.text))
        items = leakage.benchmark([one for batch in source.batches() for one in batch.texts.to_pylist()],
                                  recipe.benchmark.run)  # fmt: skip
    learned = None if recipe.learned is None else linear.Linear.load(loaded.path(recipe.learned))
    return Tools(model, items, learned, rules.marks_of(loaded.sets), recipe.fold_han)


def judge(task: Task) -> Judged:
    """Judge a unit, or say again what was found when it was judged before."""
    folder = Folder(Path(task.root))
    if (done := read_json(folder.judged(task.unit, ".json"), Judged)) is not None:
        return done
    asked = asked_of(task.root)
    recipe = asked.recipe.recipe
    reader = Reader(asked.units[task.unit], asked.columns)
    sums = _Sums()
    over = Overlay(folder, task.unit)
    repeats = Repeats(task.root) if recipe.repeated is not None else None
    with appearing(folder.judged(task.unit, ".texts")) as texts_at, texts_at.open("wb") as texts, \
         Table(folder.judged(task.unit, ".parquet")) as columns, \
         Table(folder.judged(task.unit, ".broken")) as broken, \
         Table(folder.judged(task.unit, ".ledger"), ledger_schema()) as ledger:  # fmt: skip
        read = 0
        nothing = Rows([], pa.array([], pa.large_string()), np.zeros(0, np.int64), [], [], [])
        for rows in itertools.chain([nothing], reader.batches()):  # a unit without documents has its columns too
            changed = over.take(read, len(rows))
            final = laid_over(rows.texts, changed)
            if repeats is not None and len(rows):
                gone, told = repeats(rows, final, read)
                ledger.add_rows(told)
                sums.edits.update(one["edit"] for one in told)
                final = laid_over(final, gone)
                changed |= gone
            table, drops = _batch(asked, task.root, rows, final, changed, read, sums, texts)
            columns.add(table)
            broken.add(drops)
            read += len(rows)
    if (edited := read_json(folder.edited(task.unit, ".json"), EditedUnit)) is not None:
        reader.check(edited.digest)
    summary = Judged(
        task.unit, dict(sums.read), dict(sums.gone), {source: dict(some) for source, some in sums.taken.items()},
        dict(sums.languages), sums.bytes, reader.refused, reader.refusals, reader.digest,
        dict(sorted(sums.edits.items())),
    )  # fmt: skip
    write_json(folder.judged(task.unit, ".json"), summary)
    return summary


class _Sums:
    def __init__(self) -> None:
        self.read: Counter[str] = Counter()
        self.gone: Counter[str] = Counter()
        self.taken: dict[str, Counter[str]] = {}
        self.languages: Counter[str] = Counter()
        self.edits: Counter[str] = Counter()
        self.bytes = 0
        self.at = 0  # bytes of texts written


def _batch(
    asked: Asked, root: str, rows: Rows, final: Any, changed: dict[int, str], before: int, sums: _Sums, texts: Any
) -> tuple[Any, Any]:
    """Columns and broken rules of a batch; final: its texts as they are judged, of which some were changed."""
    found = _tools(root).profile(final)
    told = languages(found)
    edited = np.zeros(len(rows), np.bool_)
    edited[list(changed)] = True
    broken = judged(asked.recipe, found, told, edited)
    gone = np.unique(broken["row"].to_numpy())
    stays = np.ones(len(rows), np.bool_)
    stays[gone] = False
    sums.read.update(rows.sources)
    sums.gone.update(rows.sources[row] for row in gone.tolist())
    for row, rule in zip(broken["row"].to_pylist(), broken["rule"].to_pylist(), strict=True):
        sums.taken.setdefault(rows.sources[row], Counter())[rule] += 1
    sums.languages.update(told["language"].to_pylist())
    kept = final.filter(pa.array(stays))
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
        "edited": pa.array(edited),
        "may_hold": pa.array(pii.may_hold(found)),
        "quality": pa.array(-bits),
        "text_at": pa.array(starts),
        "text_bytes": pa.array(sizes),
        **{name: pa.array(np.ascontiguousarray(keys[:, n])) for n, name in enumerate(BAND_COLUMNS)},
    })  # fmt: skip
    return table, broken.set_column(0, "row", pa.array(broken["row"].to_numpy() + before))


def judged(loaded: Loaded, found: Any, told: Any, edited: npt.NDArray[np.bool_] | None = None) -> Any:
    """What a recipe's rules take of profiled documents, as `rules.drops` tells it: first those of which edits left
    nothing (edited bool[n]), then its languages, what it has learned, and its rules."""
    broken = rules.drops(found, loaded.sets)
    recipe = loaded.recipe
    if recipe.learned is not None:
        broken = _first(_polluted(found, loaded.digests[recipe.learned]), broken)
    if recipe.languages:
        broken = _first(_foreign(told, recipe.languages), broken)
    if edited is not None and edited.any():
        words = found.field("words").to_numpy() + found.field("singles").to_numpy()
        rows = np.flatnonzero(edited & (words == 0))
        broken = _first(_broken(rows, ["edits/nothing-left"] * len(rows), f"edits@{VERSION}", "words",
                                np.zeros(len(rows)), 1), broken)  # fmt: skip
    return broken


def _foreign(told: Any, wanted: tuple[str, ...]) -> Any:
    language = told["language"].to_numpy(zero_copy_only=False)
    other = np.flatnonzero(~np.isin(language, (*wanted, UNKNOWN)))
    share = told["language_share"].to_numpy()[other]
    return _broken(other, [f"language/{one}" for one in language[other]], f"languages@{PROFILE_VERSION}",
                   "language_share", share, 0)  # fmt: skip


def _polluted(found: Any, digest: str) -> Any:
    odds = found.field("pollution").to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(odds > 0)
    return _broken(rows, ["learned/pollution"] * len(rows), f"learned@{digest[:16]}", "pollution", odds[rows], 0)


def _broken(rows: Any, names: list[str], version: str, signal: str, scores: Any, threshold: float) -> Any:
    return pa.table({
        "row": pa.array(rows),
        "rule": pa.array(names, pa.string()),
        "version": pa.array([version] * len(rows), pa.string()),
        "signal": pa.array([signal] * len(rows), pa.string()),
        "score": pa.array(scores, pa.float64()),
        "threshold": pa.array(np.full(len(rows), float(threshold))),
    })  # fmt: skip


def _first(some: Any, others: Any) -> Any:
    """Both, by row, and in a row these first."""
    both = pa.concat_tables([some, others])
    return both.take(pa.array(np.argsort(both["row"].to_numpy(), kind="stable")))
