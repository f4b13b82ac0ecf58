"""The third stage, unit by unit: what is kept, as it stood there; a row in the ledger for each document that is not;
and what is known of every document."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cupola.corpus import pii
from cupola.corpus.engine.asked import asked_of
from cupola.corpus.engine.files import Folder, appearing, read_json, sha256, write_json
from cupola.corpus.engine.judge import Judged
from cupola.corpus.engine.units import Reader, Rows
from cupola.corpus.near import LEAST_SIMILARITY
from cupola.corpus.profile import PROFILE_VERSION
from cupola.corpus.recipe import Recipe
from cupola.corpus.rows import whole
from cupola.corpus.streams import HTML, WARC, created
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")
parquet: Any = Lazy("pyarrow.parquet")

_ROW_GROUP = 8192
_TOLD = ["id", "source", "file", "place", "bytes", "words", "language", "model_bits", "edited"]  # of every document
COPY_RULES = ("exact-duplicate", "near-duplicate")


class WriteTask(msgspec.Struct, frozen=True):
    """A unit of a run; first: the number of its first document; key: of pseudonyms."""

    root: str
    unit: int
    first: int
    key: bytes | None = None


class Part(msgspec.Struct, frozen=True):
    """A file of the outcome, its path from the run's folder."""

    path: str
    rows: int
    bytes: int
    sha256: str


class Written(msgspec.Struct, frozen=True):
    """read = kept + removed, and removed is the sum of `rules`, each document under the rule that its row names first.
    personal: findings replaced, by kind."""

    unit: int
    read: int
    kept: int
    rules: dict[str, int]
    kept_bytes: int
    personal: dict[str, int]
    parts: list[Part]


def write(task: WriteTask) -> Written:
    """Write a unit's parts, or say again what was written."""
    folder = Folder(Path(task.root))
    if (done := read_json(folder.written(task.unit), Written)) is not None:
        return done
    asked = asked_of(task.root)
    before = read_json(folder.judged(task.unit, ".json"), Judged)
    assert before is not None
    documents = parquet.read_table(folder.judged(task.unit, ".parquet"), columns=_TOLD)
    ledger = _ledger(folder, task, documents, asked.recipe.recipe.near)
    keeps = np.ones(len(documents), np.bool_)
    keeps[ledger["row"].to_numpy()] = False
    reader = Reader(asked.units[task.unit], asked.columns)
    kept_path = folder.part("kept", task.unit, kept_suffix(reader.unit.kind))
    paths: list[Path] = []
    with _Changes(asked.recipe.recipe, task.key, folder, task.unit) as edit, appearing(kept_path) as part:
        kept = write_rows(part, reader, keeps, edit)
        reader.check(before.digest)
        if not kept:
            part.write_bytes(b"")
    if kept:
        paths.append(kept_path)
    else:
        kept_path.unlink()
    rows = {"kept": kept, "removals": len(ledger), "documents": len(documents)}
    reasons = pa.array([""] * len(documents), pa.string()).to_pylist()
    for row, rule in zip(ledger["row"].to_pylist(), ledger["rule"].to_pylist(), strict=True):
        reasons[row] = rule
    tables = {"removals": ledger.drop_columns(["row"])}
    if asked.recipe.recipe.changes_texts:
        tables["edits"] = _edits(folder, task.unit).drop_columns(["row"])
        rows["edits"] = len(tables["edits"])
    fate = documents.append_column("removed_by", pa.array([one or None for one in reasons], pa.string()))
    for kind, table in (*tables.items(), ("documents", fate)):
        path = folder.part(kind, task.unit, ".parquet")
        with appearing(path) as part:
            parquet.write_table(table, part, compression="zstd", row_group_size=1 << 16)
        paths.append(path)
    rules: dict[str, int] = {}
    for rule in ledger["rule"].to_pylist():
        rules[rule] = rules.get(rule, 0) + 1
    parts = [Part(str(path.relative_to(folder.root)), rows[path.parent.name], path.stat().st_size, sha256(path))
             for path in paths]  # fmt: skip
    sizes = documents["bytes"].to_numpy()
    summary = Written(task.unit, len(documents), kept, dict(sorted(rules.items())), int(sizes[keeps].sum()),
                      dict(sorted(edit.found.items())), parts)  # fmt: skip
    assert summary.read == summary.kept + len(ledger), "a document was lost"
    write_json(folder.written(task.unit), summary)
    return summary


