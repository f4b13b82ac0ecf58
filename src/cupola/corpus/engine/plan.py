"""What a run would take and cost, from a sample of each unit; nothing is written."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cupola.corpus.engine import guards
from cupola.corpus.engine.editing import Edits, laid_over
from cupola.corpus.engine.judge import Judged, judged, tools_of
from cupola.corpus.engine.units import UNIT_BYTES, Columns, Reader, plan
from cupola.corpus.language import languages
from cupola.corpus.readers import Refused
from cupola.corpus.recipe import Loaded

SHARE = 0.01
SAMPLES, SAMPLE_CHARS = 3, 200
COMPARED_TOO = 1.6  # assumed: judging is most of a run, comparing and writing about half as much again


@dataclass
class Takes:
    """What a rule would take: of the documents that were looked at, and some of them as (id, score, how it begins)."""

    rule: str
    threshold: float
    documents: int = 0
    samples: list[tuple[str, float, str]] = field(default_factory=list)


@dataclass
class Plan:
    """files: in bytes; documents, gone: of those looked at, how many break a rule; text_bytes: of those looked at;
    share: of the input that was looked at, in bytes of the files, roughly; cpu_s: what a whole run would take;
    disk_bytes: what it would need beside the output while it works; stops: where a guard would stop it;
    edits: how many of those looked at each would change. Copies are not in it: they are known when all is read."""

    units: int = 0
    files: int = 0
    documents: int = 0
    gone: int = 0
    text_bytes: int = 0
    share: float = 0.0
    cpu_s: float = 0.0
    disk_bytes: int = 0
    rules: list[Takes] = field(default_factory=list)
    sources: dict[str, tuple[int, int]] = field(default_factory=dict)
    languages: Counter[str] = field(default_factory=Counter)
    stops: list[guards.Stop] = field(default_factory=list)
    edits: dict[str, int] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)


def look(
    paths: list[Path], loaded: Loaded, columns: Columns, *, share: float = SHARE, unit_bytes: int = UNIT_BYTES
) -> Plan:
    """Look at the beginning of every unit, about `share` of it and at least one batch."""
    units = plan(paths, unit_bytes)
    tools = tools_of(loaded)
    edits = Edits(loaded.recipe.edits)
    out = Plan(len(units), sum(unit.bytes for unit in units))
    found = [Judged(0, {}, {}, {}, {}, 0, [], 0, "")]
    read: Counter[str] = Counter()
    went: Counter[str] = Counter()
    takes: dict[tuple[str, float], Takes] = {}
    start, seen = time.process_time(), 0.0
    for unit in units:
        reader, here, taken = Reader(unit, columns), 0, Counter[tuple[str, str]]()
        batches = reader.batches()
        whole = True
        for rows in batches:
            changed, _ = edits(rows, 0)
            texts = laid_over(rows.texts, changed)
            edited = np.zeros(len(rows), np.bool_)
            edited[list(changed)] = True
            profiled = tools.profile(texts)
            told = languages(profiled)
            out.documents += len(rows)
            here += int(profiled.field("bytes").to_numpy().sum())
            out.languages.update(told["language"].to_pylist())
            broken = judged(loaded, profiled, told, edited)
            read.update(rows.sources)
            gone = np.unique(broken["row"].to_numpy()).tolist()
            out.gone += len(gone)
            went.update(rows.sources[row] for row in gone)
            for row, rule, score, bound in zip(*(broken[name].to_pylist() for name in
                                                 ("row", "rule", "score", "threshold")), strict=True):  # fmt: skip
                one = takes.setdefault((rule, bound), Takes(rule, bound))
                one.documents += 1
                taken[rows.sources[row], rule] += 1
                if len(one.samples) < SAMPLES:
                    text = bytes(texts[row].as_buffer() or b"")[: 4 * SAMPLE_CHARS].decode("utf-8", "replace")
                    one.samples.append((rows.ids[row], score, text[:SAMPLE_CHARS]))
            if here >= share * unit.bytes:
                whole = next(batches, None) is None
                break
        seen += unit.bytes if whole else min(here, unit.bytes)
        out.text_bytes += here
        out.refused += reader.refused
        by_source: dict[str, dict[str, int]] = {}
        for (source, rule), times in taken.items():
            by_source.setdefault(source, {})[rule] = times
        found.append(Judged(unit.number, {}, {}, by_source, {}, 0, [], 0, ""))
    cpu_s = time.process_time() - start
    found[0] = Judged(0, dict(read), {}, {}, {}, 0, [], 0, "")
    out.share = seen / out.files if out.files else 1.0
    out.cpu_s = COMPARED_TOO * cpu_s / out.share if out.share else 0.0
    out.disk_bytes = int(out.text_bytes / out.share) if out.share else 0
    out.rules = sorted(takes.values(), key=lambda one: -one.documents)
    out.sources = {source: (times, went[source]) for source, times in sorted(read.items())}
    out.stops = guards.stops(found)
    out.edits = dict(sorted(edits.counts.items()))
    out.refused += edits.refused
    return out
