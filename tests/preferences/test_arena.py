"""Boards of models: against another implementation, against what was planted, and on files as people have them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from cupola.kernel.errors import Problem
from cupola.preferences import cli, davidson, style
from cupola.preferences.board import ELO, board, boards
from cupola.preferences.votes import Votes, read, said

MODELS = 6


def drawn(
    seed: int, votes: int = 1500, *, tie: float = 0.0, effect: float = 0.0, first: float = 0.0
) -> tuple[davidson.Table, np.ndarray]:
    """Votes drawn from Davidson's model with one covariate, and the strengths that made them."""
    rng = np.random.default_rng(seed)
    strength = rng.normal(0, 0.8, MODELS)
    strength -= strength.mean()
    a = rng.integers(0, MODELS, votes)
    b = (a + rng.integers(1, MODELS, votes)) % MODELS
    look = rng.normal(size=(votes, 1))
    lead = strength[a] - strength[b] + effect * look[:, 0] + first
    parts = np.stack([np.exp(lead / 2), np.exp(-lead / 2), np.full(votes, tie)], axis=1)
    upto = (parts / parts.sum(axis=1, keepdims=True)).cumsum(axis=1)
    outcome = (rng.random((votes, 1)) > upto).sum(axis=1)
    covariate = np.concatenate([look, np.ones((votes, 1))], axis=1) if effect or first else None
    return davidson.table(a, b, outcome, MODELS, covariate), strength


def test_without_ties_it_is_bradley_terry_as_choix_fits_it() -> None:
    choix = pytest.importorskip("choix")
    votes, _ = drawn(1)
    wins = [(a, b) if won == 0 else (b, a) for a, b, won in zip(votes.first, votes.second, votes.outcome, strict=True)]
    expected = choix.ilsr_pairwise(MODELS, wins, alpha=0)
    for rows in (votes, davidson.gathered(votes)):
        assert np.abs(davidson.fit(rows).strength - expected).max() < 1e-4


def test_ties_as_half_are_half_a_win_for_each() -> None:
    choix = pytest.importorskip("choix")
    votes, _ = drawn(2, tie=0.7)
    wins = np.zeros((MODELS, MODELS))
    for a, b, won in zip(votes.first, votes.second, votes.outcome, strict=True):
        wins[a, b] += (1.0, 0.0, 0.5)[won]
        wins[b, a] += (0.0, 1.0, 0.5)[won]
    expected = choix.ilsr_pairwise_dense(wins, alpha=0)
    assert np.abs(davidson.fit(votes, ties="half").strength - expected).max() < 1e-4


def test_what_made_the_votes_is_found_again_ties_style_and_order() -> None:
    votes, strength = drawn(3, 20_000, tie=0.8, effect=0.5, first=0.2)
    found = davidson.fit(votes)
    assert found.converged
    assert np.abs(found.strength - strength).max() < 0.1
    assert found.effect == pytest.approx([0.5, 0.2], abs=0.07)
    assert found.tie == pytest.approx(0.8, abs=0.07)


def test_intervals_cover_as_often_as_they_say() -> None:
    hit, told = 0, 0
    for seed in range(120):
        votes, strength = drawn(seed, 600, tie=0.5)
        rows = davidson.gathered(votes)
        found = davidson.fit(rows)
        error = np.sqrt(np.diag(davidson.covariance(rows, found)))
        hit += int((np.abs(found.strength - strength) <= 1.96 * error).sum())
        told += MODELS
    assert 0.93 <= hit / told <= 0.97  # 720 intervals


def test_the_bootstrap_and_the_sandwich_say_alike() -> None:
    votes, _ = drawn(5, 3000, tie=0.5)
    rows = davidson.gathered(votes)
    found = davidson.fit(rows)
    spread = davidson.bootstrap(rows, found, draws=200, seed=0)[:, :MODELS].std(axis=0)
    assert spread == pytest.approx(np.sqrt(np.diag(davidson.covariance(rows, found))), rel=0.2)


def test_votes_that_hang_together_widen_the_intervals() -> None:
    votes, _ = drawn(6, 500)
    again = np.repeat(np.arange(500), 4)  # everybody says everything four times
    four = davidson.table(votes.first[again], votes.second[again], votes.outcome[again], MODELS)
    found = davidson.fit(four)
    naive = np.diag(davidson.covariance(four, found))
    honest = np.diag(davidson.covariance(four, found, again))
    assert honest / naive == pytest.approx(np.full(MODELS, 4.0), rel=0.05)


def made(rows: list[tuple[str, str, int]]) -> Votes:
    names = sorted({row[0] for row in rows} | {row[1] for row in rows})
    columns = [np.array([names.index(row[place]) for row in rows]) for place in (0, 1)]
    return Votes(names, columns[0], columns[1], np.array([row[2] for row in rows]), None, None, {})


