"""Spammers and rings put into real sets, and who is flagged."""

from __future__ import annotations

from typing import Any

import numpy as np
from sets import RealSet

from cupola.quality.collusion import collusion
from cupola.quality.inference.base import Crowd
from cupola.quality.inference.blend import blend
from cupola.quality.workers_flags import spammers, spread

RING, RING_JUDGEMENTS = 6, 60
SPAMMERS, SPAM_JUDGEMENTS = 5, 60
REPEATS = 5
LEAST = 60  # an honest worker with fewer judgements is not counted: nobody would be flagged on so little


def run(items: list[RealSet]) -> dict[str, Any]:
    """Per set: members of a ring of six found (60 judgements each), honest workers flagged, spammers told apart."""
    out: dict[str, Any] = {"sets": {}}
    for item in items:
        if item.crowd.n_tasks < 3 * RING_JUDGEMENTS:
            continue
        ring_found, ring_all, honest_flagged, honest, spam_auc, spam_found = 0, 0, 0, 0, [], 0
        for seed in range(REPEATS):
            crowd, ring, spam = injected(item.crowd, seed)
            made = np.bincount(crowd.worker, minlength=crowd.n_workers)
            busy = {w for w in range(item.crowd.n_workers) if made[w] >= LEAST}
            flagged = {flag.worker for flag in collusion(crowd)}
            ring_found += len(flagged & ring)
            ring_all += len(ring)
            honest_flagged += len(flagged & busy)
            honest += len(busy)
            fit = blend(crowd)
            score = spread(fit)
            good = np.array(sorted(busy))
            if len(good):
                bad = np.array(sorted(spam))
                spam_auc.append(float((score[bad][:, None] < score[good][None, :]).mean()))
            spam_found += len({flag.worker for flag in spammers(fit, crowd)} & spam)
        row = {
            "ring found": ring_found / ring_all,
            "honest flagged as ring": honest_flagged / max(honest, 1),
            "honest": honest // REPEATS,
            "spammer AUC": float(np.mean(spam_auc)) if spam_auc else None,
            "spammers found": spam_found / (SPAMMERS * REPEATS),
        }
        out["sets"][item.name] = row
        print(f"  {item.name:12} {row}", flush=True)
    rows = list(out["sets"].values())
    if rows:
        out["ring found"] = float(np.mean([row["ring found"] for row in rows]))
        out["honest flagged"] = sum(row["honest flagged as ring"] * row["honest"] for row in rows) / max(
            sum(row["honest"] for row in rows), 1
        )
    return out


def injected(crowd: Crowd, seed: int) -> tuple[Crowd, set[int], set[int]]:
    """The crowd with a ring that answers as its leader does (with 2 % slips), and with spammers."""
    rng = np.random.default_rng(seed)
    first = crowd.n_workers
    ring = set(range(first, first + RING))
    spam = set(range(first + RING, first + RING + SPAMMERS))
    # the leader guesses every second answer, else takes the first vote of the task: plausible, not the truth
    block = rng.choice(np.flatnonzero(crowd.votes > 0), RING_JUDGEMENTS, replace=False)
    leader = crowd.label[crowd.starts[block]].copy()
    guess = rng.random(len(block)) < 0.5
    leader[guess] = rng.integers(0, crowd.n_classes, int(guess.sum()))
    rows = [
        (task, worker, int(answer) if rng.random() < 0.98 else int(rng.integers(0, crowd.n_classes)))
        for worker in sorted(ring)
        for task, answer in zip(block.tolist(), leader.tolist(), strict=True)
    ]
    for worker in sorted(spam):
        always = int(rng.integers(0, crowd.n_classes)) if rng.random() < 0.5 else -1
        for task in rng.choice(crowd.n_tasks, SPAM_JUDGEMENTS, replace=False).tolist():
            rows.append((task, worker, always if always >= 0 else int(rng.integers(0, crowd.n_classes))))
    more = np.array(rows)
    both = Crowd.from_codes(
        np.concatenate([crowd.task, more[:, 0]]),
        np.concatenate([crowd.worker, more[:, 1]]),
        np.concatenate([crowd.label, more[:, 2]]),
        n_tasks=crowd.n_tasks,
        n_workers=first + RING + SPAMMERS,
        n_classes=crowd.n_classes,
        duplicates="keep",
    )
    return both, ring, spam
