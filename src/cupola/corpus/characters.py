"""What each code point is, as tables that a kernel can read: its kind, its script, what it folds to.

Made from the interpreter's own Unicode data on first use (a tenth of a second); `VERSION` says of which Unicode, for
two runs compare only under one. Code points from `TABLE` on are ideographs (planes 2 and 3) or unassigned.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import Any

import numpy as np
import numpy.typing as npt

from cupola.corpus.extras import module

VERSION = unicodedata.unidata_version
TABLE = 0x20000
PLANES_OF_IDEOGRAPHS = 0x40000

# Bits of a kind.
WORD, LETTER, DIGIT, UPPER, SPACE, SINGLE, TERMINAL, CONTROL, PUNCTUATION, BULLET, CLOSING = (1 << n for n in range(11))

SCRIPTS = (
    "other", "latin", "greek", "cyrillic", "arabic", "hebrew", "devanagari", "bengali", "tamil", "thai", "han",
    "hiragana", "katakana", "hangul", "armenian", "georgian",
)  # fmt: skip
HAN = SCRIPTS.index("han")
_BY_NAME = {name.upper(): n for n, name in enumerate(SCRIPTS)} | {"CJK": HAN, "HALFWIDTH": SCRIPTS.index("katakana")}
# Written without blanks between words: each character is a token of its own. Hangul has blanks, but a word there is a
# stem with endings, and its syllables make the better shingles.
_SINGLE = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "HALFWIDTH", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")
_SENTENCE_ENDS = set(".!?…。！？｡؟۔।॥")
_BULLETS = set("•‣▪▫◦●○■□►▶–—-*·⁃")
_CLOSING = set("”\"'’」』）)]》〉】")
Kinds = npt.NDArray[np.uint16]


def _fold(character: str) -> int:
    """Width and case folded away, where that is one character again (NFKC, then lower case)."""
    folded = unicodedata.normalize("NFKC", character)
    lowered = folded.lower() if len(folded) == 1 else character.lower()
    return ord(lowered) if len(lowered) == 1 else ord(character)


def _kind(character: str, category: str, name: str) -> int:
    kind = 0
    if category[0] in "LMN" and category != "No":
        kind |= WORD
        kind |= LETTER if category[0] == "L" else 0
        kind |= DIGIT if category == "Nd" else 0
        kind |= UPPER if category in ("Lu", "Lt") else 0
        kind |= SINGLE if name.startswith(_SINGLE) else 0
    elif category[0] in "PS" and character != "\ufffd":
        kind |= PUNCTUATION
    if character.isspace():
        kind |= SPACE
    elif category in ("Cc", "Co", "Cn", "Cs") or character == "\ufffd":
        kind |= CONTROL
    if character in _SENTENCE_ENDS:
        kind |= TERMINAL
    if character in _BULLETS:
        kind |= BULLET
    if character in _CLOSING:
        kind |= CLOSING
    return kind


@functools.cache
def folded_scripts() -> tuple[Kinds, npt.NDArray[np.uint8], npt.NDArray[np.uint32]]:
    """`tables`, with traditional Chinese characters folded to simplified ones (OpenCC's dictionary, one character by
    one), so that a text in one is a copy of it in the other. Raises Problem (INVALID) without opencc."""
    kinds, scripts, folds = tables()
    opencc: Any = module("opencc", "refinery")
    points = [point for point in range(0x3400, 0xA000) if scripts[point] == HAN]
    told = opencc.OpenCC("t2s").convert("\n".join(map(chr, points))).split("\n")
    folds = folds.copy()
    for point, simple in zip(points, told, strict=True):
        if len(simple) == 1:
            folds[point] = ord(simple)
    folds.setflags(write=False)
    return kinds, scripts, folds


@functools.cache
def tables() -> tuple[Kinds, npt.NDArray[np.uint8], npt.NDArray[np.uint32]]:
    """Kinds uint16[TABLE], scripts uint8[TABLE] (places in `SCRIPTS`), folds uint32[TABLE] (code points)."""
    kinds = np.zeros(TABLE, np.uint16)
    scripts = np.zeros(TABLE, np.uint8)
    folds = np.arange(TABLE, dtype=np.uint32)
    for point in range(TABLE):
        if 0x3400 <= point < 0xA000 or 0xAC00 <= point < 0xD7A4:
            hangul = point >= 0xAC00  # two blocks whose names take long to make
            if unicodedata.category(chr(point)) == "Lo":
                kinds[point] = WORD | LETTER | SINGLE
                scripts[point] = _BY_NAME["HANGUL"] if hangul else HAN
                continue
        character = chr(point)
        category = unicodedata.category(character)
        if category in ("Cn", "Co", "Cs"):
            kinds[point] = CONTROL
            continue
        name = unicodedata.name(character, "")
        kinds[point] = _kind(character, category, name)
        if category[0] == "L":
            scripts[point] = _BY_NAME.get(name.split(" ", 1)[0].removeprefix("FULLWIDTH").strip(), 0)
        folds[point] = _fold(character)
    for array in (kinds, scripts, folds):
        array.setflags(write=False)
    return kinds, scripts, folds
