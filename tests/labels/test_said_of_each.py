"""Grades, preferences, orders with ties, marked words and answers of each: compared, put together, told apart."""

from __future__ import annotations

import pytest

from cupola.kernel.errors import Problem
from cupola.labels import FormLabel, ItemFacts, decode_ontology, distance, merge, same, units, validate
from cupola.labels.kinds.form import Form
from cupola.labels.marking import apart, together
from cupola.labels.ontology import Answer, Each, Groups, Ontology, Relation, Span, Spans

TEXT = "Zoë 👩‍👩‍👧 lives in 東京 with אבי"  # places are code points


def form(**attribute: object) -> Ontology:
    return decode_ontology({"kind": "form", "attributes": [{"name": "q", **attribute}]})


def said(ontology: Ontology, *answers: Answer | None, weights: list[float] | None = None) -> Answer | None:
    labels = [FormLabel({} if one is None else {"q": one}) for one in answers]
    found = merge(labels, weights or [1.0] * len(labels), ontology)
    assert isinstance(found, FormLabel)
    return found.answers.get("q")


def span(words: str, label: str) -> Span:
    start = TEXT.index(words)
    return Span(start, start + len(words), label)


def test_grades_settle_in_their_middle_and_near_ones_agree_within_the_tolerance() -> None:
    scale = form(type="scale", least=1, most=5, tolerance=1, required=True)
    assert said(scale, 1, 4, 5) == 4
    assert said(scale, 1, 5, weights=[3.0, 1.0]) == 1
    assert same(FormLabel({"q": 4}), FormLabel({"q": 5}), scale)
    assert not same(FormLabel({"q": 3}), FormLabel({"q": 5}), scale)
    assert distance(FormLabel({"q": 1}), FormLabel({"q": 5}), scale) == 1.0


def test_of_preferences_the_side_counts_first_and_strength_after() -> None:
    better = form(type="preference", required=True)
    assert said(better, -1, -3, 3, -2) == -2
    assert said(better, 1, 2, -3, -3, weights=[1.0, 1.0, 0.5, 0.5]) in (1, 2)
    assert same(FormLabel({"q": 1}), FormLabel({"q": 3}), better)
    assert not same(FormLabel({"q": 0}), FormLabel({"q": 1}), better)


def test_orders_with_ties_are_apart_by_pairs_and_half_where_one_ties() -> None:
    order = form(type="groups")
    one, two = Groups([["c1"], ["c2", "c3"]]), Groups([["c1"], ["c3"], ["c2"]])
    assert distance(FormLabel({"q": one}), FormLabel({"q": two}), order) == pytest.approx(1 / 6)
    assert same(FormLabel({"q": one}), FormLabel({"q": Groups([["c1"], ["c3", "c2"]])}), order)
    assert said(order, one, two, Groups([["c1"], ["c3", "c2"]])) == one


def test_marked_words_settle_span_by_span_and_nothing_is_made_up() -> None:
    full = span("👩‍👩‍👧", "PER")
    votes = [
        (Spans([span("Zoë", "PER"), span("東京", "LOC")], [Relation(0, 1, "lives in")]), 1.0),
        (Spans([span("Zoë", "PER"), span("東京", "LOC"), full], [Relation(0, 1, "lives in")]), 1.0),
        (Spans([span("Zoë ", "PER"), span("אבי", "PER")]), 1.0),
    ]
    found = together(votes)
    assert found.spans == [span("Zoë", "PER"), span("東京", "LOC")]
    assert found.relations == [Relation(0, 1, "lives in")]
    assert apart(found, votes[0][0]) == 0.0
    assert 0.0 < apart(votes[0][0], votes[2][0]) < 1.0
    assert apart(Spans([]), Spans([full])) == 1.0


def test_what_is_asked_of_each_is_settled_of_each() -> None:
    ontology = form(type="bool", scope="candidate", required=True)
    votes: list[Answer] = [
        Each({"c1": True, "c2": True}),
        Each({"c1": True, "c2": False}),
        Each({"c1": False, "c2": False}),
    ]
    found = said(ontology, *votes)
    assert found == Each({"c1": True, "c2": False})
    label = FormLabel({"q": found})
    assert [unit.name for unit in units(label, ontology)] == ["q@c1", "q@c2"]
    assert Form().apart(label, FormLabel({"q": votes[0]}), ontology) == (["q@c2"], [])
    validate(label, ontology, ItemFacts(candidates=2))


@pytest.mark.parametrize(
    ("attribute", "place"),
    [
        ({"type": "scale", "least": 0}, "/attributes/0/least"),
        ({"type": "scale", "least": 0.5, "most": 2}, "/attributes/0/least"),
        ({"type": "preference", "least": 4, "most": 3}, "/attributes/0/least"),
        ({"type": "groups", "options": ["x"]}, "/attributes/0/options"),
        ({"type": "spans"}, "/attributes/0/options"),
        ({"type": "ranking", "options": ["a", "b"], "scope": "turn"}, "/attributes/0/scope"),
        ({"type": "text", "relations": ["r"]}, "/attributes/0/relations"),
        ({"type": "text", "tolerance": 1}, "/attributes/0/tolerance"),
        (
            {"type": "rows", "columns": [{"name": "c", "type": "spans", "options": ["x"]}]},
            "/attributes/0/columns/0/type",
        ),
        ({"type": "text", "when": {"attribute": "nobody", "equals": True}}, "/attributes/0/when/attribute"),
    ],
)
def test_a_question_that_cannot_be_is_refused_with_its_place(attribute: dict[str, object], place: str) -> None:
    with pytest.raises(Problem) as raised:
        form(**attribute)
    assert raised.value.place == place


def test_a_condition_rests_on_no_question_with_a_scope() -> None:
    with pytest.raises(Problem) as raised:
        decode_ontology({"kind": "form", "attributes": [
            {"name": "ok", "type": "bool", "scope": "turn"},
            {"name": "why", "type": "text", "when": {"attribute": "ok", "equals": False}}]})  # fmt: skip
    assert raised.value.place == "/attributes/1/when/attribute"
