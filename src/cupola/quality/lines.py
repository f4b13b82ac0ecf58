"""What a line of stages is expected to need: how many judgements at each, and how many tasks end at an expert."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReviewCost:
    """What one review costs, everything included, in minor units; fix_minor: and one fix, None where none follows."""

    review_minor: int
    fix_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """judgements and cost_minor of the reviews and fixes together, what is expected rounded up; experts: tasks that a
    review leaves to one."""

    judgements: float
    cost_minor: int
    experts: float


def along(items: int, reviews: Sequence[ReviewCost], rejected: float) -> Needs:
    """Of so many tasks, each drawn. rejected: share of them that the first review rejects; a later one, which looks at
    what somebody has looked at before, rejects that share of the share."""
    judgements = cost = experts = 0.0
    here, share = float(items), rejected
    mended = False
    for review in reviews:
        judgements += here
        cost += here * review.review_minor
        out = here * share
        share *= rejected
        if review.fix_minor is None:
            experts += out
            here = 0.0 if mended else here - out  # what was accepted goes on to the next review, if one follows
        else:
            judgements += out
            cost += out * review.fix_minor
            here, mended = out, True  # the review that follows is of what was fixed alone
    return Needs(judgements, math.ceil(cost), experts)
