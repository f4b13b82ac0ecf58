"""SQL of crews."""

from __future__ import annotations

from cupola.platform.pg.statement import Command

CREWS_ADD = Command(
    "INSERT INTO crew (tenant, id, created_at) SELECT %(tenant)s, x.id, %(now)s "
    "FROM unnest(%(crews)s::uuid[]) AS x (id) ON CONFLICT DO NOTHING"
)
MEMBERS_END = Command(
    "DELETE FROM crew_member m WHERE m.tenant = %(tenant)s AND m.crew = ANY (%(crews)s::uuid[]) AND NOT EXISTS ("
    "SELECT FROM unnest(%(of)s::uuid[], %(emails)s::text[]) AS x (crew, email) WHERE x.crew = m.crew "
    "AND x.email = m.email)"
)
MEMBERS_ADD = Command(
    "INSERT INTO crew_member (tenant, crew, email) SELECT %(tenant)s, x.crew, x.email "
    "FROM unnest(%(of)s::uuid[], %(emails)s::text[]) AS x (crew, email) ON CONFLICT DO NOTHING"
)
GIVE = Command(
    "UPDATE task t SET crew = x.crew FROM unnest(%(tasks)s::uuid[], %(crews)s::uuid[]) AS x (task, crew) "
    "WHERE t.tenant = %(tenant)s AND t.id = x.task AND t.crew IS DISTINCT FROM x.crew"
)
# whoever claims looks at the whole queue again: what was not for them may be now
GIVEN = Command(
    "UPDATE project SET crewed = true, queue_epoch = queue_epoch + 1 WHERE tenant = %(tenant)s AND id IN ("
    "SELECT project FROM task WHERE tenant = %(tenant)s AND id = ANY (%(tasks)s::uuid[]))"
)
