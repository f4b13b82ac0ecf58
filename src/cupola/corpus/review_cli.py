"""`cupola refine sample` and `review`: people's judgement of a run, with files alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter
from rich.table import Table

from cupola.corpus import review
from cupola.corpus.engine.files import appearing, read_json, write_json
from cupola.corpus.say import Json, out_, say
from cupola.kernel.errors import invalid

Run = Annotated[Path, Parameter(help="The folder of a finished run.")]
Kept = Annotated[int, Parameter(help="How many, at random of what stays: the residual is measured by these.")]
Dropped = Annotated[int, Parameter(help="How many, at random of what rules took.")]
Doubtful = Annotated[int, Parameter(help="How many whose score lies nearest to its bound.")]
Seed = Annotated[int, Parameter(help="Chosen after the run has ended.")]
PLACE, REVIEW, LABELS = "review", "review.json", "labels.jsonl"


def register(app: App) -> None:
    """Add the commands to `cupola refine`."""
    app.command(sample_command, name="sample")
    app.command(review_command, name="review")


def sample_command(
    run: Run,
    *,
    kept: Kept = review.KEPT,
    dropped: Dropped = review.DROPPED,
    doubtful: Doubtful = review.DOUBTFUL,
    seed: Seed = 0,
    json_out: Json = False,
) -> None:
    """Draw what people are asked about: RUN/review/items.jsonl has a ref and a text for each, and nothing that tells
    what became of it. `cupola refine label` draws too, and makes a project of it."""
    plan = review.draw(run, kept=kept, dropped=dropped, doubtful=doubtful, seed=seed)
    path = review.write(plan, run / PLACE)
    if json_out:
        say({"items": len(plan.items), "file": str(path), "of": plan.of})
    else:
        out_.print(f"{len(plan.items)} documents; {path}", highlight=False, soft_wrap=True)


def finished(run: Path, labels: Mapping[str, str]) -> review.Review:
    """Hold labels against the sample of a run; leaves RUN/review.json, and RUN/review/labels.jsonl for `learn`."""
    plan = read_json(run / PLACE / "plan.json", review.Plan)
    if plan is None:
        raise invalid("no-sample", f"Nothing was drawn of {run}.", place=str(run),
                      remedy=f"cupola refine sample {run}")  # fmt: skip
    digest = hashlib.sha256(json.dumps(sorted(labels.items())).encode()).hexdigest()
    found, rows = review.finish(run, plan, labels, digest)
    with appearing(run / PLACE / LABELS) as part, part.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_json(run / REVIEW, found)
    return found


def review_command(
    run: Run,
    labels: Annotated[Path, Parameter(help="A release as `cupola export` left it, or JSON lines of ref and label.")],
    *,
    json_out: Json = False,
) -> None:
    """Say what people's labels say of a run: what is left in what was kept, with an interval, and how much of what each
    rule took is good. The labels, with their texts, are then in RUN/review/labels.jsonl: for `learn`, and `report`.
    """
    found = finished(run, dict(review.labels_of(labels)))
    if json_out:
        say(msgspec.to_builtins(found))
        return
    out_.print(f"of {found.judged} kept documents {found.bad} are bad: {found.share:.1%} ({found.low:.1%} to "
               f"{found.high:.1%}); residual pollution at most {found.at_most:.1%} at 95 % confidence"
               + (f", {found.unlabelled} without a label counted as bad" if found.unlabelled else ""),
               highlight=False, soft_wrap=True)  # fmt: skip
    if found.kinds:
        out_.print("of these " + ", ".join(f"{kind} {times}" for kind, times in found.kinds.items()), highlight=False,
                   markup=False)  # fmt: skip
    table = Table("taken by", "judged", "good", "95 % interval")
    for rule, one in sorted(found.good_dropped.items(), key=lambda pair: -pair[1].share):
        table.add_row(rule, str(one.judged), f"{one.share:.0%}", f"{one.low:.0%} to {one.high:.0%}")
    if found.good_dropped:
        out_.print(table)
