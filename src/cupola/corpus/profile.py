"""Every signal of a batch of documents in one pass over its Arrow buffer.

The pass goes through the batch by pieces that fit a core's cache: each is decoded once (`scan`), and what the later
stages need, the hashes of its words and lines, is still warm when they come. Nothing is copied to Python objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cupola.corpus import bytemodel, linear, lookup, repetition, scan
from cupola.corpus.bytemodel import ByteModel
from cupola.corpus.characters import SCRIPTS, VERSION, folded_scripts, tables
from cupola.corpus.hashing import U64
from cupola.corpus.shingles import BANDS, keys_of
from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")

PROFILE_VERSION = f"2 (Unicode {VERSION})"
PIECE_BYTES = 1 << 18
MOST_WORDS, MOST_LINES = 1 << 22, 1 << 20  # of one document; the rest is counted, and not looked at for repetition
I64 = npt.NDArray[np.int64]
_GRAMS = len(repetition.GRAM_COUNTS)


@dataclass(frozen=True)
class Benchmark:
    """What must not be in the corpus: an open table of its runs of `size` words (see `benchmark`)."""

    size: int
    keys: U64
    items: U64


@dataclass(frozen=True)
class Words:
    """The words of some documents: hashes uint64[n], chars int32[n] (-1: a single), ends int64[documents]."""

    hashes: U64
    chars: npt.NDArray[np.int32]
    ends: I64


def buffers(batch: Any) -> tuple[npt.NDArray[np.uint8], I64]:
    """The bytes of a string or binary Arrow array, and where its documents begin and end: int64[n + 1].

    Raises Problem (INVALID) for an array of another type.
    """
    if isinstance(batch, pa.ChunkedArray):
        batch = batch.combine_chunks()
    narrow = pa.types.is_string(batch.type) or pa.types.is_binary(batch.type)
    if not (narrow or pa.types.is_large_string(batch.type) or pa.types.is_large_binary(batch.type)):
        raise invalid("not-text", f"A column of {batch.type} holds no text.", place="text",
                      remedy="Give a column of strings.")  # fmt: skip
    _, places, bytes_ = batch.buffers()
    if len(batch) == 0:
        return np.frombuffer(b"", np.uint8), np.zeros(1, np.int64)
    kind = np.int32 if narrow else np.int64
    offsets = np.frombuffer(places, kind, len(batch) + 1, batch.offset * np.dtype(kind).itemsize).astype(np.int64)
    return np.frombuffer(bytes_ if bytes_ is not None else b"", np.uint8), offsets


def _pieces(offsets: I64) -> list[tuple[int, int]]:
    """Runs of documents of about `PIECE_BYTES`, each of at least one document."""
    pieces, start = [], 0
    while start < len(offsets) - 1:
        end = int(np.searchsorted(offsets, offsets[start] + PIECE_BYTES, side="right")) - 1
        end = min(max(end, start + 1), start + PIECE_BYTES // 16, len(offsets) - 1)
        pieces.append((start, end))
        start = end
    return pieces


class _Scratch:
    """What the stages leave to each other, as large as the largest piece."""

    def __init__(self, most_bytes: int) -> None:
        n_words, n_lines = min(most_bytes + 1, MOST_WORDS), min(most_bytes // 2 + 2, MOST_LINES)
        self.words, self.chars = np.empty(n_words, np.uint64), np.empty(n_words, np.int32)
        self.lines, self.line_flags = np.empty(n_lines, np.uint64), np.empty(n_lines, np.uint8)
        self.line_chars, self.line_words = np.empty(n_lines, np.int32), np.empty(n_lines, np.int32)
        size = 16
        while size < 2 * max(n_words, n_lines):
            size *= 2
        self.table, self.stamps, self.seen = (
            np.empty(size, np.uint64),
            np.zeros(size, np.int32),
            np.empty(size, np.int32),
        )
        self.places, self.runs = np.empty(n_words, np.int32), np.empty(n_words, np.uint64)


@dataclass(frozen=True)
class LinesOf:
    """The lines of some documents that are not empty: hashes uint64[n], chars int32[n], ends int64[documents]."""

    hashes: U64
    chars: npt.NDArray[np.int32]
    ends: I64


def lines_of(batch: Any) -> LinesOf:
    """The lines of each document, as the profile sees them."""
    data, offsets = buffers(batch)
    ends, hashes, chars, before = np.zeros(len(offsets) - 1, np.int64), [], [], 0
    pieces = _pieces(offsets)
    scratch = _scratch_for(offsets, pieces)
    for start, end in pieces:
        size = end - start
        _scan(data, offsets[start : end + 1], scratch, np.zeros((size, len(scan.COUNTS)), np.int64),
              np.zeros((size, len(SCRIPTS)), np.int64), np.zeros((size, 2), np.uint64), np.zeros(size, np.int64),
              ends[start:end])  # fmt: skip
        found = int(ends[end - 1])
        hashes.append(scratch.lines[:found].copy())
        chars.append(scratch.line_chars[:found].copy())
        ends[start:end] += before
        before += found
    if not pieces:
        return LinesOf(np.zeros(0, np.uint64), np.zeros(0, np.int32), ends)
    return LinesOf(np.concatenate(hashes), np.concatenate(chars), ends)


def words_of(batch: Any, *, han: bool = False) -> Words:
    """The words of each document, as the profile sees them."""
    data, offsets = buffers(batch)
    n = len(offsets) - 1
    pieces = _pieces(offsets)
    scratch = _scratch_for(offsets, pieces)
    hashes, chars, ends, before = [], [], np.zeros(n, np.int64), 0
    for start, end in pieces:
        size = end - start
        _scan(data, offsets[start : end + 1], scratch, np.zeros((size, len(scan.COUNTS)), np.int64),
              np.zeros((size, len(SCRIPTS)), np.int64), np.zeros((size, 2), np.uint64), ends[start:end],
              np.zeros(size, np.int64), han)  # fmt: skip
        found = int(ends[end - 1])
        hashes.append(scratch.words[:found].copy())
        chars.append(scratch.chars[:found].copy())
        ends[start:end] += before
        before += found
    if not pieces:
        return Words(np.zeros(0, np.uint64), np.zeros(0, np.int32), ends)
    return Words(np.concatenate(hashes), np.concatenate(chars), ends)


def _scratch_for(offsets: I64, pieces: list[tuple[int, int]]) -> _Scratch:
    return _Scratch(max((int(offsets[end] - offsets[start]) for start, end in pieces), default=0))


def _scan(data: Any, offsets: I64, s: _Scratch, counts: I64, scripts: I64, hashes: U64, ends: I64, lines: I64,
          han: bool = False) -> None:  # fmt: skip
    of_characters = folded_scripts() if han else tables()
    scan.scan(data, offsets, *of_characters, counts, scripts, hashes, s.words, s.chars, ends, s.lines, s.line_chars,
              s.line_words, s.line_flags, lines)  # fmt: skip


def profile(
    batch: Any,
    *,
    model: ByteModel | None = None,
    benchmark: Benchmark | None = None,
    learned: linear.Linear | None = None,
    han: bool = False,
) -> Any:
    """The profile of each document of a string or large_string Arrow array, as an Arrow StructArray of its length.

    hash: fixed_size_binary(16), equal for texts that differ in case, width and blanks alone. bands:
    fixed_size_list<uint64, 28>. Counts are int64: see `scan.COUNTS`, `repetition.LINE_COUNTS`,
    `repetition.GRAM_COUNTS`, `script_…` letters of a script, `list_…` words of a list (`words.yaml`).
    model_bits: float64, bits a byte under `model`, null without one and for an empty document. pollution: float64, how
    far the log odds of being bad lie above the bound of `learned`, null without it. leak_runs int64,
    leak_item int64: how many runs of the benchmark's words there are, and the first one's item (-1: none).
    han: traditional Chinese characters count as simplified ones. A null document has a null profile.
    """
    data, offsets = buffers(batch)
    n = len(offsets) - 1
    lists = lookup.word_lists()
    counts, scripts = np.zeros((n, len(scan.COUNTS)), np.int64), np.zeros((n, len(SCRIPTS)), np.int64)
    hashes, bands = np.zeros((n, 2), np.uint64), np.zeros((n, BANDS), np.uint64)
    lines, grams = np.zeros((n, len(repetition.LINE_COUNTS)), np.int64), np.zeros((n, _GRAMS), np.int64)
    listed, leaks, bits = np.zeros((n, len(lists.names)), np.int64), np.zeros((n, 2), np.int64), np.zeros(n, np.int64)
    pieces = _pieces(offsets)
    s = _scratch_for(offsets, pieces)
    for start, end in pieces:
        at = slice(start, end)
        here = offsets[start : end + 1]
        ends, line_ends = np.empty(end - start, np.int64), np.empty(end - start, np.int64)
        _scan(data, here, s, counts[at], scripts[at], hashes[at], ends, line_ends, han)
        bands[at] = keys_of(s.words, s.chars, ends)
        repetition.line_counts(
            s.lines, s.line_chars, s.line_words, s.line_flags, line_ends, s.table, s.stamps, lines[at]
        )
        s.stamps[:] = 0
        repetition.grams(s.words, s.chars, ends, s.table, s.stamps, s.seen, s.places, s.runs, grams[at])
        s.stamps[:] = 0
        lookup.list_counts(s.words, ends, lists.keys, lists.masks, listed[at])
        if benchmark is not None:
            lookup.run_hits(s.words, ends, benchmark.keys, benchmark.items, benchmark.size, leaks[at])
        if model is not None:
            bytemodel.costs(data, here, model.fives, model.fours, model.threes, model.twos, model.pairs, bits[at])
    if benchmark is None:
        leaks[:, 1] = -1
    return _struct(batch, hashes, bands, counts, lines, grams, scripts, (lists.names, listed), leaks,
                   None if model is None else bits,
                   None if learned is None else linear.scored(learned, data, offsets) - learned.bound)  # fmt: skip


def _struct(batch: Any, hashes: U64, bands: U64, counts: I64, lines: I64, grams: I64, scripts: I64,
            lists: tuple[Sequence[str], I64], leaks: I64, bits: I64 | None,
            odds: linear.F64 | None) -> Any:  # fmt: skip
    n = len(counts)
    columns: dict[str, Any] = {
        "hash": pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), n, [None, pa.py_buffer(hashes.tobytes())]),
        "bands": pa.FixedSizeListArray.from_arrays(pa.array(bands.ravel()), BANDS),
    }
    for names, values, prefix in (
        (scan.COUNTS, counts, ""),
        (repetition.LINE_COUNTS, lines, ""),
        (repetition.GRAM_COUNTS, grams, ""),
        (SCRIPTS, scripts, "script_"),
        (lists[0], lists[1], "list_"),
        (("leak_runs", "leak_item"), leaks, ""),
    ):
        columns |= {prefix + name: pa.array(values[:, place]) for place, name in enumerate(names)}
    size = counts[:, scan.BYTES]
    if bits is None:
        columns["model_bits"] = pa.nulls(n, pa.float64())
    else:
        a_byte = bits / (bytemodel.UNIT * np.maximum(size, 1).astype(np.float64))
        columns["model_bits"] = pa.array(a_byte, mask=size == 0)
    columns["pollution"] = pa.nulls(n, pa.float64()) if odds is None else pa.array(odds)
    absent = batch.is_null() if batch.null_count else None
    if absent is not None and isinstance(absent, pa.ChunkedArray):
        absent = absent.combine_chunks()
    return pa.StructArray.from_arrays(list(columns.values()), names=list(columns), mask=absent)
