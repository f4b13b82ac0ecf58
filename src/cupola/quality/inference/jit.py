"""One door to numba, so that every kernel is compiled the same way and the type checkers see plain functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` for one thread on its first call, and keep the machine code on disk.

    Where no folder can hold the cache (a read-only install without a home), it is compiled anew in each process.
    """
    try:
        compiled = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:
        compiled = numba.njit(nogil=True, error_model="numpy")(function)
    return cast(Callable[P, R], compiled)
