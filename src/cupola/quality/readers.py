"""Files of judgements as columns: long CSV, TSV, Parquet, Label Studio's JSON export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from cupola.kernel.errors import Problem, invalid

SUFFIXES = (".csv", ".tsv", ".parquet", ".json")
WRITTEN = (".csv", ".tsv", ".parquet")


def read_table(path: Path) -> pa.Table:
    """The table in a file, by its suffix. Raises Problem for an absent, empty, unreadable or unknown one.

    A Label Studio export becomes the columns task, worker, label. Column names are as they stand in the file.
    """
    if not path.exists():
        raise invalid("file-absent", f"There is no file {path}.", remedy="Check the path.", place=str(path))
    if path.stat().st_size == 0:
        raise invalid("table-empty", f"{path} is empty.", remedy="Pass a file with a header and rows.", place=str(path))
    suffix = path.suffix.lower()
    try:
        if suffix in (".csv", ".tsv"):
            delimiter = "\t" if suffix == ".tsv" else ","
            return _as_written(path, delimiter)
        if suffix == ".parquet":
            return pa_parquet.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise invalid("file-unreadable", f"{path} cannot be read: {error}", place=str(path)) from error
    if suffix == ".json":
        return label_studio(path)
    raise invalid(
        "file-type", f"{path.name} is none of {', '.join(SUFFIXES)}.", remedy="Rename or convert it.", place=str(path)
    )


def _as_written(path: Path, delimiter: str) -> pa.Table:
    """The columns of a CSV file: whole numbers where they read back as they stand, else text.

    A guessed type would change what is written: 007 into 7, 1.50 into 1.5, 2024-01-01 into a date, True into true.
    Raises ArrowInvalid for what is no CSV, Problem for bytes that are no UTF-8.
    """
    # a quoted text may hold line breaks (a transcript does)
    parse = pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    data = _in_utf8(path)
    guessed = pa_csv.read_csv(pa.BufferReader(data), parse_options=parse)
    odd = [field.name for field in guessed.schema if not pa.types.is_string(field.type)]
    if len(odd) == 0 or guessed.num_rows == 0:
        return guessed
    if any(pa.types.is_binary(guessed.schema.field(name).type) for name in odd):
        raise _no_utf8(path)
    options = pa_csv.ConvertOptions(column_types=dict.fromkeys(odd, pa.string()), include_columns=odd)
    text = pa_csv.read_csv(pa.BufferReader(data), parse_options=parse, convert_options=options)
    for name in odd:
        at = guessed.schema.get_field_index(name)
        whole = pa.types.is_integer(guessed.schema.field(name).type)
        empty = guessed[name].null_count == guessed.num_rows
        if empty or (whole and guessed[name].cast(pa.string()).equals(text[name])):
            continue
        guessed = guessed.set_column(at, name, text[name])
    return guessed


def _in_utf8(path: Path) -> bytes:
    """The file in UTF-8: spreadsheets write "Unicode text" in UTF-16, and say so by their first two bytes."""
    data = path.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return data.decode("utf-16").encode("utf-8")
        except UnicodeDecodeError as error:
            raise _no_utf8(path) from error
    if b"\x00" in data[:4096]:
        raise _no_utf8(path)
    return data


def _no_utf8(path: Path) -> Problem:
    return invalid(
        "file-encoding",
        f"{path} holds bytes that are no UTF-8.",
        remedy="Save it as UTF-8; a spreadsheet offers that as 'CSV UTF-8'.",
        place=str(path),
    )


def label_studio(path: Path) -> pa.Table:
    """task, worker, label from a Label Studio export with choices, ratings, numbers or one text area.

    Cancelled annotations are left out. Several choices become one label "a|b", sorted. Raises Problem naming the
    task for results of another kind.
    """
    try:
        tasks = json.loads(path.read_text("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise invalid("file-unreadable", f"{path} is not JSON: {error}", place=str(path)) from error
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise invalid("file-type", f"{path} is not a Label Studio export: no list of tasks.", place=str(path))
    rows: list[tuple[str, str, str]] = []
    for number, task in enumerate(tasks):
        name = str(task.get("id", number))
        for annotation in task.get("annotations", []):
            if annotation.get("was_cancelled") or not annotation.get("result"):
                continue
            person = annotation.get("completed_by", "")
            worker = str(person.get("id", person.get("email", "")) if isinstance(person, dict) else person)
            rows.append((name, worker, _label(annotation["result"], f"{path}: task {name}")))
    if not rows:
        raise invalid("table-empty", f"{path} holds no annotations.", place=str(path))
    columns = list(zip(*rows, strict=True))
    return pa.table({"task": list(columns[0]), "worker": list(columns[1]), "label": list(columns[2])})


def _label(results: list[dict[str, Any]], place: str) -> str:
    for result in results:
        value = result.get("value", {})
        if "choices" in value:
            return "|".join(sorted(str(choice) for choice in value["choices"]))
        for key in ("rating", "number"):
            if key in value:
                return str(value[key])
        if "text" in value:
            text = value["text"]
            return " ".join(text) if isinstance(text, list) else str(text)
    kinds = sorted({key for result in results for key in result.get("value", {})})
    raise invalid(
        "label-kind",
        f"{place}: results of kind {', '.join(kinds) or 'nothing'} are not read here.",
        remedy="Choices, ratings, numbers and text are.",
        place=place,
    )


def writable(path: Path) -> None:
    """Refuse a file that `write_table` could not write, before any work is done for it."""
    if path.suffix.lower() not in WRITTEN:
        raise invalid(
            "file-type",
            f"Cannot write {path.name}.",
            remedy="Name it .csv, .tsv or .parquet.",
            place=str(path),
        )


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as CSV, TSV or Parquet, by the suffix."""
    writable(path)
    suffix = path.suffix.lower()
    path.parent.mkdir(parents=True, exist_ok=True)
    if suffix == ".parquet":
        pa_parquet.write_table(table, path)
    else:
        pa_csv.write_csv(table, path, pa_csv.WriteOptions(delimiter="\t" if suffix == ".tsv" else ","))
