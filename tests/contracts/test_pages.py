"""What a page of a list costs is the page: not the table, whatever the database believes about its size.

Every statement that reads a page by its key is run over tables of many rows three times: with statistics taken when
they were small, with none, and with true ones; planned for its values and planned once for all. What it reads of each
table may be a few times the page. What is read to its end (`Pages`) must hold under all of them, for what a page costs
too much is paid for each page; a single page of a list may cost more until its table is analysed, where that is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.sql import SQL, Identifier, Literal

from cupola.kernel import ids
from cupola.platform.pg.cluster import Cluster
from cupola.platform.pg.statement import Pages, Statement
from cupola.platform.pg.tx import BY_INDEX, Role
from tests.contracts.test_statements import numbered, statements

ROWS = 6_000
PAGE = 50
MOST = PAGE * 12  # read of one table for a page: some joins look at a row more than once

# Read otherwise than by a page's key, each for the reason told.
OTHERWISE = {
    "cupola.catalog.store.BLOBS_UNSEEN": "what has no thumbnail is sparse; read once, in passing, by a job",
    "cupola.ledger.store.TRANSFERS": "of one project: two more indexes for each movement of money would cost more",
    "cupola.ledger.store.WORKER_PAYMENTS": "by time, at most a statement's span",
    "cupola.quality.store.GUIDELINE_QUEUE": "what experts said twice, which is few",
}
# Where everything looked for is believed to be one row, the planner takes any index of the tenant and sorts.
UNTIL_ANALYSED = ("cupola.catalog.store.ITEMS", "cupola.quality.store.UNASKED")
# Steps of a job, whose transactions keep to indexes as those of pages do.
STEPS = ("cupola.tasks.adding.store.GOLD_NEXT", "cupola.tasks.adding.store.STEP")
_has_key = re.compile(r"[<>]=? \(?(coalesce\()?%\((after|before|position|id|draw|since)\w*\)s")
_is_key = re.compile(r"after|before|now|position$|id$|draw$")
_no_bound = re.compile(r"%\((\w+)\)s(::\w+)? IS NULL OR \(?[\w.]+(, [\w.]+)*\)? [<>] \(?%\(\1\)s")
NAMED: dict[str, Any] = {"limit": PAGE, "since": 3_000, "until": 3_000 + PAGE, "state": 1, "offset": 0, "slots": 1}
MIDDLE = "00000000-0000-7000-8000-0000{:08d}"  # what the n-th row of every table is called
BY_TYPE = {
    "uuid": MIDDLE.format(3_000),
    "int8": 3_000,
    "int4": 3_000,
    "int2": 0,
    "bytea": "\\x",
    "bool": False,
    "timestamptz": "2026-01-02",
    "text": "r00003000",
    "_uuid": "{}",
}

PAGES = [
    pytest.param(statement, id=name)
    for name, statement in statements()
    if isinstance(statement, Statement)
    and "LIMIT %(limit)s" in statement.sql
    and _has_key.search(statement.sql)
    and name not in OTHERWISE
]

# Rows of the same number belong together. Written as the owner with nothing checked: only the plans matter here.
FILL = """
INSERT INTO item (tenant, id, dataset, ref, media_type, fingerprint, created_at)
  SELECT %(tenant)s, u, %(of)s, 'r' || lpad(n::text, 8, '0'), 'text/plain', '\\x00', '2026-01-01' FROM numbers;
INSERT INTO task (tenant, id, project, item, rank, state, open_slots, judged, settled_version, created_at)
  SELECT %(tenant)s, u, %(of)s, u, n, 1 + n %% 3, (n %% 3 = 0)::int, 1, 1, '2026-01-01' FROM numbers;
INSERT INTO settlement (tenant, id, task, project, version, label, confidence, how, method, judgements, at)
  SELECT %(tenant)s, u, u, %(of)s, 1, 'x', 0.9, 'crowd', 'm', '{}', '2026-01-01' FROM numbers;
INSERT INTO judgement (tenant, id, task, project, assignment, worker, label, seconds, gold, price_minor, transfer, at)
  SELECT %(tenant)s, u, u, %(of)s, u, u, 'x', 1, false, 1, u, '2026-01-01' FROM numbers;
