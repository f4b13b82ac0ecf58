"""Pictures refined: what goes and for which one that stays, whatever the order, and nothing is lost."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image, ImageDraw, ImageEnhance
from pyarrow import parquet

from cupola.corpus.cli import app
from cupola.corpus.engine import ledger
from cupola.corpus.engine.distribute import engine
from cupola.corpus.engine.run import Manifest
from cupola.corpus.pictures import cli, near, run, signals
from cupola.kernel.errors import Kind, Problem

SIZE = (240, 180)


def scene(seed: int) -> Image.Image:
    """A picture of its own: a sky of two colours and some things."""
    rng = random.Random(seed)
    colours = np.array([[[rng.randrange(256) for _ in range(3)] for _ in range(4)] for _ in range(3)], np.uint8)
    picture = Image.fromarray(colours).resize(SIZE, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    for _ in range(14):
        x, y, w, h = rng.randrange(220), rng.randrange(160), rng.randrange(8, 90), rng.randrange(8, 70)
        shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
        shape((x, y, x + w, y + h), fill=tuple(rng.randrange(256) for _ in range(3)))
    return picture


def saved(picture: Image.Image, path: Path, **how: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, **how)
    return path


def refined(
    folder: Path, out: Path, similarity: float | None = near.LEAST_SIMILARITY, rules: tuple[str, ...] = (), **more: Any
) -> Manifest:
    return run.run(run.found([folder]), out, cli.rules_of(list(rules)), similarity, more.get("given"),
                   engine("native", 1), lambda *_: None)  # fmt: skip


def fates(out: Path) -> dict[str, tuple[str, str | None]]:
    rows = parquet.read_table(out / "removals" / "000000.parquet").to_pylist()
    return {row["id"]: (row["rule"], row["keeper"]) for row in rows}


def refused(code: str, act: Callable[[], object]) -> Problem:
    with pytest.raises(Problem) as caught:
        act()
    assert caught.value.code == code
    return caught.value


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty scenes, and for the first six of them copies as they come about."""
    folder = tmp_path_factory.mktemp("shots")
    for n in range(30):
        picture = scene(n)
        saved(picture, folder / f"s{n:02d}.png")
        if n < 6:
            saved(picture, folder / "copies" / f"s{n:02d}_squeezed.jpg", quality=30)
            saved(picture.resize((120, 90)), folder / "copies" / f"s{n:02d}_half.png")
            saved(ImageEnhance.Brightness(picture).enhance(1.2), folder / "copies" / f"s{n:02d}_light.jpg", quality=90)
    shutil.copy(folder / "s07.png", folder / "copies" / "s07_again.png")
    with Image.open(folder / "s08.png") as one:
        one.save(folder / "copies" / "s08_packed.png", compress_level=1)  # other bytes, the same pixels
    return folder


def test_copies_go_for_the_one_that_shows_most_and_scenes_of_their_own_stay(shots: Path, tmp_path: Path) -> None:
    done = refined(shots, tmp_path / "out")
    gone = fates(tmp_path / "out")
    assert (done.read, done.kept, done.removed) == (50, 30, 20)
    assert ledger.verify(tmp_path / "out") == []
    for name, (rule, keeper) in gone.items():
        assert keeper is not None
        assert keeper not in gone, "what goes has a keeper that stays"
        assert Path(name).name[:3] == Path(keeper).name[:3]
        assert (rule == "exact-duplicate") == ("again" in name + keeper or "packed" in name + keeper)
    small = {name for name in gone if "half" in name}
    assert len(small) == 6, "the larger one stays"
    told = ledger.explain(tmp_path / "out", "copies/s00_half.png")
    assert told["removals"][0]["similarity"] >= near.LEAST_SIMILARITY
    assert ledger.explain(tmp_path / "out", "s07.png")["kept_for"] + ledger.explain(
        tmp_path / "out", "copies/s07_again.png"
    )["kept_for"] == 1  # fmt: skip


