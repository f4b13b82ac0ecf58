"""The real sets, when they are there: what the methods were measured to reach must stay reached."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.csv as pa_csv
import pytest

from cupola.quality.calibrate import calibrated
from cupola.quality.inference.base import Crowd
from cupola.quality.inference.methods import METHODS
from cupola.quality.inference.rover import key_of, rover, tokenise, word_errors
from cupola.quality.readers import read_table
from tests.quality.crowds import calibration_error

# accuracy in % of the best of crowd-kit's methods on each set, at their default iterations
BEST_PEER = {"rte": 92.9, "dog": 84.3, "sp": 91.7, "sp_amt": 94.6, "face": 64.0, "product": 94.0, "labelme": 79.2}


def load(folder: Path) -> tuple[Crowd, np.ndarray]:
    crowd, _ = Crowd.from_frame(
        pa_csv.read_csv(folder / "labels.csv"), gold=pa_csv.read_csv(folder / "truth.csv"), duplicates="keep"
    )
    assert crowd.gold is not None
    return crowd.with_gold(None), crowd.gold


@pytest.mark.parametrize("name", BEST_PEER)
def test_blend_is_within_half_a_point_of_the_best_peer(name: str, data_dir: Path) -> None:
    crowd, truth = load(data_dir / name)
    known = truth >= 0
    right = 100 * (METHODS["blend"](crowd).label[known] == truth[known]).mean()
    assert right >= BEST_PEER[name] - 0.5


@pytest.mark.parametrize("name", ["dog", "face", "labelme", "sp_amt", "cf"])
def test_default_calibration_is_far_more_honest_than_the_raw_posterior(name: str, data_dir: Path) -> None:
    crowd, truth = load(data_dir / name)
    fit = METHODS["blend"](crowd)
    known = np.flatnonzero(truth >= 0)
    right = fit.label[known] == truth[known]
    raw = calibration_error(fit.posterior[known].max(axis=1), right)
    shown = calibration_error(calibrated(fit, crowd)[known].max(axis=1), right)
    assert shown < 0.67 * raw


def test_rover_beats_the_transcripts_by_far(data_dir: Path) -> None:
    table = read_table(data_dir / "crowdspeech_dev_clean" / "labels.csv").to_pylist()
    truth = {
        str(row["task"]): str(row["label"])
        for row in read_table(data_dir / "crowdspeech_dev_clean" / "truth.csv").to_pylist()
    }
    chosen = sorted(truth)[:250]
    transcripts = {
        task: [(str(row["worker"]), str(row["label"] or "")) for row in rows]
        for task, rows in _by_task(table, set(chosen)).items()
    }
    found = rover(transcripts, plain=True, rounds=2)

    def words(text: str) -> list[str]:
        return [key for word in tokenise(text) if (key := key_of(word))]

    total = sum(len(words(truth[task])) for task in chosen)
    ours = sum(word_errors(words(found[task].text), words(truth[task])) for task in chosen) / total
    single = np.mean(
        [
            sum(word_errors(words(text), words(truth[task])) for _, text in transcripts[task]) / len(transcripts[task])
            for task in chosen
        ]
    ) / (total / len(chosen))
    assert ours < 0.45 * single


def _by_task(rows: list[dict[str, object]], chosen: set[str]) -> dict[str, list[dict[str, object]]]:
    out: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        if str(row["task"]) in chosen:
            out.setdefault(str(row["task"]), []).append(row)
    return out
