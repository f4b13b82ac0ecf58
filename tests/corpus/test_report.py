"""A report is one file that needs no network; what the rules saw is marked, and no text can end its script."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupola.app.cli import app
from cupola.corpus import recipe
from cupola.corpus.report.gather import gather
from cupola.corpus.report.reasons import REASONS, differences, pieces, reasons
from cupola.corpus.rules import SIGNALS
from cupola.kernel.errors import Problem
from tests.corpus.engine.helping import polluted, refine, write


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    rows = polluted(140)
    rows.insert(0, {"id": "evil", "text": "</script><script>alert(1)</script> <!-- short", "source": "s1"})
    refine([write(folder / "a.jsonl", rows)], folder / "run", recipe.load("web"))
    return folder / "run"


def told(text: str) -> Any:
    found = re.search(r"^const R=(.*);$", text, re.M)
    assert found is not None
    return json.loads(found.group(1))


def test_it_says_what_went_with_samples_and_groups_and_scores(run: Path) -> None:
    labels = {row["id"]: len(row["text"]) > 200 for row in polluted(140)}
    found = gather(run, labels=labels)
    assert (found.read, found.wrong) == (141, [])
    assert sum(sum(rule.taken) for rule in found.rules) == found.read - found.kept
    copy = next(rule for rule in found.rules if rule.name == "near-duplicate").samples[0]
    assert "".join(text for text, _ in copy.text) != "".join(text for text, _ in copy.kept)
    assert 0 < sum(marked for _, marked in copy.text) < len(copy.text)
    assert found.clusters[0].copies == max(one.copies for one in found.clusters)
    short = next(one for one in found.histograms if one.rule == "gopher/too-few-words")
    assert len(short.values) == found.sampled == len(found.labels) == 141
    assert sum(value is not None and value < 50 for value in short.values) > 10
    assert found.labels.count(1) == sum(labels.values())
    assert found.residual is None, "nobody has judged what is left"
    assert gather(run, sample=40).sampled < 100


def test_the_page_needs_no_network_and_no_text_ends_its_script(run: Path, tmp_path: Path) -> None:
    assert app(["refine", "report", str(run), "--out", str(tmp_path / "r.html")], result_action="return_value") is None
    text = (tmp_path / "r.html").read_text("utf-8")
    assert text.count("</script>") == 1
    assert told(text)["read"] == 141
    assert "evil" in text
    outside = re.sub(r"^const R=.*;$", "", text, flags=re.M).replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|src=|@import|url\(", outside)
    assert "default-src 'none'" in text


def test_every_sentence_of_the_page_has_its_chinese() -> None:
    template = Path(__file__).parents[2].joinpath("src/cupola/corpus/report/page.html").read_text("utf-8")
    words = json.loads(re.search(r"^const ZH=(.*);$", template, re.M).group(1))  # type: ignore[union-attr]
    said = set(re.findall(r'\bt\("([^"]+)"\)', template))
    assert said
    assert not said - set(words)


def test_a_report_of_what_is_no_run_or_whose_input_is_gone_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no finished run"):
        gather(tmp_path)
    path = run.parent / "a.jsonl"
    path.rename(run.parent / "b.jsonl")
    try:
        with pytest.raises(Problem, match="Nothing can be read"):
            gather(run)
    finally:
        (run.parent / "b.jsonl").rename(path)


@given(st.text(max_size=120), st.sampled_from(sorted(REASONS)), st.text(max_size=60))
@settings(max_examples=60)
def test_pieces_make_the_text_again(text: str, signal: str, other: str) -> None:
    assert "".join(piece for piece, _ in pieces(text, reasons(signal, text))) == text
    left, right = differences(text, other)
    assert ("".join(one for one, _ in left), "".join(one for one, _ in right)) == (text, other)
    assert signal in SIGNALS
