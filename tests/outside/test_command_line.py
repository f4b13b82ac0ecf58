"""Every awkward file through the command line, as a folder, a zip and a manifest: each is imported, at the size that a
browser shows, or refused with a reason that has a name."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import struct
import subprocess
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image

from cupola.app import stage
from cupola.client import Client
from cupola.platform.pg.cluster import Cluster
from tests.conftest import reachable_folder
from tests.outside.test_pictures import CHROMIUM, TURNS, chunk, turned
from tests.shell import Shell
from tests.stories.processes import free_port

ODD = Path(os.environ.get("CUPOLA_TEST_DATA", Path(__file__).parents[3] / "shared" / "data")) / "images" / "odd"
pytestmark = pytest.mark.slow

Size = tuple[int, int]
# name -> the size as shown, None for a text, or the reason of its refusal
Wanted = dict[str, Size | str | None]


def picture(kind: str = "PNG", size: Size = (96, 64), mode: str = "RGB", **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, kind, **more)
    return out.getvalue()


def moving(kind: str) -> bytes:
    pictures = [Image.new("RGB", (80, 40), (n * 40, 0, 0)) for n in range(3)]
    out = io.BytesIO()
    pictures[0].save(out, kind, save_all=True, append_images=pictures[1:], duration=100)
    return out.getvalue()


def made() -> tuple[dict[str, bytes], Wanted]:
    """Small files of each awkward sort, and what is to become of them."""
    png, jpeg = picture(), picture("JPEG", progressive=True)
    files: dict[str, tuple[bytes, Size | str | None]] = {
        "progressive.jpg": (jpeg, (96, 64)),
        "UPPER.JPG": (jpeg, (96, 64)),
        "png_named.jpg": (png, (96, 64)),
        "no ending": (png, (96, 64)),
        "name with  two spaces.png": (png, (96, 64)),
        " leading.png": (png, (96, 64)),
        "50% off %20 100%25.png": (png, (96, 64)),
        "Grüße 数据 Ελλάδα.png": (png, (96, 64)),
        unicodedata.normalize("NFD", "Éclair.png"): (png, (96, 64)),
        "Screenshot 3.14\u202fPM.png": (png, (96, 64)),
        "🚗👩\u200d🔧.png": (png, (96, 64)),
        "-dash.png": (png, (96, 64)),
        "a'b\"c&d<e>#f?g;h.png": (png, (96, 64)),
        ".hidden.png": (png, (96, 64)),
        "folder.png/inside.png": (png, (96, 64)),
        "grey16.png": (picture(mode="I;16", size=(128, 32)), (128, 32)),
        "grey_alpha.png": (picture(mode="LA"), (96, 64)),
        "two_colours.png": (picture(mode="1"), (96, 64)),
        "palette.png": (picture(mode="P", transparency=0), (96, 64)),
        "cmyk.jpg": (picture("JPEG", mode="CMYK"), (96, 64)),
        "grey.jpg": (picture("JPEG", mode="L"), (96, 64)),
        "one_pixel.png": (picture(size=(1, 1)), (1, 1)),
        "strip.png": (picture(size=(20_000, 40)), (20_000, 40)),
        "moving.gif": (moving("GIF"), (80, 40)),
        "moving.webp": (moving("WEBP"), (80, 40)),
        "moving.png": (moving("PNG"), (80, 40)),
        "moving.avif": (moving("AVIF"), (80, 40)),
        "plain.bmp": (picture("BMP"), (96, 64)),
        "note.txt": ("Grüße".encode(), None),
        "wide.txt": ("Grüße".encode("utf-16"), None),
        "marked.md": (b"\xef\xbb\xbf# Title", None),
        "latin.txt": ("Grüße".encode("latin-1"), "text-not-utf8"),
        "blank.txt": (b" \n", "empty"),
        "empty.png": (b"", "empty"),
        "truncated.jpg": (picture("JPEG", size=(300, 300))[:-900], "image-unreadable"),
        "truncated.png": (picture(size=(300, 300))[:-60], "image-unreadable"),
        "truncated.webp": (picture("WEBP", size=(300, 300), lossless=True)[:-20], "image-unreadable"),
        "half.gif": (moving("GIF")[:-30], (80, 40)),  # its first picture is whole
        "head_only.png": (png[:20], "image-unreadable"),
        "bomb.png": (
            png[:8] + chunk(b"IHDR", struct.pack(">II", 100_000, 100_000) + png[24:29]) + png[33:],
            "image-bomb",
        ),
        "drawing.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "wrong-type"),
        "page.png": (b"<!doctype html><title>404</title>", "wrong-type"),
        "scan.tif": (picture("TIFF"), "wrong-type"),
        "paper.pdf": (b"%PDF-1.7\n", "wrong-type"),
        "photo.heic": (struct.pack(">I", 24) + b"ftypheic" + bytes(12), "wrong-type"),
        "pointer.png": (b"version https://git-lfs.github.com/spec/v1\n", "wrong-type"),
        "two\nlines.png": (png, "ref-invalid"),
    }
    for turn in (1, 3, 6, 8):
        for name, (media_type, data) in turned(turn).items():
            ending = media_type.removeprefix("image/").replace("jpeg", "jpg")
            sideways = name in TURNS and turn >= 5
            files[f"turned {turn} {name}.{ending}"] = (data, (20, 30) if sideways else (30, 20))
    return {name: data for name, (data, _) in files.items()}, {name: wanted for name, (_, wanted) in files.items()}


def real() -> tuple[dict[str, bytes], Wanted]:
    """The awkward files of the shared data, where they are."""
    if not ODD.is_dir():
        return {}, {}
    told = json.loads((ODD / "expected.json").read_text())
    files = {f"odd/{path.name}": path.read_bytes() for path in ODD.iterdir()}
    wanted: Wanted = {
        f"odd/{name}": "image-unreadable" if one.get("damaged") else tuple(one.get("upright", one["stored"]))
        for name, one in told.items()
    }
    return files, {"odd/INDEX.md": None, "odd/expected.json": "wrong-type", **wanted}


def shown(folder: Path, names: list[str], scratch: Path) -> dict[str, Size]:
    """The sizes at which Chromium shows these files."""
    pictures = "".join(f'<img id="{number}" src="{(folder / name).as_uri()}">' for number, name in enumerate(names))
    script = (
        "window.onload=()=>{const r=[];for(const i of document.images)r[i.id]=[i.naturalWidth,i.naturalHeight];"
        "document.body.textContent='##'+JSON.stringify(r)+'##'}"
    )
    (scratch / "page.html").write_text(f"<meta charset=utf-8><body>{pictures}<script>{script}</script>")
    assert CHROMIUM is not None
    said = subprocess.run(
        [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={scratch / 'profile'}",
         "--dump-dom", (scratch / "page.html").as_uri()],
        capture_output=True, text=True, timeout=300, check=True,
    ).stdout  # fmt: skip
    found = re.search(r"##(\[.*\])##", said)
    assert found is not None, said[-500:]
    return {name: tuple(size) for name, size in zip(names, json.loads(found.group(1)), strict=True)}


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    folder = reachable_folder("cupola-odd-")
    try:
        with stage.server(folder / "data", free_port(), folder / "log") as (url, _):
            shell = Shell(folder, url)
            shell.json("cupola tenant create A --owner rosa@example.org")
            shell.environment["CUPOLA_KEY"] = shell.json("cupola key create --tenant A")["key"]
            yield shell
    finally:
        if (folder / "data").is_dir():
            Cluster.stop(folder / "data", force=True)
            Cluster.destroy(folder / "data")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def awkward(shell: Shell) -> tuple[Path, Wanted]:
    """A folder of awkward files, and what is to become of each; the browser has agreed to every size."""
    (files, wanted), (more, told) = made(), real()
    files, wanted = files | more, wanted | told
    folder = shell.folder / "awkward & <odd>"
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    os.utime(folder / "UPPER.JPG", (-86_400 * 4_000, -86_400 * 4_000))  # 1959
    if CHROMIUM is not None:
        scratch = shell.folder / "browser"
        scratch.mkdir()
        pictures = [name for name, what in wanted.items() if isinstance(what, tuple)]
        for name, size in shown(folder, pictures, scratch).items():
            assert wanted[name] == size, f"{name}: Chromium shows {size}"
    return folder, wanted


def outcome(shell: Shell, line: str) -> tuple[dict[str, Size | str | None], Any]:
    """What became of each reference: its size, nothing for a text, or why it was refused."""
    done = shell.json(line)
    assert done["state"] == "done", done
    client = Client(shell.url, shell.environment["CUPOLA_KEY"])
    items = list(client.every(f"/api/datasets/{done['dataset']}/items"))
    found: dict[str, Size | str | None] = {
        item["ref"]: None if item["media_type"] == "text/plain" else (item["width"], item["height"]) for item in items
    }
    assert done["accepted"] == len(items)
    for refusal in done["refusals"]:
        assert refusal["remedy"], refusal
        assert refusal["detail"], refusal
        found[refusal["ref"]] = refusal["reason"]
    return found, done


def agree(found: dict[str, Size | str | None], wanted: Wanted, ref: Callable[[str], str] = lambda name: name) -> None:
    missing = {name: what for name, what in wanted.items() if ref(name) not in found}
    assert not missing
    assert {name: found[ref(name)] for name in wanted} == wanted


def test_a_folder(shell: Shell, awkward: tuple[Path, Wanted]) -> None:
    folder, wanted = awkward
    (folder / "link.png").symlink_to(folder / "UPPER.JPG")
    bad = os.fsencode(folder) + b"/caf\xe9.png"
    with open(bad, "wb") as file:
        file.write(picture())
    try:
        found, done = outcome(shell, f"cupola import {quoted(folder)} --dataset folder")
    finally:
        (folder / "link.png").unlink()
        os.unlink(bad)
    agree(found, wanted)
    assert len(done["left_out"]) == 2
    assert any("symbolic link" in line for line in done["left_out"])
    assert any("not UTF-8" in line for line in done["left_out"])
    again = shell.json(f"cupola import {quoted(folder)} --dataset folder")
    assert (again["accepted"], again["unchanged"]) == (0, done["accepted"])


def test_a_zip(shell: Shell, awkward: tuple[Path, Wanted]) -> None:
    folder, wanted = awkward
    path = shell.folder / "awkward.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for name in wanted:
            archive.write(folder / name, name)
    found, _ = outcome(shell, "cupola import awkward.zip --dataset zip")
    agree(found, wanted)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_manifest_beside_the_files(shell: Shell, awkward: tuple[Path, Wanted], form: str) -> None:
    folder, wanted = awkward
    lying = shell.folder / f"by {form}"
    shutil.copytree(folder, lying)
    refs = {name: f"item {number}" for number, name in enumerate(wanted)}
    if form == "jsonl":
        (lying / "manifest.jsonl").write_text(
            "".join(json.dumps({"ref": ref, "path": name}) + "\n" for name, ref in refs.items())
        )
    else:
        rows = [f'{ref},"{name.replace(chr(34), chr(34) * 2)}"\n' for name, ref in refs.items()]
        (lying / "manifest.csv").write_text("ref,path\n" + "".join(rows), newline="")
    found, _ = outcome(shell, f"cupola import {quoted(lying)} --dataset {form}")
    # a path is no reference: what only a name made impossible is taken
    agree(found, {name: (96, 64) if what == "ref-invalid" else what for name, what in wanted.items()}, refs.__getitem__)


@pytest.mark.parametrize(
    "name", ["UPPER.JPG", "Grüße 数据 Ελλάδα.png", "50% off %20 100%25.png", "note.txt", "-dash.png"]
)
def test_one_file_by_itself(shell: Shell, awkward: tuple[Path, Wanted], name: str) -> None:
    folder, wanted = awkward
    found, _ = outcome(shell, f"cupola import {quoted(folder / name)} --dataset {quote('one ' + name)}")
    assert found == {name: wanted[name]}


def quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "'\"'\"'") + "'"