INSERT INTO release_row (tenant, release, position, task, settlement)
  SELECT %(tenant)s, %(of)s, n, u, u FROM numbers;
INSERT INTO audit_item (tenant, release, id, draw, row) SELECT %(tenant)s, %(of)s, u, n, n FROM numbers;
INSERT INTO audit_judgement (tenant, id, audit_item, label, undecidable, correct, seconds, at)
  SELECT %(tenant)s, u, u, 'x', false, true, 1, '2026-01-01' FROM numbers;
INSERT INTO order_task (tenant, id, type, project, batch, params, created_at, updated_at, foundry_task)
  SELECT %(tenant)s, u, 't', %(of)s, %(of)s, '{}', '2026-01-01', '2026-01-01', u FROM numbers;
INSERT INTO project (tenant, id, name, dataset, ontology_version, kind, state, target_accuracy, confidence,
  min_judgements, max_judgements, gold_rate, audit_items, currency, page_size, lease_s, routing, created_at)
  SELECT %(tenant)s, %(of)s, %(of)s::text, %(of)s, %(of)s, 'choice', 'live', 0.9, 0.9, 1, 3, 0, 0, 'EUR', 10, 60,
  'open', '2026-01-01';
INSERT INTO release (tenant, id, project, name, state, licence, items, plan, plan_sha256, rows_sha256, seed_commitment,
  created_at) SELECT %(tenant)s, %(of)s, %(of)s, 'r', 'auditing', '', %(rows)s, '{}', '', '', '', '2026-01-01';
INSERT INTO event (tenant, seq, kind, at) OVERRIDING SYSTEM VALUE
  SELECT %(tenant)s, %(first)s + n, 'k', '2026-01-01' FROM numbers;
"""
TABLES = (
    "item",
    "task",
    "settlement",
    "judgement",
    "release_row",
    "audit_item",
    "audit_judgement",
    "order_task",
    "event",
)


def fill(conn: psycopg.Connection, tenant: UUID, of: UUID, rows: int, first: int) -> None:
    conn.execute("DROP TABLE IF EXISTS numbers")
    conn.execute(
        SQL(
            "CREATE TEMP TABLE numbers AS SELECT n, ({} || lpad(n::text, 8, '0'))::uuid AS u "
            "FROM generate_series(0, {}) n"
        ).format(Literal(MIDDLE.format(0)[:-8]), Literal(rows - 1))
    )
    params = {"tenant": tenant, "of": of, "rows": rows, "first": first}
    for statement in FILL.split(";\n"):
        if statement.strip():
            conn.execute(statement.encode(), params)


@pytest.fixture(scope="module")
def tables(cluster: Cluster, foundry_template: str) -> Iterator[tuple[psycopg.Connection, UUID, UUID]]:
    """Tables that were looked at when ten rows were in them, and have many since."""
    url = cluster.create_database(f"pages_{ids.token(6).lower().replace('-', '_')}", template=foundry_template)
    tenant, of = ids.uuid7(), ids.uuid7()
    with psycopg.connect(url, autocommit=True, options="-c search_path=cupola") as conn:
        conn.execute("SET session_replication_role = replica")
        for table in TABLES:
            conn.execute(SQL("ALTER TABLE {} SET (autovacuum_enabled = off)").format(SQL(table)))
        fill(conn, ids.uuid7(), ids.uuid7(), 10, 0)
        conn.execute("ANALYZE")
        fill(conn, tenant, of, ROWS, 1_000)
        conn.execute("RESET session_replication_role")
        yield conn, tenant, of


@pytest.fixture(scope="module", params=["of when they were small", "none", "true"])
def known(request: pytest.FixtureRequest, tables: tuple[psycopg.Connection, UUID, UUID]) -> Any:
    """What the planner knows of the tables."""
    conn, _, _ = tables
    if request.param == "none":
        conn.execute(
            "DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM pg_class WHERE relname = ANY (%s))",
            (list(TABLES),),
        )
    elif request.param == "true":
        conn.execute("ANALYZE")
    return tables


def read(plan: dict[str, Any]) -> dict[str, int]:
    """How many rows a plan looked at, by table."""
    found: dict[str, int] = {}
    if "Relation Name" in plan:
        looked = plan["Actual Rows"] + sum(plan.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
        found[plan["Relation Name"]] = int(looked * plan["Actual Loops"])
    for inner in plan.get("Plans", ()):
        for table, rows in read(inner).items():
            found[table] = found.get(table, 0) + rows
    return found


def value(name: str, kind: str, tenant: UUID, of: UUID) -> Any:
    """What a parameter is given: the middle of the table where it is the page's key, nothing where it is a wish."""
    if name == "tenant":
        return tenant
    if name in ("project", "dataset", "release", "batch", "import", "subject"):
        return of
    if name in NAMED:
        return NAMED[name]
    if name == "gold" and kind != "bool":  # which of the items, not whether to show only those
        return BY_TYPE[kind]
    return BY_TYPE[kind] if kind == "bool" or _is_key.match(name) else None