def test_neither_names_nor_processes_nor_a_stricter_threshold_take_another(shots: Path, tmp_path: Path) -> None:
    refined(shots, tmp_path / "one")
    run.run(run.found([shots]), tmp_path / "two", (), near.LEAST_SIMILARITY, None, engine("native", 2), lambda *_: None)
    assert (tmp_path / "one" / "manifest.json").read_bytes() == (tmp_path / "two" / "manifest.json").read_bytes()
    refined(shots, tmp_path / "strict", 0.985)
    assert fates(tmp_path / "strict").keys() <= fates(tmp_path / "one").keys()
    shuffled = tmp_path / "shuffled"
    files = sorted(path for path in shots.rglob("*.*"))
    names = {path: f"{n:03d}_{path.name}" for n, path in enumerate(random.Random(5).sample(files, len(files)))}
    for path, name in names.items():
        shuffled.mkdir(exist_ok=True)
        shutil.copy(path, shuffled / name)
    refined(shuffled, tmp_path / "renamed")
    before = {Path(name).name for name in fates(tmp_path / "one")}
    after = {name[4:] for name in fates(tmp_path / "renamed")}
    twins = {"s07.png", "s07_again.png", "s08.png", "s08_packed.png"}  # of equals the first by name stays
    assert before ^ after <= twins
    more = tmp_path / "more"
    shutil.copytree(shots, more)
    shutil.copy(shots / "s20.png", more / "zz.png")
    refined(more, tmp_path / "added")
    assert fates(tmp_path / "added").keys() - fates(tmp_path / "one").keys() == {"zz.png"}


