"""`cupola refine label`: what a run is unsure of, and random samples of it, as tasks of an ordinary project."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cupola.app import moving
from cupola.app.answers import words_of
from cupola.app.commands.common import LOCAL, ApiKey, Json, Url, err, minor_units, quoted, tell
from cupola.client import Client
from cupola.corpus import review
from cupola.corpus.cli import app
from cupola.corpus.review_cli import PLACE, Doubtful, Dropped, Kept, Run, Seed
from cupola.kernel.errors import Kind, Problem

CLASSES = "good,boilerplate,spam,garbled,repetitive,wrong language,toxic,personal data"
GUIDELINES = """Would you want a language model to learn from this text?

- **good**: whole, readable text that says something, whatever its subject, its style, its age, or its opinion. Plays,
  poems, licences, tables and code are good where they are what they should be.
- **boilerplate**: mostly menus, notices, lists of links. **spam**: written to sell or to be found.
- **garbled**: broken characters, errors of recognition, markup. **repetitive**: says the same again and again.
- **wrong language**, **toxic**, **personal data**: as they say.
"""


def label(
    run: Run,
    *,
    project: Annotated[str, Parameter(help="The new project's name.")],
    price: Annotated[str, Parameter(help="What a contributor gets for one judgement, as 0.02.")],
    key: ApiKey,
    currency: str = "EUR",
    kept: Kept = review.KEPT,
    dropped: Dropped = review.DROPPED,
    doubtful: Doubtful = review.DOUBTFUL,
    seed: Seed = 0,
    classes: Annotated[str, Parameter(help="What may be said of a document: `good`, and what is wrong.")] = CLASSES,
    guidelines: Annotated[Path | None, Parameter(help="A file of Markdown.")] = None,
    url: Url = LOCAL,
    json_: Json = False,
) -> None:
    """Make a project of what is drawn from a run: two people judge each document, a third where they differ. Its
    release, exported, is what `cupola refine review` measures the run by."""
    names = [one.strip() for one in classes.split(",") if one.strip()]
    if review.GOOD not in names:
        raise Problem(Kind.INVALID, "classes-without-good", f"Nobody could call a document {review.GOOD}.",
                      place="--classes", remedy=f"Name {review.GOOD} among the classes.")  # fmt: skip
    price_minor = minor_units(price, currency)
    plan = review.draw(run, kept=kept, dropped=dropped, doubtful=doubtful, seed=seed)
    items = review.write(plan, run / PLACE)
    client = Client(url, key)
    dataset = moving.dataset(client, f"{project}: documents", "as their sources")
    state, _ = moving.import_path(client, dataset["id"], items, err if sys.stderr.isatty() else None)
    if state["state"] == "failed" or state["refused"]:
        raise Problem(Kind.INVALID, "import-failed", f"{state['refused']} of {len(plan.items)} documents were refused.",
                      place=str(items), remedy=f"See why: cupola import {items} --dataset {dataset['id']}")  # fmt: skip
    words = GUIDELINES if guidelines is None else words_of(guidelines)
    spec = {"kind": "choice", "classes": [{"name": name} for name in names]}
    asked = client.post("/api/ontologies", {"name": project, "spec": spec, "guidelines": {"en": words}})
    made = client.post("/api/projects", {
        "name": project, "dataset": dataset["id"], "ontology_version": asked["version_id"],
        "plan": {"min_judgements": 2, "max_judgements": 3},
        "offer": {"price_minor": price_minor, "currency": currency},
    })  # fmt: skip
    tasks = moving.add_tasks(client, made["id"], {}, err if sys.stderr.isatty() else None)
    tell(
        {"project": made["id"], "dataset": dataset["id"], "tasks": tasks["created"], "items": len(plan.items)},
        json_,
        f"Project {made['name']} ({made['id']}), a draft: {tasks['created']} tasks.",
        f"cupola project launch {quoted(project)} --budget …",
        f"when its release is certified: cupola export RELEASE --to {run / 'labels'}, then "
        f"cupola refine review {run} {run / 'labels'}",
    )


app.command(label, name="label")
__all__ = ["app", "label"]
