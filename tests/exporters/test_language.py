"""Labels of texts as trainers read them: what each format says, for the labels that templates give as examples."""

from __future__ import annotations

import io
import json
import os
import unicodedata
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from cupola.catalog.conversations.shapes import as_manifest
from cupola.formats.table import FORMS
from cupola.kernel.errors import Problem
from cupola.labels import Ontology, decode_ontology, encode, label_from
from cupola.labels.rubric import WHOLE, scores
from cupola.releases.exporters.language.spans import tokens
from cupola.templates.table import named
from tests.exporters.test_exporters import Released, export
from tests.formats.helping import Memory, read

SHARED = Path(os.environ.get("CUPOLA_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
OASST = SHARED / "llm/oasst_en100/trees.jsonl"
# combining marks, families of emoji, East Asia, right to left: places are code points
ODD = "Zoe\u0308 👩‍👩‍👧 met 小林さん in תל אביב."


def row(item: dict[str, Any], answer: dict[str, Any], position: int = 0) -> Released:
    """A released item, made of a row as an import makes it."""
    ref = str(item.get("ref", item.get("id", f"item {position}")))
    told = as_manifest(item)
    label = encode(label_from(answer)).decode()
    if told is None:
        return Released(position, ref, label, body=item["text"], media_type="text/plain")
    parts = [
        {"ordinal": n, "media_type": "text/plain", "role": one["role"], "body": one["text"], "meta": one["meta"]}
        for n, one in enumerate(told["parts"])
    ]
    return Released(position, ref, label, media_type="text/plain", parts=json.dumps(parts))


def said(form: str, template: str, change: dict[str, dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    """The lines of a template's example; change: other answers, by reference."""
    one = named(template)
    answers = one.example.answers | (change or {})
    rows = [row(item, answers[str(item.get("ref", item.get("id")))], n) for n, item in enumerate(one.example.items)]
    return written(form, decode_ontology(one.spec), rows)


def written(form: str, ontology: Ontology, rows: list[Released]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in export(form, ontology, rows)[2].splitlines()]


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def replied(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


FLOATS, COLD = "Because ice is less dense than liquid water.", "Because ice is colder than water."


def test_dpo_has_the_better_and_the_worse_answer_of_each_and_nothing_of_a_tie() -> None:
    tie = {"capital": {"kind": "form", "answers": {"better": 0}}}
    [ice] = said("dpo", "preference", tie)
    assert {name: ice[name] for name in ("prompt", "chosen", "rejected", "strength")} == {
        "prompt": [user("Why does ice float?")],
        "chosen": [replied(FLOATS)],
        "rejected": [replied(COLD)],
        "strength": 3,
    }
    [other] = said("openai-preference", "preference", tie)
    assert other["input"]["messages"] == ice["prompt"]
    assert (other["preferred_output"], other["non_preferred_output"]) == ([replied(FLOATS)], [replied(COLD)])


def test_an_order_gives_every_pair_that_is_not_as_good_and_the_places_of_all() -> None:
    lines = said("dpo", "ranking")
    assert [line["ref"] for line in lines] == ["prime", "prime", "moon"]
    assert {line["rejected"][0]["content"] for line in lines[:2]} == {"Yes."}
    [prime, moon] = said("reward-ranking", "ranking")
    assert (prime["group_id"], prime["ranks"], prime["models"]) == ("prime", [1, 2, 1], ["x", "y", "z"])
    assert moon["responses"] == [[replied("About 384,000 km.")], [replied("Far.")]]
    wanted = said("kto", "ranking")
    assert [(one["completion"][0]["content"], one["label"]) for one in wanted[:3]] == [
        ("No: 51 = 3 x 17.", True),
        ("No, since it is 3 times 17.", True),
        ("Yes.", False),
    ]


def test_sft_ends_with_what_was_written_or_with_the_best_of_what_was_compared() -> None:
    [reverse, poem] = said("sft", "answer-writing")
    assert reverse["messages"] == [
        user("Reverse a list in Python without changing it."),
        replied("Use `items[::-1]`, which gives a new list."),
    ]
    assert [one["role"] for one in poem["messages"]] == ["system", "user", "assistant"]
    [best, _] = said("sft", "preference")
    assert best["messages"][-1] == replied(FLOATS)
    assert said("openai-chat", "preference")[0] == {"messages": best["messages"]}
    [tea, _] = said("sft", "translation")
    assert tea["messages"] == [user("茶已经凉了。"), replied("The tea has gone cold.")]


def test_what_was_mended_is_better_than_what_it_was_and_stands_in_its_place() -> None:
    [pluto] = said("dpo", "rewrite")
    assert pluto["chosen"] == [replied("There are eight planets in our solar system.")]
    assert pluto["rejected"] == [replied("There are nine planets in our solar system.")]
    assert [one["messages"][-1]["content"] for one in said("sft", "rewrite")] == [
        "There are eight planets in our solar system.",
        "4",
    ]


def test_steps_are_true_or_false_and_end_where_nobody_judged_further() -> None:
    [whole, half] = said("prm", "process")
    assert (whole["prompt"], whole["labels"]) == ("What is 12 x 15?", [True, True, True])
    assert (half["completions"], half["labels"], half["verdicts"]) == (
        ["7 / 2 = 3.", "So the answer is 3."],
        [False, True],
        ["bad", "neutral"],
    )
    cut = {"verdict": {"type": "each", "values": {"s1": "good", "s3": "bad"}}, "final answer is right": False}
    assert said("prm", "process", {"sum": {"kind": "form", "answers": cut}})[0]["labels"] == [True]


def test_scores_stand_beside_what_they_are_of() -> None:
    first, second, *_ = said("scores", "rating")
    assert (first["target"], first["response"][:10], first["scores"]["helpfulness"]) == ("c1", "Mostly the", 4)
    assert (second["target"], second["response"], second["scores"]["coherence"]) == ("c2", "Wind.", 3)
    [kind, _] = said("scores", "toxicity")
    assert (kind["text"], kind["scores"]) == ("Thank you, that helped me a lot.", {"toxicity": 0})


def test_a_rubric_says_each_criterion_its_points_and_the_score() -> None:
    [dose, sugar] = said("rubric-scores", "rubric")
    assert (dose["score"], sugar["score"]) == (1.0, pytest.approx(13 / 15))
    assert dose["prompt"] == [user("May I take ibuprofen with a stomach ulcer?")]
    assert {"criterion": "harmful advice", "points": -8.0, "met": 0.0} in dose["rubric"]
    data = export("verl", decode_ontology(named("rubric").spec), [row(*one) for one in examples("rubric")])[2]
    table = pq.read_table(io.BytesIO(data)).to_pylist()
    assert set(table[0]) == {"data_source", "prompt", "ability", "reward_model", "extra_info"}
    assert table[1]["prompt"] == [user("How many grams of sugar are in a can of cola?")]
    assert table[1]["reward_model"]["style"] == "rubric"
    assert json.loads(table[1]["extra_info"]["rubric"])[2] == {
        "criterion": "names its limits", "points": 2.0, "met": 0.0}  # fmt: skip
    assert table[1]["extra_info"]["score"] == pytest.approx(13 / 15)


def examples(template: str) -> list[tuple[dict[str, Any], dict[str, Any], int]]:
    one = named(template)
    return [(item, one.example.answers[item["id"]], n) for n, item in enumerate(one.example.items)]


def test_a_score_is_held_within_bounds_and_what_is_open_does_not_count() -> None:
    asked = [
        {"name": "a", "type": "bool", "weight": 3},
        {"name": "b", "type": "scale", "least": 1, "most": 5, "weight": 2},
        {"name": "c", "type": "bool", "weight": -9},
    ]
    specs = decode_ontology({"kind": "form", "attributes": asked}).attributes
    assert scores(specs, {"a": True, "b": 3})[WHOLE].value == pytest.approx(4 / 5)
    assert scores(specs, {"a": True})[WHOLE].value == 1.0
    assert scores(specs, {"a": True, "b": 5, "c": True})[WHOLE].value == 0.0
    assert scores(specs, {"c": True})[WHOLE].value == 0.0
    assert scores(specs, {"c": False})[WHOLE].value == 1.0
    assert scores(specs, {})[WHOLE].value is None
    for wrong in ({"type": "text", "weight": 1}, {"type": "bool", "weight": 0}, {"type": "bool", "rewrites": True}):
        with pytest.raises(Problem) as refused:
            decode_ontology({"kind": "form", "attributes": [{"name": "q", **wrong}]})
        assert refused.value.place in ("/attributes/0/weight", "/attributes/0/rewrites")


def test_inspect_is_asked_by_letters_where_there_is_a_choice() -> None:
    spec = decode_ontology(named("classify").spec)
    rows = [row(item, named("classify").example.answers[item["ref"]]) for item in named("classify").example.items]
    good, bad = written("inspect", spec, rows)
    assert (good["choices"], good["target"], bad["target"]) == (["positive", "negative", "neutral"], "A", "B")
    assert good["input"] == [user("The room was spotless and the staff kind.")]
    ice, capital = said("inspect", "preference")
    assert (ice["choices"], ice["target"], capital["target"]) == ([FLOATS, COLD], "A", "B")
    assert json.loads(said("inspect", "red-team")[1]["target"])["harms"] == ["fraud"]


def span_of(words: str) -> tuple[int, int]:
    return ODD.index(words), ODD.index(words) + len(words)


def marks(*wanted: tuple[str, str]) -> list[dict[str, Any]]:
    return [
        {"start": ODD.index(words), "end": ODD.index(words) + len(words), "label": label} for words, label in wanted
    ]


def odd() -> tuple[Ontology, Released, list[dict[str, Any]]]:
    spans = marks(("Zoe\u0308", "PER"), ("👩‍👩‍👧", "MISC"), ("小林", "PER"), ("תל אביב", "LOC"), ("אביב", "MISC"))
    spec = {"name": "names", "type": "spans", "options": ["PER", "LOC", "MISC"], "relations": ["met"]}
    answers = {"names": {"type": "spans", "spans": spans, "relations": [{"head": 0, "tail": 2, "label": "met"}]}}
    ontology = decode_ontology({"kind": "form", "attributes": [spec]})
    return ontology, row({"ref": "odd", "text": ODD}, {"kind": "form", "answers": answers}), spans


def test_marks_of_every_script_come_back_from_each_format_as_they_were() -> None:
    ontology, one, spans = odd()
    places = {(each["start"], each["end"], each["label"]) for each in spans}
    [spacy] = written("spacy", ontology, [one])
    assert {tuple(each) for each in spacy["spans"]["sc"]} == places
    assert [ODD[start:end] for start, end, _ in spacy["entities"]] == ["Zoe\u0308", "👩‍👩‍👧", "小林", "תל אביב"]
    assert spacy["relations"] == [{"head": [0, 4], "tail": list(span_of("小林")), "label": "met"}]
    [doccano] = written("doccano", ontology, [one])
    assert doccano["relations"] == [{"id": 0, "from_id": 0, "to_id": 2, "type": "met"}]
    data = export("doccano", ontology, [one])[2]
    [item], _, _ = read(FORMS["doccano"], Memory({"all.jsonl": data}))
    assert item.body == ODD
    assert {(each.start, each.end, each.cls) for each in item.sayings[0].spans} == places
    assert from_conll(export("conll", ontology, [one])[2].decode()) == places


def from_conll(text: str) -> set[tuple[int, int, str]]:
    """The marks of both columns, by the places of their tokens."""
    found: set[tuple[int, int, str]] = set()
    running: dict[int, tuple[int, int, str]] = {}
    for line in text.splitlines():
        word, where, *tags = line.split(" ") if line else ("", "0-0", "O", "O")
        if word == "-DOCSTART-":
            continue
        start, end = map(int, where.split("-"))
        assert not line or ODD[start:end] == word
        for column, tag in enumerate(tags):
            if tag.startswith("I-"):
                first, _, label = running[column]
                running[column] = (first, end, label)
                continue
            if column in running:
                found.add(running.pop(column))
            if tag != "O":
                running[column] = (start, end, tag[2:])
    return found


def test_tokens_keep_signs_together_and_are_cut_at_marks() -> None:
    words = [ODD[start:end] for start, end in tokens(ODD, [])]
    assert words == ["Zoe\u0308", "👩‍👩‍👧", "met", "小", "林", "さ", "ん", "in", "תל", "אביב", "."]
    assert "".join(words) == "".join(ODD.split())
    composed = unicodedata.normalize("NFC", ODD)
    assert next(composed[start:end] for start, end in tokens(composed, [])) == "Zoë"


@pytest.mark.skipif(not OASST.is_file(), reason="the recorded trees are not here")
def test_recorded_trees_go_out_as_they_came_in() -> None:
    came = [json.loads(line) for line in OASST.read_text().splitlines()]
    ontology = decode_ontology({"kind": "form", "attributes": [{"name": "good", "type": "bool"}]})
    rows = [row(tree, {"kind": "form", "answers": {"good": True}}, n) for n, tree in enumerate(came)]
    assert written("oasst", ontology, rows) == came


def test_a_tree_gets_what_was_written_as_a_reply_of_its_own() -> None:
    tree = {"message_tree_id": "t", "tree_state": "x", "prompt": {"message_id": "t", "text": "Hi", "role": "prompter"}}
    one = row(tree, {"kind": "form", "answers": {"answer": "Hello."}})
    [found] = written("oasst", decode_ontology(named("answer-writing").spec), [one])
    [reply] = found["prompt"]["replies"]
    assert (reply["text"], reply["parent_id"], reply["role"]) == ("Hello.", "t", "assistant")


def test_what_a_format_cannot_say_is_refused_or_told() -> None:
    with pytest.raises(Problem) as refused:
        export("dpo", decode_ontology(named("rating").spec), [])
    assert refused.value.code == "export-kind"
    assert "preference" in refused.value.detail
    assert "scores" in refused.value.remedy
    picture = Released(0, "a.png", '{"kind":"form","answers":{"better":1}}', asset=b"1" * 32)
    assert export("dpo", decode_ontology(named("preference").spec), [picture])[2] == b""
