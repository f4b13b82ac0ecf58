"""The route of templates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from cupola.platform.web import Reviewer, reply
from cupola.templates.model import Group, Template, price_minor
from cupola.templates.table import templates

router = APIRouter(tags=["projects"])


@dataclass(frozen=True, slots=True)
class ReviewHint:
    """fix_seconds, fix_price_minor: of mending what this review rejects; None where that is an adjudicator's."""

    seconds: int
    price_minor: int
    fix_seconds: int | None
    fix_price_minor: int | None


@dataclass(frozen=True, slots=True)
class TemplateView:
    """price_minor: a hint, what `seconds` are worth at 15 an hour; sensitive: what people read may disturb them;
    example_items: rows of JSON Lines that it takes; example_answers: a label for each, by its reference."""

    name: str
    title: dict[str, str]
    about: dict[str, str]
    group: Group
    needs: dict[str, str]
    kind: str
    spec: dict[str, Any]
    guidelines: dict[str, str]
    plan: dict[str, int | float]
    reviews: list[ReviewHint]
    page_size: int
    seconds: int
    price_minor: int
    exports: list[str]
    sensitive: bool
    example_items: list[dict[str, Any]]
    example_answers: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Templates:
    templates: list[TemplateView]


def shown(name: str, one: Template) -> TemplateView:
    reviews = [
        ReviewHint(
            review.seconds,
            price_minor(review.seconds),
            review.fix_seconds,
            None if review.fix_seconds is None else price_minor(review.fix_seconds),
        )
        for review in one.reviews
    ]
    return TemplateView(
        name,
        one.title,
        one.about,
        one.group,
        one.needs,
        one.spec["kind"],
        one.spec,
        one.guidelines,
        one.plan,
        reviews,
        one.page_size,
        one.seconds,
        price_minor(one.seconds),
        one.exports,
        one.sensitive,
        one.example.items,
        one.example.answers,
    )


@router.get("/api/templates", response_model=Templates)
async def get_templates(request: Request, who: Reviewer) -> Response:
    """What is commonly asked about texts and conversations, ready to be made a project of."""
    return reply(Templates([shown(name, one) for name, one in templates().items()]))
