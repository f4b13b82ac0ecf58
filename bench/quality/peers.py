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


def mask_of(label: str) -> np.ndarray:
    size, *runs = label.split()
    width, height = (int(side) for side in size.split("x"))
    flat = np.zeros(width * height, bool)
    for start, length in (run.split("+") for run in runs):
        flat[int(start) : int(start) + int(length)] = True
    return flat.reshape(height, width)


def runs_of(mask: np.ndarray) -> str:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.ravel().astype(np.int8), [0]])))
    runs = [f"{start}+{end - start}" for start, end in zip(edges[::2], edges[1::2], strict=True)]
    return " ".join([f"{mask.shape[1]}x{mask.shape[0]}", *runs])


def segmentation(frame: pd.DataFrame, method: str) -> pd.Series:
    """One image after the other: these methods learn nothing across images, and all at once would fill the memory.

    Each image is cut to what anybody painted and a margin as wide again, else SegmentationEM takes minutes.
    """
    merged = {}
    for task, own in frame.groupby("task"):
        masks = np.stack([mask_of(label) for label in own["label"]])
        cut = []
        for axis, length in ((2, masks.shape[1]), (1, masks.shape[2])):
            painted = np.flatnonzero(masks.any(axis=0).any(axis=axis - 1))
            first, last = (int(painted[0]), int(painted[-1])) if len(painted) else (0, length - 1)
            margin = (last - first + 1) // 2
            cut.append(slice(max(first - margin, 0), min(last + margin + 1, length)))
        inside = (slice(None), *cut)
        drawn = own.assign(segmentation=list(masks[inside])).drop(columns="label")
        whole = np.zeros(masks.shape[1:], bool)
        whole[tuple(cut)] = np.asarray(getattr(aggregation, method)().fit_predict(drawn).iloc[0])
        merged[task] = runs_of(whole)
    return pd.Series(merged)


def ranking(frame: pd.DataFrame, method: str) -> pd.Series:
    """Scores of the things compared; a tie says nothing to these methods, so it is left out."""
    query, left, right = (frame["task"].str.split("|").str[part] for part in range(3))
    won = pd.DataFrame({"worker": frame["worker"], "left": query + "|" + left, "right": query + "|" + right})
    won["label"] = won["left"].where(frame["label"] == "a", won["right"])
    won = won[frame["label"] != "s"]
    if method == "BradleyTerry":
        return aggregation.BradleyTerry(n_iter=100).fit_predict(won[["left", "right", "label"]])
    return aggregation.NoisyBradleyTerry().fit_predict(won)


def work(job: dict) -> dict:
    frame = pd.read_csv(job["labels"], keep_default_na=False)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    if job["method"] == "CROWDLAB":
        labels = crowdlab(frame, np.load(job["probabilities"]))
    elif job["method"] == "ROVER":
        labels = rover(frame)
    elif job["method"].startswith("Segmentation"):
        labels = segmentation(frame, job["method"])
    elif job["method"].endswith("BradleyTerry"):
        labels = ranking(frame, job["method"])
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
