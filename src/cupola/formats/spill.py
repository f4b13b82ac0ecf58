"""Values gathered by a key on disk: for files that tell about an item in several places."""

from __future__ import annotations

import json
import tempfile
from array import array
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

SPOOL_BYTES = 8 * 1024 * 1024
IN_MEMORY: bool = False  # where no file may be written


class Spill:
    """16 bytes of memory for each value, and one entry for each key; the values are in a file. A context manager."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=0 if IN_MEMORY else SPOOL_BYTES)  # noqa: SIM115  # closed by __exit__
        self._keys: dict[str, int] = {}
        self._of = array("q")
        self._at = array("q")
        self._order: NDArray[np.int64] | None = None
        self._sorted: NDArray[np.int64] | None = None
        self._taken: set[str] = set()

    def __enter__(self) -> Spill:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, key: str, value: Any) -> None:
        """value: what JSON holds."""
        assert self._order is None
        self._of.append(self._keys.setdefault(key, len(self._keys)))
        self._at.append(self._file.tell())
        self._file.write(json.dumps(value, ensure_ascii=False).encode() + b"\n")

    def of(self, key: str) -> Iterator[Any]:
        """The values of a key, in their order. Nothing can be added afterwards."""
        if self._order is None or self._sorted is None:
            keys = np.frombuffer(self._of, dtype=np.int64) if self._of else np.empty(0, np.int64)
            self._order = np.argsort(keys, kind="stable")
            self._sorted = keys[self._order]
        number = self._keys.get(key)
        if number is None:
            return
        self._taken.add(key)
        low, high = np.searchsorted(self._sorted, [number, number + 1])
        for row in self._order[low:high]:
            self._file.seek(self._at[int(row)])
            yield json.loads(self._file.readline())

    @property
    def keys(self) -> list[str]:
        """In the order in which they were met."""
        return list(self._keys)

    @property
    def left(self) -> list[str]:
        """The keys that nobody asked for."""
        return [key for key in self._keys if key not in self._taken]
