"""Marked words compared and put together: by the characters that two say alike, and vote by vote.

Two markings are apart by one less their F1 over characters and labels; a span of several people is the one that most of
the weight marked of those that lie over each other, so that nothing stands that nobody marked.
"""

from __future__ import annotations

from collections.abc import Sequence

from cupola.labels.ontology import Relation, Span, Spans

OVERLAP = 0.5  # of two spans of one label, intersection over union, from which they mean one thing


def alike(a: Spans, b: Spans) -> bool:
    return _named(a) == _named(b) and _related(a) == _related(b)


def apart(a: Spans, b: Spans) -> float:
    """1 - F1 over (character, label) and relations, in [0, 1]."""
    first, second = _named(a), _named(b)
    shared = _covered(first, second)
    said = sum(end - start for start, end, _ in first) + sum(end - start for start, end, _ in second)
    common, all_ = len(_related(a) & _related(b)), len(a.relations) + len(b.relations)
    parts = [2.0 * shared / said if said else 1.0]
    if all_:
        parts.append(2.0 * common / all_)
    return max(0.0, 1.0 - sum(parts) / len(parts))


def together(said: Sequence[tuple[Spans, float]]) -> Spans:
    """The spans that more than half of the weight marked, each where most of its weight lies; relations likewise."""
    whole = sum(weight for _, weight in said)
    votes: dict[tuple[int, int, str], float] = {}
    for one, weight in said:
        for key in _named(one):
            votes[key] = votes.get(key, 0.0) + weight
    # the most marked first, ties to the earlier and longer: each gathers what lies over it, one of each person
    left = sorted(votes, key=lambda key: (-votes[key], key[0], -key[1], key[2]))
    taken: set[tuple[int, tuple[int, int, str]]] = set()
    chosen: list[tuple[int, int, str]] = []
    home: dict[tuple[int, tuple[int, int, str]], tuple[int, int, str]] = {}
    for key in left:
        heard = 0.0
        members: list[tuple[int, tuple[int, int, str]]] = []
        for who, (one, weight) in enumerate(said):
            over = [other for other in _named(one) if (who, other) not in taken and _over(key, other) >= OVERLAP]
            if over:
                heard += weight
                members.append((who, max(over, key=lambda other: (_over(key, other), -other[0]))))
        if heard * 2 > whole:
            chosen.append(key)
            taken.update(members)
            home.update(dict.fromkeys(members, key))
    chosen.sort(key=lambda key: (key[0], -key[1], key[2]))
    place = {key: n for n, key in enumerate(chosen)}
    related: dict[tuple[int, int, str], float] = {}
    for who, (one, weight) in enumerate(said):
        keys = [(span.start, span.end, span.label) for span in one.spans]
        for link in {(one_.head, one_.tail, one_.label) for one_ in one.relations}:
            ends = home.get((who, keys[link[0]])), home.get((who, keys[link[1]]))
            if ends[0] is not None and ends[1] is not None and ends[0] != ends[1]:
                found = (place[ends[0]], place[ends[1]], link[2])
                related[found] = related.get(found, 0.0) + weight
    return Spans(
        [Span(*key) for key in chosen],
        [Relation(*link) for link in sorted(related) if related[link] * 2 > whole],
    )


def _named(one: Spans) -> set[tuple[int, int, str]]:
    return {(span.start, span.end, span.label) for span in one.spans}


def _related(one: Spans) -> set[tuple[tuple[int, int, str], tuple[int, int, str], str]]:
    keys = [(span.start, span.end, span.label) for span in one.spans]
    return {(keys[link.head], keys[link.tail], link.label) for link in one.relations}


def _over(a: tuple[int, int, str], b: tuple[int, int, str]) -> float:
    if a[2] != b[2]:
        return 0.0
    shared = min(a[1], b[1]) - max(a[0], b[0])
    return shared / (max(a[1], b[1]) - min(a[0], b[0])) if shared > 0 else 0.0


def _covered(a: set[tuple[int, int, str]], b: set[tuple[int, int, str]]) -> float:
    """Characters that both mark with the same label, nested ones as often as both nest them."""
    total = 0.0
    for label in {key[2] for key in a} & {key[2] for key in b}:
        edges: list[tuple[int, int, int]] = []
        for side, spans in ((0, a), (1, b)):
            for start, end, name in spans:
                if name == label:
                    edges += [(start, side, 1), (end, side, -1)]
        depth, before = [0, 0], 0
        for at, side, step in sorted(edges):
            total += min(depth) * (at - before)
            depth[side] += step
            before = at
    return total
