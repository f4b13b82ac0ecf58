"""The only clock. Tests move it; nothing else in Cupola reads the time by itself."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_offset_s: float = 0.0


def now() -> datetime:
    """The present moment in UTC, moved by whatever `advance` was told."""
    return datetime.fromtimestamp(time.time() + _offset_s, UTC)


def monotonic_s() -> float:
    """Seconds on a clock that never goes back; only differences mean anything."""
    return time.monotonic()


def offset_s() -> float:
    """By how many seconds this process's clock runs ahead of the machine's."""
    return _offset_s


def advance(delta: timedelta) -> None:
    """Move this process's clock forward (tests and drills of deadlines only)."""
    global _offset_s
    _offset_s += delta.total_seconds()


def sleep(seconds: float) -> None:
    """Block this thread for so many seconds."""
    time.sleep(seconds)


def cpu_s() -> float:
    """Seconds that this process has been at work on a processor."""
    return time.process_time()
