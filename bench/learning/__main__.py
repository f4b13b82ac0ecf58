"""`python -m bench.learning [PART …]`: what selection saves and whether certificates hold, random arms beside.

Parts: digits, banking77, replays (of certificates, with a class shift and a drifting model). Data: scikit-learn's
digits; ../shared/data/llm/banking77 where it is there.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from cupola.models import selection
from cupola.models.accepting import rules
from cupola.models.accepting.rules import Watch
from cupola.models.card import Features
from cupola.models.features import TEXT_DIMS, Raw, features_of

SHARED = Path(__file__).resolve().parents[3] / "shared/data/llm/banking77"
Floats = NDArray[np.float64]
TEMPERATURE = 0.15  # as the learner fits it on these texts


def learner(rows: Any, codes: NDArray[np.int64], classes: int) -> Callable[[Any], NDArray[np.float32]]:
    """The embedded learner's model (models.learner: one for few features, one for many), without its folds."""
    if sparse.issparse(rows):
        machine = LinearSVC(C=1.0, max_iter=300).fit(rows, codes)

        def of_texts(new: Any) -> NDArray[np.float32]:
            scores = machine.decision_function(new) / TEMPERATURE
            shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
            out = np.zeros((new.shape[0], classes), np.float32)
            out[:, machine.classes_] = shifted / shifted.sum(axis=1, keepdims=True)
            return out

        return of_texts
    mean = rows.mean(axis=0)
    alike = float(np.sqrt((rows.std(axis=0) ** 2).mean())) or 1.0
    model = LogisticRegression(C=1.0 if rows.shape[1] < 200 else 3.0, max_iter=200, tol=1e-3)
    model.fit((rows - mean) / alike, codes)

    def predict(new: Floats) -> NDArray[np.float32]:
        out = np.zeros((len(new), classes), np.float32)
        out[:, model.classes_] = model.predict_proba((new - mean) / alike)
        return out

    return predict


def digits(seed: int) -> tuple[Floats, NDArray[np.int64], Floats, NDArray[np.int64]]:
    data = load_digits()
    order = np.random.default_rng(seed).permutation(len(data.target))
    rows, truth = data.data[order] / 16.0, data.target[order].astype(np.int64)
    return rows[:1_300], truth[:1_300], rows[1_300:], truth[1_300:]


def labels_to(
    pool: tuple[Any, NDArray[np.int64], Any, NDArray[np.int64]],
    goal: float,
    step: int,
    most: int,
    seed: int,
    how: str,
) -> int:
    """Labels until a model is right on `goal` of the test set, or `most`. how: random, margin, diverse."""
    rows, truth, test, test_truth = pool
    classes = int(truth.max()) + 1
    rng = np.random.default_rng(seed)
    known = rng.permutation(len(truth))[:step].tolist()
    reached = 0
    while len(known) <= most:
        if len(np.unique(truth[known])) < 2:
            known += [n for n in rng.permutation(len(truth)).tolist() if n not in set(known)][:step]
            continue
        predict = learner(rows[known], truth[known], classes)
        right = float((predict(test).argmax(axis=1) == test_truth).mean())
        reached = reached + 1 if right >= goal else 0
        if reached == 2:  # twice running: no luck of one step
            return len(known) - step
        there = set(known)
        left = np.array([n for n in range(len(truth)) if n not in there])
        if how == "random":
            known += rng.permutation(left)[:step].tolist()
            continue
        found = selection.chosen(
            predict(rows[left]), step, int(rng.integers(2**31)),
            features=np.asarray(rows[left], np.float32) if how == "diverse" else None,
        )  # fmt: skip
        known += [int(left[one.place]) for one in found]
    return most


def told(name: str, goal: float, step: int, most: int, load: Callable[[int], Any], seeds: int, reach: float) -> None:
    arms = ("random", "margin", "diverse") if not sparse.issparse(load(0)[0]) else ("random", "margin")
    counts: dict[str, list[int]] = {how: [] for how in arms}
    for seed in range(seeds):
        pool = load(seed)
        for how, mine in counts.items():
            mine.append(labels_to(pool, goal, step, most, seed, how))
    middle = {how: float(np.median(mine)) for how, mine in counts.items()}
    for how, mine in counts.items():
        times = middle["random"] / middle[how]
        print(f"{name}: {goal:.0%} by {how:8} {middle[how]:6.0f} labels ({min(mine)} to {max(mine)}), "
              f"{times:.2f} times fewer than random", flush=True)  # fmt: skip
    print(f"{name}: to reach >= {reach} times: {middle['random'] / min(middle[how] for how in arms[1:]):.2f}")


# ---------------------------------------------------------------- certificates
def replay(scores: Floats, wrong: NDArray[np.bool_], limit: float, sample: int, seed: int) -> tuple[bool, float, float]:
    """(whether a certificate that was given is false, share settled by the model, judgements saved)."""
    rng = np.random.default_rng(seed)
    sampled = np.zeros(len(scores), bool)
    sampled[rng.permutation(len(scores))[:sample]] = True
    found = rules.certified("", scores, sampled, wrong, limit, 0.95)
    if found.threshold is None:
        return False, 0.0, 0.0
    settled = (scores >= found.threshold) & ~sampled
    watched = rng.random(len(scores)) < rules.AUDIT_SHARE
    return (
        bool((settled & wrong).sum() / len(scores) > limit),
        float(settled.mean()),
        float((settled & ~watched).mean()),
    )


