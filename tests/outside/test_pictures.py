"""Pictures as the world has them: turned in every way, of two cameras, of many pixels; as browsers show them."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest
from PIL import Image

from cupola.catalog import media
from cupola.catalog.media.base import Content, Probe
from cupola.kernel.errors import Problem

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def probe(data: bytes, name: str = "x") -> Probe:
    return media.probe(Content("", len(data), data), name)


def exif(turn: int, tag: int = 0x0112) -> Image.Exif:
    out = Image.Exif()
    out[tag] = turn
    return out


def saved(kind: str, **more: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (30, 20), "white").save(out, kind, **more)
    return out.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def turned(turn: int) -> dict[str, tuple[str, bytes]]:
    """Every way in which a file says, or seems to say, that it is turned."""
    png, jpeg = saved("PNG"), saved("JPEG")
    block = exif(turn).tobytes()[6:]
    end = png.rindex(b"IEND") - 4
    words = b"Raw profile type exif\0\nexif\n%8d\n" % (len(block) + 6) + (b"Exif\0\0" + block).hex().encode() + b"\n"
    xmp = (
        b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf="
        b"'http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description xmlns:tiff='http://ns.adobe.com/tiff/1.0/' "
        b'tiff:Orientation="%d"/></rdf:RDF></x:xmpmeta>' % turn
    )

    def segment(body: bytes) -> bytes:
        return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body

    upright = b"Exif\0\0" + exif(1).tobytes()[6:]
    two = io.BytesIO()
    first = Image.new("RGB", (30, 20), "white")
    first.save(two, "MPO", exif=exif(turn), save_all=True, append_images=[first])
    avif = bytearray(saved("AVIF", exif=exif(2, 0x0128)))  # a tag of the same form, made the orientation's by hand
    at = avif.find(b"\x01\x28\0\3")
    little = at < 0
    at = avif.find(b"\x28\x01\3\0") if little else at
    avif[at : at + 2] = b"\x12\x01" if little else b"\x01\x12"
    avif[at + 8 + (not little)] = turn
    return {
        "jpeg": ("image/jpeg", saved("JPEG", exif=exif(turn))),
        "jpeg of two cameras": ("image/jpeg", two.getvalue()),
        "jpeg by xmp alone": ("image/jpeg", jpeg[:2] + segment(xmp) + jpeg[2:]),
        "jpeg told twice": ("image/jpeg", jpeg[:2] + segment(upright) + segment(b"Exif\0\0" + block) + jpeg[2:]),
        "png": ("image/png", saved("PNG", exif=exif(turn))),
        "png told behind its pixels": ("image/png", png[:end] + chunk(b"eXIf", block) + png[end:]),
        "png told in words": ("image/png", png[:33] + chunk(b"tEXt", words) + png[33:]),
        "webp": ("image/webp", saved("WEBP", exif=exif(turn))),
        "avif by its own property": ("image/avif", saved("AVIF", exif=exif(turn))),
        "avif by exif alone": ("image/avif", bytes(avif)),
        "gif": ("image/gif", saved("GIF")),
        "bmp": ("image/bmp", saved("BMP")),
    }


TURNS = {
    "jpeg", "jpeg of two cameras", "png", "avif by its own property",
}  # fmt: skip


@pytest.mark.parametrize("turn", [3, 5, 6, 8])
def test_only_what_a_browser_obeys_turns_a_picture(turn: int) -> None:
    for name, (media_type, data) in turned(turn).items():
        found = probe(data)
        sideways = name in TURNS and turn >= 5
        assert found.media_type == media_type, name
        assert (found.width_px, found.height_px) == ((20, 30) if sideways else (30, 20)), name
        assert found.orientation == (turn if name in TURNS else 1), name
        small = media.thumbnail(Content("", len(data), data), media_type, 320)
        assert small is not None
        with Image.open(io.BytesIO(small)) as picture:
            assert picture.size == (found.width_px, found.height_px), name


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_every_type_is_measured_as_chromium_shows_it(tmp_path: Path) -> None:
    made = {f"{name} {turn}": one for turn in (3, 6) for name, one in turned(turn).items()}
    pictures = "".join(
        f'<img id="{name}" src="data:{media_type};base64,{base64.b64encode(data).decode()}">'
        for name, (media_type, data) in made.items()
    )
    script = (
        "window.onload=()=>{const r={};for(const i of document.images)r[i.id]=[i.naturalWidth,i.naturalHeight];"
        "document.body.textContent='##'+JSON.stringify(r)+'##'}"
    )
    (tmp_path / "page.html").write_text(f"<body>{pictures}<script>{script}</script>")
    assert CHROMIUM is not None
    shown = subprocess.run(
        [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
         "--dump-dom", (tmp_path / "page.html").as_uri()],
        capture_output=True, text=True, timeout=300, check=True,
    ).stdout  # fmt: skip
    found = re.search(r"##(\{.*\})##", shown)
    assert found is not None, shown[-500:]
    sizes = {name: tuple(size) for name, size in json.loads(found.group(1)).items()}
    assert {name: (p.width_px, p.height_px) for name, (_, data) in made.items() for p in [probe(data)]} == sizes


def large_png(width: int, height: int, rows: int) -> bytes:
    unfolded = zlib.compressobj(9)
    row = b"\0" + b"\0" * (width // 8)
    body = b"".join(unfolded.compress(row) for _ in range(rows)) + unfolded.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_a_large_png_is_read_through_and_not_unfolded() -> None:
    found = probe(large_png(16_000, 9_000, 9_000))
    assert (found.width_px, found.height_px) == (16_000, 9_000)
    for broken in (large_png(16_000, 9_000, 100), large_png(16_000, 9_000, 9_000)[:-20]):
        with pytest.raises(Problem) as caught:
            probe(broken)
        assert caught.value.code == "image-unreadable"


def test_words_in_a_file_are_told_from_pictures_by_both_its_name_and_its_bytes() -> None:
    assert probe(b"BMW is a car", "n.txt").text == "BMW is a car"
    assert probe("wörter".encode("utf-16"), "n.txt").text == "wörter"
    assert probe(saved("PNG"), "n.txt").media_type == "image/png"
    assert media.probe(Content("", 5, b"words"), "17", "text/plain").text == "words"
    with pytest.raises(Problem) as caught:
        probe(b"version https://git-lfs.github.com/spec/v1\n", "a.png")
    assert "Git LFS" in caught.value.detail
