"""The first stage of a profile: one walk over the bytes of each document, to words, lines and counts.

UTF-8 is decoded as Python's `bytes.decode("utf-8", "replace")` does (the longest ill-formed part is one U+FFFD), so no
input is refused. A word is a run of letters, marks and digits; a character of a script without blanks is a word of its
own (a *single*). A line ends with "\\n" and is looked at without the blanks around it; empty lines part paragraphs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cupola.corpus import characters as c
from cupola.corpus.hashing import U64, WORD_SEED, WORD_STEP, mixed
from cupola.kernel.jit import kernel

COUNTS = (
    "bytes", "chars", "words", "singles", "word_chars", "alpha_words", "letters", "uppers", "digits", "spaces",
    "punctuation", "controls", "invalid", "hashes", "ellipses", "curly", "sentences", "at_signs", "digit_runs",
    "long_runs", "longest_line_chars",
)  # fmt: skip
(BYTES, CHARS, WORDS, SINGLES, WORD_CHARS, ALPHA_WORDS, LETTERS, UPPERS, DIGITS, SPACES, PUNCTUATION, CONTROLS, INVALID,
 HASHES, ELLIPSES, CURLY, SENTENCES, AT_SIGNS, DIGIT_RUNS, LONG_RUNS, LONGEST_LINE) = range(len(COUNTS))  # fmt: skip

# Flags of a line.
PARAGRAPH, ENDED, ELLIPSIS, BULLETED, UPPERED, NUMERIC = (1 << n for n in range(6))
LEAST_DIGITS, LEAST_RUN = 7, 16  # of a run that may be a number or a key of somebody's
_KEY_MARKS = np.zeros(128, np.bool_)
_KEY_MARKS[[ord(x) for x in "_-+/=."]] = True
_LATIN = c.SCRIPTS.index("latin")
_HASH_A, _HASH_B = np.uint64(0x9FB21C651E98DF25), np.uint64(0xC2B2AE3D27D4EB4F)
_HASH_C, _HASH_D = np.uint64(0x165667B19E3779F9), np.uint64(0x27D4EB2F165667C5)
_29, _31 = np.uint64(29), np.uint64(31)
_BLANK = np.uint64(32)
I64 = npt.NDArray[np.int64]


@kernel
def decoded(data: npt.NDArray[np.uint8], pos: int, end: int) -> tuple[int, int]:
    """The code point at `pos` (-1: ill-formed) and where the next one starts, for a first byte of 0x80 or more."""
    first = int(data[pos])
    low, high, more, point = 0x80, 0xBF, 0, 0
    if 0xC2 <= first < 0xE0:
        more, point = 1, first & 0x1F
    elif 0xE0 <= first < 0xF0:
        more, point = 2, first & 0x0F
        if first == 0xE0:
            low = 0xA0
        elif first == 0xED:
            high = 0x9F
    elif 0xF0 <= first < 0xF5:
        more, point = 3, first & 0x07
        if first == 0xF0:
            low = 0x90
        elif first == 0xF4:
            high = 0x8F
    else:
        return -1, pos + 1
    pos += 1
    for _ in range(more):
        if pos >= end or data[pos] < low or data[pos] > high:
            return -1, pos
        point = (point << 6) | (int(data[pos]) & 0x3F)
        low, high = 0x80, 0xBF
        pos += 1
    return point, pos


@kernel
def absorbed(h1: np.uint64, h2: np.uint64, unit: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Both halves of a document's hash after one more unit."""
    h1 = (h1 ^ (unit * _HASH_A)) * _HASH_B
    h2 = (h2 + unit * _HASH_B) * _HASH_A
    return h1 ^ (h1 >> _29), h2 ^ (h2 >> _31)


