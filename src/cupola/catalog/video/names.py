"""What pictures of frames are called."""

from __future__ import annotations


def frame_name(frame: int) -> str:
    """frame: from 0."""
    return f"{frame:06d}.jpg"
