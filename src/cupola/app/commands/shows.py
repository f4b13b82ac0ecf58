"""The main job from end to end: the demo and the replay."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cupola.app.commands.common import Data, Json
from cupola.app.demo import run_demo
from cupola.app.replay import run_replay


def demo(
    *,
    data: Data = None,
    port: int = 8000,
    exit_: Annotated[bool, Parameter(name="--exit", negative="", help="End when the job is done.")] = False,
    seed: int = 7,
    logins: Annotated[Path | None, Parameter(help="Write URL and logins as JSON into this file.")] = None,
) -> int:
    """Run the whole job on 1,797 handwritten digits, with programs as contributors, and stay up for you to look."""
    folder = data or Path(tempfile.gettempdir()) / f"cupola-demo-{os.getuid()}"
    return run_demo(folder, port, exit_when_done=exit_, seed=seed, logins=logins)


def replay(
    folder: Path,
    *,
    data: Data = None,
    port: int = 8010,
    target: float = 0.95,
    confidence: float = 0.99,
    min_judgements: int = 1,
    max_judgements: int = 6,
    audit_items: int = 1000,
    seed: int = 7,
    limit: int | None = None,
    json_: Json = False,
) -> int:
    """Run the whole job on real people's recorded judgements: a folder with labels.csv and truth.csv, or preferences.

    Parameters
    ----------
    folder
        A folder with labels.csv (task,worker,label) and truth.csv (task,label); or a JSONL file of pairs or
        conversations with "votes": [{"rater", "value"}], whose truth is what more than half say.
    target
        The accuracy the plan asks for.
    confidence
        The confidence of the certificate.
    min_judgements
        Judgements that each task gets.
    max_judgements
        Judgements a task may get before an adjudicator decides.
    audit_items
        Items the audit draws.
    limit
        Use only so many tasks.
    """
    return run_replay(
        folder,
        data,
        port,
        target,
        confidence,
        min_judgements,
        max_judgements,
        audit_items,
        seed=seed,
        limit=limit,
        as_json=json_,
    )
