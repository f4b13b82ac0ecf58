"""`cupola quality …` on files, as a data scientist would run it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest
from rich.console import Console

from cupola.quality import terminal
from cupola.quality.choose import choose
from cupola.quality.cli import main
from cupola.quality.simulate import World, simulate


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert main(["simulate", str(tmp_path), "--tasks", "400", "--seed", "3"]) == 0
    return tmp_path


def test_aggregate_writes_labels_with_confidence(folder: Path) -> None:
    out = folder / "out.csv"
    code = main(["aggregate", f"{folder}/labels.csv", "--gold", f"{folder}/truth.csv", "--out", str(out)])
    assert code == 0
    table = pa_csv.read_csv(out)
    assert table.column_names == ["task", "label", "confidence", "judgements"]
    assert table.num_rows == 400
    truth = pa_csv.read_csv(folder / "truth.csv")
    assert table["label"].to_pylist() == truth["label"].to_pylist()  # every task was gold


def test_aggregate_without_gold_is_mostly_right_and_says_how_sure(folder: Path) -> None:
    out = folder / "out.parquet"
    workers = folder / "workers_out.csv"
    assert main(["aggregate", f"{folder}/labels.csv", "--out", str(out), "--workers", str(workers)]) == 0
    table = pa.parquet.read_table(out)
    truth = pa_csv.read_csv(folder / "truth.csv")["label"].to_pylist()
    right = sum(a == b for a, b in zip(table["label"].to_pylist(), truth, strict=True)) / 400
    claimed = sum(table["confidence"].to_pylist()) / 400
    assert right > 0.8
    assert abs(claimed - right) < 0.12
    assert "skill_estimate" in pa_csv.read_csv(workers).column_names


def test_agreement_prints_json_with_intervals(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["agreement", f"{folder}/labels.csv", "--gold", f"{folder}/truth.csv", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    alpha = figures["alpha (nominal)"]
    assert alpha["low"] < alpha["value"] < alpha["high"]
    assert 0 < figures["repeat rate r"]["value"] < 1


def test_compare_scores_every_method_and_draws_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = folder / "compare.svg"
    code = main(["compare", f"{folder}/labels.csv", "--gold", f"{folder}/truth.csv", "--picture", str(picture)])
    assert code == 0
    shown = capsys.readouterr().out
    for name in ("majority", "dawid_skene", "blend", "glad"):
        assert name in shown
    assert "auto takes" in shown
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")


def test_plan_speaks_of_judgements_experts_and_the_audit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "1000", "0.95", "--pilot", f"{folder}/labels.csv"]) == 0
    shown = capsys.readouterr().out
    assert "judgements" in shown
    assert "expert answers" in shown
    assert "audited items" in shown or "no audit" in shown


def test_an_audit_from_draw_to_check_and_a_forged_label(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels, plan, findings = folder / "frozen.csv", folder / "plan.json", folder / "findings.json"
    certificate, html = folder / "certificate.json", folder / "certificate.html"
    assert main(["aggregate", f"{folder}/labels.csv", "--out", str(labels)]) == 0
    draw = ["audit", "draw", str(labels), "--seed", "s", "--out", str(plan), "--n", "150", "--target", "0.8"]
    assert main(draw) == 0
    assert main(["audit", "judge", str(plan), f"{folder}/truth.csv", str(labels), "--out", str(findings)]) == 0
    report = ["audit", "report", str(plan), str(findings), str(labels), "--out", str(certificate)]
    assert main([*report, "--html", str(html)]) == 0
    assert "confidence" in capsys.readouterr().out
    assert main(["audit", "check", str(certificate), str(labels)]) == 0
    assert html.read_text().startswith("<!doctype html>")

    rows = labels.read_text().splitlines()
    first = rows[1].split(",")
    rows[1] = ",".join([first[0], str((int(first[1]) + 1) % 4), *first[2:]])
    labels.write_text("\n".join(rows) + "\n")
    assert main(["audit", "check", str(certificate), str(labels)]) == 2
    assert "labels_sha256" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("task,worker,label\n", "no judgements"),
        ("a,b,c\n1,2,3\n", "No column for the task"),
        ("task,worker,label\n1,x,cat\n1,x,dog\n", "Rows 0 and 1"),
        ("task,worker,label\n1,x,cat\n2,,dog\n3,x,\n", "empty in row"),
    ],
)
def test_a_bad_file_is_refused_with_what_to_do(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    assert main(["aggregate", str(path), "--out", str(tmp_path / "out.csv")]) == 2
    assert said in capsys.readouterr().err


def test_a_bar_is_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def shown(*, tty: bool, quiet: bool) -> str:
        written = io.StringIO()
        monkeypatch.setattr(terminal, "err", Console(file=written, force_terminal=tty, width=80))
        with terminal.bar("fitting", quiet=quiet) as told:
            told(1, 2, "blend")
        return written.getvalue()

    assert "blend" in shown(tty=True, quiet=False)
    assert shown(tty=False, quiet=False) == ""
    assert shown(tty=True, quiet=True) == ""


def test_every_command_that_has_figures_gives_them_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels, gold = str(folder / "labels.csv"), str(folder / "truth.csv")
    asked = {
        "aggregate": [labels, "--out", str(folder / "settled.csv")],
        "agreement": [labels, "--gold", gold],
        "compare": [labels, "--gold", gold],
        "plan": ["500", "0.95"],
        "simulate": [str(folder / "drawn"), "--tasks", "50"],
    }
    found = {}
    for command, arguments in asked.items():
        capsys.readouterr()
        assert main([command, *arguments, "--json"]) == 0
        said = capsys.readouterr()
        found[command] = json.loads(said.out)
        assert said.err == ""
    assert found["aggregate"]["tasks"] == len(read(labels))
    assert found["compare"]["auto"] in {one["method"] for one in found["compare"]["methods"]}
    assert found["plan"]["judgements"]["low"] <= found["plan"]["judgements"]["high"]
    assert found["simulate"]["tasks"] == 50


def read(labels: str) -> set[str]:
    """The tasks of a file of judgements."""
    return {line.split(",")[0].strip('"') for line in Path(labels).read_text().splitlines()[1:]}


def test_long_work_tells_every_step_it_makes() -> None:
    steps: list[tuple[int, int, str]] = []
    drawn = simulate(World(tasks=200), 0)
    choose(drawn.crowd, drawn.truth, told=lambda done, total, what: steps.append((done, total, what)))
    assert [done for done, _, _ in steps] == list(range(len(steps)))
    assert {total for _, total, _ in steps} == {len(steps)}
    assert {"blend", "majority"} <= {what for _, _, what in steps}


def test_a_file_that_cannot_be_written_is_refused_before_the_work(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["aggregate", str(folder / "absent.csv"), "--out", str(folder / "out.xlsx")]) == 2
    assert "out.xlsx" in capsys.readouterr().err


def test_nothing_is_foretold_from_a_pilot_in_which_nobody_can_be_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "\n".join(f"t{n},only,{'ab'[n % 2]}" for n in range(50))
    (tmp_path / "pilot.csv").write_text(f"task,worker,label\n{rows}\n")
    assert main(["plan", "1000", "0.95", "--pilot", str(tmp_path / "pilot.csv")]) == 2
    assert "judged twice" in capsys.readouterr().err


def test_agreement_takes_numbers_as_numbers_and_asks_for_the_order_of_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("a", 1, 1), ("b", 1, 2), ("c", 100, 100), ("d", 5, 10)]
    lines = [f"{task},{who},{value}" for task, *said in rows for who, value in zip("vw", said, strict=True)]
    (tmp_path / "numbers.csv").write_text("\n".join(["task,worker,label", *lines]) + "\n")
    assert main(["agreement", str(tmp_path / "numbers.csv"), "--level", "interval", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["alpha (interval)"]["value"] > 0.99
    words = {"1": "low", "2": "middle", "5": "middle", "10": "high", "100": "high"}
    named = [",".join([*line.split(",")[:2], words[line.split(",")[2]]]) for line in lines]
    (tmp_path / "words.csv").write_text("\n".join(["task,worker,label", *named]) + "\n")
    assert main(["agreement", str(tmp_path / "words.csv"), "--level", "ordinal"]) == 2
    assert "--order" in capsys.readouterr().err
    found = {}
    for order in ("low,middle,high", "high,low,middle"):
        assert main(["agreement", str(tmp_path / "words.csv"), "--level", "ordinal", "--order", order, "--json"]) == 0
        found[order] = json.loads(capsys.readouterr().out)["alpha (ordinal)"]["value"]
    assert found["low,middle,high"] > found["high,low,middle"]
