"""`cupola quality …`: the engine on files, with no server and no database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
from cyclopts import App, Parameter
from rich.table import Table

from cupola.kernel.errors import Problem, invalid
from cupola.kernel.terminal import json_text
from cupola.quality import agreement as agree
from cupola.quality.aggregation import LEAST_COMPARED, Loss, aggregate, compared
from cupola.quality.choose import choose
from cupola.quality.cli_audit import audit
from cupola.quality.course import Prices
from cupola.quality.inference.base import Crowd, Duplicates
from cupola.quality.inference.codes import Codes
from cupola.quality.inference.coin_ds import coin_ds
from cupola.quality.kinds import Merged, OtherKind
from cupola.quality.picture import bars
from cupola.quality.plan import Range, forecast, worth_asking
from cupola.quality.pool import pool_from_pilot, pool_from_skill
from cupola.quality.readers import read_table, writable, write_table
from cupola.quality.simulate import World, simulate
from cupola.quality.terminal import bar, err, out

app = App(name="quality", help="Labels with an honest accuracy statement from files of judgements.")
app.command(audit)

Json = Annotated[bool, Parameter(name="--json", help="The figures as JSON on stdout, and no bar.")]
Columns = Annotated[str | None, Parameter(help="The column's name, when it is none of the usual ones.")]


def main(arguments: list[str] | None = None) -> int:
    """Run a command; a refusal goes to stderr with its remedy and gives exit code 2."""
    try:
        app(arguments, result_action="return_value")
    except Problem as problem:
        err.headed(problem.code, f": {problem.detail}", "bold")
        if problem.remedy:
            err.print(problem.remedy, soft_wrap=True)
        return 2
    return 0


def _remark(codes: Codes, json_out: bool) -> None:
    """What was odd in the table, to stderr."""
    for note in () if json_out else codes.notes:
        err.print(f"Note: {note}", soft_wrap=True, highlight=False)


def _say(document: dict[str, Any]) -> None:
    sys.stdout.write(json_text(document, 2) + "\n")


@app.command(name="aggregate")
def aggregate_command(
    judgements: Path,
    *,
    out_file: Annotated[Path, Parameter(name="--out")],
    kind: Annotated[OtherKind | Literal["choice"], Parameter(help="What a label is.")] = "choice",
    gold: Path | None = None,
    method: str = "auto",
    loss: Loss = "zero_one",
    duplicates: Duplicates = "refuse",
    workers_file: Annotated[Path | None, Parameter(name="--workers")] = None,
    task: Columns = None,
    worker: Columns = None,
    label: Columns = None,
    seed: int = 0,
    json_out: Json = False,
) -> None:
    """One label and a calibrated confidence for each task.

    Reads task, worker, label (CSV, TSV, Parquet, Label Studio JSON); writes task, label, confidence, judgements.
    Kinds: choice (one class) · text · box "x0 y0 x1 y1" · mask "WxH start+length …" · pairs, the task "left|right" or
    "query|left|right" and the label a, b or s(ame) · multilabel "cat|dog" · rating, a number.
    """
    writable(out_file)
    if workers_file is not None:
        writable(workers_file)
    with bar("reading", quiet=json_out):
        table = read_table(judgements)
        known = None if gold is None else read_table(gold)
    if kind != "choice":
        if known is not None or method != "auto":
            raise invalid("option-unused", f"--gold and --method are for choices, not for {kind}.", place="kind")
        with bar("merging", quiet=json_out):
            merged = aggregate(table, kind=kind, task=task, worker=worker, label=label)
        _write_merged(merged, out_file, workers_file, json_out)
        return
    with bar("aggregating", quiet=json_out) as told:
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
    if json_out:
        _say(
            {
                "tasks": result.crowd.n_tasks,
                "judgements": len(result.crowd),
                "workers": result.crowd.n_workers,
                "classes": result.crowd.n_classes,
                "method": result.method,
                "why": result.why,
                "rho": _finite(result.rho),
                "mean_confidence": _finite(np.mean(result.confidence)),
                "out": str(out_file),
                "notes": list(result.codes.notes),
            }
        )
        return
    _remark(result.codes, json_out)
    err.print(
        f"{result.crowd.n_tasks} tasks, {len(result.crowd)} judgements, {result.crowd.n_workers} workers, "
        f"{result.crowd.n_classes} classes. Method {result.method} ({result.why}); rho {result.rho:.2f}. "
        f"Mean confidence {np.mean(result.confidence):.1%}. Wrote {out_file}.",
        soft_wrap=True,
        highlight=False,
    )


def _write_merged(merged: Merged, out_file: Path, workers_file: Path | None, json_out: bool) -> None:
    if workers_file is not None and merged.workers is None:
        raise invalid("workers-untold", f"Merging {merged.kind} tells nothing of single workers.", place="--workers")
    write_table(merged.answers, out_file)
    if workers_file is not None and merged.workers is not None:
        write_table(merged.workers, workers_file)
    if json_out:
        _say(
            {
                "kind": merged.kind,
                "method": merged.method,
                "answers": merged.answers.num_rows,
                "judgements": merged.judgements,
                "out": str(out_file),
                "notes": list(merged.notes),
            }
        )
        return
    for note in merged.notes:
        err.print(f"Note: {note}", soft_wrap=True, highlight=False)
    err.print(
        f"{merged.answers.num_rows} answers from {merged.judgements} judgements ({merged.kind}: {merged.method}). "
        f"Wrote {out_file}.",
        soft_wrap=True,
        highlight=False,
    )


@app.command(name="agreement")
def agreement_command(
    judgements: Path,
    *,
    level: agree.Level = "nominal",
    order: Annotated[str | None, Parameter(help="The labels from the least to the most, with commas.")] = None,
    gold: Path | None = None,
    duplicates: Duplicates = "refuse",
    json_out: Json = False,
    task: Columns = None,
    worker: Columns = None,
    label: Columns = None,
) -> None:
    """Krippendorff's alpha, Gwet's AC1, Fleiss' kappa, and with gold the repeat rate, each with its 95 % interval."""
    with bar("reading", quiet=json_out):
        table, known = read_table(judgements), None if gold is None else read_table(gold)

        def read(classes: list[Any] | None) -> tuple[Crowd, Codes]:
            return Crowd.from_frame(
                table, gold=known, duplicates=duplicates, task=task, worker=worker, label=label, classes=classes
            )

        crowd, codes = read(None)
        wanted = None if order is None else [name.strip() for name in order.split(",")]
        in_order = agree.ordered(codes.labels, wanted, level)
        if in_order is not None:
            crowd, codes = read(in_order)
        values = agree.values_of(codes.labels, level)
    _remark(codes, json_out)
    figures: dict[str, agree.Interval] = {}
    with bar("drawing again for the intervals", quiet=json_out) as told:
        told(0, 4, "alpha")
        figures[f"alpha ({level})"] = agree.alpha(crowd, level, values=values)
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
            name: {"value": _finite(figure.value), "low": _finite(figure.low), "high": _finite(figure.high)}
            for name, figure in figures.items()
        }
        document["notes"] = list(codes.notes)
        document["alpha by class"] = {
            str(name): _finite(value) for name, value in zip(codes.labels, of_class, strict=True)
        }
        _say(document)
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
    json_out: Json = False,
) -> None:
    """Every method on your golds, cross-validated: none is scored by a fit or a calibration that saw the answer."""
    crowd, _ = Crowd.from_frame(
        read_table(judgements), gold=read_table(gold), duplicates=duplicates, task=task, worker=worker, label=label
    )
    with bar("fitting every method", quiet=json_out) as told:
        choice = choose(crowd, crowd.gold, seed=seed, told=told)
    if not choice.scores:
        raise invalid("golds-few", choice.why, remedy="Label more tasks by an expert first.", place="gold")
    if picture is not None:
        rows = [
            (score.method, score.log_loss, max(score.log_loss - score.error, 0.0), score.log_loss + score.error)
            for score in choice.scores
        ]
        picture.write_text(bars(rows, "Log-loss on golds, cross-validated", "nats a task; less is better"), "utf-8")
    if json_out:
        methods = [
            {
                "method": score.method,
                "log_loss": _finite(score.log_loss),
                "error": _finite(score.error),
                "accuracy": _finite(score.accuracy),
                "rho": _finite(score.rho),
                "golds": score.golds,
                "lead": _finite(score.lead),
                "lead_error": _finite(score.lead_error),
            }
            for score in choice.scores
        ]
        _say({"auto": choice.method, "why": choice.why, "methods": methods})
        return
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
    vote_cost: Annotated[float, Parameter(help="Of one judgement, everything included.")] = 1.0,
    expert_cost: Annotated[float, Parameter(help="Of one expert's answer, in the same unit.")] = 10.0,
    seed: int = 0,
    json_out: Json = False,
) -> None:
    """How many judgements, expert answers and audited items a target accuracy will take, from a pilot or a guess.

    Says too what an item will cost, and whether the crowd is worth asking at all.
    """
    prices = Prices(vote_cost, expert_cost)
    if pilot is None:
        pool = pool_from_skill(classes, skill)
        with bar("forecasting", quiet=json_out) as told:
            result = forecast(
                items, pool, target, confidence=confidence, max_votes=max_votes, prices=prices, seed=seed, told=told
            )
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
        with bar("drawing the pilot again", quiet=json_out) as told:
            result = forecast(
                items,
                pool,
                target,
                confidence=confidence,
                max_votes=max_votes,
                pilot=crowd,
                prices=prices,
                seed=seed,
                told=told,
            )
    worth = worth_asking(pool, target, vote_cost=vote_cost, expert_cost=expert_cost, max_votes=max_votes, seed=seed)
    if json_out:
        _say(
            {
                "ask_crowd": worth.ask_crowd,
                "cost_per_item": _finite(worth.cost),
                "cost_with_crowd": _finite(worth.course.cost),
                "why": worth.why,
                "judgements": _span(result.judgements),
                "experts": _span(result.experts),
                "threshold": result.threshold,
                "audit_items": result.audit_items,
                "audit_allowed": result.audit_allowed,
                "reachable": result.reachable,
                "basis": result.basis,
            }
        )
        return
    shown = Table("", "low", "likely", "high")
    shown.add_row("judgements", *_row(result.judgements))
    shown.add_row("expert answers", *_row(result.experts))
    out.print(shown)
    audited = "no audit can prove it" if result.audit_items is None else f"{result.audit_items} audited items"
    out.print(
        f"{'Ask the crowd' if worth.ask_crowd else 'Ask experts alone'}: {worth.why}.", soft_wrap=True, highlight=False
    )
    out.print(
        f"From {result.basis}. Nothing settles below a confidence of {result.threshold:.3f}; then {audited} "
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
    json_out: Json = False,
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
    with bar("drawing the crowd", quiet=json_out) as told:
        drawn = simulate(world, seed)
        crowd = drawn.crowd
        told(1, 2, "writing")
        said = pa.table({"task": crowd.task, "worker": crowd.worker, "label": crowd.label})
        write_table(said, out_dir / "labels.csv")
        write_table(pa.table({"task": np.arange(tasks), "label": drawn.truth}), out_dir / "truth.csv")
        write_table(pa.table({"worker": np.arange(crowd.n_workers), "kind": list(drawn.kind)}), out_dir / "workers.csv")
    if json_out:
        _say({"tasks": tasks, "judgements": len(crowd), "workers": crowd.n_workers, "out": str(out_dir)})
        return
    err.print(f"{len(crowd)} judgements by {crowd.n_workers} workers in {out_dir}.", highlight=False)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _finite(value: float | np.floating[Any] | None) -> float | None:
    """JSON knows neither NaN nor infinity."""
    return float(value) if value is not None and np.isfinite(value) else None


def _span(span: Range) -> dict[str, int]:
    return {"low": round(span.low), "likely": round(span.likely), "high": round(span.high)}


def _row(values: Range) -> tuple[str, str, str]:
    return f"{values.low:,.0f}", f"{values.likely:,.0f}", f"{values.high:,.0f}"
