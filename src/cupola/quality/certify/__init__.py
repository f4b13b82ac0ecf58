"""Certificates: what an audit of a frozen release proves, and nothing else does."""

from __future__ import annotations

from cupola.quality.certify.document import (
    DEFINITION_BY_KIND,
    attempt_of,
    build,
    build_frozen,
    check,
    frame_of,
    sign,
    statement,
)
from cupola.quality.certify.draw import draw, hash_of_ids, hash_of_labels
from cupola.quality.certify.evidence import (
    AuditPlan,
    Finding,
    Freezing,
    Frozen,
    Outcome,
    Result,
    check_plan,
    confidence_of_attempt,
    evaluate,
    read_json,
)
from cupola.quality.certify.fixed import (
    allowed_errors,
    clopper_pearson_lower,
    clopper_pearson_upper,
    error_upper,
    hypergeometric_upper,
    power,
    sample_size,
    sample_size_for_power,
)
from cupola.quality.certify.sequential import Sequential
from cupola.quality.certify.strata import (
    Stratum,
    auditor_corrected_upper,
    pac_threshold,
    release_end,
    stratified_upper,
    threshold_sample_size,
)

__all__ = [
    "DEFINITION_BY_KIND",
    "AuditPlan",
    "Finding",
    "Freezing",
    "Frozen",
    "Outcome",
    "Result",
    "Sequential",
    "Stratum",
    "allowed_errors",
    "attempt_of",
    "auditor_corrected_upper",
    "build",
    "build_frozen",
    "check",
    "check_plan",
    "clopper_pearson_lower",
    "clopper_pearson_upper",
    "confidence_of_attempt",
    "draw",
    "error_upper",
    "evaluate",
    "frame_of",
    "hash_of_ids",
    "hash_of_labels",
    "hypergeometric_upper",
    "pac_threshold",
    "power",
    "read_json",
    "release_end",
    "sample_size",
    "sample_size_for_power",
    "sign",
    "statement",
    "stratified_upper",
    "threshold_sample_size",
]
