"""Boxes, masks and comparisons of several people merged into one, beside single people, a majority and crowd-kit.

Every folder whose labels read as one of these kinds is taken. What its truth is worth differs: where it was made from
the very judgements that are scored (a fusion of the experts, groups of a ranking), the figures rank methods at most.
So drawings by the crowd alone are scored too, and comparisons are also scored on votes that were held out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from peer_env import ask
from sets import is_pairs

from cupola.labels.shapes.box import Box, BoxType
from cupola.quality.inference.base import Crowd
from cupola.quality.inference.blend import blend
from cupola.quality.inference.majority import majority
from cupola.quality.inference.pairs import FIRST, SECOND, TIE, Ranking, bradley_terry
from cupola.quality.inference.shapes import mask_iou, merge_coordinates, merge_masks
from cupola.quality.readers import read_table

BOX = re.compile(r"-?[\d.]+( -?[\d.]+){3}")
MASK = re.compile(r"\d+x\d+( \d+\+\d+)*")
CROWD = "crowd_"  # people of no training, where a set names them so
OUTCOMES = {"a": FIRST, "b": SECOND, "s": TIE}
FOLDS = 5
MASK_PEERS = ("SegmentationMajorityVote", "SegmentationEM", "SegmentationRASA")
PAIR_PEERS = ("BradleyTerry", "NoisyBradleyTerry")
Rows = list[tuple[str, str, str]]  # task, worker, label


def run(root: Path, out: Path, with_peers: bool) -> dict[str, Any]:
    """Every box, mask and pair set below a folder."""
    found: dict[str, Any] = {}
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        if not (folder / "labels.csv").exists() or not (folder / "truth.csv").exists():
            continue
        table = read_table(folder / "labels.csv")
        rows: Rows = [(str(r["task"]), str(r["worker"]), str(r["label"])) for r in table.to_pylist()]
        truth = {str(r["task"]): str(r["label"]) for r in _rows(folder / "truth.csv") if r["label"] is not None}
        labels = [label for _, _, label in rows]
        if all(BOX.fullmatch(label) for label in labels):
            found[folder.name] = boxes(rows, truth)
        elif all(MASK.fullmatch(label) for label in labels):
            found[folder.name] = masks(rows, truth, folder, out, with_peers)
        elif is_pairs(table):
            found[folder.name] = pairs(rows, truth, folder, out, with_peers)
        else:
            continue
        print(f"  {folder.name}", flush=True)
        for name, row in found[folder.name].items():
            shown = {key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()}
            print(f"    {name}: {shown}", flush=True)
    return found


def _rows(path: Path) -> list[dict[str, Any]]:
    return list(read_table(path).to_pylist())


def by_group(rows: Rows) -> dict[str, Rows]:
    """All judgements, and those by the crowd alone where a set has both."""
    crowd = [row for row in rows if row[1].startswith(CROWD)]
    return {"all": rows, "crowd alone": crowd} if 0 < len(crowd) < len(rows) else {"all": rows}


def by_task(rows: Rows) -> dict[str, dict[str, str]]:
    """Task -> worker -> label."""
    out: dict[str, dict[str, str]] = defaultdict(dict)
    for task, worker, label in rows:
        out[task][worker] = label
    return out


def boxes(rows: Rows, truth: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Mean IoU with the truth of single boxes, the plain median and the weighted one."""
    out = {}
    for group, own in by_group(rows).items():
        drawn = {task: people for task, people in by_task(own).items() if task in truth}
        codes = {worker: code for code, worker in enumerate(sorted({w for people in drawn.values() for w in people}))}
        corners = [
            {codes[w]: np.array(label.split(), np.float64) for w, label in people.items()} for people in drawn.values()
        ]
        sizes = [float(np.median([np.hypot(c[2] - c[0], c[3] - c[1]) for c in people.values()])) for people in corners]
        right = [np.array(truth[task].split(), np.float64) for task in drawn]
        merged = merge_coordinates(corners, scale=sizes).values
        plain = [np.median(np.stack(list(people.values())), axis=0) for people in corners]
        single = [np.mean([_iou(c, t) for c in people.values()]) for people, t in zip(corners, right, strict=True)]
        out[group] = {
            "items": len(drawn),
            "people an item": float(np.mean([len(people) for people in corners])),
            "single": float(np.mean(single)),
            "plain median": float(np.mean([_iou(p, t) for p, t in zip(plain, right, strict=True)])),
            "ours": float(np.mean([_iou(m, t) for m, t in zip(merged, right, strict=True)])),
        }
    return out


