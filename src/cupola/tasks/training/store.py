"""SQL of training. What a worker is told comes from functions of the database, which tell nothing of hidden gold."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cupola.platform.pg.long import LongText
from cupola.platform.pg.statement import Command, Scalar, Statement
from cupola.tasks.training.model import Progress, Training


@dataclass(frozen=True, slots=True)
class Expected:
    """A judgement made in training with the label that is right, both JSON text."""

    judgement: UUID
    label: LongText
    expected: LongText


@dataclass(frozen=True, slots=True)
class Pair:
    """A project and its training project, if it has one."""

    training: UUID | None
    trains: UUID | None


@dataclass(frozen=True, slots=True)
class ItemOfTask:
    """An item of a project's dataset, and the project's task about it, if there is one."""

    item: UUID
    task: UUID | None


# ---------------------------------------------------------------- workers (GATEWAY)
PROGRESS = Statement(Progress, "SELECT * FROM work_training(%(tenant)s, %(project)s, %(worker)s)")
EXPECTED = Statement(Expected, "SELECT * FROM work_training_expected(%(tenant)s, %(worker)s, %(judgements)s::uuid[])")
MARK = Statement(
    Progress,
    "SELECT * FROM work_training_mark(%(tenant)s, %(project)s, %(worker)s, %(judgements)s::uuid[], "
    "%(right)s::boolean[], %(now)s)",
)

# ---------------------------------------------------------------- requesters (APP)
PAIR = Statement(Pair, "SELECT training, trains FROM project WHERE tenant = %(tenant)s AND id = %(project)s FOR UPDATE")
PAIR_UP = Command(
    "UPDATE project SET trains = %(project)s, pass_share = %(share)s WHERE tenant = %(tenant)s AND id = %(training)s"
)
PAIRED = Command("UPDATE project SET training = %(training)s WHERE tenant = %(tenant)s AND id = %(project)s")
SHARE = Command("UPDATE project SET pass_share = %(share)s WHERE tenant = %(tenant)s AND id = %(training)s")
VIEW = Statement(
    Training,
    "SELECT p.id AS project, t.id AS training, t.state, t.pass_share, "
    "(SELECT count(*)::int FROM task k WHERE k.tenant = t.tenant AND k.project = t.id AND k.gold "
    "AND k.state < {task.cancelled}) AS tasks, "
    "(SELECT count(*)::int FROM training_pass x WHERE x.tenant = t.tenant AND x.project = t.trains) AS trained, "
    "(SELECT count(DISTINCT a.worker)::int FROM training_answer a WHERE a.tenant = t.tenant AND a.project = t.id "
    "AND NOT EXISTS (SELECT FROM training_pass x WHERE x.tenant = t.tenant AND x.project = t.trains "
    "AND x.worker = a.worker)) AS under_way, "
    "(SELECT count(*)::int FROM training_answer a WHERE a.tenant = t.tenant AND a.project = t.id) AS answers, "
    "(SELECT count(*)::int FROM training_answer a WHERE a.tenant = t.tenant AND a.project = t.id "
    'AND a.is_right) AS "right" '
    "FROM project p JOIN project t ON t.tenant = p.tenant AND t.id = p.training AND t.pass_share IS NOT NULL "
    "WHERE p.tenant = %(tenant)s AND p.id = %(project)s",
)
OPEN = Scalar(
    str,
    "UPDATE project SET state = 'live', launched_at = coalesce(launched_at, %(now)s) WHERE tenant = %(tenant)s "
    "AND id = %(training)s AND state IN ('draft', 'paused') RETURNING state",
)
ITEM = Statement(
    ItemOfTask,
    "SELECT i.id AS item, t.id AS task FROM project p JOIN item i ON i.tenant = p.tenant AND i.dataset = p.dataset "
    "AND i.ref = %(ref)s LEFT JOIN task t ON t.tenant = p.tenant AND t.project = p.id AND t.item = i.id "
    "AND t.state <> {task.cancelled} WHERE p.tenant = %(tenant)s AND p.id = %(project)s",
)
