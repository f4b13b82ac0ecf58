"""The main job on real people's recorded judgements.

Each recorded worker is a contributor; the policy chooses whom to ask next among those who did judge the task; their
recorded answer is submitted through the public HTTP API. The expert's answers are the known truth.
"""

from __future__ import annotations

import csv
import json
import math
import random
import threading
import zipfile
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cupola.app import moving, stage
from cupola.app.recordings import preferences
from cupola.client import Client
from cupola.kernel import clock
from cupola.kernel.errors import invalid
from cupola.kernel.money import in_words
from cupola.kernel.terminal import Plain
from cupola.releases import verifying

PRICE_MINOR = 5
FIXED_VOTES = 5
HANDS = 8
GOLD_SHARE, GOLD_MOST = 0.1, 100
MAX_CLASSES = 200


@dataclass(frozen=True, slots=True)
class Recording:
    """votes: task -> worker -> label; truth: task -> label; classes in the order of their names; items: what is
    shown of a task, where the recording has it."""

    name: str
    votes: dict[str, dict[str, str]]
    truth: dict[str, str]
    classes: list[str]
    left_out: int
    items: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Outcome:
    """What a replay ends with. Shares in [0, 1]."""

    name: str
    tasks: int
    gold: int
    judgements: int
    recorded: int
    fixed_plan: int
    adjudicated: int
    majority_accuracy: float
    true_accuracy: float
    certified: float
    confidence: float
    audited: int
    errors: int
    target: float
    reached: bool
    paid_minor: int
    seconds: float
    holds: bool
    wrong: list[str] = field(default_factory=list)


def read(folder: Path, limit: int | None = None) -> Recording:
    """Read labels.csv (task,worker,label) and truth.csv (task,label) of a folder, or a file of preferences
    (`recordings`). Tasks without a known truth are left out.

    Raises Problem naming the file and the line of the first row that cannot be read.
    """
    if folder.is_file():
        return _preferences(folder, limit)
    truth = {row["task"]: row["label"] for row in _rows(folder / "truth.csv", ("task", "label")) if row["label"] != ""}
    votes: dict[str, dict[str, str]] = {}
    seen: set[str] = set()
    for row in _rows(folder / "labels.csv", ("task", "worker", "label")):
        seen.add(row["task"])
        if row["task"] in truth and row["label"] != "":
            votes.setdefault(row["task"], {})[row["worker"]] = row["label"]  # the last word of a worker counts
    if not votes:
        raise invalid(
            "recording-empty",
            "No task has both a judgement and a known truth.",
            place=str(folder),
            remedy="The tasks of labels.csv and truth.csv must share their names.",
        )
    return _recording(folder, folder / "labels.csv", votes, truth, len(seen) - len(votes), {}, limit)


def _preferences(file: Path, limit: int | None) -> Recording:
    votes: dict[str, dict[str, str]] = {}
    truth: dict[str, str] = {}
    items: dict[str, dict[str, Any]] = {}
    left_out = 0
    for ref, said, true, item in preferences(file):
        if true is None or not said:
            left_out += 1
            continue
        votes[ref], truth[ref], items[ref] = said, true, item
    if not votes:
        raise invalid(
            "recording-empty",
            "No line has votes of which more than half agree, or a truth of its own.",
            place=str(file),
            remedy='Give each line "votes", and "truth" where it is known.',
        )
    return _recording(file, file, votes, truth, left_out, items, limit)


def _recording(
    named: Path,
    place: Path,
    votes: dict[str, dict[str, str]],
    truth: dict[str, str],
    left_out: int,
    items: dict[str, dict[str, Any]],
    limit: int | None,
) -> Recording:
    kept = list(votes)[:limit] if limit else list(votes)
    classes = sorted({label for task in kept for label in (*votes[task].values(), truth[task])}, key=_order)
    if len(classes) > MAX_CLASSES:
        raise invalid(
            "not-categorical",
            f"{len(classes)} different labels: this is not a set of classes.",
            place=str(place),
            remedy="Replay takes categorical sets; texts, boxes, masks, comparisons and ratings are merged by "
            "`cupola quality aggregate --kind`.",
        )
    return Recording(
        named.resolve().stem if items else named.resolve().name,
        {task: votes[task] for task in kept},
        {task: truth[task] for task in kept},
        classes,
        left_out,
        {task: items[task] for task in kept if task in items},
    )


