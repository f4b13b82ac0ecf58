"""Text: free words about the whole item."""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Sequence

from cupola.kernel import limits
from cupola.kernel.errors import invalid
from cupola.labels.facts import ItemFacts
from cupola.labels.kind import LabelKind, Unit
from cupola.labels.label import Label
from cupola.labels.ontology import Ontology, TextSpec
from cupola.labels.patterns import matches_whole
from cupola.labels.places import BLANKS, unstorable

WORDS_FROM_CHARS = 2_000  # longer texts are compared word by word, which keeps the cost bounded
SHOWN_CHARS = 80


class TextLabel(Label, frozen=True, tag="text"):
    text: str


_no_limits = TextSpec()


class Text(LabelKind[TextLabel]):
    name = "text"
    label = TextLabel
    parts = frozenset({"text"})
    tolerance = 0.05
    unit = "text"
    strategies = ("rover",)
    made_of = "words"

    def strategy(self, ontology: Ontology) -> str:
        return "rover"

    def check_spec(self, ontology: Ontology) -> None:
        """Anything goes: a text needs no classes."""

    def validate(self, label: TextLabel, ontology: Ontology, facts: ItemFacts) -> None:
        """Raises Problem (INVALID) for U+0000, a length out of bounds, or text that the pattern does not match.

        Blanks at the ends are not counted and not matched: nobody sees them.
        """
        spec = ontology.text or _no_limits
        if unstorable(label.text):
            raise invalid(
                "label-text-nul",
                "The text holds U+0000 or half a surrogate pair.",
                place="/text",
                remedy="Remove that character.",
            )
        written = label.text.strip(BLANKS)
        n_chars = len(written)
        if not spec.min_chars <= n_chars <= spec.max_chars or len(label.text) > limits.MAX_TEXT_CHARS:
            raise invalid(
                "label-text-length",
                f"The text has {n_chars} characters; {spec.min_chars} to {spec.max_chars} are asked for.",
                place="/text",
                remedy="Change its length.",
            )
        if spec.pattern is not None and not matches_whole(spec.pattern, written):
            raise invalid(
                "label-text-pattern",
                f"The text does not match the pattern {spec.pattern!r}.",
                place="/text",
                remedy="Write it in the form that the guidelines ask for.",
            )

    def distance(self, a: TextLabel, b: TextLabel, ontology: Ontology) -> float:
        """Edit distance over the longer length: by character, for long texts by word."""
        return text_distance(a.text, b.text)

    def same(self, a: TextLabel, b: TextLabel, ontology: Ontology) -> bool:
        return normal(a.text) == normal(b.text)

    def merge(self, labels: Sequence[TextLabel], weights: Sequence[float], ontology: Ontology) -> TextLabel:
        """The weighted medoid: the text with the least weighted distance to the others; ties go to the earlier one."""
        costs = [
            sum(weight * text_distance(label.text, other.text) for other, weight in zip(labels, weights, strict=True))
            for label in labels
        ]
        return labels[min(range(len(labels)), key=lambda position: (costs[position], position))]

    def from_plain(self, said: str | Sequence[str]) -> TextLabel | None:
        return TextLabel(said) if isinstance(said, str) else None

    def is_one(self, ontology: Ontology) -> bool:
        return True

    def units(self, label: TextLabel, ontology: Ontology) -> list[Unit[TextLabel]]:
        return [Unit("text", self.words(label, ontology), label)]

    def words(self, label: TextLabel, ontology: Ontology) -> str:
        found = normal(label.text) or "no text"
        return found if len(found) <= SHOWN_CHARS else found[: SHOWN_CHARS - 1] + "…"


def normal(text: str) -> str:
    """NFC with runs of white space as one space: what counts as the same text."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def text_distance(a: str, b: str) -> float:
    """Edit distance over the longer length, in [0, 1]."""
    first, second = normal(a), normal(b)
    if first == second:
        return 0.0
    if max(len(first), len(second)) > WORDS_FROM_CHARS:
        words_a, words_b = first.split(), second.split()
        return edit_distance(words_a, words_b) / max(len(words_a), len(words_b))
    return edit_distance(first, second) / max(len(first), len(second))


def edit_distance(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """Levenshtein distance by bit vectors (Myers 1999, in Hyyrö's 2003 form), on integers of any length."""
    if len(a) < len(b):
        a, b = b, a
    if not b:
        return len(a)
    where: dict[Hashable, int] = {}
    for position, token in enumerate(b):
        where[token] = where.get(token, 0) | (1 << position)
    last = 1 << (len(b) - 1)
    mask = (1 << len(b)) - 1
    plus, minus, score = mask, 0, len(b)
    for token in a:
        equal = where.get(token, 0)
        diagonal = (((equal & plus) + plus) ^ plus) | equal | minus
        horizontal_plus = minus | (~(diagonal | plus) & mask)
        horizontal_minus = plus & diagonal
        if horizontal_plus & last:
            score += 1
        elif horizontal_minus & last:
            score -= 1
        horizontal_plus = ((horizontal_plus << 1) | 1) & mask
        horizontal_minus = (horizontal_minus << 1) & mask
        plus = horizontal_minus | (~(diagonal | horizontal_plus) & mask)
        minus = horizontal_plus & diagonal
    return score
