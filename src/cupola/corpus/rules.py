"""Rules over profiles: which documents go, each with the rule, its version, the score and the threshold.

Rules are data (YAML); the presets beside this file are named after the public recipes they follow, and say what of
those they leave out. A rule's version holds a digest of what it says: an altered threshold is another version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from cupola.corpus import repetition
from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")

PRESETS = ("gopher", "c4", "fineweb", "refinedweb", "code", "chinese", "garbage")
F64 = npt.NDArray[np.float64]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80, pattern=r"^[a-z0-9][a-z0-9-]*$")]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document goes when `signal` is below `least` or above `most`. for: `spaced`, only documents of which most is in
    scripts with blanks between words; `unspaced`, only the others. from_lines: only documents of at least so many lines
    are asked; a share of one line says nothing."""

    rule: Name
    signal: str
    least: float | None = None
    most: float | None = None
    applies: Literal["all", "spaced", "unspaced"] = msgspec.field(default="all", name="for")
    from_lines: int = 0


class RuleSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """source: where the rules come from; left_out: what of it they do not do; extends: a preset that comes first."""

    name: Name
    version: str
    rules: tuple[Rule, ...]
    source: str = ""
    left_out: str = ""
    extends: str | None = None

    @property
    def stamp(self) -> str:
        """name@version+digest of all rules."""
        digest = hashlib.sha256(msgspec.json.encode(self.rules)).hexdigest()[:8]
        return f"{self.name}@{self.version}+{digest}"


def load(
    name: str | Path, presets: tuple[str, ...] = PRESETS, signals: Iterable[str] | None = None, home: str = "presets"
) -> RuleSet:
    """A preset by its name, or a file of rules. presets, signals: that there are, where it is not about texts; home:
    the presets' folder. Raises Problem (INVALID) that names the place in the file."""
    known = frozenset(SIGNALS if signals is None else signals)
    if str(name) in presets:
        text = resources.files("cupola.corpus").joinpath(f"{home}/{name}.yaml").read_bytes()
    else:
        try:
            text = Path(name).read_bytes()
        except OSError as error:
            raise invalid("rules-unreadable", f"There is no preset {name}, nor such a file: {error}.", place=str(name),
                          remedy=f"The presets are {', '.join(presets)}.") from error  # fmt: skip
    try:
        found: RuleSet = msgspec.yaml.decode(text, type=RuleSet)
    except msgspec.DecodeError as error:
        raise invalid("rules-malformed", f"{name}: {error}.", place=str(name)) from error
    if found.extends is not None:
        if found.extends not in presets:
            raise invalid("rules-malformed", f"{name} extends {found.extends}, which is no preset.", place=str(name),
                          remedy=f"The presets are {', '.join(presets)}.")  # fmt: skip
        found = msgspec.structs.replace(
            found, rules=(*load(found.extends, presets, known, home).rules, *found.rules), extends=None
        )
    names = set()
    for rule in found.rules:
        if rule.signal not in known:
            raise invalid("signal-unknown", f"{name}: rule {rule.rule} asks for the signal {rule.signal}.",
                          place=rule.rule, remedy=f"Signals are {', '.join(sorted(known))}.")  # fmt: skip
        if rule.least is None and rule.most is None:
            raise invalid("rule-without-a-bound", f"{name}: rule {rule.rule} has no bound.", place=rule.rule,
                          remedy="Give `least`, `most`, or both.")  # fmt: skip
        if rule.rule in names:
            raise invalid("rule-twice", f"{name}: two rules are called {rule.rule}.", place=rule.rule)
        names.add(rule.rule)
    return found


class Signals:
    """The columns of a profile as float64, and what is computed from them; NaN where a signal says nothing."""

    def __init__(self, profile: Any) -> None:
        self._profile = profile
        self._made: dict[str, F64] = {}

    def __len__(self) -> int:
        return len(self._profile)

    def column(self, name: str) -> F64:
        """A column of the profile as it stands; NaN for a mark that nobody asked for (`marks`)."""
        if name not in self._made and name in MARKS and self._profile.type.get_field_index(name) < 0:
            self._made[name] = np.full(len(self), np.nan)
        if name not in self._made:
            values = self._profile.field(name)
            self._made[name] = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return self._made[name]

    def share(self, part: str, whole: str) -> F64:
        """part / whole, NaN where there is nothing of the whole."""
        below = self.column(whole)
        found: F64 = np.divide(self.column(part), below, out=np.full(len(below), np.nan), where=below > 0)
        return found

    def of(self, name: str) -> F64:
        """A signal that a rule may ask for."""
        return SIGNALS[name](self)


def _plain(name: str) -> Callable[[Signals], F64]:
    return lambda signals: signals.column(name)


def _share(part: str, whole: str) -> Callable[[Signals], F64]:
    return lambda signals: signals.share(part, whole)


