from __future__ import annotations

import io
import json
import os
import stat
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer
from PIL import Image

from cupola.catalog.found import Context, Entry, Found, Refused
from cupola.catalog.importers import upload
from cupola.catalog.importers import zip as zip_module
from cupola.kernel import ids
from cupola.kernel.errors import Kind, Problem
from cupola.labels import ChoiceLabel, ObjectsLabel
from cupola.platform import hooks
from cupola.platform.blobs import Blobs
from cupola.platform.net import Guard

OPEN_FILES = ExitStack()


def png(width: int = 8, height: int = 8, colour: int = 0) -> bytes:
    out = io.BytesIO()
    Image.new("L", (width, height), colour).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def context(tmp_path: Path) -> Context:
    root = tmp_path / "open"
    root.mkdir()
    return Context(ids.uuid7(), Blobs.open(tmp_path / "blobs", secret=b"x"), Guard(), (root,))


def entries(source: dict[str, Any], context: Context, cursor: str | None = None) -> list[Entry]:
    return list(hooks.load(hooks.IMPORTERS, source["type"])(source, context, cursor))


def content(entry: Entry) -> bytes:
    assert isinstance(entry, Found)
    assert entry.read is not None
    return b"".join(entry.read().chunks)


def told(found: list[Entry]) -> dict[str, str]:
    """Reference -> "found" or the reason of its refusal."""
    return {entry.ref: entry.reason if isinstance(entry, Refused) else "found" for entry in found}


def read_file(path: Path, name: str, cursor: str | None) -> list[Entry]:
    return list(upload.read_file(path, name, cursor, OPEN_FILES))


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    OPEN_FILES.close()


def check_resume(read: Any) -> None:
    """Going on behind any entry gives exactly the entries that follow it."""
    whole = read(None)
    assert len(whole) > 1
    for number, entry in enumerate(whole):
        rest = read(entry.cursor)
        assert [(e.ref, e.place, e.cursor) for e in rest] == [(e.ref, e.place, e.cursor) for e in whole[number + 1 :]]


