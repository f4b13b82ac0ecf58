"""People's judgement of a run: which documents they are asked about, and what their answers say of it.

Three samples are drawn from a finished run: *kept*, at random of what stays, which is what the residual is measured by;
*dropped*, at random of what rules took (copies are proved, not judged); *doubtful*, where a score lies nearest to its
bound, which is where thresholds and models learn most and which says nothing of shares. Whoever judges sees a text and
a name that tells none of this: the audit of the filter is blind to the filter.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from cupola.corpus import repeats
from cupola.corpus.engine import ledger
from cupola.corpus.engine.asked import Asked
from cupola.corpus.engine.files import Folder, appearing, read_json, sha256, write_json
from cupola.corpus.engine.units import Columns, Documents, Reader
from cupola.corpus.engine.write import COPY_RULES
from cupola.kernel.errors import conflict, invalid
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")
parquet: Any = Lazy("pyarrow.parquet")
stats: Any = Lazy("scipy.stats")

KEPT, DROPPED, DOUBTFUL = 300, 100, 100
GOOD = "good"
CONFIDENCE = 0.95
FORMAT = "cupola-review/1"
EMPTY = "(This document is empty.)"
SHOWN_CHARS = 20_000  # of a long document people see that much
Part = Literal["kept", "dropped", "doubtful"]


class Item(msgspec.Struct, frozen=True):
    """A document that people are asked about. ref: what they know it by; rule: by which it went, "" where it stays."""

    ref: str
    part: Part
    id: str
    source: str
    file: str
    place: int
    rule: str
    text: str


class Plan(msgspec.Struct, frozen=True):
    """What was drawn of which run: its manifest's checksum, the seed, how many there were of each part to draw from."""

    format: str
    manifest_sha256: str
    seed: int
    of: dict[str, int]
    items: list[Item]


def draw(run: Path, *, kept: int = KEPT, dropped: int = DROPPED, doubtful: int = DOUBTFUL, seed: int = 0) -> Plan:
    """The samples of a run; the same for the same seed. The seed is to be chosen after the run has ended: whoever knows
    it before can let the sample look better than the rest. Raises Problem (INVALID) for a folder that is no finished
    run."""
    ledger.manifest_of(run)
    went = _went(run)
    of_rules = [row for row in went if row["rule"] not in COPY_RULES]
    near = sorted((row for row in of_rules if not row["others"]), key=lambda row: (_margin(row), _key(row)))[:doubtful]
    taken = {_key(row) for row in near}
    chosen = _least([row for row in of_rules if _key(row) not in taken], dropped, seed)
    texts = _input_texts(run, {(row["file"], row["place"]) for row in (*near, *chosen)})
    items = [_item(row, "doubtful", texts, seed) for row in near]
    items += [_item(row, "dropped", texts, seed) for row in chosen]
    stays = _stays(run)
    mine = _least(stays, kept, seed)
    kept_texts = _kept_texts(run, {row["id"] for row in mine})
    for row in mine:
        known = {(row["file"], row["place"]): kept_texts[row["id"]]} if row["id"] in kept_texts else {}
        items.append(_item({**row, "rule": ""}, "kept", known, seed))
    shuffled = sorted(items, key=lambda one: one.ref)
    return Plan(FORMAT, sha256(Folder(run).manifest), seed, {"kept": len(stays), "dropped": len(of_rules)}, shuffled)


def _went(run: Path) -> list[dict[str, Any]]:
    names = ["id", "source", "file", "place", "rule", "score", "threshold", "others"]
    return [row for path in sorted((run / "removals").glob("*.parquet"))
            for row in parquet.read_table(path, columns=names).to_pylist()]  # fmt: skip


def _stays(run: Path) -> list[dict[str, Any]]:
    names = ["id", "source", "file", "place", "removed_by"]
    return [row for path in sorted((run / "documents").glob("*.parquet"))
            for row in parquet.read_table(path, columns=names).to_pylist() if row["removed_by"] is None]  # fmt: skip


def _key(row: Mapping[str, Any]) -> str:
    return f"{row['file']}\n{row['place']}"


