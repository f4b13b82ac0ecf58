"""Limits add up: what may be kept may be sent, and what may be sent may be answered."""

from __future__ import annotations

from cupola.kernel import limits

ENVELOPE_BYTES = 4 * 1024  # what stands around one label in a submit or a draft


def test_whatever_is_kept_as_a_draft_can_be_submitted() -> None:
    assert limits.MAX_DRAFT_BYTES <= limits.MAX_LABEL_BYTES
    assert limits.MAX_LABEL_BYTES + ENVELOPE_BYTES <= limits.MAX_BODY_BYTES


def test_the_drafts_of_a_page_fit_into_one_answer_and_one_draft_into_their_sum() -> None:
    assert limits.MAX_DRAFT_BYTES <= limits.MAX_DRAFTS_BYTES <= limits.MAX_BODY_BYTES
