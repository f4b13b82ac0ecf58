"""`cupola convert`: annotations from one format to another, in files, with no server."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from cupola.formats import whole
from cupola.formats.convert import Counts, divided, lay, shares_from, watched, written
from cupola.formats.report import Report
from cupola.formats.table import FORMS, named, recognised
from cupola.formats.tree import Files, Folder, Joined, Pictures, Zip
from cupola.kernel.errors import invalid
from cupola.kernel.terminal import Plain, json_text

out, err = Plain(), Plain(stderr=True)
REPORT = "dropped.json"
AUTO = "auto"


def convert(
    source: Path,
    to_folder: Path,
    *,
    to: Annotated[str, Parameter(help="The format to write.")],
    from_: Annotated[str, Parameter(name="--from", help="The format to read; auto finds out.")] = AUTO,
    pictures: Annotated[Path | None, Parameter(help="Where the pictures lie, if not beside the annotations.")] = None,
    no_pictures: Annotated[bool, Parameter(name="--no-pictures", negative="", help="Write annotations alone.")] = False,
    split: Annotated[str, Parameter(help='Divide anew: shares of train, val and test ("80/10/10").')] = "",
    by_group: Annotated[
        bool, Parameter(name="--by-group", negative="", help="Items of one folder stay in one part.")
    ] = False,
    json_: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")] = False,
) -> int:
    """Turn annotations of one format into another, without a server; what is lost is counted and told.

    Parameters
    ----------
    source
        A folder, a zip or a file.
    to_folder
        A new or empty folder.
    """
    files = opened(source, pictures)
    form = named(recognised(files).form if from_ == AUTO else from_)
    target = named(to)
    if to_folder.exists() and (not to_folder.is_dir() or any(to_folder.iterdir())):
        raise invalid(
            "folder-not-empty",
            f"{to_folder} is there already and not empty.",
            place=str(to_folder),
            remedy="Name a new folder.",
        )
    shares = shares_from(split, by_group) if split else None
    report, counts = Report(), Counts()
    reading = whole.read(form, files, report)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=json_ or not err.is_terminal) as bar:
        task = bar.add_task(f"{form.title} to {target.title}")
        reading.items = divided(
            watched(reading.items, lambda: bar.update(task, description=f"{counts.items:,} items")), shares
        )
        outs = written(reading, target, report, counts, title=files.title, pictures=Pictures(files))
        lay(outs, files, to_folder, counts, pictures=not no_pictures)
    told = {"from": form.name, "to": target.name, **asdict(counts), "classes": reading.classes.names,
            "dropped": report.plain()}  # fmt: skip
    to_folder.mkdir(parents=True, exist_ok=True)
    (to_folder / REPORT).write_text(json.dumps(told, ensure_ascii=False, indent=1), "utf-8")
    if json_:
        print(json_text(told))
        return 0
    out.print(
        f"{form.title} to {target.title}: {counts.items:,} items, {counts.objects:,} objects, "
        f"{len(reading.classes)} classes, {counts.pictures:,} pictures into {to_folder}",
        highlight=False,
        soft_wrap=True,
    )
    show_dropped(report)
    return 0


def opened(source: Path, pictures: Path | None = None) -> Files:
    """The files of a path. Raises Problem (INVALID) for one that is not there."""
    files: Files = Zip(source, title=source.stem) if source.suffix.lower() == ".zip" else Folder(source)
    return files if pictures is None else Joined(files, Folder(pictures))


def show_dropped(report: Report) -> None:
    if not report.dropped:
        out.print("Nothing was left out.")
        return
    table = Table("left out, or taken otherwise", "how often", "first met at")
    for one in report.dropped:
        table.add_row(one.words["en"], f"{one.count:,}", one.example)
    out.print(table)


def formats_() -> None:
    """List the formats that are read and written."""
    table = Table("name", "format", "written", "for")
    for form in FORMS.values():
        table.add_row(form.name, form.title, "yes" if form.writes else "no", form.about["en"])
    out.print(table)
