"""Items made of parts: what a manifest says of them is kept, shown to whoever may see the item, and to nobody else."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cupola.catalog import jobs, service
from cupola.catalog.showing import PartDocument, read_parts
from cupola.kernel import limits
from cupola.kernel.errors import Kind, Problem
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from tests.catalog.conftest import House
from tests.catalog.test_importers import png
from tests.foundry import Foundry

SCENE = [
    {"path": "front.png", "role": "front", "sensor": "cam-0", "timestamp_ns": 1_700_000_000_000_000_001},
    {"path": "left.png", "role": "left", "meta": {"pose": [1.5, 2.5]}},
    {"text": "rain, night", "role": "note"},
]
PICTURES = {"front.png": png(8, 4), "left.png": png(8, 4, 9), "other.png": png(2, 2)}


def packed(path: Path, manifest: bytes, name: str = "manifest.jsonl") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, manifest)
        for file, data in PICTURES.items():
            archive.writestr(file, data)
    return path


def lines(*rows: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def parts_of(house: House, ref: str) -> list[PartDocument]:
    [item] = [one for one in house.items() if one.ref == ref]
    return read_parts(item.parts)


def told(part: PartDocument) -> tuple[Any, ...]:
    return part.role, part.sensor, part.timestamp_ns, part.media_type, part.body, json.loads(bytes(part.meta))


def test_an_item_of_parts_is_kept_as_its_manifest_tells(house: House, tmp_path: Path) -> None:
    rows = [{"ref": "scene", "parts": SCENE, "weather": "rain"}, {"ref": "one", "path": "other.png"}]
    done = house.load(house.put(packed(tmp_path / "a.zip", lines(*rows))))
    assert (done.accepted, done.refused) == (2, 0)
    parts = parts_of(house, "scene")
    assert [told(part) for part in parts] == [
        ("front", "cam-0", 1_700_000_000_000_000_001, "image/png", None, {}),
        ("left", "", None, "image/png", None, {"pose": [1.5, 2.5]}),
        ("note", "", None, "text/plain", "rain, night", {}),
    ]
    assert [part.ordinal for part in parts] == [0, 1, 2]
    assert [(part.facts.width_px, part.facts.height_px, part.facts.characters) for part in parts] == [
        (8, 4, None),
        (8, 4, None),
        (None, None, 11),
    ]
    [scene] = [one for one in house.items() if one.ref == "scene"]
    assert (scene.media_type, scene.asset, scene.url, scene.body) == ("multipart/mixed", None, None, None)
    assert (scene.width_px, scene.height_px, scene.metadata) == (8, 4, {"weather": "rain"})
    assert scene.bytes == sum(part.bytes for part in parts) == len(PICTURES["front.png"] + PICTURES["left.png"]) + 11

    async def kept(run: Runtime) -> list[bytes]:
        return [await run.blobs.get(house.tenant, part.asset) for part in parts if part.asset is not None]

    assert house.run(kept) == [PICTURES["front.png"], PICTURES["left.png"]]


def test_what_is_its_own_one_part_has_no_row_of_parts(house: House, tmp_path: Path) -> None:
    rows = [{"ref": "a", "path": "other.png"}, {"ref": "b", "parts": [{"path": "front.png"}]}]
    assert house.load(house.put(packed(tmp_path / "a.zip", lines(*rows)))).accepted == 2
    assert house.sql("SELECT count(*) FROM item_part") == [(0,)]
    items = {one.ref: one for one in house.items()}
    assert (items["b"].width_px, items["b"].media_type, items["b"].parts) == (8, "image/png", None)
    assert items["b"].asset is not None


def test_csv_and_parquet_say_the_same_as_json_lines(house: House, tmp_path: Path) -> None:
    assert house.load(house.put(packed(tmp_path / "a.zip", lines({"ref": "scene", "parts": SCENE})))).accepted == 1
    quoted = json.dumps(SCENE).replace('"', '""')
    table = packed(tmp_path / "b.zip", f'ref,parts\nscene,"{quoted}"\n'.encode(), "manifest.csv")
    columns = pa.table({"ref": ["scene"], "parts": [SCENE]})
    pq.write_table(columns, tmp_path / "m.parquet")
    parquet = packed(tmp_path / "c.zip", (tmp_path / "m.parquet").read_bytes(), "manifest.parquet")
    for path in (table, parquet):
        again = house.load(house.put(path))
        assert (again.unchanged, again.refused) == (1, 0), house.refusals(again.id)


def test_other_parts_under_the_same_reference_are_refused(house: House, tmp_path: Path) -> None:
    assert house.load(house.put(packed(tmp_path / "a.zip", lines({"ref": "scene", "parts": SCENE})))).accepted == 1
    turned = house.load(house.put(packed(tmp_path / "b.zip", lines({"ref": "scene", "parts": SCENE[::-1]}))))
    assert [one.reason for one in house.refusals(turned.id)] == ["duplicate-ref"]
    assert [part.role for part in parts_of(house, "scene")] == ["front", "left", "note"]


@pytest.mark.parametrize(
    ("parts", "reason", "place"),
    [
        ([{"path": "front.png"}, {"path": "gone.png"}], "file-absent", "/parts/1/path"),
        ([{"path": "front.png", "text": "x"}], "part-content", "/parts/0"),
        ([{"role": "front"}], "part-content", "/parts/0"),
        ([{"path": "front.png", "rôle": "front"}], "line-malformed", "/parts/0"),
        ([{"path": "front.png", "role": "a\nb"}], "part-name", "/parts/0/role"),
        ([{"path": "front.png"}, {"path": "manifest.jsonl"}], "wrong-type", "/parts/1"),
        ([{"text": "x"}, {"text": " "}], "empty", "/parts/1"),
        ([{"text": "x", "meta": {"n": "y" * 40_000}}, {"text": "x", "meta": {"n": "y" * 40_000}}],
         "metadata-too-large", "/parts"),
        ([{"text": "x", "timestamp_ns": 2**63}], "line-malformed", "/parts/0/timestamp_ns"),
        ([{"text": "x"}] * (limits.MAX_PARTS + 1), "parts-too-many", "/parts"),
        ("no list", "line-malformed", "/parts"),
    ],
)  # fmt: skip
def test_one_bad_part_refuses_its_item_and_says_which(
    house: House, tmp_path: Path, parts: Any, reason: str, place: str
) -> None:
    rows = [{"ref": "bad", "parts": parts}, {"ref": "good", "parts": SCENE}]
    done = house.load(house.put(packed(tmp_path / "a.zip", lines(*rows))))
    assert (done.accepted, done.refused) == (1, 1)
    [refusal] = house.refusals(done.id)
    assert refusal.reason == reason
    assert place in refusal.detail + refusal.place, refusal
    assert house.sql("SELECT count(*) FROM item_part") == [(len(SCENE),)]


def test_parts_kept_elsewhere_are_references_or_are_fetched(house: House, tmp_path: Path) -> None:
    rows = [{"ref": "a", "parts": [{"url": "https://example.com/a.jpg"}, {"url": "https://example.com/b.png"}]},
            {"ref": "b", "parts": [{"text": "x"}, {"url": "http://192.168.0.1/b.jpg"}]}]  # fmt: skip
    (tmp_path / "m.jsonl").write_bytes(lines(*rows))
    source = house.put(tmp_path / "m.jsonl")
    done = house.load({**source, "copy": False})
    assert (done.accepted, done.refused) == (1, 1)
    [refusal] = house.refusals(done.id)
    assert (refusal.ref, refusal.reason) == ("b", "url-private")
    assert [(part.url, part.media_type) for part in parts_of(house, "a")] == [
        ("https://example.com/a.jpg", "image/jpeg"),
        ("https://example.com/b.png", "image/png"),
    ]
    fetched = house.load({"type": "upload", "upload": source["upload"]})
    assert fetched.refused == 2  # neither can be reached from here
    assert all("/parts/" in one.detail for one in house.refusals(fetched.id))


def test_a_task_shows_its_parts_to_its_holder_alone(foundry: Foundry, tmp_path: Path) -> None:
    tenant = foundry.tenant()

    async def load(run: Runtime) -> Any:
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            dataset = (await service.create_dataset(conn, tenant, "scenes", "")).id
        path = packed(tmp_path / "a.zip", lines({"ref": "scene", "parts": SCENE}))

        async def chunks() -> Any:
            yield path.read_bytes()

        upload = (await service.receive_upload(run, tenant, dataset, "a.zip", chunks(), 1 << 30)).upload
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            begun = await service.start_import(conn, run, tenant, dataset, {"type": "upload", "upload": upload})
        await jobs.run_import(run, tenant, begun.id)
        return dataset

    project = foundry.project(tenant, dataset=foundry.call(load))
    worker, other = foundry.people(2)
    [task] = foundry.claim(worker, project).tasks
    assert [(part.role, part.text, part.url is None) for part in task.item.parts] == [
        ("front", None, False),
        ("left", None, False),
        ("note", "rain, night", True),
    ]
    assert task.item.facts is None
    for part in task.item.parts[:2]:
        assert part.url is not None
        grant = foundry.runtime.blobs.verify(part.url, bound_to=f"person:{worker}")
        assert grant.media_type == "image/png"
        with pytest.raises(Problem) as refused:
            foundry.runtime.blobs.verify(part.url, bound_to=f"person:{other}")
        assert refused.value.kind is Kind.FORBIDDEN
        assert urlsplit(part.url).path.startswith("/blobs/")
    [(item,)] = foundry.sql("SELECT id FROM item WHERE tenant = %s", tenant)
    assert str(item) not in str(task)  # its true name would follow the order of import


def test_an_item_from_before_there_were_parts_is_its_own_one_part(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 1)
    [task] = foundry.claim(foundry.person(), project).tasks
    assert (task.item.text, task.item.parts, task.item.facts) == ("text 0", [], None)
