"""The profile again, slowly and in plain Python: strings, dictionaries, `unicodedata`, no table and no kernel."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

ENDS, CLOSING = set(".!?…。！？｡؟۔।॥"), set("”\"'’」』）)]》〉】")
BULLETS = set("•‣▪▫◦●○■□►▶–—-*·⁃")
WITHOUT_BLANKS = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "HALFWIDTH", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")


def is_word(x: str) -> bool:
    category = unicodedata.category(x)
    return category[0] in "LM" or category in ("Nd", "Nl") or 0x20000 <= ord(x) < 0x40000


def is_single(x: str) -> bool:
    if 0x20000 <= ord(x) < 0x40000:
        return True
    return is_word(x) and unicodedata.name(x, "").startswith(WITHOUT_BLANKS)


def is_letter(x: str) -> bool:
    return unicodedata.category(x)[0] == "L" or 0x20000 <= ord(x) < 0x40000


def fold(x: str) -> str:
    if ord(x) >= 0x20000:
        return x
    wide = unicodedata.normalize("NFKC", x)
    low = wide.lower() if len(wide) == 1 else x.lower()
    return low if len(low) == 1 else x


def words(text: str) -> list[str]:
    """Folded words; singles are marked by a leading blank."""
    out: list[str] = []
    now = ""
    for x in text + "\n":
        if is_word(x) and not is_single(x):
            now += fold(x)
            continue
        if now:
            out.append(now)
            now = ""
        if is_single(x):
            out.append(" " + fold(x))
    return out


def normal(text: str) -> tuple[Any, ...]:
    """What two exact duplicates share: words, marks, and whether a blank stood between."""
    units: list[str] = []
    now, blank = "", False

    def add(unit: str, gap: bool) -> None:
        if gap and units:
            units.append(" ")
        units.append(unit)

    for x in text + "\n":
        if is_word(x) and not is_single(x):
            now += fold(x)
            continue
        if now:
            add(now, blank)
            now, blank = "", False
        if x.isspace():
            blank = True
        else:
            add(fold(x), blank)
            blank = False
    return tuple(units)


def shingles(text: str) -> set[tuple[str, ...]]:
    found = words(text)
    out = set()
    for n in range(len(found)):
        size = 4 if found[n].startswith(" ") else 3
        if n == 0 or n + size <= len(found):
            out.add(tuple(found[n : n + size]))
    return out


def jaccard(a: set[Any], b: set[Any]) -> float:
    return len(a & b) / len(a | b) if a & b else 0.0


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def paragraphs(text: str) -> list[tuple[Any, ...]]:
    out: list[list[Any]] = [[]]
    for line in text.split("\n"):
        if line.strip():
            out[-1].append(line)
        else:
            out.append([])
    return [tuple(paragraph) for paragraph in out if paragraph]


def _repeated(things: Iterable[Any]) -> list[bool]:
    seen: set[Any] = set()
    out = []
    for thing in things:
        out.append(thing in seen)
        seen.add(thing)
    return out


def _length(found: list[str]) -> int:
    return sum(1 if word.startswith(" ") else len(word) for word in found)


def top_gram_chars(found: list[str], size: int) -> int:
    seen = Counter(tuple(found[n : n + size]) for n in range(len(found) - size + 1))
    most = max(seen.values(), default=0)
    if most < 2:
        return 0
    return max(most * _length(list(gram)) for gram, times in seen.items() if times == most)


def repeated_gram_chars(found: list[str], size: int) -> int:
    seen: set[Any] = set()
    again, n = 0, 0
    while n <= len(found) - size:
        gram = tuple(found[n : n + size])
        if gram in seen:
            again += _length(found[n : n + size])
            n += size
        else:
            seen.add(gram)
            n += 1
    return again


def _control(x: str) -> bool:
    if 0x20000 <= ord(x) < 0x40000 or x.isspace():
        return False
    return unicodedata.category(x) in ("Cc", "Cn", "Co", "Cs") or x == "\ufffd" or ord(x) >= 0x40000


def _punctuation(x: str) -> bool:
    return unicodedata.category(x)[0] in "PS" and ord(x) < 0x40000 and x != "\ufffd"


def ended(line: str) -> bool:
    """A sentence's mark at the end, or one right before a closing quotation mark or bracket."""
    if line[-1] in ENDS:
        return True
    body = line[:-1].rstrip()
    return line[-1] in CLOSING and body != "" and body[-1] in ENDS


def _dots(text: str) -> int:
    """Runs of three dots, blanks between them or not, and the character."""
    found, run = 0, 0
    for x in text:
        if x == "\n":
            run = 0
        elif not x.isspace():
            run = run + 1 if x == "." else 0
            found += run == 3 or x == "…"
    return found


