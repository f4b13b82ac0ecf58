"""SQL of single tasks. A band is a stretch of ranks: whoever claims walks through the lower bands first."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cupola.platform.pg.statement import Command, Scalar, Statement
from cupola.tasks.store import SettlementRow


@dataclass(frozen=True, slots=True)
class TaskOfItem:
    id: UUID
    item: UUID


@dataclass(frozen=True, slots=True)
class AskedTask(TaskOfItem):
    """made: it was not there before."""

    made: bool


# Within a band by age. The place is how many tasks there are, told by the locked project and its few golds: looking for
# the highest place would read all of them.
TASKS_OF_ITEMS = Statement(
    AskedTask,
    "WITH base AS (SELECT %(total)s::bigint + count(*) AS top FROM task "
    "WHERE tenant = %(tenant)s AND project = %(project)s AND gold), "
    "made AS (INSERT INTO task (tenant, id, project, item, rank, gold, open_slots, created_at) "
    "SELECT %(tenant)s, md5(uuidv7()::text)::uuid, %(project)s, x.item, "
    "x.band * 1099511627776 + base.top + x.n, x.gold, "
    "CASE WHEN x.gold THEN 0 ELSE %(slots)s::smallint END, %(now)s FROM base, "
    "unnest(%(items)s::uuid[], %(bands)s::bigint[], %(golds)s::boolean[]) WITH ORDINALITY AS x (item, band, gold, n) "
    "ON CONFLICT (tenant, project, item) DO NOTHING RETURNING id, item) "
    "SELECT id, item, true AS made FROM made UNION ALL SELECT id, item, false FROM task "
    "WHERE tenant = %(tenant)s AND project = %(project)s AND item = ANY (%(items)s::uuid[])",
)
# a new epoch: whoever works here looks at the whole queue again, for a lower band may have come
MORE_TASKS = Command(
    "UPDATE project SET tasks_total = tasks_total + %(more)s, queue_epoch = queue_epoch + 1, "
    "heaviest_bytes = greatest(heaviest_bytes, (SELECT max(item_bytes(i)) FROM item i WHERE i.tenant = %(tenant)s "
    "AND i.id = ANY (%(items)s::uuid[]))) "
    "WHERE tenant = %(tenant)s AND id = %(project)s"
)
STATE = Scalar(str, "SELECT state FROM project WHERE tenant = %(tenant)s AND id = %(project)s")
TASKS_CANCEL = Statement(
    TaskOfItem,
    "UPDATE task SET state = {task.cancelled}, open_slots = 0 WHERE tenant = %(tenant)s AND id = ANY "
    "(%(tasks)s::uuid[]) AND state = {task.open} AND judged = 0 AND leased = 0 RETURNING id, item",
)
TASKS_HOLD = Command(
    "UPDATE task SET open_slots = 0 WHERE tenant = %(tenant)s AND id = ANY (%(tasks)s::uuid[]) "
    "AND state = {task.open} AND judged = 0 AND leased = 0"
)
TASKS_FREE = Command(
    "UPDATE task t SET open_slots = p.min_judgements FROM project p WHERE t.tenant = %(tenant)s "
    "AND t.id = ANY (%(tasks)s::uuid[]) AND p.tenant = t.tenant AND p.id = t.project AND NOT t.gold "
    "AND t.state = {task.open} AND t.judged = 0 AND t.leased = 0"
)
TASK_REOPEN = Scalar(
    UUID,
    "UPDATE task t SET state = {task.collecting}, open_slots = p.min_judgements, heard_since = %(now)s, settled_at = "
    "NULL FROM project p WHERE t.tenant = %(tenant)s AND t.id = %(task)s AND p.tenant = t.tenant AND p.id = t.project "
    "AND t.state = {task.settled} RETURNING t.project",
)
SETTLED = Statement(
    SettlementRow,
    "SELECT s.id, s.task, s.version, s.label, s.confidence, s.how, s.method, s.judgements, s.at FROM settlement s "
    "JOIN task t ON t.tenant = s.tenant AND t.id = s.task WHERE s.tenant = %(tenant)s AND s.task = %(task)s "
    "AND (t.heard_since IS NULL OR s.at > t.heard_since) ORDER BY s.version DESC LIMIT 1",
)
TASKS_BAND = Command(
    "UPDATE task t SET rank = x.band * 1099511627776 + t.rank %% 1099511627776 "
    "FROM unnest(%(tasks)s::uuid[], %(bands)s::bigint[]) AS x (task, band) "
    "WHERE t.tenant = %(tenant)s AND t.id = x.task"
)
EPOCHS = Command(
    "UPDATE project SET queue_epoch = queue_epoch + 1 WHERE tenant = %(tenant)s AND id IN ("
    "SELECT project FROM task WHERE tenant = %(tenant)s AND id = ANY (%(tasks)s::uuid[]))"
)
EPOCH = Command("UPDATE project SET queue_epoch = queue_epoch + 1 WHERE tenant = %(tenant)s AND id = %(project)s")
