"""What a text that is no UTF-8 was probably written in: systems have had many ways, and files seldom say which."""

from __future__ import annotations

import codecs
from collections.abc import Mapping

import chardet

MAX_LOOKED_AT_BYTES = 64 * 1024
# What systems have written in, and how much likelier each is than a detector thinks that knows all of the world's
# texts: a few characters give it little to go by.
LIKELY: Mapping[str, float] = {
    "gb18030": 2.5, "cp932": 2.0, "big5": 1.5, "cp949": 1.0, "euc-jp": 0.25,
    "cp866": 1.0, "cp1251": 1.0, "koi8-r": 0.5,
    "cp437": 0.5, "cp850": 1.0, "cp1252": 1.0, "cp852": 0.5, "cp1250": 0.5,
    "cp737": 0.5, "cp1253": 0.5, "cp857": 0.25, "cp1254": 0.25,
    "cp862": 0.5, "cp1255": 0.5, "cp1256": 0.5, "cp874": 0.5,
}  # fmt: skip
RARE = 0.1
_WEIGHTS = {codecs.lookup(name).name: weight for name, weight in LIKELY.items()}


def weighed(data: bytes) -> dict[str, float]:
    """Encodings that the bytes may be in, each by how likely: names of Python's codecs."""
    guesses = chardet.detect_all(
        data[:MAX_LOOKED_AT_BYTES], ignore_threshold=True, include_encodings=list(LIKELY), compat_names=False
    )
    names = [(codecs.lookup(one["encoding"] or "cp437").name, one["confidence"]) for one in guesses]
    return {name: confidence * _WEIGHTS.get(name, RARE) for name, confidence in names}


def likely(data: bytes) -> str | None:
    """The likeliest encoding in which all of the bytes can be read; None where there is none."""
    found = weighed(b"\n".join(line for line in data.splitlines() if not line.isascii()))
    for name in sorted(found, key=found.__getitem__, reverse=True):
        try:
            data.decode(name)
        except UnicodeDecodeError as error:
            if error.end < len(data) - 4:  # else a character that the end of what was read cut in two
                continue
        return name
    return None


def convert_with(data: bytes, name: str) -> str:
    """How a person makes UTF-8 of a file: for the remedy of a refusal."""
    found = likely(data)
    by_hand = "Save it as UTF-8; a spreadsheet offers that as \u201cCSV UTF-8\u201d."
    if found is None:
        return by_hand
    shown = found.upper().replace("CP125", "WINDOWS-125")
    return f"It reads like {shown}. {by_hand} Or: iconv -f {shown} -t UTF-8 {name} > utf8-{name}"
