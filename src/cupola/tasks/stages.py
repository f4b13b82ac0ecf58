"""A new project and the line of stages that its tasks go along."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cupola.kernel.errors import invalid
from cupola.tasks.model import MAX_STAGES, Plan, Stage


@dataclass(frozen=True, slots=True)
class StagePrice:
    """What a judgement of a stage pays, and how long it is thought to take."""

    price_minor: int
    median_s: float | None
    p75_s: float | None


@dataclass(frozen=True, slots=True)
class Review(StagePrice):
    """fix: what mending pays where this review rejects; None: what is rejected is an expert's."""

    fix: StagePrice | None = None


@dataclass(frozen=True, slots=True)
class NewProject:
    """reviews: a further stage each, at which somebody else accepts, mends or rejects what the stage before left.

    review_first_s: pay waits until the requester has looked at a submission, and no longer than this; None: no wait.
    """

    name: str
    dataset: UUID
    ontology_version: UUID
    plan: Plan
    price_minor: int
    currency: str
    median_s: float | None
    p75_s: float | None
    page_size: int
    lease_s: int
    routing: str
    reviews: tuple[Review, ...] = ()
    review_first_s: int | None = None

    def line(self) -> list[tuple[Stage, StagePrice]]:
        """What is done at each stage, in their order, and what it pays. Raises Problem(INVALID)."""
        found: list[tuple[Stage, StagePrice]] = [("draw", StagePrice(self.price_minor, self.median_s, self.p75_s))]
        for review in self.reviews:
            found.append(("review", review))
            if review.fix is not None:
                found.append(("fix", review.fix))
        if self.review_first_s is not None and len(found) > 1:
            raise invalid(
                "review-first-stages",
                "A project whose stages review the work is paid on submit: nothing more is reviewed before pay.",
                place="/review_first_s",
                remedy="Leave out the reviews, or review_first_s.",
            )
        if len(found) > MAX_STAGES:
            raise invalid(
                "stages-many",
                f"A project has at most {MAX_STAGES} stages; a fix after a review is one of them.",
                place="/reviews",
                remedy="Leave out a review or a fix.",
            )
        return found
