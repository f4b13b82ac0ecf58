"""Answers to the questions of a form compared: which say the same, how far apart others are, how they read.

Rankings are apart by the share of pairs that they order otherwise (Kendall's tau distance, 1938); rows by the cheapest
way to line them up (Levenshtein's distance, with what their cells differ by). Of files only whether there is one can be
compared: two people who photograph the same thing hand in different bytes, and both are right.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from cupola.labels import attributes
from cupola.labels.kinds.text import normal, text_distance
from cupola.labels.ontology import Answer, AttributeSpec, FileAnswer, Rows
from cupola.labels.places import pointer

ALMOST = 1e-9  # numbers that differ by less, relatively, are one number
ROWS_COMPARED = 100  # of each answer; further ones count by their number alone
Row = attributes.Answers


def shown(value: Answer) -> str:
    """An answer in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " + ".join(value) or "none"
    if isinstance(value, FileAnswer):
        return value.name
    if isinstance(value, Rows):
        return " | ".join(", ".join(f"{name}: {shown(cell)}" for name, cell in row.items()) for row in value.rows)
    return normal(value) if isinstance(value, str) else f"{value:g}"


def in_words(spec: AttributeSpec, value: Answer) -> str:
    """An answer in words, as its question has it: what is put in order is not what is chosen."""
    return " > ".join(value) if spec.type == "ranking" and isinstance(value, list) else shown(value)


def same_answer(spec: AttributeSpec, a: Answer | None, b: Answer | None) -> bool:
    """Do two answers to one question say the same? No answer is as much as an empty one."""
    if not (attributes.answered(a) and attributes.answered(b)):
        return attributes.answered(a) == attributes.answered(b)
    assert a is not None
    assert b is not None
    if isinstance(a, str) and isinstance(b, str) and not spec.options:
        return normal(a) == normal(b)
    if isinstance(a, int | float) and isinstance(b, int | float) and type(a) is not bool and type(b) is not bool:
        return math.isclose(a, b, rel_tol=ALMOST)
    if isinstance(a, FileAnswer) and isinstance(b, FileAnswer):
        return True
    if isinstance(a, Rows) and isinstance(b, Rows):
        return len(a.rows) == len(b.rows) and all(
            same_answer(column, one.get(column.name), other.get(column.name))
            for one, other in zip(a.rows, b.rows, strict=True)
            for column in spec.columns
        )
    return a == b if spec.type == "ranking" else attributes.meant(a) == attributes.meant(b)


def answer_distance(spec: AttributeSpec, a: Answer | None, b: Answer | None) -> float:
    """How far apart two answers to one question are, in [0, 1]."""
    if same_answer(spec, a, b):
        return 0.0
    if spec.type == "multi" and isinstance(a, list) and isinstance(b, list):
        return 1.0 - len(set(a) & set(b)) / len(set(a) | set(b))
    if spec.type == "ranking" and isinstance(a, list) and isinstance(b, list):
        return _turned_pairs(a, b)
    if isinstance(a, str) and isinstance(b, str) and not spec.options:
        return text_distance(a, b)
    if isinstance(a, Rows) and isinstance(b, Rows):
        return _rows_apart(spec.columns, a.rows, b.rows)
    return 1.0


def _turned_pairs(a: Sequence[str], b: Sequence[str]) -> float:
    place = {option: n for n, option in enumerate(b)}
    order = [place[option] for option in a if option in place]
    pairs = len(order) * (len(order) - 1) // 2
    return sum(first > second for first, second in combinations(order, 2)) / pairs if pairs else 1.0


def _rows_apart(columns: Sequence[AttributeSpec], a: Sequence[Row], b: Sequence[Row]) -> float:
    longer, further = max(len(a), len(b)), abs(len(a[ROWS_COMPARED:]) - len(b[ROWS_COMPARED:]))
    first, second = a[:ROWS_COMPARED], b[:ROWS_COMPARED]
    line = [float(n) for n in range(len(second) + 1)]
    for n, one in enumerate(first, start=1):
        above, line = line, [float(n)]
        for m, other in enumerate(second, start=1):
            kept = above[m - 1] + _row_apart(columns, one, other)
            line.append(min(kept, above[m] + 1.0, line[m - 1] + 1.0))
    return min(1.0, (line[-1] + further) / longer) if longer else 0.0


def _row_apart(columns: Sequence[AttributeSpec], a: Row, b: Row) -> float:
    found = [
        answer_distance(column, one, other)
        for column in columns
        if attributes.answered(one := a.get(column.name)) | attributes.answered(other := b.get(column.name))
    ]
    return math.fsum(found) / len(found) if found else 0.0


def files_among(answers: Mapping[str, Answer]) -> Iterator[tuple[str, FileAnswer]]:
    """(place as a JSON pointer, file) of each that the answers name."""
    for name, value in answers.items():
        if isinstance(value, FileAnswer):
            yield pointer(name), value
        elif isinstance(value, Rows):
            for number, row in enumerate(value.rows):
                for place, file in files_among(row):
                    yield pointer(name, "rows", number) + place, file
