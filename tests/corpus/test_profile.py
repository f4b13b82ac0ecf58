"""Every signal of the one pass is what its slow definition says, for whatever bytes come."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cupola.corpus import profile as profiling
from cupola.corpus.bytemodel import ByteModel, fit
from cupola.corpus.profile import profile, words_of
from cupola.corpus.shingles import jaccard, shingle_set
from cupola.kernel.errors import Problem
from tests.corpus import reference

ENGLISH = ["the", "cat", "Cat", "sat", "on", "mat.", "mat", "...", "…", "end!", '"Why?"', "# a", "3.5", "don't", "* x",
           "ÉCOLE", "straße", "e\u0301", "x" * 40, "{}", "@", "I", "1999", "؟", "हिन्दी"]  # fmt: skip
CHINESE = ["中", "文", "の", "カ", "한국", "。", "，", "字", "Ｆ", "ａｂ", "ไทย", "\U00020001", "ｶ"]
GAPS = [" ", "  ", "\n", "\n\n", "\t", "\r\n", "\u3000", "", "\n \n"]
ODD = ["\0", "\ufffd", "\u200b", "\ue000", "\U0010ffff", "\x85", "\u2028", "😀", "\U000e0041", "２０２４"]
texts = st.lists(
    st.tuples(st.sampled_from(ENGLISH + CHINESE + ODD), st.sampled_from(GAPS)), max_size=60
).map(lambda parts: "".join(word + gap for word, gap in parts))  # fmt: skip
torn = st.tuples(texts, st.binary(max_size=5)).map(lambda p: p[0].encode() + p[1])
utf8 = st.text(max_size=80).map(lambda t: t.encode("utf-8", "replace"))
raw = st.one_of(texts.map(str.encode), utf8, st.binary(max_size=60), torn)
AWKWARD = [b"", b"\0", b"\xff\xfe", b"\xe4\xb8", b"\xed\xa0\x80x", b"\xf0\x9f\x98", b"\xc0\xaf", b"\xf4\x90\x80\x80",
           b"a" * 300_000, ("word " * 60_000).encode(), b"\n" * 1000, "字".encode() * 3000, b"one",
           b"a b c d e f g h i j k l. " * 40]  # fmt: skip


def of(*documents: bytes) -> pa.StructArray:
    return profile(pa.array(documents, pa.large_binary()))


@given(st.lists(raw, max_size=6))
@settings(max_examples=150)
def test_every_count_is_its_definition(documents: list[bytes]) -> None:
    for document, row in zip(documents, of(*documents).to_pylist(), strict=True):
        expected = reference.counts(document)
        assert {name: row[name] for name in expected} == expected, document


@pytest.mark.parametrize("document", AWKWARD, ids=lambda d: f"{d[:6]!r} x {len(d)}")
def test_awkward_documents_are_counted_as_their_definition_says(document: bytes) -> None:
    row = of(b"before", document, b"after")[1].as_py()
    expected = reference.counts(document)
    assert {name: row[name] for name in expected} == expected


@given(st.lists(texts, min_size=2, max_size=8))
@example(["A  b", "a b", "a\u3000B", "ab", "a b.", "Ａ b"])
@example(["", " ", "\n", ".", "!"])
def test_hashes_are_equal_where_case_width_and_blanks_alone_differ(documents: list[str]) -> None:
    hashes = of(*(text.encode() for text in documents)).field("hash").to_pylist()
    for n, a in enumerate(documents):
        for m, b in enumerate(documents):
            assert (hashes[n] == hashes[m]) == (reference.normal(a) == reference.normal(b)), (a, b)


@given(texts, texts)
def test_the_similarity_of_two_documents_is_that_of_their_shingles(a: str, b: str) -> None:
    words = words_of(pa.array([a, b]))
    first, second = int(words.ends[0]), int(words.ends[1])
    found = jaccard(shingle_set(words.hashes, words.chars, 0, first),
                    shingle_set(words.hashes, words.chars, first, second))  # fmt: skip
    assert found == reference.jaccard(reference.shingles(a), reference.shingles(b))


def test_a_document_does_not_see_its_neighbours_nor_how_the_batch_is_cut() -> None:
    documents = [f"the same old words again and again, number {n}. " * (n % 50 + 1) for n in range(900)] + [
        "",
        "字",
    ]
    whole = pa.array(documents, pa.large_string())
    together = profile(whole)
    alone = [profile(whole[n : n + 1])[0].as_py() for n in (0, 1, 449, 899, 900, 901)]
    assert alone == [together[n].as_py() for n in (0, 1, 449, 899, 900, 901)]
    assert profile(whole[200:]).equals(together[200:])
    chunked = pa.chunked_array([whole[:10], whole[10:300], whole[300:]])
    assert profile(chunked).equals(together)
    assert profile(whole.cast(pa.string())).equals(together)


def test_documents_of_a_large_batch_keep_their_words_and_only_one_that_is_too_long_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    documents = [" ".join(f"d{d}w{n}" for n in range(20_000)) for d in range(5)]
    monkeypatch.setattr(profiling, "MOST_WORDS", 30_000)
    found = words_of(pa.array(documents))
    assert found.ends.tolist() == [20_000, 40_000, 60_000, 80_000, 100_000]
    assert len(set(found.hashes.tolist())) == 100_000
    monkeypatch.setattr(profiling, "MOST_WORDS", 10_000)
    batch = pa.array([documents[0] + " " + "x " * 90_000, "short and whole"])
    assert words_of(batch).ends.tolist() == [10_000, 10_003]
    assert profile(batch).field("words").to_pylist() == [110_000, 3]


def test_a_null_document_has_a_null_profile_and_another_type_is_refused() -> None:
    found = profile(pa.array(["a", None, "a"]))
    assert found.is_null().to_pylist() == [False, True, False]
    assert found[0] == found[2]
    assert len(profile(pa.array([], pa.string()))) == 0
    with pytest.raises(Problem, match="holds no text"):
        profile(pa.array([1, 2]))


def test_documents_with_the_same_shingles_have_the_same_keys_and_unlike_ones_share_none() -> None:
    a = " ".join(f"w{n}" for n in range(300))
    keys = of(a.encode(), a.upper().replace(" ", ", ").encode(), " ".join(f"v{n}" for n in range(300)).encode(), b"")
    first, second, third, empty = keys.field("bands").to_pylist()
    assert first == second
    assert not set(first) & set(third)
    assert set(empty) == {0}


def test_pairs_share_a_key_as_often_as_their_similarity_says() -> None:
    """1 - (1 - J^4)^28, over 300 pairs at each of three similarities; within four standard errors."""
    for changed in (0.02, 0.1, 0.25):
        documents = []
        for pair in range(300):
            words = [f"p{pair}w{n}" for n in range(150)]
            step = round(1 / changed)
            documents += [" ".join(words), " ".join("x" + w if n % step == 0 else w for n, w in enumerate(words))]
        batch = pa.array(documents)
        bands = profile(batch).field("bands").to_pylist()
        words_, start, shared, expected = words_of(batch), 0, 0, 0.0
        sets = []
        for end in words_.ends.tolist():
            sets.append(shingle_set(words_.hashes, words_.chars, start, end))
            start = end
        variance = 0.0
        for n in range(0, len(documents), 2):
            shared += any(x == y for x, y in zip(bands[n], bands[n + 1], strict=True))
            chance = 1 - (1 - jaccard(sets[n], sets[n + 1]) ** 4) ** 28
            expected += chance
            variance += chance * (1 - chance)
        assert abs(shared - expected) <= 4 * variance**0.5 + 0.5, (changed, shared, expected)


@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=5), st.binary(max_size=150))
@settings(max_examples=40)
def test_the_byte_model_is_its_definition_and_its_probabilities_sum_to_one(trusted: list[bytes], text: bytes) -> None:
    model, slow = fit(trusted), reference.Model(trusted)
    document = text + trusted[0]
    bits = profile(pa.array([document], pa.binary()), model=model).field("model_bits")[0].as_py()
    assert bits == pytest.approx(slow.bits(document) / len(document), abs=2e-3)
    assert sum(slow.probability(trusted[0][-4:].rjust(4, b"\n"), byte) for byte in range(256)) == pytest.approx(1)


def test_a_model_is_kept_and_read_again_and_another_file_is_refused(tmp_path) -> None:
    batch = pa.array(["some text", "", "other text\0"])
    model = fit([b"some trusted text. " * 20])
    model.save(tmp_path / "model.npz")
    kept = ByteModel.load(tmp_path / "model.npz")
    scores = profile(batch, model=model).field("model_bits")
    assert profile(batch, model=kept).field("model_bits").equals(scores)
    assert scores[1].as_py() is None
    assert scores[0].as_py() < scores[2].as_py()
    (tmp_path / "not.npz").write_bytes(b"no model")
    with pytest.raises(Problem, match="no byte model"):
        ByteModel.load(tmp_path / "not.npz")
    with pytest.raises(Problem, match="no text to learn"):
        fit([])
