"""Many transcripts of one utterance into one: weighted ROVER, word by word.

The transcripts are aligned into columns of competing words; each column is decided by the weight of the people
behind each word.
Sources: Fiscus, ROVER, ASRU (1997); the weighting is one-coin EM over whole transcripts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.kernel.jit import kernel

W = TypeVar("W")
ROUNDS = 3
LENGTH_SAY = 0.5  # share of the weight that must have written something for a word to be kept
SKILL_SHRINK = 3.0  # transcripts' worth of the pool's error given to each worker
MAX_TOKENS = 2_000


@dataclass(frozen=True, slots=True)
class Transcript:
    """text: the consensus; agreement: weighted share of the votes behind its words, 0..1; columns: word slots."""

    text: str
    agreement: float
    columns: int


def tokenise(text: str) -> list[str]:
    """Words; each Han or kana character is a word of its own; spaces are dropped."""
    words: list[str] = []
    current = ""
    for character in text:
        if character.isspace():
            if current:
                words.append(current)
            current = ""
        elif is_cjk(character):
            if current:
                words.append(current)
            words.append(character)
            current = ""
        else:
            current += character
    if current:
        words.append(current)
    return words


def is_cjk(character: str) -> bool:
    """Whether a character is written without spaces between words: Han, hiragana, katakana and their punctuation."""
    code = ord(character)
    return (
        0x3000 <= code <= 0x30FF
        or 0x3400 <= code <= 0x4DBF
        or 0x4E00 <= code <= 0x9FFF
        or 0xF900 <= code <= 0xFAFF
        or 0xFF00 <= code <= 0xFFEF
        or 0x20000 <= code <= 0x2FA1F
    )


def key_of(word: str) -> str:
    """What two spellings of a word share: NFKC, case folded, and without punctuation at its ends
    ("" for punctuation alone)."""
    folded = unicodedata.normalize("NFKC", word).casefold().replace("’", "'")
    start, stop = 0, len(folded)
    while start < stop and not folded[start].isalnum():
        start += 1
    while stop > start and not folded[stop - 1].isalnum():
        stop -= 1
    return folded[start:stop]


def join_words(words: Sequence[str]) -> str:
    """The text of words: spaces between them, none beside a CJK character."""
    text = ""
    for word in words:
        if text and not (is_cjk(text[-1]) or is_cjk(word[0])):
            text += " "
        text += word
    return text


def rover(
    transcripts: Mapping[str, Sequence[tuple[str, str]]],
    *,
    rounds: int = ROUNDS,
    plain: bool = False,
) -> dict[str, Transcript]:
    """One text for each task.

    transcripts: task -> [(worker, text)]. plain: keys only, without case or the punctuation at a word's ends.
    Words are compared by `key_of`; what is written out is the commonest spelling of the winning word.
    Deterministic; the order of tasks and of transcripts changes nothing. Raises Problem for a text of more than
    2,000 words.
    """
    tasks = sorted(transcripts)
    entries = {task: sorted(transcripts[task]) for task in tasks}
    words: dict[str, list[list[str]]] = {}
    keys: dict[str, list[list[str]]] = {}
    for task in tasks:
        words[task], keys[task] = [], []
        for worker, text in entries[task]:
            split = spoken(text)
            if len(split) > MAX_TOKENS:
                raise invalid(
                    "text-long", f"Task {task}: {worker} wrote {len(split)} words; at most {MAX_TOKENS} are aligned."
                )
            words[task].append(split)
            keys[task].append([key_of(word) for word in split])
    weight: dict[str, float] = {worker: 1.0 for task in tasks for worker, _ in entries[task]}
    consensus: dict[str, Transcript] = {}
    chosen: dict[str, list[str]] = {}
    for _ in range(max(rounds, 1)):
        for task in tasks:
            own = np.array([weight[worker] for worker, _ in entries[task]])
            chosen[task], consensus[task], _ = _merge(words[task], keys[task], own, plain)
        weight = _weights(entries, keys, chosen)
    return consensus


Slot = tuple[int, ...]  # of a place for a word: what was chosen, then what each text has there; -1 is nothing


def consensus(texts: Sequence[str], weights: Sequence[float]) -> tuple[Transcript, list[Slot]]:
    """One text of several, each heard with its weight (> 0), and who stands behind each of its words.

    The cost is the square of the length.
    """
    words = [spoken(text) for text in texts]
    keys = [[key_of(word) for word in own] for own in words]
    _, found, slots = _merge(words, keys, np.asarray(weights, dtype=np.float64), False)
    return found, slots


def spoken(text: str) -> list[str]:
    """The words of a text as they are written; punctuation that stands by itself goes with the word before it (at the
    beginning of a text: after it)."""
    words: list[str] = []
    before = ""
    for token in tokenise(text):
        if key_of(token):
            words.append(join_words([before, token]) if before else token)
            before = ""
        elif words:
            words[-1] = join_words([words[-1], token])
        else:
            before = join_words([before, token]) if before else token
    return words


def keys_of(text: str) -> list[str]:
    """The words of a text as they are compared."""
    return [key for word in tokenise(text) if (key := key_of(word))]


def word_errors(hypothesis: Sequence[str], reference: Sequence[str]) -> int:
    """The least number of words to change, add or drop."""
    codes: dict[str, int] = {}
    a = np.array([codes.setdefault(word, len(codes)) for word in hypothesis], dtype=np.int64)
    b = np.array([codes.setdefault(word, len(codes)) for word in reference], dtype=np.int64)
    return int(_edit_distance(a, b))


def _weights(
    entries: Mapping[str, Sequence[tuple[str, str]]],
    keys: Mapping[str, list[list[str]]],
    chosen: Mapping[str, list[str]],
) -> dict[str, float]:
    wrong: dict[str, float] = {}
    said: dict[str, int] = {}
    for task, rows in entries.items():
        for (worker, _), own in zip(rows, keys[task], strict=True):
            length = max(len(own), len(chosen[task]), 1)
            # an error rate of a transcript, so that a long text does not outweigh ten short ones
            wrong[worker] = wrong.get(worker, 0.0) + min(word_errors(own, chosen[task]) / length, 1.0)
            said[worker] = said.get(worker, 0) + 1
    return weights_of(wrong, said)


def weights_of(wrong: Mapping[W, float], said: Mapping[W, int]) -> dict[W, float]:
    """Each worker's log-odds of a word being right, shrunk to the pool's, scaled to a mean of 1.

    wrong: the sum of the error rates of each worker's transcripts; said: how many those are.
    """
    pool = sum(wrong.values()) / max(sum(said.values()), 1)
    out: dict[W, float] = {}
    for worker, count in said.items():
        error = (wrong[worker] + SKILL_SHRINK * pool) / (count + SKILL_SHRINK)
        error = min(max(error, 0.01), 0.9)
        out[worker] = max(float(np.log((1.0 - error) / error)) + 2.2, 0.05)
    mean = sum(out.values()) / max(len(out), 1)
    return {worker: value / mean for worker, value in out.items()}


def _merge(
    words: list[list[str]],
    keys: list[list[str]],
    weight: NDArray[np.float64],
    plain: bool,
) -> tuple[list[str], Transcript, list[Slot]]:
    if not keys:
        return [], Transcript("", 0.0, 0), []
    vocabulary = sorted({key for row in keys for key in row})
    code = {key: number for number, key in enumerate(vocabulary)}
    coded = [np.array([code[key] for key in row], dtype=np.int64) for row in keys]
    near = _similarity(vocabulary)
    order = _closest_first(coded, weight)
    columns = _align([coded[i] for i in order], weight[order], near, len(vocabulary))  # (rows, columns), -1 = nothing
    ordered_weight = weight[order]
    total = float(ordered_weight.sum())
    picked: list[int] = []
    behind: list[float] = []
    slots: list[int] = []
    told: list[Slot] = []
    back = np.argsort(order)
    for slot in range(columns.shape[1]):
        votes = np.zeros(len(vocabulary) + 1)
        np.add.at(votes, columns[:, slot], ordered_weight)  # index -1 is the last: nothing
        written = float(votes[:-1].sum())
        best = int(np.argmax(votes[:-1])) if written >= LENGTH_SAY * total else -1
        told.append((best, *columns[back, slot].tolist()))
        if best < 0:
            continue
        picked.append(best)
        behind.append(float(votes[best]) / total)
        slots.append(slot)
    text = [vocabulary[best] for best in picked]
    if plain:
        return text, Transcript(join_words(text), _mean(behind), len(slots)), told
    spelled = [
        _spelling(words, columns, order, slot, best, ordered_weight) for slot, best in zip(slots, picked, strict=True)
    ]
    return text, Transcript(join_words(spelled), _mean(behind), len(slots)), told


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def _spelling(
    words: list[list[str]],
    columns: NDArray[np.int64],
    order: NDArray[np.int64],
    slot: int,
    best: int,
    weight: NDArray[np.float64],
) -> str:
    """The heaviest of the spellings behind the winning key."""
    votes: dict[str, float] = {}
    for row, original in enumerate(order):
        if columns[row, slot] == best:
            position = int((columns[row, :slot] >= 0).sum())
            word = words[original][position]
            votes[word] = votes.get(word, 0.0) + float(weight[row])
    return max(sorted(votes), key=lambda word: votes[word])


def _similarity(vocabulary: list[str]) -> NDArray[np.float64]:
    """(V, V) 1 for equal words, up to 0.5 for words sharing most of their letter pairs."""
    pairs = [{word[i : i + 2] for i in range(len(word) - 1)} or {word} for word in (f"^{w}$" for w in vocabulary)]
    out = np.eye(len(vocabulary))
    for i, first in enumerate(pairs):
        for j in range(i):
            both = len(first & pairs[j])
            if both:
                out[i, j] = out[j, i] = 0.5 * 2.0 * both / (len(first) + len(pairs[j]))
    return out


def _closest_first(coded: list[NDArray[np.int64]], weight: NDArray[np.float64]) -> NDArray[np.int64]:
    """The transcripts, the one nearest to all others first: it is the backbone of the columns."""
    count = len(coded)
    far = np.zeros((count, count))
    for i in range(count):
        for j in range(i):
            longest = max(len(coded[i]), len(coded[j]), 1)
            far[i, j] = far[j, i] = _edit_distance(coded[i], coded[j]) / longest
    centre = int(np.argmin(far @ weight - 0.02 * weight))
    return np.asarray(np.lexsort((np.arange(count), -weight, far[centre])), dtype=np.int64)


def _align(
    rows: list[NDArray[np.int64]], weight: NDArray[np.float64], near: NDArray[np.float64], size: int
) -> NDArray[np.int64]:
    """(rows, columns) word codes, -1 where a row has nothing: each row is aligned to the columns so far."""
    columns = rows[0][None, :].copy()
    for number in range(1, len(rows)):
        share = np.zeros((columns.shape[1], size + 1))
        for row in range(number):
            share[np.arange(columns.shape[1]), columns[row]] += weight[row]
        share /= weight[:number].sum()
        fit = share[:, :-1] @ near  # (columns, V): how well a word fits a column
        path = _path(fit[:, rows[number]], share[:, -1])
        wide = np.full((number + 1, len(path)), -1, np.int64)
        for slot, (column, word) in enumerate(path):
            if column >= 0:
                wide[:number, slot] = columns[:, column]
            if word >= 0:
                wide[number, slot] = rows[number][word]
        columns = wide
    return columns


@kernel
def _path(fit: NDArray[np.float64], empty: NDArray[np.float64]) -> NDArray[np.int64]:
    """The cheapest alignment of a row to columns: (length, 2) of (column or -1, word or -1).

    A word in a column costs 1 - fit, leaving a column empty costs 1 - its share of nothing, a new column costs 0.9.
    """
    n, m = fit.shape
    cost = np.zeros((n + 1, m + 1))
    move = np.zeros((n + 1, m + 1), np.int8)
    for i in range(1, n + 1):
        cost[i, 0] = cost[i - 1, 0] + 1.0 - empty[i - 1]
        move[i, 0] = 1
    for j in range(1, m + 1):
        cost[0, j] = cost[0, j - 1] + 0.9
        move[0, j] = 2
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            match = cost[i - 1, j - 1] + 1.0 - fit[i - 1, j - 1]
            skip = cost[i - 1, j] + 1.0 - empty[i - 1]
            insert = cost[i, j - 1] + 0.9
            if match <= skip and match <= insert:
                cost[i, j] = match
            elif skip <= insert:
                cost[i, j] = skip
                move[i, j] = 1
            else:
                cost[i, j] = insert
                move[i, j] = 2
    out = np.empty((n + m, 2), np.int64)
    length = 0
    i, j = n, m
    while i > 0 or j > 0:
        if move[i, j] == 0:
            i -= 1
            j -= 1
            out[length, 0] = i
            out[length, 1] = j
        elif move[i, j] == 1:
            i -= 1
            out[length, 0] = i
            out[length, 1] = -1
        else:
            j -= 1
            out[length, 0] = -1
            out[length, 1] = j
        length += 1
    return out[:length][::-1].copy()


@kernel
def _edit_distance(a: NDArray[np.int64], b: NDArray[np.int64]) -> int:
    before = np.arange(len(b) + 1)
    now = np.empty(len(b) + 1, np.int64)
    for i in range(1, len(a) + 1):
        now[0] = i
        for j in range(1, len(b) + 1):
            now[j] = min(before[j] + 1, now[j - 1] + 1, before[j - 1] + (a[i - 1] != b[j - 1]))
        before[:] = now
    return int(before[len(b)])