def too_much(
    conn: psycopg.Connection, tenant: UUID, of: UUID, statement: Statement[Any], mode: str, *, by_index: bool
) -> dict[str, int]:
    """The tables of which running the statement reads more than belongs to a page."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement.sql)))
    conn.execute(f"PREPARE one AS {numbered(statement.sql)}".encode())
    types = conn.execute(
        "SELECT t.typname FROM pg_prepared_statements p, unnest(p.parameter_types) WITH ORDINALITY x (type, n) "
        "JOIN pg_type t ON t.oid = x.type WHERE p.name = 'one' ORDER BY x.n"
    ).fetchall()
    values = [Literal(value(name, kind, tenant, of)) for name, (kind,) in zip(names, types, strict=True)]
    asked = SQL("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE one ({})").format(SQL(", ").join(values))
    try:
        for role in Role:
            try:
                with conn.transaction(force_rollback=True):
                    conn.execute(SQL("SET LOCAL plan_cache_mode = {}").format(Literal(mode)))
                    conn.execute(SQL("SET LOCAL ROLE {}").format(Identifier(role.value)))
                    conn.execute("SELECT set_config('app.tenant', %s, true)", (str(tenant),))
                    if by_index:
                        conn.execute(BY_INDEX.removeprefix(";").encode())
                    (told,) = conn.execute(asked).fetchone() or ([],)
                return {table: rows for table, rows in read(told[0]["Plan"]).items() if rows > MOST}
            except psycopg.errors.InsufficientPrivilege:
                continue
        raise AssertionError("no role may run it")
    finally:
        conn.execute("DEALLOCATE one")


@pytest.mark.parametrize("statement", PAGES)
@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
def test_a_page_reads_no_more_than_a_page(
    known: tuple[psycopg.Connection, UUID, UUID], statement: Statement[Any], mode: str, request: pytest.FixtureRequest
) -> None:
    asked = request.node.callspec
    if any(name in asked.id for name in UNTIL_ANALYSED) and asked.params["known"] != "true":
        pytest.skip("until the table is analysed")
    by_index = isinstance(statement, Pages) or any(name in asked.id for name in STEPS)
    assert too_much(*known, statement, mode, by_index=by_index) == {}


def test_a_page_that_reads_its_whole_table_is_found(tables: tuple[psycopg.Connection, UUID, UUID]) -> None:
    """As pages were asked for once: the planner cannot know that the place is given, so no index finds it."""
    asked = (
        "SELECT id FROM judgement WHERE tenant = %(tenant)s AND project = %(project)s "
        "AND (%(id)s::uuid IS NULL OR id > %(id)s::uuid) ORDER BY id LIMIT %(limit)s"
    )
    assert set(too_much(*tables, Statement(object, asked), "force_generic_plan", by_index=False)) == {"judgement"}


@pytest.mark.parametrize(("name", "statement"), [pytest.param(n, s, id=n) for n, s in statements()])
def test_where_a_page_begins_is_a_value(name: str, statement: Any) -> None:
    """`%(after)s IS NULL OR id > %(after)s` is no bound that an index can take in a plan made once for all values."""
    assert not _no_bound.search(statement.sql), f"{name}: compare with coalesce(%(…)s, the least or greatest value)"
