"""The stage before judging, for recipes that change texts: edits, unit by unit, and what stands in several documents.

What an edit did lies in a file of the unit: the new text, and a row for the ledger of edits. The texts of the input are
read again by the later stages and these laid over them, so that the work is done once.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cupola.corpus import edits, repeats
from cupola.corpus.edits.base import cut
from cupola.corpus.engine.asked import asked_of
from cupola.corpus.engine.distribute import Engine
from cupola.corpus.engine.files import Folder, appearing, read_json, write_json
from cupola.corpus.engine.tables import Table
from cupola.corpus.engine.units import Reader, Rows
from cupola.corpus.profile import lines_of, words_of
from cupola.corpus.readers import Refused
from cupola.corpus.repeats import Pairs
from cupola.kernel.errors import Problem
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")
compute: Any = Lazy("pyarrow.compute")
parquet: Any = Lazy("pyarrow.parquet")

SAYS, SAYS_CHARS = 3, 200
_PAIR_BYTES = 64  # a line or run, while equal ones are looked for
LINES, MARKS, RUNS = "lines", "marks", "runs"


class EditTask(msgspec.Struct, frozen=True):
    """A unit of a run."""

    root: str
    unit: int


class EditedUnit(msgspec.Struct, frozen=True):
    """edits: how many documents each changed; digest: of the unit as it was read."""

    unit: int
    documents: int
    edits: dict[str, int]
    refused: list[Refused]
    digest: str


def texts_schema() -> Any:
    return pa.schema([("row", pa.int64()), ("text", pa.large_string())])


def ledger_schema() -> Any:
    """Of the ledger of edits: the document, the edit and its version, bytes before and after, what was cut (in code
    points of the text that the edit found), and how the first pieces of that begin."""
    span = pa.struct([("start", pa.int64()), ("end", pa.int64())])
    return pa.schema([
        ("row", pa.int64()), ("id", pa.large_string()), ("source", pa.large_string()), ("file", pa.large_string()),
        ("place", pa.int64()), ("edit", pa.string()), ("version", pa.string()), ("bytes_before", pa.int64()),
        ("bytes_after", pa.int64()), ("cuts", pa.list_(span)), ("says", pa.list_(pa.string())),
    ])  # fmt: skip


class Edits:
    """The edits of a recipe, and what they did to a batch: `ledger`, rows as `ledger_schema` has them."""

    def __init__(self, some: Sequence[edits.Edit]) -> None:
        self._edits = [(edits.name_of(one), f"{edits.name_of(one)}@{edits.VERSION}", one) for one in some]
        self.counts: Counter[str] = Counter()
        self.refused: list[Refused] = []

    def __call__(self, rows: Rows, before: int) -> tuple[dict[int, str], list[dict[str, Any]]]:
        """row → its new text, and rows of the ledger; before: how many rows came before this batch."""
        changed: dict[int, str] = {}
        told: list[dict[str, Any]] = []
        for row in range(len(rows) if self._edits else 0):
            first = text = bytes(rows.texts[row].as_buffer() or b"").decode("utf-8", "replace")
            for name, version, edit in self._edits:
                try:
                    found = edit.apply(text)
                except Problem:
                    raise
                except Exception as error:  # a page can break any parser: it is told, and stays as it is
                    place, reason = f"{rows.files[row]} at {rows.places[row]}", f"the edit {name} failed: {error}"
                    self.refused.append(Refused(place, reason, "The text stays as it was."))
                    continue
                if found is None or found.text == text:
                    continue
                told.append(ledger_row(rows, row, before, name, version, text, found))
                self.counts[name] += 1
                text = found.text
            if text != first:
                changed[row] = text
        return changed, told


def ledger_row(
    rows: Rows, row: int, before: int, name: str, version: str, text: str, found: edits.Edited
) -> dict[str, Any]:
    """What the ledger says of an edit of a document."""
    says = [" ".join(text[start:end].split())[:SAYS_CHARS] for start, end in found.cuts[:SAYS]]
    return {
        "row": before + row, "id": rows.ids[row], "source": rows.sources[row], "file": rows.files[row],
        "place": int(rows.places[row]), "edit": name, "version": version,
        "bytes_before": len(text.encode("utf-8", "replace")), "bytes_after": len(found.text.encode("utf-8", "replace")),
        "cuts": [{"start": start, "end": end} for start, end in found.cuts],
        "says": [one.encode("utf-8", "replace").decode() for one in says],
    }  # fmt: skip


def laid_over(texts: Any, changed: dict[int, str]) -> Any:
    """An Arrow array of texts with some of them replaced."""
    if not changed:
        return texts
    mask = np.zeros(len(texts), np.bool_)
    mask[list(changed)] = True
    some = [changed[row].encode("utf-8", "replace").decode() for row in sorted(changed)]
    made = compute.replace_with_mask(texts, pa.array(mask), pa.array(some, pa.large_string()))
    return pa.concat_arrays([made])


def edit(task: EditTask) -> EditedUnit:
    """Edit a unit, or say again what was done."""
    folder = Folder(Path(task.root))
    if (done := read_json(folder.edited(task.unit, ".json"), EditedUnit)) is not None:
        return done
    asked = asked_of(str(folder.root))
    recipe = asked.recipe.recipe
    reader = Reader(asked.units[task.unit], asked.columns)
    apply = Edits(recipe.edits)
    pairs: dict[str, list[Pairs]] = {LINES: [], MARKS: []}
    with Table(folder.edited(task.unit, ".parquet"), texts_schema()) as texts_out, \
         Table(folder.edited(task.unit, ".ledger"), ledger_schema()) as ledger_out:  # fmt: skip
        for rows in reader.batches():
            before = reader.documents - len(rows)
            changed, told = apply(rows, before)
            texts_out.add_rows([{"row": before + row, "text": text.encode("utf-8", "replace").decode()}
                                for row, text in sorted(changed.items())])  # fmt: skip
            ledger_out.add_rows(told)
            if recipe.repeated is None:
                continue
            texts = laid_over(rows.texts, changed)
            if recipe.repeated.lines:
                pairs[LINES].append(repeats.line_pairs(texts, rows.ids, recipe.repeated.least_chars))
            if recipe.repeated.runs is not None:
                pairs[MARKS].append(repeats.mark_pairs(texts, rows.ids, recipe.repeated.runs))
    for kind, some in pairs.items():
        if some:
            _save(folder.edited(task.unit, f".{kind}.npy"), some)
    summary = EditedUnit(task.unit, reader.documents, dict(sorted(apply.counts.items())), apply.refused[:1000],
                         reader.digest)  # fmt: skip
    write_json(folder.edited(task.unit, ".json"), summary)
    return summary


def _save(path: Path, some: list[Pairs]) -> None:
    keys, whose = repeats.distinct(np.concatenate([one[0] for one in some]), np.concatenate([one[1] for one in some]))
    with appearing(path) as part, part.open("wb") as file:
        np.save(file, np.stack((keys, whose)))


def mark(task: EditTask) -> int:
    """Leave the runs of a unit that may stand in several documents."""
    folder = Folder(Path(task.root))
    out = folder.edited(task.unit, f".{RUNS}.npy")
    if out.exists():
        return task.unit
    asked = asked_of(str(folder.root))
    repeated = asked.recipe.recipe.repeated
    assert repeated is not None
    assert repeated.runs is not None
    marks = table(task.root, MARKS)[0]
    some: list[Pairs] = [(np.zeros(0, np.uint64),) * 2]
    reader = Reader(asked.units[task.unit], asked.columns)
    over = Overlay(folder, task.unit)
    for rows in reader.batches():
        texts = laid_over(rows.texts, over.take(reader.documents - len(rows), len(rows)))
        some.append(repeats.run_pairs(texts, rows.ids, repeated.runs, marks))
    _save(out, some)
    return task.unit


def gather(folder: Folder, kind: str, units: int, most: int, memory_bytes: int) -> None:
    """Leave what more than `most` documents have of a kind, in as many passes over the units' files as the memory
    asks for."""
    out = folder.work / f"{kind}.npy"
    if out.exists():
        return
    files = [np.load(folder.edited(unit, f".{kind}.npy"), mmap_mode="r") for unit in range(units)]
    passes = 1 + _PAIR_BYTES * sum(one.shape[1] for one in files) // max(memory_bytes // 4, 1 << 20)
    edges = [np.uint64(one * (1 << 64) // passes) for one in range(passes)]
    found: list[Pairs] = []
    for n, low in enumerate(edges):
        some = []
        for one in files:
            start = int(np.searchsorted(one[0], low))
            end = int(np.searchsorted(one[0], edges[n + 1])) if n + 1 < passes else one.shape[1]
            some.append((np.array(one[0][start:end]), np.array(one[1][start:end])))
        keys, whose = repeats.distinct(np.concatenate([one[0] for one in some]),
                                       np.concatenate([one[1] for one in some]))  # fmt: skip
        found.append(repeats.shared(keys, whose, most))
    with appearing(out) as part, part.open("wb") as file:
        np.save(file, np.stack((np.concatenate([one[0] for one in found]), np.concatenate([one[1] for one in found]))))


@functools.lru_cache(maxsize=6)
def table(root: str, kind: str) -> Pairs:
    """What several documents have, and whose it is."""
    kept = np.load(Folder(Path(root)).work / f"{kind}.npy", mmap_mode="r")
    return kept[0], kept[1]


class Overlay:
    """The new texts of a unit, taken in the order of its documents."""

    def __init__(self, folder: Folder, unit: int) -> None:
        path = folder.edited(unit, ".parquet")
        self._batches: Iterator[Any] = iter(())
        if path.exists():
            self._batches = parquet.ParquetFile(path).iter_batches(batch_size=1024)
        self._held: list[tuple[int, str]] = []

    def take(self, before: int, n: int) -> dict[int, str]:
        """Row of a batch → its new text; the batch has n rows, `before` came before it."""
        while not self._held or self._held[-1][0] < before + n:
            batch = next(self._batches, None)
            if batch is None:
                break
            self._held += zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True)
        here = {row - before: text for row, text in self._held if row < before + n}
        self._held = [one for one in self._held if one[0] >= before + n]
        return here


class Repeats:
    """Cuts from documents what others keep."""

    def __init__(self, root: str) -> None:
        repeated = asked_of(root).recipe.recipe.repeated
        assert repeated is not None
        self._repeated, self._root = repeated, root

    def __call__(self, rows: Rows, texts: Any, before: int) -> tuple[dict[int, str], list[dict[str, Any]]]:
        """As `Edits`, of texts that were edited."""
        changed: dict[int, str] = {}
        told: list[dict[str, Any]] = []
        lines = lines_of(texts) if self._repeated.lines else None
        words = words_of(texts) if self._repeated.runs is not None else None
        for row, owner in enumerate(repeats.owners(rows.ids)):
            text: str | None = None
            cuts: list[tuple[str, list[edits.Span]]] = []
            if lines is not None:
                here = lines.hashes[lines.ends[row - 1] if row else 0 : lines.ends[row]]
                long = lines.chars[lines.ends[row - 1] if row else 0 : lines.ends[row]] >= self._repeated.least_chars
                here = np.where(long, here, np.uint64(0))  # no line has the hash 0 but by chance
                if _may(here, table(self._root, LINES)):
                    text = bytes(texts[row].as_buffer() or b"").decode("utf-8", "replace")
                    cuts.append(("repeated-lines", repeats.line_cuts(text, here, owner, table(self._root, LINES))))
            if words is not None:
                some = words.hashes[words.ends[row - 1] if row else 0 : words.ends[row]]
                if len(some) >= (self._repeated.runs or 0):
                    text = text or bytes(texts[row].as_buffer() or b"").decode("utf-8", "replace")
                    cuts.append(("repeated-runs", repeats.run_cuts(text, some, owner, self._repeated.runs or 0,
                                                                   table(self._root, RUNS))))  # fmt: skip
            spans = [span for _, here_cut in cuts for span in here_cut]
            if text is None or not spans:
                continue
            for name, some_cuts in cuts:
                if found := cut(text, some_cuts):
                    told.append(ledger_row(rows, row, before, name, f"{name}@{edits.VERSION}", text, found))
            whole = cut(text, spans)
            assert whole is not None
            changed[row] = whole.text
        return changed, told


def _may(keys: Any, known: Pairs) -> bool:
    if not len(known[0]) or not len(keys):
        return False
    at = np.minimum(np.searchsorted(known[0], keys), len(known[0]) - 1)
    return bool((known[0][at] == keys).any())


Told = Callable[[str, int, int], None]


def run(folder: Folder, engine: Engine, memory_bytes: int, told: Told) -> list[EditedUnit]:
    """The whole stage; told(stage, units done, of)."""
    asked = asked_of(str(folder.root))
    repeated = asked.recipe.recipe.repeated
    tasks = [EditTask(str(folder.root), unit.number) for unit in asked.units]
    done: list[EditedUnit] = []
    for one in engine.each(edit, tasks):
        done.append(one)
        told("editing", len(done), len(tasks))
    if repeated is not None:
        if repeated.lines:
            gather(folder, LINES, len(tasks), repeated.most, memory_bytes)
        if repeated.runs is not None:
            gather(folder, MARKS, len(tasks), 1, memory_bytes)
            for n, _ in enumerate(engine.each(mark, tasks), 1):
                told("marking", n, len(tasks))
            gather(folder, RUNS, len(tasks), 1, memory_bytes)
    return sorted(done, key=lambda one: one.unit)
