"""What a settled label is made of: each unit with its own confidence and the judgements that stand behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from cupola.labels import Ontology, decode_label, is_one, unit_kind, units
from cupola.platform.pg.tx import Conn
from cupola.tasks import store
from cupola.tasks.model import UnitView


class Settled(Protocol):
    """What is read of a settlement."""

    @property
    def id(self) -> UUID: ...
    @property
    def label(self) -> str | None: ...
    @property
    def confidence(self) -> float: ...
    @property
    def judgements(self) -> list[UUID]: ...


async def parts_of(
    conn: Conn, tenant: UUID, settlements: Sequence[Settled], ontology: Ontology
) -> dict[UUID, list[UnitView]]:
    """The units of each settled label, in its order. Of a label of one unit, and of what a person decided, the unit is
    as sure as the whole and rests on the same judgements."""
    rows = []
    if settlements and not is_one(ontology):
        rows = await store.PARTS_OF.all(conn, tenant=tenant, settlements=[one.id for one in settlements])
    kept = {(row.settlement, row.unit): row for row in rows}
    kind = unit_kind(ontology)
    found: dict[UUID, list[UnitView]] = {}
    for one in settlements:
        mine = found[one.id] = []
        for unit in units(decode_label(one.label), ontology) if one.label is not None else ():
            row = kept.get((one.id, unit.name))
            sure, judgements = (one.confidence, one.judgements) if row is None else (row.confidence, row.judgements)
            mine.append(UnitView(unit.name, kind, unit.words, sure, judgements))
    return found
