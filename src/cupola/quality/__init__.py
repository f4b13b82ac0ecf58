"""Quality: from many people's fallible judgements to labels with an honest accuracy statement."""

from __future__ import annotations

from cupola.quality import certify
from cupola.quality.aggregation import Aggregate, aggregate

__all__ = ["Aggregate", "aggregate", "certify"]
