"""A plan says from a sample what a run would take, and writes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cupola.app.cli import app
from cupola.corpus import recipe
from cupola.corpus.engine.plan import look
from cupola.corpus.engine.units import Columns
from tests.corpus.engine.helping import ledger, polluted, refine, write


def test_a_plan_that_looks_at_everything_counts_what_a_run_takes_by_rules(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    rows = polluted(140)
    paths = [write(folder / "a.jsonl.gz", rows[::2]), write(folder / "b.parquet", rows[1::2])]
    found = look(paths, recipe.load("web"), Columns(source="source"), share=1.0)
    done = refine(paths, tmp_path / "out")
    by_rule = [row for row in ledger(tmp_path / "out") if not row["rule"].endswith("-duplicate")]
    assert (found.documents, found.gone, found.share) == (140, len(by_rule), 1.0)
    assert done.removed > found.gone, "copies are known when everything is read"
    short = next(one for one in found.rules if one.rule == "gopher/too-few-words")
    assert short.documents == done.rules["gopher/too-few-words"]
    assert [len(text) > 20 and score < 50 for _, score, text in short.samples] == [True] * 3
    assert found.sources["s0"] == (47, sum(row["source"] == "s0" for row in by_rule))
    assert found.cpu_s > 0
    assert sorted(folder.iterdir()) == sorted(paths)


def test_a_plan_of_a_large_corpus_looks_at_the_beginning_of_each_unit_and_tells_of_the_whole(tmp_path: Path) -> None:
    rows = [{"id": str(n), "text": f"{n} " + "some words again and again. " * 4000} for n in range(200)]
    path = write(tmp_path / "a.jsonl", rows)
    found = look([path], recipe.load("web"), Columns())
    assert 0 < found.documents < 120
    assert found.share == pytest.approx(found.documents / 200, rel=0.1)
    assert found.disk_bytes == pytest.approx(path.stat().st_size, rel=0.1)


def test_the_command_shows_where_a_guard_would_stop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "a.jsonl", [{"text": f"only {n} words"} for n in range(60)])
    arguments = ["refine", "plan", str(path), "--preset", "web"]
    assert app(arguments, result_action="return_value") == 0
    told = capsys.readouterr()
    assert "60 of 60" in told.err
    assert "too-few-words" in told.out
    app([*arguments, "--json"], result_action="return_value")
    assert json.loads(capsys.readouterr().out)["gone"] == 60
