"""Large libraries that only some of the work needs, loaded when that work is first done.

A server that only serves holds neither scipy's optimizers nor a compiler in memory; a module of ours is never loaded
this way.
"""

from __future__ import annotations

import importlib
from typing import Any


class Lazy:
    """Stands for a module until one of its names is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        found = getattr(importlib.import_module(self._name), name)
        setattr(self, name, found)  # asked once
        return found