@kernel
def scan(
    data: npt.NDArray[np.uint8],
    offsets: I64,
    kinds: npt.NDArray[np.uint16],
    scripts: npt.NDArray[np.uint8],
    folds: npt.NDArray[np.uint32],
    counts: I64,
    script_counts: I64,
    hashes: U64,
    words: U64,
    word_chars: npt.NDArray[np.int32],
    word_ends: I64,
    lines: U64,
    line_chars: npt.NDArray[np.int32],
    line_words: npt.NDArray[np.int32],
    line_flags: npt.NDArray[np.uint8],
    line_ends: I64,
) -> None:
    """Documents are data[offsets[d] : offsets[d + 1]]. Fills, for each document d: counts[d], script_counts[d],
    hashes[d] (two halves), and the words and lines up to word_ends[d], line_ends[d]; a single has word_chars -1. What
    no longer fits into `words` or `lines` is counted and not kept."""
    n_words, n_lines = 0, 0
    for d in range(len(offsets) - 1):
        pos, end = offsets[d], offsets[d + 1]
        count = counts[d]
        count[BYTES] = end - pos
        h1, h2, blank, begun = _HASH_C, _HASH_D, False, False
        word, chars, letters = WORD_SEED, 0, 0
        line, line_len, line_gap, line_n, line_letters, line_uppers, line_digits = _HASH_C, 0, 0, 0, 0, 0, 0
        line_first, line_last, line_before, dots, dotted = 0, 0, 0, 0, False
        paragraph = True
        run_digits, run_marks, run_gap, run_colons, run_key, run_key_digit, hyphens = 0, 0, 0, 0, 0, False, 0
        while pos <= end:
            # the way of most bytes: a run of ASCII letters and digits inside a word
            start, uppers, digits = pos, 0, 0
            while pos < end and data[pos] < 128 and kinds[data[pos]] & c.WORD:
                kind = int(kinds[data[pos]])
                word = (word ^ np.uint64(folds[data[pos]])) * WORD_STEP
                uppers += (kind // c.UPPER) & 1
                digits += (kind // c.DIGIT) & 1
                pos += 1
            if pos > start:
                n = pos - start
                chars += n
                letters += n - digits
                count[CHARS] += n
                count[DIGITS] += digits
                count[UPPERS] += uppers
                script_counts[d, _LATIN] += n - digits
                line_letters += n - digits
                line_uppers += uppers
                line_digits += digits
                run_key += n
                if digits:
                    run_digits += digits
                    run_gap = 0
                    run_key_digit = True
                else:
                    run_gap += n
                continue

            last = pos == end
            if last:
                point, pos = 10, pos + 1
            elif data[pos] < 128:
                point, pos = int(data[pos]), pos + 1
            else:
                point, pos = decoded(data, pos, end)
                if point < 0:
                    count[INVALID] += 1
                    point = 0xFFFD
            if point < c.TABLE:
                kind, script, folded = int(kinds[point]), int(scripts[point]), np.uint64(folds[point])
            elif point < c.PLANES_OF_IDEOGRAPHS:
                kind, script, folded = c.WORD | c.LETTER | c.SINGLE, c.HAN, np.uint64(point)
            else:
                kind, script, folded = c.CONTROL, 0, np.uint64(point)
            count[CHARS] += not last

            if kind & c.WORD and not kind & c.SINGLE:
                word = (word ^ folded) * WORD_STEP
                chars += 1
                if kind & c.LETTER:
                    letters += 1
                    line_letters += 1
                    script_counts[d, script] += 1
                    if kind & c.UPPER:
                        count[UPPERS] += 1
                        line_uppers += 1
                elif kind & c.DIGIT:
                    count[DIGITS] += 1
                    line_digits += 1
                run_gap, run_key, run_key_digit = run_gap + 1, 0, False
                continue

            # a word has ended: the units of a text are its words, its marks, and that there was a blank
            if chars:
                word = mixed(word)
                count[WORDS] += 1
                count[WORD_CHARS] += chars
                count[ALPHA_WORDS] += letters > 0
                count[LETTERS] += letters
                if n_words < len(words):
                    words[n_words], word_chars[n_words] = word, chars
                    n_words += 1
                if blank and begun:
                    h1, h2 = absorbed(h1, h2, _BLANK)
                h1, h2 = absorbed(h1, h2, word)
                blank, begun = False, True
                if line_len == 0:
                    line_first, line_gap = c.WORD, 0
                elif line_gap:
                    line = (line ^ _BLANK) * _HASH_B
                line = (line ^ word) * _HASH_B
                line ^= line >> _29
                line_len, line_gap, line_n = line_len + line_gap + chars, 0, line_n + 1
                line_before, line_last, dots, dotted = line_last, c.WORD, 0, False
                word, chars, letters = WORD_SEED, 0, 0

            # runs that may be somebody's number, address or key
            run_gap += 1
            if point == 46 or point == 58:
                run_marks += 1
                run_colons += point == 58
            if run_digits and (run_gap > 5 or last):
                count[DIGIT_RUNS] += run_digits >= LEAST_DIGITS or run_marks >= 3
                run_digits, run_marks = 0, 0
            if kind & c.SPACE:
                count[DIGIT_RUNS] += run_colons >= 2  # an address of version 6, or "std::"
                run_colons, run_marks = 0, 0 if not run_digits else run_marks
            if point < 128 and _KEY_MARKS[point]:
                run_key += 1
                hyphens = hyphens + 1 if point == 45 else 0
                count[LONG_RUNS] += hyphens == 5  # "-----BEGIN"
            else:
                count[LONG_RUNS] += run_key >= LEAST_RUN and run_key_digit
                run_key, run_key_digit, hyphens = 0, False, 0

            if kind & c.SPACE:
                blank = True
                if point != 10:
                    count[SPACES] += 1
                    line_gap += 1
                    continue
                count[SPACES] += not last
            else:
                if kind & c.SINGLE:
                    count[SINGLES] += 1
                    count[LETTERS] += kind & c.LETTER != 0
                    line_letters += 1
                    line_n += 1
                    script_counts[d, script] += kind & c.LETTER != 0
                    if n_words < len(words):
                        words[n_words], word_chars[n_words] = mixed((WORD_SEED ^ folded) * WORD_STEP), -1
                        n_words += 1
                elif kind & c.PUNCTUATION:
                    count[PUNCTUATION] += 1
                    if point == 35:
                        count[HASHES] += 1
                    elif point == 64:
                        count[AT_SIGNS] += 1
                    elif point == 123 or point == 125:
                        count[CURLY] += 1
                elif kind & c.CONTROL:
                    count[CONTROLS] += 1
                if blank and begun:
                    h1, h2 = absorbed(h1, h2, _BLANK)
                h1, h2 = absorbed(h1, h2, folded)
                blank, begun = False, True
                if line_len == 0:
                    line_first, line_gap = kind, 0
                elif line_gap:
                    line = (line ^ _BLANK) * _HASH_B
                line = (line ^ folded) * _HASH_B
                line ^= line >> _29
                line_len, line_gap = line_len + line_gap + 1, 0
                dots = dots + 1 if point == 46 else 0
                dotted = point == 0x2026
                count[ELLIPSES] += dots == 3 or dotted
                line_before, line_last = line_last, kind
                count[SENTENCES] += kind & c.TERMINAL != 0 and line_before & c.TERMINAL == 0
                continue

            # a line has ended
            if line_len:
                ended = line_last & c.TERMINAL or (line_last & c.CLOSING and line_before & c.TERMINAL)
                flags = PARAGRAPH if paragraph else 0
                flags |= ENDED if ended else 0
                flags |= ELLIPSIS if dots >= 3 or dotted else 0
                flags |= BULLETED if line_first & c.BULLET else 0
                flags |= UPPERED if line_letters and 2 * line_uppers > line_letters else 0
                flags |= NUMERIC if line_digits and not line_letters else 0
                if n_lines < len(lines):
                    lines[n_lines], line_chars[n_lines], line_words[n_lines] = mixed(line), line_len, line_n
                    line_flags[n_lines] = flags
                    n_lines += 1
                count[LONGEST_LINE] = max(count[LONGEST_LINE], line_len)
            paragraph = line_len == 0
            line, line_len, line_gap, line_n, line_letters, line_uppers, line_digits = _HASH_C, 0, 0, 0, 0, 0, 0
            line_first, line_last, line_before, dots, dotted = 0, 0, 0, 0, False
        hashes[d, 0], hashes[d, 1] = mixed(h1), mixed(h2)
        word_ends[d], line_ends[d] = n_words, n_lines
