"""Runs in the peers' own environment: crowd-kit's methods and cleanlab's CROWDLAB, each at its default settings.

Reads one JSON list of jobs from stdin: [{"key", "labels": path, "method", "probabilities": path or null}]; writes one
line of JSON for each as it is done. CPU seconds and the growth of the resident memory are the method's own: imports and
reading the file are not counted.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import numpy as np
import pandas as pd
from cleanlab.multiannotator import get_label_quality_multiannotator
from crowdkit import aggregation

CLASSES = {
    "MV": "MajorityVote",
    "WAWA": "Wawa",
    "DS": "DawidSkene",
    "OneCoin": "OneCoinDawidSkene",
    "GLAD": "GLAD",
    "MACE": "MACE",
}


def crowdlab(frame: pd.DataFrame, probabilities: np.ndarray) -> pd.Series:
    wide = frame.drop_duplicates(["task", "worker"]).pivot(index="task", columns="worker", values="label").sort_index()
    classes = sorted(frame["label"].unique())
    codes = wide.replace({label: code for code, label in enumerate(classes)})
    found = get_label_quality_multiannotator(codes, probabilities, verbose=False)["label_quality"]
    return pd.Series([classes[int(code)] for code in found["consensus_label"]], index=wide.index)


def rover(frame: pd.DataFrame) -> pd.Series:
    texts = frame.rename(columns={"label": "text"})
    return aggregation.ROVER(lambda text: text.split(" "), lambda words: " ".join(words)).fit_predict(texts)


def work(job: dict) -> dict:
    frame = pd.read_csv(job["labels"], keep_default_na=False)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    if job["method"] == "CROWDLAB":
        labels = crowdlab(frame, np.load(job["probabilities"]))
    elif job["method"] == "ROVER":
        labels = rover(frame)
    else:
        labels = getattr(aggregation, CLASSES[job["method"]])().fit_predict(frame)
    return {
        "cpu_s": time.process_time() - started,
        "extra_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
        "labels": {str(task): str(label) for task, label in labels.items()},
    }


def main() -> None:
    for job in json.load(sys.stdin):
        try:
            found = work(job)
        except Exception as error:  # a peer that fails on a set is a result too
            found = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps({"key": job["key"], "found": found}), flush=True)


if __name__ == "__main__":
    main()
