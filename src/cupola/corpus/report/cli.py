"""`cupola refine report`."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from cupola.corpus.engine.units import Columns, Documents
from cupola.corpus.report.filling import filled
from cupola.corpus.report.gather import SAMPLE, Report, gather
from cupola.corpus.say import IdColumn, out_


def register(app: App) -> None:
    """Add the command to `cupola refine`."""
    app.command(report_command, name="report")


def page(report: Report) -> str:
    """The report as one file of HTML."""
    return filled(resources.files("cupola.corpus.report").joinpath("page.html").read_text("utf-8"), report)


def report_command(
    run: Annotated[Path, Parameter(help="The folder of a finished run.")],
    *,
    out: Annotated[Path, Parameter(name="--out", help="The file (.html).")],
    sample: Annotated[int, Parameter(help="How many documents the histograms are of.")] = SAMPLE,
    labels: Annotated[
        Path | None, Parameter(help="What people say of documents: a file with their ids and labels.")
    ] = None,
    label: Annotated[str, Parameter(help="The column of the label; `good` is what is wanted.")] = "label",
    id_: IdColumn = "id",
) -> None:
    """Write a report of a run as one file that needs no network: what went and why, with samples, groups of copies,
    and what other thresholds would do. The input has to lie where the run has read it."""
    known: dict[str, bool] = {}
    if labels is not None:
        for rows in Documents([labels], Columns(label, id_)).batches():
            known.update(zip(rows.ids, (one == "good" for one in rows.texts.to_pylist()), strict=True))
    out.write_text(page(gather(run, sample, known)), "utf-8")
    out_.print(f"{out}", highlight=False, soft_wrap=True)
