"""What cannot be read is told with its place and a remedy, and the run goes on."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from cupola.app.cli import app
from cupola.corpus import recipe, streams
from cupola.corpus.engine.files import read_json
from cupola.corpus.engine.units import Columns, Documents
from cupola.corpus.readers import Refused
from tests.corpus.engine.helping import kept, ledger, polluted, refine, write


def refused(out: Path, folder: Path) -> dict[str, str]:
    told = read_json(out / "refused.json", list[Refused]) or []
    assert all(one.reason and one.remedy for one in told)
    return {one.place.removeprefix(f"{folder}/"): one.reason for one in told}


def noise(n: int) -> list[dict[str, Any]]:
    return [{"id": f"n{k}", "text": np.random.default_rng(k).bytes(400).hex()} for k in range(n)]


def test_what_is_torn_malformed_or_absent_is_told_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "LINE_BYTES", 20_000)
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("torn.jsonl.gz", "torn.jsonl.zst"):
        path = write(folder / name, noise(300))
        path.write_bytes(path.read_bytes()[:-60_000])
    half = write(folder / "half.parquet", polluted(40))
    half.write_bytes(half.read_bytes()[:-50])
    broken = folder / "page.parquet"
    parquet.write_table(pa.Table.from_pylist(noise(300)), broken, row_group_size=11, compression="zstd")
    raw = bytearray(broken.read_bytes())
    raw[60_000:60_400] = os.urandom(400)
    broken.write_bytes(raw)
    write(folder / "column.parquet", [{"body": "x"}])
    parquet.write_table(pa.table({"text": [1, 2]}), folder / "numbers.parquet")
    coded = pa.array(["of a dictionary", "another"]).dictionary_encode()
    parquet.write_table(pa.table({"text": coded, "id": ["coded0", "coded1"]}), folder / "coded.parquet")
    parquet.write_table(pa.table({"text": pa.array([b"caf\xe9 ", b"plain"], pa.binary())}), folder / "binary.parquet")
    write(folder / "null.parquet", [{"text": "first"}, {"text": None}, {"text": "third"}])
    (folder / "no.jsonl.gz").write_bytes(b"no gzip")
    (folder / "no.jsonl.zst").write_bytes(b"no zstd")
    (folder / "empty.jsonl").write_bytes(b"")
    (folder / "empty.parquet").write_bytes(b"")
    (folder / "empty.txt").write_bytes(b"")
    deep = b'{"text": "deep", "x": ' + b"[" * 9000 + b"]" * 9000 + b"}\n"
    (folder / "lines.jsonl").write_bytes(
        b'{"id": "nul", "text": "a\\u0000b"}\n\n{"text": 3}\n{"text": "x"\n[1]\n{"id": 7}\n'
        b'{"id": "half", "text": "half \\ud800"}\n{"text": "caf\xe9", "id": 9}\n'
        b'{"id": "long", "text": "' + b"long " * 8_000 + b'"}\n' + deep + b'{"id": "last", "text": "last"}'
    )
    (folder / "a.txt").write_bytes(b"\xff\xfe plain \x00 text")
    out = tmp_path / "out"
    done = refine([folder], out, recipe.load("copies"), source="")
    told = refused(out, folder)
    lines = (folder / "lines.jsonl").read_bytes()
    at = [lines.index(begin) for begin in (b'{"text": 3', b'{"text": "x"', b"[1]", b'{"id": 7}', b'{"id": "long"')]
    expected = {f"lines.jsonl at byte {place}" for place in at} | {
        "torn.jsonl.gz", "torn.jsonl.zst", "half.parquet", "page.parquet", "column.parquet", "numbers.parquet",
        "null.parquet row 1", "no.jsonl.gz", "no.jsonl.zst", "empty.parquet", "binary.parquet",
    }  # fmt: skip
    assert expected <= set(told), expected - set(told)
    assert "longer than" in told[f"lines.jsonl at byte {at[-1]}"]
    assert done.refusals == len(told)
    assert done.read == done.kept + done.removed == len(ledger(out, "documents"))
    ids = {row["id"] for row in ledger(out, "documents")}
    assert {"nul", "half", "9", "coded0", "coded1", "last", str(folder / "a.txt"), f"{folder}/null.parquet:2"} <= ids
    assert sum(id_.startswith("n") for id_ in ids) > 300, "what came before a tear was read"
    by_id = {row.get("id"): row for row in kept(out)}
    assert by_id["nul"]["text"] == "a\0b"


def test_a_line_that_would_fill_the_memory_is_never_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class File(io.BufferedReader):
        """Counts what is asked for at once."""

        def readline(self, size: int | None = -1, /) -> bytes:
            asked.append(size or -1)
            return super().readline(size)

    monkeypatch.setattr(streams, "LINE_BYTES", 1 << 16)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "' + b"x" * (5 << 20) + b'"}\n{"id": "after", "text": "y"}\n')
    with File(path.open("rb", buffering=0)) as file:
        assert [line for _, line in streams.lines(file)] == [None, b'{"id": "after", "text": "y"}\n']
    assert min(asked) > 0
    assert max(asked) <= 1 << 20
    source = Documents([path], Columns())
    assert [id_ for batch in source.batches() for id_ in batch.ids] == ["after"]
    assert "longer than" in source.refused[0].reason


def test_the_command_says_by_its_exit_code_that_something_was_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.jsonl", polluted(20))
    path.write_bytes(path.read_bytes() + b"{\n")
    arguments = ["refine", "run", str(path), "--out", str(tmp_path / "out"), "--preset", "copies", "--partitions", "1"]
    assert app(arguments, result_action="return_value") == 1
    assert "a.jsonl at byte" in capsys.readouterr().err.replace("\n", "")
    assert app([*arguments, "--json"], result_action="return_value") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["read"], told["refusals"], len(told["refused"])) == (20, 1, 1)
