"""`cupola refine scan`, `fit` and `dedup` on files: figures, samples, and what could not be read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from cupola.app.cli import app
from cupola.corpus import refine, rules
from cupola.corpus.engine.units import Columns, Documents
from cupola.corpus.streams import suffix
from cupola.kernel.errors import Problem
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


def test_a_scan_says_what_each_rule_takes_with_samples_and_warns_of_one_that_takes_most(tmp_path: Path) -> None:
    rows = [{"id": f"{n}", "text": f"{PROSE} w{n} rosa{n}@example.org"} for n in range(3)]
    rows += [{"id": f"short{n}", "text": f"only {n} words"} for n in range(5)]
    path = write(tmp_path / "some.jsonl", rows)
    look = refine.scan(Documents([path], Columns()), [rules.load("gopher")])
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
    assert (told["read"], told["kept"], told["rules"]) == (4, 1, {"exact-duplicate": 1, "near-duplicate": 2})
    with path.open("ab") as file:
        file.write(b"{\n")
    assert run("refine", "scan", path) == 1
    assert "c.jsonl at byte" in capsys.readouterr().err.replace("\n", "")
    with pytest.raises(Problem, match="another run"):
        run("refine", "dedup", path, "--out", tmp_path / "o")
    with pytest.raises(Problem, match="no file"):
        run("refine", "scan", tmp_path / "absent.jsonl")
