"""What a finished run says of its documents: why one went, what two runs do otherwise, what a rule took, given back;
and whether the ledger is what it was when the run ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cupola.corpus.engine.asked import Asked
from cupola.corpus.engine.files import Folder, read_json, sha256
from cupola.corpus.engine.run import FORMAT, Manifest, chain
from cupola.corpus.engine.units import Reader
from cupola.corpus.engine.write import kept_suffix, write_rows
from cupola.kernel.errors import conflict, invalid
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")
parquet: Any = Lazy("pyarrow.parquet")

MOST_TOLD = 20
Row = dict[str, Any]


def manifest_of(run: Path) -> Manifest:
    """A finished run's manifest. Raises Problem (INVALID) for a folder that is none."""
    found = read_json(Folder(run).manifest, Manifest)
    if found is None:
        begun = Folder(run).run.exists()
        raise invalid("run-unfinished" if begun else "no-run", f"{run} is no finished run.", place=str(run),
                      remedy="Give the same command again: it goes on from where it stood." if begun
                      else "Name the folder that was given as --out.")  # fmt: skip
    return found


def verify(run: Path) -> list[str]:
    """What is not as the manifest says: parts that are absent or altered, a chain that does not hold, documents that
    are neither kept nor removed. Empty when all is well."""
    manifest, folder = manifest_of(run), Folder(run)
    wrong = []
    if sha256(folder.run) != manifest.run_sha256:
        wrong.append("run.json is not the one that this run was asked by")
    for part in manifest.parts:
        path = run / part.path
        if not path.exists():
            wrong.append(f"{part.path} is absent")
        elif sha256(path) != part.sha256:
            wrong.append(f"{part.path} was altered")
    if chain(manifest.run_sha256, manifest.parts) != manifest.chain:
        wrong.append("the chain of the ledger does not hold")
    rows = Counter[str]()
    for part in manifest.parts:
        rows[part.path.split("/", 1)[0]] += part.rows
    if (rows["documents"], rows["kept"], rows["removals"]) != (manifest.read, manifest.kept, manifest.removed) or (
        manifest.read != manifest.kept + manifest.removed
    ):
        wrong.append(f"{manifest.read} documents were read, {rows['kept']} kept and {rows['removals']} removed")
    return wrong


def explain(run: Path, id_: str) -> Row:
    """What became of the documents of an id: {"id", "documents": [rows], "removals": [rows of the ledger], "keeps":
    ids of the first documents that went for it, "kept_for": how many did, "edits": what was changed in its text}."""
    manifest_of(run)
    removals = list(_rows(run, "removals", [("id", "==", id_)]))
    documents = list(_rows(run, "documents", [("id", "==", id_)]))
    if not documents:
        raise invalid("document-unknown", f"This run read no document {id_}.", place=id_,
                      remedy="Without ids a document is called FILE:PLACE, as the ledger calls it.")  # fmt: skip
    here = {(one["file"], one["place"]) for one in documents}
    copies = [one for one in _rows(run, "removals", [("keeper", "==", id_)])
              if (one["keeper_file"], one["keeper_place"]) in here]  # fmt: skip
    edits = list(_rows(run, "edits", [("id", "==", id_)]))
    return {"id": id_, "documents": documents, "removals": removals, "edits": edits, "kept_for": len(copies),
            "keeps": [{"id": one["id"], "similarity": one["similarity"]} for one in copies[:MOST_TOLD]]}  # fmt: skip


def _rows(run: Path, kind: str, filters: Any) -> Iterator[Row]:
    for path in sorted((run / kind).glob("*.parquet")):
        yield from parquet.read_table(path, filters=filters).to_pylist()


@dataclass
class Difference:
    """Between two runs over the same documents: how many only one of them takes, by rule, and some of them; documents
    that only one of them has read."""

    only_first: Counter[str] = field(default_factory=Counter)
    only_second: Counter[str] = field(default_factory=Counter)
    other_rule: Counter[str] = field(default_factory=Counter)
    unread_first: int = 0
    unread_second: int = 0
    samples: list[tuple[str, str, str]] = field(default_factory=list)  # id, rule in the first, in the second


def diff(first: Path, second: Path) -> Difference:
    """What two runs do otherwise, by file and place of the documents."""
    manifest_of(first)
    manifest_of(second)
    out = Difference()
    columns = ["file", "place", "id", "removed_by"]
    ours, theirs = (_documents(run, columns) for run in (first, second))
    both = ours.join(theirs, keys=["file", "place"], join_type="full outer", right_suffix="_2")
    both = both.sort_by([("file", "ascending"), ("place", "ascending")])
    for row in both.to_pylist():
        if row["id"] is None:
            out.unread_first += 1
        elif row["id_2"] is None:
            out.unread_second += 1
        elif row["removed_by"] != row["removed_by_2"]:
            was, is_ = row["removed_by"], row["removed_by_2"]
            if is_ is None:
                out.only_first[was] += 1
            elif was is None:
                out.only_second[is_] += 1
            else:
                out.other_rule[f"{was} → {is_}"] += 1
            if len(out.samples) < MOST_TOLD:
                out.samples.append((row["id"], was or "kept", is_ or "kept"))
    return out


def _documents(run: Path, columns: list[str]) -> Any:
    parts = [parquet.read_table(path, columns=columns) for path in sorted((run / "documents").glob("*.parquet"))]
    return pa.concat_tables(parts)


def restore(run: Path, out: Path, *, rule: str = "", source: str = "", id_: str = "") -> int:
    """Write into a new folder what a run took, from its input as it stood there: by a rule ("gopher", or
    "gopher/too-few-words"), of a source, of an id; how many documents that is. Raises Problem (INVALID) when nothing is
    asked for or the folder holds something, (CONFLICT) when the input has changed."""
    if manifest_of(run).format != FORMAT:
        raise invalid("pictures-stay", f"{run} is a run over pictures, which are where they were.", place=str(run),
                      remedy="What went is listed in removals/, with the path of each file.")  # fmt: skip
    if not (rule or source or id_):
        raise invalid("nothing-to-restore", "Say what is to come back.", remedy="By --rule, --source or --id.")
    if out.exists() and any(out.iterdir()):
        raise invalid("folder-not-empty", f"{out} is not empty.", place="out", remedy="Name a new folder.")
    out.mkdir(parents=True, exist_ok=True)
    asked = read_json(Folder(run).run, Asked)
    assert asked is not None
    total = 0
    for unit in asked.units:
        ledger = parquet.read_table(Folder(run).part("removals", unit.number, ".parquet"))
        wanted = {(row["file"], row["place"]) for row in ledger.to_pylist()
                  if (not rule or row["rule"] == rule or row["rule"].startswith(f"{rule}/"))
                  and (not source or row["source"] == source) and (not id_ or row["id"] == id_)}  # fmt: skip
        if not wanted:
            continue
        documents = parquet.read_table(Folder(run).part("documents", unit.number, ".parquet"))
        places = zip(documents["file"].to_pylist(), documents["place"].to_pylist(), strict=True)
        keeps = np.array([place in wanted for place in places], np.bool_)
        path = out / f"{unit.number:06d}{kept_suffix(unit.kind)}"
        part = path.with_name(path.name + ".part")
        reader = Reader(unit, asked.columns)
        total += write_rows(part, reader, keeps)
        if reader.documents != len(keeps):
            part.unlink()
            raise conflict("input-changed", f"{unit.pieces[0].path} is no longer what the run has read.",
                           remedy="Put the file back as it was.")  # fmt: skip
        part.replace(path)
    return total
