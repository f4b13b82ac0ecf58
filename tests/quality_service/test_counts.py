"""A choice of several is settled with as many values as its ontology asks for."""

from __future__ import annotations

import numpy as np
import pytest

from cupola.labels import ChoiceLabel, decode_ontology, merge
from cupola.quality.strategies.multilabel import _chosen

CLASSES = [{"name": name} for name in "abcd"]


@pytest.mark.parametrize(
    ("least", "most", "sure", "chosen"),
    [
        (0, None, [0.9, 0.6, 0.4, 0.1], "ab"),
        (0, None, [0.4, 0.3, 0.2, 0.1], ""),
        (1, None, [0.1, 0.4, 0.3, 0.4], "b"),
        (2, None, [0.9, 0.1, 0.4, 0.3], "ac"),
        (0, 1, [0.6, 0.9, 0.8, 0.1], "b"),
        (1, 2, [0.6, 0.9, 0.8, 0.7], "bc"),
    ],
)
def test_as_few_and_as_many_are_chosen_as_are_asked_for(
    least: int, most: int | None, sure: list[float], chosen: str
) -> None:
    spec = {"kind": "choice", "classes": CLASSES, "multiple": True, "at_least": least}
    ontology = decode_ontology(spec if most is None else {**spec, "at_most": most})
    found = _chosen(np.array(sure), ontology)
    assert "".join(name for name, one in zip("abcd", found, strict=True) if one) == chosen


def test_labels_that_agree_in_nothing_are_merged_into_one_that_may_be_submitted() -> None:
    ontology = decode_ontology({"kind": "choice", "classes": CLASSES, "multiple": True, "at_least": 1})
    several = [ChoiceLabel([name]) for name in ("b", "c", "d")]
    assert merge(several, [1.0, 1.0, 1.0], ontology) == ChoiceLabel(["b"])
