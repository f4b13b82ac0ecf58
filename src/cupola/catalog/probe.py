"""What a file really is: its type by content, its size in pixels, and whether it can be read at all."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps

from cupola.catalog.found import too_large
from cupola.kernel import limits
from cupola.kernel.errors import Kind, Problem

# Formats that every browser shows. Pillow is told to try no others, so the parsers of rare formats are never reached.
MEDIA_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "AVIF": "image/avif",
}
_FORMATS = tuple(MEDIA_TYPES)
_FOREIGN = {
    b"%PDF": "a PDF",
    b"II*\0": "a TIFF image",
    b"MM\0*": "a TIFF image",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"<svg": "an SVG drawing",
    b"<?xm": "an XML document",
    b"OggS": "audio or video",
    b"RIFF": "audio or video",
    b"ID3": "audio",
    b"\x7fELF": "a program",
}
DECODE_WHOLE_PX = 64_000_000  # a larger picture is checked without being unfolded in memory
_ORIENTATION = 0x0112
_SIDEWAYS = range(5, 9)

Image.MAX_IMAGE_PIXELS = limits.MAX_IMAGE_PIXELS


@dataclass(frozen=True, slots=True)
class Probe:
    """width_px, height_px: as shown, with the EXIF orientation applied; orientation: 1 to 8, 1 upright.

    text: the words of a text item, None for an image.
    """

    media_type: str
    width_px: int | None = None
    height_px: int | None = None
    orientation: int = 1
    text: str | None = None


def probe(data: bytes, name: str) -> Probe:
    """Find out what `data` is; `name` only tells text from an unknown binary.

    Raises Problem with the code "empty", "wrong-type", "image-unreadable", "image-bomb", "text-not-utf8" or
    "too-large".
    """
    if not data:
        raise _bad("empty", "The file is empty.", "Leave it out, or send its content.")
    if name.lower().endswith((".txt", ".text", ".md")):
        return _probe_text(data)
    if len(data) > limits.MAX_IMAGE_BYTES:
        raise too_large(len(data), limits.MAX_IMAGE_BYTES)
    return _probe_image(data)


def _probe_text(data: bytes) -> Probe:
    if len(data) > limits.MAX_TEXT_ITEM_BYTES:
        raise too_large(len(data), limits.MAX_TEXT_ITEM_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad("text-not-utf8", f"Byte {error.start} is not UTF-8.", "Save the text as UTF-8.") from None
    return Probe("text/plain", text=check_text(text))


def check_text(text: str) -> str:
    """A text that can be an item. Raises Problem code "empty", "text-nul" or "too-large"."""
    if len(text) > limits.MAX_TEXT_ITEM_BYTES:
        raise too_large(len(text), limits.MAX_TEXT_ITEM_BYTES)
    if not text.strip():
        raise _bad("empty", "The text is empty.", "Leave it out, or send its words.")
    if "\0" in text:
        raise _bad("text-nul", "The text holds U+0000.", "Remove that character.")
    return text


def _probe_image(data: bytes) -> Probe:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns about odd metadata; what matters raises
        try:
            image = Image.open(io.BytesIO(data), formats=_FORMATS)
        except Image.DecompressionBombError:
            raise _bomb("more pixels than can be counted here") from None
        except Exception:
            raise _unreadable(data) from None
        with image:
            width, height = image.size
            if width * height > limits.MAX_IMAGE_PIXELS:
                raise _bomb(f"{width} x {height} px")
            try:
                orientation = _check_pixels(image)
            except Image.DecompressionBombError:
                raise _bomb(f"{width} x {height} px") from None
            except Exception as error:
                raise _bad(
                    "image-unreadable", f"The picture cannot be decoded: {error}.", "Save it again from its source."
                ) from None
            if orientation in _SIDEWAYS:
                width, height = height, width
            return Probe(MEDIA_TYPES[image.format or ""], width, height, orientation)


def _check_pixels(image: Image.Image) -> int:
    """Decode once, so that a file that breaks off is found now and not in front of a person."""
    found = image.getexif().get(_ORIENTATION, 1) if image.format in ("JPEG", "PNG", "WEBP", "AVIF") else 1
    if image.format == "JPEG":
        image.draft(None, (max(1, image.width // 8), max(1, image.height // 8)))  # reads all, unfolds 1/64
        image.load()
    elif image.width * image.height <= DECODE_WHOLE_PX:
        image.load()
    else:
        image.verify()
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def thumbnail(data: bytes, side_px: int) -> bytes:
    """A WebP picture at most `side_px` wide and high, upright. Raises Problem for what is no image."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            image.draft("RGB", (side_px * 2, side_px * 2))
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((side_px, side_px))
            clear = "A" in upright.getbands() or "transparency" in upright.info
            out = io.BytesIO()
            upright.convert("RGBA" if clear else "RGB").save(out, "WEBP", quality=80, method=2)
            return out.getvalue()
    except Exception as error:
        raise _bad("image-unreadable", f"No thumbnail can be made: {error}.", "Save the picture again.") from None


def _unreadable(data: bytes) -> Problem:
    for head, what in _FOREIGN.items():
        if data.startswith(head) and not (head == b"RIFF" and data[8:12] == b"WEBP"):
            return Problem(
                Kind.UNSUPPORTED,
                "wrong-type",
                f"This is {what}.",
                remedy=f"Convert it to one of {', '.join(_FORMATS)}, or to UTF-8 text named .txt.",
            )
    if data.startswith((b"\x89PNG", b"\xff\xd8", b"GIF8", b"BM")) or data[8:12] == b"WEBP":
        return _bad("image-unreadable", "The picture's header is broken.", "Save it again from its source.")
    return Problem(
        Kind.UNSUPPORTED,
        "wrong-type",
        "This is no picture that browsers show.",
        remedy=f"Use one of {', '.join(_FORMATS)}; a text is named .txt.",
    )


def _bomb(size: str) -> Problem:
    return _bad(
        "image-bomb",
        f"The picture unfolds to {size}; at most {limits.MAX_IMAGE_PIXELS} pixels are taken.",
        "Cut it into tiles.",
    )


def _bad(code: str, detail: str, remedy: str) -> Problem:
    return Problem(Kind.INVALID, code, detail, remedy=remedy)
