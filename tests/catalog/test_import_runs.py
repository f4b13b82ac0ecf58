from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cupola.catalog import intake, jobs, service, store
from cupola.kernel import ids
from cupola.kernel.errors import Kind, Problem
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from tests.catalog.conftest import House


def png(number: int, side: int = 8) -> bytes:
    out = io.BytesIO()
    Image.frombytes("L", (side, side), hashlib.sha256(str(number).encode()).digest() * (side * side // 32)).save(
        out, "PNG"
    )
    return out.getvalue()


class Killed(BaseException):
    """What ends a process without asking: no `except Exception` sees it."""


def manifest(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_an_archive_becomes_items_with_sizes_hashes_and_refusals(house: House, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "digits.zip", "w") as archive:
        for number in range(5):
            archive.writestr(f"{number}.png", png(number))
        archive.writestr("broken.png", png(9)[:40])
        archive.writestr("note.txt", "some words")
        archive.writestr("table.pdf", b"%PDF-1.7")
    done = house.load(house.put(tmp_path / "digits.zip"))
    assert (done.state, done.found, done.accepted, done.unchanged, done.refused) == ("done", 8, 6, 0, 2)
    assert done.error is None
    assert done.finished_at is not None
    items = {item.ref: item for item in house.items()}
    assert items["3.png"].asset == hashlib.sha256(png(3)).digest()
    assert (items["3.png"].width_px, items["3.png"].height_px, items["3.png"].media_type) == (8, 8, "image/png")
    assert (items["note.txt"].body, items["note.txt"].asset) == ("some words", None)
    refusals = {r.ref: r for r in house.refusals(done.id)}
    assert {ref: r.reason for ref, r in refusals.items()} == {
        "broken.png": "image-unreadable",
        "table.pdf": "wrong-type",
    }
    assert refusals["table.pdf"].place == "entry 8: table.pdf"
    assert all(r.remedy and r.detail for r in refusals.values())


def test_importing_again_changes_nothing_and_other_content_is_refused(house: House, tmp_path: Path) -> None:
    rows = [{"ref": f"r{n}", "text": f"words {n}", "metadata": {"n": n}} for n in range(50)]
    source = house.put(manifest(tmp_path / "m.jsonl", rows))
    assert house.load(source).accepted == 50
    again = house.load(source)
    assert (again.found, again.accepted, again.unchanged, again.refused) == (50, 0, 50, 0)
    rows[7]["text"] = "other words"
    rows[8]["metadata"] = {"n": 99}
    rows.append({"ref": "new", "text": "new"})
    rows.append({"ref": "new", "text": "new"})
    rows.append({"ref": "new", "text": "newer"})
    third = house.load(house.put(manifest(tmp_path / "m2.jsonl", rows)))
    assert (third.found, third.accepted, third.unchanged, third.refused) == (53, 1, 49, 3)
    assert {(r.ref, r.reason, r.place) for r in house.refusals(third.id)} == {
        ("r7", "duplicate-ref", "line 8"),
        ("r8", "duplicate-ref", "line 9"),
        ("new", "duplicate-ref", "line 53"),
    }
    assert {item.ref: item.body for item in house.items()}["r7"] == "words 7"


def test_labels_metadata_and_eligible_people_are_kept(house: House, tmp_path: Path) -> None:
    person = ids.uuid7()
    gold = {"kind": "choice", "values": ["3"]}
    row = {"ref": "a", "text": "x", "gold_label": gold, "pre_label": gold, "eligible": [str(person)],
           "metadata": {"deep": [1, {"é": None}]}}  # fmt: skip
    house.load(house.put(manifest(tmp_path / "m.jsonl", [row])))
    [kept] = house.sql("SELECT gold_label, pre_label, eligible, metadata FROM item")

    async def worker(run: Runtime) -> Any:
        return run.worker_of(house.tenant, person)

    assert json.loads(kept[0]) == json.loads(kept[1]) == gold
    assert kept[2] == [house.run(worker)]
    assert kept[2] != [person]
    assert kept[3] == {"deep": [1, {"é": None}]}


def test_odd_characters_anywhere_are_refused_or_kept_but_never_break_a_run(house: House, tmp_path: Path) -> None:
    lines = [
        b'{"ref":"ok","text":"fine"}',
        b'{"ref":"nul","text":"a\\u0000b"}',
        b'{"ref":"meta","text":"x","metadata":{"a":"\\u0000"}}',
        b'{"ref":"\\u0000","text":"x"}',
        b'{"ref":"big","text":"x","metadata":{"a":"' + b"y" * 70_000 + b'"}}',
        '{"ref":"💡","text":"né 汉字 \u202e"}'.encode(),
    ]
    (tmp_path / "m.jsonl").write_bytes(b"\n".join(lines))
    done = house.load(house.put(tmp_path / "m.jsonl"))
    assert (done.state, done.accepted, done.refused) == ("done", 2, 4)
    assert [r.reason for r in house.refusals(done.id)].count("metadata-malformed") == 1


def test_a_label_whose_boxes_leave_the_picture_is_refused_at_the_door(house: House, tmp_path: Path) -> None:
    def boxes(x: float) -> dict[str, Any]:
        shape = {"type": "box", "x": x, "y": 0, "w": 4, "h": 4}
        return {"kind": "objects", "objects": [{"id": "1", "cls": "any", "shape": shape}]}

    rows = [
        {"ref": "in", "path": "a.png", "gold_label": boxes(4)},
        {"ref": "out", "path": "a.png", "gold_label": boxes(6)},
        {"ref": "pre", "path": "a.png", "pre_label": boxes(-3)},
    ]
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.png", png(1))
        archive.writestr("manifest.jsonl", "\n".join(map(json.dumps, rows)))
    done = house.load(house.put(tmp_path / "x.zip"))
    assert (done.accepted, done.refused, done.noted) == (2, 1, 1)
    [out], [pre] = house.refusals(done.id), house.notes(done.id)
    assert (pre.ref, pre.reason) == ("pre", "pre-label-dropped")
    assert (out.ref, out.reason, out.place) == ("out", "label-out-of-image", "line 2")
    assert "/gold_label/objects/0/shape" in out.detail
    assert "/pre_label/objects/0/shape" in pre.detail


def test_a_source_that_fails_leaves_the_run_failed_and_ready_to_resume(house: House) -> None:
    root = house.settings.import_roots[0]
    failed = house.load({"type": "folder", "path": str(root / "later")})
    assert failed.state == "failed"
    assert failed.error is not None
    assert "Check the path" in failed.error
    assert house.proceed(failed.id).state == "failed"
    (root / "later").mkdir()
    (root / "later" / "a.png").write_bytes(png(1))

    async def resume(run: Runtime) -> None:
        async with run.db.tx(Role.APP, tenant=house.tenant) as conn:
            await service.resume_import(conn, house.tenant, failed.id)

    house.run(resume)
    done = house.proceed(failed.id)
    assert (done.state, done.accepted, done.error) == ("done", 1, None)
    with pytest.raises(Problem) as caught:
        house.run(resume)
    assert caught.value.code == "import-done"


def test_a_store_that_is_away_leaves_the_run_as_it_stood_and_nothing_is_refused(house: House, tmp_path: Path) -> None:
    root = house.settings.import_roots[0]
    for number in range(3):
        (root / f"{number}.png").write_bytes(png(number))
    run_id = house.begin({"type": "folder", "path": str(root)})
    blobs = house.settings.data_dir / "blobs" / str(house.tenant)
    blobs.parent.mkdir(parents=True, exist_ok=True)
    blobs.write_text("a file where the tenant's folder should be")
    with pytest.raises(Problem) as caught:
        house.proceed(run_id)
    assert (caught.value.kind, caught.value.code) == (Kind.UNAVAILABLE, "blobs-unreachable")
    assert house.sql("SELECT state, found FROM import_run") == [("running", 0)]
    blobs.unlink()
    done = house.proceed(run_id)
    assert (done.accepted, done.refused) == (3, 0)


def test_a_run_that_is_interrupted_goes_on_where_it_stood(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "CHUNK_ENTRIES", 10)
    rows = [{"ref": f"r{n:03}", "text": f"words {n}"} if n % 7 else {"ref": f"r{n:03}"} for n in range(95)]
    run_id = house.begin(house.put(manifest(tmp_path / "m.jsonl", rows)))
    seen = 0

    async def breaks(progress: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == 3:
            raise Killed

    async def interrupted(run: Runtime) -> None:
        await jobs.run_import(run, house.tenant, run_id, breaks)

    with pytest.raises(Killed):
        house.run(interrupted)
    [(state, found)] = house.sql("SELECT state, found FROM import_run")
    assert (state, found) == ("running", 30)
    done = house.proceed(run_id)
    assert (done.found, done.accepted, done.refused) == (95, 81, 14)
    assert len(house.refusals(run_id)) == 14
    assert len(house.items()) == 81


def test_any_exception_ends_the_run_with_its_reason_and_one_bad_entry_refuses_itself(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"ref": f"r{n}", "text": f"words {n}"} for n in range(3)]
    source = house.put(manifest(tmp_path / "m.jsonl", rows))

    def breaks(text: str) -> str:
        if text == "words 1":
            raise KeyError("MPO")
        return text

    with monkeypatch.context() as patch:
        patch.setattr(intake, "check_text", breaks)
        done = house.load(source)
    assert (done.state, done.accepted, done.refused) == ("done", 2, 1)
    [refusal] = house.refusals(done.id)
    assert (refusal.ref, refusal.reason) == ("r1", "entry-failed")
    assert "KeyError" in refusal.detail

    async def fails(*_: Any) -> Any:
        raise RuntimeError("the roof fell in")

    with monkeypatch.context() as patch:
        patch.setattr(service, "store_chunk", fails)
        failed = house.load(source)
    assert failed.state == "failed"
    assert failed.error is not None
    assert "the roof fell in" in failed.error


def test_two_processes_on_one_run_store_everything_once(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "CHUNK_ENTRIES", 5)
    rows = [{"ref": f"r{n}", "text": "x"} if n % 3 else {"text": "no ref"} for n in range(100)]
    run_id = house.begin(house.put(manifest(tmp_path / "m.jsonl", rows)))
    caught: list[str] = []

    def work() -> None:
        try:
            house.proceed(run_id)
        except Problem as problem:
            caught.append(problem.code)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(caught) <= {"import-moved"}
    [(state, found, accepted, refused)] = house.sql("SELECT state, found, accepted, refused FROM import_run")
    assert (state, found, accepted, refused) == ("done", 100, 66, 34)
    assert len(house.items()) == 66
    assert len(house.refusals(run_id)) == 34


_CHILD = """
import asyncio, sys
from pathlib import Path
from uuid import UUID
from cupola.catalog import intake, jobs
from cupola.platform.blobs import Blobs
from cupola.platform.pg.tx import Database
from cupola.platform.runtime import Runtime
from cupola.platform.settings import Settings
url, folder, tenant, run_id, root = sys.argv[1:]
intake.CHUNK_ENTRIES = 20
async def main():
    db = Database(url)
    await db.open()
    settings = Settings(Path(folder), None, None, b"i" * 32, import_roots=(Path(root),))
    run = Runtime(settings, db, Blobs.open(Path(folder) / "blobs", secret=b"x" * 32))
    async def told(progress):
        print(progress.found, flush=True)
        await asyncio.sleep(0.02)
    await jobs.run_import(run, UUID(tenant), UUID(run_id), told)
asyncio.run(main())
"""


def test_a_run_that_is_killed_again_and_again_loses_and_doubles_nothing(house: House) -> None:
    root = house.settings.import_roots[0]
    for number in range(240):
        (root / f"{number:04}.png").write_bytes(png(number) if number % 10 else b"broken")
    run_id = house.begin({"type": "folder", "path": str(root)})
    argv = [sys.executable, "-c", _CHILD, house.server_url, str(house.settings.data_dir), str(house.tenant),
            str(run_id), str(root)]  # fmt: skip
    kills = 0
    for lines in (2, 4, 1, 1000):
        child = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        for _ in range(lines):
            if not child.stdout.readline():
                break
        else:
            time.sleep(0.013)  # somewhere within the next chunk
            os.kill(child.pid, signal.SIGKILL)
            kills += 1
        child.wait()
        child.stdout.close()
    assert kills >= 2
    [(state, found, accepted, unchanged, refused)] = house.sql(
        "SELECT state, found, accepted, unchanged, refused FROM import_run"
    )
    assert (state, found, accepted, unchanged, refused) == ("done", 240, 216, 0, 24)
    assert len(house.items()) == 216
    assert len({r.place for r in house.refusals(run_id)}) == len(house.refusals(run_id)) == 24


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name = self.path.strip("/")
        status, body = (200, png(int(name))) if name.isdigit() else (404, b"absent")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_urls_are_fetched_once_the_operator_allows_their_network(house: House, site: str) -> None:
    urls = [f"{site}/{n}" for n in range(70)] + [f"{site}/absent"]
    closed = house.load({"type": "urls", "urls": urls})
    assert (closed.accepted, closed.refused) == (0, 71)
    assert {r.reason for r in house.refusals(closed.id)} == {"url-private"}
    opened = house.allowing("127.0.0.1").load({"type": "urls", "urls": urls})
    assert (opened.accepted, opened.refused) == (70, 1)
    assert [(r.reason, r.place) for r in house.refusals(opened.id)] == [("url-status", "/source/urls/70")]
    assert house.items()[0].asset is not None


def test_urls_may_be_kept_as_references(house: House, tmp_path: Path) -> None:
    rows = [{"ref": "a", "url": "https://example.com/a.jpg"}, {"ref": "b", "url": "http://192.168.0.1/b.jpg"}]
    done = house.load({**house.put(manifest(tmp_path / "m.jsonl", rows)), "copy": False})
    assert (done.accepted, done.refused) == (1, 1)
    [item] = house.items()
    assert (item.url, item.media_type, item.asset) == ("https://example.com/a.jpg", "image/jpeg", None)


def test_the_keys_of_a_bucket_are_sealed_at_rest_and_gone_when_the_run_ends(house: House) -> None:
    source = {"type": "s3", "url": "s3://b/p", "access_key_id": "AKIA-known", "secret_access_key": "very-secret"}
    run_id = house.begin({**source, "endpoint": "http://127.0.0.1:1"})
    [(kept,)] = house.sql("SELECT source::text FROM import_run")
    assert "very-secret" not in kept
    assert "AKIA" not in kept
    failed = house.proceed(run_id)
    assert failed.state == "failed"
    assert "sealed" not in failed.source


def test_another_tenants_uploads_and_datasets_are_absent(house: House, tmp_path: Path) -> None:
    source = house.put(manifest(tmp_path / "m.jsonl", [{"ref": "a", "text": "x"}]))
    stranger = ids.uuid7()
    [(organisation,)] = house.sql("SELECT id FROM organisation")
    house.sql("INSERT INTO tenant (id, organisation, world, created_at) VALUES (%s, %s, 'test', now()) RETURNING id",
              stranger, organisation)  # fmt: skip

    async def theirs(run: Runtime) -> None:
        async with run.db.tx(Role.APP, tenant=stranger) as conn:
            assert await store.DATASETS.all(conn, tenant=stranger, before=ids.LAST, limit=9) == []
            with pytest.raises(Problem) as caught:
                await service.start_import(conn, run, stranger, house.dataset, source)
            assert caught.value.kind is Kind.NOT_FOUND
            made = await service.create_dataset(conn, stranger, "D", "")
            row = await service.start_import(conn, run, stranger, made.id, source)
        await jobs.run_import(run, stranger, row.id)
        async with run.db.tx(Role.APP, tenant=stranger) as conn:
            ended = await store.IMPORT.one(conn, tenant=stranger, id=row.id)
        assert (ended.state, ended.accepted) == ("failed", 0)

    house.run(theirs)


def test_thumbnails_are_made_once_and_small_pictures_are_their_own(house: House, tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.effect_noise((900, 600), 90).save(out, "PNG")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("large.png", out.getvalue())
        archive.writestr("small.png", png(1))
    house.load(house.put(tmp_path / "x.zip"))

    async def make(run: Runtime) -> int:
        return await jobs.make_thumbnails(run, house.tenant)

    assert house.run(make) == 2
    assert house.run(make) == 0
    large, small = house.items()
    assert small.thumb == small.asset

    async def read(run: Runtime) -> bytes:
        assert large.thumb is not None
        return await run.blobs.get(house.tenant, large.thumb.hex())

    with Image.open(io.BytesIO(house.run(read))) as thumb:
        assert (thumb.format, thumb.size) == ("WEBP", (320, 213))