def _stop_words(signals: Signals) -> F64:
    names = [field.name for field in signals._profile.type if field.name.startswith("list_stop_")]
    different: F64 = sum(((signals.column(name) > 0).astype(np.float64) for name in names), np.zeros(len(signals)))
    return different


# What a look at the text itself tells, of documents whose profile makes it likely; made by `marks` where a rule asks.
MARKS = ("markup_share", "blob_share", "generated", "secrets")

SIGNALS: dict[str, Callable[[Signals], F64]] = {
    **{name: _plain(name) for name in MARKS},
    "garbled_share": _share("list_garbled", "singles"),
    **{name: _plain(name) for name in ("bytes", "chars", "words", "singles", "sentences", "curly", "lines", "invalid",
                                       "longest_line_chars", "model_bits", "pollution", "leak_runs")},
    "mean_word_chars": _share("word_chars", "words"),
    "mean_line_chars": _share("line_chars", "lines"),
    "hashes_a_word": _share("hashes", "words"),
    "ellipses_a_word": _share("ellipses", "words"),
    "alpha_word_share": _share("alpha_words", "words"),
    "stop_words": _stop_words,
    "upper_share": _share("uppers", "letters"),
    "digit_share": _share("digits", "chars"),
    "letter_share": _share("letters", "chars"),
    "punctuation_share": _share("punctuation", "chars"),
    "control_share": _share("controls", "chars"),
    "han_share": _share("script_han", "letters"),
    "latin_share": _share("script_latin", "letters"),
    "lorem_ipsum": lambda signals: np.minimum(signals.column("list_lorem"), signals.column("list_ipsum")),
    "ended_line_share": _share("ended_lines", "lines"),
    "ellipsis_line_share": _share("ellipsis_lines", "lines"),
    "bullet_line_share": _share("bullet_lines", "lines"),
    "short_line_share": _share("short_lines", "lines"),
    "meagre_line_share": _share("meagre_lines", "lines"),
    "noise_word_share": lambda signals: np.divide(
        signals.column("noise_words"), signals.column("words") + signals.column("singles"),
        out=np.zeros(len(signals)), where=signals.column("words") + signals.column("singles") > 0),
    "repeated_line_share": _share("repeated_lines", "lines"),
    "repeated_line_char_share": _share("repeated_line_chars", "line_chars"),
    "repeated_paragraph_share": _share("repeated_paragraphs", "paragraphs"),
    "repeated_paragraph_char_share": _share("repeated_paragraph_chars", "paragraph_chars"),
    **{f"top_{n}_gram_share": _share(f"top_{n}_gram_chars", "gram_chars") for n in repetition.TOP},
    **{f"repeated_{n}_gram_share": _share(f"repeated_{n}_gram_chars", "gram_chars") for n in repetition.REPEATED},
}  # fmt: skip


def marks_of(sets: Iterable[RuleSet]) -> tuple[str, ...]:
    """The marks that rules ask for."""
    asked = {rule.signal for one in sets for rule in one.rules}
    return tuple(name for name in MARKS if name in asked)


def drops(profile: Any, sets: Iterable[RuleSet]) -> Any:
    """Every rule that a document breaks, as an Arrow table: row int64, rule string ("gopher/top-2-gram"), version
    string, signal string, score float64, threshold float64; by row, then in the order of the rules.

    A signal that says nothing of a document (no line: no share of lines) breaks no rule; null documents break none.
    """
    signals = Signals(profile)
    spaced = signals.column("words") >= signals.column("singles")
    rows: list[npt.NDArray[np.int64]] = []
    told: list[tuple[str, str, str, float]] = []
    scores: list[F64] = []
    order: list[npt.NDArray[np.int64]] = []
    for one in sets:
        for rule in one.rules:
            value = signals.of(rule.signal)
            lines = signals.column("lines") >= rule.from_lines
            asked = (
                lines & {"all": np.ones(len(signals), np.bool_), "spaced": spaced, "unspaced": ~spaced}[rule.applies]
            )
            for bound, broken in ((rule.least, np.less), (rule.most, np.greater)):
                if bound is None:
                    continue
                found = np.flatnonzero(broken(value, bound) & asked)
                rows.append(found)
                scores.append(value[found])
                order.append(np.full(len(found), len(told), np.int64))
                told.append((f"{one.name}/{rule.rule}", one.stamp, rule.signal, bound))
    row = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    which = np.concatenate(order) if order else np.zeros(0, np.int64)
    sorting = np.lexsort((which, row))
    which = which[sorting]
    names, versions, asked_for, bounds = (list(column) for column in zip(*told, strict=True)) if told else ([],) * 4
    take = pa.array(which)
    return pa.table({
        "row": pa.array(row[sorting]),
        "rule": pa.array(names, pa.string()).take(take),
        "version": pa.array(versions, pa.string()).take(take),
        "signal": pa.array(asked_for, pa.string()).take(take),
        "score": pa.array((np.concatenate(scores) if scores else np.zeros(0))[sorting]),
        "threshold": pa.array(bounds, pa.float64()).take(take),
    })  # fmt: skip
