"""Each rule of tests/absences/rules.py: it holds for the package, and it fails when somebody breaks it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.absences import rules, source

CLEAN = {
    "cupola/tasks/store.py": 'CLAIM = "SELECT id FROM task WHERE tenant = %(tenant)s"\n',
    "cupola/tasks/model.py": "from dataclasses import dataclass\nprice_minor: int = 3\nshare = 1 / 3\n",
    "cupola/tasks/service.py": (
        '"""Select a task from the queue."""\n'
        "import random\nimport time\nimport numpy as np\nfrom cupola.kernel import clock\n"
        'MESSAGE = "Select a class from the list, then update it and delete from it what is wrong."\n'
        "def f(seed: int, paid_minor: int, seconds: float) -> None:\n"
        "    rng = np.random.default_rng(seed)\n"
        "    other: random.Random = random.Random(seed)\n"
        "    hourly_minor = round(paid_minor / seconds)\n"
        "    at = clock.now()\n"
        "    time.sleep(1)\n"
        "async def g(conn):\n    async with conn.transaction(): pass\n"
    ),
    "cupola/kernel/clock.py": "import time\ndef now(): return time.time()\n",
}

VIOLATIONS: dict[rules.Rule, dict[str, str]] = {
    rules.sql_outside_stores: {
        "cupola/tasks/service.py": 'x = "SELECT id FROM task"\n',
        "cupola/tasks/api.py": 'x = f"UPDATE {table} SET state = 1"\n',
        "cupola/tasks/jobs.py": 'x = "insert into task (id) values (1)"\n',
        "cupola/tasks/model.py": 'x = """\n  WITH q AS (SELECT 1) DELETE FROM task\n"""\n',
        "cupola/app/worker.py": 'x = "NOTIFY jobs"\n',
        "cupola/app/serve.py": 'x = "select count(*) from task where state = 1"\n',
    },
    rules.commits_outside_the_helper: {
        "cupola/tasks/service.py": "async def f(conn):\n    await conn.commit()\n",
        "cupola/tasks/jobs.py": "import psycopg\ndef f(url):\n    with psycopg.connect(url) as conn: pass\n",
        "cupola/tasks/store.py": "async def f(pool):\n    async with pool.transaction(): pass\n",
    },
    rules.float_money: {
        "cupola/ledger/model.py": "class A:\n    price_minor: float\n",
        "cupola/ledger/service.py": "def f(a, b):\n    price_minor = a / b\n",
        "cupola/ledger/api.py": "def f(price_minor: 'int | None', fee_minor: float | None): ...\n",
        "cupola/tasks/model.py": "def f(a):\n    return Legs(price_minor=a * 1.1)\n",
        "cupola/tasks/service.py": "def f(price_minor):\n    price_minor /= 2\n",
    },
    rules.http_in_models_and_services: {
        "cupola/tasks/service.py": "from fastapi import HTTPException\n",
        "cupola/tasks/model.py": "import http\n",
        "cupola/ledger/service.py": "from starlette.responses import Response\n",
    },
    rules.clock_or_chance_outside_the_kernel: {
        "cupola/tasks/service.py": "from datetime import datetime\nx = datetime.now()\n",
        "cupola/tasks/model.py": "import time as t\nx = t.time()\n",
        "cupola/tasks/jobs.py": "import random\nx = random.random()\n",
        "cupola/tasks/work.py": "from random import choice\n",
        "cupola/tasks/api.py": "import secrets\n",
        "cupola/tasks/events.py": "import random\nx = random.Random()\n",
        "cupola/tasks/store.py": "from uuid import uuid4\nx = uuid4()\n",
        "cupola/quality/a.py": "import numpy as np\nx = np.random.default_rng()\n",
        "cupola/quality/b.py": "from numpy import random\nx = random.normal()\n",
        "cupola/quality/c.py": "import datetime as d\nf = field(default_factory=d.datetime.utcnow)\n",
    },
    rules.clock_or_chance_in_sql: {
        "cupola/tasks/store.py": 'X = "SELECT id FROM task WHERE expires_at < now()"\n',
        "cupola/schema/0003_x.sql": "CREATE TABLE x (at timestamptz DEFAULT CURRENT_TIMESTAMP);\n",
        "cupola/schema/0004_x.sql": "SELECT 1 ORDER BY random ();\n",
    },
    rules.notify_in_sql: {
        "cupola/tasks/store.py": "X = \"SELECT pg_notify('a', 'b')\"\n",
        "cupola/schema/0003_x.sql": "BEGIN\n  PERFORM 1;\n  NOTIFY jobs;\nEND\n",
    },
    rules.states_by_number: {
        "cupola/tasks/store.py": 'X = "SELECT id FROM task WHERE tenant = %(tenant)s AND t.state = 3"\n',
        "cupola/orders/store.py": 'X = "UPDATE order_task SET waits = NULL, state=2"\n',
        "cupola/routing/store.py": "X = 'SELECT 1 FROM invite WHERE state IN (1, 2)'\n",
        "cupola/ledger/store.py": "X = \"SELECT CASE l.state WHEN 1 THEN 'pay' END FROM lease\"\n",
        "cupola/orders/studio/store.py": "X = 'SELECT id FROM order_task o WHERE o.role <> 1'\n",
        "cupola/orders/projects/store.py": "X = 'SELECT id FROM b WHERE coalesce(b.state, 1) = 1'\n",
        "cupola/quality/store.py": "X = \"SELECT id FROM task WHERE state = ANY ('{1,2}')\"\n",
        "cupola/schema/functions/a.sql": "UPDATE task SET judged = 0,\n  state = greatest(state, 1::smallint);\n",
        "cupola/schema/functions/b.sql": "IF p_state NOT IN (2, 3) THEN\n",
        "cupola/schema/functions/c.sql": "v_a.state := CASE WHEN v_a.open = 0\n  THEN 1 ELSE 0 END;\n",
        "cupola/schema/functions/d.sql": "UPDATE invite SET state = CASE WHEN p THEN {invite.asked} ELSE 1 END\n",
        "cupola/schema/functions/e.sql": "SELECT 1 WHERE v_a.state IS DISTINCT FROM 0;\n",
        "cupola/tasks/adding/store.py": "X = 'SELECT CASE state WHEN {lease.paid} THEN 1 WHEN 4 THEN 2 END'\n",
    },
    rules.imports_inside_functions: {
        "cupola/tasks/service.py": "def f():\n    from cupola.ledger import service\n",
        "cupola/tasks/model.py": "class A:\n    def f(self):\n        if 1:\n            import cupola.kernel.ids\n",
        "cupola/tasks/jobs.py": "def f():\n    from . import store\n",
    },
    rules.import_cycles: {
        "cupola/tasks/service.py": "from cupola.tasks import jobs\n",
        "cupola/tasks/jobs.py": "import cupola.tasks.model\n",
        "cupola/tasks/model.py": "from cupola.tasks.service import f\n",
    },
    rules.network_outside_the_guard: {
        "cupola/tasks/service.py": "import httpx\n",
        "cupola/catalog/jobs.py": "from urllib.request import urlopen\n",
        "cupola/app/serve.py": "import sentry_sdk\n",
        "cupola/platform/x.py": "from urllib import request\n",
    },
    rules.exports_held_in_memory: {
        "cupola/releases/exporters/coco.py": "async def f(conn):\n    return await ROWS.all(conn)\n",
        "cupola/releases/exporters/yolo.py": "def f(rows):\n    return sorted(rows)\n",
    },
    rules.cursors_held_for_readers: {
        "cupola/tasks/api.py": "async def f(conn):\n    async for a in ROWS.stream(conn, x=1):\n        yield a\n",
        "cupola/releases/evidence.py": "def f(conn):\n    return ROWS.stream(conn)\n",
    },
    rules.ladders_of_kinds: {
        "cupola/releases/exporters/coco.py": "def f(label):\n    return isinstance(label, ChoiceLabel)\n",
        "cupola/releases/exporters/yolo.py": "def f(a):\n    return not isinstance(a.shape, labels.Box | str)\n",
        "cupola/app/answers.py": 'def f(kind):\n    return kind == "choice"\n',
        "cupola/tasks/service.py": 'def f(ontology):\n    return ontology.kind in ("objects", "text")\n',
        "cupola/tasks/work.py": 'def f(label):\n    match label.kind:\n        case "text":\n            return 1\n',
        "cupola/labels/base.py": "def f(label):\n    match label:\n        case TextLabel(t):\n            return t\n",
        "cupola/labels/fitting.py": 'def f(shape):\n    return shape.type != "box"\n',
    },
    rules.file_names_in_headers: {
        "cupola/releases/api.py": "def f(name):\n    return f'attachment; filename=\"{name}\"'\n",
        "cupola/ledger/api.py": "x = 'inline; filename=a.csv'\n",
    },
}


@pytest.mark.parametrize("rule", rules.PACKAGE_RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule: rules.Rule) -> None:
    assert rule({**source.package_files(), **SQL_OF.get(rule, dict)()}) == []


def _all_sql() -> dict[str, str]:
    return {**source.schema_files(), **source.function_files()}


# numbered files are what they were when they ran: they say states by number
SQL_OF: dict[rules.Rule, Callable[[], dict[str, str]]] = {
    rules.clock_or_chance_in_sql: _all_sql,
    rules.notify_in_sql: _all_sql,
    rules.states_by_number: source.function_files,
}


@pytest.mark.parametrize(
    ("rule", "path"),
    [(rule, path) for rule, planted in VIOLATIONS.items() for path in planted],
)
def test_a_planted_violation_is_found_where_it_was_planted(rule: rules.Rule, path: str) -> None:
    planted = VIOLATIONS[rule]
    files = planted if rule is rules.import_cycles else {path: planted[path]}
    found = rule(files)
    assert any(source.module_name(path) in offence or path in offence for offence in found), found


def test_every_rule_has_a_planted_violation_and_clean_code_breaks_none() -> None:
    assert set(VIOLATIONS) == set(rules.PACKAGE_RULES)
    for rule in rules.PACKAGE_RULES:
        assert rule(CLEAN) == [], rule.__name__


def test_reading_the_package_finds_it() -> None:
    files = source.package_files()
    assert "cupola/kernel/ids.py" in files
    assert any(path.endswith("/store.py") for path in files)
    assert source.schema_files()
    assert "cupola/schema/functions/claim.sql" in source.function_files()
