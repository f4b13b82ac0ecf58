"""Each template from its own example to a certified set in every format that it names, by the command line's own way.

People who answer as the example does, as many as the plan asks; what they say goes through every stage, is paid,
settled, audited, certified and exported.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from cupola.app import moving, proposal, stage
from cupola.app.commands.projects import PLAN, project_create
from cupola.app.commands.templating import project_templates
from cupola.client import ApiError, Client
from cupola.kernel.errors import Problem
from cupola.labels import ItemFacts, decode_ontology, label_from, validate
from cupola.platform import hooks
from cupola.releases import formats
from cupola.templates.table import named, read_file, templates
from tests.stories.processes import House, house, wait_until

AT_ONCE = 6


@dataclass
class Played:
    """What became of one template: the release, its files by format, and how many judgements were made."""

    release: dict[str, Any]
    files: dict[str, Path]
    made: int


@dataclass
class Place:
    opened: House
    scene: stage.Scene
    key: Client
    crowd: list[stage.Worker]
    played: dict[str, Played] = field(default_factory=dict)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with house({"fsync": "off"}) as opened:
        scene = opened.open()
        tenant = scene.organisation("Words")
        scene.fund(tenant, 10_000_000)
        crowd = scene.crowd([f"contributor {n}" for n in range(8)], [tenant])
        found = Place(opened, scene, scene.key(tenant, "main"), crowd)
        names = list(templates())
        folder = tmp_path_factory.mktemp("templates")

        def some(n: int) -> None:
            for name in names[n::AT_ONCE]:
                found.played[name] = played(found, name, folder)

        stage.in_threads(AT_ONCE, some)
        yield found


def played(place: Place, name: str, folder: Path) -> Played:
    """From the example to the files."""
    key, template = place.key, named(name)
    rows = folder / f"{name}.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in template.example.items))
    dataset = key.post("/api/datasets", {"name": name, "licence": "CC-BY-4.0"})["id"]
    found, _ = moving.import_path(key, dataset, rows, None)
    assert (found["state"], found["refused"]) == ("done", 0), found
    asked = proposal.proposed(template, "EUR")
    version = key.post("/api/ontologies", {"name": name, "spec": asked.spec, "guidelines": asked.guidelines})
    new = {"name": name, "dataset": dataset, "ontology_version": version["version_id"], "offer": asked.offer}
    more = {"plan": PLAN | asked.plan, "reviews": asked.reviews, "page_size": asked.page_size}
    project = key.post("/api/projects", {**new, **more})["id"]
    moving.add_tasks(key, project, {}, None)
    key.post(f"/api/projects/{project}/allot", {"amount_minor": 100_000, "currency": "EUR"})
    key.post(f"/api/projects/{project}/launch")
    truth = template.example.answers
    # as many as may be asked of a task, and one who reviews
    people = place.crowd[: asked.plan["max_judgements"] + 1]
    clients = [Client(place.opened.url, one.token) for one in people]
    stages = 1 + sum(1 + (one.fix_seconds is not None) for one in template.reviews)
    made = 0

    def over() -> bool:
        nonlocal made
        for client in clients:
            made += sum(work(client, project, at, truth) for at in range(stages))
        stage.adjudicate(key, project, truth.__getitem__, lambda: None)
        counts = key.get(f"/api/projects/{project}")["counts"]
        time.sleep(0.3)  # decisions are made a moment after; to ask at once would only hold them up
        return bool(counts["settled"] == counts["total"])

    wait_until(over, 120, f"{name} to settle")
    for client in clients:
        client.close()
    plan = {"items": len(truth), "confidence": 0.9, "target_accuracy": 0.5}
    release = stage.release(key, project, f"{name} 1", "CC-BY-4.0", plan)
    stage.audit(key, release["id"], truth.__getitem__, lambda: None)
    certified = key.post(f"/api/releases/{release['id']}/certify")
    forms = dict.fromkeys([*template.exports, "jsonl"])
    files = {form: moving.export_release(key, release["id"], form, folder, None)[0] for form in forms}
    return Played(certified, files, made)


def work(client: Client, project: str, at: int, truth: dict[str, Any]) -> int:
    """A page of a stage: what the example says, or that what is there is right."""
    page = client.post(f"/api/work/projects/{project}/claim", {"stage": at})
    if page is None:
        return 0
    judgements = [
        {"task": one["task"], "seconds": 5.0}
        | ({"accept": True} if page["does"] == "review" else {"label": truth[one["item"]["ref"]]})
        for one in page["tasks"]
    ]
    client.post(f"/api/work/assignments/{page['id']}/submit", {"fence": page["fence"], "judgements": judgements})
    return len(judgements)


@pytest.mark.parametrize("name", templates())
def test_a_template_goes_from_its_example_to_certified_files(name: str, place: Place) -> None:
    template, found = named(name), place.played[name]
    truth = template.example.answers
    least = 2 if template.reviews else template.plan.get("min_judgements", 1)
    assert found.made >= least * len(truth)
    certificate = found.release["certificate"]
    assert (certificate["errors"], certificate["n"]) == (0, len(truth))
    rows = map(json.loads, found.files["jsonl"].read_text().splitlines())
    assert {row["ref"]: row["label"] for row in rows} == truth
    for form in template.exports:
        assert found.files[form].stat().st_size > 0, form
    last = next(reversed(found.files.values()))
    told = last.with_name(f"{last.name.split('.')[0]}-README.md").read_text()
    head = yaml.safe_load(told.split("---\n")[1])
    assert (head["license"], head["pretty_name"]) == ("cc-by-4.0", f"{name} 1")
    assert {one["config_name"]: one["data_files"] for one in head["configs"]}["jsonl"] == found.files["jsonl"].name
    assert hashlib.sha256(last.read_bytes()).hexdigest() in told
    assert found.release["certificate"]["statement"] in told
    assert f"People gave {found.made} judgements" in told


def test_everybody_was_paid_for_all_of_it(place: Place) -> None:
    assert place.scene.operator.get("/api/ledger/check")["violations"] == []
    made = sum(one.made for one in place.played.values())
    earned = [Client(place.opened.url, one.token).get("/api/work/earnings")["by_currency"] for one in place.crowd]
    assert sum(one["judgements"] for each in earned for one in each) == made


def test_the_command_line_takes_a_template_and_what_is_said_beside_it(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = place.key._http.headers["Authorization"].removeprefix("Bearer ")
    project_templates("rewrite", example=tmp_path / "example.jsonl")
    assert (tmp_path / "example.jsonl").read_text() == "".join(
        json.dumps(row) + "\n" for row in named("rewrite").example.items
    )
    with pytest.raises(Problem, match=r"example\.jsonl"):
        project_templates("rewrite", example=tmp_path / "example.jsonl")
    capsys.readouterr()
    told = {"key": token, "dataset": "rewrite", "template": "rewrite", "url": place.opened.url, "json_": True}
    project_create("as it is", **told)
    project_create("otherwise", **told, price="2.50", max_judgements=3, guidelines="Mend it.")
    first, second = (json.loads(text) for text in capsys.readouterr().out.replace("}\n{", "}\0{").split("\0"))
    assert (first["offer"]["price_minor"], first["page_size"]) == (125, 2)
    assert (second["offer"]["price_minor"], second["plan"]["max_judgements"]) == (250, 3)
    assert [one["price_minor"] for one in second["offers"]] == [250, 100, 125, 100]
    with pytest.raises(Problem) as refused:
        project_create("both", **told, text=True)
    assert refused.value.code == "ontology-unclear"


@pytest.mark.parametrize("name", templates())
def test_a_template_is_whole(name: str) -> None:
    template = named(name)
    for words in (template.title, template.about, template.needs, template.guidelines):
        assert {"en", "zh"} <= words.keys()
    ontology = decode_ontology(template.spec)
    for spec in ontology.attributes:
        assert {"en", "zh"} <= (spec.title or {}).keys(), spec.name
    assert len(template.example.items) == len(template.example.answers) >= 2
    for answer in template.example.answers.values():
        validate(label_from(answer), ontology, ItemFacts())
    for form in template.exports:
        assert form in hooks.names(hooks.EXPORTERS)
        assert not formats.named(form).refusal(ontology), form


def test_templates_are_listed_with_their_price(place: Place) -> None:
    found = {one["name"]: one for one in place.key.get("/api/templates")["templates"]}
    assert found.keys() == templates().keys()
    assert found["answer-writing"]["price_minor"] == 250
    assert [one["price_minor"] for one in found["answer-writing"]["reviews"]] == [75, 75]
    with pytest.raises(ApiError) as refused:
        Client(place.opened.url, place.crowd[0].token).get("/api/templates")
    assert refused.value.status == 403


BROKEN = {
    "no yaml": ("{", "template-unreadable", ""),
    "half of it": ("title: {en: x}\n", "template-wrong", ""),
    "a condition that refers nowhere": (
        "{title: {en: x}, about: {en: x}, group: rate, needs: {en: x}, seconds: 5, guidelines: {en: x}, exports: [], "
        "example: {items: [], answers: {}}, spec: {kind: form, attributes: "
        "[{name: a, type: bool, when: {attribute: z, equals: true}}]}}",
        "template-wrong",
        "/spec/attributes/0/when/attribute",
    ),
    "no time": (
        "{title: {en: x}, about: {en: x}, group: rate, needs: {en: x}, seconds: 0, guidelines: {en: x}, exports: [], "
        "example: {items: [], answers: {}}, spec: {kind: form, attributes: [{name: a, type: bool}]}}",
        "template-wrong",
        "/seconds",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_template_of_ones_own_is_refused_with_the_place_of_its_fault(name: str, tmp_path: Path) -> None:
    text, code, where = BROKEN[name]
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(Problem) as refused:
        read_file(file)
    assert (refused.value.code, refused.value.place) == (code, where)
    assert "mine.yaml" in refused.value.detail
    assert refused.value.remedy


def test_a_name_that_there_is_not_says_which_there_are() -> None:
    with pytest.raises(Problem) as refused:
        named("prefernce")
    assert "preference" in refused.value.remedy
