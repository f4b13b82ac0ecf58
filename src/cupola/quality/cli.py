"""`cupola quality …`: the engine on files, with no server and no database."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cupola.kernel.errors import Problem, invalid
from cupola.quality import agreement as agree
from cupola.quality.aggregation import LEAST_COMPARED, Loss, aggregate, compared
from cupola.quality.certify.document import AuditPlan, Finding, Outcome, PlanKind, build, check
from cupola.quality.certify.draw import draw, hash_of_ids, hash_of_labels
from cupola.quality.certify.fixed import sample_size_for_power
from cupola.quality.certify.page import Language, page
from cupola.quality.choose import choose
from cupola.quality.inference.base import Crowd, Duplicates
from cupola.quality.inference.codes import LABEL_COLUMNS, TASK_COLUMNS, find_column
from cupola.quality.inference.coin_ds import coin_ds
from cupola.quality.picture import bars
from cupola.quality.plan import Range, forecast, pool_from_pilot, pool_from_skill
from cupola.quality.progress import Told
from cupola.quality.readers import read_table, writable, write_table
from cupola.quality.simulate import World, simulate

app = App(name="quality", help="Labels with an honest accuracy statement from files of judgements.")
audit = App(name="audit", help="Draw an audit sample, judge it, and write the certificate.")
app.command(audit)

out = Console()
err = Console(stderr=True)

Columns = Annotated[str | None, Parameter(help="The column's name, when it is none of the usual ones.")]


def main(arguments: list[str] | None = None) -> int:
    """Run a command; a refusal goes to stderr with its remedy and gives exit code 2."""
    try:
        app(arguments, result_action="return_value")
    except Problem as problem:
        err.print(f"[bold]{problem.code}[/]: {problem.detail}", soft_wrap=True)
        if problem.remedy:
            err.print(problem.remedy, soft_wrap=True)
        return 2
    return 0


@contextmanager
def bar(what: str, *, quiet: bool = False) -> Iterator[Told]:
    """A bar on stderr where a person looks at a terminal, nothing in a pipe or when quiet."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=quiet or not err.is_terminal) as progress:
        task = progress.add_task(what, total=None)

        def told(done: int, total: int, now: str) -> None:
            progress.update(task, completed=done, total=total, description=f"{what}: {now}" if now else what)

        yield told


@app.command(name="aggregate")
def aggregate_command(
    judgements: Path,
    *,
    out_file: Annotated[Path, Parameter(name="--out")],
    gold: Path | None = None,
    method: str = "auto",
    loss: Loss = "zero_one",
    duplicates: Duplicates = "refuse",
    workers_file: Annotated[Path | None, Parameter(name="--workers")] = None,
    task: Columns = None,
    worker: Columns = None,
    label: Columns = None,
    seed: int = 0,
) -> None:
    """One label and a calibrated confidence for each task.

    Reads task, worker, label (CSV, TSV, Parquet, Label Studio JSON); writes task, label, confidence, judgements.
    """
    writable(out_file)
    if workers_file is not None:
        writable(workers_file)
    with bar("reading"):
        table = read_table(judgements)
        known = None if gold is None else read_table(gold)
    with bar("aggregating") as told:
        result = aggregate(
            table,
            method=method,
            gold=known,
            loss=loss,
            duplicates=duplicates,
            task=task,
            worker=worker,
            label=label,
            seed=seed,
            told=told,
        )
    write_table(result.to_arrow(), out_file)
    if workers_file is not None:
        write_table(result.workers(), workers_file)
    err.print(
        f"{result.crowd.n_tasks} tasks, {len(result.crowd)} judgements, {result.crowd.n_workers} workers, "
        f"{result.crowd.n_classes} classes. Method {result.method} ({result.why}); rho {result.rho:.2f}. "
        f"Mean confidence {np.mean(result.confidence):.1%}. Wrote {out_file}.",
        soft_wrap=True,
        highlight=False,
    )


