"""SQL of making the tasks of a project from a dataset, some items at a time."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cupola.platform.pg.long import LongText
from cupola.platform.pg.statement import Command, Scalar, Statement


@dataclass(frozen=True, slots=True)
class AddingRow:
    """What is left to do: items of the dataset after `after`. Gold is what has a key below gold_below."""

    project: UUID
    dataset: UUID
    gold_below: str
    after: UUID
    items: int
    looked_at: int
    made: int
    trouble: str


@dataclass(frozen=True, slots=True)
class GoldGiven:
    item: UUID
    ref: str
    gold_label: LongText


@dataclass(frozen=True, slots=True)
class NamedRow:
    ref: str
    url: str | None
    metadata: str


@dataclass(frozen=True, slots=True)
class StepRow:
    """read: items looked at, the last of them `last`; made: new tasks; ordinary: those of them that are no gold."""

    read: int
    made: int
    ordinary: int
    last: UUID | None


# Which of the known answers become gold is drawn, so that no place in the manifest tells it: the first of an order that
# is the items' and the project's alone, so that a step needs to know no more than where it ends.
_KEY = 'md5(i.id::text || %(project)s::uuid::text) COLLATE "C"'
_KNOWN = (
    "FROM item i WHERE i.tenant = %(tenant)s AND i.dataset = %(dataset)s AND i.gold_label IS NOT NULL AND NOT EXISTS "
    "(SELECT FROM task t WHERE t.tenant = i.tenant AND t.project = %(project)s AND t.item = i.id)"
)
KNOWN = Scalar(int, "SELECT count(*) " + _KNOWN)
GOLD_BELOW = Scalar(str, "SELECT " + _KEY + " AS key " + _KNOWN + " ORDER BY 1 OFFSET %(golds)s LIMIT 1")
ITEMS = Scalar(
    int, "SELECT coalesce(sum(items), 0)::bigint FROM tally WHERE tenant = %(tenant)s AND subject = %(dataset)s"
)

BEGIN = Command(
    "INSERT INTO task_adding (tenant, project, dataset, gold_below, after, items, at) VALUES "
    "(%(tenant)s, %(project)s, %(dataset)s, %(gold_below)s, %(after)s, %(items)s, %(now)s) "
    "ON CONFLICT (tenant, project) DO UPDATE SET dataset = excluded.dataset, gold_below = excluded.gold_below, "
    "after = excluded.after, items = excluded.items, looked_at = 0, made = 0, trouble = '', at = excluded.at"
)
ADDING = Statement(
    AddingRow,
    "SELECT project, dataset, gold_below, after, items, looked_at, made, trouble FROM task_adding "
    "WHERE tenant = %(tenant)s AND project = %(project)s",
)
ADDING_LOCK = Statement(AddingRow, ADDING.sql + " FOR NO KEY UPDATE")
WENT_ON = Command(
    "UPDATE task_adding SET after = %(after)s, looked_at = looked_at + %(read)s, made = made + %(made)s "
    "WHERE tenant = %(tenant)s AND project = %(project)s"
)
GROWN = Command("SELECT table_grown('task')")
DONE = Command("DELETE FROM task_adding WHERE tenant = %(tenant)s AND project = %(project)s")
TROUBLE = Command("UPDATE task_adding SET trouble = %(trouble)s WHERE tenant = %(tenant)s AND project = %(project)s")

# The next items, in the order of their import. What is gold among them must fit the ontology before it is made.
_NEXT = (
    "(SELECT id, ref, gold_label FROM item WHERE tenant = %(tenant)s AND dataset = %(dataset)s "
    "AND id > %(after)s::uuid ORDER BY id LIMIT %(limit)s)"
)
GOLD_NEXT = Statement(
    GoldGiven,
    "SELECT i.id AS item, i.ref, i.gold_label FROM " + _NEXT + " i "
    "LEFT JOIN LATERAL (SELECT true AS there FROM task WHERE tenant = %(tenant)s AND project = %(project)s "
    "AND item = i.id LIMIT 1) t ON true WHERE i.gold_label IS NOT NULL AND "
    + _KEY
    + " < %(gold_below)s AND t.there IS NULL",
)
# Ranks follow the order of import, after what the project has already. Identifiers follow nothing: whoever works sees
# them, and where a manifest has its gold first they would tell.
STEP = Statement(
    StepRow,
    "WITH few AS MATERIALIZED (SELECT i.id, i.id = ANY (%(gold)s::uuid[]) AS gold FROM " + _NEXT + " i), "
    "base AS MATERIALIZED (SELECT coalesce((SELECT rank FROM task WHERE tenant = %(tenant)s AND project = %(project)s "
    "ORDER BY rank DESC LIMIT 1), 0) AS top), "
    "made AS (INSERT INTO task (tenant, id, project, item, rank, gold, open_slots, created_at) "
    "SELECT %(tenant)s, md5(uuidv7()::text)::uuid, %(project)s, f.id, b.top + row_number() OVER (ORDER BY f.id), "
    "f.gold, CASE WHEN f.gold THEN 0 ELSE %(slots)s END, %(now)s FROM few f CROSS JOIN base b "
    "ON CONFLICT (tenant, project, item) DO NOTHING RETURNING gold) "
    "SELECT (SELECT count(*) FROM few) AS read, (SELECT count(*) FROM made) AS made, "
    "(SELECT count(*) FROM made WHERE NOT gold) AS ordinary, (SELECT id FROM few ORDER BY id DESC LIMIT 1) AS last",
)
GOLD_ADD = Command(
    "INSERT INTO gold (tenant, task, label, code, at) SELECT %(tenant)s, t.id, x.label, x.code, %(now)s "
    "FROM unnest(%(items)s::uuid[], %(labels)s::text[], %(codes)s::smallint[]) AS x (item, label, code) "
    "JOIN task t ON t.tenant = %(tenant)s AND t.project = %(project)s AND t.item = x.item AND t.gold "
    "ON CONFLICT (tenant, task) DO NOTHING",
    keeps=("labels",),
)
# The first of either sort by key: which those are has nothing to do with what they are called.
NAMED = Statement(
    NamedRow,
    "SELECT i.ref, i.url, CASE WHEN octet_length(i.metadata::text) <= 20000 THEN i.metadata::text ELSE '{}' END "
    "AS metadata FROM (SELECT item FROM task WHERE tenant = %(tenant)s AND project = %(project)s AND gold = %(gold)s "
    "ORDER BY id LIMIT %(limit)s) t JOIN item i ON i.tenant = %(tenant)s AND i.id = t.item",
)
NAMES_TELL = Command("UPDATE project SET names_tell = true WHERE tenant = %(tenant)s AND id = %(project)s")
TOLD = Scalar(bool, "SELECT names_tell FROM project WHERE tenant = %(tenant)s AND id = %(project)s")
INVITES_ADD = Command(
    "INSERT INTO invite (tenant, task, worker, project, state) SELECT t.tenant, t.id, e.worker, t.project, "
    "{invite.waiting} FROM item i JOIN task t ON t.tenant = i.tenant AND t.project = %(project)s AND t.item = i.id "
    "CROSS JOIN LATERAL unnest(i.eligible) AS e (worker) WHERE i.tenant = %(tenant)s AND i.dataset = %(dataset)s "
    "AND i.id > %(after)s AND i.id <= %(last)s ON CONFLICT DO NOTHING"
)
TOTAL = Command(
    "UPDATE project SET tasks_total = tasks_total + %(more)s, queue_epoch = queue_epoch + 1, "
    "heaviest_bytes = greatest(heaviest_bytes, (SELECT max(item_bytes(i)) FROM item i WHERE i.tenant = %(tenant)s "
    "AND i.dataset = %(dataset)s AND i.id > %(after)s::uuid AND i.id <= %(last)s::uuid)) "
    "WHERE tenant = %(tenant)s AND id = %(project)s"
)
