"""Votes on pairs of models, from the files that people have.

Read are: model_a, model_b, winner (also left/right, first/second; winner, loser), with a rater, a slice, and what style
needs (the answers' texts, or columns like length_a, length_b); and items that list `answers` with a `model` each and
`votes` on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.preferences import style
from cupola.preferences.davidson import FIRST, SECOND, TIE, Table, table
from cupola.preferences.files import Refused, rows

PAIRS = (("model_a", "model_b"), ("left", "right"), ("first", "second"), ("model_1", "model_2"), ("a", "b"))
WINNERS = ("winner", "vote", "preference", "label", "value", "outcome", "result")
RATERS = ("rater", "judge", "worker", "annotator", "user", "judge_hash", "question_by")
TEXTS = (("response_a", "response_b"), ("answer_a", "answer_b"), ("text_a", "text_b"),
         ("conversation_a", "conversation_b"))  # fmt: skip
_FIRST = {"model_a", "a", "left", "first", "1", "[[a]]", "a>b", "a>>b", "[[a>b]]", "[[a>>b]]", "model_1", "a-is-better",
          "a-is-slightly-better", "a-is-clearly-better", "answer_1", "response_1"}  # fmt: skip
_SECOND = {"model_b", "b", "right", "second", "2", "[[b]]", "b>a", "b>>a", "[[b>a]]", "[[b>>a]]", "model_2",
           "b-is-better", "b-is-slightly-better", "b-is-clearly-better", "answer_2", "response_2"}  # fmt: skip
_TIE = {"tie", "ties", "both", "neither", "equal", "same", "draw", "bothbad", "both_bad", "both bad", "both_good",
        "tie (bothbad)", "tie (both_bad)", "tie (both bad)", "c", "[[c]]", "a=b", "[[a=b]]", "="}  # fmt: skip


@dataclass
class Votes:
    """models: their names, sorted; the columns of equal length; slices: name of each row's, None where there is none;
    style: {feature: (of the first, of the second)}, NaN where a row says nothing of it; refused: what was not read."""

    models: list[str]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    outcome: NDArray[np.int64]
    raters: list[str] | None
    slices: list[str] | None
    style: dict[str, tuple[list[float], list[float]]]
    refused: list[Refused] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.first)

    def columns(self, features: Sequence[str] = (), *, order: bool = False) -> Table:
        """The votes as a table; features: which covariates of style; order: also what being shown first adds."""
        wanted = [style.contrast(*self._feature(name)) for name in features]
        if order:
            wanted.append(np.ones(len(self)))
        covariate = np.stack(wanted, axis=1) if wanted else None
        return table(self.first, self.second, self.outcome, len(self.models), covariate)

    def rater_codes(self) -> NDArray[np.int64] | None:
        if self.raters is None:
            return None
        return np.asarray(np.unique(self.raters, return_inverse=True)[1], dtype=np.int64)

    def where(self, keep: NDArray[np.bool_]) -> Votes:
        """The votes that are kept, among the models that they name."""
        used = np.unique(np.concatenate([self.first[keep], self.second[keep]]))
        code = np.full(len(self.models), -1)
        code[used] = np.arange(len(used))
        places = np.flatnonzero(keep).tolist()
        return Votes(
            [self.models[n] for n in used], code[self.first[keep]], code[self.second[keep]], self.outcome[keep],
            None if self.raters is None else [self.raters[n] for n in places],
            None if self.slices is None else [self.slices[n] for n in places],
            {name: ([a[n] for n in places], [b[n] for n in places]) for name, (a, b) in self.style.items()},
        )  # fmt: skip

    def _feature(self, name: str) -> tuple[list[float], list[float]]:
        if name not in self.style:
            has = ", ".join(sorted(self.style)) or "none"
            raise invalid(
                "feature-unknown",
                f"The votes say nothing of {name!r}; they say of: {has}.",
                remedy=f"Give the answers' texts (response_a, response_b) or columns {name}_a and {name}_b.",
                place="style",
            )
        return self.style[name]


def said(value: Any, names: tuple[str, str] = ("", "")) -> int | None:
    """FIRST, SECOND or TIE; None for a word that means none of them. names: of the two, which a vote may name."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    word = str(value).strip()
    if names[0] != names[1] and word in names:
        return FIRST if word == names[0] else SECOND
    word = word.lower()
    return FIRST if word in _FIRST else SECOND if word in _SECOND else TIE if word in _TIE else None


def read(path: Path, *, slice_by: str | None = None) -> Votes:
    """All votes of a file. Raises Problem where there are none, or no column names the two models."""
    made = _Made(slice_by)
    for place, row in rows(path, made.refused):
        try:
            made.add(place, row)
        except _NoVote as why:
            made.refused.append(Refused(place, str(why)))
    if not made.rows:
        first = f" {made.refused[0].place} {made.refused[0].reason}." if made.refused else ""
        raise invalid("table-empty", f"{path} holds no vote.{first}", place=str(path),
                      remedy="A vote names model_a, model_b and winner.")  # fmt: skip
    return made.votes()


