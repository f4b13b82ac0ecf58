"""The second stage: which documents are copies, among those that no rule took, and who stays of each group.

The columns are read a band at a time, so that a document costs some tens of bytes. What shares keys falls apart into
groups that have nothing to do with each other: these are compared by whoever is free, from the flat files of texts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from cupola.corpus.engine.asked import Asked
from cupola.corpus.engine.distribute import Engine
from cupola.corpus.engine.files import Folder, appearing
from cupola.corpus.engine.judge import BAND_COLUMNS
from cupola.corpus.near import I64, edges_of_band, joined_pairs, twins_of
from cupola.corpus.recipe import Recipe
from cupola.kernel.errors import Kind, Problem
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")
compute: Any = Lazy("pyarrow.compute")
parquet: Any = Lazy("pyarrow.parquet")
csgraph: Any = Lazy("scipy.sparse.csgraph")
sparse: Any = Lazy("scipy.sparse")

TASK_EDGES = 20_000
_SHINGLES_HELD = 1 << 23  # 64 MB in each process
_MOST = 1 << 32  # two numbers of documents are one key of 64 bits
_HASH_PASS_BYTES = 64  # a document, while those of equal hash are looked for


class Copies(msgspec.Struct, frozen=True):
    """row, keeper: numbers of documents, in the order in which the units hold them; rows ascend."""

    rows: int
    exact: int
    near: int


class CompareTask(msgspec.Struct, frozen=True):
    """Groups to be compared: a file of theirs in the run's folder."""

    root: str
    number: int
    threshold: float
    han: bool = False


def find(asked: Asked, folder: Folder, engine: Engine, memory_bytes: int) -> Iterator[tuple[int, int]]:
    """Find copies and leave what goes in `copies.parquet`; says how many tasks of how many are done."""
    done = folder.work / "copies.parquet"
    if done.exists():
        return
    columns = _Columns(asked, folder)
    rows = columns.ranked()
    twins = _twins(columns, rows, memory_bytes)
    recipe = asked.recipe.recipe
    joined: list[npt.NDArray[np.float64]] = []
    if recipe.near is not None:
        edges = _edges(columns, rows, np.flatnonzero(twins < 0))
        tasks = _tasks(edges, columns, rows, folder, recipe)
        for n, _ in enumerate(engine.each(compare, tasks), 1):
            yield n, len(tasks)
        joined = [np.load(folder.copies / f"{task.number:06d}.joined.npy") for task in tasks]
    _write(done, columns, rows, twins, joined)


class _Columns:
    """Columns of the documents that no rule took, from the units' files; where each stands among all."""

    def __init__(self, asked: Asked, folder: Folder) -> None:
        self._paths = [folder.judged(unit.number, ".parquet") for unit in asked.units]
        sizes, stays = [], []
        for path in self._paths:
            here = parquet.read_table(path, columns=["stays"])["stays"].to_numpy()
            stays.append(here)
            sizes.append(len(here))
        self.starts = np.cumsum([0, *sizes]).astype(np.int64)
        self._stays = stays
        self.rows = np.flatnonzero(np.concatenate(stays)) if stays else np.zeros(0, np.int64)
        if self.starts[-1] >= _MOST:
            raise Problem(Kind.TOO_LARGE, "too-many-documents", f"{self.starts[-1]} documents are more than one run "
                          "can compare.", remedy="Divide the corpus.")  # fmt: skip

    def arrow(self, name: str) -> Any:
        """A column, chunked."""
        parts = [parquet.read_table(path, columns=[name])[name].filter(pa.array(stays))
                 for path, stays in zip(self._paths, self._stays, strict=True)]  # fmt: skip
        return pa.chunked_array([chunk for part in parts for chunk in part.chunks], parts[0].type)

    def array(self, name: str, dtype: Any) -> npt.NDArray[Any]:
        """A column of numbers."""
        out = np.empty(len(self.rows), dtype)
        at = 0
        for path, stays in zip(self._paths, self._stays, strict=True):
            here = parquet.read_table(path, columns=[name])[name].to_numpy()[stays]
            out[at : at + len(here)] = here
            at += len(here)
        return out

    def some(self, name: str, rows: I64) -> Any:
        """A column of documents by their numbers, which ascend."""
        parts = []
        for n, path in enumerate(self._paths):
            here = rows[np.searchsorted(rows, self.starts[n]) : np.searchsorted(rows, self.starts[n + 1])]
            if len(here) or not n:
                column = parquet.read_table(path, columns=[name])[name]
                parts.append(column.take(pa.array(here - self.starts[n])).combine_chunks())
        return pa.concat_arrays(parts)

    def hashes(self, one: int, of: int) -> tuple[I64, npt.NDArray[np.uint64]]:
        """The documents whose hash falls into part `one` of `of`: where they stand, and their hashes uint64[n, 2]."""
        where, found, at = [], [], 0
        for path, stays in zip(self._paths, self._stays, strict=True):
            column = parquet.read_table(path, columns=["hash"])["hash"].combine_chunks()
            here = np.frombuffer(column.buffers()[1], np.uint64).reshape(-1, 2)[column.offset :][: len(column)][stays]
            mine = np.flatnonzero(here[:, 0] % np.uint64(of) == one)
            where.append(mine + at)
            found.append(here[mine])
            at += len(here)
        return np.concatenate(where), np.concatenate(found)

    def ranked(self) -> I64:
        """rank → place: the best quality first, then the lowest id, then the one that is read first."""
        table = pa.table({"quality": pa.chunked_array([pa.array(self.array("quality", np.float64))]),
                          "id": self.arrow("id")}) if len(self.rows) else None  # fmt: skip
        if table is None:
            return np.zeros(0, np.int64)
        order: I64 = compute.sort_indices(
            table, sort_keys=[("quality", "descending"), ("id", "ascending")]
        ).to_numpy().astype(np.int64)  # fmt: skip
        return order