def _iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Of two boxes as x0 y0 x1 y1, both ends inside."""
    first, second = (Box(x0, y0, x1 - x0 + 1.0, y1 - y0 + 1.0) for x0, y0, x1, y1 in (a.tolist(), b.tolist()))
    return BoxType().similarity(first, second)


def mask_of(label: str) -> NDArray[np.bool_]:
    """(height, width) from "WxH start+length ...", runs along rows."""
    size, *runs = label.split()
    width, height = (int(side) for side in size.split("x"))
    flat = np.zeros(width * height, np.bool_)
    for start, length in (run.split("+") for run in runs):
        flat[int(start) : int(start) + int(length)] = True
    return flat.reshape(height, width)


def masks(rows: Rows, truth: dict[str, str], folder: Path, out: Path, with_peers: bool) -> dict[str, dict[str, Any]]:
    """Mean IoU with the truth of single masks, the pixel majority, ours and crowd-kit's."""
    scored: dict[str, dict[str, Any]] = {}
    for group, own in by_group(rows).items():
        drawn = {task: people for task, people in by_task(own).items() if task in truth}
        single, plain, ours = [], [], []
        peers: dict[str, list[float]] = defaultdict(list)
        said: dict[str, Any] = {}
        if with_peers:
            kept = out / f"{folder.name}_{group.replace(' ', '_')}" / "labels.csv"
            kept.parent.mkdir(parents=True, exist_ok=True)
            lines = [f"{task},{worker},{label}" for task, people in drawn.items() for worker, label in people.items()]
            kept.write_text("task,worker,label\n" + "\n".join(lines) + "\n")
            said = ask(out, kept, MASK_PEERS)
        for task, people in drawn.items():
            right = mask_of(truth[task])
            stack = np.stack([mask_of(label) for label in people.values()])
            single.append(float(np.mean([mask_iou(one, right) for one in stack])))
            plain.append(mask_iou(stack.sum(axis=0) * 2 > len(stack), right))
            ours.append(mask_iou(merge_masks(stack)[0], right))
            for method, answer in said.items():
                if "labels" in answer:
                    peers[method].append(mask_iou(mask_of(answer["labels"][task]), right))
        scored[group] = {
            "items": len(drawn),
            "people an item": float(np.mean([len(people) for people in drawn.values()])),
            "single": float(np.mean(single)),
            "majority": float(np.mean(plain)),
            "ours": float(np.mean(ours)),
            **{f"crowd-kit {method}": float(np.mean(values)) for method, values in peers.items()},
            **{f"crowd-kit {method}": answer["error"] for method, answer in said.items() if "error" in answer},
        }
    return scored


