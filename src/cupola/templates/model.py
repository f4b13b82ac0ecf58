"""What a template says: the questions, the guideline, the stages, how long it takes, and an example that works."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from cupola.kernel.errors import Problem, invalid
from cupola.labels import decode_ontology

Group = Literal["compare", "rate", "write", "check", "classify", "mark"]
HOURLY_MINOR = 1_500  # what an hour of work is priced at where nothing else is said, in the smallest unit of a currency
LANGUAGES = frozenset({"en", "zh"})


class Review(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A stage of review. seconds: how long it usually takes; fix_seconds: of mending what it rejects, None where that
    is an adjudicator's."""

    seconds: int
    fix_seconds: int | None = None


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """items: rows as JSON Lines holds them; answers: {reference: a label that fits}."""

    items: list[dict[str, Any]]
    answers: dict[str, dict[str, Any]]


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """title, about, needs, guidelines: {language: words}; needs: what items it takes; seconds: how long a judgement
    usually takes; plan: of its quality, where it is not the usual one; exports: formats that it is commonly wanted in;
    sensitive: what people read may disturb them."""

    title: dict[str, str]
    about: dict[str, str]
    group: Group
    needs: dict[str, str]
    seconds: int
    spec: dict[str, Any]
    guidelines: dict[str, str]
    exports: list[str]
    example: Example
    plan: dict[str, int | float] = {}
    reviews: list[Review] = []
    page_size: int = 10
    sensitive: bool = False


def check(template: Template) -> None:
    """Raises Problem (INVALID) with the place of the first fault."""
    for member in ("title", "about", "needs", "guidelines"):
        words: Mapping[str, str] = getattr(template, member)
        if not words or not all(text.strip() for text in words.values()):
            raise _wrong(f"/{member}", "It says nothing.", "Write it in one language at least: {en: …, zh: …}.")
    if not 1 <= template.seconds <= 86_400:
        raise _wrong("/seconds", "A judgement takes a second to a day.", "Give its usual seconds.")
    if not 1 <= template.page_size <= 50:
        raise _wrong("/page_size", "A page has 1 to 50 tasks.", "Choose a number in that range.")
    try:
        decode_ontology(template.spec)
    except Problem as problem:
        raise _wrong(f"/spec{problem.place}", problem.detail, problem.remedy) from None


def price_minor(seconds: int) -> int:
    """What so many seconds are worth at the usual hour, rounded up: 1 at least."""
    return max(1, math.ceil(seconds * HOURLY_MINOR / 3600))


def _wrong(place: str, detail: str, remedy: str) -> Problem:
    return invalid("template-wrong", detail, place=place, remedy=remedy)
