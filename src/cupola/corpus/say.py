"""What the commands of `cupola refine` share: their consoles, their arguments, how they say what could not be read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from cupola.corpus.readers import Refused
from cupola.kernel.terminal import Plain, json_text

out_, err = Plain(), Plain(stderr=True)

Files = Annotated[
    list[Path],
    Parameter(help="Files (.jsonl, .jsonl.gz, .jsonl.zst, .parquet, .warc, .warc.gz, .html, .txt) or folders of them."),
]
TextColumn_ = Annotated[str, Parameter(name="--text", help="The column that holds the text.")]
IdColumn = Annotated[str, Parameter(name="--id", help="The column that holds the id; without it, file and row.")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="The figures as JSON on stdout, and no bar.")]
EXIT_PARTLY = 1
MOST_REFUSED_TOLD = 10


def say(document: dict[str, Any]) -> None:
    """Figures for programs."""
    sys.stdout.write(json_text(document) + "\n")


def remarks(refused: list[Refused]) -> None:
    """Tell what could not be read, the first of it."""
    for one in refused[:MOST_REFUSED_TOLD]:
        err.print(f"not read: {one.place}: {one.reason} {one.remedy}", soft_wrap=True, highlight=False, markup=False)
    if len(refused) > MOST_REFUSED_TOLD:
        err.print(f"… and {len(refused) - MOST_REFUSED_TOLD} more (all of them with --json)")
