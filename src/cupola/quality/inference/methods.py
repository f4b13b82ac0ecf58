"""The methods by name: one table that the library, the command line and the bench read."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from cupola.kernel.errors import invalid
from cupola.quality.inference.base import Crowd, Fit
from cupola.quality.inference.blend import blend
from cupola.quality.inference.coin_ds import coin_ds
from cupola.quality.inference.dawid_skene import dawid_skene
from cupola.quality.inference.em import DEFAULT_ITERATIONS
from cupola.quality.inference.glad import glad
from cupola.quality.inference.mace import mace
from cupola.quality.inference.majority import majority
from cupola.quality.inference.one_coin import one_coin
from cupola.quality.inference.pool_ds import pool_ds


class Method(Protocol):
    """A Crowd, and perhaps an earlier fit to start from, give a Fit after at most so many rounds."""

    def __call__(self, crowd: Crowd, *, start: Fit | None = None, iterations: int = DEFAULT_ITERATIONS) -> Fit: ...


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "majority": majority,
        "one_coin": one_coin,
        "dawid_skene": dawid_skene,
        "coin_ds": coin_ds,
        "pool_ds": pool_ds,
        "blend": blend,
        "mace": mace,
        "glad": glad,
    }
)
DEFAULT_METHOD = "blend"


def method_named(name: str) -> Method:
    """The method of that name; raises Problem with the list of names."""
    try:
        return METHODS[name]
    except KeyError:
        raise invalid(
            "method-unknown",
            f"There is no method {name!r}.",
            remedy=f"One of: auto, {', '.join(METHODS)}, sparse_coin.",
            place="method",
        ) from None
