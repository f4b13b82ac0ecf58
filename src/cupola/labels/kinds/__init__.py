"""The table of kinds: one file and one line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cupola.labels.kind import LabelKind
from cupola.labels.kinds.choice import Choice
from cupola.labels.kinds.drawn import Objects
from cupola.labels.kinds.form import Form
from cupola.labels.kinds.text import Text
from cupola.labels.kinds.tracked import Tracks

KINDS: Mapping[str, LabelKind[Any]] = {
    one.name: one
    for one in (
        Choice(),
        Text(),
        Objects(),
        Tracks(),
        Form(),
    )
}
