"""Votes on models and judges of models: what fits cost, whether intervals cover. `python -m bench.llm [--peers]`.

1. `--votes` votes of 200 raters on 50 models, a fifth of them ties: CPU seconds and memory of the fit with intervals;
   with --peers beside evalica and crowd-kit on the same votes (an environment of their own under bench/out, made on
   first use), and the greatest difference of scores.
2. How often 95 % intervals hold the truth over `--draws` simulated sets: strengths, style, being shown first.
3. Recorded votes of people (CUPOLA_TEST_DATA, default ../shared/data): agreement, judgements an item by three rules,
   and means that lean on a judge with 100 items of people.
Writes bench/out/llm.json.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from cupola.preferences import davidson, judges, judging_files, ppi

OUT = Path(__file__).parents[1] / "out"
DATA = Path(os.environ.get("CUPOLA_TEST_DATA", Path(__file__).parents[3] / "shared" / "data")) / "llm"
PEERS = ("evalica==0.4.2", "crowd-kit==1.4.2", "scikit-learn<1.6", "pandas<3")
WORDS = np.array(["model_a", "model_b", "tie"])
out = Console(width=110)


def drawn(seed: int, votes: int, models: int, *, tie: float, effect: float, first: float) -> tuple[Any, np.ndarray]:
    rng = np.random.default_rng(seed)
    strength = rng.normal(0, 0.7, models)
    strength -= strength.mean()
    a = rng.integers(0, models, votes)
    b = (a + rng.integers(1, models, votes)) % models
    look = rng.normal(size=votes)
    lead = strength[a] - strength[b] + effect * look + first
    parts = np.stack([np.exp(lead / 2), np.exp(-lead / 2), np.full(votes, tie)], axis=1)
    outcome = (rng.random((votes, 1)) > (parts / parts.sum(axis=1, keepdims=True)).cumsum(axis=1)).sum(axis=1)
    covariate = np.stack([look, np.ones(votes)], axis=1) if effect or first else None
    return davidson.table(a, b, outcome, models, covariate), strength


def peers() -> Path:
    folder = OUT / "llm-peers"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run(["uv", "venv", "-q", "--python", sys.executable, str(folder)], check=True)
        subprocess.run(["uv", "pip", "install", "-q", "--python", str(python), *PEERS], check=True)
    return python


def fits(votes: int, beside: bool) -> dict[str, Any]:
    table, _ = drawn(0, votes, 50, tie=0.5, effect=0.0, first=0.0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    rows = davidson.gathered(table)
    found = davidson.fit(rows)
    davidson.covariance(rows, found)
    taken = time.process_time() - start
    more_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    told: dict[str, Any] = {"votes": votes, "cpu_s": taken, "more_mb": more_mb}
    start = time.process_time()
    davidson.bootstrap(rows, found, draws=200, seed=0)
    told["bootstrap_cpu_s"] = time.process_time() - start
    if beside:
        OUT.mkdir(exist_ok=True)
        path = OUT / "llm-votes.csv"
        lines = [
            f"m{a:02d},m{b:02d},{WORDS[o]}" for a, b, o in zip(table.first, table.second, table.outcome, strict=True)
        ]
        path.write_text("model_a,model_b,winner\n" + "\n".join(lines) + "\n")
        half = davidson.fit(rows, ties="half").strength
        untied = davidson.fit(davidson.gathered(table.weighed(1.0 * (table.outcome != davidson.TIE)))).strength
        for name, ours in (("evalica", half), ("crowd-kit", untied)):
            done = subprocess.run([str(peers()), str(Path(__file__).with_name("peers.py")), name, str(path)],
                                  check=True, capture_output=True, text=True)  # fmt: skip
            theirs = json.loads(done.stdout.splitlines()[-1])
            logs = np.log([theirs["scores"][f"m{n:02d}"] for n in range(50)])
            told[name] = {"cpu_s": theirs["cpu_s"], "more_mb": theirs["more_mb"],
                          "apart": float(np.abs(logs - logs.mean() - ours).max())}  # fmt: skip
    return told


def coverage(draws: int) -> dict[str, float]:
    hit = {"strength": 0.0, "style": 0.0, "shown first": 0.0}
    for seed in range(draws):
        table, strength = drawn(seed, 1_500, 8, tie=0.6, effect=0.4, first=0.15)
        found = davidson.fit(table)
        error = np.sqrt(np.diag(davidson.covariance(table, found)))
        within = np.abs(np.concatenate([found.strength - strength, found.effect - [0.4, 0.15]])) <= 1.96 * error
        hit["strength"] += float(within[:8].mean())
        hit["style"] += float(within[8])
        hit["shown first"] += float(within[9])
    return {name: times / draws for name, times in hit.items()}


def recorded(draws: int) -> dict[str, Any]:
    items, _ = judging_files.read([DATA / "pandalm" / "items.jsonl"])
    among = judges.people(items)
    told: dict[str, Any] = {"alpha": among.alpha.value, "kappas": [pair[2] for pair in among.kappas],
                            "two_then_third": among.asked}  # fmt: skip
    worth = {"1": 1.0, "2": 0.0, "tie": 0.5, judges.UNDECIDED: 0.5}
    rng = np.random.default_rng(0)
    for judge in ("gpt-3.5-turbo", "pandalm-7b"):
        rule = judges.judged(items, judge).rule
        assert rule is not None
        mine = [item for item in items if item.said_by(judge)]
        said = np.array([worth[item.said_by(judge) or "tie"] for item in mine])
        truth = np.array([worth[item.majority or "tie"] for item in mine])
        hit, effective = 0, []
        for _ in range(draws):
            order = rng.permutation(len(mine))
            some, rest = order[:100], order[100:]
            found = ppi.mean(truth[some], said[some], said[rest])
            # the truth is that of a world of which these items are a draw with replacement
            again = rng.integers(0, len(mine), len(mine))
            found_again = ppi.mean(truth[again[:100]], said[again[:100]], said[again[100:]])
            hit += found_again.low <= truth.mean() <= found_again.high
            effective.append(found.effective)
        told[judge] = {"judgements": rule.judgements, "same": rule.same, "ppi_coverage": hit / draws,
                       "ppi_effective": float(np.median(effective))}  # fmt: skip
    return told


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--votes", type=int, default=100_000)
    asked.add_argument("--draws", type=int, default=500)
    asked.add_argument("--peers", action="store_true")
    given = asked.parse_args()
    told = {"fits": fits(given.votes, given.peers), "coverage": coverage(given.draws)}
    if (DATA / "pandalm").is_dir():
        told["recorded"] = recorded(given.draws)
    OUT.mkdir(exist_ok=True)
    (OUT / "llm.json").write_text(json.dumps(told, indent=1))
    out.print_json(data=told)


if __name__ == "__main__":
    main()
