"""Made videos whose pictures carry their own number: a row of blocks at the top, and the same bits inverted below it.

Bit k is block k from the left, white for 1, the least significant first.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BITS = 10
HIGH = 12  # px of each of the two rows


def picture_of(number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(height, width, 3) with its number in it, and a bright box that moves 2 px a frame on a dark ground."""
    width, height = size
    out = np.full((height, width, 3), 40, dtype=np.uint8)
    wide = width // BITS
    for bit in range(BITS):
        on = number >> bit & 1
        out[:HIGH, bit * wide : (bit + 1) * wide] = 255 * on
        out[HIGH : 2 * HIGH, bit * wide : (bit + 1) * wide] = 255 * (1 - on)
    x = (10 + 2 * number) % (width - 40)
    out[60:90, x : x + 30] = (220, 160, 60)
    return out


def number_in(picture: bytes | Image.Image) -> int | None:
    """The number that a picture carries; None where both rows say the same."""
    opened = Image.open(io.BytesIO(picture)) if isinstance(picture, bytes) else picture
    grey = np.asarray(opened.convert("L"))
    wide, found = grey.shape[1] // BITS, 0
    for bit in range(BITS):
        x = bit * wide + wide // 2
        on, off = grey[HIGH // 2, x] > 127, grey[HIGH + HIGH // 2, x] > 127
        if on == off:
            return None
        found |= int(on) << bit
    return found


def clip(
    times_ms: Sequence[int],
    size: tuple[int, int] = (320, 180),
    *,
    container: str = "mp4",
    codec: str = "libx264",
    gop: int = 30,
    b_frames: int = 2,
    sound: bool = False,
    pictures: bool = True,
) -> bytes:
    """A video whose picture n is shown at times_ms[n]."""
    import av  # an extra: who asks for a clip has it

    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream: Any = None
        if pictures:
            stream = file.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
            stream.codec_context.gop_size = gop
            if codec == "libx264":
                stream.codec_context.options = {"crf": "18", "preset": "veryfast", "bf": str(b_frames)}
        voice: Any = file.add_stream("aac" if container == "mp4" else "libopus", rate=48_000) if sound else None
        for n, time in enumerate(times_ms if pictures else ()):
            frame = av.VideoFrame.from_ndarray(picture_of(n, size), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            file.mux(stream.encode(frame))
        if voice is not None:
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), dtype=np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48_000, 0
            file.mux(voice.encode(frame))
            file.mux(voice.encode(None))
        if stream is not None:
            file.mux(stream.encode(None))
    return out.getvalue()


def steady(frames: int, step_ms: int = 40) -> list[int]:
    return [n * step_ms for n in range(frames)]


if __name__ == "__main__":  # for the tests in a browser: FILE FRAMES
    import sys
    from pathlib import Path

    Path(sys.argv[1]).write_bytes(clip([n * 40 + 33 * (n // 7) for n in range(int(sys.argv[2]))], (640, 360)))