def _sentences(text: str) -> int:
    found = 0
    for line in lines(text):
        solid = _units(line)
        found += sum(x in ENDS and (n == 0 or solid[n - 1] not in ENDS) for n, x in enumerate(solid))
    return found


def _units(line: str) -> list[str]:
    return [x for x in line if not x.isspace()]


def counts(raw: bytes) -> dict[str, int]:
    text = raw.decode("utf-8", "replace")
    found, rows, parts = words(text), lines(text), paragraphs(text)
    plain = [word for word in found if not word.startswith(" ")]
    n_words: Callable[[str], int] = lambda line: len(words(line))  # noqa: E731
    normals = [normal(row) for row in rows]
    again = _repeated(normals)
    parts_again = _repeated(tuple(normal(line) for line in part) for part in parts)
    part_chars = [sum(len(line.strip()) for line in part) for part in parts]
    capitals = [2 * sum(unicodedata.category(x) in ("Lu", "Lt") and not is_single(x) for x in row)
                > sum(is_letter(x) or is_single(x) for x in row) for row in rows]  # fmt: skip
    numeric = [any(unicodedata.category(x) == "Nd" and not is_single(x) for x in row)
               and not any(is_letter(x) or is_single(x) for x in row) for row in rows]  # fmt: skip
    return {
        "bytes": len(raw),
        "chars": len(text),
        "words": len(plain),
        "singles": len(found) - len(plain),
        "word_chars": _length(plain),
        "alpha_words": sum(any(is_letter(x) for x in word) for word in plain),
        "letters": sum(map(is_letter, text)),
        "uppers": sum(unicodedata.category(x) in ("Lu", "Lt") for x in text if ord(x) < 0x20000),
        "digits": sum(unicodedata.category(x) == "Nd" and not is_single(x) for x in text if ord(x) < 0x20000),
        "spaces": sum(x.isspace() for x in text),
        "punctuation": sum(map(_punctuation, text)),
        "controls": sum(map(_control, text)),
        "hashes": text.count("#"),
        "at_signs": text.count("@"),
        "curly": text.count("{") + text.count("}"),
        "ellipses": _dots(text),
        "sentences": _sentences(text),
        "longest_line_chars": max(map(len, rows), default=0),
        "lines": len(rows),
        "line_chars": sum(map(len, rows)),
        "repeated_lines": sum(again),
        "repeated_line_chars": sum(len(row) for row, twice in zip(rows, again, strict=True) if twice),
        "paragraphs": len(parts),
        "repeated_paragraphs": sum(parts_again),
        "paragraph_chars": sum(part_chars),
        "repeated_paragraph_chars": sum(n for n, twice in zip(part_chars, parts_again, strict=True) if twice),
        "ended_lines": sum(map(ended, rows)),
        "ellipsis_lines": sum(_units(row)[-3:] == ["."] * 3 or row[-1] == "…" for row in rows),
        "bullet_lines": sum(row[0] in BULLETS for row in rows),
        "short_lines": sum(len(row) < 30 for row in rows),
        "meagre_lines": sum(n_words(row) < 5 for row in rows),
        "noise_words": sum(
            n_words(row) for row, a, b in zip(rows, capitals, numeric, strict=True) if (a or b) and n_words(row) <= 10
        ),
        **{f"top_{n}_gram_chars": top_gram_chars(found, n) for n in (2, 3, 4)},
        **{f"repeated_{n}_gram_chars": repeated_gram_chars(found, n) for n in (5, 6, 7, 8, 9, 10)},
        "gram_chars": _length(found),
    }


class Model:
    """The byte model as its definition: counts in dictionaries, Witten-Bell interpolation of orders 5, 3, 2, 1."""

    def __init__(self, texts: list[bytes]) -> None:
        self.seen: dict[int, dict[bytes, Counter[int]]] = {n: {} for n in (0, 1, 2, 4)}
        for text in texts:
            padded = b"\n\n\n\n" + text
            for at in range(4, len(padded)):
                for n, contexts in self.seen.items():
                    contexts.setdefault(padded[at - n : at], Counter())[padded[at]] += 1

    def probability(self, context: bytes, byte: int, n: int = 4) -> float:
        if n == 0:
            counts = self.seen[0][b""]
            return (counts[byte] + 1) / (sum(counts.values()) + 256)
        lower = self.probability(context, byte, {4: 2, 2: 1, 1: 0}[n])
        found = self.seen[n].get(context[len(context) - n :])
        if found is None:
            return lower
        return (found[byte] + len(found) * lower) / (sum(found.values()) + len(found))

    def bits(self, text: bytes) -> float:
        padded = b"\n\n\n\n" + text
        return -sum(math.log2(self.probability(padded[at - 4 : at], padded[at])) for at in range(4, len(padded)))
