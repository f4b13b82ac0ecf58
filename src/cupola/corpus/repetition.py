"""How much of a document repeats itself: lines, paragraphs, runs of words.

The measures of the Gopher recipe (J. W. Rae et al., Scaling language models: methods, analysis & insights from training
Gopher, 2021, table A1): the share of characters in the most frequent run of 2, 3 and 4 words, and in runs of 5 to 10
words that stood before, each counted once. Characters are those of words: blanks and marks between them are no text.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cupola.corpus.hashing import U64, signed
from cupola.corpus.scan import BULLETED, ELLIPSIS, ENDED, NUMERIC, PARAGRAPH, UPPERED
from cupola.kernel.jit import kernel

TOP, REPEATED = (2, 3, 4), (5, 6, 7, 8, 9, 10)
GRAM_COUNTS = (*(f"top_{n}_gram_chars" for n in TOP), *(f"repeated_{n}_gram_chars" for n in REPEATED), "gram_chars")
LINE_COUNTS = (
    "lines", "line_chars", "repeated_lines", "repeated_line_chars", "paragraphs", "repeated_paragraphs",
    "paragraph_chars", "repeated_paragraph_chars", "ended_lines", "ellipsis_lines", "bullet_lines", "short_lines",
    "meagre_lines", "noise_words",
)  # fmt: skip
(LINES, LINE_CHARS, REPEATED_LINES, REPEATED_LINE_CHARS, PARAGRAPHS, REPEATED_PARAGRAPHS, PARAGRAPH_CHARS,
 REPEATED_PARAGRAPH_CHARS, ENDED_LINES, ELLIPSIS_LINES, BULLET_LINES, SHORT_LINES, MEAGRE_LINES,
 NOISE_WORDS) = range(len(LINE_COUNTS))  # fmt: skip
SHORT_LINE_CHARS = 30  # FineWeb
MEAGRE_LINE_WORDS = 5  # C4
NOISE_LINE_WORDS = 10  # RefinedWeb: mainly capitals or nothing but numbers, and no longer than that
_GRAM_STEP = np.uint64(0x8EBC6AF09C88C6E3)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_29 = np.uint64(29)
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]


@kernel
def place_of(table: U64, stamps: I32, shift: np.uint64, stamp: int, key: np.uint64) -> tuple[int, bool]:
    """The place of `key` in an open table of 2 ** (64 - shift) whose present entries carry `stamp`, and whether it was
    there; it is now."""
    mask = len(table) - 1
    at = signed((key * _SPREAD) >> shift)
    while stamps[at] == stamp:
        if table[at] == key:
            return at, True
        at = (at + 1) & mask
    stamps[at] = stamp
    table[at] = key
    return at, False


@kernel
def bits_for(entries: int) -> int:
    """How many bits a place in a table for so many entries has: it is at most half full."""
    bits = 4
    while 1 << bits < 2 * entries:
        bits += 1
    return bits


@kernel
def grams(words: U64, chars: I32, ends: I64, table: U64, stamps: I32, seen: I32, places: I32, runs: U64,
          out: I64) -> None:  # fmt: skip
    """out[d]: GRAM_COUNTS of each document. The table's length is a power of two, at least twice the words of the
    longest document; `stamps` are zero at first; places and runs are as long as the words.

    A run of n words can only stand twice where its first n - 1 words do, so each turn looks only at what is left.
    """
    start, stamp = 0, 0
    for d in range(len(ends)):
        end = ends[d]
        bits = bits_for(end - start)
        small, small_stamps, shift = table[: 1 << bits], stamps[: 1 << bits], np.uint64(64 - bits)
        for n in range(start, end):
            out[d, 9] += abs(chars[n])
            runs[n] = words[n]
            places[n] = -1
        most = 2
        for turn in range(3):
            gram = turn + 2
            if most < 2:
                break  # no shorter run stands twice
            stamp += 1
            most, covered = 1, 0
            for n in range(start, end - gram + 1):
                if turn and (places[n] < 0 or seen[places[n]] < 2):
                    places[n] = -1
                    continue
                runs[n] = (runs[n] ^ (runs[n] >> _29) ^ words[n + gram - 1]) * _GRAM_STEP
            for n in range(start, end - gram + 1):
                if turn and places[n] < 0:
                    continue
                at, there = place_of(small, small_stamps, shift, stamp, runs[n])
                places[n] = at
                seen[at] = seen[at] + 1 if there else 1
                if seen[at] >= most and there:
                    length = 0
                    for m in range(n, n + gram):
                        length += abs(chars[m])
                    if seen[at] > most or seen[at] * length > covered:
                        most, covered = seen[at], seen[at] * length
            for n in range(max(start, end - gram + 1), end):
                places[n] = -1
            out[d, turn] = covered
        if most >= 2:
            for n in range(start, end):
                if places[n] >= 0 and seen[places[n]] < 2:
                    places[n] = -1
            for gram in range(5, 11):
                stamp += 1
                again, n = 0, start
                for m in range(start, end - gram + 1):
                    if places[m] >= 0:
                        runs[m] = (runs[m] ^ (runs[m] >> _29) ^ words[m + gram - 1]) * _GRAM_STEP
                while n <= end - gram:
                    there = False
                    if places[n] >= 0:
                        _, there = place_of(small, small_stamps, shift, stamp, runs[n])
                    if there:
                        for m in range(n, n + gram):
                            again += abs(chars[m])
                        n += gram
                    else:
                        n += 1
                out[d, gram - 2] = again
                if again == 0:
                    break
        start = end


@kernel
def line_counts(
    lines: U64, chars: I32, line_words: I32, flags: npt.NDArray[np.uint8], ends: I64, table: U64, stamps: I32, out: I64
) -> None:
    """out[d]: LINE_COUNTS of each document; the table as for `grams`, `stamps` zero at first."""
    start, stamp = 0, 0
    for d in range(len(ends)):
        end = ends[d]
        row = out[d]
        bits = bits_for(end - start)
        small, small_stamps, shift = table[: 1 << bits], stamps[: 1 << bits], np.uint64(64 - bits)
        stamp += 1
        for n in range(start, end):
            flag = flags[n]
            row[LINES] += 1
            row[LINE_CHARS] += chars[n]
            row[ENDED_LINES] += flag & ENDED != 0
            row[ELLIPSIS_LINES] += flag & ELLIPSIS != 0
            row[BULLET_LINES] += flag & BULLETED != 0
            row[SHORT_LINES] += chars[n] < SHORT_LINE_CHARS
            row[MEAGRE_LINES] += line_words[n] < MEAGRE_LINE_WORDS
            if flag & (UPPERED | NUMERIC) and line_words[n] <= NOISE_LINE_WORDS:
                row[NOISE_WORDS] += line_words[n]
            _, there = place_of(small, small_stamps, shift, stamp, lines[n])
            if there:
                row[REPEATED_LINES] += 1
                row[REPEATED_LINE_CHARS] += chars[n]
        stamp += 1
        n = start
        while n < end:
            h, length = np.uint64(0), 0
            first = n
            while n < end and (n == first or not flags[n] & PARAGRAPH):
                h = (h ^ lines[n]) * _GRAM_STEP
                h ^= h >> _29
                length += chars[n]
                n += 1
            row[PARAGRAPHS] += 1
            row[PARAGRAPH_CHARS] += length
            _, there = place_of(small, small_stamps, shift, stamp, h)
            if there:
                row[REPEATED_PARAGRAPHS] += 1
                row[REPEATED_PARAGRAPH_CHARS] += length
        start = end
