"""A mix has the shares that were asked for, splits that know nothing of each other, and the same bytes each time."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from cupola.app.cli import app
from cupola.corpus.mixing import asked
from cupola.corpus.mixing import mix as mixing
from cupola.kernel.errors import Problem
from tests.corpus.test_rules import PROSE

WORDS = sorted(set(PROSE.split()))


def corpus(folder: Path, name: str, n: int, seed: int, copies: int = 1) -> None:
    """n documents in one file, each with copies of which a word is another one."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        words = [WORDS[k] for k in random.integers(0, len(WORDS), 60)]
        for copy in range(copies):
            here = [*words]
            here[copy % 60] = f"w{copy}"
            rows.append({"id": f"{number}-{copy}", "text": " ".join(words if copy == 0 else here)})
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def run(folder: Path, out: str, text: str, swap: bool = False) -> tuple[mixing.Manifest, list[dict[str, Any]]]:
    (folder / "mix.yaml").write_text(f"name: m\nversion: '1'\nseed: 3\n{text}")
    found = asked.load(folder / "mix.yaml")
    done, refused = mixing.mix(found, folder, folder / out)
    assert not refused
    rows = []
    for path in sorted((folder / out / "data").glob("*.jsonl.zst")):
        with pa.input_stream(str(path), compression="zstd") as file:
            rows += [{**json.loads(line), "split": path.name.split("-")[0]} for line in file.read().splitlines()]
    return done, rows


SOURCES = "sources:\n- {{name: a, files: [a.jsonl], weight: 3, epochs: {a}}}\n- {{name: b, files: [b.jsonl]}}\n"


def test_shares_are_those_of_the_weights_and_small_sources_come_several_times(tmp_path: Path) -> None:
    corpus(tmp_path, "a", 60, 1)
    corpus(tmp_path, "b", 200, 2)
    done, rows = run(tmp_path, "out", SOURCES.format(a=2.5))
    assert done.unit == "bytes"
    assert done.sources["a"].asked == 0.75
    assert done.sources["a"].share == pytest.approx(0.75, abs=0.02)
    assert done.sources["a"].epochs == pytest.approx(2.5, abs=0.05)
    epochs = [row["epoch"] for row in rows if row["source"] == "a"]
    assert [epochs.count(n) for n in range(3)] == [60, 60, pytest.approx(30, abs=2)]
    assert {row["epoch"] for row in rows if row["source"] == "b"} == {0}
    assert len(rows) == sum(one.documents for one in done.shards)
    order = [row["id"] for row in rows if row["source"] == "b"]
    assert order != sorted(order), "shuffled"
    with pytest.raises(Problem, match=r"a has .* asked of it in at most 1 epochs"):
        run(tmp_path, "more", SOURCES.format(a=1) + "size: 60000\n")


def test_documents_that_resemble_each_other_are_in_one_split_and_no_more_than_asked_are_used(tmp_path: Path) -> None:
    corpus(tmp_path, "a", 80, 1, copies=3)
    corpus(tmp_path, "b", 40, 2)
    text = SOURCES.format(a=1) + "splits: {test: 0.2, validation: 0.2}\n"
    done, rows = run(tmp_path, "out", text)
    assert (done.read, done.clusters, done.largest_cluster) == (280, 120, 3)
    where: dict[str, set[str]] = {}
    for row in rows:
        where.setdefault(row["source"] + row["id"].split("-")[0], set()).add(row["split"])
    assert all(len(splits) == 1 for splits in where.values())
    assert set.union(*where.values()) == {"train", "test", "validation"}
    assert 25 <= done.splits["test"] <= 90
    capped, some = run(tmp_path, "capped", text + "clusters: {most: 1}\n")
    assert capped.over_cluster == 160
    assert len({row["id"].split("-")[0] for row in some if row["source"] == "a"}) == \
        len([row for row in some if row["source"] == "a"])  # fmt: skip
    was = {row["source"] + row["id"]: row["split"] for row in rows}
    assert all(was.get(row["source"] + row["id"], row["split"]) == row["split"] for row in some)


def test_the_same_mix_gives_the_same_bytes_in_whatever_order_its_documents_come(tmp_path: Path) -> None:
    corpus(tmp_path, "a", 50, 1, copies=2)
    corpus(tmp_path, "b", 50, 2)
    text = SOURCES.format(a=1) + "splits: {test: 0.2}\nshard: 4000\n"
    run(tmp_path, "one", text)
    lines = (tmp_path / "a.jsonl").read_text().splitlines()
    (tmp_path / "a.jsonl").write_text("\n".join(reversed(lines)))
    done, _ = run(tmp_path, "two", text)
    assert len(done.shards) > 4
    assert [path.name for path in (tmp_path / "two").iterdir() if path.name.startswith(".w")] == []
    for path in sorted((tmp_path / "one").rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes(), path


def test_tokens_are_counted_by_a_tokenizer_and_every_format_holds_the_documents(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    made.save(str(tmp_path / "t.json"))
    corpus(tmp_path, "a", 20, 1)
    texts = {json.loads(line)["text"] for line in (tmp_path / "a.jsonl").read_text().splitlines()}
    for format_ in ("parquet", "webdataset"):
        (tmp_path / "mix.yaml").write_text(f"name: m\nversion: '1'\nsources: [{{name: a, files: [a.jsonl]}}]\n"
                                           f"tokenizer: t.json\nformat: {format_}\n")  # fmt: skip
        out = tmp_path / format_
        assert app(["refine", "mix", str(tmp_path / "mix.yaml"), "--out", str(out), "--json"],
                   result_action="return_value") == 0  # fmt: skip
        told = json.loads(capsys.readouterr().out)
        assert (told["unit"], told["sources"]["a"]["size"]) == ("tokens", 20 * 60)
        assert "split: train" in (out / "README.md").read_text()
    table = parquet.read_table(tmp_path / "parquet" / "data" / "train-00000-of-00001.parquet")
    assert set(table["text"].to_pylist()) == texts
    assert table["tokens"].to_pylist() == [60] * 20
    with tarfile.open(tmp_path / "webdataset" / "data" / "train-00000-of-00001.tar") as tar:
        names = tar.getnames()
        assert {tar.extractfile(name).read().decode() for name in names if name.endswith(".txt")} == texts  # type: ignore[union-attr]
        assert len(names) == 40
        assert names[0].split(".")[0] == names[1].split(".")[0], "a sample's members stand together"


@pytest.mark.parametrize(("text", "match"), [
    ("sources: []\n", "length"), ("sources: [{name: a, files: [a.jsonl]}, {name: a, files: [b.jsonl]}]\n", "one name"),
    ("sources: [{name: a, files: [a.jsonl]}]\nsplits: {train: 0.1}\n", "what the other splits leave"),
    ("sources: [{name: a, files: [none.jsonl]}]\n", "no file"),
    ("sources: [{name: a, files: [empty.jsonl]}]\n", "has no document"),
    ("sources: [{name: a, files: [a.jsonl]}]\ntokenizer: a.jsonl\n", "no tokenizer"),
])  # fmt: skip
def test_a_mix_that_makes_no_sense_is_refused_by_its_place(tmp_path: Path, text: str, match: str) -> None:
    corpus(tmp_path, "a", 2, 1)
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(Problem, match=match):
        run(tmp_path, "out", text)
