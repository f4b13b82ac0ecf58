"""What one route asks for, another that is asked about the same thing takes as it is."""

from __future__ import annotations

from cupola.quality import api as quality
from cupola.tasks import api as tasks


def test_a_plan_and_an_offer_can_be_estimated_as_they_will_be_sent() -> None:
    assert set(quality.EstimatePlan.model_fields) == set(tasks.PlanIn.model_fields)
    assert set(quality.EstimateOffer.model_fields) == set(tasks.OfferIn.model_fields)
