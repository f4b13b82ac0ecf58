"""A run: stages over units, each begun where the last attempt left it; guards between judging and writing; a manifest
that says of every file what it holds."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from cupola.corpus.engine import copies, editing, guards
from cupola.corpus.engine.asked import Asked
from cupola.corpus.engine.distribute import Engine
from cupola.corpus.engine.files import PART, Folder, alone, read_json, sha256, write_json
from cupola.corpus.engine.judge import Judged, Task, judge
from cupola.corpus.engine.units import UNIT_BYTES, Columns, plan
from cupola.corpus.engine.write import Part, WriteTask, Written, write
from cupola.corpus.readers import Refused
from cupola.corpus.recipe import Loaded
from cupola.kernel import clock
from cupola.kernel.errors import conflict, invalid
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")
parquet: Any = Lazy("pyarrow.parquet")

MEMORY_BYTES = 4 << 30
LEAST_KEY_BYTES = 16
FORMAT = "cupola-refined/1"


@dataclass(frozen=True)
class Progress:
    """Of a stage: units (groups, while copies are compared) and bytes done of all, documents so far, seconds."""

    stage: str
    done: int
    of: int
    bytes: int
    bytes_of: int
    documents: int
    seconds: float

    @property
    def left_s(self) -> float | None:
        """Seconds that the stage will still take, at its present rate."""
        share = self.bytes / self.bytes_of if self.bytes_of else self.done / max(self.of, 1)
        return self.seconds * (1 - share) / share if share > 0 else None


Told = Callable[[Progress], None]


class Link(msgspec.Struct, frozen=True):
    """A part of the ledger in its chain: SHA-256 of the link before, in hex, and of the part; the first link follows
    the SHA-256 of run.json."""

    path: str
    rows: int
    chain: str


class Manifest(msgspec.Struct, frozen=True):
    """The outcome of a run, the same for the same input and recipe whoever did it. read = kept + removed; edits:
    how many documents each edit has changed."""

    format: str
    recipe: str
    run_sha256: str
    read: int
    kept: int
    removed: int
    rules: dict[str, int]
    sources: dict[str, tuple[int, int]]
    languages: dict[str, int]
    read_bytes: int
    kept_bytes: int
    personal: dict[str, int]
    refusals: int
    accepted: list[str]
    parts: list[Part]
    chain: list[Link]
    edits: dict[str, int] = {}


@dataclass(frozen=True)
class Asking:
    """How a run is to be done: what passes the guards, what it may hold, how large its units are."""

    accept: tuple[str, ...] = ()
    memory_bytes: int = MEMORY_BYTES
    key: bytes | None = None
    unit_bytes: int = UNIT_BYTES


def run(
    paths: list[Path], out: Path, loaded: Loaded, columns: Columns, engine: Engine, asking: Asking, told: Told
) -> Manifest:
    """Refine files into a folder, or go on with what was begun there. Raises Problem (CONFLICT) when another run stands
    there, when the input has changed since, and when a guard stops it; (INVALID) for what cannot be read at all."""
    if loaded.recipe.personal == "pseudonym" and len(asking.key or b"") < LEAST_KEY_BYTES:
        raise invalid("pseudonyms-without-a-key", "Pseudonyms are made with a key that only you have.", place="key",
                      remedy=f"Give a file of at least {LEAST_KEY_BYTES} bytes: --key.")  # fmt: skip
    asked = Asked(loaded, columns, tuple(plan(paths, asking.unit_bytes)))
    folder = Folder(out)
    out.mkdir(parents=True, exist_ok=True)
    _empty_or_ours(folder)
    with alone(out):
        _begin(folder, asked)
        if (done := read_json(folder.manifest, Manifest)) is not None:
            return done
        folder.make()
        edited = _edited(asked, folder, engine, asking, told)
        found = _judged(asked, folder, engine, told)
        if guards.ALL not in asking.accept:
            guards.check([one for one in guards.stops(found) if one.name not in asking.accept])
        _compared(asked, folder, engine, asking, told)
        written = _written(asked, folder, engine, asking, told, found)
        manifest = _manifest(folder, loaded, edited, found, written, asking)
        refused = [one for unit in edited for one in unit.refused]
        refused += [one for unit in found for one in unit.refused]
        if refused:
            write_json(folder.root / "refused.json", refused)
        write_json(folder.manifest, manifest)
        shutil.rmtree(folder.work)
        return manifest


def refused(out: Path) -> list[Refused]:
    """What a finished run could not read."""
    return read_json(out / "refused.json", list[Refused]) or []


def _empty_or_ours(folder: Folder) -> None:
    strange = sorted(one.name for one in folder.root.iterdir() if one.name != ".lock" and not one.name.endswith(PART))
    if strange and not folder.run.exists():
        raise invalid("folder-not-empty", f"{folder.root} holds {strange[0]}.", place="out",
                      remedy="Name a new folder, or one where a run was begun.")  # fmt: skip


def _begin(folder: Folder, asked: Asked) -> None:
    known = read_json(folder.run, Asked)
    if known is None:
        write_json(folder.run, asked)
    elif known != asked:
        names = [one for one in ("recipe", "columns", "units", "profile") if getattr(known, one) != getattr(asked, one)]
        raise conflict("another-run", f"In {folder.root} another run was begun: {' and '.join(names)} differ.",
                       remedy="Name a new folder, or ask for the same again.")  # fmt: skip


def _edited(asked: Asked, folder: Folder, engine: Engine, asking: Asking, told: Told) -> list[editing.EditedUnit]:
    if not asked.recipe.recipe.changes_texts:
        return []
    start = clock.monotonic_s()

    def say(stage: str, done: int, of: int) -> None:
        told(Progress(stage, done, of, 0, 0, 0, clock.monotonic_s() - start))

    return editing.run(folder, engine, asking.memory_bytes, say)


def _judged(asked: Asked, folder: Folder, engine: Engine, told: Told) -> list[Judged]:
    start, bytes_, documents = clock.monotonic_s(), 0, 0
    total = sum(unit.bytes for unit in asked.units)
    found: list[Judged] = []
    tasks = [Task(str(folder.root), unit.number) for unit in asked.units]
    for one in engine.each(judge, tasks):
        found.append(one)
        bytes_ += asked.units[one.unit].bytes
        documents += sum(one.read.values())
        told(Progress("judging", len(found), len(tasks), bytes_, total, documents, clock.monotonic_s() - start))
    return sorted(found, key=lambda one: one.unit)


def _compared(asked: Asked, folder: Folder, engine: Engine, asking: Asking, told: Told) -> None:
    if not asked.recipe.recipe.exact:
        return
    start = clock.monotonic_s()
    for done, of in copies.find(asked, folder, engine, asking.memory_bytes):
        told(Progress("comparing", done, of, 0, 0, 0, clock.monotonic_s() - start))


def _written(
    asked: Asked, folder: Folder, engine: Engine, asking: Asking, told: Told, found: list[Judged]
) -> list[Written]:
    start, bytes_, documents, first = clock.monotonic_s(), 0, 0, 0
    total = sum(unit.bytes for unit in asked.units)
    tasks = []
    for one in found:
        tasks.append(WriteTask(str(folder.root), one.unit, first, asking.key))
        first += sum(one.read.values())
    written: list[Written] = []
    for done in engine.each(write, tasks):
        written.append(done)
        bytes_ += asked.units[done.unit].bytes
        documents += done.read
        told(Progress("writing", len(written), len(tasks), bytes_, total, documents, clock.monotonic_s() - start))
    return sorted(written, key=lambda one: one.unit)


def _manifest(
    folder: Folder, loaded: Loaded, edited: list[editing.EditedUnit], found: list[Judged], written: list[Written],
    asking: Asking,
) -> Manifest:  # fmt: skip
    edits: Counter[str] = Counter()
    for before in edited:
        edits.update(before.edits)
    for unit in found:
        edits.update(unit.edits)
    rules: Counter[str] = Counter()
    personal: Counter[str] = Counter()
    spoken: Counter[str] = Counter()
    for one in written:
        rules.update(one.rules)
        personal.update(one.personal)
    read_by: Counter[str] = Counter()
    for judged in found:
        spoken.update(judged.languages)
        read_by.update(judged.read)
    removed_by = _removed_by_source(folder, written)
    refusals = sum(one.refusals for one in found) + sum(len(one.refused) for one in edited)
    run_sha256 = sha256(folder.run)
    parts = [part for one in written for part in one.parts]
    manifest = Manifest(
        FORMAT, f"{loaded.recipe.name}@{loaded.recipe.version}", run_sha256,
        sum(one.read for one in written), sum(one.kept for one in written), sum(rules.values()),
        dict(sorted(rules.items())),
        {source: (times, times - removed_by[source]) for source, times in sorted(read_by.items())},
        dict(sorted(spoken.items())), sum(one.text_bytes for one in found), sum(one.kept_bytes for one in written),
        dict(sorted(personal.items())), refusals, sorted(asking.accept), parts,
        chain(run_sha256, parts), dict(sorted(edits.items())),
    )  # fmt: skip
    assert manifest.read == manifest.kept + manifest.removed == sum(read_by.values()), "a document was lost"
    return manifest


def _removed_by_source(folder: Folder, written: list[Written]) -> Counter[str]:
    removed: Counter[str] = Counter()
    for one in written:
        for part in one.parts:
            if part.path.startswith("removals/"):
                counted = parquet.read_table(folder.root / part.path, columns=["source"])["source"].value_counts()
                for value in counted.to_pylist():
                    removed[value["values"]] += value["counts"]
    return removed


def chain(run_sha256: str, parts: list[Part]) -> list[Link]:
    """The links of a ledger's parts, in their order."""
    links, before = [], run_sha256
    for part in parts:
        if part.path.startswith(("removals/", "edits/")):
            before = hashlib.sha256(f"{before}{part.sha256}".encode()).hexdigest()
            links.append(Link(part.path, part.rows, before))
    return links