def pairs(rows: Rows, truth: dict[str, str], folder: Path, out: Path, with_peers: bool) -> dict[str, dict[str, Any]]:
    """Comparisons of a left and a right thing against a query: agreement with the truth, and with held-out votes."""
    things: dict[str, int] = {}
    sides = np.array([_sides_of(task, things) for task, _, _ in rows])
    raters = {worker: code for code, worker in enumerate(sorted({worker for _, worker, _ in rows}))}
    rater = np.array([raters[worker] for _, worker, _ in rows])
    outcome = np.array([OUTCOMES[label] for _, _, label in rows])
    names = sorted({task for task, _, _ in rows})
    codes = {task: code for code, task in enumerate(names)}
    task_of = np.array([codes[task] for task, _, _ in rows])
    known = np.array([OUTCOMES[truth[task]] if task in truth else -1 for task in names])
    pair = np.array([_sides_of(task, things) for task in names])
    ranking = bradley_terry(sides[:, 0], sides[:, 1], outcome, rater, n_items=len(things))
    crowd = Crowd.from_codes(task_of, rater, outcome, n_classes=3, duplicates="keep")
    decided = (known == FIRST) | (known == SECOND)
    judged = known >= 0
    against: dict[str, Any] = {
        "pairs": len(names),
        "single votes, right of three": float((outcome == known[task_of])[judged[task_of]].mean()),
        "majority, right of three": float((majority(crowd).label == known)[judged].mean()),
        "blend, right of three": float((blend(crowd).label == known)[judged].mean()),
        "Bradley-Terry, right of three": float((likeliest(ranking, pair) == known)[judged].mean()),
        "majority, direction": direction(crowd_lean(task_of, outcome, len(names)), known, decided),
        "Bradley-Terry, direction": direction(lean(ranking.strength, pair), known, decided),
    }
    if with_peers:
        for method, answer in ask(out, folder / "labels.csv", PAIR_PEERS).items():
            if "labels" in answer:
                score = np.array([float(answer["labels"].get(thing, 0.0)) for thing in things])
                against[f"crowd-kit {method}, direction"] = direction(lean(score, pair), known, decided)
            else:
                against[f"crowd-kit {method}, direction"] = answer["error"]
    # held out: every fifth judgement of a pair is foretold from all others
    fold = np.random.default_rng(0).permutation(len(rows)) % FOLDS
    ours, plain, asked = 0.0, 0.0, 0
    for k in range(FOLDS):
        train, test = fold != k, (fold == k) & (outcome != TIE)
        fit = bradley_terry(sides[train, 0], sides[train, 1], outcome[train], rater[train], n_items=len(things))
        said = outcome[test]
        ours += right(lean(fit.strength, sides[test]), said).sum()
        plain += right(crowd_lean(task_of[train], outcome[train], len(names))[task_of[test]], said).sum()
        asked += int(test.sum())
    held = {"votes": asked, "majority of the others": plain / asked, "Bradley-Terry": ours / asked}
    return {"truth made from these judgements": against, "held-out votes, direction": held}


def _sides_of(task: str, things: dict[str, int]) -> tuple[int, int]:
    """The codes of the two things that a task compares; a thing is another one for another query."""
    query, left, other = task.split("|")
    return (
        things.setdefault(f"{query}|{left}", len(things)),
        things.setdefault(f"{query}|{other}", len(things)),
    )


def lean(strength: NDArray[np.float64], pair: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n,) how much the first is ahead of the second."""
    return np.asarray(strength[pair[:, 0]] - strength[pair[:, 1]], dtype=np.float64)


def crowd_lean(task: NDArray[np.int64], outcome: NDArray[np.int64], tasks: int) -> NDArray[np.float64]:
    """(tasks,) votes for the first less votes for the second."""
    first = np.bincount(task[outcome == FIRST], minlength=tasks)
    return (first - np.bincount(task[outcome == SECOND], minlength=tasks)).astype(np.float64)


def right(leads: NDArray[np.float64], outcome: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n,) 1 where the lead is of the side that won, a half where nobody leads."""
    won = np.where(outcome == FIRST, leads > 0, leads < 0)
    return np.where(leads == 0, 0.5, won.astype(np.float64))


def direction(leads: NDArray[np.float64], known: NDArray[np.int64], decided: NDArray[np.bool_]) -> float:
    """Share of the pairs that are no tie in truth whose winner leads."""
    return float(right(leads[decided], known[decided]).mean())


def likeliest(ranking: Ranking, pair: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) the likeliest outcome for an average rater when neither side is shown first."""
    gap = lean(ranking.strength, pair)
    tie = ranking.tie or 0.0
    win, lose = 1.0 / (1.0 + np.exp(tie - gap)), 1.0 / (1.0 + np.exp(tie + gap))
    return np.asarray(np.argmax(np.stack([win, lose, 1.0 - win - lose]), axis=0), dtype=np.int64)