def _order(label: str) -> tuple[int, float, str]:
    try:
        return (0, float(label), label)
    except ValueError:
        return (1, 0.0, label)


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise invalid(
                    "column-missing",
                    f"{path.name} has no column {missing[0]!r}.",
                    place=f"{path}:1",
                    remedy=f"Its first line must name {', '.join(columns)}.",
                )
            rows = []
            for row in reader:
                if any(row[name] is None for name in columns):
                    raise invalid(
                        "row-short",
                        f"Line {reader.line_num} of {path.name} has too few columns.",
                        place=f"{path}:{reader.line_num}",
                        remedy="Mend the line.",
                    )
                rows.append(row)
            return rows
    except OSError as error:
        raise invalid(
            "file-missing", f"{path} cannot be read: {error.strerror}.", place=str(path), remedy="Check the folder."
        ) from error


def run_replay(
    folder: Path,
    data: Path | None,
    port: int,
    target: float,
    confidence: float,
    min_judgements: int,
    max_judgements: int,
    audit_items: int,
    *,
    seed: int,
    limit: int | None,
    as_json: bool,
) -> int:
    """Run it; returns the exit code: 0 when the ledger and the certificate hold."""
    console = Plain(stderr=as_json)
    recording = read(folder, limit)
    with stage.scratch("cupola-replay-") as scratch:
        home = data or scratch / "data"
        console.rule(f"Replay of {recording.name}")
        recorded = sum(len(said) for said in recording.votes.values())
        console.print(
            f"{recorded:,} recorded judgements of {len({w for said in recording.votes.values() for w in said}):,} "
            f"people on "
            f"{len(recording.votes):,} tasks with a known truth, {len(recording.classes)} classes"
            + (f"; {recording.left_out:,} tasks without a known truth are left out." if recording.left_out else "."),
            highlight=False,
        )
        began = clock.monotonic_s()
        with stage.server(home, port, scratch / "server.log") as (url, token):
            outcome = _play(
                url,
                token,
                recording,
                target,
                confidence,
                min_judgements,
                max_judgements,
                audit_items,
                random.Random(seed),
                scratch,
                console,
            )
    _say(outcome, clock.monotonic_s() - began, console)
    if as_json:
        print(json.dumps(asdict(outcome), indent=1))
    return 0 if outcome.holds else 3


def _play(
    url: str,
    token: str,
    recording: Recording,
    target: float,
    confidence: float,
    min_judgements: int,
    max_judgements: int,
    audit_items: int,
    rng: random.Random,
    scratch: Path,
    console: Plain,
) -> Outcome:
    scene = stage.Scene(url, token)
    tenant = scene.organisation("Replay")
    scene.fund(tenant, _budget(recording))
    key = scene.key(tenant, "replay")
    names = sorted({worker for said in recording.votes.values() for worker in said})
    crowd = dict(zip(names, scene.crowd(names, [tenant]), strict=True))
    label = {value: {"kind": "choice", "values": [value]} for value in recording.classes}
    golds = set(rng.sample(sorted(recording.votes), min(GOLD_MOST, int(GOLD_SHARE * len(recording.votes)))))
    project = _prepare(
        key, recording, crowd, golds, target, confidence, min_judgements, max_judgements, audit_items, scratch, console
    )
    _label(url, key, project, recording, crowd, label, console)
    plan = {"items": audit_items, "confidence": confidence, "target_accuracy": target}
    made = stage.release(key, project, f"{recording.name}-1", "", plan)
    with _bars(console) as bars:
        bar = bars.add_task("audit, blind", total=made["audit"]["drawn"])
        stage.audit(key, made["id"], lambda ref: label[recording.truth[ref]], lambda: bars.advance(bar))
    release = key.post(f"/api/releases/{made['id']}/certify")
    files = moving.export_release(key, made["id"], "jsonl", scratch / "exports", None)
    return _measure(scene, key, project, release, files[1], recording, golds, crowd, url)


