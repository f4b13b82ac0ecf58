"""One door to numba, so that every kernel is compiled the same way and the type checkers see plain functions.

numba itself is loaded by the first call of a kernel: whoever computes nothing does not hold a compiler in memory.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar, cast

from cupola.kernel.lazy import Lazy

numba = Lazy("numba")
P = ParamSpec("P")
R = TypeVar("R")
_compiling = threading.RLock()


class _Kernel(Generic[P, R]):
    """A function before its first call. Kernels that it calls take their compiled form with it."""

    def __init__(self, function: Callable[P, R]) -> None:
        self._function = function
        self._compiled: Callable[P, R] | None = None
        self.sources: set[str] = set()
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        self.__wrapped__ = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        compiled = self._compiled or self.compiled()
        return compiled(*args, **kwargs)

    def compiled(self) -> Callable[P, R]:
        """The function as numba has it. Where no folder can hold the cache (a read-only install without a home), it
        is compiled anew in each process."""
        with _compiling:
            if self._compiled is None:
                names: dict[str, Any] = self._function.__globals__
                calls = [called for name in self._function.__code__.co_names if (called := _kernel_of(names.get(name)))]
                for name in self._function.__code__.co_names:
                    if isinstance(called := names.get(name), _Kernel):
                        names[name] = called.compiled()
                self.sources = {_source(self._function)}.union(*(called.sources for called in calls))
                try:
                    made = numba.njit(cache=True, nogil=True, error_model="numpy")(self._function)
                    _stamp(made, self.sources)
                except RuntimeError:
                    made = numba.njit(nogil=True, error_model="numpy")(self._function)
                self._compiled = cast("Callable[P, R]", made)
                made.kernel = self
            return self._compiled


def _kernel_of(called: Any) -> _Kernel[Any, Any] | None:
    """The kernel that a global stands for, compiled or not yet."""
    found = getattr(called, "kernel", called)
    return found if isinstance(found, _Kernel) else None


def _source(function: Callable[..., Any]) -> str:
    return function.__code__.co_filename


def _stamp(made: Any, sources: set[str]) -> None:
    """Machine code on disk is out of date once any file that went into it has changed. numba looks at the kernel's own
    file alone, and would go on with what the kernels that it calls used to be."""
    if len(sources) > 1:
        stamps = tuple((stat.st_mtime, stat.st_size) for stat in map(os.stat, sorted(sources)))
        made._cache._cache_file._source_stamp = stamps


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` for one thread on its first call, and keep the machine code on disk."""
    return _Kernel(function)
