"""Certificates: what an audit of a frozen release proves, and nothing else does."""

from __future__ import annotations

from cupola.quality.certify.document import (
    AuditPlan,
    Finding,
    Result,
    build,
    check,
    evaluate,
    sign,
    statement,
)
from cupola.quality.certify.draw import draw, hash_of_ids, hash_of_labels
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
    "AuditPlan",
    "Finding",
    "Result",
    "Sequential",
    "Stratum",
    "allowed_errors",
    "auditor_corrected_upper",
    "build",
    "check",
    "clopper_pearson_lower",
    "clopper_pearson_upper",
    "draw",
    "error_upper",
    "evaluate",
    "hash_of_ids",
    "hash_of_labels",
    "hypergeometric_upper",
    "pac_threshold",
    "power",
    "release_end",
    "sample_size",
    "sample_size_for_power",
    "sign",
    "statement",
    "stratified_upper",
    "threshold_sample_size",
]
