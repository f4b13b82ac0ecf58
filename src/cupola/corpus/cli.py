"""`cupola refine …`: a corpus in files, with no server and no database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from cupola.corpus import bytemodel, leakage, refine, rules
from cupola.corpus.engine import cli as engine
from cupola.corpus.engine.units import Columns, Documents
from cupola.corpus.mixing import cli as mixing
from cupola.corpus.report import cli as report
from cupola.corpus.say import EXIT_PARTLY, Files, IdColumn, Json, TextColumn_, err, out_, remarks, say

app = App(name="refine", help="Text at scale: what is in a corpus, what rules would take, copies out.")
engine.register(app)
mixing.register(app)
report.register(app)
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
                          escape(f"{id_} ({score:.3g}): {sample}"))  # fmt: skip
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
