"""Annotations of another tool brought in: recognised, told, imported, and what people said of it heard as opinions."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
from rich.table import Table

from cupola.app import moving
from cupola.app.commands.common import EXIT_FAILED, err, minor_units, out, quoted, tell
from cupola.client import Client
from cupola.formats import whole
from cupola.formats.caged import AUTO
from cupola.formats.cli import opened, show_dropped
from cupola.formats.convert import once, sized
from cupola.formats.labels import label_of
from cupola.formats.model import Item, Reading
from cupola.formats.report import Report
from cupola.formats.survey import Survey, pseudonym, survey
from cupola.formats.table import named, recognised
from cupola.formats.tree import Files, Pictures
from cupola.kernel import limits
from cupola.kernel.errors import invalid
from cupola.labels import ItemFacts, Ontology, decode_ontology, encode, fitting

Use = Literal["pre-labels", "gold", "judgements"]
_USES = {"pre-labels": "pre_label", "gold": "gold", "judgements": "none"}
OPINIONS = 200  # of one request
SHOWN = 20


@dataclass(slots=True)
class Wanted:
    """What somebody asked for: how the annotations are used, and of which project they become opinions."""

    format: str
    use: Use
    dataset: str | None
    licence: str
    pictures: Path | None
    project: str | None
    price: str | None
    currency: str
    only_look: bool


def bring(client: Client, path: Path, wanted: Wanted, as_json: bool) -> int:
    """Look, tell, import; make a project where one is asked for. Raises Problem."""
    files = opened(path, wanted.pictures)
    form, why = _form(files, wanted.format)
    if wanted.use == "judgements" and not (wanted.project or wanted.only_look):
        raise invalid(
            "project-missing",
            "Judgements of the past are opinions about a project's tasks, and no project was named.",
            place="--project",
            remedy="Add --project NAME and, for a new one, --price 0.05.",
        )
    found = survey(files, named(form), why)
    if not as_json:
        _show(found)
    if wanted.only_look:
        if as_json:
            tell(msgspec.to_builtins(found), True, "")
        return 0
    if not found.items:
        raise invalid("format-nothing", f"There are no items in {path}.", place=str(path), remedy="Check the path.")
    target = moving.dataset(client, wanted.dataset or path.resolve().stem, wanted.licence)
    for who in found.annotators:
        who.pseudonym = pseudonym(who.name, target["id"])
        if not as_json:
            out.print(f"{who.name}: {who.items:,} items, here {who.pseudonym}", highlight=False, markup=False)
    done = _import(client, target["id"], path, files, found, wanted, as_json)
    refusals = list(client.every(f"/api/imports/{done['id']}/refusals")) if done["refused"] else []
    notes = list(client.every(f"/api/imports/{done['id']}/notes")) if done["noted"] else []
    told: dict[str, Any] = {
        **done, "dataset": target["id"], "survey": msgspec.to_builtins(found), "refusals": refusals, "notes": notes,
    }  # fmt: skip
    if not as_json:
        _show_import(done, target, refusals, notes)
    next_ = _advice(target["name"], path, found, wanted)
    if done["state"] == "done" and wanted.project:
        project = _project(client, wanted, target, found)
        made = moving.add_tasks(client, project["id"], {}, None if as_json else err)
        told["project"], told["tasks"] = project["id"], made["created"]
        words = f"Project {project['name']}: {made['created']} tasks"
        if wanted.use == "judgements":
            refused = {row["ref"] for row in refusals}
            told["opinions"], told["left_out"] = _opinions(client, project, files, form, refused, target["id"])
            words += f", {told['opinions']} judgements of the past kept as opinions, unpaid"
        if not as_json:
            out.print(words, highlight=False, soft_wrap=True, markup=False)
        next_ = [f"cupola project launch {quoted(project['name'])} --budget AMOUNT"]
    tell(told, as_json, "", *next_)
    return 0 if done["state"] == "done" else EXIT_FAILED


def _form(files: Files, wanted: str) -> tuple[str, str]:
    if wanted != AUTO:
        return named(wanted).name, ""
    guess = recognised(files)
    return guess.form, guess.why


def _show(found: Survey) -> None:
    people = f", {len(found.annotators)} annotators" if found.annotators else ""
    marked = f", {found.gold} marked as truth" if found.gold else ""
    out.print(
        f"{found.title}{f' ({found.why})' if found.why else ''}: {found.items:,} items ({found.pictures:,} with their "
        f"picture), {found.objects:,} objects, {len(found.classes)} classes{people}{marked}",
        highlight=False, soft_wrap=True, markup=False,
    )  # fmt: skip
    table = Table("class", "how often", "drawn as")
    for one in found.classes[:SHOWN]:
        table.add_row(one.name, f"{one.count:,}", ", ".join(f"{word} {n:,}" for word, n in one.shapes.items()))
    out.print(table)
    if len(found.classes) > SHOWN:
        out.print(f"… and {len(found.classes) - SHOWN} more classes")
    for row in found.dropped:
        words = f"left out: {row.words['en']}: {row.count} (first at {row.example})"
        out.print(words, highlight=False, markup=False, soft_wrap=True)


def _import(
    client: Client, dataset: str, path: Path, files: Files, found: Survey, wanted: Wanted, as_json: bool
) -> dict[str, Any]:
    console = err if sys.stderr.isatty() and not as_json else None
    with tempfile.TemporaryDirectory() as scratch:
        packed = path
        if path.suffix.lower() != ".zip" or wanted.pictures is not None:
            packed = Path(scratch) / f"{path.resolve().stem or 'annotations'}.zip"
            moving.pack_files(files, packed, console)
        sent = client.upload(f"/api/datasets/{dataset}/uploads", packed, name=packed.name)
    source = {
        "type": "annotated", "upload": sent["upload"], "format": found.form, "use": _USES[wanted.use],
        "kind": found.kind,
    }  # fmt: skip
    started = client.post(f"/api/datasets/{dataset}/imports", {"source": source})
    return moving.wait_for_import(client, started["id"], console)


def _show_import(
    done: Mapping[str, Any], target: Mapping[str, Any], refusals: list[dict[str, Any]], notes: list[dict[str, Any]]
) -> None:
    out.print(
        f"{done['state']}: {done['accepted']} new, {done['unchanged']} known already, {done['refused']} refused "
        f"into dataset {target['name']} ({target['id']})",
        highlight=False, soft_wrap=True, markup=False,
    )  # fmt: skip
    for row in [*refusals[:SHOWN], *notes[:SHOWN]]:
        out.print(f"{row['place']}: {row['detail']} {row['remedy']}", highlight=False, soft_wrap=True, markup=False)
    if done.get("error"):
        err.print(done["error"], soft_wrap=True, markup=False)


def _advice(dataset: str, path: Path, found: Survey, wanted: Wanted) -> list[str]:
    if found.ontology is None:
        return [f"cupola project create NAME --dataset {quoted(dataset)} --classes a,b --price 0.05"]
    return [
        f"cupola import {quoted(str(path))} --format {found.form} --as {wanted.use} --dataset {quoted(dataset)} "
        "--project NAME --price 0.05   (makes a project that asks for what was found)"
    ]


def _project(client: Client, wanted: Wanted, target: Mapping[str, Any], found: Survey) -> dict[str, Any]:
    """The project of that name, made with the proposed ontology where there is none."""
    assert wanted.project is not None
    for row in client.every("/api/projects"):
        if wanted.project in (row["name"], row["id"]):
            return row
    if wanted.price is None or found.ontology is None:
        raise invalid(
            "price-missing",
            f"There is no project {wanted.project!r}, and a new one needs "
            f"{'a price' if wanted.price is None else 'annotations that say something'}.",
            place="--price",
            remedy="Add --price 0.05, or name a project that there is.",
        )
    asked = client.post("/api/ontologies", {"name": wanted.project, "spec": found.ontology})
    made: dict[str, Any] = client.post(
        "/api/projects",
        {
            "name": wanted.project,
            "dataset": target["id"],
            "ontology_version": asked["version_id"],
            "offer": {"price_minor": minor_units(wanted.price, wanted.currency), "currency": wanted.currency},
        },
    )
    return made


def _opinions(
    client: Client, project: Mapping[str, Any], files: Files, form: str, refused: set[str], salt: str
) -> tuple[int, list[dict[str, object]]]:
    """Post what everybody said, rater by rater; how many were kept, and what was left out."""
    asked = client.get(f"/api/ontology-versions/{project['ontology_version']}")
    ontology = decode_ontology(asked["spec"])
    report = Report()
    raters: dict[str, list[dict[str, Any]]] = {}
    kept = 0

    def send(who: str) -> int:
        rows = raters.pop(who)
        body = {"model": who, "model_version": f"imported from {form}", "opinions": rows}
        done = client.post(f"/api/projects/{project['id']}/opinions", body)
        return int(done["created"]) + int(done["unchanged"])

    reading = whole.read(named(form), files, report)
    for item in sized(once(reading.items, report), Pictures(files)):
        if item.name in refused or not (item.picture or item.url or item.body is not None):
            continue
        for who, label in _said(item, reading, ontology, report, salt):
            raters.setdefault(who, []).append({"ref": item.name[: limits.MAX_REF_CHARS], "label": label})
            if len(raters[who]) >= OPINIONS:
                kept += send(who)
    for who in list(raters):
        kept += send(who)
    show_dropped(report)
    return kept, report.plain()


def _said(
    item: Item, reading: Reading, ontology: Ontology, report: Report, salt: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(pseudonym, label) of everybody who said something that the project asks for; of one person the last word."""
    facts = ItemFacts(width_px=item.width_px, height_px=item.height_px)
    last: dict[str, dict[str, Any]] = {}
    for n, one in enumerate(item.sayings):
        if one.is_gold:
            continue
        label = label_of(one, ontology.kind, item, reading.classes, report)
        fitted = fitting(label, facts, ontology) if label is not None else None
        if fitted is None or fitted.label is None:
            continue
        report.drop("kind-other", f"{item.place}: {fitted.left_out[0].detail}" if fitted.left_out else "",
                    len(fitted.left_out))  # fmt: skip
        who = one.annotator or f"unnamed {n + 1}"
        last[who if one.source == "model" else pseudonym(who, salt)] = json.loads(encode(fitted.label))
    yield from last.items()
