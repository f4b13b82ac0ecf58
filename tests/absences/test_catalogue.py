"""The database lint against a freshly migrated database, and each of its queries against a planted offence."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from cupola.platform.pg import migrate
from cupola.platform.pg.cluster import Cluster
from tests.absences.catalogue import ABSENCES, RUNNING_ROLES, Absence, offences

PLANTED: dict[str, tuple[tuple[str, str], ...]] = {
    "no tenant table without row level security, enabled and forced": (
        ("CREATE TABLE cupola.planted (tenant uuid PRIMARY KEY)", "planted"),
        ("ALTER TABLE cupola.item NO FORCE ROW LEVEL SECURITY", "item"),
        ("ALTER TABLE cupola.judgement DISABLE ROW LEVEL SECURITY", "judgement"),
    ),
    "no tenant table without a policy, and none that lets the tenant's role see past its tenant": (
        ("DROP POLICY tenant_only ON cupola.gold", "gold"),
        ("CREATE POLICY planted ON cupola.item TO cupola_app USING (true)", "planted"),
        ("CREATE POLICY planted ON cupola.item USING (ref = 'x')", "planted"),
    ),
    "no primary or unique key of a tenant table that leaves the tenant out": (
        ("ALTER TABLE cupola.api_key ADD CONSTRAINT planted UNIQUE (key_hash)", "planted"),
        ("CREATE UNIQUE INDEX planted ON cupola.item (ref) INCLUDE (tenant)", "planted"),
        ("CREATE TABLE cupola.planted (id uuid PRIMARY KEY, tenant uuid)", "planted"),
    ),
    "no tenant table without a primary key": (("CREATE TABLE cupola.planted (tenant uuid)", "planted"),),
    "no foreign key between tenant tables that leaves the tenant out": (
        (
            "CREATE UNIQUE INDEX wide ON cupola.item (id, tenant); ALTER TABLE cupola.item ADD UNIQUE (id); "
            "ALTER TABLE cupola.gold ADD COLUMN planted uuid REFERENCES cupola.item (id)",
            "gold",
        ),
    ),
    "no role of the running server that is superuser, bypasses row level security or makes roles": (
        ("ALTER ROLE cupola_app BYPASSRLS", "cupola_app"),
        ("ALTER ROLE cupola_server SUPERUSER", "cupola_server"),
    ),
    "no role of the running server that owns anything or may become somebody who does": (
        ("GRANT cupola_owner TO cupola_server", "cupola_server"),
        ("ALTER TABLE cupola.item OWNER TO cupola_gateway", "cupola_gateway"),
        ("GRANT CREATE ON SCHEMA cupola TO cupola_ops", "cupola_ops"),
    ),
    "no right to change or delete what is append-only": (
        ("GRANT UPDATE ON cupola.judgement TO cupola_app", "update judgement"),
        ("GRANT UPDATE (amount_minor) ON cupola.transfer TO cupola_gateway", "update transfer"),
        ("GRANT DELETE ON cupola.event TO PUBLIC", "delete event"),
    ),
    "no append-only table whose owner could change or delete a row": (
        ("DROP TRIGGER append_only ON cupola.transfer", "transfer"),
        ("ALTER TABLE cupola.event DISABLE TRIGGER append_only", "event"),
        ("ALTER TABLE cupola.settlement RENAME TO elsewhere", "settlement"),
    ),
    "no money that is not a whole number": (
        ("ALTER TABLE cupola.project ADD COLUMN planted_minor double precision", "planted_minor"),
        ("ALTER TABLE cupola.project ADD COLUMN planted_minor numeric", "planted_minor"),
    ),
    "no type that loses its index under row level security (enum, numeric)": (
        (
            "CREATE TYPE cupola.mood AS ENUM ('good'); ALTER TABLE cupola.task ADD COLUMN planted cupola.mood",
            "task.planted",
        ),
        ("ALTER TABLE cupola.task ADD COLUMN planted numeric", "task.planted"),
    ),
    "no function that row level security asks whose plan depends on what was believed of its tables": (
        (
            "CREATE FUNCTION cupola.planted() RETURNS SETOF uuid LANGUAGE sql AS $$ SELECT id FROM cupola.task $$; "
            "CREATE POLICY planted ON cupola.item AS RESTRICTIVE USING (id NOT IN (SELECT cupola.planted()))",
            "planted",
        ),
        ("ALTER FUNCTION cupola.blind_audits RESET enable_seqscan", "blind_audits"),
    ),
    "no function that notifies": (
        (
            "CREATE FUNCTION cupola.planted() RETURNS void LANGUAGE sql AS $$ SELECT pg_notify('a', 'b') $$",
            "planted notifies",
        ),
        (
            "CREATE FUNCTION cupola.planted() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN NOTIFY a; RETURN NEW; END $$; CREATE TRIGGER planted AFTER INSERT ON cupola.judgement "
            "FOR EACH STATEMENT EXECUTE FUNCTION cupola.planted()",
            "judgement has the trigger planted",
        ),
    ),
    "no function that runs as its owner for anybody, or that looks names up where its caller chooses": (
        (
            "CREATE FUNCTION cupola.planted() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = cupola "
            "AS $$ SELECT 1 $$",
            "for anybody",
        ),
        (
            "CREATE FUNCTION cupola.planted() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$ SELECT 1 $$; "
            "REVOKE EXECUTE ON FUNCTION cupola.planted FROM PUBLIC",
            "search_path",
        ),
    ),
    "no view that reads with its owner's eyes": (
        ("CREATE VIEW cupola.planted AS SELECT * FROM cupola.item", "planted"),
    ),
}


@pytest.fixture(scope="module")
def migrated_url(cluster: Cluster) -> Iterator[str]:
    url = cluster.create_database("catalogue_lint")
    migrate.migrate(url, "secret")
    yield url
    cluster.drop_database("catalogue_lint")


@pytest.mark.parametrize("absence", ABSENCES, ids=lambda absence: absence.name)
def test_a_freshly_migrated_database_keeps(migrated_url: str, absence: Absence) -> None:
    with psycopg.connect(migrated_url) as conn:
        assert offences(conn, absence) == []


@pytest.mark.parametrize(
    ("absence", "plant", "names"),
    [(absence, plant, names) for absence in ABSENCES for plant, names in PLANTED[absence.name]],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_planted_offence_is_found(migrated_url: str, absence: Absence, plant: str, names: str) -> None:
    with psycopg.connect(migrated_url) as conn:
        conn.execute(plant)
        assert any(names in offence for offence in offences(conn, absence))
        conn.rollback()


def test_every_absence_has_a_planted_offence() -> None:
    assert set(PLANTED) == {absence.name for absence in ABSENCES}


def test_the_roles_that_are_checked_exist_and_there_are_tenant_tables(migrated_url: str) -> None:
    with psycopg.connect(migrated_url) as conn:
        found = {row[0] for row in conn.execute("select rolname from pg_roles")}
        assert set(RUNNING_ROLES) <= found
        columns = conn.execute(
            "select count(*) from information_schema.columns where table_schema = 'cupola' and column_name = 'tenant'"
        ).fetchone()
        assert columns[0] > 30
