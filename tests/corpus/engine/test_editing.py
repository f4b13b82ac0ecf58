"""Texts that a recipe changes: what is kept has the new text, the ledger says what was done, the input stays."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from cupola.app.cli import app
from cupola.corpus import edits, recipe
from cupola.corpus.engine import editing, ledger
from cupola.corpus.engine.run import refused
from tests.corpus.engine.helping import kept, outcome, polluted, read, refine, write
from tests.corpus.engine.helping import ledger as rows_of
from tests.corpus.test_edits import page
from tests.corpus.test_rules import PROSE

FOOT = "This line stands at the foot of every page of the site, and says the same.\n"


def loaded(**settings: Any) -> recipe.Loaded:
    plain = recipe.load("copies")
    return msgspec.structs.replace(plain, recipe=msgspec.structs.replace(plain.recipe, **settings))


EVERYTHING = loaded(edits=(edits.Boilerplate(), edits.Lines(noise=True)), repeated=recipe.Repeated(runs=15),
                    personal="mask")  # fmt: skip


def corpus(n: int) -> list[dict[str, Any]]:
    rows = polluted(n)
    for number, row in enumerate(rows):
        row["text"] = f"Home\nAbout us\n{row['text']}\n{FOOT}© 2020 Site. All rights reserved.\n"
        if number % 9 == 0:
            row["text"] = "Home\nLogin\n12,345\n"
    return rows


def test_what_is_kept_has_the_new_text_and_the_ledger_says_what_was_taken_out(tmp_path: Path) -> None:
    rows = {row["id"]: row for row in corpus(60)}
    paths = [write(tmp_path / name, list(rows.values())[n::3]) for n, name in
             enumerate(("a.jsonl", "b.parquet", "c.jsonl.gz"))]  # fmt: skip
    done = refine(paths, tmp_path / "out", EVERYTHING)
    assert done.read == done.kept + done.removed == 60
    gone = {row["id"] for row in rows_of(tmp_path / "out") if row["rule"] == "edits/nothing-left"}
    assert gone >= {id_ for n, id_ in enumerate(rows) if n % 9 == 0}, "and copies of which nothing is their own"
    assert done.edits["boilerplate"] == 60
    stays = {row["id"]: row for row in kept(tmp_path / "out")}
    assert sum(FOOT in row["text"] for row in stays.values()) <= 1
    for id_, row in stays.items():
        assert "Home" not in row["text"]
        assert "rights reserved" not in row["text"]
        assert {**row, "text": ""} == {**rows[id_], "text": ""}, "nothing else is changed"
    told = [one for one in rows_of(tmp_path / "out", "edits") if one["edit"] == "boilerplate" and one["id"] in stays]
    for one in told:
        text = rows[one["id"]]["text"]
        assert one["bytes_before"] == len(text.encode())
        first = one["cuts"][0]
        assert text[first["start"] : first["end"]].startswith("Home")
    assert "repeated-lines" in done.edits
    assert "repeated-runs" in done.edits
    said = ledger.explain(tmp_path / "out", next(iter(stays)))
    assert {one["edit"] for one in said["edits"]} >= {"boilerplate"}
    assert ledger.verify(tmp_path / "out") == []
    assert ledger.restore(tmp_path / "out", tmp_path / "back", rule="edits") == len(gone)
    back = [row for path in (tmp_path / "back").iterdir() for row in read(path)]
    assert all(row == rows[row["id"]] for row in back), "it comes back as it stood in the input"
    for partitions, memory in ((3, 4 << 30), (1, 1)):
        again = tmp_path / f"again{partitions}"
        refine(list(reversed(paths)), again, EVERYTHING, partitions=partitions, memory_bytes=memory)
        assert outcome(again) == outcome(tmp_path / "out")


def test_a_page_that_breaks_a_parser_is_told_and_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: edits.Boilerplate, text: str) -> edits.Edited | None:
        raise RecursionError("too deep")

    monkeypatch.setattr(edits.Boilerplate, "apply", broken)
    path = write(tmp_path / "a.jsonl", corpus(3))
    done = refine([path], tmp_path / "out", loaded(edits=(edits.Boilerplate(),), near=None))
    assert (done.read, done.refusals) == (3, 3)
    assert "boilerplate failed: too deep" in refused(tmp_path / "out")[0].reason
    assert {row["text"] for row in kept(tmp_path / "out")} <= {row["text"] for row in corpus(3)}


def record(kind: str, body: bytes, n: int, **headers: str) -> bytes:
    lines = {"WARC-Type": kind, "WARC-Record-ID": f"<urn:uuid:{n:032x}>", "Content-Length": str(len(body)),
             "WARC-Target-URI": f"https://site{n % 2}.example/{n}", **headers}  # fmt: skip
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return b"WARC/1.0\r\n" + head.encode() + b"\r\n" + body + b"\r\n\r\n"


def crawled(n: int) -> list[bytes]:
    text = page(f"{PROSE} {' '.join(f'w{n}x{k}' for k in range(40))}")
    body = text.encode("gb18030")
    plain = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=gbk\r\n\r\n"
    packed = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=gbk\r\nContent-Encoding: gzip\r\n\r\n"
    chunks = b"HTTP/1.1 200 OK\r\nContent-Type: text/html;charset=gbk\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked = b"%x\r\n" % 100 + body[:100] + b"\r\n" + b"%x\r\n" % len(body[100:]) + body[100:] + b"\r\n0\r\n\r\n"
    sent = (plain + body, packed + gzip.compress(body), chunks + chunked)[n % 3]
    picture = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n\x89PNG"
    return [record("request", b"GET / HTTP/1.1\r\n\r\n", 3 * n), record("response", sent, 3 * n + 1),
            record("response", picture, 3 * n + 2)]  # fmt: skip


def test_articles_come_out_of_warc_files_and_a_torn_record_takes_no_other_with_it(tmp_path: Path) -> None:
    every = [one for n in range(6) for one in crawled(n)]
    (tmp_path / "plain.warc").write_bytes(b"".join(every[:9]))
    members = [gzip.compress(one) for one in every[9:]]
    broken = bytearray(members[4])
    broken[len(broken) // 2 :][:40] = b"\0" * 40
    broken[len(broken) // 2 : len(broken) // 2 + 40] = b"\0" * 40
    (tmp_path / "packed.warc.gz").write_bytes(b"".join([*members[:4], bytes(broken), *members[5:]]))
    (tmp_path / "torn.warc.gz").write_bytes(gzip.compress(b"".join(crawled(6)))[:-30])
    (tmp_path / "none.warc.gz").write_bytes(b"no archive at all")
    (tmp_path / "none.warc").write_bytes(b"nor is this one\n" * 9)
    (tmp_path / "long.html").write_bytes(page(f"A page alone. {PROSE}").encode("utf-16"))
    out = tmp_path / "out"
    done = refine([one for one in tmp_path.iterdir() if one.is_file()], out,
                  loaded(edits=(edits.Html(),), near=None), source="host")  # fmt: skip
    found = kept(out)
    assert done.read == len(found) == 6
    assert all("Menu" not in row["text"] and "rights reserved" not in row["text"] for row in found)
    assert sum(PROSE.split(".")[0] in row["text"] for row in found) == 6
    assert {row["source"] for row in rows_of(out, "documents")} >= {"site0.example", "site1.example"}
    assert {Path(one.place.split(" at ")[0]).name: one.reason for one in refused(out)}.keys() == {
        "packed.warc.gz", "torn.warc.gz", "none.warc.gz", "none.warc"}  # fmt: skip
    assert all(one.remedy for one in refused(out))


def test_lines_of_wet_files_and_their_records_are_told_apart(tmp_path: Path) -> None:
    body = f"WARC/1.0 is a format.\n\n{PROSE}\n".encode()
    (tmp_path / "a.warc").write_bytes(b"".join(record("conversion", body, n) for n in range(2)))
    done = refine([tmp_path / "a.warc"], tmp_path / "out", loaded(near=None), source="")
    assert (done.read, done.kept, done.rules) == (2, 1, {"exact-duplicate": 1})
    assert kept(tmp_path / "out")[0]["text"] == body.decode()


def test_the_memory_decides_the_passes_and_not_what_is_found(tmp_path: Path) -> None:
    keys = np.random.default_rng(1).integers(0, 1 << 62, 900, dtype=np.uint64)
    folders = []
    for n, memory in enumerate((1 << 40, 1)):
        folder = editing.Folder(tmp_path / str(n))
        folder.make()
        for unit in range(3):
            some = np.sort(keys[unit * 200 : unit * 200 + 500])
            np.save(folder.edited(unit, ".lines.npy"), np.stack((some, np.full(len(some), unit, np.uint64))))
        editing.gather(folder, "lines", 3, 1, memory)
        folders.append((folder.work / "lines.npy").read_bytes())
    assert folders[0] == folders[1]
    assert np.load(io.BytesIO(folders[0])).shape == (2, 500)


def test_a_plan_counts_what_edits_would_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "a.jsonl", corpus(30))
    (tmp_path / "r.yaml").write_text('{name: r, version: "1", edits: [{edit: boilerplate}]}')
    assert app(["refine", "plan", str(path), "--recipe", str(tmp_path / "r.yaml"), "--json"],
               result_action="return_value") == 0  # fmt: skip
    assert json.loads(capsys.readouterr().out)["edits"] == {"boilerplate": 30}
