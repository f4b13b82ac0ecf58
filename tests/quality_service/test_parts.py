"""Settled labels of several units: each part with its own confidence, in the API, in files and in audits' proofs."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from cupola.quality import decisions
from cupola.quality.certify.page import page as certificate_page
from cupola.releases import exporting, service, verifying
from cupola.tasks import service as tasks
from cupola.tasks import work
from cupola.tasks.model import Plan
from tests.foundry import Foundry, Project, answers
from tests.releases.test_release import bundle, freeze

BOXES = {"kind": "objects", "classes": [{"name": "car"}, {"name": "van"}]}
SEEN_BY_ALL, SEEN_BY_FOUR = 10.0, 300.0


def boxes(*places: float) -> dict[str, Any]:
    things = [
        {"id": f"o{n}", "cls": "car", "shape": {"type": "box", "x": x, "y": 20, "w": 60, "h": 40}}
        for n, x in enumerate(places)
    ]
    return {"kind": "objects", "objects": things}


def drawn(foundry: Foundry, items: int = 6) -> Project:
    """Five people draw: all see one thing, four of them a second one."""
    project = foundry.project(foundry.tenant(), items, spec=BOXES, plan=Plan(0.5, 0.9, 5, 5, 0.0, 0))
    for n, person in enumerate(foundry.people(5)):
        page = foundry.claim(person, project)
        label = boxes(SEEN_BY_ALL + n) if n == 0 else boxes(SEEN_BY_ALL + n, SEEN_BY_FOUR + n)
        foundry.call(lambda run, p=person, a=page, s=label: work.submit(run, p, a.id, answers(a, label=s)))
    foundry.hear()
    return project


@pytest.fixture(scope="module")
def settled(foundry: Foundry) -> Project:
    project = drawn(foundry)
    states = foundry.sql("SELECT DISTINCT state FROM task WHERE project = %s", project.id)
    if states != [(3,)]:  # whatever the crowd is believed to be worth, this is about what a settlement keeps
        pytest.fail(f"the crowd settled nothing: {states}")
    return project


def test_each_object_is_as_sure_as_those_who_saw_it(foundry: Foundry, settled: Project) -> None:
    rows = foundry.sql(
        "SELECT p.settlement, p.unit_kind, p.confidence, cardinality(p.judgements), p.label FROM settlement_part p "
        "JOIN settlement s ON s.tenant = p.tenant AND s.id = p.settlement WHERE s.project = %s", settled.id,
    )  # fmt: skip
    assert len(rows) == 12
    by_voters = {count: sure for _, _, sure, count, _ in rows}
    assert set(by_voters) == {4, 5}
    assert by_voters[5] > by_voters[4]
    for _, kind, _, count, label in rows:
        (thing,) = json.loads(label)["objects"]
        assert kind == "object"
        assert (thing["shape"]["x"] < 100) == (count == 5)
    with pytest.raises(Exception, match="append-only"):
        foundry.sql("DELETE FROM settlement_part")


def test_parts_are_shown_with_the_task_and_with_why_it_was_settled(foundry: Foundry, settled: Project) -> None:
    tenant, task = settled.tenant, settled.tasks[0]
    detail = foundry.app(tenant, lambda conn: tasks.task_detail(conn, foundry.runtime, tenant, task, "nobody"))
    (settlement,) = detail.settlements
    assert [part.kind for part in settlement.parts] == ["object", "object"]
    assert [len(part.judgements) for part in settlement.parts] == [5, 4]
    assert len(settlement.judgements) == 5
    (why,) = foundry.app(tenant, lambda conn: decisions.replay(conn, tenant, task))
    assert why.parts == settlement.parts


def test_a_label_of_one_unit_is_its_own_part_and_has_no_row(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 3, plan=Plan(0.5, 0.9, 2, 2, 0.0, 0))
    for person in foundry.people(2):
        foundry.submit(person, foundry.claim(person, project), "b")
    foundry.hear()
    assert foundry.sql("SELECT count(*) FROM settlement_part WHERE tenant = %s", project.tenant) == [(0,)]
    detail = foundry.app(
        project.tenant,
        lambda conn: tasks.task_detail(conn, foundry.runtime, project.tenant, project.tasks[0], "nobody"),
    )
    (settlement,) = detail.settlements
    (part,) = settlement.parts
    assert (part.kind, part.unit, part.confidence) == ("choice", "choice", settlement.confidence)
    assert part.judgements == settlement.judgements


def test_files_hold_the_confidence_of_each_object(foundry: Foundry, settled: Project) -> None:
    release = freeze(foundry, settled, "files", 0)

    def written(form: str) -> bytes:
        export = foundry.app(
            settled.tenant,
            lambda conn: exporting.start(conn, foundry.runtime, settled.tenant, release.id, form, "nobody"),
        )
        foundry.call(lambda run: exporting.run_export(run, settled.tenant, export.id))
        ((state, error, sha256),) = foundry.sql("SELECT state, error, sha256 FROM export WHERE id = %s", export.id)
        assert (state, error) == ("done", None)

        async def read(run: Any) -> bytes:
            return b"".join([part async for part in run.blobs.stream(settled.tenant, sha256.hex())])

        return foundry.call(read)

    lines = [json.loads(line) for line in written("jsonl").splitlines()]
    for line in lines:
        sure = {one["unit"]: one["confidence"] for one in line["units"]}
        assert set(sure) == {thing["id"] for thing in line["label"]["objects"]}
        assert len(set(sure.values())) == 2
    table = pq.read_table(io.BytesIO(written("parquet")))
    assert {one["unit"] for one in table.column("units")[0].as_py()} == {one["unit"] for one in lines[0]["units"]}


def test_an_audit_names_the_wrong_object_and_its_proof_counts_it(
    foundry: Foundry, settled: Project, tmp_path: Path
) -> None:
    release = freeze(foundry, settled, "audited", 4)

    async def judge(conn: Any) -> None:
        found = await service.next_items(conn, foundry.runtime, settled.tenant, release.id, 10, None, "nobody")
        for n, (row, _) in enumerate(found):
            released = json.loads(row.label)
            said = [thing["shape"]["x"] for thing in released["objects"]]
            if n == 0:  # the second thing is not there, and two others are
                said = [said[0], 500.0, 700.0]
            await service.judge(conn, settled.tenant, release.id, row.id, None, boxes(*said), False, 2.0)

    foundry.app(settled.tenant, judge)
    rows = foundry.sql(
        "SELECT u.correct, cardinality(u.wrong_units), u.missing_units FROM audit_judgement u "
        "JOIN audit_item a ON a.tenant = u.tenant AND a.id = u.audit_item WHERE a.release = %s ORDER BY 1", release.id,
    )  # fmt: skip
    assert rows == [(False, 1, 2), (True, 0, 0), (True, 0, 0), (True, 0, 0)]
    foundry.app(settled.tenant, lambda conn: service.certify_release(conn, foundry.runtime, settled.tenant, release.id))
    path = bundle(foundry, settled, release.id, tmp_path / "evidence.zip")
    with zipfile.ZipFile(path) as files:
        certificate = json.loads(files.read("certificate.json"))
        audited = [json.loads(line) for line in files.read("audit.jsonl").splitlines()]
    counted = {"kind": "object", "items": 4, "released": 8, "wrong": 1, "missing": 2}
    assert certificate["evidence"]["parts"] == counted
    assert sorted(len(line["wrong"]) for line in audited) == [0, 0, 0, 1]
    verified = verifying.verify(path)
    assert verified.wrong == []
    assert [one for one in verified.checked if one.startswith("their parts (object)")] == [
        "their parts (object): 8 released, 1 without a counterpart in the auditors' labels, 2 of the auditors' missing"
    ]
    for language, words in (("en", "8 had been released, 1 of them"), ("zh", "发布了 8 个部分，其中 1 个")):
        assert words in certificate_page(certificate, language)
    assert "发布了" not in certificate_page({**certificate, "evidence": {}}, "zh")  # of labels that are one unit
    for forged in (
        lambda name, text: text.replace(b'"missing":2', b'"missing":1') if name == "audit.jsonl" else text,
        lambda name, text: text.replace(b'"wrong":1', b'"wrong":0') if name == "certificate.json" else text,
    ):
        assert any("part" in one for one in verifying.verify(_changed(path, tmp_path / "forged.zip", forged)).wrong)


def _changed(path: Path, target: Path, change: Any) -> Path:
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return target
