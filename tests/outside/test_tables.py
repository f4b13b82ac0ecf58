"""Tables and archives as other systems write them."""

from __future__ import annotations

import gzip
import io
import json
import struct
import unicodedata
import zipfile
from contextlib import ExitStack
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cupola.catalog.found import Context, Entry, Found, Noted, Refused
from cupola.catalog.importers.upload import read_file
from cupola.kernel import ids
from cupola.kernel.errors import Problem
from cupola.labels import ChoiceLabel
from cupola.platform import hooks
from cupola.platform.blobs import Blobs
from cupola.platform.net import Guard


def read(path: Path, names: str | None = None) -> list[Entry]:
    with ExitStack() as files:
        return list(read_file(path, path.name, None, files, names))


def lines(path: Path, data: bytes | str) -> list[Entry]:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read(path)


ROW: dict[str, Any] = {"ref": 7, "text": 5, "gold_label": 3, "camera": "left"}


def test_the_same_values_mean_the_same_in_every_format(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text(json.dumps(ROW))
    (tmp_path / "m.csv").write_text("ref,text,gold_label,camera\n7,5,3,left\n")
    pq.write_table(pa.table({name: [value] for name, value in ROW.items()}), tmp_path / "m.parquet")
    # what a table with gaps makes of whole numbers
    pq.write_table(
        pa.table({"ref": [7.0], "text": [5.0], "gold_label": [3.0], "camera": ["left"], "url": [float("nan")]}),
        tmp_path / "gaps.parquet",
    )
    for name in ("m.jsonl", "m.csv", "m.parquet", "gaps.parquet"):
        [found] = read(tmp_path / name)
        assert isinstance(found, Found), (name, found)
        assert (found.ref, found.text, found.gold_label) == ("7", "5", ChoiceLabel(["3"])), name
        assert found.metadata == {"camera": "left"}, name


@pytest.mark.parametrize(
    ("gold", "pre"),
    [("gold", "prelabel"), ("Gold Label", "Pre Label"), ("gold-label", "pre-label"), ("goldLabel", "preLabel")],
)
def test_a_known_answer_is_one_however_its_column_is_spelled(tmp_path: Path, gold: str, pre: str) -> None:
    """As metadata it would be shown to whoever works."""
    row = {"ref": "a", "text": "x", gold: "some words,\nand more", pre: "cat"}
    (tmp_path / "m.jsonl").write_text(json.dumps(row))
    (tmp_path / "m.csv").write_text(f'ref,text,{gold},{pre}\na,x,"some words,\nand more",cat\n')
    pq.write_table(pa.table({name: [value] for name, value in row.items()}), tmp_path / "m.parquet")
    for name in ("m.jsonl", "m.csv", "m.parquet"):
        [found] = read(tmp_path / name)
        assert isinstance(found, Found), (name, found)
        assert (found.gold_label, found.pre_label) == (ChoiceLabel(["some words,\nand more"]), ChoiceLabel(["cat"]))
        assert found.metadata == {}


def test_a_flag_named_gold_and_an_answer_given_twice_are_refused_with_what_to_do(tmp_path: Path) -> None:
    for row, word in (({"gold": True}, "known answer"), ({"gold": "cat", "gold_label": "cat"}, "one of them")):
        told = {"ref": "a", "text": "x", **row}
        (tmp_path / "m.jsonl").write_text(json.dumps(told))
        pq.write_table(pa.table({name: [value] for name, value in told.items()}), tmp_path / "m.parquet")
        for name in ("m.jsonl", "m.parquet"):
            [refused] = read(tmp_path / name)
            assert isinstance(refused, Refused), (name, refused)
            assert word in refused.remedy
    with pytest.raises(Problem) as caught:
        lines(tmp_path / "m.csv", "ref,text,gold,gold_label\na,x,cat,cat\n")
    assert caught.value.code == "csv-header-twice"


@pytest.mark.parametrize(
    "table",
    ["ref;text\na;x, y\n", "ref\ttext\na\tx, y\n", "sep=;\nref;text\na;x, y\n", 'Ref,TEXT\na,"x, y"\n',
     "ref;text\na;x, y\n".encode("utf-16")],
)  # fmt: skip
def test_tables_are_cut_at_the_separator_that_they_use(tmp_path: Path, table: str | bytes) -> None:
    [found] = lines(tmp_path / "m.csv", table)
    assert isinstance(found, Found)
    assert (found.ref, found.text) == ("a", "x, y")


@pytest.mark.parametrize(
    "table",
    ["ref , text \na,x\n", "\n\nref,text\na,x\n", "ref,text\na,x,,\n", '"ref","text"\r\n"a","x"\r\n', "ref,text\ra,x\r",
     "\ufeffref;text\r\na;x\r\n", "\ufeffsep=\t\nREF\ttext\na\tx\n", "ref|text\na|x\n",
     "ref,text\na,x\n".encode("utf-32"), "ref\ttext\na\tx\n".encode("utf-16-be").replace(b"\0r", b"\xfe\xff\0r", 1)],
)  # fmt: skip
def test_tables_as_spreadsheets_and_other_systems_write_them(tmp_path: Path, table: str | bytes) -> None:
    [found] = lines(tmp_path / "m.csv", table)
    assert isinstance(found, Found)
    assert (found.ref, found.text, found.metadata) == ("a", "x", {})


def test_columns_without_a_name_are_passed_over_and_told(tmp_path: Path) -> None:
    note, found = lines(tmp_path / "m.csv", ",ref,text,\n0,a,x,\n")  # a table with its index
    assert isinstance(note, Noted)
    assert note.reason == "column-unnamed"
    assert "1, 4" in note.detail
    assert isinstance(found, Found)
    assert (found.ref, found.text, found.metadata) == ("a", "x", {})


@pytest.mark.parametrize(
    ("name", "data", "code", "word"),
    [("m.csv", "ref,text,cam,cam\na,b,c,d\n", "csv-header-twice", "'cam'"),
     ("m.csv", "ref,Ref,text\na,b,c\n", "csv-header-twice", "'ref'"),
     ("m.csv", 'ref,text\na,"b\nc,d\n', "csv-malformed", "never closed"),
     ("m.csv", "ref,text\na,b\n".encode("utf-16-le"), "manifest-encoding", "UTF-16"),
     ("m.csv", "ref,text\na,Größe\n".encode("cp1252"), "manifest-encoding", "0xF6 in line 2"),
     ("m.csv", "image,label\na.png,cat\n", "csv-header", "ref, url, path, text and parts"),
     ("m.csv", "", "csv-header", "''"),
     ("m.csv", "ref,text," + ",".join(f"c{n}" for n in range(2_000)), "csv-columns", "2,002"),
     ("m.jsonl", '{"ref":"a","text":"x"}' + "\n" * 5_000, "manifest-blank", "nothing"),
     ("m.csv", "ref,text\na,b" + "\n" * 5_000, "manifest-blank", "nothing"),
     ("m.jsonl.gz", gzip.compress(b'{"ref":"a"}\n' * 1_000)[:-20], "gzip-broken", "unfolded"),
     ("m.csv.gz", b"\x1f\x8b\x08" + bytes(40), "gzip-broken", "unfolded")],
)  # fmt: skip
def test_a_table_that_cannot_be_cut_into_rows_is_refused_in_plain_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, data: str | bytes, code: str, word: str
) -> None:
    monkeypatch.setattr("cupola.catalog.importers.manifest.MAX_BLANK_LINES", 1_000)
    with pytest.raises(Problem) as caught:
        lines(tmp_path / name, data)
    assert caught.value.code == code
    assert word in caught.value.detail
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("row", "word"),
    [({"ref": "a", "body": "x", "topic": "y"}, "metadata: 'body', 'topic'"),
     ({"ref": "a", "text": "x", "url": "https://x.example/a.png"}, "url and text"),
     ({"ref": "a"}, "none of url")],
)  # fmt: skip
def test_a_line_without_content_is_told_what_became_of_what_it_has(
    tmp_path: Path, row: dict[str, str], word: str
) -> None:
    for name, data in (
        ("m.jsonl", json.dumps(row)),
        ("m.csv", ",".join(row) + "\n" + ",".join(row.values()) + "\n"),
    ):
        (tmp_path / name).write_text(data)
        (found,) = read(tmp_path / name)
        assert isinstance(found, Refused)
        assert (found.reason, word in found.detail) == ("line-content", True), found.detail