def test_who_never_lost_has_a_place_and_no_interval() -> None:
    found = board(made([("a", "b", 0), ("b", "a", 0), ("c", "a", 0), ("c", "b", 0)] * 5))
    best = found.standings[0]
    assert (best.model, best.low, best.high) == ("c", None, None)
    assert any(note.startswith("c: won or lost everything") for note in found.notes)
    assert found.standings[1].low is not None
    assert found.standings[1].score == pytest.approx(1000 + ELO * found.standings[1].strength)


def test_models_that_never_met_are_refused_by_name() -> None:
    with pytest.raises(Problem) as raised:
        board(made([("a", "b", 0), ("b", "a", 0), ("c", "d", 1)]))
    assert raised.value.code == "models-never-compared"
    assert "a, b; c, d" in raised.value.detail


def test_places_are_as_sure_as_differences_are() -> None:
    close = board(made([("a", "b", 0), ("a", "b", 1), ("a", "b", 0)] * 3))
    assert {(one.best, one.worst) for one in close.standings} == {(1, 2)}
    clear = board(made([("a", "b", 0)] * 60 + [("a", "b", 1)] * 10))
    assert [(one.best, one.worst) for one in clear.standings] == [(1, 1), (2, 2)]


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("model_a", 0),
        ("B", 1),
        ("tie (bothbad)", 2),
        (1, 0),
        ("2.0", None),
        (2.0, 1),
        ("left", 0),
        (True, None),
        ("gpt", 0),
    ],
)
def test_words_of_votes(word: object, outcome: int | None) -> None:
    assert said(word, ("gpt", "claude")) == outcome


def test_style_counts_outside_code_and_is_blind_to_the_side() -> None:
    text = "# Title\n\n- **one**\n- two\n\n```\n# not a header\n- no list\n```\n"
    assert {name: of(text) for name, of in style.FEATURES.items()} == {
        "length": 8,
        "headers": 1,
        "bold": 1,
        "lists": 2,
    }
    assert style.length("你好 world") == 3
    assert (style.contrast([3, 0], [1, 0]) == -style.contrast([1, 0], [3, 0])).all()
    assert style.contrast([float("nan"), 2], [1, 1])[0] == 0


def test_votes_come_as_csv_jsonl_and_parquet_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    rows = [
        {"model_a": "x", "model_b": "y", "winner": ["model_a", "model_b", "tie"][int(rng.integers(3))],
         "language": "de" if n % 2 else "en", "response_a": "long " * 9, "response_b": "short"}
        for n in range(120)
    ]  # fmt: skip
    (tmp_path / "votes.jsonl").write_text("\n".join(map(json.dumps, rows)))
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "votes.parquet")
    text = "\n".join(",".join(map(str, row.values())) for row in rows)
    (tmp_path / "votes.csv").write_text(",".join(rows[0]) + "\n" + text)
    told = []
    for name in ("votes.jsonl", "votes.parquet", "votes.csv"):
        assert cli.fit_command(tmp_path / name, slice_by="language", json_out=True) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[0] == told[1] == told[2]
    assert set(told[0]["slices"]) == {"de", "en"}
    assert cli.fit_command(tmp_path / "votes.csv", style_="length") == 0
    assert "120 votes" in capsys.readouterr().out


def test_rows_that_say_nothing_are_told_with_their_place_and_the_others_count(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    good = ['{"model_a": "x", "model_b": "y", "winner": "a"}', '{"left": "x", "right": "y", "winner": "y"}',
            '{"winner": "x", "loser": "y"}']  # fmt: skip
    bad = ['{"model_a": "x", "model_b": "x", "winner": "a"}', '{"model_a": "x", "model_b": "y", "winner": "z"}',
           "[1]", "{", '{"model_a": "x"}', '{"model_a": " ", "model_b": "y", "winner": "a"}']  # fmt: skip
    path.write_text("\n".join([*good, *bad]))
    found = read(path)
    assert found.outcome.tolist() == [0, 1, 0]
    assert [one.place for one in found.refused] == [f"votes.jsonl:{n}" for n in range(4, 10)]
    path.write_text("\n".join(bad))
    with pytest.raises(Problem) as raised:
        read(path)
    assert "votes.jsonl:1" in raised.value.detail


def test_slices_with_too_little_are_named_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("model_a,model_b,winner,of\n" + "x,y,a,one\nx,y,b,one\n" * 20 + "x,y,a,two\n")
    found, left = boards(read(path, slice_by="of"))
    assert list(found) == ["one"]
    assert left == {"two": "1 votes; a board needs 30"}