def _margin(row: Mapping[str, Any]) -> float:
    """How far a score lies behind its bound, against the bound."""
    score, bound = float(row["score"]), float(row["threshold"])
    return abs(score - bound) / max(abs(bound), abs(score), 1e-9)


def _least(rows: list[dict[str, Any]], n: int, seed: int) -> list[dict[str, Any]]:
    """A simple random sample: the n least by a hash of the seed and of where a document stands."""
    keys = repeats.owners([f"draw {seed} {_key(row)}" for row in rows])
    return [rows[place] for place in np.argsort(keys, kind="stable")[:n].tolist()]


def _item(row: Mapping[str, Any], part: Part, texts: Mapping[tuple[str, int], str], seed: int) -> Item:
    ref = f"{int(repeats.owners([f'ref {seed} {_key(row)}'])[0]):016x}"
    text = texts.get((row["file"], row["place"]))
    if text is None:
        raise invalid("input-gone", f"{row['id']} cannot be read again from {row['file']}.", place=row["file"],
                      remedy="Put the input back to where the run has read it; a path that does not begin with / is "
                             "looked for from the present folder.")  # fmt: skip
    return Item(ref, part, row["id"], row["source"], row["file"], row["place"], row["rule"],
                text[:SHOWN_CHARS] if text.strip() else EMPTY)  # fmt: skip


def _input_texts(run: Path, wanted: set[tuple[str, int]]) -> dict[tuple[str, int], str]:
    asked = read_json(Folder(run).run, Asked)
    assert asked is not None
    files = {file for file, _ in wanted}
    found = {}
    for unit in asked.units:
        if not any(piece.path in files for piece in unit.pieces):
            continue
        for rows in Reader(unit, asked.columns).batches():
            for n, place in enumerate(zip(rows.files, rows.places.tolist(), strict=True)):
                if place in wanted:
                    found[place] = _plain(rows.texts[n])
    return found


def _kept_texts(run: Path, wanted: set[str]) -> dict[str, str]:
    """As they were written: what people judge is what training would see. Ids that two documents have give one text."""
    asked = read_json(Folder(run).run, Asked)
    assert asked is not None
    parts = [path for path in sorted((run / "kept").iterdir()) if path.stat().st_size]
    found: dict[str, str] = {}
    for rows in Documents(parts, asked.columns).batches() if parts else ():
        for n, id_ in enumerate(rows.ids):
            if id_ in wanted and id_ not in found:
                found[id_] = _plain(rows.texts[n])
    missing = wanted - set(found)  # documents without ids are called by their place in the input
    if missing:
        stays = {f"{row['file']}\n{row['place']}": row["id"] for row in _stays(run) if row["id"] in missing}
        texts = _input_texts(run, {(key.rpartition("\n")[0], int(key.rpartition("\n")[2])) for key in stays})
        found |= {stays[f"{file}\n{place}"]: text for (file, place), text in texts.items()}
    return found


def _plain(value: Any) -> str:
    return bytes(value.as_buffer() or b"").decode("utf-8", "replace")


def write(plan: Plan, folder: Path) -> Path:
    """Leave the plan and what people are shown (`items.jsonl`: ref and text, nothing else) in a new folder. Raises
    Problem (CONFLICT) when another plan lies there."""
    folder.mkdir(parents=True, exist_ok=True)
    before = read_json(folder / "plan.json", Plan)
    if before is not None and before != plan:
        raise conflict("another-sample", f"In {folder} lies another sample.", remedy="Name a new folder, or use it.")
    write_json(folder / "plan.json", plan)
    with appearing(folder / "items.jsonl") as part, part.open("w", encoding="utf-8") as file:
        for one in plan.items:
            file.write(json.dumps({"ref": one.ref, "text": one.text}, ensure_ascii=False) + "\n")
    return folder / "items.jsonl"


class Share(msgspec.Struct, frozen=True):
    """Of `judged` documents `times` are so; the share with the bounds of a two-sided 95 % interval (C. Clopper,
    E. Pearson, 1934)."""

    judged: int
    times: int
    share: float
    low: float
    high: float


