"""The rows of a Parquet file, read in a caged child (see `platform.cage`): a few kilobytes can unfold to gigabytes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cupola.kernel import limits
from cupola.kernel.errors import Problem, invalid

ANSWER_ROWS = 1_000
ANSWER_BYTES = 4 * 1024 * 1024  # of cells, unless a single row is larger
BATCH_ROWS = 256
MAX_COLUMNS = 2_000

# (number from 1, the row, or None for one that is too large)
Row = tuple[int, dict[str, Any] | None]
_open: dict[str, Iterator[Row]] = {}


def start(path: str, done: int) -> list[str]:
    """Open a file and stand behind `done` rows; its columns. Raises Problem (INVALID) code "parquet-unreadable"."""
    pa.set_cpu_count(1)
    try:
        file = pq.ParquetFile(path)
        schema = file.schema_arrow
        if len(schema) > MAX_COLUMNS:
            raise _unreadable(f"it has {len(schema)} columns; at most {MAX_COLUMNS} are read")
        if twice := next((name for name in schema.names if schema.names.count(name) > 1), None):
            raise _unreadable(f"the column {twice[:200]!r} stands there twice")
        # Texts stay as their dictionary has them: a value that stands a million times is held once.
        texts = [field.name for field in schema if _is_text(field.type)]
        file = pq.ParquetFile(path, read_dictionary=texts)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, OSError) as error:
        raise _unreadable(_first_line(error)) from None
    _open["rows"] = _rows(file, done)
    return list(schema.names)


def more() -> list[Row]:
    """The next rows; nothing at the end."""
    out: list[Row] = []
    held = 0
    try:
        for row in _open["rows"]:
            out.append(row)
            held += _weight(row[1])
            if len(out) >= ANSWER_ROWS or held >= ANSWER_BYTES:
                break
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, OSError) as error:
        raise _unreadable(_first_line(error)) from None
    return out


def _rows(file: pq.ParquetFile, done: int) -> Iterator[Row]:
    number = 0
    for group in range(file.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        if number + size <= done:
            number += size
            continue
        for batch in file.iter_batches(batch_size=BATCH_ROWS, row_groups=[group], use_threads=False):
            if number + len(batch) <= done:
                number += len(batch)
                continue
            yield from _of_batch(batch, number, done)
            number += len(batch)


def _of_batch(batch: pa.RecordBatch, before: int, done: int) -> Iterator[Row]:
    sizes = _sizes(batch)
    if sum(sizes) <= ANSWER_BYTES:
        for at, row in enumerate(_as_python(batch), before + 1):
            if at > done:
                yield at, row
        return
    for index, size in enumerate(sizes):
        at = before + index + 1
        if at <= done:
            continue
        if size > limits.MAX_MANIFEST_LINE_BYTES:
            yield at, None
        else:
            [row] = _as_python(batch.slice(index, 1))
            yield at, row


def _as_python(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    columns = {name: _cells(column) for name, column in zip(batch.schema.names, batch.columns, strict=True)}
    return [{name: cells[row] for name, cells in columns.items()} for row in range(len(batch))]


def _cells(column: pa.Array) -> list[Any]:
    try:
        return [plain(value) for value in column.to_pylist(maps_as_pydicts="lossy")]
    except (
        ValueError,
        OverflowError,
    ):  # a moment that Python's types cannot hold: of nanoseconds, or of the year 10000
        return [_cell(column.slice(row, 1)) for row in range(len(column))]


def _cell(one: pa.Array) -> Any:
    try:
        return plain(one.to_pylist(maps_as_pydicts="lossy")[0])
    except (ValueError, OverflowError):
        told = plain(one.cast(_in_words(one.type)).to_pylist(maps_as_pydicts="lossy")[0])
    return told.replace(" ", "T", 1) if isinstance(told, str) else told


def _in_words(kind: pa.DataType) -> pa.DataType:
    """The same type with moments as texts, wherever in it they are."""
    if pa.types.is_temporal(kind):
        return pa.int64() if pa.types.is_duration(kind) else pa.string()
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_in_words(field.type)) for field in kind])
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(_in_words(kind.value_type))
    if pa.types.is_map(kind):
        return pa.map_(_in_words(kind.key_type), _in_words(kind.item_type))
    return kind


def _sizes(batch: pa.RecordBatch) -> list[int]:
    """Bytes of each row's texts, without unfolding them."""
    total = [0] * len(batch)
    for column in batch.columns:
        if pa.types.is_dictionary(column.type):
            lengths = pc.call_function("binary_length", [column.dictionary])
            found = lengths.take(column.indices).to_pylist()
        elif _is_text(column.type):
            found = pc.call_function("binary_length", [column]).to_pylist()
        else:
            mean = column.nbytes // max(1, len(column))
            found = [mean] * len(column)
        total = [a + (b or 0) for a, b in zip(total, found, strict=True)]
    return total


def plain(value: Any) -> Any:
    """A cell as JSON would have it."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None  # how tables write that there is nothing
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                return value.hex()
        case dict():
            return {str(name): plain(one) for name, one in value.items() if one is not None}
        case list() | tuple():
            return [plain(one) for one in value]
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal() | UUID():
            return str(value)
        case _:
            return str(value)


def _weight(row: dict[str, Any] | None) -> int:
    return sum(len(value) if isinstance(value, str) else 16 for value in (row or {}).values())


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )  # fmt: skip


def _unreadable(why: str) -> Problem:
    return invalid("parquet-unreadable", f"The Parquet file cannot be read: {why}", remedy="Write it again.")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


VERBS: Mapping[str, Callable[..., Any]] = {"start": start, "more": more}
