"""What a format says it holds is what it writes, and no more: the table is walked against those of kinds and shapes."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cupola.formats.table import FORMS
from cupola.kernel.errors import Kind, Problem
from cupola.labels import decode_label, decode_ontology
from cupola.labels.kinds import KINDS
from cupola.labels.shapes import SHAPES
from cupola.platform import hooks
from cupola.releases import formats
from cupola.releases.exporters.annotations import DROPPED
from cupola.releases.exporters.base import questions_of
from tests.exporters.test_exporters import export, released, unpack
from tests.formats.helping import Memory, read, things
from tests.formats.test_round_trips import READ_AS
from tests.labels.test_table import SAMPLES

CASES = json.loads((Path(__file__).parents[1] / "labels" / "cases.json").read_text())
TAKEN = [case for case in CASES if "refused" not in case]


def _read_back(name: str, data: bytes) -> int:
    """The objects that our own reader finds in an archive."""
    files = Memory({path: content for path, content in unpack(data).items() if path != DROPPED})
    try:
        items, _, _ = read(FORMS[READ_AS.get(name, name)], files)
    except Problem:
        return 0  # nothing of the format is in it
    return len(things(items))


def _areas(name: str, data: bytes) -> int:
    return len(SAMPLES["mask"]) * bool(_read_back(name, data))


# How many objects a file of each format has. A format of objects that is not here fails the test below.
OBJECTS: dict[str, Callable[[bytes], int]] = {
    **{
        name: functools.partial(_read_back, name)
        for name in [
            "cvat",
            "cvat-video",
            "datumaro",
            "groundtruth",
            "labelme",
            "labelstudio",
            "scalabel",
            "coco-panoptic",
        ]
    },
    # read, they ask for the size of a real picture
    **dict.fromkeys(("yolo-obb", "yolo-pose", "yolo-seg"), lambda data: len(_only(data, "labels/train/").splitlines())),
    "openimages": lambda data: _every(data, "-bbox.csv").count(b"xclick"),
    # every pixel has one class, so what lies in one place is one
    **{name: functools.partial(_areas, name) for name in ("masks", "cityscapes")},
    "coco": lambda data: len(json.loads(data)["annotations"]),
    "jsonl": lambda data: len(json.loads(data)["label"]["objects"]),
    "parquet": lambda data: len(json.loads(_column(data, "label")[0])["objects"]),
    "voc": lambda data: _only(data, "Annotations/").count(b"<object>"),
    "yolo": lambda data: len(_only(data, "labels/train/").splitlines()),
}


def _only(data: bytes, folder: str) -> bytes:
    [found] = [content for path, content in unpack(data).items() if path.startswith(folder)]
    return found


def _every(data: bytes, end: str) -> bytes:
    return b"".join(content for path, content in unpack(data).items() if path.endswith(end))


def _column(data: bytes, name: str) -> list[Any]:
    reader = pytest.importorskip("pyarrow.parquet")
    values: list[Any] = reader.read_table(pytest.importorskip("pyarrow").BufferReader(data)).column(name).to_pylist()
    return values


def test_every_installed_format_can_be_used() -> None:
    assert list(formats.every()) == hooks.names(hooks.EXPORTERS)


@pytest.mark.parametrize("name", formats.every())
def test_a_format_has_every_part(name: str) -> None:
    form = formats.named(name)
    assert form.title
    assert {"en", "zh"} <= {language for language, words in form.about.items() if words}
    assert re.search("[一-鿿]", form.about["zh"])
    assert form.kinds
    assert set(form.kinds) <= set(KINDS)
    assert set(form.shapes) <= set(SHAPES)
    assert form.extension


@pytest.mark.parametrize("name", formats.every())
def test_a_format_takes_the_kinds_that_it_names_and_refuses_the_others(name: str) -> None:
    form = formats.named(name)
    for case in TAKEN:
        ontology = decode_ontology(case["ontology"])
        row = released(0, "a.png", decode_label(json.dumps(case["label"])))
        held = ontology.kind in form.kinds and (form.several or not ontology.multiple)
        if held and form.asks and ontology.kind == "form":
            held = bool(questions_of(ontology) & set(form.asks))
        if held:
            # what is made of conversations says nothing of a picture
            assert export(name, ontology, [row])[2] or "language" in form.write.__module__, case["name"]
            continue
        with pytest.raises(Problem) as caught:
            export(name, ontology, [row])
        assert (caught.value.kind, caught.value.code) == (Kind.UNSUPPORTED, "export-kind")
        assert form.title in caught.value.detail
        assert caught.value.remedy


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", formats.every())
def test_a_format_writes_the_shapes_that_it_names_and_leaves_out_the_others(name: str, shape: str) -> None:
    form = formats.named(name)
    if "objects" not in form.kinds:
        return
    ontology = decode_ontology({"kind": "objects", "classes": [{"name": "a"}]})
    objects = [{"id": str(n), "cls": "a", "shape": sample} for n, sample in enumerate(SAMPLES[shape])]
    row = released(0, "a", decode_label(json.dumps({"kind": "objects", "objects": objects})))
    written = OBJECTS[name](export(name, ontology, [row])[2])
    assert written == (len(objects) if shape in form.shapes else 0)


def test_nothing_but_the_exporters_lists_formats() -> None:
    quoted = re.compile(rf"""["']({"|".join(hooks.names(hooks.EXPORTERS))})["']""")
    source = Path(formats.__file__).parents[1]
    listed = {
        path.relative_to(source).as_posix(): named
        for path in source.rglob("*.py")
        if path.parent.name
        not in ("exporters", "language", "formats", "mixing")  # the last: what training texts are written as
        and len(named := set(quoted.findall(path.read_text("utf-8")))) > 1
    }
    assert listed == {}


def test_an_extension_that_is_no_format_is_refused_and_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    found = hooks.load
    monkeypatch.setattr(hooks, "load", lambda group, name: print if name == "voc" else found(group, name))
    with pytest.raises(Problem) as caught:
        formats.named("voc")
    assert (caught.value.kind, caught.value.code) == (Kind.UNAVAILABLE, "plugin-broken")
    assert list(formats.every()) == [name for name in hooks.names(hooks.EXPORTERS) if name != "voc"]
    assert "'voc' is not a format" in caplog.text
