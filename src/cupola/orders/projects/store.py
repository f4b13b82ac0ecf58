"""SQL of projects of orders, the versions of their parameters, and batches."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cupola.orders.projects.model import Batch, Project, Version
from cupola.platform.pg.statement import Command, Scalar, Statement


@dataclass(frozen=True, slots=True)
class Standing:
    state: int
    paused_from: int | None


_PROJECT = "id, name, type, rapid, studio, dataset_ref, archived, version, created_at"
ADD = Command(
    "INSERT INTO order_project (tenant, id, name, type, rapid, studio, dataset_ref, created_at) "
    "VALUES (%(tenant)s, %(id)s, %(name)s, %(type)s, %(rapid)s, %(studio)s, %(dataset_ref)s, %(now)s) "
    "ON CONFLICT (tenant, name) DO NOTHING"
)
PROJECT = Statement(Project, "SELECT " + _PROJECT + " FROM order_project WHERE tenant = %(tenant)s AND id = %(id)s")
NAMED = Statement(Project, "SELECT " + _PROJECT + " FROM order_project WHERE tenant = %(tenant)s AND name = %(name)s")
NAMED_LOCK = Statement(
    Project,
    "SELECT " + _PROJECT + " FROM order_project WHERE tenant = %(tenant)s AND name = %(name)s FOR NO KEY UPDATE",
)
LIST = Statement(
    Project,
    "SELECT " + _PROJECT + " FROM order_project WHERE tenant = %(tenant)s AND archived = %(archived)s "
    "AND (%(created_from)s::timestamptz IS NULL OR created_at >= %(created_from)s::timestamptz) "
    "AND (%(created_to)s::timestamptz IS NULL OR created_at <= %(created_to)s::timestamptz) "
    "ORDER BY id DESC LIMIT %(limit)s",
)
VERSION_ADD = Command(
    "INSERT INTO order_project_version (tenant, project, version, params, created_at) "
    "VALUES (%(tenant)s, %(project)s, %(version)s, %(params)s, %(now)s)"
)
VERSION_SET = Command("UPDATE order_project SET version = %(version)s WHERE tenant = %(tenant)s AND id = %(project)s")
_VERSION = "project, version, params, created_at"
VERSION = Statement(
    Version,
    "SELECT " + _VERSION + " FROM order_project_version WHERE tenant = %(tenant)s AND project = %(project)s "
    "AND version = %(version)s",
)
VERSIONS = Statement(
    Version,
    "SELECT " + _VERSION + " FROM order_project_version WHERE tenant = %(tenant)s "
    "AND project = ANY (%(projects)s::uuid[]) ORDER BY project, version LIMIT 10000",
)

_BATCH = (
    "b.id, b.project, p.name AS project_name, b.name, b.kind, b.state, b.callback, b.metadata, b.position, b.archived, "
    "b.created_at, b.completed_at, b.paused_from FROM order_batch b "
    "JOIN order_project p ON p.tenant = b.tenant AND p.id = b.project"
)
BATCH_ADD = Command(
    "INSERT INTO order_batch (tenant, id, project, name, kind, state, callback, metadata, created_at) "
    "VALUES (%(tenant)s, %(id)s, %(project)s, %(name)s, %(kind)s, %(state)s, %(callback)s, %(metadata)s, %(now)s) "
    "ON CONFLICT (tenant, name) DO NOTHING"
)
BATCH = Statement(Batch, "SELECT " + _BATCH + " WHERE b.tenant = %(tenant)s AND b.id = %(id)s")
BATCH_NAMED = Statement(Batch, "SELECT " + _BATCH + " WHERE b.tenant = %(tenant)s AND b.name = %(name)s")
BATCH_LOCK = Statement(
    Batch, "SELECT " + _BATCH + " WHERE b.tenant = %(tenant)s AND b.id = %(id)s FOR NO KEY UPDATE OF b"
)
# An order that joins a batch and a batch that completes wait for each other.
BATCH_SHARE = Statement(
    Standing,
    "SELECT state, paused_from FROM order_batch WHERE tenant = %(tenant)s AND id = %(id)s FOR SHARE",
)
_BATCH_WHERE = (
    " WHERE b.tenant = %(tenant)s AND (%(project)s::uuid IS NULL OR b.project = %(project)s::uuid) "
    "AND (%(state)s::smallint IS NULL OR b.state = %(state)s::smallint) AND (NOT %(live_only)s OR NOT b.archived) "
    "AND (%(shown)s::smallint IS NULL OR CASE b.state WHEN {batch.paused} THEN coalesce(b.paused_from, "
    "{batch.in_progress}) WHEN {batch.cancelled} THEN {batch.completed} "
    "ELSE b.state END = %(shown)s::smallint) "
    "AND (%(created_from)s::timestamptz IS NULL OR b.created_at >= %(created_from)s::timestamptz) "
    "AND (%(created_to)s::timestamptz IS NULL OR b.created_at <= %(created_to)s::timestamptz) "
    "AND (%(completed_from)s::timestamptz IS NULL OR b.completed_at >= %(completed_from)s::timestamptz) "
    "AND (%(completed_to)s::timestamptz IS NULL OR b.completed_at <= %(completed_to)s::timestamptz) "
)
BATCHES = Statement(
    Batch,
    "SELECT " + _BATCH + _BATCH_WHERE + "AND b.id < %(after)s::uuid "
    "ORDER BY b.id DESC OFFSET %(offset)s LIMIT %(limit)s",
)
BATCH_COUNT = Scalar(int, "SELECT count(*) FROM order_batch b" + _BATCH_WHERE)
BATCH_STATE = Command(
    "UPDATE order_batch SET state = %(state)s, paused_from = %(paused_from)s, completed_at = %(completed_at)s "
    "WHERE tenant = %(tenant)s AND id = %(id)s"
)
BATCH_METADATA = Command("UPDATE order_batch SET metadata = %(metadata)s WHERE tenant = %(tenant)s AND id = %(id)s")
BATCH_POSITIONS = Command(
    "UPDATE order_batch b SET position = x.n FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS x (id, n) "
    "WHERE b.tenant = %(tenant)s AND b.id = x.id"
)
BATCH_POSITIONS_CLEAR = Command(
    "UPDATE order_batch SET position = NULL WHERE tenant = %(tenant)s AND position IS NOT NULL"
)
# Done when no order is pending (what measures or trains people never is done) and there is one at all; the row is
# locked so that nobody joins meanwhile.
BATCH_DONE = Scalar(
    UUID,
    "UPDATE order_batch b SET state = {batch.completed}, completed_at = %(now)s WHERE b.tenant = %(tenant)s AND b.id = "
    "%(id)s "
    "AND b.state = {batch.in_progress} AND EXISTS (SELECT FROM order_task o WHERE o.tenant = b.tenant AND o.batch = "
    "b.id AND o.role = {role.production}) "
    "AND NOT EXISTS (SELECT FROM order_task o WHERE o.tenant = b.tenant AND o.batch = b.id "
    "AND o.state = {order.pending} AND o.role = {role.production}) "
    "RETURNING b.id",
)
BATCH_AGAIN = Command(
    "UPDATE order_batch SET state = {batch.in_progress}, completed_at = NULL WHERE tenant = %(tenant)s AND id = %(id)s "
    "AND state = {batch.completed}"
)
