"""Labels that a model or an earlier tool made: what of them fits a project, and what is left out and why."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from cupola.kernel import limits
from cupola.kernel.errors import Problem
from cupola.labels import Fitted, ItemFacts, Label, Ontology, decode_label, encode, fitting, label_meant
from cupola.platform.pg.tx import Conn
from cupola.tasks import service, store

MOST_REASONS = 10


@dataclass(frozen=True, slots=True)
class Reason:
    """Why parts of pre-labels were left out. code: stable; example: one of them in words; parts: how many."""

    code: str
    example: str
    parts: int


@dataclass(frozen=True, slots=True)
class PreLabels:
    """How the pre-labels of a dataset fit a project.

    looked_at: how many were compared, of at most MAX_PRE_LABELS_COMPARED; whole: fit as they are; in_part: shown
    without the parts that do not fit; none: nothing of them fits, so the task begins empty.
    """

    looked_at: int
    whole: int
    in_part: int
    none: int
    reasons: list[Reason]


def suited(text: str, facts: ItemFacts, ontology: Ontology) -> Fitted:
    """What of a pre-label a project's people may be shown. One that is not read any more fits in nothing."""
    try:
        label = label_meant(decode_label(text), ontology)
    except Problem as problem:
        return Fitted(None, (problem,))
    return fitting(label, facts, ontology)


async def look(conn: Conn, tenant: UUID, dataset: UUID, ontology: Ontology) -> PreLabels | None:
    """How a dataset's pre-labels fit an ontology; None where it has none."""
    rows = await store.PRE_LABELS_GIVEN.all(conn, tenant=tenant, dataset=dataset, limit=limits.MAX_PRE_LABELS_COMPARED)
    return await asyncio.to_thread(_compare, rows, ontology) if rows else None


def _compare(rows: Sequence[store.GivenPreLabel], ontology: Ontology) -> PreLabels:
    counts: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for row in rows:
        found = suited(row.pre_label, service.facts_from(row), ontology)
        counts["none" if found.label is None else "in_part" if found.left_out else "whole"] += 1
        for problem in found.left_out:
            parts[problem.code] += 1
            examples.setdefault(problem.code, f"{row.ref}{problem.place}: {problem.detail}")
    reasons = [Reason(code, examples[code], count) for code, count in parts.most_common(MOST_REASONS)]
    return PreLabels(len(rows), counts["whole"], counts["in_part"], counts["none"], reasons)


def shown(text: str | None, facts: ItemFacts, ontology: Ontology) -> bytes | None:
    """A pre-label as a page carries it: without what does not fit, or None where nothing does."""
    if text is None:
        return None
    found = suited(text, facts, ontology)
    if found.label is None:
        return None
    return encode(found.label) if found.left_out or not _is_of(text, found.label) else text.encode()


def _is_of(text: str, label: Label) -> bool:
    """Is the text of the label's kind? It is stored as it was encoded, the kind first."""
    return text.startswith(f'{{"kind":"{label.kind}"')
