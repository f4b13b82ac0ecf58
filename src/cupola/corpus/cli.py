"""`cupola refine …`: a corpus in files, with no server and no database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from cupola.corpus import bytemodel, effect, leakage, refine, review_cli, rules
from cupola.corpus.engine import cli as engine
from cupola.corpus.engine.units import Columns, Documents
from cupola.corpus.mixing import cli as mixing
from cupola.corpus.pictures import cli as pictures
from cupola.corpus.report import cli as report
from cupola.corpus.say import EXIT_PARTLY, Files, IdColumn, Json, TextColumn_, err, out_, remarks, say

app = App(name="refine", help="Text at scale: what is in a corpus, what rules would take, copies out.")
engine.register(app)
mixing.register(app)
report.register(app)
review_cli.register(app)
pictures.register(app)
Model = Annotated[Path | None, Parameter(name="--model", help="A byte model of trusted text (cupola refine fit).")]


@contextmanager
def _progress(what: str, quiet: bool) -> Iterator[refine.Told]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=quiet or not err.is_terminal) as bar:
        task = bar.add_task(what)
        yield lambda documents: bar.update(task, description=f"{what}: {documents} documents")


def _model(path: Path | None) -> bytemodel.ByteModel | None:
    return None if path is None else bytemodel.ByteModel.load(path)


@app.command(name="scan")
def scan_command(
    files: Files,
    *,
    rules_: Annotated[
        list[str] | None, Parameter(name="--rules", help="A preset or a file of rules; may be given several times.")
    ] = None,
    text: TextColumn_ = "text",
    id_: IdColumn = "id",
    model: Model = None,
    benchmark: Annotated[
        Path | None, Parameter(name="--benchmark", help="Items that must not be in the corpus (files as above).")
    ] = None,
    benchmark_text: Annotated[str, Parameter(name="--benchmark-text", help="The column of an item's text.")] = "text",
    json_out: Json = False,
) -> int:
    """Say what each rule would take, with samples, and what languages, personal data and leaks there are.

    Nothing is written. Presets: gopher (the default), c4, fineweb, refinedweb.
    """
    sets = [rules.load(name) for name in rules_ or ["gopher"]]
    items = None
    if benchmark is not None:
        told_items = Documents([benchmark], Columns(benchmark_text, id_))
        items = leakage.benchmark([item for batch in told_items.batches() for item in batch.texts.to_pylist()])
    source = Documents(files, Columns(text, id_))
    with _progress("reading", json_out) as told:
        look = refine.scan(source, sets, model=_model(model), benchmark=items, told=told)
    if json_out:
        say(msgspec.to_builtins(look))
    else:
        _print_look(look, items is not None)
    return EXIT_PARTLY if look.refused else 0


def _print_look(look: refine.Look, leaks: bool) -> None:
    share = look.dropped / look.documents if look.documents else 0.0
    out_.print(f"{look.documents} documents, {look.bytes / 1e6:.1f} MB; {look.dropped} ({share:.1%}) break a rule",
               highlight=False)  # fmt: skip
    table = Table("rule", "takes", "share", "bound", "for example")
    for one in sorted(look.rules, key=lambda one: -one.dropped):
        if one.dropped:
            id_, score, begins = one.samples[0]
            sample = " ".join(begins.split())[:60]
            table.add_row(one.rule, str(one.dropped), f"{one.dropped / look.documents:.1%}", f"{one.threshold:g}",
                          f"{id_} ({score:.3g}): {sample}")  # fmt: skip
    out_.print(table)
    spoken = ", ".join(f"{code} {times}" for code, times in look.languages.most_common(8))
    out_.print(f"languages: {spoken or 'none'}", highlight=False)
    held = ", ".join(f"{kind} {times}" for kind, times in look.pii.most_common())
    out_.print(f"personal data by form: {held or 'none'} (in {look.pii_documents} documents)", highlight=False)
    if leaks:
        named = ", ".join(look.leaked[:5])
        out_.print(f"leaks: {len(look.leaked)} documents hold {leakage.RUN} words of an item in a row"
                   + (f" ({named}{', …' if len(look.leaked) > 5 else ''})" if named else ""),
                   highlight=False, markup=False)  # fmt: skip
    for warning in look.warnings:
        err.print(f"look: {warning}", soft_wrap=True, highlight=False, markup=False)
    remarks(look.refused)


@app.command(name="fit")
def fit_command(
    files: Files,
    *,
    out: Annotated[Path, Parameter(name="--out", help="The model's file (.npz).")],
    text: TextColumn_ = "text",
    json_out: Json = False,
) -> None:
    """Fit a byte model on trusted documents, best of the corpus's own kind: some hundred are enough."""
    source = Documents(files, Columns(text))
    texts = [one.encode() for batch in source.batches() for one in batch.texts.to_pylist()]
    bytemodel.fit(texts).save(out)
    if json_out:
        say({"documents": len(texts), "bytes": sum(map(len, texts)), "model": str(out)})
    else:
        out_.print(f"{out}: fitted on {len(texts)} documents", highlight=False, soft_wrap=True)
    remarks([] if json_out else source.refused)


@app.command(name="effect")
def effect_command(
    run: Annotated[Path, Parameter(help="The folder of a finished run.")],
    *,
    held_out: Annotated[
        list[Path] | None, Parameter(name="--held-out", help="Clean text that is not in the corpus; best given.")
    ] = None,
    text: TextColumn_ = "text",
    bytes_: Annotated[int, Parameter(name="--bytes", help="How much text a model learns from.")] = effect.BYTES,
    seeds: Annotated[int, Parameter(help="How often each is drawn anew.")] = effect.SEEDS,
    json_out: Json = False,
) -> None:
    """Say what a run is worth in training: how much less of the kept text reaches the loss of the text with what went,
    by kind, with intervals over seeds. The learner is a byte 5-gram model: read the order of the kinds, not the sizes.
    """
    with _progress("learning", json_out):
        found = effect.measure(run, held_out=held_out, text=text, budget=bytes_, seeds=seeds)
    if json_out:
        say(msgspec.to_builtins(found))
        return
    table = Table("what went", "documents", "of the mix", "bits a byte", "kept alone", "text saved", "95 % interval")
    for one in found.kinds:
        saved = "not reached" if one.mean is None else f"{one.mean:.1%}"
        between = "" if one.low is None or one.high is None else f"{one.low:.1%} to {one.high:.1%}"
        table.add_row(one.name, str(one.documents), f"{one.share:.1%}", f"{one.bits:.4f}",
                      f"{one.kept_bits:.4f}", saved, between)  # fmt: skip
    out_.print(table)
    out_.print(f"of {found.budget / 1e6:.1f} MB, {found.seeds} seeds, measured on {found.evaluated / 1e6:.2f} MB: "
               f"{found.evaluated_on}; cleaning {found.cleaning_s:.3f} and learning {found.training_s:.3f} CPU seconds "
               "a MB", highlight=False, soft_wrap=True)  # fmt: skip
