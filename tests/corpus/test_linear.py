"""A model of labelled documents finds what is like the bad ones; its bound holds on labels that it had not seen."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from cupola.app.cli import app
from cupola.corpus import linear, recipe
from cupola.corpus.linear import Linear, learn
from cupola.corpus.profile import profile
from cupola.kernel.errors import Problem
from tests.corpus.engine.helping import PLAIN, ledger, refine, write

random = np.random.default_rng(4)
WORDS = sorted(set(PLAIN))[:40]


def sentences(words: list[str], n: int) -> list[str]:
    return [" ".join(words[k] for k in random.integers(0, len(words), 60)) for _ in range(n)]


GOOD = sentences(WORDS, 60)
SPOILT = [text.replace("th", "tb").replace("e", "c").replace("s", "5") for text in sentences(WORDS, 60)]
LABELLED = [text.encode() for text in GOOD + SPOILT]
BAD = [False] * 60 + [True] * 60


def plainly(model: Linear, text: bytes) -> float:
    """The score as the docstring has it, without kernels."""
    times: dict[int, int] = {}
    for n in (2, 3, 4):
        for at in range(len(text[: linear.LOOKED_AT]) - n + 1):
            key = int.from_bytes(text[at : at + n], "big") | n << 40
            bucket = (key * 0x9E3779B97F4A7C15 & (1 << 64) - 1) >> 64 - linear.BITS
            times[bucket] = times.get(bucket, 0) + 1
    norm = math.sqrt(sum(math.log1p(one) ** 2 for one in times.values()))
    return model.bias + sum(linear.SCALE * math.log1p(one) / norm * model.weights[at] for at, one in times.items())


def test_the_kernel_scores_as_plain_arithmetic_does_wherever_a_document_lies() -> None:
    model = learn(LABELLED, BAD).model
    texts = ["", "a", "ab", GOOD[0], "字" * 9000, *SPOILT[:3]]
    found = profile(pa.array(texts, pa.large_string()), learned=model).field("pollution").to_pylist()
    assert found == pytest.approx([plainly(model, text.encode()) - model.bound if text else model.bias - model.bound
                                   for text in texts])  # fmt: skip
    later = profile(pa.array(["x" * 50, *texts], pa.string())[1:], learned=model).field("pollution").to_pylist()
    assert later == found
    assert profile(pa.array(texts, pa.string())).field("pollution").null_count == len(texts)


def test_what_is_like_the_bad_goes_and_of_the_good_no_more_than_was_allowed() -> None:
    found = learn(LABELLED, BAD)
    more = sentences(WORDS, 100)
    fresh = {"spoilt": [text.replace("th", "tb").replace("e", "c") for text in more], "good": more}
    above = {name: np.mean(np.array(profile(pa.array(texts, pa.string()), learned=found.model)
                                    .field("pollution").to_pylist()) > 0) for name, texts in fresh.items()}  # fmt: skip
    assert above["spoilt"] > 0.95
    assert above["good"] <= 0.02
    held_out = found.scores[:60] > found.model.bound
    assert held_out.mean() <= 0.01
    again = learn(LABELLED, BAD)
    assert np.array_equal(again.model.weights, found.model.weights)


def test_too_few_labels_are_refused_and_a_file_that_is_no_model() -> None:
    with pytest.raises(Problem, match="Only 19 documents are labelled bad"):
        learn(LABELLED[:79], BAD[:79])
    with pytest.raises(Problem, match="no learned model"):
        Linear.load(Path(__file__))


def test_an_interval_is_wilsons() -> None:
    assert linear.interval(0, 10) == pytest.approx((0, 0, 0.2775), abs=1e-4)
    assert linear.interval(81, 263) == pytest.approx((0.308, 0.2553, 0.3662), abs=1e-4)


def test_a_recipe_takes_what_a_learned_model_says_and_its_ledger_names_the_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled = write(tmp_path / "labelled.jsonl", [{"text": text, "label": "good"} for text in GOOD]
                     + [{"text": text, "label": "ocr"} for text in SPOILT])  # fmt: skip
    app(["refine", "learn", str(labelled), "--out", str(tmp_path / "m.npz"), "--json"], result_action="return_value")
    told = json.loads(capsys.readouterr().out)
    assert told["found"]["ocr"]["share"] > 0.9 > 0.05 > told["found"]["good"]["share"]
    (tmp_path / "r.yaml").write_text("name: mine\nversion: '1'\nlearned: m.npz\nnear: null\nexact: false\n")
    rows = [{"id": f"{n}", "text": text} for n, text in enumerate(GOOD[:10] + SPOILT[:10])]
    path = write(tmp_path / "a.jsonl", rows)
    loaded = recipe.load(tmp_path / "r.yaml")
    done = refine([path], tmp_path / "out", loaded, source="")
    assert done.rules == {"learned/pollution": 10}
    gone = ledger(tmp_path / "out")
    assert {row["id"] for row in gone} == {str(n) for n in range(10, 20)}
    assert all(row["score"] > row["threshold"] == 0 for row in gone)
    assert {row["version"] for row in gone} == {f"learned@{loaded.digests['m.npz'][:16]}"}
