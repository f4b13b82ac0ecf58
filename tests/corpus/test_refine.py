"""`cupola refine` on files: nothing is lost, every removal names its keeper, and a torn file stops nobody."""

from __future__ import annotations

import gzip
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from cupola.app.cli import app
from cupola.corpus import refine, rules
from cupola.corpus.bytemodel import fit
from cupola.corpus.readers import Source
from cupola.corpus.streams import suffix
from cupola.kernel.errors import Problem
from tests.corpus.test_near import corpora
from tests.corpus.test_rules import PROSE


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if suffix(path) == ".parquet":
        parquet.write_table(pa.Table.from_pylist(rows), path, row_group_size=3)
        return path
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(text) if path.name.endswith(".gz") else text)
    return path


def read(path: Path) -> list[dict[str, Any]]:
    if suffix(path) == ".parquet":
        found: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
        return found
    raw = gzip.decompress(path.read_bytes()) if path.name.endswith(".gz") else path.read_bytes()
    return [json.loads(line) for line in raw.splitlines()]


def run(*arguments: object) -> Any:
    return app([str(one) for one in arguments], result_action="return_value")


@given(corpora(), st.data())
@settings(max_examples=25)
def test_kept_and_removed_are_what_was_read_however_it_lies_in_files(corpus: list[Any], data: st.DataObject) -> None:
    rows = [{"id": f"d{n:03d}", "text": text, "other": [n]} for n, (text, _) in enumerate(corpus)]
    outcomes = []
    for ways in ([".jsonl"], [".jsonl.gz", ".parquet"], [".parquet", ".jsonl", ".jsonl.gz"]):
        order = data.draw(st.permutations(rows))
        with tempfile.TemporaryDirectory() as folder:
            base = Path(folder)
            parts = [order[n :: len(ways)] for n in range(len(ways))]
            files = [
                write(base / f"{n}{way}", part) for n, (way, part) in enumerate(zip(ways, parts, strict=True)) if part
            ]
            done = refine.dedup(Source(files), base / "out")
            removals = parquet.read_table(done.removals).to_pylist()
            kept = [row for path in sorted((base / "out" / "kept").iterdir()) for row in read(path)]
            assert done.read == done.kept + done.exact + done.near == len(rows)
            assert sorted([*kept, *(rows[int(one["id"][1:])] for one in removals)], key=lambda r: r["id"]) == rows
            assert {one["keeper"] for one in removals} <= {row["id"] for row in kept}
            for one in removals:
                assert order.index(rows[int(one["id"][1:])]) == parts_place(one, files, len(ways))
                assert one["similarity"] >= one["threshold"]
            assert not list((base / "out").glob(".texts*"))
            outcomes.append({(one["id"], one["keeper"], one["rule"], one["similarity"]) for one in removals})
    assert outcomes[0] == outcomes[1] == outcomes[2]


def parts_place(removal: dict[str, Any], files: list[Path], ways: int) -> int:
    number = int(Path(removal["file"]).name.split(".")[0])
    return int(removal["place"]) * ways + number


