"""Pictures of the types that every browser shows: decoded once, so that a broken one is found at the door."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

from PIL import AvifImagePlugin, Image

from cupola.catalog.media import orientation
from cupola.catalog.media.base import Content, Needs, Probe, too_large
from cupola.catalog.media.magic import foreign, picture_type
from cupola.catalog.media.pngs import check_png
from cupola.kernel import limits
from cupola.kernel.errors import Kind, Problem, invalid

# By our own look at the first bytes; Pillow is told to try that one, so the parsers of rare formats are never reached
# and its own names (a JPEG of two cameras is "MPO") decide nothing.
_PLUGINS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/bmp": "BMP",
    "image/avif": "AVIF",
}
TAKEN = ", ".join(_PLUGINS.values())
DECODE_WHOLE_PX = 64_000_000  # a larger PNG is read through without being unfolded in memory
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Image.MAX_IMAGE_PIXELS = limits.MAX_IMAGE_PIXELS
vars(AvifImagePlugin)["DEFAULT_MAX_THREADS"] = 1  # each thread would reserve addresses of its own
ENDINGS = {
    ".png": "image/png",
    ".apng": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jpe": "image/jpeg",
    ".jfif": "image/jpeg",
    ".mpo": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".avif": "image/avif",
}


class Picture:
    name = "image"
    types = tuple(_PLUGINS)
    shown = types
    endings = ENDINGS
    needs: Needs = "img"
    caged = True
    max_bytes = limits.MAX_IMAGE_BYTES

    def sniff(self, head: bytes, name: str, announced: str) -> str | None:
        """By content, whatever its name."""
        return picture_type(head)

    def probe(self, content: Content, media_type: str) -> Probe:
        """Size as shown, after decoding once. Raises Problem code "image-unreadable", "image-bomb" or "too-large"."""
        if content.size_bytes > self.max_bytes:
            raise too_large(content.size_bytes, self.max_bytes)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns about odd metadata; what matters raises
            with _open(content, media_type) as image:
                width, height = image.size
                if width * height > limits.MAX_IMAGE_PIXELS:
                    raise _bomb(f"{width} x {height} px")
                try:
                    if media_type == "image/png" and width * height > DECODE_WHOLE_PX:
                        check_png(content)
                    else:
                        _decode(image, media_type)
                except (Problem, MemoryError):
                    raise
                except Image.DecompressionBombError:
                    raise _bomb(f"{width} x {height} px") from None
                except Exception as error:
                    raise _unreadable(f"The picture cannot be decoded: {error}.") from None
                turn = orientation.shown(content, media_type, image.info)
                if turn in orientation.SIDEWAYS:
                    width, height = height, width
                return Probe(media_type, width, height, turn)

    def thumbnail(self, content: Content, side_px: int) -> bytes | None:
        """Upright as the browser shows the original. Raises Problem for what is no picture."""
        media_type = picture_type(content.head())
        if media_type is None:
            raise _unreadable("This is no picture.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                with _open(content, media_type) as image:
                    turn = orientation.shown(content, media_type, image.info)
                    image.draft("RGB", (side_px * 2, side_px * 2))
                    image.thumbnail((side_px, side_px))
                    small = image.transpose(_TURNS[turn]) if turn in _TURNS else image
                    clear = "A" in small.getbands() or "transparency" in small.info
                    out = io.BytesIO()
                    small.convert("RGBA" if clear else "RGB").save(out, "WEBP", quality=80, method=2)
                    return out.getvalue()
            except (Problem, MemoryError):
                raise
            except Exception as error:
                raise _unreadable(f"No thumbnail can be made: {error}.") from None


PICTURE = Picture()


def unknown(head: bytes) -> Problem:
    """The refusal of what no medium takes."""
    what = foreign(head)
    return Problem(
        Kind.UNSUPPORTED,
        "wrong-type",
        f"This is {what}." if what else "This is no picture that browsers show.",
        remedy="Unpack it, and send its files in a zip."
        if what and "archive" in what
        else f"Send one of {TAKEN}, or UTF-8 text named .txt.",
    )


def _open(content: Content, media_type: str) -> Image.Image:
    source: io.BytesIO | Path = io.BytesIO(content.data) if content.data is not None else content.path or Path()
    try:
        return Image.open(source, formats=(_PLUGINS[media_type],))
    except Image.DecompressionBombError:
        raise _bomb("more pixels than can be counted here") from None
    except MemoryError:
        raise
    except Exception:
        raise _unreadable("The picture's header is broken.") from None


def _decode(image: Image.Image, media_type: str) -> None:
    if media_type == "image/jpeg":
        image.draft(None, (max(1, image.width // 8), max(1, image.height // 8)))  # reads all, unfolds 1/64
    image.load()


def _bomb(size: str) -> Problem:
    return invalid(
        "image-bomb",
        f"The picture unfolds to {size}; at most {limits.MAX_IMAGE_PIXELS} pixels are taken.",
        remedy="Cut it into tiles.",
    )


def _unreadable(detail: str) -> Problem:
    return invalid("image-unreadable", detail, remedy="Save it again from its source.")
