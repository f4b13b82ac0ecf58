"""What a kind of label must be able to say: the row of the table in `kinds`.

A new kind is one file with a Struct and a subclass of `LabelKind`, and one line in `kinds/__init__.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar

import msgspec

from cupola.kernel.errors import Problem, invalid
from cupola.labels.facts import ItemFacts
from cupola.labels.label import Label
from cupola.labels.ontology import Answer, AttributeValue, FileAnswer, Ontology
from cupola.labels.shapes.shape import Shape

L = TypeVar("L", bound=Label)

# What labels of a kind are made of, for formats of files that hold only some of it.
Made = Literal["classes", "things", "tracks", "words", "answers"]


@dataclass(frozen=True, slots=True)
class Unit(Generic[L]):
    """What can be right or wrong by itself: a choice, one object, one text. label: one that says this unit alone."""

    name: str
    words: str
    label: L


class Thing(Protocol):
    """One thing at a place in the item. source: a person, a model, or a person correcting a model."""

    @property
    def id(self) -> str: ...
    @property
    def cls(self) -> str: ...
    @property
    def shape(self) -> Shape: ...
    @property
    def attributes(self) -> Mapping[str, AttributeValue]: ...
    @property
    def source(self) -> str: ...


class LabelKind(ABC, Generic[L]):
    """One kind. Labels given to anything but `validate` and `validate_alone` have been validated.

    name: the tag of its Struct. parts: what of an ontology it makes use of; an ontology that holds more is refused.
    looks_at: which facts of an item `validate` uses. tolerance: the distance up to which two labels count as agreeing
    when a project's decisions are made. unit: what one of its units is. strategies: the names that `strategy` may
    answer with. made_of: what a format of files finds in its labels. plain_first: bare words are of this
    kind where nobody says which.
    """

    name: ClassVar[str]
    label: type[L]
    parts: ClassVar[frozenset[str]]
    looks_at: ClassVar[frozenset[str]] = frozenset()
    tolerance: ClassVar[float]
    unit: ClassVar[str]
    strategies: ClassVar[tuple[str, ...]]
    made_of: ClassVar[Made]
    plain_first: ClassVar[bool] = False

    @abstractmethod
    def strategy(self, ontology: Ontology) -> str:
        """The name of the strategy in `quality.strategies` that settles labels of this ontology."""

    @abstractmethod
    def check_spec(self, ontology: Ontology) -> None:
        """What this kind asks of an ontology beyond its `parts`. Raises Problem (INVALID)."""

    @abstractmethod
    def validate(self, label: L, ontology: Ontology, facts: ItemFacts) -> None:
        """Raises Problem (INVALID) with a code, the place as a JSON pointer, and a remedy."""

    def validate_alone(self, label: L, facts: ItemFacts) -> None:
        """The part of `validate` that needs no ontology. Raises Problem (INVALID)."""

    def salvage(self, label: L, check: Callable[[L], None]) -> tuple[L | None, list[Problem]]:
        """The parts of a label that pass `check`, and why each other one does not. A kind without parts: nothing."""
        try:
            check(label)
        except Problem as problem:
            return None, [problem]
        return label, []

    @abstractmethod
    def distance(self, a: L, b: L, ontology: Ontology) -> float:
        """How far apart two labels of one item are, in [0, 1]."""

    @abstractmethod
    def same(self, a: L, b: L, ontology: Ontology) -> bool:
        """Do two labels say the same?"""

    @abstractmethod
    def merge(self, labels: Sequence[L], weights: Sequence[float], ontology: Ontology) -> L:
        """What several labels say together. weights: one for each, >= 0, not all 0."""

    @abstractmethod
    def units(self, label: L, ontology: Ontology) -> list[Unit[L]]:
        """What of the label can be right or wrong by itself, each under a name of its own."""

    def is_one(self, ontology: Ontology) -> bool:
        """Whether a label of this ontology is always one unit."""
        return False

    def apart(self, a: L, b: L, ontology: Ontology) -> tuple[list[str], list[str]]:
        """The units of a that have no counterpart in b, and those of b that have none in a."""
        if self.same(a, b, ontology):
            return [], []
        left = self.units(b, ontology)
        alone = []
        for one in self.units(a, ontology):
            found = next((other for other in left if self.same(one.label, other.label, ontology)), None)
            if found is None:
                alone.append(one.name)
            else:
                left.remove(found)
        return alone, [one.name for one in left]

    @abstractmethod
    def words(self, label: L, ontology: Ontology) -> str:
        """The label in a few words, for lists and dashboards."""

    def classes_of(self, label: L) -> Sequence[str]:
        """The classes that the label says of the item as a whole."""
        return ()

    def things_of(self, label: L) -> Sequence[Thing]:
        """The things that the label places in the item."""
        return ()

    def answers_of(self, label: L) -> Mapping[str, Answer]:
        """What the label answers to the questions about the item as a whole, by their names."""
        return {}

    def tracked_in(self, label: L) -> Any | None:
        """What the label says of a video's frames (`kinds.tracks.TracksLabel`); None of a kind that says nothing."""
        return None

    def files_of(self, label: L) -> Iterator[tuple[str, FileAnswer]]:
        """(place as a JSON pointer, file) of each file that the label names: what somebody handed in."""
        return iter(())

    def from_plain(self, said: str | Sequence[str]) -> L | None:
        """The label that a bare text or list in a table means; None where it can mean none of this kind."""
        return None

    def to_plain(self, label: L) -> str | Sequence[str]:
        """The way back from `from_plain`, of the kind that a bare value is read as first."""
        raise NotImplementedError(self.name)

    def code_of(self, label: L, ontology: Ontology) -> int | None:
        """The position of the one class that the label names; None where it says more than one class."""
        return None

    def label_of(self, code: int, ontology: Ontology) -> L:
        """The way back from `code_of`. Raises ValueError for a kind whose labels have no codes."""
        raise ValueError(f"labels of the kind {self.name!r} have no codes")

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of this kind's labels."""
        return msgspec.json.schema(self.label)


def wrong_spec(place: str, detail: str, remedy: str) -> Problem:
    """What an ontology is refused with."""
    return invalid("ontology-invalid", detail, place=place, remedy=remedy)


def needs_classes(ontology: Ontology) -> None:
    """Raises Problem (INVALID) for an ontology without classes."""
    if not ontology.classes:
        raise wrong_spec("/classes", f"The kind {ontology.kind!r} needs at least one class.", "Name the classes.")
