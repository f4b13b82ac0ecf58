"""What every process holds: settings, the database, the blobs."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from cupola.kernel import ids
from cupola.platform.blobs import Blobs
from cupola.platform.pg.tx import Database
from cupola.platform.settings import Settings


@dataclass(frozen=True, slots=True)
class Runtime:
    settings: Settings
    db: Database
    blobs: Blobs

    def __post_init__(self) -> None:
        self.db.long_texts = self.blobs

    def worker_of(self, tenant: UUID, person: UUID) -> UUID:
        """How `tenant` knows `person`: a pseudonym that only this instance's secret connects to the person."""
        return pseudonym(self.settings.derive("worker pseudonym"), tenant, person)


def pseudonym(key: bytes, tenant: UUID, person: UUID) -> UUID:
    digest = hmac.new(key, tenant.bytes + person.bytes, hashlib.sha256).digest()
    return ids.derived(digest)


def short_name(worker: UUID) -> str:
    """A pseudonym for a screen: w-3f9a2c41."""
    return f"w-{worker.hex[:8]}"
