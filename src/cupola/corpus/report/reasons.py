"""Which characters of a text a rule speaks of, so that a reader sees what it saw. By signal: a pattern, or lines."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable

from cupola.corpus import pii
from cupola.corpus.edits.base import Span, lines
from cupola.corpus.repetition import MEAGRE_LINE_WORDS, SHORT_LINE_CHARS

_ENDED = re.compile("[.!?…。！？｡؟।॥][”\"'’」』）)\\]》〉】]*$")
_WORD = re.compile(r"\w+")
MOST_SPANS = 400


def _lines(wanted: Callable[[str, set[str]], bool]) -> Callable[[str], list[Span]]:
    def find(text: str) -> list[Span]:
        seen: set[str] = set()
        found = []
        for start, end, line in lines(text):
            if line and wanted(line, seen):
                found.append((start, start + len(text[start:end].rstrip("\n"))))
            seen.add(line)
        return found

    return find


def _pattern(pattern: str) -> Callable[[str], list[Span]]:
    compiled = re.compile(pattern)
    return lambda text: [found.span() for found in compiled.finditer(text)]


def _runs(size: int) -> Callable[[str], list[Span]]:
    """Runs of `size` words that stood before."""

    def find(text: str) -> list[Span]:
        words = [(one.start(), one.end(), one.group().lower()) for one in _WORD.finditer(text)]
        seen: set[tuple[str, ...]] = set()
        found = []
        for n in range(len(words) - size + 1):
            run = tuple(word for _, _, word in words[n : n + size])
            if run in seen:
                found.append((words[n][0], words[n + size - 1][1]))
            seen.add(run)
        return found

    return find


REASONS: dict[str, Callable[[str], list[Span]]] = {
    "hashes_a_word": _pattern("#"),
    "ellipses_a_word": _pattern(r"\.{3,}|…"),
    "curly": _pattern(r"[{}]"),
    "lorem_ipsum": _pattern(r"(?i)lorem|ipsum"),
    "markup_share": _pattern(r"</?[A-Za-z!][^<>]{0,600}>|&(?:[a-z]{2,8}|#\d{1,6});"),
    "blob_share": _pattern(r"[A-Za-z0-9+/=_-]{60,}"),
    "garbled_share": _pattern("[锛鐨鍦銆鏄閿鍜鐢涓鍥浜鏈绗]"),
    "generated": _pattern(r"(?i)do not (?:edit|modify)|(?:auto\w*[- ]?)?generated"),
    "secrets": lambda text: [(one.start, one.end) for one in pii.find(text) if one.kind == "key"],
    "upper_share": _pattern(r"\b[A-Z]{2,}\b"),
    "digit_share": _pattern(r"\d+"),
    "control_share": _pattern("[\x00-\x08\x0b-\x1f\ufffd]"),
    "alpha_word_share": _pattern(r"\b[\d_]+\b"),
    "ended_line_share": _lines(lambda line, seen: not _ENDED.search(line)),
    "ellipsis_line_share": _lines(lambda line, seen: line.endswith(("...", "…"))),
    "bullet_line_share": _lines(lambda line, seen: line[0] in "•‣▪▫◦●○■□►▶–—-*·⁃"),
    "short_line_share": _lines(lambda line, seen: len(line) < SHORT_LINE_CHARS),
    "meagre_line_share": _lines(lambda line, seen: len(_WORD.findall(line)) < MEAGRE_LINE_WORDS),
    "repeated_line_share": _lines(lambda line, seen: line in seen),
    "repeated_line_char_share": _lines(lambda line, seen: line in seen),
    "longest_line_chars": _lines(lambda line, seen: len(line) > 1000),
    "mean_line_chars": _lines(lambda line, seen: len(line) > 100),
    **{f"top_{n}_gram_share": _runs(n) for n in (2, 3, 4)},
    **{f"repeated_{n}_gram_share": _runs(n) for n in range(5, 11)},
}


def reasons(signal: str, text: str) -> list[Span]:
    """What of a text a signal counts; nothing for signals that speak of all of it."""
    find = REASONS.get(signal)
    return [] if find is None else find(text)[:MOST_SPANS]


def pieces(text: str, spans: list[Span]) -> list[tuple[str, bool]]:
    """A text in pieces, marked and not."""
    out: list[tuple[str, bool]] = []
    at = 0
    for start, end in sorted(spans):
        start = max(start, at)
        if end <= start:
            continue
        if start > at:
            out.append((text[at:start], False))
        if out and out[-1][1] and start == at:
            out[-1] = (out[-1][0] + text[start:end], True)
        else:
            out.append((text[start:end], True))
        at = end
    if at < len(text):
        out.append((text[at:], False))
    return out


def differences(removed: str, kept: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Two texts in pieces, marked where they differ, by words."""
    words = [re.findall(r"\s+|\w+|[^\w\s]", one) for one in (removed, kept)]
    matcher = difflib.SequenceMatcher(None, words[0], words[1], autojunk=False)
    left: list[tuple[str, bool]] = []
    right: list[tuple[str, bool]] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        for out, some in ((left, words[0][a:b]), (right, words[1][c:d])):
            if some:
                out.append(("".join(some), kind != "equal"))
    return left, right