@app.command(name="agreement")
def agreement_command(
    judgements: Path,
    *,
    level: agree.Level = "nominal",
    gold: Path | None = None,
    duplicates: Duplicates = "refuse",
    json_out: Annotated[bool, Parameter(name="--json")] = False,
    task: Columns = None,
    worker: Columns = None,
    label: Columns = None,
) -> None:
    """Krippendorff's alpha, Gwet's AC1, Fleiss' kappa, and with gold the repeat rate, each with its 95 % interval."""
    with bar("reading", quiet=json_out):
        crowd, codes = Crowd.from_frame(
            read_table(judgements),
            gold=None if gold is None else read_table(gold),
            duplicates=duplicates,
            task=task,
            worker=worker,
            label=label,
        )
    figures: dict[str, agree.Interval] = {}
    with bar("drawing again for the intervals", quiet=json_out) as told:
        told(0, 4, "alpha")
        figures[f"alpha ({level})"] = agree.alpha(crowd, level)
        told(1, 4, "AC1")
        figures["AC1"] = agree.ac1(crowd)
        told(2, 4, "kappa")
        figures["Fleiss' kappa"] = agree.fleiss_kappa(crowd)
        if crowd.gold is not None:
            told(3, 4, "repeat rate")
            figures["repeat rate r"] = agree.repeat_rate(crowd, crowd.gold)
        of_class = agree.by_class(crowd)
    if json_out:
        document: dict[str, Any] = {
            name: {"value": figure.value, "low": figure.low, "high": figure.high} for name, figure in figures.items()
        }
        document["alpha by class"] = {
            str(name): None if np.isnan(value) else float(value)
            for name, value in zip(codes.labels, of_class, strict=True)
        }
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        return
    shown = Table("figure", "value", "95 % interval")
    for name, figure in figures.items():
        shown.add_row(name, _number(figure.value), f"{_number(figure.low)} .. {_number(figure.high)}")
    for name, value in zip(codes.labels, of_class, strict=True):
        shown.add_row(f"alpha of {name}", "-" if np.isnan(value) else f"{value:.3f}", "")
    out.print(shown)


@app.command(name="compare")
def compare_command(
    judgements: Path,
    *,
    gold: Path,
    picture: Path | None = None,
    duplicates: Duplicates = "refuse",
    task: Columns = None,
    worker: Columns = None,
    label: Columns = None,
    seed: int = 0,
) -> None:
    """Every method on your golds, cross-validated: none is scored by a fit or a calibration that saw the answer."""
    crowd, _ = Crowd.from_frame(
        read_table(judgements), gold=read_table(gold), duplicates=duplicates, task=task, worker=worker, label=label
    )
    with bar("fitting every method") as told:
        choice = choose(crowd, crowd.gold, seed=seed, told=told)
    if not choice.scores:
        raise invalid("golds-few", choice.why, remedy="Label more tasks by an expert first.", place="gold")
    shown = Table("method", "log-loss", "± s.e.", "accuracy", "rho", "against the default")
    for score in sorted(choice.scores, key=lambda score: score.log_loss):
        shown.add_row(
            score.method,
            f"{score.log_loss:.4f}",
            f"{score.error:.4f}",
            f"{score.accuracy:.2%}",
            f"{score.rho:.2f}",
            f"{score.lead:+.4f} ± {score.lead_error:.4f}",
        )
    out.print(shown)
    out.print(f"auto takes {choice.method}: {choice.why}.", soft_wrap=True, highlight=False)
    if picture is not None:
        rows = [
            (score.method, score.log_loss, max(score.log_loss - score.error, 0.0), score.log_loss + score.error)
            for score in choice.scores
        ]
        picture.write_text(bars(rows, "Log-loss on golds, cross-validated", "nats a task; less is better"), "utf-8")


@app.command(name="plan")
def plan_command(
    items: int,
    target: float,
    *,
    pilot: Path | None = None,
    gold: Path | None = None,
    skill: float = 0.85,
    classes: int = 2,
    confidence: float = 0.95,
    max_votes: int = 5,
    seed: int = 0,
) -> None:
    """How many judgements, expert answers and audited items a target accuracy will take, from a pilot or a guess."""
    if pilot is None:
        guessed = pool_from_skill(classes, skill)
        with bar("forecasting") as told:
            result = forecast(items, guessed, target, confidence=confidence, max_votes=max_votes, seed=seed, told=told)
    else:
        crowd, _ = Crowd.from_frame(read_table(pilot), gold=None if gold is None else read_table(gold))
        if compared(crowd) < LEAST_COMPARED:
            raise invalid(
                "pilot-uncompared",
                f"Of the pilot's judgements {compared(crowd)} stand beside another one of the same task, or gold; "
                f"{LEAST_COMPARED} are the least from which anything can be foretold.",
                remedy="Have some tasks judged twice, give gold, or plan from a guess: --skill instead of --pilot.",
                place=str(pilot),
            )
        choice = choose(crowd, crowd.gold, candidates=("coin_ds",), default="coin_ds", seed=seed)
        pool = pool_from_pilot(coin_ds(crowd), crowd, choice.rho)
        with bar("drawing the pilot again") as told:
            result = forecast(
                items, pool, target, confidence=confidence, max_votes=max_votes, pilot=crowd, seed=seed, told=told
            )
    shown = Table("", "low", "likely", "high")
    shown.add_row("judgements", *_row(result.judgements))
    shown.add_row("expert answers", *_row(result.experts))
    out.print(shown)
    audited = "no audit can prove it" if result.audit_items is None else f"{result.audit_items} audited items"
    out.print(
        f"From {result.basis}. Settle at a confidence of {result.threshold:.3f}; then {audited} "
        f"(at most {result.audit_allowed} errors) prove {target:.2%} at {confidence:.0%} with 90 % probability.",
        soft_wrap=True,
        highlight=False,
    )