class _NoVote(Exception):
    pass


class _Made:
    """Votes being read."""

    def __init__(self, slice_by: str | None) -> None:
        self.slice_by = slice_by
        self.rows: list[tuple[str, str, int, str | None, str | None, dict[str, tuple[float, float]]]] = []
        self.refused: list[Refused] = []

    def add(self, place: str, row: dict[str, Any]) -> None:
        answers = row.get("answers", row.get("candidates"))
        if isinstance(answers, list) and isinstance(row.get("votes"), list):
            self._of_item(place, row, answers)
            return
        if (names := _pair_named(row)) is not None:
            a, b = (_name(row[name]) for name in names)
            winner = next((row[name] for name in WINNERS if name in row and name not in names), None)
            value = said(winner, (a, b))
            if value is None:
                raise _NoVote(f"says {winner!r}, which is neither of the two nor a tie")
        elif "winner" in row and "loser" in row:
            a, b, value = _name(row["winner"]), _name(row["loser"]), FIRST
        else:
            raise _NoVote(f"names no two models (found {', '.join(map(str, row)) or 'nothing'})")
        self._put(a, b, value, row, _styles(row))

    def _of_item(self, place: str, row: dict[str, Any], answers: list[Any]) -> None:
        if len(answers) != 2 or not all(isinstance(one, dict) for one in answers):
            raise _NoVote(f"has {len(answers)} answers; a vote is about two")
        names = [_name(one.get("model", one.get("source", one.get("key")))) for one in answers]
        keys = (str(answers[0].get("key", "1")), str(answers[1].get("key", "2")))
        texts = [_text(one.get("text", one.get("content"))) for one in answers]
        looks = {} if None in texts else {name: (float(of(texts[0] or "")), float(of(texts[1] or "")))
                                          for name, of in style.FEATURES.items()}  # fmt: skip
        for number, vote in enumerate(row["votes"]):
            given = vote if isinstance(vote, dict) else {"value": vote}
            winner = next((given[name] for name in WINNERS if name in given), None)
            value = said(winner, keys)
            if value is None:
                told = f"says {winner!r}, which is neither of the two nor a tie"
                self.refused.append(Refused(f"{place}/votes/{number}", told))
                continue
            self._put(names[0], names[1], value, {**row, **given}, looks)

    def _put(self, a: str, b: str, value: int, row: dict[str, Any], looks: dict[str, tuple[float, float]]) -> None:
        if a == b:
            raise _NoVote(f"compares {a!r} with itself")
        rater = next((str(row[name]) for name in RATERS if row.get(name) is not None), None)
        part = row.get(self.slice_by) if self.slice_by else None
        self.rows.append((a, b, value, rater, None if part is None else str(part), looks))

    def votes(self) -> Votes:
        names = sorted({row[0] for row in self.rows} | {row[1] for row in self.rows})
        code = {name: n for n, name in enumerate(names)}
        columns = list(zip(*self.rows, strict=True))
        if self.slice_by and not any(part is not None for part in columns[4]):
            raise invalid("column-unknown", f"No vote has a {self.slice_by!r} to be told apart by.", place="slice",
                          remedy="Name a column of the file: --slice COLUMN.")  # fmt: skip
        known = sorted({name for looks in columns[5] for name in looks})
        unknown = (float("nan"), float("nan"))
        return Votes(
            names,
            np.array([code[name] for name in columns[0]], np.int64),
            np.array([code[name] for name in columns[1]], np.int64),
            np.array(columns[2], np.int64),
            [str(rater) for rater in columns[3]] if all(rater is not None for rater in columns[3]) else None,
            [part or "(none)" for part in columns[4]] if self.slice_by else None,
            {name: ([looks.get(name, unknown)[0] for looks in columns[5]],
                    [looks.get(name, unknown)[1] for looks in columns[5]]) for name in known},
            self.refused,
        )  # fmt: skip


def _pair_named(row: dict[str, Any]) -> tuple[str, str] | None:
    return next((names for names in PAIRS if names[0] in row and names[1] in row), None)


def _name(value: Any) -> str:
    name = "" if value is None else str(value).strip()
    if not name:
        raise _NoVote("leaves a model without a name")
    return name


def _text(value: Any) -> str | None:
    """A text, or what the assistant says in a list of messages."""
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list):
        said_: Iterable[Any] = (
            one.get("content") for one in value if isinstance(one, dict) and one.get("role") != "user"
        )
        return "\n\n".join(one for one in said_ if isinstance(one, str))
    return None


def _styles(row: dict[str, Any]) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    for names in TEXTS:
        texts = [_text(row.get(name)) for name in names]
        if texts[0] is not None and texts[1] is not None:
            found = {name: (float(of(texts[0])), float(of(texts[1]))) for name, of in style.FEATURES.items()}
            break
    for name, value in row.items():
        other = row.get(name[:-2] + "_b") if isinstance(name, str) and name.endswith("_a") else None
        if other is not None and _is_amount(value) and _is_amount(other):
            found[name[:-2]] = (float(value), float(other))
    return found


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
