"""What one picture is like, and what tells it from others.

Seen as a viewer shows it: the first frame, turned as its EXIF says, what is transparent over white. Everything but its
size is measured on a copy of at most `SIDE_PX`, so that figures of large and small pictures can be compared.
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cupola.kernel.lazy import Lazy

Image: Any = Lazy("PIL.Image")
ImageOps: Any = Lazy("PIL.ImageOps")

VERSION = "pictures-1"
SIDE_PX = 512
LOOK_PX = 16  # of the small copy that two pictures are compared by
MOST_PX = 400_000_000  # beyond it a file is likelier made to fill memory than to be looked at
MOST_BYTES = 1 << 30
_HASH_PX, _HASH_SIDE = 32, 8
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".mpo", ".ppm", ".pgm", ".jp2")
F64 = npt.NDArray[np.float64]

# Of these a rule may speak.
SIGNALS = (
    "bytes", "width_px", "height_px", "short_side_px", "megapixels", "aspect", "frames", "brightness", "contrast",
    "sharpness", "entropy_bits", "colourfulness",
)  # fmt: skip


@dataclass(frozen=True)
class Looked:
    """signals: by `SIGNALS`. pixels: the SHA-256, in hex, of what is shown at its full size; fingerprint: 64 bits that
    are near each other where pictures look alike; look: uint8[LOOK_PX * LOOK_PX * 3], the picture very small."""

    format: str
    signals: dict[str, float]
    pixels: str
    fingerprint: int
    look: bytes


class Unreadable(Exception):
    """Why a file is no picture that can be looked at, in words."""


def look(path: Path) -> Looked:
    """Read a picture. Raises Unreadable."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise Unreadable(f"the file has {size} bytes, more than {MOST_BYTES}")
        data = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror or error}") from error
    if not data:
        raise Unreadable("the file is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a strange tag is no fault of the picture; its size is asked for below
            return _looked(data)
    except Unreadable:
        raise
    except MemoryError as error:
        raise Unreadable("it does not fit into memory") from error
    except Exception as error:  # what a decoder of foreign bytes raises is not its own list of errors
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise Unreadable(f"it is no picture that can be decoded: {said}") from error


def _looked(data: bytes) -> Looked:
    with Image.open(BytesIO(data)) as file:
        if file.width * file.height > MOST_PX:
            raise Unreadable(f"it has {file.width} x {file.height} pixels, more than {MOST_PX}")
        frames = int(getattr(file, "n_frames", 1))
        shown = _shown(ImageOps.exif_transpose(file))
        format_ = str(file.format or "").lower()
    pixels = hashlib.sha256(f"{shown.width}x{shown.height}".encode() + shown.tobytes()).hexdigest()
    small = shown.copy()
    small.thumbnail((SIDE_PX, SIDE_PX))
    colours = np.asarray(small, dtype=np.float64)
    grey = np.asarray(small.convert("L"), dtype=np.float64)
    counts = np.bincount(grey.astype(np.uint8).ravel(), minlength=256)
    shares = counts[counts > 0] / grey.size
    sides = (shown.width, shown.height)
    signals = {
        "bytes": float(len(data)),
        "width_px": float(shown.width),
        "height_px": float(shown.height),
        "short_side_px": float(min(sides)),
        "megapixels": shown.width * shown.height / 1e6,
        "aspect": max(sides) / min(sides),
        "frames": float(frames),
        "brightness": float(grey.mean()),
        "contrast": float(grey.std()),
        "sharpness": sharpness(grey),
        "entropy_bits": float(-(shares * np.log2(shares)).sum()),
        "colourfulness": colourfulness(colours),
    }
    tiny = shown.resize((LOOK_PX, LOOK_PX), Image.Resampling.BOX, reducing_gap=3.0)
    return Looked(format_, signals, pixels, fingerprint(shown), tiny.tobytes())


def _shown(picture: Any) -> Any:
    """As RGB of 8 bits. Deeper grey is brought down by what it spans: a viewer would show black."""
    if picture.mode.startswith(("I", "F")):
        values = np.asarray(picture, dtype=np.float64)
        low, high = float(values.min()), float(values.max())
        scaled = (values - low) * (255.0 / (high - low)) if high > low else np.zeros_like(values)
        return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        over = picture.convert("RGBA")
        white = Image.new("RGBA", over.size, "white")
        white.alpha_composite(over)
        return white.convert("RGB")
    return picture.convert("RGB")


def sharpness(grey: F64) -> float:
    """The variance of the Laplacian (Pech-Pacheco et al., 2000); 0 for what has no inside."""
    if min(grey.shape) < 3:
        return 0.0
    inner = grey[1:-1, 1:-1]
    edges = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4.0 * inner
    return float(edges.var())


def colourfulness(colours: F64) -> float:
    """Of (h, w, 3) values from 0 to 255 (Hasler and Süsstrunk, 2003); 0 for grey."""
    red, green, blue = (colours[..., n] for n in range(3))
    against, also = red - green, 0.5 * (red + green) - blue
    return float(np.hypot(against.std(), also.std()) + 0.3 * np.hypot(against.mean(), also.mean()))


def _waves(n: int) -> F64:
    """(n, n) of the cosine transform (DCT-II), unscaled."""
    at = np.arange(n)
    return np.asarray(np.cos(np.pi * at[:, None] * (2 * at[None, :] + 1) / (2 * n)), dtype=np.float64)


_WAVES = _waves(_HASH_PX)


def fingerprint(picture: Any) -> int:
    """64 bits: whether each low wave of the small grey picture is above the middle one (pHash; Zauner, 2010)."""
    small = picture.convert("L").resize((_HASH_PX, _HASH_PX), Image.Resampling.BOX, reducing_gap=3.0)
    grey = np.asarray(small, dtype=np.float64)
    low = (_WAVES @ grey @ _WAVES.T)[:_HASH_SIDE, :_HASH_SIDE].ravel()
    bits = low > np.median(low[1:])  # the first is the mean brightness
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
