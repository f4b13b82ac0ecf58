"""Languages by their script and function words; leaked items by runs of words and by windows."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupola.corpus import leakage
from cupola.corpus.language import languages, listed
from cupola.corpus.profile import profile
from cupola.kernel.errors import Problem
from tests.corpus import reference

TEXTS = {
    "en": "It was the best of times, and it was not for us to say that they had not known which of them was to come.",
    "de": "Es war einmal ein König, der hatte eine Tochter, und sie war so schön; die Sonne wundert sich nicht.",
    "fr": "Il y avait une fois un roi qui avait une fille, et elle était si belle que le soleil la regardait avec lui.",
    "es": "En un lugar de la Mancha, de cuyo nombre no quiero acordarme para nada, vivía un hidalgo de los de lanza.",
    "nl": "Er was eens een koning die een dochter had, en zij was zo mooi dat de zon het niet zag.",
    "sv": "Det var en gång en kung som hade en dotter, och hon var så vacker att solen inte såg det.",
    "ru": "Все счастливые семьи похожи друг на друга, и каждая из них не то же, что была для нас; он это так сказал.",
    "uk": "Це було давно, але він не знав, як та що буде для нас, і тільки вона його ще про це питала або казала.",
    "zh": "道可道，非常道；名可名，非常名。无名天地之始，有名万物之母。",
    "ja": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。",
    "ko": "옛날 옛적에 호랑이가 담배 피우던 시절에 한 나무꾼이 살았습니다.",
    "th": "กาลครั้งหนึ่งนานมาแล้ว มีพระราชาองค์หนึ่ง",
    "el": "Μια φορά κι έναν καιρό ήταν ένας βασιλιάς",
    "ar": "كان هناك في قديم الزمان ملك من الملوك وكان له كل ما لا يكون لغير هذا الملك على الأرض",
    "fa": "یکی بود یکی نبود و این پادشاه را با آن همه که داشت در شهر خود می شناختند و از او بود",
}  # fmt: skip


@pytest.mark.parametrize(("code", "text"), TEXTS.items(), ids=list(TEXTS))
def test_a_language_is_told_from_a_sentence(code: str, text: str) -> None:
    assert languages(profile(pa.array([text])))["language"].to_pylist() == [code]


def test_what_has_no_language_has_none_and_each_row_is_its_own() -> None:
    batch = pa.array(["", "12345 67", "foo(bar, baz) = quux", *TEXTS.values(), "…"])
    found = languages(profile(batch))
    assert found["language"].to_pylist() == ["und"] * 3 + list(TEXTS) + ["und"]
    assert found["script"].to_pylist()[:4] == [None, None, "latin", "latin"]
    assert "en" in listed()
    assert "no" in listed()


ITEMS = [
    "Anna has three apples and buys twelve more apples at the market for two dollars each. How many has she now?",
    "A train leaves the station at noon and travels sixty miles in every hour until it stops at the lake at five.",
]
WORDS = [*sorted({word for item in ITEMS for word in reference.words(item)}), "stone", "sky", "read", "slow"]
documents = st.lists(st.lists(st.sampled_from(WORDS), max_size=130).map(" ".join), min_size=1, max_size=4)


def _cosine(words: list[str], item: str, weight: dict[str, float], unknown: float, owners: Counter[str]) -> float:
    def vector(found: list[str]) -> dict[str, float]:
        return {w: (1 + math.log(n)) * weight.get(w, unknown) for w, n in Counter(found).items()}

    a, b = vector(words), vector(reference.words(item))
    length = math.sqrt(sum(x * x for x in a.values()) * sum(x * x for x in b.values()))
    common = [w for w in a if w in b and owners[w] <= max(leakage.MOST_OF_ITEMS * len(ITEMS), 1)]
    return sum(a[w] * b[w] for w in common) / length if common else 0.0


@given(documents, documents)
@settings(max_examples=60)
def test_the_nearest_window_is_that_of_the_slow_definition(sample: list[str], read: list[str]) -> None:
    windows = []
    for text in sample:
        words = reference.words(text)
        windows += [set(words[n : n + 50]) for n in range(0, len(words), 50)]
    known = {w for item in ITEMS for w in reference.words(item)}
    weight = {w: math.log((len(windows) + 1) / (sum(w in x for x in windows) + 1)) + 0.1 for w in known}
    unknown = math.log(len(windows) + 1) + 0.1
    owners = Counter(w for item in ITEMS for w in set(reference.words(item)))
    found = leakage.nearest(pa.array(read), leakage.fit(ITEMS, pa.array(sample))).to_pylist()
    for text, row in zip(read, found, strict=True):
        words = reference.words(text)
        best = 0.0
        for at in range(0, len(words), 25):
            best = max(best, *(_cosine(words[at : at + 50], item, weight, unknown, owners) for item in ITEMS))
            if at + 50 >= len(words):
                break
        assert row["similarity"] == pytest.approx(best, abs=1e-9)
        assert (row["item"] == -1) == (best == 0)


def test_a_copied_item_is_found_by_its_runs_and_one_said_otherwise_by_its_window() -> None:
    around = " ".join(f"filler{n}" for n in range(60))
    copied = f"{around} {ITEMS[1].upper()} {around}"
    said = "Anna owns 3 apples; at the market she buys another twelve apples, two dollars each. Her apples now?"
    said = f"{around} {said} {around}"
    batch = pa.array([copied, said, around])
    runs = profile(batch, benchmark=leakage.benchmark(ITEMS))
    assert runs.field("leak_item").to_pylist() == [1, -1, -1]
    assert runs.field("leak_runs")[0].as_py() == len(reference.words(ITEMS[1])) - 12
    found = leakage.nearest(batch, leakage.fit(ITEMS, batch)).to_pylist()
    assert [row["item"] for row in found] == [1, 0, -1]
    assert found[1]["similarity"] > 0.2
    assert np.isclose(found[2]["similarity"], 0)


def test_a_benchmark_that_nothing_can_be_found_of_is_refused() -> None:
    with pytest.raises(Problem, match="No item has 13 words"):
        leakage.benchmark(["too short", ""])
    with pytest.raises(Problem, match="no item"):
        leakage.fit([], pa.array(["a"]))
