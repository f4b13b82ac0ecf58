"""Copies: one of each group stays, the best; whoever goes resembles the one that stays, whatever order they came in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupola.corpus.near import Removals, duplicates
from cupola.corpus.profile import profile
from cupola.kernel.errors import Problem
from tests.corpus import reference

VOCABULARY = [f"w{n}" for n in range(40)]
BASES = [" ".join(VOCABULARY[(n * 7 + k * (n + 3)) % 40] for k in range(24)) for n in range(3)] + [
    "字" * 3 + "中文" * 6
]


@st.composite
def corpora(draw: st.DrawFn) -> list[tuple[str, float]]:
    """Texts that are edits of each other, in chains, with equal and different qualities."""
    out: list[tuple[str, float]] = []
    for _ in range(draw(st.integers(1, 12))):
        source = draw(st.sampled_from([text for text, _ in out] + BASES))
        words = source.split(" ")
        for _ in range(draw(st.integers(0, 4))):
            words[draw(st.integers(0, len(words) - 1))] = draw(st.sampled_from(VOCABULARY))
        out.append((draw(st.sampled_from([" ", "  "])).join(words), draw(st.sampled_from([0.0, 0.5, 1.0]))))
    return out


def removed(corpus: list[tuple[str, float]], ids: Any = None, threshold: float = 0.5) -> Removals:
    texts = pa.array([text for text, _ in corpus], pa.string())
    found = profile(texts)
    bands = np.array(found.field("bands").to_pylist(), np.uint64).reshape(-1, 28)
    hashes = np.frombuffer(b"".join(found.field("hash").to_pylist()), np.uint64).reshape(-1, 2)
    quality = np.array([good for _, good in corpus])
    return duplicates(hashes, bands, quality, np.arange(len(corpus)) if ids is None else ids,
                      lambda rows: texts.take(pa.array(rows)), threshold=threshold)  # fmt: skip


@given(corpora(), st.sampled_from([0.2, 0.5, 0.8, 1.0]))
@settings(max_examples=150)
def test_who_goes_resembles_a_better_one_that_stays(corpus: list[tuple[str, float]], threshold: float) -> None:
    found = removed(corpus, threshold=threshold)
    gone = set(found.row.tolist())
    assert len(gone) == len(found)
    assert gone <= set(range(len(corpus)))
    for row, keeper, similarity, exact in zip(*(x.tolist() for x in vars(found).values()), strict=True):
        assert keeper not in gone
        a, b = corpus[row], corpus[keeper]
        assert similarity == reference.jaccard(reference.shingles(a[0]), reference.shingles(b[0])) >= threshold
        assert (-b[1], keeper) < (-a[1], row), "the better one stays, and among equals the lower id"
        assert exact == (reference.normal(a[0]) == reference.normal(b[0]))
    best: dict[Any, int] = {}
    for row in sorted(range(len(corpus)), key=lambda n: (-corpus[n][1], n)):
        text = reference.normal(corpus[row][0])
        assert row in gone or text not in best, "two equal texts both stayed"
        best.setdefault(text, row)


@given(corpora(), st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_the_order_of_the_input_means_nothing(corpus: list[tuple[str, float]], random: Any) -> None:
    order = list(range(len(corpus)))
    random.shuffle(order)
    plain, shuffled = removed(corpus), removed([corpus[n] for n in order], np.array(order))
    as_ids = {(order[row], order[keeper], s)
              for row, keeper, s in zip(shuffled.row, shuffled.keeper, shuffled.similarity, strict=True)}  # fmt: skip
    assert as_ids == set(zip(plain.row.tolist(), plain.keeper.tolist(), plain.similarity.tolist(), strict=True))


@given(corpora(), st.lists(st.floats(0.05, 1), min_size=2, max_size=4))
@settings(max_examples=100)
def test_what_goes_at_a_threshold_goes_at_every_lower_one(
    corpus: list[tuple[str, float]], thresholds: list[float]
) -> None:
    before: set[int] = set()
    for threshold in sorted(thresholds, reverse=True):
        gone = set(removed(corpus, threshold=threshold).row.tolist())
        assert before <= gone
        before = gone


@given(corpora(), st.data())
@settings(max_examples=100)
def test_adding_a_copy_removes_nobody_else(corpus: list[tuple[str, float]], data: st.DataObject) -> None:
    copied = data.draw(st.lists(st.sampled_from(corpus), min_size=1, max_size=4))
    before = removed(corpus)
    after = removed(corpus + [(text.upper() + "  ", quality) for text, quality in copied])
    added = set(range(len(corpus), len(corpus) + len(copied)))
    assert set(after.row.tolist()) == set(before.row.tolist()) | added
    assert not set(after.keeper.tolist()) & added


def test_a_chain_takes_nothing_away_that_nothing_kept_resembles() -> None:
    words = [f"w{n}" for n in range(100)]
    chain = [" ".join([f"c{k}x{n}" if n < 12 * k else w for n, w in enumerate(words)]) for k in range(8)]
    found = removed([(text, 0.0) for text in chain])
    assert len(found), "neighbours are alike"
    kept = set(range(8)) - set(found.row.tolist())
    assert len(kept) > 1, "the two ends are not"


def test_a_group_moves_to_a_better_keeper_only_at_its_lowest_similarity() -> None:
    """A would take B and C, though C is far from it; at a low threshold as at a high one P takes A first."""
    parts = {"C": "kv" + "c" * 1, "B": "kuv", "A": "kua", "P": "jua" + "p"}
    sizes = {"k": 6, "j": 2, "u": 4, "v": 4, "a": 2, "c": 1, "p": 2}
    blocks = {part: [" ".join(f"{'k' if part == 'j' else part}{n}x{m}" for m in range(60)) for n in range(sizes[part])]
              for part in sizes}  # fmt: skip
    documents = [" ".join(block for part in parts[name] for block in blocks[part]) for name in "CBAP"]
    corpus = [(text, float(good)) for good, text in enumerate(documents)]
    found = {threshold: removed(corpus, threshold=threshold).row.tolist() for threshold in (0.5, 0.2)}
    assert found == {0.5: [0, 2], 0.2: [0, 2]}


def test_copies_with_a_word_in_twenty_changed_are_found_and_other_texts_are_not() -> None:
    random = np.random.default_rng(1)
    corpus = []
    for n in range(300):
        words = [f"w{k}" for k in random.integers(0, 3000, 120)]
        copy = [f"e{n}" if random.random() < 0.05 else w for w in words]
        corpus += [(" ".join(words), 0.0), (" ".join(copy), 0.0)]
    found = removed(corpus)
    assert (found.row == found.keeper + 1).all()
    assert len(found) >= 295


@pytest.mark.parametrize(
    ("change", "code"),
    [({"threshold": 0.0}, "threshold-outside"), ({"threshold": 1.5}, "threshold-outside"),
     ({"ids": np.array([1, 1])}, "id-twice"), ({"corpus": [("a", 0.0), ("b", float("nan"))]}, "quality-not-a-number")],
)  # fmt: skip
def test_what_makes_no_order_is_refused(change: dict[str, Any], code: str) -> None:
    with pytest.raises(Problem) as refused:
        removed(**({"corpus": [("a", 0.0), ("b", 1.0)]} | change))
    assert refused.value.code == code


def test_nothing_and_texts_without_words_have_no_copies_but_equal_ones() -> None:
    assert len(removed([])) == 0
    found = removed([("...", 0.0), ("!!!", 0.0), ("", 0.0), (" ... ", 0.0), ("\n", 0.0)])
    assert list(zip(found.row, found.keeper, strict=True)) == [(3, 0), (4, 2)]
    assert found.exact.all()
