"""Where people reach this instance's server, noted by the server for the commands beside it.

A command that makes a link, or asks the server, is seldom told what the server was told: without the note a server on
another port has links printed that lead nowhere. The environment (CUPOLA_PUBLIC_URL, CUPOLA_URL) and options win.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

FILE = "address"
_MOST_CHARS = 2_048


def note(folder: Path, url: str) -> None:
    """Keep the address of the server that runs now. A folder that cannot be written is no reason not to serve."""
    with contextlib.suppress(OSError):
        (folder / FILE).write_text(url + "\n", encoding="utf-8")


def noted(folder: Path) -> str | None:
    """The address of the server that ran last, or None."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    usable = text.startswith(("http://", "https://")) and text.isprintable() and len(text) <= _MOST_CHARS
    return text if usable else None