def test_manifests_under_gzip_are_read_and_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"ref": f"{n}", "text": "x"} for n in range(20)]
    data = {
        "m.jsonl.gz": "".join(json.dumps(row) + "\r\n" for row in rows).encode(),
        "m.csv.gz": b"ref,text\n" + b"".join(f"{n},x\n".encode() for n in range(20)),
        "unnamed": b'\xef\xbb\xbf{"ref":"0","text":"x"}\n'
        + b"".join(b'{"ref":"%d","text":"x"}\n' % n for n in range(1, 20)),
    }
    for name, plain in data.items():
        (tmp_path / name).write_bytes(gzip.compress(plain))
        whole = read(tmp_path / name)
        assert [entry.ref for entry in whole] == [row["ref"] for row in rows], name
        with ExitStack() as files:
            rest = list(read_file(tmp_path / name, name, whole[9].cursor, files))
        assert [entry.ref for entry in rest] == [row["ref"] for row in rows[10:]], name
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("manifest.csv.gz", gzip.compress(b"ref,path\na,n.txt\n"))
        archive.writestr("n.txt", "words")
    assert [entry.ref for entry in read(tmp_path / "x.zip")] == ["a"]
    monkeypatch.setattr("cupola.kernel.limits.MAX_UPLOAD_BYTES", 100_000)
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(b"ref,text\n" + b"a,b\n" * 1_000_000))
    with pytest.raises(Problem) as caught:
        read(tmp_path / "bomb.csv.gz")
    assert caught.value.code == "too-large"


