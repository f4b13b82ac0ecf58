"""`cupola refine run` and what is asked of a run afterwards."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from cyclopts import App, Parameter
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from cupola.corpus import linear, near, recipe
from cupola.corpus.engine import distribute, guards, ledger, units
from cupola.corpus.engine import plan as plans
from cupola.corpus.engine import run as runs
from cupola.corpus.engine.units import Columns
from cupola.corpus.readers import Refused
from cupola.corpus.say import EXIT_PARTLY, Files, IdColumn, Json, TextColumn_, err, out_, remarks, say
from cupola.kernel.errors import invalid

SourceColumn = Annotated[str, Parameter(name="--source", help="The column that names a source; without it, the file.")]
Run = Annotated[Path, Parameter(help="The folder of a finished run.")]
_UNITS = {"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "kb": 10**3, "mb": 10**6, "gb": 10**9}


def register(app: App) -> None:
    """Add the commands to `cupola refine`."""
    app.command(plan_command, name="plan")
    app.command(run_command, name="run")
    app.command(dedup_command, name="dedup")
    app.command(learn_command, name="learn")
    app.command(explain_command, name="explain")
    app.command(diff_command, name="diff")
    app.command(restore_command, name="restore")
    app.command(verify_command, name="verify")


def _bytes(text: str) -> int:
    number = text.rstrip("BGKMTbgikmt ")
    unit = text[len(number) :].strip().lower()
    try:
        return int(float(number) * _UNITS[unit])
    except (ValueError, KeyError):
        raise invalid("memory-malformed", f"{text} is no size.", place="memory", remedy="Such as 4GiB.") from None


def _loaded(file: Path | None, preset: str | None) -> recipe.Loaded:
    given = [one for one in (file, preset) if one is not None]
    if len(given) != 1:
        raise invalid("recipe-unsaid", "A run follows one recipe.", place="recipe",
                      remedy=f"Give --recipe FILE, or --preset, one of {', '.join(recipe.PRESETS)}.")  # fmt: skip
    return recipe.load(given[0])


@contextmanager
def _progress(quiet: bool) -> Iterator[runs.Told]:
    columns = (TextColumn("{task.description:9}"), BarColumn(), TextColumn("{task.fields[rates]}"))
    with Progress(*columns, console=err, transient=True, disable=quiet or not err.is_terminal) as bar:
        task = bar.add_task("reading", total=None, rates="")

        def told(now: runs.Progress) -> None:
            rates = f"{now.done} of {now.of}"
            if now.seconds > 0 and now.bytes:
                rates += f", {now.bytes / 1e6 / now.seconds:.1f} MB/s, {now.documents / now.seconds:.0f} documents/s"
            if now.left_s is not None:
                rates += f", {now.left_s:.0f} s left"
            done, of = (now.bytes, now.bytes_of) if now.bytes_of else (now.done, now.of)
            bar.update(task, description=now.stage, total=of, completed=done, rates=rates)

        yield told


def plan_command(
    files: Files,
    *,
    recipe_: Annotated[Path | None, Parameter(name="--recipe", help="A file that says what the run does.")] = None,
    preset: Annotated[str | None, Parameter(help="A recipe of ours: copies, web, c4, pages, chinese, code.")] = None,
    text: TextColumn_ = "text",
    id_: IdColumn = "id",
    source: SourceColumn = "",
    share: Annotated[float, Parameter(help="How much of each unit is looked at; at least a batch.")] = plans.SHARE,
    json_out: Json = False,
) -> int:
    """Say from a sample what a run would take and cost, and where a guard would stop it. Nothing is written."""
    found = plans.look(files, _loaded(recipe_, preset), Columns(text, id_, source), share=share)
    if json_out:
        say(msgspec.to_builtins(found))
    else:
        _print_plan(found)
    return EXIT_PARTLY if found.refused else 0


def _print_plan(found: plans.Plan) -> None:
    out_.print(
        f"looked at {found.documents} documents, {found.share:.1%} of {found.files / 1e6:.1f} MB in "
        f"{found.units} units; {found.gone} break a rule; copies are not counted",
        highlight=False,
        soft_wrap=True,
    )
    out_.print(f"a run: about {found.cpu_s:.0f} CPU seconds, {found.disk_bytes / 1e6:.0f} MB of disk beside its output",
               highlight=False, soft_wrap=True)  # fmt: skip
    table = Table("rule", "takes", "share", "bound", "for example")
    for one in found.rules:
        id_, score, begins = one.samples[0]
        sample = f"{id_} ({score:.3g}): {' '.join(begins.split())[:60]}"
        table.add_row(one.rule, str(one.documents), f"{one.documents / found.documents:.1%}", f"{one.threshold:g}",
                      sample)  # fmt: skip
    out_.print(table)
    if found.edits:
        some = ", ".join(f"{name} {times}" for name, times in found.edits.items())
        out_.print(f"edits would change: {some}", highlight=False)
    for stop in found.stops:
        err.print(f"a guard stops it at {stop}", soft_wrap=True, highlight=False, markup=False)
    remarks(found.refused)


def run_command(
    files: Files,
    *,
    out: Annotated[Path, Parameter(name="--out", help="A new folder, or one where the same run was begun.")],
    recipe_: Annotated[Path | None, Parameter(name="--recipe", help="A file that says what the run does.")] = None,
    preset: Annotated[str | None, Parameter(help="A recipe of ours: copies, web, c4, pages, chinese, code.")] = None,
    text: TextColumn_ = "text",
    id_: IdColumn = "id",
    source: SourceColumn = "",
    accept: Annotated[list[str] | None, Parameter(help="RULE@SOURCE that a guard would stop; or all.")] = None,
    partitions: Annotated[int | None, Parameter(help="How many units are worked on at a time; the cores.")] = None,
    memory: Annotated[str, Parameter(help="What the run may hold in memory, all processes together.")] = "4GiB",
    unit: Annotated[str, Parameter(help="About how large a piece of work is, of what can be cut.")] = "64MiB",
    engine: Annotated[str, Parameter(help="native, ray, or ray://HOST:PORT.")] = "native",
    key: Annotated[Path | None, Parameter(help="A file of 16 bytes or more that pseudonyms are made with.")] = None,
    json_out: Json = False,
) -> int:
    """Refine a corpus: rules, copies, personal data, as a recipe says. Nothing of the input is changed.

    OUT then has kept/, removals/ (why each other document went), documents/ (all of them) and manifest.json. A run that
    was ended goes on when the same command is given again.
    """
    loaded = _loaded(recipe_, preset)
    asking = runs.Asking(tuple(accept or ()), _bytes(memory), None if key is None else key.read_bytes(),
                         _bytes(unit))  # fmt: skip
    return _run(files, out, loaded, Columns(text, id_, source), asking, engine, partitions, json_out)


def _run(
    files: list[Path], out: Path, loaded: recipe.Loaded, columns: Columns, asking: runs.Asking, engine: str,
    partitions: int | None, json_out: bool,
) -> int:  # fmt: skip
    some = partitions or _partitions(asking.memory_bytes)
    worker = distribute.engine(engine, some)
    try:
        with _progress(json_out) as told:
            done = runs.run(files, out, loaded, columns, worker, asking, told)
    finally:
        worker.close()
    refused = runs.refused(out)
    if json_out:
        say({**msgspec.to_builtins(done), "refused": msgspec.to_builtins(refused), "peak_mib": _peak_mib()})
    else:
        _print_run(done, out)
        remarks(refused)
    return EXIT_PARTLY if done.refusals else 0


def dedup_command(
    files: Files,
    *,
    out: Annotated[Path, Parameter(name="--out", help="A new folder, or one where the same was begun.")],
    threshold: Annotated[float, Parameter(help="The least Jaccard similarity of a copy to its keeper.")] = (
        near.LEAST_SIMILARITY
    ),
    text: TextColumn_ = "text",
    id_: IdColumn = "id",
    model: Annotated[
        Path | None, Parameter(name="--model", help="A byte model: of copies the least surprising one stays.")
    ] = None,
    partitions: Annotated[int | None, Parameter(help="How many units are worked on at a time; the cores.")] = None,
    memory: Annotated[str, Parameter(help="What may be held in memory, all processes together.")] = "4GiB",
    json_out: Json = False,
) -> int:
    """Take copies out: a run of the recipe `copies` with this threshold.

    Each removal names its keeper and its similarity to it. Of a group of copies the least surprising to the model
    stays, then the lowest id.
    """
    loaded = recipe.copies(threshold, model)
    asking = runs.Asking((guards.ALL,), _bytes(memory))
    return _run(files, out, loaded, Columns(text, id_), asking, "native", partitions, json_out)


def _partitions(memory_bytes: int) -> int:
    """As many processes as there are cores, or as the memory holds."""
    return max(1, min(len(os.sched_getaffinity(0)), memory_bytes // distribute.WORKER_BYTES - 1))


def _peak_mib() -> int:
    """The largest process of the run."""
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) >> 10


def _print_run(done: runs.Manifest, out: Path) -> None:
    share = done.removed / done.read if done.read else 0.0
    out_.print(f"{done.read} documents read ({done.read_bytes / 1e6:.1f} MB): {done.kept} kept "
               f"({done.kept_bytes / 1e6:.1f} MB), {done.removed} ({share:.1%}) removed; {out}",
               highlight=False, soft_wrap=True)  # fmt: skip
    table = Table("went by", "documents", "share")
    for rule, times in sorted(done.rules.items(), key=lambda one: -one[1]):
        table.add_row(rule, str(times), f"{times / done.read:.1%}")
    if done.rules:
        out_.print(table)
    if done.edits:
        some = ", ".join(f"{name} {times}" for name, times in done.edits.items())
        out_.print(f"changed: {some}", highlight=False)
    if done.personal:
        held = ", ".join(f"{kind} {times}" for kind, times in done.personal.items())
        out_.print(f"replaced: {held}", highlight=False)


def explain_command(run: Run, document: str, *, json_out: Json = False) -> None:
    """Say what became of a document, and why: its rule, score and threshold, its keeper and how similar the two are."""
    found = ledger.explain(run, document)
    if json_out:
        say(found)
        return
    for one in found["documents"]:
        fate = "kept" if one["removed_by"] is None else f"removed by {one['removed_by']}"
        out_.print(f"{one['id']} ({one['file']}, {one['place']}): {fate}", highlight=False, markup=False)
    for one in found["removals"]:
        also = f"; also {', '.join(one['others'])}" if one["others"] else ""
        if one["score"] is None:
            why = f"  {one['fault']}, {one['version']}"
        else:
            why = f"  {one['signal']} {one['score']:.4g}, bound {one['threshold']:g}, {one['version']}{also}"
        if one["keeper"] is not None:
            why += f"\n  stays: {one['keeper']} ({one['keeper_file']}, {one['keeper_place']})"
        out_.print(why, highlight=False, markup=False, soft_wrap=True)
    for one in found["edits"]:
        said = f": {'; '.join(one['says'])}" if one["says"] else ""
        out_.print(f"  {one['edit']} took {one['bytes_before']} bytes to {one['bytes_after']}{said}", highlight=False,
                   markup=False, soft_wrap=True)  # fmt: skip
    if found["kept_for"]:
        some = ", ".join(f"{one['id']} ({one['similarity']:.2f})" for one in found["keeps"])
        out_.print(f"  {found['kept_for']} went as its copies: {some}", highlight=False, markup=False, soft_wrap=True)


def diff_command(first: Run, second: Run, *, json_out: Json = False) -> None:
    """Say what two runs over the same input do otherwise, by rule."""
    found = ledger.diff(first, second)
    if json_out:
        say(_plain(found))
        return
    table = Table("what", "rule", "documents")
    for what, rules in (("only the first takes", found.only_first), ("only the second takes", found.only_second),
                        ("by another rule", found.other_rule)):  # fmt: skip
        for rule, times in rules.most_common():
            table.add_row(what, rule, str(times))
    out_.print(table)
    out_.print(f"read by one alone: {found.unread_second} the first, {found.unread_first} the second", highlight=False)


def _plain(found: ledger.Difference) -> dict[str, Any]:
    return {name: dict(value) if isinstance(value, dict) else value for name, value in vars(found).items()}


def restore_command(
    run: Run,
    *,
    out: Annotated[Path, Parameter(name="--out", help="A new folder.")],
    rule: Annotated[str, Parameter(help="What this rule took, or all rules of a set (gopher).")] = "",
    source: Annotated[str, Parameter(help="What went of this source.")] = "",
    id_: Annotated[str, Parameter(name="--id", help="This document.")] = "",
) -> None:
    """Give back what a run took, as it stood in the input, into files of a folder."""
    out_.print(f"{ledger.restore(run, out, rule=rule, source=source, id_=id_)} documents; {out}", highlight=False,
               soft_wrap=True)  # fmt: skip


def verify_command(run: Run) -> int:
    """Check the outcome of a run against its manifest: every file's checksum, the ledger's chain, the sums."""
    wrong = ledger.verify(run)
    for one in wrong:
        err.print(one, highlight=False, markup=False, soft_wrap=True)
    if not wrong:
        manifest = ledger.manifest_of(run)
        head = manifest.chain[-1].chain if manifest.chain else manifest.run_sha256
        out_.print(f"{len(manifest.parts)} files are as they were written; the ledger ends at {head}", highlight=False,
                   soft_wrap=True)  # fmt: skip
    return EXIT_PARTLY if wrong else 0


def learn_command(
    files: Files,
    *,
    out: Annotated[Path, Parameter(name="--out", help="The model's file (.npz).")],
    label: Annotated[str, Parameter(help="The column of the label.")] = "label",
    good: Annotated[str, Parameter(help="The label of what is wanted; any other names a kind of pollution.")] = "good",
    false_alarms: Annotated[float, Parameter(help="How much of the good may go.")] = 0.01,
    text: TextColumn_ = "text",
    json_out: Json = False,
) -> int:
    """Learn from labelled documents what is not wanted; a recipe names the model: `learned: MODEL`.

    Says by kind how much would go of labelled documents that were held back, with 95 % intervals.
    """
    texts: list[bytes] = []
    kinds: list[str] = []
    refused: list[Refused] = []
    for unit in units.plan(files):
        reader = units.Reader(unit, Columns(text, source=label))
        for rows in reader.batches():
            texts += [one.as_buffer().to_pybytes() for one in rows.texts]
            kinds += rows.sources
        refused += reader.refused
    bad = [kind != good for kind in kinds]
    found = linear.learn(texts, bad, false_alarms=false_alarms)
    found.model.save(out)
    above = found.scores > found.model.bound
    shares = {kind: linear.interval(int(above[here].sum()), int(here.sum()))
              for kind in sorted(set(kinds)) for here in [np.array([one == kind for one in kinds])]}  # fmt: skip
    if json_out:
        say({"documents": len(texts), "model": str(out), "bound": found.model.bound,
             "found": {kind: {"share": share, "low": low, "high": high} for kind, (share, low, high) in shares.items()},
             "refused": msgspec.to_builtins(refused)})  # fmt: skip
        return EXIT_PARTLY if refused else 0
    table = Table("label", "documents", "would go", "95 % interval")
    for kind, (share, low, high) in shares.items():
        table.add_row(kind, str(kinds.count(kind)), f"{share:.1%}", f"{low:.1%} to {high:.1%}")
    out_.print(table)
    remarks(refused)
    return EXIT_PARTLY if refused else 0