def _budget(recording: Recording) -> int:
    """Enough for every recorded judgement: price, fee and insurance."""
    return 2 * PRICE_MINOR * sum(len(said) for said in recording.votes.values())


def _bars(console: Plain) -> Progress:
    return Progress(
        TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )


def _prepare(
    key: Client,
    recording: Recording,
    crowd: dict[str, stage.Worker],
    golds: set[str],
    target: float,
    confidence: float,
    min_judgements: int,
    max_judgements: int,
    audit_items: int,
    scratch: Path,
    console: Plain,
) -> str:
    manifest = scratch / "tasks.jsonl"
    with manifest.open("w") as file:
        for task, said in recording.votes.items():
            row: dict[str, Any] = {
                **(recording.items.get(task) or {"ref": task, "text": f"{recording.name}, task {task}"}),
                "eligible": [crowd[worker].person for worker in said],
            }
            if task in golds:
                row["gold_label"] = {"kind": "choice", "values": [recording.truth[task]]}
            file.write(json.dumps(row) + "\n")
    dataset = key.post("/api/datasets", {"name": recording.name})
    state, _ = moving.import_path(key, dataset["id"], manifest, console)
    if state["accepted"] != len(recording.votes):
        raise invalid("replay-import", f"The import ended {state['state']}: {state}")
    ontology = key.post(
        "/api/ontologies",
        {
            "name": recording.name,
            "spec": {"kind": "choice", "classes": [{"name": one} for one in recording.classes]},
            "guidelines": {"en": "Recorded judgements; see the data's own source."},
        },
    )
    project: str = key.post(
        "/api/projects",
        {
            "name": recording.name,
            "dataset": dataset["id"],
            "ontology_version": ontology["version_id"],
            "plan": {
                "target_accuracy": target,
                "confidence": confidence,
                "min_judgements": min_judgements,
                "max_judgements": max_judgements,
                "gold_rate": 0.05,
                "audit_items": audit_items,
            },
            "offer": {"price_minor": PRICE_MINOR, "currency": "EUR", "estimate_median_s": 9, "estimate_p75_s": 13},
            "page_size": 50,
            "routing": "directed",
        },
    )["id"]
    moving.add_tasks(key, project, {"gold_share": 1.0}, None)
    budget = _budget(recording)
    key.post(f"/api/projects/{project}/allot", {"amount_minor": budget, "currency": "EUR"})
    key.post(f"/api/projects/{project}/launch")
    return project


def _label(
    url: str,
    key: Client,
    project: str,
    recording: Recording,
    crowd: dict[str, stage.Worker],
    label: dict[str, dict[str, Any]],
    console: Plain,
) -> None:
    done = threading.Event()
    turn = threading.Lock()
    order = list(crowd)
    state = {"next": 0, "idle": 0}

    def take() -> tuple[str, bool]:
        """The next worker in turn; whether a whole round went by with nothing to do."""
        with turn:
            worker = order[state["next"] % len(order)]
            state["next"] += 1
            return worker, state["idle"] >= len(order)

    def hand(_: int) -> None:
        client = Client(url)
        while not done.is_set():
            worker, idle = take()
            if idle:
                done.wait(0.2)
                with turn:
                    state["idle"] = 0

            def judge(task: dict[str, Any], worker: str = worker) -> tuple[dict[str, Any], float] | None:
                said = recording.votes[task["item"]["ref"]].get(worker)
                return None if said is None else (label[said], 9.0)

            client.become(crowd[worker].token)
            worked = stage.work_page(client, project, judge)
            with turn:
                state["idle"] = 0 if worked else state["idle"] + 1

    def watch() -> None:
        with _bars(console) as bars:
            bar = bars.add_task("label, settle", total=key.get(f"/api/projects/{project}")["counts"]["total"])
            experts = bars.add_task("adjudicate", total=None)
            while not done.is_set():
                counts = key.get(f"/api/projects/{project}")["counts"]
                bars.update(bar, completed=counts["settled"])
                if counts["escalated"]:
                    stage.adjudicate(
                        key, project, lambda ref: label[recording.truth[ref]], lambda: bars.advance(experts)
                    )
                if not counts["open"] + counts["collecting"] + counts["escalated"]:
                    done.set()
                clock.sleep(0.3)
            bars.update(experts, total=bars.tasks[experts].completed)

    def one(n: int) -> None:
        try:
            watch() if n == HANDS else hand(n)
        finally:
            done.set()

    stage.in_threads(HANDS + 1, one)


