"""Tables as people have them: what was mended silently elsewhere is mended here aloud, and what cannot be is asked."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy
from cupola.quality.inference.codes import rows_in_words, to_arrow

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = Lazy("pyarrow")
pc = Lazy("pyarrow.compute")

MISSING_WORDS = frozenset({"nan", "na", "n/a", "null", "#n/a"})
MOST_NAMED = 3


def tidy(column: Any, what: str, notes: list[str]) -> pa.Array:
    """The column as Arrow, text in NFC without spaces around it; what was changed is told in `notes`.

    Two cells that look alike are then one name: "cat ", and an e with its accent composed or apart.
    """
    array = to_arrow(column, what)
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        return array
    clean = pc.utf8_trim_whitespace(pc.utf8_normalize(array, "NFC"))
    # a cell of nothing but spaces is empty, and told as such where it matters
    differs = pc.and_(pc.not_equal(clean, array), pc.not_equal(clean, ""))
    changed = np.flatnonzero(np.asarray(pc.fill_null(differs, False)))
    if len(changed):
        notes.append(
            f"{len(changed)} cell{'s' if len(changed) > 1 else ''} of the {what} column had spaces around the text or "
            f"accents apart (row {rows_in_words(changed)}); read without."
        )
    return clean


def odd_names(names: Sequence[Any], what: str, notes: list[str]) -> None:
    """Tell of names that are probably no name, and of those that differ in case alone."""
    text = [name for name in names if isinstance(name, str)]
    missing = [name for name in text if name.casefold() in MISSING_WORDS]
    if missing:
        notes.append(
            f"{', '.join(repr(name) for name in missing)} taken as a {what} like any other: drop these rows if not."
        )
    alike = twins(text)
    if alike:
        shown = "; ".join(" and ".join(repr(name) for name in group) for group in alike[:MOST_NAMED])
        notes.append(f"{what.capitalize()}s that differ in case or spelling alone are kept apart: {shown}.")


def twins(names: Sequence[str]) -> list[list[str]]:
    """Groups of names that are one but for case, width or punctuation of compatibility."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(folded(name), []).append(name)
    return [sorted(group) for group in groups.values() if len(group) > 1]


def folded(name: str) -> str:
    """What names that differ in case, width or inner spaces share."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def known_pairs(
    tasks: Sequence[Any], labels: Sequence[Any], said: Sequence[Any], notes: list[str]
) -> list[tuple[Any, Any]]:
    """Gold as (task, label), each task once. said: the labels of the judgements.

    Empty cells are left out and counted. Raises Problem where one task has two golds, and where a gold is a label of
    the judgements in another spelling: which of the two is meant is not ours to say.
    """
    pairs: dict[Any, tuple[Any, int]] = {}
    empty = 0
    known = set(said)
    by_fold = {folded(name): name for name in said if isinstance(name, str)}
    for row, (task, label) in enumerate(zip(tasks, labels, strict=True)):
        if _is_empty(label) or _is_empty(task):
            empty += 1
            continue
        if label not in known and isinstance(label, str) and folded(label) in by_fold:
            raise invalid(
                "gold-spelled",
                f"Gold row {row}: {label!r} is not among the labels, {by_fold[folded(label)]!r} is.",
                remedy="Spell the gold as the judgements are spelled.",
                place=f"gold, row {row}",
            )
        if task in pairs and pairs[task][0] != label:
            raise invalid(
                "gold-twice",
                f"Gold rows {pairs[task][1]} and {row} give task {task!r} as {pairs[task][0]!r} and as {label!r}.",
                remedy="Keep the one that is right.",
                place=f"gold, row {row}",
            )
        pairs.setdefault(task, (label, row))
    if empty:
        notes.append(f"{empty} gold row{'s' if empty > 1 else ''} without a task or label left out.")
    return [(task, label) for task, (label, _) in pairs.items()]


def _is_empty(value: Any) -> bool:
    return value is None or value != value or (isinstance(value, str) and not value.strip())