def kept_suffix(kind: str) -> str:
    """Of the file that holds kept rows of a unit: of the unit's own kind, texts and pages as JSONL."""
    return ".jsonl" if kind in (".txt", *WARC, *HTML) else kind


def _ledger(folder: Folder, task: WriteTask, documents: Any, near: float | None) -> Any:
    """A row for each document that goes: by its first broken rule, or for its keeper."""
    broken = parquet.read_table(folder.judged(task.unit, ".broken"))
    rows = broken["row"].to_numpy()
    names = broken["rule"].to_pylist()
    first = np.flatnonzero(np.concatenate(([True], rows[1:] != rows[:-1]))) if len(rows) else np.zeros(0, np.int64)
    ends = np.append(first, len(rows))[1:]
    by_rule = broken.take(pa.array(first))
    others = [names[start + 1 : end] for start, end in zip(first.tolist(), ends.tolist(), strict=True)]
    copies_at = folder.work / "copies.parquet"
    filters = [("row", ">=", task.first), ("row", "<", task.first + len(documents))]
    copies = parquet.read_table(copies_at, filters=filters) if copies_at.exists() else None
    n = 0 if copies is None else len(copies)
    copied = copies["row"].to_numpy() - task.first if copies is not None else np.zeros(0, np.int64)
    exact = copies["exact"].to_numpy() if copies is not None else np.zeros(0, np.bool_)
    similarity = copies["similarity"].to_numpy() if copies is not None else np.zeros(0)

    def column(name: str, of_copies: Any, type_: Any) -> Any:
        return pa.concat_arrays([by_rule[name].combine_chunks().cast(type_), pa.array(of_copies, type_)])

    def keeper(name: str, type_: Any) -> Any:
        if copies is None:
            return pa.nulls(len(by_rule), type_)
        return pa.concat_arrays([pa.nulls(len(by_rule), type_), copies[name].combine_chunks().cast(type_)])

    row = np.concatenate((by_rule["row"].to_numpy(), copied))
    take = pa.array(row)
    table = pa.table({
        "row": pa.array(row),
        "id": documents["id"].take(take),
        "source": documents["source"].take(take),
        "file": documents["file"].take(take),
        "place": documents["place"].take(take),
        "bytes": documents["bytes"].take(take),
        "rule": column("rule", [COPY_RULES[0] if one else COPY_RULES[1] for one in exact], pa.string()),
        "version": column("version", [f"copies@{PROFILE_VERSION}"] * n, pa.string()),
        "signal": column("signal", ["similarity"] * n, pa.string()),
        "score": column("score", similarity, pa.float64()),
        "threshold": column("threshold", np.where(exact, 1.0, near or LEAST_SIMILARITY), pa.float64()),
        "others": pa.array([*others, *([[]] * n)], pa.list_(pa.string())),
        "keeper": keeper("keeper", pa.large_string()),
        "keeper_file": keeper("keeper_file", pa.large_string()),
        "keeper_place": keeper("keeper_place", pa.int64()),
        "similarity": keeper("similarity", pa.float64()),
    })  # fmt: skip
    return table.take(pa.array(np.argsort(row, kind="stable")))


def _edits(folder: Folder, unit: int) -> Any:
    """What was changed in a unit's documents, by document and in the order in which it was done."""
    some = [parquet.read_table(path) for path in (folder.edited(unit, ".ledger"), folder.judged(unit, ".ledger"))]
    both = pa.concat_tables(some)
    return both.take(pa.array(np.argsort(both["row"].to_numpy(), kind="stable")))


