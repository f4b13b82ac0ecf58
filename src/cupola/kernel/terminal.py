"""Consoles that print the words of people as they are written, on any terminal.

A name may hold `[/b]` or `:cat:`, a file's name half a character or an escape sequence, and the terminal may speak
ASCII or Latin-1: nothing of this is markup, moves the cursor, or ends a command.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
from typing import Any

from rich.console import Console
from rich.text import Text

# Controls but tab and line feed, halves of pairs, and what turns the direction of all that follows.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff]")


def visible(text: str, encoding: str = "utf-8") -> str:
    """Text without what would steer a terminal; that and what `encoding` lacks stand as `\\x1b` or `\\u540d`."""
    told = _UNFIT.sub(lambda found: ascii(found[0])[1:-1], text.replace("\r\n", "\n"))
    return told.encode(encoding, "backslashreplace").decode(encoding)


class Plain(Console):
    """A console without markup, emoji codes or guessed colours, in what it prints and in the cells of its tables."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """A string as rich text; rich passes every string through here that it prints or lays into a table."""
        return super().render_str(visible(text, self.encoding), **options)

    def headed(self, head: str, rest: str, style: str, **options: Any) -> None:
        """Print a line whose beginning has a style."""
        told = Text.assemble((visible(head, self.encoding), style), visible(rest, self.encoding))
        self.print(told, soft_wrap=True, **options)


def json_text(document: Any, indent: int = 1, *, allow_nan: bool = False) -> str:
    """JSON for stdout: the characters themselves where the stream speaks UTF-8, escapes of JSON otherwise."""
    speaks = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "").replace("_", "") == "utf8"
    told = json.dumps(document, ensure_ascii=not speaks, indent=indent, allow_nan=allow_nan)
    # Half a character of a file's name that is not UTF-8; JSON has an escape for it, UTF-8 has no bytes.
    return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", told)


def forgiving() -> None:
    """Let no character end a command: what a stream's encoding lacks is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def hung_up() -> None:
    """Whoever read our output has gone (`| head`): say nothing more, not even while the interpreter ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
