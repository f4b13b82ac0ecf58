"""`cupola refine pictures`."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from cupola.corpus.engine import distribute
from cupola.corpus.engine.run import Manifest
from cupola.corpus.pictures import near, report, run, signals
from cupola.corpus.rules import RuleSet, load
from cupola.corpus.say import EXIT_PARTLY, Json, err, out_, say
from cupola.kernel.errors import invalid


def register(app: App) -> None:
    """Add the command to `cupola refine`."""
    app.command(pictures_command, name="pictures")


def rules_of(names: list[str]) -> tuple[RuleSet, ...]:
    """Presets of pictures and files of rules. Raises Problem (INVALID), also for what only texts have."""
    sets = tuple(load(name, run.PRESETS, signals.SIGNALS, "pictures/presets") for name in names)
    for one in sets:
        for rule in one.rules:
            if rule.applies != "all" or rule.from_lines:
                raise invalid("rule-of-texts", f"{one.name}: {rule.rule} asks for lines or scripts.",
                              place=rule.rule, remedy="Leave out `for` and `from_lines` here.")  # fmt: skip
    return sets


@contextmanager
def _progress(quiet: bool) -> Iterator[run.Told]:
    columns = (TextColumn("looking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=quiet or not err.is_terminal) as bar:
        task = bar.add_task("looking", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def pictures_command(
    folders: Annotated[list[Path], Parameter(help="Folders of pictures, looked through to the bottom, or files.")],
    *,
    out: Annotated[Path, Parameter(name="--out", help="A new folder, or one where the same run was begun.")],
    rules: Annotated[
        list[str] | None, Parameter(name="--rules", help="A preset (photos) or a file of rules; `none` for none.")
    ] = None,
    near_: Annotated[
        float, Parameter(name="--near", help="The least similarity of a copy to the one that stays; 0 leaves copies.")
    ] = near.LEAST_SIMILARITY,
    embeddings: Annotated[
        Path | None,
        Parameter(help="A Parquet file with the columns ref and embedding: copies are told by their cosine."),
    ] = None,
    report_: Annotated[Path | None, Parameter(name="--report", help="Write a page (.html) with what went.")] = None,
    keep: Annotated[
        Path | None, Parameter(help="A new folder in which what stays is laid, as links: it takes no room.")
    ] = None,
    partitions: Annotated[int | None, Parameter(help="How many processes look at pictures; the cores.")] = None,
    json_out: Json = False,
) -> int:
    """Refine a collection of pictures: what shows nothing, what cannot be read, copies. Nothing of it is changed.

    OUT then has kept/ (a list of what stays), removals/ (why each other one went), documents/ (what
    was measured of all) and manifest.json; explain, diff and verify work as for texts. A run that was ended goes on
    when the same command is given again.
    """
    names = [name for name in (rules or ["photos"]) if name != "none"]
    entries = run.found(folders)
    given = None if embeddings is None else run.embeddings(embeddings)
    engine = distribute.engine("native", partitions or len(os.sched_getaffinity(0)))
    try:
        with _progress(json_out) as told:
            done = run.run(entries, out, rules_of(names), near_ or None, given, engine, told)
    finally:
        engine.close()
    if report_ is not None:
        report_.write_text(report.page(out), "utf-8")
    if keep is not None:
        run.lay(out, keep)
    if json_out:
        say({**msgspec.to_builtins(done), "report": None if report_ is None else str(report_)})
    else:
        _print(done, out, report_, keep)
    return EXIT_PARTLY if done.refusals else 0


def _print(done: Manifest, out: Path, page: Path | None, keep: Path | None) -> None:
    share = done.removed / done.read
    out_.print(f"{done.read} pictures read ({done.read_bytes / 1e6:.1f} MB): {done.kept} kept "
               f"({done.kept_bytes / 1e6:.1f} MB), {done.removed} ({share:.1%}) removed; {out}",
               highlight=False, soft_wrap=True)  # fmt: skip
    table = Table("went by", "pictures", "share")
    for rule, times in sorted(done.rules.items(), key=lambda one: -one[1]):
        table.add_row(rule, str(times), f"{times / done.read:.1%}")
    if done.rules:
        out_.print(table)
    if page is not None:
        out_.print(f"what went, seen: {page}", highlight=False, soft_wrap=True)
    if keep is not None:
        out_.print(f"to bring in what stays: cupola import {shlex.quote(str(keep))} --dataset NAME",
                   highlight=False, soft_wrap=True)  # fmt: skip
