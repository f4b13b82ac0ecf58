"""Libraries that only some of the work needs, loaded when they are first used; where one is not there, it is said what
to install."""

from __future__ import annotations

import functools
import importlib
from types import ModuleType

from cupola.kernel.errors import invalid


@functools.cache
def module(name: str, extra: str) -> ModuleType:
    """The library. Raises Problem (INVALID) where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise invalid("library-absent", f"This needs {name}, which is not installed.", place=name,
                      remedy=f"pip install 'cupola[{extra}]'") from error  # fmt: skip
