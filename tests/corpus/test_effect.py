"""The effect of a run is measured on text that no model has seen, and never told without an interval."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cupola.app.cli import app
from cupola.corpus import effect, recipe
from cupola.kernel.errors import Problem
from tests.corpus.engine.helping import refine, write
from tests.corpus.test_rules import PROSE

WORDS = sorted(set(PROSE.split()))


def prose(n: int, seed: int) -> list[str]:
    """Documents in which each word tells something of the next one: there is something to learn."""
    random = np.random.default_rng(seed)
    out = []
    for _ in range(n):
        at, words = int(random.integers(len(WORDS))), []
        for _ in range(120):
            words.append(WORDS[at])
            at = (at * 7 + int(random.integers(4))) % len(WORDS)
        out.append("the and " + " ".join(words))
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("effect")
    good = [{"id": f"g{n}", "text": text} for n, text in enumerate(prose(260, 1))]
    noise = np.random.default_rng(3)
    bad = [{"id": f"b{n}", "text": "# " * 20 + " ".join(noise.bytes(40).hex()[k : k + 5] for k in range(0, 75, 5)) * 8}
           for n in range(60)]  # fmt: skip
    (folder / "rules.yaml").write_text(
        'name: mine\nversion: "1"\nrules: [{rule: hashes, signal: hashes_a_word, most: 0.05}]\n'
    )
    (folder / "recipe.yaml").write_text('name: mine\nversion: "1"\nrules: [rules.yaml]\nnear: null\n')
    asked = recipe.load(folder / "recipe.yaml")
    refine([write(folder / "a.jsonl", good + bad)], folder / "run", asked, source="")
    write(folder / "clean.jsonl", [{"text": text} for text in prose(40, 2)])
    return folder


def test_noise_costs_text_and_its_price_is_told_with_an_interval(folder: Path) -> None:
    found = effect.measure(folder / "run", held_out=[folder / "clean.jsonl"], budget=120_000, seeds=3)
    noise = found.kinds[0]
    assert 0.1 < noise.share < 0.5
    assert noise.bits > noise.kept_bits
    assert len(noise.saved) == 3
    assert noise.low is not None
    assert noise.high is not None
    assert noise.mean is not None
    assert noise.low <= noise.mean <= noise.high
    assert noise.mean > 0.05
    assert found.cleaning_s > 0
    assert found.training_s > 0
    again = effect.measure(folder / "run", held_out=[folder / "clean.jsonl"], budget=120_000, seeds=3)
    assert again.kinds == found.kinds


def test_one_seed_has_no_interval_and_too_little_text_says_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app(["refine", "effect", str(folder / "run"), "--held-out", str(folder / "clean.jsonl"), "--bytes", "90000",
         "--seeds", "1", "--json"], result_action="return_value")  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    assert (told["kinds"][0]["low"], told["evaluated_on"]) == (None, "files that were given")
    write(folder / "few.jsonl", [{"text": "a few words"}])
    with pytest.raises(Problem, match="too few"):
        effect.measure(folder / "run", held_out=[folder / "few.jsonl"])


def test_what_is_needed_lies_between_two_points_of_a_curve_or_is_not_reached() -> None:
    curve = [(100, 3.0), (400, 2.0), (1600, 1.0)]
    assert effect.needed(curve, 2.5) == pytest.approx(200)
    assert effect.needed(curve, 1.0) == pytest.approx(1600)
    assert effect.needed(curve, 3.5) == 100
    assert effect.needed(curve, 0.9) is None
