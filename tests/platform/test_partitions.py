"""The large tables spread into partitions by tenant: the same rows, rules and rights, and the work goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import conninfo

from cupola.kernel.errors import Problem
from cupola.platform.pg import partitions
from cupola.platform.pg.cluster import Cluster
from cupola.tasks.model import Plan
from tests.absences.catalogue import ABSENCES, offences
from tests.foundry import Foundry, Project, fresh_foundry

PLAN = Plan(target_accuracy=0.6, min_judgements=1, max_judgements=1, gold_rate=0.3)
# What a table is, for whoever writes to it: columns, keys, checks, indexes, triggers, policies and rights.
SHAPE = """
SELECT 'column', attrelid::regclass::text, attname, format_type(atttypid, atttypmod) || attnotnull || attgenerated::text
    || CASE WHEN attidentity <> '' THEN 'counts' ELSE coalesce(pg_get_expr(d.adbin, d.adrelid), '') END
  FROM pg_attribute LEFT JOIN pg_attrdef d ON d.adrelid = attrelid AND d.adnum = attnum
  WHERE attrelid = ANY (%(tables)s::regclass[]) AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
  WHERE (conrelid = ANY (%(tables)s::regclass[]) OR confrelid = ANY (%(tables)s::regclass[]))
    AND conrelid NOT IN (SELECT inhrelid FROM pg_inherits) AND conparentid = 0 AND contype <> 't'
UNION ALL SELECT 'index', indrelid::regclass::text, indexrelid::regclass::text,
    replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') FROM pg_index
  WHERE indrelid = ANY (%(tables)s::regclass[])
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger
  WHERE tgrelid = ANY (%(tables)s::regclass[]) AND NOT tgisinternal
UNION ALL SELECT 'policy', polrelid::regclass::text, polname, polcmd::text || polpermissive::text || polroles::text
    || coalesce(pg_get_expr(polqual, polrelid), '') || '/' || coalesce(pg_get_expr(polwithcheck, polrelid), '')
  FROM pg_policy WHERE polrelid = ANY (%(tables)s::regclass[])
UNION ALL SELECT 'rights', oid::regclass::text, 'table', (SELECT string_agg(a::text, ' ' ORDER BY a::text)
    FROM aclexplode(relacl) a) FROM pg_class WHERE oid = ANY (%(tables)s::regclass[] || '{audit_verdict}'::regclass[])
UNION ALL SELECT 'rights', attrelid::regclass::text, attname, attacl::text FROM pg_attribute
  WHERE attrelid = ANY (%(tables)s::regclass[]) AND attacl IS NOT NULL
ORDER BY 1, 2, 3, 4
"""
ROWS = "SELECT '{0}', count(*), coalesce(md5(string_agg(md5(x::text), '' ORDER BY md5(x::text))), '') FROM {0} x"


@pytest.fixture(scope="module")
def spread(
    cluster: Cluster, foundry_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Foundry, Project, dict[str, Any], dict[str, Any]]]:
    """An instance with work in all states, spread over 4 and then over 3; and what it was like before and after."""
    with fresh_foundry(cluster, foundry_template, tmp_path_factory.mktemp("spread")) as foundry:
        projects = [foundry.project(foundry.tenant(), 20, gold={1: "b"}, plan=PLAN) for _ in range(5)]
        for project in projects:
            people = foundry.people(2)
            foundry.submit(people[0], foundry.claim(people[0], project, 4), "a", only=2)
            foundry.claim(people[1], project, 2)
        foundry.hear()
        before = told(foundry)
        foundry.restart()
        foundry.call(lambda run: run.db.close())
        partitions.spread(foundry.admin_url, 4)
        partitions.spread(foundry.admin_url, 3)
        name = str(conninfo.conninfo_to_dict(foundry.admin_url)["dbname"])
        with fresh_foundry(cluster, name, tmp_path_factory.mktemp("after")) as after:
            after.made = 1_000
            yield after, projects[0], before, told(after)


def told(foundry: Foundry) -> dict[str, Any]:
    with psycopg.connect(foundry.admin_url, options="-c search_path=cupola") as conn:
        shape = conn.execute(SHAPE, {"tables": list(partitions.TABLES)}).fetchall()
        rows = [conn.execute(ROWS.format(table)).fetchone() for table in partitions.TABLES]  # type: ignore[arg-type]
        wrong = {absence.name: offences(conn, absence) for absence in ABSENCES}
        numbers = conn.execute("SELECT max(seq) FROM event").fetchone()
    return {"shape": shape, "rows": rows, "wrong": wrong, "numbers": numbers}


def test_nothing_of_a_table_is_lost_on_the_way(spread: tuple[Foundry, Project, dict[str, Any], dict[str, Any]]) -> None:
    foundry, _, before, after = spread
    assert after["rows"] == before["rows"]
    assert all(row[1] > 0 for row in after["rows"])
    assert after["shape"] == before["shape"]
    assert len(after["shape"]) > 150
    assert after["wrong"] == {name: [] for name in before["wrong"]}
    assert partitions.present(foundry.admin_url) == 3
    kept = foundry.sql("SELECT count(*) FROM task GROUP BY tableoid")
    assert len(kept) > 1, "tenants lie in different partitions"


def test_work_goes_on_and_is_paid(spread: tuple[Foundry, Project, dict[str, Any], dict[str, Any]]) -> None:
    foundry, project, _, after = spread
    for person in foundry.people(3):
        page = foundry.claim(person, project, 3)
        assert foundry.submit(person, page, "a").paid_minor > 0
    foundry.hear()
    foundry.sound()
    assert foundry.sql("SELECT count(*) FROM task WHERE project = %s AND state = 3", project.id)[0][0] > 0
    assert (
        foundry.sql("SELECT min(seq) FROM event WHERE seq > %s", after["numbers"][0])[0][0] == after["numbers"][0] + 1
    )


def test_what_is_append_only_stays_so_and_another_tenants_rows_are_not_there(
    spread: tuple[Foundry, Project, dict[str, Any], dict[str, Any]],
) -> None:
    foundry, project, _, _ = spread
    with psycopg.connect(foundry.admin_url, options="-c search_path=cupola") as conn:
        for statement in ("UPDATE judgement SET seconds = 1", "DELETE FROM transfer", "DELETE FROM judgement_p0"):
            with pytest.raises(psycopg.errors.RestrictViolation), conn.transaction():
                conn.execute(statement)  # type: ignore[call-overload]
    other = foundry.tenant()

    async def seen(conn: Any) -> int:
        return int((await (await conn.execute("SELECT count(*) FROM task")).fetchone())[0])

    assert foundry.app(project.tenant, seen) == 20
    assert foundry.app(other, seen) == 0

    async def around(conn: Any) -> None:
        await conn.execute("SELECT count(*) FROM task_p0")

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        foundry.app(other, around)


def test_a_number_out_of_range_and_a_database_in_use_are_told(foundry: Foundry) -> None:
    with pytest.raises(Problem, match="1 to 256"):
        partitions.spread(foundry.admin_url, 0)
    with psycopg.connect(foundry.admin_url) as conn:
        conn.execute("SELECT FROM cupola.task FOR UPDATE")
        with pytest.raises(Problem, match="while nobody does"):
            partitions.spread(foundry.admin_url, 2, wait_s=1)
    assert partitions.present(foundry.admin_url) == 0
