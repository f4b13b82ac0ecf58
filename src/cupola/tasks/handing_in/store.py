"""SQL of files that people hand in; contributors reach them through functions of the database alone."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cupola.platform.pg.statement import Command, Scalar, Statement


@dataclass(frozen=True, slots=True)
class HandedIn:
    task: UUID
    sha256: bytes
    name: str
    media_type: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Known:
    sha256: bytes
    name: str
    media_type: str
    bytes: int


WORK_MAY_HAND_IN = Scalar(
    int,
    "SELECT work_may_hand_in(%(tenant)s, %(worker)s, %(assignment)s, %(task)s, %(most)s, %(most_bytes)s, %(since)s)",
)
WORK_HAND_IN = Scalar(
    int,
    "SELECT work_hand_in(%(tenant)s, %(worker)s, %(assignment)s, %(task)s, %(sha256)s, %(name)s, %(media_type)s, "
    "%(bytes)s, %(most)s, %(most_bytes)s, %(since)s, %(now)s)",
)
WORK_HANDED_IN = Statement(HandedIn, "SELECT * FROM work_handed_in(%(tenant)s, %(worker)s, %(assignment)s)")
WORK_FILE_TYPE = Scalar(str, "SELECT work_file_type(%(tenant)s, %(worker)s, %(assignment)s, %(task)s, %(sha256)s)")

MAY_HAND_IN = Scalar(
    int,
    "SELECT may_hand_in(%(tenant)s, id, %(giver)s, %(most)s, %(most_bytes)s, %(since)s) FROM item "
    "WHERE tenant = %(tenant)s AND id = %(item)s",
)
HAND_IN = Command(
    "INSERT INTO handed_in (tenant, item, giver, sha256, name, media_type, bytes, at) VALUES (%(tenant)s, %(item)s, "
    "%(giver)s, %(sha256)s, %(name)s, %(media_type)s, %(bytes)s, %(now)s) ON CONFLICT DO NOTHING"
)
OF_TASK = Statement(
    Known,
    "SELECT h.sha256, h.name, h.media_type, h.bytes FROM task t JOIN handed_in h ON h.tenant = t.tenant "
    "AND h.item = t.item WHERE t.tenant = %(tenant)s AND t.id = %(task)s AND h.sha256 = ANY(%(sha256s)s)",
)
FILE_TYPE = Scalar(
    str,
    "SELECT media_type FROM handed_in WHERE tenant = %(tenant)s AND item = %(item)s AND sha256 = %(sha256)s LIMIT 1",
)
NAMED = Scalar(
    str, "SELECT media_type FROM handed_in WHERE tenant = %(tenant)s AND sha256 = %(sha256)s ORDER BY name LIMIT 1"
)
