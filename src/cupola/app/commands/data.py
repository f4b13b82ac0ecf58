"""Data in and out, through the HTTP API, and the check of a release from its files alone."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.table import Table

from cupola.app import moving
from cupola.app.commands import bringing
from cupola.app.commands.bringing import Use, Wanted
from cupola.app.commands.common import EXIT_FAILED, EXIT_WRONG, LOCAL, ApiKey, Json, Url, err, out, quoted, show, tell
from cupola.client import Client
from cupola.kernel.errors import Kind, Problem
from cupola.releases import verifying


def import_(
    path: Path,
    *,
    key: ApiKey,
    dataset: str | None = None,
    licence: str = "",
    names: str | None = None,
    format: str | None = None,
    as_: Annotated[Use, Parameter(name="--as")] = "pre-labels",
    pictures: Path | None = None,
    project: str | None = None,
    price: str | None = None,
    currency: str = "EUR",
    look: Annotated[bool, Parameter(negative="")] = False,
    url: Url = LOCAL,
    json_: Json = False,
) -> int:
    """Import a folder, a zip, a manifest (JSONL, CSV, Parquet), a picture or a text into a dataset.

    With --format: annotations of another tool with their pictures.

    Parameters
    ----------
    path
        What to import.
    dataset
        The dataset's name (default: the path's); it is made when there is none.
    licence
        The licence of a new dataset's items.
    names
        How an archive of an old system writes its file names ("gbk", "cp932"), where it does not say so itself.
    format
        The files hold annotations of another tool: auto, or the name of its format (see: cupola convert --help).
    as_
        What annotations become: what people are shown to mend, known answers, or opinions of those who made them.
    pictures
        Where the pictures lie, if not beside the annotations.
    project
        A project whose tasks are made of what comes in; a new one asks for what was found.
    price
        What a judgement pays in a new project, as 0.05.
    currency
        Three letters.
    look
        Only say what is there.
    """
    client = Client(url, key)
    if format is not None:
        asked = Wanted(format, as_, dataset, licence, pictures, project, price, currency, only_look=look)
        return bringing.bring(client, path, asked, json_)
    found = moving.dataset(client, dataset or path.resolve().stem, licence)
    done, left_out = moving.import_path(client, found["id"], path, err if sys.stderr.isatty() else None, names)
    refusals = list(client.every(f"/api/imports/{done['id']}/refusals")) if done["refused"] else []
    notes = list(client.every(f"/api/imports/{done['id']}/notes")) if done["noted"] else []
    if json_:
        told = {**done, "dataset": found["id"], "refusals": refusals, "notes": notes, "left_out": left_out}
        tell(told, True, "", *_then(done, found["name"]))
        return 0 if done["state"] == "done" else EXIT_FAILED
    out.print(
        f"{done['state']}: {done['accepted']} new, {done['unchanged']} known already, {done['refused']} refused "
        f"into dataset {found['name']} ({found['id']})",
        highlight=False,
        soft_wrap=True,
    )
    if refusals:
        table = Table("place", "reason", "what", "what to do")
        for row in refusals[:50]:
            table.add_row(*(row[name] for name in ("place", "reason", "detail", "remedy")))
        out.print(table)
        if len(refusals) > 50:
            out.print(f"… and {len(refusals) - 50} more (all of them with --json)")
    for row in notes[:20]:
        out.print(
            f"note: {row['place']}: {row['detail']} {row['remedy']}", highlight=False, soft_wrap=True, markup=False
        )
    if len(notes) > 20:
        out.print(f"… and {len(notes) - 20} more notes (all of them with --json)")
    for line in left_out:
        err.print(f"left out: {line}", soft_wrap=True, markup=False)
    if done.get("error"):
        err.print(done["error"], soft_wrap=True)
    tell(None, False, "", *_then(done, found["name"]))
    return 0 if done["state"] == "done" else EXIT_FAILED


def _then(done: dict[str, Any], dataset: str) -> list[str]:
    """What follows; after a run that ended early or brought nothing, nothing does before that is mended."""
    if done["state"] != "done" or not done["accepted"] + done["unchanged"]:
        return []
    return [f"cupola project create NAME --dataset {quoted(dataset)} --classes a,b --price 0.05"]


def release(
    project: str,
    *,
    key: ApiKey,
    name: str,
    items: int = 330,
    confidence: float = 0.95,
    target: float = 0.99,
    licence: str = "",
    url: Url = LOCAL,
    json_: Json = False,
) -> None:
    """Declare an audit, freeze a project's settled labels and draw it.

    Parameters
    ----------
    project
        The project's name or id.
    name
        The release's name.
    items
        How many items the audit draws.
    confidence
        The confidence of the bound.
    target
        The accuracy to certify.
    licence
        The licence of the labels.
    """
    client = Client(url, key)
    found = moving.named(client, "/api/projects", project)
    plan = {"items": items, "confidence": confidence, "target_accuracy": target}
    asked = {"name": name, "licence": licence, "plan": plan}
    declared = moving.declared_release(client, found["id"], name, asked)
    made = moving.freeze_release(client, declared["id"], err if sys.stderr.isatty() else None)
    tell(
        made,
        json_,
        f"Release {made['name']} ({made['id']}): the plan was declared under the commitment "
        f"{declared['seed_commitment'][:16]}…, then {made['items']} items were frozen, "
        f"{made['audit']['drawn']} drawn.",
        f"cupola audit {made['id']} --answers FILE   (or in the browser, under Audits)",
        f"cupola certify {made['id']}",
    )


def export(
    release: str,
    *,
    key: ApiKey,
    format: str = "jsonl",
    to: Path = Path(),
    url: Url = LOCAL,
    json_: Json = False,
) -> None:
    """Export a release with its evidence into a folder; `cupola verify` computes the certificate again from there.

    Parameters
    ----------
    release
        The release's name, PROJECT/NAME or id.
    format
        What the file is to be: one of GET /api/formats. A name that is not there is refused with those that are.
    to
        The folder to write into.
    """
    client = Client(url, key)
    wanted = moving.release_id(client, release)
    files = moving.export_release(client, wanted, format, to, err if sys.stderr.isatty() else None)
    tell(
        {"files": [str(file) for file in files]},
        json_,
        "\n".join(str(file) for file in files),
        f"cupola verify {quoted(str(to))}",
    )


def verify(
    release: str,
    *,
    key: Annotated[str | None, Parameter(name="--key", env_var="CUPOLA_KEY")] = None,
    url: Url = LOCAL,
    json_: Json = False,
) -> int:
    """Compute a release's certificate again, from its exported files alone. Exit code 3 when something does not hold.

    Parameters
    ----------
    release
        A folder or zip that `cupola export` wrote, or a release's name, PROJECT/NAME or id (then its
        evidence is fetched first).
    """
    where = Path(release)
    with tempfile.TemporaryDirectory() as scratch:
        if not where.exists():
            if key is None:
                raise Problem(
                    Kind.INVALID,
                    "evidence-missing",
                    f"{release} is no file here, and without a key its evidence cannot be fetched.",
                    remedy="Give the folder that `cupola export` wrote, or --key.",
                )
            where = Path(scratch) / "evidence.zip"
            client = Client(url, key)
            client.download(f"/api/releases/{moving.release_id(client, release)}/evidence", where)
        found = verifying.verify(where)
    if json_:
        show(found, True, "")
        return EXIT_WRONG if found.wrong else 0
    out.print(found.statement, soft_wrap=True, highlight=False)
    for line in found.checked:
        out.headed("  checked", f" {line}", "green")
    for line in found.wrong:
        out.headed("  wrong", f" {line}", "bold red")
    holds = not found.wrong
    out.print(
        "Everything holds." if holds else "This certificate does not hold.",
        style="bold green" if holds else "bold red",
    )
    return EXIT_WRONG if found.wrong else 0
