"""A look through files by rules: what each would take, with samples. Streamed by batches; nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from cupola.corpus import marks, pii, rules
from cupola.corpus.bytemodel import ByteModel
from cupola.corpus.engine.units import Documents
from cupola.corpus.language import languages
from cupola.corpus.profile import Benchmark, profile
from cupola.corpus.readers import Refused

SAMPLES, SAMPLE_CHARS = 3, 200
GUARD_SHARE = 0.5  # a rule that takes more of a source than that is more likely wrong for it than right
Told = Callable[[int], None]


@dataclass
class Found:
    """What one rule takes: how many documents, and some of them as (id, score, the text's beginning)."""

    rule: str
    version: str
    signal: str
    threshold: float
    dropped: int = 0
    samples: list[tuple[str, float, str]] = field(default_factory=list)


@dataclass
class Look:
    """What is in the files. dropped: documents that break any rule; pii: findings by kind; leaked: documents with runs
    of the benchmark's words; warnings: rules that take most of a file."""

    documents: int = 0
    bytes: int = 0
    dropped: int = 0
    rules: list[Found] = field(default_factory=list)
    languages: Counter[str] = field(default_factory=Counter)
    pii: Counter[str] = field(default_factory=Counter)
    pii_documents: int = 0
    leaked: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def scan(
    source: Documents,
    sets: Iterable[rules.RuleSet],
    *,
    model: ByteModel | None = None,
    benchmark: Benchmark | None = None,
    told: Told | None = None,
) -> Look:
    """Read everything once and say what each rule would take; nothing is written."""
    sets = list(sets)
    look = Look()
    takes = [
        Found(f"{one.name}/{rule.rule}", one.stamp, rule.signal, bound)
        for one in sets
        for rule in one.rules
        for bound in (rule.least, rule.most)
        if bound is not None
    ]
    by_rule = {(one.rule, one.threshold): one for one in takes}
    by_file: Counter[tuple[str, str]] = Counter()
    in_file: Counter[str] = Counter()
    for batch in source.batches():
        found = profile(batch.texts, model=model, benchmark=benchmark)
        found = marks.added(found, batch.texts, rules.marks_of(sets))
        look.documents += len(batch.ids)
        in_file.update(batch.files)
        look.bytes += int(found.field("bytes").to_numpy().sum())
        look.languages.update(languages(found)["language"].to_pylist())
        broken = rules.drops(found, sets)
        look.dropped += len(np.unique(broken["row"].to_numpy()))
        for row, rule, score, threshold in zip(*(broken[name].to_pylist() for name in
                                                 ("row", "rule", "score", "threshold")), strict=True):  # fmt: skip
            one = by_rule[rule, threshold]
            one.dropped += 1
            by_file[rule, batch.files[row]] += 1
            if len(one.samples) < SAMPLES:
                one.samples.append((batch.ids[row], score, batch.texts[row].as_py()[:SAMPLE_CHARS]))
        for row in np.flatnonzero(pii.may_hold(found)).tolist():
            kinds = Counter(finding.kind for finding in pii.find(batch.texts[row].as_py()))
            look.pii.update(kinds)
            look.pii_documents += bool(kinds)
        look.leaked += [batch.ids[row] for row in np.flatnonzero(found.field("leak_runs").to_numpy())]
        if told is not None:
            told(look.documents)
    look.rules = list(by_rule.values())
    look.refused = list(source.refused)
    look.warnings = [
        f"{rule} takes {times} of {in_file[file]} documents of {file}: see whether it fits this source."
        for (rule, file), times in sorted(by_file.items()) if times > GUARD_SHARE * in_file[file]
    ]  # fmt: skip
    return look
