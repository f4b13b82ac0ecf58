from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupola.kernel.errors import Kind, Problem
from cupola.labels import (
    ChoiceLabel,
    TextLabel,
    code_of,
    decode_label,
    decode_ontology,
    distance,
    encode,
    json_schema,
    label_of,
    merge,
    same,
    validate,
)
from cupola.labels.kinds.text import edit_distance

ONE = decode_ontology({"kind": "choice", "classes": [{"name": n} for n in "abc"]})
SEVERAL = decode_ontology({"kind": "choice", "multiple": True, "classes": [{"name": n} for n in "abc"]})
TEXT = decode_ontology({"kind": "text", "text": {"min_chars": 2, "max_chars": 40, "pattern": r"[a-z ]*"}})


def code(label: bytes, ontology: object = ONE) -> str:
    with pytest.raises(Problem) as caught:
        validate(decode_label(label), ontology)  # type: ignore[arg-type]
    return f"{caught.value.code} {caught.value.place}"


def test_labels_that_break_the_ontology_are_refused_with_rule_and_place() -> None:
    assert code(b'{"kind":"choice","values":["z"]}') == "label-unknown-class /values/0"
    assert code(b'{"kind":"choice","values":["a","b"]}') == "label-one-value /values"
    assert code(b'{"kind":"choice","values":[]}') == "label-one-value /values"
    assert code(b'{"kind":"choice","values":["a","a"]}', SEVERAL) == "label-repeated-value /values/1"
    assert code(b'{"kind":"text","text":"ab"}') == "label-wrong-kind /kind"
    assert code(b'{"kind":"choice","values":["a"]}', TEXT) == "label-wrong-kind /kind"
    assert code(b'{"kind":"text","text":"a"}', TEXT) == "label-text-length /text"
    assert code(b'{"kind":"text","text":"aB"}', TEXT) == "label-text-pattern /text"
    assert code(b'{"kind":"text","text":"a\\u0000b"}', TEXT) == "label-text-nul /text"
    assert code(b'{"kind":"text","text":"ab\\nc"}', TEXT) == "label-text-pattern /text"
    assert code(b'{"kind":"choice","values":["a"],"extra":1}') == "label-malformed "
    assert code(b'{"kind":"choice","values":["a",4]}') == "label-malformed /values/1"
    assert code(b'{"kind":"chioce","values":["a"]}') == "label-malformed /kind"


def test_labels_that_fit_are_taken() -> None:
    validate(ChoiceLabel(["b"]), ONE)
    validate(ChoiceLabel([]), SEVERAL)
    validate(ChoiceLabel(["a", "c"]), SEVERAL)
    validate(TextLabel("a word"), TEXT)


def test_a_label_over_the_size_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(Problem) as caught:
        decode_label(b" " * (8 * 1024 * 1024 + 1))
    assert caught.value.kind is Kind.TOO_LARGE


def test_a_pattern_that_would_hang_a_backtracking_engine_ends_at_once() -> None:
    ontology = decode_ontology({"kind": "text", "text": {"pattern": "(a+)+b"}})
    before = time.process_time()
    with pytest.raises(Problem):
        validate(TextLabel("a" * 50_000), ontology)
    assert time.process_time() - before < 30


def test_the_code_of_a_single_choice_leads_back_to_it() -> None:
    assert code_of(ChoiceLabel(["c"]), ONE) == 2
    assert label_of(2, ONE) == ChoiceLabel(["c"])
    assert code_of(ChoiceLabel(["c"]), SEVERAL) is None
    assert code_of(TextLabel("c"), TEXT) is None


def test_choices_are_compared_as_sets_and_merged_by_weight() -> None:
    assert distance(ChoiceLabel(["a"]), ChoiceLabel(["b"]), ONE) == 1
    assert distance(ChoiceLabel(["a", "b"]), ChoiceLabel(["b"]), SEVERAL) == 0.5
    assert distance(ChoiceLabel([]), ChoiceLabel([]), SEVERAL) == 0
    assert same(ChoiceLabel(["a", "b"]), ChoiceLabel(["b", "a"]), SEVERAL)
    three = [ChoiceLabel(["a"]), ChoiceLabel(["b"]), ChoiceLabel(["b"])]
    assert merge(three, [1, 1, 1], ONE) == ChoiceLabel(["b"])
    assert merge(three, [3, 1, 1], ONE) == ChoiceLabel(["a"])
    assert merge(three, [0, 0, 0], ONE) == ChoiceLabel(["b"])
    assert merge([ChoiceLabel(["b"]), ChoiceLabel(["a"])], [1, 1], ONE) == ChoiceLabel(["a"])
    several = [ChoiceLabel(["c", "a"]), ChoiceLabel(["a"]), ChoiceLabel([])]
    assert merge(several, [1, 1, 1], SEVERAL) == ChoiceLabel(["a"])
    with pytest.raises(ValueError):
        merge([], [], ONE)
    with pytest.raises(ValueError):
        merge([TextLabel("a")], [1], ONE)


@given(st.text("ab\U0001f600", max_size=80), st.text("abc", max_size=80))
def test_edit_distance_equals_the_textbook_recurrence(a: str, b: str) -> None:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row, before = [i], row
        for j, y in enumerate(b, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y)))
    assert edit_distance(a, b) == row[-1]


def test_text_is_compared_without_regard_to_white_space_and_merged_to_the_most_central() -> None:
    assert same(TextLabel("a  cat\n"), TextLabel("a cat"), TEXT)
    assert distance(TextLabel("kitten"), TextLabel("sitting"), TEXT) == pytest.approx(3 / 7)
    assert distance(TextLabel(""), TextLabel("ab"), TEXT) == 1
    long = " ".join(f"w{n}" for n in range(2000))
    assert distance(TextLabel(long), TextLabel(long + " more"), TEXT) == pytest.approx(1 / 2001)
    texts = [TextLabel("the cat"), TextLabel("the cats"), TextLabel("zebra")]
    assert merge(texts, [1, 1, 1], TEXT) in texts[:2]
    assert merge(texts, [1, 1, 5], TEXT) == texts[2]


@given(st.lists(st.text(max_size=20), max_size=5))
def test_what_is_encoded_decodes_to_the_same(values: list[str]) -> None:
    label = ChoiceLabel(values)
    assert decode_label(encode(label)) == label


def test_the_schema_names_every_kind() -> None:
    names = set(json_schema()["$defs"])
    assert {"ChoiceLabel", "TextLabel", "ObjectsLabel", "Box"} <= names
