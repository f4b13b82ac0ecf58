"""Annotations of another tool come in as items with pre-labels and gold, and what did not fit is told."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cupola.catalog import service
from cupola.formats.survey import Survey
from cupola.kernel.errors import Problem
from cupola.labels import ObjectsLabel, decode_label, decode_ontology, validate
from cupola.platform.runtime import Runtime
from tests.catalog.conftest import House
from tests.formats.helping import png


def task(name: str, *annotations: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": hash(name) % 99,
        "data": {"image": f"/data/upload/2/0a1b2c3d-{name}"},
        "annotations": list(annotations),
    }


def said(who: str, x: float, *, gold: bool = False, **attributes: str) -> dict[str, Any]:
    size = {"original_width": 60, "original_height": 40}
    box = {"x": x, "y": 10, "width": 20, "height": 20, "rotation": 0}
    rows = [
        {"id": "r", "type": "rectanglelabels", "from_name": "b", **size, "value": {**box, "rectanglelabels": ["car"]}}
    ]
    rows += [
        {"id": "r", "type": "choices", "from_name": name, "value": {"choices": [one]}}
        for name, one in attributes.items()
    ]
    return {"completed_by": {"email": who}, "ground_truth": gold, "result": rows}


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    tasks = [
        task("a.png", said("anna@example.org", 10, state="parked"), said("bert@example.org", 12)),
        task("b.png", said("anna@example.org", 10, gold=True)),
        task("far.png", said("bert@example.org", 95)),
        task("gone.png", said("bert@example.org", 10)),
    ]
    with zipfile.ZipFile(tmp_path / "ls.zip", "w") as archive:
        archive.writestr("export/tasks.json", json.dumps(tasks))
        for name in ("a", "b", "far"):
            archive.writestr(f"export/images/{name}.png", png(60, 40))
    return tmp_path / "ls.zip"


def look(house: House, upload: str, form: str = "auto") -> Survey:
    async def work(run: Runtime) -> Survey:
        return await service.survey(run, house.tenant, house.dataset, upload, form)

    return house.run(work)


def test_a_survey_says_what_is_there_and_proposes_an_ontology_that_takes_it(house: House, packed: Path) -> None:
    upload = house.put(packed)["upload"]
    found = look(house, upload)
    assert (found.form, found.kind, found.items, found.pictures, found.gold, found.several) == (
        "labelstudio", "objects", 4, 3, 1, 1,
    )  # fmt: skip
    assert [(one.name, one.items) for one in found.annotators] == [("bert@example.org", 3), ("anna@example.org", 2)]
    assert all("@" not in one.pseudonym for one in found.annotators)
    assert found.ontology is not None
    ontology = decode_ontology(found.ontology)
    assert [(one.name, one.geometry) for one in ontology.classes] == [("car", "box")]
    assert [(one.name, one.options) for one in ontology.attributes] == [("state", ["parked"])]
    assert [row.reason for row in found.dropped] == ["no-content"]
    source = {"type": "annotated", "upload": upload, "kind": found.kind}
    done = house.load(source)
    assert (done.state, done.accepted, done.refused) == ("done", 3, 1)
    items = {item.ref: item for item in house.items()}
    assert set(items) == {"export/images/a.png", "export/images/b.png", "export/images/far.png"}
    assert items["export/images/a.png"].width_px == 60
    pre, gold = (
        dict(house.sql(f"SELECT ref, {column} FROM item WHERE {column} IS NOT NULL"))
        for column in ("pre_label", "gold_label")
    )
    assert set(gold) == {"export/images/b.png"}
    label = decode_label(pre["export/images/a.png"])
    validate(label, ontology)
    assert isinstance(label, ObjectsLabel)
    [thing] = label.objects
    assert (thing.cls, thing.attributes, thing.shape.type) == ("car", {"state": "parked"}, "box")
    [refusal] = house.refusals(done.id)
    assert (refusal.reason, refusal.ref) == ("file-absent", "gone.png")
    [note] = house.notes(done.id)  # a box that hung over the edge was cut
    assert note.reason == "annotations-left-out"
    assert "outside" in note.detail


def test_gold_is_all_of_it_where_that_is_asked_for_and_judgements_leave_items_bare(house: House, packed: Path) -> None:
    source = {"type": "annotated", "upload": house.put(packed)["upload"], "format": "labelstudio", "kind": "objects"}
    assert house.load({**source, "use": "none"}).accepted == 3
    assert house.sql("SELECT count(pre_label), count(gold_label) FROM item") == [(0, 1)]
    assert house.load({**source, "use": "gold"}).refused >= 1
    with pytest.raises(Problem) as caught:
        look(house, source["upload"], "coco")
    assert caught.value.code == "format-nothing"


@pytest.mark.parametrize(
    ("changes", "words"), [({"use": "rent"}, "use"), ({"kind": "dance"}, "kind"), ({"upload": "x"}, "upload")]
)
def test_a_source_that_says_something_else_ends_with_its_reason(
    house: House, packed: Path, changes: dict[str, str], words: str
) -> None:
    source = {"type": "annotated", "upload": house.put(packed)["upload"], "kind": "objects", **changes}
    done = house.load(source)
    assert done.state == "failed"
    assert words in str(done.error)
