"""The language of eligibility: parsed, asked of somebody's facts, explained, and told to the database as a JSON path.

    language = "zh" and (degree("medicine") or exam("radiology") >= 0.9) and region in EU

Facts are a document (schema/functions/skills.sql). There is no fact for how much somebody did, nor for how much of it
was accepted: qualification is by what people showed, never by volume or an approval rate.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from cupola.kernel.errors import Problem, invalid
from cupola.workforce.eligibility.regions import REGIONS

MAX_CHARS = 2_000
MAX_DEPTH = 20
MAX_CLAUSES = 60
CREDENTIALS: Final = ("degree", "licence", "certificate", "credential")
SAID: Final = ("language", "field", "country", "region")
FACTS: Final = (*SAID, *CREDENTIALS, "exam")
# What other houses gate by, and this one refuses to.
_COUNTED = re.compile(
    r"approv|accept|reject|volume|count|hours|tasks?$|judgements?$|submissions?$|rate$|reputation|speed"
)
_TOKEN = re.compile(
    r"\s*(?:(?P<quoted>\"[^\"\\]{1,100}\")|(?P<number>\d*\.?\d+)|(?P<op>>=|!=|=|>)|(?P<mark>[(),])|(?P<word>\w+))"
)

CredentialKind = Literal["degree", "licence", "certificate", "language"]


@dataclass(frozen=True, slots=True)
class Clause:
    """One question. fact: of FACTS; values: any of these will do; at_least: of an exam; negated: none of them."""

    fact: str
    values: tuple[str, ...]
    at_least: float | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Any_:
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Expression


Expression: TypeAlias = Clause | All | Any_ | Not


@dataclass(frozen=True, slots=True)
class Exam:
    name: str
    low: float


@dataclass(frozen=True, slots=True)
class Credential:
    kind: CredentialKind
    subject: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of somebody for one tenant's projects; what has run out is not in it."""

    languages: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    country: str | None = None
    credentials: tuple[Credential, ...] = ()
    exams: tuple[Exam, ...] = ()


@dataclass(frozen=True, slots=True)
class Because:
    """Why somebody is, or is not, whom a project asks for. is_: "all", "any", "not", or the fact of a clause.

    yours: what is known of them about it. parts: what an "all", an "any" or a "not" is made of.
    """

    is_: str
    holds: bool
    values: tuple[str, ...] = ()
    at_least: float | None = None
    negated: bool = False
    yours: tuple[str, ...] = ()
    parts: tuple[Because, ...] = ()


def key(text: str) -> str:
    """How a subject, a field or a skill is compared: in small letters, with single blanks."""
    return " ".join(text.split()).casefold()


# ---------------------------------------------------------------- reading
@dataclass(slots=True)
class _Token:
    kind: str
    text: str
    at: int


def _trouble(code: str, detail: str, at: int, remedy: str) -> Problem:
    return invalid(code, detail, place=f"character {at + 1}", remedy=remedy)


_HOW = 'Write for example: language = "zh" and (degree("medicine") or exam("radiology") >= 0.9) and region in EU'


