"""The table of strategies: how the labels of a kind are settled. One file and one line each."""

from __future__ import annotations

from collections.abc import Mapping

from cupola.labels import Ontology, strategy_of
from cupola.quality.inference.sparse_coin import WIDE_CLASSES
from cupola.quality.strategies.base import AnyStrategy
from cupola.quality.strategies.coded import CodedStrategy
from cupola.quality.strategies.form import FormStrategy
from cupola.quality.strategies.multilabel import MultilabelStrategy
from cupola.quality.strategies.pairs import PairsStrategy
from cupola.quality.strategies.rover import RoverStrategy
from cupola.quality.strategies.shapes import ShapesStrategy
from cupola.quality.strategies.tracks import TracksStrategy
from cupola.quality.strategies.wide import WideStrategy

STRATEGIES: Mapping[str, AnyStrategy] = {
    one.name: one
    for one in (
        CodedStrategy(),
        WideStrategy(),
        MultilabelStrategy(),
        RoverStrategy(),
        ShapesStrategy(),
        TracksStrategy(),
        FormStrategy(),
        PairsStrategy(),
    )
}


def strategy_for(ontology: Ontology) -> AnyStrategy:
    """The strategy that settles labels of this ontology. A kind says how its labels are settled; where that is by
    tables of classes, and the classes are too many for tables, a few numbers a person take their place."""
    name = strategy_of(ontology)
    if name == CodedStrategy.name and len(ontology.classes) >= WIDE_CLASSES:
        name = WideStrategy.name
    return STRATEGIES[name]
