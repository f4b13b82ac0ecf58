"""What a template proposes for a project, as the interface of programs takes it. For the command line and the demo."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cupola.templates.model import Template, price_minor
from cupola.templates.table import named, read_file


@dataclass
class Asked:
    """spec and guidelines of the ontology, and of the project what is not its name, data set or version."""

    spec: dict[str, Any]
    guidelines: dict[str, str]
    plan: dict[str, Any] = field(default_factory=dict)
    offer: dict[str, Any] = field(default_factory=dict)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    page_size: int = 10


def of(wanted: str, currency: str, paid_minor: int | None = None) -> Asked:
    """wanted: a template's name, or the path of a YAML file; paid_minor: what a judgement pays, where it is said.

    What a review pays is to that as its time is to that of the first stage. Raises Problem: NOT_FOUND, INVALID.
    """
    path = Path(wanted)
    template = read_file(path) if path.suffix in (".yaml", ".yml") else named(wanted)
    return proposed(template, currency, paid_minor)


def proposed(template: Template, currency: str, paid_minor: int | None = None) -> Asked:
    whole = price_minor(template.seconds) if paid_minor is None else paid_minor

    def priced(seconds: int) -> dict[str, Any]:
        return {
            "price_minor": max(1, math.ceil(whole * seconds / template.seconds)),
            "estimate_median_s": seconds,
            "estimate_p75_s": math.ceil(seconds * 1.5),
        }

    reviews = [
        priced(one.seconds) | ({} if one.fix_seconds is None else {"fix": priced(one.fix_seconds)})
        for one in template.reviews
    ]
    offer = priced(template.seconds) | {"currency": currency}
    return Asked(
        dict(template.spec), dict(template.guidelines), dict(template.plan), offer, reviews, template.page_size
    )
