"""Whether what an owner calls items tells their gold from the others: gold/12.png beside work/7.png, "is_gold": true.

Pure. What is looked at are the words of a reference and of an address, each folder, and each leaf of the metadata; a
number in a name is none of them. A word tells if by chance it would hardly ever stand so differently on either side
(Fisher's exact test, by Bonferroni over all that were tried), or if it means gold and stands on most of it alone.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

MOST_LEAVES = 200  # of one item's metadata
VALUE_CHARS = 100
APART = 0.5  # a word on so much more of one side than of the other would be worth guessing by
BY_CHANCE = 1e-3
MOSTLY, HARDLY = 0.5, 0.1
_MEANING_GOLD = frozenset(
    (
        *("gold", "golds", "golden", "goldset", "honeypot", "honeypots", "trap", "traps", "test", "tests", "testing"),
        *("control", "controls", "qc", "qa", "check", "checks", "known", "truth", "groundtruth", "gt", "sentinel"),
        *("decoy", "calibration", "screening", "金标", "金标准", "金标题", "陷阱", "测试", "测试题", "检查", "对照"),
    )
)
_word = re.compile(r"[^\W\d_]+")
_camel = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Named:
    """What an owner says of an item. url: where it is kept, for a reference; metadata: JSON text."""

    ref: str
    url: str | None
    metadata: str


def telling(golds: Sequence[Named], others: Sequence[Named]) -> str | None:
    """The word, folder or leaf that tells gold best, in words; None where nothing does. Both are samples."""
    if not golds or not others:
        return None
    of_gold, of_others = _counted(golds), _counted(others)
    tried = of_gold.keys() | of_others.keys()
    found: list[tuple[float, str]] = []
    for feature in tried:
        mine, theirs = of_gold[feature] / len(golds), of_others[feature] / len(others)
        if mine >= MOSTLY and theirs <= HARDLY and _MEANING_GOLD & set(_words(feature)):
            return feature
        if abs(mine - theirs) >= APART:
            chance = _by_chance(of_gold[feature], len(golds), of_others[feature], len(others))
            if chance * len(tried) < BY_CHANCE:
                found.append((chance, feature))
    return min(found)[1] if found else None


def _counted(several: Sequence[Named]) -> Counter[str]:
    return Counter(feature for one in several for feature in set(_features(one)))


def _features(one: Named) -> Iterator[str]:
    yield from _of_path("reference", one.ref)
    if one.url is not None:
        try:
            parts = urlsplit(one.url)
        except ValueError:
            return
        yield f"host {parts.netloc}"
        yield from _of_path("address", unquote(parts.path))
    try:
        yield from _leaves(json.loads(one.metadata), "metadata", [MOST_LEAVES])
    except ValueError:
        return


def _of_path(what: str, path: str) -> Iterator[str]:
    """Its folders, and the words of its name; how it ends is told by what the file is."""
    folder, _, name = path.replace("\\", "/").rpartition("/")
    parts = folder.split("/") if folder else []
    for depth in range(len(parts)):
        yield f"{what} in {'/'.join(parts[: depth + 1])}/"
    stem = name.rpartition(".")[0] or name
    for word in _words(stem):
        yield f"{what} with {word}"


def _leaves(value: Any, at: str, left: list[int]) -> Iterator[str]:
    left[0] -= 1
    if left[0] < 0:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            if at == "metadata" and name == "instruction":
                continue  # part of the question
            yield f"{at} {name}"
            yield from _leaves(inner, f"{at} {name}", left)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, at, left)
    else:
        yield f"{at} = {str(value)[:VALUE_CHARS]}"


def _words(text: str) -> list[str]:
    return [word.lower() for word in _word.findall(_camel.sub(" ", text))]


def _by_chance(a: int, of_a: int, b: int, of_b: int) -> float:
    """How probable it is that a of of_a have a word and b of of_b, or still more differ, where neither side is another
    (Fisher 1935, the tail on the side that was seen)."""
    has, every = a + b, of_a + of_b
    if a * of_b >= b * of_a:
        towards = range(a, min(of_a, has) + 1)
    else:
        towards = range(max(0, has - of_b), a + 1)
    whole = _log_choose(every, has)
    return math.fsum(math.exp(_log_choose(of_a, k) + _log_choose(of_b, has - k) - whole) for k in towards)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
