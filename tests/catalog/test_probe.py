from __future__ import annotations

import io
import struct
import tarfile
import zlib
from typing import Any

import pytest
from PIL import Image

from cupola.catalog import media
from cupola.catalog.media.base import Content, Probe
from cupola.catalog.media.text import check_text
from cupola.kernel.errors import Problem


def probe(data: bytes, name: str, announced: str = "") -> Probe:
    return media.probe(Content("", len(data), data), name, announced)


def thumbnail(data: bytes, side_px: int, media_type: str = "image/png") -> bytes:
    made = media.thumbnail(Content("", len(data), data), media_type, side_px)
    assert made is not None
    return made


def picture(kind: str = "PNG", size: tuple[int, int] = (30, 20), **more: Any) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(out, kind, **more)
    return out.getvalue()


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header announces a size that its few bytes do not hold."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def refusal(data: bytes, name: str = "x.png") -> str:
    with pytest.raises(Problem) as caught:
        probe(data, name)
    assert caught.value.remedy
    return caught.value.code


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp"), ("GIF", "image/gif"), ("BMP", "image/bmp"),
     ("AVIF", "image/avif")],
)  # fmt: skip
def test_pictures_are_known_by_their_content_whatever_their_name(kind: str, media_type: str) -> None:
    assert probe(picture(kind), "wrong.pdf") == Probe(media_type, 30, 20)


def test_a_picture_lying_on_its_side_is_measured_as_it_is_shown() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert probe(picture("JPEG", exif=exif), "x") == Probe("image/jpeg", 20, 30, orientation=6)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_that_breaks_off_is_unreadable(kind: str) -> None:
    whole = picture(kind, (200, 200))
    assert refusal(whole[: len(whole) // 2]) == "image-unreadable"
    assert refusal(whole[:20]) in ("image-unreadable", "wrong-type")


def test_a_decompression_bomb_is_refused_from_its_header() -> None:
    assert refusal(png_of(50_000, 50_000)) == "image-bomb"
    assert refusal(png_of(20_000, 15_000)) == "image-bomb"


def test_other_types_are_named() -> None:
    assert refusal(b"%PDF-1.7 ...") == "wrong-type"
    assert refusal(b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "x.svg") == "wrong-type"
    assert refusal(b"II*\0" + b"\0" * 20) == "wrong-type"
    assert refusal(b"just words", "x.png") == "wrong-type"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.png"))
    with pytest.raises(Problem, match="tar archive") as refused:
        probe(packed.getvalue(), "pictures.tar")
    assert "zip" in refused.value.remedy
    assert refusal(b"") == "empty"


def test_text_is_known_by_its_name_and_must_be_utf8() -> None:
    assert probe("héllo".encode(), "x.txt") == Probe("text/plain", text="héllo", characters=5)
    assert probe(b"\xef\xbb\xbfwords", "x.TXT").text == "words"
    assert refusal("héllo".encode("latin-1"), "x.txt") == "text-not-utf8"
    assert refusal(b"a\0b", "x.txt") == "text-nul"
    assert refusal(b" \n", "x.txt") == "empty"
    with pytest.raises(Problem) as refused:  # as a line of JSON can bring it
        check_text("half of a pair: \ud83d")
    assert refused.value.code == "text-half-character"
    assert refusal(b"x" * (2 * 1024 * 1024 + 1), "x.txt") == "too-large"


def test_a_thumbnail_is_small_upright_and_keeps_transparency() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    made = Image.open(io.BytesIO(thumbnail(picture("JPEG", (800, 400), exif=exif), 320)))
    assert (made.format, made.size) == ("WEBP", (160, 320))
    out = io.BytesIO()
    Image.new("RGBA", (10, 10), (255, 0, 0, 0)).save(out, "PNG")
    clear = Image.open(io.BytesIO(thumbnail(out.getvalue(), 320)))
    assert (clear.mode, clear.size) == ("RGBA", (10, 10))
    with pytest.raises(Problem):
        thumbnail(b"nothing", 320)