def test_what_is_no_number_is_absent_in_every_format(tmp_path: Path) -> None:
    [found, refused] = lines(
        tmp_path / "m.jsonl",
        '{"ref":"a","text":"x","url":NaN,"metadata":{"speed":-Infinity}}\n{"ref":NaN,"text":"x"}\n',
    )
    assert isinstance(found, Found)
    assert (found.url, found.metadata) == (None, {"speed": None})
    assert isinstance(refused, Refused)
    assert refused.reason == "ref-absent"


def test_references_of_every_type_of_parquet_are_texts(tmp_path: Path) -> None:
    moment = datetime(2021, 1, 2, 3, 4, 5, 123_456, tzinfo=UTC)
    odd: list[tuple[pa.Array, list[str]]] = [
        (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        (pa.array([Decimal("1.50")]), ["1.50"]),
        (pa.array([1.0, 2.5]), ["1", "2.5"]),
        (pa.array([2**64 - 1], pa.uint64()), [str(2**64 - 1)]),
        (pa.array([UUID(int=5).bytes], pa.uuid()), [str(UUID(int=5))]),
        (pa.array([date(2021, 1, 2)]), ["2021-01-02"]),
        (pa.array([moment], pa.timestamp("us", "UTC")), ["2021-01-02T03:04:05.123456+00:00"]),
        (pa.array([1609556645123456000], pa.timestamp("ns")), ["2021-01-02T03:04:05.123456"]),
        (pa.array([1609556645123456789], pa.timestamp("ns")), ["2021-01-02T03:04:05.123456789"]),
        (pa.array([300_000_000_000], pa.timestamp("s")), ["11476-08-15T05:20:00.000"]),
        (pa.array([True]), ["true"]),
        (pa.array([b"\xff\0"]), ["ff00"]),
    ]
    for number, (column, wanted) in enumerate(odd):
        pq.write_table(pa.table({" Ref": column, "text": ["x"] * len(column)}), tmp_path / f"{number}.parquet")
        found = read(tmp_path / f"{number}.parquet")
        assert [entry.ref for entry in found] == wanted, column.type
        assert all(isinstance(entry, Found) for entry in found), column.type


def test_metadata_of_every_type_of_parquet_is_kept(tmp_path: Path) -> None:
    table = pa.table(
        {
            "ref": ["a"],
            "text": ["x"],
            "metadata": pa.array([[("k", "v")]], pa.map_(pa.string(), pa.string())),
            "at_ns": pa.array([{"stamp": 1609556645123456789}], pa.struct([("stamp", pa.timestamp("ns"))])),
            "price": [Decimal("1.10")],
            "tags": [["a", "b"]],
        }
    )
    pq.write_table(table, tmp_path / "m.parquet")
    [found] = read(tmp_path / "m.parquet")
    assert isinstance(found, Found)
    told = dict(found.metadata)
    assert "123456789" in str(told.pop("at_ns"))
    assert told == {"k": "v", "price": "1.10", "tags": ["a", "b"]}
    pq.write_table(pa.table([["a"], ["b"], ["c"]], names=["ref", "ref", "text"]), tmp_path / "twice.parquet")
    with pytest.raises(Problem) as caught:
        read(tmp_path / "twice.parquet")
    assert "'ref' stands there twice" in caught.value.detail


@pytest.mark.parametrize(
    ("name", "data"),
    [("n.txt", b"[1] See the note.\n"), ("n.md", b"[link](x)\n"), ("n.txt", b'{"a": 1} is JSON\n'),
     ("n.md", b'{"a": 1}\n'),
     ("p.csv", b"\x89PNG\r\n\x1a\n" + bytes(60)), ("p.json", b"\xff\xd8\xff" + bytes(60)),
     ("x.tar.gz", gzip.compress(bytes(999)))],
)  # fmt: skip
def test_a_file_is_no_manifest_because_it_begins_or_is_named_like_one(tmp_path: Path, name: str, data: bytes) -> None:
    [found] = lines(tmp_path / name, data)
    assert isinstance(found, Found)
    assert (found.ref, found.read is not None) == (name, True)


def test_a_manifest_may_write_paths_as_another_system_does(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "d").mkdir(parents=True)
    (folder / "d" / "x.txt").write_text("words")
    (folder / "manifest.csv").write_text(
        "ref, path\na,d\\x.txt\nb, d/x.txt\nc,./d/x.txt\nd,D/X.TXT\ne,..\\x.txt\nf,d/X.txt\n"
    )
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for file in ("manifest.csv", "d/x.txt"):
            archive.write(folder / file, file)
    context = Context(ids.uuid7(), Blobs.open(tmp_path / "blobs", secret=b"x" * 32), Guard.of([]), roots=(folder,))
    source = {"type": "folder", "path": str(folder)}
    for found in (read(tmp_path / "x.zip"), list(hooks.load(hooks.IMPORTERS, "folder")(source, context, None))):
        assert [(entry.ref, getattr(entry, "reason", "")) for entry in found] == [
            ("a", ""), ("b", ""), ("c", ""), ("d", "file-absent"), ("e", "path-traversal"), ("f", "file-absent"),
        ]  # fmt: skip
        last = found[-1]
        assert isinstance(last, Refused)
        assert "but there is 'd/x.txt'" in last.detail


@pytest.mark.parametrize(
    ("data", "code", "word"),
    [('[{"ref":"a","text":"x"}]', "manifest-array", "jq"), ('{\n "ref": "a"\n}', "manifest-spread", "jq")],
)
def test_json_that_is_no_list_of_lines_is_refused_in_plain_words(
    tmp_path: Path, data: str, code: str, word: str
) -> None:
    with pytest.raises(Problem) as caught:
        lines(tmp_path / "m.json", data)
    assert caught.value.code == code
    assert word in caught.value.remedy


def test_json_as_deep_as_a_well_refuses_its_line_alone(tmp_path: Path) -> None:
    deep = '{"ref":"a","text":"x","metadata":{"a":' + "[" * 100_000 + "]" * 100_000 + "}}"
    refused, found = lines(tmp_path / "m.jsonl", f'{deep}\n{{"ref":"b","text":"x"}}')
    assert isinstance(refused, Refused)
    assert refused.reason == "line-too-deep"
    assert isinstance(found, Found)


def zip_of(path: Path, files: dict[bytes, bytes]) -> Path:
    """An archive whose names are these bytes, without a word about what they are, as old systems pack."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, (name, data) in enumerate(files.items()):
            info = zipfile.ZipInfo(f"{number}".rjust(len(name), "_"))
            info.create_system = 0
            archive.writestr(info, data)
    packed = out.getvalue()
    for number, name in enumerate(files):
        packed = packed.replace(f"{number}".rjust(len(name), "_").encode(), name)
    path.write_bytes(packed)
    return path


@pytest.mark.parametrize(
    ("names", "encoding"),
    [(["截图 1.txt", "新建文件夹/猫.txt"], "gb18030"), (["猫/1.jpg", "狗/1.jpg"], "gb18030"), (["照片.txt"], "gb18030"),
     (["ねこ.txt", "いぬの写真.txt"], "cp932"), (["写真/東京.jpg", "写真/大阪.jpg"], "cp932"),
     (["スクリーンショット 1.png"], "cp932"), (["사진/강아지.jpg"], "cp949"),
     (["新資料夾/圖片.txt", "台灣.txt"], "big5"),
     (["собака.txt", "кот.txt"], "cp866"), (["Новая папка/собака.txt"], "cp1251"), (["Ελλάδα.txt"], "cp1253"),
     (["São João.txt", "Ações.txt"], "cp850"), (["Größe.txt", "café.txt"], "cp1252"), (["łódź.txt"], "cp852")],
)  # fmt: skip
def test_names_of_an_old_archive_are_read_and_the_guess_is_told(
    tmp_path: Path, names: list[str], encoding: str
) -> None:
    path = zip_of(tmp_path / "x.zip", {name.encode(encoding): b"words" for name in names})
    note, *found = read(path)
    assert isinstance(note, Noted)
    assert encoding in note.detail
    assert [entry.ref for entry in found] == names
    told = read(path, encoding)
    assert [entry.ref for entry in told] == names


def test_names_in_the_formats_own_encoding_need_no_guess_and_what_only_could_be_is_told(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", {"Größe/déjà vu.txt".encode("cp437"): b"words"})
    assert [entry.ref for entry in read(path)] == ["Größe/déjà vu.txt"]
    path = zip_of(tmp_path / "y.zip", {"犬.txt".encode("cp932"): b"words"})  # one character: anything could be meant
    assert isinstance(read(path)[0], Noted)


def test_utf8_names_without_a_flag_need_no_guess(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", {"Grüße 数据.txt".encode(): b"words"})
    assert [entry.ref for entry in read(path)] == ["Grüße 数据.txt"]


def test_a_manifest_finds_its_files_however_their_accents_are_spelled(tmp_path: Path) -> None:
    apart, composed = unicodedata.normalize("NFD", "Grüße.txt"), unicodedata.normalize("NFC", "Grüße.txt")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(apart, "words")
        archive.writestr("Manifest.JSONL", json.dumps({"ref": "one", "path": composed}))
        archive.writestr("manifest.csv", "ref,text\nother,x\n")
    note, found = read(tmp_path / "x.zip")
    assert isinstance(note, Noted)
    assert note.reason == "manifest-second"
    assert "'manifest.csv' is passed over" in note.detail
    assert isinstance(found, Found)
    assert (found.ref, found.name) == ("one", composed)


@pytest.mark.parametrize("name", ["[Content_Types].xml", "META-INF/manifest.xml", "Index/Document.iwa"])
def test_a_spreadsheet_is_no_archive(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "x.xlsx", "w") as archive:
        archive.writestr(name, "<x/>")
    with pytest.raises(Problem) as caught:
        read(tmp_path / "x.xlsx")
    assert caught.value.code == "zip-office"


def test_an_archive_with_a_program_before_it_or_a_broken_manifest_is_told_as_what_it_is(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("manifest.csv", "ref,text\na,b\n")
    plain = (tmp_path / "x.zip").read_bytes()
    (tmp_path / "self.zip").write_bytes(b"MZ" + bytes(500) + plain)
    assert [entry.ref for entry in read(tmp_path / "self.zip")] == ["a"]
    (tmp_path / "broken.zip").write_bytes(plain.replace(b"a,b\n", b"a,c\n"))
    with pytest.raises(Problem) as caught:
        read(tmp_path / "broken.zip")
    assert caught.value.code == "zip-entry-broken"


@pytest.mark.parametrize(
    "name", ["Screenshot 3.14.15\u202fPM.png", "a\u00a0b.png", "👩\u200d🔧.png", "\u200fעברית.png"]
)
def test_names_with_marks_and_spaces_of_any_script_are_taken(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(name, struct.pack("<I", 1))
    [found] = read(tmp_path / "x.zip")
    assert isinstance(found, Found)
    assert found.ref == name
