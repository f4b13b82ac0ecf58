"""A run over pictures: look at each, ask the rules, find copies, write what became of every one.

The outcome has the form of a text run (`documents`, `removals`, `kept`, a manifest with a chained ledger), so that what
explains, compares and verifies those does it here too. Looks are kept unit by unit: a run that was ended goes on.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cupola.corpus.engine.distribute import Engine
from cupola.corpus.engine.files import Folder, alone, appearing, read_json, sha256, write_json
from cupola.corpus.engine.run import Manifest, chain
from cupola.corpus.engine.write import COPY_RULES, Part
from cupola.corpus.pictures import near, signals
from cupola.corpus.rules import RuleSet
from cupola.kernel.errors import conflict, invalid
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")
parquet: Any = Lazy("pyarrow.parquet")

FORMAT = "cupola-refined-pictures/1"
PRESETS = ("photos",)
UNIT = 256  # pictures that are looked at in one go
UNREADABLE = "unreadable"
Row = dict[str, Any]
Told = Callable[[int, int], None]


class Entry(msgspec.Struct, frozen=True):
    """A picture of the input. ref: its path in the folder that was named; source: the folder it lies in, of those."""

    ref: str
    path: str
    source: str
    size: int
    changed_ns: int


class Asked(msgspec.Struct, frozen=True):
    """All that decides the outcome, as `run.json` holds it."""

    rules: tuple[RuleSet, ...]
    similarity: float | None
    embeddings: str | None
    entries: tuple[Entry, ...]
    version: str = signals.VERSION


class Look(msgspec.Struct, frozen=True):
    """One look, as it is kept between attempts; fault: why there is none."""

    fault: str = ""
    format: str = ""
    signals: dict[str, float] = {}
    pixels: str = ""
    fingerprint: int = 0
    look: bytes = b""


class LookTask(msgspec.Struct, frozen=True):
    root: str
    unit: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Embeddings:
    """Vectors that somebody else made: float[n, d], by ref; digest: of the file they came from."""

    refs: dict[str, int]
    values: Any
    digest: str


def found(paths: Sequence[Path]) -> tuple[Entry, ...]:
    """The pictures of folders, by the endings of their names, and those named themselves; in the order of their refs.

    Raises Problem (INVALID) when there is nothing there, or two have one ref.
    """
    entries: dict[str, Entry] = {}
    for root in paths:
        if not root.exists():
            raise invalid("file-absent", f"There is no {root}.", place=str(root), remedy="Check the path.")
        for path in [root] if root.is_file() else _beneath(root):
            ref = path.name if root.is_file() else path.relative_to(root).as_posix()
            if ref in entries:
                raise invalid("ref-twice", f"{entries[ref].path} and {path} would both be called {ref}.",
                              place=str(path), remedy="Name one folder that holds both.")  # fmt: skip
            status = path.stat()
            source = Path(ref).parent.as_posix()
            entries[ref] = Entry(ref, str(path), source, status.st_size, status.st_mtime_ns)
    if not entries:
        raise invalid("no-pictures", f"There is no picture in {', '.join(map(str, paths))}.", place=str(paths[0]),
                      remedy=f"Files are known by their endings: {' '.join(signals.SUFFIXES)}.")  # fmt: skip
    return tuple(entries[ref] for ref in sorted(entries))


def _beneath(root: Path) -> list[Path]:
    out: list[Path] = []
    for folder, below, files in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith("."))
        out += [Path(folder, name) for name in files
                if name.lower().endswith(signals.SUFFIXES) and not name.startswith(".")]  # fmt: skip
    return [path for path in out if path.is_file()]


def embeddings(path: Path) -> Embeddings:
    """A Parquet file with the columns `ref` and `embedding` (lists of one length). Raises Problem (INVALID)."""
    try:
        table = parquet.read_table(path, columns=["ref", "embedding"])
        refs = table["ref"].to_pylist()
        rows = table["embedding"].to_pylist()
    except (OSError, ValueError, KeyError) as error:
        raise invalid("embeddings-unreadable", f"{path} holds no embeddings: {str(error).splitlines()[0]}.",
                      place=str(path),
                      remedy="A Parquet file with the columns ref and embedding.") from error  # fmt: skip
    lengths = {len(row) if row is not None else 0 for row in rows}
    if len(lengths) != 1 or 0 in lengths:
        raise invalid("embeddings-uneven", f"The embeddings of {path} have the lengths {sorted(lengths)[:5]}.",
                      place=str(path), remedy="All have one length, and none is missing.")  # fmt: skip
    return Embeddings({ref: n for n, ref in enumerate(refs)}, near.unit(np.asarray(rows)), sha256(path))


def look_at(task: LookTask) -> int:
    """Look at the pictures of a unit, or leave what was looked at before; returns how many there are."""
    path = _looks(Folder(Path(task.root)), task.unit)
    if path.exists():
        return len(task.entries)
    looks = []
    for entry in task.entries:
        try:
            one = signals.look(Path(entry.path))
        except signals.Unreadable as error:
            looks.append(Look(fault=str(error)))
        else:
            looks.append(Look("", one.format, one.signals, one.pixels, one.fingerprint, one.look))
    with appearing(path) as part:
        part.write_bytes(msgspec.msgpack.encode(looks))
    return len(looks)


def _looks(folder: Folder, unit: int) -> Path:
    return folder.work / "judged" / f"{unit:06d}.looks"


def run(
    entries: tuple[Entry, ...],
    out: Path,
    rules: tuple[RuleSet, ...],
    similarity: float | None,
    given: Embeddings | None,
    engine: Engine,
    told: Told,
) -> Manifest:
    """Refine pictures into a folder, or go on with what was begun there. similarity: the least of a copy to its keeper,
    None to leave copies. Raises Problem (CONFLICT) when another run stands there, (INVALID) for what cannot be done."""
    asked = Asked(rules, similarity, None if given is None else given.digest, entries)
    if given is not None and (missing := [one.ref for one in entries if one.ref not in given.refs]):
        raise invalid("embedding-missing", f"{len(missing)} pictures have no embedding, the first is {missing[0]}.",
                      place=missing[0], remedy="Give one for each, by its path in the folder.")  # fmt: skip
    folder = Folder(out)
    folder.make()
    with alone(out):
        before = _begun(folder)
        if before is not None and before != asked:
            raise conflict("run-other", f"{out} holds a run over other pictures or by other rules.",
                           remedy="Name another folder, or delete this one.")  # fmt: skip
        if (done := read_json(folder.manifest, Manifest)) is not None:
            return done
        write_json(folder.run, asked)
        tasks = [LookTask(str(out), n // UNIT, entries[n : n + UNIT]) for n in range(0, len(entries), UNIT)]
        seen = 0
        told(0, len(entries))
        for some in engine.each(look_at, tasks):
            seen += some
            told(seen, len(entries))
        looks: list[Look] = []
        for task in tasks:
            looks += msgspec.msgpack.decode(_looks(folder, task.unit).read_bytes(), type=list[Look])
        return _written(folder, asked, looks, given)


def lay(out: Path, into: Path) -> int:
    """Lay what a finished run keeps into a folder, as hard links to the files of the input, or as copies where the two
    lie on other disks; returns how many. Raises Problem (INVALID) for a folder that holds something, (CONFLICT) when a
    file is not what the run has looked at."""
    if into.exists() and any(into.iterdir()):
        raise invalid("folder-not-empty", f"{into} is not empty.", place="into", remedy="Name a new folder.")
    asked = read_json(Folder(out).run, Asked)
    assert asked is not None
    of = {entry.ref: entry for entry in asked.entries}
    kept = Folder(out).part("kept", 0, ".jsonl").read_bytes().splitlines()
    for line in kept:
        entry = of[msgspec.json.decode(line)["ref"]]
        source, target = Path(entry.path), into / entry.ref
        try:
            status = source.stat()
        except OSError:
            status = None
        if status is None or (status.st_size, status.st_mtime_ns) != (entry.size, entry.changed_ns):
            raise conflict("input-changed", f"{entry.path} is no longer what the run has looked at.",
                           remedy="Put the file back as it was, or refine anew into another folder.")  # fmt: skip
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.hardlink_to(source)
        except OSError:
            shutil.copy2(source, target)
    return len(kept)


def _begun(folder: Folder) -> Asked | None:
    try:
        return read_json(folder.run, Asked)
    except msgspec.ValidationError as error:
        raise conflict("run-other", f"{folder.root} holds a run over texts.",
                       remedy="Name another folder.") from error  # fmt: skip


def _broken(looks: list[Look], rules: tuple[RuleSet, ...]) -> dict[int, list[Row]]:
    """row → the rules that it breaks, in their order."""
    out: dict[int, list[Row]] = {}
    for row, look in enumerate(looks):
        if look.fault:
            out[row] = [{"rule": UNREADABLE, "version": signals.VERSION, "signal": "fault", "score": None,
                         "threshold": None, "fault": look.fault}]  # fmt: skip
            continue
        for one in rules:
            for rule in one.rules:
                score = look.signals[rule.signal]
                bounds = [bound for bound, broken in ((rule.least, score < (rule.least or 0.0)),
                                                      (rule.most, score > (rule.most or 0.0)))
                          if bound is not None and broken]  # fmt: skip
                if bounds:
                    told = {"rule": f"{one.name}/{rule.rule}", "version": one.stamp, "signal": rule.signal}
                    out.setdefault(row, []).append({**told, "score": score, "threshold": bounds[0], "fault": None})
    return out


def _copied(
    looks: list[Look], entries: tuple[Entry, ...], good: list[int], threshold: float, given: Embeddings | None
) -> dict[int, tuple[int, float, bool]]:
    """row → (its keeper's row, similarity, whether they show the same pixels), among the rows that no rule takes. The
    one with more pixels stays, then the sharper, the larger file, the earlier ref."""

    def rank(row: int) -> tuple[float, float, float, str]:
        one = looks[row].signals
        return -one["megapixels"], -one["sharpness"], -one["bytes"], entries[row].ref

    order = sorted(good, key=rank)
    first: dict[str, int] = {}
    out: dict[int, tuple[int, float, bool]] = {}
    for row in order:
        keeper = first.setdefault(looks[row].pixels, row)
        if keeper != row:
            out[row] = (keeper, 1.0, True)
    rest = [row for row in order if row not in out]
    if given is None:
        vectors = near.looks(
            np.array([np.frombuffer(looks[row].look, np.uint8) for row in rest]).reshape(len(rest), -1)
        )
    else:
        vectors = given.values[[given.refs[entries[row].ref] for row in rest]]
    prints = np.array([looks[row].fingerprint for row in rest], np.uint64)
    joined = near.copies(prints, vectors, threshold, by_vectors=given is not None)
    for rank_, (keeper, similarity) in joined.items():
        out[rest[rank_]] = (rest[keeper], similarity, False)
    # what shows the same as something that went goes for the one that stays in its place
    for row, (keeper, similarity, exact) in list(out.items()):
        if exact and keeper in out:
            out[row] = (out[keeper][0], out[keeper][1], False)
        else:
            out[row] = (keeper, similarity, exact)
    return out


def _written(folder: Folder, asked: Asked, looks: list[Look], given: Embeddings | None) -> Manifest:
    entries = asked.entries
    broken = _broken(looks, asked.rules)
    good = [row for row in range(len(entries)) if row not in broken]
    copied = {} if asked.similarity is None else _copied(looks, entries, good, asked.similarity, given)
    removals: list[Row] = []
    for row in sorted({*broken, *copied}):
        entry = entries[row]
        base = {"id": entry.ref, "source": entry.source, "file": entry.path, "place": 0, "bytes": entry.size}
        if row in broken:
            first, *more = broken[row]
            removals.append({**base, **first, "others": [one["rule"] for one in more], "keeper": None,
                             "keeper_file": None, "keeper_place": None, "similarity": None})  # fmt: skip
        else:
            keeper, similarity, exact = copied[row]
            rule = COPY_RULES[0] if exact else COPY_RULES[1]
            removals.append({**base, "rule": rule, "version": f"copies@{signals.VERSION}", "signal": "similarity",
                             "score": similarity, "threshold": 1.0 if exact else asked.similarity, "fault": None,
                             "others": [], "keeper": entries[keeper].ref, "keeper_file": entries[keeper].path,
                             "keeper_place": 0, "similarity": similarity})  # fmt: skip
    by = {one["id"]: one["rule"] for one in removals}
    documents = [
        {"id": entry.ref, "source": entry.source, "file": entry.path, "place": 0, "format": look.format or None,
         **{name: look.signals.get(name) for name in signals.SIGNALS}, "bytes": entry.size,
         "pixels_sha256": look.pixels or None, "fingerprint": look.fingerprint, "removed_by": by.get(entry.ref)}
        for entry, look in zip(entries, looks, strict=True)
    ]  # fmt: skip
    kept = [entry for entry in entries if entry.ref not in by]
    paths = {kind: folder.part(kind, 0, ".parquet") for kind in ("removals", "documents")}
    for kind, rows, schema in (("removals", removals, _ledger_schema()), ("documents", documents, _schema())):
        with appearing(paths[kind]) as part:
            parquet.write_table(pa.Table.from_pylist(rows, schema=schema), part, compression="zstd")
    listed = folder.part("kept", 0, ".jsonl")
    with appearing(listed) as part:
        lines = [msgspec.json.encode({"ref": one.ref, "path": str(Path(one.path).absolute())}) for one in kept]
        part.write_bytes(b"".join(line + b"\n" for line in lines))
    rows_of = {"kept": len(kept), "removals": len(removals), "documents": len(documents)}
    parts = [Part(str(path.relative_to(folder.root)), rows_of[path.parent.name], path.stat().st_size, sha256(path))
             for path in (listed, paths["removals"], paths["documents"])]  # fmt: skip
    run_sha256 = hashlib.sha256(folder.run.read_bytes()).hexdigest()
    sources: dict[str, tuple[int, int]] = {}
    for entry in entries:
        read, stay = sources.get(entry.source, (0, 0))
        sources[entry.source] = (read + 1, stay + (entry.ref not in by))
    faults = sum(bool(look.fault) for look in looks)
    manifest = Manifest(
        FORMAT, " ".join(one.stamp for one in asked.rules), run_sha256, len(entries), len(kept), len(removals),
        dict(sorted(Counter(by.values()).items())), sources, {}, sum(one.size for one in entries),
        sum(one.size for one in kept), {}, faults, [], parts, chain(run_sha256, parts),
    )  # fmt: skip
    assert manifest.read == manifest.kept + manifest.removed, "a picture was lost"
    write_json(folder.manifest, manifest)
    shutil.rmtree(folder.work, ignore_errors=True)
    return manifest


def _ledger_schema() -> Any:
    text, real, whole = pa.large_string(), pa.float64(), pa.int64()
    return pa.schema([
        ("id", text), ("source", text), ("file", text), ("place", whole), ("bytes", whole), ("rule", pa.string()),
        ("version", pa.string()), ("signal", pa.string()), ("score", real), ("threshold", real), ("fault", pa.string()),
        ("others", pa.list_(pa.string())), ("keeper", text), ("keeper_file", text), ("keeper_place", whole),
        ("similarity", real),
    ])  # fmt: skip


def _schema() -> Any:
    text, real, whole = pa.large_string(), pa.float64(), pa.int64()
    named = [("id", text), ("source", text), ("file", text), ("place", whole), ("format", pa.string())]
    measured = [(name, whole if name == "bytes" else real) for name in signals.SIGNALS]
    last = [("pixels_sha256", pa.string()), ("fingerprint", pa.uint64()), ("removed_by", pa.string())]
    return pa.schema([*named, *measured, *last])
