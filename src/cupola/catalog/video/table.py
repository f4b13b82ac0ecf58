"""The frame table: which pictures a video shows, in the order in which a player shows them. Pure.

Frame n is the n-th picture that is shown; its time is read from the table and never worked out from a rate. The table
is made once when a video comes in, and its SHA-256 is part of what is known of the item: the same file read by another
version of a decoder must come to the same table, or nothing is shown of it.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from fractions import Fraction
from itertools import accumulate, pairwise

import msgspec

from cupola.kernel.errors import Problem, invalid


class FrameTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """time_base: (numerator, denominator) of a second. first: presentation time of frame 0; steps: (difference to the
    next frame, how often in a row). keys: numbers of the frames from which decoding can begin, in rising order.
    width_px, height_px: as shown; turn_deg: clockwise, what turns a stored picture upright."""

    time_base: tuple[int, int]
    first: int
    steps: list[tuple[int, int]]
    keys: list[int]
    width_px: int
    height_px: int
    turn_deg: int

    @property
    def frames(self) -> int:
        return 1 + sum(count for _, count in self.steps)

    def times(self) -> list[int]:
        """The presentation time of each frame, in the time base."""
        found = self.__dict__.get("_times")
        if found is None:
            steps = (step for step, count in self.steps for _ in range(count))
            found = self.__dict__["_times"] = list(accumulate(steps, initial=self.first))
        return found

    @property
    def duration_s(self) -> float:
        """From the first frame to the end of the last, which lasts as long as the one before it."""
        last = self.steps[-1][0] if self.steps else 0
        return float((self.times()[-1] - self.first + last) * Fraction(*self.time_base))

    def key_before(self, frame: int) -> int | None:
        """The last frame at or before this one from which decoding can begin."""
        n = bisect_right(self.keys, frame) - 1
        return self.keys[n] if n >= 0 else None

    def encoded(self) -> bytes:
        return msgspec.json.encode(self)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.encoded()).hexdigest()


def table_of(
    times: list[int], keys: list[int], time_base: tuple[int, int], size: tuple[int, int], turn_deg: int
) -> FrameTable:
    """times: rising; keys: those of them from which decoding can begin; size: (width, height) in px as shown."""
    steps: list[tuple[int, int]] = []
    for before, now in pairwise(times):
        if steps and steps[-1][0] == now - before:
            steps[-1] = (steps[-1][0], steps[-1][1] + 1)
        else:
            steps.append((now - before, 1))
    number = {time: n for n, time in enumerate(times)}
    return FrameTable(time_base, times[0], steps, [number[time] for time in keys], *size, turn_deg)


def decoded(text: bytes) -> FrameTable:
    return msgspec.json.decode(text, type=FrameTable)


def changed() -> Problem:
    """What is said where a video no longer comes to the table that it was taken in with."""
    return invalid(
        "frame-table-changed",
        "This decoder numbers the video's frames otherwise than when it was imported, so labels would lie on other "
        "frames.",
        remedy="Use the version of PyAV that it was imported with, or import the video anew.",
    )