def watched(error: Callable[[int], float], limit: float, items: int, rng: np.random.Generator) -> int | None:
    """After how many watched answers a model is switched off whose error changes; None where it never is."""
    state = Watch(limit)
    for n in range(items):
        state = state.seen(bool(rng.random() < error(n)))
        if state.off:
            return n + 1
    return None


def replays(count: int, scores: Floats, wrong: NDArray[np.bool_], name: str, limit: float, sample: int, reach: float,
            size: int) -> None:  # fmt: skip
    false, without, saved = 0, 0, []
    for seed in range(count):
        rng = np.random.default_rng(10_000 + seed)
        batch = rng.integers(0, len(scores), size)  # a batch as if drawn from all that might come
        bad, _, spared = replay(scores[batch], wrong[batch], limit, sample, seed)
        false += bad
        saved.append(spared)
        # what an estimate without a bound would do: the lowest score at which the sample's own error is the limit
        mine = rng.permutation(size)[:sample]
        order = np.argsort(-scores[batch][mine], kind="stable")
        share = np.cumsum(wrong[batch][mine][order]) / sample
        able = np.flatnonzero(share <= limit)
        if len(able):
            line = scores[batch][mine][order][able[-1]]
            settled = scores[batch] >= line
            without += bool((settled & wrong[batch]).sum() / size > limit)
    print(f"{name}, limit {limit:.0%}, sample {sample} of {size}: false certificates {false} of {count} "
          f"({false / count:.1%}, to reach <= 5 %); without a bound {without / count:.1%}; saved of the work "
          f"{np.median(saved):.1%} (median), to reach >= {reach:.0%}", flush=True)  # fmt: skip


def watches(count: int) -> None:
    """How soon a model is switched off that was right when it was certified: a class shift, a drift, and no change."""
    rng = np.random.default_rng(5)
    for limit in (0.02, 0.05):
        cases: list[tuple[str, int, Callable[..., float]]] = [
            ("at the limit for ever", 0, lambda n, at: at),
            ("half the limit", 0, lambda n, at: at / 2),
            ("class shift after 200, to three times the limit", 200, lambda n, at: at / 2 if n < 200 else 3 * at),
            ("drift in 600 from half to four times the limit", 0, lambda n, at: at * min(0.5 + 3.5 * n / 600, 4.0)),
        ]
        for name, since, error in cases:
            ended = [watched(partial(error, at=limit), limit, 2_000, rng) for _ in range(count)]
            off = np.array([n for n in ended if n is not None])
            when = "-"
            if len(off):
                when = f"after {np.median(off) - since:.0f}, nine in ten {np.quantile(off, 0.9) - since:.0f}"
            print(f"watch, limit {limit:.0%}, {name}: off in {len(off) / count:.1%} of {count}, {when} answers; "
                  f"promised {rules.promised(limit)}", flush=True)  # fmt: skip


def out_of_fold(rows: Any, truth: NDArray[np.int64], known: int, seed: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Scores of the rest by a model of `known` labels, and where it is wrong."""
    order = np.random.default_rng(seed).permutation(len(truth))
    predict = learner(rows[order[:known]], truth[order[:known]], int(truth.max()) + 1)
    shares = predict(rows[order[known:]])
    return shares.max(axis=1).astype(np.float64), shares.argmax(axis=1) != truth[order[known:]]


def banking() -> tuple[Any, NDArray[np.int64], Any, NDArray[np.int64]] | None:
    """Banking77 as the embedded learner counts it: hashed runs of words and letters, by rarity, of length one."""
    if not SHARED.is_dir():
        return None
    names: dict[str, int] = {}
    texts: list[str] = []
    codes: list[int] = []
    cut = 0
    for file in ("train.csv", "test.csv"):
        with (SHARED / file).open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                texts.append(row["text"])
                codes.append(names.setdefault(row["category"], len(names)))
        cut = cut or len(texts)
    counted = features_of(Features("text-ngrams", dims=TEXT_DIMS), [Raw("", text) for text in texts])
    matrix = sparse.csr_matrix((counted.values, counted.indices, counted.indptr), counted.shape)
    rows = TfidfTransformer(sublinear_tf=True).fit(matrix[:cut]).transform(matrix)
    truth = np.array(codes, np.int64)
    return rows[:cut], truth[:cut], rows[cut:], truth[cut:]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("parts", nargs="*", default=["digits", "banking77", "replays"])
    asked.add_argument("--seeds", type=int, default=5)
    asked.add_argument("--replays", type=int, default=400)
    given = asked.parse_args()
    began = time.process_time()
    texts = banking() if {"banking77", "replays"} & set(given.parts) else None
    if "digits" in given.parts:
        told("digits", 0.97, 20, 1_200, digits, given.seeds, 2.2)
    if "banking77" in given.parts:
        if texts is None:
            print("banking77: left out, its data are not here")
        else:
            told("banking77", 0.8, 300, 3_600, lambda seed: texts, min(given.seeds, 2), 1.8)
    if "replays" in given.parts:
        data = load_digits()
        scores, wrong = out_of_fold(data.data / 16.0, data.target.astype(np.int64), 300, 1)
        replays(given.replays, scores, wrong, "digits", 0.01, 290, 0.55, 5_000)
        if texts is not None:
            scores, wrong = out_of_fold(texts[0], texts[1], 2_500, 1)
            replays(given.replays, scores, wrong, "banking77", 0.03, 300, 0.35, 5_000)
            replays(given.replays, scores, wrong, "banking77", 0.05, 300, 0.5, 5_000)
        watches(given.replays)
    print(f"{time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()
