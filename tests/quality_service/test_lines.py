"""What a line of stages is expected to need, counted by hand."""

from __future__ import annotations

import asyncio

import pytest

from cupola.quality.dashboard import estimate
from cupola.quality.lines import Needs, ReviewCost, along
from cupola.tasks.model import Plan


@pytest.mark.parametrize(
    ("reviews", "rejected", "needs"),
    [
        ([], 0.5, Needs(0, 0, 0)),
        ([ReviewCost(4)], 0.0, Needs(100, 400, 0)),
        ([ReviewCost(4)], 0.2, Needs(100, 400, 20)),
        # what the first rejects is an expert's; 80 go on, of which the second rejects a fifth of a fifth
        ([ReviewCost(4), ReviewCost(5)], 0.2, Needs(180, 800, 23.2)),
        # 20 are mended and reviewed again, and of those a fifth of a fifth is an expert's
        ([ReviewCost(4, 6), ReviewCost(3)], 0.2, Needs(140, 580, 0.8)),
        ([ReviewCost(4, 6)], 0.2, Needs(120, 520, 0)),
    ],
)
def test_a_line_needs_what_is_counted_by_hand(reviews: list[ReviewCost], rejected: float, needs: Needs) -> None:
    found = along(100, reviews, rejected)
    assert (found.judgements, found.cost_minor, found.experts) == pytest.approx(
        (needs.judgements, needs.cost_minor, needs.experts)
    )


def test_an_estimate_with_reviews_pays_for_each_drawing_and_each_review() -> None:
    plan = Plan(0.9, 0.9, 1, 5, 0.0)

    async def asked(*reviews: tuple[int, int | None]) -> dict[str, int]:
        return (await estimate(plan, 100, 2, 0.8, 10, "EUR", 0, 0, reviews)).cost_minor

    assert asyncio.run(asked((4, None))) == {"low": 1400, "likely": 1400, "high": 1400}
    assert asyncio.run(asked((4, 6), (3, None))) == {"low": 1400, "likely": 1580, "high": 1760}
