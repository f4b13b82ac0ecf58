"""Word error rate of the merged transcripts, beside crowd-kit's ROVER on the same words."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

from peer_env import ask

from cupola.quality.inference.rover import key_of, rover, tokenise, word_errors
from cupola.quality.readers import read_table


def words(text: str) -> list[str]:
    """The words that are compared: without case and the punctuation at their ends."""
    return [key for word in tokenise(text) if (key := key_of(word))]


def run(root: Path, out: Path, with_peers: bool) -> dict[str, Any]:
    """WER in percent of every speech set found: single transcripts, the best of each task, ours, crowd-kit's."""
    found: dict[str, Any] = {}
    for folder in sorted(root.glob("crowdspeech*")):
        rows = read_table(folder / "labels.csv").to_pylist()
        truth = {str(row["task"]): words(str(row["label"])) for row in read_table(folder / "truth.csv").to_pylist()}
        transcripts: dict[str, list[tuple[str, str]]] = {}
        for row in rows:
            transcripts.setdefault(str(row["task"]), []).append((str(row["worker"]), str(row["label"] or "")))
        tasks = [task for task in truth if task in transcripts]
        total = sum(len(truth[task]) for task in tasks)
        errors = {task: [word_errors(words(text), truth[task]) for _, text in transcripts[task]] for task in tasks}
        row: dict[str, Any] = {
            "tasks": len(tasks),
            "single": 100 * sum(sum(e) / len(e) for e in errors.values()) / total,
            "best of each": 100 * sum(min(e) for e in errors.values()) / total,
        }
        started = time.process_time()
        merged = rover(transcripts, plain=True)
        row["cpu_s"] = time.process_time() - started
        row["ours"] = 100 * sum(word_errors(words(merged[task].text), truth[task]) for task in tasks) / total
        if with_peers:
            # the peer splits at spaces only, so it gets the words already without case and punctuation
            plain = out / f"{folder.name}_plain" / "labels.csv"
            plain.parent.mkdir(parents=True, exist_ok=True)
            with plain.open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["task", "worker", "label"])
                for task in sorted(transcripts):
                    for worker, text in sorted(transcripts[task]):
                        writer.writerow([task, worker, " ".join(words(text)) or "-"])
            said = ask(out, plain, ("ROVER",))["ROVER"]
            if "labels" in said:
                peer = sum(word_errors(words(said["labels"].get(task, "")), truth[task]) for task in tasks)
                row["crowd-kit ROVER"] = 100 * peer / total
                row["crowd-kit cpu_s"] = said["cpu_s"]
            else:
                row["crowd-kit ROVER"] = said
        found[folder.name] = row
        print(f"  {folder.name}: {row}", flush=True)
    return found