def _tokens(text: str) -> list[_Token]:
    found = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            place = at + len(text[at:]) - len(text[at:].lstrip())
            raise _trouble("eligibility-character", f"{text[place]!r} has no meaning here.", place, _HOW)
        kind = match.lastgroup
        assert kind is not None
        found.append(_Token(kind, match[kind], match.start(kind)))
        at = match.end()
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self.end = len(text)
        self.tokens = _tokens(text)
        self.place = 0
        self.clauses = 0

    def peek(self) -> _Token:
        return self.tokens[self.place] if self.place < len(self.tokens) else _Token("end", "", self.end)

    def take(self) -> _Token:
        token = self.peek()
        self.place += 1
        return token

    def took(self, *words: str) -> bool:
        if self.peek().kind in ("word", "mark", "op") and self.peek().text.casefold() in words:
            self.place += 1
            return True
        return False

    def want(self, word: str) -> None:
        if not self.took(word):
            found = self.peek()
            raise _trouble(
                "eligibility-form", f"{word!r} is expected here, not {found.text or 'the end'!r}.", found.at, _HOW
            )

    def any_(self, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise _trouble(
                "eligibility-deep", "It is nested too deeply.", self.peek().at, "Write it with fewer brackets."
            )
        parts = [self.all_(depth)]
        while self.took("or"):
            parts.append(self.all_(depth))
        return parts[0] if len(parts) == 1 else Any_(tuple(parts))

    def all_(self, depth: int) -> Expression:
        parts = [self.one(depth)]
        while self.took("and"):
            parts.append(self.one(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def one(self, depth: int) -> Expression:
        if self.took("not"):
            return Not(self.one(depth + 1)) if depth < MAX_DEPTH else self.any_(depth + 1)
        if self.took("("):
            inner = self.any_(depth + 1)
            self.want(")")
            return inner
        return self.clause()

    def clause(self) -> Clause:
        self.clauses += 1
        token = self.take()
        fact = token.text.casefold()
        if token.kind != "word":
            raise _trouble(
                "eligibility-form", f"A fact is expected here, not {token.text or 'the end'!r}.", token.at, _HOW
            )
        if self.clauses > MAX_CLAUSES:
            raise _trouble("eligibility-long", f"It asks more than {MAX_CLAUSES} questions.", token.at, "Ask for less.")
        if fact in CREDENTIALS or fact == "exam":
            return self._call(fact)
        if fact in SAID:
            return self._said(fact)
        if _COUNTED.search(fact):
            raise _trouble(
                "gate-by-volume",
                f"Nobody is let in or kept out by {token.text!r}: qualification is by what people showed, never by "
                "volume or an approval rate.",
                token.at,
                'Make an exam of your gold and ask for it: exam("name") >= 0.8',
            )
        raise _trouble(
            "eligibility-fact",
            f"There is no fact named {token.text[:60]!r}.",
            token.at,
            f"There are: {', '.join(FACTS)}.",
        )

    def _call(self, fact: str) -> Clause:
        self.want("(")
        names = [] if fact != "exam" and self.peek().text == ")" else self._texts()
        self.want(")")
        if fact != "exam":
            return Clause(fact, tuple(key(one) for one in names))
        if len(names) != 1:
            raise _trouble("eligibility-form", "An exam is named by one name.", self.peek().at, 'Write exam("name").')
        at_least = None
        if self.took(">=", ">"):
            number = self.take()
            if number.kind != "number" or not 0 <= float(number.text) <= 1:
                raise _trouble(
                    "eligibility-share",
                    "What an exam is to show lies between 0 and 1.",
                    number.at,
                    "Write 0.9 for 90 %.",
                )
            at_least = float(number.text)
        return Clause(fact, (key(names[0]),), at_least)

    def _said(self, fact: str) -> Clause:
        negated = False
        if self.took("not"):
            self.want("in")
            negated, values = True, self._set(fact)
        elif self.took("in"):
            values = self._set(fact)
        elif self.took("!="):
            negated, values = True, (self._value(fact),)
        else:
            self.want("=")
            values = (self._value(fact),)
        return Clause(fact, values, None, negated)

    def _set(self, fact: str) -> tuple[str, ...]:
        if not self.took("("):
            return (self._value(fact),)
        values = [self._value(fact)]
        while self.took(","):
            values.append(self._value(fact))
        self.want(")")
        return tuple(values)

    def _texts(self) -> list[str]:
        found = []
        while True:
            token = self.take()
            if token.kind != "quoted" or not token.text[1:-1].strip():
                raise _trouble("eligibility-form", "A name in quotation marks is expected here.", token.at, _HOW)
            found.append(token.text[1:-1])
            if not self.took(","):
                return found

    def _value(self, fact: str) -> str:
        token = self.take()
        if token.kind not in ("quoted", "word"):
            raise _trouble("eligibility-form", "A value in quotation marks is expected here.", token.at, _HOW)
        said = token.text.strip('"').strip()
        if fact == "region":
            if said.upper() not in REGIONS:
                raise _trouble(
                    "eligibility-region",
                    f"{said!r} is no region that is known here.",
                    token.at,
                    f'There are {", ".join(REGIONS)}; or list countries: country in ("KE", "UG").',
                )
            return said.upper()
        if fact == "country":
            if not re.fullmatch("[A-Za-z]{2}", said):
                raise _trouble(
                    "eligibility-country",
                    f"{said!r} is no code of a country.",
                    token.at,
                    "Use two letters: DE, KE, VN.",
                )
            return said.upper()
        return key(said)


def parse(text: str) -> Expression:
    """Read an expression. Raises Problem(INVALID) with the character where it cannot be read, and what to write."""
    if not text.strip():
        raise invalid("eligibility-empty", "It asks nothing.", remedy=_HOW)
    if len(text) > MAX_CHARS or "\x00" in text:
        raise invalid("eligibility-long", f"It is longer than {MAX_CHARS} characters.", remedy="Ask for less.")
    reader = _Reader(text)
    found = reader.any_(0)
    left = reader.peek()
    if left.kind != "end":
        raise _trouble(
            "eligibility-form", f"{left.text!r} is not expected here.", left.at, "Join questions with and, or."
        )
    return found


# ---------------------------------------------------------------- asking
def _countries(clause: Clause) -> tuple[str, ...]:
    if clause.fact == "region":
        return tuple(country for region in clause.values for country in REGIONS[region])
    return clause.values


def _known(clause: Clause, facts: Facts) -> tuple[bool, tuple[str, ...]]:
    """Whether any value of a clause is known, and what is known that answers its fact."""
    match clause.fact:
        case "language":
            return bool(set(clause.values) & set(facts.languages)), facts.languages
        case "field":
            return bool(set(clause.values) & set(facts.fields)), facts.fields
        case "country" | "region":
            return facts.country in _countries(clause), () if facts.country is None else (facts.country,)
        case "exam":
            low = max((one.low for one in facts.exams if one.name == clause.values[0]), default=None)
            return low is not None and low >= (clause.at_least or 0), () if low is None else (f"{low:.2f}",)
        case _:
            mine = [one for one in facts.credentials if clause.fact in ("credential", one.kind)]
            holds = any(not clause.values or one.subject in clause.values for one in mine)
            return holds, tuple(one.subject for one in mine)


def explain(asked: Expression, facts: Facts) -> Because:
    """Why somebody is, or is not, whom it asks for: the same tree, each part with its answer."""
    match asked:
        case Clause():
            known, yours = _known(asked, facts)
            return Because(asked.fact, known != asked.negated, asked.values, asked.at_least, asked.negated, yours)
        case Not(part):
            inner = explain(part, facts)
            return Because("not", not inner.holds, parts=(inner,))
        case All(parts):
            told = tuple(explain(one, facts) for one in parts)
            return Because("all", all(one.holds for one in told), parts=told)
        case Any_(parts):
            told = tuple(explain(one, facts) for one in parts)
            return Because("any", any(one.holds for one in told), parts=told)


def holds(asked: Expression, facts: Facts) -> bool:
    return explain(asked, facts).holds


# ---------------------------------------------------------------- writing
def text(asked: Expression, within: str = "") -> str:
    """The expression in one form, whatever it was written like; `parse` reads it back to the same."""
    match asked:
        case Clause(fact, values, at_least, negated):
            if fact in CREDENTIALS or fact == "exam":
                called = f"{fact}({', '.join(json.dumps(one, ensure_ascii=False) for one in values)})"
                return called if at_least is None else f"{called} >= {at_least:g}"
            said = [one if fact == "region" else json.dumps(one, ensure_ascii=False) for one in values]
            if len(said) == 1:
                return f"{fact} {'!=' if negated else '='} {said[0]}"
            return f"{fact} {'not in' if negated else 'in'} ({', '.join(said)})"
        case Not(part):
            return f"not ({text(part)})"
        case All(parts):
            joined = " and ".join(text(one, "and") for one in parts)
            return f"({joined})" if within == "and" else joined
        case Any_(parts):
            joined = " or ".join(text(one, "or") for one in parts)
            return f"({joined})" if within in ("and", "or") else joined


def _one_of(of: str, values: tuple[str, ...]) -> str:
    return "(" + " || ".join(f"{of} == {json.dumps(one)}" for one in values) + ")"


def path(asked: Expression) -> str:
    """The expression as a JSON path predicate over facts, which Postgres answers (operator @@)."""
    match asked:
        case Clause(fact, values, at_least, negated):
            if fact in ("language", "field"):
                found = f"exists($.{fact}s[*] ? {_one_of('@', values)})"
            elif fact in ("country", "region"):
                found = f"exists($.country ? {_one_of('@', _countries(asked))})"
            elif fact == "exam":
                found = f"exists($.exams[*] ? (@.name == {json.dumps(values[0])} && @.low >= {at_least or 0:f}))"
            else:
                wants = [] if fact == "credential" else [f"@.kind == {json.dumps(fact)}"]
                wants += [_one_of("@.subject", values)] if values else []
                found = f"exists($.credentials[*] ? ({' && '.join(wants)}))" if wants else "exists($.credentials[*])"
            return f"!({found})" if negated else found
        case Not(part):
            return f"!({path(part)})"
        case All(parts):
            return " && ".join(f"({path(one)})" for one in parts)
        case Any_(parts):
            return " || ".join(f"({path(one)})" for one in parts)
