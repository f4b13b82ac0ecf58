"""Videos read with PyAV (FFmpeg): the frame table, and pictures by their numbers. Run in a caged child.

The table is read from the packets, without decoding all of them; stretches at the beginning, in the middle and at the
end are decoded as well, and where they show other pictures than the packets say, everything is decoded and counted.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cupola.catalog.video.table import FrameTable, changed, table_of
from cupola.kernel import limits
from cupola.kernel.errors import Problem, invalid
from cupola.kernel.lazy import Lazy

av = Lazy("av")
image = Lazy("PIL.Image")

Source = Path | bytes
DECODE_WHOLE = 300  # pictures; so short a video is decoded and counted whole
LOOKS = 24  # pictures decoded at each place that is looked at
AUDIO_REMEDY = "Send a file with a video stream."
QUALITY = 88  # of the JPEG pictures that people label on


def has_library() -> bool:
    """Whether PyAV is installed."""
    try:
        return bool(av.open)
    except ImportError:
        return False


@contextmanager
def _opened(source: Source) -> Iterator[tuple[Any, Any]]:
    """The container and its video stream. Raises Problem (INVALID) for what is none."""
    try:
        container = av.open(io.BytesIO(source) if isinstance(source, bytes) else str(source), "r")
    except ImportError:
        raise absent() from None
    except (OSError, ValueError, EOFError) as error:
        raise _unreadable(f"its container cannot be read ({_first(error)})") from None
    try:
        streams = [one for one in container.streams.video if "attached_pic" not in str(one.disposition.name or "")]
        if not streams:
            sound = "it has sound alone" if container.streams.audio else "it has no pictures at all"
            raise invalid("video-no-frames", f"There is nothing to see in this file: {sound}.", remedy=AUDIO_REMEDY)
        stream = streams[0]
        stream.codec_context.thread_count = 1  # each thread would reserve memory of its own
        yield container, stream
    except (OSError, ValueError, EOFError) as error:
        raise _unreadable(_first(error)) from None
    finally:
        container.close()


def read_table(source: Source) -> FrameTable:
    """Raises Problem (INVALID): "video-unreadable", "video-truncated", "video-no-frames", "video-too-long"."""
    with _opened(source) as (container, stream):
        announced = container.duration / 1_000_000 if container.duration and container.duration > 0 else 0.0
        if announced > limits.MAX_VIDEO_S:
            raise _too_long(announced)
        width, height = stream.codec_context.width, stream.codec_context.height
        if not width or not height:
            raise invalid("video-no-frames", "The pictures of this video have no size.", remedy=AUDIO_REMEDY)
        if width * height > limits.MAX_VIDEO_PIXELS:
            raise invalid(
                "video-too-large",
                f"Its pictures have {width} x {height} px; at most {limits.MAX_VIDEO_PIXELS} px are taken.",
                remedy="Make them smaller.",
            )
        times, keys, packets, whole = _packets(container, stream)
        base = (stream.time_base.numerator, stream.time_base.denominator)
        if stream.frames and packets < stream.frames:
            raise _truncated(f"it announces {stream.frames} pictures and holds {packets}")
        seen = set(times) if whole else set()
    if not times and not packets:
        raise invalid("video-no-frames", "This video has no picture.", remedy=AUDIO_REMEDY)
    turn = _turn(source)
    if len(times) <= DECODE_WHOLE or not whole or len(seen) != len(times) or not _agrees(source, times, keys):
        times, keys = _decoded_whole(source)
    if not times:
        raise _unreadable("none of its pictures can be decoded")
    if len(times) > limits.MAX_FRAMES:
        raise _too_long(announced)
    size = (height, width) if turn % 180 else (width, height)
    found = table_of(times, keys, base, size, turn)
    if announced and found.duration_s < 0.9 * announced and announced - found.duration_s > 2.0:
        sound_ends = _stream_end_s(source)
        if sound_ends is None or found.duration_s < 0.9 * sound_ends:
            raise _truncated(f"it announces {announced:.1f} s and holds {found.duration_s:.1f} s")
    return found


def _packets(container: Any, stream: Any) -> tuple[list[int], list[int], int, bool]:
    """Presentation times in rising order, those of key frames, how many packets there are, and whether each told its
    time."""
    times: list[int] = []
    keys: list[int] = []
    packets, whole = 0, True
    for packet in container.demux(stream):
        if packet.size == 0:
            continue
        packets += 1
        if packets > limits.MAX_FRAMES:
            raise _too_long(0.0)
        if packet.is_discard:
            continue
        if packet.pts is None:
            whole = False
            continue
        times.append(packet.pts)
        if packet.is_keyframe:
            keys.append(packet.pts)
    return sorted(times), sorted(keys), packets, whole


def _agrees(source: Source, times: list[int], keys: list[int]) -> bool:
    """Whether decoding shows what the packets say, where it is looked: at both ends, and at two places between."""
    if not keys:
        return False
    starts = {times[0], keys[-1], keys[len(keys) // 3], keys[2 * len(keys) // 3]}
    number = {time: n for n, time in enumerate(times)}
    with _opened(source) as (container, stream):
        for start in sorted(starts):
            n = number[start]
            to_end = start == keys[-1]
            wanted = times[n:] if to_end else times[n : n + LOOKS]
            container.seek(start, stream=stream, backward=True)
            found = []
            for frame in _frames(container, stream):
                if frame.pts is not None and frame.pts >= start:
                    found.append(frame.pts)
                    if not to_end and len(found) == len(wanted):
                        break
            if found != wanted:
                return False
    return True


def _decoded_whole(source: Source) -> tuple[list[int], list[int]]:
    times: list[int] = []
    keys: list[int] = []
    with _opened(source) as (container, stream):
        for frame in _frames(container, stream):
            if frame.pts is None or (times and frame.pts <= times[-1]):
                raise _unreadable("its pictures do not tell when they are shown")
            times.append(frame.pts)
            if frame.key_frame:
                keys.append(frame.pts)
    return times, keys


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    """Decoded pictures in the order in which they are shown; a damaged packet ends the file with its place told."""
    n = 0
    try:
        for frame in container.decode(stream):
            n += 1
            yield frame
    except EOFError:
        return
    except (OSError, ValueError) as error:
        raise _truncated(f"decoding stops after picture {n} ({_first(error)})") from None


def _turn(source: Source) -> int:
    """How far a stored picture must be turned to stand upright, clockwise: 0, 90, 180 or 270."""
    with _opened(source) as (container, stream):
        frame = next(_frames(container, stream), None)
        return round(-(frame.rotation if frame is not None else 0) / 90) % 4 * 90


def _stream_end_s(source: Source) -> float | None:
    """Where the video stream itself says that it ends: sound may go on after the pictures."""
    with _opened(source) as (_, stream):
        return float(stream.duration * stream.time_base) if stream.duration else None


# ---------------------------------------------------------------- pictures
def pictures(source: Source, table: FrameTable, first: int, count: int, side_px: int | None = None) -> list[bytes]:
    """JPEG pictures of the frames from `first` on, upright. side_px: made smaller to it, where given.

    Raises Problem (INVALID) "frame-table-changed" where decoding shows another picture than the table says.
    """
    times = table.times()
    wanted = times[first : first + count]
    out: list[bytes] = []
    with _opened(source) as (container, stream):
        start = table.key_before(first)
        while True:
            at = times[start] if start is not None else None
            if at is not None:
                container.seek(at, stream=stream, backward=True)
            for frame in _frames(container, stream):
                if frame.pts is None or (at is not None and frame.pts < at):
                    continue
                if frame.pts < wanted[0]:
                    continue
                if frame.pts != wanted[len(out)]:
                    break
                out.append(_jpeg(frame, table.turn_deg, side_px))
                if len(out) == len(wanted):
                    return out
            if start is None:
                raise changed()
            # what was sought lies behind what is wanted, or the key could not be decoded by itself: from an earlier one
            out = []
            start = table.key_before(start - 1) if start else None
            if start is None:
                container.seek(min(0, table.first), stream=stream, backward=True)


def _jpeg(frame: Any, turn_deg: int, side_px: int | None) -> bytes:
    picture = frame.to_image()
    if turn_deg:
        picture = picture.transpose(
            {90: image.Transpose.ROTATE_270, 180: image.Transpose.ROTATE_180, 270: image.Transpose.ROTATE_90}[turn_deg]
        )
    if side_px is not None:
        picture.thumbnail((side_px, side_px))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def absent() -> Problem:
    """What is said where videos come and PyAV is not installed."""
    return invalid(
        "library-absent",
        "Videos are read with PyAV, which is not installed.",
        remedy="pip install 'cupola[vision]', then import again.",
    )


def _first(error: Exception) -> str:
    told = str(getattr(error, "strerror", None) or error).strip().splitlines()
    return told[0][:200] if told else type(error).__name__


def _unreadable(why: str) -> Problem:
    return invalid("video-unreadable", f"The video cannot be read: {why}.", remedy="Save it again from its source.")


def _truncated(why: str) -> Problem:
    return invalid("video-truncated", f"The video breaks off: {why}.", remedy="Copy it again from its source.")


def _too_long(seconds: float) -> Problem:
    told = f"It lasts {seconds / 3600:.1f} h" if seconds else f"It has more than {limits.MAX_FRAMES} pictures"
    return invalid(
        "video-too-long",
        f"{told}; at most {limits.MAX_VIDEO_S // 3600} h are taken.",
        remedy="Cut it into segments: ffmpeg -i FILE -c copy -f segment -segment_time 600 part%03d.mp4",
    )
