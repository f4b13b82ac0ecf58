"""SQL of datasets, items, blobs and imports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from cupola.catalog.model import Dataset, ImportState, Refusal
from cupola.platform.pg.statement import Command, Scalar, Statement

Digest: TypeAlias = bytes  # a SHA-256; `bytes` is also the name of a column


@dataclass(frozen=True, slots=True)
class ItemRow:
    """facts: beside the columns (labels.facts); parts: their list as JSON (catalog.showing)."""

    id: UUID
    ref: str
    media_type: str
    asset: Digest | None
    url: str | None
    body: str | None
    bytes: int
    width_px: int | None
    height_px: int | None
    metadata: dict[str, Any]
    thumb: Digest | None
    facts: str | None
    parts: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ImportRow:
    id: UUID
    dataset: UUID
    source: dict[str, Any]
    state: ImportState
    cursor: str | None
    found: int
    accepted: int
    unchanged: int
    refused: int
    noted: int
    bytes: int
    error: str | None
    error_code: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Fingerprint:
    ref: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Added:
    ref: str


@dataclass(frozen=True, slots=True)
class Unseen:
    """A picture without a thumbnail."""

    sha256: bytes
    media_type: str


DATASET_ADD = Command(
    "INSERT INTO dataset (tenant, id, name, licence, created_at) "
    "VALUES (%(tenant)s, %(id)s, %(name)s, %(licence)s, %(now)s)"
)
DATASET = Statement(
    Dataset,
    "SELECT d.id, d.name, d.licence, (SELECT coalesce(sum(c.items), 0)::bigint FROM tally c WHERE c.tenant = d.tenant "
    "AND c.subject = d.id) "
    "AS items, d.created_at FROM dataset d WHERE d.tenant = %(tenant)s AND d.id = %(id)s",
)
DATASETS = Statement(
    Dataset,
    "SELECT d.id, d.name, d.licence, (SELECT coalesce(sum(c.items), 0)::bigint FROM tally c WHERE c.tenant = d.tenant "
    "AND c.subject = d.id) "
    "AS items, d.created_at FROM dataset d WHERE d.tenant = %(tenant)s "
    "AND d.id < %(before)s::uuid ORDER BY d.id DESC LIMIT %(limit)s",
)
DATASET_EXISTS = Scalar(bool, "SELECT true FROM dataset WHERE tenant = %(tenant)s AND id = %(id)s")

# The order of references is that of the unique index, which is the only one that is always there.
ITEMS = Statement(
    ItemRow,
    "SELECT i.id, i.ref, i.media_type, i.asset, i.url, i.body, i.bytes, i.width_px, i.height_px, i.metadata, "
    "b.thumb_sha256 AS thumb, i.facts, CASE WHEN i.parts > 0 THEN item_parts(i.tenant, i.id)::text END AS parts, "
    "i.created_at FROM item i "
    "LEFT JOIN blob b ON b.tenant = i.tenant AND b.sha256 = i.asset "
    "WHERE i.tenant = %(tenant)s AND i.dataset = %(dataset)s AND i.ref > %(after)s ORDER BY i.ref LIMIT %(limit)s",
)

# Rows come as one JSON text, which costs the server's process a fifth of what arrays of each column do.
BLOBS_ADD = Command(
    "INSERT INTO blob (tenant, sha256, bytes, media_type, width_px, height_px, created_at) "
    "SELECT DISTINCT ON (r.asset) %(tenant)s, decode(r.asset, 'base64'), r.size_bytes, r.media_type, r.width_px, "
    "r.height_px, %(now)s FROM json_to_recordset(%(rows)s::json) "
    "AS r (asset text, size_bytes bigint, media_type text, width_px int, height_px int) WHERE r.asset IS NOT NULL "
    # in one order everywhere, so that two imports of the same pictures wait for each other and never deadlock
    "ORDER BY r.asset ON CONFLICT (tenant, sha256) DO NOTHING"
)
ITEMS_ADD = Statement(
    Added,
    "INSERT INTO item (tenant, id, dataset, ref, media_type, asset, url, body, bytes, width_px, height_px, metadata, "
    "pre_label, gold_label, eligible, fingerprint, facts, parts, created_at) "
    "SELECT %(tenant)s, r.id, %(dataset)s, r.ref, r.media_type, decode(r.asset, 'base64'), r.url, r.body, "
    "r.size_bytes, r.width_px, r.height_px, r.metadata::jsonb, r.pre_label, r.gold_label, r.eligible, "
    "decode(r.fingerprint, 'base64'), r.facts, json_array_length(r.parts), %(now)s "
    "FROM json_to_recordset(%(rows)s::json) AS r (id uuid, ref text, media_type text, asset text, url text, "
    "body text, size_bytes bigint, width_px int, height_px int, metadata text, pre_label text, gold_label text, "
    "eligible uuid[], fingerprint text, facts text, parts json) ORDER BY r.ref "
    "ON CONFLICT (tenant, dataset, ref) DO NOTHING RETURNING ref",
)
# Of those items that ITEMS_ADD made: the others have theirs, and those never change.
PARTS_ADD = Command(
    "INSERT INTO item_part (tenant, item, ordinal, role, sensor, timestamp_ns, asset, url, body, media_type, bytes, "
    "facts, meta) SELECT i.tenant, i.id, p.ordinal, p.role, p.sensor, p.timestamp_ns, decode(p.asset, 'base64'), "
    "p.url, p.body, p.media_type, p.size_bytes, p.facts, p.meta::jsonb "
    "FROM json_to_recordset(%(rows)s::json) AS r (id uuid, parts json) "
    "JOIN item i ON i.tenant = %(tenant)s AND i.id = r.id "
    "CROSS JOIN LATERAL json_to_recordset(r.parts) AS p (ordinal smallint, role text, sensor text, "
    "timestamp_ns bigint, asset text, url text, body text, media_type text, size_bytes bigint, facts text, meta text)"
)
# A statement of its own: it sees what another import committed while ITEMS_ADD waited for it.
ITEMS_THERE = Statement(
    Fingerprint,
    "SELECT ref, fingerprint FROM item WHERE tenant = %(tenant)s AND dataset = %(dataset)s "
    "AND ref = ANY (%(refs)s::text[])",
)

IMPORT_ADD = Command(
    "INSERT INTO import_run (tenant, id, dataset, source, state, created_at) "
    "VALUES (%(tenant)s, %(id)s, %(dataset)s, %(source)s::jsonb, 'waiting', %(now)s)"
)
GROWN = Command("SELECT table_grown('item')")
IMPORT = Statement(
    ImportRow,
    "SELECT id, dataset, source, state, cursor, found, accepted, unchanged, refused, noted, bytes, error, error_code, "
    "created_at, started_at, finished_at FROM import_run WHERE tenant = %(tenant)s AND id = %(id)s",
)
IMPORT_LOCKED = Statement(
    ImportRow,
    "SELECT id, dataset, source, state, cursor, found, accepted, unchanged, refused, noted, bytes, error, error_code, "
    "created_at, started_at, finished_at FROM import_run WHERE tenant = %(tenant)s AND id = %(id)s FOR UPDATE",
)
IMPORTS = Statement(
    ImportRow,
    "SELECT id, dataset, source, state, cursor, found, accepted, unchanged, refused, noted, bytes, error, error_code, "
    "created_at, started_at, finished_at FROM import_run WHERE tenant = %(tenant)s AND dataset = %(dataset)s "
    "AND id < %(before)s::uuid ORDER BY id DESC LIMIT %(limit)s",
)
IMPORT_STARTS = Command(
    "UPDATE import_run SET state = 'running', error = NULL, error_code = NULL, finished_at = NULL, "
    "started_at = coalesce(started_at, %(now)s) WHERE tenant = %(tenant)s AND id = %(id)s"
)
# The cursor is also the fence: a second process that works on the same import finds it moved and stops.
IMPORT_ADVANCES = Command(
    "UPDATE import_run SET cursor = %(cursor)s, found = found + %(found)s, accepted = accepted + %(accepted)s, "
    "unchanged = unchanged + %(unchanged)s, refused = refused + %(refused)s, "
    "noted = noted + %(noted)s, bytes = bytes + %(bytes)s "
    "WHERE tenant = %(tenant)s AND id = %(id)s AND state = 'running' AND cursor IS NOT DISTINCT FROM %(before)s"
)
IMPORT_ENDS = Command(
    "UPDATE import_run SET state = %(state)s, error = %(error)s, error_code = %(code)s, finished_at = %(now)s "
    "WHERE tenant = %(tenant)s AND id = %(id)s AND state = 'running' AND cursor IS NOT DISTINCT FROM %(before)s"
)
IMPORT_WAITS = Command(
    "UPDATE import_run SET state = 'waiting', error = NULL, error_code = NULL, finished_at = NULL "
    "WHERE tenant = %(tenant)s AND id = %(id)s AND state <> 'done'"
)
IMPORT_SOURCE = Command("UPDATE import_run SET source = %(source)s::jsonb WHERE tenant = %(tenant)s AND id = %(id)s")
REFUSALS_ADD = Command(
    "INSERT INTO import_refusal (tenant, import, taken, place, ref, reason, detail, remedy) "
    "SELECT %(tenant)s, %(id)s, %(taken)s, r.place, r.ref, r.reason, r.detail, r.remedy "
    "FROM unnest(%(place)s::text[], %(ref)s::text[], %(reason)s::text[], %(detail)s::text[], %(remedy)s::text[]) "
    "AS r (place, ref, reason, detail, remedy)"
)
REFUSALS = Statement(
    Refusal,
    "SELECT n, place, ref, reason, detail, remedy FROM import_refusal "
    "WHERE tenant = %(tenant)s AND import = %(id)s AND taken = %(taken)s AND n > %(after)s ORDER BY n LIMIT %(limit)s",
)

# Keyset over the hash: a picture that cannot be made small is passed, not met again and again.
BLOBS_UNSEEN = Statement(
    Unseen,
    "SELECT sha256, media_type FROM blob WHERE tenant = %(tenant)s AND sha256 > %(after)s AND thumb_sha256 IS NULL "
    "AND width_px IS NOT NULL ORDER BY sha256 LIMIT %(limit)s",
)
THUMB_SET = Command(
    "UPDATE blob SET thumb_sha256 = %(thumb)s WHERE tenant = %(tenant)s AND sha256 = %(sha256)s "
    "AND thumb_sha256 IS NULL"
)
