"""Choice: one or several of the ontology's classes for the whole item."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cupola.kernel.errors import Problem, invalid
from cupola.labels.facts import ItemFacts
from cupola.labels.kind import LabelKind, Unit, needs_classes, wrong_spec
from cupola.labels.label import Label
from cupola.labels.ontology import Ontology

NONE = "none"


class ChoiceLabel(Label, frozen=True, tag="choice"):
    """`values`: class names; exactly one of them unless the ontology says `multiple` (then any number, none too)."""

    values: list[str]


class Choice(LabelKind[ChoiceLabel]):
    name = "choice"
    label = ChoiceLabel
    parts = frozenset({"classes", "multiple", "compare"})
    tolerance = 0.0
    unit = "choice"
    strategies = ("coded", "multilabel", "pairs")
    made_of = "classes"
    plain_first = True

    def strategy(self, ontology: Ontology) -> str:
        if ontology.compare:
            return "pairs"
        return "multilabel" if ontology.multiple else "coded"

    def check_spec(self, ontology: Ontology) -> None:
        needs_classes(ontology)
        if not ontology.compare:
            return
        if ontology.multiple:
            raise wrong_spec("/multiple", "Of two candidates one is better, or neither.", "Leave it out.")
        if len(ontology.classes) not in (2, 3):
            raise wrong_spec(
                "/classes",
                f"A comparison has two classes, or three with a tie; these are {len(ontology.classes)}.",
                "Name what is said when the first is better, when the second is, and, if you like, when neither is.",
            )

    def validate(self, label: ChoiceLabel, ontology: Ontology, facts: ItemFacts) -> None:
        """Raises Problem (INVALID) for an unknown class, a repeated one, or the wrong number of them."""
        if not ontology.multiple and len(label.values) != 1:
            raise invalid(
                "label-one-value",
                f"Exactly one value is asked for, {len(label.values)} were given.",
                place="/values",
                remedy="Give one value, or let the ontology say multiple.",
            )
        if len(label.values) < ontology.at_least or (
            ontology.at_most is not None and len(label.values) > ontology.at_most
        ):
            most = len(ontology.classes) if ontology.at_most is None else ontology.at_most
            raise invalid(
                "label-value-count",
                f"{ontology.at_least} to {most} values are asked for, {len(label.values)} were given.",
                place="/values",
                remedy="Choose as many as are asked for.",
            )
        index = ontology.class_index
        seen: set[str] = set()
        for position, value in enumerate(label.values):
            if value not in index:
                raise invalid(
                    "label-unknown-class",
                    f"{value!r} is not a class of this ontology.",
                    place=f"/values/{position}",
                    remedy="Use one of the ontology's class names.",
                )
            if value in seen:
                raise invalid(
                    "label-repeated-value",
                    f"{value!r} was given twice.",
                    place=f"/values/{position}",
                    remedy="Give each value once.",
                )
            seen.add(value)

    def salvage(
        self, label: ChoiceLabel, check: Callable[[ChoiceLabel], None]
    ) -> tuple[ChoiceLabel | None, list[Problem]]:
        """The values that pass by themselves; the first of them where one is asked for."""
        kept: list[str] = []
        left_out: list[Problem] = []
        for value in label.values:
            try:
                check(ChoiceLabel([value]))
                check(ChoiceLabel([*kept, value]))
            except Problem as problem:
                left_out.append(problem)
            else:
                kept.append(value)
        return (ChoiceLabel(kept) if kept else None), left_out

    def distance(self, a: ChoiceLabel, b: ChoiceLabel, ontology: Ontology) -> float:
        """Jaccard distance (1 - intersection / union) of the two sets; 0 or 1 for single choices."""
        first, second = set(a.values), set(b.values)
        union = len(first | second)
        return 1.0 - len(first & second) / union if union else 0.0

    def same(self, a: ChoiceLabel, b: ChoiceLabel, ontology: Ontology) -> bool:
        return set(a.values) == set(b.values)

    def merge(self, labels: Sequence[ChoiceLabel], weights: Sequence[float], ontology: Ontology) -> ChoiceLabel:
        """Weighted vote. Several: each class that more than half of the weight chose. Ties go to the earlier class."""
        votes = [0.0] * len(ontology.classes)
        for label, weight in zip(labels, weights, strict=True):
            for value in label.values:
                votes[ontology.class_index[value]] += weight
        if ontology.multiple:
            half = sum(weights) / 2
            ranked = sorted(range(len(votes)), key=lambda code: (-votes[code], code))
            chosen = [code for code in ranked if votes[code] > half][: ontology.at_most]
            chosen = ranked[: max(len(chosen), ontology.at_least)]
            return ChoiceLabel([ontology.classes[code].name for code in sorted(chosen)])
        winner = max(range(len(votes)), key=lambda code: (votes[code], -code))
        return ChoiceLabel([ontology.classes[winner].name])

    def is_one(self, ontology: Ontology) -> bool:
        return not ontology.multiple

    def units(self, label: ChoiceLabel, ontology: Ontology) -> list[Unit[ChoiceLabel]]:
        """The choice; where several may be chosen, each of those that were."""
        if not ontology.multiple:
            return [Unit("choice", self.words(label, ontology), label)]
        return [Unit(value, value, ChoiceLabel([value])) for value in label.values]

    def words(self, label: ChoiceLabel, ontology: Ontology) -> str:
        return ", ".join(label.values) or NONE

    def classes_of(self, label: ChoiceLabel) -> Sequence[str]:
        return label.values

    def from_plain(self, said: str | Sequence[str]) -> ChoiceLabel:
        """A text is the one class that was chosen, a list of them several."""
        return ChoiceLabel([said] if isinstance(said, str) else list(said))

    def to_plain(self, label: ChoiceLabel) -> str | Sequence[str]:
        return label.values[0] if len(label.values) == 1 else label.values

    def code_of(self, label: ChoiceLabel, ontology: Ontology) -> int | None:
        if ontology.multiple or len(label.values) != 1:
            return None
        return ontology.class_index.get(label.values[0])

    def label_of(self, code: int, ontology: Ontology) -> ChoiceLabel:
        return ChoiceLabel([ontology.classes[code].name])
