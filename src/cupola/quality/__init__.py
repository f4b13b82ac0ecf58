"""Quality: from many people's fallible judgements to labels with an honest accuracy statement."""

from __future__ import annotations

from cupola.quality import certify
from cupola.quality.aggregation import Aggregate, aggregate
from cupola.quality.kinds import Merged

__all__ = ["Aggregate", "Merged", "aggregate", "certify"]
