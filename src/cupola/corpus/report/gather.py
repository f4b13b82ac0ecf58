"""What a report shows, from a finished run and a sample of its input."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cupola.corpus import pii, repeats
from cupola.corpus.engine import ledger
from cupola.corpus.engine.asked import Asked
from cupola.corpus.engine.editing import Edits, laid_over
from cupola.corpus.engine.files import Folder, read_json
from cupola.corpus.engine.judge import tools_of
from cupola.corpus.engine.run import refused
from cupola.corpus.engine.units import Reader, Rows
from cupola.corpus.report.reasons import differences, pieces, reasons
from cupola.corpus.rules import Signals
from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")
parquet: Any = Lazy("pyarrow.parquet")

SAMPLE = 2000
SAMPLES_A_RULE, SAMPLE_CHARS, CLUSTERS, MEMBERS, MOST_SOURCES = 4, 900, 12, 3, 40
DIGITS, MOST_REFUSED = 5, 50
REVIEW = "review.json"
Pieces = list[tuple[str, bool]]


class Sample(msgspec.Struct):
    """A document that a rule took: its text in pieces, marked where the rule saw something; of a copy also what was
    kept of the group."""

    id: str
    source: str
    score: float
    text: Pieces
    keeper: str = ""
    kept: Pieces = []


class Rule(msgspec.Struct):
    """taken: documents by source, in the order of `sources`."""

    name: str
    signal: str
    version: str
    taken: list[int]
    samples: list[Sample]


class Histogram(msgspec.Struct):
    """A rule with a bound: the value of its signal for each sampled document (null: it says nothing of it)."""

    rule: str
    signal: str
    least: float | None
    most: float | None
    values: list[float | None]


class Cluster(msgspec.Struct):
    """A document that stayed, and what went for it."""

    keeper: str
    copies: int
    least_similarity: float
    members: list[Sample]


class Residual(msgspec.Struct, frozen=True):
    """What people found in a random sample of what was kept: judged, bad, the share and its 95 % bounds."""

    judged: int
    bad: int
    share: float
    low: float
    high: float


class Report(msgspec.Struct):
    """Everything that the page shows. edits: name → documents, bytes that they took away. sampled_source: of each
    sampled document its place in `sources`; labels: whether people call it good (1), bad (0), or said nothing (-1)."""

    recipe: str
    about: str
    run_sha256: str
    ledger: str
    wrong: list[str]
    read: int
    kept: int
    read_bytes: int
    kept_bytes: int
    sources: list[tuple[str, int, int]]
    rules: list[Rule]
    edits: list[tuple[str, int, int]]
    languages: list[tuple[str, int]]
    personal: list[tuple[str, int]]
    personal_what: str
    pii_found: list[tuple[str, int, int]]
    leaks: tuple[int, int]
    clusters: list[Cluster]
    histograms: list[Histogram]
    sampled: int
    sampled_source: list[int]
    labels: list[int]
    residual: Residual | None
    refused: list[tuple[str, str, str]]
    refusals: int


def gather(run: Path, sample: int = SAMPLE, labels: dict[str, bool] | None = None) -> Report:
    """labels: id → whether people call the document good. Raises Problem (INVALID) for a folder that is no finished run
    or whose input is gone."""
    manifest = ledger.manifest_of(run)
    asked = read_json(Folder(run).run, Asked)
    assert asked is not None
    sources = sorted(manifest.sources, key=lambda one: (-manifest.sources[one][0], one))[:MOST_SOURCES]
    removals = _table(run, "removals")
    wanted = _wanted(removals, asked)
    looked = _Looked(asked, wanted, manifest.read, sample, {name: n for n, name in enumerate(sources)}, labels or {})
    recipe = asked.recipe.recipe
    return Report(
        recipe=manifest.recipe, about=recipe.about, run_sha256=manifest.run_sha256,
        ledger=manifest.chain[-1].chain if manifest.chain else manifest.run_sha256, wrong=ledger.verify(run),
        read=manifest.read, kept=manifest.kept, read_bytes=manifest.read_bytes, kept_bytes=manifest.kept_bytes,
        sources=[(name, *manifest.sources[name]) for name in sources], rules=_rules(removals, sources, looked.texts),
        edits=_edits(run), languages=sorted(manifest.languages.items(), key=lambda one: -one[1])[:20],
        personal=list(manifest.personal.items()), personal_what=recipe.personal,
        pii_found=[(kind, times, looked.pii_documents[kind]) for kind, times in looked.pii.most_common()],
        leaks=(looked.leaks, len(looked.source)), clusters=_clusters(removals, looked.texts),
        histograms=looked.histograms(), sampled=len(looked.source), sampled_source=looked.source, labels=looked.labels,
        residual=read_json(run / REVIEW, Residual), refusals=manifest.refusals,
        refused=[(one.place, one.reason, one.remedy) for one in refused(run)[:MOST_REFUSED]],
    )  # fmt: skip


def _table(run: Path, kind: str) -> Any:
    parts = [parquet.read_table(path) for path in sorted((run / kind).glob("*.parquet"))]
    return pa.concat_tables(parts) if parts else pa.table({})


Place = tuple[str, int]


def _wanted(removals: Any, asked: Asked) -> set[Place]:
    """The documents whose texts are shown: some of each rule, the largest groups and what was kept of them."""
    wanted: set[Place] = set()
    seen: Counter[str] = Counter()
    groups = Counter(zip(removals["keeper_file"].to_pylist(), removals["keeper_place"].to_pylist(), strict=True))
    groups.pop((None, None), None)
    large = {place for place, _ in groups.most_common(CLUSTERS)}
    shown: Counter[Place] = Counter()
    for row in removals.select(["rule", "file", "place", "keeper_file", "keeper_place"]).to_pylist():
        keeper = (row["keeper_file"], row["keeper_place"])
        member = keeper in large and shown[keeper] < MEMBERS
        if seen[row["rule"]] < SAMPLES_A_RULE or member:
            seen[row["rule"]] += 1
            shown[keeper] += 1
            wanted.add((row["file"], row["place"]))
            if keeper[0] is not None:
                wanted.add(keeper)
    return wanted


class _Looked:
    """One pass over the input: texts that are shown, and the signals of a sample that is drawn by the hash of ids."""

    def __init__(
        self, asked: Asked, wanted: set[Place], documents: int, sample: int, sources: dict[str, int],
        labels: dict[str, bool],
    ) -> None:  # fmt: skip
        self.texts: dict[Place, str] = {}
        self.source: list[int] = []
        self.labels: list[int] = []
        self.pii: Counter[str] = Counter()
        self.pii_documents: Counter[str] = Counter()
        self.leaks = 0
        self._asked = asked
        self._values: dict[str, list[float | None]] = {}
        self._bounds = {f"{one.name}/{rule.rule}": rule for one in asked.recipe.sets for rule in one.rules}
        if asked.recipe.recipe.learned is not None:
            self._values["learned/pollution"] = []
        limit = np.uint64(min(int(sample / max(documents, 1) * 2**64), 2**64 - 1))
        tools, edits = tools_of(asked.recipe), Edits(asked.recipe.recipe.edits)
        for unit in asked.units:
            reader = Reader(unit, asked.columns)
            for rows in reader.batches():
                mine = repeats.owners(rows.ids) <= limit
                mine |= np.array([id_ in labels for id_ in rows.ids], np.bool_)
                shown = [(rows.files[n], int(rows.places[n])) in wanted for n in range(len(rows))] if wanted else []
                for n in np.flatnonzero(shown).tolist():
                    self.texts[rows.files[n], int(rows.places[n])] = _plain(rows.texts[n])
                some = np.flatnonzero(mine)
                if not len(some):
                    continue
                picked = some.tolist()
                ids, of = [rows.ids[n] for n in picked], [rows.sources[n] for n in picked]
                texts = pa.concat_arrays([rows.texts.take(pa.array(some))])
                files, places = [rows.files[n] for n in picked], rows.places[some]
                changed, _ = edits(Rows(ids, texts, places, files, of, None), 0)
                texts = laid_over(texts, changed)
                self._add(tools.profile(texts), texts, of, ids, sources, labels)
        if documents and not self.source and not self.texts:
            raise invalid("input-gone", f"Nothing can be read of {asked.units[0].pieces[0].path}.", place="input",
                          remedy="Put the input back to where the run has read it.")  # fmt: skip

    def _add(self, found: Any, texts: Any, of: list[str], ids: list[str], sources: dict[str, int],
             labels: dict[str, bool]) -> None:  # fmt: skip
        signals = Signals(found)
        for name, rule in self._bounds.items():
            self._values.setdefault(name, []).extend(_rounded(signals.of(rule.signal)))
        if "learned/pollution" in self._values:
            self._values["learned/pollution"].extend(_rounded(signals.of("pollution")))
        self.source += [sources.get(one, -1) for one in of]
        self.labels += [int(labels[one]) if one in labels else -1 for one in ids]
        self.leaks += int((signals.column("leak_runs") > 0).sum())
        for row in np.flatnonzero(pii.may_hold(found)).tolist():
            kinds = Counter(one.kind for one in pii.find(_plain(texts[row])))
            self.pii.update(kinds)
            self.pii_documents.update(kinds.keys())

    def histograms(self) -> list[Histogram]:
        out = [Histogram(name, rule.signal, rule.least, rule.most, self._values.get(name, []))
               for name, rule in self._bounds.items()]  # fmt: skip
        if "learned/pollution" in self._values:
            out.append(Histogram("learned/pollution", "pollution", None, 0.0, self._values["learned/pollution"]))
        return [one for one in out if any(value is not None for value in one.values)]


def _plain(value: Any) -> str:
    return bytes(value.as_buffer() or b"").decode("utf-8", "replace")


def _rounded(values: Any) -> list[float | None]:
    return [float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None for value in values.tolist()]


def _shown(text: str) -> str:
    return text if len(text) <= SAMPLE_CHARS else text[:SAMPLE_CHARS] + " …"


def _copy(row: dict[str, Any], texts: dict[Place, str]) -> Sample:
    text = _shown(texts.get((row["file"], row["place"]), ""))
    kept = _shown(texts.get((row["keeper_file"], row["keeper_place"]), ""))
    left, right = differences(text, kept)
    return Sample(row["id"], row["source"], row["score"], left, row["keeper"], right)


def _rules(removals: Any, sources: list[str], texts: dict[Place, str]) -> list[Rule]:
    place = {name: n for n, name in enumerate(sources)}
    found: dict[str, Rule] = {}
    for row in removals.to_pylist():
        rule = found.setdefault(row["rule"], Rule(row["rule"], row["signal"], row["version"], [0] * len(sources), []))
        if row["source"] in place:
            rule.taken[place[row["source"]]] += 1
        at = (row["file"], row["place"])
        if len(rule.samples) < SAMPLES_A_RULE and at in texts:
            if row["keeper"] is not None:
                rule.samples.append(_copy(row, texts))
                continue
            text = _shown(texts[at])
            rule.samples.append(
                Sample(row["id"], row["source"], row["score"], pieces(text, reasons(row["signal"], text)))
            )
    return sorted(found.values(), key=lambda one: -sum(one.taken))


def _clusters(removals: Any, texts: dict[Place, str]) -> list[Cluster]:
    groups: dict[Place, Cluster] = {}
    rows = [row for row in removals.to_pylist() if row["keeper"] is not None]
    for row in rows:
        at = (row["keeper_file"], row["keeper_place"])
        one = groups.setdefault(at, Cluster(row["keeper"], 0, 1.0, []))
        one.copies += 1
        one.least_similarity = min(one.least_similarity, row["similarity"])
        if len(one.members) < MEMBERS and (row["file"], row["place"]) in texts and at in texts:
            one.members.append(_copy(row, texts))
    return sorted(groups.values(), key=lambda one: -one.copies)[:CLUSTERS]


def _edits(run: Path) -> list[tuple[str, int, int]]:
    table = _table(run, "edits")
    if not table.num_columns or not len(table):
        return []
    times: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    for name, before, after in zip(*(table[one].to_pylist() for one in ("edit", "bytes_before", "bytes_after")),
                                   strict=True):  # fmt: skip
        times[name] += 1
        taken[name] += before - after
    return [(name, number, taken[name]) for name, number in times.most_common()]
