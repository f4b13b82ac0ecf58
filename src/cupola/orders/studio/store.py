"""SQL of assignments, groups and the order of batches."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cupola.orders.studio.model import Assigned, Group, GroupMember, StudioBatch
from cupola.platform.pg.statement import Command, Scalar, Statement


@dataclass(frozen=True, slots=True)
class CrewRow:
    """Who a batch or a project is for."""

    crew: UUID
    emails: list[str]


@dataclass(frozen=True, slots=True)
class CrewOfTask:
    foundry_task: UUID
    crew: UUID | None


@dataclass(frozen=True, slots=True)
class Spelling:
    email: str
    shown: str


# Postgres and Python may differ in what a lower case letter is: what does not fit is compared, but not shown.
SPELL = Command(
    "INSERT INTO order_spelling (tenant, email, shown) SELECT %(tenant)s, x.email, x.shown "
    "FROM unnest(%(emails)s::text[], %(shown)s::text[]) AS x (email, shown) WHERE lower(x.shown) = x.email "
    "ON CONFLICT (tenant, email) DO UPDATE SET shown = excluded.shown"
)
SPELLINGS = Statement(
    Spelling, "SELECT email, shown FROM order_spelling WHERE tenant = %(tenant)s ORDER BY email LIMIT 100000"
)
ASSIGNED = Statement(
    Assigned,
    "SELECT a.email, p.name AS project FROM order_assigned a JOIN order_project p ON p.tenant = a.tenant "
    "AND p.id = a.project WHERE a.tenant = %(tenant)s ORDER BY a.email, p.name LIMIT 100000",
)
ASSIGN = Command(
    "INSERT INTO order_assigned (tenant, email, project, at) SELECT %(tenant)s, e.email, p.project, %(now)s "
    "FROM unnest(%(emails)s::text[]) AS e (email) CROSS JOIN unnest(%(projects)s::uuid[]) AS p (project) "
    "ON CONFLICT DO NOTHING"
)
UNASSIGN = Command(
    "DELETE FROM order_assigned WHERE tenant = %(tenant)s AND email = ANY (%(emails)s::text[]) "
    "AND project = ANY (%(projects)s::uuid[])"
)
GROUP_ADD = Command(
    "INSERT INTO order_group (tenant, id, project, name, created_at) "
    "VALUES (%(tenant)s, %(id)s, %(project)s, %(name)s, %(now)s)"
)
GROUPS = Statement(
    Group,
    "SELECT id, name FROM order_group WHERE tenant = %(tenant)s AND project = %(project)s ORDER BY id LIMIT 10000",
)
GROUP_NAMED = Statement(
    Group,
    "SELECT id, name FROM order_group WHERE tenant = %(tenant)s AND project = %(project)s AND name = %(name)s",
)
MEMBERS = Statement(
    GroupMember,
    "SELECT grp, id, email FROM order_group_member WHERE tenant = %(tenant)s AND grp = ANY (%(groups)s::uuid[]) "
    "ORDER BY grp, email LIMIT 100000",
)
MEMBERS_ADD = Command(
    "INSERT INTO order_group_member (tenant, grp, email, id) SELECT %(tenant)s, %(grp)s, x.email, uuidv7() "
    "FROM unnest(%(emails)s::text[]) AS x (email) ON CONFLICT DO NOTHING"
)
MEMBERS_REMOVE = Command(
    "DELETE FROM order_group_member WHERE tenant = %(tenant)s AND grp = %(grp)s AND email = ANY (%(emails)s::text[])"
)
BATCH_GROUPS_CLEAR = Command("DELETE FROM order_batch_group WHERE tenant = %(tenant)s AND batch = %(batch)s")
BATCH_GROUPS_ADD = Command(
    "INSERT INTO order_batch_group (tenant, batch, grp) SELECT %(tenant)s, %(batch)s, x.grp "
    "FROM unnest(%(groups)s::uuid[]) AS x (grp)"
)
BATCHES = Statement(
    StudioBatch,
    "SELECT b.id, b.name, b.project, p.name AS project_name, b.kind, b.position, "
    "(SELECT count(*)::int FROM order_task o WHERE o.tenant = b.tenant AND o.batch = b.id) AS total, "
    "(SELECT count(*)::int FROM order_task o WHERE o.tenant = b.tenant AND o.batch = b.id "
    "AND o.state = {order.completed}) AS completed, "
    "coalesce((SELECT array_agg(g.name ORDER BY g.name) FROM order_batch_group x JOIN order_group g "
    "ON g.tenant = x.tenant AND g.id = x.grp WHERE x.tenant = b.tenant AND x.batch = b.id), '{}') AS groups "
    "FROM order_batch b JOIN order_project p ON p.tenant = b.tenant AND p.id = b.project "
    "WHERE b.tenant = %(tenant)s AND b.state IN ({batch.staging}, {batch.in_progress}, {batch.paused}) AND NOT "
    "b.archived AND (%(batch)s::uuid IS NULL OR b.id = %(batch)s::uuid) "
    "ORDER BY b.position NULLS LAST, b.id LIMIT 10000",
)
BATCH_PENDING = Scalar(
    UUID,
    "SELECT id FROM order_batch WHERE tenant = %(tenant)s AND name = %(name)s AND state IN ({batch.staging}, "
    "{batch.in_progress}, {batch.paused})",
)

# ---------------------------------------------------------------- who is offered what
# Placing shares the lock, changing takes it alone: no order slips into the queue between a change and its effect.
CREWS_LOCK = Command("SELECT pg_advisory_xact_lock(hashtextextended(%(tenant)s, 6))")
CREWS_SHARE = Command("SELECT pg_advisory_xact_lock_shared(hashtextextended(%(tenant)s, 6))")
CREWS = Statement(
    CrewRow,
    "SELECT x.batch AS crew, coalesce(array_agg(DISTINCT m.email) FILTER (WHERE m.email IS NOT NULL), '{}') AS emails "
    "FROM order_batch_group x JOIN order_batch b ON b.tenant = x.tenant AND b.id = x.batch "
    "LEFT JOIN order_group_member m ON m.tenant = x.tenant AND m.grp = x.grp "
    "WHERE x.tenant = %(tenant)s AND b.project = %(project)s GROUP BY x.batch "
    "UNION ALL SELECT p.project, array_agg(DISTINCT p.email) FROM ("
    "SELECT project, email FROM order_assigned WHERE tenant = %(tenant)s AND project = %(project)s "
    "UNION ALL SELECT g.project, m.email FROM order_group g JOIN order_group_member m ON m.tenant = g.tenant "
    "AND m.grp = g.id WHERE g.tenant = %(tenant)s AND g.project = %(project)s) AS p GROUP BY p.project",
)
_CREW = (
    "SELECT o.foundry_task, CASE WHEN o.role = {role.production} AND EXISTS (SELECT FROM order_batch_group x WHERE "
    "x.tenant = o.tenant AND x.batch = o.batch) THEN o.batch "
    "WHEN EXISTS (SELECT FROM order_assigned a WHERE a.tenant = o.tenant AND a.project = o.project) "
    "OR EXISTS (SELECT FROM order_group g JOIN order_group_member m ON m.tenant = g.tenant AND m.grp = g.id "
    "WHERE g.tenant = o.tenant AND g.project = o.project) THEN o.project END AS crew FROM order_task o "
    "WHERE o.tenant = %(tenant)s AND o.foundry_task IS NOT NULL AND o.role <> {role.evaluation} "
)
CREWS_OF_PROJECT = Statement(
    CrewOfTask, _CREW + "AND o.project = %(project)s AND o.state = {order.pending} ORDER BY o.id LIMIT 1000000"
)
CREWS_OF_ORDERS = Statement(CrewOfTask, _CREW + "AND o.id = ANY (%(orders)s::uuid[]) AND o.project IS NOT NULL")