class _Changes:
    """Texts that are kept and are not as they stood: those that were edited, and those with personal data, which is
    left, masked, or put under pseudonyms."""

    def __init__(self, recipe: Recipe, key: bytes | None, folder: Folder, unit: int) -> None:
        self._what, self._key = recipe.personal, key
        names = ["may_hold", "edited", "text_at", "text_bytes"]
        told = parquet.read_table(folder.judged(unit, ".parquet"), columns=names)
        self._suspects, self._edited, self._at, self._bytes = (told[name].to_numpy() for name in names)
        if self._what == "keep":
            self._suspects = np.zeros(len(self._suspects), np.bool_)
        self._texts = folder.judged(unit, ".texts").open("rb")
        self.found: dict[str, int] = {}

    def __enter__(self) -> _Changes:
        return self

    def __exit__(self, *_: object) -> None:
        self._texts.close()

    def __call__(self, rows: Rows, keeps: Any, at: int) -> dict[int, str]:
        """row → its new text, for kept rows whose text changes; at: how many rows came before."""
        changed = {}
        here = slice(at, at + len(rows))
        for row in np.flatnonzero(keeps & (self._suspects[here] | self._edited[here])).tolist():
            if self._edited[at + row]:
                raw = os.pread(self._texts.fileno(), int(self._bytes[at + row]), int(self._at[at + row]))
            else:
                raw = bytes(rows.texts[row].as_buffer() or b"")
            before = text = raw.decode("utf-8", "replace")
            if self._suspects[at + row] and (findings := pii.find(text)):
                text = pii.replaced(text, findings, self._key if self._what == "pseudonym" else None)
                for one in findings:
                    self.found[one.kind] = self.found.get(one.kind, 0) + 1
            if self._edited[at + row] or text != before:
                changed[row] = text
        return changed


def write_rows(path: Path, reader: Reader, keeps: Any, edit: Any = None) -> int:
    """Write the rows of a unit that are kept, bool[n], each as it stood there, or with the text that `edit` gave it."""
    at = written = 0
    kind = reader.unit.kind
    with contextlib.ExitStack() as stack:
        sink: Any = None
        for rows in reader.batches():
            here = keeps[at : at + len(rows)]
            changed = edit(rows, here, at) if edit is not None else {}
            at += len(rows)
            if kind == ".parquet":
                batch = _replaced(rows.raw, reader.columns.text, changed).filter(pa.array(here))
                if sink is None:
                    sink = _Groups(path, batch.schema)
                    stack.callback(sink.close)
                sink.add(batch)
                written += len(batch)
                continue
            if sink is None:
                sink = stack.enter_context(created(path, kept_suffix(kind)))
            for line in _lines(rows, here, changed, reader.columns.text):
                sink.write(line)
                written += 1
    if not path.exists():
        path.touch()
    return written


def _lines(rows: Rows, keeps: Any, changed: dict[int, str], column: str) -> Iterator[bytes]:
    for row in np.flatnonzero(keeps).tolist():
        raw = rows.raw[row]
        if raw is None:
            text = changed.get(row, rows.texts[row].as_py())
            yield json.dumps({"id": rows.ids[row], column: text}, ensure_ascii=False).encode() + b"\n"
        elif row in changed:
            value = {**whole(raw), column: changed[row]}
            yield json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        else:
            yield raw if raw.endswith(b"\n") else raw + b"\n"


def _replaced(batch: Any, column: str, changed: dict[int, str]) -> Any:
    if not changed:
        return batch
    place = batch.schema.names.index(column)
    texts = batch.column(place).to_pylist()
    for row, text in changed.items():
        texts[row] = text
    return batch.set_column(place, batch.schema.field(place), pa.array(texts, batch.schema.field(place).type))


class _Groups:
    """Row groups of one size, whatever the batches."""

    def __init__(self, path: Path, schema: Any) -> None:
        self._writer = parquet.ParquetWriter(path, schema, compression="zstd")
        self._held: list[Any] = []
        self._rows = self._bytes = 0

    def add(self, batch: Any) -> None:
        self._held.append(batch)
        self._rows += len(batch)
        self._bytes += batch.nbytes
        if self._rows >= _ROW_GROUP or self._bytes > 32 << 20:
            self._pour()

    def _pour(self) -> None:
        if self._held:
            self._writer.write_table(pa.Table.from_batches(self._held))
            self._held, self._rows, self._bytes = [], 0, 0

    def close(self) -> None:
        self._pour()
        self._writer.close()