def test_a_run_that_was_ended_goes_on_and_another_one_is_refused(shots: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(run, "UNIT", 8)
    looked: list[Path] = []
    real = signals.look

    def counted(path: Path) -> signals.Looked:
        looked.append(path)
        if len(looked) == 20:
            raise KeyboardInterrupt
        return real(path)

    monkeypatch.setattr(signals, "look", counted)
    with pytest.raises(KeyboardInterrupt):
        refined(shots, tmp_path / "out")
    refined(shots, tmp_path / "out")
    assert len(looked) == 20 + 50 - 16, "two units were looked at before"
    monkeypatch.setattr(signals, "look", real)
    refined(shots, tmp_path / "again")
    assert fates(tmp_path / "out") == fates(tmp_path / "again")
    refused("run-other", lambda: refined(shots, tmp_path / "out", 0.5))
    with (tmp_path / "out" / "kept" / "000000.jsonl").open("a") as file:
        file.write("\n")
    assert ledger.verify(tmp_path / "out") == ["kept/000000.jsonl was altered"]


def _png(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def test_what_shows_nothing_and_what_is_no_picture_goes_with_its_reason(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    saved(scene(1), folder / "fine.png")
    saved(Image.new("RGB", SIZE, (90, 120, 60)), folder / "blank.png")
    saved(Image.new("RGB", SIZE, (2, 2, 2)), folder / "dark.png")
    saved(scene(2).resize((20, 20)), folder / "tiny.png")
    saved(scene(3).resize((900, 60)), folder / "strip.png")
    saved(scene(4).resize((8, 6)).resize((960, 720), Image.Resampling.BICUBIC), folder / "blurred.png")
    whole = _png(scene(5))
    (folder / "torn.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "words.jpg").write_text("no picture at all")
    huge = bytearray(_png(Image.new("1", (1, 1))))
    huge[16:24] = (60_000).to_bytes(4, "big") * 2  # a head that claims 3.6 gigapixels
    (folder / "bomb.png").write_bytes(huge)
    deep = np.asarray(scene(9).convert("L")).astype(np.uint16) * 16  # as a camera of 12 bits
    saved(Image.fromarray(deep), folder / "deep.png")
    saved(scene(6).convert("CMYK"), folder / "print.jpg")
    done = refined(folder, tmp_path / "out", rules=("photos",))
    gone = {name: rule for name, (rule, _) in fates(tmp_path / "out").items()}
    assert gone == {
        "blank.png": "photos/blank", "dark.png": "photos/blank", "tiny.png": "photos/tiny", "strip.png": "photos/strip",
        "blurred.png": "photos/blurred", "torn.png": "unreadable", "empty.jpg": "unreadable", "words.jpg": "unreadable",
        "bomb.png": "unreadable",
    }  # fmt: skip
    assert (done.read, done.kept, done.refusals) == (12, 3, 4)
    [dark] = ledger.explain(tmp_path / "out", "dark.png")["removals"]
    assert dark["others"] == ["photos/dark", "photos/blurred"]
    [empty] = ledger.explain(tmp_path / "out", "empty.jpg")["removals"]
    assert (empty["fault"], empty["score"]) == ("the file is empty", None)
    kept = [json.loads(line) for line in (tmp_path / "out" / "kept" / "000000.jsonl").read_text().splitlines()]
    assert [row["ref"] for row in kept] == ["deep.png", "fine.png", "print.jpg"]
    assert all(Path(row["path"]).is_file() for row in kept)


def test_embeddings_say_what_is_alike_in_the_place_of_looks(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for n in range(3):
        saved(scene(n), folder / f"{n}.png")
    refs = ["0.png", "1.png", "2.png"]

    def given(rows: Any, names: list[str] = refs) -> run.Embeddings:
        parquet.write_table(pa.table({"ref": names, "embedding": rows}), tmp_path / "e.parquet")
        return run.embeddings(tmp_path / "e.parquet")

    refined(folder, tmp_path / "out", 0.95, given=given([[1.0, 0.0], [0.0, 1.0], [0.99, 0.05]]))
    assert set(fates(tmp_path / "out")) in ({"0.png"}, {"2.png"})
    refused("embedding-missing", lambda: refined(folder, tmp_path / "a", given=given([[1.0], [2.0]], refs[:2])))
    refused("embedding-not-a-number", lambda: given([[1.0], [float("nan")], [2.0]]))
    refused("embeddings-uneven", lambda: given([[1.0], [2.0, 3.0], [2.0]]))
    (tmp_path / "e.parquet").write_bytes(b"PAR1 no")
    assert refused("embeddings-unreadable", lambda: run.embeddings(tmp_path / "e.parquet")).kind is Kind.INVALID


def test_the_command_says_what_went_and_shows_it(
    shots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    ask = ["pictures", str(shots), "--out", str(tmp_path / "out"), "--report", str(page), "--json"]
    assert app(ask, result_action="return_value") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["removed"] == 20
    assert run.lay(tmp_path / "out", tmp_path / "good") == 30
    assert len(list((tmp_path / "good").rglob("*.*"))) == 30
    refused("folder-not-empty", lambda: run.lay(tmp_path / "out", tmp_path / "good"))
    written = page.read_text("utf-8")
    assert written.count("data:image/webp;base64,") >= 20
    assert "http" not in written.replace("http-equiv", "")
    refused("no-pictures", lambda: run.found([tmp_path / "out"]))
    refused("file-absent", lambda: run.found([tmp_path / "nowhere"]))
    refused("ref-twice", lambda: run.found([shots, shots]))
    mine = tmp_path / "mine.yaml"
    mine.write_text("name: mine\nversion: '1'\nrules:\n  - {rule: x, signal: words, least: 1}\n")
    assert "sharpness" in (refused("signal-unknown", lambda: cli.rules_of([str(mine)])).remedy or "")
    mine.write_text("name: mine\nversion: '1'\nrules:\n  - {rule: x, signal: bytes, least: 1, for: spaced}\n")
    refused("rule-of-texts", lambda: cli.rules_of([str(mine)]))
