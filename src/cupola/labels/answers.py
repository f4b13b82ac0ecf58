"""Answers to the questions of a form compared: which say the same, how far apart others are, how they read.

Rankings are apart by the share of pairs that they order otherwise (Kendall's tau distance, 1938); rows by the cheapest
way to line them up (Levenshtein's distance, with what their cells differ by). Of files only whether there is one can be
compared: two people who photograph the same thing hand in different bytes, and both are right.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from cupola.labels import attributes, marking
from cupola.labels.kinds.text import normal, text_distance
from cupola.labels.ontology import Answer, AttributeSpec, Each, FileAnswer, Groups, Rows, Spans
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
    if isinstance(value, Groups):
        return " > ".join(" = ".join(group) for group in value.groups)
    if isinstance(value, Spans):
        return ", ".join(f"{span.label} {span.start}-{span.end}" for span in value.spans) or "none"
    if isinstance(value, Each):
        return ", ".join(f"{target}: {shown(one)}" for target, one in value.values.items())
    return normal(value) if isinstance(value, str) else f"{value:g}"


def pieces(specs: Sequence[AttributeSpec], answers: Mapping[str, Answer]) -> dict[str, tuple[AttributeSpec, Answer]]:
    """Each thing that was answered by itself: (question, value) by "question", with a scope by "question@target"."""
    found: dict[str, tuple[AttributeSpec, Answer]] = {}
    for spec in specs:
        value = answers.get(spec.name)
        if isinstance(value, Each):
            found |= {f"{spec.name}@{target}": (spec.alone, one) for target, one in value.values.items()}
        elif value is not None:
            found[spec.name] = (spec, value)
    return found


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
        if spec.type == "preference":
            return (a > 0) == (b > 0) and (a < 0) == (b < 0)  # how strong it is may differ
        return abs(a - b) <= spec.tolerance or math.isclose(a, b, rel_tol=ALMOST)
    if isinstance(a, Spans) and isinstance(b, Spans):
        return marking.alike(a, b)
    if isinstance(a, Groups) and isinstance(b, Groups):
        return [set(group) for group in a.groups] == [set(group) for group in b.groups]
    if isinstance(a, Each) and isinstance(b, Each):
        return all(same_answer(spec.alone, a.values.get(target), b.values.get(target))
                   for target in {**a.values, **b.values})  # fmt: skip
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
    if isinstance(a, Groups) and isinstance(b, Groups):
        return _groups_apart(a, b)
    if isinstance(a, Spans) and isinstance(b, Spans):
        return marking.apart(a, b)
    if isinstance(a, Each) and isinstance(b, Each):
        targets = {**a.values, **b.values}
        found = [answer_distance(spec.alone, a.values.get(target), b.values.get(target)) for target in targets]
        return math.fsum(found) / len(found)
    if isinstance(a, int | float) and isinstance(b, int | float):
        return _steps_apart(spec, a, b)
    if isinstance(a, Rows) and isinstance(b, Rows):
        return _rows_apart(spec.columns, a.rows, b.rows)
    return 1.0


def _turned_pairs(a: Sequence[str], b: Sequence[str]) -> float:
    place = {option: n for n, option in enumerate(b)}
    order = [place[option] for option in a if option in place]
    pairs = len(order) * (len(order) - 1) // 2
    return sum(first > second for first, second in combinations(order, 2)) / pairs if pairs else 1.0


def _groups_apart(a: Groups, b: Groups) -> float:
    """The share of pairs that two order otherwise, half of it where one ties what the other does not (Fagin et al.,
    Comparing partial rankings, 2006)."""
    place, other = ({name: n for n, group in enumerate(one.groups) for name in group} for one in (a, b))
    pairs = list(combinations(sorted(place.keys() & other.keys()), 2))
    cost = 0.0
    for one, two in pairs:
        first, second = place[one] - place[two], other[one] - other[two]
        cost += 1.0 if first * second < 0 else 0.5 if (first == 0) != (second == 0) else 0.0
    return cost / len(pairs) if pairs else 1.0


def _steps_apart(spec: AttributeSpec, a: float, b: float) -> float:
    """Of a scale and a preference the share of it that lies between; other numbers are the same or not."""
    if spec.type == "scale":
        return min(1.0, abs(a - b) / max((spec.most or 0) - (spec.least or 0), 1.0))
    return min(1.0, abs(a - b) / (2.0 * (spec.most or 3.0))) if spec.type == "preference" else 1.0


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
