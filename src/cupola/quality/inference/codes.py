"""From columns of names to integer codes: CSV readers, pandas, polars, Arrow and plain lists alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import Problem, invalid
from cupola.kernel.lazy import Lazy

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = Lazy("pyarrow")

MAX_NAMED_ROWS = 5  # how many offending rows an error names

# the columns other tools write, most telling first
TASK_COLUMNS = ("task", "task_id", "item", "item_id", "example", "unit")
WORKER_COLUMNS = ("worker", "performer", "worker_id", "annotator", "annotator_id", "rater", "user")
LABEL_COLUMNS = ("label", "output", "annotation", "answer", "response", "value")


@dataclass(frozen=True, slots=True)
class Codes:
    """What the integers of a Crowd stand for, each sorted, so that the order of rows changes nothing; and notes on what
    was odd in the table."""

    tasks: tuple[Any, ...]
    workers: tuple[Any, ...]
    labels: tuple[Any, ...]
    notes: tuple[str, ...] = ()

    def label_code(self, label: Any) -> int:
        """The code of a label; raises Problem when the crowd never used it."""
        try:
            return self.labels.index(label)
        except ValueError:
            raise invalid(
                "label-unknown",
                f"The label {label!r} is not among the {len(self.labels)} classes.",
                remedy="Pass classes=[…] with every class there is.",
            ) from None


def column_names(frame: Any) -> list[str]:
    """The names of a frame's columns: dict, pandas, polars or Arrow."""
    if isinstance(frame, Mapping):
        return [str(name) for name in frame]
    names = getattr(frame, "column_names", None) or getattr(frame, "columns", None)
    if names is None:
        raise invalid(
            "frame-type",
            f"A {type(frame).__name__} has no columns.",
            remedy="Pass a pandas, polars or Arrow table, or a dict of columns.",
        )
    return [str(name) for name in names]


def find_column(frame: Any, wanted: str | None, known: Sequence[str], what: str) -> str:
    """The column to read as `what`: the one asked for, else the first of the known names that is there."""
    names = column_names(frame)
    for name in (wanted,) if wanted else known:
        if name in names:
            return name
    raise invalid(
        "column-unknown",
        f"No column for the {what}: looked for {', '.join([wanted] if wanted else list(known))}; "
        f"found {', '.join(names) or 'none'}.",
        remedy=f"Name it: {what}=<column>.",
        place=what,
    )


def to_arrow(column: Any, what: str) -> pa.Array:
    """One column as a single Arrow array. Raises Problem for mixed types (with the first row that differs)."""
    if isinstance(column, pa.ChunkedArray):
        return column.combine_chunks()
    if isinstance(column, pa.Array):
        return column
    if hasattr(column, "to_arrow"):  # polars
        return to_arrow(column.to_arrow(), what)
    try:
        if hasattr(column, "array") and hasattr(column, "index"):  # pandas; as Arrow knows NaN from text
            return to_arrow(pa.Array.from_pandas(column), what)
        if isinstance(column, np.ndarray):
            return pa.array(column)
        return pa.array(column if isinstance(column, list) else list(column))
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise _mixed(column, what) from error


def _mixed(column: Iterable[Any], what: str) -> Problem:
    first: type | None = None
    for row, value in enumerate(column):
        if value is None:
            continue
        if first is None:
            first = type(value)
        elif type(value) is not first:
            return invalid(
                "column-mixed-types",
                f"The {what} column holds {first.__name__} and, at row {row}, {type(value).__name__} ({value!r}).",
                remedy="Make the column one type; text is always safe.",
                place=f"{what}, row {row}",
            )
    return invalid("column-type", f"The {what} column holds values that cannot be names.", place=what)


def rows_in_words(rows: NDArray[np.int64]) -> str:
    """The first few row numbers (from 0), and how many more there are."""
    shown = ", ".join(str(int(row)) for row in rows[:MAX_NAMED_ROWS])
    return shown + (f" and {len(rows) - MAX_NAMED_ROWS} more" if len(rows) > MAX_NAMED_ROWS else "")


def _blank(array: pa.Array) -> NDArray[np.bool_]:
    """(n,) which cells are text of nothing but spaces: how a CSV writes an empty cell."""
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        return np.zeros(len(array), np.bool_)
    coded = array.dictionary_encode()
    blank = np.array([not value.strip() for value in coded.dictionary.to_pylist()], dtype=np.bool_)
    if not blank.any():
        return np.zeros(len(array), np.bool_)
    return np.asarray(blank[np.asarray(coded.indices.fill_null(0))], dtype=np.bool_)


def in_order(names: Sequence[Any]) -> list[Any]:
    """Names sorted; text that is all numbers by size: 10.5 comes after 2.5. Raises TypeError for mixed types."""
    try:
        return sorted(names, key=lambda name: (float(name), name)) if _all_numbers(names) else sorted(names)
    except ValueError:
        return sorted(names)


def _all_numbers(names: Sequence[Any]) -> bool:
    return len(names) > 0 and all(isinstance(name, str) and name[:1] in "+-.0123456789" for name in names)


def encode(
    column: Any, what: str, known: Sequence[Any] | None = None, strict: bool = True
) -> tuple[NDArray[np.int64], tuple[Any, ...]]:
    """Integer codes of a column, and the sorted names behind them.

    column: n values. known: the names there are, in the order wanted; else those that occur, sorted.
    Returns codes (n,) and the names; with strict=False an unknown name gets the code -1.
    Raises Problem for empty cells, mixed types and, when strict, names that are not known; it names the rows.
    """
    array = to_arrow(column, what)
    empty = np.asarray(array.is_null()) | _blank(array)
    if empty.any():
        rows = np.flatnonzero(empty)
        raise invalid(
            "cell-empty",
            f"The {what} column is empty in row {rows_in_words(rows)}.",
            remedy="Drop these rows, or fill them in.",
            place=f"{what}, row {int(rows[0])}",
        )
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_nested(array.type):
        raise invalid("column-type", f"The {what} column holds lists, not names.", place=what)
    if pa.types.is_floating(array.type):
        bad = np.flatnonzero(np.isnan(np.asarray(array)))
        if len(bad):
            raise invalid(
                "cell-empty",
                f"The {what} column is NaN in row {rows_in_words(bad)}.",
                remedy="Drop these rows, or fill them in.",
                place=f"{what}, row {int(bad[0])}",
            )
    coded = array.dictionary_encode()
    raw = np.asarray(coded.indices).astype(np.int64)
    values: list[Any] = coded.dictionary.to_pylist()
    if known is None:
        names = tuple(in_order(values))
        where = {name: code for code, name in enumerate(names)}
    else:
        names = tuple(known)
        where = {name: code for code, name in enumerate(names)}
        if len(where) != len(names):
            raise invalid("class-twice", f"The list of {what}s names one of them twice.", place=what)
    table = np.array([where.get(value, -1) for value in values], dtype=np.int64)
    codes: NDArray[np.int64] = table[raw] if len(values) else np.zeros(0, np.int64)
    if strict and known is not None and len(codes) and codes.min() < 0:
        rows = np.flatnonzero(codes < 0)
        raise invalid(
            f"{what}-unknown",
            f"Row {rows_in_words(rows)}: {what} {array[int(rows[0])].as_py()!r} is not among the {len(names)} given.",
            remedy=f"Mend the rows, or add the {what} to the list.",
            place=f"{what}, row {int(rows[0])}",
        )
    return codes, names