# ---------------------------------------------------------------- folder
def test_a_folder_gives_its_files_in_order_and_refuses_links_and_pipes(context: Context, tmp_path: Path) -> None:
    root = context.roots[0]
    for name in ("b.png", "a/2.png", "a/1.png", "a.png", "a-b/x.png"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(png())
    (tmp_path / "secret.txt").write_text("secret")
    (root / "link.png").symlink_to(tmp_path / "secret.txt")
    (root / "linked").symlink_to(tmp_path)
    os.mkfifo(root / "pipe")
    (root / ".DS_Store").write_bytes(b"x")
    (root / os.fsdecode(b"bad\xff.png")).write_bytes(png())
    source = {"type": "folder", "path": str(root)}
    found = entries(source, context)
    assert told(found) == {
        "a-b/x.png": "found",
        "a.png": "found",
        "a/1.png": "found",
        "a/2.png": "found",
        "b.png": "found",
        "bad\\udcff.png": "ref-invalid",
        "link.png": "symlink",
        "linked": "symlink",
        "pipe": "wrong-type",
    }
    first = found[0]
    assert isinstance(first, Found)
    assert content(first) == png()
    check_resume(lambda cursor: entries(source, context, cursor))


def test_a_file_that_becomes_a_link_after_it_was_listed_is_not_followed(context: Context, tmp_path: Path) -> None:
    root = context.roots[0]
    (root / "a.png").write_bytes(png())
    [found] = entries({"type": "folder", "path": str(root)}, context)
    (tmp_path / "secret").write_text("secret")
    (root / "a.png").unlink()
    (root / "a.png").symlink_to(tmp_path / "secret")
    with pytest.raises(Problem):
        content(found)


@pytest.mark.parametrize("path", ["/", "/etc", "relative", "", "{root}/..", "{root}/absent", "{root}/out"])
def test_only_folders_below_an_open_root_are_read(context: Context, path: str) -> None:
    root = context.roots[0]
    (root / "out").symlink_to("/etc")
    with pytest.raises(Problem) as caught:
        entries({"type": "folder", "path": path.format(root=root)}, context)
    assert caught.value.kind in (Kind.FORBIDDEN, Kind.INVALID)
    assert caught.value.remedy


def test_a_manifest_in_a_folder_says_what_is_imported(context: Context, tmp_path: Path) -> None:
    root = context.roots[0]
    (root / "a.png").write_bytes(png())
    (root / "not-named.png").write_bytes(png())
    (root / "link.png").symlink_to("/etc/passwd")
    rows = [{"ref": "1", "path": "a.png"}, {"ref": "2", "path": "../x"}, {"ref": "3", "path": "b.png"},
            {"ref": "4", "path": "link.png"}, {"ref": "5", "path": "/etc/passwd"}]  # fmt: skip
    (root / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = entries({"type": "folder", "path": str(root)}, context)
    assert list(told(found).values()) == ["found", "path-traversal", "file-absent", "symlink", "path-traversal"]


# ---------------------------------------------------------------- zip
def pack(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_an_archive_gives_its_files_and_refuses_what_leads_out(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.zip", {"0/a.png": png(), "0/b.png": png(9), "../evil.png": png(), "/abs.png": png()})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("C:\\x.png", png())
        archive.writestr("__MACOSX/0/._a.png", b"x")
        archive.writestr("folder/", b"")
        archive.writestr("bomb.png", b"\0" * 20_000_000)
        link = zipfile.ZipInfo("link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("0/a.png", png(3))
    found = read_file(path, "x.zip", None)
    told_in_order = [(e.ref, e.reason if isinstance(e, Refused) else "found") for e in found]
    assert told_in_order == [
        ("0/a.png", "found"),
        ("0/b.png", "found"),
        ("../evil.png", "path-traversal"),
        ("/abs.png", "path-traversal"),
        ("C:\\x.png", "path-traversal"),
        ("bomb.png", "zip-ratio"),
        ("link.png", "symlink"),
        ("0/a.png", "duplicate-ref"),
    ]
    assert all(e.remedy and e.place for e in found if isinstance(e, Refused))
    check_resume(lambda cursor: read_file(path, "x.zip", cursor))
    first = found[0]
    assert isinstance(first, Found)
    assert content(first) == png()


def test_a_damaged_entry_is_refused_when_read_and_a_damaged_archive_as_a_whole(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.png", png())
    raw = bytearray((tmp_path / "x.zip").read_bytes())
    raw[raw.index(b"IDAT") + 6] ^= 0xFF
    (tmp_path / "x.zip").write_bytes(raw)
    [entry] = read_file(tmp_path / "x.zip", "x.zip", None)
    with pytest.raises(Problem) as caught:
        content(entry)
    assert caught.value.code == "zip-entry-broken"
    (tmp_path / "y.zip").write_bytes(bytes(raw[:-30]))
    with pytest.raises(Problem) as caught:
        read_file(tmp_path / "y.zip", "y.zip", None)
    assert caught.value.code == "zip-unreadable"


def test_an_archive_with_too_many_entries_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pack(tmp_path / "x.zip", {f"{n}.png": b"x" for n in range(5)})
    for where, name, most in ((zip_module.limits, "MAX_ZIP_ENTRIES", 4), (zip_module, "MAX_DIRECTORY_BYTES", 100)):
        assert len(read_file(path, "x.zip", None)) == 5
        with monkeypatch.context() as patch:
            patch.setattr(where, name, most)
            with pytest.raises(Problem) as caught:
                read_file(path, "x.zip", None)
        assert caught.value.code == "zip-too-many"


@pytest.mark.parametrize("top", ["", "photos/"])
def test_a_manifest_in_an_archive_names_files_beside_it(tmp_path: Path, top: str) -> None:
    rows = [
        {"ref": "one", "path": "a.png", "gold_label": {"kind": "choice", "values": ["3"]}},
        {"ref": "two", "path": "absent.png"},
        {"ref": "three", "text": "words"},
    ]
    manifest = "\n".join(map(json.dumps, rows)).encode()
    path = pack(tmp_path / "x.zip", {f"{top}a.png": png(), f"{top}b.png": png(), f"{top}manifest.jsonl": manifest})
    seen = {}
    for entry in read_file(path, "x.zip", None):
        seen[entry.ref] = entry.reason if isinstance(entry, Refused) else entry.gold_label
        if entry.ref == "one" and isinstance(entry, Found):
            assert content(entry) == png()
    assert seen == {"one": ChoiceLabel(["3"]), "two": "file-absent", "three": None}
    check_resume(lambda cursor: read_file(path, "x.zip", cursor))


# ---------------------------------------------------------------- manifests
def test_bad_manifest_lines_are_refused_one_by_one_with_their_place(tmp_path: Path) -> None:
    lines = [
        b"\xef\xbb\xbf" + b'{"ref":"ok","text":"hello","metadata":{"a":[1,{"b":2}]}}',
        b"not json",
        b"",
        b'{"ref":"two","text":"x","url":"http://example.com/"}',
        b'{"text":"no ref"}',
        b'{"ref":"label","text":"x","gold_label":{"kind":"choice","values":[3]}}',
        b'{"ref":"typo","txt":"x"}',
        b'{"ref":"path","path":"a.png"}',
        b'{"ref":"\xff","text":"x"}',
        b'{"ref":"a\\u0000b","text":"x"}',
        b'{"ref":"boxes","text":"x","pre_label":{"kind":"objects","objects":[]},'
        b'"eligible":["018f2a3e-0000-7000-8000-000000000001"]}',
    ]
    path = tmp_path / "m.jsonl"
    path.write_bytes(b"\n".join(lines))
    found = read_file(path, "m.jsonl", None)
    assert [(e.place, e.reason if isinstance(e, Refused) else "found") for e in found] == [
        ("line 1", "found"),
        ("line 2", "line-malformed"),
        ("line 4", "line-content"),
        ("line 5", "ref-absent"),
        ("line 6", "line-malformed"),
        ("line 7", "line-content"),
        ("line 8", "file-absent"),
        ("line 9", "line-malformed"),
        ("line 10", "ref-invalid"),
        ("line 11", "found"),
    ]
    wrong = found[4]
    assert isinstance(wrong, Refused)
    assert "/gold_label/values/0" in wrong.detail
    last = found[-1]
    assert isinstance(last, Found)
    assert last.pre_label == ObjectsLabel([])
    assert last.eligible is not None
    check_resume(lambda cursor: read_file(path, "m.jsonl", cursor))


def test_a_line_that_is_too_long_is_refused_without_being_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_module.limits, "MAX_MANIFEST_LINE_BYTES", 100)
    path = tmp_path / "m.jsonl"
    long = json.dumps({"ref": "b", "text": "x" * 1000})
    path.write_text("\n".join(['{"ref":"a","text":"x"}', long, '{"ref":"c","text":"x"}']))
    assert [(e.place, type(e)) for e in read_file(path, "m.jsonl", None)] == [
        ("line 1", Found),
        ("line 2", Refused),
        ("line 3", Found),
    ]
    check_resume(lambda cursor: read_file(path, "m.jsonl", cursor))


def test_csv_takes_bare_classes_json_labels_and_further_columns(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(
        "ref,text,gold_label,camera\n"
        'a,"two\nlines",cat,left\n'
        'b,words,"{""kind"":""choice"",""values"":[""dog""]}",\n'
        "c,too,many,cells,here\n"
        "\n"
        'd,words,"{broken",\n',
        encoding="utf-8-sig",
    )
    found = read_file(path, "m.csv", None)
    a, b, c, d = found
    assert isinstance(a, Found)
    assert (a.text, a.gold_label, a.metadata) == ("two\nlines", ChoiceLabel(["cat"]), {"camera": "left"})
    assert isinstance(b, Found)
    assert (b.gold_label, b.metadata) == (ChoiceLabel(["dog"]), {})
    assert isinstance(c, Refused)
    assert c.reason == "row-width"
    assert isinstance(d, Refused)
    assert "gold_label" in d.detail
    check_resume(lambda cursor: read_file(path, "m.csv", cursor))


@pytest.mark.parametrize("head", ["a,b\n1,2\n", ""])
def test_a_csv_without_a_usable_header_is_refused_as_a_whole(tmp_path: Path, head: str) -> None:
    (tmp_path / "m.csv").write_text(head)
    with pytest.raises(Problem) as caught:
        read_file(tmp_path / "m.csv", "m.csv", None)
    assert caught.value.code == "csv-header"


def test_parquet_rows_are_read_with_labels_as_text_or_as_structs(tmp_path: Path) -> None:
    table = pa.table(
        {
            "ref": ["a", "b", None],
            "text": ["x", "y", "z"],
            "gold_label": ["cat", '{"kind":"choice","values":["dog"]}', None],
            "pre_label": [{"kind": "choice", "values": ["cat"]}] * 3,
            "width": [1, 2, 3],
        }
    )
    pq.write_table(table, tmp_path / "m.parquet", row_group_size=2)
    found = read_file(tmp_path / "m.parquet", "upload", None)
    assert [(e.place, e.ref) for e in found] == [("row 1", "a"), ("row 2", "b"), ("row 3", "")]
    assert isinstance(found[2], Refused)
    b = found[1]
    assert isinstance(b, Found)
    assert (b.gold_label, b.pre_label, b.metadata) == (ChoiceLabel(["dog"]), ChoiceLabel(["cat"]), {"width": 2})
    check_resume(lambda cursor: read_file(tmp_path / "m.parquet", "upload", cursor))
    (tmp_path / "broken").write_bytes(b"PAR1" + b"\0" * 100)
    with pytest.raises(Problem) as caught:
        read_file(tmp_path / "broken", "broken", None)
    assert caught.value.code == "parquet-unreadable"


# ---------------------------------------------------------------- uploads, URLs, S3
def test_an_upload_is_what_its_bytes_say(context: Context) -> None:
    stored = context.blobs.put_now(context.tenant, png())
    source = {"type": "upload", "upload": f"{stored.sha256}/one.png"}
    [found] = entries(source, context)
    assert found.ref == "one.png"
    assert entries(source, context, found.cursor) == []
    for wrong in ("", "x", "0" * 64 + "/a.png", "../../etc/passwd"):
        with pytest.raises(Problem):
            entries({"type": "upload", "upload": wrong}, context)
    stranger = Context(ids.uuid7(), context.blobs, Guard())
    with pytest.raises(Problem) as caught:
        entries(source, stranger)
    assert caught.value.kind is Kind.NOT_FOUND


def test_urls_are_listed_and_private_ones_refused(context: Context) -> None:
    source = {"type": "urls", "urls": ["https://example.com/a.png", "http://10.0.0.1/", "file:///etc/passwd"]}
    assert told(entries(source, context)) == {
        "https://example.com/a.png": "found",
        "http://10.0.0.1/": "url-private",
        "file:///etc/passwd": "url-invalid",
    }
    check_resume(lambda cursor: entries(source, context, cursor))
    for wrong in ([], "x", [1], None):
        with pytest.raises(Problem):
            entries({"type": "urls", "urls": wrong}, context)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(port=0)
    server.start()
    yield f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    server.stop()


def test_a_bucket_gives_the_keys_below_its_prefix(context: Context, endpoint: str) -> None:
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.create_bucket(Bucket="photos")
    for key in ("raw/b.png", "raw/a.png", "raw/deep/c.png", "other/d.png"):
        client.put_object(Bucket="photos", Key=key, Body=png())
    source = {"type": "s3", "url": "s3://photos/raw", "endpoint": endpoint, "region": "us-east-1",
              "access_key_id": "a", "secret_access_key": "b"}  # fmt: skip
    with pytest.raises(Problem) as caught:
        entries(source, context)
    assert caught.value.code == "s3-endpoint"
    allowed = Context(context.tenant, context.blobs, Guard.of(["127.0.0.1"]))
    found = entries(source, allowed)
    assert [e.ref for e in found] == ["a.png", "b.png", "deep/c.png"]
    assert isinstance(found[0], Found)
    assert content(found[0]) == png()
    check_resume(lambda cursor: entries(source, allowed, cursor))
    with pytest.raises(Problem) as caught:
        entries({**source, "url": "s3://absent-bucket/x"}, allowed)
    assert caught.value.kind is Kind.UNAVAILABLE


@pytest.mark.parametrize("change", [{"url": "http://x/"}, {"url": None}, {"region": "a/b"}, {"region": 3}])
def test_a_bucket_that_is_named_wrongly_is_refused(context: Context, change: dict[str, Any]) -> None:
    with pytest.raises(Problem) as caught:
        entries({"type": "s3", "url": "s3://photos/raw", **change}, context)
    assert caught.value.kind is Kind.INVALID


def test_an_unknown_source_type_names_those_that_there_are() -> None:
    with pytest.raises(Problem) as caught:
        hooks.load(hooks.IMPORTERS, "carrier-pigeon")
    assert "folder" in caught.value.remedy


def test_a_key_that_is_no_path_stops_nothing(context: Context, endpoint: str) -> None:
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.create_bucket(Bucket="odd")
    keys = [
        "a//b.png",
        "a/./c.png",
        "../up.png",
        "/lead.png",
        "sp ace+plus%20.png",
        "Grüße 数据.png",
        "a?b#c.png",
        "x&y=1.png",
    ]
    for key in [*keys, "line\u2028sep.png"]:
        client.put_object(Bucket="odd", Key=key, Body=png(), ContentType="image/png")
    source = {"type": "s3", "url": "s3://odd", "endpoint": endpoint, "access_key_id": "a", "secret_access_key": "b"}
    allowed = Context(context.tenant, context.blobs, Guard.of(["127.0.0.1"]))
    found = entries(source, allowed)
    assert told(found) == dict.fromkeys(keys, "found") | {"line\u2028sep.png": "ref-invalid"}
    for entry in found:
        if isinstance(entry, Found):
            assert content(entry) == png(), entry.ref
    check_resume(lambda cursor: entries(source, allowed, cursor))