def _measure(
    scene: stage.Scene,
    key: Client,
    project: str,
    release: dict[str, Any],
    proof: Path,
    recording: Recording,
    golds: set[str],
    crowd: dict[str, stage.Worker],
    url: str,
) -> Outcome:
    view = key.get(f"/api/projects/{project}")
    checked = verifying.verify(proof)
    right = total = adjudicated = 0
    with zipfile.ZipFile(proof) as archive:
        for line in archive.read("rows.jsonl").splitlines():
            row = json.loads(line)
            total += 1
            right += row["label"]["values"] == [recording.truth[row["ref"]]]
            adjudicated += row["how"] == "adjudicated"
    tasks = [task for task in recording.votes if task not in golds]
    majority = sum(_majority(recording.votes[task]) == recording.truth[task] for task in tasks) / len(tasks)
    paid, seconds = 0, 0.0
    client = Client(url)
    for worker in crowd.values():
        client.become(worker.token)
        earned = client.get("/api/work/earnings")
        paid += sum(one["total_minor"] for one in earned["by_currency"])
        seconds += sum(one["seconds"] for one in earned["by_currency"])
    found = scene.operator.get("/api/ledger/check")
    wrong = [*checked.wrong, *(f"{one['rule']}: {one['detail']}" for one in found["violations"])]
    certificate = release["certificate"]
    if certificate["accuracy_lower_bound"] > right / total + 1e-12:
        wrong.append("the certified bound is above the true accuracy")
    return Outcome(
        recording.name,
        total,
        len(golds),
        view["judgements"],
        sum(len(recording.votes[task]) for task in tasks),
        sum(min(FIXED_VOTES, len(recording.votes[task])) for task in tasks),
        adjudicated,
        majority,
        right / total,
        certificate["accuracy_lower_bound"],
        certificate["confidence"],
        certificate["n"],
        certificate["errors"],
        certificate["target"],
        certificate["reached"],
        paid,
        seconds,
        not wrong,
        wrong,
    )


def _majority(said: dict[str, str]) -> str:
    counts = Counter(said.values())
    top = max(counts.values())
    return min(label for label, n in counts.items() if n == top)


def _say(outcome: Outcome, took_s: float, console: Plain) -> None:
    table = Table(title=f"Replay of {outcome.name}", show_header=False, title_justify="left")
    table.add_row("tasks", f"{outcome.tasks:,} + {outcome.gold} gold")
    table.add_row(
        "judgements",
        f"{outcome.judgements:,} with gold ({outcome.judgements / outcome.tasks:.2f} a task), against "
        f"{outcome.fixed_plan:,} of a fixed {FIXED_VOTES}-vote plan and {outcome.recorded:,} recorded",
    )
    table.add_row("adjudicated by the expert", f"{outcome.adjudicated:,}")
    reached = "reached" if outcome.reached else "not reached"
    table.add_row(
        "certified accuracy",
        f">= {math.floor(outcome.certified * 10_000 + 1e-9) / 100:.2f} % at {100 * outcome.confidence:g} % "
        f"({outcome.errors} errors in "
        f"{outcome.audited} audited; target {100 * outcome.target:g} % {reached})",
    )
    table.add_row("true accuracy", f"{100 * outcome.true_accuracy:.2f} %")
    table.add_row("majority of all recorded", f"{100 * outcome.majority_accuracy:.2f} %")
    table.add_row("paid to contributors", in_words(outcome.paid_minor, "EUR"))
    table.add_row(
        "hourly rate", f"{in_words(round(outcome.paid_minor * 3600 / max(outcome.seconds, 1)), 'EUR')} at 9 s each"
    )
    table.add_row("verify, ledger", "everything holds" if outcome.holds else "; ".join(outcome.wrong[:5]))
    console.print(table)
    console.print(f"Took {took_s:.0f} s.", highlight=False)