def _twins(columns: _Columns, rows: I64, memory_bytes: int) -> I64:
    """For each rank the best rank of the same hash, -1 for the best itself; in as many passes as the memory asks."""
    n = len(rows)
    twins = np.full(n, -1, np.int64)
    rank = np.empty(n, np.int64)
    rank[rows] = np.arange(n)
    passes = 1 + _HASH_PASS_BYTES * n // max(memory_bytes // 4, 1 << 20)
    for one in range(passes if n else 0):
        where, hashes = columns.hashes(one, passes)
        order = np.argsort(rank[where])
        ranks, found = rank[where][order], twins_of(hashes[order])
        again = np.flatnonzero(found >= 0)
        twins[ranks[again]] = ranks[found[again]]
    return twins


def _edges(columns: _Columns, rows: I64, kept: I64) -> npt.NDArray[np.uint64]:
    """uint64[m], ascending: better << 32 | worse."""
    edges = np.zeros(0, np.uint64)
    if not len(kept):
        return edges
    with_words = columns.array("words", np.int64)[rows[kept]] > 0
    kept = kept[with_words]
    for name in BAND_COLUMNS:
        pairs = edges_of_band(columns.array(name, np.uint32)[rows[kept]], kept).astype(np.uint64)
        edges = np.union1d(edges, pairs[:, 0] << np.uint64(32) | pairs[:, 1])
    return edges


def _tasks(
    edges: npt.NDArray[np.uint64], columns: _Columns, rows: I64, folder: Folder, recipe: Recipe
) -> list[CompareTask]:
    """Whole groups by `TASK_EDGES` and more, each with where its texts lie, in files."""
    if not len(edges) or recipe.near is None:
        return []
    pairs = np.stack((edges >> np.uint64(32), edges & np.uint64(0xFFFFFFFF)), 1).astype(np.int64)
    nodes, local = np.unique(pairs, return_inverse=True)
    local = local.reshape(-1, 2)
    graph = sparse.coo_array((np.ones(len(local), np.int8), (local[:, 0], local[:, 1])), (len(nodes), len(nodes)))
    _, label = csgraph.connected_components(graph, directed=False)
    lowest = np.full(label.max() + 1, len(nodes), np.int64)
    np.minimum.at(lowest, label, np.arange(len(nodes)))
    group = lowest[label[local[:, 0]]]  # a group is called by its best member: whatever numbers scipy gave
    order = np.argsort(group, kind="stable")
    pairs, group = pairs[order], group[order]
    text_at, text_bytes = columns.array("text_at", np.int64), columns.array("text_bytes", np.int64)
    begins = np.flatnonzero(np.concatenate(([True], group[1:] != group[:-1])))
    tasks: list[CompareTask] = []
    start = 0
    while start < len(pairs):
        after = np.searchsorted(begins, start + TASK_EDGES)
        end = int(begins[after]) if after < len(begins) else len(pairs)
        task = CompareTask(str(folder.root), len(tasks), recipe.near, recipe.fold_han)
        ranks = np.unique(pairs[start:end])
        places = rows[ranks]
        read = columns.rows[places]
        unit = np.searchsorted(columns.starts, read, side="right") - 1
        with appearing(folder.copies / f"{task.number:06d}.groups.npz") as part, part.open("wb") as file:
            np.savez(file, edges=np.searchsorted(ranks, pairs[start:end]), ranks=ranks, unit=unit,
                     text_at=text_at[places], text_bytes=text_bytes[places])  # fmt: skip
        tasks.append(task)
        start = end
    return tasks