def test_what_cannot_be_read_is_told_with_its_place_and_the_rest_is_read(tmp_path: Path) -> None:
    good = [{"id": str(n), "text": f"{PROSE} w{n}"} for n in range(40)]
    torn = write(tmp_path / "torn.jsonl.gz", [{"text": np.random.default_rng(n).bytes(999).hex()} for n in range(200)])
    torn.write_bytes(torn.read_bytes()[:-5000])
    half = write(tmp_path / "half.parquet", good)
    half.write_bytes(half.read_bytes()[:-50])
    write(tmp_path / "column.parquet", [{"body": "x"}])
    write(tmp_path / "null.parquet", [{"text": "first"}, {"text": None}, {"text": "third"}])
    (tmp_path / "not.jsonl.gz").write_bytes(b"no gzip")
    (tmp_path / "lines.jsonl").write_bytes(
        b'{"text": "a\\u0000b"}\n\n{"text": 3}\n{"text": "x"\n[1]\n{"id": 7}\n{"text": "half \\ud800"}\n'
        b'{"text": "caf\xe9", "id": 9}\n{"text": "' + b"long " * 200_000 + b'"}\n{"text": "last"}'
    )
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe plain \x00 text")
    (tmp_path / "empty.jsonl").write_bytes(b"")
    source = Source([tmp_path])
    batches = list(source.batches())
    ids = {id_ for batch in batches for id_ in batch.ids}
    assert {"lines.jsonl:0", "9", "lines.jsonl:6", "lines.jsonl:9", "null.parquet:0", "null.parquet:2"} <= ids
    assert sum(id_.startswith("torn") for id_ in ids) > 10
    refused = {one.place.removeprefix(f"{tmp_path}/"): one for one in source.refused}
    assert sorted(refused) == ["column.parquet", "half.parquet", "lines.jsonl:3", "lines.jsonl:4", "lines.jsonl:5",
                               "lines.jsonl:6", "not.jsonl.gz", "null.parquet:1", "torn.jsonl.gz"]  # fmt: skip
    assert all(one.reason and one.remedy for one in refused.values())
    done = refine.dedup(source, tmp_path / "out")
    assert done.read == len(ids) == done.kept + done.exact + done.near
    assert len(done.refused) == len(refused)
    kept = sum(len(read(path)) if suffix(path) != ".txt" and "lines" not in path.name else
               len(path.read_bytes().splitlines()) if "lines" in path.name else 1
               for path in (tmp_path / "out" / "kept").iterdir())  # fmt: skip
    assert kept == done.kept


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    first = write(tmp_path / "a.jsonl", [{"text": "one"}, {"text": "two"}])
    second = write(tmp_path / "b.jsonl", [{"text": "three"}])
    source = Source([second, tmp_path, first, tmp_path / "." / "a.jsonl"])
    assert source.files == [second, first]
    done = refine.dedup(source, tmp_path / "out")
    assert (done.read, done.kept) == (3, 3)
    assert [len(read(path)) for path in sorted((tmp_path / "out" / "kept").iterdir())] == [1, 2]


def test_the_model_says_who_stays_and_otherwise_the_lowest_id(tmp_path: Path) -> None:
    spoilt = PROSE.replace("e", "é", 8)
    path = write(tmp_path / "two.jsonl", [{"id": "b", "text": PROSE}, {"id": "a", "text": spoilt}])
    for name, model, keeper in (("plain", None, "a"), ("model", fit([PROSE.encode()]), "b")):
        done = refine.dedup(Source([path]), tmp_path / name, model=model)
        assert parquet.read_table(done.removals)["keeper"].to_pylist() == [keeper]


def test_a_scan_says_what_each_rule_takes_with_samples_and_warns_of_one_that_takes_most(tmp_path: Path) -> None:
    rows = [{"id": f"{n}", "text": f"{PROSE} w{n} rosa{n}@example.org"} for n in range(3)]
    rows += [{"id": f"short{n}", "text": f"only {n} words"} for n in range(5)]
    path = write(tmp_path / "some.jsonl", rows)
    look = refine.scan(Source([path]), [rules.load("gopher")])
    assert (look.documents, look.dropped, look.pii["email"], look.pii_documents) == (8, 5, 3, 3)
    short = next(one for one in look.rules if one.rule == "gopher/too-few-words")
    assert (short.dropped, short.threshold, len(short.samples)) == (5, 50, 3)
    assert short.samples[0] == ("short0", 3, "only 0 words")
    assert any("too-few-words takes 5 of 8" in warning for warning in look.warnings)


def test_the_commands_print_figures_as_json_and_say_by_their_exit_code_that_something_was_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "c.jsonl", [{"id": str(n), "text": PROSE + f" {n % 2}"} for n in range(4)])
    run("refine", "fit", path, "--out", tmp_path / "m.npz", "--json")
    assert json.loads(capsys.readouterr().out)["documents"] == 4
    items = write(tmp_path / "items.jsonl", [{"question": " ".join(PROSE.split()[30:60])}])
    more = ("--model", tmp_path / "m.npz", "--benchmark", items, "--benchmark-text", "question")
    assert run("refine", "scan", path, "--rules", "gopher", "--rules", "c4", *more, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["documents"] == 4
    assert told["leaked"] == ["0", "1", "2", "3"]
    assert {one["rule"].split("/")[0] for one in told["rules"]} == {"gopher", "c4"}
    assert run("refine", "dedup", path, "--out", tmp_path / "o", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["read"], told["kept"], told["exact"], told["near"]) == (4, 1, 1, 2)
    with path.open("ab") as file:
        file.write(b"{\n")
    assert run("refine", "scan", path) == 1
    assert "c.jsonl:5" in capsys.readouterr().err.replace("\n", "")
    with pytest.raises(Problem, match="not empty"):
        run("refine", "dedup", path, "--out", tmp_path / "o")
    with pytest.raises(Problem, match="no file"):
        run("refine", "scan", tmp_path / "absent.jsonl")
