"""Ontologies as the world sees them. A judgement is valid against exactly one version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class OntologyVersion:
    """One version; `id` is the ontology, `version_id` this version of it. guidelines: {language: Markdown}."""

    id: UUID
    name: str
    version: int
    version_id: UUID
    kind: str
    spec: dict[str, Any]
    guidelines: dict[str, str]
    created_at: datetime
