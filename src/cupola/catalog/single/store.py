"""SQL of single items."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cupola.platform.pg.statement import Statement


@dataclass(frozen=True, slots=True)
class ItemId:
    ref: str
    id: UUID


ITEM_IDS = Statement(
    ItemId,
    "SELECT ref, id FROM item WHERE tenant = %(tenant)s AND dataset = %(dataset)s AND ref = ANY (%(refs)s::text[])",
)
