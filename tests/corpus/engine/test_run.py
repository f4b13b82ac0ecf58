"""A run loses no document, says why each went, and leaves the same bytes however its work was divided or cut short."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupola.corpus import recipe
from cupola.corpus.engine import distribute
from cupola.corpus.engine.run import Progress
from cupola.corpus.engine.units import Columns, Reader, plan
from cupola.kernel.errors import Problem
from tests.corpus.engine.helping import kept, ledger, outcome, polluted, refine, write
from tests.corpus.test_near import corpora


def files(folder: Path, n: int = 210) -> list[Path]:
    folder.mkdir(exist_ok=True)
    rows, names = polluted(n), ("a.jsonl", "b.parquet", "c.jsonl.gz", "d.jsonl.zst", "e.jsonl")
    return [write(folder / name, rows[k :: len(names)]) for k, name in enumerate(names)]


def with_near(threshold: float | None) -> recipe.Loaded:
    loaded = recipe.load("copies")
    return msgspec.structs.replace(loaded, recipe=msgspec.structs.replace(loaded.recipe, near=threshold))


@pytest.mark.timeout(300)
def test_the_outcome_is_the_same_for_one_three_and_eight_partitions(tmp_path: Path) -> None:
    paths = files(tmp_path / "in")
    assert len(plan(paths, 4000)) > 10, "there is work for all"
    done = refine(paths, tmp_path / "one")
    assert (done.read, done.kept + done.removed) == (210, 210)
    assert min(done.rules["exact-duplicate"], done.rules["near-duplicate"], done.rules["gopher/too-few-words"]) > 10
    first = outcome(tmp_path / "one")
    assert not [name for name in first if name.startswith("work/")]
    for partitions in (3, 8):
        refine(list(reversed(paths)), tmp_path / str(partitions), partitions=partitions)
        assert outcome(tmp_path / str(partitions)) == first


def test_each_document_is_kept_as_it_stood_or_has_a_row_that_says_why_it_went(tmp_path: Path) -> None:
    paths = files(tmp_path / "in")
    done = refine(paths, tmp_path / "out")
    rows = {row["id"]: row for row in polluted(210)}
    stays, gone = {row["id"]: row for row in kept(tmp_path / "out")}, ledger(tmp_path / "out")
    assert sorted([*stays, *(row["id"] for row in gone)]) == sorted(rows)
    assert (len(stays), len(gone)) == (done.kept, done.removed)
    for id_, row in stays.items():
        plain = rows[id_]
        if "@" in plain["text"]:
            assert "<EMAIL>" in row["text"]
            assert "@" not in row["text"]
            row = {**row, "text": plain["text"]}
        assert row == plain
    assert done.personal["email"] == sum("<EMAIL>" in row["text"] for row in stays.values()) > 5
    for row in gone:
        assert row["source"] == rows[row["id"]]["source"]
        assert Path(row["file"]) in paths
        if row["rule"].endswith("-duplicate"):
            assert row["keeper"] in stays, "nobody goes for one that went"
            assert row["similarity"] == row["score"] >= row["threshold"]
            assert ("exact" in row["rule"]) == (rows[row["keeper"]]["text"].split() == rows[row["id"]]["text"].split())
        else:
            assert row["rule"].split("/")[0] in row["version"]
            assert row["keeper"] is None
    told = {row["id"]: row["removed_by"] for row in ledger(tmp_path / "out", "documents")}
    assert told == dict.fromkeys(stays) | {row["id"]: row["rule"] for row in gone}
    assert done.sources == {source: (70, sum(row["source"] == source for row in stays.values()))
                            for source in ("s0", "s1", "s2")}  # fmt: skip


@given(corpora(), st.data())
@settings(max_examples=15, deadline=None)
def test_copies_go_the_same_way_in_any_order_and_a_copy_more_takes_nobody_else(corpus: Any, data: Any) -> None:
    rows = [{"id": f"d{n:03d}", "text": text} for n, (text, _) in enumerate(corpus)]

    def gone(some: list[Any], threshold: float | None = 0.5) -> dict[str, tuple[Any, ...]]:
        with tempfile.TemporaryDirectory() as folder:
            base = Path(folder)
            halves = [write(base / "a.jsonl", some[::2]), write(base / "b.parquet", some[1::2] or some[:0])] \
                if len(some) > 1 else [write(base / "a.jsonl", some)]  # fmt: skip
            done = refine(halves, base / "out", with_near(threshold), source="", unit_bytes=300)
            assert done.read == len(some) == done.kept + done.removed
            return {row["id"]: (row["keeper"], row["rule"], row["similarity"]) for row in ledger(base / "out")}

    found = gone(rows)
    assert gone(data.draw(st.permutations(rows))) == found
    again = {"id": "z", "text": data.draw(st.sampled_from(rows))["text"]}
    assert {id_: row for id_, row in gone([*rows, again]).items() if id_ != "z"} == found
    assert set(gone(rows, 0.9)) <= set(found) <= set(gone(rows, 0.2))
    assert {id_ for id_, row in found.items() if row[1] == "exact-duplicate"} <= set(gone(rows, None)) <= set(found)


def test_every_line_belongs_to_one_unit_wherever_the_file_is_cut(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", polluted(20))
    whole = [id_ for rows in Reader(plan([path])[0], Columns()).batches() for id_ in rows.ids]
    lines = path.read_bytes().splitlines(keepends=True)
    edges = [sum(map(len, lines[:n])) + k for n in (1, 2, 7) for k in (-1, 0, 1)]
    for size in (1, 2, 50, *edges, 10**6):
        units = plan([path], size) if size > 40 else plan([path], 40)
        read = [id_ for unit in units for rows in Reader(unit, Columns()).batches() for id_ in rows.ids]
        assert read == whole, size


def test_many_small_files_share_a_unit(tmp_path: Path) -> None:
    for n in range(300):
        write(tmp_path / f"{n:03d}.jsonl", polluted(2, n))
        (tmp_path / f"{n:03d}.txt").write_text(f"text number {n}")
    units = plan([tmp_path])
    assert sum(len(unit.pieces) for unit in units) == 600
    assert len({unit.kind for unit in units}) == 2
    refine([tmp_path / f"{n:03d}.txt" for n in range(300)], tmp_path / "out", with_near(None), source="",
           unit_bytes=1 << 20)  # fmt: skip
    assert sorted(row["text"] for row in kept(tmp_path / "out")) == sorted(f"text number {n}" for n in range(300))


def test_a_finished_run_is_not_done_again_and_another_is_refused_its_folder(tmp_path: Path) -> None:
    paths = files(tmp_path / "in", 60)
    stages: list[Progress] = []
    first = refine(paths, tmp_path / "out", told=stages.append)
    assert {one.stage for one in stages} == {"judging", "comparing", "writing"}
    last = [one for one in stages if one.stage == "writing"][-1]
    assert (last.done, last.documents, last.left_s) == (last.of, 60, 0)
    assert refine(paths, tmp_path / "out", told=lambda _: pytest.fail("work was done")) == first
    with pytest.raises(Problem, match="recipe differ"):
        refine(paths, tmp_path / "out", recipe.load("copies"))
    with pytest.raises(Problem, match="units differ"):
        refine(paths[1:], tmp_path / "out")
    with pytest.raises(Problem, match=r"holds a\.jsonl"):
        refine(paths, tmp_path / "in")


class Stopped(Exception):
    """Somebody pressed the keys."""


def test_a_run_goes_on_from_where_it_was_stopped_and_sees_that_the_input_changed(tmp_path: Path) -> None:
    paths = files(tmp_path / "in", 60)
    refine(paths, tmp_path / "whole")
    for partitions in (1, 2):
        out = tmp_path / f"out{partitions}"

        def stop(progress: Progress) -> None:
            if progress.stage == "writing" and progress.done == 3:
                raise Stopped

        with pytest.raises(Stopped):
            refine(paths, out, told=stop)
        path, before = paths[-1], paths[-1].read_bytes()
        path.write_bytes(before.replace(b" the ", b" The ", 1))  # of the same size
        with pytest.raises(Problem, match="no longer what this run has read") as told:
            refine(paths, out, partitions=partitions)
        assert told.value.code == "input-changed"
        path.write_bytes(before)
        done: list[Progress] = []
        refine(paths, out, told=done.append)
        assert outcome(out) == outcome(tmp_path / "whole")


def test_pseudonyms_need_a_key_and_are_the_same_for_the_same_value(tmp_path: Path) -> None:
    loaded = with_near(None)
    loaded = msgspec.structs.replace(loaded, recipe=msgspec.structs.replace(loaded.recipe, personal="pseudonym"))
    path = write(tmp_path / "a.jsonl", [{"id": f"{n}", "text": f"{n} write to Rosa@example.org"} for n in range(2)])
    with pytest.raises(Problem, match="key"):
        refine([path], tmp_path / "none", loaded)
    names = []
    for n, key in enumerate((b"k" * 16, b"k" * 16, b"l" * 16)):
        refine([path], tmp_path / str(n), loaded, key=key)
        names.append({row["text"].split("<")[1] for row in kept(tmp_path / str(n))})
        assert len(names[n]) == 1
    assert names[0] == names[1] != names[2]


def test_two_processes_do_not_work_in_one_folder(tmp_path: Path) -> None:
    paths = files(tmp_path / "in", 30)
    with pytest.raises(Problem, match="Another process"):
        refine(paths, tmp_path / "out", told=lambda _: refine(paths, tmp_path / "out") and None)


def test_an_engine_that_is_not_there_is_told() -> None:
    for name, partitions in (("spark", 1), ("native", 0)):
        with pytest.raises(Problem, match=r"no engine|do the work"):
            distribute.engine(name, partitions)
