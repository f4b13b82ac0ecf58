"""Where the quality commands write: figures to stdout, all else to stderr, and a bar for whoever looks on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cupola.kernel.terminal import Plain
from cupola.quality.progress import Told

out = Plain()
err = Plain(stderr=True)


@contextmanager
def bar(what: str, *, quiet: bool = False) -> Iterator[Told]:
    """A bar on stderr where a person looks at a terminal, nothing in a pipe or when quiet."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=quiet or not err.is_terminal) as progress:
        task = progress.add_task(what, total=None)

        def told(done: int, total: int, now: str) -> None:
            progress.update(task, completed=done, total=total, description=f"{what}: {now}" if now else what)

        yield told