@app.command(name="simulate")
def simulate_command(
    out_dir: Path,
    *,
    tasks: int = 1_000,
    classes: int = 4,
    base_error: float = 0.15,
    repeat: float = 0.3,
    low_votes: int = 3,
    high_votes: int = 5,
    spammers: int = 2,
    ring: int = 0,
    seed: int = 0,
) -> None:
    """Write a simulated crowd: labels.csv, truth.csv and workers.csv in a folder."""
    world = World(
        tasks=tasks,
        classes=classes,
        votes=(low_votes, high_votes),
        base_error=base_error,
        repeat=repeat,
        mix={"expert": 3, "ordinary": 30, "biased": 5, "spammer": spammers, "ring": ring},
        ring_tasks=80 if ring else 0,
    )
    with bar("drawing the crowd") as told:
        drawn = simulate(world, seed)
        crowd = drawn.crowd
        told(1, 2, "writing")
        said = pa.table({"task": crowd.task, "worker": crowd.worker, "label": crowd.label})
        write_table(said, out_dir / "labels.csv")
        write_table(pa.table({"task": np.arange(tasks), "label": drawn.truth}), out_dir / "truth.csv")
        write_table(pa.table({"worker": np.arange(crowd.n_workers), "kind": list(drawn.kind)}), out_dir / "workers.csv")
    err.print(f"{len(crowd)} judgements by {crowd.n_workers} workers in {out_dir}.", highlight=False)


@audit.command(name="draw")
def audit_draw(
    labels: Path,
    *,
    seed: str,
    out_file: Annotated[Path, Parameter(name="--out")],
    n: int | None = None,
    target: float = 0.99,
    confidence: float = 0.95,
    expected_error: float | None = None,
    kind: PlanKind = "fixed",
) -> None:
    """Draw the sample of a frozen release, and write the plan with the hashes that bind it.

    labels: a table of task and label. Without n, as many as prove the target with 90 % probability when the true
    error is expected_error (a tenth of the limit unless given).
    """
    limit = 1.0 - target
    with bar("drawing the sample") as told:
        frozen = _labels(labels)
        told(1, 3, "planning its size")
        if n is None:
            expected = limit / 10 if expected_error is None else expected_error
            n, _ = sample_size_for_power(limit, expected, 0.9, confidence, len(frozen))
        told(2, 3, "hashing")
        drawn = draw(sorted(frozen), min(n, len(frozen)), seed)
    document = {
        "release": labels.stem,
        "items": len(frozen),
        "ids_sha256": hash_of_ids(frozen),
        "labels_sha256": hash_of_labels(frozen),
        "plan": {"kind": kind, "n": n, "limit": round(limit, 12), "confidence": confidence, "seed": seed},
        "drawn": drawn,
    }
    out_file.write_text(json.dumps(document, ensure_ascii=False, indent=1), "utf-8")
    err.print(f"{len(drawn)} of {len(frozen)} items drawn; the plan is in {out_file}.", highlight=False)


