"""Parquet files in row groups of a size that does not depend on how the rows come, there whole or not at all."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Any

from cupola.corpus.engine.files import appearing
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")
parquet: Any = Lazy("pyarrow.parquet")

GROUP_ROWS, GROUP_BYTES = 1 << 16, 64 << 20


class Table:
    """A file that is being written; schema: of its rows, where no table may come that says it."""

    def __init__(self, path: Path, schema: Any = None, *, compression: str = "lz4") -> None:
        self._path, self._schema, self._compression = path, schema, compression
        self._writer: Any = None
        self._held: list[Any] = []
        self._rows = self._bytes = 0
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Table:
        self._part = self._open.enter_context(appearing(self._path))
        if self._schema is not None:
            self._begin(self._schema)
        return self

    def _begin(self, schema: Any) -> None:
        dictionary = [one for one in ("source", "edit", "version") if one in schema.names]
        self._writer = parquet.ParquetWriter(self._part, schema, compression=self._compression,
                                             use_dictionary=dictionary)  # fmt: skip

    def add(self, table: Any) -> None:
        if self._writer is None:
            self._begin(table.schema)
        self._held.append(table)
        self._rows += len(table)
        self._bytes += table.nbytes
        if self._rows >= GROUP_ROWS or self._bytes >= GROUP_BYTES:
            self._pour()

    def add_rows(self, rows: list[dict[str, Any]]) -> None:
        if rows:
            self.add(pa.Table.from_pylist(rows, schema=self._schema))

    def _pour(self) -> None:
        self._writer.write_table(pa.concat_tables(self._held), row_group_size=GROUP_ROWS)
        self._held, self._rows, self._bytes = [], 0, 0

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:  # fmt: skip
        if kind is None and self._held:
            self._pour()
        if self._writer is not None:
            self._writer.close()
        self._open.__exit__(kind, error, trace)
