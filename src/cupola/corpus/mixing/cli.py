"""`cupola refine mix`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from cupola.corpus.mixing import asked, mix
from cupola.corpus.say import EXIT_PARTLY, Json, err, out_, remarks, say


def register(app: App) -> None:
    """Add the command to `cupola refine`."""
    app.command(mix_command, name="mix")


def mix_command(
    file: Annotated[Path, Parameter(help="A file that says what is mixed (YAML).")],
    *,
    out: Annotated[Path, Parameter(name="--out", help="A new folder.")],
    json_out: Json = False,
) -> int:
    """Make a training set of several sources: weights, caps, epochs, splits without leaks, shuffled shards.

    OUT then has data/ (the shards), README.md (by which the Hugging Face library finds them) and manifest.json.
    """
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=json_out or not err.is_terminal) as bar:
        task = bar.add_task("reading")
        done, refused = mix.mix(asked.load(file), file.parent, out,
                                lambda stage, n: bar.update(task, description=f"{stage}: {n} documents"))  # fmt: skip
    if json_out:
        say({**msgspec.to_builtins(done), "refused": msgspec.to_builtins(refused)})
        return EXIT_PARTLY if refused else 0
    some = ", ".join(f"{name} {times}" for name, times in done.splits.items())
    out_.print(f"{done.read} documents read in {done.clusters} clusters (the largest has {done.largest_cluster}); "
               f"in the splits: {some}; {out}", highlight=False, soft_wrap=True)  # fmt: skip
    table = Table("source", "read", "used", f"{done.unit}", "epochs", "share", "asked")
    for name, one in done.sources.items():
        table.add_row(name, str(one.read), str(one.documents), str(one.size), f"{one.epochs:.2f}", f"{one.share:.1%}",
                      f"{one.asked:.1%}")  # fmt: skip
    out_.print(table)
    remarks(refused)
    return EXIT_PARTLY if refused else 0
