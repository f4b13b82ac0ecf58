"""Run in the peers' environment: one method on a file of votes, its scores and its cost as one line of JSON."""

from __future__ import annotations

import json
import resource
import sys
import time

import pandas as pd


def evalica(votes: pd.DataFrame) -> dict[str, float]:
    from evalica import Winner, bradley_terry

    words = {"model_a": Winner.X, "model_b": Winner.Y, "tie": Winner.Draw}
    found = bradley_terry(
        votes["model_a"], votes["model_b"], votes["winner"].map(words), tolerance=1e-12, limit=100_000
    )
    return {str(name): float(score) for name, score in found.scores.items()}


def crowd_kit(votes: pd.DataFrame) -> dict[str, float]:
    from crowdkit.aggregation import BradleyTerry

    rows = votes[votes["winner"] != "tie"].rename(columns={"model_a": "left", "model_b": "right"})
    label = rows["left"].where(rows["winner"] == "model_a", rows["right"])
    found = BradleyTerry(n_iter=200, tol=1e-10).fit_predict(rows[["left", "right"]].assign(label=label))
    return {str(name): float(score) for name, score in found.items()}


if __name__ == "__main__":
    method, path = sys.argv[1:]
    table = pd.read_csv(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    scores = {"evalica": evalica, "crowd-kit": crowd_kit}[method](table)
    seconds = time.process_time() - start
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps({"scores": scores, "cpu_s": seconds, "more_mb": more / 1024}))