class Review(msgspec.Struct, frozen=True):
    """What people's labels say of a run. judged, bad, share, low, high: of the random sample of what was kept, the
    residual; at_most: its one-sided 95 % bound, in which drawn documents without a label count as bad. good_dropped: of
    what rules took, how much is good, by rule (the two random parts together); kinds: labels of bad documents that
    stay; labels_sha256: of the labels that all this is from."""

    format: str
    manifest_sha256: str
    seed: int
    judged: int
    bad: int
    share: float
    low: float
    high: float
    at_most: float
    unlabelled: int
    good_dropped: dict[str, Share]
    kinds: dict[str, int]
    labels_sha256: str


def share_of(times: int, judged: int) -> Share:
    """A share with its interval; of nothing everything may be so."""
    low = 0.0 if times == 0 else float(stats.beta.ppf((1 - CONFIDENCE) / 2, times, judged - times + 1))
    high = 1.0 if times == judged else float(stats.beta.ppf((1 + CONFIDENCE) / 2, times + 1, judged - times))
    return Share(judged, times, times / judged if judged else 0.0, low, high)


def at_most(times: int, judged: int) -> float:
    """The one-sided upper bound of a share."""
    return 1.0 if times >= judged else float(stats.beta.ppf(CONFIDENCE, times + 1, judged - times))


def finish(run: Path, plan: Plan, labels: Mapping[str, str], labels_sha256: str) -> tuple[Review, list[dict[str, str]]]:
    """What labels (ref → `good`, or what is wrong) say, and the rows to learn from: id, text, label, source, part.
    Raises Problem (CONFLICT) when the sample is of another run, (INVALID) when no label is of it."""
    if plan.manifest_sha256 != sha256(Folder(run).manifest):
        raise conflict("sample-of-another-run", f"The sample was not drawn of {run}.", remedy="Name the run it is of.")
    known = [(one, labels[one.ref]) for one in plan.items if one.ref in labels]
    if not known:
        raise invalid("no-labels", "None of the labels is of a document that was drawn.", place="labels",
                      remedy="Their column `ref` names the documents as items.jsonl does.")  # fmt: skip
    stays = [label for one, label in known if one.part == "kept"]
    drawn = sum(one.part == "kept" for one in plan.items)
    bad = sum(label != GOOD for label in stays)
    found = share_of(bad, len(stays))
    went: dict[str, list[bool]] = {}
    for one, label in known:
        if one.part != "kept":
            went.setdefault(one.rule, []).append(label == GOOD)
    review = Review(
        FORMAT, plan.manifest_sha256, plan.seed, len(stays), bad, found.share, found.low, found.high,
        at_most(bad + drawn - len(stays), drawn), drawn - len(stays),
        {rule: share_of(sum(some), len(some)) for rule, some in sorted(went.items())},
        dict(sorted(Counter(label for label in stays if label != GOOD).items())), labels_sha256,
    )  # fmt: skip
    rows = [{"id": one.id, "text": one.text, "label": label, "source": one.source, "part": one.part}
            for one, label in known]  # fmt: skip
    return review, rows


def labels_of(path: Path) -> Iterator[tuple[str, str]]:
    """Pairs of ref and label from a file of JSON lines or Parquet, or a folder with one: as `{"ref", "label"}`, or as a
    release is exported, whose label is an object with its values. Raises Problem (INVALID) for another label."""
    for rows in Documents([path], Columns("ref", "ref")).batches():
        for ref, raw in zip(rows.ids, rows.raw if isinstance(rows.raw, list) else rows.raw.to_pylist(), strict=True):
            row = raw if isinstance(raw, dict) else json.loads(raw)
            yield ref, _label(row.get("label"), ref)


def _label(value: Any, ref: str) -> str:
    if isinstance(value, str) and value.startswith("{"):
        value = json.loads(value)
    if isinstance(value, dict):
        some = value.get("values")
        value = some[0] if isinstance(some, list) and len(some) == 1 else None
    if not isinstance(value, str) or not value:
        raise invalid("label-malformed", f"{ref} has no label that is one class.", place=ref,
                      remedy='Give {"ref": …, "label": "good"} in each line, or a release of one choice.')  # fmt: skip
    return value