@audit.command(name="judge")
def audit_judge(plan: Path, answers: Path, labels: Path, *, out_file: Annotated[Path, Parameter(name="--out")]) -> None:
    """Compare the auditors' answers with the frozen labels.

    answers: a table of task and label by the auditors ("undecidable" where they cannot settle), and a second column
    `second` for a second auditor's answer, where there was one. Writes item, outcome, first, second.
    """
    document = _plan(plan)
    frozen = _labels(labels)
    if hash_of_labels(frozen) != document["labels_sha256"]:
        raise invalid(
            "labels-changed",
            f"{labels} is not the release that was frozen for {plan}.",
            remedy="Audit the frozen file; what was corrected since goes into the next release.",
            place=str(labels),
        )
    table = read_table(answers)
    said = _pairs(table, answers)
    second = _pairs(table, answers, "second") if "second" in table.column_names else {}
    rows: list[dict[str, Any]] = []
    for item in document["drawn"]:
        if item not in said:
            if document["plan"]["kind"] == "sequential":
                break
            raise invalid(
                "audit-unanswered",
                f"{answers} has no answer for the drawn item {item!r}.",
                remedy="Answer every drawn item; where it cannot be decided, 'undecidable'.",
                place=str(answers),
            )
        rows.append(
            {
                "item": item,
                "outcome": _outcome(said[item], frozen[item]),
                "first": _outcome(said[item], frozen[item]) if item in second else None,
                "second": _outcome(second[item], frozen[item]) if item in second else None,
            }
        )
    out_file.write_text(json.dumps(rows, ensure_ascii=False, indent=1), "utf-8")
    err.print(f"{len(rows)} findings in {out_file}.", highlight=False)


@audit.command(name="report")
def audit_report(
    plan: Path,
    findings: Path,
    labels: Path,
    *,
    out_file: Annotated[Path, Parameter(name="--out")],
    html: Path | None = None,
    language: Language = "en",
) -> None:
    """Write the certificate (JSON, and HTML when asked) that the findings support."""
    document = _plan(plan)
    fields = document["plan"]
    declared = AuditPlan(fields["kind"], fields["n"], fields["limit"], fields["confidence"], fields["seed"])
    found = [Finding(row["item"], row["outcome"], row.get("first"), row.get("second")) for row in _json(findings)]
    frozen = _labels(labels)
    if hash_of_labels(frozen) != document["labels_sha256"]:
        raise invalid("labels-changed", f"{labels} is not the release that was frozen for {plan}.", place=str(labels))
    certificate = build(frozen, found, declared, release=document["release"])
    out_file.write_text(json.dumps(certificate, ensure_ascii=False, indent=1), "utf-8")
    if html is not None:
        html.write_text(page(certificate, language), "utf-8")
    out.print(certificate["statement"], soft_wrap=True, highlight=False)


@audit.command(name="check")
def audit_check(certificate: Path, labels: Path) -> None:
    """Compute a certificate again from the released labels; exit code 2 when anything does not hold."""
    wrong = check(_json(certificate), _labels(labels))
    unsigned = "The certificate is not signed."
    for line in wrong:
        err.print(line, soft_wrap=True, highlight=False)
    if [line for line in wrong if line != unsigned]:
        raise invalid("certificate-wrong", "The certificate does not hold.", place=str(certificate))
    out.print("The certificate holds: hashes, draw and bound were computed again.", highlight=False)


def _labels(path: Path) -> dict[str, str]:
    return _pairs(read_table(path), path)


def _pairs(table: pa.Table, path: Path, column: str | None = None) -> dict[str, str]:
    """task -> label as text; empty cells are left out."""
    tasks = table[find_column(table, None, TASK_COLUMNS, "task")].to_pylist()
    labels = table[find_column(table, column, LABEL_COLUMNS, "label")].to_pylist()
    pairs: dict[str, str] = {}
    for row, (task, label) in enumerate(zip(tasks, labels, strict=True)):
        if label is None or task is None:
            continue
        if str(task) in pairs:
            raise invalid("item-twice", f"{path}, row {row}: {task!r} is there twice.", place=f"row {row}")
        pairs[str(task)] = str(label)
    return pairs


def _outcome(said: str, label: str) -> Outcome:
    if said.strip().lower() == "undecidable":
        return "undecidable"
    return "right" if said == label else "wrong"


def _plan(path: Path) -> dict[str, Any]:
    document = _json(path)
    if not isinstance(document, dict) or "drawn" not in document:
        raise invalid("plan-unreadable", f"{path} is not a plan written by `audit draw`.", place=str(path))
    return document


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise invalid("file-absent", f"{path} cannot be read: {error.strerror}.", place=str(path)) from error
    except ValueError as error:
        raise invalid("file-unreadable", f"{path} is not JSON: {error}.", place=str(path)) from error


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _row(values: Range) -> tuple[str, str, str]:
    return f"{values.low:,.0f}", f"{values.likely:,.0f}", f"{values.high:,.0f}"
