"""A ledger answers why a document went, what another recipe does otherwise, and gives back what was taken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from cupola.app.cli import app
from cupola.corpus import recipe
from cupola.corpus.engine import guards, ledger
from cupola.corpus.engine.guards import Stop, stops
from cupola.corpus.engine.judge import Judged
from cupola.kernel.errors import Problem
from tests.corpus.engine.helping import ledger as rows_of
from tests.corpus.engine.helping import polluted, read, refine, write


@pytest.fixture
def run(tmp_path: Path) -> Path:
    rows = polluted(140)
    paths = [write(tmp_path / name, rows[n::2]) for n, name in enumerate(("a.jsonl.gz", "b.parquet"))]
    refine(paths, tmp_path / "run")
    return tmp_path / "run"


def ask(*arguments: object) -> Any:
    return app(["refine", *map(str, arguments)], result_action="return_value")


def test_explain_names_the_rule_the_score_and_the_keeper(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    removals = rows_of(run)
    copy = next(row for row in removals if row["rule"] == "near-duplicate")
    found = ledger.explain(run, copy["id"])
    assert found["removals"] == [copy]
    keeper = ledger.explain(run, copy["keeper"])
    assert keeper["documents"][0]["removed_by"] is None
    assert copy["id"] in {one["id"] for one in keeper["keeps"]}
    assert keeper["kept_for"] == sum(row["keeper"] == copy["keeper"] for row in removals)
    short = next(row for row in removals if row["rule"] == "gopher/too-few-words")
    assert short["score"] < short["threshold"] == 50
    ask("explain", run, copy["id"])
    said = capsys.readouterr().out
    assert copy["keeper"] in said
    assert f"{copy['similarity']:.4g}" in said
    ask("explain", run, short["id"], "--json")
    assert json.loads(capsys.readouterr().out)["removals"][0]["rule"] == "gopher/too-few-words"
    with pytest.raises(Problem, match="read no document"):
        ledger.explain(run, "nobody")


def test_what_a_rule_took_is_given_back_as_it_stood(run: Path, tmp_path: Path) -> None:
    rows = {row["id"]: row for row in polluted(140)}
    for n, (asked, is_of) in enumerate((
        ({"rule": "gopher"}, lambda row: row["rule"].startswith("gopher/")),
        ({"rule": "near-duplicate", "source": "s1"},
         lambda row: (row["rule"], row["source"]) == ("near-duplicate", "s1")),
        ({"id_": rows_of(run)[0]["id"]}, lambda row: row["id"] == rows_of(run)[0]["id"]),
    )):  # fmt: skip
        wanted = {row["id"] for row in rows_of(run) if is_of(row)}
        assert wanted
        out = tmp_path / f"back{n}"
        assert ledger.restore(run, out, **asked) == len(wanted)
        back = [row for path in sorted(out.iterdir()) for row in read(path)]
        assert sorted(back, key=lambda row: row["id"]) == [rows[id_] for id_ in sorted(wanted)]
    with pytest.raises(Problem, match="Say what"):
        ledger.restore(run, tmp_path / "none")


def test_two_runs_are_compared_by_document(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path / "a.jsonl.gz", tmp_path / "b.parquet"]
    refine(paths, tmp_path / "copies", recipe.load("copies"))
    found = ledger.diff(run, tmp_path / "copies")
    gone, others = ({row["id"]: row["rule"] for row in rows_of(one)} for one in (run, tmp_path / "copies"))
    assert sum(found.only_first.values()) == len(set(gone) - set(others)) > 0
    assert sum(found.only_second.values()) == len(set(others) - set(gone))
    assert sum(found.other_rule.values()) == sum(gone[one] != others[one] for one in set(gone) & set(others))
    assert (found.unread_first, found.unread_second) == (0, 0)
    refine(paths[:1], tmp_path / "half", recipe.load("copies"))
    assert ledger.diff(run, tmp_path / "half").unread_second == 70
    ask("diff", run, tmp_path / "copies")
    assert "gopher/too-few-words" in capsys.readouterr().out


def test_whoever_alters_the_outcome_is_found_out(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ledger.verify(run) == []
    assert ask("verify", run) == 0
    manifest = ledger.manifest_of(run)
    assert manifest.chain[-1].chain in capsys.readouterr().out.replace("\n", "")
    path = run / manifest.chain[0].path
    whole = path.read_bytes()
    table = parquet.read_table(path)
    parquet.write_table(table.slice(1), path)
    assert ask("verify", run) == 1
    assert "altered" in capsys.readouterr().err
    path.unlink()
    assert "absent" in ledger.verify(run)[0]
    path.write_bytes(whole)
    # who mends the checksum of a part too breaks the chain, and who mends that has another last link
    text = (run / "manifest.json").read_text()
    (run / "manifest.json").write_text(text.replace(manifest.chain[0].chain, "0" * 64))
    assert ledger.verify(run) == ["the chain of the ledger does not hold"]
    (run / "manifest.json").write_text(text.replace(f'"kept": {manifest.kept}', f'"kept": {manifest.kept + 1}'))
    assert "were read" in ledger.verify(run)[0]
    with pytest.raises(Problem, match="no finished run"):
        ledger.verify(run.parent)


def judged(read: dict[str, int], taken: dict[str, int]) -> Judged:
    return Judged(0, read, {}, {source: {"r": times} for source, times in taken.items()}, {}, 0, [], 0, "")


def test_a_rule_that_takes_most_of_a_source_or_far_more_than_of_its_peers_stops_the_run() -> None:
    assert stops([judged({"a": 100}, {"a": 50})]) == []
    assert stops([judged({"a": 60}, {"a": 31}), judged({"a": 40}, {"a": 20})]) == [Stop("r", "a", 51, 100)]
    assert stops([judged({"a": 49}, {"a": 49})]) == [], "too few to say"
    even = {f"s{n}": 1000 for n in range(7)}
    assert stops([judged(even, dict.fromkeys(even, 20))]) == []
    odd = stops([judged(even, {**dict.fromkeys(even, 20), "s3": 200})])
    assert [(one.source, one.taken) for one in odd] == [("s3", 200)]
    assert odd[0].peers == pytest.approx(0.02)
    assert stops([judged(even, {**dict.fromkeys(even, 20), "s3": 60})]) == [], "little more harms nobody"


def test_a_guard_stops_before_anything_is_written_and_the_same_command_goes_on(tmp_path: Path) -> None:
    rows = [{**row, "source": "short"} for row in polluted(420) if len(row["text"]) < 200]
    path = write(tmp_path / "a.jsonl", rows)
    out = tmp_path / "out"
    with pytest.raises(Problem, match="gopher/too-few-words@short: 81 of 81") as told:
        refine([path], out, accept=())
    assert told.value.code == "guard"
    assert not list((out / "kept").iterdir())
    before = {one: one.stat().st_mtime_ns for one in (out / "work" / "judged").iterdir()}
    assert before
    seen: dict[Path, int] = {}

    def look(progress: Any) -> None:
        if progress.stage == "judging":
            seen.update({one: one.stat().st_mtime_ns for one in (out / "work" / "judged").iterdir()})

    done = refine([path], out, accept=tuple(told.value.extra["stops"]), told=look)
    assert seen == before, "nothing was judged again"
    assert done.accepted == sorted(told.value.extra["stops"])
    assert guards.ALL not in done.accepted
