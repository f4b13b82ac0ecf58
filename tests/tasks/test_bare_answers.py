"""A bare value in a manifest is the answer that its project asks for: of a text the words, of a choice the class."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from cupola.kernel.errors import Problem
from cupola.labels import ChoiceLabel, TextLabel, decode_label, decode_ontology, label_from_plain, label_meant
from cupola.platform.pg.cluster import Cluster
from cupola.tasks.model import Plan
from tests.foundry import CHOICE, Foundry, choice, fresh_foundry

WORDS = "Some words,\nand more of them: " + "x" * 500


@pytest.fixture(scope="module")
def foundry(cluster: Cluster, foundry_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foundry]:
    with fresh_foundry(cluster, foundry_template, tmp_path_factory.mktemp("bare")) as opened:
        yield opened


def test_bare_words_are_the_gold_and_the_suggestion_of_a_project_of_texts(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    dataset = foundry.dataset(tenant, 4, {0: WORDS})
    suggested = json.dumps(choice("Suggested words"))
    foundry.sql("ALTER TABLE item DISABLE TRIGGER USER")
    foundry.sql("UPDATE item SET pre_label = %s WHERE dataset = %s", suggested.replace(" ", "", 2), dataset)
    foundry.sql("ALTER TABLE item ENABLE TRIGGER USER")
    made = foundry.project(tenant, spec={"kind": "text"}, dataset=dataset, plan=Plan(0.9, 0.9, 1, 3, 0.0))
    [(gold,)] = foundry.sql("SELECT g.label FROM gold g JOIN task t ON t.id = g.task WHERE t.project = %s", made.id)
    assert json.loads(gold) == {"kind": "text", "text": WORDS}
    page = foundry.claim(foundry.person(), made)
    assert [json.loads(bytes(one.pre_label)) for one in page.tasks if one.pre_label is not None] == [
        {"kind": "text", "text": "Suggested words"}
    ] * 3


def test_what_a_project_can_make_nothing_of_stays_what_it_is_and_is_refused_by_name(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    boxes = {"kind": "objects", "classes": [{"name": "car", "geometry": "box"}]}
    with pytest.raises(Problem) as refused:
        foundry.project(tenant, spec=boxes, dataset=foundry.dataset(tenant, 3, {1: "car"}))
    assert refused.value.code == "label-wrong-kind"
    assert "'t1'" in refused.value.detail
    assert refused.value.remedy


def test_only_a_bare_value_is_read_otherwise() -> None:
    text, classes = decode_ontology({"kind": "text"}), decode_ontology(CHOICE)
    assert label_meant(ChoiceLabel(["cat"]), text) == TextLabel("cat")
    assert label_meant(ChoiceLabel(["cat"]), classes) == ChoiceLabel(["cat"])
    assert label_meant(ChoiceLabel(["cat", "dog"]), text) == ChoiceLabel(["cat", "dog"]), "two are no one text"
    assert label_meant(TextLabel("a"), classes) == TextLabel("a")
    assert label_meant(decode_label('{"kind":"objects","objects":[]}'), text).kind == "objects"
    assert label_from_plain("cat") == ChoiceLabel(["cat"])