def compare(task: CompareTask) -> int:
    """Compare the documents of a task's groups; leaves float64[n, 3]: rank, keeper's rank, similarity."""
    folder = Folder(Path(task.root))
    out = folder.copies / f"{task.number:06d}.joined.npy"
    if out.exists():
        return task.number
    with np.load(folder.copies / f"{task.number:06d}.groups.npz") as kept:
        edges, ranks, unit = kept["edges"], kept["ranks"], kept["unit"]
        at, size = kept["text_at"], kept["text_bytes"]
    files: dict[int, int] = {}

    def texts(wanted: I64) -> Any:
        read = []
        for n in wanted.tolist():
            if unit[n] not in files:
                files[unit[n]] = os.open(folder.judged(int(unit[n]), ".texts"), os.O_RDONLY)
            read.append(os.pread(files[unit[n]], int(size[n]), int(at[n])))
        return pa.array(read, pa.large_binary())

    try:
        joined = joined_pairs(edges, texts, np.arange(len(ranks)), task.threshold, _SHINGLES_HELD, han=task.han)
    finally:
        for handle in files.values():
            os.close(handle)
    table = [(float(ranks[one]), float(ranks[keeper]), similarity)
             for one, (keeper, similarity) in sorted(joined.items())]  # fmt: skip
    with appearing(out) as part, part.open("wb") as file:
        np.save(file, np.array(table, np.float64).reshape(-1, 3))
    return task.number


def _write(path: Path, columns: _Columns, rows: I64, twins: I64, joined: list[npt.NDArray[np.float64]]) -> None:
    """Documents that go: their numbers, their keepers', how similar, and whether the two are one text."""
    n = len(rows)
    keeper, similarity = np.full(n, -1, np.int64), np.ones(n)
    for some in joined:
        keeper[some[:, 0].astype(np.int64)] = some[:, 1].astype(np.int64)
        similarity[some[:, 0].astype(np.int64)] = some[:, 2]
    # the twin of one that goes has that one's keeper
    again = np.flatnonzero(twins >= 0)
    first = twins[again]
    exact = np.zeros(n, np.bool_)
    exact[again] = keeper[first] < 0
    keeper[again] = np.where(keeper[first] < 0, first, keeper[first])
    similarity[again] = similarity[first]
    gone = np.flatnonzero(keeper >= 0)
    row = columns.rows[rows[gone]]
    order = np.argsort(row)
    kept = columns.rows[rows[keeper[gone]]][order]
    ids, files, places = _named(columns, kept)
    table = pa.table({
        "row": pa.array(row[order]), "keeper_row": pa.array(kept), "similarity": pa.array(similarity[gone][order]),
        "exact": pa.array(exact[gone][order]), "keeper": ids, "keeper_file": files, "keeper_place": places,
    })  # fmt: skip
    with appearing(path) as part:
        parquet.write_table(table, part, compression="lz4", row_group_size=1 << 16)


def _named(columns: _Columns, rows: I64) -> tuple[Any, Any, Any]:
    """Ids, files and places of documents by their numbers, one for each; a unit at a time."""
    unique, back = np.unique(rows, return_inverse=True)
    which = pa.array(back)
    return (columns.some("id", unique).take(which), columns.some("file", unique).take(which),
            columns.some("place", unique).take(which))  # fmt: skip
