"""How an answer looks, as covariates of a vote: so that a board can say who is better at equal length and dress."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

_FENCED = re.compile(r"^(```|~~~).*?^\1[^\S\n]*$", re.MULTILINE | re.DOTALL)
_HEADER = re.compile(r"^ {0,3}#{1,6}[ \t]", re.MULTILINE)
_LIST = re.compile(r"^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\S", re.MULTILINE)
_BOLD = re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__")
# words; of writing without spaces each character
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"
)


def length(text: str) -> int:
    """Words, code included."""
    return len(_WORD.findall(text))


def _outside_code(pattern: re.Pattern[str]) -> Callable[[str], int]:
    return lambda text: len(pattern.findall(_FENCED.sub("", text)))


FEATURES: dict[str, Callable[[str], int]] = {
    "length": length,
    "headers": _outside_code(_HEADER),
    "bold": _outside_code(_BOLD),
    "lists": _outside_code(_LIST),
}


def contrast(first: Sequence[float], second: Sequence[float]) -> NDArray[np.float64]:
    """(n,) (a - b) / (a + b), 0 where both are 0 or one is not known, in units of its own spread around 0.

    Not moved to mean 0: two answers that look alike say 0, and a pair shown the other way round says the opposite.
    Source: Li et al., Does style matter? Disentangling style and substance in Chatbot Arena (2024).
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    both = a + b
    share = np.divide(a - b, both, out=np.zeros_like(both), where=both > 0)  # NaN is not above 0
    spread = float(np.sqrt((share**2).mean())) if len(share) else 0.0
    return np.asarray(share / spread if spread > 0 else share, dtype=np.float64)
